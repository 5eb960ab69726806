"""Bulk changes: `make bench ONLY=bulk`. BULK_ROWS=1000000 for larger tables."""

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from django.db import connection, transaction

from cases.bulk import CASES
from cases.models import Case
from lexiflow.bulk.batches import BatchWriter
from lexiflow.bulk.items import Item, Operation
from lexiflow.bulk.models import BulkChange
from lexiflow.bulk.running import Plan, Run
from lexiflow.db.copying import copy_rows
from lexiflow.db.transactions import write_transaction
from tests.benchmarks.bench_history import case_rows, execute
from users.models import Organization, User

pytestmark = pytest.mark.django_db(transaction=True)


def ms(work):
    t = time.perf_counter()
    work()
    return (time.perf_counter() - t) * 1000


def test_probe(firm: Organization, alice: User) -> None:
    copy_rows(Case, case_rows(firm, 20000))
    execute("VACUUM ANALYZE cases_case")
    keys = list(Case.objects.order_by("id").values_list("id", flat=True)[::20])
    from datetime import date, timedelta

    bare, eng = [], []
    import cProfile

    prof = cProfile.Profile()
    for turn in range(12):
        days = [date(2026, 1, 1) + timedelta(days=n + turn * 1000) for n in range(1000)]
        codes = [f"{turn}-{n}" for n in range(1000)]

        def work_bare():
            with write_transaction(alice.pk):
                execute(
                    "UPDATE cases_case AS t SET trial_on = v.a, nature_of_suit_code = v.b FROM unnest(%s::uuid[], %s::date[], %s::text[]) AS v (id, a, b) WHERE t.id = v.id",
                    [keys, days, codes],
                )

        bare.append(ms(work_bare))
        items = [
            Item(n, k, {"trial_on": str(d), "nature_of_suit_code": "x" + c})
            for n, (k, d, c) in enumerate(zip(keys, days, codes))
        ]
        got = []

        def work():
            change = BulkChange(
                user=alice,
                source="api",
                table="cases",
                operation="update",
                is_atomic=False,
                asked={},
                total=1000,
            )
            Run(
                Plan(CASES, alice, Operation.UPDATE, lambda: items, "api"), change, keep=got.extend
            ).perform()

        if turn == 11:
            prof.enable()
        eng.append(ms(work))
        if turn == 11:
            prof.disable()
        assert all(o["status"] == "updated" for o in got), got[:2]
    print("bare", median(bare), "engine", median(eng), eng)
    import pstats

    pstats.Stats(prof).sort_stats("cumtime").print_stats(45)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-q", "-p", "no:cacheprovider"]))
