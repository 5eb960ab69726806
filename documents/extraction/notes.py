"""Remarks an extractor makes on its way; they become the warnings of the result.

Extractors count codes; the parent process turns the codes it knows into sentences. So a hijacked
extractor cannot put words of its own before a user's eyes.
"""

from collections import Counter

Notes = Counter[str]
"""How often each code of ``SENTENCES`` was noted."""

DECLARED_PAGES = "declared_pages"
"""No remark but a fact noted on the way: how many pages a paged document says it has."""

SENTENCES: dict[str, str] = {
    "text_truncated": "The text is longer than allowed; the rest was left out.",
    "pages_truncated": "The document has more pages than allowed; the rest was left out.",
    "unreadable_pages": "Pages that could not be read and are kept empty: {count}.",
    "charset_guessed": (
        "The file is not valid UTF-8 and names no character set; it was read as Windows-1252."
    ),
    "characters_replaced": "Some bytes were no valid characters and were replaced.",
    "attachments_not_read": "Attachments whose names but not contents are in the text: {count}.",
    "messages_too_deep": "Messages nested too deeply, left out: {count}.",
    "footnotes_unreadable": "Headers, footers or notes that could not be read: {count}.",
}


def sentences(notes: Notes) -> tuple[str, ...]:
    """Warnings for people, in a fixed order; codes that are not known are dropped."""
    return tuple(
        sentence.format(count=notes[code]) for code, sentence in SENTENCES.items() if notes[code]
    )
