"""The text of a digest. Titles and numbers of cases, no words of the documents themselves."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from documents.saved_searches.models import SavedSearch, SearchDigest

# So many documents of a search are listed; the others are counted.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Found:
    """What one search found. documents: key, title and number of the case, the newest first."""

    search: SavedSearch
    documents: list[tuple[UUID, str, str | None]]
    count: int


def letter(digest: SearchDigest, found: list[Found]) -> EmailMessage:
    """The message. It has the same identity whenever it is sent."""
    total = sum(each.count for each in found)
    return EmailMessage(
        # Subjects are read by many: no names in them.
        subject=f"LexiFlow: {_counted(total)} for your saved searches",
        body="\n\n".join([*map(_section, found), _END]),
        to=[digest.owner.email],
        headers={
            "Message-ID": f"<{digest.pk}@{_domain()}>",
            "Auto-Submitted": "auto-generated",
        },
    )


_END = (
    "You get this because of your saved searches in LexiFlow. How often, and whether at all, is\n"
    "said by their field `digest`."
)


def _section(found: Found) -> str:
    lines = [f"{_in_one_line(found.search.name)}: {_counted(found.count)}"]
    for pk, title, case_number in found.documents:
        case = f" ({case_number})" if case_number else ""
        lines += [f"  {_in_one_line(title)}{case}", f"    {_address(pk)}"]
    if found.count > len(found.documents):
        lines.append(f"  and {found.count - len(found.documents):,} more")
    return "\n".join(lines)


def _counted(count: int) -> str:
    return f"{count:,} new document{'' if count == 1 else 's'}"


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _address(pk: UUID) -> str:
    return f"{settings.PUBLIC_URL}{reverse('document-detail', args=[pk])}"


def _domain() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or "lexiflow.invalid"
