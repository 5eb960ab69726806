"""Finding documents: what is found, in which order, by whom, and what is shown of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection

from cases.models import Case
from documents.models import Document, DocumentPage
from documents.search import Hit, search_hits, suggestions
from lexiflow.search.compilation import compile_query
from lexiflow.search.ranking import MAX_HITS
from tests import factories
from tests.infrastructure.test_search_query import HOSTILE
from users.models import Organization, User

pytestmark = pytest.mark.django_db

FILLER = "Whereas the parties have agreed as follows and intend to be bound hereby. "


@pytest.fixture
def write(firm: Organization) -> Callable[..., Document]:
    """Makes a document of alice's firm; `pages` are the texts of its pages."""

    def make(*pages: str, file_name: str = "", **fields: Any) -> Document:
        document = factories.document(firm, pages[0], **fields)
        if file_name:
            Document.objects.filter(pk=document.pk).update(file_name=file_name)
        if len(pages) > 1:
            version = document.versions.get(number=document.current_version)
            version.text_pages.all().delete()
            DocumentPage.objects.bulk_create(
                DocumentPage(version=version, document=document, number=number, text=text)
                for number, text in enumerate(pages, start=1)
            )
        return document

    return make


def found(user: User, query: str) -> list[Document]:
    rows = Document.objects.visible_to(user).search(query)
    return list(rows.order_by("-relevance", "-id"))


def hit(document: Document, query: str) -> Hit:
    return search_hits([document.pk], query)[document.pk]


def test_words_are_found_in_title_description_file_name_and_text(write: Any, alice: User) -> None:
    title = write("x", title="Arbitration agreement")
    description = write("x", title="b", description="About arbitrators")
    text = write("to arbitrate", title="c")
    write("nothing", title="d")
    assert found(alice, "arbitration") == [title, description, text]


def test_what_has_all_words_comes_first_and_nothing_has_an_excluded_one(
    write: Any, alice: User
) -> None:
    both = write("merger and acquisition in Delaware")
    texas = write("merger and acquisition in Texas")
    part = write("merger")
    assert set(found(alice, "merger acquisition")[:2]) == {both, texas}
    assert found(alice, "merger acquisition")[2:] == [part]  # too few have all words
    assert found(alice, "merger acquisition -texas") == [both, part]
    assert found(alice, 'merger -"acquisition in Texas"  acquisition') == [both, part]
    assert set(found(alice, "delaware OR texas")) == {both, texas}
    assert found(alice, "acquisition delaware|nevada") == [both]


def test_a_phrase_needs_its_words_in_their_order(write: Any, alice: User) -> None:
    phrase = write("has a right of first refusal today")
    title = write("x", title="Right of first refusal")
    write("the first refusal of a right")
    assert found(alice, '"right of first refusal"') == [title, phrase]
    assert hit(phrase, '"right of first refusal"') == Hit(
        1, "has a <mark>right</mark> of <mark>first</mark> <mark>refusal</mark> today"
    )


def test_a_phrase_does_not_reach_from_the_text_into_the_title(write: Any, alice: User) -> None:
    write("ends with alpha", title="beta begins", description="gamma", file_name="delta.txt")
    for query in ('"alpha beta"', '"begins gamma"', '"beta alpha"', '"txt gamma"'):
        assert found(alice, query) == []


def test_a_phrase_on_the_last_of_many_pages_is_found_with_its_page(write: Any, alice: User) -> None:
    # 30,000 words: positions in a document's vector end at 16,383.
    pages = [FILLER * 12] * 200
    document = write(*pages, "the last page has an unmistakable covenant of quietude indeed")
    other = write(*pages, "quietude, and no covenant of such a kind; unmistakable")
    assert found(alice, '"unmistakable covenant of quietude"') == [document]
    assert found(alice, "unmistakable covenant -quietude") == []
    assert set(found(alice, "quietude")) == {document, other}
    assert hit(document, '"covenant of quietude"').page == 201
    assert hit(document, "quietude").page == 201


def test_a_phrase_across_the_edge_of_two_pages_is_found(write: Any, alice: User) -> None:
    first = FILLER * 30 + "the indemnified"
    document = write(first, "party shall not be held liable. " + FILLER, FILLER)
    assert found(alice, '"indemnified party shall not be held"') == [document]
    assert hit(document, '"indemnified party"').page == 1
    # A word of the second page alone is shown where it stands.
    assert hit(document, "liable").page == 2


def test_a_text_of_a_million_and_a_half_bytes_of_different_words_is_found(
    write: Any, alice: User
) -> None:
    words = [f"w{number:07x}" for number in range(170_000)]
    text = " ".join(words)
    assert len(text) > 1_500_000
    pages = [text[start : start + 90_000] for start in range(0, len(text), 90_000)]
    document = write(*pages, title="Ledger of everything")
    assert document.search.count() > 2
    # The first, the last, both together in different vectors, and with the title.
    assert found(alice, words[0]) == [document]
    assert found(alice, words[-1]) == [document]
    assert found(alice, f"{words[0]} {words[-1]} ledger") == [document]
    assert found(alice, f'"{words[-3]} {words[-2]} {words[-1]}"') == [document]
    assert found(alice, f"{words[0]} -{words[-1]}") == []
    assert found(alice, f'{words[0]} "missing"') == []
    assert hit(document, words[-1]).page == len(pages)


def test_a_single_page_of_too_many_words_is_found_as_well(write: Any, alice: User) -> None:
    words = [f"w{number:07x}" for number in range(170_000)]
    document = write("short")
    document.text_pages.update(text=" ".join(words))
    assert found(alice, f"{words[0]} {words[-1]}") == [document]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("an exclusive license is granted", "exclusiv licens"),
        ("an exclusive license is granted", "licens*"),
        ("an exclusive license is granted", "licensing"),
        ("subject to arbitration", "arbitrati"),
        ("see 384 U.S. 436", "384 US 436"),
        ("see 384 US 436", "384 U. S. 436"),
        ("docket 05-1234", "05\u20131234"),
    ],
)
def test_stems_cut_words_and_citations_are_found(
    write: Any, alice: User, text: str, query: str
) -> None:
    document = write(text)
    write("something else, 05 and 436")
    assert found(alice, query) == [document]
    assert "<mark>" in hit(document, query).snippet_html


@pytest.mark.parametrize("typo", ["arbitraton", "abritration", "arbitratoin", "arbitation"])
def test_a_misspelt_word_is_found_below_the_words_as_typed(
    write: Any, alice: User, typo: str
) -> None:
    meant = write("subject to arbitration")
    call_command("refresh_search_vocabulary", verbosity=0)
    assert found(alice, typo) == [meant]
    assert hit(meant, typo).snippet_html == "subject to <mark>arbitration</mark>"
    typed = write(f"subject to {typo}")
    assert found(alice, typo) == [typed, meant]


def test_a_misspelt_word_is_found_in_names_without_a_vocabulary(write: Any, alice: User) -> None:
    document = write("x", title="Stockholders agreement Zimmermann")
    assert found(alice, "Zimmerman") == [document]
    assert found(alice, "Zimermann") == [document]


def test_many_exact_hits_need_no_widening(write: Any, alice: User) -> None:
    exact = {write("the texas matter") for _ in range(3)}
    write("the texan matter; texts")
    call_command("refresh_search_vocabulary", verbosity=0)
    assert set(found(alice, "texas")) == exact


def test_a_part_of_a_name_is_found_below_exact_words(write: Any, alice: User) -> None:
    part = write("x", title="Case 2021-CV-00457-JKL")
    assert found(alice, "CV-004") == [part]
    assert found(alice, "2021-cv-00457-jkl") == [part]
    assert hit(part, "CV-004").snippet_html == "Case 2021-<mark>CV</mark>-00457-JKL"
    assert found(alice, "V-0045") == [part]
    assert hit(part, "V-0045").snippet_html == "Case 2021-C<mark>V-0045</mark>7-JKL"
    exact = write("see CV 004 for that")
    assert found(alice, "CV-004") == [exact, part]


def test_stop_words_alone_are_looked_for_in_names(write: Any, alice: User) -> None:
    will = write("x", title="Last will and testament")
    write("I will do that", title="Promise")
    assert found(alice, "will") == [will]
    assert found(alice, '"to be or not to be"') == []
    assert found(alice, "will -testament") == []
    assert found(alice, "the testament of the") == [will]


def test_exact_hits_come_first_then_the_title_then_more_of_the_words(
    write: Any, alice: User
) -> None:
    text = write("lease " * 3)
    less = write("lease and nothing else")
    title = write("x", title="A lease")
    assert found(alice, "lease") == [title, text, less]


def test_equal_hits_come_newest_first_and_pages_neither_repeat_nor_miss(
    write: Any, alice: User
) -> None:
    made = [write("the same words", title="Same") for _ in range(7)]
    rows = Document.objects.visible_to(alice).search("same words")
    walked: list[UUID] = []
    page = rows.order_by("-relevance", "-id")
    last: tuple[float, UUID] | None = None
    while True:
        ahead = page if last is None else page.filter(relevance=last[0], id__lt=last[1])
        block = list(ahead.values_list("relevance", "id")[:3])
        if not block:
            break
        walked += [pk for _, pk in block]
        last = block[-1]
    assert walked == [document.pk for document in reversed(made)]


def test_a_search_is_one_query_and_composes(
    write: Any, alice: User, django_assert_num_queries: Any
) -> None:
    a, b = write("words here", status="filed"), write("words there")
    compiled = compile_query("words")
    assert alice.organization_ids
    with django_assert_num_queries(1):
        assert set(Document.objects.visible_to(alice).search(compiled)) == {a, b}
    rows = Document.objects.visible_to(alice).filter(status="filed").search(compiled)
    assert rows.count() == 1
    assert rows.exists()
    assert list(rows.values_list("id", flat=True)) == [a.pk]
    assert list(Document.objects.filter(pk__in=rows.values("pk"))) == [a]
    assert rows.filter(relevance__gt=1).get() == a
    assert rows.order_by("title")[:1].get() == a
    assert Document.objects.none().search(compiled).count() == 0
    with django_assert_num_queries(1):
        search_hits([a.pk, b.pk], compiled)
    with pytest.raises(ValueError, match="100"):
        search_hits([a.pk] * 101, compiled)


def test_a_stranger_finds_counts_and_is_suggested_nothing(
    write: Any, alice: User, bob: User, charlie: User, operator: User
) -> None:
    document = write("zanzibar clause", title="Zanzibar lease", file_name="zanzibar.pdf")
    queries = ["zanzibar", '"zanzibar clause"', "zanz*", "anziba", "zanzibr lease", "lease OR x"]
    call_command("refresh_search_vocabulary", verbosity=0)
    for query in queries:
        for insider in (alice, bob, operator):
            assert found(insider, query) == [document], query
        assert found(charlie, query) == []
        assert Document.objects.visible_to(charlie).search(query).count() == 0
    for typed in ("zanz", "zanzibr", "z"):
        assert suggestions(charlie, typed) == []


def test_invisible_matches_do_not_take_the_places_of_visible_ones(
    alice: User, firm: Organization, other_firm: Organization, write: Any
) -> None:
    mine = write("commonplace")
    # Newer, and more than fit.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO documents_documentsearch (document_id, organization_id, segment, names,"
            " title_vector, vector, length) SELECT d.id, %s, n, '', '', s.vector, 1"
            " FROM documents_document d JOIN documents_documentsearch s ON s.document_id = d.id,"
            " generate_series(1, %s) AS n WHERE d.id = %s",
            [other_firm.pk, MAX_HITS + 1, factories.document(other_firm, "commonplace").pk],
        )
    gone = [write("commonplace") for _ in range(3)]
    for document in gone:
        document.deleted_at = document.created_at
        document.save()
    assert found(alice, "commonplace") == [mine]


def test_deleted_documents_and_those_of_deleted_cases_are_not_found(
    write: Any, alice: User, firm: Organization
) -> None:
    case = factories.case(firm)
    alone, in_case = write("needle"), write("needle", case=case)
    assert set(found(alice, "needle")) == {alone, in_case}
    case.deleted_at = case.created_at
    case.save()
    assert found(alice, "needle") == [alone]
    alone.deleted_at = alone.created_at
    alone.save()
    assert found(alice, "needle") == []
    assert suggestions(alice, "Document") == []


def test_a_snippet_of_hostile_text_is_escaped(write: Any) -> None:
    document = write("<mark><script>alert(1)</script></mark> & a needle")
    assert hit(document, "needle").snippet_html == (
        "&lt;mark&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;/mark&gt; &amp; a <mark>needle</mark>"
    )


def test_a_hit_in_the_title_names_no_page(write: Any) -> None:
    document = write("x", title="A <b>lease</b>", description="Of rental premises")
    assert hit(document, "lease") == Hit(None, "A &lt;b&gt;<mark>lease</mark>&lt;/b&gt;")
    assert hit(document, "premises") == Hit(None, "Of rental <mark>premises</mark>")


def test_suggestions_look_at_older_names_when_few_of_the_newest_begin_so(
    firm: Organization, other_firm: Organization, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is hidden, or another firm's, takes nobody's place among the newest."""
    monkeypatch.setattr("lexiflow.search.names._NEWEST", 2)
    factories.document(firm, title="Merger of old")
    factories.document(firm, title="Merger, newer")
    hidden = factories.case(firm, access="team")
    for n in range(3):
        factories.document(other_firm, title=f"Merger of others {n}")
        factories.document(
            firm, title=f"Merger {n}, hidden", case=hidden, access_level="privileged"
        )
    alice.role = "clerk"
    found = {s.text for s in suggestions(alice, "merg")}
    assert found == {"Merger of old", "Merger, newer"}
    monkeypatch.setattr("lexiflow.search.index._ENOUGH_COMPLETIONS", 1)
    factories.document(firm, title="Merger, newest")
    assert [s.text for s in suggestions(alice, "merg")] == ["Merger, newest"]
    assert [s.text for s in suggestions(alice, "m")] == ["Merger, newest"]


def test_suggestions_complete_and_correct_names_of_every_kind(
    write: Any, alice: User, firm: Organization
) -> None:
    title = write("x", title="Merchant agreement")
    file = write("x", title="Other", file_name="merchandise-list.pdf")
    case = factories.case(firm, title="In re Mercury")
    factories.party(case, name="Merton Bank")
    number = factories.case(firm, case_number="MER-77", title="Unrelated")
    write("x", title="Described", description="a merchant")
    kinds = {(s.text, s.kind, s.id) for s in suggestions(alice, "mer")}
    assert kinds == {
        ("Merchant agreement", "document", title.pk),
        ("merchandise-list.pdf", "file", file.pk),
        ("In re Mercury", "case", case.pk),
        ("MER-77", "case", number.pk),
    }
    assert [s.text for s in suggestions(alice, "merton b")] == ["Merton Bank"]
    assert [s.text for s in suggestions(alice, "mercahnt agreement")] == ["Merchant agreement"]
    assert len(suggestions(alice, "mer", limit=2)) == 2
    assert suggestions(alice, "   ") == []
    for hostile in ("%", "_", "\\", "'", "\x00", "\ud800", "(", "a" * 5000):
        suggestions(alice, hostile)


@pytest.mark.parametrize("query", HOSTILE)
def test_any_text_is_searched_shown_and_suggested_without_an_error(
    write: Any, alice: User, query: str
) -> None:
    title = query[:200].translate({0: " "}).encode("utf-8", "ignore").decode()
    document = write("word foo a b x 😀 naïve", title=title)
    for rows in (Document.objects.visible_to(alice), Case.objects.visible_to(alice)):
        assert len(rows.search(query).order_by("-relevance", "-id")) <= 1
    assert "<script" not in hit(document, query).snippet_html
    suggestions(alice, query)
