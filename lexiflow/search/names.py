"""Finding rows by their names (titles, numbers, file names), not by words: parts and beginnings.

For what words cannot find: "19-cv-012" in "2:19-cv-01234", what somebody is still typing, and a
misspelt name that is newer than the vocabulary. Every step stops looking after so many rows, before
anything is compared letter by letter; the firm and the visibility rule are asked first.

The pieces are common table expressions with the columns id and relevance (below 1).
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

from collections.abc import Sequence
from dataclasses import dataclass

MAX_NAMED = 200
MAX_COMPLETIONS = 50
# The relevance of a completion is at least this, that of a look-alike is below.
LEAST_COMPLETION = 0.5
_EXAMINED, _COMPARED = 2_000, 150
# Older names are corrected from the vocabulary.
_NEWEST = 500
_LEAST_LIKENESS = 0.5


@dataclass(frozen=True, slots=True)
class NamedTable:
    """table: with the columns `key`, `names`, their words in `vector`, and `tenant`. records: the
    table whose `id` is `key`, with `created_at` and the same tenant.
    """

    table: str
    key: str
    vector: str
    tenant: str
    records: str


def named(names: NamedTable, *, is_firm_known: bool, checks: str) -> str:
    """Names that contain %(literal)s; as whole words first, then the closest."""
    return _matching(
        names,
        "s.names ILIKE (SELECT '%%' || lexiflow_like_pattern(%(literal)s) || '%%')",
        "0.5 + similarity(names, %(literal)s) / 4 + CASE WHEN ' ' || names || ' '"
        " ILIKE '%% ' || lexiflow_like_pattern(%(literal)s) || ' %%' THEN 0.2 ELSE 0 END",
        is_firm_known=is_firm_known,
        checks=checks,
        most=MAX_NAMED,
    )


# Names that begin with %(literal)s, or have a word that does. As an expression, so that the planner
# does not look all of them up by three letters.
_BEGINS = (
    "(s.names || '' ILIKE (SELECT lexiflow_like_pattern(%(literal)s) || '%%')"
    " OR s.names || '' ILIKE (SELECT '%% ' || lexiflow_like_pattern(%(literal)s) || '%%'))"
)
_BEGINS_HOW_WELL = (
    "similarity(names, %(literal)s) / 4 + CASE WHEN"
    " names ILIKE lexiflow_like_pattern(%(literal)s) || '%%' THEN 0.7 ELSE 0.5 END"
)


# The words before the last one, and what the last one may go on as. Of these an index gives far
# fewer rows than of three letters each, which nearly all names have.
_WORDS = """(SELECT plainto_tsquery('lexiflow', head) && lexiflow_completions(begun) FROM (
    SELECT regexp_replace(%(literal)s, '[[:alnum:]]+$', ''),
        lower(unaccent(substring(%(literal)s FROM '[[:alnum:]]+$')))) AS typed (head, begun))"""


def newly_completing(names: NamedTable, *, is_firm_known: bool) -> str:
    """The same among the newest records of each firm, along an index: what begins so very often is
    among them, and however many others there are need not be looked at.
    """
    newest = f"SELECT r.id FROM {names.records} AS r"
    order = f"ORDER BY r.created_at DESC LIMIT {_NEWEST}"
    if is_firm_known:
        newest = f"""SELECT r.id FROM unnest(%(tenants)s::uuid[]) AS firm (id) CROSS JOIN LATERAL (
            {newest} WHERE r.{names.tenant} = firm.id {order}) AS r"""
    else:
        newest = f"{newest} {order}"
    return f"""
        SELECT id, max({_BEGINS_HOW_WELL}) AS relevance FROM (
            SELECT candidate.id, s.names FROM ({newest}) AS candidate
            JOIN {names.table} AS s ON s.{names.key} = candidate.id
            WHERE {_BEGINS} AND EXISTS (%(visible)s OFFSET 0) LIMIT {_COMPARED}
        ) AS compared GROUP BY id ORDER BY 2 DESC, 1 DESC LIMIT {MAX_COMPLETIONS}"""


def completing(names: NamedTable, *, is_firm_known: bool, checks: str) -> str:
    """Names that begin with %(literal)s, or have a word that does."""
    return _matching(
        names,
        f"s.{names.vector} @@ {_WORDS} AND {_BEGINS}",
        _BEGINS_HOW_WELL,
        is_firm_known=is_firm_known,
        checks=checks,
        most=MAX_COMPLETIONS,
    )


def _matching(
    names: NamedTable,
    condition: str,
    relevance: str,
    *,
    is_firm_known: bool,
    checks: str,
    most: int,
) -> str:
    # The patterns are subqueries, so that the planner neither knows nor fears them.
    firm = f" AND s.{names.tenant} = ANY (%(tenants)s::uuid[])" if is_firm_known else ""
    return f"""
        SELECT id, max({relevance}) AS relevance FROM (
            SELECT candidate.id, candidate.names FROM (
                SELECT s.{names.key} AS id, s.names FROM {names.table} AS s
                WHERE {condition}{firm} LIMIT {_EXAMINED}
            ) AS candidate WHERE EXISTS (%(visible)s OFFSET 0){checks} LIMIT {_COMPARED}
        ) AS compared GROUP BY id ORDER BY 2 DESC, 1 DESC LIMIT {most}"""


def alike(
    names: NamedTable, collection: str, *, is_firm_known: bool, checks: str, most: int
) -> str:
    """Names with a part that looks like %(literal)s, of rows that are newer than the vocabulary."""
    firm = f"r.{names.tenant} = ANY (%(tenants)s::uuid[]) AND " if is_firm_known else ""
    return f"""
        SELECT id, relevance FROM (
            SELECT candidate.id, max(word_similarity(%(literal)s, s.names) / 2.01)::float8
            FROM (
                SELECT r.id FROM {names.records} AS r WHERE {firm}r.created_at > coalesce(
                    (SELECT counted_at FROM lexiflow_search_collection
                    WHERE collection = '{collection}'), '-infinity')
                ORDER BY r.created_at DESC LIMIT {_NEWEST}
            ) AS candidate JOIN {names.table} AS s ON s.{names.key} = candidate.id
            WHERE EXISTS (%(visible)s OFFSET 0){checks}
            GROUP BY candidate.id
        ) AS compared (id, relevance) WHERE relevance >= {_LEAST_LIKENESS / 2.01}
        ORDER BY relevance DESC, id DESC LIMIT {most}"""


def fewer(steps: Sequence[str], than: int) -> str:
    """A condition without variables: PostgreSQL decides once whether to run a step at all."""
    found = " + ".join(f"(SELECT count(*) FROM {name})" for name in steps) or "0"
    return f"{found} < {than}"


def is_new(steps: Sequence[str]) -> str:
    """`candidate` is no hit of an earlier step."""
    return "".join(
        f" AND NOT EXISTS (SELECT FROM {name} WHERE {name}.id = candidate.id)" for name in steps
    )
