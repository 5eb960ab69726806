"""What figures cost, and what a write pays for them: `make bench ONLY=metrics`.

A firm with 10,000 cases and as many documents, then one with 100,000; sizes of your own by
LEXIFLOW_BENCH_CASES="10000 1000000". 200 people, three on each case, 5 % of the cases closed to all
but their team, 2 % deleted, a third of the documents above "internal", 1,000 practice areas. Cold:
nothing is cached but what PostgreSQL itself keeps in memory. Beside it the same figures of the
whole firm in plain SQL, and counted one by one over `visible_to`, as with a filter.
LEXIFLOW_BENCH_PLANS=1 prints the plans.

Then 1,000 rows written and changed with and without the triggers, in turns and in one run, history
on in both.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cases import metrics as case_metrics
from cases.counting import CASES
from cases.models import Case
from documents import metrics as document_metrics
from documents.counting import DOCUMENTS
from documents.models import Document
from lexiflow.counting.upkeep import rebuild
from lexiflow.db.copying import copy_rows
from tests import factories
from tests.benchmarks.bench_history import MAKE, VALUES, compared, execute, tell
from users.models import Membership, Organization, User

pytestmark = pytest.mark.django_db(transaction=True)

SIZES = [int(size) for size in os.environ.get("LEXIFLOW_BENCH_CASES", "10000 100000").split()]
PEOPLE, MANY_WALLS, RUNS, WRITTEN = 200, 1_000, 15, 1_000
# Milliseconds, for cases: the audit's own, and ours for large firms.
MOST_AT_10_000, MOST_BEYOND = 45, 50


class Firm:
    """A firm of one size, written by the database itself."""

    def __init__(self, size: int) -> None:
        self.firm = factories.organization("A large firm")
        self.root = factories.user(firm=self.firm, role="super_admin")
        self.associate = factories.user(firm=self.firm, role="associate")
        self.barred = factories.user(firm=self.firm, role="associate")
        self.operator = factories.user(is_superuser=True)
        people = [User(email=f"c{n}@large.example", role="paralegal") for n in range(PEOPLE - 3)]
        User.objects.bulk_create(people)
        Membership.objects.bulk_create(
            [Membership(user=p, organization=self.firm, is_primary=True) for p in people]
        )
        self.people = [self.root, self.associate, self.barred, *people]
        with transaction.atomic():
            load(self.firm, [p.pk for p in self.people], self.barred.pk, size)
            rebuild(CASES)
            rebuild(DOCUMENTS)
        execute("VACUUM ANALYZE")


def load(firm: Organization, people: list[Any], barred: Any, size: int) -> None:
    """Triggers are off: what they keep is made afterwards, as in a migration."""
    execute("SET LOCAL statement_timeout = 0")
    execute("SET LOCAL session_replication_role = replica")
    given = {"firm": firm.pk, "people": people, "size": size, "barred": barred}
    for statement in LOAD:
        execute(statement, given)
    execute("SET LOCAL session_replication_role = origin")


LOAD = (
    """
    INSERT INTO cases_case (id, organization_id, case_number, title, description, type, status,
        access, is_shared_with_client, practice_area, jurisdiction, court, cause_of_action,
        nature_of_suit, nature_of_suit_code, judge, referred_judge, magistrate_judge, jury_demand,
        filed_on, closed_on, trial_on, originating_court, originating_case_number,
        originating_judge, lead_attorney_id, metadata, deleted_at, created_at)
    SELECT lexiflow_uuid7(), %(firm)s, 'M-' || n, 'Lovelace v. Babbage ' || n, '',
        (ARRAY['civil', 'criminal', 'family', 'tax', 'labor'])[1 + n %% 5],
        (ARRAY['open', 'active', 'pending', 'trial', 'on_hold', 'closed', 'settled'])[1 + n %% 7],
        CASE WHEN n %% 100 = 3 THEN 'sealed' WHEN n %% 25 = 4 THEN 'team' ELSE 'firm' END, false,
        'Area ' || (power(random(), 3) * 1000)::int, '', '', '', '', '', '', '', '', 'none',
        current_date - 1000 - n %% 4000, CASE WHEN n %% 7 > 4 THEN current_date - n %% 900 END,
        current_date + n %% 700 - 350, '', '', '',
        (%(people)s::uuid[])[1 + abs(hashtext('lead' || n)) %% cardinality(%(people)s::uuid[])],
        '{}', CASE WHEN n %% 50 = 7 THEN now() END, now() - n %% 3000 * interval '1 day'
    FROM generate_series(1, %(size)s) n
    """,
    """
    INSERT INTO cases_caseteammember (id, organization_id, case_id, user_id, role)
    SELECT DISTINCT ON (c.id, p.key) lexiflow_uuid7(), %(firm)s, c.id, p.key, 'associate'
    FROM (SELECT id, row_number() OVER () AS n FROM cases_case) c,
        LATERAL (SELECT (%(people)s::uuid[])[1 + abs(hashtext(turn || 'team' || c.n))
            %% cardinality(%(people)s::uuid[])] AS key FROM generate_series(0, 1) turn) p
    """,
    """
    INSERT INTO cases_ethicalwall (id, organization_id, case_id, user_id, reason)
    SELECT lexiflow_uuid7(), %(firm)s, c.id,
        CASE WHEN c.n <= 1000 THEN %(barred)s ELSE (%(people)s::uuid[])[
            2 + c.n %% (cardinality(%(people)s::uuid[]) - 1)] END, 'Former client'
    FROM (SELECT id, row_number() OVER (ORDER BY hashtext(id::text)) AS n FROM cases_case) c
    WHERE c.n <= 6000
    """,
    """
    INSERT INTO documents_document (id, organization_id, case_id, title, description, type, status,
        access_level, is_shared_with_client, author_id, created_by_id, tags, custom_fields,
        current_version, file_name, media_type, size, sha256, pages, language, text_status,
        text_error, created_at)
    SELECT lexiflow_uuid7(), %(firm)s, CASE WHEN n %% 20 > 0 THEN c.id END, 'Memo ' || n, '',
        (ARRAY['motion', 'brief', 'letter', 'memo'])[1 + n %% 4],
        (ARRAY['draft', 'approved', 'filed'])[1 + n %% 3],
        (ARRAY['public', 'internal', 'internal', 'internal', 'internal', 'internal', 'internal',
            'internal', 'internal', 'internal', 'confidential', 'confidential', 'privileged',
            'privileged', 'attorney_work_product'])[1 + n * 11 %% 15], false,
        (%(people)s::uuid[])[1 + abs(hashtext('author' || n)) %% cardinality(%(people)s::uuid[])],
        (%(people)s::uuid[])[1 + abs(hashtext('brought' || n)) %% cardinality(%(people)s::uuid[])],
        '{}', '{}', 1,
        n || '.pdf', 'application/pdf', 1000 + n %% 5000, repeat('0', 64), n %% 40, 'en',
        CASE WHEN n %% 100 = 0 THEN 'pending' ELSE 'ready' END, '',
        now() - n %% 3000 * interval '1 day'
    FROM (SELECT id, row_number() OVER (ORDER BY hashtext(id::text)) AS n FROM cases_case) c
    """,
)


@contextmanager
def large_firm(size: int) -> Iterator[Firm]:
    started = perf_counter()
    firm = Firm(size)
    print(f"\n{size:,} cases and documents in {perf_counter() - started:.0f} s")
    try:
        yield firm
    finally:
        execute("TRUNCATE users_organization, users_user CASCADE")


# The same figures of the whole firm as plain SQL has them, in one scan.
PLAIN_SQL = {
    Case: """
        SELECT status, type, practice_area, date_trunc('month', filed_on),
            date_trunc('month', closed_on), trial_on, count(*),
            avg(current_date - filed_on) FILTER (WHERE status NOT IN ('closed', 'settled'))
        FROM cases_case WHERE organization_id = %s AND deleted_at IS NULL
        GROUP BY GROUPING SETS ((), (status), (type), (practice_area),
            (date_trunc('month', filed_on)), (date_trunc('month', closed_on)), (trial_on))
    """,
    Document: """
        SELECT status, type, access_level, text_status, date_trunc('month', d.created_at),
            count(*), sum(pages), sum(size)
        FROM documents_document d WHERE organization_id = %s AND deleted_at IS NULL
            AND NOT EXISTS (SELECT FROM cases_case c WHERE c.id = case_id AND c.deleted_at < now())
        GROUP BY GROUPING SETS ((), (status), (type), (access_level), (text_status),
            (date_trunc('month', d.created_at)))
    """,
}


def milliseconds(work: Callable[[], object], runs: int = RUNS) -> float:
    times = []
    for _ in range(runs):
        started = perf_counter()
        work()
        times.append((perf_counter() - started) * 1_000)
    return median(times)


@pytest.mark.parametrize("size", SIZES)
def test_figures_cost_the_same_whatever_the_number_of_rows(size: int) -> None:
    with large_firm(size) as firm:
        people = {
            "super admin": firm.root,
            "associate, 25 walls": firm.associate,
            "associate, 1,000 walls": firm.barred,
            "operator": firm.operator,
        }
        for kind, module, model in (
            ("cases", case_metrics, Case),
            ("documents", document_metrics, Document),
        ):
            plain_sql = milliseconds(partial(execute, PLAIN_SQL[model], [firm.firm.pk]), 5)
            print(f"{kind}: plain SQL of the whole firm {plain_sql:.1f} ms")
            for name, person in people.items():
                took = milliseconds(partial(module.metrics_for, person))
                visible = model._default_manager.visible_to(person)
                one_by_one = milliseconds(partial(module.metrics_of, visible), 1)
                assert module.metrics_for(person) == module.metrics_of(visible)
                print(f"  {name:<24}{took:>8.1f} ms, one by one {one_by_one:>9.1f} ms")
                print_plan(partial(module.metrics_for, person))
                if kind == "cases" and person is not firm.barred:
                    assert took < (MOST_AT_10_000 if size <= 10_000 else MOST_BEYOND)


def print_plan(work: Callable[[], object]) -> None:
    if not os.environ.get("LEXIFLOW_BENCH_PLANS"):
        return
    with CaptureQueriesContext(connection) as captured:
        work()
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + captured[-1]["sql"])
        print("\n".join(line for (line,) in cursor.fetchall()))


@pytest.mark.parametrize("model", VALUES)
def test_what_a_write_pays(model: type[Any], firm: Organization, alice: User) -> None:
    table = model._meta.db_table
    copy_rows(model, MAKE[model](firm, 10 * WRITTEN))
    execute(f"VACUUM ANALYZE {table}")
    keys = list(model.objects.order_by("id").values_list("id", flat=True)[::10])
    update = f"UPDATE {table} SET {VALUES[model]} WHERE id = ANY (%s)"
    silent = f"UPDATE {table} SET description = description || '.' WHERE id = ANY (%s)"
    rows = MAKE[model](firm, WRITTEN)
    one = [{**row, "case_number": "one"} if model is Case else row for row in rows[:1]]
    print()
    for what, work, count in (
        ("1 inserted", lambda: copy_rows(model, one), 1),
        ("1 changed", lambda: execute(update, [keys[:1]]), 1),
        ("1,000 inserted", lambda: copy_rows(model, rows), WRITTEN),
        ("1,000 changed in what is counted", lambda: execute(update, [keys]), WRITTEN),
        ("1,000 changed in what is not", lambda: execute(silent, [keys]), WRITTEN),
    ):
        taken = compared(alice, table, work, "count")
        tell(f"{model.__name__}s: {what}", *taken, count)
