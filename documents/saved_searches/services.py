"""Keeping a search: a person may have MOST_SEARCHES of them."""

from typing import Any

from documents.saved_searches.models import SavedSearch
from users.models import User

MOST_SEARCHES = 100


class TooManySearchesError(Exception):
    """The person has MOST_SEARCHES already."""


def keep(owner: User, **values: Any) -> SavedSearch:
    """Call inside a transaction. Raises TooManySearchesError."""
    make_room(owner)
    return SavedSearch.objects.create(owner=owner, **values)


def make_room(owner: User) -> None:
    """There is room for one more until the transaction ends. Raises TooManySearchesError."""
    # One at a time, or two would both be the last that is allowed.
    User.objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk").first()
    if SavedSearch.objects.alive().filter(owner=owner).count() >= MOST_SEARCHES:
        raise TooManySearchesError
