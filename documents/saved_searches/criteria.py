"""From a saved search to what new documents are compared with.

The words are those of the search as they are typed: all of them, unwidened. Who keeps a search for
"arbitraton" is not told of arbitrations.
"""

# ruff: noqa: S608  (only constants of ours are put together; values are parameters)

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Func, Q, SmallIntegerField

from documents.choices import DocumentStatus, DocumentType
from documents.querysets import searchable_fields
from documents.saved_searches.models import SavedSearch
from lexiflow.search.compilation import Clause, CompiledQuery, compile_query
from lexiflow.search.fields import choice, condition_of, days
from lexiflow.search.query import MAX_FIELDS, FieldValue, ParsedQuery, QueryError, parse

_MAX_VALUE_CHARACTERS = 200
_AT_ONCE = 1_000
_PATTERNS = """(SELECT array_agg('%%' || lexiflow_like_pattern({value}) || '%%')
    FROM unnest(nullif(%({name})s::text[], '{{}}')) AS v (value))"""
_COLUMNS = {
    "search_id": "%(search_id)s",
    "made_of": "%(made_of)s",
    "normalizer": "lexiflow_normalizer()",
    "asked": "%(asked)s",
    "words": "%(words)s",
    "clauses": "%(clauses)s",
    "phrases": "%(phrases)s",
    "excluded": "%(excluded)s",
    "excluded_phrases": "%(excluded_phrases)s",
    "anchors": "%(anchors)s::text[]",
    "types": "nullif(%(types)s::text[], '{}')",
    "statuses": "nullif(%(statuses)s::text[], '{}')",
    "tags": "nullif(%(tags)s::text[], '{}')",
    "cases": _PATTERNS.format(value="lexiflow_name(v.value)", name="cases"),
    "courts": _PATTERNS.format(value="v.value", name="courts"),
    "judges": _PATTERNS.format(value="v.value", name="judges"),
    "filed_from": "%(filed_from)s::date",
    "filed_to": "%(filed_to)s::date",
}
_WRITE = f"""
INSERT INTO documents_searchwatch ({", ".join(_COLUMNS)}, waiting)
VALUES ({", ".join(_COLUMNS.values())}, 0)
ON CONFLICT (search_id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "search_id")}
"""
# What waits, also in a digest that is not sent yet, was found by another question.
_FORGET = """
WITH changed AS (
    UPDATE documents_searchwatch SET waiting = 0
    WHERE search_id = %(search_id)s AND asked <> %(asked)s RETURNING search_id
)
DELETE FROM documents_searchmatch AS m USING changed
WHERE m.search_id = changed.search_id AND NOT EXISTS (
    SELECT FROM documents_searchdigest AS d WHERE d.id = m.digest_id AND d.sent_at IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a saved search asks for."""

    compiled: CompiledQuery
    fields: tuple[FieldValue, ...]


def criteria_of(query: str, filters: Any, firm: Any) -> Criteria:
    """Raises QueryError for what cannot be searched, or cannot be waited for."""
    fields = _fields_of(filters)
    parsed = parse(query) if query.strip() else ParsedQuery((), ())
    fields = (*parsed.fields, *fields)
    if not (parsed.clauses or fields):
        raise QueryError("query_empty", "There is no word to search for.")
    if len(fields) > MAX_FIELDS:
        raise QueryError("query_too_many_terms", f"At most {MAX_FIELDS} fields are searched.")
    condition_of(fields, searchable_fields([firm]))
    compiled = compile_query(ParsedQuery(parsed.clauses, parsed.excluded, fields))
    if parsed.clauses and not compiled.clauses:
        raise QueryError("query_empty", "There are only words that every text has.")
    return Criteria(compiled, fields)


def bring_up_to_date() -> list[UUID]:
    """Makes anew what is compared of searches that are new or have changed, and of all after the
    texts are read differently. Returns those that cannot be searched any more: they find nothing.
    """
    normalizer = Func(function="lexiflow_normalizer", output_field=SmallIntegerField())
    is_fresh = Q(watch__made_of=F("version"), watch__normalizer=normalizer)
    stale = SavedSearch.objects.alive().exclude(is_fresh).order_by("pk")
    failed = []
    while some := list(stale[:_AT_ONCE]):
        failed += [search.pk for search in some if not _bring_up_to_date(search)]
    return failed


def _bring_up_to_date(search: SavedSearch) -> bool:
    """Whether it can be searched."""
    try:
        found = _parameters(criteria_of(search.query, search.filters, search.organization_id))
        can_be_searched = True
    except QueryError:
        found, can_be_searched = _NOTHING, False
    values = {
        **found,
        "search_id": search.pk,
        "made_of": search.version,
        "asked": json.dumps([search.query, search.filters], sort_keys=True),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FORGET, values)
        cursor.execute(_WRITE, values)
    return can_be_searched


def _fields_of(filters: Any) -> tuple[FieldValue, ...]:
    if not isinstance(filters, Mapping):
        raise QueryError("query_bad_value", 'Filters are an object: {"type": "motion"}.')
    for name, value in filters.items():
        if not isinstance(value, str) or not value.strip() or len(value) > _MAX_VALUE_CHARACTERS:
            raise QueryError(
                "query_bad_value",
                f"{name}: a text of at most {_MAX_VALUE_CHARACTERS} characters.",
            )
    return tuple(FieldValue(str(name), value.strip()) for name, value in filters.items())


def _parameters(criteria: Criteria) -> dict[str, Any]:
    compiled = criteria.compiled
    filed = _filed(criteria.fields)
    return {
        "words": compiled.exact,
        "clauses": [clause.exact for clause in compiled.clauses],
        "phrases": compiled.required,
        "excluded": compiled.excluded,
        "excluded_phrases": compiled.excluded_phrases,
        "anchors": anchors_of(compiled),
        "types": _chosen(criteria.fields, "type", DocumentType),
        "statuses": _chosen(criteria.fields, "status", DocumentStatus),
        "tags": _values(criteria.fields, "tag"),
        "cases": _values(criteria.fields, "case"),
        "courts": _values(criteria.fields, "court"),
        "judges": _values(criteria.fields, "judge"),
        "filed_from": max((first for first, _ in filed if first), default=None),
        "filed_to": min((last for _, last in filed if last), default=None),
    }


# Of a search that cannot be asked any more: a lexeme that is in no text.
_NOTHING: dict[str, Any] = {
    **dict.fromkeys(
        ("words", "excluded", "excluded_phrases", "filed_from", "filed_to"),
    ),
    **{
        name: []
        for name in (
            *("clauses", "phrases", "types", "statuses", "tags"),
            *("cases", "courts", "judges"),
        )
    },
    "anchors": [],
}


def anchors_of(compiled: CompiledQuery) -> list[str] | None:
    """The lexemes of the rarest clause: a document that has none of them is no hit.

    None if any may be one, as with the beginnings of words.
    """
    known = [found for clause in compiled.clauses if (found := _lexemes(clause))]
    if not known:
        return None
    return [lexeme for lexeme, _ in min(known, key=lambda found: sum(n for _, n in found))]


def _lexemes(clause: Clause) -> list[tuple[str, int]]:
    """With how many records of the sample have each; none if one of them is only a beginning."""
    found = []
    for group in clause.groups:
        unit = group[0]
        if unit.records is None or unit.items != 1:
            return []
        found.append((_unquoted(unit.query), sum(unit.records.values())))
    if clause.typed is not None:
        # All words of a phrase are there: the rarest stands for them.
        return sorted(found, key=lambda each: each[1])[:1]
    return found


def _unquoted(query: str) -> str:
    """The lexeme that `lexiflow_quote_lexeme` has quoted."""
    return query[1:-1].replace("''", "'").replace("\\\\", "\\")


def _values(fields: Sequence[FieldValue], name: str) -> list[str]:
    return [field.value for field in fields if field.name == name]


def _chosen(fields: Sequence[FieldValue], name: str, choices: Any) -> list[str]:
    condition = choice(name, choices)
    return [str(dict(condition(value).children)[name]) for value in _values(fields, name)]  # type: ignore[arg-type,index]


def _filed(fields: Sequence[FieldValue]) -> list[tuple[date | None, date | None]]:
    condition = days("filed_on")
    found: list[tuple[date | None, date | None]] = []
    for value in (*_values(fields, "filed"), *_values(fields, "year")):
        said: dict[str, Any] = dict(condition(value).children)  # type: ignore[arg-type]
        found.append((said.get("filed_on__gte"), said.get("filed_on__lte")))
    return found
