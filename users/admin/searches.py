"""Full-text searches of the admin, in the audit trail as those over REST are."""

from django.http import HttpRequest

from lexiflow.admin.full_text import FullTextSearch
from lexiflow.admin.writes import SOURCE
from users import audit


class AuditedSearch(FullTextSearch):
    """For tables with a full-text search."""

    def note_search(self, request: HttpRequest, text: str, shown: int) -> None:
        within = str(self.opts.verbose_name_plural)
        audit.record_search(request, text, within=within, hits=shown, source=SOURCE)
