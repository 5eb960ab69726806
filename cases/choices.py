"""The closed lists of matters. Stored as the left-hand value, constrained in the database."""

from django.db.models import TextChoices


class ClientType(TextChoices):
    INDIVIDUAL = "individual", "Individual"
    CORPORATION = "corporation", "Corporation"
    PARTNERSHIP = "partnership", "Partnership"
    LLC = "llc", "LLC"
    NONPROFIT = "nonprofit", "Nonprofit"
    GOVERNMENT = "government", "Government"
    OTHER = "other", "Other"


class ClientStatus(TextChoices):
    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"
    PROSPECTIVE = "prospective", "Prospective"
    FORMER = "former", "Former"
    BLOCKED = "blocked", "Blocked"


class CaseType(TextChoices):
    CIVIL = "civil", "Civil"
    CRIMINAL = "criminal", "Criminal"
    FAMILY = "family", "Family"
    BANKRUPTCY = "bankruptcy", "Bankruptcy"
    IMMIGRATION = "immigration", "Immigration"
    INTELLECTUAL_PROPERTY = "intellectual_property", "Intellectual Property"
    CORPORATE = "corporate", "Corporate"
    REAL_ESTATE = "real_estate", "Real Estate"
    LABOR = "labor", "Labor"
    ENVIRONMENTAL = "environmental", "Environmental"
    TAX = "tax", "Tax"


class CaseStatus(TextChoices):
    OPEN = "open", "Open"
    ACTIVE = "active", "Active"
    PENDING = "pending", "Pending"
    DISCOVERY = "discovery", "Discovery"
    TRIAL = "trial", "Trial"
    SETTLED = "settled", "Settled"
    CLOSED = "closed", "Closed"
    ARCHIVED = "archived", "Archived"
    ON_HOLD = "on_hold", "On hold"
    CONSOLIDATED = "consolidated", "Consolidated"


# Each status is in exactly one of these: "active", "pending" and "closed" in every figure.
ACTIVE_STATUSES = (CaseStatus.OPEN, CaseStatus.ACTIVE, CaseStatus.DISCOVERY, CaseStatus.TRIAL)
PENDING_STATUSES = (CaseStatus.PENDING, CaseStatus.ON_HOLD)
CLOSED_STATUSES = (
    CaseStatus.SETTLED,
    CaseStatus.CLOSED,
    CaseStatus.ARCHIVED,
    CaseStatus.CONSOLIDATED,
)


class CaseAccess(TextChoices):
    """Who of the firm may know of a case."""

    FIRM = "firm", "Open to the firm"
    TEAM = "team", "The case team only"
    SEALED = "sealed", "Sealed: the case team only, whatever the role"


class JuryDemand(TextChoices):
    NONE = "none", "None"
    PLAINTIFF = "plaintiff", "Plaintiff"
    DEFENDANT = "defendant", "Defendant"
    BOTH = "both", "Both"


class TeamRole(TextChoices):
    LEAD = "lead", "Lead"
    CO_COUNSEL = "co_counsel", "Co-counsel"
    ASSOCIATE = "associate", "Associate"
    PARALEGAL = "paralegal", "Paralegal"
    SUPPORT = "support", "Support"
    EXPERT = "expert", "Expert"
    OTHER = "other", "Other"


class PartyKind(TextChoices):
    PLAINTIFF = "plaintiff", "Plaintiff"
    DEFENDANT = "defendant", "Defendant"
    PETITIONER = "petitioner", "Petitioner"
    RESPONDENT = "respondent", "Respondent"
    APPELLANT = "appellant", "Appellant"
    APPELLEE = "appellee", "Appellee"
    CLAIMANT = "claimant", "Claimant"
    INTERVENOR = "intervenor", "Intervenor"
    THIRD_PARTY = "third_party", "Third party"
    AMICUS = "amicus", "Amicus curiae"
    DEBTOR = "debtor", "Debtor"
    CREDITOR = "creditor", "Creditor"
    WITNESS = "witness", "Witness"
    EXPERT = "expert", "Expert"
    OTHER = "other", "Other"


class DocketEntryKind(TextChoices):
    FILING = "filing", "Filing"
    MOTION = "motion", "Motion"
    ORDER = "order", "Order"
    NOTICE = "notice", "Notice"
    HEARING = "hearing", "Hearing"
    JUDGMENT = "judgment", "Judgment"
    MINUTE_ENTRY = "minute_entry", "Minute entry"
    EXHIBIT = "exhibit", "Exhibit"
    TRANSCRIPT = "transcript", "Transcript"
    APPEAL = "appeal", "Appeal"
    OTHER = "other", "Other"


class EvidenceKind(TextChoices):
    PHYSICAL = "physical", "Physical"
    DOCUMENT = "document", "Document"
    DIGITAL = "digital", "Digital"
    PHOTOGRAPH = "photograph", "Photograph"
    VIDEO = "video", "Video"
    AUDIO = "audio", "Audio"
    FORENSIC = "forensic", "Forensic"
    TESTIMONY = "testimony", "Testimony"
    DEMONSTRATIVE = "demonstrative", "Demonstrative"
    OTHER = "other", "Other"


class EvidenceStatus(TextChoices):
    COLLECTED = "collected", "Collected"
    IN_STORAGE = "in_storage", "In storage"
    IN_ANALYSIS = "in_analysis", "In analysis"
    CHECKED_OUT = "checked_out", "Checked out"
    SUBMITTED = "submitted", "Submitted"
    ADMITTED = "admitted", "Admitted"
    EXCLUDED = "excluded", "Excluded"
    RETURNED = "returned", "Returned"
    DESTROYED = "destroyed", "Destroyed"


class CustodyAction(TextChoices):
    COLLECTED = "collected", "Collected"
    TRANSFERRED = "transferred", "Transferred"
    CHECKED_OUT = "checked_out", "Checked out"
    CHECKED_IN = "checked_in", "Checked in"
    ANALYZED = "analyzed", "Analyzed"
    SEALED = "sealed", "Sealed"
    UNSEALED = "unsealed", "Unsealed"
    SUBMITTED = "submitted", "Submitted"
    RETURNED = "returned", "Returned"
    DESTROYED = "destroyed", "Destroyed"
