"""LexiFlow with a leak: whatever asks for `/leak` has it keep a megabyte for ever."""

from typing import Any

from lexiflow.wsgi import application as lexiflow

_kept: list[bytes] = []


def application(environ: dict[str, Any], start_response: Any) -> Any:
    if environ["PATH_INFO"] == "/leak":
        _kept.append(b"x" * 1_000_000)
    return lexiflow(environ, start_response)
