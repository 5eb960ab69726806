"""Django's settings, in the order a request meets them. The environment is read here only.

`LEXIFLOW_ENV=production` has no defaults for secrets, hosts and servers. In development everything
has a safe one: the secret key is random and kept in the local folder, hosts are loopback.
`manage.py` puts DATABASE_URL and REDIS_URL there when it starts the local servers itself.
"""

import os
import sys
from pathlib import Path
from typing import Any

from lexiflow import admin_menu, env

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_HOME = Path(env.text("LEXIFLOW_HOME", str(BASE_DIR / ".lexiflow")))
ENVIRONMENT = env.choice("LEXIFLOW_ENV", "development", ("development", "production"))
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.boolean("DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY", keep_in=None if PRODUCTION else LOCAL_HOME / "secret_key")
# Older ones, newest first: still good for what was signed or encrypted with them.
SECRET_KEY_FALLBACKS = env.listing("SECRET_KEY_FALLBACKS", [])
# What the audit trail is sealed with; derived from SECRET_KEY unless it has a key of its own.
AUDIT_SEAL_KEY = env.text("AUDIT_SEAL_KEY", "")
AUDIT_SEAL_OLD_KEYS = env.listing("AUDIT_SEAL_OLD_KEYS", [])

# --- Who may talk to us -------------------------------------------------------------------------
ALLOWED_HOSTS = (
    env.text("ALLOWED_HOSTS").split(",")
    if PRODUCTION
    else env.listing("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]", ".localhost"])
)
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS", [])
# nginx sets the header and drops the client's own; without a trusted proxy it is not believed.
TRUSTED_PROXIES = env.proxies("TRUSTED_PROXIES")
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0

# --- A request's way in -------------------------------------------------------------------------
ROOT_URLCONF = "lexiflow.urls"
WSGI_APPLICATION = "lexiflow.wsgi.application"
APPEND_SLASH = False  # a redirect would turn a POST into a GET and lose its body
MIDDLEWARE = [
    "lexiflow.http.request_id.RequestIdMiddleware",  # outermost: every answer and log line has it
    "lexiflow.http.observation.ObservationMiddleware",  # times and counts what requests cost
    "lexiflow.cache.cohorts.CohortMiddleware",  # times what the cache serves, and what it does not
    "lexiflow.api.rate_limits.RateLimitMiddleware",  # around all that may answer for the API
    "lexiflow.api.warm_answers.WarmAnswersMiddleware",  # hot reads need nothing of what follows
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # static files need nothing of what follows
    "lexiflow.http.compression.CompressionMiddleware",  # never of static files, nor of secrets
    "django.contrib.sessions.middleware.SessionMiddleware",  # the admin's; lazy, free for the API
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",  # templates of the drop-down and autocomplete filters
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "pgtrigger",
    "cachalot",
    "procrastinate.contrib.django",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "lexiflow",
    "users",
    "cases",
    "documents",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Who is asking ------------------------------------------------------------------------------
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    }
]
ACCESS_TOKEN_SECONDS = env.integer("ACCESS_TOKEN_SECONDS", 900, minimum=60, maximum=86_400)
REFRESH_TOKEN_SECONDS = env.integer(
    "REFRESH_TOKEN_SECONDS", 14 * 86_400, minimum=3600, maximum=90 * 86_400
)
# However often it is refreshed, a sign-in ends after so long.
SIGN_IN_SECONDS = env.integer("SIGN_IN_SECONDS", 30 * 86_400, minimum=3600, maximum=366 * 86_400)
# Tokens each process remembers; 0 asks PostgreSQL at every request.
IDENTITY_CACHE_SIZE = env.integer("IDENTITY_CACHE_SIZE", 10_000, minimum=0, maximum=1_000_000)
REQUIRE_SECOND_FACTOR_FOR_STAFF = env.boolean("REQUIRE_SECOND_FACTOR_FOR_STAFF", False)

# --- REST ---------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["users.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["lexiflow.api.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["lexiflow.ratelimit.throttles.ScopeThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["lexiflow.api.renderers.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["lexiflow.api.parsers.JsonParser"],
    "DEFAULT_PAGINATION_CLASS": "lexiflow.api.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "lexiflow.api.openapi.RecordSchema",
    "EXCEPTION_HANDLER": "lexiflow.api.problem_handlers.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS would describe fields and run look-ups
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is not a parameter of ours
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "LexiFlow",
    "DESCRIPTION": "Legal document and case management.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": True,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SORT_OPERATIONS": True,
    # Without the enum hook: choices stay in their field, and equal names need no overrides.
    "POSTPROCESSING_HOOKS": ["lexiflow.api.openapi.document_problems"],
}

# --- PostgreSQL ---------------------------------------------------------------------------------
_database = env.connection_info("DATABASE_URL")
WEB_THREADS = env.integer("WEB_THREADS", 8, minimum=1, maximum=64)
# `pgbouncer`: its mode is transactions, so nothing may be left in a session, and no option named.
DATABASE_POOLER = env.choice("DATABASE_POOLER", "none", ("none", "pgbouncer"))
_limits = {
    "statement_timeout": env.integer("DB_STATEMENT_SECONDS", 30, minimum=1, maximum=3600),
    "lock_timeout": env.integer("DB_LOCK_SECONDS", 10, minimum=1, maximum=3600),
    "idle_in_transaction_session_timeout": env.integer(
        "DB_IDLE_TRANSACTION_SECONDS", 60, minimum=1, maximum=3600
    ),
}
# How long one query of a search or a report may take; the others have `statement_timeout`.
DB_HEAVY_STATEMENT_SECONDS = env.integer("DB_HEAVY_STATEMENT_SECONDS", 10, minimum=1, maximum=3600)
DB_SLOW_MILLISECONDS = env.integer("DB_SLOW_MILLISECONDS", 500, minimum=1, maximum=60_000)
DB_POOL_SAMPLE_SECONDS = env.integer("DB_POOL_SAMPLE_SECONDS", 30, minimum=1, maximum=3600)
# Of PostgreSQL's connections, those that the pools leave to workers, listeners and commands.
DB_RESERVED_CONNECTIONS = env.integer("DB_RESERVED_CONNECTIONS", 50, minimum=0, maximum=10_000)
_least, _most = (10, 50) if PRODUCTION else (1, WEB_THREADS + 2)
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.pop("dbname", ""),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        "CONN_MAX_AGE": 0,  # the pool keeps connections; Django refuses both at once
        "CONN_HEALTH_CHECKS": True,  # a restarted PostgreSQL costs nobody an error
        "DISABLE_SERVER_SIDE_CURSORS": DATABASE_POOLER == "pgbouncer",
        "OPTIONS": {
            **_database,
            "application_name": "lexiflow",  # its writes are told to it, and not to everybody
            "pool": {
                "min_size": env.integer("DB_POOL_MIN", _least, minimum=0, maximum=200),
                "max_size": env.integer("DB_POOL_MAX", _most, minimum=1, maximum=500),
                "timeout": env.integer("DB_CONNECT_SECONDS", 5, minimum=1, maximum=60),
                "max_idle": env.integer("DB_IDLE_SECONDS", 10, minimum=1, maximum=3600),
            },
        },
    }
}
_session = " ".join([*(f"-c {name}={each}s" for name, each in _limits.items()), "-c jit=off"])
if DATABASE_POOLER == "none":  # else PgBouncer's `connect_query` says it
    DATABASES["default"]["OPTIONS"]["options"] = _session
# Where a process listens for notifications, if PostgreSQL is behind a pool of transactions.
DATABASE_LISTEN = (
    env.connection_info("DATABASE_LISTEN_URL") if env.text("DATABASE_LISTEN_URL", "") else {}
)
# A streaming replica, for reads that may lag (lexiflow.db.replica); few, so they need no pool.
if env.text("DATABASE_REPLICA_URL", ""):
    _replica = env.connection_info("DATABASE_REPLICA_URL")
    DATABASES["replica"] = {
        **DATABASES["default"],
        "NAME": _replica.pop("dbname", ""),
        "USER": _replica.pop("user", ""),
        "PASSWORD": _replica.pop("password", ""),
        "HOST": _replica.pop("host", ""),
        "PORT": _replica.pop("port", ""),
        "OPTIONS": {
            **_replica,
            "application_name": "lexiflow",
            "connect_timeout": 2,
            "options": _session,
        },
    }
    DATABASE_ROUTERS = ["lexiflow.db.replica.ReplicaRouter"]
    CACHALOT_DATABASES = frozenset({"default"})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis --------------------------------------------------------------------------------------
REDIS_URL = env.text("REDIS_URL")
DJANGO_REDIS_CONNECTION_FACTORY = "lexiflow.cache.backends.SharedPool"
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "lexiflow.cache.backends.ResilientRedisCache",
        "LOCATION": env.text("CACHE_REDIS_URL", REDIS_URL),
        "KEY_PREFIX": "lexiflow:values:{cache}",  # as all keys of the cache: one slot of a cluster
        "TIMEOUT": 300,
    }
}

# Queries of these tables are cached as well; of all others that is not worth its cost.
CACHALOT_ENABLED = env.boolean("CACHE_QUERIES", True)
CACHALOT_ONLY_CACHABLE_TABLES = ("cases_client", "users_membership", "users_organization")
CACHALOT_TIMEOUT = 30
CACHALOT_QUERY_KEYGEN = "lexiflow.cache.orm.query_key"
CACHALOT_INVALIDATE_RAW = False  # the database tells of those as well
SILENCED_SYSTEM_CHECKS = ["cachalot.W001"]  # it knows django-redis, and not what derives from it
# Whether answers are remembered; the same in all processes, commands among them.
CACHE_ANSWERS = env.boolean("CACHE_ANSWERS", True)
# Whether a change must name the version it is for (`If-Match`, or `version` in the body).
REQUIRE_IF_MATCH = env.boolean("REQUIRE_IF_MATCH", False)

# --- Limits -------------------------------------------------------------------------------------
# A Redis that does not evict: a window that is thrown away is a limit that starts anew.
LIMITER_REDIS_URL = env.text("LIMITER_REDIS_URL", REDIS_URL)
WEB_CONCURRENCY = env.integer(
    "WEB_CONCURRENCY", max(2, os.cpu_count() or 1), minimum=1, maximum=1000
)
# Of all instances together. Each has its share of a limit while Redis is away.
LIMITER_PROCESSES = env.integer("LIMITER_PROCESSES", WEB_CONCURRENCY, minimum=1, maximum=10_000)
LIMITS = {
    "auth": env.rate("LIMIT_AUTH", "5/15m"),
    "heavy": env.rate("LIMIT_HEAVY", "10/1m"),
    "standard": env.rate("LIMIT_STANDARD", "100/1m"),
    "upload": env.rate("LIMIT_UPLOAD", "30/1m"),
}
# Requests of one caller under way at once in one process; 0 for no cap.
LIMIT_CONCURRENT = env.integer(
    "LIMIT_CONCURRENT", max(1, WEB_THREADS * 3 // 4), minimum=0, maximum=64
)
LIMITER_RULES = "users.limit_rules.OperatorsRules"  # what operators changed since
ANSWERED_REQUESTS = "users.answered_requests.AnsweredRequests"  # what Idempotency-Key repeats
RATELIMIT_IP_META_KEY = "lexiflow.http.client_address.client_address"

# --- Roll-out of the cache ----------------------------------------------------------------------
# Of the people, in per cent, whom the cache serves until operators say otherwise; 0 to 100.
CACHE_ROLLOUT_PERCENT = env.integer("CACHE_ROLLOUT_PERCENT", 100, minimum=0, maximum=100)
CACHE_ROLLOUT = "users.rollout_share.OperatorsShare"  # what operators said since

# --- Bulk changes -------------------------------------------------------------------------------
# What may be changed in bulk, by its name in the API.
BULK_TABLES = {
    "cases": "cases.bulk.CASES",
    "clients": "cases.bulk.CLIENTS",
    "parties": "cases.bulk.PARTIES",
    "documents": "documents.bulk.DOCUMENTS",
    "users": "users.bulk.USERS",
}
# A bulk change can be undone for so long.
BULK_KEPT_DAYS = env.integer("BULK_KEPT_DAYS", 90, minimum=1, maximum=3650)
BULK_ACTOR = "users.bulk.actor_of"  # who a job acts for

# --- Files --------------------------------------------------------------------------------------
UPLOAD_MAX_BYTES = env.integer("UPLOAD_MAX_MB", 100, minimum=1, maximum=2048) * 1024 * 1024
API_JSON_MAX_BYTES = 1024 * 1024  # a document's text in JSON may be as large as a file
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
_storage = env.text("STORAGE_URL", str(LOCAL_HOME / "files"))
DOCUMENT_STORAGE: dict[str, Any]
if _storage.startswith("s3://"):
    _bucket, _, _location = _storage.removeprefix("s3://").partition("/")
    DOCUMENT_STORAGE = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {"bucket_name": _bucket, "location": _location, "file_overwrite": False},
    }
else:
    DOCUMENT_STORAGE = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": _storage.removeprefix("file://"), "base_url": None},
    }
STORAGES = {
    "default": DOCUMENT_STORAGE,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if not PRODUCTION:
    # Serves straight from the packages: no collectstatic step between a clone and the admin.
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = True
STATIC_URL = "static/"
# Filled by `collectstatic` in production.
STATIC_ROOT = env.text("STATIC_ROOT", str(BASE_DIR / "static")) if PRODUCTION else None

# --- Mail ---------------------------------------------------------------------------------------
# Without an address of a server nothing is sent, and what would be waits; in development it is
# written into files.
_mail = env.mail("EMAIL_URL", "off:" if PRODUCTION else f"file://{LOCAL_HOME / 'mail'}")
MAIL_IS_SENT = bool(_mail)
EMAIL_TIMEOUT = 10  # a transaction waits for it
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "LexiFlow <lexiflow@localhost>")
# Where people reach us, for links in mail.
PUBLIC_URL = env.text("PUBLIC_URL", "http://localhost:8000").rstrip("/")
globals().update(_mail)

# --- Admin --------------------------------------------------------------------------------------
FORMAT_MODULE_PATH = "lexiflow.admin.formats"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
UNFOLD = admin_menu.UNFOLD

# --- Background work ----------------------------------------------------------------------------
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"
PROCRASTINATE_READONLY_MODELS = True
PROCRASTINATE_WORKER_DEFAULTS = {"delete_jobs": "successful"}  # or the table grows for ever

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- Logs ---------------------------------------------------------------------------------------
LOG_LEVEL = env.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error")).upper()
LOG_FORMAT = env.choice("LOG_FORMAT", "json" if PRODUCTION else "line", ("line", "json"))
_LOG_FIELDS = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"
_HANDLER = {"class": "logging.StreamHandler", "stream": sys.stderr, "filters": ["request_id"]}
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "lexiflow.http.request_id.RequestIdFilter"}},
    "formatters": {
        "line": {"()": "lexiflow.logs.LineFormatter", "format": _LOG_FIELDS},
        "json": {"()": "lexiflow.logs.JsonFormatter"},
    },
    "handlers": {
        "stderr": {**_HANDLER, "formatter": LOG_FORMAT},
        "json": {**_HANDLER, "formatter": "json"},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "procrastinate": {"level": "WARNING"},
        "lexiflow.slow_queries": {"handlers": ["json"], "propagate": False},
    },
}

# --- Monitoring ---------------------------------------------------------------------------------
# Who knows it may read /metrics; without one there is no such page.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
# Spans of requests and statements to an OpenTelemetry collector, whose other variables are its own.
TRACES = bool(env.text("OTEL_EXPORTER_OTLP_ENDPOINT", ""))
if TRACES:
    MIDDLEWARE.insert(2, "lexiflow.monitoring.traces.TraceMiddleware")  # inside of observation
