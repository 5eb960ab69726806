"""The query language, the normaliser, and the way from a person's text to a tsquery."""

from typing import Any

import pytest
from django.db import connection

from lexiflow.search.compilation import CompiledQuery, compile_query
from lexiflow.search.query import MAX_CHARACTERS, MAX_TERMS, Kind, QueryError, Term, parse
from lexiflow.search.snippets import MARKED, marks_in, plain, snippet, with_part

W, P, X = Kind.WORD, Kind.PHRASE, Kind.PREFIX

HOSTILE = [
    "foo :bar",
    "a & & b",
    "a <-> b <2> c | !d",
    "' x",
    "''' \\' \\\\ x",
    '""" x',
    '"a "b" c"d" "',
    "foo ((( bar",
    ")))(((foo",
    "x:* y:A *z** **",
    "%_%\\% like_%",
    "$$;DROP TABLE documents_document;--x",
    "{a,b} ARRAY[1] $1 %s %(visible)s %%",
    "Robert'); DROP TABLE students;--",
    '-x -y z -"p q" -\'r',
    "OR OR a OR | OR b |",
    "مرحبا بالعالم",
    "\u202eevil\u202c text",
    "😀 emoji 👩‍👩‍👧",
    "naïve café ofﬁce e\u0301",
    "北京 市",
    "a\x00b\x01c\ud800d\udfffe",
    "x" * MAX_CHARACTERS,
    "a/" * (MAX_CHARACTERS // 2),
    "a-b.c/d@e&f<g>h" * 60,
    "<script>alert(1)</script> <b>&nbsp;",
    "http://user:pw@example.com/a?b=c#d f@example.com C:\\dir\\file.txt",
    "1e400 -5 +5 .5 5. 1.2.3 0x1f ½ ٣",
    "a* ab* \u0130* ß*",
    " ".join(["word*"] * MAX_TERMS),
]


def sql(expression: str, *values: str | None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}", values)
        return cursor.fetchone()[0]


def finds(text: str, query: str) -> bool:
    """Whether a vector of the text satisfies the whole compiled query, phrases included."""
    compiled = compile_query(query)
    everything = [q for q in (compiled.exact, *compiled.required) if q is not None]
    return all(
        sql("to_tsvector('lexiflow', lexiflow_normalize(%s)) @@ %s::tsquery", text, q)
        for q in everything
    )


@pytest.mark.parametrize(
    ("text", "clauses", "excluded"),
    [
        ("arbitration clause", [[(W, "arbitration")], [(W, "clause")]], []),
        ('"most favored nation"', [[(P, "most favored nation")]], []),
        ("“curly quotes”", [[(P, "curly quotes")]], []),
        ("a -b", [[(W, "a")]], [(W, "b")]),
        ('a -"b c"', [[(W, "a")]], [(P, "b c")]),
        ("law texas OR california", [[(W, "law")], [(W, "texas"), (W, "california")]], []),
        ("a|b", [[(W, "a"), (W, "b")]], []),
        ("(a OR b) c", [[(W, "a"), (W, "b")], [(W, "c")]], []),
        ("most or all", [[(W, "most")], [(W, "or")], [(W, "all")]], []),
        ("licens*", [[(X, "licens")]], []),
        ("non-comp*", [[(X, "non-comp")]], []),
        ("non-compete", [[(W, "non-compete")]], []),
        ("OR a OR", [[(W, "a")]], []),
        ("a - b", [[(W, "a")], [(W, "b")]], []),
        ('"unbalanced phrase', [[(W, "unbalanced")], [(W, "phrase")]], []),
        ('"one phrase", two', [[(P, "one phrase")], [(W, "two")]], []),
        ('"" ((( a', [[(W, "a")]], []),
        ("see 384 U. S. 436 (1966)", [[(W, "see")], [(W, "384 U.S. 436")], [(W, "1966")]], []),
        ("12 F. Supp. 2d 345", [[(W, "12 F. Supp. 2d 345")]], []),
        ("410 us 113, roe", [[(W, "410 us 113")], [(W, ",")], [(W, "roe")]][::2], []),
        (
            "https://a.example 12:30 2:19-cv-1",
            [[(W, w)] for w in ("https://a.example", "12:30", "2:19-cv-1")],
            [],
        ),
    ],
)
def test_a_query_is_read_as_people_write_it(
    text: str,
    clauses: list[list[tuple[Kind, str]]],
    excluded: list[tuple[Kind, str]],
) -> None:
    parsed = parse(text)
    assert [[(t.kind, t.text) for t in clause] for clause in parsed.clauses] == clauses
    assert [(t.kind, t.text) for t in parsed.excluded] == excluded


@pytest.mark.parametrize(
    ("text", "fields", "words"),
    [
        ("type:motion dismiss", [("type", "motion")], "dismiss"),
        ('Court:"S.D. N.Y." x', [("court", "S.D. N.Y.")], "x"),
        ("filed:2019..2021", [("filed", "2019..2021")], ""),
        ("a filed:..2021-03 b", [("filed", "..2021-03")], "a b"),
        ("case:2:19-cv-01234 b", [("case", "2:19-cv-01234")], "b"),
        ('"type:motion" Re: x', [], "type:motion Re: x"),
        ("re:x", [("re", "x")], ""),
    ],
)
def test_a_word_with_a_colon_asks_for_a_field(
    text: str, fields: list[tuple[str, str]], words: str
) -> None:
    parsed = parse(text)
    assert [(f.name, f.value) for f in parsed.fields] == fields
    assert parsed.literal == words


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("type:... a", "query_bad_value"),
        ("type:motion -x", "query_empty"),
        ("case:a " * 11, "query_too_many_terms"),
        ("", "query_empty"),
        ("   \t\n", "query_empty"),
        ("!!", "query_empty"),
        ("(((", "query_empty"),
        ('""', "query_empty"),
        ("\x00", "query_empty"),
        ("-texas", "query_empty"),
        ("a" * (MAX_CHARACTERS + 1), "query_too_long"),
        ("w " * 40_000, "query_too_long"),
        ("w " * (MAX_TERMS + 1), "query_too_many_terms"),
        ("w " + "-w " * MAX_TERMS, "query_too_many_terms"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(text: str, code: str) -> None:
    with pytest.raises(QueryError) as refused:
        parse(text)
    assert refused.value.code == code


def test_32_terms_and_1000_characters_are_accepted() -> None:
    assert len(parse("w " * MAX_TERMS).clauses) == MAX_TERMS
    assert parse("x" * MAX_CHARACTERS).clauses == ((Term(W, "x" * MAX_CHARACTERS),),)


@pytest.mark.django_db
@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_compiles_to_queries_that_postgresql_accepts(text: str) -> None:
    compiled = compile_query(text)
    for value in (compiled.exact, compiled.loose, compiled.wanted, compiled.wanted_loosely):
        assert value is None or sql("to_tsvector('x') @@ %s::tsquery", value) in (True, False)
    for clause in (
        *(c.exact for c in compiled.clauses),
        *(c.loose for c in compiled.clauses),
        *compiled.required,
    ):
        assert sql("to_tsvector('x') @@ %s::tsquery", clause) in (True, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "lexeme", ["a", "it's", "\\", "'", "a'b\\c''d\\\\", "& | ! <-> ( ) :* :A", "", " ", "é", "%s"]
)
def test_a_quoted_lexeme_is_itself_and_no_syntax(lexeme: str) -> None:
    if not lexeme:  # the empty lexeme does not exist
        return
    vector = "array_to_tsvector(ARRAY[%s]::text[])"
    assert sql(f"{vector} @@ lexiflow_quote_lexeme(%s)::tsquery", lexeme, lexeme)
    assert not sql(f"{vector} @@ lexiflow_quote_lexeme(%s)::tsquery", lexeme + "x", lexeme)
    assert sql("numnode(lexiflow_quote_lexeme(%s)::tsquery)", lexeme) == 1


@pytest.mark.django_db
def test_words_of_the_query_reach_no_operator() -> None:
    compiled = compile_query("alpha & !beta | gamma:* <-> delta")
    assert sql("%s::tsquery::text", compiled.exact) == "'alpha' & ( 'beta' | 'gamma' ) & 'delta'"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a non-compete clause", "non compete"),
        ("a non-compete clause", '"non compete"'),
        ("a non compete clause", "non-compete"),
        ("a non\u2011compete clause", "non\u2013compete"),
        ("either and/or both licensor/licensee", "licensee"),
        ("the end.The next", "end"),
        ("the end.The next", "next"),
        ("See 384 U.S. 436 (1966).", "384 US 436"),
        ("See 384 US 436", "384 U.S. 436"),
        ("See 384 U. S. 436", "384 U.S. 436"),
        ("See 384 U.S. 436", '"384 U. S. 436"'),
        ("See 384\u00a0U.\u00a0S.\u00a0436", '"384 U.S. 436"'),
        ("under 42 U.S.C. § 1983", '"section 1983"'),
        ("under 42 USC section 1983", "§1983"),
        ("docket no. 05-1234 of", "05-1234"),
        ("docket no. 05\u20131234 of", "05-1234"),
        ("docket no. 2:19-cv-01234-ABC", "2:19-cv-01234"),
        ("agree\u00adment in writ\u200bing", "agreement writing"),
        ("the agreement is binding", "AGREEMENTS"),
        ("Müller's naïve café", "muller naive cafe"),
        ("Mueller & Sons, AT&T Inc.", "AT&T"),
        ("oﬀice and ofﬁce", "office"),
        ("cafe\u0301 noir", "café"),
        ("write to j.doe@example.com today", "example.com"),
        ("<b>Smith & Jones</b>", "smith jones"),
        ("section 4.2(b)", "4.2"),
    ],
)
def test_a_text_and_a_query_that_mean_the_same_meet(text: str, query: str) -> None:
    assert finds(text, query)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("docket no. 05-1234", "05-1235"),
        ("docket no. 1234-05", "05-1234"),
        ("compete with a non profit", "non-compete"),
        ("nation most favored", '"most favored nation"'),
        ("alpha beta", "alpha -beta"),
        ("alpha beta", 'alpha -"beta"'),
    ],
)
def test_a_text_that_means_something_else_does_not(text: str, query: str) -> None:
    assert not finds(text, query)


@pytest.mark.django_db
def test_only_stop_words_leave_a_text_to_compare_with_names() -> None:
    compiled = compile_query("To be, or not to be")
    assert compiled.exact is None
    assert compiled.literal == "To be, or not to be"


@pytest.mark.django_db
def test_compiling_costs_one_query_and_a_compiled_query_none(
    django_assert_num_queries: Any,
) -> None:
    with django_assert_num_queries(1):
        compiled = compile_query('"a phrase" -word licens* exclusiv OR arbitraton')
    with django_assert_num_queries(0):
        assert compile_query(compiled) is compiled
    assert isinstance(compiled, CompiledQuery)


def marked(text: str, query: str) -> str:
    """What the database says of a text, carried over to it as it was written."""
    wanted = compile_query(query).wanted
    return str(sql(MARKED.format("%s", "%s::tsquery"), text, wanted))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("An Exclusive license.", "exclusive", "An <mark>Exclusive</mark> license."),
        (
            "see 384 U.S. 436 (1966)",
            "384 us 436",
            "see <mark>384</mark> <mark>U.S</mark>. <mark>436</mark> (1966)",
        ),
        ("a non-compete here", "non-compete", "a <mark>non</mark>-<mark>compete</mark> here"),
        ("under §§ 1983 ff.", "section", "under <mark>§§</mark> 1983 ff."),
        ("agree\u00adment done", "agreement", "<mark>agree\u00adment</mark> done"),
        ("cafe\u0301 noir", "cafe", "<mark>café</mark> noir"),
        (
            "<mark><b>alert('x')</b> & \"b\"",
            "alert",
            "&lt;mark&gt;&lt;b&gt;<mark>alert</mark>(&#x27;x&#x27;)&lt;/b&gt; &amp; &quot;b&quot;",
        ),
        ("con\x02trol \x03 hit", "hit", "con trol <mark>hit</mark>"),
        ("x" * 3000 + " the hit", "hit", "the <mark>hit</mark>"),  # PostgreSQL drops such words
    ],
)
def test_a_snippet_is_the_text_as_written_escaped_with_its_hits_marked(
    text: str, query: str, shown: str
) -> None:
    assert snippet(text, marked(text, query), length=120) == shown


@pytest.mark.django_db
def test_a_snippet_is_cut_around_the_place_with_most_of_the_words() -> None:
    text = "alpha " + "filler " * 200 + "alpha beta gamma " + "filler " * 200 + "beta"
    html = snippet(text, marked(text, "alpha beta gamma"), length=80)
    assert html is not None
    assert "<mark>alpha</mark> <mark>beta</mark> <mark>gamma</mark>" in html
    assert html.startswith("… ")
    assert html.endswith(" …")
    assert len(html) < 160


def test_without_a_hit_there_is_no_snippet() -> None:
    assert snippet("some text", "some text") is None
    assert marks_in("some text", "some text") == ("some text", [])
    assert plain("a <b> " * 3, length=8) == "a &lt;b&gt; a …"
    assert with_part("File_Name-7.pdf", "name 7") == "File_<mark>Name-7</mark>.pdf"
    assert with_part("File", "other") is None
