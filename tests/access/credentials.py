"""What the people of a scene have of their own: sign-ins, API keys, saved searches."""

from typing import TYPE_CHECKING

from tests import factories
from tests.access.policy import Fact
from users.limit_models import LimitScope
from users.models import ApiKey, CacheRollout, CallerBlock, LimitOverride, ScopeLimit, SignIn, User

if TYPE_CHECKING:
    from tests.access.scene import Scene

# Whose keys lie there to be found: for each way in which the rule for keys decides.
_OWNERS = (
    *("own super_admin", "own admin", "own associate", "own it_admin", "own intern"),
    *("walled super_admin", "walled clerk", "foreign admin", "foreign intern"),
    *("speaking client", "operator", "walled operator"),
)


def add_keys(scene: "Scene") -> None:
    for name in _OWNERS:
        owner = scene.cast[name]
        key = factories.api_key(owner.user, firm=scene.firms.get(owner.firm))
        scene.add(key.row, owner.firm, author=owner.user)


def add_saved_searches(scene: "Scene") -> None:
    """An operator belongs to no firm, and still has searches of their own."""
    for name in _OWNERS:
        owner = scene.cast[name]
        firm = scene.firms[owner.firm or "home"]
        search = factories.saved_search(owner.user, organization=firm)
        scene.add(search, owner.firm or "home", author=owner.user)


def add_limits(scene: "Scene") -> None:
    """What operators say about some of these callers, and about the cache."""
    owner, key = scene.cast["own associate"].user, scene.of(ApiKey)[0].row
    for row in (
        ScopeLimit.objects.create(scope=LimitScope.HEAVY, rate="30/1m"),
        LimitOverride.objects.create(api_key=key, scope=LimitScope.HEAVY, rate="60/1m"),
        CallerBlock.objects.create(user=owner),
        CacheRollout.objects.create(percent=50),
    ):
        scene.add(row)


def key_of(owner: User, firm: str, scene: "Scene", *scopes: str) -> str:
    """A further key of somebody, which acts in that firm."""
    return factories.api_key(owner, *scopes, firm=scene.firms[firm]).text


def sign_everybody_in(scene: "Scene") -> list[Fact]:
    """The sign-ins, each a row like any other."""
    accounts = {fact.row.pk: fact for fact in scene.of(User)}
    made = []
    for person in scene.cast:
        scene.tokens[person.name] = factories.access_token(person.user)
        row = SignIn.objects.get(user=person.user)
        made.append(scene.add(row, person.firm, subject=accounts[person.user.pk]))
    return made
