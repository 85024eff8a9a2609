"""What things are worth, and the limits that follow (sections 8 and 9 of the rule book). None: not computable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.oracle.money import up
from tests.oracle.things import Account, Instrument, Order, Scope
from tests.oracle.words import BUY, DAY_NS, FREE, MAX_ORDER_UNITS, MAX_UNITS, PARTIAL, RESERVED

if TYPE_CHECKING:
    from tests.oracle.desk import Desk


def fresh_mark(desk: Desk, instrument: Instrument) -> int | None:
    """The mark, unless there is none or it is too old to value anything."""
    market = instrument.market
    if market.mark is None or desk.now - market.mark_ns > instrument.given["stale_after_ns"]:
        return None
    return market.mark


def countable(units: int, bound: int = MAX_ORDER_UNITS) -> int | None:
    """The units, or None beyond counting."""
    return units if abs(units) <= bound else None


def convert(desk: Desk, account: Account, asset: int, units: int | None) -> int | None:
    """Units of an asset in the account's reporting asset, towards zero; nothing of anything is worth nothing."""
    if units is None or units == 0:
        return units
    if asset == account.reporting:
        return countable(units)
    if units < 0:
        positive = convert(desk, account, asset, -units)
        return None if positive is None else -positive
    if asset not in account.conversions:
        return None
    number, inverse = account.conversions[asset]
    instrument = desk.instruments[number]
    mark = fresh_mark(desk, instrument)
    if mark is None:
        return None
    return countable(instrument.quote_in_base(units, mark) if inverse else instrument.base_in_quote(units, mark))


def value_in_quote(desk: Desk, instrument: Instrument, base_units: int) -> int | None:
    """Base units (signed) at the mark, in quote units, towards zero; nothing needs no mark."""
    if base_units == 0:
        return 0
    mark = fresh_mark(desk, instrument)
    if mark is None:
        return None
    worth = instrument.base_in_quote(abs(base_units), mark)
    return countable(worth if base_units > 0 else -worth)


def total(parts: list[int | None]) -> int | None:
    """The sum, or None if any part is not computable or the sum beyond counting."""
    return None if any(part is None for part in parts) else countable(sum(filter(None, parts)), MAX_UNITS)


def equity(desk: Desk, account: Account) -> int | None:
    """All that the account holds, in its reporting asset; prices of another source than its own value nothing."""
    if account.source != desk.source:
        return None
    held = [(asset, row[FREE] + row[RESERVED]) for asset, row in sorted(account.balances.items())]
    return total([convert(desk, account, asset, units) for asset, units in held if units > 0])


def pnl(desk: Desk, account: Account, scope: Scope) -> int | None:
    """What a bot has made or lost, realized or not, in the reporting asset of its account."""
    if account.source != desk.source:
        return None
    parts: list[int | None] = []
    for number, position in sorted(scope.positions.items()):
        if position.qty == 0 and position.cost == 0 and position.realized == 0:
            continue
        instrument = desk.instruments[number]
        value = value_in_quote(desk, instrument, position.qty)
        gain = None if value is None else countable(value - position.cost + position.realized)
        parts.append(convert(desk, account, instrument.quote, gain))
    return total(parts)


def counts(account: Account, order: Order) -> bool:
    """Whether an order's open lots count: not while it is pending in a list, and of a pair once."""
    other = order.sibling(account)
    return not order.listed and (other is None or order.id < other.id)


def open_lots(account: Account, scope: Scope, instrument: int) -> tuple[int, int]:
    """Unfilled lots of the scope's live buys and sells on an instrument."""
    bought = sold = 0
    for order in account.orders.values():
        if (
            order.instrument == instrument
            and (scope is account.scope or order.bot == scope.number)
            and counts(account, order)
        ):
            if order.side == BUY:
                bought += order.remaining
            else:
                sold += order.remaining
    return bought, sold


def exposure(desk: Desk, account: Account, scope: Scope, coming: Order | None = None) -> list[int | None]:
    """Section 8.7: the worst that positions and open orders can come to, an order to come included; by instrument."""
    parts: list[int | None] = []
    for number, instrument in sorted(desk.instruments.items()):
        pos = scope.positions[number].qty if number in scope.positions else 0
        bought, sold = open_lots(account, scope, number)
        if coming is not None and coming.instrument == number:
            if coming.side == BUY:
                bought += coming.qty
            else:
                sold += coming.qty
        worst = max(abs(pos + bought * instrument.bpl), abs(pos - sold * instrument.bpl))
        if worst > 0:
            parts.append(convert(desk, account, instrument.quote, value_in_quote(desk, instrument, worst)))
    return parts


def gate(desk: Desk, account: Account, order: Order, ref: int, reducing: bool = False) -> str:
    """The reason why an order may not go out, or nothing: the bot's limits first, then the account's."""
    if order.bot != 0:
        reason = gate_scope(desk, account, account.bots[order.bot], order, ref, reducing)
        if reason:
            return reason
    return gate_scope(desk, account, account.scope, order, ref, reducing)


def gate_scope(desk: Desk, account: Account, scope: Scope, order: Order, ref: int, reducing: bool) -> str:
    """Section 8 for one scope."""
    limits = scope.limits
    if not any(limits.values()):
        return ""
    instrument = desk.instruments[order.instrument]
    worth = convert(desk, account, instrument.quote, order.budget or up(instrument.worth(ref * order.qty)))
    if worth is None:
        return "equity_partial"
    if 0 < limits["max_order_units"] < worth:
        return "max_order"
    pos = scope.positions[order.instrument].qty if order.instrument in scope.positions else 0
    bought, sold = open_lots(account, scope, order.instrument)
    if order.side == BUY:
        then = abs(pos + (bought + order.qty) * instrument.bpl)
    else:
        then = abs(pos - (sold + order.qty) * instrument.bpl)
    if then <= abs(pos) or order.reduce_only or reducing:
        return ""
    now_worth = equity(desk, account) if scope is account.scope else pnl(desk, account, scope)
    if now_worth is None:
        return "equity_partial"
    if limits["cooldown_ns"] > 0 and desk.now < scope.cooldown_until:
        return "cooldown"
    if limits["max_daily_loss_units"] > 0 and scope.day_start - now_worth >= limits["max_daily_loss_units"]:
        return "daily_loss"
    if limits["max_drawdown_units"] > 0 and scope.peak - now_worth >= limits["max_drawdown_units"]:
        return "drawdown"
    if limits["max_position_units"] > 0:
        value = convert(desk, account, instrument.quote, value_in_quote(desk, instrument, then))
        if value is None:
            return "equity_partial"
        if value > limits["max_position_units"]:
            return "max_position"
    if limits["max_exposure_units"] > 0:
        value = total(exposure(desk, account, scope, order))
        if value is None:
            return "equity_partial"
        if value > limits["max_exposure_units"]:
            return "max_exposure"
    return ""


def first_valuation(desk: Desk, account: Account) -> None:
    """After a command that says what an account has or how it is valued; until the first order, that is its opening."""
    if not account.in_use:
        account.valued = False
        account.opening = account.scope.peak = account.scope.day_start = 0
    if not account.valued:
        value_account(desk, account)


def value_account(desk: Desk, account: Account) -> bool:
    """Compute the equity; False if it cannot be. The first one above 0 sets the opening, later ones raise the peak."""
    worth = equity(desk, account)
    if worth is None:
        return False
    scope = account.scope
    scope.worth = worth
    if not account.valued and worth > 0:
        account.valued = True
        account.opening = scope.peak = scope.day_start = worth
    scope.peak = max(scope.peak, worth)
    return True


def value_bot(desk: Desk, account: Account, bot: Scope) -> None:
    """Compute a bot's pnl if that is possible, and raise its peak."""
    worth = pnl(desk, account, bot)
    if worth is not None:
        bot.worth = worth
        bot.peak = max(bot.peak, worth)


def value_after_fill(desk: Desk, account: Account) -> None:
    """At the end of an input that filled something of the account."""
    value_account(desk, account)
    for bot in account.bots.values():
        value_bot(desk, account, bot)


def tick(desk: Desk, before_ns: int) -> None:
    """Equity ticks and UTC days that time passed on its way from `before_ns` to now."""
    new_day = before_ns // DAY_NS != desk.now // DAY_NS
    for _, account in sorted(desk.accounts.items()):
        every = account.equity_every_ns
        if not new_day and before_ns // every == desk.now // every:
            continue
        computed = value_account(desk, account)
        for _, bot in sorted(account.bots.items()):
            value_bot(desk, account, bot)
        if new_day:
            for scope in [account.scope, *account.bots.values()] if account.valued else account.bots.values():
                scope.day_start = scope.worth
        desk.say(
            "EQUITY",
            account=account.number,
            flags=0 if computed else PARTIAL,
            equity_units=account.scope.worth,
            exposure_units=total(exposure(desk, account, account.scope)) or 0,
            peak_units=account.scope.peak,
            day_start_units=account.scope.day_start,
            opening_units=account.opening,
        )
