"""The admin: every page of every row."""

from itertools import product

import pytest
from django.urls import reverse

from tests.access.admin_pages import PAGES, Page
from tests.access.asking import UNKNOWN
from tests.access.policy import Fact
from tests.access.scene import Scene
from tests.access.traces import comparable, text_of
from tests.access.visiting import visitors
from tests.worlds import everything_written
from users.admin.site import site

pytestmark = pytest.mark.django_db

OF_ROWS = [page for page in PAGES if page.is_of_a_row]
READ = [page for page in OF_ROWS if page.name.endswith(("_change", "_history"))]


def page_path(page: Page, fact: Fact) -> str:
    (parameter,) = page.parameters
    return reverse(f"admin:{page.name}", kwargs={parameter: str(fact.row.pk)})


@pytest.mark.parametrize("page", OF_ROWS, ids=str)
def test_the_page_of_a_hidden_row_is_that_of_no_row(page: Page, scene: Scene) -> None:
    assert page.model is not None
    before = everything_written()
    for visitor in visitors(scene):
        hidden = visitor.rows(page.model, seen=False)[:2]
        for method, fact in product(("get", "post"), hidden):
            path, key = page_path(page, fact), str(fact.row.pk)
            answer = visitor.ask(method, path)
            admin = site._registry[page.model]
            if answer.status_code == 403 and not admin.has_view_permission(answer.wsgi_request):
                break  # the whole table is closed to them, whatever the row
            if fact is hidden[0]:
                unknown = visitor.ask(method, path.replace(key, UNKNOWN))
            assert answer.status_code == unknown.status_code, (visitor.person, path)
            assert comparable(answer, key) == comparable(unknown, UNKNOWN), path
    assert everything_written() == before


@pytest.mark.parametrize("page", READ, ids=str)
def test_the_page_of_a_visible_row_names_no_hidden_one(page: Page, scene: Scene) -> None:
    assert page.model is not None
    for visitor in visitors(scene):
        for fact in visitor.rows(page.model, seen=True)[:3]:
            answer = visitor.ask("get", page_path(page, fact))
            if page.name.endswith("_change") and answer.status_code == 200:
                assert str(fact.row.pk) in text_of(answer)
