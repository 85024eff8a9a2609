"""The fill models once more, apart from the product: a few lines over thinned streams, to try what the venue cannot be set to
(any weight) and to check the venue by another route.

Every model keeps a quantity ahead of the order, `front`. A print at the price takes from it; what it has beyond it fills the
order. They differ in what a shrinking level means that no print explains:

- pessimistic: someone behind us left; nobody stands behind more than is displayed, so front = min(front, displayed).
- optimistic: someone ahead of us left; front falls by as much.
- expected: pessimistic − ⌊w · (pessimistic − optimistic) / 1024⌋.

What is missing from the level counts as standing for 100 ms, or until prints account for it, as in the venue; with `hold` off it
is gone at once, and a print that comes after its picture counts twice. Touch claims a whole fill as soon as a print or the other
side reaches the price.
"""

from typing import Any, Final

import numpy as np
from benchmarks.fidelity.asks import UNKNOWN, Ask, Stream
from benchmarks.fidelity.late import LATE_NS, account_for, displayed, drop
from benchmarks.fidelity.tape import TRADE, Views
from numba import njit

ONE: Final = 1024
TRADE_KIND: Final = TRADE
OUT: Final = 4
LOTS, FIRST_NS, WHOLE_NS, ALL_LOTS = range(OUT)
"""Columns of an answer: lots filled when judged, time of the first and of the whole fill (0: never), lots filled in the end."""


@njit
def take(lots: int, want: int, ts_ns: int, judge_ns: int, got: Any) -> int:
    """Fills; what is still wanted."""
    n = min(lots, want)
    if n <= 0:
        return want
    if got[FIRST_NS] == 0:
        got[FIRST_NS] = ts_ns
    if n == want:
        got[WHOLE_NS] = ts_ns
    got[ALL_LOTS] += n
    if ts_ns <= judge_ns:
        got[LOTS] += n
    return want - n


LEAST, MOST, LEVEL, SHOWN, TRADED = range(5)
"""What is kept of a place in the queue: the least and the most ahead; what stands at the price; what was displayed there last, and
printed of it since."""


@njit
def owed_lots(owed: Any, price: int) -> int:
    """Lots missing from the price that no print has accounted for. Row 0 of `owed` counts the entries that follow."""
    total = 0
    for i in range(1, owed[0, 0] + 1):
        if owed[i, 0] == price:
            total += owed[i, 1]
    return total


@njit
def learn(at: Any, stands: int) -> None:
    """So much stands at the price."""
    if at[MOST] == UNKNOWN:
        at[LEAST] = at[MOST] = at[LEVEL] = stands
        return
    at[LEAST] = max(0, at[LEAST] - max(0, at[LEVEL] - stands))
    at[MOST] = min(at[MOST], stands)
    at[LEVEL] = stands


@njit
def overdue(owed: Any, ts_ns: int) -> bool:
    """Forget what was not printed in time; whether there was something."""
    n = owed[0, 0]
    while n > 0 and ts_ns - owed[1, 2] > LATE_NS:
        n = drop(owed[1:], n, 0)
    found = n < owed[0, 0]
    owed[0, 0] = n
    return bool(found)


@njit
def settle(at: Any, owed: Any, price: int, ts_ns: int) -> None:
    """Before a print or a picture: what was not printed in time was canceled."""
    if overdue(owed, ts_ns) and at[SHOWN] != UNKNOWN:
        learn(at, at[SHOWN] + owed_lots(owed, price))


@njit
def on_picture(at: Any, owed: Any, price: int, now: int, ts_ns: int, hold: bool) -> None:
    """A picture shows `now` lots at the price."""
    settle(at, owed, price, ts_ns)
    gone = at[SHOWN] - at[TRADED] - now
    if hold and at[SHOWN] != UNKNOWN and now != UNKNOWN and gone > 0:
        n = owed[0, 0] = owed[0, 0] + 1
        owed[n, 0], owed[n, 1], owed[n, 2] = price, gone, ts_ns
    at[SHOWN], at[TRADED] = now, 0


@njit
def on_print(at: Any, owed: Any, price: int, lots: int) -> None:
    """A print at the price: from what is owed, then from what is displayed."""
    owed[0, 0], left = account_for(owed[1:], owed[0, 0], price, lots)
    if at[SHOWN] != UNKNOWN:
        at[TRADED] = min(at[SHOWN], at[TRADED] + left)


@njit
def on_news_through(at: Any, owed: Any) -> None:
    """A print through the price that no picture had shown: nothing stands there, and nothing is owed."""
    owed[0, 0] = 0
    at[TRADED] = max(0, at[SHOWN])


@njit
def ahead(at: Any, weight: int) -> int:
    """The quantity ahead under a weight, rounded up (the weighted part down)."""
    return int(at[MOST] - weight * max(0, at[MOST] - at[LEAST]) // ONE)


@njit
def arrive(
    kind: Any, ts: Any, side: Any, trade_ticks: Any, trade_lots: Any, ticks: Any, lots: Any, told: Any, rows: Any,
    own: int, price: int, hold: bool, at: Any, owed: Any,
) -> None:  # fmt: skip
    """What the market told before an order came, and its place when it comes."""
    at[SHOWN] = UNKNOWN
    for r in rows:
        if kind[r] != TRADE_KIND:
            on_picture(at, owed, price, displayed(ticks, lots, r, own, price, 0), ts[r], hold)
            continue
        overdue(owed, ts[r])
        if side[r] == own + 1 or (trade_ticks[r] > price if own == 0 else trade_ticks[r] < price):
            continue
        if trade_ticks[r] == price:
            on_print(at, owed, price, trade_lots[r])
        elif not hold or trade_lots[r] > told[r, own]:
            on_news_through(at, owed)
    stands = at[SHOWN] + owed_lots(owed, price)
    at[MOST] = at[LEAST] = at[LEVEL] = UNKNOWN
    if at[SHOWN] != UNKNOWN:
        at[MOST], at[LEAST] = stands, max(0, stands - at[TRADED])
        at[LEVEL] = at[LEAST]


@njit
def met(at: Any, owed: Any, price: int, p: int, q: int, weight: int, told: int, after: bool, ts_ns: int) -> int:
    """What a print of q lots at price p has for the order; `after`: it joined after the picture that showed `told` of them."""
    settle(at, owed, price, ts_ns)
    if p != price:
        if q > told:
            at[LEAST] = at[MOST] = at[LEVEL] = 0
            on_news_through(at, owed)
        return q - told if after else q
    if at[MOST] == UNKNOWN:
        on_print(at, owed, price, q)
        return 0
    n = q - ahead(at, weight)
    for i in range(3):
        at[i] = max(0, at[i] - q)
    on_print(at, owed, price, q)
    return n


@njit
def queue(
    kind: Any, ts: Any, side: Any, trade_ticks: Any, trade_lots: Any, ticks: Any, all_lots: Any, told: Any, since: Any,
    early: Any, row: Any, shown: Any, reach: Any, arrival: int, own: int, price: int, lots: int, first: int, judge_ns: int,
    weight: int, hold: bool, got: Any,
) -> None:  # fmt: skip
    """One order under the model of a weight (0 pessimistic, 1024 optimistic); it arrives before its row `arrival`."""
    at, owed = np.zeros(5, np.int64), np.zeros((len(early) + len(row) + 2, 4), np.int64)
    arrive(
        kind, ts, side, trade_ticks, trade_lots, ticks, all_lots, told, np.concatenate((early, row[:arrival])), own, price, hold, at, owed,
    )  # fmt: skip
    used, last_reach, want = 0, reach[0], lots
    if reach[0] > 0:
        used = min(want, reach[0])
        want = take(reach[0], want, ts[row[arrival - 1]], judge_ns, got)
    for i in range(arrival, len(row)):
        if want == 0:
            return
        r = row[i]
        if kind[r] == TRADE_KIND:
            part = told[r, own] if hold else 0
            after = part > 0 and since[r, own] < first
            want = take(
                met(at, owed, price, trade_ticks[r], trade_lots[r], weight, part, after, ts[r]), want, ts[r], judge_ns, got
            )  # fmt: skip
        else:
            on_picture(at, owed, price, shown[i], ts[r], hold)
            if shown[i] != UNKNOWN:
                learn(at, shown[i] + owed_lots(owed, price))
            if reach[i] != last_reach:
                used, last_reach = 0, reach[i]
            if reach[i] > used:
                rest = reach[i] - used
                used += min(rest, want)
                want = take(rest, want, ts[r], judge_ns, got)


@njit
def touch(kind: Any, ts: Any, row: Any, reach: Any, arrival: int, lots: int, judge_ns: int, got: Any) -> None:
    """One order filled whole by the first print or picture that reaches its price."""
    want = lots
    for i in range(len(row)):
        if (i >= arrival and kind[row[i]] == TRADE_KIND) or reach[i] > 0:
            want = take(lots, want, ts[row[i]], judge_ns, got)
            return


@njit
def all_asks(
    kind: Any, ts: Any, side: Any, trade_ticks: Any, trade_lots: Any, ticks: Any, all_lots: Any, told: Any, since: Any,
    early_start: Any, early: Any, start: Any, row: Any, shown: Any, reach: Any, arrival: Any,
    asks: Any, weight: int, hold: bool, out: Any,
) -> None:  # fmt: skip
    """All orders under one model; a weight below 0 is the touch."""
    for i in range(len(start) - 1):
        a, b = start[i], start[i + 1]
        own, price, lots, first, judge = asks[i]
        if weight < 0:
            touch(kind, ts, row[a:b], reach[a:b], arrival[i], lots, judge, out[i])
        else:
            queue(
                kind, ts, side, trade_ticks, trade_lots, ticks, all_lots, told, since, early[early_start[i] : early_start[i + 1]],
                row[a:b], shown[a:b], reach[a:b], arrival[i], own, price, lots, first, judge, weight, hold, out[i],
            )  # fmt: skip


def answers(views: Views, asks: list[Ask], stream: Stream, weight: int, hold: bool = True) -> np.ndarray:
    """What a model says, shape (m, 4); see `OUT`. Weight 0 pessimistic, 1024 optimistic, −1 touch."""
    out = np.zeros((len(asks), OUT), np.int64)
    fields = [(ask.own, ask.ticks, ask.lots, ask.first_row, ask.judge_ns) for ask in asks]
    all_asks(
        *views, stream.print.told, stream.print.since, stream.before_start, stream.before_row, stream.start, stream.row,
        stream.shown, stream.reach, stream.arrival, np.array(fields, np.int64).reshape(-1, 5), weight, hold, out,
    )  # fmt: skip
    return out


def truth(asks: list[Ask]) -> np.ndarray:
    """What became of the real orders, in the same columns."""
    return np.array([(ask.true_lots, ask.true_first_ns, ask.true_whole_ns, ask.true_lots) for ask in asks], np.int64)
