"""Content codings: which of ours a caller wants, and what they make of a body.

    coding = negotiated("br;q=0.5, gzip")
    if coding is not None: body = coding.whole(body)

Guarantees: RFC 9110 section 12.5.3. A coding with `q=0` is never chosen, `*` stands for those that
are not named, what cannot be read counts as not offered, and of a coding that is named twice the
lower weight holds. Without the header nothing is compressed, although it would be allowed: who does
not ask may not be able to read it. gzip is always there; zstd and brotli if their packages are.

Not guaranteed: that an answer without a coding suits a caller who refuses `identity`. It is what
the standard asks for when nothing else is left.
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

try:
    from backports import zstd
except ImportError:  # without it there is brotli
    zstd = None  # type: ignore[assignment]
try:
    import brotli
except ImportError:  # without it there is gzip
    brotli = None

GZIP_LEVEL = 6
# As small as gzip's 6 and two to four times as fast; higher ones take longer than they save.
ZSTD_LEVEL = 3
BROTLI_QUALITY = 4
_GZIP_WINDOW = 31  # the largest window, in the format of gzip
_MAX_HEADER = 1000  # characters; no client of people needs more
_REMEMBERED_HEADERS = 128  # browsers send a handful

_ELEMENT = re.compile(
    r"\s*(?P<name>[!#$%&'*+.^_`|~0-9a-z-]+)\s*(?:;\s*q\s*=\s*(?P<weight>0(\.\d{0,3})?|1(\.0{0,3})?))?\s*",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Stream:
    """A body that comes in pieces.

    push: all that was put in can be decoded from what came out so far. finish: the end.
    """

    push: Callable[[bytes], bytes]
    finish: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Coding:
    """name: in Content-Encoding. whole: of a body at once. stream: begins one in pieces."""

    name: str
    whole: Callable[[bytes], bytes]
    stream: Callable[[], Stream]


def _gzip_whole(body: bytes) -> bytes:
    # Without a time and a file name in it: equal bodies stay equal.
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return packer.compress(body) + packer.flush()


def _gzip_stream() -> Stream:
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)

    def push(part: bytes) -> bytes:
        return packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH)

    return Stream(push, packer.flush)


def _zstd_whole(body: bytes) -> bytes:
    return zstd.ZstdCompressor(ZSTD_LEVEL).compress(body, zstd.ZstdCompressor.FLUSH_FRAME)


def _zstd_stream() -> Stream:
    packer = zstd.ZstdCompressor(ZSTD_LEVEL)
    return Stream(lambda part: packer.compress(part, packer.FLUSH_BLOCK), packer.flush)


def _brotli_whole(body: bytes) -> bytes:
    packed: bytes = brotli.compress(body, quality=BROTLI_QUALITY)
    return packed


def _brotli_stream() -> Stream:
    packer = brotli.Compressor(quality=BROTLI_QUALITY)
    return Stream(lambda part: packer.process(part) + packer.flush(), packer.finish)


GZIP = Coding("gzip", _gzip_whole, _gzip_stream)
# In the order of preference among those a caller wants equally.
CODINGS = (
    *([Coding("zstd", _zstd_whole, _zstd_stream)] if zstd is not None else []),
    *([Coding("br", _brotli_whole, _brotli_stream)] if brotli is not None else []),
    GZIP,
)


@lru_cache(_REMEMBERED_HEADERS)
def negotiated(header: str) -> Coding | None:
    """The coding for an `Accept-Encoding`; None to leave the body as it is."""
    weights = _weights(header) if len(header) <= _MAX_HEADER else {}
    others = weights.get("*", 0.0)
    # Only a caller who says so wants `identity` rather than a coding it offers.
    best, best_weight = None, weights.get("identity", 0.0)
    for coding in CODINGS:
        weight = weights.get(coding.name, others)
        is_better = weight > best_weight or (best is None and weight == best_weight)
        if weight > 0 and is_better:
            best, best_weight = coding, weight
    return best


def _weights(header: str) -> dict[str, float]:
    """What is named, by its name in lower case."""
    weights: dict[str, float] = {}
    for element in header.lower().split(","):
        read = _ELEMENT.fullmatch(element)
        if read is None:
            continue
        name = read["name"].removeprefix("x-")  # `x-gzip` is an old spelling
        weight = float(read["weight"] or 1)
        weights[name] = min(weight, weights.get(name, 1.0))
    return weights
