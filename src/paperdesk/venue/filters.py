"""What the venue checks when an order arrives. A failed check is a reason; 0 lets the order in."""

from typing import Any, Final

from paperdesk.domain.events import TradingStatus
from paperdesk.domain.kernel import kernel
from paperdesk.domain.orders import OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import MAX_UNITS, mul_div_ceil, mul_div_floor, product_fits
from paperdesk.venue.book import BOOK, best, reaches
from paperdesk.venue.budget import is_countable, most_value
from paperdesk.venue.iceberg import parts_reason
from paperdesk.venue.kinds import BUY, LIMIT_ORDER, MARKET_ORDER, direction, has_trigger, is_market, is_reached, is_stop
from paperdesk.venue.lists import LEG_BASE, first_of_pair, is_pending
from paperdesk.venue.rivals import meets_own
from paperdesk.venue.trailing import awaited_ticks, trail_reason

TRADING: Final = int(TradingStatus.TRADING)
SUBMITTED, ACCEPTED, PARTIALLY_FILLED = (
    int(OrderStatus.SUBMITTED),
    int(OrderStatus.ACCEPTED),
    int(OrderStatus.PARTIALLY_FILLED),
)
MULTIPLIER_SCALE: Final = 100_000_000
INSTRUMENT_HALTED, PRICE_FILTER, LOT_SIZE, MARKET_LOT_SIZE, MIN_NOTIONAL, STOP_WOULD_TRIGGER, POST_ONLY_WOULD_TAKE = (
    int(Reason.INSTRUMENT_HALTED),
    int(Reason.PRICE_FILTER),
    int(Reason.LOT_SIZE),
    int(Reason.MARKET_LOT_SIZE),
    int(Reason.MIN_NOTIONAL),
    int(Reason.STOP_WOULD_TRIGGER),
    int(Reason.POST_ONLY_WOULD_TAKE),
)
PERCENT_PRICE_BY_SIDE, MAX_NOTIONAL, MAX_NUM_ORDERS, MAX_NUM_ALGO_ORDERS = (
    int(Reason.PERCENT_PRICE_BY_SIDE),
    int(Reason.MAX_NOTIONAL),
    int(Reason.MAX_NUM_ORDERS),
    int(Reason.MAX_NUM_ALGO_ORDERS),
)


LIST_PRICES: Final = int(Reason.LIST_PRICES)


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
    if has_trigger(order) and order.trigger_ticks > 0:
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
def valued_ticks(market: Any, order: Any) -> int:
    """The price an order with a limit or a trigger is valued at: that; the mark (0: none) for one that follows the price from its arrival on."""
    ticks: int = order.trigger_ticks if is_market(order) else order.price_ticks
    return ticks if ticks > 0 else int(market.mark_ticks)


@kernel
def notional_reason(definition: Any, market: Any, order: Any) -> int:
    """The minimum-value filter."""
    assert definition.den > 0, "a definition has a denominator"
    price = valued_ticks(market, order)
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
def percent_reason(definition: Any, market: Any, order: Any) -> int:
    """Whether a limit price lies within its side's part of the mark, both bounds rounded inwards; a bound that cannot be counted is none."""
    up, down = definition.bid_multiplier_up_e8, definition.bid_multiplier_down_e8
    if order.side != BUY:
        up, down = definition.ask_multiplier_up_e8, definition.ask_multiplier_down_e8
    mark, price = market.mark_ticks, order.price_ticks
    if is_market(order) or mark == 0:
        return 0
    wholes = mark // MULTIPLIER_SCALE + 1
    if up > 0 and product_fits(wholes, up, MAX_UNITS) and price > mul_div_floor(mark, up, MULTIPLIER_SCALE):
        return PERCENT_PRICE_BY_SIDE
    if down > 0 and product_fits(wholes, down, MAX_UNITS) and price < mul_div_ceil(mark, down, MULTIPLIER_SCALE):
        return PERCENT_PRICE_BY_SIDE
    return 0


@kernel
def largest_reason(definition: Any, market: Any, order: Any) -> int:
    """The maximum-value filter, exact; a maximum that cannot be counted is none."""
    most = definition.max_notional_units
    price = valued_ticks(market, order)
    if order.order_type == MARKET_ORDER:
        price = market.mark_ticks if definition.max_notional_to_market == 1 else 0
        if order.budget_units > 0 and definition.max_notional_to_market == 1 and most > 0:
            return MAX_NOTIONAL if order.budget_units > most else 0
    if most <= 0 or price == 0 or not is_countable(definition, most):
        return 0
    # p·q·num / den ≤ most exactly where p·q ≤ ⌊most·den / num⌋: what a buy may cost at most.
    return 0 if product_fits(price, order.qty_lots, most_value(definition, BUY, most)) else MAX_NOTIONAL


@kernel
def is_counted(other: Any, order: Any) -> bool:
    """Whether an order counts among the others at the venue when one arrives: also one that is pending, or comes before it in the same list."""
    if ACCEPTED <= other.status <= PARTIALLY_FILLED:
        return True
    if other.status != SUBMITTED or other.list_id == 0:
        return False
    return bool(is_pending(other) or (other.list_id == order.list_id and other.id != order.id))


@kernel
def count_reason(s: Any, definition: Any, order: Any) -> int:
    """How many orders an account may have at the venue, in all and waiting for triggers; looked at only where there is such a limit."""
    if definition.max_orders <= 0 and (definition.max_algo_orders <= 0 or not has_trigger(order)):
        return 0
    live = waiting = 0
    slot = s.accounts[order.account].first_order - 1
    while slot >= 0:
        other = s.orders[slot]
        if other.instrument == order.instrument and is_counted(other, order):
            live += 1
            waiting += 1 if is_stop(other) else 0
        slot = other.next - 1
    assert waiting <= live, "who waits for a trigger is at the venue"
    if 0 < definition.max_orders <= live:
        return MAX_NUM_ORDERS
    return MAX_NUM_ALGO_ORDERS if has_trigger(order) and 0 < definition.max_algo_orders <= waiting else 0


@kernel
def stop_price(market: Any, side: int) -> int:
    """The price that a trigger of this side is measured against, or 0: the last trade (or close); without any, the quote it would take."""
    if market.evidence == BOOK and market.trade_seen == 0:
        return best(market, 1 if side == BUY else 0)
    ticks: int = market.last_ticks
    return ticks


@kernel
def triggered(market: Any, order: Any) -> bool:
    """Whether the price is reached that fires a stop, or activates it."""
    last = stop_price(market, order.side)
    assert order.peak_ticks == 0, "who follows the price waits elsewhere"
    return last > 0 and is_reached(direction(order), last, awaited_ticks(order))


@kernel
def would_take(market: Any, order: Any) -> bool:
    """Whether a limit order would find a counterpart on arrival."""
    opposite = best(market, 2 - order.side) if market.evidence == BOOK else market.last_ticks
    return opposite > 0 and reaches(order.side, opposite, order.price_ticks)


@kernel
def list_reason(market: Any, order: Any) -> int:
    """Whether the limit order of a pair has its price on the far side of the last one (its stop is checked as any)."""
    if order.list_id == 0 or order.order_type != LIMIT_ORDER:
        return 0
    if order.list_leg % LEG_BASE != first_of_pair(order.list_leg // LEG_BASE):
        return 0
    last = stop_price(market, order.side)
    far = last == 0 or (order.price_ticks < last if order.side == BUY else order.price_ticks > last)
    return 0 if far else LIST_PRICES


@kernel
def arrival_reason(s: Any, order: Any) -> int:
    """All checks of an arriving order, in the venue's order; 0 or the reason of the first that fails."""
    definition, market = s.instruments[order.instrument], s.markets[order.instrument]
    if definition.trading_status != TRADING:
        return INSTRUMENT_HALTED
    reason = grid_reason(definition, order)
    if reason == 0:
        reason = percent_reason(definition, market, order)
    if reason == 0:
        reason = notional_reason(definition, market, order)
    if reason == 0:
        reason = largest_reason(definition, market, order)
    if reason == 0:
        reason = count_reason(s, definition, order)
    if reason == 0:
        reason = trail_reason(definition, order)
    if reason == 0:
        reason = parts_reason(definition, order)
    if reason == 0 and has_trigger(order) and order.trigger_ticks > 0 and triggered(market, order):
        return STOP_WOULD_TRIGGER
    if reason == 0 and order.post_only == 1 and (would_take(market, order) or meets_own(s, order)):
        return POST_ONLY_WOULD_TAKE
    return list_reason(market, order) if reason == 0 else reason
