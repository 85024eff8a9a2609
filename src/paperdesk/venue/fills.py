"""One fill: how much of it is possible, what it costs, and its postings. The only place where an order meets money.

Rounding is once per order and against the trader: a buy has paid ⌈V·num/den⌉ after each fill, a sale has received ⌊V·num/den⌋, where
V = Σ ticks·lots so far. The fee comes out of what the fill brings in, rounded up.
"""

from typing import Any, Final

from paperdesk.domain.events import DEPTH
from paperdesk.domain.kernel import kernel
from paperdesk.domain.outbox import emit
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import MAX_UNITS, fee_ceil, mul_div_ceil, mul_div_floor, product_fits
from paperdesk.ledger.journal import FEE, FEES, FREE, PAY, RECEIVE, RELEASE, RESERVE, post, room_units
from paperdesk.venue.budget import budget_lots, is_spent
from paperdesk.venue.fees import fee_tier, maker_rate, taker_rate, volume_of
from paperdesk.venue.kinds import BUY, is_market
from paperdesk.venue.lists import note_filled
from paperdesk.venue.orders import (
    FILL,
    FILLED,
    MAKER,
    ORDER_EXPIRED,
    TAKER,
    apply_fill,
    finish,
    is_unfinished,
    release_rest,
    retire,
    touch,
)
from paperdesk.venue.pairs import stand_alone
from paperdesk.venue.reducing import reducible_lots

FUNDS_EXHAUSTED: Final = int(Reason.FUNDS_EXHAUSTED)
NOTIONAL_TOO_LARGE: Final = int(Reason.NOTIONAL_TOO_LARGE)
POSITION_CLOSED: Final = int(Reason.POSITION_CLOSED)
QUOTE_QUANTITY_REACHED: Final = int(Reason.QUOTE_QUANTITY_REACHED)


@kernel
def share_left(s: Any, account: int, total: int) -> int:
    """What an account has not yet been given of the current event's quantity (each account is offered all of it once)."""
    if s.share_seq[account] != s.seq:
        s.share_seq[account] = s.seq
        s.share_lots[account] = total
    left: int = s.share_lots[account]
    assert 0 <= left <= total, "a share is part of the whole"
    return left


@kernel
def paid_units(definition: Any, order: Any, value: int) -> int:
    """What an order has paid (buy, rounded up) or received (sell, rounded down) in quote units when its fills sum to `value`."""
    assert value >= 0, "a value is a sum of fills"
    if order.side == BUY:
        return mul_div_ceil(value, definition.num, definition.den)
    return mul_div_floor(value, definition.num, definition.den)


@kernel
def countable_lots(s: Any, order: Any, price_ticks: int, wanted_lots: int) -> int:
    """How many of the wanted lots can be filled at a price without a number growing out of bounds."""
    assert price_ticks > 0 and wanted_lots > 0, "a fill has a price and a size"
    definition = s.instruments[order.instrument]
    lots = min(wanted_lots, (MAX_UNITS // definition.num - order.value) // price_ticks)
    if order.side == BUY:
        lots = min(lots, room_units(s, order.account, definition.base_asset) // definition.base_units_per_lot)
    else:
        most = room_units(s, order.account, definition.quote_asset) + paid_units(definition, order, order.value) + 1
        if product_fits(most // definition.num + 1, definition.den, MAX_UNITS):
            lots = min(lots, (mul_div_ceil(most, definition.den, definition.num) - 1 - order.value) // price_ticks)
    return max(0, lots)


@kernel
def fee_fits(s: Any, order: Any, lots: int, value: int, fills: int) -> bool:
    """Whether the fee on `lots` more, which bring the sum of the order's fills to `value`, can still be counted; in up to `fills` fills, each rounded up."""
    assert lots > 0 and fills > 0, "a fill has a size"
    definition = s.instruments[order.instrument]
    asset, received = definition.base_asset, lots * definition.base_units_per_lot
    if order.side != BUY:
        asset = definition.quote_asset
        received = paid_units(definition, order, value) - paid_units(definition, order, order.value)
    fee = fee_ceil(received, max(rate_of(s, order, MAKER), rate_of(s, order, TAKER)))
    return bool(fee <= MAX_UNITS - s.balances[order.account, asset, FEES] - (fills - 1))


@kernel
def may_reduce(s: Any, order: Any, lots: int) -> bool:
    """Whether so many lots do not take a reduce-only order's position through zero."""
    return bool(order.reduce_only == 0 or lots <= reducible_lots(s, order))


@kernel
def rate_of(s: Any, order: Any, liquidity: int) -> int:
    """Fee of a fill of an order now, in 10⁻⁸."""
    if liquidity == MAKER:
        return maker_rate(s, order.account, order.instrument)
    return taker_rate(s, order.account, order.instrument)


@kernel
def countable_whole(s: Any, order: Any, value: int) -> bool:
    """Whether an order could be filled whole, for fills that sum to `value`, without a number growing out of bounds."""
    definition = s.instruments[order.instrument]
    if not product_fits(value, definition.num, MAX_UNITS) or not may_reduce(s, order, order.qty_lots):
        return False
    asset, received = definition.base_asset, order.qty_lots * definition.base_units_per_lot
    if order.side != BUY:
        asset, received = definition.quote_asset, paid_units(definition, order, value)
    return bool(received <= room_units(s, order.account, asset)) and fee_fits(s, order, order.qty_lots, value, DEPTH)


@kernel
def payable_lots(s: Any, order: Any, price_ticks: int, wanted_lots: int) -> int:
    """How many of the wanted lots a market buy can pay for at a price, from its reserve and what is free; others hold what they need."""
    assert wanted_lots >= 0, "a wish is not negative"
    if order.side != BUY or not is_market(order) or order.budget_units > 0:
        return wanted_lots
    definition = s.instruments[order.instrument]
    purse = (
        order.reserved_units
        + s.balances[order.account, definition.quote_asset, FREE]
        + paid_units(definition, order, order.value)
    )
    if not product_fits(purse // definition.num + 1, definition.den, MAX_UNITS):
        return wanted_lots
    return max(0, min(wanted_lots, (mul_div_floor(purse, definition.den, definition.num) - order.value) // price_ticks))


@kernel
def own_bounds(s: Any, order: Any, price_ticks: int, wanted_lots: int) -> int:
    """How much of a fill an order's own terms leave: what reduces its position, what its quote budget buys."""
    if order.reduce_only == 1:
        wanted_lots = min(wanted_lots, reducible_lots(s, order))
    if order.budget_units > 0 and wanted_lots > 0:
        wanted_lots = min(wanted_lots, budget_lots(s, order, price_ticks))
    return wanted_lots


@kernel
def fill(
    s: Any,
    slot: int,
    price_ticks: int,
    wanted_lots: int,
    liquidity: int,
    rule: int,
    shown_lots: int,
    evidence_ticks: int,
    front_before: int,
    front_after: int,
) -> int:
    """Fill up to `wanted_lots` of an order at a price; returns the lots filled. What cannot be paid or counted expires with its reason."""
    order = s.orders[slot]
    if order.list_id > 0 and wanted_lots > 0:
        stand_alone(s, slot)
    is_last = order.reduce_only == 1 and wanted_lots > reducible_lots(s, order)
    wanted_lots = own_bounds(s, order, price_ticks, wanted_lots)
    if wanted_lots == 0:
        finish(s, slot, ORDER_EXPIRED, POSITION_CLOSED if is_last else QUOTE_QUANTITY_REACHED)
        return 0
    countable = countable_lots(s, order, price_ticks, wanted_lots)
    lots = payable_lots(s, order, price_ticks, countable)
    if lots > 0 and not fee_fits(s, order, lots, order.value + price_ticks * lots, 1):
        countable = lots = 0
    definition = s.instruments[order.instrument]
    if lots > 0:
        before, after = (
            paid_units(definition, order, order.value),
            paid_units(definition, order, order.value + price_ticks * lots),
        )
        quote_units = after - before
        if order.side == BUY and quote_units > order.reserved_units:
            post(
                s, RESERVE, order.account, order.bot, definition.quote_asset, quote_units - order.reserved_units, order
            )
        rate = rate_of(s, order, liquidity)
        received = lots * definition.base_units_per_lot if order.side == BUY else quote_units
        row = emit(s, FILL)
        row.account = order.account
        row.bot = order.bot
        row.instrument = order.instrument
        row.version = order.version
        row.order_id = order.id
        row.side = order.side
        row.order_type = order.order_type
        row.time_in_force = order.time_in_force
        row.liquidity = liquidity
        row.rule = rule
        row.asset = definition.quote_asset
        row.fee_asset = definition.base_asset if order.side == BUY else definition.quote_asset
        row.fill_price_ticks = price_ticks
        row.fill_lots = lots
        row.fill_id = s.accounts[order.account].next_fill
        row.quote_units = quote_units
        row.fee_units = fee_ceil(received, rate)
        row.shown_lots = shown_lots
        row.front_before_lots = front_before
        row.front_after_lots = front_after
        row.evidence_ticks = evidence_ticks
        row.fee_rate_e8 = rate
        row.fee_tier = fee_tier(s, order.account)
        row.volume_units = volume_of(s, order.account, definition.quote_asset, quote_units)
        row.realized_units = apply_fill(s, row, slot)
        touch(s, order.account)
        settle(s, order, lots * definition.base_units_per_lot, quote_units, row.fee_units)
    after_fill(s, slot, lots, countable, price_ticks, is_last)
    return lots


@kernel
def after_fill(s: Any, slot: int, lots: int, countable: int, price_ticks: int, is_last: bool) -> None:
    """What becomes of an order after a fill of `lots`, where `countable` could be counted: done, ended (`is_last`: no more to reduce), or less in need."""
    order = s.orders[slot]
    if lots < countable or countable == 0:
        finish(s, slot, ORDER_EXPIRED, NOTIONAL_TOO_LARGE if countable == 0 else FUNDS_EXHAUSTED)
    elif order.status == FILLED:
        release_rest(s, slot)
        if s.orders[slot].list_id > 0:
            note_filled(s, slot)
        retire(s, slot)
    else:
        if order.side == BUY and not is_market(order):
            release_surplus(s, order)
        if is_last or (order.reduce_only == 1 and reducible_lots(s, order) == 0):
            finish(s, slot, ORDER_EXPIRED, POSITION_CLOSED)
        elif is_spent(s, order, price_ticks):
            finish(s, slot, ORDER_EXPIRED, QUOTE_QUANTITY_REACHED)


@kernel
def settle(s: Any, order: Any, base_units: int, quote_units: int, fee_units: int) -> None:
    """The postings of one fill: pay, receive, fee."""
    definition = s.instruments[order.instrument]
    assert base_units > 0 and quote_units >= 0 and fee_units >= 0, "a fill moves base units"
    paying, paid, receiving, received = definition.quote_asset, quote_units, definition.base_asset, base_units
    if order.side != BUY:
        paying, paid, receiving, received = definition.base_asset, base_units, definition.quote_asset, quote_units
    if paid > 0:
        post(s, PAY, order.account, order.bot, paying, paid, order)
    if received > 0:
        post(s, RECEIVE, order.account, order.bot, receiving, received, order)
    if fee_units > 0:
        post(s, FEE, order.account, order.bot, receiving, fee_units, order)


@kernel
def needed_units(definition: Any, order: Any) -> int:
    """What a live limit buy must still hold in reserve: enough to pay for all that is open at its own price."""
    worst = order.value + order.price_ticks * (order.qty_lots - order.filled_lots)
    return mul_div_ceil(worst, definition.num, definition.den) - mul_div_ceil(
        order.value, definition.num, definition.den
    )


@kernel
def release_surplus(s: Any, order: Any) -> None:
    """Give back what a limit buy no longer needs after a fill."""
    assert is_unfinished(order), "only a live order holds a reserve"
    definition = s.instruments[order.instrument]
    surplus = order.reserved_units - needed_units(definition, order)
    assert surplus >= 0, "a limit buy holds what it needs"
    if surplus > 0:
        post(s, RELEASE, order.account, order.bot, definition.quote_asset, surplus, order)
