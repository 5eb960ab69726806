"""The project's own application: its checks, its commands, its extensions of PostgreSQL."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class LexiflowConfig(AppConfig):
    name = "lexiflow"

    def ready(self) -> None:
        from lexiflow import checks  # noqa: F401
        from lexiflow.cache import reads, writes
        from lexiflow.db import statements
        from lexiflow.ratelimit import vocabulary

        vocabulary.install()
        writes.install()
        reads.install()
        statements.install()
        if settings.TRACES:
            _install_traces()


def _install_traces() -> None:
    try:
        from lexiflow.monitoring import traces
    except ModuleNotFoundError as error:
        raise ImproperlyConfigured(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is set, and {error.name} is missing:"
            " pip install -r requirements-traces.txt"
        ) from error
    traces.install()
