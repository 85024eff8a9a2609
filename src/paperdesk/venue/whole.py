"""Fill or kill: whether the visible book suffices for a whole order, counted before anything is filled."""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.domain.units import MAX_UNITS, mul_div_ceil, product_fits
from paperdesk.ledger.journal import FREE
from paperdesk.venue import book
from paperdesk.venue.book import UNKNOWN
from paperdesk.venue.budget import most_value
from paperdesk.venue.fills import countable_whole
from paperdesk.venue.kinds import BUY, EXPIRE_MAKER, is_market
from paperdesk.venue.rivals import lots_before


@kernel
def fills_whole(s: Any, order: Any, limit: int, rival: int) -> bool:
    """Whether the visible book within a limit, and for market buys the purse, suffice for the whole order, or for all of its budget, before it meets
    its first rival, unless that one would give way.
    """
    if limit == 0:
        return False
    enough, value = book_value(s, order, limit, UNKNOWN if order.self_trade == EXPIRE_MAKER else rival)
    if not enough or value == 0 or not countable_whole(s, order, value):
        return False
    if order.side == BUY and is_market(order):
        definition = s.instruments[order.instrument]
        purse = order.reserved_units + s.balances[order.account, definition.quote_asset, FREE]
        return mul_div_ceil(value, definition.num, definition.den) <= purse
    return True


@kernel
def book_value(s: Any, order: Any, limit: int, rival: int) -> tuple[bool, int]:
    """Whether the book holds all that an order wants within a limit and before a rival (UNKNOWN: none), and Σ ticks·lots of it."""
    instrument, opposite = order.instrument, 2 - order.side
    market = s.markets[instrument]
    most = MAX_UNITS
    if order.budget_units > 0:
        most = most_value(s.instruments[instrument], order.side, order.budget_units)
    missing, value = order.qty_lots, 0
    for level in range(market.count[opposite]):
        ticks = market.ticks[opposite, level]
        if not book.reaches(order.side, ticks, limit):
            break
        if rival != UNKNOWN and book.better(opposite, s.orders[rival].price_ticks, ticks):
            break
        lots = min(book.available_lots(s, order.account, instrument, opposite, level), missing)
        if rival != UNKNOWN and s.orders[rival].price_ticks == ticks:
            lots = min(lots, lots_before(s, rival, level))
        if order.budget_units > 0 and lots >= (most - value) // ticks:
            return True, value + ticks * ((most - value) // ticks)
        if not product_fits(ticks, lots, MAX_UNITS - value):
            return False, 0
        missing -= lots
        value += ticks * lots
    assert missing >= 0, "no more is taken than wanted"
    return missing == 0, value
