"""`manage.py limits`: what the admin's pages on limits do, from a shell."""

from argparse import ArgumentTypeError
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from lexiflow.commands.long_command import at_least
from lexiflow.db.transactions import write_transaction
from lexiflow.ratelimit import Limit, violators
from lexiflow.ratelimit.rules import SCOPES
from users.limit_rules import OperatorsRules
from users.models import ApiKey, CallerBlock, LimitOverride, ScopeLimit, User

_DEFAULT = "default"


def rate(text: str) -> str:
    """A rate in its shortest spelling, `off`, or `default` for no rule of one's own."""
    if text == _DEFAULT:
        return text
    try:
        return str(Limit.read(text) or "off")
    except ValueError as error:
        raise ArgumentTypeError(
            f"{text!r} is not understood; allowed: {error}, or default"
        ) from None


def network_argument(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def span(text: str) -> timedelta:
    """`90s`, `15m`, `2h`, `3d`."""
    try:
        limit = Limit.read(f"1/{text}")
    except ValueError:
        limit = None
    if limit is None:
        raise ArgumentTypeError(
            f"{text!r} is not understood; allowed: 90s, 15m, 2h, 3d (at most 7d)"
        )
    return timedelta(seconds=limit.period_seconds)


class Command(BaseCommand):
    help = (
        "Shows and changes limits, overrides and blocks. Changes are audited and in force in every"
        " process within a second."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("show", help="what holds now, and who is refused most")
        setting = verbs.add_parser("set", help="the limit of a scope")
        setting.add_argument("scope", choices=SCOPES)
        setting.add_argument("rate", type=rate, help="100/1m, 5/15m, off, or default")
        watched = setting.add_mutually_exclusive_group()
        watched.add_argument(
            "--shadow", action="store_true", help="only count what would be refused"
        )
        watched.add_argument("--enforce", action="store_true", help="refuse (as it is at first)")
        setting.add_argument(
            "--block-seconds", type=at_least(0), help="shut out whoever is refused"
        )
        override = verbs.add_parser("override", help="the limit of one caller in a scope")
        _add_caller(override)
        override.add_argument("scope", choices=SCOPES)
        override.add_argument("rate", type=rate, help="1000/1m, off, or default")
        block = verbs.add_parser("block", help="refuse all calls of a caller or network")
        _add_caller(block, network=True)
        block.add_argument("--for", dest="span", type=span, help="15m, 2h, 3d; else without end")
        block.add_argument("--reason", default="", help="for operators")
        _add_caller(verbs.add_parser("unblock", help="end a block"), network=True)

    def handle(self, *args: Any, **options: Any) -> None:
        with write_transaction(None, source="command: limits"):
            getattr(self, f"_{options['verb']}")(options)

    # --- What each verb does --------------------------------------------------------------------
    def _show(self, options: dict[str, Any]) -> None:
        rules = OperatorsRules().load()
        for scope in SCOPES:
            rule = rules.rule_for(scope, ())
            source = "set by operators" if scope in rules.scopes else "from the environment"
            watched = ", only counted" if rule.is_shadow else ""
            self.stdout.write(f"{scope}: {rule.limit or 'off'} ({source}{watched})")
        for (scope, principal), limit in sorted(rules.overrides.items()):
            self.stdout.write(f"override {principal} {scope}: {limit or 'off'}")
        blocks: list[tuple[Any, Any]] = [*rules.blocks.items(), *rules.networks]
        for name, block in blocks:
            self.stdout.write(f"blocked {name} until {block.until or 'unblocked'}")
        for scope, principal, refusals in violators.top():
            self.stdout.write(f"refused this hour: {principal} {scope} {refusals:,} times")

    def _set(self, options: dict[str, Any]) -> None:
        scope = options["scope"]
        found = ScopeLimit.objects.alive().filter(scope=scope).first()
        row = found or ScopeLimit(scope=scope)
        row.rate = "" if options["rate"] == _DEFAULT else options["rate"]
        if options["shadow"] or options["enforce"]:
            row.is_shadow = options["shadow"]
        if options["block_seconds"] is not None:
            row.block_seconds = options["block_seconds"]
        if not (row.rate or row.is_shadow or row.block_seconds):
            row.deleted_at = timezone.now()  # nothing is left that the environment does not say
        if found or row.deleted_at is None:
            row.full_clean()
            row.save()
        shown = row.rate or settings.LIMITS[scope]
        self.stdout.write(f"{scope}: {shown}{' (only counted)' if row.is_shadow else ''}")

    def _override(self, options: dict[str, Any]) -> None:
        caller, scope = _caller(options), options["scope"]
        found = LimitOverride.objects.alive().filter(scope=scope, **caller)
        if options["rate"] == _DEFAULT:
            found.update(deleted_at=timezone.now())
        elif not found.update(rate=options["rate"]):
            LimitOverride.objects.create(scope=scope, rate=options["rate"], **caller)
        self.stdout.write(f"override {_named(caller)} {scope}: {options['rate']}")

    def _block(self, options: dict[str, Any]) -> None:
        caller = _caller(options)
        until = timezone.now() + options["span"] if options["span"] else None
        values = {"until": until, "reason": options["reason"]}
        if not CallerBlock.objects.alive().filter(**caller).update(**values):
            CallerBlock.objects.create(**caller, **values)
        self.stdout.write(f"blocked {_named(caller)} until {until or 'unblocked'}")

    def _unblock(self, options: dict[str, Any]) -> None:
        caller = _caller(options)
        found = CallerBlock.objects.alive().filter(**caller)
        if not found.update(deleted_at=timezone.now()):
            raise CommandError(f"{_named(caller)} is not blocked.")
        self.stdout.write(f"unblocked {_named(caller)}")


def _add_caller(parser: Any, *, network: bool = False) -> None:
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--user", metavar="EMAIL")
    group.add_argument("--api-key", metavar="ID", type=UUID)
    if network:
        group.add_argument("--network", metavar="NETWORK", type=network_argument)


def _caller(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that name the caller in a row."""
    if email := options["user"]:
        user = User.objects.alive().filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"There is nobody with the e-mail address {email}.")
        return {"user": user}
    if key_id := options["api_key"]:
        key = ApiKey.objects.filter(pk=key_id).first()
        if key is None:
            raise CommandError(f"There is no API key {key_id}.")
        return {"api_key": key}
    return {"network": options["network"]}


def _named(caller: dict[str, Any]) -> str:
    (value,) = caller.values()
    return value.email if isinstance(value, User) else str(value)
