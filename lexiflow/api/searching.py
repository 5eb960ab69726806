"""Lists that can be searched: `?q=`.

Filters come first, the search looks only at what they leave, and the order is by relevance unless
another is asked for. Each row of a search has a `hit`: where it was found and the words around it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Protocol
from uuid import UUID

from django.db.models import FloatField, QuerySet
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from lexiflow.api.ordering import Orderings, SortKey
from lexiflow.api.problems import InvalidParameter
from lexiflow.api.projection import Row
from lexiflow.api.reading import RecordReads
from lexiflow.ratelimit.rules import HEAVY
from lexiflow.search.compilation import CompiledQuery, compile_query
from lexiflow.search.index import SearchIndex
from lexiflow.search.query import QueryError
from lexiflow.search.ranking import MAX_HITS


class FindHits(Protocol):
    """Rows' identifiers and the query to what `user`, who sees the rows, is shown of each hit."""

    def __call__(
        self, ids: Sequence[UUID], query: CompiledQuery, user: Any, /
    ) -> Mapping[UUID, Row]: ...


class CorrectQuery(Protocol):
    """A query as it was typed to what may have been meant, in words that `user` may see."""

    def __call__(self, user: Any, text: str, query: CompiledQuery, /) -> str | None: ...


# With more hits than these nobody is asked whether something else was meant.
FEW_RESULTS = 3
MAX_FACET_VALUES = 20
RELEVANCE = SortKey.of_annotation("relevance", FloatField())
Q_DESCRIPTION = (
    'Words to find: `merger "most favored nation" -draft`, `lease OR rental`, `arbitrat*`. '
    "Fields: `case:`, `type:`, `status:`, `court:`, `judge:`, `filed:2019..2021`. "
    "Rows with all words come first; if they are few, others follow, whose `hit` says how many of "
    "the words they have. Each row has a `hit` with the words around it, the hits in `<mark>`, and "
    "the page."
)


def compiled_query(text: str) -> CompiledQuery:
    """A person's query, ready for the database. Raises InvalidParameter for one that cannot be."""
    try:
        return compile_query(text)
    except QueryError as error:
        raise InvalidParameter(q=str(error)) from None


def counted(found: QuerySet[Any], facets: Mapping[str, str]) -> dict[str, Any]:
    """How many of the hits have which values, the commonest first. One query of at most MAX_HITS
    rows; `is_bounded` says that there are as many, and perhaps more.
    """
    rows = list(found.order_by().values_list(*facets.values())[:MAX_HITS])
    answer: dict[str, Any] = {"is_bounded": len(rows) == MAX_HITS}
    for place, name in enumerate(facets):
        common = Counter(row[place] for row in rows if row[place] not in (None, ""))
        ranked = sorted(common.items(), key=lambda pair: (-pair[1], str(pair[0])))
        answer[name] = [
            {"value": value, "count": count} for value, count in ranked[:MAX_FACET_VALUES]
        ]
    return answer


def searched(queryset: QuerySet[Any], query: CompiledQuery) -> QuerySet[Any]:
    """`queryset.search(query)`. Raises InvalidParameter for a field that is none."""
    searchable: Any = queryset
    try:
        found: QuerySet[Any] = searchable.search(query)
    except QueryError as error:
        raise InvalidParameter(q=str(error)) from None
    return found


def refuse_explaining(request: Request) -> None:
    """Raises PermissionDenied for whoever is no operator: what words weigh tells of all firms."""
    if not request.user.is_superuser:
        raise PermissionDenied("Only operators are told how hits are ranked.")


def explanations(
    index: SearchIndex, ids: Sequence[UUID], query: CompiledQuery
) -> dict[UUID, list[dict[str, Any]]]:
    """Why each of these rows ranks where it does. One query."""
    return {pk: list(map(asdict, each)) for pk, each in index.explain(ids, query).items()}


class SearchableRecords(RecordReads):
    """A list with `q`. Its queryset must offer `search(compiled)`."""

    list_parameters: ClassVar[Mapping[str, str]] = {
        "q": Q_DESCRIPTION,
        "facets": "With `q`: `true` counts the hits by type, status, case, court and year.",
        "explain": "With `q`, for operators: `true` says of each hit why it ranks where it does.",
    }
    # What hits are counted by: the name in the answer, and the path of the value.
    facets: ClassVar[Mapping[str, str]] = {}
    # The hits of rows: called once a page, at a number of queries that its size does not change.
    # Declared with `staticmethod(…)`.
    find_hits: ClassVar[FindHits]
    # What may have been meant, in words the caller may see. Declared with `staticmethod(…)`.
    correct_query: ClassVar[CorrectQuery]
    search_index: ClassVar[SearchIndex]

    _compiled: CompiledQuery | None = None

    def get_throttle_scope(self) -> str:
        """Searching costs more than listing."""
        is_search = self.action == "list" and "q" in self.request.query_params
        return HEAVY if is_search else super().get_throttle_scope()

    def page_response(self, queryset: QuerySet[Any]) -> Response:
        text = self.parameters.get("q")
        flags = {name: self.parameters.flag(name) for name in ("facets", "explain")}
        if text is None:
            if any(flags.values()):
                raise InvalidParameter(q="There is nothing to count or explain without a search.")
            return super().page_response(queryset)
        if flags["explain"]:
            refuse_explaining(self.request)
        self._compiled = compiled_query(text)
        found = searched(queryset, self._compiled)
        response = super().page_response(found)
        response.data.update(self._remarks(text, self._compiled, response.data))
        if flags["facets"]:
            response.data["facets"] = counted(found, self.facets)
        self.note_search(text, len(response.data["results"]))
        return response

    def _remarks(self, text: str, query: CompiledQuery, page: Mapping[str, Any]) -> dict[str, Any]:
        """What a reader has to know of the page: how much its best row has of the words, another
        spelling, that there may be more.
        """
        remarks: dict[str, Any] = {}
        hits = [row["hit"] or {} for row in page["results"]]
        if hits and all("matched" in hit for hit in hits):
            remarks["matched"] = hits[0]["matched"]
        if len(hits) < FEW_RESULTS and "cursor" not in self.parameters:
            meant = self.correct_query(self.request.user, text, query)
            remarks |= {"did_you_mean": meant} if meant else {}
        if page.get("count") == MAX_HITS:
            remarks["count_is_estimate"] = True  # a search stops looking there
        return remarks

    def note_search(self, text: str, shown: int) -> None:
        """Hook: called with the words and the number of hits of the page, before it is sent."""

    def get_orderings(self) -> Orderings:
        found = super().get_orderings()
        return found if self._compiled is None else {**found, "relevance": RELEVANCE}

    def get_default_ordering(self) -> str:
        return super().get_default_ordering() if self._compiled is None else "-relevance"

    def present(self, rows: list[Row]) -> list[Row]:
        rows = super().present(rows)
        if self._compiled is not None and rows:
            hits = self.find_hits([row["id"] for row in rows], self._compiled, self.request.user)
            for row in rows:
                row["hit"] = hits.get(row["id"])
            if self.parameters.flag("explain"):
                ids = [row["id"] for row in rows]
                explained = explanations(self.search_index, ids, self._compiled)
                for row in rows:
                    row["explanation"] = explained[row["id"]]
        return rows
