"""The shapes of clients and matters."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Model
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied

from cases import access
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
from lexiflow.api.serializers import RecordSerializer, differs
from users.models import Organization, User, read_organizations_of

STAMPS = ("created_at", "updated_at", "created_by", "updated_by", "version")


class FirmSerializer(RecordSerializer):
    """A row of one firm, tied to nothing of another one.

    Whoever belongs to several firms sees the rows of all of them, so seeing is not enough.
    """

    def foresee(self, instances: Sequence[Any], values: Sequence[Mapping[str, Any]]) -> None:
        super().foresee(instances, values)
        read_organizations_of(
            {value for each in values for value in each.values() if isinstance(value, User)}
        )

    def refuse_foreign_relations(self, firm_id: UUID, attrs: dict[str, Any]) -> None:
        """Raises ValidationError for references that are new and not of the firm."""
        wrong = {
            name: "Belongs to another organization."
            for name, value in attrs.items()
            if not all(
                value.pk == getattr(self.instance, f"{name}_id", None)
                or _is_of_firm(value, firm_id)
                for value in (value if isinstance(value, list) else [value])
                if isinstance(value, Model)
            )
        }
        if wrong:
            raise serializers.ValidationError(wrong)


def _is_of_firm(value: Any, firm_id: UUID) -> bool:
    if isinstance(value, User):
        return firm_id in value.organization_ids
    return bool(getattr(value, "organization_id", firm_id) == firm_id)


class OwnedSerializer(FirmSerializer):
    """A row of one firm. Named on creation where the caller belongs to several; never changed."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if self.instance is None:
            attrs["organization"] = self._organization(attrs)
            self.refuse_foreign_relations(attrs["organization"].pk, attrs)
            return attrs
        firm_id = self.instance.organization_id
        if "organization" in attrs and attrs["organization"].pk != firm_id:
            raise serializers.ValidationError({"organization": "A row never changes its firm."})
        self.refuse_foreign_relations(firm_id, attrs)
        return attrs

    def _organization(self, attrs: dict[str, Any]) -> Any:
        """The firm that was named, else that of the case, else the caller's primary one."""
        if named := attrs.get("organization"):
            return named
        if case := attrs.get("case"):
            return case.organization
        for organization_id in self.context["request"].user.organization_ids[:1]:
            return Organization.objects.get(pk=organization_id)
        raise serializers.ValidationError({"organization": "This field is required."})


class ClientSerializer(OwnedSerializer):
    class Meta:
        model = Client
        fields = (
            "id",
            "organization",
            "client_number",
            "name",
            "type",
            "status",
            "email",
            "phone",
            "address",
            "contact_name",
            "contact_email",
            "contact_phone",
            "account_manager",
            "notes",
            *STAMPS,
        )
        read_only_fields = STAMPS
        extra_kwargs = {
            "organization": {"required": False},
            "client_number": {"required": False},
        }


class ClientSummary(RecordSerializer):
    class Meta:
        model = Client
        fields = ("id", "client_number", "name", "type", "status")


class ClientPersonSerializer(FirmSerializer):
    """A person who sees what is shared with the client. On its route, the one in the URL."""

    class Meta:
        model = ClientPerson
        fields = ("id", "client", "user", *STAMPS)
        read_only_fields = STAMPS

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if self.instance is not None and attrs.get("user", self.instance.user) != (
            self.instance.user
        ):
            raise serializers.ValidationError({"user": "Delete this row and make another."})
        if self.instance is None:
            self.refuse_foreign_relations(attrs["client"].organization_id, attrs)
            if refusal := access.client_person_refusal(self.context["request"].user, attrs["user"]):
                raise serializers.ValidationError({"user": refusal})
        return attrs


class CaseSerializer(OwnedSerializer):
    # Of many cases, those the caller works on.
    worked_on: frozenset[UUID] | None = None

    class Meta:
        model = Case
        fields = (
            "id",
            "organization",
            "case_number",
            "title",
            "description",
            "type",
            "status",
            "access",
            "is_shared_with_client",
            "practice_area",
            "jurisdiction",
            "court",
            "cause_of_action",
            "nature_of_suit",
            "nature_of_suit_code",
            "judge",
            "referred_judge",
            "magistrate_judge",
            "jury_demand",
            "filing_on",
            "filed_on",
            "trial_on",
            "closed_on",
            "terminated_on",
            "originating_court",
            "originating_case_number",
            "originating_judge",
            "originating_filed_on",
            "originating_judgment_on",
            "client",
            "lead_attorney",
            "related_cases",
            "metadata",
            *STAMPS,
        )
        read_only_fields = STAMPS
        extra_kwargs = {
            "organization": {"required": False},
            "case_number": {"required": False},
            "related_cases": {"required": False, "allow_empty": True},
        }

    def foresee(self, instances: Sequence[Any], values: Sequence[Mapping[str, Any]]) -> None:
        super().foresee(instances, values)
        if any("lead_attorney" in each for each in values):
            actor = self.context["request"].user
            self.worked_on = access.worked_on(actor, [case.pk for case in instances])

    def validate_related_cases(self, value: list[Case]) -> list[Case]:
        if self.instance in value:
            raise serializers.ValidationError("A case is not related to itself.")
        if self.instance is None:
            return value
        return [*value, *access.unseen_relations(self.context["request"].user, self.instance)]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Who sees the case is not for everybody to change."""
        attrs = super().validate(attrs)
        actor = self.context["request"].user
        if self.instance is None:
            refused = access.new_case_refusals(actor, attrs)
        else:
            refused = access.case_refusals(
                actor, self.instance, self._changed(attrs), worked_on=self.worked_on
            )
        if refused:
            raise serializers.ValidationError(refused)
        return attrs

    def _changed(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in attrs.items() if differs(self.instance, name, value)}


class CaseSummary(RecordSerializer):
    class Meta:
        model = Case
        fields = ("id", "case_number", "title", "type", "status")


class CaseChildSerializer(FirmSerializer):
    """A row of a case. On a nested route the case is the one in the URL."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        own = getattr(self.instance, "case_id", None)
        if own is not None and "case" in attrs and attrs["case"].pk != own:
            raise serializers.ValidationError({"case": "A row never changes its case."})
        self.refuse_foreign_relations((self.instance or attrs["case"]).organization_id, attrs)
        return attrs


class TeamMemberSerializer(CaseChildSerializer):
    """Somebody on the team. Who may write that down: `cases.access`."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        case = self.instance.case if self.instance is not None else attrs["case"]
        person = attrs.get("user")
        refusal = access.staffing_refusal(self.context["request"].user, case, person)
        if refusal is not None:
            raise PermissionDenied(refusal)
        return attrs

    class Meta:
        model = CaseTeamMember
        fields = ("id", "case", "user", "role", "since", "until", *STAMPS)
        read_only_fields = STAMPS


class EthicalWallSerializer(CaseChildSerializer):
    """A person barred from a case, and why."""

    class Meta:
        model = EthicalWall
        fields = ("id", "case", "user", "reason", *STAMPS)
        read_only_fields = STAMPS

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if self.instance is not None and attrs.get("user", self.instance.user) != (
            self.instance.user
        ):
            raise serializers.ValidationError({"user": "A wall stays around the same person."})
        return attrs


class PartySerializer(CaseChildSerializer):
    class Meta:
        model = Party
        fields = (
            "id",
            "case",
            "name",
            "kind",
            "counsel_name",
            "counsel_firm",
            "counsel_email",
            "counsel_phone",
            "notes",
            *STAMPS,
        )
        read_only_fields = STAMPS


class DocketEntrySerializer(CaseChildSerializer):
    class Meta:
        model = DocketEntry
        fields = (
            "id",
            "case",
            "sequence",
            "filed_on",
            "entered_on",
            "kind",
            "description",
            "filed_by",
            "is_sealed",
            "is_restricted",
            "document",
            *STAMPS,
        )
        read_only_fields = ("sequence", *STAMPS)


class EvidenceSerializer(CaseChildSerializer):
    class Meta:
        model = EvidenceItem
        fields = (
            "id",
            "case",
            "evidence_number",
            "title",
            "description",
            "kind",
            "status",
            "collected_on",
            "collected_by",
            "custodian",
            "storage_location",
            "sha256",
            *STAMPS,
        )
        read_only_fields = STAMPS
        extra_kwargs = {"evidence_number": {"required": False}}


class CustodyEventSerializer(RecordSerializer):
    class Meta:
        model = CustodyEvent
        fields = (
            "id",
            "evidence",
            "action",
            "happened_at",
            "from_custodian",
            "to_custodian",
            "location",
            "notes",
            *STAMPS,
        )
        read_only_fields = STAMPS


class _Counts(serializers.DictField):
    """Numbers of rows by a name."""

    child = serializers.IntegerField()


class PracticeAreaCountSerializer(serializers.Serializer[Any]):
    practice_area = serializers.CharField()
    count = serializers.IntegerField()


class PracticeAreasSerializer(serializers.Serializer[Any]):
    largest = PracticeAreaCountSerializer(many=True)
    unspecified = serializers.IntegerField()
    other = serializers.IntegerField(help_text="In areas that are not among the largest.")


class TrialsSerializer(serializers.Serializer[Any]):
    """Of cases that are not closed, from today on."""

    next_30_days = serializers.IntegerField()
    next_90_days = serializers.IntegerField()
    dates = _Counts(help_text="The next ten days with trials.")


class CaseMetricsSerializer(serializers.Serializer[Any]):
    """Of the cases the caller may see. `active`, `pending` and `closed` add up to `total`."""

    total = serializers.IntegerField()
    active = serializers.IntegerField(help_text="Open, active, discovery, trial.")
    pending = serializers.IntegerField(help_text="Pending, on hold.")
    closed = serializers.IntegerField(help_text="Settled, closed, archived, consolidated.")
    by_status = _Counts()
    by_type = _Counts()
    by_practice_area = PracticeAreasSerializer()
    opened_per_month = _Counts(
        help_text="The last twelve months, by `filed_on`, else `filing_on`, else `created_at`."
    )
    closed_per_month = _Counts(help_text="Closed cases, by `closed_on`, else `terminated_on`.")
    average_age_days = serializers.FloatField(
        allow_null=True, help_text="Of cases that are not closed; null if there are none."
    )
    upcoming_trials = TrialsSerializer()
