"""Trailing orders and bars: in which order a bar went through its prices is not known, so each fill model has its own belief.

`pessimistic`: to the extreme that moves a peak first, then to that which fires; `optimistic`: the other way round; `expected`: to the nearer one first.
All begin at the open and end at the close, and pass every price between two points (`trailing.walk_bar`).
"""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.venue.book import UNKNOWN
from paperdesk.venue.kinds import BUY
from paperdesk.venue.orders import ORDER_ACTIVATED, state_price
from paperdesk.venue.places import before_held, enter_stops, leave_place, sort_trails
from paperdesk.venue.trailing import FOLLOWING, QUEUES, farther, follows, walk_bar


@kernel
def walk_trails(s: Any, instrument: int, e: Any, opened_ns: int) -> None:
    """Let the trailing orders sent before a bar live through it: peaks move, some become active, `fired_ticks` says who has fired and where."""
    for queue in range(FOLLOWING, QUEUES):
        for i in range(s.n_stops[instrument, queue]):
            order = s.orders[s.stops[instrument, queue, i]]
            if order.submitted_ns <= opened_ns:
                live_through(s, order, e)
        sort_trails(s, instrument, queue)
    for queue in range(FOLLOWING):
        i = 0
        while i < s.n_stops[instrument, queue]:
            slot = s.stops[instrument, queue, i]
            if not activate_in_bar(s, slot, e, opened_ns):
                i += 1


@kernel
def live_through(s: Any, order: Any, e: Any) -> None:
    """A bar passes over an active order."""
    assert follows(order), "only who follows the price has a peak"
    _, peak, fired = walk_bar(order, s.accounts[order.account].fill_model - 1, e)
    order.peak_ticks, order.fired_ticks = peak, fired


@kernel
def activate_in_bar(s: Any, slot: int, e: Any, opened_ns: int) -> bool:
    """Whether a bar activates an order that waits for its activation price; the rest of the bar passes over it then."""
    order = s.orders[slot]
    if order.trail_bips == 0 or order.submitted_ns > opened_ns:
        return False
    started, peak, fired = walk_bar(order, s.accounts[order.account].fill_model - 1, e)
    if started == 0:
        return False
    leave_place(s, slot)
    state_price(s, ORDER_ACTIVATED, slot, started, peak)
    order.fired_ticks = fired
    enter_stops(s, slot)
    return True


@kernel
def next_fired(s: Any, instrument: int) -> int:
    """Row of the trailing order that has fired in the bar at hand and comes first in (account, id) order, or UNKNOWN."""
    found = UNKNOWN
    for queue in range(FOLLOWING, QUEUES):
        for i in range(s.n_stops[instrument, queue]):
            slot = s.stops[instrument, queue, i]
            order = s.orders[slot]
            if order.fired_ticks > 0 and (found == UNKNOWN or before_held(order, s.orders[found])):
                found = slot
    return found


@kernel
def absorb_prices(s: Any, instrument: int, buy_ticks: int, sell_ticks: int) -> None:
    """Recovery: the prices that trailing buys and sales were measured against (0: none) move the peaks of the active ones. What they activated or fired is
    told by facts.
    """
    if s.n_trailing == 0:
        return
    for slot in range(s.n_used_rows):
        order = s.orders[slot]
        last = buy_ticks if order.side == BUY else sell_ticks
        if order.instrument == instrument and follows(order) and last > 0:
            order.peak_ticks = farther(order.side, order.peak_ticks, last)


@kernel
def absorb_bar(s: Any, e: Any) -> None:
    """Recovery: a bar moves the peaks of those that were active before it (`fired_ticks` is the input whose facts told of an activation)."""
    if s.n_trailing == 0:
        return
    for slot in range(s.n_used_rows):
        order = s.orders[slot]
        if order.instrument == e.instrument and follows(order) and order.fired_ticks != s.seq:
            if order.submitted_ns <= s.ts_seq_ns - e.interval_ns:
                order.peak_ticks = walk_bar(order, s.accounts[order.account].fill_model - 1, e)[1]
