"""gunicorn: each setting with what it bounds. The same file in development and in production."""

import os
import shutil
import tempfile
from typing import Any

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or max(2, os.cpu_count() or 1))
threads = int(os.environ.get("WEB_THREADS") or 8)  # requests at once per process
preload_app = True  # import once, share memory; nothing opens a connection at import
timeout = 60  # a worker that does not report for so long is replaced
graceful_timeout = 30  # SIGTERM: requests under way may finish for so long
keepalive = 5
max_requests = 20_000  # a slow leak never grows old
max_requests_jitter = 2_000  # and the workers do not restart together
limit_request_line = 8190
accesslog = os.environ.get("ACCESS_LOG") or None
errorlog = "-"
loglevel = os.environ.get("LOG_LEVEL", "warning")
control_socket_disable = True  # nothing of ours talks to it

# Where the processes put their counters, for whichever of them Prometheus asks. Before anything
# that counts is imported.
_own_folder = None
if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    _own_folder = tempfile.mkdtemp(prefix="lexiflow-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _own_folder


def on_starting(server: Any) -> None:
    from lexiflow.monitoring import processes

    processes.prepare()


def post_fork(server: Any, worker: Any) -> None:
    """The pool belongs to the process that uses it."""
    from django.apps import apps

    if apps.ready:
        from lexiflow.db import pool

        pool.start()


def worker_exit(server: Any, worker: Any) -> None:
    from django.apps import apps

    if apps.ready:
        from lexiflow.db import pool

        pool.stop()


def child_exit(server: Any, worker: Any) -> None:
    from lexiflow.monitoring import processes

    processes.retire(worker.pid)


def on_exit(server: Any) -> None:
    if _own_folder is not None:
        shutil.rmtree(_own_folder, ignore_errors=True)
