"""Entity tags: what an answer is, in one word, for `If-None-Match` and `If-Match`.

A tag is a digest of the answer, of its address and of whom it is for, so nobody else's tag ever
matches, and the same answer has the same tag in every process and after every restart. The tag of
one record begins with the record's version: `"7-a1b2c3d4-…"`. That is what `If-Match` compares,
because an included record may change while the one that is written does not.

On the way a compression may make it weak (`W/`) or mark it (`-gzip`, `-br`, `-zstd`); both are
looked through.
"""

import re
from functools import lru_cache
from hashlib import blake2b

from django.utils.http import parse_etags

_CODING = re.compile(r'[-;](?:gzip|br|zstd)"$')
_RECORD = re.compile(r'"(\d+)-([0-9a-f]{16})-[0-9a-f]+"')
_DIGEST_BYTES = 16
_RECORD_BYTES = 8


def digest(*parts: bytes, size: int = _DIGEST_BYTES) -> str:
    """Of the parts one by one: no two lists of parts share it by accident."""
    made = blake2b(digest_size=size)
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.hexdigest()


def tag_of(key: str, body: bytes) -> str:
    """The tag of an answer. key: of its address and of whom it is for."""
    return f'"{digest(key.encode(), body)}"'


def record_tag(key: str, body: bytes, *, version: int, record: str) -> str:
    """The tag of one record. record: `record_key` of it."""
    return f'"{version}-{record}-{digest(key.encode(), body)}"'


def record_key(scope: str, pk: object) -> str:
    """Whose sight of which record."""
    return digest(scope.encode(), str(pk).encode(), size=_RECORD_BYTES)


@lru_cache(maxsize=1024)
def tags_in(header: str) -> tuple[str, ...]:
    """The tags of an `If-None-Match`, each as we made it; `("*",)` for any."""
    return tuple(_plain(tag) for tag in parse_etags(header))


def matches_none(header: str | None, tag: str) -> bool:
    """Whether `If-None-Match` lets the answer with `tag` be sent."""
    if header is None:
        return True
    tags = tags_in(header)
    return tags != ("*",) and tag not in tags


def matches_record(header: str, *, version: int, record: str) -> bool:
    """Whether one of the tags in `If-Match` is of this version of this record."""
    tags = tags_in(header)
    if tags == ("*",):
        return True
    found = (_RECORD.fullmatch(tag) for tag in tags)
    return any(match and match.groups() == (str(version), record) for match in found)


def _plain(tag: str) -> str:
    return _CODING.sub('"', tag.removeprefix("W/"))
