"""Bulk changes: `make bench ONLY=bulk`; BULK_TABLES=10000,100000,1000000 names the tables' sizes.

1,000 rows with distinct values in two fields (of no index, so that the indexes of the table are not
what is measured; one of them is counted), history triggers on, each way with its own commits and in
turns: the bare `UPDATE … FROM unnest(…)`, the engine with its record, the engine behind REST, and
what it replaces: a loop of `get`, `full_clean` and `save` for each row, signed like any change.

Then all rows of a table from 100,000 on, from a CSV file by the command, in a process of its own,
whose memory must not grow with the file.

The audited system: one UPDATE for each row, 442 to 1,016 ms for 1,000 rows (measured, without a
history); 15 s by the audit's own account, 200 ms by its promise.
"""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from uuid import UUID

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from cases.bulk import CASES
from cases.models import Case
from lexiflow.bulk.calls import Call, make
from lexiflow.bulk.items import Item, Operation
from lexiflow.db.copying import copy_rows
from lexiflow.db.transactions import write_transaction
from tests.benchmarks.bench_history import case_rows, execute, milliseconds
from tests.conftest import API
from tests.users.test_identity_in_all_processes import url_of_test_database
from users.models import Organization, User

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = [int(size) for size in os.environ.get("BULK_TABLES", "10000,100000").split(",")]
ROWS, TURNS, LOOP_TURNS = 1_000, 9, 2
FILE_ROWS, FILE_SECONDS, FEW_FILE_ROWS = 100_000, 15.0, 10_000
MOST_MILLISECONDS, MOST_TIMES_BARE, LEAST_TIMES_LOOP = 60.0, 2.0, 50.0
MOST_GROWTH_MEGABYTES = 24
BARE = """
UPDATE cases_case AS t SET filing_on = v.a, nature_of_suit_code = v.b
FROM unnest(%s::uuid[], %s::date[], %s::text[]) AS v (id, a, b) WHERE t.id = v.id
"""
CHECKOUT = Path(__file__).parents[2]


def fill(firm: Organization, count: int) -> None:
    """So many cases, as they are after a night of rest. None of the search's columns is touched
    here, so its index may stay empty.
    """
    for _ in range(0, count, 10_000):
        with write_transaction(None):
            execute("SET LOCAL lexiflow.defer_index = 'on'")
            copy_rows(Case, case_rows(firm, min(10_000, count)))
    for table in ("cases_case", "users_auditevent"):
        execute(f"VACUUM ANALYZE {table}")


Values = list[tuple[UUID, date, str]]


def distinct(keys: list[UUID], turn: int) -> Values:
    """Values that no row has, and no two rows share but for days of a long file."""
    first = date(1990, 1, 1) + timedelta(days=turn)
    return [
        (key, first + timedelta(days=3 * (n % 25_000)), f"{turn}/{n}") for n, key in enumerate(keys)
    ]


def bare(alice: User, values: Values) -> None:
    with write_transaction(alice.pk):
        execute(BARE, [list(column) for column in zip(*values, strict=True)])


def by_engine(alice: User, values: Values) -> None:
    items = [
        Item(n, key, {"filing_on": day.isoformat(), "nature_of_suit_code": code})
        for n, (key, day, code) in enumerate(values)
    ]
    answer = make(Call(CASES, alice, Operation.UPDATE, "api"), items)
    assert answer.totals.changed == len(values)


def by_loop(alice: User, values: Values) -> None:
    for key, day, code in values:
        with write_transaction(alice.pk):
            row = Case.objects.get(pk=key)
            row.filing_on, row.nature_of_suit_code = day, code
            row.full_clean(validate_constraints=False)  # with them it reads the firm's whole table
            row.save()


def over_rest(client: APIClient, values: Values) -> None:
    sent = [
        {"id": str(key), "set": {"filing_on": day.isoformat(), "nature_of_suit_code": code}}
        for key, day, code in values
    ]
    assert client.post(f"{API}cases/bulk/", {"items": sent}).json()["succeeded"] == len(values)


def file_of(folder: Path, count: int, turn: int) -> Path:
    keys = list(Case.objects.order_by("id").values_list("id", flat=True)[:count])
    path = folder / f"changes-{count}-{turn}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "filing_on", "nature_of_suit_code"])
        writer.writerows(distinct(keys, turn))
    return path


def by_command(path: Path) -> tuple[float, float]:
    """Seconds and megabytes of a process that runs the command."""
    program = (
        "import resource, subprocess, sys;"
        "ended = subprocess.run([sys.executable, 'manage.py', 'bulk_update_cases', sys.argv[1]]);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);"
        "sys.exit(ended.returncode)"
    )
    environment = {**os.environ, "DATABASE_URL": url_of_test_database()}
    environment["DJANGO_SETTINGS_MODULE"] = "lexiflow.settings"
    started = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    assert ended.returncode == 0, ended.stderr[-2_000:]
    return seconds, int(ended.stdout.split()[-1]) / 1024


@pytest.mark.parametrize("size", TABLES)
def test_changes_of_a_table_of(
    size: int,
    firm: Organization,
    alice: User,
    client_of: Callable[[User], APIClient],
    tmp_path: Path,
) -> None:
    started = time.perf_counter()
    fill(firm, size)
    print(f"\n{size:,} cases, made in {time.perf_counter() - started:.0f} s")
    over = a_thousand_rows(size, alice, client_of(alice))
    if size >= FILE_ROWS:
        over += a_file_of_all(size, tmp_path)
    assert not over


def a_thousand_rows(size: int, alice: User, client: APIClient) -> list[str]:
    """What was slower than it should be."""
    keys = list(Case.objects.order_by("id").values_list("id", flat=True)[:: max(1, size // ROWS)])
    keys = keys[:ROWS]
    ways: dict[str, Callable[[Values], object]] = {
        "bare UPDATE … FROM": lambda values: bare(alice, values),
        "engine, with its record": lambda values: by_engine(alice, values),
        "REST": lambda values: over_rest(client, values),
        "save() in a loop": lambda values: by_loop(alice, values),
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    number = 0
    for turn in range(TURNS + 1):
        for way, work in ways.items():
            if "loop" in way and turn > LOOP_TURNS:
                continue
            values = distinct(keys, number := number + 1)
            elapsed = milliseconds(partial(work, values))
            if turn:
                taken[way].append(elapsed)
    print(f"{ROWS:,} rows, 2 fields, history on; the audit promised 200 ms")
    base = median(taken["bare UPDATE … FROM"])
    for way, times in taken.items():
        print(
            f"  {way:<24} {median(times):9.1f} ms  {median(times) / base:6.2f} x bare,"
            f" {min(times):9.1f} ms at best"
        )
    engine, loop = median(taken["engine, with its record"]), median(taken["save() in a loop"])
    print(f"  a loop takes {loop / engine:.0f} times as long as the engine")
    limits = {
        f"{engine:.1f} ms": engine < MOST_MILLISECONDS,
        f"{engine / base:.2f} x bare": engine <= MOST_TIMES_BARE * base,
        f"{loop / engine:.0f} x faster than a loop": loop / engine >= LEAST_TIMES_LOOP,
    }
    return [what for what, is_met in limits.items() if not is_met]


def a_file_of_all(size: int, folder: Path) -> list[str]:
    """The same of a command."""
    _, few = by_command(file_of(folder, FEW_FILE_ROWS, 1))
    seconds, many = by_command(file_of(folder, size, 2))
    print(
        f"{size:,} rows from CSV: {seconds:.1f} s ({seconds / size * 1e6:.0f} us a row),"
        f" {many:.0f} MB; {FEW_FILE_ROWS:,} rows took {few:.0f} MB"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT nature_of_suit_code) FROM cases_case")
        (found,) = cursor.fetchone()
    assert found >= size
    limits = {
        f"{many:.0f} MB": many - few < MOST_GROWTH_MEGABYTES,
        f"{seconds:.1f} s": seconds <= FILE_SECONDS * size / FILE_ROWS,
    }
    return [what for what, is_met in limits.items() if not is_met]


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-q", "-p", "no:cacheprovider"]))
