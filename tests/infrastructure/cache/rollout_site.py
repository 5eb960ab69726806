"""The product's settings, with the page of `rollout_pages` beside its own."""

from lexiflow.settings import *  # noqa: F403

ROOT_URLCONF = "tests.infrastructure.cache.rollout_pages"
