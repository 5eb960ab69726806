"""What the parent believes of what the child says: nothing that is not checked."""

from collections.abc import Iterable
from dataclasses import replace

import orjson
import pytest

from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.limits import ExtractionLimits
from documents.extraction.reply import Reply
from documents.extraction.result import ExtractedText

LIMITS = ExtractionLimits()
TOTALS: dict[str, object] = {
    "page_count": 1,
    "words": 1,
    "language": None,
    "notes": {},
    "layers": [],
}


def reply_code(*lines: bytes, limits: ExtractionLimits = LIMITS) -> ErrorCode:
    with pytest.raises(ExtractionError) as raised:
        read_reply(lines, limits)
    return raised.value.code


def read_reply(lines: Iterable[bytes], limits: ExtractionLimits = LIMITS) -> ExtractedText:
    reply = Reply(limits)
    for line in lines:
        reply.feed(line)
    return reply.result()


def totals(**changes: object) -> bytes:
    return orjson.dumps(TOTALS | changes) + b"\n"


def test_an_honest_reply_is_taken_in_any_pieces() -> None:
    data = b'"first \\n page"\n' + totals(words=2, notes={"text_truncated": 1, "unknown": 9})
    for size in (1, 7, len(data)):
        reply = Reply(LIMITS)
        for start in range(0, len(data), size):
            reply.feed(data[start : start + size])
        assert reply.is_complete
        result = reply.result()
        assert (result.pages, result.words) == (["first \n page"], 2)
        assert result.warnings == ("The text is longer than allowed; the rest was left out.",)


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n", b"[]\n", b"17\n", b"{}\n", b'"\\u0000"\n', b'"\\ud800"\n', b'"\xff"\n',
        b'{"error":"no_such_code"}\n', b'{"error":["x"]}\n', b"[" * 5000 + b"\n",
        totals(words=-1), totals(words=True), totals(words=10**12), totals(page_count=-1),
        totals(page_count=10**12), totals(page_count=None), totals(notes=[]),
        totals(notes={"text_truncated": "x"}), totals() + b'"more"\n', b'"unfinished',
    ],
)  # fmt: skip
def test_a_reply_no_honest_child_gives_is_a_crash(line: bytes) -> None:
    assert reply_code(line) == ErrorCode.CRASHED


def test_a_reply_without_end_is_cut_off() -> None:
    limits = replace(LIMITS, max_text_bytes=1000, max_pages=10)
    assert reply_code(*[b'"' + b"x" * 9_000] * 9, limits=limits) == ErrorCode.CRASHED
    assert reply_code(b'"x"\n' * 11, totals(page_count=11), limits=limits) == ErrorCode.CRASHED


def test_an_error_of_the_child_is_passed_on_in_our_words() -> None:
    assert reply_code(b'{"error":"encrypted","say":"<b>pay</b>"}\n') == ErrorCode.ENCRYPTED
    error = ExtractionError(ErrorCode.ENCRYPTED)
    assert str(error) == "The file is protected with a password."


def test_an_unknown_language_is_none() -> None:
    assert read_reply([b'"x"\n' + totals(language="<script>")]).language is None
