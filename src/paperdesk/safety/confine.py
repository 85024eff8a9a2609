"""The means of a wall beside filter and Landlock: a network of its own, no rights of the superuser, limits on what may be used.

Each function binds the calling process for good and raises OSError where the kernel refuses; `wall` decides what that means.

Sources: `network_namespaces(7)`, `user_namespaces(7)`, `capabilities(7)`, `getrlimit(2)`.
"""

from __future__ import annotations

import contextlib
import os
import resource
import struct
import sys
import sysconfig
from pathlib import Path
from typing import Final

from paperdesk.safety.syscalls import call, prctl

NEW_USER: Final = 0x10000000
NEW_NETWORK: Final = 0x40000000
CAPABILITIES_V3: Final = 0x20080522
LAST_CAPABILITY: Final = 63
FILE_CAPABILITIES: Final = 0b11_1111
"""Rights over files and signals that an ordinary desk run by the superuser needs: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, KILL."""
PR_SET_PDEATHSIG: Final = 1
PR_CAPBSET_DROP: Final = 24
PR_CAP_AMBIENT: Final = 47
CLEAR_ALL: Final = 4


def threads() -> int:
    """How many threads this process has."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def own_network() -> str:
    """Move into a network namespace without interfaces, not even a usable loopback; a word on how. Needs a single thread."""
    try:
        call("unshare", NEW_NETWORK)
        return "as the superuser"
    except PermissionError:
        user, group = os.geteuid(), os.getegid()
        call("unshare", NEW_USER | NEW_NETWORK)
    # Without a map every file would seem to belong to nobody. A sandbox that forbids the map does not weaken the wall.
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny", encoding="utf-8")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="utf-8")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="utf-8")
    return "in a user namespace"


def drop_capabilities(kept: int) -> None:
    """Give up every right of the superuser but those in the mask `kept`, also for programs started later."""
    with contextlib.suppress(OSError):
        prctl(PR_CAP_AMBIENT, CLEAR_ALL)
    for number in range(LAST_CAPABILITY + 1):
        if not kept >> number & 1:
            with contextlib.suppress(OSError):  # without SETPCAP, and past the kernel's last one
                prctl(PR_CAPBSET_DROP, number)
    header = struct.pack("=Ii", CAPABILITIES_V3, 0)
    have = (_effective() & kept) & 0xFFFFFFFF
    call("capset", header, struct.pack("=6I", have, have, 0, 0, 0, 0))


def _effective() -> int:
    """The mask of rights in force, from /proc."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def limit(memory_bytes: int | None, files: int | None, file_bytes: int | None) -> str:
    """Set limits (None: as they are); a word on what they are.

    `memory_bytes` is address space beyond what the process has now, `files` open files, `file_bytes` the size to which any file may be
    written. No dump of memory is ever written.
    """
    told = []
    wanted = {"core": (resource.RLIMIT_CORE, 0)}
    if memory_bytes is not None:
        has = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
        wanted[f"{memory_bytes >> 20} MiB more memory"] = (resource.RLIMIT_AS, has + memory_bytes)
    if files is not None:
        wanted[f"{files} open files"] = (resource.RLIMIT_NOFILE, files)
    if file_bytes is not None:
        wanted[f"files of {file_bytes} bytes"] = (resource.RLIMIT_FSIZE, file_bytes)
    for name, (what, most) in wanted.items():
        hard = resource.getrlimit(what)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))
        told.append(name)
    return ", ".join(told[1:]) or "no dumps of memory"


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends; at once where `parent` is gone already."""
    prctl(PR_SET_PDEATHSIG, 9)
    if os.getppid() != parent:
        os._exit(1)


def interpreter() -> tuple[Path, ...]:
    """What a Python process reads to import modules and their libraries: the folders of `sys.path` and of the system's libraries."""
    names = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    names += [f"{prefix}/{folder}" for prefix in sorted(prefixes) for folder in ("lib", "lib64")]
    names += ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/dev/urandom"]
    return tuple(dict.fromkeys(Path(name).resolve() for name in [*names, *filter(None, sys.path)]))
