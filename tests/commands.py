"""Runs a management command as an operator would, and says how it ended."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


@dataclass(frozen=True)
class Ending:
    code: int
    out: str
    message: str
    """What an error said on stderr."""


def run(command: str | BaseCommand, *arguments: object, **options: Any) -> Ending:
    out = StringIO()
    try:
        call_command(command, *map(str, arguments), stdout=out, **options)
    except CommandError as error:
        return Ending(error.returncode, out.getvalue(), str(error))
    return Ending(0, out.getvalue(), "")


class Interrupting:
    """Calls a function, and sends this process SIGTERM after the first call."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._is_done = False

    def __call__(self, *arguments: Any) -> Any:
        result = self._function(*arguments)
        if not self._is_done:
            self._is_done = True
            os.kill(os.getpid(), signal.SIGTERM)
        return result

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        """As a method."""
        return partial(self, instance)


def problems(report: Path) -> list[dict[str, Any]]:
    """The lines of a report; none if there is no file."""
    if not report.exists():
        return []
    return [json.loads(line) for line in report.read_text(encoding="ascii").splitlines()]
