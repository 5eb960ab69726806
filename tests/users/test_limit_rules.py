"""What operators say about limits: by admin and command, at once, everywhere, on the record."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.test import Client as Browser
from django.utils import timezone
from rest_framework.test import APIClient

from lexiflow.db.notifications import notifications
from lexiflow.ratelimit import shared_window
from lexiflow.ratelimit.rules import RuleBook, Rules, current_rules, rule_book
from tests import factories
from tests.assertions import assert_problem
from tests.commands import run
from tests.conftest import API
from users.limit_models import CallerBlock, LimitOverride, ScopeLimit
from users.models import AuditEvent, User

pytestmark = pytest.mark.django_db(transaction=True)

CASES = f"{API}cases/"
_PATIENCE_SECONDS = 10


@pytest.fixture(autouse=True)
def _operators_rules(settings: Any, limits: Callable[..., None]) -> Iterator[None]:
    settings.LIMITER_RULES = "users.limit_rules.OperatorsRules"
    limits(standard="3/1m")
    yield
    notifications.stop()
    rule_book("users.limit_rules.OperatorsRules").forget()


def until(condition: Callable[[], bool]) -> float:
    """Seconds until it was true."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() < begun + _PATIENCE_SECONDS
        time.sleep(0.01)
    return time.monotonic() - begun


def shown_limit(client: APIClient) -> str | None:
    rows = client.get(f"{API}limits/").json()["scopes"]
    limits: dict[str, str | None] = {row["scope"]: row["limit"] for row in rows}
    return limits["standard"]


def limits_command(*words: object) -> str:
    ending = run("limits", *words)
    assert ending.code == 0, ending.message
    return ending.out


# --- In force at once ---------------------------------------------------------------------------
def test_a_changed_limit_holds_and_its_end_restores_the_environment_s(as_alice: APIClient) -> None:
    assert shown_limit(as_alice) == "3/1m"
    limits_command("set", "standard", "7/60s")
    until(lambda: shown_limit(as_alice) == "7/1m")
    limits_command("set", "standard", "off")
    until(lambda: shown_limit(as_alice) is None)
    limits_command("set", "standard", "default")
    until(lambda: shown_limit(as_alice) == "3/1m")


def test_a_person_s_override_is_theirs_alone(
    as_alice: APIClient, as_bob: APIClient, alice: User
) -> None:
    limits_command("override", "--user", "Alice@hart.example", "standard", "50/1m")
    until(lambda: shown_limit(as_alice) == "50/1m")
    assert shown_limit(as_bob) == "3/1m"
    limits_command("override", "--user", alice.email, "standard", "default")
    until(lambda: shown_limit(as_alice) == "3/1m")


def test_a_key_s_override_comes_before_its_owner_s(as_alice: APIClient, alice: User) -> None:
    first, second = (factories.api_key(alice, "cases:read") for _ in range(2))
    clients = [
        APIClient(headers={"Authorization": f"Bearer {key.text}"}) for key in (first, second)
    ]

    def remaining() -> list[str]:
        return [client.get(CASES)["X-RateLimit-Remaining"] for client in clients]

    assert remaining() == ["2", "1"]  # all keys of a person together
    LimitOverride.objects.create(user=alice, scope="standard", rate="50/1m")
    until(lambda: shown_limit(as_alice) == "50/1m")
    assert remaining() == ["47", "46"]
    limits_command("override", "--api-key", first.row.pk, "standard", "9/1m")
    until(lambda: shown_limit(clients[0]) == "9/1m")
    assert remaining() == ["8", "45"]  # a limit of one's own is counted on one's own
    limits_command("block", "--api-key", first.row.pk)
    until(lambda: clients[0].get(CASES).status_code == 403)
    assert [client.get(CASES).status_code for client in clients] == [403, 200]
    assert as_alice.get(CASES).status_code == 200


def test_a_blocked_person_is_refused_until_unblocked(
    as_alice: APIClient, as_bob: APIClient
) -> None:
    limits_command("block", "--user", "alice@hart.example", "--for", "2h", "--reason", "scraping")
    until(lambda: as_alice.get(CASES).status_code == 403)
    refused = as_alice.get(CASES)
    assert assert_problem(refused, 403)["code"] == "blocked"
    assert 7_000 < int(refused["Retry-After"]) <= 7_200
    assert b"scraping" not in refused.content
    assert as_bob.get(CASES).status_code == 200
    limits_command("unblock", "--user", "alice@hart.example")
    until(lambda: as_alice.get(CASES).status_code == 200)


def test_a_block_without_end_promises_no_return(as_alice: APIClient, alice: User) -> None:
    CallerBlock.objects.create(user=alice)
    until(lambda: as_alice.get(CASES).status_code == 403)
    assert "Retry-After" not in as_alice.get(CASES)


def test_a_blocked_network_is_refused_at_every_door(alice: User) -> None:
    limits_command("block", "--network", "192.0.2.77/24")
    inside, outside = APIClient(REMOTE_ADDR="192.0.2.5"), APIClient(REMOTE_ADDR="198.51.100.5")
    until(lambda: inside.get(CASES).status_code == 403)
    assert outside.get(CASES).status_code == 401
    body = {"email": alice.email, "password": "wrong"}
    assert inside.post(f"{API}auth/login/", body).status_code == 403
    form = {"username": alice.email, "password": "wrong"}
    assert Browser(REMOTE_ADDR="192.0.2.5").post("/admin/login/", form).status_code == 403
    assert inside.get(f"{API}health/live/").status_code == 200


def test_a_block_ends_by_itself(as_alice: APIClient, alice: User) -> None:
    CallerBlock.objects.create(user=alice, until=timezone.now() + timedelta(seconds=2))
    until(lambda: as_alice.get(CASES).status_code == 403)
    until(lambda: as_alice.get(CASES).status_code == 200)


def test_in_the_shadow_everything_is_decided_and_let_pass(as_alice: APIClient) -> None:
    limits_command("set", "standard", "2/1m", "--shadow")
    until(lambda: shown_limit(as_alice) == "2/1m")
    answers = [as_alice.get(CASES) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == list("10000")
    assert "Retry-After" not in answers[-1]
    limits_command("set", "standard", "2/1m", "--enforce")
    until(lambda: as_alice.get(CASES).status_code == 429)


def test_who_is_refused_can_be_shut_out_for_longer(as_alice: APIClient) -> None:
    limits_command("set", "standard", "1/1s", "--block-seconds", "600")
    until(lambda: shown_limit(as_alice) == "1/1s")
    as_alice.get(CASES)
    assert 590 < int(as_alice.get(CASES)["Retry-After"]) <= 600


def _limit_in_child(go_on: Any, results: Any) -> None:
    connections.close_all()
    current_rules()
    while go_on.is_set():
        rule = current_rules().rule_for("heavy", ())
        if rule.limit is not None:
            results.put(str(rule.limit))
            break
        time.sleep(0.005)
    notifications.stop()
    connections.close_all()


def test_every_process_is_told() -> None:
    forking: Any = get_context("fork")
    go_on, results = forking.Event(), forking.SimpleQueue()
    go_on.set()
    connections.close_all()
    children = [forking.Process(target=_limit_in_child, args=(go_on, results)) for _ in range(3)]
    for child in children:
        child.start()
    try:
        time.sleep(1.5)  # all of them have read the rules and listen by now
        ScopeLimit.objects.create(scope="heavy", rate="9/1m")
        found = [results.get() for _ in children]
    finally:
        go_on.clear()
        for child in children:
            child.join(timeout=10)
    assert found == ["9/1m"] * len(children)


def test_changes_by_plain_sql_are_told_as_well(as_alice: APIClient) -> None:
    limits_command("set", "standard", "7/1m")
    until(lambda: shown_limit(as_alice) == "7/1m")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users_scopelimit SET rate = '8/1m'")
    until(lambda: shown_limit(as_alice) == "8/1m")


def test_while_nobody_can_listen_the_rules_are_still_read(
    as_alice: APIClient, settings: Any
) -> None:
    settings.DATABASE_LISTEN = {"host": "127.0.0.1", "port": "1", "dbname": "nowhere"}
    notifications.stop()
    limits_command("set", "standard", "7/1m")
    until(lambda: shown_limit(as_alice) == "7/1m")


def test_threads_that_begin_together_share_one_book_and_one_window(settings: Any) -> None:
    for number in range(20):
        settings.LIMITER_PROCESSES = 100 + number
        together = Barrier(8)

        def begin(_: int, together: Barrier = together) -> int:
            together.wait()
            return id(shared_window())

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(begin, range(8)))) == 1
    books = {id(rule_book("users.limit_rules.OperatorsRules")) for _ in range(3)}
    assert len(books) == 1


def test_a_database_that_is_away_is_asked_by_one_caller_and_then_left_alone() -> None:
    tries: list[str] = []

    class Away:
        channel = "nowhere"

        def load(self) -> Rules:
            tries.append("asked")
            raise OperationalError("away")

    book = RuleBook(Away())
    assert [book.current() for _ in range(50)] == [Rules()] * 50
    assert tries == ["asked"]


# --- On the record ------------------------------------------------------------------------------
def test_every_change_is_in_the_audit_trail(alice: User) -> None:
    limits_command("set", "heavy", "5/1m")
    limits_command("set", "heavy", "6/1m")
    limits_command("override", "--user", alice.email, "heavy", "50/1m")
    limits_command("block", "--network", "192.0.2.1")
    limits_command("unblock", "--network", "192.0.2.1")
    events = AuditEvent.objects.filter(source="command: limits").order_by("pk")
    assert list(events.values_list("object_type", "action")) == [
        ("users_scopelimit", "created"),
        ("users_scopelimit", "updated"),
        ("users_limitoverride", "created"),
        ("users_callerblock", "created"),
        ("users_callerblock", "deleted"),
    ]
    assert events[1].changes["rate"] == ["5/1m", "6/1m"]


def test_what_holds_can_be_shown(alice: User) -> None:
    limits_command("set", "heavy", "5/1m", "--shadow")
    limits_command("override", "--user", alice.email, "upload", "off")
    limits_command("block", "--network", "2001:db8::/64")
    shown = limits_command("show")
    assert "heavy: 5/1m (set by operators, only counted)" in shown
    assert "standard: 3/1m (from the environment)" in shown
    assert f"override user:{alice.pk} upload: off" in shown
    assert "blocked 2001:db8::/64 until unblocked" in shown


@pytest.mark.parametrize(
    "words",
    [
        ("set", "standard", "5/xx"),
        ("set", "standrad", "5/1m"),
        ("set", "standard", "0/1m"),
        ("set", "standard", "5/30d"),
        ("set", "standard", "5/1m", "--shadow", "--enforce"),
        ("set", "standard", "5/1m", "--block-seconds", "-1"),
        ("override", "standard", "5/1m"),
        ("override", "--user", "nobody@hart.example", "standard", "5/1m"),
        ("override", "--api-key", uuid4(), "standard", "5/1m"),
        ("override", "--api-key", "secret", "standard", "5/1m"),
        ("block", "--network", "nowhere"),
        ("block", "--network", "192.0.2.1", "--for", "soon"),
        ("unblock", "--network", "192.0.2.1"),
    ],
)
def test_a_command_that_makes_no_sense_changes_nothing(words: tuple[object, ...]) -> None:
    ending = run("limits", *words)
    assert ending.code != 0
    assert ending.message
    for model in (ScopeLimit, LimitOverride, CallerBlock):
        assert not model.objects.exists()


# --- In the admin -------------------------------------------------------------------------------
def browser_of(person: User) -> Browser:
    browser = Browser()
    browser.force_login(person)
    return browser


def test_operators_change_limits_in_the_admin(operator: User, as_alice: APIClient) -> None:
    browser = browser_of(operator)
    form = {"scope": "standard", "rate": "420/60s", "block_seconds": "0"}
    answer = browser.post("/admin/users/scopelimit/add/", form)
    assert answer.status_code == 302, answer.content
    assert ScopeLimit.objects.get().rate == "420/1m"
    assert ScopeLimit.objects.get().created_by == operator
    until(lambda: shown_limit(as_alice) == "420/1m")
    for model in ("scopelimit", "limitoverride", "callerblock"):
        assert browser.get(f"/admin/users/{model}/").status_code == 200
        assert browser.get(f"/admin/users/{model}/add/").status_code == 200


def test_a_wrong_rate_or_network_is_said_beside_the_field(operator: User) -> None:
    browser = browser_of(operator)
    form = {"scope": "standard", "rate": "many", "block_seconds": "0"}
    answer = browser.post("/admin/users/scopelimit/add/", form)
    assert answer.status_code == 200
    assert b"calls/period" in answer.content
    answer = browser.post("/admin/users/callerblock/add/", {"network": "everywhere"})
    assert answer.status_code == 200
    assert b"192.0.2.0/24" in answer.content
    assert not ScopeLimit.objects.exists()
    assert not CallerBlock.objects.exists()


def test_a_network_has_one_spelling(operator: User) -> None:
    browser_of(operator).post("/admin/users/callerblock/add/", {"network": "192.0.2.7"})
    assert CallerBlock.objects.get().network == "192.0.2.7/32"
    limits_command("unblock", "--network", "192.0.2.7")


@pytest.mark.parametrize("model", ["scopelimit", "limitoverride", "callerblock"])
def test_nobody_else_sees_the_limits_in_the_admin(alice: User, model: str) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    browser = browser_of(User.objects.get(pk=alice.pk))
    assert browser.get(f"/admin/users/{model}/").status_code == 403
    assert browser.post(f"/admin/users/{model}/add/", {}).status_code == 403


# --- In the database ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    "make",
    [
        lambda alice: ScopeLimit.objects.create(scope="nothing", rate="1/1m"),
        lambda alice: ScopeLimit.objects.create(scope="auth", rate="much"),
        lambda alice: LimitOverride.objects.create(scope="auth", rate="1/1m"),
        lambda alice: LimitOverride.objects.create(scope="auth", rate="", user=alice),
        lambda alice: LimitOverride.objects.create(
            scope="auth", rate="1/1m", user=alice, api_key=factories.api_key(alice).row
        ),
        lambda alice: CallerBlock.objects.create(),
        lambda alice: CallerBlock.objects.create(user=alice, network="192.0.2.1"),
    ],
)
def test_rows_that_make_no_sense_are_refused_by_the_database(alice: User, make: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make(alice)


def test_there_is_one_row_for_a_scope_and_one_for_a_caller(alice: User) -> None:
    ScopeLimit.objects.create(scope="auth", rate="1/1m")
    with pytest.raises(ValidationError):
        ScopeLimit(scope="auth", rate="2/1m").full_clean()
    LimitOverride.objects.create(user=alice, scope="auth", rate="1/1m")
    with pytest.raises(IntegrityError), transaction.atomic():
        LimitOverride.objects.create(user=alice, scope="auth", rate="2/1m")
