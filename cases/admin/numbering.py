"""Forms whose number may be left empty: saving then gives the firm's next one."""

from typing import Any, ClassVar

from users.admin.tenancy import OneFirmForm, OrganizationOwnedForm


class Numbered(OneFirmForm):
    """`number_field` may be empty in a new row."""

    number_field: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get(self.number_field)
        if field is not None and self.is_new:
            field.required = False
            field.help_text = "Leave it empty to get the next number."


class ClientForm(Numbered, OrganizationOwnedForm):
    number_field = "client_number"


class EvidenceForm(Numbered):
    number_field = "evidence_number"
