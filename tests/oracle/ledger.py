"""The money: postings, reserves, what a fill moves, positions (sections 1 and 7 of the rule book)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.oracle import terms
from tests.oracle.budget import room, spent
from tests.oracle.money import collar, down, times, up
from tests.oracle.things import Account, Instrument, Order, Position, Scope
from tests.oracle.words import (
    BUY,
    CAPITAL,
    FEES,
    FREE,
    LIMIT_TYPES,
    MAKER,
    MARKET_TYPES,
    MAX_UNITS,
    RESERVED,
    SELL,
    TAKER,
    VENUE,
)

if TYPE_CHECKING:
    from tests.oracle.desk import Desk


PURPOSES = {
    "OPENING": (CAPITAL, FREE),
    "RESERVE": (FREE, RESERVED),
    "RELEASE": (RESERVED, FREE),
    "PAY": (RESERVED, VENUE),
    "RECEIVE": (VENUE, FREE),
    "FEE": (FREE, FEES),
    "CLOSING": (FREE, CAPITAL),
}


def post(desk: Desk, account: Account, asset: int, amount: int, purpose: str, order: Order | None = None) -> None:
    """Move an amount between two buckets of one row and say so; nothing happens for 0."""
    assert amount >= 0
    if amount == 0:
        return
    source, target = PURPOSES[purpose]
    row = account.row(asset)
    row[source] -= amount
    row[target] += amount
    assert row[FREE] >= 0 and row[RESERVED] >= 0 and sum(row) == 0
    desk.say(
        "POSTING",
        account=account.number,
        bot=order.bot if order else 0,
        order_id=order.id if order else 0,
        asset=asset,
        amount_units=amount,
        source_bucket=source,
        target_bucket=target,
        purpose=purpose,
    )


def reserve(desk: Desk, order: Order, amount: int) -> None:
    """Set funds of an order aside."""
    post(desk, desk.accounts[order.account], desk.paid_asset(order), amount, "RESERVE", order)
    order.reserved += amount


def release(desk: Desk, order: Order, amount: int) -> None:
    """Give funds of an order back."""
    post(desk, desk.accounts[order.account], desk.paid_asset(order), amount, "RELEASE", order)
    order.reserved -= amount


def end(desk: Desk, order: Order, status: str, reason: str, other: int = 0) -> None:
    """An order ends without a fill: it is said first, then what is left is released; then what hangs together with it ends. `other`: the own order it met."""
    others = order.legs(desk.accounts[order.account])
    end_alone(desk, order, status, reason, other)
    for leg in others:
        end_alone(desk, leg, "CANCELED", "list_ended")


def end_alone(desk: Desk, order: Order, status: str, reason: str, other: int = 0) -> None:
    """One order ends, and nothing else."""
    words = order_words(order) | ({"cause": other} if other else {})
    desk.say(f"ORDER_{status}", account=order.account, bot=order.bot, order_id=order.id, reason=reason, **words)
    release(desk, order, order.reserved)
    bury(desk, order, status)


def stand_alone(desk: Desk, order: Order) -> None:
    """An order of a pair is triggered or about to be filled: the other one ends, and this one holds what it needs."""
    other = order.sibling(desk.accounts[order.account])
    if other is None:
        return
    end_alone(desk, other, "CANCELED", "list_ended")
    if order.reserved == 0:
        instrument = desk.instruments[order.instrument]
        if order.side == SELL:
            reserve(desk, order, order.qty * instrument.bpl)
        elif order.order_type in MARKET_TYPES:
            free = desk.accounts[order.account].row(instrument.quote)[FREE]
            reserve(desk, order, min(free, up(instrument.worth(collar(BUY, order.trigger) * order.qty))))
        else:
            reserve(desk, order, up(instrument.worth(order.price * order.qty)))


def bury(desk: Desk, order: Order, status: str) -> None:
    """Take an order out of the live ones."""
    order.status = status
    order.live = False
    del desk.accounts[order.account].orders[order.id]


def order_words(order: Order) -> dict[str, int]:
    """What every output about an order names."""
    return {"instrument": order.instrument, "side": order.side}


def paid(instrument: Instrument, before: int, after: int) -> int:
    """Quote units a buyer pays between two totals."""
    return up(instrument.worth(after)) - up(instrument.worth(before))


def received(instrument: Instrument, before: int, after: int) -> int:
    """Quote units a seller receives between two totals."""
    return down(instrument.worth(after)) - down(instrument.worth(before))


def affordable(instrument: Instrument, order: Order, price: int, lots: int, funds: int) -> int:
    """The most lots of a market buy, up to `lots`, that funds pay for; found by halving."""
    if paid(instrument, order.value, order.value + price * lots) <= funds:
        return lots
    low, high = 0, lots
    while high - low > 1:
        middle = (low + high) // 2
        if paid(instrument, order.value, order.value + price * middle) <= funds:
            low = middle
        else:
            high = middle
    return low


def within_bounds(row: list[int]) -> bool:
    """Whether a row's total (free and reserved) and each of its buckets can be counted."""
    return row[FREE] + row[RESERVED] <= MAX_UNITS and all(abs(units) <= MAX_UNITS for units in row)


def fits(account: Account, instrument: Instrument, order: Order, lots: int, total: int) -> bool:
    """Whether `lots` more, which bring the order's Σ ticks·lots to `total`, leave value and balances countable."""
    if total * instrument.num > MAX_UNITS:
        return False
    base, quote = list(account.row(instrument.base)), list(account.row(instrument.quote))
    if order.side == BUY:
        base[FREE] += lots * instrument.bpl
        base[VENUE] -= lots * instrument.bpl
        quote[VENUE] += paid(instrument, order.value, total)
    else:
        quote[FREE] += received(instrument, order.value, total)
        quote[VENUE] -= received(instrument, order.value, total)
        base[VENUE] += lots * instrument.bpl
    return within_bounds(base) and within_bounds(quote)


def fee_fits(
    desk: Desk, account: Account, instrument: Instrument, order: Order, lots: int, total: int, fills: int = 1
) -> bool:
    """Whether the fee on such a fill, at the larger of both rates, can be counted; in up to so many fills, each rounded up."""
    take, asset = lots * instrument.bpl, instrument.base
    if order.side != BUY:
        take, asset = received(instrument, order.value, total), instrument.quote
    fee = up(times(take, max(terms.rate(desk, account, instrument, liquidity) for liquidity in (MAKER, TAKER))))
    return account.row(asset)[FEES] + fee + fills - 1 <= MAX_UNITS


def countable(account: Account, instrument: Instrument, order: Order, price: int, lots: int) -> int:
    """The most lots at a price, up to `lots`, that can be counted; found by halving."""
    if fits(account, instrument, order, lots, order.value + price * lots):
        return lots
    low, high = 0, lots
    while high - low > 1:
        middle = (low + high) // 2
        fitting = fits(account, instrument, order, middle, order.value + price * middle)
        low, high = (middle, high) if fitting else (low, middle)
    return low


def fill(desk: Desk, order: Order, lots: int, price: int, liquidity: int, rule: str, front: int = -1) -> int:
    """Fill up to `lots` at a price; returns the lots filled. May end the order (filled, out of funds, uncountable)."""
    if lots == 0:
        return 0
    account, instrument = desk.accounts[order.account], desk.instruments[order.instrument]
    stand_alone(desk, order)
    last = lots > reducible(desk, order)
    lots = min(lots, reducible(desk, order))
    if lots == 0:
        end(desk, order, "EXPIRED", "position_closed")
        return 0
    lots = room(instrument, order, order.value, price, lots)
    if lots == 0:
        end(desk, order, "EXPIRED", "quote_quantity_reached")
        return 0
    within = lots
    if order.side == BUY and order.order_type in MARKET_TYPES and not order.budget:
        within = affordable(instrument, order, price, lots, order.reserved + account.row(instrument.quote)[FREE])
    count = countable(account, instrument, order, price, within)
    if count > 0 and not fee_fits(desk, account, instrument, order, count, order.value + price * count):
        count = 0
    if count > 0:
        settle(desk, order, count, price, liquidity, rule, front)
    if order.live and within > 0 and count == 0:
        end(desk, order, "EXPIRED", "notional_too_large")
    elif order.live and within < lots:
        end(desk, order, "EXPIRED", "funds_exhausted")
    elif order.live and (last or reducible(desk, order) == 0):
        end(desk, order, "EXPIRED", "position_closed")
    elif order.live and spent(instrument, order, price):
        end(desk, order, "EXPIRED", "quote_quantity_reached")
    return count


def reducible(desk: Desk, order: Order) -> int:
    """Whole lots that an order may fill: no end to it, but for reduce-only orders what there is of its position."""
    if not order.reduce_only:
        return MAX_UNITS
    account = desk.accounts[order.account]
    scope = account.scope if order.bot == 0 else account.bots[order.bot]
    held = scope.position(order.instrument).qty
    return max(0, -held if order.side == BUY else held) // desk.instruments[order.instrument].bpl


def settle(desk: Desk, order: Order, lots: int, price: int, liquidity: int, rule: str, front: int) -> None:
    """One fill: what is paid and received, the fee, positions, cooldowns, the surplus of the reserve."""
    account, instrument = desk.accounts[order.account], desk.instruments[order.instrument]
    total = order.value + price * lots
    rate = terms.rate(desk, account, instrument, liquidity)
    if order.side == BUY:
        give, take = paid(instrument, order.value, total), lots * instrument.bpl
        give_asset, take_asset = instrument.quote, instrument.base
        quote_units = give
    else:
        give, take = lots * instrument.bpl, received(instrument, order.value, total)
        give_asset, take_asset = instrument.base, instrument.quote
        quote_units = take
    fee = up(times(take, rate))
    if give > order.reserved:
        assert order.side == BUY and order.order_type in MARKET_TYPES
        reserve(desk, order, give - order.reserved)
    realized = change_positions(desk, order, instrument, give, take, fee)
    order.value = total
    order.filled += lots
    if order.visible and liquidity == TAKER:
        order.taken = order.filled
    order.status = "FILLED" if order.remaining == 0 else "PARTIALLY_FILLED"
    number, worth = terms.tier(desk, account), terms.count(desk, account, instrument.quote, quote_units)
    desk.say(
        "FILL",
        account=order.account,
        bot=order.bot,
        order_id=order.id,
        **order_words(order),
        liquidity=liquidity,
        rule=rule,
        front_before_lots=front,
        fill_price_ticks=price,
        fill_lots=lots,
        fill_id=account.next_fill,
        quote_units=quote_units,
        fee_units=fee,
        fee_asset=take_asset,
        realized_units=realized,
        fee_rate_e8=int(rate.scaleb(8)),
        fee_tier=number,
        volume_units=worth,
    )
    account.next_fill += 1
    order.reserved -= give
    post(desk, account, give_asset, give, "PAY", order)
    post(desk, account, take_asset, take, "RECEIVE", order)
    post(desk, account, take_asset, fee, "FEE", order)
    release(desk, order, order.reserved - still_needed(order, instrument))
    desk.filled[order.account] = True
    order.brought += take - fee
    if order.remaining == 0:
        bury(desk, order, "FILLED")
        if order.kind in (2, 3) and order.leg == 0:
            desk.ready.append(order)


def still_needed(order: Order, instrument: Instrument) -> int:
    """What an order must keep reserved after a fill."""
    if order.remaining == 0:
        return 0
    if order.side == BUY and order.order_type in LIMIT_TYPES:
        whole = order.value + order.price * order.remaining
        return up(instrument.worth(whole)) - up(instrument.worth(order.value))
    return order.reserved


def change_positions(desk: Desk, order: Order, instrument: Instrument, give: int, take: int, fee: int) -> int:
    """Positions of account and bot, cooldowns after a loss; returns the realized change that the fill reports."""
    account = desk.accounts[order.account]
    scopes: list[Scope] = [account.scope]
    if order.bot != 0:
        scopes.append(account.bots[order.bot])
    change = 0
    for scope in scopes:
        position = scope.position(order.instrument)
        before = position.realized
        if order.side == BUY:
            buy(position, take - fee, give)
        else:
            sell(position, give, take - fee)
        change = position.realized - before
    if change < 0:
        for scope in scopes:
            scope.cooldown_until = desk.now + scope.limits["cooldown_ns"]
    return change


def buy(position: Position, gained: int, pay: int) -> None:
    """`gained` base units for `pay` quote units."""
    if gained == 0:
        position.realized -= pay
        return
    if position.qty >= 0:
        position.qty += gained
        position.cost += pay
        return
    short = -position.qty
    closed = min(gained, short)
    back = -((-position.cost) * closed // short)
    part = pay * closed // gained
    position.realized += -back - part
    position.qty += gained
    position.cost -= back
    if gained > closed:
        position.cost += pay - part


def sell(position: Position, given: int, got: int) -> None:
    """`given` base units for `got` quote units."""
    if position.qty <= 0:
        position.qty -= given
        position.cost -= got
        return
    closed = min(given, position.qty)
    back = position.cost * closed // position.qty
    part = got * closed // given
    position.realized += part - back
    position.qty -= given
    position.cost -= back
    if given > closed:
        position.cost -= got - part


def trial_balance(desk: Desk) -> None:
    """Checks the books from scratch: rows sum to zero, nothing negative, reserves are those of the live orders."""
    for account in desk.accounts.values():
        needed: dict[int, int] = {}
        for order in account.orders.values():
            asset = desk.paid_asset(order)
            needed[asset] = needed.get(asset, 0) + order.reserved
        for asset, row in account.balances.items():
            assert sum(row) == 0 and row[FREE] >= 0 and row[RESERVED] == needed.get(asset, 0), (asset, row)
