"""The shapes of documents, their versions and their text."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from rest_framework import serializers

from cases.serializers import STAMPS, OwnedSerializer
from documents import access
from documents.choices import TextStatus
from documents.models import Document, DocumentVersion
from documents.validators import sanitize_file_name
from lexiflow.api.fields import NormalizedTextField
from lexiflow.api.problems import PayloadTooLarge
from lexiflow.api.serializers import RecordSerializer

FILE_FACTS = (
    "file_name",
    "media_type",
    "size",
    "sha256",
    "pages",
    "words",
    "language",
    "text_status",
    "text_error",
)
_MAX_TAGS = 50


class UploadedFileField(serializers.FileField):
    """A file of at most `UPLOAD_MAX_BYTES`; the parser bounds the whole body only."""

    def to_internal_value(self, data: Any) -> Any:
        file = super().to_internal_value(data)
        if file.size > settings.UPLOAD_MAX_BYTES:
            raise PayloadTooLarge(settings.UPLOAD_MAX_BYTES)
        return file


class DocumentSerializer(OwnedSerializer):
    """A document. Comes with a `file` (multipart) or a `text` (JSON); never shows either."""

    file = UploadedFileField(write_only=True, required=False, max_length=1000)
    text = NormalizedTextField(write_only=True, required=False, trim_whitespace=False)

    class Meta:
        model = Document
        fields = (
            "id",
            "organization",
            "case",
            "title",
            "description",
            "type",
            "status",
            "access_level",
            "is_shared_with_client",
            "author",
            "tags",
            "custom_fields",
            "current_version",
            *FILE_FACTS,
            "checked_out_by",
            "checked_out_at",
            "checkout_expires_at",
            "file",
            "text",
            *STAMPS,
        )
        read_only_fields = (
            "current_version",
            *FILE_FACTS,
            "checked_out_by",
            "checked_out_at",
            "checkout_expires_at",
            *STAMPS,
        )
        extra_kwargs = {
            "organization": {"required": False},
            "title": {"required": False},
        }

    def foresee(self, instances: Sequence[Any], values: Sequence[Mapping[str, Any]]) -> None:
        super().foresee(instances, values)
        if any("case" in each for each in values):
            prefetch_related_objects(instances, "case")

    def validate_tags(self, value: list[str]) -> list[str]:
        """Trimmed, without repetition, in the order given."""
        tags = list(dict.fromkeys(tag.strip() for tag in value if tag.strip()))
        if len(tags) > _MAX_TAGS:
            raise serializers.ValidationError(f"At most {_MAX_TAGS} tags.")
        return tags

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        actor = self.context["request"].user
        if refused := access.document_refusals(actor, self.instance, attrs):
            raise serializers.ValidationError(refused)
        contents = [name for name in ("file", "text") if name in attrs]
        if self.instance is not None:
            if contents:
                raise serializers.ValidationError(
                    {contents[0]: "Post a new version to documents/{id}/versions/ instead."}
                )
            return attrs
        if len(contents) != 1:
            raise serializers.ValidationError({"file": "Send a file (multipart) or a text (JSON)."})
        if not attrs.get("title"):
            attrs["title"] = self._title_from_file(attrs)
        return attrs

    def _title_from_file(self, attrs: dict[str, Any]) -> str:
        if "file" not in attrs:
            raise serializers.ValidationError({"title": "This field is required."})
        return sanitize_file_name(attrs["file"].name)


class DocumentSummary(RecordSerializer):
    class Meta:
        model = Document
        fields = ("id", "title", "type", "status", "file_name", "text_status")


class DocumentVersionSerializer(RecordSerializer):
    """One version. Created from a `file` or a `text`; the rest is found out by the server."""

    file = UploadedFileField(write_only=True, required=False, max_length=1000)
    text = NormalizedTextField(write_only=True, required=False, trim_whitespace=False)

    class Meta:
        model = DocumentVersion
        fields = (
            "id",
            "document",
            "number",
            *FILE_FACTS,
            "comment",
            "file",
            "text",
            "created_at",
            "created_by",
        )
        read_only_fields = ("document", "number", *FILE_FACTS, "created_at", "created_by")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if len({"file", "text"} & attrs.keys()) != 1:
            raise serializers.ValidationError({"file": "Send a file (multipart) or a text (JSON)."})
        return attrs


class PageSerializer(serializers.Serializer[Any]):
    page = serializers.IntegerField()
    text = serializers.CharField()


class TextSerializer(serializers.Serializer[Any]):
    """Some pages of a version's text."""

    document = serializers.UUIDField()
    version = serializers.IntegerField()
    text_status = serializers.ChoiceField(choices=TextStatus.choices)
    text_error = serializers.CharField()
    pages = serializers.IntegerField(allow_null=True)
    results = PageSerializer(many=True)
    next_page = serializers.IntegerField(allow_null=True)


class ComparisonSerializer(serializers.Serializer[Any]):
    """A unified diff of two versions' texts."""

    to = serializers.IntegerField()
    same_file = serializers.BooleanField()
    diff = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python's own."""
        return {"from": serializers.IntegerField(), **super().get_fields()}


class _Counts(serializers.DictField):
    """Numbers of rows by a name."""

    child = serializers.IntegerField()


class DocumentMetricsSerializer(serializers.Serializer[Any]):
    """Of the documents the caller may see."""

    total = serializers.IntegerField()
    by_status = _Counts()
    by_type = _Counts()
    by_access_level = _Counts()
    by_text_status = _Counts()
    awaiting_extraction = serializers.IntegerField()
    added_per_month = _Counts(help_text="The last twelve months, by `created_at`.")
    pages = serializers.IntegerField()
    size = serializers.IntegerField(help_text="Bytes.")
