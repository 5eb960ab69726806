"""`manage.py devservices start|stop|status|erase`: the PostgreSQL and Valkey of this checkout.

Other commands start them when needed; this one is for looking, for stopping them at once, and for
keeping them up while nothing else runs. It talks to processes only and needs no database.
"""

import os
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from lexiflow import devservices


class Command(BaseCommand):
    help = "Starts, stops or shows the PostgreSQL and Valkey that LexiFlow brings along."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "action",
            choices=("start", "stop", "status", "erase"),
            help="start: run them until stop. stop: also if programs still use them."
            " status: exit code 1 if they do not run. erase: stop, and delete their data.",
        )

    def handle(self, *, action: str, **options: object) -> None:
        try:
            if action == "start":
                self._start()
            elif action == "stop":
                devservices.stop(devservices.project_home())
                self.stdout.write("The local servers are stopped.")
            elif action == "erase":
                devservices.erase(devservices.project_home())
                self.stdout.write("The local servers and their data are gone.")
            else:
                self._show()
        except devservices.DevServicesError as error:
            raise CommandError(str(error)) from error

    def _start(self) -> None:
        if os.environ.get("LEXIFLOW_ENV", "").strip().lower() == "production":
            raise CommandError("The local servers are not for production.")
        home = devservices.project_home()
        devservices.ensure(home)
        devservices.keep(home)
        self._show()

    def _show(self) -> None:
        home = devservices.project_home()
        found, addresses = devservices.status(home), devservices.endpoints(home)
        for label, value in (
            ("supervisor", found.supervisor or "not running"),
            ("postgres", found.postgres or "not running"),
            ("valkey", found.valkey or "not running"),
            ("DATABASE_URL", addresses.database_url),
            ("REDIS_URL", addresses.redis_url),
            ("data", found.data),
            ("logs", home.resolve() / "logs"),
        ):
            self.stdout.write(f"{label:<12} {value}")
        if found.postgres is None or found.valkey is None:
            raise CommandError("Not all local servers are running.", returncode=1)
