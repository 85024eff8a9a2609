"""A harder market, made from the same flow: real arrivals, sizes and cancels, matched again by price and time on a coarser grid.

On the recorded grid hardly two orders share a price, so queue models cannot be told apart. Here bids are rounded down and asks up to
a coarse tick; orders that could take in truth take as many lots as they truly took. What becomes of each order is then made by a
plain first-come exchange: no longer a recorded truth, and said so wherever its figures are shown. Who cancels, when, and from
which place in the queue is still what real traders did.
"""

from collections import deque

from benchmarks.fidelity.asks import marketable
from benchmarks.fidelity.tape import ALIVE, BOOK, CANCELED, FILLED, TRADE, Real, Rows, Tape, joined, settled, views_of

from paperdesk.domain.events import DEPTH, Side, inputs


class Exchange:
    """Price and time; every change of the book is shown, prints before the picture that they change, or after it."""

    def __init__(self, instrument_number: int, prints_first: bool) -> None:
        self.number = instrument_number
        self.prints_first = prints_first
        self.levels: tuple[dict[int, deque[Real]], dict[int, deque[Real]]] = {}, {}
        self.left: dict[int, int] = {}
        self.rows: list[Rows] = []
        self.shown: dict[int, list[tuple[int, int, int]]] = {}
        self.trades = 0

    def best(self, own: int) -> int:
        """Best price of a side, 0 where it is empty."""
        prices = self.levels[own]
        return 0 if not prices else max(prices) if own == 0 else min(prices)

    def rest(self, real: Real) -> None:
        """An order joins the end of its queue."""
        real.born_row, real.best_opposite = len(self.rows), self.best(1 - real.own)
        self.levels[real.own].setdefault(real.ticks, deque()).append(real)
        self.left[real.order_id] = real.size_lots
        self.shown[real.order_id] = [(len(self.rows), real.size_lots, 0)]
        self.picture(real.born_ns)

    def leave(self, real: Real, now_ns: int) -> None:
        """What is left of an order is withdrawn, if it is still there."""
        if real.order_id not in self.left:
            return
        real.end, real.end_ns, real.left_lots = CANCELED, now_ns, self.left.pop(real.order_id)
        queue = self.levels[real.own][real.ticks]
        queue.remove(real)
        if not queue:
            del self.levels[real.own][real.ticks]
        self.shown[real.order_id].append((len(self.rows), 0, real.filled_lots))
        self.picture(now_ns)

    def take(self, own: int, lots: int, now_ns: int) -> None:
        """`lots` of the queue of side `own` are taken, best price first; what is not there is not taken."""
        prints: list[Rows] = []
        while lots > 0 and self.levels[own]:
            ticks = self.best(own)
            queue = self.levels[own][ticks]
            real = queue[0]
            n = min(lots, self.left[real.order_id])
            lots -= n
            self.left[real.order_id] -= n
            real.left_lots = self.left[real.order_id]
            real.first_fill_ns = real.first_fill_ns or now_ns
            row = inputs(1)
            self.trades += 1
            row["kind"], row["instrument"], row["version"], row["ts_seq_ns"] = TRADE, self.number, 1, now_ns
            row["side"] = Side.SELL if own == 0 else Side.BUY
            row["trade_price_ticks"], row["trade_qty_lots"], row["trade_id"] = ticks, n, self.trades
            prints.append(row)
            at = len(self.rows) + (len(prints) if self.prints_first else 0)
            self.shown[real.order_id].append((at, real.left_lots, real.filled_lots))
            if real.left_lots == 0:
                real.end, real.end_ns = FILLED, now_ns
                queue.popleft()
                del self.left[real.order_id]
                if not queue:
                    del self.levels[own][ticks]
        if self.prints_first:
            self.rows.extend(prints)
        self.picture(now_ns)
        if not self.prints_first:
            self.rows.extend(prints)

    def picture(self, now_ns: int) -> None:
        """The best levels."""
        row = inputs(1)
        row["kind"], row["instrument"], row["version"], row["ts_seq_ns"] = BOOK, self.number, 1, now_ns
        for own, (count, name) in enumerate((("n_bids", "bids"), ("n_asks", "asks"))):
            prices = sorted(self.levels[own], reverse=own == 0)[:DEPTH]
            row[count] = len(prices)
            for i, ticks in enumerate(prices):
                row[f"{name}_ticks"][0, i] = ticks
                row[f"{name}_lots"][0, i] = sum(self.left[real.order_id] for real in self.levels[own][ticks])
        self.rows.append(row)


def rematched(tape: Tape, tick: int, prints_first: bool) -> Tape:
    """The flow of a tape on a grid of `tick` of its ticks."""
    exchange = Exchange(tape.instrument.number, prints_first)
    flow: list[tuple[int, int, int, Real]] = []
    orders: list[Real] = []
    for real in tape.orders:
        if marketable(real):
            if real.filled_lots:
                flow.append((real.first_fill_ns, 1, real.order_id, real))
            continue
        ticks = real.ticks // tick if real.own == 0 else -(-real.ticks // tick)
        copy = Real(real.order_id, real.own, ticks, real.size_lots, real.born_ns, 0, 0, left_lots=real.size_lots)
        orders.append(copy)
        flow.append((real.born_ns, 0, real.order_id, copy))
        if real.end != ALIVE:
            flow.append((real.end_ns, 2, real.order_id, copy))
    for now_ns, what, _, real in sorted(flow, key=lambda step: step[:3]):
        if what == 1:
            exchange.take(1 - real.own, real.filled_lots, now_ns)
        elif what == 2:
            exchange.leave(real, now_ns)
        else:
            place(exchange, real)
    end_ns = tape.end_ns
    for real in orders:
        real.end_ns = real.end_ns or end_ns
    rows = joined(exchange.rows)
    rows["ts_event_ns"] = rows["ts_seq_ns"]
    shown = {order_id: settled(changes) for order_id, changes in exchange.shown.items()}
    kept = [real for real in orders if real.order_id in shown]
    notes = [f"matched again on a grid of {tick} ticks: no recorded truth"]
    return Tape(rows, views_of(rows), tape.instrument, tape.assets, tape.source, kept, shown, notes)


def place(exchange: Exchange, real: Real) -> None:
    """An order that did not take in truth does not take here: where the other side is in its way, it is left out."""
    best = exchange.best(1 - real.own)
    if best and (real.ticks >= best if real.own == 0 else real.ticks <= best):
        return
    exchange.rest(real)
