"""Which coding a caller gets for what it says, and what the codings make of a body."""

import os
import zlib
from collections.abc import Callable

import brotli
import pytest
from backports import zstd

from lexiflow.http import codings
from lexiflow.http.codings import CODINGS, GZIP, negotiated

BODY = b'{"status": "open", "title": "Hart & Wells v. Strange"}' * 100


def gunzip(packed: bytes) -> bytes:
    return zlib.decompress(packed, wbits=31)


UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gunzip,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}


def unpacker(name: str) -> Callable[[bytes], bytes]:
    """What a client does with pieces of a body: all that can be read so far."""
    if name == "gzip":
        return zlib.decompressobj(wbits=31).decompress
    if name == "zstd":
        return zstd.ZstdDecompressor().decompress
    process = brotli.Decompressor().process

    def unbrotli(packed: bytes) -> bytes:
        text = process(packed)
        while more := process(b""):  # it hands out some 32 KiB at a time
            text += more
        return bytes(text)

    return unbrotli


def chosen(header: str) -> str | None:
    coding = negotiated(header)
    return coding.name if coding else None


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("deflate", None),
        ("compress, deflate", None),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, br;q=0.9, zstd;q=0.8", "gzip"),
        ("gzip ; q=0.5 ,\tbr; Q=0.501", "br"),
        ("*", "zstd"),
        ("*;q=0.1", "zstd"),
        ("zstd;q=0, *", "br"),
        ("zstd;q=0, br;q=0.0, *;q=0.5", "gzip"),
        ("*;q=0", None),
        ("gzip;q=0", None),
        ("gzip;q=0.000", None),
        ("*;q=0, gzip", "gzip"),
        ("gzip;q=0, *;q=0.5", "zstd"),
        ("identity;q=0, gzip;q=0.001", "gzip"),
        ("identity;q=1, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("identity;q=0.5, *;q=0.4", None),
    ],
)
def test_a_caller_gets_what_it_wants_most(header: str, name: str | None) -> None:
    assert chosen(header) == name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("gzip;q=", None),
        ("gzip;q=2", None),
        ("gzip;q=-1", None),
        ("gzip;q=nan", None),
        ("gzip;q=1e0", None),
        ("gzip;q=0.1234", None),
        ("gzip;q=\u0660", None),
        ("gzip;level=9", None),
        ("gzip;q=1;q=0", None),
        ("gzip gzip", None),
        ("gzip\0", None),
        ("\uff47zip", None),
        (",,;,q=1,gzip", "gzip"),
        ("\x00\xff, gzip", "gzip"),
        ("gzip;q=0, gzip", None),
        ("gzip, gzip;q=0", None),
        ("gzip, x-gzip;q=0", None),
        (", " * 400 + "gzip", "gzip"),
        ("gzip" + ", x" * 4000, None),
        ("gzip;" + " " * 100_000, None),
        ("*" * 900, None),
        (";q=" * 300, None),
    ],
)
def test_what_cannot_be_read_is_not_offered(header: str, name: str | None) -> None:
    assert chosen(header) == name


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
def test_a_body_comes_back_as_it_was(coding: codings.Coding) -> None:
    unpack = UNPACK[coding.name]
    assert len(coding.whole(BODY)) < len(BODY) / 5
    for body in (BODY, b"", b"x", os.urandom(100_000)):
        assert unpack(coding.whole(body)) == body


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
def test_equal_bodies_stay_equal(coding: codings.Coding) -> None:
    assert coding.whole(BODY) == coding.whole(BODY)


@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: coding.name)
def test_each_piece_can_be_read_when_it_comes(coding: codings.Coding) -> None:
    unpacking = unpacker(coding.name)
    stream = coding.stream()
    pieces = [b"data: %d\n\n" % number for number in range(50)] + [os.urandom(300_000)]
    for piece in pieces:
        assert unpacking(stream.push(piece)) == piece
    assert unpacking(stream.finish()) == b""


def test_without_its_packages_there_is_gzip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codings, "CODINGS", (GZIP,))
    negotiated.cache_clear()
    try:
        assert chosen("gzip, br, zstd") == "gzip"
        assert chosen("br, zstd") is None
    finally:
        negotiated.cache_clear()
