"""The admin as a person without a browser sees it: pages, their forms, what they cost."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from users.models import AuditEvent, User


def signed_in(person: User) -> Client:
    """A browser session of somebody who may open the admin."""
    if not person.is_staff:
        person.is_staff = True
        person.save(update_fields=["is_staff"])
    client = Client()
    client.force_login(person)
    return client


def url(model: type[Any], page: str, *args: Any) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


def listing(model: type[Any]) -> str:
    return url(model, "changelist")


def editing(row: Any) -> str:
    return url(type(row), "change", row.pk)


def shown(response: Any) -> list[Any]:
    """The keys of the rows of a change list, in order."""
    return [row.pk for row in response.context["cl"].result_list]


def form_of(response: Any) -> dict[str, str]:
    """What a browser would send if the person pressed Save at once."""
    page: Any = html.fromstring(response.content.decode())
    model = response.context["opts"].model_name
    (form,) = (form for form in page.forms if form.get("id") == f"{model}_form")
    empty = "@name and not(@value) and not(contains('checkbox radio file', @type))"
    values = {str(name): "" for name in form.xpath(f".//input[{empty}]/@name")}
    values |= {str(k): str(v) for k, v in form.form_values()}
    return {k: v for k, v in values.items() if "__prefix__" not in k}


def save(client: Client, address: str, /, **changes: Any) -> Any:
    """Opens the form at `address`, types `changes`, and presses Save."""
    return client.post(address, {**form_of(client.get(address)), **changes})


def errors(response: Any) -> str:
    """All error messages of a refused form, as text."""
    assert response.status_code == 200, response
    form = response.context["adminform"].form
    found = [str(form.errors.as_text()), str(form.non_field_errors().as_text())]
    for inline in response.context["inline_admin_formsets"]:
        found += [str(error) for error in inline.formset.errors]
    return "\n".join(found)


def query_count(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(address)
    assert response.status_code == 200, response
    return len(queries)


def last_event(row: Any) -> AuditEvent:
    """The newest change of a row that the database recorded."""
    events = AuditEvent.objects.filter(object_id=row.pk).order_by("-occurred_at")
    event: AuditEvent | None = events.exclude(action="viewed").first()
    assert event is not None
    return event
