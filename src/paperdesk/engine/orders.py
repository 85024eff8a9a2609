"""Order commands: checked, judged by the risk gate, funded, and sent on their way to the venue; cancels likewise.

The checks and their order are docs/venue-rules.md, section 3.
"""

from typing import Any, Final

from paperdesk.domain.events import FLAG_MALFORMED, FLAG_POST_ONLY, FLAG_REDUCE_ONLY
from paperdesk.domain.kernel import kernel
from paperdesk.domain.outbox import emit
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import MAX_ORDER_UNITS, mul_div_ceil, product_fits
from paperdesk.engine.accounts import (
    UNKNOWN_ACCOUNT,
    UNKNOWN_BOT,
    UNKNOWN_INSTRUMENT,
    is_bot,
    is_instrument,
    is_open,
    refuse,
)
from paperdesk.engine.risk import gate, gate_reducing
from paperdesk.ledger.journal import FREE, RESERVE, post
from paperdesk.venue.book import BOOK, LIVE, UNKNOWN, best, has_used_room
from paperdesk.venue.filters import TRADING
from paperdesk.venue.kinds import BUY, FIRST_TYPE, GTC, GTD, LAST_TYPE, LIMIT_ORDER, SELL, has_trigger, is_market, stays
from paperdesk.venue.latency import CANCELING, SUBMITTING, latency_ns
from paperdesk.venue.matching import collar
from paperdesk.venue.orders import (
    CANCEL_REJECTED,
    CANCEL_REQUESTED,
    MAX_ORDERS,
    ORDER_CANCELED,
    ORDER_DENIED,
    ORDER_SUBMITTED,
    apply_submitted,
    find_order,
    finish,
    free_row,
    is_unfinished,
    state_order,
)
from paperdesk.venue.places import ARRIVAL, CANCEL, EXPIRY, enter_inbox
from paperdesk.venue.reducing import reducible_lots

(
    INVALID_QUANTITY,
    INVALID_PRICE,
    INVALID_TRIGGER,
    UNSUPPORTED_COMBINATION,
    UNKNOWN_ORDER,
    ORDER_DONE,
    CAPACITY_EXCEEDED,
    CANCEL_PENDING,
    WRONG_SOURCE,
    STALE_DATA,
    KILLED,
    NOTIONAL_TOO_LARGE,
    INSUFFICIENT_BALANCE,
    NO_MARKET_DATA,
    BOT_STOPPED,
    INSTRUMENT_HALTED,
    USER_CANCELED,
    INSTRUMENT_CHANGED,
    INVALID_NUMBER,
    INVALID_DEADLINE,
    REDUCE_ONLY,
) = (
    int(Reason.INVALID_QUANTITY),
    int(Reason.INVALID_PRICE),
    int(Reason.INVALID_TRIGGER),
    int(Reason.UNSUPPORTED_COMBINATION),
    int(Reason.UNKNOWN_ORDER),
    int(Reason.ORDER_DONE),
    int(Reason.CAPACITY_EXCEEDED),
    int(Reason.CANCEL_PENDING),
    int(Reason.WRONG_SOURCE),
    int(Reason.STALE_DATA),
    int(Reason.KILLED),
    int(Reason.NOTIONAL_TOO_LARGE),
    int(Reason.INSUFFICIENT_BALANCE),
    int(Reason.NO_MARKET_DATA),
    int(Reason.BOT_STOPPED),
    int(Reason.INSTRUMENT_HALTED),
    int(Reason.USER_CANCELED),
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
    if e.qty_lots <= 0:
        return INVALID_QUANTITY
    if not is_market(e) and e.price_ticks <= 0:
        return INVALID_PRICE
    if has_trigger(e) and e.trigger_ticks <= 0:
        return INVALID_TRIGGER
    return 0


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
    """The price an order is judged by: its limit, its trigger, or what a market order would meet (0: nothing known)."""
    if not is_market(e):
        ticks: int = e.price_ticks
        return ticks
    if has_trigger(e):
        ticks = e.trigger_ticks
        return ticks
    market = s.markets[e.instrument]
    opposite = best(market, 2 - e.side) if market.evidence == BOOK else 0
    return opposite if opposite > 0 else market.mark_ticks


@kernel
def bound_ticks(s: Any, e: Any, reference: int) -> int:
    """The highest price an order is counted with, for its size bound."""
    if e.side == BUY:
        return collar(BUY, reference) if is_market(e) else reference
    return max(reference, s.markets[e.instrument].mark_ticks)


@kernel
def fits_bounds(s: Any, e: Any, bound: int) -> bool:
    """Whether an order's value and base quantity can be counted exactly."""
    definition = s.instruments[e.instrument]
    assert bound > 0 and e.qty_lots > 0, "an order has a price and a size"
    if bound > PRICE_BOUND or not product_fits(e.qty_lots, definition.base_units_per_lot, MAX_ORDER_UNITS):
        return False
    return product_fits(bound, e.qty_lots, MAX_ORDER_UNITS) and product_fits(
        bound * e.qty_lots, definition.num, MAX_ORDER_UNITS
    )


@kernel
def reserve_units(s: Any, e: Any, reference: int) -> tuple[int, int]:
    """(needed, wished) units of the asset that an order reserves: needed must be free, wished is taken as far as there is."""
    definition = s.instruments[e.instrument]
    assert reference > 0, "an order is judged by a price"
    if e.side == SELL:
        base = e.qty_lots * definition.base_units_per_lot
        return base, base
    needed = mul_div_ceil(reference * e.qty_lots, definition.num, definition.den)
    if not is_market(e):
        return needed, needed
    return needed, mul_div_ceil(collar(BUY, reference) * e.qty_lots, definition.num, definition.den)


@kernel
def judge(s: Any, e: Any) -> tuple[int, int]:
    """(reason, units to reserve) of an order command: 0 lets it go to the venue."""
    reason = form_reason(e)
    if reason == 0:
        reason = deadline_reason(s, e)
    if reason == 0:
        reason = switch_reason(s, e)
    if reason != 0:
        return reason, 0
    reference = reference_ticks(s, e)
    if reference == 0:
        return NO_MARKET_DATA, 0
    if reference > PRICE_BOUND or not fits_bounds(s, e, bound_ticks(s, e, reference)):
        return NOTIONAL_TOO_LARGE, 0
    if e["flags"] & FLAG_REDUCE_ONLY:
        reason = REDUCE_ONLY if reducible_lots(s, e) == 0 else gate_reducing(s, e, reference)
    else:
        reason = gate(s, e.account, e.bot, e.instrument, e.side, e.qty_lots, reference)
    if reason != 0:
        return reason, 0
    definition = s.instruments[e.instrument]
    needed, wished = reserve_units(s, e, reference)
    free = s.balances[e.account, definition.quote_asset if e.side == BUY else definition.base_asset, FREE]
    return (INSUFFICIENT_BALANCE, 0) if needed > free else (0, min(wished, free))


@kernel
def submit_order(s: Any, e: Any) -> None:
    """SUBMIT_ORDER: denied with a reason, or submitted, funded and in flight."""
    if not is_open(s, e.account):
        refuse(s, e, UNKNOWN_ACCOUNT)
        return
    if not is_bot(s, e.account, e.bot):
        refuse(s, e, UNKNOWN_BOT)
        return
    if not is_instrument(s, e.instrument):
        refuse(s, e, UNKNOWN_INSTRUMENT)
        return
    reason, units = judge(s, e)
    row = emit(s, ORDER_DENIED if reason != 0 else ORDER_SUBMITTED)
    row.account = e.account
    row.bot = e.bot
    row.instrument = e.instrument
    row.version = e.version
    row.order_id = s.accounts[e.account].next_order
    row.side = e.side
    row.order_type = e.order_type
    row.time_in_force = e.time_in_force
    row.flags = e["flags"] & (FLAG_POST_ONLY | FLAG_REDUCE_ONLY)
    row.reason = reason
    row.price_ticks = e.price_ticks
    row.qty_lots = e.qty_lots
    row.trigger_ticks = e.trigger_ticks
    row.client_id = e.client_id
    row.cause = e.cause
    row.expire_ns = e.expire_ns
    if reason != 0:
        s.accounts[e.account].next_order += 1
        return
    row.arrive_ns = s.ts_seq_ns + latency_ns(s, e.account, row.order_id, SUBMITTING)
    slot = apply_submitted(s, row)
    if units > 0:
        definition = s.instruments[e.instrument]
        post(
            s,
            RESERVE,
            e.account,
            e.bot,
            definition.quote_asset if e.side == BUY else definition.base_asset,
            units,
            s.orders[slot],
        )
    enter_inbox(s, slot, ARRIVAL)
    if e.time_in_force == GTD:
        enter_inbox(s, slot, EXPIRY)


@kernel
def reject_cancel(s: Any, account: int, bot: int, instrument: int, order_id: int, reason: int) -> None:
    """State that a cancel came to nothing."""
    row = emit(s, CANCEL_REJECTED)
    row.account = account
    row.bot = bot
    row.instrument = instrument
    row.order_id = order_id
    row.reason = reason
    assert reason != 0, "a refusal has a reason"


@kernel
def cancel_order(s: Any, e: Any) -> None:
    """CANCEL_ORDER: on its way to the venue, or rejected with a reason."""
    if not is_open(s, e.account):
        refuse(s, e, UNKNOWN_ACCOUNT)
        return
    if not is_bot(s, e.account, e.bot):
        refuse(s, e, UNKNOWN_BOT)
        return
    slot = find_order(s, e.account, e.order_id)
    reason = 0
    if e.order_id <= 0 or e.order_id >= s.accounts[e.account].next_order:
        reason = UNKNOWN_ORDER
    elif slot == UNKNOWN or not is_unfinished(s.orders[slot]):
        reason = ORDER_DONE
    elif s.orders[slot].cancel_at_ns > 0:
        reason = CANCEL_PENDING
    elif e.bot != 0 and s.orders[slot].bot != e.bot:
        reason = UNKNOWN_ORDER
    if reason != 0:
        reject_cancel(s, e.account, e.bot, e.instrument, e.order_id, reason)
    else:
        request_cancel(s, slot)


@kernel
def request_cancel(s: Any, slot: int) -> None:
    """Send a cancel on its way."""
    order = s.orders[slot]
    assert order.cancel_at_ns == 0, "one cancel at a time"
    order.cancel_at_ns = s.ts_seq_ns + latency_ns(s, order.account, order.id, CANCELING)
    state_order(s, CANCEL_REQUESTED, slot, 0)
    enter_inbox(s, slot, CANCEL)


@kernel
def cancel_all(s: Any, e: Any) -> None:
    """CANCEL_ALL: a cancel for each live order of the bot (bot 0: of the account), on one instrument or all (-1)."""
    if not is_open(s, e.account):
        refuse(s, e, UNKNOWN_ACCOUNT)
        return
    if not is_bot(s, e.account, e.bot):
        refuse(s, e, UNKNOWN_BOT)
        return
    slot = s.accounts[e.account].first_order - 1
    while slot >= 0:
        order = s.orders[slot]
        wanted = (e.bot == 0 or order.bot == e.bot) and (e.instrument < 0 or order.instrument == e.instrument)
        if wanted and is_unfinished(order) and order.cancel_at_ns == 0:
            request_cancel(s, slot)
        slot = order.next - 1


@kernel
def cancel_due(s: Any, slot: int) -> None:
    """A cancel reaches the venue: the order ends, or was done before."""
    order = s.orders[slot]
    if is_unfinished(order):
        order.cancel_at_ns = 0
        finish(s, slot, ORDER_CANCELED, USER_CANCELED)
        return
    reject_cancel(s, order.account, order.bot, order.instrument, order.id, ORDER_DONE)
    free_row(s, slot)
