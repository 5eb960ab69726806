#!/usr/bin/env python
"""Django's command line.

In development, a command that needs PostgreSQL or Redis and finds no DATABASE_URL or REDIS_URL gets
local servers, which run until it ends. In production nothing is ever started, and the settings say
what is missing.
"""

import os
import sys

from django.core.management import execute_from_command_line

WITHOUT_SERVERS = frozenset(
    {
        "collectstatic",
        "compilemessages",
        "devservices",
        "diffsettings",
        "help",
        "makemessages",
        "spectacular",
        "version",
    }
)


def needs_servers(arguments: list[str]) -> bool:
    """Whether `manage.py` with these arguments may talk to PostgreSQL or Redis."""
    if not arguments or arguments[0] in WITHOUT_SERVERS:
        return False
    return not {"-h", "--help", "--version"}.intersection(arguments)


def name_servers(arguments: list[str]) -> None:
    """Puts the addresses of the local servers where the settings expect them."""
    if os.environ.get("LEXIFLOW_ENV", "").strip().lower() not in ("", "development"):
        return
    is_missing = {name: not os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL")}
    if not any(is_missing.values()):
        return
    # Here and not above: whoever has servers of their own needs neither the package nor its wheels.
    from lexiflow import devservices

    home = devservices.project_home()
    found = devservices.endpoints(home)
    if needs_servers(arguments):
        try:
            devservices.ensure(
                home, postgres=is_missing["DATABASE_URL"], redis=is_missing["REDIS_URL"]
            )
        except devservices.DevServicesError as error:
            sys.exit(f"{error}")
    if is_missing["DATABASE_URL"]:
        os.environ["DATABASE_URL"] = found.database_url
    if is_missing["REDIS_URL"]:
        os.environ["REDIS_URL"] = found.redis_url


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lexiflow.settings")
    name_servers(sys.argv[1:])
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
