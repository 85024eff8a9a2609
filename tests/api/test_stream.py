"""The stream: every event once and in order, whoever restarts; pictures conflated; slow readers sent away; many clients served once."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from typing import Any

import pytest
from tests.api.desk import WAIT_S, Desk, heard, until
from tests.api.engine import FIRST_NS
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus

from paperdesk.domain.events import OutputKind
from paperdesk.domain.reasons import Reason


def metric(desk: Desk, name: str) -> float:
    lines = desk.get("/metrics").body.decode().splitlines()
    return float(next(line.rpartition(" ")[2] for line in lines if line.startswith((f"{name} ", f"{name}{{"))))


def ids(client: Any, count: int) -> list[str]:
    """The next events' places."""
    return [heard(client, "event")["event"]["id"] for _ in range(count)]


def test_hello_and_pictures_come_first(desk: Desk) -> None:
    desk.engine.market(1)
    until(lambda: desk.get("/api/v1/book?instrument=0").status == 200)
    with desk.stream() as client:
        assert client.response is not None and client.response.headers["X-Paper-Trading"] == "true"
        first = [json.loads(client.recv(timeout=WAIT_S)) for _ in range(4)]
        assert [one["type"] for one in first] == ["hello", "state", "market", "pulse"]
        assert (
            first[0]["desk"]["run"] == desk.recorded.run and first[1]["state"]["seq"] == desk.engine.projected_seq
        ) or desk.engine.seq
        assert first[3]["equity"] == "9993.83781130" and first[3]["marks"] == [{"instrument": 0, "mark": "60000.0"}]
        assert first[3]["feed"]["connected"] is True


def test_events_after_a_place_come_in_order_then_live_ones(desk: Desk) -> None:
    page = desk.get("/api/v1/events?limit=1000").json["events"]
    with desk.stream(f"?after={page[9]['id']}") as client:
        assert ids(client, len(page) - 10) == [one["id"] for one in page[10:]]
        seq = desk.engine.seq + 1
        desk.engine.state(
            desk.engine.event(seq),
            desk.engine.event(seq, OutputKind.POSTING, number=1),
            desk.engine.event(seq, number=2),
        )
        told = heard(client, "event", lambda said: said["event"]["id"] == f"{seq}.0")
        assert told["event"]["kind"] == "order_accepted"
        assert heard(client, "event")["event"]["id"] == f"{seq}.2"


def test_live_pictures(desk: Desk) -> None:
    with desk.stream() as client:
        heard(client, "pulse")
        desk.engine.market(10, trades=0)  # what was told before this client came is behind it, then
        heard(client, "market", lambda said: said["markets"][0]["ts_ns"] == str(FIRST_NS + 10))
        desk.engine.market(20, trades=3)
        told = heard(client, "market", lambda said: said["markets"][0]["ts_ns"] == str(FIRST_NS + 20))
        (book,) = told["markets"]
        assert [trade["price"] for trade in book["trades"]] == ["60002.0"] * 3 and book["bars"][0]["close"] == "60002.0"
        desk.writer.execute("UPDATE runs SET killed = 1")
        heard(client, "state", lambda said: said["state"]["killed"])
        desk.writer.execute("UPDATE runs SET killed = 0")
        heard(client, "state", lambda said: not said["state"]["killed"])
        desk.engine.note(
            {"type": "market", "instrument": 0, "status": 1, "reason": int(Reason.TIMED_OUT), "ts_ns": FIRST_NS}
        )
        event = heard(client, "event")["event"]
        assert (
            event["kind"] == "market"
            and event["severity"] == "warning"
            and "BTC/USDT" in event["text"]
            and event["refusal"]["name"] == "timed_out"
        )
        desk.engine.note(
            {"type": "bot_stopped", "bot": 1, "account": 0, "name": "quoter-1", "text": "ZeroDivisionError"}
        )
        event = heard(client, "event")["event"]
        assert event["severity"] == "error" and event["text"] == "quoter-1 was stopped: ZeroDivisionError"
        assert heard(client, "pulse")["stream_clients"] == 1


def test_resuming_over_an_api_restart_loses_and_repeats_nothing(own: Desk) -> None:
    start = own.engine.seq
    with own.stream() as client:
        heard(client, "pulse")
        own.engine.state(*(own.engine.event(start + step) for step in range(1, 6)))
        seen = ids(client, 5)
        own.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(timeout=WAIT_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012
        assert own.process.wait(WAIT_S) == 0
    own.engine.state(*(own.engine.event(start + step) for step in range(6, 11)))
    own.process = own.start()
    own.ready()
    with own.stream(f"?after={seen[-1]}&run={own.recorded.run}") as client:
        own.engine.state(own.engine.event(start + 11))
        assert seen + ids(client, 6) == [f"{start + step}.0" for step in range(1, 12)]


def test_resuming_over_an_engine_restart_loses_and_repeats_nothing(own: Desk) -> None:
    start = own.engine.seq
    with own.stream() as client:
        heard(client, "pulse")
        own.engine.state(own.engine.event(start + 1), own.engine.event(start + 2))
        assert ids(client, 2) == [f"{start + 1}.0", f"{start + 2}.0"]
        own.engine.restart("second")
        own.engine.state(own.engine.event(start + 3))
        assert ids(client, 1) == [f"{start + 3}.0"]
        assert own.engine.subscriptions == [0, start + 1], (
            "asked again after silence, from the input before the last one seen"
        )
    assert own.get("/api/v1/desk").json["boot"] == "second"


def test_a_silent_engine_is_told(own: Desk) -> None:
    own.engine.muted = True
    with own.stream() as client:
        told = heard(client, "pulse", lambda said: not said["engine"]["heard"])
        assert told["engine"]["silence_s"] >= 3
    health = own.get("/healthz")
    assert health.status == 503 and "Nothing was heard of the engine" in health.json["text"]
    own.engine.muted = False
    until(lambda: own.get("/healthz").status == 200)


def test_places_that_are_gone_reset(own: Desk) -> None:
    own.engine.dropped_seq = 20_000
    own.engine.restart("second")
    own.end()
    own.process = own.start()
    own.ready()
    page = own.get("/api/v1/events?after=100.0").json
    assert page["lost"] is True and int(page["events"][0]["id"].partition(".")[0]) > 20_000
    assert own.get(f"/api/v1/events?after={page['events'][3]['id']}").json["lost"] is False
    for query in ("?after=100.0", "?after=99999999.0", f"?after={own.engine.seq}.0&run=0009-other"):
        with own.stream(query, close_timeout=0.1) as client:
            heard(client, "hello")
            said = json.loads(client.recv(timeout=WAIT_S))
            assert said["type"] == "reset" and said["run"] == own.recorded.run, query
            assert own.get(f"/api/v1/events?after={said['after']}").json["lost"] is False


def test_another_run_resets_who_listens(own: Desk) -> None:
    with own.stream() as client:
        heard(client, "pulse")
        own.engine.run, own.engine.rows = "0002-sim", b""
        own.engine.restart("second")
        said = heard(client, "reset")
        assert said["run"] == "0002-sim"
        own.engine.state(own.engine.event(1))
        assert heard(client, "event")["event"]["id"] == "1.0"


def test_a_slow_reader_is_sent_away_and_may_resume(own: Desk) -> None:
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    raw.connect(("127.0.0.1", own.port))
    start = own.engine.seq
    with own.stream(sock=raw, max_queue=1, close_timeout=0.1) as client, own.stream() as quick:
        heard(client, "pulse")
        own.engine.state(own.engine.event(start + 1))
        assert ids(client, 1) == [f"{start + 1}.0"]
        tick, last = 0, start + 1
        end = time.monotonic() + 60
        while metric(own, "paperdesk_api_slow_clients_total") == 0:
            assert time.monotonic() < end, "nobody was found slow"
            fields = []
            for _ in range(400):
                last += 1
                fields.append(own.engine.event(last))
            own.engine.state(*fields)
            tick += 1
            own.engine.market(tick, trades=30)
            heard(quick, "event", lambda said, place=f"{last}.0": said["event"]["id"] == place)  # type: ignore[misc]
        seen = start + 1
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                said = json.loads(client.recv(timeout=WAIT_S))
                if said["type"] == "event":
                    assert said["event"]["seq"] == seen + 1
                    seen += 1
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4008 and "resume" in closed.value.rcvd.reason
        own.engine.state(own.engine.event(last + 1))
        assert heard(quick, "event")["event"]["id"] == f"{last + 1}.0", "who reads is not disturbed"


@pytest.mark.parametrize("message", ["hello", b"\x00\x01", "{}", "x" * 3_000])
def test_the_stream_takes_no_messages(desk: Desk, message: str | bytes) -> None:
    with desk.stream() as client:
        client.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(timeout=WAIT_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4000 and "POST" in closed.value.rcvd.reason


def test_messages_that_are_too_large_or_no_text(desk: Desk) -> None:
    with desk.stream() as client:
        client.send("x" * 10_000)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.recv(timeout=WAIT_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
    with desk.stream() as client:
        client.socket.sendall(b"\xff\xff\xff\xff")
        with pytest.raises(ConnectionClosed):
            while True:
                client.recv(timeout=WAIT_S)
    assert desk.get("/healthz").status == 200
    assert "Traceback" not in desk.errors.read_text()


@pytest.mark.parametrize("query", ["?after=12", "?after=x.y", "?afte=1.0", "?after=1.0&run=" + "x" * 101])
def test_places_that_cannot_be_read(desk: Desk, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused, desk.stream(query):
        pass
    response = refused.value.response
    assert (
        response.status_code == 400
        and response.headers["X-Paper-Trading"] == "true"
        and json.loads(response.body)["remedy"]
    )


def test_two_hundred_clients_hear_everything(own: Desk) -> None:
    start, count = own.engine.seq, 50

    async def listen(ready: asyncio.Semaphore) -> list[str]:
        seen: list[str] = []
        async with connect_async(f"ws://127.0.0.1:{own.port}/api/v1/stream", proxy=None, compression=None) as client:
            async for text in client:
                said = json.loads(text)
                if said["type"] == "pulse" and not seen:
                    ready.release()
                elif said["type"] == "event":
                    seen.append(said["event"]["id"])
                    if len(seen) == count:
                        return seen
        return seen

    async def all_of_them() -> list[list[str]]:
        ready = asyncio.Semaphore(0)
        clients = [asyncio.ensure_future(listen(ready)) for _ in range(200)]
        for _ in range(200):
            await asyncio.wait_for(ready.acquire(), WAIT_S)
        assert await asyncio.to_thread(metric, own, "paperdesk_api_stream_clients") == 200
        for step in range(1, count + 1):
            own.engine.state(own.engine.event(start + step))
            own.engine.market(step)
        return await asyncio.wait_for(asyncio.gather(*clients), 3 * WAIT_S)

    expected = [f"{start + step}.0" for step in range(1, count + 1)]
    assert all(seen == expected for seen in asyncio.run(all_of_them()))
    until(lambda: metric(own, "paperdesk_api_stream_clients") == 0)
    assert "Traceback" not in own.errors.read_text()
