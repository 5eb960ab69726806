"""Benchmarks send slow statements on purpose; what they print is not to drown in warnings."""

import logging

logging.getLogger("lexiflow.slow_queries").setLevel(logging.ERROR)
