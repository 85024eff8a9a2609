"""A book without sequence numbers: level changes as they come, from a picture or from nothing.

A hole cannot be seen in such a stream. What can be seen is a book that stays crossed: then the side that was
touched longer ago gives way.
"""

from paperdesk.domain.instruments import Instrument
from paperdesk.feeds.book import ASK, BID, TO, Levels
from paperdesk.feeds.reducer import Market
from paperdesk.feeds.writer import Writer


class LevelMarket(Market):
    """A market whose levels are set one message at a time."""

    __slots__ = ("_dirty",)

    def __init__(self, instrument: Instrument, writer: Writer) -> None:
        super().__init__(instrument, writer)
        self._dirty = False

    def picture(self, bids: Levels, asks: Levels) -> None:
        """Replaces the book; shown with the next message that carries a time, or by `show_if_due`."""
        self.load(bids, asks)
        self._dirty = True

    def change(self, bids: Levels, asks: Levels, now_ns: int) -> None:
        """Sets levels (price and size as text)."""
        if self.apply(bids, asks, now_ns):
            self._dirty = True

    def set(self, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """Sets one level, in ticks and lots (0 removes it)."""
        if self.book.change_one(TO, BID if bid else ASK, ticks, lots, now_ns):
            self._dirty = True

    def show_if_due(self, event_ns: int, seq_ns: int) -> None:
        """Shows the book if its visible part changed and it makes sense."""
        if self._dirty and self.uncross(event_ns):
            self._dirty = not self.show(event_ns, seq_ns)
