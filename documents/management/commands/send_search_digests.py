"""`manage.py send_search_digests`: what the worker does every minute and every ten minutes."""

from typing import Any

from django.core.management.base import BaseCommand

from documents.saved_searches.digests import make_digests, send_digests
from documents.saved_searches.matching import match_new_documents


class Command(BaseCommand):
    help = (
        "Compares new documents with the saved searches, and sends what is due. Safe beside the"
        " worker, and whenever it was killed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{match_new_documents():,} hits of new documents.")
        made, sent = make_digests(), send_digests()
        self.stdout.write(f"{made:,} digests made, {sent:,} sent.")
