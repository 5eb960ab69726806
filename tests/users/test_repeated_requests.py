"""`Idempotency-Key`: done once, answered the same, whatever happens in between."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from cases.models import Case
from documents.models import Document, SavedSearch
from lexiflow.api.reading import StrictRequests
from tests import factories
from tests.assertions import assert_problem
from tests.routes import CALLS, ROUTES, Route
from tests.servers import database_url
from tests.worlds import World, everything_written
from users import answered_requests
from users.models import AnsweredRequest, ApiKey, Organization, User
from users.tasks import prune_old_answers

pytestmark = pytest.mark.django_db

together = pytest.mark.django_db(transaction=True)

CASES = "/api/v1/cases/"
POSTS = [(route, action) for route, method, action in CALLS if method == "post"]
# Their refusals must stay written down, and their answers are secrets of the moment.
KEEP_NO_ANSWERS = {
    "login",
    "refresh",
    "logout",
    "change-password",
    "second-factor",
    "confirm-second-factor",
    "recovery-codes",
}


def post(client: APIClient, key: str, url: str = CASES, body: Any = None, **extra: Any) -> Any:
    sent = {"title": "Lovelace v. Babbage"} if body is None else body
    return client.post(url, sent, headers={"Idempotency-Key": key}, **extra)


def assert_repeated(first: Any, second: Any) -> None:
    assert second.status_code == first.status_code, second.content
    assert second.content == first.content
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    for name in ("Location", "Content-Type", "Cache-Control"):
        assert second.headers.get(name) == first.headers.get(name)


# --- Every route ----------------------------------------------------------------------------------
@pytest.mark.parametrize(("route", "action"), POSTS, ids=str)
def test_every_post_is_done_once(
    route: Route, action: str, world: World, as_operator: APIClient
) -> None:
    SavedSearch.objects.update(owner=User.objects.get(is_superuser=True))  # seen by nobody else
    body = world.body(route.model) if action == "create" else {}
    url = route.url(world)
    first = post(as_operator, "k1", url, body)
    assert first.status_code in (200, 201), first.content
    written = everything_written()

    assert_repeated(first, post(as_operator, "k1", url, body))
    assert everything_written() == written

    refused = assert_problem(post(as_operator, "k1", url, {**body, "title": "Other"}), 422)
    assert refused["code"] == "idempotency_key_reused"
    if action == "create":
        assert_problem(post(as_operator, "k1", f"{url}?fields=id", body), 422)
    assert everything_written() == written


def test_every_other_view_with_a_post_says_whether_it_keeps_answers() -> None:
    others = {
        route.name: route.view.keeps_answers
        for route in ROUTES
        if not route.is_resource and hasattr(route.view, "post")
    }
    assert {name for name, keeps in others.items() if not keeps} == KEEP_NO_ANSWERS
    for route in ROUTES:
        if hasattr(route.view, "post") or route.is_resource:
            assert issubclass(route.view, StrictRequests)


def test_signing_in_takes_no_notice_of_a_key(alice: User) -> None:
    body = {"email": alice.email, "password": factories.PASSWORD}
    tokens = [post(APIClient(), "k", "/api/v1/auth/login/", body).json() for _ in range(2)]
    assert tokens[0]["access"] != tokens[1]["access"]
    assert not AnsweredRequest.objects.exists()


# --- Which request --------------------------------------------------------------------------------
def test_the_order_of_fields_does_not_matter(as_alice: APIClient) -> None:
    one = post(as_alice, "k", body={"title": "T", "metadata": {"a": 1, "b": [1, 2]}})
    two = post(as_alice, "k", body={"metadata": {"b": [1, 2], "a": 1}, "title": "T"})
    assert_repeated(one, two)
    assert_problem(post(as_alice, "k", body={"metadata": {"b": [2, 1], "a": 1}, "title": "T"}), 422)


def test_a_file_is_compared_by_its_bytes(as_alice: APIClient) -> None:
    def upload(content: bytes, name: str = "a.txt", title: str = "T") -> Any:
        file = SimpleUploadedFile(name, content, "text/plain")
        body = {"file": file, "title": title}
        return post(as_alice, "k", "/api/v1/documents/", body, format="multipart")

    first = upload(b"The same words.")
    assert first.status_code == 201, first.content
    assert_repeated(first, upload(b"The same words."))
    for other in (upload(b"Other words."), upload(b"The same words.", "b.txt")):
        assert_problem(other, 422)
    assert_problem(upload(b"The same words.", title="U"), 422)
    assert Document.objects.count() == 1


def test_keys_of_others_are_other_keys(
    as_alice: APIClient, as_bob: APIClient, as_charlie: APIClient, alice: User
) -> None:
    key = APIClient()
    text = factories.api_key(alice, "cases:write").text
    key.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    numbers = [post(client, "k").json()["id"] for client in (as_alice, as_bob, as_charlie, key)]
    assert len(set(numbers)) == 4


def test_another_sign_in_of_the_same_person_has_the_same_keys(
    alice: User, client_of: Callable[[User], APIClient]
) -> None:
    assert_repeated(post(client_of(alice), "k"), post(client_of(alice), "k"))


@pytest.mark.parametrize(
    "key", ['"a b"', '"a\\"b\\\\"', "x" * 255, "8e03978e-40d5-43dd-bc93-6894a57f9324", "a:b/c_d~!"]
)
def test_keys_that_are_accepted(key: str, as_alice: APIClient) -> None:
    assert_repeated(post(as_alice, key), post(as_alice, key))


def test_a_quoted_key_is_the_bare_one(as_alice: APIClient) -> None:
    assert_repeated(post(as_alice, "abc"), post(as_alice, '"abc"'))


@pytest.mark.parametrize(
    "key",
    ["", " ", '""', "a b", "x" * 256, f'"{"x" * 256}"', '"a', 'a"', '"a"b"', "é", "a\x00", "a,b"],
)
def test_keys_that_are_refused_write_nothing(key: str, as_alice: APIClient) -> None:
    before = everything_written()
    assert assert_problem(post(as_alice, key), 400)["code"] == "invalid_idempotency_key"
    assert everything_written() == before


def test_other_methods_take_no_notice_of_a_key(as_alice: APIClient, firm: Organization) -> None:
    case = factories.case(firm)
    for title in ("A", "B"):
        answer = as_alice.patch(
            f"{CASES}{case.pk}/", {"title": title}, headers={"Idempotency-Key": "k"}
        )
        assert answer.json()["title"] == title


# --- What is kept ---------------------------------------------------------------------------------
def test_an_error_wrote_nothing_and_is_not_kept(as_alice: APIClient) -> None:
    before = everything_written()
    assert_problem(post(as_alice, "k", body={"title": ""}), 400)
    assert everything_written() == before
    assert not AnsweredRequest.objects.exists()
    # The key is still free, also for the corrected request.
    assert post(as_alice, "k", body={"title": "Right"}).status_code == 201


def test_a_defect_half_way_takes_all_of_it_back(
    as_alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise RuntimeError

    before = everything_written()
    with monkeypatch.context() as patch:
        patch.setattr("cases.viewsets.CaseViewSet._location", fail)
        as_alice.raise_request_exception = False
        assert_problem(post(as_alice, "k"), 500)
    assert everything_written() == before
    assert post(as_alice, "k").status_code == 201


def test_who_may_no_longer_do_it_is_not_told_what_was_done(
    alice: User, client_of: Callable[[User], APIClient]
) -> None:
    first = post(client_of(alice), "k")
    User.objects.filter(pk=alice.pk).update(role="intern")  # which signs her out
    assert_problem(post(client_of(alice), "k"), 403)
    User.objects.filter(pk=alice.pk).update(role="admin")
    as_alice = client_of(alice)
    wall = factories.wall(Case.objects.get(pk=first.json()["id"]), alice)
    assert_problem(post(as_alice, "k"), 404)
    assert_problem(post(as_alice, "k2", f"{CASES}{first.json()['id']}/archive/", {}), 404)
    type(wall).objects.filter(pk=wall.pk).update(deleted_at=timezone.now())
    assert_repeated(first, post(as_alice, "k"))
    assert Case.objects.count() == 1


def test_a_key_that_is_shown_once_is_not_kept_in_clear(as_alice: APIClient) -> None:
    body = {"name": "Import", "scopes": ["cases:read"]}
    first = post(as_alice, "k", "/api/v1/auth/api-keys/", body)
    assert first.status_code == 201, first.content

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a::text, convert_from(sealed_body, 'UTF8') FROM users_answeredrequest a"
        )
        (kept,) = cursor.fetchall()
    assert first.json()["key"] not in "".join(kept)
    assert "Import" not in "".join(kept)

    assert_repeated(first, post(as_alice, "k", "/api/v1/auth/api-keys/", body))
    assert ApiKey.objects.count() == 1


def test_an_answer_under_a_lost_secret_key_is_a_conflict_and_done_no_second_time(
    as_alice: APIClient, settings: Any
) -> None:
    post(as_alice, "k")
    settings.SECRET_KEY = "y" * 50
    assert_problem(post(as_alice, "k"), 409)
    assert Case.objects.count() == 1


def test_after_a_day_a_key_is_free_again(as_alice: APIClient) -> None:
    first = post(as_alice, "k")
    AnsweredRequest.objects.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert_repeated(first, post(as_alice, "k"))
    AnsweredRequest.objects.update(created_at=timezone.now() - timedelta(hours=24, minutes=1))
    second = post(as_alice, "k", body={"title": "Another request"})
    assert second.status_code == 201
    assert_repeated(second, post(as_alice, "k", body={"title": "Another request"}))


def test_upkeep_deletes_what_is_older_than_a_day(
    as_alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answered_requests, "_PRUNED_AT_ONCE", 2)
    for key in "abcde":
        post(as_alice, key)
    AnsweredRequest.objects.update(created_at=timezone.now() - timedelta(days=2))
    post(as_alice, "f")
    prune_old_answers(0)
    assert [row.key for row in AnsweredRequest.objects.all()] == ["f"]


# --- Together -------------------------------------------------------------------------------------
@together
def test_ten_at_once_are_done_once(alice: User, client_of: Callable[[User], APIClient]) -> None:
    clients = [client_of(alice) for _ in range(10)]
    answers: list[Any] = []
    barrier = threading.Barrier(len(clients))

    def ask(client: APIClient) -> None:
        barrier.wait()
        try:
            answers.append(post(client, "k"))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [201] * 10
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 9
    assert Case.objects.count() == 1


@together
def test_who_waits_too_long_is_told_when_to_come_back(
    alice: User, as_alice: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answered_requests, "_WAIT_FOR_FIRST", "200ms")
    notes = answered_requests.AnsweredRequests()
    told: list[Any] = []
    with transaction.atomic():
        assert notes.hold(alice.pk, "k")

        def ask() -> None:
            try:
                told.append(post(as_alice, "k"))
                told.append(post(as_alice, "another"))
            finally:
                connection.close()

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(30)
    assert assert_problem(told[0], 409)["code"] == "request_in_progress"
    assert told[0]["Retry-After"] == "1"
    assert told[1].status_code == 201
    assert post(as_alice, "k").status_code == 201


KILLED = """
import os, signal, sys
import django
django.setup()
from django.test import Client
from lexiflow.api.repeats import RepeatableRequests
from rest_framework.views import APIView
from users.answered_requests import AnsweredRequests

def die(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)

moment, token = sys.argv[1:]
if moment == "before the commit":
    add = AnsweredRequests.add
    AnsweredRequests.add = lambda *given: (add(*given), die())
else:
    APIView.finalize_response = die
Client(headers={"Host": "localhost"}).post(
    "/api/v1/cases/", {"title": "Lovelace v. Babbage"}, content_type="application/json",
    headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "k"})
"""


@together
@pytest.mark.parametrize("moment", ["before the commit", "before the answer"])
def test_a_process_that_is_killed_leaves_both_or_neither(
    moment: str, alice: User, client_of: Callable[[User], APIClient]
) -> None:
    token = factories.access_token(alice)
    child = subprocess.run(
        [sys.executable, "-c", KILLED, moment, token],
        cwd=Path(__file__).parents[2],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "lexiflow.settings",
            "DATABASE_URL": database_url(),
        },
        check=False,
        timeout=60,
    )
    assert child.returncode == -signal.SIGKILL
    was_done = moment == "before the answer"
    assert Case.objects.count() == AnsweredRequest.objects.count() == was_done

    answer = post(client_of(alice), "k")

    assert answer.status_code == 201
    assert ("Idempotency-Replayed" in answer) is was_done
    assert answer.json()["title"] == "Lovelace v. Babbage"
    assert Case.objects.count() == 1
