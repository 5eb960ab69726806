"""The guard against lazy loads is on, and what it guards is cheap."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient
from zeal.errors import NPlusOneError
from zeal.middleware import zeal_middleware

from cases.models import Case
from documents.models import Document
from tests import factories
from tests.strict_loading import LazyLoadError, strict_reads
from users.models import Organization, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(firm: Organization) -> Document:
    return factories.document(firm, case=factories.case(firm, lead_attorney=None))


def during(method: str, path: str, work: Callable[[], object]) -> None:
    """`work` within a request as the middleware sees it."""

    def answer(request: object) -> HttpResponse:
        work()
        return HttpResponse()

    strict_reads(answer)(RequestFactory().generic(method, path))


def test_a_reference_or_a_column_that_was_not_asked_for_raises_while_the_api_reads(
    document: Document,
) -> None:
    fresh = Document.objects.get(pk=document.pk)
    narrow = Document.objects.only("title").get(pk=document.pk)
    (case,) = Case.objects.all()
    for lazy in (lambda: fresh.case, lambda: narrow.status, lambda: case.search):
        with pytest.raises(LazyLoadError, match="was not asked for"):
            during("GET", "/api/v1/documents/", lazy)


def test_what_was_asked_for_is_there(document: Document) -> None:
    asked = Document.objects.select_related("case__search").get(pk=document.pk)
    during("GET", "/api/v1/documents/", lambda: (asked.case.title, asked.case.search.names))
    during("PATCH", "/api/v1/documents/", lambda: Document.objects.get(pk=document.pk).case)
    assert Document.objects.get(pk=document.pk).case  # and outside of requests


def test_loading_in_a_loop_raises_in_any_request(firm: Organization) -> None:
    for _ in range(3):
        factories.document(firm, case=factories.case(firm))

    def answer(request: object) -> HttpResponse:
        return HttpResponse([document.case.title for document in Document.objects.all()])

    with pytest.raises(NPlusOneError):
        zeal_middleware(answer)(RequestFactory().post("/admin/"))


def test_a_lazy_load_in_a_view_fails_the_request(
    as_alice: APIClient, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lazily(view: object, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "firm": Case.objects.get(pk=row["id"]).organization.name} for row in rows]

    monkeypatch.setattr("cases.viewsets.CaseViewSet.present", lazily)
    with pytest.raises(LazyLoadError):
        as_alice.get("/api/v1/cases/")


def test_100_documents_with_cases_authors_and_tags_are_4_queries(
    firm: Organization, alice: User, as_alice: APIClient
) -> None:
    """One of them, or two, say who is asking."""
    authors = [factories.user(firm=firm) for _ in range(5)]
    cases = [factories.case(firm) for _ in range(20)]
    for number in range(100):
        factories.document(
            firm, case=cases[number % 20], author=authors[number % 5], tags=["draft", f"t{number}"]
        )
    path = "/api/v1/documents/?page_size=100&include=case,author"
    with CaptureQueriesContext(connection) as captured:
        answer = as_alice.get(path)
    rows = answer.json()["results"]
    assert len(rows) == 100
    assert all(row["case"]["title"] and row["author"]["email"] and row["tags"] for row in rows)
    assert len(captured) <= 4
