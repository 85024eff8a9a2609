"""Walls are tried from inside: real attempts to get out, against canaries that are reached without a wall and never with one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest
from aiohttp import web
from tests.app.desk import strategy
from tests.safety.canary import BEHIND, FILES, NETWORK, OPEN, OTHERS, WAIT_S, Canary, tried, usable
from tests.safety.local import REST, serving

from paperdesk.safety import seccomp, syscalls
from paperdesk.safety.policies import API, DOOR, ENGINE, LAB, STRATEGY, WORKING, Policy, filter_of
from paperdesk.safety.wall import POLICIES, Means, WallRefused, WallReport, survey

REPO = Path(__file__).resolve().parents[2]
ONLY_X86 = "poll open stat lstat access readlink dup2 time select epoll_wait arch_prctl pipe fork vfork iopl ioperm mkdir rename rmdir unlink"


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    """Listeners that outlive the attempts."""
    one = Canary()
    yield one
    one.close()


def test_without_a_wall_every_way_is_open(canary: Canary, tmp_path: Path) -> None:
    for name in usable(NETWORK):
        said = tried("none", [name], canary, tmp_path / "home")[name]
        assert canary.visitors(), f"{name} did not reach the canary: {said}"
    told = tried("none", ["write_log", "remove_log", "read_home"], canary, tmp_path / "home")
    assert set(told.values()) == {"reached"}, told


@pytest.mark.parametrize("policy", BEHIND)
def test_behind_a_wall_no_way_is_open(policy: str, canary: Canary, tmp_path: Path) -> None:
    names = usable(NETWORK) + OTHERS + FILES[policy]
    assert len(names) >= 15
    told = tried(policy, names, canary, tmp_path / "home")
    assert {name for name, said in told.items() if said == "reached"} == OPEN.get(policy, set())
    assert set(told) == set(names)
    assert len(canary.visitors()) == len(OPEN.get(policy, set()))
    assert (tmp_path / "home" / "log").read_bytes() == b"the log"


@pytest.mark.parametrize("package", ["pyarrow", "uvloop"])
def test_what_is_not_installed_is_told(package: str) -> None:
    if not find_spec(package):
        pytest.skip(f"{package} was not tried: it is not installed")


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


def test_a_wall_is_refused_where_nobody_can_see_whether_threads_run() -> None:
    program = (
        "import resource\nfrom paperdesk.safety import wall\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
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
    assert "single thread (how many run cannot be seen: Too many open files)" in done.stdout


# What is left open, and works


THROUGH_THE_DOOR = """
import asyncio, json, sys
from tests.safety.local import PING, REST, STREAM, TRADES
from paperdesk.safety import wall
from paperdesk.safety.door import Door, Loopback
from paperdesk.safety.outside import NoAnswer

async def main(port, canary):
    told = {}
    async def tried(name, ask, *given):
        try:
            told[name] = (await ask(*given)).decode()
        except NoAnswer as why:
            told[name] = why.reason.name
    loop = asyncio.get_running_loop()
    names = await asyncio.gather(*(loop.getaddrinfo("localhost", 443) for _ in range(4)))
    told["threads"] = all(names)
    async with Door(resolve={REST: Loopback("127.0.0.1", port)}) as door:
        await tried("ping", door.get, PING)
        for name, address in json.loads(sys.argv[3]).items():
            await tried(name, door.get, address)
    async with Door(resolve={REST: Loopback("127.0.0.1", canary)}) as door:
        await tried("a port that is not open", door.get, PING)
    print(json.dumps(told))

port, canary = map(int, sys.argv[1:3])
wall.raise_wall(wall.DOOR, ports=[port])
asyncio.run(main(port, canary))
"""


def test_through_the_doors_wall_only_the_list_passes(canary: Canary) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response({})

    refused = {
        "other path": f"https://{REST}/api/v3/order",
        "other host": "https://api.binance.com/api/v3/ping",
        "this machine": f"http://127.0.0.1:{canary.port}/",
        "plain": f"http://{REST}/api/v3/ping",
        "port": f"https://{REST}:{canary.port}/api/v3/ping",
        "user": f"https://me@{REST}/api/v3/ping",
        "parameter": f"https://{REST}/api/v3/ping?signature=1",
    }

    async def run() -> dict[str, object]:
        async with serving(answer) as port:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", THROUGH_THE_DOOR, str(port), str(canary.port), json.dumps(refused)),
                env={**os.environ, "PYTHONPATH": f"{REPO / 'src'}:{REPO}"},
                stdout=subprocess.PIPE,
            )
            out, _ = await asyncio.wait_for(child.communicate(), WAIT_S)
            told = json.loads(out)
            assert isinstance(told, dict)
            return told

    told = asyncio.run(run())
    assert told.pop("threads") is True, "names are resolved in threads, behind the wall"
    assert told.pop("ping") == "{}" and asked == ["/api/v3/ping"]
    assert told.pop("a port that is not open") == "CONNECTION_LOST"
    assert told.keys() == refused.keys()
    assert set(told.values()) <= {"NOT_ON_THE_LIST", "BAD_ADDRESS", "CREDENTIAL_GIVEN"}, told
    assert canary.visitors() == []


WITHIN = """
import sys
from pathlib import Path
from paperdesk.domain import cache
from paperdesk.safety import wall
wall.raise_wall(wall.ENGINE, write=[Path(sys.argv[1]).parent, *filter(None, [cache.FOLDER])])
from paperdesk.app.isolated import load
_, running = load(sys.argv[1])
print(running.wall)
running.close()
"""


def test_a_strategy_is_closed_in_within_the_engines_wall_too(tmp_path: Path) -> None:
    file = strategy(tmp_path / "own.py", "pass")
    done = subprocess.run(
        [sys.executable, "-c", WITHIN, str(file)],
        env={**os.environ, "PYTHONPATH": str(REPO / "src"), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    holds, _, refused = done.stdout.partition("; refused by this machine: ")
    for means in ("limits (", "landlock (", "filter ("):
        assert means in holds, done.stdout
    assert refused.startswith("namespace"), (
        "the engine's filter makes none, and the strategy needs none: it has the filter"
    )


AT_WORK = """
import sys, threading
from pathlib import Path
from paperdesk.safety import wall
data, out = Path(sys.argv[1]), Path(sys.argv[2])
wall.raise_wall(wall.LAB, read=[data], write=[out])
import polars as pl
frame = pl.scan_parquet(data / "bars.parquet").group_by("day").agg(pl.col("close").mean()).sort("day").collect()
(out / "deep").mkdir()
frame.write_parquet(out / "deep" / "means.parquet")
(out / "deep" / "means.parquet").rename(out / "means.parquet")
for place in (data / "forged", data.parent / "forged", out.parent / "forged"):
    try:
        place.write_text("x")
    except PermissionError:
        continue
    raise SystemExit(f"{place} was written")
try:
    (data.parent / "secret").read_text()
except PermissionError:
    print("cut off", pl.thread_pool_size())
"""


def test_a_research_worker_computes_in_threads_and_writes_in_one_folder(tmp_path: Path) -> None:
    for name in ("data", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "secret").write_text("x")
    pl.DataFrame({"day": [1, 1, 2], "close": [1.0, 2.0, 3.0]}).write_parquet(tmp_path / "data" / "bars.parquet")
    done = subprocess.run(
        [sys.executable, "-c", AT_WORK, str(tmp_path / "data"), str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": str(REPO / "src"), "POLARS_MAX_THREADS": "3"},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "cut off 3\n"), done.stderr
    assert pl.read_parquet(tmp_path / "out" / "means.parquet")["close"].to_list() == [1.5, 3.0]
    assert not list(tmp_path.rglob("forged"))


# Filters, interpreted


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_door_makes_sockets_of_two_kinds_and_no_process(machine: str) -> None:
    number = syscalls.numbers(machine)
    listed, default = filter_of(DOOR, 4711, True)
    program = seccomp.assembled(listed, default, machine)

    def allowed(name: str, *arguments: int) -> bool:
        return seccomp.decided(program, number[name], arguments, machine) == seccomp.ALLOW

    families = [family for family in range(48) if allowed("socket", family, socket.SOCK_STREAM | 0x80800, 6)]
    assert families == [socket.AF_INET, socket.AF_INET6]
    assert [kind for kind in (1, 2, 4, 5, 6, 10) if allowed("socket", 2, kind | 0x80800, 0)] == [1, 2]
    assert [
        protocol for protocol in (0, 1, 6, 17, 33, 58, 132, 136, 255, 262) if allowed("socket", 2, 1, protocol)
    ] == [0, 6, 17]
    assert allowed("clone", 0x3D0F00) and not allowed("clone", 0x1200011), "a thread, but no process"
    assert allowed("tgkill", 4711, 4711, 6) and not allowed("tgkill", 1, 1, 9) and not allowed("kill", 4711, 0)
    assert not allowed("execve") and not allowed("execveat") and not allowed("sendto", 3, 0, 5, 0x20000000)
    assert allowed("connect") and allowed("accept4") and allowed("sendto", 3, 0, 5, 0)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_research_worker_has_threads_and_files_beyond_a_strategy(machine: str) -> None:
    number = syscalls.numbers(machine)
    programs = [seccomp.assembled(*filter_of(policy, 1, True), machine) for policy in (STRATEGY, LAB)]
    calls = [(name, (0,) * 6) for name in number] + [("clone", (0x3D0F00,)), ("openat", (0, 0, os.O_RDWR | os.O_CREAT))]
    calls += [("clone", (0x3D0F00 | flag,)) for flag in (0x20000, 0x10000000, 0x40000000)] + [("clone", (0x1200011,))]
    more = [
        (name, given)
        for name, given in calls
        if [seccomp.decided(one, number[name], given, machine) == seccomp.ALLOW for one in programs] == [False, True]
    ]
    assert {name for name, given in more if not any(given)} == {name for name in WORKING.split() if name in number}
    assert [one for one in more if any(one[1])] == calls[len(number) : len(number) + 2]


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
