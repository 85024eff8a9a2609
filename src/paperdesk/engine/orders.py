"""Order commands: judged (`engine/judging.py`), funded, and sent on their way to the venue; cancels likewise."""

from typing import Any

from paperdesk.domain.events import FLAG_POST_ONLY, FLAG_REDUCE_ONLY, FLAG_SELF_TRADE, SELF_TRADE_SHIFT
from paperdesk.domain.kernel import kernel
from paperdesk.domain.outbox import emit
from paperdesk.domain.reasons import Reason
from paperdesk.engine.accounts import address_reason, refuse, sender_reason
from paperdesk.engine.judging import judge
from paperdesk.ledger.journal import RESERVE, post
from paperdesk.venue.book import UNKNOWN
from paperdesk.venue.kinds import DECREMENT, EXPIRE_MAKER, GTD
from paperdesk.venue.latency import CANCELING, SUBMITTING, latency_ns
from paperdesk.venue.lists import other_legs
from paperdesk.venue.orders import (
    CANCEL_REJECTED,
    CANCEL_REQUESTED,
    ORDER_CANCELED,
    ORDER_DENIED,
    ORDER_SUBMITTED,
    apply_submitted,
    find_order,
    finish,
    free_if_told,
    is_unfinished,
    reserve_asset,
    state_order,
)
from paperdesk.venue.places import ARRIVAL, CANCEL, EXPIRY, enter_inbox

UNKNOWN_ORDER, ORDER_DONE, CANCEL_PENDING, USER_CANCELED = (
    int(Reason.UNKNOWN_ORDER),
    int(Reason.ORDER_DONE),
    int(Reason.CANCEL_PENDING),
    int(Reason.USER_CANCELED),
)


@kernel
def submit_order(s: Any, e: Any) -> None:
    """SUBMIT_ORDER: denied with a reason, or submitted, funded and in flight."""
    unknown = address_reason(s, e)
    if unknown != 0:
        refuse(s, e, unknown)
        return
    reason, units, lots = judge(s, e)
    row = state_command(s, e, reason, lots)
    if reason != 0:
        s.accounts[e.account].next_order += 1
        return
    row.arrive_ns = s.ts_seq_ns + latency_ns(s, e.account, row.order_id, SUBMITTING)
    slot = apply_submitted(s, row)
    fund(s, slot, units)
    enter_inbox(s, slot, ARRIVAL)
    if e.time_in_force == GTD:
        enter_inbox(s, slot, EXPIRY)


@kernel
def fund(s: Any, slot: int, units: int) -> None:
    """Reserve what an order needs, if anything."""
    order = s.orders[slot]
    if units > 0:
        post(s, RESERVE, order.account, order.bot, reserve_asset(s, order), units, order)


@kernel
def state_command(s: Any, e: Any, reason: int, lots: int) -> Any:
    """The output of an order command: submitted, or denied for a reason."""
    row = emit(s, ORDER_DENIED if reason != 0 else ORDER_SUBMITTED)
    row.account = e.account
    row.bot = e.bot
    row.instrument = e.instrument
    row.version = e.version
    row.order_id = s.accounts[e.account].next_order
    row.side = e.side
    row.order_type = e.order_type
    row.time_in_force = e.time_in_force
    row.flags = e["flags"] & (FLAG_POST_ONLY | FLAG_REDUCE_ONLY | FLAG_SELF_TRADE)
    row.reason = reason
    row.price_ticks = e.price_ticks
    row.qty_lots = lots
    row.trigger_ticks = e.trigger_ticks
    row.client_id = e.client_id
    row.cause = e.cause
    row.expire_ns = e.expire_ns
    row.budget_units = e.budget_units
    row.trail_bips = e.trail_bips
    row.visible_lots = e.visible_lots
    if reason == 0 and e["flags"] & FLAG_SELF_TRADE == 0:
        row.flags = row["flags"] | own_mode(s, e) << SELF_TRADE_SHIFT
    return row


@kernel
def own_mode(s: Any, e: Any) -> int:
    """What an order that names no self-trade mode does: as its account says. A quote quantity cannot be decremented."""
    mode: int = s.accounts[e.account].self_trade
    return EXPIRE_MAKER if mode == DECREMENT and e.budget_units > 0 else mode


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
    unknown = sender_reason(s, e)
    if unknown != 0:
        refuse(s, e, unknown)
        return
    slot = find_order(s, e.account, e.order_id)
    reason = 0
    if e.order_id <= 0 or e.order_id >= s.accounts[e.account].next_order:
        reason = UNKNOWN_ORDER
    elif slot == UNKNOWN or not is_unfinished(s.orders[slot]):
        reason = ORDER_DONE
    elif s.orders[slot].cancel_at_ns > 0 or is_cancel_near(s, slot):
        reason = CANCEL_PENDING
    elif e.bot != 0 and s.orders[slot].bot != e.bot:
        reason = UNKNOWN_ORDER
    if reason != 0:
        reject_cancel(s, e.account, e.bot, e.instrument, e.order_id, reason)
    else:
        request_cancel(s, slot)


@kernel
def is_cancel_near(s: Any, slot: int) -> bool:
    """Whether another leg of an order's list has a cancel under way, which will end this one too."""
    if s.orders[slot].list_id == 0:
        return False
    first, second = other_legs(s, slot)
    if first != UNKNOWN and s.orders[first].cancel_at_ns > 0:
        return True
    return bool(second != UNKNOWN and s.orders[second].cancel_at_ns > 0)


@kernel
def request_cancel(s: Any, slot: int) -> None:
    """Send a cancel on its way; it does not overtake its order."""
    order = s.orders[slot]
    assert order.cancel_at_ns == 0, "one cancel at a time"
    due_ns = s.ts_seq_ns + latency_ns(s, order.account, order.id, CANCELING)
    order.cancel_at_ns = max(due_ns, order.arrive_ns)
    state_order(s, CANCEL_REQUESTED, slot, 0)
    enter_inbox(s, slot, CANCEL)


@kernel
def cancel_all(s: Any, e: Any) -> None:
    """CANCEL_ALL: a cancel for each live order of the bot (bot 0: of the account), on one instrument or all (-1)."""
    unknown = sender_reason(s, e)
    if unknown != 0:
        refuse(s, e, unknown)
        return
    slot = s.accounts[e.account].first_order - 1
    while slot >= 0:
        order = s.orders[slot]
        wanted = (e.bot == 0 or order.bot == e.bot) and (e.instrument < 0 or order.instrument == e.instrument)
        if wanted and is_unfinished(order) and order.cancel_at_ns == 0 and not is_cancel_near(s, slot):
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
    order.cancel_at_ns = 0
    free_if_told(s, slot)
