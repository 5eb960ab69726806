"""Take from this process everything that reading one file does not need. For the child only.

What holds where (``confine`` returns the names of the layers that do):

========================  =============================================================
``limits``                POSIX: memory, processor time, open files, no file written, no
                          core dump; Linux: no new process for users other than root
``nobody``                only when started as root with the right to change users, and with
                          a Python that *nobody* can read (not one below ``/root``);
                          otherwise root without any capability
``network_namespace``     Linux, as root or where unprivileged user namespaces are allowed
                          (Debian: yes; Ubuntu 24.04 and most containers: no)
``landlock``              Linux 5.13+ with Landlock on (Debian 12: yes): nothing of the file
                          system but the Python library can be opened
``system_calls``          Linux on x86_64 and aarch64: no socket, process, or writing
``audit_hook``            everywhere: the same refused inside Python. A wall for Python code,
                          not for native code that was taken over
========================  =============================================================

So on Linux with x86_64 or aarch64, native code that a hostile file takes over has no network, even
where namespaces are forbidden. Elsewhere (macOS) only Python code is held back.

Everything the extractor may need must be imported before ``confine``: as *nobody* the process may
be unable to read the place it was started from.
"""

import ctypes
import os
import resource
import signal
import stat
import sys
from pathlib import Path

from documents.extraction import landlock, seccomp
from documents.extraction.limits import ExtractionLimits

_NOBODY = 65534
_OPEN_FILES = 32
_NEW_USER, _NEW_NETWORK, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CAPABILITY_VERSION_3 = 0x20080522
_REFUSED_PREFIXES = ("socket.", "subprocess.", "pty.", "shutil.", "ctypes.dlopen")
_ALLOWED_OS_EVENTS = frozenset(("os.listdir", "os.scandir"))
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def confine(limits: ExtractionLimits, parent: int) -> list[str]:
    """Give up memory, time, user, network, files and processes; return the layers that hold.

    There is no way back. ``parent`` is the process to die with; raises SystemExit if it is dead
    already.
    """
    _limit_resources(limits)
    libc = ctypes.CDLL(None, use_errno=True)
    linux = sys.platform == "linux"
    layers = ["limits"]
    networkless = linux and libc.unshare(_NEW_NETWORK | _NEW_IPC) == 0
    if _become_nobody():
        layers.append("nobody")
    if linux:
        networkless = networkless or libc.unshare(_NEW_USER | _NEW_NETWORK | _NEW_IPC) == 0
        _drop_capabilities(libc)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0)))
        # After the last change of identity, which would clear it.
        libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != parent:
        raise SystemExit(1)
    if networkless:
        layers.append("network_namespace")
    if linux and landlock.restrict_to_reading(_library_directories()):
        layers.append("landlock")
    if linux and seccomp.refuse_system_calls():
        layers.append("system_calls")
    sys.addaudithook(_refuse)
    return [*layers, "audit_hook"]


def _limit_resources(limits: ExtractionLimits) -> None:
    """Set the limits of the operating system for this process; where it has none, skip it."""
    cpu = limits.cpu_seconds
    for name, soft, hard in (
        ("RLIMIT_AS", limits.memory_bytes, limits.memory_bytes),
        ("RLIMIT_CPU", cpu, cpu + 1),  # SIGXCPU at the first, which the parent can tell apart
        ("RLIMIT_FSIZE", 0, 0),
        ("RLIMIT_NOFILE", _OPEN_FILES, _OPEN_FILES),
        ("RLIMIT_NPROC", 0, 0),
        ("RLIMIT_CORE", 0, 0),
    ):
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        present = resource.getrlimit(kind)[1]
        if present != resource.RLIM_INFINITY:
            soft, hard = min(soft, present), min(hard, present)
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):  # macOS knows RLIMIT_AS and refuses to set it
            continue


def _become_nobody() -> bool:
    if os.getuid() != 0 or not all(map(_is_open_to_all, _module_directories())):
        return False
    try:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except OSError:  # root in name only: a container without the capability
        return False
    return True


def _is_open_to_all(directory: str) -> bool:
    """Whether the modes let everybody through to the directory: modules load others when used."""
    path = Path(directory).resolve()
    return all(part.stat().st_mode & stat.S_IXOTH for part in (path, *path.parents))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Give back what a new user namespace hands out, and what a powerful user started with."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)())


def _library_directories() -> list[str]:
    """Where modules and shared libraries may still be loaded from; never the project itself."""
    return [*_module_directories(), "/lib", "/lib64", "/usr/lib", "/usr/lib64"]


def _module_directories() -> list[str]:
    endings = ("site-packages", "dist-packages", f"python3.{sys.version_info.minor}")
    return [entry for entry in sys.path if entry.endswith(endings) and Path(entry).is_dir()]


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        writing = isinstance(mode, str) and not set(mode).isdisjoint("wax+")
        refused = writing or (isinstance(flags, int) and bool(flags & _WRITING))
    else:
        refused = event.startswith(_REFUSED_PREFIXES) or (
            event.startswith("os.") and event not in _ALLOWED_OS_EVENTS
        )
    if refused:
        raise PermissionError(f"refused while reading a file: {event}")
