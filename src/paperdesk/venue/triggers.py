"""Triggers where there is a book or a tape: which price they are measured against, and what fires when it is reached.

A trailing order that waits for its activation price becomes active there; from then on it follows the price (`venue/trailing.py`).
With bars, `venue/tape.py` and `venue/intrabar.py` look at the range of each bar instead.
"""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.venue import orders, places
from paperdesk.venue.book import best
from paperdesk.venue.filters import stop_price, triggered
from paperdesk.venue.kinds import BUY, DOWN, SELL, UP, is_reached
from paperdesk.venue.matching import execute
from paperdesk.venue.pairs import stand_alone
from paperdesk.venue.trailing import FOLLOWING, awaited_ticks, farther


@kernel
def fire_stops(s: Any, instrument: int) -> None:
    """Trigger what the price has reached, rising then falling, nearest first, and execute it; then what follows the price, buys then sales."""
    fire_way(s, instrument, UP)
    fire_way(s, instrument, DOWN)
    follow(s, instrument, UP)
    follow(s, instrument, DOWN)


@kernel
def fire_way(s: Any, instrument: int, way: int) -> None:
    """Trigger the stops of one direction. Before the first trade buys and sales are measured against different quotes."""
    market = s.markets[instrument]
    i = 0
    while i < s.n_stops[instrument, way]:
        slot = s.stops[instrument, way, i]
        order = s.orders[slot]
        if triggered(market, order):
            reach(s, slot, stop_price(market, order.side))
            i = 0
        elif market.trade_seen == 1 or not is_reached(way, farthest(market, way), awaited_ticks(order)):
            break
        else:
            i += 1


@kernel
def reach(s: Any, slot: int, last_ticks: int) -> None:
    """The price an order waited for has come: a trailing one becomes active, or has fired; others fire."""
    order = s.orders[slot]
    places.leave_place(s, slot)
    if order.trail_bips > 0 and order.peak_ticks == 0:
        orders.state_price(s, orders.ORDER_ACTIVATED, slot, last_ticks, last_ticks)
        places.enter_stops(s, slot)
    else:
        orders.state_price(s, orders.ORDER_TRIGGERED, slot, last_ticks, order.peak_ticks)
        stand_alone(s, slot)
        execute(s, slot)


@kernel
def follow(s: Any, instrument: int, way: int) -> None:
    """Active trailing orders of one side: peaks that the price passes move, then those fire that it has turned far enough for."""
    queue, side = FOLLOWING + way, BUY if way == UP else SELL
    if s.n_stops[instrument, queue] == 0:
        return
    last = stop_price(s.markets[instrument], side)
    if last == 0:
        return
    nearest = s.nearest_peak[instrument, way]
    if farther(side, nearest, last) != nearest:
        places.move_peaks(s, instrument, queue, last)
    while s.n_stops[instrument, queue] > 0:
        slot = s.stops[instrument, queue, 0]
        if not is_reached(way, last, awaited_ticks(s.orders[slot])):
            break
        reach(s, slot, last)


@kernel
def farthest(market: Any, way: int) -> int:
    """The price farthest in a direction of those that stops are measured against before the first trade."""
    ask, bid = best(market, 1), best(market, 0)
    if market.trade_seen == 1 or ask == 0 or bid == 0:
        return max(ask, bid)
    return ask if way == UP else bid
