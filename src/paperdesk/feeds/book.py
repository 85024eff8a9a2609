"""One market's full book in compiled code: two sorted sides, changed by the texts of an update, shown to DEPTH.

A level is a column of `levels`, shape (2 sides, 4, capacity): its key (the price; negated for asks, so that better is
higher), its lots, how many of them belong to no known order (see `orders`), and when it was last set. The best level
of a side comes last: changes near the touch, most of what comes, then move little. A level that is emptied stays as a
gap that the next new one near it takes: changes far away move little too.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
from numba import int64

from paperdesk.domain.events import DEPTH, INPUT, InputKind
from paperdesk.domain.kernel import entry, kernel, rows_of
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.grid import NO_EVENT, NO_MULTIPLE, ROWS_TYPE, RULES_TYPE, TEXT_TYPE, Grid, read_rows, read_text
from paperdesk.feeds.writer import Writer

BID, ASK = 0, 1
KEY, LOTS, REST, SET_NS = range(4)
HELD, GAPS, BEST, OFF_GRID, BAD_EVENT = range(5)
"""Columns of `head`, shape (2 sides, 5): places held, how many of them are gaps, the best key, and how many data were
unusable, by reason.
"""
NOTHING: Final = -(2**61)
"""Below every key: the best one of an empty side."""
ABOVE: Final = 2**61
CHANGED, REFUSED = 1, 2
"""What an update did, added up: the visible part changed; some of it was unusable (see `head`)."""
UNREAD, FULL = -1, -2
"""Why an update was not applied: a number is spelled unusually; there is too little room."""
QUOTE_KIND, BOOK_KIND = int(InputKind.QUOTE), int(InputKind.BOOK)
TO, BY = range(2)
"""Ways to change one level."""
VALID, BID_TICKS, BID_LOTS, ASK_TICKS, ASK_LOTS = range(5)
"""Best prices that may be newer than the levels, shape (5,); not `VALID`: there are none."""
MOST_LOTS: Final = 2**61
"""A sum of orders stays at this; one order has at most half of it."""
START_LEVELS: Final = 256
HEAD_TYPE, LEVELS_TYPE = int64[:, ::1], int64[:, :, ::1]
QUOTE_TYPE = int64[::1]
BLOCK_TYPE = rows_of(INPUT)
Levels = Sequence[tuple[str, str]]


@kernel
def place_of(keys: Any, held: int, key: int) -> int:
    """How many of the `held` ascending keys are below `key`."""
    low, high = 0, held
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def value_of(head: Any, levels: Any, side: int, key: int, what: int) -> int:
    """One of LOTS, REST, SET_NS of one level, 0 where there is none."""
    place = place_of(levels[side, KEY], head[side, HELD], key)
    there = place < head[side, HELD] and levels[side, KEY, place] == key
    value: int = levels[side, what, place] if there else 0
    return value


@kernel
def set_level(head: Any, levels: Any, side: int, key: int, lots: int, now_ns: int) -> bool:
    """Sets one level (no lots: empties it); whether its lots changed. There must be room for one more."""
    held = head[side, HELD]
    place = place_of(levels[side, KEY], held, key)
    before = levels[side, LOTS, place] if place < held and levels[side, KEY, place] == key else 0
    if lots <= 0:
        if before > 0:
            empty(head, levels, side, place)
        return before > 0
    if before == 0:
        place = insert(head, levels, side, place, key)
    levels[side, LOTS, place] = lots
    levels[side, SET_NS, place] = now_ns
    return lots != before


@kernel
def empty(head: Any, levels: Any, side: int, place: int) -> None:
    """Makes a level a gap; gaps above the best level are given up."""
    levels[side, LOTS, place] = 0
    levels[side, REST, place] = 0
    head[side, GAPS] += 1
    held = head[side, HELD]
    while held > 0 and levels[side, LOTS, held - 1] == 0:
        held -= 1
        head[side, GAPS] -= 1
    head[side, HELD] = held
    head[side, BEST] = levels[side, KEY, held - 1] if held > 0 else NOTHING


@kernel
def insert(head: Any, levels: Any, side: int, place: int, key: int) -> int:
    """Makes room for a level before `place`, or in the nearest gap; where it is now."""
    held = head[side, HELD]
    if place > 0 and levels[side, LOTS, place - 1] == 0:
        gap = place = place - 1
    else:
        gap = place
        while gap < held and levels[side, LOTS, gap] > 0:
            gap += 1
    assert gap < levels.shape[2], "room is made before"
    for row in range(levels.shape[1]):
        kept = levels[side, row]
        for moved in range(gap, place, -1):
            kept[moved] = kept[moved - 1]
    if gap == held:
        head[side, HELD] += 1
    else:
        head[side, GAPS] -= 1
    levels[side, KEY, place] = key
    levels[side, REST, place] = 0
    head[side, BEST] = levels[side, KEY, head[side, HELD] - 1]
    return place


@kernel
def has_room(head: Any, levels: Any, side: int, more: int) -> bool:
    """Whether a side has room for more levels; closes its gaps where they have become too many, or are needed."""
    held, room = head[side, HELD], levels.shape[2]
    if 2 * head[side, GAPS] > held + DEPTH or held + more > room:
        kept = 0
        for place in range(held):
            if levels[side, LOTS, place] > 0:
                levels[side, :, kept] = levels[side, :, place]
                kept += 1
        head[side, HELD] = kept
        head[side, GAPS] = 0
    return head[side, HELD] + more <= room


@kernel
def worst_visible(head: Any, levels: Any, side: int) -> int:
    """The key from which on a change is one of the visible part."""
    seen, place = 0, head[side, HELD]
    while place > 0 and seen < DEPTH:
        place -= 1
        if levels[side, LOTS, place] > 0:
            seen += 1
    worst: int = levels[side, KEY, place] if seen == DEPTH else NOTHING
    return worst


@kernel
def refuse(head: Any, side: int, code: int) -> int:
    """Counts one unusable number, by what `grid.read_number` said of it (0: a price of nothing)."""
    head[side, OFF_GRID if code == -NO_MULTIPLE else BAD_EVENT] += 1
    return REFUSED


@kernel
def apply_side(head: Any, levels: Any, side: int, rows: Any, first: int, end: int, now_ns: int) -> int:
    """Applies `rows[first:end]` of (ticks, lots) to one side: an unusable price is left, an unusable size empties its
    level. CHANGED and REFUSED, as they are.
    """
    visible = worst_visible(head, levels, side)
    told = 0
    for row in range(first, end):
        ticks, lots = rows[row, 0], rows[row, 1]
        if ticks <= 0:
            told |= refuse(head, side, ticks)
            continue
        if lots < 0:
            told |= refuse(head, side, lots)
        key = ticks if side == BID else -ticks
        if set_level(head, levels, side, key, lots, now_ns) and key >= visible:
            told |= CHANGED
    return told


@entry(HEAD_TYPE, LEVELS_TYPE, TEXT_TYPE, RULES_TYPE, ROWS_TYPE, int64, int64, int64)
def apply(head: Any, levels: Any, text: bytes, rules: Any, rows: Any, bids: int, asks: int, now_ns: int) -> int:
    """Reads an update into `rows` (no text: that was done), first the bids, and applies it; see `apply_side`. UNREAD or
    FULL, and nothing applied, where it needs help.
    """
    if len(text) > 0 and not read_rows(text, rules, rows, bids + asks):
        return UNREAD
    if not has_room(head, levels, BID, bids) or not has_room(head, levels, ASK, asks):
        return FULL
    told = apply_side(head, levels, BID, rows, 0, bids, now_ns)
    return told | apply_side(head, levels, ASK, rows, bids, bids + asks, now_ns)


@entry(HEAD_TYPE, LEVELS_TYPE, int64, int64, int64, int64, int64)
def change_one(head: Any, levels: Any, how: int, side: int, ticks: int, lots: int, now_ns: int) -> int:
    """TO: one level has `lots`. BY: it has as many more (below zero: fewer). CHANGED or 0; FULL where there is too
    little room.
    """
    if not has_room(head, levels, side, 1):
        return FULL
    key = ticks if side == BID else -ticks
    if how == BY:
        lots = min(lots + value_of(head, levels, side, key, LOTS), MOST_LOTS)
    visible = worst_visible(head, levels, side)
    return CHANGED if set_level(head, levels, side, key, lots, now_ns) and key >= visible else 0


@kernel
def copy_side(head: Any, levels: Any, side: int, below: int, first: int, ticks: Any, lots: Any) -> int:
    """Copies the best levels with keys below `below` to `ticks` and `lots` from place `first` on, to DEPTH; how many
    levels stand there then.
    """
    at = place_of(levels[side, KEY], head[side, HELD], below) - 1
    place = first
    while place < DEPTH and at >= 0:
        if levels[side, LOTS, at] > 0:
            ticks[place] = levels[side, KEY, at] if side == BID else -levels[side, KEY, at]
            lots[place] = levels[side, LOTS, at]
            place += 1
        at -= 1
    return place


@kernel
def begin(row: Any, kind: int, number: int, event_ns: int, seq_ns: int) -> None:
    """The head of an input about an instrument."""
    row.kind = kind
    row.instrument = number
    row.version = 1
    row.ts_event_ns = event_ns
    row.ts_seq_ns = seq_ns


@entry(HEAD_TYPE, LEVELS_TYPE, QUOTE_TYPE, BLOCK_TYPE, int64, int64, int64, int64)
def write_book(
    head: Any, levels: Any, newer: Any, block: Any, index: int, number: int, event_ns: int, seq_ns: int
) -> bool:
    """Writes the visible part as a row of the block, under `newer` best prices where there are some; False (and nothing
    written) where it is crossed.
    """
    row = block[index]
    n_bids, n_asks = 0, 0
    if newer[VALID]:
        if newer[BID_LOTS] > 0:
            row.bids_ticks[0], row.bids_lots[0] = newer[BID_TICKS], newer[BID_LOTS]
            n_bids = copy_side(head, levels, BID, newer[BID_TICKS], 1, row.bids_ticks, row.bids_lots)
        if newer[ASK_LOTS] > 0:
            row.asks_ticks[0], row.asks_lots[0] = newer[ASK_TICKS], newer[ASK_LOTS]
            n_asks = copy_side(head, levels, ASK, -newer[ASK_TICKS], 1, row.asks_ticks, row.asks_lots)
    elif head[BID, BEST] + head[ASK, BEST] >= 0:
        return False
    else:
        n_bids = copy_side(head, levels, BID, ABOVE, 0, row.bids_ticks, row.bids_lots)
        n_asks = copy_side(head, levels, ASK, ABOVE, 0, row.asks_ticks, row.asks_lots)
    begin(row, BOOK_KIND, number, event_ns, seq_ns)
    row.n_bids, row.n_asks = n_bids, n_asks
    return True


@entry(TEXT_TYPE, RULES_TYPE, ROWS_TYPE, QUOTE_TYPE, BLOCK_TYPE, int64, int64, int64, int64)
def write_quote(
    text: bytes, rules: Any, rows: Any, newer: Any, block: Any, index: int, number: int, event_ns: int, seq_ns: int
) -> int:
    """Reads best prices into `rows` (no text: that was done) and, if they make sense, keeps them in `newer` and writes
    them as a row of the block. 0; UNREAD; or the reason why not (and nothing written).
    """
    if len(text) > 0 and not read_rows(text, rules, rows, 2):
        return UNREAD
    bid, bid_lots, ask, ask_lots = rows[0, 0], rows[0, 1], rows[1, 0], rows[1, 1]
    for code in (bid, bid_lots, ask, ask_lots):
        if code < 0:
            return -code
    if (bid_lots > 0 and bid == 0) or (ask_lots > 0 and ask == 0) or (bid >= ask and bid_lots > 0 and ask_lots > 0):
        return NO_EVENT
    newer[VALID], newer[BID_TICKS], newer[BID_LOTS], newer[ASK_TICKS], newer[ASK_LOTS] = 1, bid, bid_lots, ask, ask_lots
    row = block[index]
    begin(row, QUOTE_KIND, number, event_ns, seq_ns)
    row.bid_ticks, row.bid_lots, row.ask_ticks, row.ask_lots = bid, bid_lots, ask, ask_lots
    return 0


class Book:
    """The levels of one market; `grid` says what the texts mean."""

    __slots__ = ("grid", "head", "levels", "newer", "rows")

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.head = np.zeros((2, 5), np.int64)
        self.newer = np.zeros(5, np.int64)
        self.levels = np.zeros((2, 4, START_LEVELS), np.int64)
        self.rows = np.zeros((START_LEVELS, 2), np.int64)
        self.clear()

    def clear(self) -> None:
        """Forgets all levels."""
        self.head[:, (HELD, GAPS)] = 0
        self.head[:, BEST] = NOTHING

    def change(self, bids: Levels, asks: Levels, now_ns: int) -> int:
        """Applies an update; CHANGED and REFUSED, as they are."""
        text, n, m = self.text(bids, asks), len(bids), len(asks)
        told = apply(self.head, self.levels, text, self.grid.rules, self.rows, n, m, now_ns)
        if told < 0:
            self.help(told, bids, asks)
            told = apply(self.head, self.levels, b"", self.grid.rules, self.rows, n, m, now_ns)
        return told

    def load(self, bids: Levels, asks: Levels) -> int:
        """Replaces all levels by a picture; see `change`."""
        n, m = len(bids), len(asks)
        self.clear()
        read = read_text(self.text(bids, asks), self.grid.rules, self.rows, n + m)
        self.help(FULL if read else UNREAD, bids, asks)
        for side, sign in ((self.rows[:n], 1), (self.rows[n : n + m], -1)):
            side[:] = side[np.argsort(side[:, 0] * sign, kind="stable")]  # worst first: each goes to the end
        return apply(self.head, self.levels, b"", self.grid.rules, self.rows, n, m, 0)

    def change_one(self, how: int, side: int, ticks: int, lots: int, now_ns: int) -> bool:
        """See `change_one`; whether the visible part changed."""
        told = change_one(self.head, self.levels, how, side, ticks, lots, now_ns)
        if told == FULL:
            self.help(FULL, (), ())
            told = change_one(self.head, self.levels, how, side, ticks, lots, now_ns)
        return bool(told)

    def quote(
        self, writer: Writer, bid: str, bid_size: str, ask: str, ask_size: str, event_ns: int, seq_ns: int
    ) -> int:
        """Writes best prices; 0, or the reason why not."""
        text = f"{bid},{bid_size},{ask},{ask_size}".encode()
        now_ns = writer.at(seq_ns)
        grid, block, index = self.grid, writer.block, writer.index
        told = write_quote(text, grid.rules, self.rows, self.newer, block, index, grid.number, event_ns, now_ns)
        if told == UNREAD:
            self.help(UNREAD, [(bid, bid_size)], [(ask, ask_size)])
            told = write_quote(b"", grid.rules, self.rows, self.newer, block, index, grid.number, event_ns, now_ns)
        if told == 0:
            writer.wrote(seq_ns, grid.symbol)
        return told

    def write(self, writer: Writer, event_ns: int, seq_ns: int) -> bool:
        """Writes the visible part; False (and nothing written) where it is crossed."""
        now_ns = writer.at(seq_ns)
        number, block, index = self.grid.number, writer.block, writer.index
        written = write_book(self.head, self.levels, self.newer, block, index, number, event_ns, now_ns)
        if written:
            writer.wrote(seq_ns, self.grid.symbol)
        return written

    def crossed(self) -> bool:
        """Whether best bid and best ask exclude each other."""
        return self.head.item(BID, BEST) + self.head.item(ASK, BEST) >= 0

    def best(self, side: int) -> tuple[int, int]:
        """The best price of a side that is not empty, and when its level was last set."""
        return abs(self.head.item(side, BEST)), self.levels.item(side, SET_NS, self.head.item(side, HELD) - 1)

    def side(self, side: int) -> np.ndarray:
        """A copy of all levels of a side, best first: (ticks, lots, of no known order, last set), shape (n, 4)."""
        levels = self.levels[side, :, : self.head[side, HELD]].T[::-1]
        levels = levels[levels[:, LOTS] > 0]
        if side == ASK:
            levels[:, KEY] *= -1
        return levels

    def unusable(self) -> Iterator[tuple[Reason, int]]:
        """How many data were unusable since this was last asked, by reason."""
        for column, reason in ((BAD_EVENT, Reason.BAD_EVENT), (OFF_GRID, Reason.OFF_GRID)):
            yield reason, int(self.head[:, column].sum())
            self.head[:, column] = 0

    def text(self, bids: Levels, asks: Levels) -> bytes:
        """What compiled code reads; sees to it that there are rows to read it into."""
        if len(bids) + len(asks) > len(self.rows):
            self.rows = np.zeros((2 * (len(bids) + len(asks)), 2), np.int64)
        return ",".join(chain.from_iterable([*bids, *asks])).encode()

    def help(self, told: int, bids: Levels, asks: Levels) -> None:
        """Does what compiled code cannot: reads numbers in unusual spellings (UNREAD), makes room."""
        if told == UNREAD:
            for row, (price, size) in enumerate(chain(bids, asks)):
                self.rows[row] = self.grid.ticks.code(price), self.grid.lots.code(size)
        room = self.levels.shape[2]
        needed = int(self.head[:, HELD].max()) + max(len(bids), len(asks), 1)
        if needed > room:
            grown = np.zeros((2, 4, max(2 * room, needed)), np.int64)
            grown[:, :, :room] = self.levels
            self.levels = grown
