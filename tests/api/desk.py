"""What the tests of the api share: a recorded run with its database, an api process behind its wall, and small clients."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.api.engine import Engine
from tests.app.desk import environment, simulated
from websockets.sync.client import ClientConnection, connect

from paperdesk.api import messages as say
from paperdesk.app.home import Home
from paperdesk.app.records import run_records
from paperdesk.safety.link import Link, listen, pair
from paperdesk.store.database import connect as open_database

REPO = Path(__file__).resolve().parent.parent.parent
SINGLE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
"""A wall is raised while there is one thread."""
WAIT_S = 20
"""How long something may take to come about; nothing is measured by it."""


class Recorded(NamedTuple):
    """A finished run."""

    home: Path
    run: str
    rows: bytes
    notes: list[dict[str, Any]]

    @property
    def database(self) -> Path:
        return Home(self.home).database


def recorded(home: Path) -> Recorded:
    """A short seeded run with the quoter."""
    ended = simulated(home, "--seed", "7", "--strategy", "quoter", events=20_000)
    assert ended.code == 0, ended.err
    (run,) = Home(home).runs()
    rows, notes = b"", []
    for record in run_records(Home(home), run):
        if record[0] == "outputs":
            rows += record[1].tobytes()
        elif record[0] == "note":
            notes.append(record[1])
    return Recorded(home, run, rows, notes)


class Answer(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def until(
    what: Callable[[], Any], why: str | Callable[[], str] = "it did not come about", within_s: float = WAIT_S
) -> Any:
    """Wait until something is true, and tell it."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(why() if callable(why) else why)


class Desk:
    """An api process with an engine that is none."""

    def __init__(self, run: Recorded) -> None:
        self.recorded = run
        self.listening, self.port = listen("127.0.0.1", 0)
        self.api_engine, engine = pair()
        self.api_family, family = pair()
        self.engine = Engine(engine, run.run, run.rows, run.notes).start()
        self.family = Link(family)
        self.writer = open_database(run.database)
        self.writer.execute("SELECT count(*) FROM runs").fetchall()
        self.errors = run.home / f"stderr-{self.port}"
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """The api process; the supervisor keeps its ends open, so that another one can take over."""
        given = [self.listening, self.api_engine, self.api_family]
        with self.errors.open("ab") as errors:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.api.process",
                    *map(str, given),
                    str(self.port),
                    str(self.recorded.database),
                ],
                pass_fds=given,
                cwd=REPO,
                stderr=errors,
                env=environment(SINGLE | {"PYTHONPATH": f"{REPO / 'src'}:{REPO}"}),
            )

    def ready(self) -> Desk:
        """Once the engine was heard and its record is here."""
        until(self._is_ready, lambda: f"the api does not answer: {self.errors.read_text()}")
        return self

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.errors.read_text()
        with contextlib.suppress(OSError):
            if self.get("/healthz").status != 200 or self.get("/api/v1/state").status != 200:
                return False
            last = self.get("/api/v1/desk").json["engine"]["market_inputs"]
            return bool(last) and self.get(f"/api/v1/events?after={self.engine.seq - 1}.0").status == 200
        return False

    def request(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """A GET."""
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def command(self, method: str, path: str, told: Any = None, key: str = "", **headers: str) -> Answer:
        """A command, with a key."""
        given = {
            "Idempotency-Key": key or f"key-{time.monotonic_ns()}",
            **{n.replace("_", "-"): v for n, v in headers.items()},
        }
        if told is not None:
            given["Content-Type"] = "application/json"
        return self.request(method, f"/api/v1{path}", None if told is None else json.dumps(told), given)

    def stream(self, query: str = "", **options: Any) -> ClientConnection:
        """A client of the stream."""
        return connect(f"ws://127.0.0.1:{self.port}/api/v1/stream{query}", proxy=None, compression=None, **options)

    def tell_family(self, *processes: say.ProcessTold, **more: Any) -> None:
        """As the supervisor does."""
        assert self.family.send(say.ENCODER.encode(say.Family(list(processes), **more)))

    def end(self) -> int:
        """SIGTERM to the api process; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)

    def close(self) -> None:
        """End everything."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)
        self.engine.close()
        self.family.close()
        self.writer.close()
        for descriptor in (self.listening, self.api_engine, self.api_family):
            os.close(descriptor)


def heard(client: ClientConnection, kind: str, where: Callable[[Any], Any] = lambda said: True) -> Any:
    """The next message of a kind that fits."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        said = json.loads(client.recv(timeout=WAIT_S))
        if said["type"] == kind and where(said):
            return said
    raise AssertionError(f"no {kind} was heard")


@contextlib.contextmanager
def running(run: Recorded) -> Iterator[Desk]:
    """A desk that is ended, whatever happens."""
    desk = Desk(run)
    try:
        yield desk.ready()
    finally:
        desk.close()
