"""Orders that become smaller where they stand: by an amend, or by what was kept from meeting an order of the same account."""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.domain.units import mul_div_ceil
from paperdesk.ledger.journal import RELEASE, post
from paperdesk.venue.fills import needed_units
from paperdesk.venue.kinds import BUY, is_market
from paperdesk.venue.orders import ORDER_DECREASED, apply_order, name_order, reserve_asset


@kernel
def decrease(s: Any, slot: int, qty_lots: int, reason: int, other: int) -> None:
    """Give an order a smaller quantity, more than what is filled of it, and give back what it no longer has to hold; it keeps its place.
    `other`: the order of its account that it met, or 0.
    """
    order = s.orders[slot]
    before = order.qty_lots - order.filled_lots
    row = name_order(s, ORDER_DECREASED, slot, reason)
    row.qty_lots, row.cause = qty_lots, other
    apply_order(s, row, slot)
    surplus = order.reserved_units - kept_units(s, order, before)
    assert surplus >= 0, "a smaller order does not hold more"
    if surplus > 0:
        post(s, RELEASE, order.account, order.bot, reserve_asset(s, order), surplus, order)


@kernel
def kept_units(s: Any, order: Any, open_before: int) -> int:
    """What an order holds after a decrease: what it needs; of a market buy, which holds what it may need, as large a part as is left of it."""
    definition, left = s.instruments[order.instrument], order.qty_lots - order.filled_lots
    if order.side != BUY:
        units: int = left * definition.base_units_per_lot
        return units
    if is_market(order):
        return mul_div_ceil(order.reserved_units, left, open_before)
    return needed_units(definition, order)
