"""Where attempts would arrive: listeners on this machine that count what comes; and the running of attempts behind a wall."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from paperdesk.safety.wall import POLICIES

REPO = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
WAIT_S = 120
DATAGRAMS = "datagram name_service message_of_udp datagram_endpoint".split()
NETWORK = (
    (
        "tcp_socket raw_calls c_library fast_open http_client url_opener tls_client mail_client event_loop abstract_socket polars_http "
        "polars_s3 curl other_python spawned worker_pool program_in_memory fork"
    ).split()
    + DATAGRAMS
    + [name for name, package in (("pyarrow_s3", "pyarrow"), ("uv_loop", "uvloop")) if find_spec(package)]
)
"""Attempts that reach a canary where there is no wall."""
OTHERS = (
    "six multipath other_namespace ring fault_handler netlink machines packets turned_listener stolen_socket "
    "trace memory_of_parent environment_of_first new_namespace"
).split()
"""Attempts that may fail for other reasons where there is no wall, and must fail behind one."""
ALONE = ("polars_http", "polars_s3", "pyarrow_s3")
"""Libraries that may end their process rather than raise."""
BEHIND = (*POLICIES, "up")
"""What attempts are made behind: each policy, and the wall that a run of one process raises around itself."""
FILES = {one: ["write_log", "remove_log"] + ["read_home"] * (one not in ("engine", "api", "up")) for one in BEHIND}
OPEN = {"door": set(DATAGRAMS)}
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
                visitor, _ = self.abstract.accept()
            except OSError:
                return
            self.seen.append("abstract")
            visitor.close()

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


def table() -> str:
    """Policy × attempt: what became of each, for people."""
    canary, lines = Canary(), []
    with tempfile.TemporaryDirectory() as folder:
        for policy in ("none", *BEHIND):
            names = usable(NETWORK) + OTHERS + FILES.get(policy, ["write_log", "remove_log", "read_home"])
            told = tried(policy, names, canary, Path(folder) / "home")
            lines += [f"{policy:9} {name:22} {refused_by(told[name])}" for name in names]
            lines += [f"{policy:9} {'seen by the canary':22} {len(canary.visitors())} visits", ""]
    canary.close()
    return "\n".join(lines)


def refused_by(said: str) -> str:
    """Which means stands behind what an attempt was told."""
    for words, means in (
        ("reached", "-"),
        ("Operation not permitted", "filter"),
        ("Permission denied", "landlock"),
        ("unreachable", "namespace"),
        ("Connection refused", "namespace"),
        ("child was refused", "the same wall"),
        ("worker was refused", "the same wall"),
        ("CalledProcessError", "the same wall"),
        ("not implemented", "filter (call is not there)"),
        ("can't start new thread", "filter"),
    ):
        if words in said:
            return f"{means:12} {said[:100]}" if means != "-" else "REACHED"
    return f"{'other':12} {said[:100]}"
