"""Commands about accounts, bots and limits: each is done and stated, or refused with a reason."""

from typing import Any, Final

from paperdesk.domain.events import InputKind, OutputKind
from paperdesk.domain.kernel import kernel
from paperdesk.domain.outbox import emit
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import MAX_ORDER_UNITS, MAX_UNITS
from paperdesk.engine.state import MAX_ACCOUNTS, MAX_BOTS
from paperdesk.ledger.journal import CAPITAL, CLOSING, FREE, OPENING, post
from paperdesk.venue.estimates import OPTIMISTIC, PESSIMISTIC
from paperdesk.venue.fees import forget_volume
from paperdesk.venue.kinds import EXPIRE_MAKER
from paperdesk.venue.lists import after_list
from paperdesk.venue.orders import ORDER_CANCELED, finish, is_unfinished, touch

(
    ACCOUNT_OPENED,
    CONVERSION_DECLARED,
    BOT_REGISTERED,
    LIMITS_SET,
    KILLED_OUTPUT,
    RESUMED_OUTPUT,
    COMMAND_REFUSED,
    EPOCH_STARTED,
) = (
    int(OutputKind.ACCOUNT_OPENED),
    int(OutputKind.CONVERSION_DECLARED),
    int(OutputKind.BOT_REGISTERED),
    int(OutputKind.LIMITS_SET),
    int(OutputKind.KILLED),
    int(OutputKind.RESUMED),
    int(OutputKind.COMMAND_REFUSED),
    int(OutputKind.EPOCH_STARTED),
)
UNKNOWN_ACCOUNT, UNKNOWN_BOT, UNKNOWN_INSTRUMENT, UNKNOWN_ASSET, ACCOUNT_EXISTS, BOT_EXISTS = (
    int(Reason.UNKNOWN_ACCOUNT),
    int(Reason.UNKNOWN_BOT),
    int(Reason.UNKNOWN_INSTRUMENT),
    int(Reason.UNKNOWN_ASSET),
    int(Reason.ACCOUNT_EXISTS),
    int(Reason.BOT_EXISTS),
)
INVALID_AMOUNT, CAPACITY_EXCEEDED, ACCOUNT_IN_USE, KILL_SWITCH, EPOCH_ENDED, BOT_STOPPED, KILLED = (
    int(Reason.INVALID_AMOUNT),
    int(Reason.CAPACITY_EXCEEDED),
    int(Reason.ACCOUNT_IN_USE),
    int(Reason.KILL_SWITCH),
    int(Reason.EPOCH_ENDED),
    int(Reason.BOT_STOPPED),
    int(Reason.KILLED),
)
EVERYTHING: Final = -1
SUBMIT_ORDER, SUBMIT_LIST = int(InputKind.SUBMIT_ORDER), int(InputKind.SUBMIT_LIST)


@kernel
def refuse(s: Any, e: Any, reason: int) -> None:
    """State that a command was not carried out, and why."""
    assert reason != 0, "a refusal has a reason"
    row = emit(s, COMMAND_REFUSED)
    row.account = e.account
    row.bot = e.bot
    row.instrument = e.instrument
    row.reason = reason
    row.side = e.side
    row.cause = e.kind
    if e.kind == SUBMIT_ORDER:
        row.client_id = e.client_id
    elif e.kind == SUBMIT_LIST:
        row.side = e.leg_side[0]
        row.client_id = e.leg_client_id[0]


@kernel
def is_open(s: Any, account: int) -> bool:
    """Whether an account number is in use."""
    return 0 <= account < s.n_accounts and s.accounts[account].opened == 1


@kernel
def is_bot(s: Any, account: int, bot: int) -> bool:
    """Whether a bot may act in an account; bot 0 is the owner."""
    return bot == 0 or (0 < bot < s.n_bots and s.bots[bot].registered == 1 and s.bots[bot].account == account)


@kernel
def is_asset(s: Any, asset: int) -> bool:
    """Whether an asset is defined."""
    return 0 <= asset < s.n_assets and s.scales[asset] > 0


@kernel
def is_instrument(s: Any, instrument: int) -> bool:
    """Whether an instrument is defined."""
    return 0 <= instrument < s.n_instruments and s.instruments[instrument].version > 0


@kernel
def sender_reason(s: Any, e: Any) -> int:
    """Why nobody of this desk can have sent a command, or 0."""
    if not is_open(s, e.account):
        return UNKNOWN_ACCOUNT
    return 0 if is_bot(s, e.account, e.bot) else UNKNOWN_BOT


@kernel
def address_reason(s: Any, e: Any) -> int:
    """`sender_reason`, or why there is nothing that a command for an instrument could mean."""
    reason = sender_reason(s, e)
    return reason if reason != 0 or is_instrument(s, e.instrument) else UNKNOWN_INSTRUMENT


@kernel
def open_account(s: Any, e: Any) -> None:
    """OPEN_ACCOUNT."""
    if e.account < 0 or e.account >= MAX_ACCOUNTS:
        refuse(s, e, CAPACITY_EXCEEDED)
    elif is_open(s, e.account):
        refuse(s, e, ACCOUNT_EXISTS)
    elif not is_asset(s, e.asset):
        refuse(s, e, UNKNOWN_ASSET)
    elif e.latency_ns < 0 or e.equity_every_ns <= 0 or e.fill_model < OPTIMISTIC or e.fill_model > PESSIMISTIC:
        refuse(s, e, INVALID_AMOUNT)
    else:
        row = emit(s, ACCOUNT_OPENED)
        row.account = e.account
        row.asset = e.asset
        row.epoch = 1
        row.source = e.source
        row.latency_ns = e.latency_ns
        row.equity_every_ns = e.equity_every_ns
        row.fill_model = e.fill_model
        apply_account_opened(s, row)
        ask_valuation(s, e.account)


@kernel
def apply_account_opened(s: Any, row: Any) -> None:
    """The effect of ACCOUNT_OPENED."""
    owner = s.accounts[row.account]
    assert owner.opened == 0, "an account opens once"
    owner.opened = 1
    owner.epoch = row.epoch
    owner.source = row.source
    owner.reporting = row.asset
    owner.latency_ns = row.latency_ns
    owner.equity_every_ns = row.equity_every_ns
    owner.fill_model = row.fill_model
    owner.self_trade = EXPIRE_MAKER
    owner.next_order = owner.next_fill = owner.next_rank = owner.next_signal = 1
    s.n_accounts = max(s.n_accounts, row.account + 1)
    s.next_tick_ns = 0


@kernel
def ask_valuation(s: Any, account: int) -> None:
    """Value an account at the end of this input, anew as long as its epoch has no order."""
    owner = s.accounts[account]
    if owner.epoch_orders == 0:
        owner.valued = owner.peak_units = owner.day_start_units = owner.opening_units = 0
    touch(s, account)


@kernel
def deposit(s: Any, e: Any) -> None:
    """DEPOSIT: opening balances, before the epoch's first order."""
    if not is_open(s, e.account):
        refuse(s, e, UNKNOWN_ACCOUNT)
    elif not is_asset(s, e.asset):
        refuse(s, e, UNKNOWN_ASSET)
    elif s.accounts[e.account].epoch_orders > 0:
        refuse(s, e, ACCOUNT_IN_USE)
    elif e.amount_units <= 0 or e.amount_units > MAX_ORDER_UNITS:
        refuse(s, e, INVALID_AMOUNT)
    elif s.balances[e.account, e.asset, FREE] + e.amount_units > MAX_UNITS:
        refuse(s, e, INVALID_AMOUNT)
    elif s.balances[e.account, e.asset, CAPITAL] - e.amount_units < -MAX_UNITS:
        refuse(s, e, INVALID_AMOUNT)
    else:
        post(s, OPENING, e.account, 0, e.asset, e.amount_units, s.nobody)
        ask_valuation(s, e.account)


@kernel
def declare_conversion(s: Any, e: Any) -> None:
    """DECLARE_CONVERSION: the instrument must connect the asset with the reporting asset in the stated direction."""
    if not is_open(s, e.account):
        refuse(s, e, UNKNOWN_ACCOUNT)
    elif not is_asset(s, e.asset):
        refuse(s, e, UNKNOWN_ASSET)
    elif not is_instrument(s, e.instrument):
        refuse(s, e, UNKNOWN_INSTRUMENT)
    else:
        definition, reporting = s.instruments[e.instrument], s.accounts[e.account].reporting
        inverse = e["flags"] & 1
        base, quote = (reporting, e.asset) if inverse == 1 else (e.asset, reporting)
        if definition.base_asset != base or definition.quote_asset != quote:
            refuse(s, e, UNKNOWN_INSTRUMENT)
            return
        row = emit(s, CONVERSION_DECLARED)
        row.account = e.account
        row.asset = e.asset
        row.instrument = e.instrument
        row.flags = inverse
        apply_conversion(s, row)
        ask_valuation(s, e.account)


@kernel
def apply_conversion(s: Any, row: Any) -> None:
    """The effect of CONVERSION_DECLARED."""
    conversion = s.conversions[row.account, row.asset]
    conversion.declared = 1
    conversion.instrument = row.instrument
    conversion.inverse = row["flags"] & 1
    assert s.instruments[row.instrument].version > 0, "a conversion goes through a defined instrument"


@kernel
def register_bot(s: Any, e: Any) -> None:
    """REGISTER_BOT."""
    if not is_open(s, e.account):
        refuse(s, e, UNKNOWN_ACCOUNT)
    elif e.bot < 0 or e.bot >= MAX_BOTS:
        refuse(s, e, CAPACITY_EXCEEDED)
    elif e.bot == 0 or (e.bot < s.n_bots and s.bots[e.bot].registered == 1):
        refuse(s, e, BOT_EXISTS)
    else:
        row = emit(s, BOT_REGISTERED)
        row.account = e.account
        row.bot = e.bot
        apply_bot_registered(s, row)


@kernel
def apply_bot_registered(s: Any, row: Any) -> None:
    """The effect of BOT_REGISTERED."""
    bot = s.bots[row.bot]
    assert bot.registered == 0, "a bot is registered once"
    bot.registered = 1
    bot.account = row.account
    bot.valued = 1
    s.n_bots = max(s.n_bots, row.bot + 1)
    chain_bot(s, row.bot)


@kernel
def chain_bot(s: Any, bot: int) -> None:
    """Put a bot into the chain of its account."""
    owner = s.accounts[s.bots[bot].account]
    before, following = 0, owner.first_bot
    while 0 < following < bot:
        before, following = following, s.bots[following].next_bot
    s.bots[bot].next_bot = following
    if before == 0:
        owner.first_bot = bot
    else:
        s.bots[before].next_bot = bot


@kernel
def set_limits(s: Any, e: Any) -> None:
    """SET_LIMITS of a bot, or (bot 0) of the account."""
    if not is_open(s, e.account):
        refuse(s, e, UNKNOWN_ACCOUNT)
    elif not is_bot(s, e.account, e.bot):
        refuse(s, e, UNKNOWN_BOT)
    elif (
        min(e.max_order_units, e.max_position_units, e.max_exposure_units) < 0
        or min(e.max_daily_loss_units, e.max_drawdown_units, e.cooldown_ns) < 0
    ):
        refuse(s, e, INVALID_AMOUNT)
    else:
        row = emit(s, LIMITS_SET)
        row.account = e.account
        row.bot = e.bot
        row.max_order_units = e.max_order_units
        row.max_position_units = e.max_position_units
        row.max_exposure_units = e.max_exposure_units
        row.max_daily_loss_units = e.max_daily_loss_units
        row.max_drawdown_units = e.max_drawdown_units
        row.cooldown_ns = e.cooldown_ns
        apply_limits(s, row)


@kernel
def apply_limits(s: Any, row: Any) -> None:
    """The effect of LIMITS_SET."""
    limits = s.accounts[row.account].limits if row.bot == 0 else s.bots[row.bot].limits
    assert row.cooldown_ns >= 0, "limits are not negative"
    limits.max_order_units = row.max_order_units
    limits.max_position_units = row.max_position_units
    limits.max_exposure_units = row.max_exposure_units
    limits.max_daily_loss_units = row.max_daily_loss_units
    limits.max_drawdown_units = row.max_drawdown_units
    limits.cooldown_ns = row.cooldown_ns


@kernel
def switch(s: Any, e: Any, kind: int, reason: int) -> None:
    """KILL, RESUME and STOP_BOT: the desk (account -1), an account (bot -1 or 0), or one bot."""
    if e.account != EVERYTHING and not is_open(s, e.account):
        refuse(s, e, UNKNOWN_ACCOUNT)
        return
    if e.account != EVERYTHING and e.bot > 0 and not is_bot(s, e.account, e.bot):
        refuse(s, e, UNKNOWN_BOT)
        return
    if e.bot <= 0 and reason == BOT_STOPPED:
        refuse(s, e, UNKNOWN_BOT)
        return
    if e.account == EVERYTHING and e.bot > 0:
        refuse(s, e, UNKNOWN_ACCOUNT)
        return
    row = emit(s, kind)
    row.account = e.account
    row.bot = e.bot
    row.reason = reason
    apply_switch(s, row)
    if kind == KILLED_OUTPUT:
        for account in range(s.n_accounts):
            if e.account == EVERYTHING or e.account == account:
                cancel_at_once(s, account, max(e.bot, 0), KILL_SWITCH)


@kernel
def apply_switch(s: Any, row: Any) -> None:
    """The effect of KILLED and RESUMED."""
    on = 1 if row.kind == KILLED_OUTPUT else 0
    if row.account == EVERYTHING:
        s.killed = on
    elif row.bot <= 0:
        s.accounts[row.account].killed = on
    elif row.reason == BOT_STOPPED:
        s.bots[row.bot].stopped = on
    else:
        s.bots[row.bot].killed = on
        if on == 0:
            s.bots[row.bot].stopped = 0


@kernel
def cancel_at_once(s: Any, account: int, bot: int, reason: int) -> None:
    """Cancel an account's live orders (of one bot, or of all: 0) without latency, in id order."""
    slot = s.accounts[account].first_order - 1
    while slot >= 0:
        following = s.orders[slot].next - 1
        if is_unfinished(s.orders[slot]) and (bot == 0 or s.orders[slot].bot == bot):
            following = after_list(s, slot)
            finish(s, slot, ORDER_CANCELED, reason)
        slot = following


@kernel
def reset_account(s: Any, e: Any) -> None:
    """RESET_ACCOUNT: end the epoch, give all balances back to capital, begin the next bound to a source."""
    if not is_open(s, e.account):
        refuse(s, e, UNKNOWN_ACCOUNT)
        return
    cancel_at_once(s, e.account, 0, EPOCH_ENDED)
    for asset in range(s.n_assets):
        if s.balances[e.account, asset, FREE] > 0:
            post(s, CLOSING, e.account, 0, asset, s.balances[e.account, asset, FREE], s.nobody)
    row = emit(s, EPOCH_STARTED)
    row.account = e.account
    row.epoch = s.accounts[e.account].epoch + 1
    row.source = e.source
    apply_epoch(s, row)
    ask_valuation(s, e.account)


@kernel
def apply_epoch(s: Any, row: Any) -> None:
    """The effect of EPOCH_STARTED."""
    owner = s.accounts[row.account]
    assert row.epoch == owner.epoch + 1, "epochs follow one another"
    owner.epoch = row.epoch
    owner.source = row.source
    owner.epoch_orders = owner.valued = owner.cooldown_until_ns = 0
    forget_volume(s, row.account)
    owner.equity_units = owner.peak_units = owner.day_start_units = owner.opening_units = 0
    for instrument in range(s.n_instruments):
        clear_position(s.account_positions[row.account, instrument])
    bot = owner.first_bot
    while bot > 0:
        one = s.bots[bot]
        one.pnl_units = one.peak_units = one.day_start_units = one.cooldown_until_ns = 0
        for instrument in range(s.n_instruments):
            clear_position(s.bot_positions[bot, instrument])
        bot = one.next_bot


@kernel
def clear_position(position: Any) -> None:
    """Zero a position that has no live orders."""
    assert position.open_buy_lots == 0 and position.open_sell_lots == 0, "no order is live"
    position.qty_units = position.cost_units = position.realized_units = 0
