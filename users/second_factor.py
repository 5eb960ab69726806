"""A second proof beside the password: codes of an authenticator app (TOTP, RFC 6238).

Guarantees: nothing changes for the person until they have confirmed with a code that their app
works; a code works once, and only in its own 30 seconds and one step around them; each recovery
code works once; two requests with the same code at the same moment are one that is let in and one
that is not. Events (made, confirmed, recovery code used, removed) are in the audit trail, written
by the database; no secret is.

Not guaranteed: anything against guessing. A code has six digits; the limits on signing in bound
how many can be tried.
"""

import base64
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyotp
import segno
from django.utils import timezone

from lexiflow.db.transactions import write_transaction
from users import encryption
from users.authentication import digest
from users.models import SecondFactor, User

logger = logging.getLogger(__name__)

ISSUER = "LexiFlow"
RECOVERY_CODES = 10
_STEP_SECONDS = 30
_DRIFT_STEPS = 1
_SECRET_BYTES = 20
_RECOVERY_BYTES = 10


class AlreadyConfirmedError(Exception):
    """The person has a second factor; it has to be removed first."""


class WrongCodeError(Exception):
    """Not the code of this moment, used before, or there is nothing that it could be for."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the person's app needs, shown once. svg: the address as a QR code."""

    secret: str
    uri: str
    svg: str


@dataclass(frozen=True, slots=True)
class State:
    is_enabled: bool
    recovery_codes_left: int


def state_of(user: User) -> State:
    factor = _confirmed(user.pk)
    return State(factor is not None, factor.recovery_codes_left if factor else 0)


def is_required(user: User) -> bool:
    """Whether the person has to prove it when they sign in."""
    return _confirmed(user.pk) is not None


def enrol(user: User) -> Enrolment:
    """Makes a secret that waits for its confirmation; one that waited before is replaced.

    Raises AlreadyConfirmedError.
    """
    secret = _letters(_SECRET_BYTES)
    with write_transaction(user.pk):
        _lock(user.pk)
        if _confirmed(user.pk) is not None:
            raise AlreadyConfirmedError
        SecondFactor.objects.filter(user=user).delete()
        SecondFactor.objects.create(
            user=user,
            organization_id=next(iter(user.organization_ids), None),
            secret=encryption.encrypt(secret),
        )
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)
    return Enrolment(secret, uri, segno.make(uri, error="m").svg_inline(scale=4))


def confirm(user: User, code: str) -> list[str]:
    """From now on the code is asked for. Returns the recovery codes, which are shown once.

    Raises WrongCodeError, AlreadyConfirmedError.
    """
    with write_transaction(user.pk):
        _lock(user.pk)
        factor = SecondFactor.objects.filter(user=user).first()
        if factor is not None and factor.confirmed_at is not None:
            raise AlreadyConfirmedError
        if factor is None or not _accept_step(factor, code):
            raise WrongCodeError
        codes = _new_recovery_codes()
        SecondFactor.objects.filter(pk=factor.pk).update(
            confirmed_at=timezone.now(), **_kept_of(codes)
        )
    return codes


def renew_recovery_codes(user: User, code: str) -> list[str]:
    """Fresh recovery codes in the place of all earlier ones. Raises WrongCodeError."""
    codes = _new_recovery_codes()
    with write_transaction(user.pk):
        verify(user, code)
        SecondFactor.objects.filter(user=user).update(**_kept_of(codes))
    return codes


def verify(user: User, code: str, *, source: str = "api") -> None:
    """Uses up a code of the app, or a recovery code. Raises WrongCodeError."""
    factor = _confirmed(user.pk)
    if factor is None:
        raise WrongCodeError
    if not (_accept_step(factor, code) or _accept_recovery(factor, code, source)):
        raise WrongCodeError


def remove(user: User, *, by: UUID | None, source: str = "api") -> bool:
    """Takes the second factor away, by the person (after a proof) or who administers them.

    Returns whether there was one.
    """
    with write_transaction(by, source=source):
        return SecondFactor.objects.filter(user=user).delete()[0] > 0


def _confirmed(user_id: UUID) -> SecondFactor | None:
    return SecondFactor.objects.filter(user=user_id, confirmed_at__isnull=False).first()


def _lock(user_id: UUID) -> None:
    """One enrolment of a person at a time."""
    User.objects.select_for_update(no_key=True).filter(pk=user_id).values_list("pk").first()


def _accept_step(factor: SecondFactor, code: str) -> bool:
    """Whether `code` is of about now and later than the last that was used; it is used up."""
    text = code.replace(" ", "")
    if not (text.isascii() and text.isdigit() and len(text) == 6):
        return False
    try:
        totp = pyotp.TOTP(encryption.decrypt(factor.secret))
    except encryption.UnreadableSecretError:
        logger.error("the second factor of %s is of an unknown SECRET_KEY", factor.user_id)
        return False
    now = int(time.time()) // _STEP_SECONDS
    for step in range(now - _DRIFT_STEPS, now + _DRIFT_STEPS + 1):
        if secrets.compare_digest(totp.generate_otp(step), text):
            # The database decides which of two requests with this code comes first.
            unused = SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step)
            return unused.update(last_step=step) == 1
    return False


def _accept_recovery(factor: SecondFactor, code: str, source: str) -> bool:
    wanted = _recovery_digest(code)
    with write_transaction(factor.user_id, source=source):
        rows = SecondFactor.objects.select_for_update().filter(pk=factor.pk)
        kept = [bytes(d) for row in rows for d in row.recovery_digests]
        if wanted not in kept:
            return False
        kept.remove(wanted)
        rows.update(recovery_digests=kept, recovery_codes_left=len(kept))
    return True


def _new_recovery_codes() -> list[str]:
    return [_spelt(_letters(_RECOVERY_BYTES).lower()) for _ in range(RECOVERY_CODES)]


def _letters(count_of_bytes: int) -> str:
    return base64.b32encode(secrets.token_bytes(count_of_bytes)).decode()


def _spelt(letters: str) -> str:
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def _kept_of(codes: list[str]) -> dict[str, Any]:
    digests = [_recovery_digest(code) for code in codes]
    return {"recovery_digests": digests, "recovery_codes_left": len(digests)}


def _recovery_digest(code: str) -> bytes:
    return digest(code.replace("-", "").replace(" ", "").lower())
