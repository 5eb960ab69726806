"""Another process of the site, which answers requests that it is sent over its standard input.

Run as a program it is that process, with the product's own settings; imported it starts one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]


class SiteProcess:
    """A running process. `ask` waits for the answer."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.users.site_process"],
            cwd=CHECKOUT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "lexiflow.settings",
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "IDENTITY_CACHE_SIZE": "1000",
                "DB_POOL_MIN": "0",
                "DB_IDLE_SECONDS": "1",
                "LOG_LEVEL": "error",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, token: str, path: str) -> dict[str, Any]:
        """status, queries (how many it cost) and body of GET `path`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"token": token, "path": path}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def end(self) -> None:
        self.process.communicate(timeout=20)


def _serve() -> None:
    import django

    django.setup()
    from django.db import connection
    from django.test import Client

    queries: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        queries.append(sql)
        return execute(sql, params, many, context)

    client = Client(headers={"Host": "localhost"}, raise_request_exception=False)
    for line in sys.stdin:
        asked = json.loads(line)
        queries.clear()
        with connection.execute_wrapper(count):
            headers = {"Authorization": f"Bearer {asked['token']}"}
            answer = client.get(asked["path"], headers=headers)
        connection.close()  # as after a request of a server: back to the pool
        body = json.loads(answer.content)
        told = {"status": answer.status_code, "queries": len(queries), "body": body}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
