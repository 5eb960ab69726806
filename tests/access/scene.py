"""Two firms full of secrets, and everybody who might look for them.

Each row carries a word of its own in every text column, found by looking at the columns, so that a
single scan of an answer says which rows it speaks of. A `Fact` says of each row what the policy
asks; a `Person` says how somebody stands to the matters.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db.models import Model
from django.utils import timezone

from cases.models import Case, Client, CustodyEvent, DocketEntry, NumberSeries
from documents import services as document_services
from documents.models import Document
from lexiflow.db.transactions import write_transaction
from tests import factories
from tests.access.credentials import add_keys, add_limits, add_saved_searches, sign_everybody_in
from tests.access.policy import Fact, Matter, Person, sees
from tests.access.trail import add_trail
from tests.access.words import words_of, write_word
from users.choices import Role
from users.models import Membership, Organization, User
from users.services import join_organization

HOME, ELSEWHERE = "home", "elsewhere"
PAYER = "payer"
MATTERS = (
    Matter("open", HOME),
    Matter("team", HOME, access="team"),
    Matter("sealed", HOME, access="sealed"),
    Matter("walled", HOME, is_shared=True, client=PAYER),
    Matter("shared", HOME, is_shared=True, client=PAYER),
    Matter("unshared", HOME, client=PAYER),
    Matter("gone", HOME, is_deleted=True),
    Matter("foreign", ELSEWHERE, is_shared=True, client="stranger"),
)
# Who leads what, and is on no team.
LEADS = {"sealed": "lead intern", "walled": "walled lead"}
LEVELS = ("internal", "confidential", "privileged", "attorney_work_product")
_CONSONANTS = "bcdfghjklmnpqrstvwxz"


@dataclass(slots=True)
class Cast:
    """Who asks, by how they stand to the firm: each role once in each relation, and some more."""

    by_relation: dict[str, dict[str, Person]] = field(default_factory=dict)
    others: dict[str, Person] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Person]:
        for people in self.by_relation.values():
            yield from people.values()
        yield from self.others.values()

    def __getitem__(self, name: str) -> Person:
        """`cast["team intern"]`, `cast["operator"]`."""
        if name in self.others:
            return self.others[name]
        relation, role = name.split(" ")
        return self.by_relation[relation][role]


@dataclass
class Scene:
    """All of it."""

    facts: list[Fact] = field(default_factory=list)
    cast: Cast = field(default_factory=Cast)
    firms: dict[str, Organization] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    # Access tokens, by the name of the person.
    tokens: dict[str, str] = field(default_factory=dict)
    _random: random.Random = field(default_factory=lambda: random.Random(1869))
    _seen: dict[str, frozenset[Fact]] = field(default_factory=dict)
    _shown: dict[str, set[str]] = field(default_factory=dict)

    def word(self) -> str:
        """A word that is like no other: a search that corrects typing errors finds one row."""
        return "qq" + "".join(self._random.choices(_CONSONANTS, k=12)) + "qq"

    def add(self, row: Any, firm: str = "", matter: Matter | None = None, **said: Any) -> Fact:
        fact = Fact(type(row), row, matter.firm if matter else firm, matter, self.word(), **said)
        fact.is_deleted = matter is not None and matter.is_deleted
        self.facts.append(fact)
        return fact

    def firm_name(self, key: Any) -> str:
        return next((name for name, firm in self.firms.items() if firm.pk == key), "")

    def of(self, model: type[Model]) -> list[Fact]:
        return [fact for fact in self.facts if fact.model is model]

    def seen_by(self, person: Person) -> frozenset[Fact]:
        """What the policy lets them see."""
        if person.name not in self._seen:
            self._seen[person.name] = frozenset(f for f in self.facts if sees(person, f))
        return self._seen[person.name]

    def keys_shown_to(self, person: Person) -> set[str]:
        """The keys of what they see, and those that stand in it."""
        if person.name not in self._shown:
            seen = self.seen_by(person)
            keys = {str(f.row.pk) for f in seen}
            self._shown[person.name] = keys.union(*(self.references[f] for f in seen))
        return self._shown[person.name]

    @cached_property
    def by_marker(self) -> dict[str, Fact]:
        return {fact.marker: fact for fact in self.facts if fact.marker}

    @cached_property
    def by_id(self) -> dict[str, Fact]:
        return {key: fact for fact in self.facts for key in (str(fact.row.pk), *fact.ids)}

    @cached_property
    def references(self) -> dict[Fact, frozenset[str]]:
        """The keys that stand in each row: a reference is a key without a name."""
        return {
            fact: frozenset(
                str(getattr(fact.row, column.attname))
                for column in fact.model._meta.concrete_fields
                if column.is_relation or column.attname.endswith("_id")
            )
            for fact in self.facts
        }


def build() -> Scene:
    scene = Scene()
    for name in (HOME, ELSEWHERE, "ended"):
        firm = factories.organization(f"Firm {name}")
        scene.firms[name] = firm
        scene.add(firm, name).is_deleted = name == "ended"
    _people(scene)
    for matter in MATTERS:
        _matter(scene, matter)
    _loose_documents(scene)
    _moved_document(scene)
    _cross_references(scene)
    for series in NumberSeries.objects.all():
        scene.add(series, scene.firm_name(series.organization_id))
    add_keys(scene)
    add_saved_searches(scene)
    add_limits(scene)
    for fact in scene.facts:
        write_word(fact)
    # Afterwards: a person whose address changes is signed out.
    for fact in sign_everybody_in(scene):
        write_word(fact)
    _end(scene)
    add_trail(scene)
    return scene


# --- People ---------------------------------------------------------------------------------------
def _people(scene: Scene) -> None:
    for relation, firm, works_on, walled in (
        ("own", HOME, (), ()),
        ("team", HOME, ("open", "team", "sealed"), ()),
        ("walled", HOME, ("walled",), ("walled",)),
        ("foreign", ELSEWHERE, (), ()),
    ):
        scene.cast.by_relation[relation] = {
            role: _person(
                scene, f"{relation} {role}", role, firm, works_on=works_on, walled_from=walled
            )
            for role in Role
        }
    speaks = frozenset({PAYER})
    walled_people = scene.cast.by_relation["walled"]
    walled_people["client"] = replace(walled_people["client"], speaks_for=speaks)
    both = {"works_on": ("walled",), "walled_from": ("walled",)}
    for person in (
        _person(scene, "speaking client", "client", HOME, speaks_for=speaks),
        _person(scene, "lead intern", "intern", HOME, works_on=("sealed",)),
        _person(scene, "walled lead", "partner", HOME, **both),
        _person(scene, "former intern", "intern", HOME),
        _person(scene, "author intern", "intern", HOME),
        _person(scene, "operator", "super_admin"),
        _person(scene, "walled operator", "super_admin", walled_from=("walled",)),
        _person(scene, "nobody", "admin"),
        _person(scene, "ended admin", "admin"),
    ):
        scene.cast.others[person.name] = person
    for name, organization in scene.firms.items():
        for role in ("associate", "client"):  # whom rows refer to; they ask for nothing
            scene.add(factories.user(firm=organization, role=role), name)
    join_organization(scene.cast["ended admin"].user, scene.firms["ended"])


def _person(scene: Scene, name: str, role: str, firm: str = "", **said: Any) -> Person:
    made = factories.user(
        firm=scene.firms.get(firm),
        role=role,
        is_staff=True,
        is_superuser="operator" in name,
    )
    said = {key: frozenset(value) for key, value in said.items()}
    scene.add(made, firm)
    for membership in Membership.objects.filter(user=made):
        scene.add(membership, firm)
    return Person(name, made, str(role), firm, "operator" in name, **said)


def _extra(scene: Scene, firm: str, role: str) -> User:
    """Somebody of the firm whom rows refer to."""
    found = (f.row for f in scene.of(User) if f.firm == firm and not f.row.is_staff)
    someone: User = next(user for user in found if user.role == role)
    return someone


# --- Matters --------------------------------------------------------------------------------------
def _matter(scene: Scene, matter: Matter) -> None:
    firm = scene.firms[matter.firm]
    associate = _extra(scene, matter.firm, "associate")
    client = _client(scene, matter, firm)
    case = factories.case(
        firm,
        access=matter.access,
        client=client,
        is_shared_with_client=matter.is_shared,
        lead_attorney=scene.cast[LEADS[matter.name]].user if matter.name in LEADS else associate,
    )
    scene.add(case, matter=matter)
    scene.add(factories.team_member(case, associate), matter=matter)
    # Somebody of the firm who asks for nothing.
    scene.add(factories.wall(case, _extra(scene, matter.firm, "client")), matter=matter)
    for person in scene.cast:
        if matter.name in person.works_on and person.name not in LEADS.values():
            scene.add(factories.team_member(case, person.user), matter=matter)
        if matter.name in person.walled_from:
            scene.add(factories.wall(case, person.user), matter=matter)
    if matter.access != "firm":
        former, ended = scene.cast["former intern"].user, timezone.now() - timedelta(days=2)
        scene.add(factories.team_member(case, former, until=ended.date()), matter=matter)
    scene.add(factories.party(case), matter=matter)
    for secrecy in ({}, {"is_sealed": True}, {"is_restricted": True}):
        entry = factories.docket_entry(case, **secrecy)
        scene.add(entry, matter=matter, is_secret=bool(secrecy))
    item = factories.evidence(case)
    scene.add(item, matter=matter)
    event = factories.custody_event(item, **words_of(CustodyEvent, word := scene.word()))
    scene.add(event, matter=matter).marker = word
    for level in LEVELS:
        _document(scene, firm, matter, case=case, access_level=level)
    _document(scene, firm, matter, case=case, is_shared_with_client=True)


def _client(scene: Scene, matter: Matter, firm: Organization) -> Any:
    """The client of the matter and who speaks for it: made once for all its matters."""
    name = matter.client or f"client of {matter.name}"
    if name not in scene.clients:
        client = scene.clients[name] = factories.client(
            firm, account_manager=_extra(scene, matter.firm, "associate")
        )
        scene.add(client, matter.firm)
        for person in scene.cast:
            if name in person.speaks_for:
                scene.add(factories.client_person(client, person.user), matter.firm)
        other = factories.client_person(client, _extra(scene, matter.firm, "client"))
        scene.add(other, matter.firm)
    return scene.clients[name]


def _document(
    scene: Scene, firm: Organization, matter: Matter | None, *, author: Any = None, **fields: Any
) -> Fact:
    """A document of two versions, each with words of its own in its text."""
    words = (scene.word(), scene.word())
    document = factories.document(firm, f"{words[0]} first.", author=author, **fields)
    file = document_services.receive_text(firm.pk, f"{words[1]} second.", document.title)
    with write_transaction(None):
        second = document_services.add_version(document, file, by=None, comment="")  # type: ignore[arg-type]
    said = {
        "level": fields.get("access_level", "internal"),
        "is_shared": fields.get("is_shared_with_client", False),
        "author": author,
    }
    name = scene.firm_name(firm.pk)
    fact = scene.add(document, name, matter, **said)
    for version in document.versions.order_by("number"):
        current = version.pk == second.pk
        made = scene.add(version, name, matter, subject=fact, is_current=current)
        made.marker = words[current]
        made.ids.add(version.sha256)
    return fact


def _loose_documents(scene: Scene) -> None:
    """Documents of no case; the last one was written by somebody of little rank."""
    for name in (HOME, ELSEWHERE):
        for level in LEVELS:
            _document(scene, scene.firms[name], None, access_level=level)
    _document(
        scene,
        scene.firms[HOME],
        None,
        access_level="attorney_work_product",
        author=scene.cast["author intern"].user,
    )
    with write_transaction(None):
        pass  # else whatever is made from here on would be signed by the author


def _moved_document(scene: Scene) -> None:
    """What everybody sees now, and what only few knew of: its history tells where it came from."""
    matters = {fact.matter.name: fact for fact in scene.of(Case) if fact.matter}
    sealed, opened = matters["sealed"], matters["open"]
    document = _document(scene, scene.firms[HOME], sealed.matter, case=sealed.row)
    Document.objects.filter(pk=document.row.pk).update(case=opened.row)
    for fact in scene.facts:
        if document in (fact, fact.subject):
            fact.matter = opened.matter


def _cross_references(scene: Scene) -> None:
    """What everybody sees refers to what few do: its name must not show there."""
    cases = {fact.matter.name: fact.row for fact in scene.of(Case) if fact.matter}
    cases["open"].related_cases.set(
        [cases[name] for name in ("team", "sealed", "walled", "shared", "unshared", "gone")]
    )
    cases["shared"].related_cases.add(cases["unshared"])
    for fact in scene.of(DocketEntry):
        hidden = (
            document.row
            for document in scene.of(Document)
            if document.matter is fact.matter and document.level == "attorney_work_product"
        )
        DocketEntry.objects.filter(pk=fact.row.pk).update(document=next(hidden))
    associate = _extra(scene, HOME, "associate")
    shared = [f.row.pk for f in scene.of(Document) if f.is_shared and f.firm == HOME]
    Document.objects.filter(pk__in=shared).update(
        author=associate, checked_out_by=associate, checked_out_at=timezone.now()
    )


# --- Ends -----------------------------------------------------------------------------------------
def _end(scene: Scene) -> None:
    """One firm ends, one case is deleted."""
    now = timezone.now()
    Organization.objects.filter(pk=scene.firms["ended"].pk).update(deleted_at=now)
    for fact in scene.of(Case):
        if fact.is_deleted:
            Case.objects.filter(pk=fact.row.pk).update(deleted_at=now)
