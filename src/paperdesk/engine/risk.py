"""The risk gate, before the venue: limits per bot and per account, kill switches, valuation over time.

Limits are settings that arrive as commands; what they measure (peaks, day starts, cooldowns) is state that follows from events, so both
survive restarts. A figure that cannot be computed blocks new risk wherever a limit is set; it never passes for zero.
"""

from typing import Any, Final

from paperdesk.domain.events import FLAG_PARTIAL, OutputKind
from paperdesk.domain.kernel import kernel
from paperdesk.domain.outbox import emit
from paperdesk.domain.reasons import Reason
from paperdesk.ledger.statement import (
    account_equity,
    account_exposure,
    bot_exposure,
    bot_pnl,
    position_value,
    reporting_value,
)
from paperdesk.venue.fees import DAY_NS
from paperdesk.venue.kinds import BUY

EQUITY_PARTIAL, COOLDOWN, DAILY_LOSS, DRAWDOWN, MAX_ORDER, MAX_POSITION, MAX_EXPOSURE = (
    int(Reason.EQUITY_PARTIAL),
    int(Reason.COOLDOWN),
    int(Reason.DAILY_LOSS),
    int(Reason.DRAWDOWN),
    int(Reason.MAX_ORDER),
    int(Reason.MAX_POSITION),
    int(Reason.MAX_EXPOSURE),
)
EQUITY: Final = int(OutputKind.EQUITY)


@kernel
def any_limit(limits: Any) -> bool:
    """Whether any limit of a scope is set."""
    return bool(
        limits.max_order_units > 0
        or limits.max_position_units > 0
        or limits.max_exposure_units > 0
        or limits.max_daily_loss_units > 0
        or limits.max_drawdown_units > 0
        or limits.cooldown_ns > 0
    )


@kernel
def grown_units(position: Any, side: int, lots: int, base_units_per_lot: int) -> int:
    """Absolute base units of a position after all its live orders of a side and this one are filled."""
    assert lots > 0, "an order has a size"
    if side == BUY:
        return abs(position.qty_units + (position.open_buy_lots + lots) * base_units_per_lot)
    return abs(position.qty_units - (position.open_sell_lots + lots) * base_units_per_lot)


@kernel
def add_lots(position: Any, side: int, lots: int) -> None:
    """Count lots among a position's live orders (negative: uncount)."""
    if side == BUY:
        position.open_buy_lots += lots
    else:
        position.open_sell_lots += lots


@kernel
def gate(s: Any, account: int, bot: int, instrument: int, side: int, lots: int, worth_quote: int) -> int:
    """0, or the reason why the risk gate denies an order: the bot's limits first, then the account's."""
    assert lots > 0 and worth_quote >= 0, "an order has a size and a value"
    definition = s.instruments[instrument]
    owner = s.accounts[account]
    if not any_limit(owner.limits) and (bot == 0 or not any_limit(s.bots[bot].limits)):
        return 0
    known, worth = reporting_value(s, account, definition.quote_asset, worth_quote)
    if bot > 0 and any_limit(s.bots[bot].limits):
        row, position = s.bots[bot], s.bot_positions[bot, instrument]
        valued, pnl = bot_pnl(s, bot)
        reason = loss_reason(s, row, position, instrument, side, lots, known, worth, valued, pnl)
        if reason == 0:
            add_lots(position, side, lots)
            measured, exposure = bot_exposure(s, bot)
            add_lots(position, side, -lots)
            reason = size_reason(s, account, row.limits, position, instrument, side, lots, measured, exposure)
        if reason != 0:
            return reason
    if any_limit(owner.limits):
        position = s.account_positions[account, instrument]
        valued, equity = account_equity(s, account)
        reason = loss_reason(s, owner, position, instrument, side, lots, known, worth, valued, equity)
        if reason == 0:
            add_lots(position, side, lots)
            measured, exposure = account_exposure(s, account)
            add_lots(position, side, -lots)
            reason = size_reason(s, account, owner.limits, position, instrument, side, lots, measured, exposure)
        return reason
    return 0


@kernel
def gate_reducing(s: Any, e: Any, worth_quote: int) -> int:
    """The gate for a reduce-only order, which adds no risk: the limits on the size of one order, the bot's first."""
    definition = s.instruments[e.instrument]
    bot_limits = any_limit(s.bots[e.bot].limits) if e.bot > 0 else False
    if not bot_limits and not any_limit(s.accounts[e.account].limits):
        return 0
    known, worth = reporting_value(s, e.account, definition.quote_asset, worth_quote)
    if not known:
        return EQUITY_PARTIAL
    most = s.bots[e.bot].limits.max_order_units if e.bot > 0 else 0
    if 0 < most < worth or 0 < s.accounts[e.account].limits.max_order_units < worth:
        return MAX_ORDER
    return 0


@kernel
def increases(s: Any, position: Any, instrument: int, side: int, lots: int) -> bool:
    """Whether an order adds risk: the position could end further from flat than it is."""
    return grown_units(position, side, lots, s.instruments[instrument].base_units_per_lot) > abs(position.qty_units)


@kernel
def loss_reason(
    s: Any,
    scope: Any,
    position: Any,
    instrument: int,
    side: int,
    lots: int,
    known: bool,
    worth: int,
    valued: bool,
    equity: int,
) -> int:
    """Order size, cooldown and loss limits of one scope (a bot's or an account's row)."""
    limits = scope.limits
    if not known:
        return EQUITY_PARTIAL
    if limits.max_order_units > 0 and worth > limits.max_order_units:
        return MAX_ORDER
    if not increases(s, position, instrument, side, lots):
        return 0
    if not valued:
        return EQUITY_PARTIAL
    if limits.cooldown_ns > 0 and s.ts_seq_ns < scope.cooldown_until_ns:
        return COOLDOWN
    if (
        scope.valued == 1
        and limits.max_daily_loss_units > 0
        and scope.day_start_units - equity >= limits.max_daily_loss_units
    ):
        return DAILY_LOSS
    if scope.valued == 1 and limits.max_drawdown_units > 0 and scope.peak_units - equity >= limits.max_drawdown_units:
        return DRAWDOWN
    return 0


@kernel
def size_reason(
    s: Any,
    account: int,
    limits: Any,
    position: Any,
    instrument: int,
    side: int,
    lots: int,
    measured: bool,
    exposure: int,
) -> int:
    """Position and exposure limits of one scope; `exposure` counts the order in."""
    if not increases(s, position, instrument, side, lots):
        return 0
    if limits.max_position_units > 0:
        units = grown_units(position, side, lots, s.instruments[instrument].base_units_per_lot)
        known, value = position_value(s, account, instrument, units)
        if not known:
            return EQUITY_PARTIAL
        if value > limits.max_position_units:
            return MAX_POSITION
    if limits.max_exposure_units > 0:
        if not measured:
            return EQUITY_PARTIAL
        if exposure > limits.max_exposure_units:
            return MAX_EXPOSURE
    return 0


@kernel
def value_account(s: Any, account: int, new_day: bool, stated: bool) -> None:
    """Measure an account and its bots now: peaks, day starts, the first valuation; `stated` emits an EQUITY output."""
    owner = s.accounts[account]
    known, equity = account_equity(s, account)
    if known:
        owner.equity_units = equity
        if owner.valued == 0 and equity > 0:
            owner.valued = 1
            owner.opening_units = owner.peak_units = owner.day_start_units = equity
        owner.peak_units = max(owner.peak_units, equity)
    if new_day and owner.valued == 1:
        owner.day_start_units = owner.equity_units
    bot = owner.first_bot
    while bot > 0:
        value_bot(s, bot, new_day)
        bot = s.bots[bot].next_bot
    if stated:
        row = emit(s, EQUITY)
        row.account = account
        row.asset = owner.reporting
        row.flags = 0 if known else FLAG_PARTIAL
        row.equity_units = owner.equity_units
        row.peak_units = owner.peak_units
        row.day_start_units = owner.day_start_units
        row.opening_units = owner.opening_units
        row.exposure_units = account_exposure(s, account)[1]


@kernel
def value_bot(s: Any, bot: int, new_day: bool) -> None:
    """Measure one bot now."""
    row = s.bots[bot]
    known, pnl = bot_pnl(s, bot)
    if known:
        row.pnl_units = pnl
        row.peak_units = max(row.peak_units, pnl)
    if new_day:
        row.day_start_units = row.pnl_units
    assert row.peak_units >= row.pnl_units or not known, "a peak is never below what was measured"


@kernel
def value_on_time(s: Any, before_ns: int) -> None:
    """Equity ticks and UTC days that passed between `before_ns` and now, for every account; remembers when to look again."""
    now, soonest = s.ts_seq_ns, (s.ts_seq_ns // DAY_NS + 1) * DAY_NS
    assert now >= before_ns, "time never goes back"
    new_day = now // DAY_NS != before_ns // DAY_NS
    for account in range(s.n_accounts):
        owner = s.accounts[account]
        if owner.opened == 1:
            every = owner.equity_every_ns
            if new_day or now // every != before_ns // every:
                value_account(s, account, new_day, True)
            soonest = min(soonest, (now // every + 1) * every)
    s.next_tick_ns = soonest


@kernel
def value_touched(s: Any) -> None:
    """Measure the accounts that this input filled something of, and those not yet valued that asked for it."""
    for place in range(s.n_touched):
        account = s.touched[place]
        s.accounts[account].touched = 0
        value_account(s, account, False, False)
    s.n_touched = 0
