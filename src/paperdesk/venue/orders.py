"""The order table: its rows, and what each order output does to them.

A live order has a row; a done one gives it back (unless a cancel or an amend is still on its way to it, which must then be told that it came too
late). Rows of one account are chained by id.
"""

from typing import Any, Final

from paperdesk.domain.events import (
    FLAG_POST_ONLY,
    FLAG_REDUCE_ONLY,
    FLAG_SELF_TRADE,
    SELF_TRADE_SHIFT,
    Liquidity,
    OutputKind,
)
from paperdesk.domain.kernel import kernel
from paperdesk.domain.orders import ALLOWED, OrderStatus
from paperdesk.domain.outbox import emit
from paperdesk.domain.reasons import Reason
from paperdesk.ledger.journal import RELEASE, average_buy, average_sell, post
from paperdesk.venue.book import UNKNOWN, used_row
from paperdesk.venue.fees import count_volume
from paperdesk.venue.kinds import BUY, GTD
from paperdesk.venue.lists import count_brought, counts_lots, other_legs
from paperdesk.venue.places import EXPIRY, leave_inbox, leave_place
from paperdesk.venue.table import MAX_ORDERS
from paperdesk.venue.trailing import trail_ticks

MAKER, TAKER = int(Liquidity.MAKER), int(Liquidity.TAKER)
NONE, SUBMITTED, ACCEPTED = int(OrderStatus.NONE), int(OrderStatus.SUBMITTED), int(OrderStatus.ACCEPTED)
PARTIALLY_FILLED, FILLED = int(OrderStatus.PARTIALLY_FILLED), int(OrderStatus.FILLED)
CANCELED, EXPIRED, REJECTED = int(OrderStatus.CANCELED), int(OrderStatus.EXPIRED), int(OrderStatus.REJECTED)

(
    ORDER_SUBMITTED,
    ORDER_DENIED,
    ORDER_ACCEPTED,
    ORDER_REJECTED,
    ORDER_TRIGGERED,
    FILL,
    ORDER_CANCELED,
    ORDER_EXPIRED,
    CANCEL_REQUESTED,
) = (
    int(OutputKind.ORDER_SUBMITTED),
    int(OutputKind.ORDER_DENIED),
    int(OutputKind.ORDER_ACCEPTED),
    int(OutputKind.ORDER_REJECTED),
    int(OutputKind.ORDER_TRIGGERED),
    int(OutputKind.FILL),
    int(OutputKind.ORDER_CANCELED),
    int(OutputKind.ORDER_EXPIRED),
    int(OutputKind.CANCEL_REQUESTED),
)
CANCEL_REJECTED: Final = int(OutputKind.CANCEL_REJECTED)
LEG_ACTIVATED: Final = int(OutputKind.LEG_ACTIVATED)
LIST_ENDED: Final = int(Reason.LIST_ENDED)
ORDER_ACTIVATED: Final = int(OutputKind.ORDER_ACTIVATED)
ORDER_DECREASED, AMEND_REQUESTED = int(OutputKind.ORDER_DECREASED), int(OutputKind.AMEND_REQUESTED)


@kernel
def is_unfinished(order: Any) -> bool:
    """Whether an order can still do anything."""
    return SUBMITTED <= order.status <= PARTIALLY_FILLED


@kernel
def find_order(s: Any, account: int, order_id: int) -> int:
    """Row of an account's order, or UNKNOWN if it has none with that id (any more)."""
    slot = s.accounts[account].last_order - 1
    while slot >= 0 and s.orders[slot].id > order_id:
        slot = s.orders[slot].previous - 1
    return slot if slot >= 0 and s.orders[slot].id == order_id else UNKNOWN


@kernel
def state_order(s: Any, kind: int, slot: int, reason: int) -> None:
    """State a fact about an order and apply it."""
    apply_order(s, name_order(s, kind, slot, reason), slot)


@kernel
def state_price(s: Any, kind: int, slot: int, last_ticks: int, peak_ticks: int) -> None:
    """State that a price activated or fired an order that waited for it, and apply it. `peak_ticks`: the peak of one that follows the price, then."""
    order = s.orders[slot]
    row = name_order(s, kind, slot, 0)
    row.last_ticks = last_ticks
    row.peak_ticks = peak_ticks
    row.reached_ticks = order.trigger_ticks
    if kind == ORDER_TRIGGERED and order.trail_bips > 0:
        row.reached_ticks = trail_ticks(order.side, peak_ticks, order.trail_bips)
    apply_order(s, row, slot)


@kernel
def name_order(s: Any, kind: int, slot: int, reason: int) -> Any:
    """An output that says which order it is about; what it says is added and applied by the caller."""
    order = s.orders[slot]
    row = emit(s, kind)
    row.account = order.account
    row.bot = order.bot
    row.instrument = order.instrument
    row.version = order.version
    row.order_id = order.id
    row.side = order.side
    row.order_type = order.order_type
    row.time_in_force = order.time_in_force
    row.reason = reason
    row.client_id = order.client_id
    row.cause = order.cancel_at_ns
    return row


@kernel
def take_row(s: Any) -> int:
    """A free row of the table; the caller has checked that there is one."""
    if s.n_free_rows > 0:
        s.n_free_rows -= 1
        slot: int = s.free_rows[s.n_free_rows]
        return slot
    assert s.n_used_rows < MAX_ORDERS, "the order table is full"
    s.n_used_rows += 1
    return int(s.n_used_rows) - 1


@kernel
def apply_submitted(s: Any, row: Any) -> int:
    """A new row for a submitted order; returns its number."""
    slot = take_row(s)
    order = s.orders[slot]
    assert order.status == NONE, "a free row has no status"
    order.id = row.order_id
    order.account = row.account
    order.bot = row.bot
    order.instrument = row.instrument
    order.version = row.version
    order.side = row.side
    order.order_type = row.order_type
    order.time_in_force = row.time_in_force
    order.post_only = 1 if row["flags"] & FLAG_POST_ONLY else 0
    order.reduce_only = 1 if row["flags"] & FLAG_REDUCE_ONLY else 0
    order.self_trade = (row["flags"] & FLAG_SELF_TRADE) >> SELF_TRADE_SHIFT
    order.status = SUBMITTED
    order.price_ticks = row.price_ticks
    order.trigger_ticks = row.trigger_ticks
    order.qty_lots = row.qty_lots
    order.submitted_ns = row.ts_seq_ns
    order.arrive_ns = row.arrive_ns
    order.client_id = row.client_id
    order.expire_ns = row.expire_ns
    order.budget_units = row.budget_units
    order.list_id = row.list_id
    order.list_leg = row.list_leg
    order.trail_bips = row.trail_bips
    order.visible_lots = row.visible_lots
    s.n_trailing += 1 if order.trail_bips > 0 else 0
    account = s.accounts[row.account]
    order.previous = account.last_order
    order.next = 0
    if account.last_order > 0:
        s.orders[account.last_order - 1].next = slot + 1
    else:
        account.first_order = slot + 1
    account.last_order = slot + 1
    account.next_order = row.order_id + 1
    account.epoch_orders += 1
    if counts_lots(s, slot):
        add_open_lots(s, order, order.qty_lots)
    used_row(s, row.account, row.instrument)  # there is room now, and may be none when it takes from the book
    return slot


@kernel
def add_open_lots(s: Any, order: Any, lots: int) -> None:
    """Count lots of a live order (negative: uncount) in the positions of its account and bot."""
    account = s.account_positions[order.account, order.instrument]
    bot = s.bot_positions[order.bot, order.instrument]
    own = 1 if order.bot > 0 else 0
    if order.side == BUY:
        account.open_buy_lots += lots
        bot.open_buy_lots += lots * own
    else:
        account.open_sell_lots += lots
        bot.open_sell_lots += lots * own
    assert account.open_buy_lots >= 0 and account.open_sell_lots >= 0, "open lots are counted, never negative"


@kernel
def apply_order(s: Any, row: Any, slot: int) -> None:
    """What an order output (not SUBMITTED, not FILL) does to its row."""
    order = s.orders[slot]
    if row.kind == ORDER_ACCEPTED:
        set_status(order, ACCEPTED)
    elif row.kind == ORDER_TRIGGERED:
        assert order.triggered == 0, "a stop triggers once"
        order.triggered = 1
        order.peak_ticks = row.peak_ticks
    elif row.kind == ORDER_ACTIVATED:
        assert order.trail_bips > 0 and order.triggered == 0, "only who trails becomes active"
        order.peak_ticks = row.peak_ticks
    elif row.kind == CANCEL_REQUESTED:
        order.cancel_at_ns = row.cause
    elif row.kind == LEG_ACTIVATED:
        order.qty_lots = row.qty_lots
        order.activated_ns = s.activated_ns = row.ts_seq_ns
        if counts_lots(s, slot):
            add_open_lots(s, order, order.qty_lots)
    elif row.kind == AMEND_REQUESTED:
        order.amend_at_ns, order.amend_lots = row.arrive_ns, row.qty_lots
    elif row.kind == ORDER_DECREASED:
        assert order.filled_lots < row.qty_lots < order.qty_lots, "what is left of an order is less, and something"
        add_open_lots(s, order, row.qty_lots - order.qty_lots)
        order.qty_lots = row.qty_lots
        if row.reason == 0:
            order.amend_at_ns = order.amend_lots = 0
    elif row.kind != CANCEL_REJECTED:
        if counts_lots(s, slot):
            add_open_lots(s, order, order.filled_lots - order.qty_lots)
        set_status(
            order, REJECTED if row.kind == ORDER_REJECTED else (CANCELED if row.kind == ORDER_CANCELED else EXPIRED)
        )


@kernel
def touch(s: Any, account: int) -> None:
    """Measure an account at the end of this input."""
    if s.accounts[account].touched == 0:
        s.accounts[account].touched = 1
        s.touched[s.n_touched] = account
        s.n_touched += 1


@kernel
def set_status(order: Any, status: int) -> None:
    """Move an order along its life-cycle table; an illegal move stops the desk."""
    assert ALLOWED[order.status][status], "illegal order move"
    order.status = status


@kernel
def apply_fill(s: Any, row: Any, slot: int) -> int:
    """A fill's effect on its order and on the positions of account and bot; the realized change of the fill's scope, in quote units."""
    order = s.orders[slot]
    lots = row.fill_lots
    assert 0 < lots <= order.qty_lots - order.filled_lots, "a fill is part of what is open"
    order.filled_lots += lots
    order.value += row.fill_price_ticks * lots
    if order.visible_lots > 0 and row.liquidity == TAKER:
        order.taken_lots = order.filled_lots
    set_status(order, FILLED if order.filled_lots == order.qty_lots else PARTIALLY_FILLED)
    add_open_lots(s, order, -lots)
    s.accounts[order.account].next_fill = row.fill_id + 1
    count_volume(s, order.account, row.volume_units)
    base_units = lots * s.instruments[order.instrument].base_units_per_lot
    if order.list_id > 0 and order.side == BUY:
        count_brought(s, slot, base_units - row.fee_units)
    account, bot = s.account_positions[order.account, order.instrument], s.bot_positions[order.bot, order.instrument]
    if order.side == BUY:
        realized = average_buy(account, row.quote_units, base_units - row.fee_units)
        if order.bot > 0:
            realized = average_buy(bot, row.quote_units, base_units - row.fee_units)
    else:
        realized = average_sell(account, row.quote_units - row.fee_units, base_units)
        if order.bot > 0:
            realized = average_sell(bot, row.quote_units - row.fee_units, base_units)
    if realized < 0:
        owner = s.accounts[order.account]
        owner.cooldown_until_ns = row.ts_seq_ns + owner.limits.cooldown_ns
        if order.bot > 0:
            s.bots[order.bot].cooldown_until_ns = row.ts_seq_ns + s.bots[order.bot].limits.cooldown_ns
    return realized


@kernel
def finish(s: Any, slot: int, kind: int, reason: int) -> None:
    """End an order (rejected, canceled, expired), and with it those that hang on it."""
    first, second = legs_beside(s, slot)
    end_order(s, slot, kind, reason)
    end_legs(s, first, second)


@kernel
def legs_beside(s: Any, slot: int) -> tuple[int, int]:
    """Rows of the live orders that end with this one, or UNKNOWN."""
    return other_legs(s, slot) if s.orders[slot].list_id > 0 else (UNKNOWN, UNKNOWN)


@kernel
def end_legs(s: Any, first: int, second: int) -> None:
    """End what hung on an order that has ended."""
    if first != UNKNOWN:
        end_order(s, first, ORDER_CANCELED, LIST_ENDED)
    if second != UNKNOWN:
        end_order(s, second, ORDER_CANCELED, LIST_ENDED)


@kernel
def end_order(s: Any, slot: int, kind: int, reason: int) -> None:
    """End one order alone: state it, release what it holds, take it out of its place."""
    state_order(s, kind, slot, reason)
    release_rest(s, slot)
    retire(s, slot)


@kernel
def release_rest(s: Any, slot: int) -> None:
    """Give back all that an order still holds in reserve."""
    order = s.orders[slot]
    assert order.reserved_units >= 0, "a reserve is never negative"
    if order.reserved_units > 0:
        post(s, RELEASE, order.account, order.bot, reserve_asset(s, order), order.reserved_units, order)


@kernel
def reserve_asset(s: Any, order: Any) -> int:
    """The asset an order holds in reserve: quote for buys, base for sells."""
    definition = s.instruments[order.instrument]
    asset: int = definition.quote_asset if order.side == BUY else definition.base_asset
    return asset


@kernel
def retire(s: Any, slot: int) -> None:
    """Take a done order out of its place; its row is free again unless a cancel or an amend is still on its way to it."""
    order = s.orders[slot]
    assert not is_unfinished(order), "only done orders retire"
    leave_place(s, slot)
    if order.time_in_force == GTD:
        leave_inbox(s, slot, EXPIRY)
    free_if_told(s, slot)


@kernel
def free_if_told(s: Any, slot: int) -> None:
    """Give a done order's row back, unless something is on its way that must be told that it came too late."""
    if s.orders[slot].cancel_at_ns == 0 and s.orders[slot].amend_at_ns == 0:
        free_row(s, slot)


@kernel
def free_row(s: Any, slot: int) -> None:
    """Unchain and zero a row."""
    order = s.orders[slot]
    assert order.reserved_units == 0, "a done order holds nothing"
    account = s.accounts[order.account]
    if order.previous > 0:
        s.orders[order.previous - 1].next = order.next
    else:
        account.first_order = order.next
    if order.next > 0:
        s.orders[order.next - 1].previous = order.previous
    else:
        account.last_order = order.previous
    s.n_trailing -= 1 if order.trail_bips > 0 else 0
    clear_row(order)
    s.free_rows[s.n_free_rows] = slot
    s.n_free_rows += 1


@kernel
def clear_row(order: Any) -> None:
    """Zero a row."""
    order.id = order.price_ticks = order.trigger_ticks = order.qty_lots = order.filled_lots = order.value = 0
    order.most_lots = order.least_lots = order.level_lots = order.seen_picture = order.rank = 0
    order.reserved_units = order.submitted_ns = order.arrive_ns = 0
    order.amend_at_ns = order.amend_lots = order.self_trade = 0
    order.cancel_at_ns = order.client_id = order.expire_ns = order.reduce_only = order.budget_units = 0
    order.list_id = order.list_leg = order.activated_ns = order.brought_units = 0
    order.trail_bips = order.peak_ticks = order.fired_ticks = 0
    order.visible_lots = order.taken_lots = order.part_due = 0
    order.account = order.bot = order.instrument = order.version = order.next = order.previous = 0
    order.side = order.order_type = order.time_in_force = order.post_only = 0
    order.status = order.place = order.triggered = order.rested = 0
