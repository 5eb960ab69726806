"""The tables of the project itself."""

from lexiflow.bulk.models import BulkBatch, BulkChange

__all__ = ["BulkBatch", "BulkChange"]
