"""`manage.py reindex_search`: makes anew what an older normaliser has made, as the worker does.

Searches and writes go on meanwhile. Interrupted or killed, the next run goes on where it was.
"""

from typing import Any

from documents.search_index import INDEXED
from lexiflow.commands.long_command import LongCommand
from lexiflow.search.maintenance import outdated, renew


class Command(LongCommand):
    help = "Indexes again what was indexed before the last change of how texts are read."

    def work(self, options: dict[str, Any]) -> None:
        renewed = 0
        with self.progress(sum(map(outdated, INDEXED)), "records") as bar:
            for indexed in INDEXED:
                for count in renew(indexed):
                    renewed += count
                    bar.update(count)
                    if self.is_interrupted:
                        break
        self.say(f"Indexed again: {self.pace(renewed, 'records')}.")
