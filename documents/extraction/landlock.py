"""Read-only view of a few directories, nothing else of the file system (Linux Landlock).

Needs Linux 5.13 or later with Landlock switched on, and ``PR_SET_NO_NEW_PRIVS`` set before. Works
without any privilege. From Linux 6.7 on it also refuses TCP, from 6.12 on signals to others.
"""

import ctypes
import os
from collections.abc import Iterable

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# How many file system rights each version of the interface knows; all of them are refused.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NETWORK_VERSION, _SCOPE_VERSION = 4, 6


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def restrict_to_reading(directories: Iterable[str]) -> bool:
    """Let this process open nothing but files beneath ``directories``, for reading, from now on.

    Files that are open stay usable. Directories that cannot be opened are left out. Returns False,
    and changes nothing, where the kernel does not offer Landlock.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    if version < 1:
        return False
    ruleset = libc.syscall(_CREATE_RULESET, *_rights(version), 0)
    if ruleset < 0:
        return False
    try:
        for directory in directories:
            _allow_reading(libc, ruleset, directory)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _rights(version: int) -> tuple[object, int]:
    """Argument and size of the first system call: everything this kernel can refuse."""
    rights = _Ruleset(handled_access_fs=(1 << _FILE_RIGHTS.get(version, 16)) - 1)
    size = 8
    if version >= _NETWORK_VERSION:
        rights.handled_access_net = 0b11  # bind and connect
        size = 16
    if version >= _SCOPE_VERSION:
        rights.scoped = 0b11  # abstract sockets and signals
        size = 24
    return ctypes.byref(rights), size


def _allow_reading(libc: ctypes.CDLL, ruleset: int, directory: str) -> None:
    try:
        descriptor = os.open(directory, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    rule = _PathBeneath(allowed_access=_READ_FILE | _READ_DIR, parent_fd=descriptor)
    libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    os.close(descriptor)
