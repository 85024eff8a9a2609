"""What an order's type means: at which price it executes, and whether and in which direction it waits for a trigger.

Types come in pairs, first at the market, then at a limit price: at once, as a stop, as a take-profit. A stop fires when the price runs
away from its order, a take-profit when the price comes to it. Rows of the order table and order commands answer alike.
"""

from typing import Any, Final

from paperdesk.domain.events import OrderType, SelfTrade, Side, TimeInForce
from paperdesk.domain.kernel import kernel

BUY, SELL = int(Side.BUY), int(Side.SELL)
MARKET_ORDER, LIMIT_ORDER = int(OrderType.MARKET), int(OrderType.LIMIT)
STOP_MARKET, STOP_LIMIT = int(OrderType.STOP_MARKET), int(OrderType.STOP_LIMIT)
TAKE_PROFIT_MARKET, TAKE_PROFIT_LIMIT = int(OrderType.TAKE_PROFIT_MARKET), int(OrderType.TAKE_PROFIT_LIMIT)
GTC, IOC, FOK, GTD = int(TimeInForce.GTC), int(TimeInForce.IOC), int(TimeInForce.FOK), int(TimeInForce.GTD)
EXPIRE_MAKER, DECREMENT = int(SelfTrade.EXPIRE_MAKER), int(SelfTrade.DECREMENT)
UP, DOWN = 0, 1
"""Directions of a price in which a trigger is reached; they index the stops place."""
FIRST_TYPE: Final = MARKET_ORDER
LAST_TYPE: Final = TAKE_PROFIT_LIMIT
COLLAR_UP, COLLAR_DOWN, COLLAR_BASE = 105, 95, 100


@kernel
def collar(side: int, ticks: int) -> int:
    """The worst price a market order may walk to: 5 % beyond the reference, rounded away from it (buys up, sells down, at least 1)."""
    assert ticks > 0, "a collar surrounds a price"
    if side == BUY:
        return (ticks * COLLAR_UP + COLLAR_BASE - 1) // COLLAR_BASE
    return max(1, ticks * COLLAR_DOWN // COLLAR_BASE)


@kernel
def is_market(order: Any) -> bool:
    """Whether the order takes any price once it executes."""
    kind = order.order_type
    return bool(kind == MARKET_ORDER or kind == STOP_MARKET or kind == TAKE_PROFIT_MARKET)


@kernel
def stays(order: Any) -> bool:
    """Whether what finds no counterpart at once waits in the queue."""
    return bool(order.time_in_force == GTC or order.time_in_force == GTD)


@kernel
def has_trigger(order: Any) -> bool:
    """Whether the order executes only after a trigger price was reached."""
    return bool(order.order_type >= STOP_MARKET)


@kernel
def is_stop(order: Any) -> bool:
    """Whether a row of the table still waits for its trigger."""
    return bool(order.order_type >= STOP_MARKET and order.triggered == 0)


@kernel
def direction(order: Any) -> int:
    """Where the price must go to reach a trigger: up for stop buys and take-profit sales, down for the others."""
    assert order.order_type >= STOP_MARKET, "only a trigger has a direction"
    takes_profit = order.order_type >= TAKE_PROFIT_MARKET
    return UP if (order.side == BUY) != takes_profit else DOWN


@kernel
def is_reached(way: int, ticks: int, trigger_ticks: int) -> bool:
    """Whether a price is at or beyond a trigger in its direction."""
    return ticks >= trigger_ticks if way == UP else ticks <= trigger_ticks
