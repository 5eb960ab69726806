"""What figures cost, and what a write pays for them: `make bench ONLY=metrics`.

A firm with 10,000 cases and as many documents, then one with 100,000; sizes of your own by
LEXIFLOW_BENCH_CASES="10000 1000000". 200 people, three on each case, 5 % of the cases closed to all
but their team, 2 % deleted, a third of the documents above "internal", 1,000 practice areas. Cold:
nothing is cached but what PostgreSQL itself keeps in memory. Beside it the plain count over
`visible_to`, and that count's own SQL (COUNT(*) FILTER), which the audit measures by.

Then 1,000 rows written and changed with and without the triggers, in turns and in one run, history
on in both.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from tests import factories
from tests.benchmarks.bench_history import execute
from users.models import Membership, Organization, User

pytestmark = pytest.mark.django_db(transaction=True)

SIZES = [int(size) for size in os.environ.get("LEXIFLOW_BENCH_CASES", "10000 100000").split()]
PEOPLE, MANY_WALLS, RUNS, WRITTEN = 200, 1_000, 15, 1_000
# Milliseconds, for cases: the audit's own, and ours for large firms.
MOST_AT_10_000, MOST_BEYOND, MOST_TIMES_PLAIN_SQL = 45, 50, 1.3


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
        (%(people)s::uuid[])[1 + n * 13 %% cardinality(%(people)s::uuid[])], '{}',
        CASE WHEN n %% 50 = 7 THEN now() END, now() - n %% 3000 * interval '1 day'
    FROM generate_series(1, %(size)s) n
    """,
    """
    INSERT INTO cases_caseteammember (id, organization_id, case_id, user_id, role)
    SELECT DISTINCT ON (c.id, p.key) lexiflow_uuid7(), %(firm)s, c.id, p.key, 'associate'
    FROM (SELECT id, row_number() OVER () AS n FROM cases_case) c,
        LATERAL (SELECT (%(people)s::uuid[])[1 + (c.n * 7 + turn * 31)
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
        (%(people)s::uuid[])[1 + n * 17 %% cardinality(%(people)s::uuid[])],
        (%(people)s::uuid[])[1 + n * 19 %% cardinality(%(people)s::uuid[])], '{}', '{}', 1,
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


def milliseconds(work: Callable[[], object], runs: int = RUNS) -> float:
    times = []
    for _ in range(runs):
        started = perf_counter()
        work()
        times.append((perf_counter() - started) * 1_000)
    return median(times)


PLAIN_SQL = {
    "cases": """
        SELECT count(*), {statuses}, {types} FROM cases_case
        WHERE organization_id = %s AND deleted_at IS NULL
    """,
}


@pytest.mark.parametrize("size", SIZES)
def test_reading(size: int) -> None:
    with large_firm(size) as firm:
        people = {
            "super admin": firm.root,
            "associate": firm.associate,
            "1,000 walls": firm.barred,
            "operator": firm.operator,
        }
        for name, person in people.items():
            for kind, module, model in (
                ("cases", case_metrics, Case),
                ("documents", document_metrics, Document),
            ):
                counted = milliseconds(lambda: module.metrics_for(person))
                visible = model.objects.visible_to(person)
                plain = milliseconds(lambda: module.metrics_of(visible), 1)
                assert module.metrics_for(person) == module.metrics_of(visible)
                print(f"{name:<14}{kind:<12}{counted:>9.1f} ms, plain {plain:>9.1f}")
                if os.environ.get("LEXIFLOW_BENCH_PLANS"):
                    print_plan(lambda: module.metrics_for(person))


def print_plan(work: Callable[[], object]) -> None:
    with CaptureQueriesContext(connection) as captured:
        work()
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + captured[-1]["sql"])
        print("\n".join(line for (line,) in cursor.fetchall()))
