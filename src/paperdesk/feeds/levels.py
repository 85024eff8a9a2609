"""A book without sequence numbers: level changes as they come, from a picture or from nothing.

A hole cannot be seen in such a stream. What can be seen is a book that stays crossed: then the side that was
touched longer ago gives way.
"""

from collections.abc import Sequence

from paperdesk.domain.instruments import Instrument
from paperdesk.feeds.reducer import Half, Market
from paperdesk.feeds.writer import Writer


class LevelMarket(Market):
    """A market whose levels are set one message at a time."""

    __slots__ = ("_dirty",)

    def __init__(self, instrument: Instrument, writer: Writer) -> None:
        super().__init__(instrument, writer)
        self._dirty = False

    def picture(self, bids: Sequence[tuple[str, str]], asks: Sequence[tuple[str, str]]) -> None:
        """Replaces the book; shown with the next message that carries a time, or by `show_if_due`."""
        self.load(bids, asks)
        self.bids.touched.clear()
        self.asks.touched.clear()
        self._dirty = True

    def change(self, bid: bool, levels: Sequence[tuple[str, str]], now_ns: int) -> None:
        """Sets levels of one side (price and size as text)."""
        half = self.bids if bid else self.asks
        if self.apply(half, levels):
            self._dirty = True
        ticks, sign = self.grid.ticks, half.sign
        for price, _ in levels:
            if price in ticks:
                self._touch(half, ticks[price] * sign, now_ns)

    def set(self, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """Sets one level, in ticks and lots (0 removes it)."""
        half = self.bids if bid else self.asks
        key = -ticks if bid else ticks
        if half.put(key, lots):
            self._dirty = True
        self._touch(half, key, now_ns)

    @staticmethod
    def _touch(half: Half, key: int, now_ns: int) -> None:
        if key in half.sizes:
            half.touched[key] = now_ns
        else:
            half.touched.pop(key, None)

    def show_if_due(self, event_ns: int, seq_ns: int) -> None:
        """Shows the book if its visible part changed and it makes sense."""
        if self._dirty and self.uncross(event_ns):
            self._dirty = not self.show(event_ns, seq_ns)
