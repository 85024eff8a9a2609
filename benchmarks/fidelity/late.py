"""Prints that come after the picture that shows their trade, once more, apart from the product: what of each print the pictures of the last 100 ms
have shown before (docs/venue-rules.md, 6.1).

Of prints through an order's price this depends on the market alone, not on the order; so it is told once for a whole tape.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from benchmarks.fidelity.tape import BOOK, TRADE, Views
from numba import njit

from paperdesk.domain.events import Side

LATE_NS: Final = 100_000_000
ROOM: Final = 64
SIDES: Final = (int(Side.BUY), int(Side.SELL))
BOOK_KIND, TRADE_KIND, BUY_SIDE, SELL_SIDE = BOOK, TRADE, *SIDES


class Shown(NamedTuple):
    """For each row of a tape of n rows."""

    told: np.ndarray
    """Shape (n, 2): of a print, lots that were missing at its price before it came, if it met bids (0) or asks (1)."""
    since: np.ndarray
    """Shape (n, 2): the row of the picture from which the first of them were missing."""
    near: np.ndarray
    """Shape (n,): pictures that this follows from: those up to 100 ms before a print, and one more."""


@njit
def displayed(ticks: Any, lots: Any, row: int, own: int, price: int, mine: int) -> int:
    """What is displayed at a price of one side, `mine` lots taken out; -1 below the worst of a full view."""
    for level in range(ticks.shape[2]):
        at = ticks[row, own, level]
        if at == price:
            return max(0, lots[row, own, level] - mine)
        if at == 0 or (price > at if own == 0 else price < at):
            return 0
    return -1


@njit
def drop(owed: Any, n: int, at: int) -> int:
    """Without entry `at` of n; how many are left. Entries are (price, lots, time, row), oldest first."""
    for i in range(at, n - 1):
        owed[i] = owed[i + 1]
    return n - 1


@njit
def miss(
    owed: Any, n: int, ticks: Any, lots: Any, traded: Any, own: int, before: int, row: int, ns: int
) -> int:  # fmt: skip
    """What the picture of `row` took from that of `before`, worst first; how many entries there are."""
    for level in range(ticks.shape[2] - 1, -1, -1):
        price = ticks[before, own, level]
        if price == 0:
            continue
        now = displayed(ticks, lots, row, own, price, 0)
        gone = lots[before, own, level] - traded[level] - now
        if now < 0 or gone <= 0:
            continue
        if n == ROOM:
            n = drop(owed, n, 0)
        owed[n, 0], owed[n, 1], owed[n, 2], owed[n, 3] = price, gone, ns, row
        n += 1
    return n


@njit
def account_for(owed: Any, n: int, price: int, lots: int) -> tuple[int, int]:
    """A print takes from what is owed at its price; how many entries and lots are left."""
    at = 0
    while lots > 0 and at < n:
        if owed[at, 0] != price:
            at += 1
            continue
        part = min(lots, owed[at, 1])
        owed[at, 1] -= part
        lots -= part
        if owed[at, 1] == 0:
            n = drop(owed, n, at)
    return n, lots


@njit
def take(owed: Any, n: int, ticks: Any, lots: Any, traded: Any, own: int, picture: int, price: int, left: int) -> int:
    """The news of a print: taken from the display, nothing owed at better prices; how many entries are left."""
    for i in range(n - 1, -1, -1):
        if owed[i, 0] > price if own == 0 else owed[i, 0] < price:
            n = drop(owed, n, i)
    for level in range(ticks.shape[2]):
        at = ticks[picture, own, level]
        if at == 0:
            break
        if at == price:
            traded[level] = min(lots[picture, own, level], traded[level] + left)
        elif at > price if own == 0 else at < price:
            traded[level] = lots[picture, own, level]
    return n


@njit
def tell(
    kind: Any, ts: Any, side: Any, trade_ticks: Any, trade_lots: Any, ticks: Any, lots: Any, told: Any, since: Any, near: Any
) -> None:  # fmt: skip
    """Fill in what `Shown` holds."""
    for own in range(2):
        owed, traded = np.zeros((ROOM, 4), np.int64), np.zeros(ticks.shape[2], np.int64)
        n, picture = 0, -1
        for row in range(len(kind)):
            if kind[row] != BOOK_KIND and kind[row] != TRADE_KIND:
                continue
            while n > 0 and ts[row] - owed[0, 2] > LATE_NS:
                n = drop(owed, n, 0)
            if kind[row] == BOOK_KIND:
                if picture >= 0:
                    n = miss(owed, n, ticks, lots, traded, own, picture, row, ts[row])
                picture = row
                traded[:] = 0
                continue
            at = row
            while at > 0 and (kind[at] != BOOK_KIND or ts[at] >= ts[row] - LATE_NS):
                near[at] = kind[at] == BOOK_KIND or near[at]
                at -= 1
            near[at] = kind[at] == BOOK_KIND or near[at]
            if side[row] == own + 1 or picture < 0:
                continue
            for i in range(n):
                if owed[i, 0] == trade_ticks[row]:
                    if told[row, own] == 0:
                        since[row, own] = owed[i, 3]
                    told[row, own] += owed[i, 1]
            told[row, own] = min(told[row, own], trade_lots[row])
            n, left = account_for(owed, n, trade_ticks[row], trade_lots[row])
            if left > 0:
                n = take(owed, n, ticks, lots, traded, own, picture, trade_ticks[row], left)


def shown_before(views: Views) -> Shown:
    """What pictures had shown of each print."""
    n = len(views.kind)
    found = Shown(np.zeros((n, 2), np.int64), np.full((n, 2), -1, np.int64), np.zeros(n, bool))
    tell(
        views.kind, views.ts_ns, views.side, views.trade_ticks, views.trade_lots, views.ticks, views.lots, *found
    )  # fmt: skip
    return found
