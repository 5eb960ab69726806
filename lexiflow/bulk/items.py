"""What is asked of each row, what became of it, and where lists of items come from."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import TextChoices

T = TypeVar("T")

# What every row may be told; the others narrow `update` down to some fields.
Outcome = dict[str, Any]


class Operation(TextChoices):
    UPDATE = "update", "Update"
    CHANGE_STATUS = "change_status", "Change status"
    REASSIGN = "reassign", "Reassign"
    TAG = "tag", "Tag"
    UNTAG = "untag", "Untag"
    DELETE = "delete", "Delete"
    RESTORE = "restore", "Restore"

    @property
    def sets_values(self) -> bool:
        return self not in (Operation.DELETE, Operation.RESTORE)

    @property
    def edits_tags(self) -> bool:
        return self in (Operation.TAG, Operation.UNTAG)


class Status(TextChoices):
    """What became of a row."""

    UPDATED = "updated"
    DELETED = "deleted"
    RESTORED = "restored"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(slots=True)
class Item:
    """A row and what is asked of it.

    name: the identifier as the caller wrote it, if it is none. version: what the caller has read.
    values: raw, by the names of the serializer's fields. problem: why it is refused already.
    """

    index: int
    key: UUID | None
    values: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    name: str = ""
    problem: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Totals:
    """How many rows, by what became of them."""

    total: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0

    def add(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            self.total += 1
            status = outcome["status"]
            if status == Status.FAILED:
                self.failed += 1
            elif status == Status.UNCHANGED:
                self.unchanged += 1
            else:
                self.changed += 1


def failed(item: Item, problem: Mapping[str, Any]) -> Outcome:
    """A row that stays as it is. problem: in the one shape of all problems."""
    return {
        "index": item.index,
        "id": item.key or item.name,
        "status": Status.FAILED.value,
        "errors": problem,
    }


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` items, read no further ahead than that."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
