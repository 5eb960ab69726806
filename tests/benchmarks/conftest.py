"""Benchmarks send slow statements on purpose; what they print is not to drown in warnings."""

import logging

import pytest


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "lexiflow.slow_queries")
