"""django-ratelimit's words with our counting.

`@ratelimit(key="user_or_ip", rate="10/m", group="…")`, `is_ratelimited` and `get_usage` mean what
its documentation says, except: the window slides, so there is no double burst at its edge; a
refused call is not counted; without Redis the process's share holds (RATELIMIT_FAIL_OPEN and
RATELIMIT_USE_CACHE mean nothing); `ip` is `lexiflow.http.client_address`; and asked without
counting, it says whether the next call would be refused.

Its functions look `get_usage` up in their module when they are called, which is where `install`
puts ours. What reads keys and rates stays theirs.
"""

from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from django_ratelimit import ALL, core

from lexiflow.ratelimit.limits import Limit
from lexiflow.ratelimit.window import shared_window


def install() -> None:
    """Makes django-ratelimit count with the sliding window."""
    core.get_usage = get_usage


def get_usage(
    request: Any,
    group: str | None = None,
    fn: Any = None,
    key: Any = None,
    rate: Any = None,
    method: Any = ALL,
    increment: bool = False,
) -> dict[str, Any] | None:
    """Where the caller stands: count, limit, should_limit, time_left; None where nothing holds."""
    is_on = getattr(settings, "RATELIMIT_ENABLE", True)
    if not is_on or not core._method_match(request, method):  # noqa: SLF001
        return None
    group = group or _group_of(fn)
    limit = _limit(rate, group, request)
    if limit is None:
        return None
    bucket = _bucket(group, limit, _value(key, group, request), method)
    window = shared_window()
    decision = window.check(bucket, limit) if increment else window.look(bucket, limit)
    return {
        "count": decision.limit.count - decision.remaining,
        "limit": decision.limit.count,
        "should_limit": not decision.is_admitted,
        "time_left": decision.retry_after_seconds or decision.reset_seconds,
    }


def _group_of(fn: Any) -> str:
    if fn is None:
        raise ImproperlyConfigured("A rate limit needs a group or a function.")
    function = getattr(fn, "func", fn)  # of a partial
    return f"{function.__module__}.{function.__qualname__}"


def _limit(rate: Any, group: str, request: Any) -> Limit | None:
    if isinstance(rate, str) and "." in rate:
        rate = import_string(rate)
    if callable(rate):
        rate = rate(group, request)
    if rate is None:
        return None
    count, seconds = core._split_rate(rate)  # noqa: SLF001
    if seconds <= 0:
        raise ImproperlyConfigured("The period of a rate limit is greater than 0.")
    return Limit(count, seconds)


def _value(key: Any, group: str, request: Any) -> str:
    """What the calls are told apart by."""
    if not key:
        raise ImproperlyConfigured("A rate limit needs a key.")
    if callable(key):
        return str(key(group, request))
    if key in core._SIMPLE_KEYS:  # noqa: SLF001
        return str(core._SIMPLE_KEYS[key](request))  # noqa: SLF001
    accessor, _, name = key.partition(":")
    if name and accessor in core._ACCESSOR_KEYS:  # noqa: SLF001
        return str(core._ACCESSOR_KEYS[accessor](request, name))  # noqa: SLF001
    if "." in key:
        return str(import_string(key)(group, request))
    raise ImproperlyConfigured(f"{key!r} is no key of a rate limit.")


def _bucket(group: str, limit: Limit, value: str, method: Any) -> str:
    """Hashed, since a key may be a header or a parameter: any text of any length."""
    named = [method] if isinstance(method, str) else method
    methods = "" if method == ALL else ",".join(sorted(named))
    text = "\n".join((group, str(limit), methods.upper(), value))
    return f"decorated:{sha256(text.encode('utf-8', 'replace')).hexdigest()}"
