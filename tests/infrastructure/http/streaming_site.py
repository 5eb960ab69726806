"""The product's settings, with the pages of `streaming_pages` beside its own."""

from lexiflow.settings import *  # noqa: F403

ROOT_URLCONF = "tests.infrastructure.http.streaming_pages"
