"""Which rows an answer speaks of: their words, keys, checksums, also inside cursors."""

import re
from base64 import urlsafe_b64decode
from typing import Any

from tests.access.policy import Fact, Person
from tests.access.scene import Scene

_WORD = re.compile(r"qq[bcdfghjklmnpqrstvwxz]{12}qq")
_KEY = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_CHECKSUM = re.compile(r"[0-9a-f]{64}")
_CURSOR = re.compile(r"cursor=([A-Za-z0-9_-]+)")
_MARK = re.compile(r"</?(?:mark|u003Cmark|u003C/mark)>|\\u003C/?mark\\u003E|&lt;/?mark&gt;", re.I)
# What differs between two answers to the same question.
_CHANCE = re.compile(
    r'"request_id":\s*"[^"]*"|csrfmiddlewaretoken"[^>]*|nonce="[^"]*"|[A-Za-z0-9]{64}'
)
_HEADERS_OF_CHANCE = {
    "x-request-id",
    "date",
    "set-cookie",
    "server-timing",
    "content-length",
    "expires",
}


def text_of(answer: Any) -> str:
    """Everything the caller receives: status, headers, body."""
    content = answer.getvalue() if answer.streaming else answer.content
    headers = "\n".join(f"{name}: {value}" for name, value in answer.items())
    return f"{answer.status_code}\n{headers}\n\n{content.decode('utf-8', 'replace')}"


def keys_in(text: str) -> set[str]:
    found = {key.replace("-", "") for key in _KEY.findall(text.lower())}
    return {f"{k[:8]}-{k[8:12]}-{k[12:16]}-{k[16:20]}-{k[20:]}" for k in found}


def _with_cursors(text: str) -> str:
    """The text, and what its cursors say when they are decoded."""
    found = (urlsafe_b64decode(c + "=" * (-len(c) % 4)) for c in _CURSOR.findall(text))
    return "\n".join((text, *(c.decode("utf-8", "replace") for c in found)))


def tells_of(scene: Scene, text: str) -> set[Fact]:
    """The rows that one of their own words gives away."""
    plain = _MARK.sub("", text.lower())
    return {scene.by_marker[w] for w in _WORD.findall(plain) if w in scene.by_marker}


def names_of(scene: Scene, text: str) -> set[Fact]:
    """The rows whose key or checksum stands there."""
    everything = _with_cursors(text)
    found = keys_in(everything) | set(_CHECKSUM.findall(everything.lower()))
    return {scene.by_id[key] for key in found if key in scene.by_id}


def leaks(
    scene: Scene, person: Person, text: str, *, sent: str = "", also: frozenset[Fact] = frozenset()
) -> list[str]:
    """What the answer tells `person` of rows they may not see and did not name themselves.

    The key of a row may stand where a row they see refers to it; its words may not.
    also: further rows that they may see through this door.
    """
    seen = scene.seen_by(person) | also
    told = tells_of(scene, text) - seen - tells_of(scene, sent)
    named = {
        fact
        for fact in names_of(scene, text) - seen - names_of(scene, sent)
        if str(fact.row.pk) not in scene.keys_shown_to(person)
    }
    return sorted(f"words of {f}" for f in told) + sorted(f"key of {f}" for f in named)


def comparable(answer: Any, *given: str) -> str:
    """The answer without what differs by chance, and without the keys that were sent."""
    text = text_of(answer)
    head, _, body = text.partition("\n\n")
    lines = [
        line for line in head.split("\n") if line.split(":")[0].lower() not in _HEADERS_OF_CHANCE
    ]
    whole = _CHANCE.sub("", "\n".join([*sorted(lines), body]))
    for key in given:
        whole = whole.replace(key, "<key>").replace(key.replace("-", "_2D"), "<key>")
    return whole


def assert_silent(scene: Scene, answer: Any) -> None:
    """The answer speaks of no row at all."""
    text = text_of(answer)
    assert not tells_of(scene, text)
    assert not names_of(scene, text)
