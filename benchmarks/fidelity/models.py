"""The fill models once more, apart from the product: a few lines over thinned streams, to try what the venue cannot be set to
(any weight) and to check the venue by another route.

Every model keeps a quantity ahead of the order, `front`. A print at the price takes from it; what it has beyond it fills the
order. They differ in what a shrinking level means that no print explains:

- pessimistic: someone behind us left; nobody stands behind more than is displayed, so front = min(front, displayed).
- optimistic: someone ahead of us left; front falls by as much.
- expected: pessimistic − ⌊w · (pessimistic − optimistic) / 1024⌋.

With `pairs` a print that comes after the picture which already shows its shrinkage does not count twice: it first gives back
what that picture took. Touch claims a whole fill as soon as a print or the other side reaches the price.
"""

from typing import Any, Final

import numpy as np
from benchmarks.fidelity.asks import PRINT_LAG_NS, UNKNOWN, Ask, Stream
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


LEAST, MOST, LEVEL, LEAST_HELD, MOST_HELD, UNPAIRED, UNPAIRED_NS = range(7)
"""What is kept of a place in the queue: the least and the most ahead; what stands at the price; the first two as they were before the
pictures that still wait for their prints; gone and not yet explained by a print, and since when."""


@njit
def join(at: Any, shown: int, printed: int) -> None:
    """An order joins what is displayed, `printed` of which was traded since."""
    at[:] = 0
    at[MOST] = at[MOST_HELD] = shown
    at[LEAST] = at[LEAST_HELD] = at[LEVEL] = shown if shown == UNKNOWN else max(0, shown - printed)


@njit
def give_back(at: Any, lots: int, ts_ns: int) -> None:
    """Before a print counts: what a picture already took on its account."""
    if at[UNPAIRED] > 0 and ts_ns - at[UNPAIRED_NS] <= PRINT_LAG_NS:
        back = min(lots, at[UNPAIRED])
        at[UNPAIRED] -= back
        at[LEAST] = min(at[LEAST_HELD], at[LEAST] + back)
        at[MOST] = min(at[MOST_HELD], at[MOST] + back)
        at[LEVEL] += back


@njit
def on_picture(at: Any, now: int, ts_ns: int) -> None:
    """A picture shows `now` lots at the price."""
    if now == UNKNOWN:
        return
    if at[MOST] == UNKNOWN:
        join(at, now, 0)
        return
    gone = max(0, at[LEVEL] - now)
    if at[UNPAIRED] == 0 or ts_ns - at[UNPAIRED_NS] > PRINT_LAG_NS:
        at[UNPAIRED], at[LEAST_HELD], at[MOST_HELD] = 0, at[LEAST], at[MOST]
    if gone > 0:
        at[UNPAIRED] += gone
        at[UNPAIRED_NS] = ts_ns
    at[LEAST] = max(0, at[LEAST] - gone)
    at[MOST] = min(at[MOST], now)
    at[LEAST] = min(at[LEAST], at[MOST])
    at[LEVEL] = now


@njit
def ahead(at: Any, weight: int) -> int:
    """The quantity ahead under a weight, rounded up (the weighted part down)."""
    return int(at[MOST] - weight * max(0, at[MOST] - at[LEAST]) // ONE)


@njit
def after_print(at: Any, lots: int) -> None:
    """A print took its lots from what is ahead."""
    for i in range(5):
        at[i] = max(0, at[i] - lots)


@njit
def queue(
    kind: Any, ts: Any, trade_ticks: Any, trade_lots: Any, row: Any, shown: Any, reach: Any, arrival: int, price: int,
    lots: int, judge_ns: int, weight: int, pairs: bool, got: Any,
) -> None:  # fmt: skip
    """One order under the model of a weight (0 pessimistic, 1024 optimistic); it arrives before its row `arrival`."""
    at = np.zeros(7, np.int64)
    join(at, shown[0], printed_before(trade_ticks, trade_lots, row, arrival, price))
    used, last_reach, want = 0, reach[0], lots
    if reach[0] > 0:
        used = min(want, reach[0])
        want = take(reach[0], want, ts[row[arrival - 1]], judge_ns, got)
    for i in range(arrival, len(row)):
        if want == 0:
            return
        r = row[i]
        if kind[r] == TRADE_KIND:
            q = trade_lots[r]
            if trade_ticks[r] != price:
                want = take(q, want, ts[r], judge_ns, got)
                at[:] = 0
            elif at[MOST] != UNKNOWN:
                if pairs:
                    give_back(at, q, ts[r])
                want = take(q - ahead(at, weight), want, ts[r], judge_ns, got)
                after_print(at, q)
        else:
            on_picture(at, shown[i], ts[r])
            if reach[i] != last_reach:
                used, last_reach = 0, reach[i]
            if reach[i] > used:
                rest = reach[i] - used
                used += min(rest, want)
                want = take(rest, want, ts[r], judge_ns, got)


@njit
def printed_before(trade_ticks: Any, trade_lots: Any, row: Any, arrival: int, price: int) -> int:
    """Lots printed at the price between the last picture and the arrival; without end if the price was traded through."""
    total = 0
    for i in range(1, arrival):
        total += trade_lots[row[i]] if trade_ticks[row[i]] == price else 2**60
    return total


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
    kind: Any, ts: Any, trade_ticks: Any, trade_lots: Any, start: Any, row: Any, shown: Any, reach: Any, arrival: Any,
    price: Any, lots: Any, judge: Any, weight: int, pairs: bool, out: Any,
) -> None:  # fmt: skip
    """All orders under one model; a weight below 0 is the touch."""
    for i in range(len(start) - 1):
        a, b = start[i], start[i + 1]
        if weight < 0:
            touch(kind, ts, row[a:b], reach[a:b], arrival[i], lots[i], judge[i], out[i])
        else:
            queue(
                kind, ts, trade_ticks, trade_lots, row[a:b], shown[a:b], reach[a:b], arrival[i], price[i],
                lots[i], judge[i], weight, pairs, out[i],
            )  # fmt: skip


def answers(views: Views, asks: list[Ask], stream: Stream, weight: int, pairs: bool = False) -> np.ndarray:
    """What a model says, shape (m, 4); see `OUT`. Weight 0 pessimistic, 1024 optimistic, −1 touch."""
    out = np.zeros((len(asks), OUT), np.int64)
    price, lots, judge = (np.array([ask[i] for ask in asks], np.int64) for i in (1, 2, 5))
    all_asks(
        views.kind, views.ts_ns, views.trade_ticks, views.trade_lots, stream.start, stream.row, stream.shown,
        stream.reach, stream.arrival, price, lots, judge, weight, pairs, out,
    )  # fmt: skip
    return out


def truth(asks: list[Ask]) -> np.ndarray:
    """What became of the real orders, in the same columns."""
    return np.array([(ask.true_lots, ask.true_first_ns, ask.true_whole_ns, ask.true_lots) for ask in asks], np.int64)
