"""The process: behind its wall for real, in order up and down, and without a traceback for anybody but the log."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
from pathlib import Path

import pytest
from tests.api.desk import WAIT_S, Desk, heard, until
from websockets.exceptions import ConnectionClosed


def test_it_lives_behind_its_wall(desk: Desk) -> None:
    status = Path(f"/proc/{desk.process.pid}/status").read_text(encoding="ascii")
    fields = dict(re.findall(r"^(\w+):\s+(.*)$", status, re.MULTILINE))
    assert fields["Seccomp"] == "2" and fields["NoNewPrivs"] == "1" and fields["Threads"] == "1"
    names = [str(one.readlink()) for one in Path(f"/proc/{desk.process.pid}/fd").iterdir() if one.is_symlink()]
    assert any(name.endswith("paperdesk.db") for name in names), "the projections are open"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order(own: Desk, number: signal.Signals) -> None:
    with own.stream() as client:
        heard(client, "pulse")
        own.process.send_signal(number)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(timeout=WAIT_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012
    assert own.process.wait(WAIT_S) == 0
    assert own.errors.read_text() == ""


def test_it_ends_though_a_client_does_not_read_and_a_command_waits(own: Desk) -> None:
    own.engine.reply = lambda request: None
    with own.stream(max_queue=1) as client:
        heard(client, "pulse")
        connection = contextlib.ExitStack()
        with connection:
            waiting = http.client.HTTPConnection("127.0.0.1", own.port, timeout=WAIT_S)
            connection.callback(waiting.close)
            waiting.request("POST", "/api/v1/kill", headers={"Idempotency-Key": "waits"})
            until(lambda: own.engine.requests)
            assert own.end() == 0


def test_it_ends_when_engine_or_supervisor_are_gone(own: Desk) -> None:
    own.family.close()
    os.close(own.api_family)
    assert own.process.wait(WAIT_S) == 1
    assert "supervisor" in own.errors.read_text()
    own.api_family = os.dup(own.listening)


def test_a_database_that_is_not_there_is_a_503(own: Desk) -> None:
    own.end()
    moved = own.recorded.database.with_suffix(".away")
    own.recorded.database.rename(moved)
    try:
        own.process = own.start()
        until(lambda: _answers(own))
        until(lambda: own.get("/healthz").status == 200)
        answer = own.get("/api/v1/state")
        assert (
            answer.status == 503 and answer.json["error"] == "database" and "cannot be opened" in answer.json["message"]
        )
        with own.stream() as client:
            heard(client, "pulse")
    finally:
        moved.rename(own.recorded.database)
    until(lambda: own.get("/api/v1/state").status == 200)


def test_an_engine_that_was_never_heard_is_a_503(own: Desk) -> None:
    own.end()
    own.engine.muted = True
    own.process = own.start()
    until(lambda: _answers(own))
    assert (
        own.get("/healthz").status == 503 and own.get("/healthz").json["text"] == "The engine has not been heard yet."
    )
    for path in ("desk", "state", "orders", "bars?instrument=0", "events", "runs"):
        answer = own.get(f"/api/v1/{path}")
        assert answer.status == 503 and answer.json["error"] == "starting", path
    assert own.get("/metrics").status == 200
    with own.stream() as client:
        own.engine.muted = False
        assert heard(client, "hello")["desk"]["run"] == own.recorded.run


def test_a_bug_is_an_id_and_a_line_in_the_log(own: Desk) -> None:
    own.writer.execute("CREATE TEMP TABLE kept AS SELECT manifest FROM runs")
    own.writer.execute("UPDATE runs SET manifest = 'no json'")
    try:
        answer = own.get("/api/v1/runs")
    finally:
        own.writer.execute("UPDATE runs SET manifest = (SELECT manifest FROM kept)")
    assert answer.status == 500 and answer.json["error"] == "unexpected" and "Traceback" not in answer.body.decode()
    log = own.errors.read_text()
    assert answer.json["id"] in log and "Traceback" in log
    assert own.get("/api/v1/runs").status == 200


def _answers(desk: Desk) -> bool:
    with contextlib.suppress(OSError):
        return desk.get("/healthz").status in (200, 503)
    return False
