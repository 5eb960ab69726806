"""A filter on system calls: no sockets, no new processes, no writing to files (Linux seccomp).

For x86_64 and aarch64, without libseccomp. A list of what is refused, not of what is allowed: the
latter would break with the next C library. Refused calls fail with EPERM; calls of a foreign
architecture (32-bit, x32) kill the process. The filter cannot be taken off again.

What is refused is enough that the process can only compute, read what it may read, and write to
the pipes it was given. Not guaranteed: protection against bugs of the kernel in allowed calls.
"""

import ctypes
import os
import struct
import sys

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL_PROCESS = 0x7FFF0000, 0x80000000
_REFUSE = 0x00050000 | 1  # SECCOMP_RET_ERRNO with EPERM
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16
_X32_BIT = 0x40000000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

# Name: (x86_64, aarch64). None: the architecture does not have the call.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # network, and io_uring, which can open sockets and files behind the filter's back
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # processes, their own and others'
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "clone": (56, 220),
    "clone3": (435, 435),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    # changing the file system; open and openat are looked at by their flags
    "creat": (85, None),
    "openat2": (437, 437),
    "open_by_handle_at": (304, 265),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rmdir": (84, None),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "utime": (132, None),
    "utimes": (235, None),
    "utimensat": (280, 88),
    # doors into the kernel that reading a document never needs
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "chroot": (161, 51),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
}
# Name: (x86_64, aarch64), and which argument holds the flags.
_OPENING = {"open": ((2, None), 1), "openat": ((257, 56), 2)}
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse_system_calls() -> bool:
    """Install the filter for this process; needs ``PR_SET_NO_NEW_PRIVS`` or root.

    Returns False, and changes nothing, on other architectures and where the kernel refuses.
    """
    column, architecture = _ARCHITECTURES.get(os.uname().machine, (0, 0))
    if not architecture or sys.maxsize < 2**32:
        return False
    code = _program(column, architecture)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    mode = ctypes.c_ulong(_SECCOMP_MODE_FILTER)
    zero = ctypes.c_ulong(0)
    answer = libc.prctl(_PR_SET_SECCOMP, mode, ctypes.byref(program), zero, zero)
    return bool(answer == 0)


def _program(column: int, architecture: int) -> bytes:
    """Assemble the filter; each test jumps over the one instruction behind it if it fails."""
    code = [
        _instruction(_LOAD, _ARCHITECTURE_OFFSET),
        _instruction(_JUMP_EQUAL, architecture, if_true=1),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _NUMBER_OFFSET),
        _instruction(_JUMP_AT_LEAST, _X32_BIT, if_false=1),
        _instruction(_RETURN, _KILL_PROCESS),
    ]
    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            code += (
                _instruction(_JUMP_EQUAL, number, if_false=1),
                _instruction(_RETURN, _REFUSE),
            )
    for numbers, argument in _OPENING.values():
        if (number := numbers[column]) is not None:
            code += (
                _instruction(_JUMP_EQUAL, number, if_false=4),
                _instruction(_LOAD, _ARGUMENTS_OFFSET + 8 * argument),
                _instruction(_JUMP_ANY_BIT, _WRITING, if_false=1),
                _instruction(_RETURN, _REFUSE),
                _instruction(_RETURN, _ALLOW),
            )
    code.append(_instruction(_RETURN, _ALLOW))
    return b"".join(code)


def _instruction(code: int, value: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
