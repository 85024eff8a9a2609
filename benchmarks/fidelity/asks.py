"""What is asked of each model: one passive order, and the part of the stream that it can meet, itself taken out of it.

Most rows mean nothing to one order: a picture that shows the same at its price, the same of the other side at or through
it, and follows no trade that concerned it, changes nothing in any model. They are left out (`thin`); a test holds the
venue's answers on thinned and on whole streams against each other.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from benchmarks.fidelity.late import LATE_NS, Shown, displayed, shown_before
from benchmarks.fidelity.tape import BOOK, CANCELED, FILLED, LOST, TRADE, Ints, Real, Rows, Tape, Views
from numba import njit

from paperdesk.domain.events import DEPTH, Side

UNKNOWN: Final = -1
BID: Final = 0
BUY, SELL = int(Side.BUY), int(Side.SELL)
PRINT_LAG_NS: Final = 100_000_000
"""Trades are printed after the orders that they shrank: 5 to 95 % within 6 to 17 ms, all within 82 ms in the recording of
2015. Both the end of an order's life and the look at it wait so long, for all orders alike."""


class Ask(NamedTuple):
    """One order to ask about, and its truth; times in nanoseconds, rows of the stream."""

    own: int
    """0 bid, 1 ask."""
    ticks: int
    lots: int
    first_row: int
    """It arrives before this row."""
    end_row: int
    """It is canceled, if it is still there, before this row; at `len(rows)`, with the end."""
    judge_ns: int
    """Filled or not is judged at this time: the end of the real order's life and the lag of prints."""
    born_ns: int
    true_lots: int
    """Filled by then, in truth."""
    true_first_ns: int
    """0 where nothing was."""
    true_whole_ns: int
    place: int
    """0: better than all of its side, 1: at the best price, 2: up to five levels behind, 3: up to twenty."""


@dataclass(slots=True)
class Stream:
    """Thinned streams of m asks: those of ask i are `start[i]:start[i + 1]` of the other arrays.

    The first row of each is the picture that the order finds on arrival; prints may follow it before the order comes.
    """

    start: Ints
    row: Ints
    shown: Ints
    """Displayed at the price as if the order had never been, or UNKNOWN where the view does not reach: its lots are taken out,
    and prints that hit it are charged to those behind it."""
    reach: Ints
    """Lots of the other side displayed at or through the price."""
    arrival: Ints
    """Shape (m,): how many rows of an ask's stream come before it arrives."""
    before_start: Ints
    before_row: Ints
    """All pictures and prints from 100 ms before the first row on, `before_start[i]:before_start[i + 1]` of them ask i's: they tell what
    was missing already when the order came."""
    print: Shown
    """Of the whole tape."""


@njit
def reachable(ticks: Any, lots: Any, row: int, own: int, price: int) -> int:
    """Lots of the other side at or through a price."""
    total = 0
    for level in range(ticks.shape[2]):
        at = ticks[row, 1 - own, level]
        if at == 0 or (at > price if own == 0 else at < price):
            break
        total += lots[row, 1 - own, level]
    return total


@njit
def thin(
    kind: Any, side: Any, trade_ticks: Any, ticks: Any, lots: Any, near: Any, own: int, price: int, first: int, end: int,
    mine: Any, keep_all: bool, out: Any,
) -> tuple[int, int]:  # fmt: skip
    """Writes (row, shown, reach) of the rows that matter to one order into `out`; how many, and how many of them come before
    it: the last picture before `first`, as it was, and the prints since. `mine`: (row, lots, eaten), see `Tape.shown`.
    """
    at = first - 1
    while kind[at] != 4:
        at -= 1
    shown, reach = displayed(ticks, lots, at, own, price, 0), reachable(ticks, lots, at, own, price)
    out[0, 0], out[0, 1], out[0, 2] = at, shown, reach
    n, arrival, now_mine, fresh, debt, eaten = 1, 1, -1, False, 0, 0
    for row in range(at + 1, end):
        if row == first:
            arrival = n
        while now_mine + 1 < len(mine) and mine[now_mine + 1, 0] <= row:
            now_mine += 1
        if kind[row] == 2:
            against = side[row] != own + 1
            meets = trade_ticks[row] <= price if own == 0 else trade_ticks[row] >= price
            if (against and meets) or keep_all:
                out[n, 0], out[n, 1], out[n, 2] = row, shown, reach
                n += 1
                fresh = True
        elif kind[row] == 4:
            now = displayed(ticks, lots, row, own, price, mine[now_mine, 1] if now_mine >= 0 else 0)
            if now != -1 and now_mine >= 0:
                debt = min(now, debt + mine[now_mine, 2] - eaten)
                eaten = mine[now_mine, 2]
                now -= debt
            over = reachable(ticks, lots, row, own, price)
            if now != shown or over > 0 or reach > 0 or fresh or near[row] or keep_all:
                shown, reach, fresh = now, over, False
                out[n, 0], out[n, 1], out[n, 2] = row, shown, reach
                n += 1
    return n, arrival if end > first else n


@njit
def before(kind: Any, ts: Any, first: int, found: int) -> int:
    """The row with which the story of what is missing begins: the last picture that is too old to matter, and none after `found`."""
    at = found
    while at > 0 and (kind[at] != 4 or ts[at] >= ts[first - 1] - LATE_NS):
        at -= 1
    while kind[at] != 4:
        at += 1
    return at


def streams(tape: Tape, asks: list[Ask], own_rows: list[list[tuple[int, int, int]]], keep_all: bool = False) -> Stream:
    """The thinned streams; `own_rows` are the order's own lots in the display, by row, one list an ask."""
    views = tape.views
    out = np.zeros((len(tape.rows) + 1, 3), np.int64)
    parts, start, arrivals = [], [0], []
    told = shown_before(views)
    early: list[Ints] = []
    for ask, mine in zip(asks, own_rows, strict=True):
        n, arrival = thin(
            views.kind, views.side, views.trade_ticks, views.ticks, views.lots, told.near, ask.own, ask.ticks, ask.first_row,
            ask.end_row, np.array(mine, np.int64).reshape(-1, 3), keep_all, out,
        )  # fmt: skip
        parts.append(out[:n].copy())
        start.append(start[-1] + n)
        arrivals.append(arrival)
        since = np.arange(before(views.kind, views.ts_ns, ask.first_row, out[0, 0]), out[0, 0])
        early.append(since[(views.kind[since] == TRADE) | (views.kind[since] == BOOK)])
    whole = np.concatenate(parts) if parts else np.zeros((0, 3), np.int64)
    columns = (np.ascontiguousarray(whole[:, i]) for i in range(3))
    early_start = np.concatenate([[0], np.cumsum([len(rows) for rows in early])]).astype(np.int64)
    early_row = np.concatenate(early) if early else np.zeros(0, np.int64)
    return Stream(np.array(start), *columns, np.array(arrivals), early_start, early_row, told)


def picture_before(views: Views, row: int) -> int:
    """The last picture before a row, or -1."""
    at = row - 1
    while at >= 0 and views.kind[at] != BOOK:
        at -= 1
    return at


def place_of(views: Views, picture: int, own: int, ticks: int) -> int:
    """Where an order would stand in a picture; see `Ask.place`, and 4: out of sight."""
    levels = views.ticks[picture, own]
    better = int(np.count_nonzero(levels > ticks if own == BID else (levels < ticks) & (levels > 0)))
    if better == DEPTH:
        return 4
    if better == 0:
        return 1 if levels[0] == ticks else 0
    return 2 if better <= 5 else 3


def marketable(real: Real) -> bool:
    """Whether an order could take on arrival: by the price of the other side then, not by what became of it."""
    best = real.best_opposite
    return best > 0 and (real.ticks >= best if real.own == BID else real.ticks <= best)


def of_orders(tape: Tape, lag_ns: int) -> tuple[list[Ask], list[list[tuple[int, int, int]]], dict[str, int]]:
    """The asks of an order-level recording, their own lots, and how many orders were left out for which reason.

    `lag_ns`: how long after an order's end the prints of its fills may come; each is canceled and judged so much later.
    """
    asks: list[Ask] = []
    mine: list[list[tuple[int, int, int]]] = []
    ts = tape.views.ts_ns
    left_out = dict.fromkeys(
        ("before the first picture", "could take on arrival", "out of sight", "lost", "repriced"), 0
    )
    for real in tape.orders:
        picture = picture_before(tape.views, real.born_row)
        place = place_of(tape.views, picture, real.own, real.ticks) if picture >= 0 else 4
        why = (
            "before the first picture" if picture < 0
            else "could take on arrival" if marketable(real)
            else "out of sight" if place == 4
            else "lost" if real.end == LOST
            else "repriced" if real.repriced
            else ""
        )  # fmt: skip
        if why:
            left_out[why] += 1
            continue
        judge_ns = real.end_ns + lag_ns
        end_row = int(np.searchsorted(ts, judge_ns, "right")) if real.end == CANCELED else len(ts)
        whole_ns = real.end_ns if real.end == FILLED else 0
        asks.append(
            Ask(real.own, real.ticks, real.size_lots, real.born_row, max(end_row, real.born_row), judge_ns, real.born_ns,
                real.filled_lots, real.first_fill_ns, whole_ns, place)
        )  # fmt: skip
        mine.append(tape.shown[real.order_id])
    return asks, mine, left_out


def rewritten(tape: Tape, ask: Ask, rows: Ints, shown: Ints) -> Rows:
    """The stream's rows of these numbers, with `shown` displayed at the order's price."""
    block = tape.rows[rows].copy()
    side, count = ("bids", "asks")[ask.own], ("n_bids", "n_asks")[ask.own]
    price, lots = f"{side}_ticks", f"{side}_lots"
    for i in range(1, len(rows)):
        if block["kind"][i] != BOOK or shown[i] == UNKNOWN:
            continue
        n = int(block[count][i])
        found = np.flatnonzero(block[price][i, :n] == ask.ticks)
        if len(found) == 0:
            assert shown[i] == 0, "only what is displayed can be lowered"
            continue
        at = int(found[0])
        assert shown[i] <= block[lots][i, at], "an order is part of its level"
        if shown[i] > 0:
            block[lots][i, at] = shown[i]
            continue
        for name in (price, lots):
            block[name][i, at : n - 1] = block[name][i, at + 1 : n].copy()
            block[name][i, n - 1] = 0
        block[count][i] = n - 1
    return block


__all__ = ["BUY", "SELL", "TRADE", "Ask", "Stream", "marketable", "of_orders", "rewritten", "streams"]
