"""Saved searches over HTTP. Everybody has their own, whatever their role, and nobody else's."""

from typing import Any

from drf_spectacular.utils import extend_schema

from documents.saved_searches.models import SavedSearch
from documents.saved_searches.serializers import SavedSearchSerializer
from documents.saved_searches.services import MOST_SEARCHES, TooManySearchesError, keep, make_room
from lexiflow.api.filters import RecordFilterSet
from lexiflow.api.permissions import IsAuthenticated
from lexiflow.api.problems import Conflict
from lexiflow.api.viewsets import RecordViewSet
from users.authentication import caller

_FULL = f"You have {MOST_SEARCHES} saved searches; delete one first."


class SavedSearchFilter(RecordFilterSet):
    class Meta:
        model = SavedSearch
        fields = {
            "organization": ["exact"],
            "name": ["exact", "icontains"],
            "digest": ["exact", "in"],
        }


@extend_schema(tags=["search"])
class SavedSearchViewSet(RecordViewSet):
    """Your saved searches. New documents that they find are told to you by e-mail, at most as often
    as `digest` says. To see all that one finds, ask `documents/` with its `query` as `q`.
    """

    resource = "documents"
    queryset = SavedSearch.objects.all()
    serializer_class = SavedSearchSerializer
    filterset_class = SavedSearchFilter
    permission_classes = (IsAuthenticated,)
    annotations = {"last_digest_at": "with_last_digest_at"}
    orderings = ("created_at", "name")
    default_ordering = "-created_at"

    def perform_create(self, serializer: Any) -> SavedSearch:
        try:
            return keep(caller(self.request), **serializer.validated_data)
        except TooManySearchesError:
            raise Conflict(_FULL) from None

    def perform_restore(self, instance: SavedSearch) -> None:
        try:
            make_room(caller(self.request))
        except TooManySearchesError:
            raise Conflict(_FULL) from None
        super().perform_restore(instance)
