"""A walk through the installation, as its users and operators meet it. Raises at what is not so."""

import json
import time
import uuid
from typing import Any

from deploy.topology.topology import Topology

_PASSWORD = "correct horse battery staple"
_EXTRACTION_SECONDS = 30
API = "/api/v1/"


class NotSoError(Exception):
    """What a step expected is not what it found."""


def expect(what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise NotSoError(f"{what}: {found!r}, and not {wanted!r}.")


class Walk:
    """One administrator of a new firm, through nginx."""

    def __init__(self, place: Topology) -> None:
        self.place = place
        mark = uuid.uuid4().hex[:8]
        self.email = f"smoke-{mark}@firm.example"
        code = (
            "from users.models import *; from django.utils import timezone as t;"
            f"o = Organization.objects.create(name='Smoke {mark}');"
            f"u = User.objects.create_user('{self.email}', '{_PASSWORD}', role='admin');"
            "Membership.objects.create(user=u, organization=o); print(o.pk)"
        )
        self.firm = place.manage("shell", "--no-imports", "-c", code).split()[-1]
        self.headers: dict[str, str] = {}

    def ask(
        self, method: str, path: str, body: Any = None, media_type: str = "application/json"
    ) -> tuple[int, Any]:
        sent = {**self.headers, "Content-Type": media_type}
        status, _, content = self.place.ask(method, f"{API}{path}", body, headers=sent)
        return status, json.loads(content) if content[:1] in (b"{", b"[") else content

    def sign_in(self) -> None:
        status, body = self.ask("POST", "auth/login/", {"email": self.email, "password": _PASSWORD})
        expect("signing in", status, 200)
        self.headers = {"Authorization": f"Bearer {body['access']}"}

    def make_case(self, title: str) -> str:
        values = {"title": title, "organization": self.firm, "type": "civil"}
        status, body = self.ask("POST", "cases/", values)
        expect(f"making a case ({body})", status, 201)
        return str(body["id"])

    def upload(self, case: str, text: str) -> str:
        parts = {"case": case, "title": "Motion to dismiss", "type": "motion"}
        bound = uuid.uuid4().hex
        form = "".join(
            f'--{bound}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in parts.items()
        )
        form += (
            f'--{bound}\r\nContent-Disposition: form-data; name="file"; filename="motion.txt"\r\n'
            f"Content-Type: text/plain\r\n\r\n{text}\r\n--{bound}--\r\n"
        )
        media_type = f"multipart/form-data; boundary={bound}"
        status, body = self.ask("POST", "documents/", form.encode(), media_type)
        expect(f"uploading ({body})", status, 201)
        return str(body["id"])


def walk(place: Topology, *, worker: bool = True) -> list[str]:
    """What was found to be so."""
    done = []
    for probe in ("live", "ready", "pool", "cache"):
        status, _, body = place.ask("GET", f"{API}health/{probe}/")
        expect(f"health/{probe}/", status, 200)
        done.append(f"health/{probe}/ {json.loads(body)['status']}")
    expect("/metrics from outside", place.ask("GET", "/metrics")[0], 404)
    one = Walk(place)
    one.sign_in()
    case = one.make_case("Smoke against Mirrors")
    _, body = one.ask("GET", f"cases/{case}/")
    expect("the case that was written", body["title"], "Smoke against Mirrors")
    done.append("a case written and read back")
    document = one.upload(case, "The defendant moves to dismiss for want of jurisdiction.")
    status, body = one.ask("GET", f"documents/{document}/download/")
    expect("the download", (status, b"moves to dismiss" in bytes(body)), (200, True))
    if worker:
        _wait_for_text(one, document)
        done.append("a document uploaded, extracted, found and downloaded")
    named = {**one.headers, "X-Request-ID": "smoke-1"}
    _, headers, _ = place.ask("GET", f"{API}cases/", headers=named)
    expect("the request's id", headers.get("X-Request-ID"), "smoke-1")
    for name in place.ports:
        expect(f"metrics of {name}", "lexiflow_request_seconds_count" in place.metrics(name), True)
    done.append("request ids and metrics of both instances")
    return done


def _wait_for_text(one: Walk, document: str) -> None:
    deadline = time.monotonic() + _EXTRACTION_SECONDS
    while True:
        _, body = one.ask("GET", f"documents/{document}/")
        if body["text_status"] == "ready":
            break
        if time.monotonic() > deadline:
            raise NotSoError(f"The text is {body['text_status']} after {_EXTRACTION_SECONDS} s.")
        time.sleep(0.25)
    _, body = one.ask("GET", "documents/?q=jurisdiction")
    expect("the document is found", [row["id"] for row in body["results"]], [document])
