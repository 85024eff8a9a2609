"""Triggers where there is a book or a tape: which price they are measured against, and what fires when it is reached.

With bars, `venue/tape.py` looks at the range of each bar instead.
"""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.venue import orders, places
from paperdesk.venue.book import best
from paperdesk.venue.filters import triggered
from paperdesk.venue.kinds import DOWN, UP, is_reached
from paperdesk.venue.matching import execute
from paperdesk.venue.pairs import stand_alone


@kernel
def fire_stops(s: Any, instrument: int) -> None:
    """Trigger what the price has reached, rising then falling, nearest first, and execute it."""
    fire_way(s, instrument, UP)
    fire_way(s, instrument, DOWN)


@kernel
def fire_way(s: Any, instrument: int, way: int) -> None:
    """Trigger the stops of one direction. Before the first trade buys and sales are measured against different quotes."""
    market = s.markets[instrument]
    i = 0
    while i < s.n_stops[instrument, way]:
        slot = s.stops[instrument, way, i]
        order = s.orders[slot]
        if triggered(market, order):
            places.leave_place(s, slot)
            orders.state_order(s, orders.ORDER_TRIGGERED, slot, 0)
            stand_alone(s, slot)
            execute(s, slot)
            i = 0
        elif market.trade_seen == 1 or not is_reached(way, farthest(market, way), order.trigger_ticks):
            break
        else:
            i += 1


@kernel
def farthest(market: Any, way: int) -> int:
    """The price farthest in a direction of those that stops are measured against before the first trade."""
    ask, bid = best(market, 1), best(market, 0)
    if market.trade_seen == 1 or ask == 0 or bid == 0:
        return max(ask, bid)
    return ask if way == UP else bid
