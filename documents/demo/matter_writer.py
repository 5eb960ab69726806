"""Made-up clients and cases into the database, with COPY and a few statements per batch."""

from typing import Any
from uuid import UUID

from cases.models import (
    Case,
    CaseTeamMember,
    Client,
    ClientPerson,
    CustodyEvent,
    DocketEntry,
    EthicalWall,
    EvidenceItem,
    Party,
)
from cases.search_index import indexed_at_the_end
from documents.demo.firms import DemoFirm, lawyers, seats
from documents.demo.matters import DemoCase, clients_needed, demo_case, demo_client
from documents.demo.people import ensure_people
from documents.demo.row_count import RowCount
from lexiflow.db.identifiers import new_id
from users.choices import Role
from users.models import Organization


class MatterWriter:
    """Writes the matters of one firm that are not there yet. Every method needs a transaction."""

    def __init__(
        self, organization: Organization, firm: DemoFirm, seed: int, written: RowCount
    ) -> None:
        self.organization = organization
        self._written = written
        self._firm = firm
        self._seed = seed
        self._lawyers: list[UUID] = []
        self._clients: dict[str, UUID] = {}

    def write_people_and_clients(self, cases: int) -> None:
        """Everybody that so many cases need."""
        people = lawyers(self._firm, cases)
        ids = ensure_people(self.organization, people)
        self._lawyers = [ids[person.email] for person in people]
        self._clients = dict(
            Client.objects.alive()
            .filter(organization=self.organization)
            .values_list("client_number", "pk")
        )
        rows = []
        for index in range(clients_needed(cases)):
            client = demo_client(self._seed, self._firm, index)
            number = client.fields["client_number"]
            if number not in self._clients:
                self._clients[number] = new_id()
                manager = self._lawyers[client.manager]
                link = {"id": self._clients[number], "account_manager_id": manager}
                rows.append(self._signed(manager, client.fields, link))
        self._written.copy(Client, rows)
        self._write_speaker()

    def _write_speaker(self) -> None:
        """The firm's client who signs in sees what is shared with the first client."""
        speaker = next(p for p in seats(self._firm) if p.role == Role.CLIENT)
        ids = ensure_people(self.organization, [speaker])
        number = demo_client(self._seed, self._firm, 0).fields["client_number"]
        link = {"client_id": self._clients.get(number), "user_id": ids[speaker.email]}
        if link["client_id"] and not ClientPerson.objects.filter(**link).exists():
            self._written.copy(ClientPerson, [self._signed(self._lawyers[0], link)])

    def write_cases(self, indexes: range) -> None:
        """The cases with these indexes that are not there."""
        wanted = [demo_case(self._seed, self._firm, index) for index in indexes]
        there = set(
            Case.objects.alive()
            .filter(
                organization=self.organization,
                case_number__in=[case.fields["case_number"] for case in wanted],
            )
            .values_list("case_number", flat=True)
        )
        fresh = [(new_id(), case) for case in wanted if case.fields["case_number"] not in there]
        with indexed_at_the_end([pk for pk, _ in fresh]):
            self._written.copy(Case, [self._case_row(pk, case) for pk, case in fresh])
            self._written.copy(Party, self._rows(fresh, "parties"))
            self._written.copy(DocketEntry, self._rows(fresh, "docket"))
        self._written.copy(CaseTeamMember, self._team_rows(fresh))
        self._written.copy(EthicalWall, self._walls(fresh))
        self._write_evidence(fresh)

    def lawyer(self, number: int) -> UUID:
        """Somebody of the firm who works on cases."""
        return self._lawyers[number % len(self._lawyers)]

    def _case_row(self, pk: UUID, case: DemoCase) -> dict[str, Any]:
        lead = self._lawyers[case.team[0][0]]
        number = demo_client(self._seed, self._firm, case.client).fields["client_number"]
        link = {"id": pk, "client_id": self._clients[number], "lead_attorney_id": lead}
        return self._signed(lead, case.fields, link)

    def _team_rows(self, cases: list[tuple[UUID, DemoCase]]) -> list[dict[str, Any]]:
        return [
            self._signed(
                self._lawyers[case.team[0][0]],
                {
                    "case_id": pk,
                    "user_id": self._lawyers[member],
                    "role": role,
                    "since": case.fields["filed_on"],
                    "until": case.fields["closed_on"],
                },
            )
            for pk, case in cases
            for member, role in case.team
        ]

    def _walls(self, cases: list[tuple[UUID, DemoCase]]) -> list[dict[str, Any]]:
        reason = "Advised the opposing party before joining the firm."
        return [
            self._signed(
                self._lawyers[case.team[0][0]],
                {"case_id": pk, "user_id": self._lawyers[case.barred], "reason": reason},
            )
            for pk, case in cases
            if case.barred is not None
        ]

    def _rows(self, cases: list[tuple[UUID, DemoCase]], part: str) -> list[dict[str, Any]]:
        return [
            self._signed(self._lawyers[case.team[-1][0]], {"case_id": pk}, fields)
            for pk, case in cases
            for fields in getattr(case, part)
        ]

    def _write_evidence(self, cases: list[tuple[UUID, DemoCase]]) -> None:
        items, events = [], []
        for pk, case in cases:
            signer = self._lawyers[case.team[-1][0]]
            for item in case.evidence:
                item_id = new_id()
                items.append(self._signed(signer, {"id": item_id, "case_id": pk}, item.fields))
                link = {"evidence_id": item_id, "case_id": pk}
                events += [self._signed(signer, link, event) for event in item.custody]
        self._written.copy(EvidenceItem, items)
        self._written.copy(CustodyEvent, events)

    def _signed(self, by: UUID, *parts: dict[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {"organization_id": self.organization.pk, "created_by_id": by}
        for part in parts:
            row |= part
        return row
