"""Text of one WordprocessingML part, from the events of an XML parser."""

from collections.abc import Mapping

from documents.extraction.errors import ErrorCode, ExtractionError

_WORD_NAMESPACES = frozenset(
    (
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
        "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "http://purl.oclc.org/ooxml/officeDocument/math",
    )
)
_COMPATIBILITY = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_CHARACTERS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


class WordText:
    """A parser target that collects text until it is taken.

    Raises ExtractionError (``damaged``) at a document type declaration.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._in_text = False
        self._skipped_depth = 0  # inside a fallback copy or a moved-away passage
        self._separator = ""  # owed before the next text of the same table row

    def take(self) -> str:
        """Return the text collected since the last call."""
        text = "".join(self._pieces)
        self._pieces.clear()
        return text

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._skipped_depth or _is_skipped(tag):
            self._skipped_depth += 1
            return
        name = _word_name(tag)
        self._in_text = name == "t"
        if name in _CHARACTERS:
            self._emit(_CHARACTERS[name])

    def end(self, tag: str) -> None:
        if self._skipped_depth:
            self._skipped_depth -= 1
            return
        self._in_text = False
        match _word_name(tag):
            case "p":
                self._separator += "\n"
            case "tc":
                # The line end of the last paragraph of a cell gives way to the cell's own mark.
                self._separator = self._separator.removesuffix("\n") + "\t"
            case "tr":
                self._separator = self._separator.rstrip("\t") + "\n"

    def data(self, data: str) -> None:
        if self._in_text and not self._skipped_depth:
            self._emit(data)

    def doctype(self, name: str, public_id: str | None, system_url: str | None) -> None:
        raise ExtractionError(ErrorCode.DAMAGED)

    def close(self) -> None:
        self._emit("")

    def _emit(self, text: str) -> None:
        self._pieces += (self._separator, text)
        self._separator = ""


def _word_name(tag: str) -> str:
    namespace, _, name = tag.removeprefix("{").rpartition("}")
    return name if namespace in _WORD_NAMESPACES else ""


def _is_skipped(tag: str) -> bool:
    # A text box is stored twice: as a drawing, and as a fallback for old programs.
    return tag == f"{{{_COMPATIBILITY}}}Fallback" or _word_name(tag) == "moveFrom"
