"""Saved searches, what is compared of them, what they found, and what was told of it.

What a person says (`SavedSearch`) and what is kept for the comparison (`SearchWatch`) are two
tables: a digest makes no new version of the search. Neither is in the audit trail, because its
readers are not the owner; that a digest showed documents is, as the owner's search.
"""

# ruff: noqa: DJ001  (null asks for nothing, an empty text for nothing that there is)

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Index, Q, UniqueConstraint

from documents.choices import DigestCadence
from documents.querysets import SavedSearchQuerySet
from lexiflow.db.constraints import choices_only
from lexiflow.db.identifiers import new_id
from lexiflow.db.models import Record

MAX_QUERY_CHARACTERS = 1_000
ALIVE = Q(deleted_at__isnull=True)


class SavedSearch(Record):
    """A search of documents under a name. New documents that it finds are told to its owner."""

    organization = models.ForeignKey(
        "users.Organization", models.PROTECT, related_name="+", db_index=False
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="saved_searches",
        editable=False,
        db_index=False,
    )
    name = models.CharField(max_length=100)
    query = models.CharField(
        max_length=MAX_QUERY_CHARACTERS, blank=True, help_text="As in `documents/?q=`."
    )
    filters = models.JSONField(
        default=dict,
        blank=True,
        help_text='Fields of the search: {"type": "motion", "filed": "2019..2021"}.',
    )
    digest = models.CharField(
        max_length=10,
        choices=DigestCadence,
        default=DigestCadence.DAILY,
        help_text="How often you are told of new documents by e-mail, if there are any.",
    )

    objects = SavedSearchQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name_plural = "saved searches"
        constraints = [
            choices_only("digest", DigestCadence, name="saved_search_digest_is_known"),
            UniqueConstraint(
                fields=["owner", "organization", "name"],
                condition=ALIVE,
                name="saved_search_name_unique",
                violation_error_message="You have a saved search of this name.",
            ),
        ]
        indexes = [
            Index(fields=["owner", "created_at", "id"], name="saved_search_by_owner"),
            # New documents are compared with those of their firm.
            Index(fields=["organization"], condition=ALIVE, name="saved_search_of_firm"),
        ]

    def __str__(self) -> str:
        return self.name


def _texts(**options: Any) -> Any:
    return ArrayField(models.TextField(), **options)


class SearchWatch(models.Model):
    """What new documents are compared with: the search in the words of PostgreSQL.

    made_of, normalizer: the version of the search, and of the normaliser, that it was made from.
    asked: its query and filters as one text; what waits was found by just these.
    anchors: a document has one of these lexemes, or it is no hit; null if nothing of the kind can
    be said. The other columns are conditions; null asks for nothing. They may let too much through
    (`type:motion type:brief`), never too little: the digest asks the fields once more.
    """

    search = models.OneToOneField(
        SavedSearch, models.CASCADE, primary_key=True, related_name="watch"
    )
    made_of = models.PositiveIntegerField()
    normalizer = models.PositiveSmallIntegerField()
    asked = models.TextField()
    words = models.TextField(null=True)
    clauses = _texts()
    phrases = _texts()
    excluded = models.TextField(null=True)
    excluded_phrases = models.TextField(null=True)
    anchors = _texts(null=True)
    types = _texts(null=True)
    statuses = _texts(null=True)
    tags = _texts(null=True)
    cases = _texts(null=True)
    courts = _texts(null=True)
    judges = _texts(null=True)
    filed_from = models.DateField(null=True)
    filed_to = models.DateField(null=True)
    waiting = models.PositiveIntegerField(default=0, help_text="Hits that nobody was told of yet.")
    looked_at = models.DateTimeField(null=True, help_text="When a digest was last thought of.")
    last_digest_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"watch of {self.search_id}"


class SearchDigest(models.Model):
    """A message to one person about their saved searches. Made once, sent once it can be."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(
        null=True, auto_now_add=True, help_text="Null once it was sent or given up."
    )

    class Meta:
        indexes = [
            Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="search_digest_to_send",
            ),
            Index(fields=["made_at"], name="search_digest_by_age"),
        ]

    def __str__(self) -> str:
        return f"digest {self.pk}"


class SearchMatch(models.Model):
    """A document that a saved search found when it was new. There is one of each pair at most, so
    nobody is told of a document twice.
    """

    search = models.ForeignKey(SavedSearch, models.CASCADE, related_name="matches", db_index=False)
    # No constraint: a match of a document that is gone is shown to nobody.
    document = models.ForeignKey(
        "documents.Document", models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    found_at = models.DateTimeField()
    digest = models.ForeignKey(
        SearchDigest, models.CASCADE, null=True, related_name="matches", db_index=False
    )

    class Meta:
        constraints = [UniqueConstraint(fields=["search", "document"], name="search_match_unique")]
        indexes = [
            Index(
                fields=["search", "id"],
                condition=Q(digest__isnull=True),
                name="search_match_waiting",
            ),
            Index(
                fields=["found_at"], condition=Q(digest__isnull=True), name="search_match_by_age"
            ),
            Index(
                fields=["digest"], condition=Q(digest__isnull=False), name="search_match_of_digest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} of {self.search_id}"


class NewlyIndexed(models.Model):
    """A document whose words are new, until it was compared with the saved searches. Written by
    triggers of the search table, in the transaction that made the words.
    """

    id = models.BigAutoField(primary_key=True)
    document_id = models.UUIDField()
    indexed_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.document_id)
