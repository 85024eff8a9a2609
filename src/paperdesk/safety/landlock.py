"""Landlock: which folders a process may read and write, and that it may not reach beyond itself, by the kernel and for good.

A ruleset says which rights it is about (`handled`); of these a process keeps only what a rule grants, beneath the rule's folder. What
kernels know grew over time, so the newest version that this one speaks is asked for and the rest is said to be missing:
1 files, 2 renaming, 3 truncating, 4 TCP ports, 5 device calls, 6 abstract sockets and signals.

Any ruleset, even one that takes no right on files, forbids to trace processes outside it and to open their memory in /proc.
The rules bind the calling thread and what it starts: raise the wall before there are other threads.

Source: `Documentation/userspace-api/landlock.rst`, `linux/landlock.h`.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from paperdesk.safety.seccomp import no_new_privileges
from paperdesk.safety.syscalls import call

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE, DEVICE_CALLS = 1 << 13, 1 << 14, 1 << 15
ALL_V1: Final = (1 << 13) - 1
READING: Final = EXECUTE | READ_FILE | READ_DIR
ON_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | DEVICE_CALLS
"""Rights that a rule on a plain file may name."""
BIND_TCP, CONNECT_TCP = 1, 2
ABSTRACT_SOCKETS, SIGNALS = 1, 2
PATH_BENEATH, NET_PORT = 1, 2
GET_VERSION: Final = 1
O_PATH: Final = 0o10000000


def version() -> int:
    """The newest version that the kernel speaks; 0 where it has none, or none that may be used."""
    try:
        return call("landlock_create_ruleset", None, 0, GET_VERSION)
    except OSError:
        return 0


def file_rights(abi: int) -> int:
    """All rights on files that a version knows."""
    return ALL_V1 | (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0) | (DEVICE_CALLS if abi >= 5 else 0)


def restrict(
    read: Iterable[Path] | None, write: Iterable[Path], ports: Iterable[int] = (), signals: bool = False
) -> int:
    """Bind this process; the version that holds.

    Args:
        read: Folders and files that may be read and run; None: all of them.
        write: Folders and files that may be read, run, written, made and removed.
        ports: TCP ports that may be connected to; all others, and binding to any, are taken away (from version 4).
        signals: Whether signals to processes outside are refused too (from version 6).

    Paths that do not exist, or that this user cannot reach anyway, are passed over. OSError where the kernel has no Landlock or refuses.
    """
    abi = version()
    if abi < 1:
        raise OSError(38, "the kernel has no Landlock, or it is switched off")
    rights = file_rights(abi)
    handled = rights if read is not None else rights & ~READING
    scoped = ABSTRACT_SOCKETS | (SIGNALS if signals else 0)
    tcp = BIND_TCP | CONNECT_TCP if abi >= 4 else 0
    head = struct.pack("=QQQ", handled, tcp, scoped if abi >= 6 else 0)
    ruleset = call(
        "landlock_create_ruleset",
        head[: 24 if abi >= 6 else 16 if abi >= 4 else 8],
        24 if abi >= 6 else 16 if abi >= 4 else 8,
        0,
    )
    try:
        for path in read or ():
            _grant(ruleset, path, READING & handled)
        for path in write:
            _grant(ruleset, path, handled & ~DEVICE_CALLS)
        for port in ports if tcp else ():
            call("landlock_add_rule", ruleset, NET_PORT, struct.pack("=QQ", CONNECT_TCP, port), 0)
        no_new_privileges()
        call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
    return abi


def _grant(ruleset: int, path: Path, rights: int) -> None:
    """Give rights beneath a folder, or on a file."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        place = os.open(path, O_PATH | os.O_CLOEXEC)
        try:
            rights &= ~0 if path.is_dir() else ON_FILES
            if rights:
                call("landlock_add_rule", ruleset, PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
        finally:
            os.close(place)
