"""Puts the parts together: each is started with the deploy file that is meant for it."""

import http.client
import json
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from deploy.topology.postgres import DATABASE, SUPERUSER, Postgres
from deploy.topology.processes import Process, free_port, give, program, run
from lexiflow.devservices.binaries import valkey_program
from lexiflow.devservices.paths import Account

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
LIVE = "/api/v1/health/live/"


def adapted(file: Path, target: Path, *replacements: tuple[str, str]) -> Path:
    """A deploy file with other addresses. What is to be replaced must be there."""
    text = file.read_text()
    for old, new in replacements:
        if old not in text:
            raise RuntimeError(f"{file} does not say {old!r}.")
        text = text.replace(old, new)
    target.write_text(text)
    target.chmod(0o644)
    return target


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Topology:
    """The parts, by name. `folder` has their files and logs."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.metrics_token = secrets.token_urlsafe(16)
        self.nginx_port, self.pgbouncer_port = free_port(), free_port()
        self.sockets = {name: self._listen() for name in ("app-1", "app-2")}
        self.ports = {name: each.getsockname()[1] for name, each in self.sockets.items()}
        self.redis_ports = {"cache": free_port(), "limiter": free_port()}
        self.postgres = Postgres(folder)
        self.replica: Postgres | None = None
        self.parts: dict[str, Process] = {}
        self.settings: dict[str, str] = {}

    def _listen(self) -> socket.socket:
        """As deploy/systemd/lexiflow@.socket does."""
        made = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self._stack.callback(made.close)
        return made

    # --- Parts ----------------------------------------------------------------------------------
    def add(self, part: Process) -> Process:
        """Starts it, and ends it with the topology."""
        self.parts[part.name] = part
        self._stack.callback(part.stop)
        part.start()
        return part

    def start_postgres(self) -> None:
        self.postgres.create()
        self._stack.callback(self.postgres.stop)
        self.postgres.start()
        self.postgres.make_database()

    def start_replica(self) -> Postgres:
        self.replica = replica = Postgres(self.folder, "replica")
        replica.follow(self.postgres, "replica")
        self._stack.callback(replica.stop)
        replica.start()
        return replica

    def start_redis(self) -> None:
        for use, port in self.redis_ports.items():
            words = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
            server = str(valkey_program(Account.for_servers()))
            conf = DEPLOY / "redis" / f"{use}.conf"
            copy = self.folder / conf.name
            shutil.copy(conf, copy)
            copy.chmod(0o644)
            command = [server, str(copy), *words]
            part = self.add(Process(f"redis-{use}", self.folder, command, unprivileged=True))
            part.wait_until(lambda port=port: listens(port))  # type: ignore[misc]

    def start_pgbouncer(self) -> None:
        users = self.folder / "userlist.txt"
        users.write_text(f'"{SUPERUSER}" ""\n')
        users.chmod(0o644)
        conf = adapted(
            DEPLOY / "pgbouncer" / "pgbouncer.ini",
            self.folder / "pgbouncer.ini",
            ("host=postgres port=5432", f"host=127.0.0.1 port={self.postgres.port}"),
            ("listen_addr = *", "listen_addr = 127.0.0.1"),
            ("listen_port = 6432", f"listen_port = {self.pgbouncer_port}"),
            ("auth_type = scram-sha-256", "auth_type = trust"),
            ("/etc/pgbouncer/userlist.txt", str(users)),
        )
        command = [program("pgbouncer"), str(conf)]
        part = self.add(Process("pgbouncer", self.folder, command, unprivileged=True))
        part.wait_until(lambda: listens(self.pgbouncer_port))

    def configure(self, **further: str) -> None:
        """The environment of the application's processes."""
        self.settings = {
            "DJANGO_SETTINGS_MODULE": "lexiflow.settings",
            "LEXIFLOW_ENV": "production",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "TRUSTED_PROXIES": "1",
            "DATABASE_URL": f"postgresql://{SUPERUSER}@127.0.0.1:{self.pgbouncer_port}/{DATABASE}",
            "DATABASE_POOLER": "pgbouncer",
            "DATABASE_LISTEN_URL": self.postgres.url,
            "CACHE_REDIS_URL": f"redis://127.0.0.1:{self.redis_ports['cache']}/0",
            "LIMITER_REDIS_URL": f"redis://127.0.0.1:{self.redis_ports['limiter']}/0",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_ports['cache']}/0",
            "STORAGE_URL": str(self.folder / "files"),
            "STATIC_ROOT": str(self.folder / "static"),
            "METRICS_TOKEN": self.metrics_token,
            "WEB_CONCURRENCY": "2",
            "WEB_THREADS": "8",
            "LIMITER_PROCESSES": "4",
            "DB_POOL_MIN": "2",
            "DB_POOL_MAX": "10",
            "LIMIT_CONCURRENT": "0",
            **further,
        }

    def manage(self, *words: str, **environment: str) -> str:
        """A command, which talks to PostgreSQL itself."""
        direct = {"DATABASE_URL": self.postgres.url, "DATABASE_POOLER": "none"}
        settings = {**self.settings, **direct, "DB_POOL_MIN": "0", **environment}
        return run(sys.executable, ROOT / "manage.py", *words, environment=settings)

    def start_application(
        self,
        name: str,
        application: str = "lexiflow.wsgi:application",
        settings: dict[str, str] | None = None,
    ) -> Process:
        """One of the two, or a further one that nginx does not know."""
        if name not in self.sockets:
            self.sockets[name] = self._listen()
            self.ports[name] = self.sockets[name].getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"]
        environment = {**self.settings, **(settings or {})}
        part = self.add(
            Process(
                name,
                self.folder,
                [*command, application],
                environment=environment,
                cwd=ROOT,
                listening=self.sockets[name],
            )
        )
        part.wait_until(lambda: self.status_of(self.ports[name]) == 200)
        return part

    def start_worker(self) -> Process:
        queues = "extraction,upkeep,bulk"
        command = [sys.executable, "manage.py", "procrastinate", "worker", "--queues", queues]
        direct = {"DATABASE_URL": self.postgres.url, "DATABASE_POOLER": "none"}
        environment = {**self.settings, **direct, "DB_POOL_MIN": "1"}
        return self.add(Process("worker", self.folder, command, environment=environment, cwd=ROOT))

    def start_nginx(self) -> None:
        conf = adapted(
            DEPLOY / "nginx" / "nginx.conf",
            self.folder / "nginx.conf",
            ("worker_processes auto;", "worker_processes 1;\ndaemon off;"),
            ("/run/nginx.pid", str(self.folder / "nginx.pid")),
            ("listen 8080;", f"listen 127.0.0.1:{self.nginx_port};"),
            ("app-1:8000", f"127.0.0.1:{self.ports['app-1']}"),
            ("app-2:8000", f"127.0.0.1:{self.ports['app-2']}"),
            ("/srv/lexiflow/static/", f"{self.folder / 'static'}/"),
        )
        nginx = program("nginx")
        run(nginx, "-t", "-q", "-c", conf)
        part = self.add(Process("nginx", self.folder, [nginx, "-c", str(conf)]))
        part.wait_until(lambda: self.status_of(self.nginx_port) == 200)

    def start_prometheus(
        self, *, instances: tuple[str, str] = ("app-1", "app-2"), seconds: int = 15, rules: str = ""
    ) -> int:
        """Returns its port. rules: in place of those of the repository."""
        port, folder = free_port(), self.folder / "prometheus"
        folder.mkdir(mode=0o755)
        token = folder / "metrics_token"
        token.write_text(self.metrics_token)
        (folder / "alerts.yml").write_text(rules or (DEPLOY / "prometheus/alerts.yml").read_text())
        conf = adapted(
            DEPLOY / "prometheus" / "prometheus.yml",
            folder / "prometheus.yml",
            ("/run/secrets/metrics_token", str(token)),
            ("app-1:8000", f"127.0.0.1:{self.ports[instances[0]]}"),
            ("app-2:8000", f"127.0.0.1:{self.ports[instances[1]]}"),
            ("alertmanager:9093", "127.0.0.1:1"),
            ("interval: 15s", f"interval: {seconds}s"),
        )
        run(program("promtool"), "check", "config", conf)
        command = [program("prometheus"), f"--config.file={conf}", "--log.level=warn"]
        command += [f"--storage.tsdb.path={folder / 'data'}"]
        command += [f"--web.listen-address=127.0.0.1:{port}"]
        part = self.add(Process("prometheus", self.folder, command))
        part.wait_until(lambda: listens(port))
        return port

    # --- Asking ---------------------------------------------------------------------------------
    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        port: int = 0,
    ) -> tuple[int, dict[str, str], bytes]:
        """Through nginx, or straight to a port."""
        headers = dict(headers or {})
        client = http.client.HTTPConnection("127.0.0.1", port or self.nginx_port, timeout=60)
        try:
            if body is not None and not isinstance(body, bytes):
                body, headers = (
                    json.dumps(body).encode(),
                    {
                        "Content-Type": "application/json",
                        **headers,
                    },
                )
            client.request(method, path, body=body, headers=headers)
            response = client.getresponse()
            content = response.read()
            return response.status, dict(response.getheaders()), content
        finally:
            client.close()

    def status_of(self, port: int, path: str = LIVE) -> int:
        try:
            return self.ask("GET", path, port=port)[0]
        except (OSError, http.client.HTTPException):
            return 0

    def metrics(self, name: str) -> str:
        """What Prometheus reads of an instance."""
        bearer = f"Bearer {self.metrics_token}"
        return self.ask(
            "GET", "/metrics", port=self.ports[name], headers={"Authorization": bearer}
        )[2].decode()


@contextmanager
def topology(
    *,
    replica: bool = True,
    worker: bool = True,
    static: bool = True,
    dump: Path | None = None,
    settings: dict[str, str] | None = None,
) -> Iterator[Topology]:
    """All of it, migrated and answering. dump: of a migrated database, which is faster."""
    folder = Path(tempfile.mkdtemp(prefix="lexiflow-topology-"))
    folder.chmod(0o755)
    give(folder)
    try:
        with ExitStack() as stack:
            made = Topology(folder, stack)
            made.start_postgres()
            made.start_redis()
            made.start_pgbouncer()
            made.configure(**settings or {})
            if dump is None:
                made.manage("migrate", "--verbosity", "0")
            else:
                made.postgres.load(dump)
            if static:
                made.manage("collectstatic", "--noinput", "--verbosity", "0")
            if replica:
                made.start_replica()
            for name in made.ports:
                made.start_application(name)
            if worker:
                made.start_worker()
            made.start_nginx()
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)
