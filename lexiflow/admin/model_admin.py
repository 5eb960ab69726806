"""The base of every table in the admin.

A subclass says which columns, filters, fields and inlines it has; from here it gets who sees and
does what (`access`), signed writes (`writes`), soft deletion (`deletion`), the optimistic lock
(`forms`), history (`history`), bounded lists (`change_list`, `pagination`) and search (`search`).

Guarantees: a list costs the same number of queries whatever its size; joins are named in
`list_select_related` and never guessed; a filter in the address must be one the list offers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from inspect import isclass
from typing import Any, ClassVar

from django.contrib.admin import ShowFacets
from django.core.exceptions import ValidationError
from django.db.models import JSONField, QuerySet, TextField, URLField
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from lexiflow.admin.access import ScopedAccess, is_deleted, visible_rows
from lexiflow.admin.change_list import DELETED, DeletedFilter, RecordChangeList
from lexiflow.admin.columns import column
from lexiflow.admin.deletion import SoftDeletion
from lexiflow.admin.forms import BoundedJSONField, RecordForm
from lexiflow.admin.history import TrailHistory
from lexiflow.admin.pagination import BoundedPaginator
from lexiflow.admin.relations import hide_unseen, load_seen, single_relations
from lexiflow.admin.search import containing
from lexiflow.admin.writes import SignedWrites
from lexiflow.db.models import RecordQuerySet

STAMPS = ("id", "version", "created_at", "created_by", "updated_at", "updated_by")
RECORD_FIELDSET = ("Record", {"fields": STAMPS, "classes": ("collapse",)})


@dataclass(frozen=True, slots=True)
class Button:
    """A button above the form that posts to `url` (and not a link: it changes something)."""

    label: str
    url: str
    icon: str


class ListAdmin(SignedWrites, TrailHistory, ScopedAccess, ModelAdmin):  # type: ignore[misc]
    """Bounded lists, honest search and strict filters: for records and other tables alike."""

    paginator = BoundedPaginator
    show_facets = ShowFacets.NEVER  # a count per choice of every filter
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 50
    list_disable_select_all = True
    list_filter_submit = True
    list_select_related: ClassVar[tuple[str, ...]] = ()  # not False: nothing is guessed
    list_defer: ClassVar[tuple[str, ...]] = ()
    # Fields that links from other pages filter by, beside those of `list_filter`.
    linked_filters: ClassVar[tuple[str, ...]] = ()
    change_form_outer_before_template = "lexiflow/admin/row_state.html"
    compressed_fields = True
    warn_unsaved_form = True
    formfield_overrides = {
        URLField: {"assume_scheme": "https"},
        TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 5})},
        JSONField: {
            "form_class": BoundedJSONField,
            "widget": UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        },
    }

    @column("created", ordering="created_at")
    def created(self, row: Any) -> str:
        """The day; the page of the row has the time."""
        return date_format(localtime(row.created_at))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RecordChangeList]:
        return RecordChangeList

    def get_list_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows a list begins with."""
        return self.get_queryset(request)

    def get_choice_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows an autocomplete field offers."""
        return self.get_list_queryset(request).order_by(*self.get_ordering(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The full-text search of the table if it has one, else its fields one by one."""
        text = search_term.strip()
        if not text or not self.get_search_fields(request):
            return queryset, False
        return self.search(request, queryset, text), False

    def search(self, request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The rows that `text` finds. Tables with an index of their own override this."""
        return containing(rows, tuple(self.get_search_fields(request)), text)

    def complete(self, request: HttpRequest, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """The rows that autocomplete offers for what was typed so far."""
        return self.search(request, rows, text)

    def explain_results(self, request: HttpRequest, rows: Iterable[Any]) -> Iterable[Any]:
        """A page of a list, with what a search has to say about each row."""
        return rows

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Of the columns, only those the list offers: a free choice could guess at hidden ones."""
        first = lookup.split("__")[0]
        if first in {field.name for field in self.opts.get_fields()}:
            filters: list[Any] = list(self.get_list_filter(request))
            offered = {f if isinstance(f, str) else f[0] for f in filters if not isclass(f)}
            if first not in {"id", *offered, *self.linked_filters}:
                return False
        return super().lookup_allowed(lookup, value, request)

    def get_buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        """The buttons above the form of `obj`."""
        return []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if (obj := context.get("original")) is not None:
            context["row_buttons"] = self.get_buttons(request, obj)
            context["row_is_deleted"] = is_deleted(obj)
        return super().render_change_form(request, context, *args, **kwargs)


class RecordAdmin(SoftDeletion, ListAdmin):
    """A business table (`lexiflow.db.models.Record`)."""

    form = RecordForm
    # References to rows that somebody who sees this row may not see. Their names are not shown.
    guarded_relations: ClassVar[tuple[str, ...]] = ()
    # The same for many-to-many relations.
    guarded_collections: ClassVar[tuple[str, ...]] = ()
    readonly_fields: ClassVar[tuple[str, ...]] = STAMPS
    change_form_before_template = "lexiflow/admin/seen_version.html"

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """Newest first, along an index: an operator's list spans all tenants, and only the primary
        key (ordered by time) does that in every table.
        """
        if self.ordering:
            return tuple(self.ordering)
        is_operator = getattr(request.user, "is_superuser", False)
        return ("-pk",) if is_operator else ("-created_at", "-pk")

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_filter(request), DeletedFilter]

    def get_list_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.model._default_manager.all()
        shows_deleted = request.GET.get(DELETED) == "yes" and self.allows(request, "delete")
        if shows_deleted and isinstance(rows, RecordQuerySet):
            return rows.deleted_visible_to(request.user)
        return visible_rows(self.model, request.user)

    def get_choice_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = visible_rows(self.model, request.user)
        return rows.defer(*self.list_defer).order_by(*self.get_ordering(request))

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """One row with what it refers to. A writing request locks it until it is answered."""
        field: Any = self.opts.get_field(from_field) if from_field else self.opts.pk
        rows = self.get_queryset(request).select_related(*single_relations(self.model))
        if request.method == "POST":
            rows = rows.select_for_update(of=("self",), no_key=True)
        try:
            row = rows.get(**{field.name: field.to_python(object_id)})
        except (self.model.DoesNotExist, ValidationError, ValueError):
            return None
        hide_unseen(row, self.guarded_relations, request.user)
        if request.method != "POST":
            load_seen(row, self.guarded_collections, request.user)
        return row

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = list(super().get_fieldsets(request, obj))
        return fieldsets if obj is None else [*fieldsets, RECORD_FIELDSET]

    def get_buttons(self, request: HttpRequest, obj: Any) -> list[Button]:
        if is_deleted(obj) and self.may_restore(request, obj):
            return [Button("Restore", "restore/", "restore_from_trash")]
        return []


class ReadOnlyAdmin(ListAdmin):
    """A table that the admin only shows."""

    forbidden = frozenset({"add", "change", "delete"})

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return tuple(self.ordering or ("-pk",))
