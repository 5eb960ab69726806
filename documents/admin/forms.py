"""Forms of documents: the facts people enter, and the files they bring."""

from pathlib import PurePath
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from documents import access, services
from documents.models import Document
from users.admin.tenancy import FIRM, OrganizationOwnedForm


class BoundedFileField(forms.FileField):
    """A file up to UPLOAD_MAX_MB. An empty one is stored too: it is a fact that it is empty."""

    widget = UnfoldAdminFileFieldWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_empty_file": True, **kwargs})

    def to_python(self, data: Any) -> Any:
        file = super().to_python(data)
        if file is not None and file.size > settings.UPLOAD_MAX_BYTES:
            limit = settings.UPLOAD_MAX_BYTES // 1024**2
            raise ValidationError(f"The file is larger than {limit} MB.")
        return file


class DocumentForm(OrganizationOwnedForm):
    """Refuses what is not the person's to say, and changes while somebody else has the document
    checked out.
    """

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        changed = {n: self.cleaned_data[n] for n in self.changed_data if n in self.cleaned_data}
        # As it stands: the form has already written its values into the instance.
        stored = None if self.is_new else Document.objects.get(pk=self.instance.pk)
        for name, reason in access.document_refusals(self.actor, stored, changed).items():
            self.add_error(name, reason)
        if stored is not None:
            try:
                services.refuse_if_checked_out(stored, self.actor.pk)
            except services.CheckedOutError as error:
                raise ValidationError(str(error)) from None
        return cleaned


class NewDocumentForm(DocumentForm):
    """A document begins with a file. Its title may be left to the name of the file."""

    file = BoundedFileField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].required = False
        self.fields["title"].help_text = "Leave it empty to use the name of the file."
        if FIRM in self.fields:
            self.fields[FIRM].required = False
            self.fields[FIRM].help_text = "A document of a case belongs to the firm of the case."

    def clean(self) -> dict[str, Any] | None:
        values = self.cleaned_data
        if values.get("file") is not None and not values.get("title"):
            values["title"] = PurePath(values["file"].name).stem[:500]
        if FIRM in self.fields:
            if (case := values.get("case")) is not None:
                values[FIRM] = case.organization
            elif not values.get(FIRM):
                self.add_error(FIRM, "Choose a case or an organization.")
        return super().clean()


class NewVersionForm(forms.Form):
    """The next file of a document."""

    file = BoundedFileField()
    comment = forms.CharField(
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Why this version exists.",
    )
