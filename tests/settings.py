"""Settings of the test run: the product's own, on real servers, in a folder of their own.

Without DATABASE_URL and REDIS_URL the local servers are used; conftest.py starts them. Naming their
addresses here starts nothing, so type checks can import this file as well.
"""

import os
import tempfile
from pathlib import Path

from lexiflow.devservices import endpoints

EXTERNAL_POSTGRES = "DATABASE_URL" in os.environ
EXTERNAL_REDIS = "REDIS_URL" in os.environ
_HOME = Path(os.environ.get("LEXIFLOW_HOME", Path(__file__).parent.parent / ".lexiflow"))
_ENDPOINTS = endpoints(_HOME)
os.environ.setdefault("DATABASE_URL", _ENDPOINTS.database_url)
os.environ.setdefault("REDIS_URL", _ENDPOINTS.redis_url)
# Tests call faster than people; those of the limits turn them on.
for _scope in ("AUTH", "HEAVY", "STANDARD", "UPLOAD"):
    os.environ.setdefault(f"LIMIT_{_scope}", "off")
os.environ.setdefault("LIMIT_CONCURRENT", "0")
os.environ["STORAGE_URL"] = tempfile.mkdtemp(prefix="lexiflow-tests-")

from lexiflow.settings import *  # noqa: E402, F403
from lexiflow.settings import DATABASES  # noqa: E402

# Reading them would add queries now and then, and a connection that listens. Tests of the limits
# use the real source.
LIMITER_RULES = ""
# The pool would keep connections to the test database open while it is dropped.
DATABASES["default"]["OPTIONS"].pop("pool")
# Argon2 is meant to be slow; hundreds of sign-ins in tests are not.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A test's transaction is never committed, so nobody is told of it. Tests of the cache turn it on.
IDENTITY_CACHE_SIZE = 0
CACHE_ANSWERS = False
