"""The stream: every event in order, and pictures of what changes, to many clients.

What all clients get is made into JSON once. Events are read from the ring, each client at its own cursor; pictures wait in a short queue of
its own. A client that falls behind, because it does not read, is disconnected with 4008 and may resume from the last event that it has.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketException
from litestar.handlers import WebsocketRouteHandler, websocket

from paperdesk.api.endpoint import PLACE, ROOT, Told, unreadable
from paperdesk.api.engine_link import Changes
from paperdesk.api.guard import deny
from paperdesk.api.models import State, encode
from paperdesk.api.models_live import Hello, MarketSaid, Reset, StateSaid, StreamMessage
from paperdesk.api.picture import book_of, desk_of, pulse_of
from paperdesk.api.ring import START, Place, place_text
from paperdesk.api.service import Service
from paperdesk.api.told import Unanswered, logged

TICK_S: Final = 0.1
STATE_TICKS: Final = 3
PULSE_TICKS: Final = 10
MOST_CLIENTS: Final = 1_000
MOST_WAITING: Final = 100
"""Pictures: about 7 seconds of them."""
EVENTS_AT_ONCE: Final = 100
CLOSE_S: Final = 5.0
"""For a client to take the closing frame in; then its connection is cut."""
ABORT_S: Final = 12.0
GONE: Final = (OSError, WebSocketException)
"""What sending raises where nobody is there any more."""
SLOW, FULL, DEAF, BUG = 4008, 4009, 4000, 1011


class StreamQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of GET /stream. `run`: of the run that `after` is a place of; another run resets."""

    after: Annotated[str, msgspec.Meta(pattern=PLACE)] | None = None
    run: Annotated[str, msgspec.Meta(max_length=100)] | None = None


class Client:
    """One connection."""

    def __init__(self) -> None:
        self.cursor = self.generation = 0
        self.pictures: deque[str] = deque()
        self.wake = asyncio.Event()
        self.greeted = False
        self.ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    def end(self, code: int, why: str) -> None:
        """Close, with a code and a reason (at most 120 bytes)."""
        if not self.ended.done():
            self.ended.set_result((code, why))

    def show(self, text: str) -> None:
        """A picture for it; the end, where too many wait already."""
        if len(self.pictures) >= MOST_WAITING:
            self.end(SLOW, "too slow: pictures were not read in time; resume from the last event that you have")
            return
        self.pictures.append(text)
        self.wake.set()


class Hub:
    """All clients, and what is told to all of them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.clients: set[Client] = set()
        self.made = 0
        """Messages made for all: each once, however many clients there are."""
        self._state: State | None = None
        self._opening: list[str] | None = None
        service.link.on_events.append(self._wake)
        service.link.on_welcome.append(self._forget)

    def _wake(self) -> None:
        for client in self.clients:
            client.wake.set()

    def _forget(self) -> None:
        self._opening = None

    async def run(self) -> None:
        """Tick until canceled: look after the link, and show pictures that changed."""
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            self.service.link.watch()
            self._opening = None
            changes = self.service.link.take_changes()
            if not self.clients:
                self._state = None
                continue
            with contextlib.suppress(Unanswered):
                if changes:
                    self._show(self._market(changes))
                if ticks % STATE_TICKS == 0:
                    self._show_state()
                pulse = pulse_of(self.service.link, self.service.family, len(self.clients))
                if ticks % PULSE_TICKS == 0 and pulse is not None:
                    self._show(pulse)

    def _show(self, message: StreamMessage) -> None:
        text = encode(message).decode()
        self.made += 1
        for client in self.clients:
            if client.greeted:
                client.show(text)

    def _market(self, changes: dict[int, Changes]) -> MarketSaid:
        link = self.service.link
        books = [
            book_of(link.markets[number], link.directory, change)
            for number, change in sorted(changes.items())
            if number in link.markets
        ]
        return MarketSaid(markets=books)

    def _show_state(self) -> None:
        state, _ = self.service.keeper.current()
        if state is self._state:
            return
        still = {"seq": 0, "marks_seq": 0, "time": "", "ts_ns": ""}
        before, self._state = self._state, state
        if before is None or msgspec.structs.replace(before, **still) != msgspec.structs.replace(state, **still):
            self._show(StateSaid(state=state))

    def opening(self) -> list[str]:
        """What a new client is shown first: desk, state, markets, pulse; made once for all who come within a tick."""
        if self._opening is None:
            service = self.service
            made: list[Callable[[], StreamMessage | None]] = [
                lambda: Hello(desk=desk_of(service.link, service.family, service.walls)),
                lambda: StateSaid(state=service.keeper.current()[0]),
                lambda: (
                    self._market({one: Changes() for one in service.link.markets}) if service.link.markets else None
                ),
                lambda: pulse_of(service.link, service.family, len(self.clients)),
            ]
            texts = []
            for make in made:
                with contextlib.suppress(Unanswered):
                    message = make()
                    if message is not None:
                        texts.append(encode(message).decode())
            self._opening = texts
        return self._opening

    # ── one client

    async def serve(self, scope: Any, receive: Any, send: Any, after: Place | None, run: str | None) -> None:
        """From handshake to goodbye."""
        await receive()
        await send({"type": "websocket.accept"})
        client = Client()
        if len(self.clients) >= MOST_CLIENTS:
            client.end(FULL, f"this desk serves at most {MOST_CLIENTS} streams: close a tab and try again")
        else:
            self.clients.add(client)
            self._counted()
        listening = asyncio.ensure_future(self._listen(client, receive))
        speaking = asyncio.ensure_future(self._speak(client, send, after, run))
        try:
            await asyncio.wait((listening, speaking, client.ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.clients.discard(client)
            self._counted()
            for task in (listening, speaking):
                task.cancel()
            await asyncio.gather(listening, speaking, return_exceptions=True)
        for task in (listening, speaking):
            if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, GONE):
                client.end(BUG, f"a bug in the desk's api; it is in the log as error {logged(error, 'the stream')}")
        if client.ended.done():
            await self._close(scope, send, *client.ended.result())

    def _counted(self) -> None:
        self.service.metrics.collected.clients = len(self.clients)

    async def _close(self, scope: Any, send: Any, code: int, why: str) -> None:
        """A closing frame where there is room for one; the connection is cut some time after, whatever its other side does."""
        if code == SLOW:
            self.service.metrics.slow.inc()
        abort = scope.get("state", {}).get("abort", lambda: None)
        try:
            await asyncio.wait_for(send({"type": "websocket.close", "code": code, "reason": why}), CLOSE_S)
        except TimeoutError:
            abort()
        except GONE:
            return
        asyncio.get_running_loop().call_later(ABORT_S, abort)

    async def _listen(self, client: Client, receive: Any) -> None:
        """Nothing is expected: commands have their own endpoints, with their own answers."""
        message = await receive()
        if message["type"] == "websocket.receive":
            client.end(DEAF, f"this stream takes no messages; commands are sent to POST {ROOT}/…")
            await client.ended

    async def _speak(self, client: Client, send: Any, after: Place | None, run: str | None) -> None:
        link = self.service.link
        while link.welcome is None:
            await link.welcomed.wait()
        ring, now = link.ring, max(link.ring.newest, (link.welcome.seq, 0))
        hello, *pictures = self.opening()
        await send({"type": "websocket.send", "text": hello})
        cursor = ring.end if after is None else self._resumed(after, run)
        client.generation, client.cursor = ring.generation, ring.oldest if cursor is None else cursor
        if cursor is None:
            await self._reset(send)
        client.pictures.extend(pictures)
        client.greeted = True
        while True:
            if client.generation != ring.generation:
                client.generation, client.cursor, now = ring.generation, ring.oldest, START
                await self._reset(send)
            if after is None:  # from now on: what happened before is still coming in where this process has just begun
                client.cursor = max(client.cursor, ring.cursor(now) or 0)
            texts = ring.read(client.cursor, EVENTS_AT_ONCE)
            if texts is None:
                client.end(SLOW, "too slow: events were not read in time; resume from the last event that you have")
                await client.ended
                return
            for text in texts:
                await send({"type": "websocket.send", "text": text})
                client.cursor += 1
            if not texts and client.pictures:
                await send({"type": "websocket.send", "text": client.pictures.popleft()})
            elif not texts:
                client.wake.clear()
                await client.wake.wait()

    def _resumed(self, after: Place, run: str | None) -> int | None:
        """Where to read on; None where that is not known here, or another run's."""
        link = self.service.link
        if (run is not None and link.welcome is not None and run != link.welcome.run) or after[0] > link.seq:
            return None
        return link.ring.cursor(after)

    async def _reset(self, send: Any) -> None:
        link = self.service.link
        told = Reset(
            text="What came before is no longer kept here, or belongs to another run: read GET /api/v1/state and go on from here.",
            run=link.welcome.run if link.welcome else "",
            after=place_text(link.ring.floor if link.ring.floor[0] < 2**62 else link.ring.newest),
        )
        await send({"type": "websocket.send", "text": encode(told).decode()})


def handler_of(hub: Hub) -> WebsocketRouteHandler:
    """The endpoint."""

    @websocket(f"{ROOT}/stream", opt={"told": Told("The stream, as a websocket", StreamMessage, StreamQuery)})
    async def stream(socket: WebSocket[Any, Any, Any]) -> None:
        """Events after a place, and what changes."""
        given = socket.query_params.dict()
        try:
            query = msgspec.convert({name: values[-1] for name, values in given.items()}, StreamQuery, strict=False)
        except msgspec.ValidationError as error:
            await deny(socket.scope, socket.send, unreadable(error, "query", StreamQuery))
            return
        after = None
        if query.after is not None:
            seq, _, number = query.after.partition(".")
            after = (int(seq), int(number))
        await hub.serve(socket.scope, socket.receive, socket.send, after, query.run)

    return stream
