"""The closed lists of documents. Stored as the left-hand value, constrained in the database."""

from django.db.models import TextChoices


class DocumentType(TextChoices):
    MOTION = "motion", "Motion"
    BRIEF = "brief", "Brief"
    COMPLAINT = "complaint", "Complaint"
    ANSWER = "answer", "Answer"
    DISCOVERY_REQUEST = "discovery_request", "Discovery request"
    DISCOVERY_RESPONSE = "discovery_response", "Discovery response"
    EXHIBIT = "exhibit", "Exhibit"
    CONTRACT = "contract", "Contract"
    LETTER = "letter", "Letter"
    MEMO = "memo", "Memo"
    PLEADING = "pleading", "Pleading"
    ORDER = "order", "Order"
    TRANSCRIPT = "transcript", "Transcript"
    TEMPLATE = "template", "Template"
    OTHER = "other", "Other"


class DocumentStatus(TextChoices):
    DRAFT = "draft", "Draft"
    UNDER_REVIEW = "under_review", "Under review"
    APPROVED = "approved", "Approved"
    FILED = "filed", "Filed"
    ARCHIVED = "archived", "Archived"


class AccessLevel(TextChoices):
    PUBLIC = "public", "Public"
    INTERNAL = "internal", "Internal"
    CONFIDENTIAL = "confidential", "Confidential"
    PRIVILEGED = "privileged", "Privileged"
    ATTORNEY_WORK_PRODUCT = "attorney_work_product", "Attorney work product"


class TextStatus(TextChoices):
    """How far the text of a file has come."""

    PENDING = "pending", "Waiting for extraction"
    READY = "ready", "Searchable"
    NO_TEXT = "no_text", "No text in the file (a scan, or empty)"
    UNSUPPORTED = "unsupported", "This type of file has no text to extract"
    FAILED = "failed", "Extraction failed"


class DigestCadence(TextChoices):
    """How often somebody is told of new documents at most."""

    HOURLY = "hourly", "Hourly"
    DAILY = "daily", "Daily"
    WEEKLY = "weekly", "Weekly"
    NEVER = "never", "Never"
