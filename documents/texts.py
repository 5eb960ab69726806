"""Reading the text of a version: page by page, and compared with another version."""

import difflib
import re
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import Length

from documents.extraction.registry import SUPPORTED_MEDIA_TYPES, has_pages
from documents.models import DocumentPage, DocumentVersion
from lexiflow.api.problems import BadRequest, InvalidParameter

PAGES_AT_ONCE = 20
# difflib compares in quadratic time at worst; so many lines stay below a second.
MAX_COMPARED_LINES = 4_000
# Both texts may be in the answer as a whole.
MAX_COMPARED_CHARACTERS = 2_000_000
PAGED_MEDIA_TYPES = frozenset(filter(has_pages, SUPPORTED_MEDIA_TYPES))
_NUMBER = re.compile(r"[1-9]\d{0,8}")


def page_number(value: str | None) -> int:
    """The page to begin with. Raises InvalidParameter."""
    return _positive("page", value, 1)


def version_number(value: str | None, default: int | None, name: str = "version") -> int:
    """The version asked for by the parameter `name`. Raises InvalidParameter."""
    return _positive(name, value, default)


def _positive(name: str, value: str | None, default: int | None) -> int:
    if value is None and default is not None:
        return default
    if value is None or not _NUMBER.fullmatch(value):
        raise InvalidParameter(**{name: "must be a whole number from 1 on."})
    return int(value)


def pages_from(version: DocumentVersion, first: int) -> dict[str, Any]:
    """At most 20 pages from `first` on, and which page follows them."""
    rows = version.text_pages.filter(number__gte=first, number__lt=first + PAGES_AT_ONCE)
    texts = _texts_by_page(rows)
    following = first + PAGES_AT_ONCE
    has_more = version.text_pages.filter(number__gte=following).exists()
    return {
        "document": version.document_id,
        "version": version.number,
        "text_status": version.text_status,
        "text_error": version.text_error,
        "pages": version.pages,
        "results": [{"page": number, "text": text} for number, text in texts.items()],
        "next_page": following if has_more else None,
    }


def comparison(version: DocumentVersion, other: DocumentVersion) -> dict[str, Any]:
    """The differences from the older to the newer text, as a unified diff.

    Raises BadRequest when the texts are too long to be compared in a request.
    """
    older, newer = sorted((version, other), key=lambda v: v.number)
    if _characters(older) + _characters(newer) > MAX_COMPARED_CHARACTERS:
        raise BadRequest(f"The texts have more than {MAX_COMPARED_CHARACTERS} characters together.")
    before, after = _lines(older), _lines(newer)
    if len(before) + len(after) > MAX_COMPARED_LINES:
        raise BadRequest(f"The texts have more than {MAX_COMPARED_LINES} lines together.")
    diff = difflib.unified_diff(
        before, after, f"version {older.number}", f"version {newer.number}", lineterm=""
    )
    return {
        "from": older.number,
        "to": newer.number,
        "same_file": older.sha256 == newer.sha256,
        "diff": list(diff),
    }


def _characters(version: DocumentVersion) -> int:
    counted: int | None = version.text_pages.aggregate(sum=Sum(Length("text")))["sum"]
    return counted or 0


def _lines(version: DocumentVersion) -> list[str]:
    # Pages that only we have cut may have been cut inside a line.
    between = "\n" if version.media_type in PAGED_MEDIA_TYPES else ""
    return between.join(_texts_by_page(version.text_pages.all()).values()).splitlines()


def _texts_by_page(pages: QuerySet[DocumentPage]) -> dict[int, str]:
    """Texts by page number; a page in several parts is put together again."""
    texts: dict[int, str] = {}
    for number, text in pages.order_by("number", "part").values_list("number", "text"):
        texts[number] = texts.get(number, "") + text
    return texts
