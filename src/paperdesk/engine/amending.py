"""Amends: a smaller quantity for an order that keeps its place. Sent like a cancel, judged when it reaches the venue."""

from typing import Any, Final

from paperdesk.domain.events import FLAG_MALFORMED, OutputKind
from paperdesk.domain.kernel import kernel
from paperdesk.domain.outbox import emit
from paperdesk.domain.reasons import Reason
from paperdesk.engine.accounts import refuse, sender_reason
from paperdesk.engine.judging import INVALID_NUMBER, INVALID_QUANTITY, UNSUPPORTED_COMBINATION
from paperdesk.engine.orders import CANCEL_PENDING, ORDER_DONE, UNKNOWN_ORDER
from paperdesk.venue.book import UNKNOWN
from paperdesk.venue.decreasing import decrease
from paperdesk.venue.filters import INSTRUMENT_HALTED, TRADING, grid_reason, largest_reason, notional_reason
from paperdesk.venue.latency import AMENDING, latency_ns
from paperdesk.venue.lists import other_legs
from paperdesk.venue.orders import AMEND_REQUESTED, apply_order, find_order, free_if_told, is_unfinished, name_order
from paperdesk.venue.places import AMEND, enter_inbox

AMEND_REJECTED: Final = int(OutputKind.AMEND_REJECTED)
AMEND_PENDING, NOT_SMALLER, ALREADY_FILLED = (
    int(Reason.AMEND_PENDING),
    int(Reason.NOT_SMALLER),
    int(Reason.ALREADY_FILLED),
)


@kernel
def amend_order(s: Any, e: Any) -> None:
    """AMEND_ORDER: on its way to the venue, or rejected with a reason."""
    unknown = sender_reason(s, e)
    if unknown != 0:
        refuse(s, e, unknown)
        return
    slot = find_order(s, e.account, e.order_id)
    reason = sending_reason(s, e, slot)
    if reason != 0:
        reject_amend(s, e.account, e.bot, e.instrument, e.order_id, e.qty_lots, reason)
    else:
        request_amend(s, slot, e.qty_lots)


@kernel
def sending_reason(s: Any, e: Any, slot: int) -> int:
    """Why an amend is not even sent: no such order, something under way already, no number that could be a quantity."""
    if e.order_id <= 0 or e.order_id >= s.accounts[e.account].next_order:
        return UNKNOWN_ORDER
    if slot == UNKNOWN or not is_unfinished(s.orders[slot]):
        return ORDER_DONE
    order = s.orders[slot]
    if e.bot != 0 and order.bot != e.bot:
        return UNKNOWN_ORDER
    if order.cancel_at_ns > 0:
        return CANCEL_PENDING
    if order.amend_at_ns > 0:
        return AMEND_PENDING
    if e["flags"] & FLAG_MALFORMED:
        return e.defect if e.defect > 0 else INVALID_NUMBER
    if e.qty_lots <= 0:
        return INVALID_QUANTITY
    if order.budget_units > 0 or (order.list_id > 0 and other_legs(s, slot)[0] != UNKNOWN):
        return UNSUPPORTED_COMBINATION
    return 0


@kernel
def reject_amend(s: Any, account: int, bot: int, instrument: int, order_id: int, qty_lots: int, reason: int) -> None:
    """State that an amend came to nothing: its order stays as it is."""
    row = emit(s, AMEND_REJECTED)
    row.account = account
    row.bot = bot
    row.instrument = instrument
    row.order_id = order_id
    row.qty_lots = qty_lots
    row.reason = reason
    assert reason != 0, "a refusal has a reason"


@kernel
def request_amend(s: Any, slot: int, qty_lots: int) -> None:
    """Send an amend on its way; it does not overtake its order."""
    order = s.orders[slot]
    assert order.amend_at_ns == 0, "one amend at a time"
    row = name_order(s, AMEND_REQUESTED, slot, 0)
    row.qty_lots = qty_lots
    row.arrive_ns = max(s.ts_seq_ns + latency_ns(s, order.account, order.id, AMENDING), order.arrive_ns)
    apply_order(s, row, slot)
    enter_inbox(s, slot, AMEND)


@kernel
def venue_reason(s: Any, order: Any, qty_lots: int) -> int:
    """Why the venue does not let a live order have this quantity: it only grows smaller, and passes the filters of size and value again."""
    definition = s.instruments[order.instrument]
    if definition.trading_status != TRADING:
        return INSTRUMENT_HALTED
    if qty_lots >= order.qty_lots:
        return NOT_SMALLER
    if qty_lots <= order.filled_lots:
        return ALREADY_FILLED
    market, before = s.markets[order.instrument], order.qty_lots
    order.qty_lots = qty_lots
    reason = grid_reason(definition, order)
    if reason == 0:
        reason = notional_reason(definition, market, order)
    if reason == 0:
        reason = largest_reason(definition, market, order)
    order.qty_lots = before
    return reason


@kernel
def amend_due(s: Any, slot: int) -> None:
    """An amend reaches the venue: the order is smaller, or stays as it is, or was done before."""
    order = s.orders[slot]
    lots, live = order.amend_lots, is_unfinished(order)
    reason = venue_reason(s, order, lots) if live else ORDER_DONE
    order.amend_at_ns = order.amend_lots = 0
    if reason == 0:
        decrease(s, slot, lots, 0, 0)
        return
    reject_amend(s, order.account, order.bot, order.instrument, order.id, lots, reason)
    if not live:
        free_if_told(s, slot)
