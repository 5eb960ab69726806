"""Limits of the API: who is counted where, what a caller is told, and what opens no second door."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_finished
from django.db import close_old_connections, connections
from prometheus_client import REGISTRY
from rest_framework.test import APIClient

from cases.viewsets import CaseViewSet
from lexiflow.ratelimit import violators
from lexiflow.ratelimit.crowding import in_flight
from tests import factories
from tests.assertions import assert_problem
from tests.conftest import API
from tests.valkey import Valkey
from users.models import User

pytestmark = pytest.mark.django_db

Limits = Callable[..., None]
HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
ME, CASES = f"{API}auth/me/", f"{API}cases/"


def statuses(client: APIClient, path: str, calls: int, **extra: Any) -> list[int]:
    return [client.get(path, **extra).status_code for _ in range(calls)]


# --- What a caller is told ----------------------------------------------------------------------
def test_the_limit_is_admitted_and_one_more_is_told_when_to_come_again(
    as_alice: APIClient, limits: Limits
) -> None:
    limits(standard="3/1m")
    assert statuses(as_alice, CASES, 3) == [200, 200, 200]
    refused = as_alice.get(CASES)
    body = assert_problem(refused, 429)
    assert body["code"] == "rate_limited"
    assert (body["scope"], body["limit"]) == ("standard", "3/1m")
    assert 1 <= int(refused["Retry-After"]) <= 60


def test_who_waits_for_retry_after_is_admitted(as_alice: APIClient, limits: Limits) -> None:
    limits(standard="1/1s")
    as_alice.get(CASES)
    refused = as_alice.get(CASES)
    time.sleep(int(refused["Retry-After"]))
    assert as_alice.get(CASES).status_code == 200


def test_every_answer_says_where_the_caller_stands(as_alice: APIClient, limits: Limits) -> None:
    limits(standard="5/1m")
    answer = as_alice.get(CASES)
    now = time.time()
    assert [answer[name] for name in HEADERS[:2]] == ["5", "4"]
    assert now + 55 < int(answer["X-RateLimit-Reset"]) < now + 62
    assert answer["RateLimit-Policy"] == '"standard";q=5;w=60'
    assert answer["RateLimit"] == '"standard";r=4;t=60'
    assert [as_alice.get(CASES)["X-RateLimit-Remaining"] for _ in range(5)] == list("32100")


def test_a_limit_that_is_off_says_nothing(as_alice: APIClient, limits: Limits) -> None:
    answer = as_alice.get(CASES)
    assert not [name for name in answer.headers if "ratelimit" in name.lower()]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", CASES, 200),
        ("get", f"{CASES}?nonsense=1", 400),
        ("post", CASES, 400),
        ("get", f"{CASES}00000000-0000-7000-8000-000000000000/", 404),
        ("get", f"{API}no-such-route/", 404),
        ("put", CASES, 405),
        ("post", f"{API}organizations/", 403),
    ],
)
def test_answers_of_every_kind_carry_the_headers_and_count(
    as_bob: APIClient, limits: Limits, method: str, path: str, status: int
) -> None:
    limits(standard="9/1m")
    answers = [getattr(as_bob, method)(path, {}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [status, status]
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["8", "7"]


def test_a_call_counts_once(as_alice: APIClient, limits: Limits, shared_valkey: Valkey) -> None:
    limits(standard="9/1m")
    as_alice.get(CASES)
    server: Any = shared_valkey.client()
    assert [server.zcard(key) for key in server.keys("lexiflow:limit:*")] == [1]


# --- Who is counted where -----------------------------------------------------------------------
def test_people_do_not_use_up_each_other_s_limits(
    as_alice: APIClient, as_bob: APIClient, limits: Limits
) -> None:
    limits(standard="2/1m")
    assert statuses(as_alice, CASES, 3) == [200, 200, 429]
    assert statuses(as_bob, CASES, 3) == [200, 200, 429]


def test_a_person_s_tokens_are_counted_together_and_their_keys_together(
    alice: User, client_of: Any, limits: Limits
) -> None:
    limits(standard="2/1m")
    first, second = client_of(alice), client_of(alice)
    assert statuses(first, CASES, 2) == [200, 200]
    assert second.get(CASES).status_code == 429  # two tokens of one person
    keys = [factories.api_key(alice, "cases:read").text for _ in range(2)]
    programs = [APIClient(headers={"Authorization": f"Bearer {key}"}) for key in keys]
    assert [program.get(CASES).status_code for program in programs] == [200, 200]
    assert [program.get(CASES).status_code for program in programs] == [429, 429]


def test_a_program_reads_the_limits_of_its_person_s_keys(alice: User, limits: Limits) -> None:
    limits(standard="5/1m")
    key = factories.api_key(alice, "documents:read").text
    program = APIClient(headers={"Authorization": f"Bearer {key}"})
    program.get(f"{API}documents/")
    body = program.get(f"{API}limits/").json()
    assert body["principal"] == f"keys-of:{alice.pk}"
    assert {row["scope"]: row["remaining"] for row in body["scopes"]}["standard"] == 4


def test_strangers_are_counted_by_address_and_ipv6_by_64(db: None, limits: Limits) -> None:
    limits(standard="2/1m")

    def ask(address: str) -> int:
        return APIClient(REMOTE_ADDR=address).get(ME).status_code

    assert [ask(a) for a in ("192.0.2.1", "192.0.2.1", "192.0.2.1")] == [401, 401, 429]
    assert ask("192.0.2.2") == 401
    network = [f"2001:db8:0:7::{n:x}" for n in (1, 2, 3)]
    assert [ask(a) for a in network] == [401, 401, 429]
    assert ask("2001:db8:0:8::1") == 401


def test_tokens_that_nobody_has_are_counted_by_address(db: None, limits: Limits) -> None:
    limits(standard="3/1m")
    answers = []
    for number in range(5):
        client = APIClient(headers={"Authorization": f"Bearer {'x' * 40}{number}"})
        answers.append(client.get(CASES).status_code)
    assert answers == [401, 401, 401, 429, 429]


def test_searches_are_heavy_uploads_are_uploads_and_the_rest_is_standard(
    as_alice: APIClient, limits: Limits
) -> None:
    limits(standard="50/1m", heavy="3/1m", upload="1/1m")
    assert statuses(as_alice, f"{CASES}?q=merger", 1) == [200]
    assert statuses(as_alice, f"{API}documents/?q=merger", 1) == [200]
    assert statuses(as_alice, f"{API}search/?q=merger", 2) == [200, 429]
    assert statuses(as_alice, f"{CASES}?q=merger", 1) == [429]
    assert as_alice.get(CASES)["X-RateLimit-Remaining"] == "49"
    assert as_alice.get(f"{API}search/suggestions/?q=merger")["X-RateLimit-Remaining"] == "48"

    def upload() -> int:
        file = SimpleUploadedFile("a.txt", b"Some words.", "text/plain")
        body = {"file": file, "title": "A", "type": "memo"}
        return as_alice.post(f"{API}documents/", body, format="multipart").status_code

    assert [upload(), upload()] == [201, 429]
    assert as_alice.get(f"{API}documents/").status_code == 200


def test_health_is_free_and_the_description_is_not(db: None, limits: Limits) -> None:
    limits(standard="2/1m")
    client = APIClient()
    for _ in range(5):
        answer = client.get(f"{API}health/live/")
        assert answer.status_code == 200
        assert "X-RateLimit-Limit" not in answer
    assert statuses(client, f"{API}openapi.json", 3) == [200, 200, 429]
    assert client.get(f"{API}docs/").status_code == 429


# --- What opens no second bucket ----------------------------------------------------------------
def test_spoofed_forwarding_headers_open_no_second_bucket(db: None, limits: Limits) -> None:
    limits(standard="2/1m")
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP")
    answers = [
        APIClient(headers={name: f"203.0.113.{number}"}).get(ME).status_code
        for number in range(4)
        for name in names
    ]
    assert answers == [401, 401] + [429] * (len(answers) - 2)


def test_a_client_cannot_write_the_address_that_a_trusted_proxy_saw(
    db: None, limits: Limits, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = 1
    limits(standard="2/1m")
    answers = [
        APIClient(headers={"X-Forwarded-For": f"203.0.113.{n}, 198.51.100.7"}).get(ME).status_code
        for n in range(5)
    ]
    assert answers == [401, 401, 429, 429, 429]


def test_variants_of_address_query_and_method_open_no_second_bucket(
    as_alice: APIClient, limits: Limits
) -> None:
    limits(standard="4/1m")
    assert statuses(as_alice, CASES, 4) == [200] * 4
    variants = [
        f"{CASES}?page_size=1",
        f"{CASES}?x={'y' * 500}",
        f"{CASES}?page_size=2&page_size=3",
        f"{CASES}#a",
        f"{API}%63ases/",
        f"{API}clients/",
        ME,
    ]
    assert {as_alice.get(path).status_code for path in variants} == {429}
    for method in ("get", "head", "post", "put", "patch", "delete", "options"):
        assert getattr(as_alice, method)(CASES).status_code == 429, method


@pytest.mark.parametrize(
    "spelling", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer  {}", " Bearer {} ", "Bearer\t{}"]
)
def test_no_spelling_of_a_token_opens_a_second_bucket(
    alice: User, limits: Limits, spelling: str
) -> None:
    limits(standard="2/1m")
    token = factories.access_token(alice)
    plain = APIClient(headers={"Authorization": f"Bearer {token}"})
    assert statuses(plain, CASES, 2) == [200, 200]
    other = APIClient(headers={"Authorization": spelling.format(token)}, REMOTE_ADDR="192.0.2.9")
    # Either it is her token, and her bucket is full, or it is none at all.
    assert other.get(CASES).status_code in (401, 429)


# --- limits/ ------------------------------------------------------------------------------------
def test_limits_shows_every_scope_and_consumes_none(
    as_alice: APIClient, alice: User, limits: Limits
) -> None:
    limits(auth="5/15m", heavy="10/1m", standard="100/1m")
    as_alice.get(CASES)
    answers = [as_alice.get(f"{API}limits/") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    body = answers[-1].json()
    assert body["principal"] == f"user:{alice.pk}"
    shown = {row["scope"]: (row["limit"], row["remaining"]) for row in body["scopes"]}
    assert shown == {
        "auth": ("5/15m", 5),
        "heavy": ("10/1m", 10),
        "standard": ("100/1m", 99),
        "upload": (None, None),
    }
    assert answers[-1]["X-RateLimit-Remaining"] == "99"
    assert as_alice.get(CASES)["X-RateLimit-Remaining"] == "98"


def test_limits_can_be_read_when_everything_is_used_up(as_alice: APIClient, limits: Limits) -> None:
    limits(standard="1/1m")
    assert statuses(as_alice, CASES, 2) == [200, 429]
    (row,) = [
        row for row in as_alice.get(f"{API}limits/").json()["scopes"] if row["scope"] == "standard"
    ]
    assert row["remaining"] == 0
    assert 0 < row["retry_after_seconds"] <= 60
    assert "Retry-After" not in as_alice.get(f"{API}limits/")


# --- How many at once ---------------------------------------------------------------------------
@pytest.fixture
def slow_cases(monkeypatch: Any) -> Iterator[Barrier]:
    """Lists of cases that are all answered when the third party says so."""
    entered, real = Barrier(3), CaseViewSet.list

    def slow(*args: Any, **kwargs: Any) -> Any:
        entered.wait(timeout=20)
        entered.wait(timeout=20)
        return real(*args, **kwargs)

    monkeypatch.setattr(CaseViewSet, "list", slow)
    yield entered
    assert len(in_flight) == 0


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_more_than_their_share_of_the_threads(
    alice: User, bob: User, client_of: Any, limits: Limits, settings: Any, slow_cases: Barrier
) -> None:
    settings.LIMIT_CONCURRENT = 2
    limits(standard="10/1m")
    clients = [client_of(alice) for _ in range(3)]

    def ask(client: APIClient) -> int:
        try:
            return client.get(CASES).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        under_way = pool.map(ask, clients[:2])
        slow_cases.wait(timeout=20)
        third = clients[2].get(f"{API}clients/")
        of_bob = client_of(bob).get(f"{API}clients/")
        slow_cases.wait(timeout=20)
        assert list(under_way) == [200, 200]
    assert assert_problem(third, 429)["scope"] == "standard"
    assert third["Retry-After"] == "1"
    assert of_bob.status_code == 200
    assert (
        clients[2].get(f"{API}clients/")["X-RateLimit-Remaining"] == "7"
    )  # the third is uncounted


def test_a_download_keeps_its_place_until_its_last_byte(
    as_alice: APIClient, alice: User, firm: Any, settings: Any
) -> None:
    settings.LIMIT_CONCURRENT = 1
    document = factories.document(firm, "Some words.", author=alice)
    path = f"{API}documents/{document.pk}/download/"
    download = as_alice.get(path)
    assert download.status_code == 200
    assert as_alice.get(CASES).status_code == 429
    assert download.getvalue()
    assert as_alice.get(CASES).status_code == 200


def test_a_download_that_is_broken_off_gives_its_place_back(
    as_alice: APIClient, alice: User, firm: Any, settings: Any
) -> None:
    settings.LIMIT_CONCURRENT = 1
    document = factories.document(firm, "Some words.", author=alice)
    download = as_alice.get(f"{API}documents/{document.pk}/download/")
    assert len(in_flight) == 1
    request_finished.disconnect(close_old_connections)  # the test's transaction goes on
    try:
        download.close()
    finally:
        request_finished.connect(close_old_connections)
    assert len(in_flight) == 0
    assert as_alice.get(CASES).status_code == 200


# --- Numbers ------------------------------------------------------------------------------------
def counted(outcome: str) -> float:
    labels = {"scope": "standard", "outcome": outcome}
    return REGISTRY.get_sample_value("lexiflow_limiter_decisions_total", labels) or 0


def test_admitted_and_refused_calls_are_counted_and_the_decisions_timed(
    as_alice: APIClient, limits: Limits
) -> None:
    def timed() -> float:
        return REGISTRY.get_sample_value("lexiflow_limiter_seconds_count", {"source": "redis"}) or 0

    limits(standard="2/1m")
    before = counted("admitted"), counted("refused"), timed()
    statuses(as_alice, CASES, 5)
    after = counted("admitted"), counted("refused"), timed()
    assert [a - b for a, b in zip(after, before, strict=True)] == [2, 3, 5]


def test_the_top_violators_are_few_and_named_by_scope_and_principal(
    limits: Limits, monkeypatch: Any, shared_valkey: Valkey
) -> None:
    limits()
    monkeypatch.setattr(violators, "KEPT", 50)
    monkeypatch.setattr(violators, "_FLUSH_SECONDS", 3600)
    for number in range(300):
        violators.note("standard", f"address:192.0.2.{number}", "refused")
    for _ in range(39):
        violators.note("heavy", "user:1", "refused")
    monkeypatch.setattr(violators, "_FLUSH_SECONDS", 0)
    violators.note("heavy", "user:1", "refused")
    assert violators.top(1) == [("heavy", "user:1", 40)]
    server: Any = shared_valkey.client()
    (key,) = server.keys("lexiflow:limit:violators:*")
    assert server.zcard(key) == 50
    assert server.ttl(key) > 0
    (family,) = violators.TopViolatorsCollector().collect()
    assert len(family.samples) == 20
