"""gunicorn: each setting with what it bounds. The same file in development and in production."""

import os

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
