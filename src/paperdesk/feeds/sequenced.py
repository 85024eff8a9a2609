"""A book whose changes are numbered: snapshot and diffs are put together by their ids, and a hole is a gap, not a
guess.

Binance's rules. Spot: a diff carries its first and last update id (U, u) and fits if U ≤ last + 1 ≤ u. Linear
futures: it names its predecessor (pu). Diffs that came before the snapshot wait; a hole takes the market's data out
of service (MARKET_STATUS GAP) until the missing diff or a new snapshot arrives. Best prices (bookTicker) carry an
id of the same count, so the newer of the two always wins.
"""

from typing import Final, NamedTuple

from paperdesk.domain.events import MarketStatus
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.book import VALID, Levels
from paperdesk.feeds.reducer import Market
from paperdesk.feeds.writer import Writer

WAITING: Final = 10_000
"""Diffs kept while there is no book that they fit; the oldest go first."""


class Diff(NamedTuple):
    """One numbered change; `previous` is -1 where the venue does not name it."""

    first: int
    last: int
    previous: int
    bids: Levels
    asks: Levels


class SequencedMarket(Market):
    """A market with numbered diffs and, often, a stream of best prices beside them."""

    __slots__ = ("_dirty", "_fresh", "_gap", "_known", "_quote_id", "_waiting", "last")

    def __init__(self, instrument: Instrument, writer: Writer) -> None:
        super().__init__(instrument, writer)
        self.last = -1
        self._known = False
        self._fresh = False
        self._gap = False
        self._dirty = True
        self._waiting: list[Diff] = []
        self._quote_id = -1

    def snapshot(self, last: int, bids: Levels, asks: Levels, event_ns: int, seq_ns: int) -> None:
        """A full picture as of update `last`; older ones than the book are left."""
        if self._known and last <= self.last:
            return
        self.load(bids, asks)
        if self._quote_id <= last:
            self.book.newer[VALID] = 0
        self.last = last
        self._fresh = True
        self._known = True
        self._dirty = True
        self._waiting = [
            diff for diff in self._waiting if diff.last > last or (diff.last == last and diff.previous >= 0)
        ]
        self._catch_up()
        if self._waiting:
            self._known = False
            self._lose(event_ns, seq_ns)
            return
        self._live(event_ns, seq_ns)

    def forget(self) -> None:
        """The numbering starts anew: the next snapshot counts whatever its number."""
        self._known = False
        self.last = -1
        self._quote_id = -1
        self.book.newer[VALID] = 0
        self._waiting.clear()

    def diff(self, diff: Diff, event_ns: int, seq_ns: int) -> None:
        """One change, in whatever order it came."""
        if not self._known or self._gap:
            if diff.last <= self.last:
                return
            self._waiting.append(diff)
            if len(self._waiting) > WAITING:
                del self._waiting[0]
            if self._gap and self._known and self._fits(diff):
                self._waiting.sort()
                self._catch_up()
                if not self._waiting:
                    self._live(event_ns, seq_ns)
            return
        if not self._fits(diff):
            if diff.last <= self.last:
                if not self._fresh:
                    self.refuse(Reason.DUPLICATE)
                return
            self._waiting = [diff]
            self._lose(event_ns, seq_ns)
            return
        changed = self._take(diff)
        if changed or self._dirty:
            self._show_newest(event_ns, seq_ns)

    def quote(self, update: int, bid: str, bid_size: str, ask: str, ask_size: str, event_ns: int, seq_ns: int) -> None:
        """Best prices as of `update` (-1: not numbered); left where the book is newer."""
        if update >= 0 and (update <= self._quote_id or (self._known and update <= self.last)):
            if update == self._quote_id:
                self.refuse(Reason.DUPLICATE)
            return
        reason = self.book.quote(self.writer, bid, bid_size, ask, ask_size, event_ns, seq_ns)
        if reason:
            self.refuse(Reason(reason))
            return
        self._quote_id, self._dirty = update, True
        if update < 0:
            self.book.newer[VALID] = 0

    def _fits(self, diff: Diff) -> bool:
        if diff.previous >= 0:
            return diff.previous == self.last or (self._fresh and diff.first <= self.last <= diff.last)
        return diff.first <= self.last + 1 <= diff.last

    def _take(self, diff: Diff) -> bool:
        changed = self.apply(diff.bids, diff.asks)
        self.last = diff.last
        self._fresh = False
        if self._quote_id <= self.last:
            self.book.newer[VALID] = 0
        return changed

    def _catch_up(self) -> None:
        taken = 0
        for diff in self._waiting:
            if diff.last > self.last or diff.previous >= 0:
                if not self._fits(diff):
                    break
                self._take(diff)
            taken += 1
        del self._waiting[:taken]

    def _lose(self, event_ns: int, seq_ns: int) -> None:
        self.refuse(Reason.SEQUENCE_GAP)
        if not self._gap:
            self._gap = True
            self.writer.status(self.number, self.symbol, event_ns, seq_ns, MarketStatus.GAP, Reason.SEQUENCE_GAP)

    def _live(self, event_ns: int, seq_ns: int) -> None:
        if self._gap:
            self._gap = False
            self.writer.status(self.number, self.symbol, event_ns, seq_ns, MarketStatus.LIVE, Reason.NONE)
        self._show_newest(event_ns, seq_ns)

    def _show_newest(self, event_ns: int, seq_ns: int) -> None:
        """Shows the book, under newer best prices where there are some."""
        if not self.show(event_ns, seq_ns):
            # With every diff in its place a book cannot be crossed: one of its levels was damaged on the way.
            self.refuse(Reason.BAD_EVENT)
            self._known = False
            self._lose(event_ns, seq_ns)
            self._dirty = True
        else:
            self._dirty = self.book.newer.item(VALID) != 0
