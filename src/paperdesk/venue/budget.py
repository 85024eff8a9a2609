"""Market orders of a quote quantity: spend, or receive, at most so much. How many lots that is, is decided level by level.

Each fill is cut to the whole lots that keep the payment (buy, rounded up) or the proceeds (sell, rounded down) within the budget. The
order ends when not one more lot fits at the price at hand.
"""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.domain.units import MAX_UNITS, mul_div_ceil, mul_div_floor, product_fits
from paperdesk.venue.kinds import BUY


@kernel
def is_countable(definition: Any, budget_units: int) -> bool:
    """Whether the value of a budget, in ticks · lots, can be counted."""
    return product_fits((budget_units + 1) // definition.num + 1, definition.den, MAX_UNITS)


@kernel
def most_value(definition: Any, side: int, budget_units: int) -> int:
    """The largest Σ ticks·lots that costs (rounded up) or brings (rounded down) no more than a budget."""
    assert budget_units > 0, "a budget is above zero"
    if side == BUY:
        return mul_div_floor(budget_units, definition.den, definition.num)
    return mul_div_ceil(budget_units + 1, definition.den, definition.num) - 1


@kernel
def budget_lots(s: Any, order: Any, price_ticks: int) -> int:
    """Whole lots (rounded down) that an order's budget still allows at a price."""
    most = most_value(s.instruments[order.instrument], order.side, order.budget_units)
    lots: int = max(0, most - order.value) // price_ticks
    return lots


@kernel
def wanted_lots(s: Any, order: Any, price_ticks: int) -> int:
    """What is open of an order, as far as its budget allows at a price."""
    lots: int = order.qty_lots - order.filled_lots
    return lots if order.budget_units == 0 else min(lots, budget_lots(s, order, price_ticks))


@kernel
def is_spent(s: Any, order: Any, price_ticks: int) -> bool:
    """Whether an order has a budget of which not one more lot can be had at a price."""
    return bool(order.budget_units > 0 and budget_lots(s, order, price_ticks) == 0)
