"""Which numbers do we publish? Declarations only; each is counted where the thing happens.

Labels have few values, all of them ours: never an address, a path or a name that a caller chose.
"""

from prometheus_client import Counter, Histogram

LIMITER_DECISIONS = Counter(
    "lexiflow_limiter_decisions_total",
    "Calls that a limit decided on; `shadowed` ones passed because the scope only watches.",
    ["scope", "outcome"],  # admitted, refused, shadowed, blocked, crowded
)
CACHE_ANSWERS = Counter(
    "lexiflow_cache_answers_total",
    "Requests for answers that may be remembered.",
    ["route", "outcome"],  # hit, not_modified, stored, not_stored, bypassed
)
CACHE_CALLS = Counter(
    "lexiflow_cache_calls_total",
    "Calls of Django's cache, by what answered them: Redis, or this process while it is away.",
    ["source"],  # redis, memory
)
CACHE_SUSPENSIONS = Counter(
    "lexiflow_cache_suspensions_total",
    "Times this process could not tell Redis of a write, and had all processes do without it.",
)
LIMITER_SECONDS = Histogram(
    "lexiflow_limiter_seconds",
    "How long one decision took.",
    ["source"],  # redis, local
    buckets=(0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.3),
)
