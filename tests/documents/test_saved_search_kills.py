"""A worker that is killed half-way: what it has begun is done once, by whoever comes next."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from documents.models import SavedSearch, SearchDigest, SearchMatch
from documents.saved_searches.models import NewlyIndexed
from tests import factories
from tests.servers import database_url

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[2]

_RUN = """
import os, signal, django
django.setup()
from django.core.mail import EmailMessage
from django.core.management import call_command
from documents.management.commands import send_search_digests as command
from documents.saved_searches import matching

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def send_and_die(self, send=EmailMessage.send):
    send(self)
    die()

{patch}
call_command("send_search_digests")
"""
# After the comparison and before its commit; with the digest made; with the message handed over.
IN_THE_COMPARISON = "matching._FORGET = 'SELECT pg_terminate_backend(pg_backend_pid())'"
BEFORE_SENDING = "command.send_digests = die"
AFTER_HANDING_OVER = "EmailMessage.send = send_and_die"


def run(mails: Path, patch: str = "") -> int:
    ended = subprocess.run(
        [sys.executable, "-c", _RUN.format(patch=patch)],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "lexiflow.settings",
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "EMAIL_URL": f"file://{mails}",
        },
        capture_output=True,
        check=False,
    )
    return ended.returncode


def identities(mails: Path) -> list[str]:
    texts = [path.read_text() for path in mails.glob("*.log")]
    return [found for text in texts for found in re.findall(r"Message-ID: (.*)", text)]


def test_everything_happens_once_wherever_the_worker_is_killed(tmp_path: Path) -> None:
    firm = factories.organization()
    person = factories.user(firm=firm)
    search = SavedSearch.objects.create(
        owner=person, organization=firm, name="Disputes", query="arbitration"
    )
    factories.document(firm, "arbitration")

    assert run(tmp_path, IN_THE_COMPARISON) != 0
    assert (SearchMatch.objects.count(), NewlyIndexed.objects.exists()) == (0, True)

    assert run(tmp_path, BEFORE_SENDING) == -signal.SIGKILL
    digest = SearchDigest.objects.get()
    assert (SearchMatch.objects.get().digest, NewlyIndexed.objects.exists()) == (digest, False)
    assert identities(tmp_path) == []

    assert run(tmp_path, AFTER_HANDING_OVER) == -signal.SIGKILL
    assert len(identities(tmp_path)) == 1

    for _ in range(2):
        assert run(tmp_path) == 0
        # The same message once more, and then never again.
        assert len(identities(tmp_path)) == 2
        assert len(set(identities(tmp_path))) == 1
    digest.refresh_from_db()
    assert digest.sent_at is not None
    assert search.matches.count() == SearchDigest.objects.count() == 1
