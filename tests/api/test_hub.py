"""The stream's inside: each message is made once for all, and the thousand-and-first client is told why it cannot come in."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from tests.api.desk import Desk, Recorded, until
from tests.api.engine import FIRST_NS, Engine

from paperdesk import __version__
from paperdesk.api import messages as say
from paperdesk.api import stream
from paperdesk.api.engine_link import EngineLink, FamilyLink
from paperdesk.api.metrics import Metrics
from paperdesk.api.reader import Reader
from paperdesk.api.service import Service, StateKeeper
from paperdesk.api.stream import Client, Hub
from paperdesk.safety.link import Link, pair

HANDSHAKE = (
    "GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Tab:
    """A client without a network: what it was sent is kept, as the objects they are."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self._coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._coming.put_nowait({"type": "websocket.connect"})

    async def receive(self) -> dict[str, Any]:
        return await self._coming.get()

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def leave(self) -> None:
        self._coming.put_nowait({"type": "websocket.disconnect", "code": 1005})

    def texts(self, kind: str) -> list[str]:
        texts = [message["text"] for message in self.sent if message["type"] == "websocket.send"]
        return [text for text in texts if text.startswith(f'{{"type":"{kind}"')]


def welcome_of_nothing() -> say.Welcome:
    return say.Welcome("one", "b", "SIMULATED", "sim", "", 0, False, 0, "USDT", [], [], [], "", "0.1.0", 0.0, 0)


async def come_about(what: Any) -> None:
    for _ in range(500):
        if what():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about")


def test_each_message_is_made_once_for_all(run: Recorded) -> None:
    ours, theirs = pair()
    wire, engine = Link(ours), Engine(theirs, run.run, run.rows, run.notes).start()
    engine.pulses = False
    reader = Reader(run.database)

    async def watch() -> None:
        link = EngineLink(wire)
        family = FamilyLink(wire)
        hub = Hub(Service(link, family, reader, Metrics(link, family, __version__), StateKeeper(link, reader)))
        link.start()
        tabs = [Tab() for _ in range(200)]
        serving = [asyncio.ensure_future(hub.serve({}, tab.receive, tab.send, None, None)) for tab in tabs]
        ticking = asyncio.ensure_future(hub.run())
        await come_about(lambda: all(client.greeted for client in hub.clients) and len(hub.clients) == 200)
        engine.pulse()
        await come_about(lambda: all(tab.texts("state") for tab in tabs))
        assert not any(tab.texts("event") for tab in tabs), "what happened before is not told as if it were new"
        before = hub.made
        seq = engine.seq
        engine.state(engine.event(seq + 1), engine.event(seq + 2))
        engine.market(1)
        await come_about(
            lambda: all(
                len(tab.texts("event")) == 2 and tab.texts("market") and len(tab.texts("pulse")) > 1 for tab in tabs
            )
        )
        for kind in ("event", "market", "state"):
            for texts in zip(*(tab.texts(kind) for tab in tabs), strict=True):
                assert all(text is texts[0] for text in texts), f"{kind}: one text, 200 times the same object"
        assert 2 <= hub.made - before <= 30, "a picture a tick at most, however many clients"
        for tab in tabs:
            tab.leave()
        await asyncio.gather(*serving)
        assert hub.clients == set()
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        link.stop()

    asyncio.run(watch())
    reader.close()
    engine.close()
    wire.close()


def test_one_more_than_a_thousand_is_told_so(run: Recorded) -> None:
    ours, theirs = pair()
    wire, other = Link(ours), Link(theirs)
    reader = Reader(run.database)

    async def knock() -> None:
        link = EngineLink(wire)
        family = FamilyLink(wire)
        hub = Hub(Service(link, family, reader, Metrics(link, family, __version__), StateKeeper(link, reader)))
        hub.clients = {Client() for _ in range(stream.MOST_CLIENTS)}
        tab = Tab()
        await hub.serve({}, tab.receive, tab.send, None, None)
        assert tab.sent[-1]["code"] == 4009 and "1000 streams" in tab.sent[-1]["reason"] and len(hub.clients) == 1_000

    asyncio.run(knock())
    reader.close()
    wire.close()
    other.close()


def test_pictures_that_nobody_takes_end_a_client() -> None:
    async def show() -> None:
        client = Client()
        for number in range(stream.MOST_WAITING):
            client.show(str(number))
        assert not client.ended.done()
        client.show("one too many")
        assert client.ended.result()[0] == 4008 and len(client.ended.result()[1].encode()) <= 120

    asyncio.run(show())


def test_conflated_markets_keep_the_latest_and_all_bars() -> None:
    ours, theirs = pair()
    wire, other = Link(ours), Link(theirs)
    link = EngineLink(wire)
    link._take(say.ENCODER.encode(welcome_of_nothing()))
    for tick in range(3):
        bar = (tick * 60_000_000_000, 1, 1, 1, 1, 1)
        told = say.MarketTold(0, FIRST_NS + tick, 0, 0, [(tick, 1)], [], [(tick, 1, 1, 1)], [bar])
        link._take(say.ENCODER.encode(say.Market([told])))
    changes = link.take_changes()[0]
    assert [trade[0] for trade in changes.trades] == [0, 1, 2] and len(changes.bars) == 3
    assert link.markets[0].bids == [(2, 1)] and link.take_changes() == {}
    wire.close()
    other.close()


def test_a_bug_while_speaking_is_an_id_and_a_line_in_the_log(run: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = pair()
    wire, other = Link(ours), Link(theirs)
    reader = Reader(run.database)

    async def speak() -> None:
        link = EngineLink(wire)
        family = FamilyLink(wire)
        hub = Hub(Service(link, family, reader, Metrics(link, family, __version__), StateKeeper(link, reader)))
        link._take(say.ENCODER.encode(welcome_of_nothing()))
        link.ring.newest = None  # type: ignore[assignment]  # no bug of this kind is known
        tab = Tab()
        await asyncio.wait_for(hub.serve({}, tab.receive, tab.send, None, None), 20)
        assert tab.sent[-1]["code"] == 1011 and tab.sent[-1]["reason"].rpartition(" ")[2] in capsys.readouterr().err

    asyncio.run(speak())
    reader.close()
    wire.close()
    other.close()


@pytest.mark.slow
def test_a_client_that_reads_nothing_at_all_is_cut_off(own: Desk) -> None:
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    raw.settimeout(60)
    raw.connect(("127.0.0.1", own.port))
    raw.sendall(HANDSHAKE.format(port=own.port).encode())
    until(lambda: own.get("/healthz").json["stream_clients"] == 1)
    own.engine.state(*(own.engine.event(own.engine.seq + step) for step in range(1, 15_000)))

    def slow() -> bool:
        own.engine.market(int(time.monotonic()), trades=30)
        return own.get("/healthz").json["stream_clients"] == 0

    until(slow, within_s=60)
    until(lambda: _connections(own) == 0, "its connection stays open", within_s=60)
    raw.close()


def _connections(desk: Desk) -> int:
    """Open TCP connections of the api's port, on its side."""
    rows = [
        line.split() for line in Path(f"/proc/{desk.process.pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    ]
    return sum(row[1].endswith(f":{desk.port:04X}") and row[3] in ("01", "04", "05", "08") for row in rows)


@pytest.mark.slow
def test_a_client_that_answers_no_ping_is_dropped(own: Desk) -> None:
    with socket.create_connection(("127.0.0.1", own.port), timeout=60) as raw:
        raw.sendall(HANDSHAKE.format(port=own.port).encode())
        told = b""
        end = time.monotonic() + 60
        while piece := raw.recv(65_536):
            told += piece
            assert time.monotonic() < end, "it was not dropped"
        assert b"101 Switching" in told and b"keepalive ping timeout" in told
    assert json.loads(own.get("/healthz").body)["stream_clients"] == 0
