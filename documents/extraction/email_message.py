"""E-mail messages (RFC 5322): headers, body, names of attachments, attached messages.

The body is the plain text if the message has one, else its HTML as text. Attached files are named,
not read. Messages inside messages follow where they stand, down to a fixed depth.

Parsed with the ``compat32`` policy: the header parser of the newer ones raises half a dozen kinds
of errors on headers that occur in real mailboxes.
"""

from collections.abc import Iterator
from email import message_from_binary_file
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from io import BytesIO
from typing import BinaryIO

from documents.extraction.charset import decoded, known_encoding
from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.html import visible_text
from documents.extraction.limits import ExtractionLimits
from documents.extraction.notes import Notes

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_DEEPEST_MESSAGE = 8
# A broken encoded word, an unknown character set, a parameter in pieces that do not fit.
_HEADER_ERRORS = (MessageError, ValueError, TypeError, AttributeError, LookupError)


def extract(source: BinaryIO, limits: ExtractionLimits, notes: Notes) -> Iterator[str]:
    """Yield the text in pieces. Raises ExtractionError (``damaged``) if it nests without end."""
    source.seek(0)
    try:
        message = message_from_binary_file(source, policy=compat32)
        yield from _message_text(message, notes, depth=0)
    except RecursionError as error:
        raise ExtractionError(ErrorCode.DAMAGED) from error


def _message_text(message: Message, notes: Notes, depth: int) -> Iterator[str]:
    for name in _HEADERS:
        if value := _header(message, name):
            yield f"{name}: {value}\n"
    for part in _shown_parts(message):
        yield "\n"
        if part.get_content_type() == "message/rfc822":
            yield from _inner_messages(part, notes, depth)
        elif part.get_content_type() in {"text/plain", "text/html"} and not _file_name(part):
            yield from _part_text(part, notes)
            yield "\n"
        else:
            notes["attachments_not_read"] += 1
            yield f"Attachment: {_file_name(part) or part.get_content_type()}\n"


def _inner_messages(part: Message, notes: Notes, depth: int) -> Iterator[str]:
    if depth == _DEEPEST_MESSAGE:
        notes["messages_too_deep"] += 1
        return
    for inner in _children(part):
        yield from _message_text(inner, notes, depth + 1)


def _shown_parts(part: Message) -> Iterator[Message]:
    """Yield the leaves of the MIME tree; of alternatives, the one with plain text."""
    if part.get_content_maintype() != "multipart":
        yield part
        return
    children = _children(part)
    if part.get_content_subtype() == "alternative":
        children = _preferred(children)
    for child in children:
        yield from _shown_parts(child)


def _preferred(alternatives: list[Message]) -> list[Message]:
    for wanted in ("text/plain", "text/html"):
        for alternative in alternatives:
            if any(part.get_content_type() == wanted for part in _shown_parts(alternative)):
                return [alternative]
    return alternatives


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    if not isinstance(payload, list):  # says multipart and is not: nothing in it can be shown
        return []
    return [child for child in payload if isinstance(child, Message)]


def _part_text(part: Message, notes: Notes) -> Iterator[str]:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return
    try:
        declared = known_encoding(part.get_content_charset())
    except _HEADER_ERRORS:
        declared = None
    text = decoded(BytesIO(content), notes, declared)
    yield from visible_text(text) if part.get_content_type() == "text/html" else text


def _header(message: Message, name: str) -> str:
    # Unparsed, because bytes outside ASCII, which are UTF-8 these days, are lost otherwise.
    values = (value for key, value in message.raw_items() if key.lower() == name.lower())
    raw = str(next(values, "")).encode(errors="surrogateescape")
    try:
        return _decoded_words(raw.decode())
    except UnicodeDecodeError:
        return _decoded_words(raw.decode("cp1252", "replace"))


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename()
        attached = part.get_content_disposition() == "attachment"
    except _HEADER_ERRORS:
        return "unnamed"
    return _decoded_words(name or "") or ("unnamed" if attached else "")


def _decoded_words(value: str) -> str:
    """A header value in one line, its encoded words decoded; as it stands if they are broken."""
    try:
        value = str(make_header(decode_header(value)))
    except _HEADER_ERRORS:
        pass
    return " ".join(value.split())
