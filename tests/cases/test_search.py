"""Finding cases: by number, names, description and docket, within what one may see."""

from typing import Any

import pytest
from django.db import connection, transaction

from cases.models import Case, Client, DocketEntry, Party
from cases.search import CaseHit, search_hits
from lexiflow.search.compilation import compile_query
from tests import factories
from users.models import Organization, User

pytestmark = pytest.mark.django_db

SEARCH_ROWS = (
    "SELECT case_id, organization_id, names, vector::text FROM cases_casesearch ORDER BY case_id"
)


def found(user: User, query: str) -> list[Case]:
    return list(Case.objects.visible_to(user).search(query).order_by("-relevance", "-id"))


def hit(case: Case, query: str) -> CaseHit:
    return search_hits([case.pk], query)[case.pk]


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def assert_no_drift() -> None:
    """What is stored is what an empty index would be filled with."""
    before = rows(SEARCH_ROWS)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM cases_casesearch")
        cursor.execute("SELECT cases_index(ARRAY(SELECT id FROM cases_case))")
        assert rows(SEARCH_ROWS) == before


@pytest.fixture
def matter(firm: Organization) -> Case:
    case = factories.case(
        firm,
        case_number="2:19-cv-01234",
        title="Ferrum v. Argentum",
        description="Breach of a requirements contract",
        court="District of Nevada",
        metadata={"citation": "384 U.S. 436 (1966)", "nested": {"a": [1]}, "none": None},
        client=factories.client(firm, name="Ferrum Holdings"),
    )
    factories.party(case, name="Argentum GmbH", kind="defendant", counsel_name="Mabel Quick")
    factories.docket_entry(case, description="MOTION to compel arbitration")
    return case


@pytest.mark.parametrize(
    ("query", "source", "snippet"),
    [
        (
            "2:19-cv-01234",
            "title",
            "<mark>2</mark>:<mark>19</mark>-<mark>cv</mark>-<mark>01234</mark>",
        ),
        ("2:19\u2013cv\u201301234", "title", "<mark>01234</mark>"),
        ("19-cv-012", "title", "2:<mark>19</mark>-<mark>cv</mark>-01234"),
        ("argentum", "title", "Ferrum v. <mark>Argentum</mark>"),
        ("holdings", "parties", "Ferrum <mark>Holdings</mark>"),
        ('"argentum gmbh"', "parties", "<mark>Argentum</mark> <mark>GmbH</mark>"),
        ("breaches", "description", "<mark>Breach</mark> of a"),
        (
            "compelled arbitration",
            "docket",
            "MOTION to <mark>compel</mark> <mark>arbitration</mark>",
        ),
        ("384 US 436", "title", "Ferrum v. Argentum"),
        ("nevada quick", "title", "Ferrum v. Argentum"),
        ("argntum", "title", "Ferrum v. Argentum"),
    ],
)
def test_a_case_is_found_by_all_that_names_it(
    matter: Case, firm: Organization, alice: User, query: str, source: str, snippet: str
) -> None:
    factories.case(firm, title="Another matter")
    assert found(alice, query) == [matter]
    assert hit(matter, query).source == source
    assert snippet in hit(matter, query).snippet_html


def test_the_case_with_the_very_number_comes_first(
    firm: Organization, alice: User, matter: Case
) -> None:
    for n in range(5):
        factories.case(firm, title=f"Appeal of 2:19-cv-01234, {n}", case_number=f"APP-{n}")
    assert found(alice, "2:19-cv-01234")[0] == matter
    assert len(found(alice, "2:19-cv-01234")) == 6
    assert found(alice, "2:19-cv-01234 -appeal") == [matter]
    assert len(found(alice, "appeal OR ferrum")) == 6


def test_words_are_not_phrases_across_texts(matter: Case, alice: User) -> None:
    assert found(alice, '"01234 ferrum"') == []
    assert found(alice, '"argentum breach"') == []
    assert found(alice, '"requirements contract"') == [matter]


def test_sealed_restricted_and_deleted_entries_are_not_found(matter: Case, alice: User) -> None:
    factories.docket_entry(matter, description="sealedword", is_sealed=True)
    hidden = factories.docket_entry(matter, description="restrictedword", is_restricted=True)
    gone = factories.docket_entry(matter, description="goneword")
    assert found(alice, "goneword") == [matter]
    DocketEntry.objects.filter(pk=gone.pk).update(deleted_at=gone.created_at)
    for word in ("sealedword", "restrictedword", "goneword"):
        assert found(alice, word) == []
    DocketEntry.objects.filter(pk=hidden.pk).update(is_restricted=False)
    assert found(alice, "restrictedword") == [matter]
    assert_no_drift()


def test_the_index_follows_every_change(matter: Case, firm: Organization, alice: User) -> None:
    assert_no_drift()
    other = factories.case(firm, title="Other")
    party = Party.objects.get(case=matter)
    for change in (
        lambda: Case.objects.update(title="Renamed"),
        lambda: Case.objects.update(metadata=["not", "an", "object"]),
        lambda: Case.objects.filter(pk=matter.pk).update(client=None, court="", judge="Lane"),
        lambda: Case.objects.update(client=factories.client(firm, name="Shared")),
        lambda: Client.objects.update(name="Shared and renamed"),
        lambda: Party.objects.update(name="Somebody"),
        lambda: Party.objects.filter(pk=party.pk).update(case=other),
        lambda: Party.objects.update(deleted_at=party.created_at),
        lambda: Party.objects.update(deleted_at=None),
        lambda: DocketEntry.objects.update(description="Changed"),
        lambda: DocketEntry.objects.all().delete(),
        lambda: Party.objects.all().delete(),
    ):
        before = rows(SEARCH_ROWS)
        change()
        assert rows(SEARCH_ROWS) != before
        assert_no_drift()
    matter.delete()
    assert [pk for pk, *_ in rows(SEARCH_ROWS)] == [other.pk]


def test_a_change_of_status_touches_no_search_row(matter: Case) -> None:
    versions = "SELECT case_id, xmin::text, ctid::text FROM cases_casesearch ORDER BY 1"
    before = rows(versions)
    Case.objects.update(status="closed", practice_area="")
    matter.refresh_from_db()
    matter.save()
    Client.objects.update(phone="1")
    Party.objects.update(notes="n")
    assert rows(versions) == before


def test_an_endless_docket_and_description_are_stored_and_the_newest_entries_found(
    firm: Organization, alice: User
) -> None:
    words = " ".join(f"w{number:06x}" for number in range(170_000))
    case = factories.case(firm, description=words)
    DocketEntry.objects.bulk_create(
        DocketEntry(
            case=case, sequence=n, description=f"entry{n} " + words[n * 400 : n * 400 + 900]
        )
        for n in range(1, 1000)
    )
    assert found(alice, "entry999") == [case]
    assert found(alice, "entry600") == [case]
    assert found(alice, "w000000") == [case]
    assert_no_drift()


def test_a_stranger_finds_nothing_and_deleted_cases_are_gone(
    matter: Case, alice: User, bob: User, charlie: User, operator: User
) -> None:
    for query in ("ferrum", "2:19-cv-01234", "ferum", "rrum", '"argentum gmbh"', "ferr*"):
        for insider in (alice, bob, operator):
            assert found(insider, query) == [matter]
        assert found(charlie, query) == []
    matter.deleted_at = matter.created_at
    matter.save()
    assert found(alice, "ferrum") == []


def test_a_search_is_one_query(matter: Case, alice: User, django_assert_num_queries: Any) -> None:
    assert alice.organization_ids
    compiled = compile_query("ferrum -x")
    rows_found = Case.objects.visible_to(alice).filter(status="open").search(compiled)
    with django_assert_num_queries(1):
        assert list(rows_found) == [matter]
    with django_assert_num_queries(1):
        assert search_hits([matter.pk], compiled)
    assert rows_found.count() == 1
    with pytest.raises(ValueError, match="100"):
        search_hits([matter.pk] * 101, compiled)


def test_a_snippet_of_a_hostile_name_is_escaped(firm: Organization) -> None:
    case = factories.case(firm, case_number="A-1", title="<script>needle</script>")
    assert hit(case, "needle") == CaseHit(
        "title", "A-1 &lt;script&gt;<mark>needle</mark>&lt;/script&gt;"
    )
