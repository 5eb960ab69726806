"""Primary keys: UUIDs whose order is the order of their making (version 7, RFC 9562 section 5.7).

Neighbours in time are neighbours in the index, so inserts touch few pages, and an identifier tells
nobody how many rows there are. The order holds to the millisecond between processes; it is not a
sequence. PostgreSQL 18 has `uuidv7()`; the Python side is used so that 15 to 17 work as well.
"""

import uuid

from uuid_utils import compat


def new_id() -> uuid.UUID:
    """A fresh version 7 UUID."""
    return compat.uuid7()
