"""`search/`: one question to cases and documents together, and suggestions while typing."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from cases.serializers import CaseSummary
from cases.viewsets import PERMISSIONS, CaseViewSet
from documents.search import correction, suggestions
from documents.serializers import DocumentSummary
from documents.viewsets import DocumentViewSet
from lexiflow.api.problems import InvalidParameter
from lexiflow.api.projection import Row, projection_of
from lexiflow.api.searching import (
    FEW_RESULTS,
    Q_DESCRIPTION,
    SearchableRecords,
    compiled_query,
    counted,
    explanations,
    refuse_explaining,
    searched,
)
from lexiflow.api.viewsets import StrictRequests
from lexiflow.ratelimit.rules import HEAVY
from lexiflow.search.compilation import CompiledQuery
from users import audit
from users.authentication import caller

MAX_RESULTS = 100
MAX_SUGGESTIONS = 20
MAX_TYPED_CHARACTERS = 200

# Each kind is found, shown and counted as in its own list.
_KINDS: dict[str, tuple[type[SearchableRecords], Any]] = {
    "case": (CaseViewSet, CaseSummary),
    "document": (DocumentViewSet, DocumentSummary),
}
_FLAGS = {
    "facets": "`true` counts the hits of each kind by type, status, case, court and year.",
    "explain": "For operators: `true` says of each hit why it ranks where it does.",
}

# What is searched, in the words of API keys: all of it is needed.
_RESOURCES = ("cases", "documents")


class FoundSerializer(serializers.Serializer[Any]):
    """A case or a document. `record` is its summary; the rest is as in the lists of its kind."""

    kind = serializers.ChoiceField(choices=list(_KINDS))
    relevance = serializers.FloatField()
    record = serializers.DictField()
    hit = serializers.DictField(allow_null=True)
    explanation = serializers.ListField(child=serializers.DictField(), required=False)


class SearchAnswerSerializer(serializers.Serializer[Any]):
    """matched: "3 of 4 words" when no result has all; did_you_mean: another spelling of few;
    facets: of each kind, `is_bounded` if it has more hits than were counted.
    """

    results = FoundSerializer(many=True)
    matched = serializers.CharField(required=False)
    did_you_mean = serializers.CharField(required=False)
    facets = serializers.DictField(child=serializers.DictField(), required=False)


class SuggestionSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    kind = serializers.ChoiceField(choices=["document", "file", "case", "party"])
    id = serializers.UUIDField()


class SuggestionsSerializer(serializers.Serializer[Any]):
    results = SuggestionSerializer(many=True)


def _query(description: str) -> OpenApiParameter:
    return OpenApiParameter("q", str, required=True, description=description)


class SearchView(StrictRequests, GenericAPIView[Any]):
    """The most relevant cases and documents. For pages and filters: `?q=` of either list."""

    resource = _RESOURCES
    permission_classes = PERMISSIONS
    serializer_class = SearchAnswerSerializer
    query_parameters = ("q", "page_size", *_FLAGS)
    throttle_scope = HEAVY
    queryset = None

    @extend_schema(
        tags=["search"],
        parameters=[
            _query(Q_DESCRIPTION),
            OpenApiParameter("page_size", int),
            *(OpenApiParameter(name, bool, description=text) for name, text in _FLAGS.items()),
        ],
        operation_id="search",
    )
    def get(self, request: Request) -> Response:
        size = self.parameters.integer("page_size", 20, minimum=1, maximum=MAX_RESULTS)
        text = required_text(self.parameters.get("q"), 1_000)
        flags = {name: self.parameters.flag(name) for name in _FLAGS}
        if flags["explain"]:
            refuse_explaining(request)
        query = compiled_query(text)
        found = self._of_both(query)
        rows = [row for kind in found for row in self._best(kind, found[kind], size)]
        rows.sort(key=lambda row: (-row["relevance"], row["record"]["id"]))
        results = self._with_hits(rows[:size], query, explain=flags["explain"])
        audit.record_search(request, text, within="all", hits=len(results))
        answer: dict[str, Any] = {"results": results}
        hits = [row["hit"] or {} for row in results]
        if hits and all("matched" in hit for hit in hits):
            answer["matched"] = hits[0]["matched"]
        if len(results) < FEW_RESULTS:
            meant = correction(caller(request), text, query)
            answer.update({"did_you_mean": meant} if meant else {})
        if flags["facets"]:
            answer["facets"] = {k: counted(found[k], _KINDS[k][0].facets) for k in found}
        return Response(answer)

    def _of_both(self, query: CompiledQuery) -> dict[str, QuerySet[Any]]:
        """What is found of each kind; `type:motion` is a value for documents only, and finds no
        case.
        """
        found: dict[str, QuerySet[Any]] = {}
        refusals: list[InvalidParameter] = []
        for kind, (view, _) in _KINDS.items():
            try:
                found[kind] = searched(view.queryset.visible_to(caller(self.request)), query)
            except InvalidParameter as refusal:
                refusals.append(refusal)
        if not found:
            raise refusals[-1]
        return found

    @staticmethod
    def _best(kind: str, found: QuerySet[Any], size: int) -> list[Row]:
        projection = projection_of(_KINDS[kind][1])
        paths = (column.path for column in projection.columns)
        rows = found.order_by("-relevance", "-id").values_list("relevance", *paths)[:size]
        names = projection.names
        return [
            {"kind": kind, "relevance": row[0], "record": dict(zip(names, row[1:], strict=True))}
            for row in rows
        ]

    def _with_hits(self, found: list[Row], query: CompiledQuery, *, explain: bool) -> list[Row]:
        for kind, (view, _) in _KINDS.items():
            of_kind = [row for row in found if row["kind"] == kind]
            ids = [row["record"]["id"] for row in of_kind]
            hits = view.find_hits(ids, query, caller(self.request)) if of_kind else {}
            explained = explanations(view.search_index, ids, query) if explain and ids else {}
            for row in of_kind:
                row["hit"] = hits.get(row["record"]["id"])
                if explain:
                    row["explanation"] = explained[row["record"]["id"]]
        return found


class SuggestionsView(StrictRequests, GenericAPIView[Any]):
    """Completes and corrects what is being typed, from names the caller may see."""

    resource = _RESOURCES
    permission_classes = PERMISSIONS
    serializer_class = SuggestionsSerializer
    query_parameters = ("q", "limit")
    queryset = None

    @extend_schema(
        tags=["search"],
        parameters=[_query("What was typed so far."), OpenApiParameter("limit", int)],
        operation_id="search_suggestions",
    )
    def get(self, request: Request) -> Response:
        limit = self.parameters.integer("limit", 10, minimum=1, maximum=MAX_SUGGESTIONS)
        text = required_text(self.parameters.get("q"), MAX_TYPED_CHARACTERS)
        found = suggestions(caller(request), text, limit)
        return Response({"results": [{"text": s.text, "kind": s.kind, "id": s.id} for s in found]})


def required_text(text: str | None, longest: int) -> str:
    """The parameter `q`. Raises InvalidParameter when it is missing or too long."""
    if text is None:
        raise InvalidParameter(q="This parameter is required.")
    if len(text) > longest:
        raise InvalidParameter(q=f"At most {longest:,} characters.")
    return text
