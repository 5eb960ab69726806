"""The project's own application: its checks, its commands, its extensions of PostgreSQL."""

from django.apps import AppConfig


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
