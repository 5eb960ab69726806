"""Bodies in: JSON by orjson, and multipart for uploads. Both bounded, both strict; nothing else.

Guarantees: no more than the limit is read (413); a JSON body is one object in valid UTF-8 without
NUL characters, lone surrogates, NaN or nesting beyond 1,024 levels (400); multipart fields are
valid UTF-8 as well and no field is sent twice unless the endpoint takes lists.

Not guaranteed: integers beyond 64 bits keep their digits (orjson reads them as floating point, and
integer fields then refuse them); of equal keys in one object the last is taken.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import orjson
from django.conf import settings
from django.http.multipartparser import MultiPartParser as DjangoMultiPartParser
from rest_framework.parsers import BaseParser, DataAndFiles

from lexiflow.api.problems import BadRequest, MalformedJson, PayloadTooLarge

# What a multipart body may hold beside the file: boundaries, headers, text fields.
MULTIPART_OVERHEAD_BYTES = 1024 * 1024
# Django decodes form fields with errors="replace"; this is what broken bytes become.
_REPLACEMENT = "\ufffd"


def _declared_length(parser_context: Mapping[str, Any] | None) -> int:
    request = (parser_context or {}).get("request")
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0) if request is not None else 0
    except ValueError:
        return 0


def has_nul(value: Any) -> bool:
    """Whether a decoded JSON value holds a NUL character, in keys or texts, at any depth."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "\x00" in item:
                return True
        elif isinstance(item, dict):
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False


class JsonParser(BaseParser):
    """One JSON object of at most `API_JSON_MAX_BYTES`."""

    media_type = "application/json"
    allowed: ClassVar[tuple[type, ...]] = (dict,)

    def limit(self) -> int:
        """The most bytes that are read."""
        return int(settings.API_JSON_MAX_BYTES)

    def check(self, body: bytes) -> None:
        """For endpoints with large bodies: raises for one that would take many times its size."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = self.limit()
        if _declared_length(parser_context) > limit:
            raise PayloadTooLarge(limit)
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise PayloadTooLarge(limit)
        self.check(body)
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise MalformedJson(f"{exc.msg} (line {exc.lineno}, column {exc.colno}).") from None
        # The escape is rare, so the walk is: it cannot be there without these six bytes.
        if b"\\u0000" in body and has_nul(value):
            raise MalformedJson("NUL characters are not accepted in texts.")
        if not isinstance(value, self.allowed):
            raise MalformedJson("The body must be a JSON object.")
        return value


class TextJsonParser(JsonParser):
    """For endpoints that take a whole text in JSON: as large as a file may be."""

    def limit(self) -> int:
        return int(settings.UPLOAD_MAX_BYTES)


class SmallJsonParser(JsonParser):
    """For bodies that are never large (sign-in, actions): 64 KiB."""

    def limit(self) -> int:
        return 64 * 1024


class UploadParser(BaseParser):
    """multipart/form-data of at most `UPLOAD_MAX_BYTES` and what surrounds the file.

    The size of each single file is the endpoint's to check. Numbers of fields and files are bounded
    by Django's DATA_UPLOAD_MAX_NUMBER_FIELDS and …_FILES, the fields' total by …_MEMORY_SIZE.
    """

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> "DataAndFiles[Any, Any]":
        if _declared_length(parser_context) > settings.UPLOAD_MAX_BYTES + MULTIPART_OVERHEAD_BYTES:
            raise PayloadTooLarge(settings.UPLOAD_MAX_BYTES)
        request = (parser_context or {})["request"]
        meta = {**request.META, "CONTENT_TYPE": media_type}
        data, files = DjangoMultiPartParser(meta, stream, request.upload_handlers, "utf-8").parse()
        for text in _texts(data.lists()):
            if "\x00" in text or _REPLACEMENT in text:
                raise BadRequest("A field of the form is not valid UTF-8 or holds NUL characters.")
        return DataAndFiles(data, files)


def _texts(fields: Iterable[tuple[str, list[Any]]]) -> Iterable[str]:
    for name, values in fields:
        yield name
        yield from values
