"""Bulk calls to real servers."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from uuid import UUID

from tests.servers import Server

# The server waits for a database that was killed.
_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]

    @property
    def changed(self) -> set[UUID]:
        """The rows that are told as changed."""
        rows = self.body.get("results", [])
        return {UUID(row["id"]) for row in rows if row["status"] == "updated"}


def post(server: Server, token: str, path: str, body: dict[str, Any], **more: str) -> Answer:
    """more: further headers."""
    client = HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_SECONDS)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **more}
        client.request("POST", path, json.dumps(body), headers)
        response = client.getresponse()
        return Answer(response.status, json.loads(response.read()))
    finally:
        client.close()
