"""What lists of documents can be filtered by."""

from documents.models import Document, DocumentVersion
from lexiflow.api.filters import RecordFilterSet


class DocumentFilter(RecordFilterSet):
    class Meta:
        model = Document
        fields = {
            "organization": ["exact"],
            "case": ["exact", "in", "isnull"],
            "title": ["exact"],
            "type": ["exact", "in"],
            "status": ["exact", "in"],
            "access_level": ["exact", "in"],
            "is_shared_with_client": ["exact"],
            "author": ["exact", "in", "isnull"],
            "tags": ["contains", "overlap"],
            "media_type": ["exact", "in"],
            "file_name": ["exact"],
            "sha256": ["exact"],
            "size": ["gte", "lte"],
            "pages": ["gte", "lte"],
            "language": ["exact"],
            "text_status": ["exact", "in"],
            "checked_out_by": ["exact", "isnull"],
            "created_at": ["gte", "lte"],
            "updated_at": ["gte", "lte"],
        }


class DocumentVersionFilter(RecordFilterSet):
    class Meta:
        model = DocumentVersion
        fields = {"number": ["exact"], "text_status": ["exact"]}
