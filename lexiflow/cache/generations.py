"""Generations and answers in Redis: readers make generations, writers destroy them.

A generation is a random word under the name of a table, for a firm or a row. An answer is stored
with the words that were there before its computation began, and found only while all of them are
still the same. A writer deletes the words before it commits and once more after; in between none
can be made. So an empty, full or evicting Redis can only forget: nothing makes an old word again.

Guarantee: when `end` has returned after a commit, no answer is found that was computed from what
was there before it, in this epoch and this run of Redis. One round trip for each call.

All keys have one hash tag, so of a cluster one shard has the whole cache: what an answer rests on
is looked at in the same step as the answer, and no step reaches over slots. Scripts are told the
keys that their caller knows; those they derive or read have the tag as well.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha1
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from redis.exceptions import NoScriptError, RedisError

from lexiflow import prometheus
from lexiflow.cache.epoch import Epoch
from lexiflow.redis import OtherServerError, RedisAwayError, SharedRedis, shared_redis

PREFIX = "lexiflow:answers:{cache}"
# Longer than any answer is kept.
_KEEP_MILLISECONDS = 900_000
# Longer than a transaction lives: statements end after 30 s, idle transactions after 60.
_WRITER_MILLISECONDS = 900_000
_LOCK_MILLISECONDS = 5_000
_OWNERS_PER_CALL = 100

_SCRIPTS = {
    name: (text, sha1(text.encode(), usedforsecurity=False).hexdigest())
    for name in ("find", "begin", "store", "destroy")
    for text in [Path(__file__).with_name(f"{name}.lua").read_text(encoding="ascii")]
}

Names = Mapping[str, Iterable[str]]


class CacheAwayError(Exception):
    """Redis could not be asked, or is not the one of the epoch. server: which it is, then."""

    def __init__(self, reason: Exception, server: str = "") -> None:
        super().__init__(str(reason))
        self.server = server


class State(IntEnum):
    NOTHING = 0
    FOUND = 1
    BEING_COMPUTED = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """state: whether there is one. body: None if the caller has it already."""

    state: State
    head: bytes = b""
    tag: bytes = b""
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What a computation stands on: the generations that were there before it began."""

    epoch: Epoch
    key: str
    word: str
    has_lock: bool
    generations: Mapping[tuple[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Further:
    """Generations an answer rests on as well, whose names nobody knew before it was computed. They
    are read when it is stored, and count only if those in `unless` are the ones of its ground: so
    nobody has begun to write what they stand for since.
    """

    names: Names
    unless: Names


def find(epoch: Epoch, key: str, tag: str) -> Answer:
    """The answer under `key`. tag: of the answer the caller has; "*" for whoever needs no body."""
    return read_answer(_run(epoch, "find", _answer_and_lock(epoch, key), tag))


def question(epoch: Epoch, key: str, tag: str) -> tuple[Any, ...]:
    """`find` as a command, for who asks something else of the same Redis at the same time."""
    return ("EVALSHA", _SCRIPTS["find"][1], 2, *_answer_and_lock(epoch, key), tag)


def read_answer(reply: list[Any]) -> Answer:
    """What Redis says to `question`."""
    return Answer(State(reply[0]), *reply[1:])


def begin(epoch: Epoch, key: str, names: Names) -> Ground:
    """The generations of `names`, by owner; and the lock, if nobody computes the answer yet."""
    word = secrets.token_hex(8)
    pairs = [(owner, name) for owner, each in names.items() for name in each]
    won, *found = _begin(epoch, key, word, _LOCK_MILLISECONDS, names)
    return Ground(epoch, key, word, bool(won), dict(zip(pairs, found, strict=True)))


def present(epoch: Epoch, names: Names) -> list[bytes]:
    """The generations of `names`; empty for what is being written."""
    word = secrets.token_hex(8)
    return _begin(epoch, word, word, 1, names)[1:]


def _begin(epoch: Epoch, key: str, word: str, lock_ms: int, names: Names) -> list[Any]:
    lock = _answer_and_lock(epoch, key)[1]
    keys = (lock, *_owners(epoch, names))
    flat = _flat(names)
    reply: list[Any] = _run(epoch, "begin", keys, word, lock_ms, _KEEP_MILLISECONDS, *flat)
    return reply


def store(
    ground: Ground,
    rests_on: Names,
    *,
    head: bytes,
    tag: bytes,
    body: bytes,
    seconds: float,
    further: Further | None = None,
) -> bool:
    """Remembers an answer that was computed on `ground`; False if that was being written."""
    chosen, unless = _chosen(ground, rests_on), _chosen(ground, further.unless if further else {})
    if chosen is None or unless is None:
        release(ground)
        return False
    keys = _answer_and_lock(ground.epoch, ground.key)
    rows: list[str | int] = []
    if further:
        keys += (*_owners(ground.epoch, further.names), *_owners(ground.epoch, further.unless))
        rows = _flat(further.names)
    values = (round(seconds * 1000), orjson.dumps(chosen), head, tag, body)
    end = (orjson.dumps(unless), _KEEP_MILLISECONDS, *rows)
    return bool(_run(ground.epoch, "store", keys, ground.word, *values, *end))


def _chosen(ground: Ground, names: Names) -> list[list[Any]] | None:
    """The words of `ground` under the names; None if one was being written."""
    chosen = []
    for owner, each in names.items():
        own = sorted(each)
        words = [ground.generations.get((owner, name), b"").decode() for name in own]
        if not all(words):
            return None
        chosen.append([_owner(ground.epoch, owner), own, words])
    return chosen


def release(ground: Ground) -> None:
    """Lets others compute the answer: this one is not stored."""
    if ground.has_lock:
        _run(ground.epoch, "store", _answer_and_lock(ground.epoch, ground.key), ground.word, 0)


def intend(epoch: Epoch, writer: str, names: Names) -> None:
    """Before a commit: ends the generations, and has none made until `end`, or for 15 minutes."""
    _destroy(epoch, writer, _WRITER_MILLISECONDS, names)


def end(epoch: Epoch, writer: str, names: Names) -> None:
    """After a commit or a rollback. Raises CacheAwayError if it may not have happened."""
    _destroy(epoch, writer, 0, names)
    prometheus.CACHE_INVALIDATIONS.inc()


def _destroy(epoch: Epoch, writer: str, milliseconds: int, names: Names) -> None:
    owners = list(names)
    for start in range(0, len(owners), _OWNERS_PER_CALL):
        some = {owner: names[owner] for owner in owners[start : start + _OWNERS_PER_CALL]}
        _run(epoch, "destroy", _owners(epoch, some), writer, milliseconds, *_flat(some))


def _run(epoch: Epoch, script: str, keys: tuple[str, ...], *arguments: Any) -> Any:
    text, digest = _SCRIPTS[script]
    words = (len(keys), *keys, *arguments)
    redis = cache_redis()
    try:
        try:
            return redis.ask("EVALSHA", digest, *words, server=epoch.server)
        except NoScriptError:
            return redis.ask("EVAL", text, *words, server=epoch.server)
    except OtherServerError as error:
        raise CacheAwayError(error, error.found) from error
    # Also what Redis itself refuses: a replica, still loading, full.
    except (RedisAwayError, RedisError) as error:
        raise CacheAwayError(error) from error


def cache_url() -> str:
    """The address of the cache's Redis."""
    url: str = settings.CACHES["default"]["LOCATION"]
    return url


def cache_redis() -> SharedRedis:
    """The Redis of the cache."""
    return shared_redis(cache_url())


def _owner(epoch: Epoch, owner: str) -> str:
    return f"{PREFIX}:{epoch.name}:{owner}"


def _owners(epoch: Epoch, names: Names) -> tuple[str, ...]:
    return tuple(_owner(epoch, owner) for owner in names)


def _answer_and_lock(epoch: Epoch, key: str) -> tuple[str, ...]:
    answer = f"{PREFIX}:{epoch.name}:answer:{key}"
    return answer, f"{answer}:lock"


def _flat(names: Names) -> list[str | int]:
    """For each of `_owners`: how many names, and which."""
    words: list[str | int] = []
    for each in names.values():
        own = list(each)
        words += [len(own), *own]
    return words
