"""A venue on loopback that plays frames of Binance Spot back, recorded or made up, with faults where they are planned.

Its time is the place in the frames. It keeps its own book (plain dictionaries) and its own trades, answers REST from them,
and goes on while a client is away, so that what a client missed is really missing.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from random import Random
from typing import Any

from aiohttp import WSMsgType, web
from tests.safety.local import REST, STREAM, serving

from paperdesk.domain.events import DEPTH
from paperdesk.safety.door import Door, Limits, Loopback

NAME = "BTCUSDT"
TICK, LOT = Decimal("0.01"), Decimal("0.00001")
QUICK = Limits(connect_s=2.0, answer_s=0.4, silence_s=5.0, ping_s=0.2, frame_gap_s=0.0)
DEFINITION = {
    "symbol": NAME,
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": str(TICK)},
        {"filterType": "LOT_SIZE", "minQty": str(LOT), "maxQty": "9000.00000", "stepSize": str(LOT)},
    ],
}
AWAY = 40
"""Frames that pass while a client that was cut off is away."""
Picture = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]
Levels = dict[Decimal, Decimal]


class Venue:
    """`frames`: decoded, in order; `picture`: a REST answer that they fit. `faults`: place in the frames → what happens
    there; `answers`, `handshakes`: what happens to the next requests for book and trades, and to the next streams.
    """

    def __init__(
        self,
        frames: Sequence[Mapping[str, Any]],
        picture: Mapping[str, Any],
        faults: Mapping[int, str] | None = None,
        answers: Iterable[str] = (),
        handshakes: Iterable[int] = (),
    ) -> None:
        self.frames, self.faults = list(frames), dict(faults or {})
        self.answers, self.handshakes = deque(answers), deque(handshakes)
        self.sides: tuple[Levels, Levels] = ({}, {})
        for side, name in zip(self.sides, ("bids", "asks"), strict=True):
            side.update((Decimal(price), Decimal(size)) for price, size in picture[name])
        self.last = int(picture["lastUpdateId"])
        self.trades: list[dict[str, Any]] = []
        self.pictures: list[Picture] = [self.picture()]
        self.done = asyncio.Event()
        self.streams = 0
        self.asked: list[str] = []
        self._open: list[web.WebSocketResponse] = []
        self._stuck: dict[web.WebSocketResponse, asyncio.Event] = {}
        self._muted: dict[web.WebSocketResponse, str] = {}
        self._there = asyncio.Event()
        self._asked_depth = asyncio.Event()

    def picture(self) -> Picture:
        """The book's visible part, in ticks and lots."""
        bids = sorted(self.sides[0].items(), reverse=True)[:DEPTH]
        asks = sorted(self.sides[1].items())[:DEPTH]
        bids_of, asks_of = (
            tuple((int(price / TICK), int(size / LOT)) for price, size in side) for side in (bids, asks)
        )
        return bids_of, asks_of

    @property
    def last_trade(self) -> int:
        """The id of the latest trade."""
        return int(self.trades[-1]["id"]) if self.trades else -1

    def _advance(self, frame: Mapping[str, Any]) -> None:
        """The venue's own book and trades, after this frame."""
        body = frame.get("data", frame)
        if body.get("e") == "trade":
            self.trades.append(
                {"id": body["t"], "price": body["p"], "qty": body["q"], "time": body["T"], "isBuyerMaker": body["m"]}
            )
        elif body.get("e") == "depthUpdate" and body["u"] > self.last:
            for side, rows in zip(self.sides, (body["b"], body["a"]), strict=True):
                for price, size in rows:
                    side[Decimal(price)] = Decimal(size)
                    if not Decimal(size):
                        del side[Decimal(price)]
            self.last = body["u"]
            self.pictures.append(self.picture())

    # The player

    async def play(self) -> None:
        """Plays all frames to whoever is connected; waits while nobody is."""
        away = 0
        for place, frame in enumerate(self.frames):
            if not away:
                await self._wait_for_client()
            away = max(0, away - 1)
            self._advance(frame)
            fault = self.faults.get(place, "")
            for socket in list(self._open):
                away = max(away, await self._send(socket, frame, fault))
            if place % 20 == 0:
                await asyncio.sleep(0)
        self.done.set()

    async def _wait_for_client(self) -> None:
        if not self._open:
            self._asked_depth.clear()
            self._there.clear()
            await self._there.wait()

    async def _send(self, socket: web.WebSocketResponse, frame: Mapping[str, Any], fault: str) -> int:
        """Sends one frame, or what a fault makes of it; for how many frames the client is away then."""
        text = json.dumps(frame, separators=(",", ":"))
        extra = {
            "garbage": "\x00\x7f{{{{",
            "html": "<html><body>502 Bad Gateway</body></html>",
            "torn": text[: len(text) // 2],
            "nonsense": '{"e":"depthUpdate","s":"BTCUSDT","U":9,"u":1,"b":[],"a":[]}',
            "unknown": '{"e":"surprise","s":"BTCUSDT","E":1}',
            "shutdown": '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
        }
        try:
            if fault in extra:
                await socket.send_str(extra[fault])
            if fault == "huge":
                await socket.send_str("[" + " " * (5 << 20) + "]")
            if fault.startswith("mute"):
                self._muted[socket] = '"e":"trade"' if fault == "mute trades" else "depthUpdate"
            if fault == "deaf":
                self._stuck[socket].set()
            if fault in ("cut", "close", "huge", "deaf"):
                self._leave(socket)
                if fault == "cut" and socket._req is not None and socket._req.transport is not None:
                    socket._req.transport.abort()
                if fault == "close":
                    self._stuck[socket].set()
                    await socket.close(code=1001, message=b"going away")
                return AWAY
            if fault != "lost" and self._muted.get(socket, "\0") not in text:
                await socket.send_str(text)
            if fault == "twice":
                await socket.send_str(text)
            if fault == "linger" and self.streams < 2:
                await asyncio.sleep(0.02)
            if not self._asked_depth.is_set():
                await self._hold()
        except ConnectionError:
            self._leave(socket)
            return AWAY if fault == "huge" else 0
        return 0

    def _leave(self, socket: web.WebSocketResponse) -> None:
        if socket in self._open:
            self._open.remove(socket)

    async def _hold(self) -> None:
        """The frames go on when the client's request for the book was answered: slow clients see the same."""
        try:
            async with asyncio.timeout(0.02):
                await self._asked_depth.wait()
        except TimeoutError:
            pass

    # The server

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Everything that is asked."""
        if request.path == "/stream":
            if self.handshakes and (status := self.handshakes.popleft()) != 101:
                return web.Response(
                    status=status, text="<html>", content_type="text/html", headers={"Retry-After": "0"}
                )
            return await self._stream(request)
        what = request.path.rpartition("/")[2]
        self.asked.append(what)
        if what == "exchangeInfo":
            return web.json_response({"symbols": [DEFINITION]})
        if what == "klines":
            return web.json_response(KLINES)
        fault = self.answers.popleft() if self.answers else ""
        if fault:
            return await faulty(request, fault)
        if what == "trades":
            return web.json_response(self.trades[-int(request.query["limit"]) :])
        assert what == "depth"
        limit = int(request.query["limit"])
        bids, asks = sorted(self.sides[0].items(), reverse=True)[:limit], sorted(self.sides[1].items())[:limit]
        sides = {"bids": bids, "asks": asks}
        told = {name: [[str(price), str(size)] for price, size in rows] for name, rows in sides.items()}
        self._asked_depth.set()
        return web.json_response({"lastUpdateId": self.last, **told})

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self.streams += 1
        self._stuck[socket] = stuck = asyncio.Event()
        self._open.append(socket)
        self._there.set()
        reading, ending = asyncio.create_task(socket.receive()), asyncio.create_task(stuck.wait())
        try:
            while not stuck.is_set():
                await asyncio.wait([reading, ending], return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    if reading.result().type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                        break
                    reading = asyncio.create_task(socket.receive())
            if stuck.is_set():
                reading.cancel()
                await asyncio.sleep(2.0)
        finally:
            reading.cancel()
            ending.cancel()
            self._leave(socket)
        return socket


KLINES = [
    [1723161180000, "100.00", "101.00", "99.50", "100.50", "12.5", 1723161239999, "1250.0", 10, "6.0", "600.0", "0"],
    [1723161240000, "100.50", "100.60", "100.40", "100.45", "3.00001", 1723161299999, "300.0", 4, "1.0", "100.0", "0"],
]


async def faulty(request: web.Request, fault: str) -> web.StreamResponse:
    """What may come instead of an answer."""
    if fault.isdigit():
        return web.Response(status=int(fault), headers={"Retry-After": "0"}, text="slow down")
    if fault == "slow":
        await asyncio.sleep(1.0)
    if fault == "length":
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"lastUpdateId":1,')
        assert request.transport is not None
        request.transport.abort()
        return response
    texts = {
        "html": "<!DOCTYPE html>",
        "empty": "{}",
        "null": "[null]",
        "old": '{"lastUpdateId":1,"bids":[],"asks":[]}',
    }
    return web.Response(text=texts.get(fault, ""), content_type="application/json")


@asynccontextmanager
async def open_for(venue: Venue) -> AsyncIterator[Door]:
    """The venue, playing, and a door that leads to it."""
    async with serving(venue.answer) as port:
        place = Loopback("127.0.0.1", port)
        async with Door(resolve={REST: place, STREAM: place}, limits=QUICK) as door:
            player = asyncio.create_task(venue.play())
            try:
                yield door
            finally:
                player.cancel()
                await asyncio.gather(player, return_exceptions=True)


def made_up(seed: int, count: int, quotes: bool = True) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A seeded market: `count` changes of its book with trades and best prices between them, and a picture to start
    from. Every update has one id, every message of changes holds some of them; the last message is one.
    """
    random = Random(seed)
    mid, update, trade_id = 10_000, 1_000, 500
    sides: tuple[dict[int, int], dict[int, int]] = (
        {mid - step: random.randint(1, 900) for step in range(1, 41)},
        {mid + step: random.randint(1, 900) for step in range(1, 41)},
    )
    picture = {"lastUpdateId": update, **{n: _rows(s) for n, s in zip(("bids", "asks"), sides, strict=True)}}
    frames: list[dict[str, Any]] = []
    for step in range(count):
        time = 1_723_161_255_000 + step * 100
        mid += random.choice((-1, 0, 0, 1))
        changed: tuple[dict[int, int], dict[int, int]] = ({}, {})
        for side, sign in ((0, -1), (1, 1)):
            for price in [price for price in sides[side] if (price - mid) * sign <= 0]:
                changed[side][price] = 0
            for _ in range(random.randint(1, 4)):
                changed[side][mid + sign * random.randint(1, 45)] = random.choice((0, random.randint(1, 900)))
            changed[side][mid + sign] = random.randint(1, 900)
            sides[side].update(changed[side])
            for price in [price for price, size in sides[side].items() if not size]:
                del sides[side][price]
        first, update = update + 1, update + random.randint(1, 9)
        for _ in range(random.choice((0, 1, 1, 3))):
            trade_id += 1
            taken = {"t": trade_id, "p": _price(mid), "q": _size(random.randint(1, 99)), "T": time, "m": step % 2 == 0}
            frames.append({"e": "trade", "E": time, "s": NAME, **taken})
        if quotes:
            best = (max(sides[0]), min(sides[1]))
            told = {
                "b": _price(best[0]),
                "B": _size(sides[0][best[0]]),
                "a": _price(best[1]),
                "A": _size(sides[1][best[1]]),
            }
            frames.append({"u": update, "s": NAME, **told})
        rows = {"b": _rows(changed[0]), "a": _rows(changed[1])}
        frames.append({"e": "depthUpdate", "E": time, "s": NAME, "U": first, "u": update, **rows})
    wrapped = [{"stream": "btcusdt@something", "data": frame} for frame in frames]
    return wrapped, picture


def _price(ticks: int) -> str:
    return str(ticks * TICK)


def _size(lots: int) -> str:
    return f"{lots * LOT:.8f}"


def _rows(levels: Mapping[int, int]) -> list[list[str]]:
    return [[_price(price), _size(size)] for price, size in levels.items()]
