"""`manage.py bulk_update_cases FILE`, or `--filter … --set …`: many cases at once."""

from cases.bulk import CASES
from lexiflow.commands.bulk_update import BulkUpdateCommand


class Command(BulkUpdateCommand):
    table = CASES
