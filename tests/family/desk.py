"""A whole desk as a user starts it: `paperdesk up` with its page on a free port, looked at over HTTP and the stream."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE_S = 90.0
REPO = Path(__file__).resolve().parents[2]


class Desk:
    """One `paperdesk up`; `said` is what it printed until now."""

    def __init__(self, home: Path, *arguments: str | Path, feed: str = "sim", port: int = 0) -> None:
        self.home = home
        self.said: list[str] = []
        command = [
            sys.executable,
            "-m",
            "paperdesk",
            "up",
            "--home",
            home,
            "--port",
            str(port),
            "--feed",
            feed,
            *arguments,
        ]
        environ = {**os.environ, "PYTHONPATH": str(REPO / "src"), "COLUMNS": "200"}
        environ.pop("COVERAGE_PROCESS_START", None)
        self.process = subprocess.Popen(
            list(map(str, command)),
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.url = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(r"http://[0-9.]+:[0-9]+", line):
                self.url = found[0]
                break
        os.set_blocking(self.process.stdout.fileno(), False)
        assert self.url, "".join(self.said)
        self.client = httpx.Client(base_url=self.url, timeout=10.0, headers={"Origin": self.url}, trust_env=False)

    def hear(self) -> str:
        """All that it printed until now."""
        assert self.process.stdout is not None
        try:
            while not self.process.stdout.closed and (line := self.process.stdout.readline()):
                self.said.append(line)
        except (BlockingIOError, TypeError):
            pass
        return "".join(self.said)

    def get(self, path: str, **query: Any) -> Any:
        """A read model."""
        answer = self.client.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, key: str = "") -> httpx.Response:
        """A command, sent again with the same key where no answer came, as a client is told to."""
        headers = {"Idempotency-Key": key or os.urandom(8).hex()}
        until = time.monotonic() + PATIENCE_S
        while True:
            answer = self.client.post(f"/api/v1/{path}", json={} if body is None else body, headers=headers)
            if answer.status_code not in (503, 504) or time.monotonic() > until:
                return answer
            time.sleep(0.1)

    def order(self, key: str = "", **fields: Any) -> httpx.Response:
        """A market order, unless said otherwise."""
        return self.post(
            "orders", {"instrument": 0, "side": "buy", "order_type": "market", "quantity": "0.001", **fields}, key
        )

    def wait(self, what: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
        """Until something is true (an answer that does not come is not)."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            assert self.process.poll() is None, self.hear()
            try:
                if found := what():
                    return found
            except (httpx.HTTPError, AssertionError):
                pass
            time.sleep(0.05)
        raise AssertionError(f"it did not happen in {within_s} s\n{self.hear()}")

    def ready(self) -> Desk:
        """Once the engine answers and the market moves."""
        self.wait(lambda: self.client.get("/healthz").status_code == 200 and self.get("book", instrument=0)["bids"])
        return self

    def processes(self) -> dict[str, dict[str, Any]]:
        """The family by name."""
        return {one["name"]: one for one in self.get("desk")["processes"]}

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """End it: (exit code, seconds)."""
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), True)
        self.said.append(self.process.communicate(timeout=PATIENCE_S)[0] or "")
        return self.process.returncode, time.monotonic() - began

    def close(self) -> None:
        """End whatever is left."""
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@contextmanager
def desk(home: Path, *arguments: str | Path, **options: Any) -> Iterator[Desk]:
    """A desk that is ready, and ended afterwards."""
    made = Desk(home, *arguments, **options)
    try:
        yield made.ready()
    finally:
        made.close()


class Listener:
    """A page's side of the stream: resumes where it was, as the dashboard does."""

    def __init__(self, url: str) -> None:
        self.url, self.last, self.events = url, "0.0", list[dict[str, Any]]()
        self.resets = self.connections = 0

    def follow(self, until: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
        """Take events until something is true, over as many connections as it takes."""
        end = time.monotonic() + within_s
        while not until():
            assert time.monotonic() < end, f"not in {within_s} s"
            try:
                self._one(until, end)
            except (OSError, ConnectionClosed, TimeoutError):
                time.sleep(0.05)
            except Exception as error:  # a handshake that is refused while the api begins
                if type(error).__module__.startswith("websockets"):
                    time.sleep(0.05)
                    continue
                raise

    def _one(self, until: Callable[[], bool], end: float) -> None:
        address = self.url.replace("http", "ws") + "/api/v1/stream" + (f"?after={self.last}" if self.last else "")
        with connect(address, origin=self.url, open_timeout=5, proxy=None) as stream:
            self.connections += 1
            while not until() and time.monotonic() < end:
                try:
                    told = json.loads(stream.recv(timeout=0.1))
                except TimeoutError:
                    continue
                if told["type"] == "reset":
                    self.resets += 1
                elif told["type"] == "event":
                    self.events.append(told["event"])
                    self.last = told["event"]["id"]


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
