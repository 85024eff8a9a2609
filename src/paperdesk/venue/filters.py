"""What the venue checks when an order arrives. A failed check is a reason; 0 lets the order in."""

from typing import Any, Final

from paperdesk.domain.events import TradingStatus
from paperdesk.domain.kernel import kernel
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import MAX_UNITS, mul_div_floor, product_fits
from paperdesk.venue.book import BOOK, best, reaches
from paperdesk.venue.kinds import BUY, MARKET_ORDER, direction, has_trigger, is_market, is_reached

TRADING: Final = int(TradingStatus.TRADING)
INSTRUMENT_HALTED, PRICE_FILTER, LOT_SIZE, MARKET_LOT_SIZE, MIN_NOTIONAL, STOP_WOULD_TRIGGER, POST_ONLY_WOULD_TAKE = (
    int(Reason.INSTRUMENT_HALTED),
    int(Reason.PRICE_FILTER),
    int(Reason.LOT_SIZE),
    int(Reason.MARKET_LOT_SIZE),
    int(Reason.MIN_NOTIONAL),
    int(Reason.STOP_WOULD_TRIGGER),
    int(Reason.POST_ONLY_WOULD_TAKE),
)


@kernel
def within(value: int, low: int, high: int) -> bool:
    """Whether a value lies within bounds of which 0 means none."""
    return value >= low and (high == 0 or value <= high)


@kernel
def grid_reason(definition: Any, order: Any) -> int:
    """Price and size filters alone: what an order must still pass when its instrument's definition changes."""
    if not is_market(order):
        if not within(order.price_ticks, definition.min_price_ticks, definition.max_price_ticks):
            return PRICE_FILTER
    if has_trigger(order):
        if not within(order.trigger_ticks, definition.min_price_ticks, definition.max_price_ticks):
            return PRICE_FILTER
    if order.budget_units > 0:
        return 0
    if not within(order.qty_lots, definition.min_qty_lots, definition.max_qty_lots):
        return LOT_SIZE
    if is_market(order) and not within(order.qty_lots, definition.market_min_qty_lots, definition.market_max_qty_lots):
        return MARKET_LOT_SIZE
    return 0


@kernel
def notional_reason(definition: Any, market: Any, order: Any) -> int:
    """The minimum-value filter."""
    assert definition.den > 0, "a definition has a denominator"
    price = order.trigger_ticks if is_market(order) else order.price_ticks
    if order.order_type == MARKET_ORDER:
        price = market.mark_ticks if definition.min_notional_to_market == 1 else 0
        if order.budget_units > 0 and definition.min_notional_to_market == 1:
            return MIN_NOTIONAL if order.budget_units < definition.min_notional_units else 0
        if price == 0:
            return 0
    if not product_fits(price, order.qty_lots, MAX_UNITS):
        return 0
    if not product_fits(price * order.qty_lots, definition.num, MAX_UNITS):
        return 0
    value = mul_div_floor(price * order.qty_lots, definition.num, definition.den)
    return MIN_NOTIONAL if value < definition.min_notional_units else 0


@kernel
def stop_price(market: Any, side: int) -> int:
    """The price that a trigger of this side is measured against, or 0: the last trade (or close); without any, the quote it would take."""
    if market.evidence == BOOK and market.trade_seen == 0:
        return best(market, 1 if side == BUY else 0)
    ticks: int = market.last_ticks
    return ticks


@kernel
def triggered(market: Any, order: Any) -> bool:
    """Whether a stop's trigger is reached."""
    last = stop_price(market, order.side)
    assert order.trigger_ticks > 0, "a stop has a trigger"
    if last == 0:
        return False
    return is_reached(direction(order), last, order.trigger_ticks)


@kernel
def would_take(market: Any, order: Any) -> bool:
    """Whether a limit order would find a counterpart on arrival."""
    opposite = best(market, 2 - order.side) if market.evidence == BOOK else market.last_ticks
    return opposite > 0 and reaches(order.side, opposite, order.price_ticks)


@kernel
def arrival_reason(s: Any, order: Any) -> int:
    """All checks of an arriving order, in the venue's order; 0 or the reason of the first that fails."""
    definition, market = s.instruments[order.instrument], s.markets[order.instrument]
    if definition.trading_status != TRADING:
        return INSTRUMENT_HALTED
    reason = grid_reason(definition, order)
    if reason == 0:
        reason = notional_reason(definition, market, order)
    if reason == 0 and has_trigger(order) and triggered(market, order):
        return STOP_WOULD_TRIGGER
    if reason == 0 and order.post_only == 1 and would_take(market, order):
        return POST_ONLY_WOULD_TAKE
    return reason
