"""Judging an order command: its form, who and what may stop it, its size, the risk gate, its funds.

The checks and their order are docs/venue-rules.md, section 3.
"""

from typing import Any, Final

from paperdesk.domain.events import FLAG_MALFORMED, FLAG_POST_ONLY, FLAG_REDUCE_ONLY, FLAG_SELF_TRADE, SELF_TRADE_SHIFT
from paperdesk.domain.kernel import kernel
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import MAX_ORDER_UNITS, mul_div_ceil, product_fits
from paperdesk.engine.risk import gate, gate_reducing
from paperdesk.ledger.journal import FREE
from paperdesk.venue.book import BOOK, LIVE, best, has_used_room
from paperdesk.venue.budget import is_countable, most_value
from paperdesk.venue.filters import TRADING
from paperdesk.venue.kinds import (
    BUY,
    DECREMENT,
    FIRST_TYPE,
    GTC,
    GTD,
    LAST_TYPE,
    LIMIT_ORDER,
    MARKET_ORDER,
    SELL,
    collar,
    has_trigger,
    is_market,
    stays,
)
from paperdesk.venue.latency import SUBMITTING, latency_ns
from paperdesk.venue.reducing import reducible_lots
from paperdesk.venue.table import MAX_ORDERS
from paperdesk.venue.trailing import LONGEST_TRAIL

(
    INVALID_QUANTITY,
    INVALID_PRICE,
    INVALID_TRIGGER,
    UNSUPPORTED_COMBINATION,
    CAPACITY_EXCEEDED,
    WRONG_SOURCE,
    STALE_DATA,
    KILLED,
    NOTIONAL_TOO_LARGE,
    INSUFFICIENT_BALANCE,
    NO_MARKET_DATA,
    BOT_STOPPED,
    INSTRUMENT_HALTED,
    INSTRUMENT_CHANGED,
    INVALID_NUMBER,
    INVALID_DEADLINE,
    REDUCE_ONLY,
) = (
    int(Reason.INVALID_QUANTITY),
    int(Reason.INVALID_PRICE),
    int(Reason.INVALID_TRIGGER),
    int(Reason.UNSUPPORTED_COMBINATION),
    int(Reason.CAPACITY_EXCEEDED),
    int(Reason.WRONG_SOURCE),
    int(Reason.STALE_DATA),
    int(Reason.KILLED),
    int(Reason.NOTIONAL_TOO_LARGE),
    int(Reason.INSUFFICIENT_BALANCE),
    int(Reason.NO_MARKET_DATA),
    int(Reason.BOT_STOPPED),
    int(Reason.INSTRUMENT_HALTED),
    int(Reason.INSTRUMENT_CHANGED),
    int(Reason.INVALID_NUMBER),
    int(Reason.INVALID_DEADLINE),
    int(Reason.REDUCE_ONLY),
)
PRICE_BOUND: Final = 2**50


@kernel
def form_reason(e: Any) -> int:
    """Whether the command makes sense on its own."""
    if e["flags"] & FLAG_MALFORMED:
        return e.defect if e.defect > 0 else INVALID_NUMBER
    if e.side != BUY and e.side != SELL:
        return UNSUPPORTED_COMBINATION
    if e.order_type < FIRST_TYPE or e.order_type > LAST_TYPE or e.time_in_force < GTC or e.time_in_force > GTD:
        return UNSUPPORTED_COMBINATION
    if (e["flags"] & FLAG_POST_ONLY) and (e.order_type != LIMIT_ORDER or not stays(e)):
        return UNSUPPORTED_COMBINATION
    if (is_market(e) and stays(e)) or (e.time_in_force != GTD and e.expire_ns != 0):
        return UNSUPPORTED_COMBINATION
    mode = (e["flags"] & FLAG_SELF_TRADE) >> SELF_TRADE_SHIFT
    if mode > DECREMENT or (mode == DECREMENT and e.budget_units != 0):
        return UNSUPPORTED_COMBINATION
    if e.budget_units != 0 and (e.order_type != MARKET_ORDER or e.qty_lots != 0 or e["flags"] & FLAG_REDUCE_ONLY):
        return UNSUPPORTED_COMBINATION
    if (e.trail_bips != 0 and not has_trigger(e)) or (e.visible_lots != 0 and (is_market(e) or not stays(e))):
        return UNSUPPORTED_COMBINATION
    if e.budget_units < 0 or (e.qty_lots <= 0 and e.budget_units == 0):
        return INVALID_QUANTITY
    if e.visible_lots < 0 or (e.visible_lots > 0 and e.visible_lots > e.qty_lots):
        return INVALID_QUANTITY
    if not is_market(e) and e.price_ticks <= 0:
        return INVALID_PRICE
    if has_trigger(e) and (e.trigger_ticks < 0 or (e.trigger_ticks == 0 and e.trail_bips == 0)):
        return INVALID_TRIGGER
    return INVALID_TRIGGER if e.trail_bips < 0 or e.trail_bips > LONGEST_TRAIL else 0


@kernel
def deadline_reason(s: Any, e: Any) -> int:
    """Whether a deadline lies after the order's arrival."""
    arrive_ns = s.ts_seq_ns + latency_ns(s, e.account, s.accounts[e.account].next_order, SUBMITTING)
    return INVALID_DEADLINE if e.time_in_force == GTD and e.expire_ns <= arrive_ns else 0


@kernel
def switch_reason(s: Any, e: Any) -> int:
    """Whether anybody or anything stops this order: switches, capacity, data source, instrument, market data."""
    if e.bot > 0 and s.bots[e.bot].stopped == 1:
        return BOT_STOPPED
    if s.killed == 1 or s.accounts[e.account].killed == 1 or (e.bot > 0 and s.bots[e.bot].killed == 1):
        return KILLED
    if (s.n_free_rows == 0 and s.n_used_rows >= MAX_ORDERS) or not has_used_room(s, e.account, e.instrument):
        return CAPACITY_EXCEEDED
    if s.accounts[e.account].source != s.source:
        return WRONG_SOURCE
    definition = s.instruments[e.instrument]
    if definition.trading_status != TRADING:
        return INSTRUMENT_HALTED
    if s.markets[e.instrument].status != LIVE:
        return STALE_DATA
    return INSTRUMENT_CHANGED if e.version != definition.version else 0


@kernel
def reference_ticks(s: Any, e: Any) -> int:
    """The price an order is judged by: its limit, its trigger, or what a market order would meet (0: nothing known); of a trail the higher of both."""
    if not is_market(e):
        ticks: int = e.price_ticks
        return ticks
    if has_trigger(e) and e.trail_bips == 0:
        ticks = e.trigger_ticks
        return ticks
    market = s.markets[e.instrument]
    opposite = best(market, 2 - e.side) if market.evidence == BOOK else 0
    return max(int(e.trigger_ticks) if has_trigger(e) else 0, opposite if opposite > 0 else market.mark_ticks)


@kernel
def bound_ticks(s: Any, e: Any, reference: int) -> int:
    """The highest price an order is counted with, for its size bound."""
    if e.side == BUY:
        return collar(BUY, reference) if is_market(e) else reference
    return max(reference, s.markets[e.instrument].mark_ticks)


@kernel
def fits_bounds(s: Any, e: Any, lots: int, bound: int) -> bool:
    """Whether the value and base quantity of an order of so many lots can be counted exactly."""
    definition = s.instruments[e.instrument]
    assert bound > 0 and lots > 0, "an order has a price and a size"
    if bound > PRICE_BOUND or not product_fits(lots, definition.base_units_per_lot, MAX_ORDER_UNITS):
        return False
    return product_fits(bound, lots, MAX_ORDER_UNITS) and product_fits(bound * lots, definition.num, MAX_ORDER_UNITS)


@kernel
def budget_size(s: Any, e: Any, reference: int) -> tuple[int, int]:
    """(reason, lots) of an order of a quote quantity: what its budget is worth at the low collar, as far as a sale has base units."""
    definition = s.instruments[e.instrument]
    if e.budget_units > MAX_ORDER_UNITS or not is_countable(definition, e.budget_units):
        return NOTIONAL_TOO_LARGE, 0
    lots = most_value(definition, e.side, e.budget_units) // collar(SELL, reference)
    if e.side == SELL:
        free = s.balances[e.account, definition.base_asset, FREE] // definition.base_units_per_lot
        if free < most_value(definition, e.side, e.budget_units) // reference or (free == 0 and lots > 0):
            return INSUFFICIENT_BALANCE, 0
        lots = min(lots, free)
    return (INVALID_QUANTITY, 0) if lots == 0 else (0, lots)


@kernel
def reserve_units(s: Any, e: Any, lots: int, reference: int) -> tuple[int, int]:
    """(needed, wished) units of the asset that an order reserves: needed must be free, wished is taken as far as there is."""
    definition = s.instruments[e.instrument]
    assert reference > 0, "an order is judged by a price"
    if e.side == SELL:
        base = lots * definition.base_units_per_lot
        return base, base
    if e.budget_units > 0:
        return e.budget_units, e.budget_units
    needed = mul_div_ceil(reference * lots, definition.num, definition.den)
    if not is_market(e):
        return needed, needed
    return needed, mul_div_ceil(collar(BUY, reference) * lots, definition.num, definition.den)


@kernel
def risk_reason(s: Any, e: Any, lots: int, reference: int) -> int:
    """The risk gate; reduce-only orders add no risk and need something to reduce."""
    definition = s.instruments[e.instrument]
    worth_quote = (
        e.budget_units if e.budget_units > 0 else mul_div_ceil(reference * lots, definition.num, definition.den)
    )
    if e["flags"] & FLAG_REDUCE_ONLY:
        return REDUCE_ONLY if reducible_lots(s, e) == 0 else gate_reducing(s, e, worth_quote)
    return gate(s, e.account, e.bot, e.instrument, e.side, lots, worth_quote)


@kernel
def judge(s: Any, e: Any) -> tuple[int, int, int]:
    """(reason, units to reserve, lots) of an order command: reason 0 lets it go to the venue."""
    reason = form_reason(e)
    if reason == 0:
        reason = deadline_reason(s, e)
    if reason == 0:
        reason = switch_reason(s, e)
    if reason != 0:
        return reason, 0, e.qty_lots
    reference, lots = reference_ticks(s, e), e.qty_lots
    if reference == 0:
        return NO_MARKET_DATA, 0, e.qty_lots
    if reference > PRICE_BOUND:
        return NOTIONAL_TOO_LARGE, 0, e.qty_lots
    if e.budget_units > 0:
        reason, lots = budget_size(s, e, reference)
    if reason == 0 and not fits_bounds(s, e, lots, bound_ticks(s, e, reference)):
        reason = NOTIONAL_TOO_LARGE
    if reason == 0:
        reason = risk_reason(s, e, lots, reference)
    if reason != 0:
        return reason, 0, e.qty_lots
    definition = s.instruments[e.instrument]
    needed, wished = reserve_units(s, e, lots, reference)
    free = s.balances[e.account, definition.quote_asset if e.side == BUY else definition.base_asset, FREE]
    return (INSUFFICIENT_BALANCE, 0, e.qty_lots) if needed > free else (0, min(wished, free), lots)
