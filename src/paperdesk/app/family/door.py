"""What the door's process does behind its wall: the one way out, and the live feed. It sees no account, no order, no file of the desk.

It asks the venue for its markets, says what it found, and then sends blocks to the
engine as they come. An engine that does not keep up, or is not there, never makes it wait: what is under way is then conflated (the
newest book and best price of each market, all trades), and counted.
"""

import asyncio
import signal
from collections import deque
from typing import Any, Final

import msgspec
import numpy as np

from paperdesk.app.family.door_notes import opened_door
from paperdesk.app.family.tasks import DoorTask, Found, NoOffer
from paperdesk.app.family.words import DECODE_ASK, ENCODE, MOST_ROWS, Beat, Offer, Past, Rows
from paperdesk.domain.events import InputKind
from paperdesk.feeds.live.binance import BinanceLive, open_binance
from paperdesk.feeds.merging import joined
from paperdesk.feeds.port import RecordingRefused
from paperdesk.safety.door import Door
from paperdesk.safety.handover import Handed
from paperdesk.safety.link import Link
from paperdesk.safety.outside import NoAnswer

ROWS_WAITING: Final = 20_000
ROWS_AT_MOST: Final = 100_000
BEAT_S: Final = 0.5
RETRY_S: Final = 0.005
BARS: Final = 500
EXIT_NO_OFFER: Final = 69
LAST_ONE: Final = (int(InputKind.BOOK), int(InputKind.QUOTE))
LOCAL_NOTICE: Final = "Prices come from a server on this machine, not from the venue"


class Outgoing:
    """Blocks on their way to the engine."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.conflated = self.dropped = 0
        self._blocks: deque[np.ndarray[Any, Any]] = deque()
        self._rows, self._most = 0, ROWS_WAITING

    def put(self, block: np.ndarray[Any, Any]) -> bool:
        """Add a block; False where something had to be left out that nobody else will tell of."""
        for start in range(0, len(block), MOST_ROWS):
            self._blocks.append(block[start : start + MOST_ROWS])
        self._rows += len(block)
        self.pump()
        dropped = self.dropped
        if self._rows > self._most:
            self._conflate()
            # What stays is not looked through again at every block.
            self._most = ROWS_WAITING + min(2 * self._rows, ROWS_AT_MOST)
        return self.dropped == dropped

    def clear(self) -> None:
        """Forget what waits."""
        self._blocks.clear()
        self._rows = 0

    def pump(self) -> bool:
        """Send what there is room for; whether nothing waits any more."""
        while self._blocks and self.link.send(ENCODE(Rows(self._blocks[0].tobytes()))):
            self._rows -= len(self._blocks.popleft())
        return not self._blocks

    def _conflate(self) -> None:
        """Keep the newest book and quote of each market, and everything else; where even that is too much, the newest of it."""
        rows = joined(list(self._blocks))
        keep = ~np.isin(rows["kind"], LAST_ONE)
        newest: dict[tuple[int, int], int] = {}
        for place in np.flatnonzero(~keep).tolist():
            newest[int(rows["kind"][place]), int(rows["instrument"][place])] = place
        keep[list(newest.values())] = True
        kept = rows[keep]
        self.conflated += len(rows) - len(kept)
        if len(kept) > ROWS_AT_MOST:
            self.dropped += len(kept) - ROWS_AT_MOST
            kept = kept[-ROWS_AT_MOST:]
        self.clear()
        for start in range(0, len(kept), MOST_ROWS):
            self._blocks.append(kept[start : start + MOST_ROWS])
        self._rows = len(kept)


class Post:
    """Everything the door says to the engine."""

    def __init__(
        self, link: Link, door: Door, feed: BinanceLive, offer: Offer, past: list[np.ndarray[Any, Any]], closed_in: str
    ) -> None:
        self.link, self.door, self.feed = link, door, feed
        self.offer, self.past, self.closed_in = offer, past, closed_in
        self.outgoing = Outgoing(link)
        self._asked = False

    def listen(self) -> None:
        """The engine asks: it begins."""
        while (data := self.link.receive()) is not None:
            DECODE_ASK.decode(data)
            if not self._asked:
                self._asked = True
                self.outgoing.clear()
            for bars in self.past:
                for start in range(0, len(bars), MOST_ROWS):
                    self.link.send(ENCODE(Past(bars[start : start + MOST_ROWS].tobytes())))
            self.link.send(ENCODE(msgspec.structs.replace(self.offer, answers=True)))
            self.feed.show_again()

    async def follow(self) -> None:
        """Blocks, as they come."""
        async for block in self.feed.blocks():
            if self._asked and not self.outgoing.put(block):
                self.feed.show_again()  # a hole that nobody would see otherwise

    async def beat(self) -> None:
        """Twice a second, and what waits meanwhile."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if loop.time() >= due:
                due = loop.time() + BEAT_S
                self.link.send(ENCODE(Beat(self.told())))
            await asyncio.sleep(BEAT_S / 2 if self.outgoing.pump() else RETRY_S)

    def told(self) -> dict[str, Any]:
        """How the way out is, for people and metrics."""
        feed = self.feed
        return {
            "connected": feed.connected,
            "wall": self.closed_in,
            "trouble": str(feed.trouble or ""),
            "calls": [list(row) for row in self.door.counters.rows()],
            "messages": feed.refusals.read,
            "refused": sum(feed.refusals.values()),
            "backfilled": sum(track.backfilled for track in feed.tracks.values()),
            "missed": sum(track.missed for track in feed.tracks.values()),
            "conflated": self.outgoing.conflated,
            "dropped": self.outgoing.dropped,
            "clock_jumps": feed.clock.jumps,
        }


async def opened(door: Door, task: DoorTask) -> tuple[BinanceLive, list[np.ndarray[Any, Any]]]:
    """The feed, and bars from before (none where the venue does not give them in time)."""
    async with asyncio.timeout(task.within_s):
        feed = await open_binance(door, task.symbols)
        past = []
        for name in feed.tracks:
            try:
                past.append(await feed.bars(name, "1m", BARS))
            except NoAnswer as why:
                feed.trouble = why
        return feed, past


async def serve(task: DoorTask, closed_in: str, handed: Handed | None) -> int:
    """Offer, then follow the market until asked to end; senders are served beside. `closed_in`: the wall that stands, in words."""
    engine, supervisor = Link(task.engine), Link(task.supervisor)
    async with opened_door(task, handed) as door:
        try:
            feed, past = await opened(door, task)
        except (NoAnswer, RecordingRefused, TimeoutError) as why:
            text = str(why) or f"binance did not answer within {task.within_s:g} s"
            for link in (supervisor, engine):
                link.send(ENCODE(NoOffer(text)))
            return EXIT_NO_OFFER
        source, label, notes = feed.source, feed.label, list(feed.notes)
        if task.venue_at:  # never to be taken for the real one: another label, another source, other accounts
            source, label = source ^ 1, "SIMULATED"
            notes.append(f"{LOCAL_NOTICE} ({task.venue_at}).")
        offer = Offer(list(feed.instruments), list(feed.assets), label, source, notes, False)
        supervisor.send(ENCODE(Found()))
        engine.send(ENCODE(offer))
        post = Post(engine, door, feed, offer, past, closed_in)
        loop = asyncio.get_running_loop()
        loop.add_reader(engine.fileno(), post.listen)
        tasks = [asyncio.create_task(post.follow()), asyncio.create_task(post.beat())]
        loop.add_signal_handler(signal.SIGTERM, lambda: [one.cancel() for one in tasks])
        try:
            await asyncio.gather(*tasks)
        except asyncio.CancelledError:
            return 0
        finally:
            loop.remove_reader(engine.fileno())
    return 0
