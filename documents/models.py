"""Documents, their versions, and their text page by page.

The row of a document is small and changes often; its text and search vectors are large and change
rarely. They live in tables of their own, so that a change of status rewrites no vector.
"""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint

from cases.models import Case
from cases.ownership import EndSharing, InheritOrganization
from documents.choices import AccessLevel, DocumentStatus, DocumentType, TextStatus
from documents.counting import DOCUMENTS, HOLD_CASES, CountDocumentsOfCase
from documents.querysets import LEVELS_TO_OPEN, DocumentQuerySet, DocumentVersionQuerySet
from documents.saved_searches.models import (
    NewlyIndexed,
    SavedSearch,
    SearchDigest,
    SearchMatch,
    SearchWatch,
)
from lexiflow.cache.reads import declare_written_with
from lexiflow.cache.triggers import tells_cache
from lexiflow.counting.models import Count
from lexiflow.counting.triggers import counting
from lexiflow.db.constraints import choices_only
from lexiflow.db.models import Record
from lexiflow.search.index import GIN_PENDING_KILOBYTES
from users.history import AUDITED

__all__ = [
    "Document",
    "DocumentCount",
    "DocumentPage",
    "DocumentSearch",
    "DocumentVersion",
    "FileFacts",
    "NewlyIndexed",
    "SavedSearch",
    "SearchDigest",
    "SearchMatch",
    "SearchWatch",
]

ALIVE = Q(deleted_at__isnull=True)


class FileFacts(models.Model):
    """What the server found out about a file. Never taken from the caller."""

    file_name = models.CharField(max_length=255, editable=False)
    media_type = models.CharField(max_length=127, editable=False)
    size = models.PositiveBigIntegerField(editable=False, help_text="Bytes.")
    sha256 = models.CharField(max_length=64, editable=False, help_text="Hexadecimal.")
    pages = models.PositiveIntegerField(null=True, editable=False)
    words = models.PositiveIntegerField(null=True, editable=False)
    language = models.CharField(max_length=8, blank=True, editable=False)
    text_status = models.CharField(
        max_length=20, choices=TextStatus, default=TextStatus.PENDING, editable=False
    )
    text_error = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        abstract = True


class Document(FileFacts, Record):
    """A document: what it is, and the facts of its current version."""

    organization = models.ForeignKey(
        "users.Organization", models.PROTECT, related_name="documents", db_index=False
    )
    case = models.ForeignKey(
        "cases.Case",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="documents",
        db_index=False,
    )
    title = models.CharField(max_length=500)
    description = models.TextField(blank=True)
    type = models.CharField(max_length=30, choices=DocumentType, default=DocumentType.OTHER)
    status = models.CharField(max_length=20, choices=DocumentStatus, default=DocumentStatus.DRAFT)
    access_level = models.CharField(
        max_length=30, choices=AccessLevel, default=AccessLevel.INTERNAL
    )
    is_shared_with_client = models.BooleanField(
        default=False,
        help_text="The client's people see it, if the case is shared with them as well.",
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="documents"
    )
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    custom_fields = models.JSONField(default=dict, blank=True)
    current_version = models.PositiveIntegerField(default=1, editable=False)
    checked_out_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    checked_out_at = models.DateTimeField(null=True, editable=False)
    checkout_expires_at = models.DateTimeField(null=True, editable=False)

    objects = DocumentQuerySet.as_manager()

    class Meta(Record.Meta):
        triggers = [
            *Record.Meta.triggers,
            *AUDITED,
            InheritOrganization(parent="case"),
            EndSharing(column="case_id"),
            *counting(DOCUMENTS, before=HOLD_CASES),
            *tells_cache(pins=("case_id", "id")),
        ]
        constraints = [
            choices_only("type", DocumentType, name="document_type_is_known"),
            choices_only("status", DocumentStatus, name="document_status_is_known"),
            choices_only("access_level", AccessLevel, name="document_access_level_is_known"),
            choices_only("text_status", TextStatus, name="document_text_status_is_known"),
            CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="document_sha256_is_hexadecimal"
            ),
            CheckConstraint(
                condition=~Q(
                    is_shared_with_client=True, access_level=AccessLevel.ATTORNEY_WORK_PRODUCT
                ),
                name="document_work_product_is_not_shared",
                violation_error_message="Attorney work product is not shared with the client.",
            ),
        ]
        indexes = [
            Index(fields=["organization", "created_at", "id"], name="document_by_creation"),
            Index(fields=["case", "created_at", "id"], name="document_by_case"),
            Index(fields=["organization", "title", "id"], name="document_by_title"),
            Index(fields=["organization", "status", "created_at", "id"], name="document_by_status"),
            Index(fields=["organization", "type", "created_at", "id"], name="document_by_type"),
            Index(fields=["organization", "sha256"], name="document_by_checksum"),
            # An operator's list spans all firms.
            Index(fields=["created_at", "id"], name="document_by_creation_all_firms"),
            GinIndex(fields=["tags"], name="document_tags"),
            # "Which documents above one's level are one's own?", from the index alone.
            *(
                Index(
                    fields=[owner],
                    include=["access_level", "id"],
                    condition=Q(access_level__in=LEVELS_TO_OPEN),
                    name=f"document_above_by_{owner}",
                )
                for owner in ("case", "author", "created_by")
            ),
            # "Is the document of this event deleted?" is asked of every event; few are.
            Index(fields=["id"], condition=~ALIVE, name="document_deleted"),
        ]

    def __str__(self) -> str:
        return self.title


class DocumentVersion(FileFacts, Record):
    """One file a document has been: number, file, checksum, who, when, why."""

    document = models.ForeignKey(Document, models.PROTECT, related_name="versions", db_index=False)
    organization = models.ForeignKey(
        "users.Organization", models.PROTECT, related_name="+", editable=False, db_index=False
    )
    number = models.PositiveIntegerField(editable=False)
    storage_name = models.CharField(max_length=200, editable=False)
    comment = models.CharField(max_length=500, blank=True, help_text="Why this version exists.")

    objects = DocumentVersionQuerySet.as_manager()

    class Meta(Record.Meta):
        triggers = [*Record.Meta.triggers, *AUDITED, *tells_cache(pins=("document_id",))]
        constraints = [
            UniqueConstraint(fields=["document", "number"], name="document_version_unique"),
            choices_only("text_status", TextStatus, name="version_text_status_is_known"),
        ]
        indexes = [
            Index(fields=["organization", "sha256"], name="version_by_checksum"),
            Index(
                fields=["id"],
                condition=Q(text_status=TextStatus.PENDING),
                name="version_waiting_for_text",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number} of {self.document_id}"


class DocumentPage(models.Model):
    """The text of one page of one version.

    `vector` is filled for the pages of a current version that has several. D: the page; C: its last
    words once more and the first of the next page, so that a phrase across the edge is found.

    Files without pages are cut into pages of about 3,000 characters. A page whose text is too
    long for one vector is kept in several parts.
    """

    version = models.ForeignKey(
        DocumentVersion, models.CASCADE, related_name="text_pages", db_index=False
    )
    document = models.ForeignKey(
        Document, models.CASCADE, related_name="text_pages", db_index=False
    )
    number = models.PositiveIntegerField(help_text="The page's number, from 1.")
    part = models.PositiveSmallIntegerField(default=0)
    text = models.TextField()
    vector = SearchVectorField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(fields=["version", "number", "part"], name="document_page_unique")
        ]
        indexes = [
            Index(
                fields=["document", "number"],
                condition=Q(vector__isnull=False),
                name="document_page_current",
            )
        ]

    def __str__(self) -> str:
        return f"page {self.number} of {self.version_id}"


class DocumentSearch(models.Model):
    """What the search knows of a document: one row, or several when its vector would be too long.

    A tsvector holds at most 1,048,575 bytes of lexemes and positions; natural prose of 20 MB fits,
    a megabyte of distinct words does not. `segment` is 0 for the only row of a document; one that
    needs several has 1 for the words of its title and 2, 3, … for its text.
    Kept by `documents_index()` in the transaction of the change.
    """

    document = models.ForeignKey(Document, models.CASCADE, related_name="search", db_index=False)
    organization = models.ForeignKey(
        "users.Organization", models.CASCADE, related_name="+", db_index=False
    )
    segment = models.PositiveSmallIntegerField(default=0)
    names = models.TextField(
        help_text="Title, file name and description, normalised, for trigrams; in one row only."
    )
    title_vector = SearchVectorField(help_text="A: title; B: description, file name.")
    vector = SearchVectorField(help_text="D: text; then A and B as in title_vector.")
    length = models.PositiveIntegerField(
        help_text="Words of the text, for length norms: a sixth of its characters."
    )
    normalizer = models.PositiveSmallIntegerField(
        db_default=1, help_text="The version of the normaliser that made the words."
    )

    class Meta:
        constraints = [
            UniqueConstraint(fields=["document", "segment"], name="document_search_unique")
        ]
        # The firm comes first, so that one firm's search never walks through another's matches. It
        # stands in this index only: the planner would else take another one for the firm alone, and
        # read every vector of it.
        indexes = [
            GinIndex(
                fields=["organization", "vector"],
                name="document_search_vector",
                gin_pending_list_limit=GIN_PENDING_KILOBYTES,
            ),
            GinIndex(
                OpClass("names", "gin_trgm_ops"),
                name="document_search_trigram",
                gin_pending_list_limit=GIN_PENDING_KILOBYTES,
            ),
            # Of very many matches, those in titles are looked at first.
            GinIndex(
                fields=["organization", "title_vector"],
                name="document_search_title",
                gin_pending_list_limit=GIN_PENDING_KILOBYTES,
            ),
            # What an older normaliser has made is found without reading the rest.
            Index(fields=["normalizer", "document"], name="document_search_normalizer"),
            # Words of a document in several rows need not stand in the same row.
            GinIndex(
                fields=["organization", "vector"],
                condition=Q(segment__gt=0),
                name="document_search_segmented",
            ),
        ]

    def __str__(self) -> str:
        return self.names[:80]


class DocumentCount(Count):
    """How many documents there are, by what they say (`documents.counting`). Kept by triggers."""

    class Meta(Count.Meta):
        indexes = [Index(fields=["organization_id", "facet", "key"], name="document_count_of_firm")]


declare_written_with("documents_documentcount", "documents_document", "cases_case")
# Who sees a document depends on its case; cases do not know documents.
pgtrigger.register(CountDocumentsOfCase())(Case)
