"""Walls are tried from inside: real attempts to get out, against canaries that are reached without a wall and never with one."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from paperdesk.safety import seccomp, syscalls
from paperdesk.safety.policies import API, ENGINE, STRATEGY, Policy, filter_of
from paperdesk.safety.wall import POLICIES, Means, WallRefused, WallReport, survey

REPO = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
WAIT_S = 120
NETWORK = (
    "tcp_socket raw_calls c_library fast_open http_client url_opener event_loop datagram name_service abstract_socket polars_http polars_s3 "
    "curl other_python fork"
).split() + (["pyarrow_s3"] if find_spec("pyarrow") else [])
"""Attempts that reach a canary where there is no wall."""
OTHERS = "six multipath other_namespace new_namespace ring netlink machines trace memory_of_parent".split()
"""Attempts that may fail for other reasons where there is no wall, and must fail behind one."""
ONLY_X86 = "poll open stat lstat access readlink dup2 time select epoll_wait arch_prctl pipe fork vfork iopl ioperm mkdir rename rmdir unlink"
ALONE = ("polars_http", "polars_s3", "pyarrow_s3")
"""Libraries that may end their process rather than raise."""
FILES = {
    "engine": ["write_log", "remove_log"],
    "api": ["write_log", "remove_log"],
    "strategy": ["write_log", "remove_log", "read_home"],
    "lab": ["write_log", "remove_log", "read_home"],
    "door": ["write_log", "remove_log", "read_home"],
}

OPEN = {"door": {"datagram", "name_service"}}
"""What a policy leaves open: the door asks for names by datagrams, and no means of a process sees where they go."""


class Canary:
    """Listeners on loopback and on an abstract address, which count what comes."""

    def __init__(self) -> None:
        self.tcp = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.name = f"canary-{os.getpid()}-{self.port}"
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind("\0" + self.name)
        self.abstract.listen(64)
        self.seen: list[str] = []
        for serve in (self._serve_tcp, self._serve_udp, self._serve_abstract):
            threading.Thread(target=serve, daemon=True).start()

    @property
    def port(self) -> int:
        """The port of the TCP listener."""
        return int(self.tcp.getsockname()[1])

    def _serve_tcp(self) -> None:
        while True:
            try:
                visitor, _ = self.tcp.accept()
            except OSError:
                return
            with visitor:
                self.seen.append("tcp")
                visitor.sendall(b"HTTP/1.0 404 no\r\nContent-Length: 0\r\n\r\n")

    def _serve_udp(self) -> None:
        while data := self.udp.recv(512):
            self.seen.append("mark" if data == b"mark" else "udp")
            if data == b"mark":
                self.udp.sendto(b"seen", self.marker)
        self.udp.close()

    def _serve_abstract(self) -> None:
        while True:
            try:
                self.abstract.accept()[0].close()
            except OSError:
                return
            self.seen.append("abstract")

    def visitors(self) -> list[str]:
        """What came so far: each listener is visited once more by us, and its queue is in order."""
        for address, family in ((("127.0.0.1", self.port), socket.AF_INET), ("\0" + self.name, socket.AF_UNIX)):
            with socket.socket(family) as mine:
                mine.connect(address)
                mine.recv(64)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine:
            mine.bind(("127.0.0.1", 0))
            self.marker = mine.getsockname()
            mine.sendto(b"mark", self.udp.getsockname())
            mine.settimeout(WAIT_S)
            mine.recv(16)
        seen = list(self.seen)
        self.seen.clear()
        for own in ("tcp", "abstract", "mark"):
            seen.remove(own)
        return seen

    def close(self) -> None:
        """End the listeners."""
        for one in (self.tcp, self.abstract):
            one.shutdown(socket.SHUT_RDWR)
            one.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine:
            mine.sendto(b"", self.udp.getsockname())


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    """Listeners that outlive the attempts."""
    one = Canary()
    yield one
    one.close()


def tried(policy: str, names: Sequence[str], canary: Canary, home: Path) -> dict[str, str]:
    """What became of attempts, each that may end its process in one of its own."""
    home.mkdir(exist_ok=True)
    (home / "log").write_bytes(b"the log")
    batches = [[name for name in names if name not in ALONE], *[[name] for name in names if name in ALONE]]
    told = {}
    for batch in filter(None, batches):
        done = subprocess.run(
            [sys.executable, str(HERE / "attempts.py"), policy, ",".join(batch), str(canary.port)]
            + [str(canary.udp.getsockname()[1]), canary.name, str(home), str(os.getpid())],
            env={
                **os.environ,
                "PYTHONPATH": str(REPO / "src"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "POLARS_MAX_THREADS": "1",
            },
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        rows = [line.partition(": ") for line in done.stdout.splitlines()]
        told.update({name: said for name, _, said in rows if name in batch})
        for name in batch:
            told.setdefault(name, f"the process ended with {done.returncode}: {done.stderr[-500:]}")
    return told


def usable(names: Sequence[str]) -> list[str]:
    """Without what this machine does not have."""
    return [name for name in names if name != "curl" or shutil.which("curl")]


def test_without_a_wall_every_way_is_open(canary: Canary, tmp_path: Path) -> None:
    for name in usable(NETWORK):
        said = tried("none", [name], canary, tmp_path / "home")[name]
        assert canary.visitors(), f"{name} did not reach the canary: {said}"
    told = tried("none", ["write_log", "remove_log", "read_home"], canary, tmp_path / "home")
    assert set(told.values()) == {"reached"}, told


@pytest.mark.parametrize("policy", list(POLICIES))
def test_behind_a_wall_no_way_is_open(policy: str, canary: Canary, tmp_path: Path) -> None:
    names = usable(NETWORK) + OTHERS + FILES[policy]
    assert len(names) >= 15
    told = tried(policy, names, canary, tmp_path / "home")
    assert {name for name, said in told.items() if said == "reached"} == OPEN.get(policy, set())
    assert set(told) == set(names)
    assert len(canary.visitors()) == len(OPEN.get(policy, set()))
    assert (tmp_path / "home" / "log").read_bytes() == b"the log"


@pytest.mark.skipif(find_spec("pyarrow") is not None, reason="pyarrow is installed, and tried with the others")
def test_pyarrow_is_not_installed_here() -> None:
    pytest.skip("pyarrow's S3 was not tried: it is not installed")


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="calls of i386 exist on x86_64 alone")
@pytest.mark.parametrize("policy", list(POLICIES))
def test_calls_by_another_convention_end_the_process(policy: str, canary: Canary, tmp_path: Path) -> None:
    said = tried(policy, ["old_calls"], canary, tmp_path / "home")["old_calls"]
    assert said.startswith(f"the process ended with -{int(signal.SIGSYS)}"), said


def test_this_machine_says_what_it_gives() -> None:
    for policy in POLICIES.values():
        report = survey(policy)
        assert policy.required <= set(report.guarantees), report.text()
        everywhere = ["privileges", "limits", "landlock", "filter"]
        assert [one.name for one in report.means] == (["namespace"] if policy.ports is None else []) + everywhere
        assert ("network" in report.guarantees) == (policy.ports is None)


def test_a_wall_that_is_not_whole_is_refused() -> None:
    report = WallReport("strategy", [Means("namespace", True, "x"), Means("filter", False, "Operation not permitted")])
    assert report.guarantees == ["network"]
    refused = WallRefused(report, ["memory", "processes"])
    assert "nothing here holds memory, processes" in str(refused)
    assert "refused by this machine: filter (Operation not permitted)" in str(refused)


def test_a_wall_is_refused_where_threads_run_already() -> None:
    program = (
        "import threading, time\nfrom paperdesk.safety import wall\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "try:\n    wall.raise_wall(wall.ENGINE)\nexcept wall.WallRefused as refused:\n    print(refused)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(REPO / "src")},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=True,
    )
    assert "2 threads run already: raise the wall before starting any" in done.stdout


# Filters, interpreted


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filters_decide_alike_on_every_machine(machine: str) -> None:
    number = syscalls.numbers(machine)
    listed, default = filter_of(STRATEGY, 4711, True)
    program = seccomp.assembled(listed, default, machine)

    def answer(name: str, *arguments: int) -> int:
        return seccomp.decided(program, number[name], arguments, machine)

    assert answer("read") == seccomp.ALLOW
    for name in ("socket", "clone", "execve", "io_uring_setup", "seccomp", "prctl", "ptrace", "sendto"):
        assert answer(name, 1, 1, 0) == seccomp.NOT_PERMITTED, name
    assert answer("clone3") == answer("openat2") == seccomp.NOT_THERE
    assert answer("openat", 0, 0, os.O_RDONLY | os.O_CLOEXEC) == seccomp.ALLOW
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_CREAT, os.O_RDONLY | os.O_TRUNC):
        assert answer("openat", 0, 0, flags) == seccomp.NOT_PERMITTED
    assert answer("tgkill", 4711, 4711, 6) == seccomp.ALLOW
    assert answer("tgkill", 4712, 4712, 9) == seccomp.NOT_PERMITTED
    assert answer("rt_sigaction", signal.SIGINT) == seccomp.ALLOW
    assert answer("rt_sigaction", signal.SIGUSR2) == seccomp.NOT_PERMITTED


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_api_makes_unix_sockets_alone_and_connects_only_where_ports_are_closed(machine: str) -> None:
    number = syscalls.numbers(machine)
    for closed in (True, False):
        listed, default = filter_of(API, 1, closed)
        program = seccomp.assembled(listed, default, machine)
        answers = {family: seccomp.decided(program, number["socket"], (family, 1, 0), machine) for family in range(48)}
        assert [family for family, said in answers.items() if said == seccomp.ALLOW] == [socket.AF_UNIX]
        assert (seccomp.decided(program, number["connect"], (), machine) == seccomp.ALLOW) is closed
        assert seccomp.decided(program, number["accept4"], (), machine) == seccomp.ALLOW
        assert seccomp.decided(program, number["sendto"], (3, 0, 5, 0x20000000), machine) == seccomp.NOT_PERMITTED


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_engine_makes_no_socket_and_no_namespace(machine: str) -> None:
    number = syscalls.numbers(machine)
    listed, default = filter_of(ENGINE, 1, True)
    program = seccomp.assembled(listed, default, machine)
    for family in range(48):
        assert seccomp.decided(program, number["socket"], (family, 1, 0), machine) == seccomp.NOT_PERMITTED
    assert seccomp.decided(program, number["clone"], (0x01200011,), machine) == seccomp.ALLOW
    for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert seccomp.decided(program, number["clone"], (flag | 17,), machine) == seccomp.NOT_PERMITTED
    assert seccomp.decided(program, number["execve"], (), machine) == seccomp.ALLOW


def test_x32_ends_the_process() -> None:
    listed, default = filter_of(ENGINE, 1, True)
    program = seccomp.assembled(listed, default, "x86_64")
    assert seccomp.decided(program, 0x40000000 | 1, (), "x86_64") == seccomp.KILL_PROCESS


@pytest.mark.parametrize("policy", list(POLICIES.values()), ids=lambda policy: policy.name)
def test_rules_name_calls_that_exist(policy: Policy) -> None:
    known = set(syscalls.numbers("x86_64")) | set(syscalls.numbers("aarch64"))
    assert [rule.name for rule in filter_of(policy, 1, False)[0] if rule.name not in known] == []
    only_old = set(syscalls.numbers("x86_64")) - set(syscalls.numbers("aarch64"))
    assert only_old == set(ONLY_X86.split()), "aarch64 does without these, and these alone"


def test_a_machine_without_a_table_is_told_apart() -> None:
    with pytest.raises(KeyError, match="riscv64"):
        seccomp.assembled([], seccomp.ALLOW, "riscv64")
