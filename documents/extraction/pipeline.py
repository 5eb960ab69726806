"""From an open file to clean pages within the limits: what runs inside the child process.

Pages are made one by one; at no time is more than one page and one piece of the text in memory.
Nothing here protects against a hostile file: ``sandbox`` does, by running this elsewhere.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from documents.extraction import registry
from documents.extraction.cleaning import clean, clean_pieces
from documents.extraction.language import SAMPLE_CHARACTERS, guess_language
from documents.extraction.limits import ExtractionLimits
from documents.extraction.notes import DECLARED_PAGES, Notes
from documents.extraction.pagination import paginate_pieces

_WORD = re.compile(r"\S+")


class Extraction:
    """One pass over one file; iterate over ``pages()`` to the end, then read the totals."""

    def __init__(self, media_type: str, limits: ExtractionLimits) -> None:
        """Load the extractor. Raises ExtractionError (``unsupported_type``)."""
        self._extractor = registry.load(media_type)
        self._has_pages = registry.has_pages(media_type)
        self._limits = limits
        self._sample: list[str] = []
        self._sample_characters = 0
        self.notes = Notes()
        self.words = 0
        self._kept = 0

    @property
    def page_count(self) -> int:
        """Pages of the whole document, those left out included when it has pages of its own."""
        return max(self._kept, self.notes[DECLARED_PAGES])

    @property
    def language(self) -> str | None:
        """Language of the pages seen so far."""
        return guess_language("\n".join(self._sample))

    def pages(self, source: BinaryIO) -> Iterator[str]:
        """Yield clean pages until the file or a limit ends. Raises what the extractor raises."""
        budget = self._limits.max_text_bytes
        for number, page in enumerate(self._all_pages(source)):
            if number == self._limits.max_pages:
                self.notes["pages_truncated"] += 1
                return
            encoded = page.encode()
            if len(encoded) > budget:
                self.notes["text_truncated"] += 1
                yield self._counted(encoded[:budget].decode(errors="ignore"))
                return
            budget -= len(encoded)
            yield self._counted(page)

    def _all_pages(self, source: BinaryIO) -> Iterator[str]:
        pieces = self._extractor(source, self._limits, self.notes)
        if self._has_pages:
            return (clean(page) for page in pieces)
        return paginate_pieces(clean_pieces(pieces), self._limits.page_characters)

    def _counted(self, page: str) -> str:
        self._kept += 1
        self.words += sum(1 for _ in _WORD.finditer(page))  # a list of them could fill the memory
        if self._sample_characters < SAMPLE_CHARACTERS:
            self._sample.append(page[:SAMPLE_CHARACTERS])
            self._sample_characters += len(page)
        return page
