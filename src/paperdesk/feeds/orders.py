"""A book of single orders (level 3): levels are the sums of the orders that rest there.

Orders placed before the recording began are unknown. Where the recording also holds pictures of the book, what a
picture shows beyond the known orders is kept as a remainder: set when a level is first seen, afterwards only ever
lowered. So the book is whole from the first picture on, and the remainders die out as old orders do.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import int64

from paperdesk.domain.instruments import Instrument
from paperdesk.domain.kernel import entry, kernel
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.book import (
    ABOVE,
    ASK,
    BID,
    BY,
    CHANGED,
    FULL,
    HEAD_TYPE,
    HELD,
    KEY,
    LEVELS_TYPE,
    LOTS,
    MOST_LOTS,
    REST,
    UNREAD,
    Levels,
    has_room,
    place_of,
    set_level,
    value_of,
    worst_visible,
)  # fmt: skip
from paperdesk.feeds.grid import NO_EVENT, ROWS_TYPE, RULES_TYPE, TEXT_TYPE, Unusable, read_rows
from paperdesk.feeds.levels import LevelMarket
from paperdesk.feeds.writer import Writer


@kernel
def set_rest(head: Any, levels: Any, side: int, key: int, rest: int, now_ns: int) -> int:
    """Sets how many lots of a level belong to no known order, and with it the level; CHANGED or 0. There must be room."""
    more = rest - value_of(head, levels, side, key, REST)
    if more == 0:
        return 0
    visible = worst_visible(head, levels, side)
    lots = min(value_of(head, levels, side, key, LOTS) + more, MOST_LOTS)
    changed = set_level(head, levels, side, key, lots, now_ns)
    if lots > 0:
        levels[side, REST, place_of(levels[side, KEY], head[side, HELD], key)] = rest
    return CHANGED if changed and key >= visible else 0


@entry(HEAD_TYPE, LEVELS_TYPE, int64, int64, int64, int64)
def lower_rest(head: Any, levels: Any, side: int, ticks: int, lots: int, now_ns: int) -> int:
    """An order from before the recording is gone: at least `lots` of the remainder at its price were its own; CHANGED or
    0.
    """
    key = ticks if side == BID else -ticks
    rest = max(value_of(head, levels, side, key, REST) - lots, 0)
    return set_rest(head, levels, side, key, rest, now_ns)


@kernel
def last_row(rows: Any, first: int, end: int, ticks: int) -> int:
    """The last of `rows[first:end]` with this price, or -1."""
    for row in range(end - 1, first - 1, -1):
        if rows[row, 0] == ticks:
            return row
    return -1


@kernel
def compare_side(head: Any, levels: Any, side: int, rows: Any, first: int, end: int, covered: int, now_ns: int) -> int:
    """Compares one side with a picture of its best levels, `rows[first:end]`; CHANGED or 0."""
    sign = 1 if side == BID else -1
    told, worst = 0, ABOVE
    for row in range(first, end):
        worst = min(worst, rows[row, 0] * sign)
    at = head[side, HELD] - 1
    while at >= 0 and levels[side, KEY, at] >= worst:
        key = levels[side, KEY, at]
        if levels[side, REST, at] > 0 and last_row(rows, first, end, key * sign) < 0:
            told |= set_rest(head, levels, side, key, 0, now_ns)
        at -= 1
    for row in range(first, end):
        if last_row(rows, first, end, rows[row, 0]) != row:
            continue
        key = rows[row, 0] * sign
        rest = value_of(head, levels, side, key, REST)
        beyond = max(0, rows[row, 1] - (value_of(head, levels, side, key, LOTS) - rest))
        told |= set_rest(head, levels, side, key, beyond if key < covered else min(rest, beyond), now_ns)
    return told


@entry(HEAD_TYPE, LEVELS_TYPE, TEXT_TYPE, RULES_TYPE, ROWS_TYPE, int64, int64, int64[::1], int64)
def compare(
    head: Any, levels: Any, text: bytes, rules: Any, rows: Any, bids: int, asks: int, covered: Any, now_ns: int
) -> int:
    """Reads a picture of the best levels into `rows` (no text: that was done), first the bids, and compares.

    What belongs to no known order is what the picture shows beyond those, where it reaches below `covered`, shape (2,),
    the worst key pictured so far; elsewhere it can only become less. CHANGED or 0; or, and nothing done, UNREAD, FULL,
    or minus the reason why the picture is unusable.
    """
    if len(text) > 0 and not read_rows(text, rules, rows, bids + asks):
        return UNREAD
    for row in range(bids + asks):
        if rows[row, 0] <= 0 or rows[row, 1] < 0:
            return rows[row, 0] if rows[row, 0] < 0 else rows[row, 1] if rows[row, 1] < 0 else -NO_EVENT
    if not has_room(head, levels, BID, bids) or not has_room(head, levels, ASK, asks):
        return FULL
    told = 0
    for side, first, end in ((BID, 0, bids), (ASK, bids, bids + asks)):
        told |= compare_side(head, levels, side, rows, first, end, covered[side], now_ns)
        for row in range(first, end):
            covered[side] = min(covered[side], rows[row, 0] if side == BID else -rows[row, 0])
    return told


class Resting(NamedTuple):
    """One known order: its side of the book, its price, what is left of it in lots."""

    bid: bool
    ticks: int
    lots: int


class OrderMarket(LevelMarket):
    """A market told order by order."""

    __slots__ = ("_covered", "_orders", "_pictured", "wait_for_picture")

    def __init__(self, instrument: Instrument, writer: Writer, wait_for_picture: bool) -> None:
        """`wait_for_picture`: the recording holds pictures, and nothing is shown before the first."""
        super().__init__(instrument, writer)
        self.wait_for_picture = wait_for_picture
        self._orders: dict[int, Resting] = {}
        self._pictured = False
        self._covered = np.full(2, ABOVE)

    def created(self, order_id: int, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """An order arrived."""
        if order_id in self._orders:
            self.refuse(Reason.DUPLICATE)
            return
        if lots:
            self._orders[order_id] = Resting(bid, ticks, lots)
            self._add(bid, ticks, lots, now_ns)

    def changed(self, order_id: int, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """An order has `lots` left now."""
        self.deleted(order_id, bid, ticks, lots, now_ns)
        if lots:
            self._orders[order_id] = Resting(bid, ticks, lots)
            self._add(bid, ticks, lots, now_ns)

    def deleted(self, order_id: int, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        """An order is gone, filled (nothing left) or canceled (`lots` left)."""
        old = self._orders.pop(order_id, None)
        if old is not None:
            self._add(old.bid, old.ticks, -old.lots, now_ns)
        elif lower_rest(self.book.head, self.book.levels, BID if bid else ASK, ticks, lots, now_ns):
            self._dirty = True

    def compare(self, bids: Levels, asks: Levels, now_ns: int) -> None:
        """A picture of the book (best levels only): sets and lowers the remainders. Unusable for one that cannot be
        read.
        """
        book, n, m = self.book, len(bids), len(asks)
        text = book.text(bids, asks)
        told = compare(book.head, book.levels, text, book.grid.rules, book.rows, n, m, self._covered, now_ns)
        if told in (UNREAD, FULL):
            book.help(told, bids, asks)
            told = compare(book.head, book.levels, b"", book.grid.rules, book.rows, n, m, self._covered, now_ns)
        if told < 0:
            raise Unusable(Reason(-told))
        self._dirty = self._dirty or told > 0
        self._pictured = True

    def show_if_due(self, event_ns: int, seq_ns: int) -> None:
        """As for levels, but not before the first picture where there are pictures."""
        if self._pictured or not self.wait_for_picture:
            super().show_if_due(event_ns, seq_ns)

    def evict(self, side: int, ticks: int) -> None:
        """Takes the best level of a side for gone, with all orders that were thought to rest there."""
        gone = side == BID, ticks
        for order_id in [order_id for order_id, order in self._orders.items() if (order.bid, order.ticks) == gone]:
            del self._orders[order_id]
        super().evict(side, ticks)

    def _add(self, bid: bool, ticks: int, lots: int, now_ns: int) -> None:
        if self.book.change_one(BY, BID if bid else ASK, ticks, lots, now_ns):
            self._dirty = True
