"""A real Chromium that walks the product on a live server, and watches what it asks for.

Skipped where Chromium is not installed (Debian: `apt-get install chromium`).
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, Response, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests import factories
from users.models import User

# Playwright's synchronous interface runs an event loop in this thread, and Django takes every
# query of the thread for one from asynchronous code. There is no such code here.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

_FLAGS = (
    "--no-sandbox",  # the sandbox does not start as root
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Visit:
    """A window of somebody, with everything that went wrong in it."""

    page: Page
    address: str
    failures: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("response", self._answered)
        self.page.on("pageerror", lambda error: self.failures.append(f"script: {error}"))
        self.page.on("request", lambda request: self._asked(request.url))

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")
        self.page.wait_for_load_state("networkidle")

    def sign_in(self, person: User) -> None:
        self.open("/admin/login/")
        self.page.get_by_label("Email").fill(person.email)
        self.page.get_by_label("Password").fill(factories.PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(f"{self.address}/admin/")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.failures.append(f"a request left the server: {url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.failures.append(f"{response.status}: {response.url}")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of a module's tests.

    While Playwright's loop runs, Django keeps this thread's connections under another name
    (asgiref's `Local`): they are closed before it ends, for nobody reaches them afterwards, and
    the test database could not be dropped. Not for the session: no other test runs on them.
    """
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not installed; the walks through a real browser are left out.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()
        connections.close_all()


@pytest.fixture
def visit(chromium: Browser, live_server: LiveServer) -> Iterator[Visit]:
    """A fresh window. After the test, nothing in it may have failed."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    made = Visit(context.new_page(), live_server.url)
    made.watch()
    yield made
    context.close()
    assert made.failures == []
