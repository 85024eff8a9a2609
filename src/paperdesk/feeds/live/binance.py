"""Binance Spot, live: public trades, best prices and the book, as the same inputs that a replay of them gives.

    feed = await open_binance(door, ["BTCUSDT"])
    async for block in feed.blocks(): ...

Messages go through the same `Reader` and `SequencedMarket` as those of a recording; this adds what a recording has behind
it: asking for snapshots, connections that end, trades that were missed, streams that fall silent. `ts_seq_ns` is
the time at which a message came here. A market that is not whole says so by a MARKET_STATUS row, and again when it is.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import blake2b
from typing import Final

import numpy as np

from paperdesk.domain.assets import Asset
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.binance import CORRUPT, DECODE, Reader
from paperdesk.feeds.instruments import Definitions, Desk, Fees, build, entries_of, plain
from paperdesk.feeds.live.clock import Clock
from paperdesk.feeds.live.link import Answer, Event, Frame, Inbox, Link, Lost, Opened, Pace
from paperdesk.feeds.live.port import Wire
from paperdesk.feeds.live.rest import (
    PROBE_LEVELS,
    definitions_url,
    depth_of,
    depth_url,
    klines_of,
    klines_url,
    not_as_expected,
    stream_url,
    trades_of,
    trades_url,
)
from paperdesk.feeds.live.status import Cause, LiveWriter
from paperdesk.feeds.live.track import RETRY_S, Track
from paperdesk.feeds.merging import joined
from paperdesk.feeds.port import Label, RecordingRefused, Refusals
from paperdesk.feeds.recording import Found, json_or_none, split_symbol, to_ns
from paperdesk.feeds.sequenced import SequencedMarket
from paperdesk.feeds.writer import Writer
from paperdesk.safety.outside import NoAnswer

MOST_MARKETS: Final = 50
A_TURN: Final = 1_000
"""Messages reduced before what they became is handed over."""
MOST_CORRUPT: Final = 20
"""Messages in a row that cannot be read before the connection is given up."""
SOURCE_BITS: Final = 62


async def open_binance(
    wire: Wire,
    symbols: Sequence[str],
    *,
    scales: Mapping[str, int] | None = None,
    fees: Fees | None = None,
    pace: Pace | None = None,
    clock: Clock | None = None,
    seed: int = 0,
) -> "BinanceLive":
    """Asks the venue for the definitions of these markets ("BTCUSDT", "BTC/USDT") and makes a feed of them.

    NoAnswer where the venue does not answer; RecordingRefused for markets that it does not have.
    """
    names = list(dict.fromkeys(plain(symbol) for symbol in symbols))
    if not 1 <= len(names) <= MOST_MARKETS:
        raise RecordingRefused(f"{len(names)} markets were asked for; one desk takes 1 to {MOST_MARKETS} live ones")
    entries = entries_of(json_or_none(await wire.get(definitions_url(names))))
    missing = [name for name in names if ("", name) not in entries]
    if missing:
        raise RecordingRefused(f"binance does not define {', '.join(missing)}; check the symbols")
    found = {name: _found(name, entries["", name].exchange) for name in names}
    definitions = Definitions(entries, "the venue's exchangeInfo")
    instruments, assets, notes = build(list(found.values()), Desk([definitions], scales, fees))
    return BinanceLive(wire, found, instruments, assets, notes, pace or Pace(), clock or Clock(), seed)


def _found(name: str, definition: Mapping[str, object] | None) -> Found:
    """A market as the venue defines it, with all streams that are subscribed to."""
    told = definition or {}
    base, quote = str(told.get("baseAsset") or ""), str(told.get("quoteAsset") or "")
    if not base or not quote:
        base, quote = split_symbol(name) or (name, "")
    return Found(f"{base}/{quote}", base, quote, "binance", trades=1, quotes=1, updates=1, snapshots=1, names={name})


class BinanceLive:
    """The feed; see `feeds.port.Feed`, of which `blocks` alone differs: it is awaited, and does not end."""

    label: Label = "LIVE MAINNET DATA"
    expected: int | None = None

    def __init__(
        self,
        wire: Wire,
        found: Mapping[str, Found],
        instruments: Sequence[Instrument],
        assets: Sequence[Asset],
        notes: list[str],
        pace: Pace,
        clock: Clock,
        seed: int,
    ) -> None:
        self.instruments, self.assets, self.notes = instruments, assets, notes
        self.refusals = Refusals()
        words = " ".join(["binance spot live", *sorted(found)])
        self.source = int.from_bytes(blake2b(words.encode(), digest_size=8).digest()) >> (64 - SOURCE_BITS)
        self.trouble: NoAnswer | None = None
        self.clock = clock
        self.writer = LiveWriter(self.refusals, len(instruments))
        self.inbox = Inbox(clock)
        self.link = Link(wire, stream_url(list(found)), self.inbox, pace, seed)
        self._wire, self._pace = wire, pace
        markets = {
            name: SequencedMarket(instrument, self.writer) for name, instrument in zip(found, instruments, strict=True)
        }
        reader = Reader(markets, found, self.writer)
        self.tracks = {name: Track(name, market, reader, self.writer) for name, market in markets.items()}
        self._reader = reader
        self._asked: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._connected = False
        self._corrupt = 0

    async def bars(self, name: str, interval: str, count: int) -> np.ndarray:
        """The latest closed bars as BAR inputs, for indicators to warm up with; shape (n,), n ≤ count ≤ 1000. They
        are no part of the stream: each is timed at its close. NoAnswer.
        """
        track = self.tracks[plain(name)]
        rows = klines_of(await self._wire.get(klines_url(track.name, interval, count)))
        market, now_ns, writer = track.market, self.clock.now_ns(), Writer(self.refusals)
        ticks, lots = market.grid.ticks, market.grid.lots
        try:
            for row in rows:
                open_ns, close_ns = to_ns(row.open_time), to_ns(row.close_time + 1)
                if close_ns > now_ns:
                    continue
                prices = ticks[row.open], ticks[row.high], ticks[row.low], ticks[row.close]
                span_ns = close_ns - open_ns
                writer.bar(market.number, market.symbol, open_ns, close_ns, prices, lots[row.volume], span_ns)
        except ValueError as error:
            raise not_as_expected("klines", error) from None
        return joined(list(writer.finish()))

    async def blocks(self) -> AsyncIterator[np.ndarray]:
        """The stream: INPUT arrays of 1 to BLOCK_ROWS rows, ts_seq_ns never decreasing. Close it to disconnect."""
        for track in self.tracks.values():
            track.lost(self.clock.now_ns())
        running = asyncio.create_task(self.link.run())
        try:
            while True:
                for at_ns, event in await self.inbox.take(A_TURN, self._pace.tick_s):
                    self._handle(event, at_ns)
                self._look_after(self.clock.now_ns())
                for block in self.writer.finish():
                    yield block
                if running.done():
                    running.result()
        finally:
            tasks = [running, *self._asked.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._asked.clear()

    @property
    def connected(self) -> bool:
        """Whether a stream stands."""
        return self._connected

    def show_again(self) -> None:
        """Whoever reads the blocks began anew: every market is called lost, and whole again where it is, with its book."""
        at_ns = self.clock.now_ns()
        for track in self.tracks.values():
            track.shown_again(at_ns)

    # What came

    def _handle(self, event: Event, at_ns: int) -> None:
        now = asyncio.get_running_loop().time()
        if isinstance(event, Frame):
            self._take(event.data, at_ns, now)
        elif isinstance(event, Opened):
            self.trouble, self._corrupt = None, 0
            if not self._connected:
                self._connected = True
                for track in self.tracks.values():
                    track.opened(now, self._pace.quiet_s)
        elif isinstance(event, Lost):
            self.trouble = event.why
            self._connected = False
            for track in self.tracks.values():
                track.lost(at_ns)
        else:
            self._answered(event, at_ns, now)

    def _take(self, data: bytes, at_ns: int, now: float) -> None:
        self.refusals.read += 1
        try:
            frame = DECODE(data)
            body = frame.data or frame
            if body.e == "serverShutdown":
                self.link.change()
                return
            track = self.tracks.get(body.s)
            if track is not None:
                track.take(body, at_ns, now)
            else:
                self._reader.take(body, at_ns)
            self._corrupt = 0
        except CORRUPT:
            self.refusals["", Reason.CORRUPT_LINE] += 1
            self._corrupt += 1
            if self._corrupt >= MOST_CORRUPT:
                self._corrupt = 0
                self.link.break_off(NoAnswer(Reason.NOT_JSON, "binance's stream sends what cannot be read"))

    def _answered(self, answer: Answer, at_ns: int, now: float) -> None:
        """An answer to a request: used where it still says something."""
        del self._asked[answer.kind, answer.name]
        track = self.tracks[answer.name]
        if not self._connected:
            return
        try:
            if isinstance(answer.body, NoAnswer):
                raise answer.body
            if answer.kind in ("trades", "hear"):
                if track.took_trades(trades_of(answer.body, track.name), at_ns, now) and answer.kind == "hear":
                    track.suspect.setdefault("trade", now)
                return
            body = depth_of(answer.body)
            if answer.kind == "depth":
                track.took_book(body, at_ns, now)
            elif body.lastUpdateId > track.market.last:
                track.suspect.setdefault("depth", now)
            else:
                track.seen["depth"] = now
        except NoAnswer as why:
            self.trouble = why
            self._retry(track, answer.kind, why, at_ns, now)
        except CORRUPT:
            self.refusals["", Reason.CORRUPT_LINE] += 1
            self._retry(track, answer.kind, not_as_expected(answer.kind, "numbers"), at_ns, now)

    def _retry(self, track: Track, kind: str, why: NoAnswer, at_ns: int, now: float) -> None:
        pause_s = max(why.wait_s, RETRY_S)
        if kind == "depth" and not track.book_whole:
            track.book_due = now + pause_s
        elif kind == "trades" and not track.trades_whole:
            track.trades_due = now + pause_s
            if why.wait_s > self._pace.longest_pause_s:
                track.took_trades([], at_ns, now, final=True)

    # What is missing

    def _look_after(self, at_ns: int) -> None:
        """Asks for what is missing, and whether streams that are silent have nothing to say."""
        now = asyncio.get_running_loop().time()
        for task in list(self._asked.values()):
            if task.done():
                task.result()
        if not self._connected:
            return
        for track in self.tracks.values():
            if track.book_due is not None and now >= track.book_due:
                self._ask("depth", track, depth_url(track.name))
            if track.trades_due is not None and now >= track.trades_due:
                self._ask("trades", track, trades_url(track.name))
            if track.book_whole and track.trades_whole:
                self._listen(track, at_ns, now)

    def _listen(self, track: Track, at_ns: int, now: float) -> None:
        """Whether the streams of a market are alive."""
        pace = self._pace
        for stream, since in list(track.suspect.items()):
            if now - since >= pace.suspect_s:
                track.cause(Cause.SILENT, True, at_ns)
                why = NoAnswer(Reason.CONNECTION_LOST, f"binance's stream of {track.name} {stream} fell silent")
                self.link.break_off(why)
                return
        if now - track.seen.setdefault("depth", now) >= pace.depth_silent_s:
            track.seen["depth"] = now
            self._ask("probe", track, depth_url(track.name, PROBE_LEVELS))
        if now - track.seen.setdefault("trade", now) >= pace.trades_silent_s:
            track.seen["trade"] = now
            self._ask("hear", track, trades_url(track.name))

    def _ask(self, kind: str, track: Track, address: str) -> None:
        """Asks once at a time for each thing."""
        if (kind, track.name) in self._asked:
            return
        if kind == "depth":
            track.book_due = None
        elif kind == "trades":
            track.trades_due = None
        self._asked[kind, track.name] = asyncio.create_task(self._fetch(kind, track.name, address))

    async def _fetch(self, kind: str, name: str, address: str) -> None:
        body: bytes | NoAnswer
        try:
            body = await self._wire.get(address)
        except NoAnswer as why:
            body = why
        self.inbox.put(Answer(kind, name, body))
