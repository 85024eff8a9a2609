"""Filters of system calls: a short program that the kernel runs before each call, in Python assembled, for good installed.

A filter is a list of rules, the first that fits decides; what no rule names gets the filter's default. It sees the number of the call and
its arguments as integers, never what a pointer points to: an address given to `connect` cannot be read, so whole calls are
refused instead. Calls made under another calling convention (i386, x32) end the process: their numbers mean something else.

Sources: `Documentation/userspace-api/seccomp_filter.rst`, `linux/bpf_common.h`, `linux/seccomp.h`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from paperdesk.safety.syscalls import ARCHITECTURES, call, numbers, prctl

ALLOW: Final = 0x7FFF0000
KILL_PROCESS: Final = 0x80000000
NOT_PERMITTED: Final = 0x00050000 | errno.EPERM
NOT_THERE: Final = 0x00050000 | errno.ENOSYS
"""What the C library takes as a sign to fall back to an older call, which another rule then judges."""

X32: Final = 0x40000000
LOAD: Final = 0x20
EQUAL: Final = 0x15
AT_LEAST: Final = 0x35
HAS_BITS: Final = 0x45
RETURN: Final = 0x06
NUMBER_AT: Final = 0
ARCH_AT: Final = 4
ARGUMENTS_AT: Final = 16
INSTRUCTION: Final = struct.Struct("<HBBI")
MOST_INSTRUCTIONS: Final = 4096
SET_MODE_FILTER: Final = 1
TSYNC: Final = 1
PR_SET_NO_NEW_PRIVS: Final = 38


class When(NamedTuple):
    """A condition on the low 32 bits of an argument: equal to `value`, or with any bit of it; `holds` False turns it round."""

    argument: int
    test: Literal["equals", "has"]
    value: int
    holds: bool = True


class Rule(NamedTuple):
    """What becomes of a call, by name, always or under a condition."""

    name: str
    action: int
    when: When | None = None


def rules(names: str | Iterable[str], action: int) -> list[Rule]:
    """One action for many calls, as a sentence of names."""
    return [Rule(name, action) for name in (names.split() if isinstance(names, str) else names)]


def assembled(listed: Sequence[Rule], default: int, machine: str = platform.machine()) -> bytes:
    """The program for a machine; rules for calls that it does not have are left out. KeyError for a machine nobody wrote tables for."""
    known, arch = numbers(machine), ARCHITECTURES[machine][1]
    code = [(LOAD, 0, 0, ARCH_AT), (EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL_PROCESS), (LOAD, 0, 0, NUMBER_AT)]
    if machine == "x86_64":
        code += [(AT_LEAST, 0, 1, X32), (RETURN, 0, 0, KILL_PROCESS)]
    for rule in listed:
        if rule.name not in known:
            continue
        if rule.when is None:
            code += [(EQUAL, 0, 1, known[rule.name]), (RETURN, 0, 0, rule.action)]
            continue
        test = EQUAL if rule.when.test == "equals" else HAS_BITS
        jumps = (0, 1) if rule.when.holds else (1, 0)
        code += [
            (EQUAL, 0, 4, known[rule.name]),
            (LOAD, 0, 0, ARGUMENTS_AT + 8 * rule.when.argument),
            (test, *jumps, rule.when.value & 0xFFFFFFFF),
            (RETURN, 0, 0, rule.action),
            (LOAD, 0, 0, NUMBER_AT),
        ]
    code.append((RETURN, 0, 0, default))
    assert len(code) <= MOST_INSTRUCTIONS, "the kernel takes no longer program"
    return b"".join(INSTRUCTION.pack(*one) for one in code)


def decided(program: bytes, number: int, arguments: Sequence[int] = (), machine: str = platform.machine()) -> int:
    """What a program answers to a call, interpreted here as the kernel would: to show a filter before it is installed."""
    words = [*arguments, *([0] * (6 - len(arguments)))]
    data = struct.pack(
        "<IIQ6Q", number & 0xFFFFFFFF, ARCHITECTURES[machine][1], 0, *(one & (2**64 - 1) for one in words)
    )
    at, held = 0, 0
    while True:
        code, yes, no, value = INSTRUCTION.unpack_from(program, at * INSTRUCTION.size)
        at += 1
        if code == LOAD:
            held = struct.unpack_from("<I", data, value)[0]
        elif code == RETURN:
            return int(value)
        else:
            fits = {EQUAL: held == value, AT_LEAST: held >= value, HAS_BITS: bool(held & value)}[code]
            at += yes if fits else no


def no_new_privileges() -> None:
    """No program that is started from here on gains rights by being started; the kernel asks for this before a filter."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def install(program: bytes) -> None:
    """Put the filter before every thread of this process, and all it will start; there is no way back. OSError where the kernel refuses."""
    no_new_privileges()
    kept = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HxxxxxxQ", len(program) // INSTRUCTION.size, ctypes.addressof(kept))
    stray = call("seccomp", SET_MODE_FILTER, TSYNC, header)
    if stray:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), f"thread {stray} has another filter")
