"""The best first: BM25 in plain PostgreSQL, over a bounded number of rows.

For one lexeme and equal weights `ts_rank` is an invertible function of the number of its positions,
`tf = 1 / (1.644934 (1 - r)) - 1/2`, so the vectors that find a record also score it, and there are
no term frequencies to keep. How rare a word is comes from a sample of the whole installation
(`lexiflow.search.statistics`); without one, all words count alike.

1. complete: the records that have all words, at most MAX_HITS of those that are visible;
2. relaxed: if these are fewer than FEW, those that lack one word, or two, or have only rare ones;
3. the best RANKED of both, by the words they have and those in the title, are scored by BM25, the
   title on top; for the PAGED best of these their best page counts as well.

The rest follow, unscored, in the order of step 3. Every step looks at what is visible only.

Bounded: a step reads on through matches that are not visible, or lack a phrase, at most to the
EXAMINED-th. Who may see very few of very many matches may miss some of them.
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

from dataclasses import dataclass

from lexiflow.search.compilation import CompiledQuery

# At most so many rows are hits; a count that reaches it means "or more".
MAX_HITS = 1_000
EXAMINED, EXAMINED_FOR_PHRASES, EXAMINED_RELAXED = 20_000, 4_000, 5_000
FEW, MAX_RELAXED = 20, 200
RANKED, PAGED, PAGES = 60, 12, 40
# BM25: how soon more of a word stops mattering, how much length does; for text, title and page.
_TEXT, _TITLE, _PAGE = (1.3, 0.75), (1.2, 0.75), (1.3, 0.75)
_PAGE_WEIGHT, _IN_TITLE_OF_PAGE = 0.6, 1.5
_SHORTEST = 50.0  # a text of fewer words is not better for it
_MEAN_PAGE = 220.0  # different words on a page


@dataclass(frozen=True, slots=True)
class RankedTable:
    """Columns of a search table, as the row `s`, and of its pages, as the row `p`.

    text_weights, title_weights: for ts_rank, which weights of `vector` and of `title` are text and
    title. length: the number of words of the text. exact: when the row is what %(literal)s names;
    such rows come first.
    """

    table: str
    key: str
    vector: str
    title: str
    text_weights: str
    title_weights: str
    length: str
    tenant: str
    exact: str
    has_segments: bool = False
    title_index: bool = False
    pages: str | None = None


UNITS = """
    SELECT query::tsquery AS query, query_group, weight, items, number FROM unnest(
        %(unit_queries)s::text[], %(unit_groups)s::integer[], %(unit_weights)s::float8[],
        %(unit_items)s::integer[]) WITH ORDINALITY
        AS u (query, query_group, weight, items, number)"""


def ranked_sql(
    table: RankedTable, compiled: CompiledQuery, *, holds: str, narrow: str, is_firm_known: bool
) -> tuple[dict[str, str], str]:
    """The common table expressions in their order, and a query of their id and relevance: in
    [1, 2), and in [2, 3) of what the query names exactly.

    holds: the function that checks phrases. narrow: a further condition on `s`, or "".
    """
    scope = f" AND s.{table.tenant} = ANY (%(tenants)s::uuid[])" if is_firm_known else ""
    scope += narrow
    steps = {
        "unit": UNITS,
        "complete": _complete(table, compiled, holds, scope),
        "relaxed": _relaxed(table, compiled, holds, scope),
        "found": f"""
            SELECT f.id, max(f.weight) + coalesce(max(title.weight), 0) AS weight,
                coalesce(bool_or(title.is_exact), false) AS is_exact
            FROM (
                SELECT id, %(total)s::float8 FROM complete UNION ALL SELECT id, weight FROM relaxed
            ) AS f (id, weight)
            LEFT JOIN LATERAL (
                SELECT %(title_weight)s::float8 * sum(u.weight) FILTER (
                        WHERE ts_rank('{table.title_weights}', s.{table.title}, u.query) > 0),
                    %(literal)s <> '' AND bool_or({table.exact})
                FROM {table.table} AS s CROSS JOIN unit AS u
                -- Most titles have none of the words.
                WHERE s.{table.key} = f.id AND s.{table.title} @@ (SELECT %(any)s::tsquery)
            ) AS title (weight, is_exact) ON true
            GROUP BY f.id ORDER BY 3 DESC, 2 DESC, f.id DESC LIMIT {MAX_HITS}""",
        "grouped": _grouped(table),
        "scored": _scored(),
    }
    score = "scored.score"
    if table.pages is not None:
        steps["paged"] = _paged(table)
        score = f"scored.score + {_PAGE_WEIGHT} * coalesce(paged.score, scored.page)"
    joined = "LEFT JOIN paged USING (id)" if table.pages is not None else ""
    query = f"""
        SELECT found.id, CASE WHEN found.is_exact THEN 1 ELSE 0 END
            -- The last digits of a sum depend on its order, and cursors compare for equality.
            + round((CASE WHEN scored.id IS NULL
                THEN 1 + 0.1 * found.weight / (found.weight + 2 * %(total)s::float8)
                ELSE 1.1 + 0.9 * ({score}) / (({score}) + 2 * %(total)s::float8)
            END)::numeric, 6)::float8 AS relevance
        FROM found LEFT JOIN scored USING (id) {joined}"""
    return steps, query


def explanation_sql(table: RankedTable) -> str:
    """SELECT id, number of the unit, how often it stands in the text, how much in the title."""
    return f"""
        WITH found AS (SELECT unnest(%(ids)s::uuid[]) AS id),
        unit AS MATERIALIZED ({UNITS})
        SELECT id, number, sum({_FREQUENCY}), max(in_title), max(length) FROM (
            SELECT s.{table.key} AS id, u.number, ({table.length})::float8 AS length,
                {_rank(table.text_weights, f"s.{table.vector}")} AS r,
                {_in_title(table, f"s.{table.title}")} AS in_title
            FROM found AS f JOIN {table.table} AS s ON s.{table.key} = f.id
            CROSS JOIN unit AS u OFFSET 0
        ) AS ranked GROUP BY id, number ORDER BY id, number"""


def _complete(table: RankedTable, compiled: CompiledQuery, holds: str, scope: str) -> str:
    """Records with all words. Those of several rows need not have them in the same one."""
    checks, examined, is_held = "", EXAMINED, "true"
    if compiled.required or compiled.excluded_phrases:
        examined = EXAMINED_FOR_PHRASES
        checks = (
            f" AND (candidate.is_held OR {holds}(candidate.id, %(required)s::text[]::tsquery[],"
            " %(excluded_phrases)s::tsquery))"
        )
        # Most phrases stand within the reach of the vector that is at hand.
        is_held = "false"
        if compiled.required and not compiled.excluded_phrases:
            is_held = f"s.{table.vector} @@ (SELECT %(strict)s::tsquery)"
    parts = [
        f"""SELECT s.{table.key} AS id, {is_held} AS is_held FROM {table.table} AS s
        WHERE s.{table.vector} @@ (SELECT %(loose)s::tsquery){scope}
            {"AND s.segment = 0" if table.has_segments else ""} LIMIT {examined}"""
    ]
    if table.title_index:
        without = ""
        if compiled.excluded_words:
            without = f" AND NOT s.{table.vector} @@ %(excluded_words)s::tsquery"
        parts.insert(
            0,
            f"""SELECT s.{table.key} AS id, {is_held} AS is_held FROM {table.table} AS s
            WHERE s.{table.title} @@ (SELECT %(loose)s::tsquery){scope}{without}
            LIMIT {MAX_RELAXED}""",
        )
    if table.has_segments:
        parts.append(
            f"""SELECT s.{table.key}, false FROM unnest(%(clauses)s::text[]::tsquery[])
                WITH ORDINALITY AS clause (query, number)
            JOIN {table.table} AS s ON s.{table.vector} @@ clause.query
            WHERE s.segment > 0{scope} AND NOT EXISTS (
                SELECT FROM {table.table} AS other WHERE other.{table.key} = s.{table.key}
                    AND other.{table.vector} @@ %(excluded)s::tsquery)
            GROUP BY s.{table.key}
            HAVING count(DISTINCT clause.number) = cardinality(%(clauses)s::text[])"""
        )
    every = " UNION ALL ".join(f"({part})" for part in parts)
    return f"""
        SELECT DISTINCT candidate.id FROM (
            SELECT candidate.id FROM ({every}) AS candidate
            WHERE EXISTS (%(visible)s OFFSET 0){checks} LIMIT {MAX_HITS}
        ) AS candidate"""


def _relaxed(table: RankedTable, compiled: CompiledQuery, holds: str, scope: str) -> str:
    checks = ""
    if compiled.required_always or compiled.excluded:
        checks = (
            f" AND {holds}(candidate.id, %(required_always)s::text[]::tsquery[],"
            " %(excluded)s::tsquery)"
        )
    return f"""
        SELECT hit.id, branch.weight FROM (
            SELECT query::tsquery AS query, weight
            FROM unnest(%(branches)s::text[], %(branch_weights)s::float8[]) AS b (query, weight)
            WHERE (SELECT count(*) FROM complete) < {FEW}
        ) AS branch
        CROSS JOIN LATERAL (
            SELECT candidate.id FROM (
                SELECT s.{table.key} AS id FROM {table.table} AS s
                WHERE s.{table.vector} @@ branch.query{scope} LIMIT {EXAMINED_RELAXED}
            ) AS candidate
            WHERE EXISTS (%(visible)s OFFSET 0){checks} LIMIT {MAX_RELAXED}
        ) AS hit"""


def _bm25(frequency: str, length: str, mean: str, constants: tuple[float, float]) -> str:
    k1, b = constants
    norm = f"{k1} * ({1 - b} + {b} * {length} / {mean}::float8)"
    return f"{frequency} * {k1 + 1} / ({frequency} + {norm})"


def _rank(weights: str, vector: str) -> str:
    """`ts_rank` of a unit, which divides by the number of its items."""
    return f"least(ts_rank('{weights}', {vector}, u.query)::float8 * u.items, 0.9999)"


def _in_title(table: RankedTable, title: str) -> str:
    rank = f"ts_rank('{table.title_weights}', {title}, u.query)::float8 * u.items"
    return f"least({rank} / {_RANK_OF_ONE}, 1)"


# The rank of a single position of weight 1.
_RANK_OF_ONE = 0.60792710185
# How often a unit with the rank `r` stands in a vector.
_FREQUENCY = "CASE WHEN r > 0 THEN 1 / (1.64493406685 * (1 - r)) - 0.5 ELSE 0 END"


def _grouped(table: RankedTable) -> str:
    """For each record and word of the query: what text and title are worth, and how much of it."""
    text = _bm25("tf", f"greatest(length, {_SHORTEST})", "%(mean_length)s", _TEXT)
    title = _bm25("1.0", "title_length", "%(mean_title_length)s", _TITLE)
    return f"""
        SELECT id, query_group,
            max(CASE WHEN tf > 0 THEN weight * {text} ELSE 0 END) AS text,
            max(weight * in_title * {title}) AS title,
            max(CASE WHEN tf > 0 OR in_title > 0 THEN weight ELSE 0 END) AS matched,
            max(weight * in_title) AS in_title
        FROM (
            SELECT id, number, max(query_group) AS query_group, max(weight) AS weight,
                sum({_FREQUENCY}) AS tf, max(in_title) AS in_title,
                max(length) AS length, max(title_length) AS title_length
            FROM (
                SELECT v.id, v.length, v.title_length, u.number, u.query_group, u.weight,
                    {_rank(table.text_weights, "v.vector")} AS r,
                    {_in_title(table, "v.title")} AS in_title
                FROM (
                    SELECT f.id, ({table.length})::float8 AS length,
                        length(s.{table.title})::float8 AS title_length, s.{table.title} AS title,
                        s.{table.vector} || ''::tsvector AS vector  -- read from its place once
                    FROM (SELECT id FROM found ORDER BY is_exact DESC, weight DESC, id DESC
                        LIMIT {RANKED}) AS f
                    JOIN {table.table} AS s ON s.{table.key} = f.id OFFSET 0
                ) AS v CROSS JOIN unit AS u OFFSET 0
            ) AS ranked GROUP BY id, number
        ) AS of_units GROUP BY id, query_group"""


def _scored() -> str:
    return f"""
        SELECT id, sum(greatest(text, {_IN_TITLE_OF_PAGE} * in_title)) AS page,
            (sum(text) + %(title_weight)s::float8 * sum(title))
            * sqrt(least(sum(matched) / %(total)s::float8, 1)) AS score
        FROM grouped GROUP BY id"""


def _paged(table: RankedTable) -> str:
    """The best page of the best, among the first PAGES of each. What the title says need not stand
    on the page.
    """
    page = _bm25("tf", "length", str(_MEAN_PAGE), _PAGE)
    return f"""
        SELECT id, max(score) AS score FROM (
            SELECT id, page, sum(score) AS score FROM (
                SELECT of_units.id, page, query_group, greatest(
                    max(CASE WHEN tf > 0 THEN weight * {page} ELSE 0 END),
                    {_IN_TITLE_OF_PAGE} * max(in_title)) AS score
                FROM (
                    SELECT id, page, length, query_group, weight, {_FREQUENCY} AS tf FROM (
                        SELECT p.id, p.page, p.length::float8 AS length, u.query_group, u.weight,
                            {_rank("{1,0,0,0}", "p.vector")} AS r
                        FROM (
                            SELECT id FROM scored ORDER BY score DESC, id DESC LIMIT {PAGED}
                        ) AS best
                        JOIN LATERAL ({table.pages}) AS p ON true
                        CROSS JOIN unit AS u OFFSET 0
                    ) AS ranked
                ) AS of_units JOIN grouped USING (id, query_group)
                GROUP BY of_units.id, page, query_group
            ) AS of_groups GROUP BY id, page
        ) AS pages GROUP BY id"""
