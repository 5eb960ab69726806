"""Everything that can be asked has a rule; what is new says here that it needs one."""

from django.apps import apps

from lexiflow.db.models import RecordQuerySet
from tests.access.admin_pages import PAGES
from tests.access.declared import ADMIN_PAGES, OTHER_ROUTES, RULES
from tests.routes import RESOURCES, ROUTES
from users.admin.site import site

WHERE = "say it in tests/access/declared.py"


def test_every_table_that_can_be_asked_has_a_rule() -> None:
    with_rule = [
        model
        for model in apps.get_models()
        if isinstance(model._default_manager.all(), RecordQuerySet)
    ]
    for model in {*with_rule, *site._registry, *(route.model for route in RESOURCES)}:
        assert model in RULES, f"{model.__name__}: who sees its rows? RULES, {WHERE}."


def test_every_route_that_is_no_resource_says_what_it_is() -> None:
    for route in ROUTES:
        if not route.is_resource:
            assert route.name in OTHER_ROUTES, f"{route}: what does it tell? OTHER_ROUTES, {WHERE}."
    assert set(OTHER_ROUTES) <= {route.name for route in ROUTES}


def test_every_page_of_the_admin_belongs_to_a_table_or_is_known() -> None:
    assert len(PAGES) > 100
    for page in PAGES:
        if page.model is None:
            assert page.name in ADMIN_PAGES, f"{page.name}: ADMIN_PAGES, {WHERE}."
