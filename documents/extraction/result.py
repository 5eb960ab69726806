"""What an extraction gives back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """The text of one file, page by page.

    For PDF, ``pages[i - 1]`` is the text of page *i*, and a page without text is ``""``. Formats
    without pages are cut by ``pagination.paginate``: there ``"".join(pages)`` is the whole text.

    Text is NFC, lines end with ``\\n``, and no other control character but the tab occurs; it can
    be stored in PostgreSQL as it is.
    """

    pages: list[str]
    page_count: int
    """Pages of the document; larger than ``len(pages)`` when a long PDF was truncated."""
    words: int
    """Runs of characters between white space, as word processors count them."""
    language: str | None
    """``en``, ``es``, ``fr`` or ``de`` when the stop words are clear about it, else None."""
    warnings: tuple[str, ...]
    """Sentences for people: what was left out, guessed or unreadable."""

    @property
    def has_text(self) -> bool:
        """False for a scan or a blank document: nothing to search in."""
        return any(page and not page.isspace() for page in self.pages)
