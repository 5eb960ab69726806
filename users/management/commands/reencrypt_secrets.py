"""Encrypts what is encrypted in the database again, with the current SECRET_KEY."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lexiflow.db.transactions import write_transaction
from users.encryption import UnreadableSecretError, reencrypt
from users.models import SecondFactor


class Command(BaseCommand):
    help = "After a change of SECRET_KEY: the secrets of second factors under the new one."

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = 0
        with write_transaction(None, source="command: reencrypt_secrets"):
            factors = SecondFactor.objects.select_for_update().order_by("pk")
            for factor in factors:
                try:
                    secret = reencrypt(factor.secret)
                except UnreadableSecretError:
                    unreadable += 1
                    continue
                SecondFactor.objects.filter(pk=factor.pk).update(secret=secret)
        self.stdout.write(f"Encrypted {len(factors) - unreadable} secrets with the current key.")
        if unreadable:
            raise CommandError(
                f"{unreadable} secrets are of a SECRET_KEY that is not in SECRET_KEY_FALLBACKS."
            )
