"""One's own saved searches in the admin."""

from typing import Any

from django.contrib.admin import register
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from documents.models import SavedSearch
from documents.saved_searches.criteria import criteria_of
from documents.saved_searches.services import TooManySearchesError, make_room
from lexiflow.admin.access import Action
from lexiflow.admin.columns import column
from lexiflow.admin.model_admin import STAMPS
from lexiflow.search.query import QueryError
from users.admin.site import site
from users.admin.tenancy import OrganizationOwnedAdmin, OrganizationOwnedForm

_FULL = "You have as many saved searches as there may be; delete one first."


class SavedSearchForm(OrganizationOwnedForm):
    """Refuses what cannot be searched, with the words that a search says it with."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        values = self.cleaned_data if cleaned is None else cleaned
        if self.is_new:
            self.instance.owner = self.actor
            self._check_room()
        if "query" in values and "filters" in values:
            try:
                criteria_of(values["query"], values["filters"] or {}, None)
            except QueryError as error:
                self.add_error("query" if values["query"] else "filters", str(error))
        return cleaned

    def unvalidated_fields(self) -> set[str]:
        """Names are unique among those of the owner, who is no field."""
        return super().unvalidated_fields() - {"owner"}

    def _check_room(self) -> None:
        try:
            make_room(self.actor)
        except TooManySearchesError:
            raise ValidationError(_FULL) from None


@register(SavedSearch, site=site)
class SavedSearchAdmin(OrganizationOwnedAdmin):
    form = SavedSearchForm
    list_display = ("name", "query", "digest", "told", "created")
    list_filter = (("digest", ChoicesDropdownFilter),)
    list_select_related = ("watch",)
    sortable_by = ("name", "created")
    search_fields = ("name", "query")
    search_help_text = "Search by name or words"
    autocomplete_fields = ("organization",)
    readonly_fields = STAMPS
    fieldsets = ((None, {"fields": ("organization", "name", "query", "filters", "digest")}),)

    def allows(self, request: HttpRequest, action: Action, obj: Any = None) -> bool:
        """Whoever enters the admin has their own, whatever their role; `get_queryset` knows no
        others.
        """
        return bool(self.admin_site.has_permission(request))

    @column("last digest")
    def told(self, row: SavedSearch) -> Any:
        watch = getattr(row, "watch", None)
        return watch.last_digest_at if watch else None

    def may_restore(self, request: HttpRequest, obj: Any) -> bool:
        """Over REST only, which counts how many there are."""
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("restore_selected", None)
        return actions
