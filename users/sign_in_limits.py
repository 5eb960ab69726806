"""How often somebody may try to sign in, wherever: API, admin, refresh, change of password.

An attempt is counted by address and by account before the password is looked at, so no number of
simultaneous attempts gets in more guesses than the limit; success takes it back, so only failures
count and an office behind one address signs in as it likes.

Nobody is locked out by a stranger's guesses: once the account is used up, attempts from a network
it has signed in from within TRUSTED_DAYS count in a bucket of their own. Everybody else waits.
Accounts that do not exist behave the same. Tokens and sessions are not looked at, so no flood of
guesses ends one.

Not guaranteed: that the rightful person gets in from a network they never used while somebody
guesses at their account. More people than the limit who sign in from one address in the same
instant are refused in part, and told to wait for as long as their attempts would have counted.
"""

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from lexiflow.api.rate_limits import RateLimited
from lexiflow.http.client_address import client_address, network_of
from lexiflow.ratelimit.admission import Caller, Outcome, Verdict, admit, look, take_back
from lexiflow.ratelimit.rules import AUTH
from lexiflow.ratelimit.throttles import standing_of
from users.choices import AuditAction
from users.models import AuditEvent, SignIn

TRUSTED_DAYS = 30


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt."""

    verdicts: tuple[Verdict, ...]

    def succeeded(self) -> None:
        """It was the right person: the attempt does not count."""
        for verdict in self.verdicts:
            take_back(verdict)


def begin(request: Any, email: str | None = None) -> Attempt:
    """Counts an attempt. Raises RateLimited; then nothing is counted.

    email: whose account is tried, as it was typed; None where the request names none.
    """
    address = client_address(request)
    verdicts = [admit(AUTH, Caller.at(address))]
    if email is not None and not verdicts[0].is_refused:
        verdicts.append(_by_account(email, address))
    refused = next((verdict for verdict in verdicts if verdict.is_refused), None)
    standing_of(request).verdict = refused or _tightest(verdicts)
    if refused is not None:
        Attempt(tuple(verdicts)).succeeded()
        raise RateLimited(refused)
    return Attempt(tuple(verdicts))


def standing(email: str, address: str | None) -> Verdict:
    """Where attempts from the address to sign in to the account stand. Counts nothing."""
    return _tightest([look(AUTH, Caller.at(address)), look(AUTH, _account(email))])


def _by_account(email: str, address: str | None) -> Verdict:
    """The bucket of the account or, for a network it is known from, one of its own."""
    verdict = admit(AUTH, _account(email))
    if verdict.outcome is Outcome.REFUSED and address and _is_known(email, address):
        return admit(AUTH, _account(email, address))
    return verdict


def _account(email: str, address: str | None = None) -> Caller:
    """Keyed, since buckets can be read by whoever reads Redis. address: for the bucket of a known
    network. Blocks of networks are asked with the bucket of the address.
    """
    name = hmac.digest(settings.SECRET_KEY.encode(), _spelled(email).encode(), "sha256").hex()
    known = f":{network_of(address)}" if address else ""
    return Caller((f"account:{name[:32]}{known}",), None)


def _spelled(email: str) -> str:
    """One spelling for all that sign in to the same account."""
    kept = unicodedata.normalize("NFKC", email).strip().lower()
    return kept.encode("utf-8", "replace").decode()


def _is_known(email: str, address: str) -> bool:
    """Whether the account has signed in from this network of late, over REST or in the admin."""
    since = timezone.now() - timedelta(days=TRUSTED_DAYS)
    account = {"email": _spelled(email).replace("\0", ""), "deleted_at__isnull": True}
    sign_ins = SignIn.objects.filter(
        created_at__gte=since, **{f"user__{field}": value for field, value in account.items()}
    )
    users = SignIn._meta.get_field("user").related_model
    events = AuditEvent.objects.filter(
        object_id__in=users._default_manager.filter(**account).values("pk"),
        action=AuditAction.SIGNED_IN,
        occurred_at__gte=since,
    )
    found = sign_ins.values_list("address").union(events.values_list("address"))
    network = network_of(address)
    return any(known and network_of(str(known)) == network for (known,) in found)


def _tightest(verdicts: list[Verdict]) -> Verdict:
    """The one that leaves least."""
    limited = [verdict for verdict in verdicts if verdict.decision is not None]
    return min(
        limited,
        key=lambda verdict: verdict.decision.remaining if verdict.decision else 0,
        default=verdicts[0],
    )
