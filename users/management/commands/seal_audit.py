"""`manage.py seal_audit`: seals the events that wait for it, as the worker does every minute."""

from typing import Any

from django.core.management.base import BaseCommand

from users.sealing import SealedElsewhereError, seal_pending


class Command(BaseCommand):
    help = (
        "Seals the events of the audit trail that are in no seal yet, and prints each seal. Keep"
        " the last one somewhere else: `verify_audit --expect` then proves that the end was not"
        " cut off."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for seal in seal_pending():
                self.stdout.write(f"{seal}  {seal.count:,} events")
        except SealedElsewhereError:
            self.stdout.write("Another process is sealing at this moment; nothing is left to do.")
