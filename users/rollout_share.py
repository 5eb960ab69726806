"""The cache's share: as `lexiflow.cache.rollout` reads it (CACHE_ROLLOUT), and how it is set."""

from django.conf import settings
from django.db import IntegrityError, transaction

from users.rollout_models import CHANNEL, CacheRollout


class OperatorsShare:
    """Reads the table of `users.rollout_models`."""

    channel = CHANNEL

    def load(self) -> int | None:
        row = CacheRollout.objects.alive().values_list("percent", flat=True).first()
        return None if row is None else int(row)


def share() -> tuple[int, bool]:
    """The percentage, asked of the database, and whether operators set it."""
    found = OperatorsShare().load()
    return (settings.CACHE_ROLLOUT_PERCENT, False) if found is None else (found, True)


def set_share(percent: int) -> None:
    """Writes the percentage. Call it inside a `write_transaction`, which says who does it."""
    rows = CacheRollout.objects.alive()
    if rows.update(percent=percent):
        return
    try:
        with transaction.atomic():
            CacheRollout.objects.create(percent=percent)
    except IntegrityError:  # somebody else was first
        rows.update(percent=percent)


def replace_share(expected: int, percent: int) -> bool:
    """Writes the percentage if it is the expected one; whether it was. Call as `set_share`."""
    rows = CacheRollout.objects.alive()
    if rows.filter(percent=expected).update(percent=percent):
        return True
    if rows.exists() or expected != settings.CACHE_ROLLOUT_PERCENT:
        return False
    set_share(percent)
    return True
