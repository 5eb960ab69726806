"""Which numbers do we publish? Declarations only; each is counted where the thing happens.

Labels have few values, all of them ours: never an address, a path or a name that a caller chose.
Who is refused most is looked at when Prometheus asks (`lexiflow.ratelimit.violators`).
"""

from prometheus_client import Counter, Gauge, Histogram

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
CACHE_INVALIDATIONS = Counter(
    "lexiflow_cache_invalidations_total",
    "Writes that ended what was remembered of what they changed.",
)
LIMITER_SECONDS = Histogram(
    "lexiflow_limiter_seconds",
    "How long one decision took.",
    ["source"],  # redis, local
    buckets=(0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.3),
)
COMPRESSION_BYTES = Counter(
    "lexiflow_compression_bytes_total",
    "Bytes of answers that were compressed, before (in) and after (out).",
    ["coding", "side"],  # gzip, br, zstd; in, out
)

# --- Requests -----------------------------------------------------------------------------------
REQUEST_SECONDS = Histogram(
    "lexiflow_request_seconds",
    "How long requests took until their answer began.",
    ["route", "method", "status"],  # status: 2xx, 3xx, 4xx, 5xx
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2.5, 5, 10, 30),
)
REQUEST_STATEMENTS = Histogram(
    "lexiflow_request_statements",
    "How many statements a request sent to PostgreSQL.",
    ["route"],
    buckets=(0, 1, 2, 4, 8, 16, 32, 64, 256),
)
REQUEST_DATABASE_SECONDS = Counter(
    "lexiflow_request_database_seconds_total",
    "How much of their time requests waited for PostgreSQL.",
    ["route"],
)

# --- PostgreSQL ---------------------------------------------------------------------------------
QUERY_SECONDS = Histogram(
    "lexiflow_query_seconds",
    "How long statements took.",
    ["operation"],  # select, insert, update, delete, with, other
    buckets=(0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
SLOW_QUERIES = Counter(
    "lexiflow_slow_queries_total",
    "Statements that took long: `logged` above DB_SLOW_MILLISECONDS, `alarming` above a second.",
    ["level"],
)
for _level in ("logged", "alarming"):
    SLOW_QUERIES.labels(_level)  # from the start: the first one is an increase, too
POOL_SIZE = Gauge(
    "lexiflow_pool_connections",
    "Connections that the pool of a process has.",
    multiprocess_mode="liveall",
)
POOL_IN_USE = Gauge(
    "lexiflow_pool_in_use_connections",
    "Those of them that somebody holds.",
    multiprocess_mode="liveall",
)
POOL_MAXIMUM = Gauge(
    "lexiflow_pool_max_connections",
    "How many it may have.",
    multiprocess_mode="liveall",
)
POOL_WAITING = Gauge(
    "lexiflow_pool_waiting_requests",
    "How many wait for a connection.",
    multiprocess_mode="liveall",
)
POOL_REQUESTS = Counter("lexiflow_pool_requests_total", "Connections that were asked for.")
POOL_WAITS = Counter("lexiflow_pool_waits_total", "Those that were not there at once.")
POOL_WAIT_SECONDS = Counter(
    "lexiflow_pool_wait_seconds_total", "How long was waited for connections."
)
POOL_TIMEOUTS = Counter(
    "lexiflow_pool_timeouts_total", "Those that did not come in time: each is a 503."
)
