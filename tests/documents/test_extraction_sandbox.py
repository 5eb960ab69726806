"""What a hostile file can do to the server: nothing. Runs real child processes."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from documents.extraction import sandbox
from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.limits import MEBIBYTE, ExtractionLimits
from documents.extraction.registry import SUPPORTED_MEDIA_TYPES
from tests.documents import file_samples as samples

LIMITS = ExtractionLimits()
PROJECT = Path(sandbox.__file__).parents[2]
SMALLEST_FILES = {
    "application/pdf": samples.pdf(["word"]),
    "application/rtf": b"{\\rtf1 word}",
    "message/rfc822": b"Subject: x\n\nword",
} | dict.fromkeys(
    (media_type for media_type in SUPPORTED_MEDIA_TYPES if "word" in media_type),
    samples.docx(samples.paragraph("word")),
)


@pytest.fixture(autouse=True)
def _temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize("media_type", sorted(SUPPORTED_MEDIA_TYPES))
def test_every_type_is_read_inside_the_sandbox(media_type: str, tmp_path: Path) -> None:
    content = SMALLEST_FILES.get(media_type, b"word")
    path = tmp_path / "file"
    path.write_bytes(content)
    from_path = sandbox.extract(path, media_type)
    assert "word" in "".join(from_path.pages)
    assert sandbox.extract(io.BytesIO(content), media_type) == from_path


def test_a_file_object_is_read_from_where_it_stands_and_a_path_is_not_changed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "read only.txt"
    path.write_bytes(b"text")
    path.chmod(0o400)
    assert sandbox.extract(path, "text/plain").pages == ["text"]
    assert sandbox.extract(str(path), "text/plain").pages == ["text"]
    with path.open("rb") as file:
        assert sandbox.extract(file, "text/plain").pages == ["text"]
    assert path.read_bytes() == b"text"


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    descriptors = open_descriptors()
    sandbox.extract(io.BytesIO(b"text"), "text/plain")
    failure(b"{\\rtf1 \\uc x}", "application/rtf")
    failure(b"x" * MEBIBYTE, "text/plain", replace(LIMITS, wall_seconds=0.0))
    assert list(tmp_path.iterdir()) == []
    assert open_descriptors() == descriptors


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


# Files that cost too much


def failure(content: bytes, media_type: str, limits: ExtractionLimits = LIMITS) -> ErrorCode:
    with pytest.raises(ExtractionError) as raised:
        sandbox.extract(io.BytesIO(content), media_type, limits)
    return raised.value.code


def test_a_pdf_that_unpacks_to_gigabytes_runs_out_of_its_own_memory() -> None:
    packed = samples.compressed_repeat(b" ", 400)
    bomb = samples.pdf_of_objects(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
            b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
        ]
    )
    limits = replace(LIMITS, memory_bytes=128 * MEBIBYTE)
    # Which of the two is known only when this process is smaller than the limit.
    assert failure(bomb, "application/pdf", limits) in {"out_of_memory", "crashed"}


def test_a_python_extractor_without_memory_says_so() -> None:
    rtf = b"{\\rtf1 " + b"a {\\b b} " * 8 * MEBIBYTE + b"}"
    limits = replace(LIMITS, memory_bytes=96 * MEBIBYTE)
    assert failure(rtf, "application/rtf", limits) == ErrorCode.OUT_OF_MEMORY


def test_a_zip_bomb_is_too_large_before_anything_is_unpacked() -> None:
    bomb = samples.archive({"[Content_Types].xml": "", "word/media/a": bytes(40 * MEBIBYTE)})
    limits = replace(LIMITS, max_unpacked_bytes=32 * MEBIBYTE)
    assert failure(bomb, samples.DOCX, limits) == ErrorCode.TOO_LARGE


def test_a_zip_that_lies_about_its_sizes_is_damaged() -> None:
    honest = samples.docx(samples.paragraph("word " * 100_000))
    size = len("word " * 100_000)
    declared = next(
        honest[at + 24 : at + 28]
        for at in range(len(honest))
        if honest.startswith(b"PK\x01\x02", at)
        and int.from_bytes(honest[at + 24 : at + 28], "little") > size
    )
    lying = honest.replace(declared, (100).to_bytes(4, "little"))
    assert lying != honest
    assert failure(lying, samples.DOCX) == ErrorCode.DAMAGED


def test_a_zip_of_very_many_entries_is_too_large() -> None:
    many = samples.archive({f"{number}": "" for number in range(101)})
    limits = replace(LIMITS, max_archive_entries=100)
    assert failure(many, samples.DOCX, limits) == ErrorCode.TOO_LARGE


def test_processor_time_and_wall_time_are_bounded() -> None:
    slow = samples.docx("<w:p/>" * 2_000_000)
    assert failure(slow, samples.DOCX, replace(LIMITS, cpu_seconds=1)) == ErrorCode.TIMEOUT
    assert failure(slow, samples.DOCX, replace(LIMITS, wall_seconds=0.3)) == ErrorCode.TIMEOUT


def test_a_line_of_many_megabytes_is_cut_at_the_limit() -> None:
    limits = replace(LIMITS, max_text_bytes=MEBIBYTE)
    result = sandbox.extract(io.BytesIO(b"x" * (20 * MEBIBYTE)), "text/plain", limits)
    assert sum(map(len, result.pages)) == MEBIBYTE
    assert result.warnings == ("The text is longer than allowed; the rest was left out.",)


def test_a_pdf_of_very_many_pages_is_cut_at_the_limit() -> None:
    kids = b"3 0 R " * 30_000
    many = samples.pdf_of_objects(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[%s]/Count 30000>>" % kids,
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        ]
    )
    result = sandbox.extract(io.BytesIO(many), "application/pdf", replace(LIMITS, max_pages=100))
    assert (len(result.pages), result.page_count) == (100, 30_000)


# Files that are refused before a process is started


@pytest.mark.parametrize(
    ("content", "media_type", "code"),
    [
        (b"", "application/pdf", ErrorCode.EMPTY_FILE),
        (b"x", "application/x-empty", ErrorCode.EMPTY_FILE),
        (b"x", "application/x-ooxml-protected", ErrorCode.ENCRYPTED),
        (b"x", "image/png", ErrorCode.UNSUPPORTED_TYPE),
        (b"12345678901", "text/plain", ErrorCode.TOO_LARGE),
    ],
)
def test_some_files_need_no_process_to_fail(
    content: bytes, media_type: str, code: ErrorCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    assert failure(content, media_type, replace(LIMITS, max_input_bytes=10)) == code


# What the child may do


HOSTILE_ATTEMPTS = """
import ctypes, os, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
from documents.extraction import confinement
from documents.extraction.limits import ExtractionLimits
from pathlib import Path
layers = confinement.confine(ExtractionLimits(), os.getppid())
attempts = {
    "python socket": lambda: socket.socket(),
    "python process": lambda: subprocess.Popen(["/bin/true"]),
    "python write": lambda: Path("x").write_text("x"),
    "python delete": lambda: Path("x").unlink(),
    "python kill": lambda: os.kill(os.getppid(), 0),
    "python library": lambda: ctypes.CDLL("libm.so.6"),
}
native = {
    "native socket": lambda: libc.socket(2, 1, 0),
    "native fork": lambda: libc.fork(),
    "native exec": lambda: libc.execv(b"/bin/true", (ctypes.c_char_p * 2)(b"true")),
    "native write": lambda: libc.open(b"x", os.O_WRONLY | os.O_CREAT, 0o600),
    "native delete": lambda: libc.unlink(b"x"),
    "native kill": lambda: libc.kill(os.getppid(), 0),
    "native read": lambda: libc.open(sys.argv[1].encode(), os.O_RDONLY),
    "native io_uring": lambda: libc.syscall(425, 1, ctypes.create_string_buffer(120)),
}
for name, attempt in attempts.items():
    try:
        attempt()
        print("succeeded:", name)
    except OSError as error:
        print("refused:", name)
for name, attempt in native.items():
    print("refused:" if attempt() == -1 else "succeeded:", name)
open(os.__file__, "rb").close()
print("layers:", *layers)
print("user:", *os.getresuid())
"""


def hostile_output(tmp_path: Path) -> list[str]:
    secret = PROJECT / "manage.py" if (PROJECT / "manage.py").exists() else Path(__file__)
    program = f"import sys; sys.path[:] = {[*sys.path, str(PROJECT)]!r}\n{HOSTILE_ATTEMPTS}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program, str(secret)],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_code_in_the_child_reaches_neither_network_nor_files_nor_processes(
    tmp_path: Path,
) -> None:
    lines = hostile_output(tmp_path)
    layers = next(line for line in lines if line.startswith("layers:")).split()[1:]
    kernel = "system_calls" in layers
    succeeded = [line for line in lines if line.startswith("succeeded:")]
    if not kernel:
        succeeded = [line for line in succeeded if "python" in line]
    if "landlock" not in layers:
        succeeded = [line for line in succeeded if line != "succeeded: native read"]
    assert succeeded == []
    assert sum(line.startswith("refused: python") for line in lines) == 6
    if os.getuid() == 0:
        assert "user: 65534 65534 65534" in lines or "nobody" not in layers


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's layers are those of Linux")
def test_on_linux_the_kernel_refuses_sockets_and_processes() -> None:
    layers = sandbox.probe_confinement()
    assert {"limits", "system_calls", "audit_hook"} <= layers


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, dict[str, Any]]]:
    """Process id and options of every child, and the entries of its directory at the start."""
    children: list[tuple[int, dict[str, Any]]] = []
    popen = subprocess.Popen

    def watched(arguments: list[str], **options: Any) -> subprocess.Popen[bytes]:
        entries = list(Path(options["cwd"]).iterdir()) if "cwd" in options else []
        process = popen(arguments, **options)
        children.append((process.pid, options | {"entries": entries}))
        return process

    monkeypatch.setattr(subprocess, "Popen", watched)
    return children


def test_the_child_inherits_no_environment_and_stands_in_a_directory_that_is_gone(
    monkeypatch: pytest.MonkeyPatch, started: list[tuple[int, dict[str, Any]]]
) -> None:
    monkeypatch.setenv("SECRET_KEY", "very secret")
    sandbox.extract(io.BytesIO(b"x"), "text/plain")
    ((_, options),) = started
    assert "SECRET_KEY" not in options["env"]
    assert options["entries"] == []
    assert not Path(options["cwd"]).exists()


def test_a_child_that_dies_without_a_word_has_crashed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sandbox, "_BOOTSTRAP", "raise ValueError('why it died')")
    assert failure(b"x", "text/plain") == ErrorCode.CRASHED
    assert "why it died" in caplog.text


@pytest.mark.parametrize(
    "first",
    [
        "",
        "os.close(1); os.close(2); ",
        "os.fork(); ",
        "exec('while True: os.write(2, bytes(9)); time.sleep(0.001)'); ",
    ],
)
def test_a_child_that_never_answers_is_killed_with_its_own_children(
    first: str, monkeypatch: pytest.MonkeyPatch, started: list[tuple[int, dict[str, Any]]]
) -> None:
    monkeypatch.setattr(sandbox, "_BOOTSTRAP", f"import os, time; {first}time.sleep(3600)")
    code = failure(b"x", "text/plain", replace(LIMITS, wall_seconds=0.5))
    assert code in {ErrorCode.TIMEOUT, ErrorCode.OUT_OF_MEMORY}
    ((group, _),) = started
    while members(group):
        time.sleep(0.01)


def members(group: int) -> list[int]:
    """Processes of a group that still run; the dead whom nobody has buried do not count."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listing.stdout.splitlines()]
    return [int(pid) for pid, pgid, state in rows if int(pgid) == group and state[0] != "Z"]


@pytest.mark.parametrize(
    ("status", "peak_mebibytes", "code"),
    [
        (-signal.SIGXCPU, 0, ErrorCode.TIMEOUT),
        (-signal.SIGKILL, 0, ErrorCode.OUT_OF_MEMORY),
        (-signal.SIGSEGV, 2**20, ErrorCode.OUT_OF_MEMORY),
        (-signal.SIGSEGV, 1, ErrorCode.CRASHED),
        (1, 1, ErrorCode.CRASHED),
    ],
)
def test_the_way_a_child_died_becomes_a_code(
    status: int, peak_mebibytes: int, code: ErrorCode
) -> None:
    assert sandbox._code_of_death(status, peak_mebibytes * MEBIBYTE, LIMITS, b"") == code
