"""One connection after another: reconnects with growing, jittered pauses; a planned change opens the next before it
closes the last, so that nothing is missed; a venue that asks for a pause gets it.
"""

import asyncio
from collections import deque
from random import Random
from typing import Final, NamedTuple

from paperdesk.domain.reasons import Reason
from paperdesk.feeds.live.clock import Clock
from paperdesk.feeds.live.port import Tap, Wire
from paperdesk.safety.outside import NoAnswer

MOST_WAITING: Final = 20_000
"""Messages taken in and not yet reduced; beyond that the socket is not read, and the venue's side fills up."""


class Pace(NamedTuple):
    """Seconds, all of them. Connections live 24 hours at most, and 300 may be opened in five minutes (Binance)."""

    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    refused_pause_s: float = 300.0
    """After an answer that will not change soon: the region is not served."""
    good_after_s: float = 30.0
    """A connection that lived so long starts the pauses anew."""
    change_after_s: float = 23 * 3600.0
    overlap_s: float = 1.0
    quiet_s: float = 2.0
    """How long the first change of a book is waited for before its snapshot is asked for anyway."""
    depth_silent_s: float = 5.0
    trades_silent_s: float = 60.0
    """How long a stream may say nothing before the venue is asked whether there was something to say."""
    suspect_s: float = 1.5
    tick_s: float = 0.5


class Opened(NamedTuple):
    """A connection stands, and nothing of an earlier one is left."""


class Lost(NamedTuple):
    """It does not; why, and for how long no other is tried."""

    why: NoAnswer
    pause_s: float


class Frame(NamedTuple):
    """A message as it came."""

    data: bytes


class Answer(NamedTuple):
    """To a request: its body, or why there is none."""

    kind: str
    name: str
    body: bytes | NoAnswer


Event = Opened | Lost | Frame | Answer


class Inbox:
    """What came in, in order, each with the time at which it came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: deque[tuple[int, Event]] = deque()
        self._there = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def put(self, event: Event) -> None:
        """Adds one."""
        self._events.append((self._clock.now_ns(), event))
        self._there.set()
        if len(self._events) >= MOST_WAITING:
            self._room.clear()

    async def room(self) -> None:
        """Waits until there is room."""
        await self._room.wait()

    async def take(self, most: int, wait_s: float) -> list[tuple[int, Event]]:
        """Up to `most`, oldest first; an empty list where nothing came in time."""
        try:
            async with asyncio.timeout(wait_s):
                await self._there.wait()
        except TimeoutError:
            return []
        taken = [self._events.popleft() for _ in range(min(most, len(self._events)))]
        if not self._events:
            self._there.clear()
        if len(self._events) < MOST_WAITING:
            self._room.set()
        return taken


class Link:
    """Keeps a stream open and puts what comes into the inbox."""

    def __init__(self, wire: Wire, address: str, inbox: Inbox, pace: Pace, seed: int) -> None:
        self._wire, self._address, self._inbox, self._pace = wire, address, inbox, pace
        self._random = Random(seed)  # noqa: S311  jitter, no secret
        self._change = asyncio.Event()
        self._broken: NoAnswer | None = None
        self._tap: Tap | None = None
        self._closing: asyncio.Task[None] | None = None
        self.opened = 0
        self.failures = 0

    def change(self) -> None:
        """Another connection is wanted soon: the venue announced the end of this one."""
        self._change.set()

    def break_off(self, why: NoAnswer) -> None:
        """This connection is of no use any more."""
        if self._tap is not None and self._broken is None:
            self._broken = why
            self._closing = asyncio.create_task(self._tap.close())

    async def run(self) -> None:
        """Runs until canceled."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                tap: Tap | None = await self._wire.connect(self._address)
                while tap is not None:
                    self.opened += 1
                    self._broken = None
                    self._inbox.put(Opened())
                    tap = await self._follow(tap)
            except NoAnswer as why:
                if loop.time() - began >= self._pace.good_after_s:
                    self.failures = 0
                self.failures += 1
                told = self._broken or why
                pause_s = self._pause(told)
                self._inbox.put(Lost(told, pause_s))
                await asyncio.sleep(pause_s)

    def _pause(self, why: NoAnswer) -> float:
        pace = self._pace
        if why.reason is Reason.REGION_REFUSED:
            return max(pace.refused_pause_s, why.wait_s)
        longest = min(pace.longest_pause_s, pace.first_pause_s * 2 ** min(self.failures - 1, 20))
        return max(longest * self._random.uniform(0.5, 1.0), why.wait_s)

    async def _follow(self, tap: Tap) -> Tap | None:
        """Reads a connection to its end; the next one, where it was planned. NoAnswer where it was not."""
        loop = asyncio.get_running_loop()
        self._tap = tap
        change_at = loop.time() + self._pace.change_after_s * self._random.uniform(0.95, 1.0)
        opening: asyncio.Task[Tap] | None = None
        self._change.clear()
        handed = False
        try:
            while True:
                try:
                    frame = await tap.receive()
                except NoAnswer:
                    if opening is None or self._broken:
                        raise
                    handed, following = True, await opening
                    return following
                self._inbox.put(Frame(frame))
                await self._inbox.room()
                if opening is None and (self._change.is_set() or loop.time() >= change_at):
                    opening = asyncio.create_task(self._next())
                if opening is not None and opening.done():
                    handed = True
                    return opening.result()
        finally:
            self._tap = None
            if opening is not None and not handed:
                await _discard(opening)
            if self._closing is not None:
                await asyncio.wait([self._closing])
                self._closing = None
            await tap.close()

    async def _next(self) -> Tap:
        """The next connection, once it has stood for a moment beside the last."""
        tap = await self._wire.connect(self._address)
        try:
            await asyncio.sleep(self._pace.overlap_s)
        except asyncio.CancelledError:
            await tap.close()
            raise
        return tap


async def _discard(opening: "asyncio.Task[Tap]") -> None:
    """Ends a connection that nobody wants any more, whether it stands or is on its way."""
    opening.cancel()
    await asyncio.wait([opening])
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().close()
