"""Counts anew which words the texts are written with, so that searches forgive misspelt ones, and
how rare they are, so that the best hits come first.

Run it after a large import and every night; searches go on meanwhile, and words newer than the last
run are found as they are typed.
"""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from documents.search_index import VOCABULARY_SAMPLE, refresh_search_words


class Command(BaseCommand):
    help = "Counts the words of a sample of all texts, for searches with misspelt or cut-off words."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--sample",
            type=int,
            default=VOCABULARY_SAMPLE,
            metavar="TEXTS",
            help="how many pages, names and docket entries to read (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sample"] < 1:
            raise CommandError("--sample must be at least 1.", returncode=2)
        started = time.monotonic()
        words = refresh_search_words(options["sample"])
        seconds = time.monotonic() - started
        self.stdout.write(f"{words:,} words in the vocabulary, counted in {seconds:.1f} s.")
