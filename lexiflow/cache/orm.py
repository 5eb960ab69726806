"""The cache of queries (django-cachalot), without its races.

cachalot compares clocks: it believes a result that was stored after its table was last invalidated,
whenever it was read. Here the generations of the tables (`lexiflow.cache.generations`) are part of
a result's key. They are read before the query is sent and end with every write, so what was read
before a commit lies under a key that nobody asks for after it; cachalot's own invalidation only
tidies up.

It is for lists of few and rarely changing tables (CACHALOT_ONLY_CACHABLE_TABLES) outside
transactions. Nothing else is worth the two round trips: one row by its key costs PostgreSQL less.
Answers of the API do not need it; they are remembered whole.

This rests on cachalot's internals in one point, that the key is asked for before the query is sent;
`tests/cache/test_orm.py` fails when that changes.
"""

import re
from hashlib import sha256
from typing import Any

from cachalot.utils import UncachableQuery, check_parameter_types
from django.conf import settings
from django.db.models.lookups import Exact
from django.db.models.sql.compiler import SQLCompiler

from lexiflow.cache import generations
from lexiflow.cache.answers import usable_epoch
from lexiflow.cache.generations import CacheAwayError
from lexiflow.cache.reads import is_recording, mentioned
from lexiflow.cache.told import EVERY_FIRM, EVERYTHING

# Wherever it stands in the statement: cachalot looks at the outermost annotations only.
_CHANGES_BY_ITSELF = re.compile(
    r"\b(random|now|\w+_timestamp|timeofday|nextval|gen_random_uuid|lexiflow_uuid7)\s*\("
    r"|\bCURRENT_(TIMESTAMP|DATE|TIME)\b|\bLOCALTIME",
    re.IGNORECASE,
)


def query_key(compiler: SQLCompiler) -> str:
    """cachalot's CACHALOT_QUERY_KEYGEN. Raises UncachableQuery for what is not to be cached."""
    query: Any = compiler.query
    table = query.model._meta.db_table if query.model else ""
    # First what costs nothing: this runs before every query.
    if table not in settings.CACHALOT_ONLY_CACHABLE_TABLES or query.select_for_update:
        raise UncachableQuery
    # What an answer rests on is seen in the statements that are sent.
    if _is_of_one_row(query) or is_recording():
        raise UncachableQuery
    epoch = usable_epoch()
    if epoch is None:
        raise UncachableQuery
    sql, parameters = compiler.as_sql()
    check_parameter_types(parameters)
    found = mentioned(sql)
    if found is None or _CHANGES_BY_ITSELF.search(sql):
        raise UncachableQuery
    tables = sorted(found[0] | found[1])
    if not tables or not set(tables) <= set(settings.CACHALOT_ONLY_CACHABLE_TABLES):
        raise UncachableQuery
    try:
        names = {EVERY_FIRM: tables, EVERYTHING: [EVERYTHING]}
        words = generations.present(epoch, names)
    except CacheAwayError:
        raise UncachableQuery from None
    if not all(words):
        raise UncachableQuery  # being written
    parts = (epoch.name, compiler.using, sql, [repr(p) for p in parameters], words)
    return sha256(repr(parts).encode()).hexdigest()


def _is_of_one_row(query: Any) -> bool:
    """Whether it asks for a row by its key."""
    return any(
        isinstance(child, Exact)
        and getattr(getattr(child.lhs, "target", None), "primary_key", False)
        for child in query.where.children
    )
