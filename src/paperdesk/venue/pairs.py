"""An exclusive pair comes to its end: one of the two is filled, even in part, or triggered, and from then on stands alone."""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.domain.units import mul_div_ceil
from paperdesk.ledger.journal import FREE, RESERVE, post
from paperdesk.venue.book import UNKNOWN
from paperdesk.venue.kinds import BUY, collar, is_market
from paperdesk.venue.lists import sibling
from paperdesk.venue.orders import LIST_ENDED, ORDER_CANCELED, end_order, reserve_asset


@kernel
def stand_alone(s: Any, slot: int) -> None:
    """Cancel the other order of a pair, if there is one, and take from what it gives back what this one needs."""
    other = sibling(s, slot)
    if other == UNKNOWN:
        return
    order = s.orders[slot]
    assert order.filled_lots == 0, "a pair ends with its first fill"
    holds = order.reserved_units > 0
    end_order(s, other, ORDER_CANCELED, LIST_ENDED)
    if not holds:
        post(s, RESERVE, order.account, order.bot, reserve_asset(s, order), own_need(s, order), order)


@kernel
def own_need(s: Any, order: Any) -> int:
    """What an order of which nothing is filled reserves: base units of a sale, quote units of a buy, a market buy as far as there are some."""
    definition = s.instruments[order.instrument]
    if order.side != BUY:
        base: int = order.qty_lots * definition.base_units_per_lot
        return base
    if not is_market(order):
        return mul_div_ceil(order.price_ticks * order.qty_lots, definition.num, definition.den)
    wished = mul_div_ceil(collar(BUY, order.trigger_ticks) * order.qty_lots, definition.num, definition.den)
    return min(wished, s.balances[order.account, definition.quote_asset, FREE])
