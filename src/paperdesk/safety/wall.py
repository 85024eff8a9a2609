"""Walls around processes: what a process of the desk can do no more, by the kernel, whatever code runs in it.

`raise_wall` is called by a process on itself, early, while it has one thread. There is no way back. Several means stand behind each
guarantee, because kernels and containers differ in what they allow; the report says which hold and which were refused. A
guarantee that a policy requires and nothing holds is a `WallRefused`, and the process must end: no wall, no start.

| policy | network | processes | files |
|---|---|---|---|
| engine | no socket but inherited ones and pairs; none connects | no namespaces, no tracing | writes only in `write` |
| api | no socket but AF_UNIX; listens on what it inherits | no namespaces, no tracing | writes only in `write` |
| strategy | none at all | no new process, program or thread | reads the interpreter's folders and `read`, writes nothing |
| lab | none at all | no new process or program; threads | as a strategy, and writes in `write` |
| door | TCP to its ports, datagrams; no other socket | no new process or program; threads | reads what names and TLS take, and `read` |

A filter of system calls cannot see addresses, so it cannot tell `connect` to this from `connect` to that. The api may therefore not
make inet sockets: its supervisor binds the listening socket, and it inherits that. Since a listening socket can be turned into a
connecting one, `connect` itself is refused as well, but where Landlock takes TCP ports away (version 4) and AF_UNIX alone is left.

`python -m paperdesk.safety.wall POLICY` raises one in a process of its own and prints the report as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from paperdesk.safety import confine, landlock, seccomp
from paperdesk.safety.policies import API, DOOR, ENGINE, LAB, STRATEGY, Policy, filter_of

__all__ = [
    "API",
    "DOOR",
    "ENGINE",
    "LAB",
    "POLICIES",
    "STRATEGY",
    "Means",
    "Policy",
    "WallRefused",
    "WallReport",
    "raise_wall",
    "survey",
]

POLICIES: Final = {policy.name: policy for policy in (DOOR, ENGINE, API, STRATEGY, LAB)}
HOLDERS: Final = {
    "network": ("filter", "namespace"),
    "processes": ("filter",),
    "files": ("landlock",),
    "memory": ("limits",),
}
"""Guarantee → means of which any holds it."""
SURVEY_S: Final = 60


class Means(NamedTuple):
    """One means of the kernel: whether it holds, and how, or why not."""

    name: str
    holds: bool
    detail: str


@dataclass(slots=True)
class WallReport:
    """What stands. `guarantees` are those of HOLDERS that at least one means holds."""

    policy: str
    means: list[Means] = field(default_factory=list)

    @property
    def guarantees(self) -> list[str]:
        """Names of what is held, in the order of HOLDERS; a policy that has ports has a network."""
        held = {one.name for one in self.means if one.holds}
        open_ = POLICIES[self.policy].ports is not None
        return [name for name, holders in HOLDERS.items() if held & set(holders) and not (open_ and name == "network")]

    def text(self) -> str:
        """One line for people."""
        told = [f"{one.name} ({one.detail})" for one in self.means if one.holds]
        lacks = [f"{one.name} ({one.detail})" for one in self.means if not one.holds]
        return ", ".join(told or ["nothing"]) + (f"; refused by this machine: {', '.join(lacks)}" if lacks else "")


class WallRefused(Exception):  # noqa: N818  a fact, named as one
    """This machine does not give what a policy requires; the process may not go on. `report` says what it gives."""

    def __init__(self, report: WallReport, missing: Sequence[str]) -> None:
        super().__init__(
            f"the wall of the {report.policy} process cannot be raised: nothing here holds {', '.join(missing)}. It gives "
            f"{report.text()}. Use a Linux kernel with seccomp filters on x86_64 or aarch64, and a container that allows them."
        )
        self.report = report


def raise_wall(
    policy: Policy,
    *,
    read: Iterable[Path] = (),
    write: Iterable[Path] = (),
    memory_bytes: int | None = None,
    ports: Iterable[int] = (),
) -> WallReport:
    """Bind this process to a policy, for good.

    Args:
        policy: One of POLICIES, or one made from them.
        read: What may be read beside the interpreter's folders; only where the policy closes reading.
        write: Folders that may be written; a strategy host opens nothing for writing, whatever is named here.
        memory_bytes: Address space beyond what the process has now; None: as the policy says.
        ports: TCP ports that may be connected to beside the policy's own; only for the door (`door.needs`).

    Raises:
        WallRefused: What the policy requires is held by nothing. What was raised until then stands.
    """
    report = WallReport(policy.name)
    not_alone = _not_alone()
    if not_alone:
        report.means.append(Means("single thread", False, not_alone))
        raise WallRefused(report, sorted(policy.required))
    memory = policy.memory_bytes if memory_bytes is None else memory_bytes
    readable = None if not policy.closes_reading else (*confine.interpreter(), *map(Path, policy.reads), *read)
    writable = (*write, Path("/dev/null"))
    open_ports = sorted({*policy.ports, *ports}) if policy.ports is not None else []

    def bind_files() -> str:
        """Folders, ports, and what is outside."""
        abi = landlock.restrict(readable, writable, open_ports, signals=policy.closes_reading)
        told = f", TCP to {', '.join(map(str, open_ports)) if abi >= 4 else 'any port'}" if open_ports else ""
        return f"version {abi}{told}"

    def install_filter() -> str:
        """Last: it refuses what the other means are raised with."""
        listed, default = filter_of(policy, os.getpid(), landlock.version() >= 4)
        seccomp.install(seccomp.assembled(listed, default))
        return "kept for good, all threads"

    def drop() -> str:
        """Rights of the superuser, and any that a program could bring."""
        confine.drop_capabilities(policy.capabilities)
        seccomp.no_new_privileges()
        return "given up"

    def limits() -> str:
        """Memory and files."""
        return confine.limit(memory, policy.files, policy.file_bytes)

    if policy.ports is None:
        _try(report, "namespace", confine.own_network)
    _try(report, "privileges", drop)
    _try(report, "limits", limits)
    _try(report, "landlock", bind_files)
    _try(report, "filter", install_filter)
    missing = sorted(policy.required - set(report.guarantees))
    if missing:
        raise WallRefused(report, missing)
    return report


def _not_alone() -> str:
    """Why no wall can be raised now; empty where this thread is the only one."""
    try:
        threads = confine.threads()
    except OSError as error:
        return f"how many run cannot be seen: {error.strerror}"
    return f"{threads} threads run already: raise the wall before starting any" if threads > 1 else ""


def _try(report: WallReport, name: str, means: Callable[[], str]) -> None:
    """Raise one means, and put on record what came of it."""
    try:
        report.means.append(Means(name, True, means()))
    except OSError as error:
        report.means.append(Means(name, False, error.strerror or str(error)))
    except KeyError as error:
        report.means.append(Means(name, False, f"no table of system calls for {error.args[0]}"))


def survey(policy: Policy) -> WallReport:
    """What this machine gives, found out by a process that raises the wall around itself and ends."""
    command = [sys.executable, "-P", "-m", "paperdesk.safety.wall", policy.name]
    package = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(
            command,
            env={"PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SURVEY_S,
            check=True,
        )
        return WallReport(policy.name, [Means(*row) for row in json.loads(done.stdout)])
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return WallReport(policy.name, [Means("process", False, f"could not be asked: {type(error).__name__}")])


def main(name: str) -> None:
    """Raise the wall of a policy around this process and print its means as JSON."""
    try:
        report = raise_wall(POLICIES[name])
    except WallRefused as refused:
        report = refused.report
    print(json.dumps(report.means), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
