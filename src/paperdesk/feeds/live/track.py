"""One live market: what has to be asked for until its book and its trades are whole.

The venue's rules for the book: changes are kept back, a snapshot is asked for, one that is older than the first change
kept is asked for again, and a hole in the numbers starts all over. `SequencedMarket` puts the two together; this decides
when to ask. Trades are numbered without holes: one that is missing is asked for by its number, and the trades behind
it wait, so that all come in order and none twice.
"""

from typing import Final

from paperdesk.domain.reasons import Reason
from paperdesk.feeds.binance import CORRUPT, Body, Reader
from paperdesk.feeds.live.status import Cause, LiveWriter
from paperdesk.feeds.sequenced import SequencedMarket

MOST_HELD: Final = 100_000
"""Trades that wait for missing ones; beyond that the hole is taken for final."""
MOST_ASKED: Final = 5
"""How often missing trades are asked for before the hole is taken for final."""
RETRY_S: Final = 0.5


class Track:
    """`name` is the venue's symbol. Times are seconds of the event loop. `book_due`, `trades_due`: when to ask next
    (None: nothing is missing, or it was asked for).
    """

    def __init__(self, name: str, market: SequencedMarket, reader: Reader, writer: LiveWriter) -> None:
        self.name, self.market = name, market
        self.book_due: float | None = None
        self.trades_due: float | None = None
        self.book_whole = self.trades_whole = False
        self.seen: dict[str, float] = {}
        self.suspect: dict[str, float] = {}
        self.backfilled = self.missed = 0
        self._reader, self._writer = reader, writer
        self._first_diff = -1
        self._last_trade = -1
        self._held: list[Body] = []
        self._asked = 0

    def cause(self, cause: Cause, against: bool, at_ns: int) -> None:
        """Sets or lifts what speaks against the market; one that is LIVE again shows its book."""
        market = self.market
        if self._writer.mark(market.number, market.symbol, at_ns, cause, against):
            market.show(at_ns, at_ns)

    def shown_again(self, at_ns: int) -> None:
        """For a reader that missed something: as after a lost connection, but nothing has to be asked for."""
        self.cause(Cause.LINK, True, at_ns)
        self._relink(at_ns)

    def gapped(self) -> bool:
        """Whether the book's numbers have a hole."""
        return bool(self._writer.causes(self.market.number) & Cause.BOOK)

    def lost(self, at_ns: int) -> None:
        """The connection is gone: what was kept back no longer leads anywhere."""
        self.cause(Cause.LINK, True, at_ns)
        self.book_due = self.trades_due = None
        self.book_whole = self.trades_whole = False
        self.market.forget()
        self._first_diff, self._asked = -1, 0
        self._held.clear()
        self.seen.clear()
        self.suspect.clear()

    def opened(self, now: float, quiet_s: float) -> None:
        """There is a connection: the book is asked for once its first change came (or none came for a while)."""
        self.book_due = now + quiet_s
        self.trades_whole = self._last_trade < 0
        self.trades_due = None if self.trades_whole else now

    def take(self, body: Body, at_ns: int, now: float) -> None:
        """One message of the stream; raises ValueError where it makes no sense."""
        kind = body.e
        if kind == "trade":
            self._saw("trade", now)
            if body.t < 0 or body.m is None:
                raise ValueError("a trade without id or side")
            self._trade(body, at_ns, now)
            return
        if kind == "depthUpdate":
            self._saw("depth", now)
            self._depth(body, at_ns, now)
            return
        if kind in ("", "bookTicker"):
            self._saw("bookTicker", now)
        self._reader.take(body, at_ns)

    def _saw(self, stream: str, now: float) -> None:
        self.seen[stream] = now
        self.suspect.pop(stream, None)

    # The book

    def _depth(self, body: Body, at_ns: int, now: float) -> None:
        before = self.gapped()
        if self._first_diff < 0:
            self._first_diff = body.U
            if self.book_due is not None:
                self.book_due = now
        self._reader.take(body, at_ns)
        gapped = self.gapped()
        if gapped and not before:
            self._first_diff = body.U
            if self.book_whole:
                self.book_whole, self.book_due = False, now
        elif before and not gapped:
            self._book_is_whole(at_ns)

    def took_book(self, body: Body, at_ns: int, now: float) -> None:
        """A snapshot; where it does not reach the first change kept, another one is asked for."""
        if self.book_whole:
            return
        if 0 <= body.lastUpdateId < self._first_diff - 1:
            self.book_due = now + RETRY_S
            return
        self._reader.take(body, at_ns, self.name)
        if self.gapped():
            self.book_due = now + RETRY_S
        else:
            self._book_is_whole(at_ns)

    def _book_is_whole(self, at_ns: int) -> None:
        self.book_whole, self.book_due = True, None
        self._relink(at_ns)

    # Trades

    def _trade(self, body: Body, at_ns: int, now: float) -> None:
        if self._held or not self.trades_whole:
            self._held.append(body)
            if len(self._held) > MOST_HELD:
                self.took_trades([], at_ns, now, final=True)
            return
        if 0 <= self._last_trade < body.t - 1:
            self._held.append(body)
            self._ask_trades(at_ns, now)
            return
        self._emit(body, at_ns)

    def _emit(self, body: Body, at_ns: int) -> None:
        try:
            self._reader.take(body, at_ns)
        except CORRUPT:
            self.market.refuse(Reason.CORRUPT_LINE)
        self._last_trade = max(self._last_trade, body.t)

    def _ask_trades(self, at_ns: int, due: float) -> None:
        self.cause(Cause.TRADES, True, at_ns)
        self.trades_whole, self.trades_due = False, due

    def took_trades(self, rows: list[Body], at_ns: int, now: float, final: bool = False) -> int:
        """The latest trades by rising id; how many of them were new. What they do not reach is asked for again, a few
        times, and then counted as missed.
        """
        self._asked += 1
        final = final or self._asked >= MOST_ASKED
        came = {body.t for body in self._held}
        waiting, self._held = [*rows, *self._held], []
        waiting.sort(key=lambda body: body.t)  # stable: an answer goes before the stream's own copy
        known = {body.t for body in rows}
        new = 0
        for place, body in enumerate(waiting):
            if body.t <= self._last_trade:
                continue
            hole = body.t - self._last_trade - 1 if self._last_trade >= 0 else 0
            if hole and body.t not in known and not final:
                self._held = waiting[place:]
                self._ask_trades(at_ns, now + RETRY_S)
                return new
            if hole:
                self._miss(hole)
            new += body.t not in came
            self._emit(body, at_ns)
        self.backfilled += new
        self._asked, self.trades_whole, self.trades_due = 0, True, None
        self.cause(Cause.TRADES, False, at_ns)
        self._relink(at_ns)
        return new

    def _miss(self, count: int) -> None:
        self.missed += count
        self.market.writer.refusals[self.market.symbol, Reason.SEQUENCE_GAP] += count

    def _relink(self, at_ns: int) -> None:
        if self.book_whole and self.trades_whole:
            self.cause(Cause.SILENT, False, at_ns)
            self.cause(Cause.LINK, False, at_ns)
