"""A book of single orders (level 3): levels are the sums of the orders that rest there.

Orders placed before the recording began are unknown. Where the recording also holds pictures of the book, what a
picture shows beyond the known orders is kept as a remainder: set when a level is first seen, afterwards only ever
lowered. So the book is whole from the first picture on, and the remainders die out as old orders do.
"""

from collections.abc import Mapping
from typing import NamedTuple

from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.levels import LevelMarket
from paperdesk.feeds.reducer import Half
from paperdesk.feeds.writer import Writer


class Resting(NamedTuple):
    """One known order: its side, its key in that half of the book, what is left of it in lots."""

    bid: bool
    key: int
    lots: int


class OrderMarket(LevelMarket):
    """A market told order by order."""

    __slots__ = ("_covered", "_orders", "_pictured", "_remainders", "wait_for_picture")

    def __init__(self, instrument: Instrument, writer: Writer, wait_for_picture: bool) -> None:
        """`wait_for_picture`: the recording holds pictures, and nothing is shown before the first."""
        super().__init__(instrument, writer)
        self.wait_for_picture = wait_for_picture
        self._orders: dict[int, Resting] = {}
        self._pictured = False
        self._remainders: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._covered = [0, 0]

    def created(self, order_id: int, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """An order arrived."""
        if order_id in self._orders:
            self.refuse(Reason.DUPLICATE)
            return
        if lots:
            key = -ticks if bid else ticks
            self._orders[order_id] = Resting(bid, key, lots)
            self._add(bid, key, lots, now_ns)

    def changed(self, order_id: int, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """An order has `lots` left now."""
        old = self._orders.pop(order_id, None)
        key = -ticks if bid else ticks
        if old is None:
            self._lower(bid, key, lots, now_ns)
        else:
            self._add(old.bid, old.key, -old.lots, now_ns)
        if lots:
            self._orders[order_id] = Resting(bid, key, lots)
            self._add(bid, key, lots, now_ns)

    def deleted(self, order_id: int, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """An order is gone, filled (nothing left) or canceled (`lots` left)."""
        old = self._orders.pop(order_id, None)
        if old is None:
            self._lower(bid, -ticks if bid else ticks, lots, now_ns)
        else:
            self._add(old.bid, old.key, -old.lots, now_ns)

    def compare(self, bids: Mapping[int, int], asks: Mapping[int, int], now_ns: int) -> None:
        """A picture of the book, lots by key (best levels only): sets and lowers the remainders."""
        for side, picture in enumerate((bids, asks)):
            if picture:
                self._compare_side(side, picture, now_ns)
        self._pictured = True

    def show_if_due(self, event_ns: int, seq_ns: int) -> None:
        """As for levels, but not before the first picture where there are pictures."""
        if self._pictured or not self.wait_for_picture:
            super().show_if_due(event_ns, seq_ns)

    def evict(self, half: Half) -> None:
        """Takes the best level of a side for gone, with all orders that were thought to rest there."""
        key, bid = half.keys[0], half.sign < 0
        for order_id in [order_id for order_id, order in self._orders.items() if order.bid == bid and order.key == key]:
            del self._orders[order_id]
        self._remainders[0 if bid else 1].pop(key, None)
        super().evict(half)

    def _half(self, bid: bool) -> Half:
        return self.bids if bid else self.asks

    def _add(self, bid: bool, key: int, lots: int, now_ns: int) -> None:
        half = self._half(bid)
        self.set(bid, abs(key), max(0, half.sizes.get(key, 0) + lots), now_ns)

    def _lower(self, bid: bool, key: int, lots: int, now_ns: int) -> None:
        """An order from before the recording: at least `lots` of the remainder at its price were its own."""
        remainders = self._remainders[0 if bid else 1]
        held = remainders.get(key, 0)
        taken = min(held, lots)
        if taken:
            remainders[key] = held - taken
            self._add(bid, key, -taken, now_ns)

    def _compare_side(self, side: int, picture: Mapping[int, int], now_ns: int) -> None:
        half, remainders = self._half(side == 0), self._remainders[side]
        worst = max(picture)
        covered = self._covered[side] if self._pictured else -(2**62)
        for key in [key for key in remainders if key <= worst and key not in picture]:
            self._set_remainder(side, key, 0, now_ns)
        for key, lots in picture.items():
            held = remainders.get(key, 0)
            beyond = max(0, lots - (half.sizes.get(key, 0) - held))
            self._set_remainder(side, key, beyond if key > covered else min(held, beyond), now_ns)
        self._covered[side] = max(covered, worst)

    def _set_remainder(self, side: int, key: int, lots: int, now_ns: int) -> None:
        remainders = self._remainders[side]
        held = remainders.pop(key, 0)
        if lots:
            remainders[key] = lots
        if lots != held:
            self._add(side == 0, key, lots - held, now_ns)
