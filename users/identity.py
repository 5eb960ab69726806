"""Who a token stands for, known in this process without asking PostgreSQL.

A warm request is authenticated from memory. What is remembered is void the moment PostgreSQL tells
that something about the person, their firms, sign-ins or keys has changed (`users.revocation`), and
is believed only while the process can prove that it would have been told (`lexiflow.db.
notifications`). Without that proof it is believed for FALLBACK_SECONDS after it was read.

Guarantee: whatever wrote the change, one second after its commit no process lets the old rights in.
The end of a token is compared with the clock at every request. Each request gets an instance of
`User` of its own, so threads share nothing that can be changed; columns that are not remembered
(the password among them) are read when somebody asks for them.

Not guaranteed: that a request which was authenticated before the change is stopped half-way.
Unknown tokens are not remembered: each costs a query, and the rate limits bound how many come.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.utils import timezone

from lexiflow.db.notifications import notifications
from lexiflow.http.conditional import digest
from users.choices import UserStatus
from users.models import ApiKey, Membership, SignIn, User
from users.revocation import CHANNEL, EVERYBODY
from users.scopes import missing, with_implied, within_reach_of

logger = logging.getLogger(__name__)

Network = IPv4Network | IPv6Network
FALLBACK_SECONDS = 0.9

# In the order of the table, as `User.from_db` wants them. A column that is added here must be one
# whose change `users.revocation.TELL_PERSON` tells.
_KEPT = {
    *("id", "email", "first_name", "last_name", "title", "role", "status"),
    *("is_staff", "is_superuser", "deleted_at"),
}
_COLUMNS = tuple(f.attname for f in User._meta.concrete_fields if f.attname in _KEPT)
_IS_SUPERUSER = _COLUMNS.index("is_superuser")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`request.auth` of somebody who has signed in."""

    pk: UUID
    limit_principal: str

    def lacks(self, resources: tuple[str, ...], access: str) -> list[str]:
        """A person may go everywhere; what they may do there is their role's to say."""
        return []


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """`request.auth` of a program with an API key."""

    pk: UUID
    limit_principal: str
    name: str
    prefix: str
    scopes: frozenset[str]
    organization_id: UUID | None
    expires_at: datetime
    networks: tuple[Network, ...]

    @property
    def limit_credential(self) -> str:
        """What a limit or a block of this one key is kept by."""
        return f"key:{self.pk}"

    def lacks(self, resources: tuple[str, ...], access: str) -> list[str]:
        """The scopes it would need and does not have."""
        return missing(self.scopes, resources, access)

    def may_come_from(self, address: str | None) -> bool:
        if not self.networks:
            return True
        try:
            found = ip_address(address or "")
        except ValueError:
            return False
        # A socket for both families writes IPv4 as ::ffff:192.0.2.1.
        own = getattr(found, "ipv4_mapped", None) or found
        return any(own in network for network in self.networks)


Auth = SignedIn | KeyHolder


@dataclass(frozen=True, slots=True)
class Identity:
    """What a token stands for. Never changes; a change is another one."""

    auth: Auth
    user_id: UUID
    expires_at: datetime
    organization_ids: tuple[UUID, ...]
    columns: tuple[Any, ...]
    # Names all of them together: two callers with the same see the same.
    scope: str

    is_authenticated = True

    @property
    def pk(self) -> UUID:
        return self.user_id

    @property
    def firms(self) -> tuple[str, ...] | None:
        """The firms they see rows of; None for all."""
        if self.columns[_IS_SUPERUSER]:
            return None
        return tuple(map(str, self.organization_ids))

    def person(self) -> User:
        """A fresh instance, as if it had been read now."""
        user: User = User.from_db("default", _COLUMNS, self.columns)
        user.organization_ids = self.organization_ids
        return user


@dataclass(frozen=True, slots=True)
class _Entry:
    identity: Identity
    read_at: float


class IdentityCache:
    """Digests of tokens and who they stand for; the longest unused are dropped beyond `size`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._digests_of: dict[UUID, set[bytes]] = {}
        # Grows with every news, so that what was being read meanwhile is not kept.
        self._generation = 0

    def find(
        self, digest: bytes, read: Callable[[bytes], Identity | None], *, size: int
    ) -> Identity | None:
        """What is remembered of the token if that can be believed, else what `read` says."""
        with self._lock:
            entry = self._entries.get(digest)
            if entry is not None:
                self._entries.move_to_end(digest)
            generation = self._generation
        if entry is not None and self._is_good(entry):
            return entry.identity
        read_at = monotonic()
        identity = read(digest)
        if identity is not None:
            self._keep(digest, _Entry(identity, read_at), generation, size)
        return identity

    def forget(self, people: str) -> None:
        """Drops everything about these people: identifiers with commas between, or EVERYBODY."""
        if people == EVERYBODY:
            self.clear()
            return
        with self._lock:
            self._generation += 1
            for person in people.split(","):
                for digest in self._digests_of.pop(UUID(person), ()):
                    del self._entries[digest]

    def clear(self) -> None:
        with self._lock:
            self._generation += 1
            self._entries.clear()
            self._digests_of.clear()

    def __len__(self) -> int:
        return len(self._entries)

    @staticmethod
    def _is_good(entry: _Entry) -> bool:
        return notifications.is_current(CHANNEL) or monotonic() - entry.read_at <= FALLBACK_SECONDS

    def _keep(self, digest: bytes, entry: _Entry, generation: int, size: int) -> None:
        with self._lock:
            if generation != self._generation:
                return  # it may have been read before the news
            self._drop(digest)
            self._entries[digest] = entry
            self._digests_of.setdefault(entry.identity.user_id, set()).add(digest)
            while len(self._entries) > size:
                self._drop(next(iter(self._entries)))

    def _drop(self, digest: bytes) -> None:
        entry = self._entries.pop(digest, None)
        if entry is None:
            return
        digests = self._digests_of[entry.identity.user_id]
        digests.discard(digest)
        if not digests:
            del self._digests_of[entry.identity.user_id]


cache = IdentityCache()
notifications.subscribe(CHANNEL, received=cache.forget, missed=cache.clear)


def of_access_token(digest: bytes) -> Identity | None:
    """Whose sign-in it is; None if it is none, has ended, or its person may not come in."""
    return _living(digest, _read_sign_in)


def of_api_key(digest: bytes) -> Identity | None:
    """Whose key it is; None as for an access token."""
    return _living(digest, _read_api_key)


def _living(digest: bytes, read: Callable[[bytes], Identity | None]) -> Identity | None:
    size = settings.IDENTITY_CACHE_SIZE
    identity = cache.find(digest, read, size=size) if size else read(digest)
    if identity is None or identity.expires_at <= timezone.now():
        return None
    return identity


def _scope(*parts: Any) -> str:
    return digest(*(repr(part).encode() for part in parts))


# --- Reading: one query each ----------------------------------------------------------------------
def _firms() -> ArraySubquery:
    """The firms of the row's person, the primary one first. A firm that has ended takes its rows
    with it.
    """
    memberships = (
        Membership.objects.alive()
        .filter(user=OuterRef("user_id"), organization__deleted_at__isnull=True)
        .order_by("-is_primary", "pk")
    )
    return ArraySubquery(memberships.values("organization_id"))


def firms_of(people: Iterable[str]) -> list[str]:
    """The firms whose lists show these people, or showed them once."""
    found = (
        Membership.objects.filter(user__in=map(UUID, people))
        .order_by()
        .values_list("organization_id")
    )
    return [str(firm) for (firm,) in found.distinct()]


_ACTIVE = {"user__status": UserStatus.ACTIVE, "user__deleted_at__isnull": True}
_OF_USER = tuple(f"user__{column}" for column in _COLUMNS)


def _read_sign_in(digest: bytes) -> Identity | None:
    row: Any = (
        SignIn.objects.filter(access_digest=digest, revoked_at__isnull=True, **_ACTIVE)
        .values_list("pk", "user_id", "access_expires_at", _firms(), *_OF_USER)
        .first()
    )
    if row is None:
        return None
    pk, user_id, expires_at, firms, *columns = row
    auth = SignedIn(pk, limit_principal=f"user:{user_id}")
    scope = _scope(user_id, firms, columns)
    return Identity(auth, user_id, expires_at, tuple(firms), tuple(columns), scope)


def _read_api_key(digest: bytes) -> Identity | None:
    key: Any = (
        ApiKey.objects.alive()
        .filter(digest=digest, **_ACTIVE)
        .exclude(organization__deleted_at__isnull=False)
        .annotate(firms=_firms())
        .select_related("user")
        .first()
    )
    if key is None:
        return None
    try:
        networks = tuple(ip_network(network) for network in key.allowed_networks)
    except ValueError:
        logger.error("API key %s names a network that is none; it is refused", key.pk)
        return None
    firms, is_operator = tuple(key.firms), key.user.is_superuser
    if key.organization_id is None and not is_operator:
        return None
    if key.organization_id is not None:
        if not is_operator and key.organization_id not in firms:
            return None
        # It acts in that firm only, even if its owner sees all of them.
        firms, is_operator = (key.organization_id,), False
    columns = [getattr(key.user, column) for column in _COLUMNS]
    columns[_IS_SUPERUSER] = is_operator
    auth = KeyHolder(
        key.pk,
        # Of all keys of a person together: more keys are no more requests.
        limit_principal=f"keys-of:{key.user_id}",
        name=key.name,
        prefix=key.prefix,
        scopes=with_implied(key.scopes) & within_reach_of(key.user),
        organization_id=key.organization_id,
        expires_at=key.expires_at,
        networks=networks,
    )
    scope = _scope(key.user_id, firms, columns, "key", *sorted(auth.scopes))
    return Identity(auth, key.user_id, key.expires_at, firms, tuple(columns), scope)
