"""The api's end of the link to the engine, and of the one to the supervisor: what they said last, and commands on their way.

Everything arrives in order and is kept: events in a ring, pictures of markets, minute bars, the last pulse. The api asks from where on
it wants to be told (`Subscribe`) when it starts, when an engine greets it that it did not ask, and after 3 seconds of silence; what comes twice
is taken once. A command is sent once and its reply awaited: whoever gets no reply asks again with the same key.
"""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from paperdesk.api import messages as say
from paperdesk.api.directory import Directory
from paperdesk.api.events import FIRST_NOTE, SILENT, SILENT_NOTES, event_of, note_event
from paperdesk.api.models import encode
from paperdesk.api.models_live import Event, EventSaid
from paperdesk.api.ring import NOWHERE, START, Place, Ring
from paperdesk.api.told import problem
from paperdesk.store.reading import ACCOUNT, KIND, NUMBER, OUTPUT_ROW, SEQ, TS

SILENCE_S: Final = 3.0
REPLY_S: Final = 5.0
BARS_KEPT: Final = 1_500
TRADES_KEPT: Final = 30
MESSAGES_A_TURN: Final = 200
"""Then others have their turn; the rest is read right after."""
Bar = tuple[int, int, int, int, int, int]


class Wire(Protocol):
    """What a link must do: `safety.link.Link` does."""

    def fileno(self) -> int:
        """For the event loop."""

    def send(self, message: bytes) -> bool:
        """Whether there was room."""

    def receive(self) -> bytes | None:
        """The next message; EOFError where the other side is gone."""


class Changes:
    """What changed in a market since it was taken last."""

    def __init__(self) -> None:
        self.trades: deque[tuple[int, int, int, int]] = deque(maxlen=TRADES_KEPT)
        self.bars: dict[int, Bar] = {}


class EngineLink:
    """All that is known of the engine."""

    def __init__(self, wire: Wire, clock: Callable[[], float] = time.monotonic) -> None:
        self.wire, self.clock = wire, clock
        self.directory = Directory()
        self.ring = Ring()
        self.welcome: say.Welcome | None = None
        self.pulse: say.Pulse | None = None
        self.markets: dict[int, say.MarketTold] = {}
        self.trades: dict[int, deque[tuple[int, int, int, int]]] = {}
        self.bars: dict[int, dict[int, Bar]] = {}
        self.changes: dict[int, Changes] = {}
        self.heard_s = -1e9
        self.welcomed = asyncio.Event()
        self.gone = asyncio.Event()
        """The other side is closed for good."""
        self.on_events: list[Callable[[], None]] = []
        self.on_pulse: list[Callable[[], None]] = []
        self.on_welcome: list[Callable[[], None]] = []
        self._unanswered = False
        self._asked_after = 0
        self._last_ns = 0
        self._beside: frozenset[int] = frozenset()
        """Accounts whose events are not the desk's own account's, and are not told."""
        self._asked_s = -1e9
        self._notes: dict[bytes, int] = {}
        self._waiting: dict[int, asyncio.Future[say.Reply]] = {}
        self._next = time.time_ns() // 1_000
        """Replies to an api that was here before never meet a number of ours."""

    # ── listening

    @property
    def silence_s(self) -> float:
        """How long nothing was heard."""
        return max(0.0, self.clock() - self.heard_s)

    @property
    def heard(self) -> bool:
        """Whether the engine lives, as far as can be told."""
        return self.welcome is not None and self.silence_s < SILENCE_S

    @property
    def seq(self) -> int:
        """The last input known of."""
        told = (self.ring.newest[0], self.welcome.seq if self.welcome else 0, self.pulse.seq if self.pulse else 0)
        return max(told)

    def start(self) -> None:
        """Listen, and ask to be told."""
        asyncio.get_running_loop().add_reader(self.wire.fileno(), self._readable)
        self._subscribe()

    def stop(self) -> None:
        """Listen no more; whoever waits for a reply gets none."""
        asyncio.get_running_loop().remove_reader(self.wire.fileno())
        for future in self._waiting.values():
            future.cancel()

    def watch(self) -> None:
        """Now and then: ask again after silence, or where the question was not answered."""
        if (self._unanswered or self.silence_s >= SILENCE_S) and self.clock() - self._asked_s >= SILENCE_S:
            self._subscribe()

    def _subscribe(self) -> None:
        """From the input before the last that was seen on: it may have been seen in part."""
        self._asked_s, self._unanswered = self.clock(), True
        self._asked_after = max(0, self.ring.newest[0] - 1)
        self.wire.send(say.ENCODER.encode(say.Subscribe(self._asked_after)))

    def _readable(self) -> None:
        changed = False
        try:
            for _ in range(MESSAGES_A_TURN):
                data = self.wire.receive()
                if data is None:
                    break
                changed = self._take(data) or changed
        except EOFError:
            asyncio.get_running_loop().remove_reader(self.wire.fileno())
            self.gone.set()
        if changed:
            for tell in self.on_events:
                tell()

    def _take(self, data: bytes) -> bool:
        """Take one message; whether events came."""
        self.heard_s = self.clock()
        try:
            said = say.FROM_ENGINE.decode(data)
        except msgspec.MsgspecError as error:
            print(f"paperdesk api: a message of the engine cannot be read: {error}", file=sys.stderr, flush=True)
            return False
        if isinstance(said, say.Welcome):
            self._welcome(said)
        elif isinstance(said, say.Reply):
            future = self._waiting.pop(said.request, None)
            if future is not None and not future.done():
                future.set_result(said)
        elif self.welcome is None:
            return False  # said to an api that was here before: the answer to our own question brings all of it again
        elif isinstance(said, say.Outputs):
            return self._outputs(said.rows)
        elif isinstance(said, say.Note):
            return self._note(said)
        elif isinstance(said, say.Market):
            for market in said.markets:
                self._market(market)
        elif isinstance(said, say.Pulse):
            self.pulse = said
            for tell in self.on_pulse:
                tell()
        else:
            self._keep_bars(said.instrument, said.bars)
        return False

    def _welcome(self, said: say.Welcome) -> None:
        """The answer to our question; or a greeting that nobody asked for, or an answer to an api that was here before."""
        if said.after_seq == -1:
            self._subscribe()
            return
        if self.welcome is None and said.after_seq != self._asked_after:
            return
        self._unanswered = False
        if self.welcome is not None and said.run != self.welcome.run and said.after_seq > 0:
            self.welcome, self.ring.newest = (
                None,
                START,
            )  # the place asked for was another run's: ask for all of this one
            self.welcomed.clear()
            self._subscribe()
            return
        if self.welcome is None or said.run != self.welcome.run:
            self.directory = Directory()
            self.markets, self.trades, self.bars, self.changes = {}, {}, {}, {}
            self.pulse = None
            self._notes.clear()
            self.ring.newest = START
            self.ring.begin_anew(NOWHERE if said.lost else START)
        elif said.lost and said.after_seq == self._asked_after:
            self.ring.begin_anew()
        self.directory.take(said.assets, said.instruments, said.bots)
        beside = [row for row in said.accounts if row["account"] != said.account]
        self._beside = frozenset(row["account"] for row in beside)
        self.directory.beside.update({number: name for row in beside for number, name in row["bots"]})
        self.welcome = said
        for tell in self.on_welcome:
            tell()
        self.welcomed.set()

    def _outputs(self, data: bytes) -> bool:
        ring, any_event = self.ring, False
        for row in OUTPUT_ROW.iter_unpack(data):
            place: Place = (row[SEQ], row[NUMBER])
            if place <= ring.newest:
                continue
            if row[SEQ] > ring.newest[0]:
                self._notes.clear()
            ring.reach(place)
            if row[KIND] not in SILENT and row[ACCOUNT] not in self._beside:
                self._add(place, event_of(row, self.directory))
                any_event = True
            self._last_ns = row[TS]
        return any_event

    def _note(self, said: say.Note) -> bool:
        """Notes have no number of their own: those behind an input are counted, and known again by what they say."""
        if said.note.get("type") == "instrument":
            self.directory.take((), (said.note,))
        if said.seq < self.ring.newest[0] or said.note.get("type") in SILENT_NOTES:
            return False
        if said.seq > self.ring.newest[0]:
            self._notes.clear()
        text = encode(said.note)
        if text in self._notes:
            return False
        number = self._notes[text] = FIRST_NOTE + len(self._notes)
        self.ring.reach((said.seq, number))
        self._add((said.seq, number), note_event(said.seq, number, said.note, self.directory, self._last_ns))
        return True

    def _add(self, place: Place, event: Event) -> None:
        self.ring.add(place, encode(EventSaid(event=event)).decode())

    def _market(self, market: say.MarketTold) -> None:
        number = market.instrument
        self.markets[number] = market
        self.trades.setdefault(number, deque(maxlen=TRADES_KEPT)).extend(market.trades)
        changes = self.changes.setdefault(number, Changes())
        changes.trades.extend(market.trades)
        changes.bars.update({bar[0]: bar for bar in market.bars})
        self._keep_bars(number, market.bars)

    def _keep_bars(self, instrument: int, bars: list[Bar]) -> None:
        kept = self.bars.setdefault(instrument, {})
        in_order = not kept or not bars or bars[0][0] >= next(reversed(kept))
        kept.update({bar[0]: bar for bar in bars})
        if not in_order:
            kept = self.bars[instrument] = dict(sorted(kept.items()))
        while len(kept) > BARS_KEPT:
            del kept[next(iter(kept))]

    def take_changes(self) -> dict[int, Changes]:
        """Instrument → what changed since this was asked last."""
        taken, self.changes = self.changes, {}
        return taken

    # ── commands

    async def request(self, key: str, what: Any) -> say.Reply:
        """The engine's reply to a command; Unanswered with 503 where it takes no more, 504 where it says nothing."""
        self._next += 1
        number = self._next
        future: asyncio.Future[say.Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            if not self.wire.send(say.ENCODER.encode(say.Request(number, key, what))):
                raise problem(
                    503, "busy", "The engine takes no more commands now.", "ask again with the same Idempotency-Key"
                )
            return await asyncio.wait_for(future, REPLY_S)
        except TimeoutError:
            raise problem(
                504,
                "no_answer",
                "The engine did not answer.",
                "ask again with the same Idempotency-Key: it is done at most once",
            ) from None
        finally:
            self._waiting.pop(number, None)


class FamilyLink:
    """What the supervisor tells of the family's processes."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.family: say.Family | None = None
        self.gone = asyncio.Event()
        """The supervisor is gone: nobody would look after this process."""

    def start(self) -> None:
        """Listen."""
        asyncio.get_running_loop().add_reader(self.wire.fileno(), self._readable)

    def stop(self) -> None:
        """Listen no more."""
        asyncio.get_running_loop().remove_reader(self.wire.fileno())

    def _readable(self) -> None:
        try:
            while (data := self.wire.receive()) is not None:
                self.family = say.FROM_SUPERVISOR.decode(data)
        except EOFError:
            asyncio.get_running_loop().remove_reader(self.wire.fileno())
            self.gone.set()
        except msgspec.MsgspecError as error:
            print(f"paperdesk api: a message of the supervisor cannot be read: {error}", file=sys.stderr, flush=True)
