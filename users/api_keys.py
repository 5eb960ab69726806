"""Making and revoking API keys. Who authenticates with one: `users.authentication`."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from users.authentication import KEY_MARK, digest
from users.models import ApiKey, Organization, User

DEFAULT_LIFE = timedelta(days=90)
LONGEST_LIFE = timedelta(days=366)
MOST_KEYS = 50  # of one person at a time
_PREFIX_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_PREFIX_LENGTH = 8


class TooManyKeysError(Exception):
    """The person has MOST_KEYS keys that are neither revoked nor over."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """text: the key itself. Only its digest is kept, so it can be shown once."""

    row: ApiKey
    text: str


def make_api_key(
    owner: User,
    *,
    name: str,
    scopes: Iterable[str],
    organization: Organization | None,
    expires_at: datetime | None = None,
    allowed_networks: Iterable[str] = (),
) -> NewKey:
    """A key for `owner`, which acts in `organization`; in all firms if that is None and they are an
    operator. Raises TooManyKeysError.
    """
    with transaction.atomic():
        # One at a time, or two would both be the last that is allowed.
        User.objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk").first()
        living = ApiKey.objects.alive().filter(user=owner, expires_at__gt=timezone.now())
        if living.count() >= MOST_KEYS:
            raise TooManyKeysError
        prefix = "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(_PREFIX_LENGTH))
        text = f"{KEY_MARK}{prefix}_{secrets.token_urlsafe(32)}"
        row = ApiKey.objects.create(
            user=owner,
            organization=organization,
            name=name,
            prefix=prefix,
            digest=digest(text),
            scopes=sorted(set(scopes)),
            expires_at=expires_at or timezone.now() + DEFAULT_LIFE,
            allowed_networks=list(allowed_networks),
        )
    return NewKey(row, text)


def revoke_api_key(key: ApiKey) -> None:
    """Refuses it from now on, in every process within a second."""
    key.deleted_at = timezone.now()
    key.save(update_fields=["deleted_at"])
