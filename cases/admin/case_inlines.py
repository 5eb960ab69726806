"""What belongs to a case, on the page of the case."""

from typing import Any

from django.db.models import TextField
from unfold.widgets import UnfoldAdminTextareaWidget

from cases import services
from cases.admin.numbering import EvidenceForm
from cases.models import DocketEntry, EvidenceItem, Party
from lexiflow.admin.inlines import RecordTabularInline, SoftDeletingFormSet
from users.admin.tenancy import OneFirmForm


class PartyInline(RecordTabularInline):
    model = Party
    form = OneFirmForm
    fields = ("name", "kind", "counsel_name", "counsel_firm")
    defers = ("notes",)


class DocketInline(RecordTabularInline):
    """The latest entries first; the number comes from the database."""

    model = DocketEntry
    form = OneFirmForm
    fields = ("sequence", "filed_on", "kind", "description", "filed_by", "is_sealed")
    readonly_fields = ("sequence",)
    ordering = ("-sequence",)
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 2})}}


class EvidenceFormSet(SoftDeletingFormSet):
    """New items without a number get the next one."""

    def save_new(self, form: Any, commit: bool = True) -> Any:
        form.instance.case = self.instance
        services.assign_evidence_number(form.instance)
        return super().save_new(form, commit)


class EvidenceInline(RecordTabularInline):
    model = EvidenceItem
    form = EvidenceForm
    formset = EvidenceFormSet
    fields = ("evidence_number", "title", "kind", "status", "custodian")
    defers = ("description",)
    verbose_name_plural = "evidence"
