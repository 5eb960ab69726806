"""Clients and matters: cases, who works on them, who is in them, their docket, their evidence."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from cases.choices import (
    CaseAccess,
    CaseStatus,
    CaseType,
    ClientStatus,
    ClientType,
    CustodyAction,
    DocketEntryKind,
    EvidenceKind,
    EvidenceStatus,
    JuryDemand,
    PartyKind,
    TeamRole,
)
from cases.counting import CASES
from cases.ownership import AssignNumberInCase, EndSharing, InheritOrganization
from cases.querysets import (
    CaseChildQuerySet,
    CaseQuerySet,
    ClientPartQuerySet,
    CustodyEventQuerySet,
    DocketEntryQuerySet,
    EthicalWallQuerySet,
)
from lexiflow.cache.reads import declare_table, declare_written_with
from lexiflow.cache.triggers import tells_cache
from lexiflow.counting.models import Count
from lexiflow.counting.triggers import counting
from lexiflow.db.constraints import choices_only
from lexiflow.db.models import Record
from lexiflow.db.triggers import AppendOnly
from lexiflow.search.index import GIN_PENDING_KILOBYTES
from users.history import AUDITED
from users.querysets import OrganizationOwnedQuerySet

declare_table("cases_case_related_cases", is_pinned=True)
declare_written_with("cases_casecount", "cases_case")

ALIVE = Q(deleted_at__isnull=True)
# What `cases.visibility` asks of the case that some other row belongs to, or is related to.
ACCESS_COLUMNS = (
    *("id", "organization_id", "access", "lead_attorney_id", "client_id"),
    *("is_shared_with_client", "deleted_at"),
)


class AuditedRecord(Record):
    """A record whose every change is in the audit trail."""

    class Meta(Record.Meta):
        abstract = True
        triggers = [*Record.Meta.triggers, *AUDITED]


class Client(AuditedRecord):
    """Somebody the firm works for."""

    organization = models.ForeignKey("users.Organization", models.PROTECT, related_name="clients")
    client_number = models.CharField(max_length=50)
    name = models.CharField(max_length=300)
    type = models.CharField(max_length=20, choices=ClientType, default=ClientType.INDIVIDUAL)
    status = models.CharField(max_length=20, choices=ClientStatus, default=ClientStatus.ACTIVE)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=300, blank=True)
    contact_name = models.CharField(max_length=200, blank=True)
    contact_email = models.EmailField(blank=True)
    contact_phone = models.CharField(max_length=40, blank=True)
    account_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    notes = models.TextField(blank=True)

    objects = OrganizationOwnedQuerySet.as_manager()

    class Meta(AuditedRecord.Meta):
        triggers = [*AuditedRecord.Meta.triggers, *tells_cache()]
        constraints = [
            UniqueConstraint(
                fields=["organization", "client_number"],
                condition=ALIVE,
                name="client_number_unique_per_organization",
            ),
            choices_only("type", ClientType, name="client_type_is_known"),
            choices_only("status", ClientStatus, name="client_status_is_known"),
        ]
        indexes = [
            Index(fields=["organization", "created_at", "id"], name="client_by_creation"),
            Index(fields=["organization", "name", "id"], name="client_by_name"),
            GinIndex(OpClass("name", "gin_trgm_ops"), name="client_name_trigram"),
        ]

    def __str__(self) -> str:
        return self.name


class ClientPerson(AuditedRecord):
    """A person with the role `client` who speaks for a client: they see what is shared with it."""

    client = models.ForeignKey(Client, models.PROTECT, related_name="people")
    organization = models.ForeignKey(
        "users.Organization", models.PROTECT, related_name="+", editable=False, db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = ClientPartQuerySet.as_manager()

    class Meta(AuditedRecord.Meta):
        verbose_name_plural = "client people"
        triggers = [
            *AuditedRecord.Meta.triggers,
            InheritOrganization(parent="client"),
            *tells_cache(),
        ]
        constraints = [
            UniqueConstraint(
                fields=["client", "user"], condition=ALIVE, name="client_person_unique"
            )
        ]
        indexes = [
            Index(fields=["organization", "created_at", "id"], name="client_person_by_creation"),
            Index(fields=["user", "client"], condition=ALIVE, name="client_person_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.client_id}"


class Case(AuditedRecord):
    """A matter: a lawsuit, a transaction, an advice."""

    organization = models.ForeignKey("users.Organization", models.PROTECT, related_name="cases")
    case_number = models.CharField(max_length=100)
    title = models.CharField(max_length=500)
    description = models.TextField(blank=True)
    type = models.CharField(max_length=30, choices=CaseType, default=CaseType.CIVIL)
    status = models.CharField(max_length=20, choices=CaseStatus, default=CaseStatus.OPEN)
    access = models.CharField(
        max_length=10,
        choices=CaseAccess,
        default=CaseAccess.FIRM,
        help_text="Who of the firm may know of the case. Ethical walls come on top.",
    )
    is_shared_with_client = models.BooleanField(
        default=False,
        help_text="The client's people see the case, its docket and the documents that are shared.",
    )
    practice_area = models.CharField(max_length=120, blank=True)
    jurisdiction = models.CharField(max_length=200, blank=True)
    court = models.CharField(max_length=200, blank=True)
    cause_of_action = models.CharField(max_length=300, blank=True)
    nature_of_suit = models.CharField(max_length=200, blank=True)
    nature_of_suit_code = models.CharField(max_length=20, blank=True)
    judge = models.CharField(max_length=200, blank=True)
    referred_judge = models.CharField(max_length=200, blank=True)
    magistrate_judge = models.CharField(max_length=200, blank=True)
    jury_demand = models.CharField(max_length=20, choices=JuryDemand, default=JuryDemand.NONE)
    filing_on = models.DateField(
        null=True, blank=True, help_text="The day the complaint was submitted."
    )
    filed_on = models.DateField(null=True, blank=True, help_text="The day the court filed it.")
    trial_on = models.DateField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)
    terminated_on = models.DateField(null=True, blank=True)
    originating_court = models.CharField(max_length=200, blank=True)
    originating_case_number = models.CharField(max_length=100, blank=True)
    originating_judge = models.CharField(max_length=200, blank=True)
    originating_filed_on = models.DateField(null=True, blank=True)
    originating_judgment_on = models.DateField(null=True, blank=True)
    client = models.ForeignKey(Client, models.PROTECT, null=True, blank=True, related_name="cases")
    lead_attorney = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="led_cases",
        db_index=False,
    )
    related_cases = models.ManyToManyField("self", blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    objects = CaseQuerySet.as_manager()

    class Meta(AuditedRecord.Meta):
        triggers = [
            *AuditedRecord.Meta.triggers,
            EndSharing(column="client_id"),
            *counting(CASES),
            *tells_cache(pins=("id",), access=ACCESS_COLUMNS),
        ]
        constraints = [
            UniqueConstraint(
                fields=["organization", "case_number"],
                condition=ALIVE,
                name="case_number_unique_per_organization",
            ),
            choices_only("type", CaseType, name="case_type_is_known"),
            choices_only("status", CaseStatus, name="case_status_is_known"),
            choices_only("access", CaseAccess, name="case_access_is_known"),
            choices_only("jury_demand", JuryDemand, name="case_jury_demand_is_known"),
            CheckConstraint(
                condition=Q(closed_on__isnull=True)
                | Q(filed_on__isnull=True)
                | Q(closed_on__gte=F("filed_on")),
                name="case_not_closed_before_filed",
                violation_error_message="A case cannot be closed before it was filed.",
            ),
        ]
        indexes = [
            Index(fields=["organization", "created_at", "id"], name="case_by_creation"),
            Index(fields=["organization", "title", "id"], name="case_by_title"),
            Index(fields=["organization", "status", "created_at", "id"], name="case_by_status"),
            Index(fields=["organization", "filed_on", "id"], name="case_by_filed"),
            Index(fields=["organization", "trial_on", "id"], name="case_by_trial"),
            # An operator's list spans all firms.
            Index(fields=["created_at", "id"], name="case_by_creation_all_firms"),
            # "Which cases does this person lead?" is answered from the index alone.
            Index(fields=["lead_attorney", "id"], name="case_by_lead_attorney"),
            # "Is the case of this row deleted?" is asked of every row below a case; so is "May
            # only its team know of it?". Few cases are either.
            Index(fields=["id"], condition=~ALIVE, name="case_deleted"),
            Index(
                fields=["id"],
                include=["access", "lead_attorney"],
                condition=~Q(access=CaseAccess.FIRM),
                name="case_not_open_to_the_firm",
            ),
            Index(
                fields=["lead_attorney", "id"],
                condition=~Q(access=CaseAccess.FIRM),
                name="case_closed_by_lead_attorney",
            ),
            Index(
                fields=["client", "id"],
                condition=Q(is_shared_with_client=True),
                name="case_shared_with_client",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_number} {self.title}"


class CaseOwned(AuditedRecord):
    """A row of a case. The database copies the firm from the case and keeps the two together."""

    case = models.ForeignKey(Case, models.PROTECT)
    organization = models.ForeignKey(
        "users.Organization", models.PROTECT, related_name="+", editable=False, db_index=False
    )

    objects: ClassVar[Any] = CaseChildQuerySet.as_manager()

    class Meta(AuditedRecord.Meta):
        abstract = True
        triggers = [
            *AuditedRecord.Meta.triggers,
            InheritOrganization(parent="case"),
            *tells_cache(pins=("case_id",)),
        ]
        default_related_name = "%(class)ss"


class CaseTeamMember(CaseOwned):
    """Who works on a case, as what, from when to when."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="case_memberships"
    )
    role = models.CharField(max_length=20, choices=TeamRole, default=TeamRole.ASSOCIATE)
    since = models.DateField(null=True, blank=True)
    until = models.DateField(null=True, blank=True)

    class Meta(CaseOwned.Meta):
        default_related_name = "team"
        constraints = [
            UniqueConstraint(
                fields=["case", "user"], condition=ALIVE, name="case_team_member_unique"
            ),
            choices_only("role", TeamRole, name="case_team_role_is_known"),
        ]
        indexes = [
            Index(fields=["organization", "created_at", "id"], name="case_team_by_creation"),
            # "Which cases does this person work on?" is part of every question.
            Index(
                fields=["user", "case"],
                include=["since", "until"],
                condition=ALIVE,
                name="case_team_of_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.case_id} as {self.role}"


class EthicalWall(CaseOwned):
    """Bars a person from a case, whatever their role: the case does not exist for them.

    Lifted by deleting it. Stronger than the team, the lead, every role, and the operators' flag.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)

    objects: ClassVar[Any] = EthicalWallQuerySet.as_manager()

    class Meta(CaseOwned.Meta):
        default_related_name = "ethical_walls"
        constraints = [
            UniqueConstraint(fields=["case", "user"], condition=ALIVE, name="ethical_wall_unique")
        ]
        indexes = [
            Index(fields=["organization", "created_at", "id"], name="ethical_wall_by_creation"),
            # "From which cases is this person barred?" is part of every question.
            Index(fields=["user", "case"], condition=ALIVE, name="ethical_wall_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} barred from {self.case_id}"


class Party(CaseOwned):
    """A person or body in a case, with the counsel that speaks for it."""

    name = models.CharField(max_length=300)
    kind = models.CharField(max_length=20, choices=PartyKind)
    counsel_name = models.CharField(max_length=200, blank=True)
    counsel_firm = models.CharField(max_length=200, blank=True)
    counsel_email = models.EmailField(blank=True)
    counsel_phone = models.CharField(max_length=40, blank=True)
    notes = models.TextField(blank=True)

    class Meta(CaseOwned.Meta):
        default_related_name = "parties"
        verbose_name_plural = "parties"
        constraints = [choices_only("kind", PartyKind, name="party_kind_is_known")]
        indexes = [
            Index(fields=["organization", "created_at", "id"], name="party_by_creation"),
            Index(fields=["organization", "name", "id"], name="party_by_name"),
            GinIndex(OpClass("name", "gin_trgm_ops"), name="party_name_trigram"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class DocketEntry(CaseOwned):
    """A line of the docket sheet. `sequence` is gap-free in its case: the database counts."""

    sequence = models.PositiveIntegerField(editable=False)
    filed_on = models.DateField(null=True, blank=True)
    entered_on = models.DateField(null=True, blank=True)
    kind = models.CharField(max_length=20, choices=DocketEntryKind, default=DocketEntryKind.FILING)
    description = models.TextField()
    filed_by = models.CharField(max_length=200, blank=True)
    is_sealed = models.BooleanField(default=False)
    is_restricted = models.BooleanField(default=False)
    document = models.ForeignKey(
        "documents.Document",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="docket_entries",
    )

    objects: ClassVar[Any] = DocketEntryQuerySet.as_manager()

    class Meta(CaseOwned.Meta):
        default_related_name = "docket_entries"
        verbose_name_plural = "docket entries"
        triggers = [*CaseOwned.Meta.triggers, AssignNumberInCase(column="sequence")]
        constraints = [
            UniqueConstraint(fields=["case", "sequence"], name="docket_entry_sequence_unique"),
            choices_only("kind", DocketEntryKind, name="docket_entry_kind_is_known"),
        ]
        indexes = [
            Index(fields=["organization", "created_at", "id"], name="docket_entry_by_creation"),
            Index(fields=["organization", "filed_on", "id"], name="docket_entry_by_filed"),
        ]

    def __str__(self) -> str:
        return f"#{self.sequence} {self.description[:80]}"


class EvidenceItem(CaseOwned):
    """A thing that may prove something."""

    evidence_number = models.CharField(max_length=50)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    kind = models.CharField(max_length=20, choices=EvidenceKind, default=EvidenceKind.DOCUMENT)
    status = models.CharField(
        max_length=20, choices=EvidenceStatus, default=EvidenceStatus.COLLECTED
    )
    collected_on = models.DateField(null=True, blank=True)
    collected_by = models.CharField(max_length=200, blank=True)
    custodian = models.CharField(max_length=200, blank=True)
    storage_location = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Checksum of a digital item, in hexadecimal."
    )

    class Meta(CaseOwned.Meta):
        default_related_name = "evidence"
        constraints = [
            UniqueConstraint(
                fields=["case", "evidence_number"],
                condition=ALIVE,
                name="evidence_number_unique_per_case",
            ),
            choices_only("kind", EvidenceKind, name="evidence_kind_is_known"),
            choices_only("status", EvidenceStatus, name="evidence_status_is_known"),
            CheckConstraint(
                condition=Q(sha256="") | Q(sha256__regex=r"^[0-9a-f]{64}$"),
                name="evidence_sha256_is_hexadecimal",
                violation_error_message="sha256 must be 64 hexadecimal digits.",
            ),
        ]
        indexes = [
            Index(fields=["organization", "created_at", "id"], name="evidence_by_creation"),
            Index(fields=["organization", "evidence_number", "id"], name="evidence_by_number"),
            Index(fields=["id"], condition=~ALIVE, name="evidence_deleted"),
        ]

    def __str__(self) -> str:
        return f"{self.evidence_number} {self.title}"


class CustodyEvent(AuditedRecord):
    """One link of the chain of custody. Append-only: a mistake is corrected by a further event."""

    evidence = models.ForeignKey(EvidenceItem, models.PROTECT, related_name="custody_events")
    case = models.ForeignKey(Case, models.PROTECT, related_name="+", editable=False, db_index=False)
    organization = models.ForeignKey(
        "users.Organization", models.PROTECT, related_name="+", editable=False, db_index=False
    )
    action = models.CharField(max_length=20, choices=CustodyAction)
    happened_at = models.DateTimeField()
    from_custodian = models.CharField(max_length=200, blank=True)
    to_custodian = models.CharField(max_length=200, blank=True)
    location = models.CharField(max_length=300, blank=True)
    notes = models.TextField(blank=True)

    objects = CustodyEventQuerySet.as_manager()

    class Meta(AuditedRecord.Meta):
        triggers = [
            *AuditedRecord.Meta.triggers,
            InheritOrganization(parent="evidence", also=("case_id",)),
            AppendOnly(),
            *tells_cache(pins=("case_id",)),
        ]
        constraints = [choices_only("action", CustodyAction, name="custody_action_is_known")]
        indexes = [
            Index(fields=["evidence", "happened_at", "id"], name="custody_event_by_time"),
            Index(fields=["evidence", "created_at", "id"], name="custody_event_by_creation"),
        ]

    def __str__(self) -> str:
        return f"{self.action} at {self.happened_at:%Y-%m-%d %H:%M}"


class NumberSeries(models.Model):
    """The last number given out per firm, series and year (`services.next_number`)."""

    organization = models.ForeignKey("users.Organization", models.CASCADE, related_name="+")
    series = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [
            UniqueConstraint(fields=["organization", "series", "year"], name="number_series_unique")
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.year}: {self.last}"


class CaseSearch(models.Model):
    """What the search knows of a case. Kept by triggers in the transaction of the change.

    Beside the case and not in it: a status change then rewrites neither vector nor trigrams.
    """

    case = models.OneToOneField(Case, models.CASCADE, primary_key=True, related_name="search")
    organization = models.ForeignKey(
        "users.Organization", models.CASCADE, related_name="+", db_index=False
    )
    names = models.TextField(help_text="Number, title, client and parties, for trigrams.")
    vector = SearchVectorField(
        help_text="A: number, title; B: parties, client; C: description, metadata; D: docket."
    )
    normalizer = models.PositiveSmallIntegerField(
        db_default=1, help_text="The version of the normaliser that made the words."
    )

    class Meta:
        indexes = [
            GinIndex(
                fields=["organization", "vector"],
                name="case_search_vector",
                gin_pending_list_limit=GIN_PENDING_KILOBYTES,
            ),
            # What an older normaliser has made is found without reading the rest.
            Index(fields=["normalizer", "case"], name="case_search_normalizer"),
            GinIndex(
                OpClass("names", "gin_trgm_ops"),
                name="case_search_trigram",
                gin_pending_list_limit=GIN_PENDING_KILOBYTES,
            ),
        ]

    def __str__(self) -> str:
        return self.names[:80]


class CaseCount(Count):
    """How many cases there are, by what they say (`cases.counting`). Kept by triggers."""

    class Meta(Count.Meta):
        indexes = [Index(fields=["organization_id", "facet", "key"], name="case_count_of_firm")]
