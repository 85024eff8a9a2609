"""Recovery by facts: another version's log is not decided anew; what it acknowledged is applied.

An input's time comes first, then its outputs are *applied* (orders, ledger, accounts), then it is *absorbed* (market view, definitions,
source: no matching): the order in which the fold did it, so that risk measures come back as well. What was
only estimated, the place in the queue, is set to the full displayed level afterwards (`settle_recovered`).
"""

from typing import Any, Final

from paperdesk.domain.events import InputKind, OutputKind
from paperdesk.domain.kernel import entry, kernel
from paperdesk.engine.accounts import (
    ACCOUNT_OPENED,
    BOT_REGISTERED,
    CONVERSION_DECLARED,
    EPOCH_STARTED,
    KILLED_OUTPUT,
    LIMITS_SET,
    RESUMED_OUTPUT,
    apply_account_opened,
    apply_bot_registered,
    apply_conversion,
    apply_epoch,
    apply_limits,
    apply_switch,
    ask_valuation,
    is_instrument,
)
from paperdesk.engine.amending import AMEND_REJECTED
from paperdesk.engine.definitions import define_asset, possible_definition, take_definition, take_source
from paperdesk.engine.risk import EQUITY, value_bot, value_touched
from paperdesk.engine.signals import SIGNAL_STATED, apply_signal
from paperdesk.engine.step import BARS, TAPE, set_market_status
from paperdesk.engine.terms import (
    SELF_TRADE_SET,
    apply_self_trade,
    latency_reason,
    take_latencies,
    take_tiers,
    tiers_reason,
)
from paperdesk.ledger.journal import OPENING, PAY, RELEASE, RESERVE, apply_posting
from paperdesk.venue.book import (
    ASKS,
    BIDS,
    BOOK,
    LIVE,
    UNKNOWN,
    best,
    set_mark,
    valid_bar,
    valid_book,
    valid_quote,
    valid_trade,
)
from paperdesk.venue.fees import DAY_NS
from paperdesk.venue.intrabar import absorb_bar, absorb_prices
from paperdesk.venue.kinds import BUY, is_market, is_stop, stays
from paperdesk.venue.lists import is_pending
from paperdesk.venue.orders import (
    CANCEL_REJECTED,
    FILL,
    LEG_ACTIVATED,
    ORDER_ACCEPTED,
    ORDER_ACTIVATED,
    ORDER_CANCELED,
    ORDER_DECREASED,
    ORDER_DENIED,
    ORDER_EXPIRED,
    ORDER_REJECTED,
    ORDER_SUBMITTED,
    SUBMITTED,
    apply_fill,
    apply_order,
    apply_submitted,
    find_order,
    free_row,
    is_unfinished,
    touch,
)
from paperdesk.venue.owed import standing, take_print
from paperdesk.venue.pictures import settle_overdue, show_book, show_quote
from paperdesk.venue.places import HELD, INBOX, NOWHERE, PENDING, RESTING, STOPS, clear_places, rebuild_places
from paperdesk.venue.queue import UNKNOWN_SIDE

POSTING: Final = int(OutputKind.POSTING)


@kernel
def absorb_time(s: Any, e: Any) -> None:
    """An input's number and time: what its outputs are applied at, before the market moves on."""
    assert e.seq == s.seq + 1, "inputs are numbered without holes"
    assert e.ts_seq_ns >= s.ts_seq_ns, "time never goes back"
    clear_places(s)
    s.before_ns = s.ts_seq_ns
    s.seq = e.seq
    s.ts_seq_ns = e.ts_seq_ns


@kernel
def absorb(s: Any, e: Any) -> None:
    """Take in what an input says of the market, after its outputs were applied; then measure whom they concern."""
    s.n_outputs = 0
    if e.kind == InputKind.DEFINE_ASSET:
        define_asset(s, e)
    elif e.kind == InputKind.DEFINE_INSTRUMENT:
        if possible_definition(s, e):
            take_definition(s, e)
            adopt_version(s, e.instrument)
    elif e.kind == InputKind.BIND_SOURCE:
        take_source(s, e.source)
    elif e.kind == InputKind.SET_LATENCIES:
        if latency_reason(s, e) == 0:
            take_latencies(s, e)
    elif e.kind == InputKind.SET_FEE_TIERS:
        if tiers_reason(s, e) == 0:
            take_tiers(s, e)
    elif e.kind < InputKind.DEFINE_ASSET and is_instrument(s, e.instrument):
        absorb_market(s, e)
    value_touched(s)
    s.n_outputs = 0


@kernel
def adopt_version(s: Any, instrument: int) -> None:
    """Live orders of an instrument name its new version (those that no longer fit are canceled by the outputs that follow)."""
    assert s.instruments[instrument].version > 0, "the version was taken"
    for slot in range(s.n_used_rows):
        if s.orders[slot].instrument == instrument and is_unfinished(s.orders[slot]):
            s.orders[slot].version = s.instruments[instrument].version


@kernel
def absorb_market(s: Any, e: Any) -> None:
    """View, last and mark prices, as `step` sets them."""
    market = s.markets[e.instrument]
    if e.kind == InputKind.MARKET_STATUS:
        set_market_status(s, e.instrument, e.status)
        return
    if market.status != LIVE:
        return
    if e.kind == InputKind.TRADE and valid_trade(e):
        market.evidence = max(market.evidence, TAPE)
        if market.evidence == BOOK:
            settle_overdue(s, e.instrument)
            take_print_of(market, e)
        market.last_ticks = e.trade_price_ticks
        market.trade_seen = 1
        absorb_prices(s, e.instrument, e.trade_price_ticks, e.trade_price_ticks)
        if market.evidence != BOOK or best(market, BIDS) == 0 or best(market, ASKS) == 0:
            set_mark(market, e.trade_price_ticks, s.ts_seq_ns)
    elif (e.kind == InputKind.QUOTE and valid_quote(e)) or (e.kind == InputKind.BOOK and valid_book(e)):
        if e.kind == InputKind.QUOTE:
            show_quote(s, e)
        else:
            show_book(s, e)
        market.evidence = BOOK
        if best(market, BIDS) > 0 and best(market, ASKS) > 0:
            set_mark(market, (best(market, BIDS) + best(market, ASKS)) // 2, s.ts_seq_ns)
        if market.trade_seen == 0:
            absorb_prices(s, e.instrument, best(market, ASKS), best(market, BIDS))
    elif e.kind == InputKind.BAR and valid_bar(e) and market.evidence <= BARS:
        market.evidence = BARS
        absorb_bar(s, e)
        market.last_ticks = e.close_ticks
        set_mark(market, e.close_ticks, s.ts_seq_ns)


@kernel
def take_print_of(market: Any, e: Any) -> None:
    """What a trade took from the sides that its aggressor met."""
    if e.side != BUY:
        take_print(market, BIDS, e.trade_price_ticks, e.trade_qty_lots)
    if e.side == BUY or e.side == UNKNOWN_SIDE:
        take_print(market, ASKS, e.trade_price_ticks, e.trade_qty_lots)


@kernel
def apply(s: Any, row: Any) -> None:
    """Apply one output: orders, ledger, accounts, bots and limits become what it says."""
    kind = row.kind
    if kind == POSTING:
        slot = find_order(s, row.account, row.order_id) if row.order_id > 0 else UNKNOWN
        if slot == UNKNOWN:
            assert row.purpose != RESERVE and row.purpose != RELEASE and row.purpose != PAY, "reserves belong to orders"
            apply_posting(s, row, s.nobody)
            if row.purpose == OPENING:
                ask_valuation(s, row.account)
        else:
            apply_posting(s, row, s.orders[slot])
            free_if_over(s, slot)
    elif kind == ORDER_SUBMITTED:
        slot = apply_submitted(s, row)
        s.orders[slot].place = PENDING if is_pending(s.orders[slot]) else INBOX
    elif kind == ORDER_DENIED:
        s.accounts[row.account].next_order = row.order_id + 1
    elif kind == FILL:
        apply_fill(s, row, find_order(s, row.account, row.order_id))
        touch(s, row.account)
    elif (
        (kind >= ORDER_ACCEPTED and kind <= CANCEL_REJECTED)
        or (kind >= ORDER_DECREASED and kind <= AMEND_REJECTED)
        or kind == LEG_ACTIVATED
        or kind == ORDER_ACTIVATED
    ):
        apply_to_order(s, row)
    else:
        apply_setting(s, row)


@kernel
def apply_to_order(s: Any, row: Any) -> None:
    """Accepted, triggered, decreased, canceled, expired, rejected, amends and cancels; what was due is no longer on its way."""
    slot = find_order(s, row.account, row.order_id)
    if row.kind == CANCEL_REJECTED:
        if slot != UNKNOWN and not is_unfinished(s.orders[slot]) and s.orders[slot].cancel_at_ns <= s.ts_seq_ns:
            s.orders[slot].cancel_at_ns = 0
            free_if_over(s, slot)
        return
    if row.kind == AMEND_REJECTED:
        if slot != UNKNOWN and s.orders[slot].amend_at_ns <= s.ts_seq_ns:
            s.orders[slot].amend_at_ns = s.orders[slot].amend_lots = 0
            free_if_over(s, slot)
        return
    assert slot != UNKNOWN, "the order of an output exists"
    if row.kind == ORDER_CANCELED and s.orders[slot].cancel_at_ns <= s.ts_seq_ns:
        s.orders[slot].cancel_at_ns = 0
    apply_order(s, row, slot)
    if row.kind == ORDER_ACTIVATED:
        s.orders[slot].fired_ticks = s.seq
        return
    if row.kind == ORDER_CANCELED or row.kind == ORDER_EXPIRED or row.kind == ORDER_REJECTED:
        free_if_over(s, slot)


@kernel
def free_if_over(s: Any, slot: int) -> None:
    """Give a row back once its order is done, holds nothing, and no amend or cancel is on its way."""
    order = s.orders[slot]
    on_its_way = order.cancel_at_ns > 0 or order.amend_at_ns > 0
    if order.status > SUBMITTED and not is_unfinished(order) and order.reserved_units == 0 and not on_its_way:
        order.place = NOWHERE
        free_row(s, slot)


@kernel
def apply_setting(s: Any, row: Any) -> None:
    """Accounts, bots, conversions, limits, switches, epochs."""
    kind = row.kind
    if kind == ACCOUNT_OPENED:
        apply_account_opened(s, row)
        ask_valuation(s, row.account)
    elif kind == BOT_REGISTERED:
        apply_bot_registered(s, row)
    elif kind == CONVERSION_DECLARED:
        apply_conversion(s, row)
        ask_valuation(s, row.account)
    elif kind == LIMITS_SET:
        apply_limits(s, row)
    elif kind == SELF_TRADE_SET:
        apply_self_trade(s, row)
    elif kind == KILLED_OUTPUT or kind == RESUMED_OUTPUT:
        apply_switch(s, row)
    elif kind == EPOCH_STARTED:
        apply_epoch(s, row)
        ask_valuation(s, row.account)
    elif kind == EQUITY:
        apply_equity(s, row)
    elif kind == SIGNAL_STATED:
        apply_signal(s, row)


@kernel
def apply_equity(s: Any, row: Any) -> None:
    """What was measured at an equity tick: of the account as stated, of its bots anew (the market is still as it was)."""
    owner = s.accounts[row.account]
    owner.equity_units = row.equity_units
    owner.peak_units = row.peak_units
    owner.day_start_units = row.day_start_units
    owner.opening_units = row.opening_units
    owner.valued = 1 if row.opening_units > 0 else 0
    new_day = s.ts_seq_ns // DAY_NS != s.before_ns // DAY_NS
    bot = owner.first_bot
    while bot > 0:
        value_bot(s, bot, new_day)
        bot = s.bots[bot].next_bot


@kernel
def settle_recovered(s: Any) -> None:
    """After the last fact: every live order goes to its place, with the full displayed level ahead of it."""
    for slot in range(s.n_used_rows):
        order = s.orders[slot]
        order.fired_ticks = 0
        if not is_unfinished(order):
            order.place = NOWHERE
            continue
        market = s.markets[order.instrument]
        limit = not is_market(order)
        order.most_lots = order.least_lots = order.level_lots = 0
        if order.status == SUBMITTED:
            order.place = PENDING if is_pending(order) else INBOX
        elif is_stop(order):
            order.place = STOPS
        elif market.evidence == BOOK and limit:
            order.place = RESTING
            order.most_lots = standing(market, order.side - 1, order.price_ticks)
            order.least_lots = order.level_lots = order.most_lots
            order.seen_picture = market.picture
        else:
            order.place = HELD
        if (order.place == RESTING or order.place == HELD) and limit and stays(order) and order.rested == 0:
            owner = s.accounts[order.account]
            order.rested = 1
            order.rank = owner.next_rank
            owner.next_rank += 1
    s.next_tick_ns = 0
    rebuild_places(s)


@entry()
def facts_at(state: Any, inputs: Any, index: int, outputs: Any) -> None:
    """For callers outside compiled code: one input of a log, with the outputs it caused, shape (n,)."""
    s = state[0]
    s.n_outputs = 0
    absorb_time(s, inputs[index])
    for place in range(outputs.shape[0]):
        apply(s, outputs[place])
    absorb(s, inputs[index])


@entry()
def settle_at(state: Any) -> None:
    """`settle_recovered` for callers outside compiled code."""
    settle_recovered(state[0])
