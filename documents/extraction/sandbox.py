"""Extract the text of a file nobody trusts, in a process of its own.

``extract`` starts one Python process per file, hands it the open file, and reads pages from a
pipe. The process has bounded memory and time, an empty environment and a removed directory to stand
in, and gives up network, files and further processes before it reads the first byte;
``confinement`` says what of this holds on which system. Whatever the file does to it costs one
failed extraction.

Guarantee: ``extract`` returns or raises ExtractionError within ``wall_seconds`` and a moment;
nothing it started is left running, no temporary file is left behind.

Not guaranteed: anything on Windows. How many extractions run at the same time is the caller's part.
"""

import json
import logging
import os
import resource
import selectors
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from documents.extraction import registry
from documents.extraction.errors import ErrorCode, ExtractionError
from documents.extraction.limits import ExtractionLimits
from documents.extraction.reply import Reply
from documents.extraction.result import ExtractedText

logger = logging.getLogger(__name__)

EMPTY = "application/x-empty"
PROTECTED = "application/x-ooxml-protected"
DEFAULT_LIMITS = ExtractionLimits()

_READ_BYTES = 65_536
_STDERR_BYTES = 4_000
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss
_PROJECT = str(Path(__file__).resolve().parents[2])
# -I: no environment, no user directory, no current directory; -S: no start-up hooks of installed
# packages. The search path is the parent's, so both see the same packages.
_INTERPRETER_OPTIONS = ("-I", "-S", "-X", "utf8")
_BOOTSTRAP = (
    "import json, sys; request = json.loads(sys.argv[1]); sys.path[:] = request.pop('path'); "
    "from documents.extraction.child import main; main(**request)"
)
# Some builds of Python find their own library only through these.
_KEPT_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def extract(
    source: str | os.PathLike[str] | BinaryIO,
    media_type: str,
    limits: ExtractionLimits = DEFAULT_LIMITS,
) -> ExtractedText:
    """Return the text of a file whose type is known from its bytes.

    ``source`` is a path, which is cheapest, or a file object, which is copied to a temporary file
    first. Raises ExtractionError; OSError only if the file cannot be opened or copied, or no
    process can be started: then the file is not to blame, and trying again may help.
    """
    if media_type == EMPTY:
        raise ExtractionError(ErrorCode.EMPTY_FILE)
    if media_type == PROTECTED:
        raise ExtractionError(ErrorCode.ENCRYPTED)
    if media_type not in registry.SUPPORTED_MEDIA_TYPES:
        raise ExtractionError(ErrorCode.UNSUPPORTED_TYPE)
    with _opened(source, limits) as file:
        return _run(file, media_type, limits).result()


def probe_confinement() -> frozenset[str]:
    """Extract one word and say which layers of confinement held on this machine.

    For a start-up check or a test; the names are those of ``confinement``. Raises ExtractionError.
    """
    with _opened(BytesIO(b"probe"), DEFAULT_LIMITS) as file:
        return _run(file, "text/plain", DEFAULT_LIMITS).layers


@contextmanager
def _opened(
    source: str | os.PathLike[str] | BinaryIO, limits: ExtractionLimits
) -> Iterator[BinaryIO]:
    """Open a regular file of an allowed size for the child to inherit."""
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file:
            _check_size(file, limits)
            yield file
    else:
        # The child must have a file position of its own, and file objects may have no descriptor.
        with tempfile.TemporaryFile() as copy:
            while copy.tell() <= limits.max_input_bytes and (data := source.read(_READ_BYTES)):
                copy.write(data)
            copy.seek(0)
            _check_size(copy, limits)
            yield copy


def _check_size(file: BinaryIO, limits: ExtractionLimits) -> None:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise ExtractionError(ErrorCode.UNSUPPORTED_TYPE)
    if status.st_size == 0:
        raise ExtractionError(ErrorCode.EMPTY_FILE)
    if status.st_size > limits.max_input_bytes:
        raise ExtractionError(ErrorCode.TOO_LARGE)


def _run(file: BinaryIO, media_type: str, limits: ExtractionLimits) -> Reply:
    """Let a child read the file; return its complete reply or raise ExtractionError."""
    reply = Reply(limits)
    deadline = time.monotonic() + limits.wall_seconds
    process = _start(file, media_type, limits)
    try:
        errors = _read(process, reply, deadline)
    finally:
        peak_bytes = _end(process)
    if not reply.is_complete:
        raise ExtractionError(_code_of_death(process.returncode, peak_bytes, limits, errors))
    return reply


def _start(file: BinaryIO, media_type: str, limits: ExtractionLimits) -> subprocess.Popen[bytes]:
    request = {
        "path": [entry for entry in dict.fromkeys([*sys.path, _PROJECT]) if entry],
        "media_type": media_type,
        "parent": os.getpid(),
        "limits": asdict(limits),
    }
    # The directory is removed as soon as the child stands in it: there nothing can be found or
    # made, and nothing is left behind even if this process is killed.
    with tempfile.TemporaryDirectory(prefix="lexiflow-extraction-") as directory:
        return subprocess.Popen(  # noqa: S603 - the program is this interpreter, without a shell
            [sys.executable, *_INTERPRETER_OPTIONS, "-c", _BOOTSTRAP, json.dumps(request)],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
            env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
            start_new_session=True,
        )


def _read(process: subprocess.Popen[bytes], reply: Reply, deadline: float) -> bytes:
    """Feed the reply until it is complete or the child is gone; return the end of its stderr.

    Raises ExtractionError (``timeout``) at the deadline.
    """
    errors = b""
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and not reply.is_complete:
            seconds_left = deadline - time.monotonic()
            if seconds_left <= 0:
                raise ExtractionError(ErrorCode.TIMEOUT)
            for key, _ in selector.select(seconds_left):
                data = os.read(key.fd, _READ_BYTES)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    reply.feed(data)
                else:
                    errors = (errors + data)[-_STDERR_BYTES:]
    return errors


def _end(process: subprocess.Popen[bytes]) -> int:
    """Kill the child with all it may have started, wait, and return its peak memory in bytes."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except ChildProcessError:  # a host that ignores SIGCHLD has the kernel bury its children
        process.returncode = 0
        return 0
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * _MAXRSS_BYTES


def _code_of_death(
    status: int, peak_bytes: int, limits: ExtractionLimits, errors: bytes
) -> ErrorCode:
    """Say why a child died before its last word.

    Both pipes are closed at this point, so the status is its own and not that of our signal.
    """
    if status == -signal.SIGXCPU:
        return ErrorCode.TIMEOUT
    # Native code that gets no more memory crashes. The peak tells, unless it is our own: what a
    # process had at its birth, a copy of its parent, counts as well.
    own_peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES
    starved = peak_bytes > max(limits.memory_bytes * 3 // 4, own_peak_bytes)
    if status == -signal.SIGKILL or starved:  # the kernel kills when the machine runs out
        return ErrorCode.OUT_OF_MEMORY
    logger.warning("text extraction died with status %s: %r", status, errors)
    return ErrorCode.CRASHED
