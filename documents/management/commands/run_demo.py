"""`make run`: migrates, seeds demo data once, and serves with gunicorn and an extraction worker."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from shlex import split
from types import FrameType
from typing import Any
from urllib.error import URLError

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from documents.demo.accounts import make_demo
from documents.services import EXTRACTION_QUEUE
from lexiflow.bulk.jobs import BULK_QUEUE
from users.models import User
from users.tasks import UPKEEP_QUEUE

SERVER = "-m gunicorn -c deploy/gunicorn.conf.py lexiflow.wsgi:application"
QUEUES = f"{EXTRACTION_QUEUE},{UPKEEP_QUEUE},{BULK_QUEUE}"
WORKER = f"manage.py procrastinate worker --queues {QUEUES} --concurrency 2"
_START_SECONDS = 60
_RESTART_SECONDS = 1
_STOP_SECONDS = 35
_PR_SET_PDEATHSIG = 1


class Command(BaseCommand):
    """Runs in the foreground until Ctrl-C or SIGTERM; then everything it started has ended."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")
        refuse_if_taken(host, port)
        self._say("Preparing the tables …")
        call_command("migrate", verbosity=0, interactive=False)
        url = f"http://{'localhost' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104
        accounts = make_demo(url, say=self._say)
        children = [start(command, host, port) for command in (SERVER, WORKER)]
        stop = StopSignals(children)
        try:
            wait_until_served(url, children)
            self._banner(url, accounts)
            stop.wait(lambda: start(WORKER, host, port))
        finally:
            self._say("Stopping …")
            end(children)
        if not stop.asked:
            raise CommandError(f"gunicorn ended by itself (exit code {children[0].returncode}).")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _banner(self, url: str, accounts: list[Any]) -> None:
        width = max(len(account.email) for account in accounts)
        staff = set(User.objects.filter(is_staff=True).values_list("email", flat=True))
        rows = "\n".join(
            f"  {'*' if a.email in staff else ' '} {a.email:<{width}}  {a.password}  {a.role}"
            for a in accounts
        )
        first = json.dumps({"email": accounts[0].email, "password": accounts[0].password})
        self._say(
            f"\nLexiFlow is running.\n\n"
            f"  API    {url}/api/v1/\n  Docs   {url}/api/v1/docs/\n  Admin  {url}/admin/\n\n"
            f"  Sign in with any of these (also in {settings.LOCAL_HOME}/demo.json);"
            f" * may open the admin:\n{rows}\n\n"
            f"  curl -s {url}/api/v1/auth/login/ -H 'Content-Type: application/json' \\\n"
            f"    -d '{first}'\n\n"
            f"  Ctrl-C stops it; the data stays in {settings.LOCAL_HOME}.\n"
        )


class StopSignals:
    """Ctrl-C and SIGTERM end the wait; so does a server that ends by itself."""

    def __init__(self, children: list[subprocess.Popen[bytes]]) -> None:
        self.asked = False
        self._children = children
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def wait(self, restart_worker: Callable[[], subprocess.Popen[bytes]]) -> None:
        """Until asked, or until the server has ended. A worker that ended is started again: it
        goes when PostgreSQL does, and the site must not go with it.
        """
        while not self.asked and self._children[0].poll() is None:
            if self._children[1].poll() is not None:
                time.sleep(_RESTART_SECONDS)
                self._children[1] = restart_worker()
            time.sleep(0.2)


def refuse_if_taken(host: str, port: str) -> None:
    """Says it before anything is prepared."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except (OSError, ValueError, OverflowError) as error:
            raise CommandError(
                f"{host}:{port} cannot be used ({error}). Choose another: make run PORT=8001"
            ) from error


def start(command: str, host: str, port: str) -> subprocess.Popen[bytes]:
    """SERVER or WORKER, in a session of its own: Ctrl-C reaches only this process."""
    return subprocess.Popen(  # noqa: S603 - our own commands
        [sys.executable, *split(command)],
        cwd=settings.BASE_DIR,
        env={**os.environ, "HOST": host, "PORT": port},
        start_new_session=True,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )


def _end_with_parent() -> None:
    """Even `kill -9` of the command leaves no server behind (prctl(2), Linux only)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until_served(url: str, children: list[subprocess.Popen[bytes]]) -> None:
    """Returns at the first answer. Raises CommandError when there is none."""
    for _ in range(_START_SECONDS * 20):
        if any(child.poll() is not None for child in children):
            break
        try:
            with urllib.request.urlopen(f"{url}/api/v1/health/live/", timeout=5):  # noqa: S310
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise CommandError("The server did not start; its last words are above.")


def end(children: list[subprocess.Popen[bytes]]) -> None:
    """SIGTERM, time to finish what is under way, then SIGKILL."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
