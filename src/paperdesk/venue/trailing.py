"""Trailing orders: the price that fires them follows the market at a distance, so many hundredths of a percent, once they are active.

A sale follows the highest price since it became active and fires when the price has fallen from it by its distance; a buy follows the lowest and
fires when the price has risen. `peak_ticks` of its row is that highest, or lowest, price; 0: not active. Those not active wait for their
activation price among the stops; active ones wait in two queues of their own, nearest trigger first, so that a price that moves no
peak and reaches no trigger touches none. The rules are docs/venue-rules.md, section 6.5.
"""

from typing import Any, Final

from paperdesk.domain.kernel import kernel
from paperdesk.domain.orders import OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.venue.kinds import BUY, DOWN, UP, direction, is_reached

TRAIL_SCALE: Final = 10_000
"""A distance counts in these parts of the peak."""
LONGEST_TRAIL: Final = TRAIL_SCALE - 1
FOLLOWING: Final = 2
"""Queues of the stops place: UP and DOWN for what waits for a given price, FOLLOWING + UP (buys) and FOLLOWING + DOWN (sales) for what follows the price."""
QUEUES: Final = 4
ANY_PRICE: Final = 2**62
TRAILING_DELTA: Final = int(Reason.TRAILING_DELTA)
ACCEPTED, PARTIALLY_FILLED = int(OrderStatus.ACCEPTED), int(OrderStatus.PARTIALLY_FILLED)


@kernel
def trail_way(side: int) -> int:
    """Where the price must turn to fire a trailing order: up for buys, down for sales."""
    return UP if side == BUY else DOWN


@kernel
def trail_ticks(side: int, peak_ticks: int, bips: int) -> int:
    """The price that fires: sales ⌊peak · (10⁴ − bips) / 10⁴⌋, buys ⌈peak · (10⁴ + bips) / 10⁴⌉; in two steps, so that no product grows out of bounds."""
    assert peak_ticks > 0 and 0 < bips <= LONGEST_TRAIL, "a trail has a peak and a distance"
    wholes, rest = peak_ticks // TRAIL_SCALE, peak_ticks % TRAIL_SCALE
    if side == BUY:
        return peak_ticks + wholes * bips + (rest * bips + TRAIL_SCALE - 1) // TRAIL_SCALE
    return wholes * (TRAIL_SCALE - bips) + rest * (TRAIL_SCALE - bips) // TRAIL_SCALE


@kernel
def farther(side: int, peak_ticks: int, ticks: int) -> int:
    """A peak after one more price: of sales the higher, of buys the lower."""
    return min(peak_ticks, ticks) if side == BUY else max(peak_ticks, ticks)


@kernel
def nearer(side: int, peak_ticks: int, other_ticks: int) -> int:
    """Of two peaks that which a price passes first: of sales the lower, of buys the higher."""
    return max(peak_ticks, other_ticks) if side == BUY else min(peak_ticks, other_ticks)


@kernel
def follows(order: Any) -> bool:
    """Whether a row of the table follows the price: active, and not fired yet."""
    return bool(order.peak_ticks > 0 and order.triggered == 0 and ACCEPTED <= order.status <= PARTIALLY_FILLED)


@kernel
def stop_queue(order: Any) -> int:
    """Which queue of the stops place a row waits in."""
    return FOLLOWING + trail_way(order.side) if order.peak_ticks > 0 else direction(order)


@kernel
def awaited_ticks(order: Any) -> int:
    """The price that a row of the stops place waits for in the way of its queue; without an activation price any will do."""
    if order.peak_ticks > 0:
        return trail_ticks(order.side, order.peak_ticks, order.trail_bips)
    if order.trigger_ticks == 0:
        return 0 if direction(order) == UP else ANY_PRICE
    ticks: int = order.trigger_ticks
    return ticks


@kernel
def trail_reason(definition: Any, order: Any) -> int:
    """The filter of trails: bounds for those whose type fires upwards (above) and downwards (below)."""
    low, high = definition.min_trail_above_bips, definition.max_trail_above_bips
    if order.trail_bips == 0:
        return 0
    if direction(order) == DOWN:
        low, high = definition.min_trail_below_bips, definition.max_trail_below_bips
    return TRAILING_DELTA if order.trail_bips < low or 0 < high < order.trail_bips else 0


@kernel
def bar_point(order: Any, model: int, e: Any, step: int) -> int:
    """One of a bar's four prices, from open to close: for `pessimistic` (model 2) first the extreme that moves the peak, for `optimistic` (0) the other, for
    `expected` (1) the nearer one.
    """
    if step == 0:
        return int(e.open_ticks)
    if step == 3:
        return int(e.close_ticks)
    up, down = e.high_ticks - e.open_ticks, e.open_ticks - e.low_ticks
    high_first = order.side != BUY
    if model == 0:
        high_first = not high_first
    elif model == 1 and up != down:
        high_first = up < down
    return int(e.high_ticks if high_first == (step == 1) else e.low_ticks)


@kernel
def walk_bar(order: Any, model: int, e: Any) -> tuple[int, int, int]:
    """(where it became active or 0, peak, where it fired or 0) of a trailing order that lives through a bar. Between two points the price passes all others."""
    started, peak = 0, order.peak_ticks
    for step in range(4):
        ticks = bar_point(order, model, e, step)
        if peak == 0:
            if order.trigger_ticks > 0 and not is_reached(direction(order), ticks, order.trigger_ticks):
                continue
            started = peak = ticks if step == 0 else order.trigger_ticks
        awaited = trail_ticks(order.side, peak, order.trail_bips)
        if is_reached(trail_way(order.side), ticks, awaited):
            return started, peak, ticks if step == 0 else awaited
        peak = farther(order.side, peak, ticks)
    return started, peak, 0
