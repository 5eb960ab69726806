"""The shape of a saved search."""

from typing import Any

from rest_framework import serializers

from cases.serializers import STAMPS, OwnedSerializer
from documents.saved_searches.criteria import criteria_of
from documents.saved_searches.models import SavedSearch
from lexiflow.search.query import QueryError


class SavedSearchSerializer(OwnedSerializer):
    """A saved search. It asks for its words and for its filters together."""

    last_digest_at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = SavedSearch
        fields = (
            "id",
            "organization",
            "owner",
            "name",
            "query",
            "filters",
            "digest",
            "last_digest_at",
            *STAMPS,
        )
        read_only_fields = ("owner", *STAMPS)
        extra_kwargs = {"organization": {"required": False}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        asked = {name: attrs.get(name, getattr(self.instance, name, None)) for name in _ASKED}
        if self.instance is None or _ASKED & attrs.keys():
            try:
                criteria_of(asked["query"] or "", asked["filters"] or {}, None)
            except QueryError as error:
                field = "query" if asked["query"] else "filters"
                raise serializers.ValidationError({field: str(error)}) from None
        return attrs


_ASKED = {"query", "filters"}
