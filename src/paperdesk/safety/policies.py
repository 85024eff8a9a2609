"""What each kind of process may ask of the kernel, as data: lists of calls by name, limits, and what must hold.

Strategy hosts and research workers run code that nobody has read, so their lists say what is allowed and everything else is refused.
Engine, api and door run the desk's own code on libraries that change from release to release; their lists say what is refused.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Final

from paperdesk.safety.confine import FILE_CAPABILITIES
from paperdesk.safety.seccomp import ALLOW, NOT_PERMITTED, NOT_THERE, Rule, When, rules

AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
ICMP: Final = 1
NO_PROTOCOL_OF_OURS: Final = 0xFFFFFFFF & ~(6 | 17)
"""Bits of a protocol's number that neither TCP nor UDP has: multipath TCP and SCTP pass Landlock's ports by."""
NO_TYPE_OF_OURS: Final = 0xC
"""Bits of a socket's type that neither a stream nor datagrams have. Raw ones need a right that is given up."""
CLONE_THREAD: Final = 0x10000
MSG_FASTOPEN: Final = 0x20000000
"""Makes `sendto` connect; Landlock does not look there."""
TIOCSTI: Final = 0x5412
"""Types into the terminal, as if the user had."""
NEW_NAMESPACES: Final = 0x7E020000
"""Bits of `clone` that make namespaces: mount, cgroup, uts, ipc, user, pid, network."""
WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
DUMP_SIGNAL: Final = signal.SIGUSR2
"""Asks a strategy host for its traceback; its handler cannot be replaced behind the wall."""

FOREIGN: Final = (
    "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp perf_event_open bpf userfaultfd "
    "add_key request_key keyctl kexec_load kexec_file_load mount umount2 pivot_root move_mount open_tree open_tree_attr fsopen fsconfig "
    "fsmount fspick mount_setattr chroot setns unshare init_module finit_module delete_module reboot swapon swapoff open_by_handle_at "
    "iopl ioperm personality quotactl acct syslog settimeofday clock_settime setdomainname sethostname "
    "io_uring_setup io_uring_enter io_uring_register"
)
"""What no process of a desk needs: into other processes, into the kernel, out of its place; io_uring, which no filter sees into."""

COMPUTING: Final = (
    "read write close futex fstat lseek poll ppoll pread64 readv writev mmap munmap mremap brk mprotect madvise newfstatat stat lstat "
    "statx access faccessat faccessat2 readlink readlinkat getdents64 getcwd chdir fcntl dup dup2 dup3 rt_sigreturn sigaltstack "
    "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time getrandom getpid gettid getppid getuid geteuid getgid getegid "
    "uname sysinfo getrusage times sched_yield sched_getaffinity getcpu exit exit_group set_robust_list rseq membarrier restart_syscall "
    "select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 pipe pipe2 fadvise64 statfs fstatfs mincore"
)
"""What it takes to compute, to import modules, and to read and write descriptors that are open."""

WORKING: Final = (
    "rt_sigprocmask sched_setaffinity get_robust_list set_tid_address pwrite64 pwritev fsync fdatasync ftruncate fallocate fchmod "
    "mkdir mkdirat rename renameat renameat2 unlink unlinkat rmdir umask flock fchdir copy_file_range"
)
"""What a research worker does beside: threads of its own, files in the folder that Landlock leaves it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One kind of process. Limits as in `confine.limit`; `required` are guarantees without which it may not run.

    `ports`: the TCP ports it may connect to; None: it has no network at all. `reads`: what it may read beside the interpreter.
    """

    name: str
    required: frozenset[str]
    closes_reading: bool = False
    reads: tuple[str, ...] = ()
    ports: tuple[int, ...] | None = None
    capabilities: int = FILE_CAPABILITIES
    memory_bytes: int | None = None
    files: int | None = None
    file_bytes: int | None = None


ENGINE: Final = Policy("engine", frozenset({"network"}))
API: Final = Policy("api", frozenset({"network"}))
STRATEGY: Final = Policy(
    "strategy",
    frozenset({"network", "processes", "memory"}),
    closes_reading=True,
    capabilities=0,
    memory_bytes=1 << 30,
    files=64,
    file_bytes=0,
)
LAB: Final = Policy(
    "lab",
    frozenset({"network", "processes", "memory", "files"}),
    closes_reading=True,
    capabilities=0,
    memory_bytes=8 << 30,
    files=256,
)
"""A research worker: as cut off as a strategy, but with threads, and files in one folder; so Landlock must be there."""
NAMES_AND_TRUST: Final = (
    "/etc/resolv.conf /etc/hosts /etc/nsswitch.conf /etc/host.conf /etc/gai.conf /etc/services /etc/protocols /run/systemd/resolve "
    "/run/NetworkManager /run/resolvconf /etc/ssl /etc/pki /etc/ca-certificates /usr/share/ca-certificates /usr/local/share/ca-certificates"
)
"""What it takes to resolve names and to trust certificates, on the usual distributions."""
DOOR: Final = Policy(
    "door",
    frozenset({"processes"}),
    closes_reading=True,
    reads=tuple(NAMES_AND_TRUST.split()),
    ports=(53, 443),
    capabilities=0,
)
"""The way out: TCP to the list's port and to name servers. Datagrams go anywhere, since names are asked for by them: a filter sees no
addresses, and Landlock none of UDP. What they may carry is held by the door's own code, and by the firewall rules it prints.
"""


def filter_of(policy: Policy, process: int, ports_are_closed: bool) -> tuple[list[Rule], int]:
    """Rules and default of a policy's filter.

    Args:
        policy: One of this module's, or one made from them.
        process: The own process id, the only one that may be sent a signal by a strategy.
        ports_are_closed: Whether Landlock refuses to connect to TCP ports.
    """
    if policy.name in (STRATEGY.name, LAB.name):
        return _allowed(process, works=policy.name == LAB.name), NOT_PERMITTED
    listed = [
        *rules(FOREIGN, NOT_PERMITTED),
        Rule("clone3", NOT_THERE),
        Rule("clone", NOT_PERMITTED, When(0, "has", NEW_NAMESPACES)),
        Rule("ioctl", NOT_PERMITTED, When(1, "equals", TIOCSTI)),
        Rule("sendto", NOT_PERMITTED, When(3, "has", MSG_FASTOPEN)),
        Rule("sendmsg", NOT_PERMITTED, When(2, "has", MSG_FASTOPEN)),
        Rule("sendmmsg", NOT_PERMITTED, When(3, "has", MSG_FASTOPEN)),
    ]
    if policy.name == ENGINE.name:
        listed += rules("socket connect", NOT_PERMITTED)
    elif policy.name == DOOR.name:
        listed += _of_the_door(process)
    else:
        listed.append(Rule("socket", NOT_PERMITTED, When(0, "equals", AF_UNIX, holds=False)))
        if not ports_are_closed:
            listed.append(Rule("connect", NOT_PERMITTED))
    return listed, ALLOW


def _of_the_door(process: int) -> list[Rule]:
    """Sockets of TCP and UDP alone, threads but no process or program, no signal to others."""
    return [
        *rules("execve execveat fork vfork", NOT_PERMITTED),
        *rules("kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal", NOT_PERMITTED),
        Rule("tgkill", NOT_PERMITTED, When(0, "equals", process, holds=False)),
        Rule("clone", NOT_PERMITTED, When(0, "has", CLONE_THREAD, holds=False)),
        Rule("socket", NOT_PERMITTED, When(2, "has", NO_PROTOCOL_OF_OURS)),
        Rule("socket", NOT_PERMITTED, When(2, "equals", ICMP)),
        Rule("socket", NOT_PERMITTED, When(1, "has", NO_TYPE_OF_OURS)),
        Rule("socket", ALLOW, When(0, "equals", AF_INET)),
        Rule("socket", ALLOW, When(0, "equals", AF_INET6)),
        Rule("socket", NOT_PERMITTED),
    ]


def _allowed(process: int, works: bool) -> list[Rule]:
    """What code of others may call. `rt_sigaction` but for the signal that asks for its traceback, `tgkill` on itself alone; with
    `works` threads too, and writing where Landlock allows it.
    """
    if works:
        writing = [
            *rules(WORKING, ALLOW),
            *rules("open openat", ALLOW),
            Rule("clone", NOT_PERMITTED, When(0, "has", NEW_NAMESPACES)),
            Rule("clone", ALLOW, When(0, "has", CLONE_THREAD)),
        ]
    else:
        writing = [
            Rule("open", ALLOW, When(1, "has", WRITING, holds=False)),
            Rule("openat", ALLOW, When(2, "has", WRITING, holds=False)),
        ]
    return [
        *rules(COMPUTING, ALLOW),
        *writing,
        Rule("rt_sigaction", ALLOW, When(0, "equals", DUMP_SIGNAL, holds=False)),
        Rule("tgkill", NOT_PERMITTED, When(2, "equals", signal.SIGKILL)),  # who ends by SIGKILL did not do it himself
        Rule("tgkill", ALLOW, When(0, "equals", process)),
        Rule("openat2", NOT_THERE),
        Rule("clone3", NOT_THERE),
    ]
