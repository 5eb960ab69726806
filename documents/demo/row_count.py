"""How many rows were written, and how many more the triggers have made of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from cases.models import Case
from documents.models import Document, DocumentPage
from lexiflow.db.copying import copy_rows

# Pages are not audited: their versions are.
_UNAUDITED = (DocumentPage,)
_INDEXED = (Case, Document)


class RowCount:
    """Copies rows into tables and counts them. People and firms, a handful, are not counted."""

    def __init__(self) -> None:
        self._rows: Counter[type[models.Model]] = Counter()

    def copy(self, model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows[model] += copy_rows(model, rows)

    @property
    def own(self) -> int:
        return self._rows.total()

    @property
    def audit_events(self) -> int:
        """One for each new row of an audited table."""
        return self.own - sum(self._rows[model] for model in _UNAUDITED)

    @property
    def index_entries(self) -> int:
        """One for each case and document; a document of a megabyte of distinct words has more."""
        return sum(self._rows[model] for model in _INDEXED)

    @property
    def total(self) -> int:
        return self.own + self.audit_events + self.index_entries
