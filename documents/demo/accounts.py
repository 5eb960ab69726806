"""People who can sign in to the demo, and the file that says how: `.lexiflow/demo.json`.

For a first try on one's own machine. The passwords are random, and readable only by the owner of
the file; nothing here runs unless somebody starts the demo.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import is_password_usable, make_password
from django.core.management import call_command

from documents.demo.firms import DemoFirm, demo_firms, operator, seats
from documents.demo.people import ensure_firm, ensure_people
from documents.demo.seeding import Seeding
from lexiflow.db.transactions import write_transaction
from users import services
from users.choices import Role
from users.models import User

FILE_NAME = "demo.json"
_SOURCE = "command: run_demo"
_FIRMS, _CASES, _DOCUMENTS, _SEED = 2, 200, 600, 1
# Without the letters and digits that look alike: 16 of them are 78 bits.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class DemoUser:
    """Somebody who can sign in. The operator belongs to no organization."""

    email: str
    password: str
    organization: str | None
    role: str


def make_demo(
    url: str,
    *,
    say: Callable[[str], object] = lambda line: None,
    cases: int = _CASES,
    documents: int = _DOCUMENTS,
) -> list[DemoUser]:
    """Makes firms, people, cases and documents once, and returns who can sign in.

    url: where the demo is served; it is written into the file. say: told what takes a moment.

    The first call makes everything and writes `demo.json` (0600) into LOCAL_HOME when all is done;
    later calls only read it, and correct the address. When the file is lost, everybody gets a new
    password and what they were signed in with ends; when the database is new, the people are made
    again with the passwords of the file. Interrupted half-way, the next call goes on from there.
    Two calls at once wait for each other. Raises OSError when the file cannot be written.
    """
    path = Path(settings.LOCAL_HOME) / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.with_suffix(".lock")):
        users = _read(path)
        if not _are_there(users):
            users = _ensure_accounts({user.email: user.password for user in users})
            say(f"Making {_FIRMS} firms with {cases:,} cases and {documents:,} documents …")
            _seeding(cases, documents).fill(demo_firms(_FIRMS))
            call_command("refresh_search_vocabulary", stdout=StringIO())
        _write(path, url, users)
        return users


def _are_there(users: list[DemoUser]) -> bool:
    """Whether everybody of the demo is in the file, and in the database with a password.

    Whether it is the one of the file is not tried: a demo is no place to overwrite a password that
    somebody has changed.
    """
    wanted = {person.email for firm in demo_firms(_FIRMS) for person in seats(firm)}
    wanted.add(operator()[0])
    there = User.objects.filter(email__in=wanted).values_list("email", "password")
    usable = {email for email, password in there if is_password_usable(password)}
    return wanted <= {user.email for user in users} and wanted == usable


def _ensure_accounts(known: dict[str, str]) -> list[DemoUser]:
    """Makes who is missing. known: passwords by e-mail address; the others get a new one."""
    users: list[DemoUser] = []
    with write_transaction(None, source=_SOURCE):
        for firm in demo_firms(_FIRMS):
            users += _firm_accounts(firm, known)
        users.append(_operator_account(known))
    return users


def _firm_accounts(firm: DemoFirm, known: dict[str, str]) -> list[DemoUser]:
    people = seats(firm)
    ensure_people(ensure_firm(firm), people)
    rows = {user.email: user for user in User.objects.filter(email__in=[p.email for p in people])}
    return [
        DemoUser(person.email, _password_of(rows[person.email], known), firm.name, str(person.role))
        for person in people
    ]


def _operator_account(known: dict[str, str]) -> DemoUser:
    email, first_name, last_name = operator()
    user, _ = User.objects.get_or_create(
        email=email,
        defaults={
            "first_name": first_name,
            "last_name": last_name,
            "role": Role.SUPER_ADMIN,
            "is_staff": True,
            "is_superuser": True,
            "password": make_password(None),
        },
    )
    return DemoUser(email, _password_of(user, known), None, str(user.role))


def _password_of(user: User, known: dict[str, str]) -> str:
    """The password that is known; else a new one, and what they were signed in with ends."""
    password = known.get(user.email)
    if password is not None and user.has_usable_password():
        return password
    password = password or "".join(secrets.choice(_ALPHABET) for _ in range(16))
    user.set_password(password)
    user.save(update_fields=["password"])
    services.end_sign_ins(user)
    return password


def _seeding(cases: int, documents: int) -> Seeding:
    return Seeding(
        _SEED,
        cases,
        documents,
        transaction=lambda: write_transaction(None, source=_SOURCE),
        advance=lambda count: None,
        is_interrupted=lambda: False,
    )


def _read(path: Path) -> list[DemoUser]:
    """Who is in the file; nobody when it is missing or is not what we wrote."""
    try:
        return [DemoUser(**user) for user in json.loads(path.read_bytes())["users"]]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []


def _write(path: Path, url: str, users: list[DemoUser]) -> None:
    """Replaces the file in one step, so that nobody reads half of it."""
    text = json.dumps({"url": url, "users": [asdict(user) for user in users]}, indent=2)
    own = path.with_name(f"{path.name}.{os.getpid()}")
    own.unlink(missing_ok=True)
    with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
    own.replace(path)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Until the block ends, no other process of this machine is in it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
