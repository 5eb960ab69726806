"""`manage.py bulk_update_documents FILE`, or `--filter … --set …`: many documents at once."""

from documents.bulk import DOCUMENTS
from lexiflow.commands.bulk_update import BulkUpdateCommand


class Command(BulkUpdateCommand):
    table = DOCUMENTS
