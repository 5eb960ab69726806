"""`manage.py cache_warm`: asks the hot routes in people's place, before they do."""

import time
from argparse import ArgumentTypeError
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.http.request import split_domain_port, validate_host
from tqdm import tqdm

from lexiflow.cache import rollout
from lexiflow.cache.answers import are_remembered
from lexiflow.commands.interruption import Interruption
from lexiflow.commands.long_command import HAD_PROBLEMS, at_least, cannot_run
from lexiflow.db.notifications import notifications
from users.models import User
from users.revocation import CHANNEL
from users.warming import WrongRouteError, asking, checked_route, hot_routes, recently_active

_LISTENING_SECONDS = 10.0
_OK = 200
EXIT_CODES = (
    "Exit code: 0 all was answered; 1 something was not, or it was interrupted or out of time; 2"
    " could not run."
)


def route(text: str) -> str:
    try:
        return checked_route(text)
    except WrongRouteError as error:
        raise ArgumentTypeError(str(error)) from None


def base_url(text: str) -> str:
    parts = urlsplit(text)
    domain, _ = split_domain_port(parts.netloc)
    if parts.scheme not in ("http", "https") or parts.path.strip("/") or not domain:
        raise ArgumentTypeError(f"{text!r} is no address like https://lexiflow.example")
    if not validate_host(domain, settings.ALLOWED_HOSTS):
        raise ArgumentTypeError(f"{domain!r} is none of ALLOWED_HOSTS")
    return text


class Command(BaseCommand):
    help = (
        "Fills the shared cache: asks the lists that front ends begin with, as the people given or"
        " as those who were active last. Nobody is signed in, and nothing counts against limits."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, epilog=EXIT_CODES, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--base-url",
            type=base_url,
            default=None,
            help="as clients write it, because answers hold links: https://lexiflow.example"
            " (the first of ALLOWED_HOSTS)",
        )
        parser.add_argument(
            "--user", action="append", metavar="EMAIL", help="as this person; may be repeated"
        )
        parser.add_argument(
            "--most-users", type=at_least(1), default=50, help="else as the last active ones (50)"
        )
        parser.add_argument(
            "--route",
            action="append",
            type=route,
            help="such as cases/ or cases/?status=open; may be repeated (all hot ones)",
        )
        parser.add_argument(
            "--most-seconds", type=at_least(1), default=300, help="stop after so long (300)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._warm(options)
        except (OperationalError, InterfaceError) as error:
            raise cannot_run(f"The database did not answer: {error}".strip()) from error

    def _warm(self, options: dict[str, Any]) -> None:
        if not settings.IDENTITY_CACHE_SIZE:
            raise cannot_run("People are asked for from memory: IDENTITY_CACHE_SIZE is 0.")
        self._listen()
        chosen = self._people(options)
        people = [person for person in chosen if rollout.serves(person)]
        routes = options["route"] or hot_routes()
        statuses, is_whole = self._ask_all(people, routes, options)
        answered = ", ".join(
            f"{count:,} with {status}" for status, count in sorted(statuses.items())
        )
        self.stdout.write(
            f"{len(people):,} people, {sum(statuses.values()):,} answers: {answered or 'none'};"
            f" {len(chosen) - len(people):,} people are not served by the cache now."
        )
        if not is_whole or set(statuses) - {_OK}:
            reason = "Not everything was answered." if is_whole else "Stopped before the end."
            raise CommandError(reason, returncode=HAD_PROBLEMS)

    @staticmethod
    def _ask_all(
        people: list[User], routes: list[str], options: dict[str, Any]
    ) -> tuple[Counter[int], bool]:
        """How often which status came, and whether all was asked."""
        statuses: Counter[int] = Counter()
        deadline = time.monotonic() + options["most_seconds"]
        work = [(person.pk, path) for person in people for path in routes]
        with (
            Interruption() as interruption,
            asking(options["base_url"] or _default_base_url()) as ask,
            tqdm(work, unit=" answers", disable=None, leave=False) as bar,
        ):
            for person, path in bar:
                if interruption.requested or time.monotonic() > deadline:
                    return statuses, False
                statuses[ask(person, path)] += 1
        return statuses, True

    @staticmethod
    def _listen() -> None:
        """The cache is used only by a process that is told of changes, and of a Redis that was just
        started only after a moment.
        """
        deadline = time.monotonic() + _LISTENING_SECONDS
        while not notifications.is_current(CHANNEL):
            if time.monotonic() > deadline:
                raise cannot_run("The database does not tell of changes; see DATABASE_LISTEN_URL.")
            time.sleep(0.05)
        while settings.CACHE_ANSWERS and not are_remembered():
            if time.monotonic() > deadline:
                raise cannot_run("Nothing is remembered now: Redis is away, or another one again.")
            time.sleep(0.05)

    @staticmethod
    def _people(options: dict[str, Any]) -> list[User]:
        emails = [email.lower() for email in options["user"] or ()]
        if not emails:
            return recently_active(options["most_users"])
        found = {user.email: user for user in User.objects.alive().filter(email__in=emails)}
        if missing := [email for email in emails if email not in found]:
            raise cannot_run(f"There is nobody with the e-mail address {missing[0]}.")
        return list(found.values())


def _default_base_url() -> str:
    hosts = [host for host in settings.ALLOWED_HOSTS if not host.startswith((".", "*"))]
    if not hosts:
        raise cannot_run("ALLOWED_HOSTS names no single host; say --base-url.")
    return f"{'https' if settings.PRODUCTION else 'http'}://{hosts[0]}"
