"""Market orders of a quote quantity, slowly: how many lots a budget allows, found by halving (section 5.1 of the rule book)."""

from __future__ import annotations

from tests.oracle.money import down, up
from tests.oracle.things import Instrument, Order
from tests.oracle.words import BUY


def costs(instrument: Instrument, order: Order, value: int) -> int:
    """Quote units that Σ ticks·lots costs a buyer or brings a seller."""
    worth = instrument.worth(value)
    return up(worth) if order.side == BUY else down(worth)


def room(instrument: Instrument, order: Order, value: int, price: int, most: int) -> int:
    """The most lots, up to `most`, at a price after fills of `value` that keep within the budget; without one, `most`."""
    if not order.budget or costs(instrument, order, value + price * most) <= order.budget:
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        if costs(instrument, order, value + price * middle) <= order.budget:
            low = middle
        else:
            high = middle
    return low


def spent(instrument: Instrument, order: Order, price: int) -> bool:
    """Whether not one more lot fits at a price."""
    return room(instrument, order, order.value, price, 1) == 0
