"""What an instrument's filters say of an order's size and worth (sections 4.3 and 4.5 of the rule book)."""

from __future__ import annotations

from tests.oracle.money import down
from tests.oracle.things import Instrument, Order
from tests.oracle.words import MARKET, MARKET_TYPES


def size_reason(instrument: Instrument, order: Order) -> str:
    """What sections 4.3 and 4.5 have against an order of this quantity."""
    return instrument.filter_lots(order) or value_reason(instrument, order)


def value_reason(instrument: Instrument, order: Order) -> str:
    """Section 4.5: worth too little, or too much."""
    market = instrument.market
    price: int | None = order.price
    if order.is_stop and order.order_type in MARKET_TYPES:
        price = order.trigger or market.mark
    elif order.order_type == MARKET:
        price = market.mark if instrument.given["min_notional_to_market"] else None
    worth = None if price is None else down(instrument.worth(price * order.qty))
    if order.budget:
        worth = order.budget if instrument.given["min_notional_to_market"] else None
    if worth is not None and worth < instrument.given["min_notional_units"]:
        return "min_notional"
    return "max_notional" if too_valuable(instrument, order) else ""


def too_valuable(instrument: Instrument, order: Order) -> bool:
    """Section 4.5, the maximum."""
    most = instrument.given["max_notional_units"]
    at_market = order.order_type == MARKET
    if not most or (at_market and not instrument.given["max_notional_to_market"]):
        return False
    if order.budget:
        return order.budget > most
    price: int | None = order.price
    if order.order_type in MARKET_TYPES:
        price = instrument.market.mark if at_market or not order.trigger else order.trigger
    if price is None:
        return False
    countable = ((most + 1) // instrument.num + 1) * instrument.den <= 2**62
    return countable and instrument.worth(price * order.qty) > most
