"""Read what the child process says, and believe nothing of it.

The child has read a hostile file and may be in its author's hands. So its reply is bounded, every
value is checked for type and range, and nothing it says reaches a user except pages of text.
"""

from typing import Any

import orjson

from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.language import LANGUAGES
from documents.extraction.limits import ExtractionLimits
from documents.extraction.notes import SENTENCES, Notes, sentences
from documents.extraction.result import ExtractedText

_MOST_PAGES = 2_000_000_000  # fits PostgreSQL's integer
_SPARE_BYTES = 65_536  # for the closing object
_LINE_BYTES = 3  # quotes and line feed around a page


class Reply:
    """Collects the reply piece by piece.

    Every method raises ExtractionError: the code the child gave, or ``crashed`` for a reply that no
    honest child could give.
    """

    def __init__(self, limits: ExtractionLimits) -> None:
        self._limits = limits
        # JSON doubles a byte at worst (a quote, a backslash, a line feed).
        self._bytes_left = 2 * limits.max_text_bytes + _LINE_BYTES * limits.max_pages + _SPARE_BYTES
        self._line = bytearray()
        self._pages: list[str] = []
        self._totals: dict[str, Any] | None = None

    @property
    def is_complete(self) -> bool:
        """The closing object has come."""
        return self._totals is not None

    @property
    def layers(self) -> frozenset[str]:
        """The layers of confinement the child says it had."""
        layers = (self._totals or {}).get("layers")
        return frozenset(map(str, layers)) if isinstance(layers, list) else frozenset()

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the pipe."""
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise ExtractionError(ErrorCode.CRASHED)
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._line += piece
            self._take_line()
        self._line += rest

    def result(self) -> ExtractedText:
        """Build the result of a complete reply."""
        totals = self._totals
        if totals is None:
            raise ExtractionError(ErrorCode.CRASHED)
        language = totals.get("language")
        return ExtractedText(
            pages=self._pages,
            page_count=_number(totals.get("page_count"), len(self._pages), _MOST_PAGES),
            words=_number(totals.get("words"), 0, self._limits.max_text_bytes),
            language=language if language in LANGUAGES else None,
            warnings=sentences(_notes(totals.get("notes"))),
        )

    def _take_line(self) -> None:
        line, self._line = self._line, bytearray()
        if not line:
            return
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ExtractionError(ErrorCode.CRASHED) from error
        match value:
            case _ if self.is_complete:
                raise ExtractionError(ErrorCode.CRASHED)
            case str() if len(self._pages) < self._limits.max_pages and "\0" not in value:
                self._pages.append(value)
            case {"error": str(code)} if code in ErrorCode.__members__.values():
                raise ExtractionError(ErrorCode(code))
            case {"words": int()}:
                self._totals = value
            case _:
                raise ExtractionError(ErrorCode.CRASHED)


def _number(value: object, lowest: int, highest: int) -> int:
    if type(value) is not int or not lowest <= value <= highest:
        raise ExtractionError(ErrorCode.CRASHED)
    return value


def _notes(value: object) -> Notes:
    if not isinstance(value, dict):
        raise ExtractionError(ErrorCode.CRASHED)
    return Notes({code: _number(value.get(code, 0), 0, _MOST_PAGES) for code in SENTENCES})
