"""Lists whose searches are in the audit trail: who looked for which words, and what they saw."""

from lexiflow.api.reading import path_id
from lexiflow.api.searching import SearchableRecords
from users import audit


class AuditedSearches(SearchableRecords):
    """For viewsets. A search below a case names the case."""

    def note_search(self, text: str, shown: int) -> None:
        parent = self.nested_in()
        audit.record_search(
            self.request,
            text,
            within=str(self.queryset.model._meta.verbose_name_plural),
            hits=shown,
            case_id=path_id(self.kwargs[parent.url_kwarg]) if parent else None,
        )
