"""Recovery by facts: another version's log is not decided anew; what it acknowledged is applied.

Inputs are *absorbed* (time, market view, definitions, source: no matching), outputs are *applied* (orders, ledger, accounts). What was
only estimated, the place in the queue, is set to the full displayed level afterwards (`settle_recovered`).
"""

from typing import Any, Final

from numba import int64

from paperdesk.domain.events import INPUT, OUTPUT, OutputKind
from paperdesk.domain.kernel import entry, kernel, rows_of
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
)
from paperdesk.engine.definitions import define_asset, possible_definition, take_definition
from paperdesk.engine.risk import value_on_time
from paperdesk.engine.state import STATE
from paperdesk.engine.step import (
    BAR,
    BARS,
    BIND_SOURCE,
    BOOK_INPUT,
    DEFINE_ASSET,
    DEFINE_INSTRUMENT,
    MARKET_STATUS,
    QUOTE,
    TAPE,
    TRADE,
    set_market_status,
)
from paperdesk.ledger.journal import PAY, RELEASE, RESERVE, apply_posting
from paperdesk.venue.book import (
    ASKS,
    BIDS,
    BOOK,
    LIVE,
    UNKNOWN,
    best,
    displayed_ahead,
    set_mark,
    show_book,
    show_quote,
    valid_bar,
    valid_book,
    valid_quote,
    valid_trade,
)
from paperdesk.venue.orders import (
    CANCEL_REJECTED,
    CANCEL_REQUESTED,
    FILL,
    GTC,
    LIMIT_ORDER,
    ORDER_ACCEPTED,
    ORDER_CANCELED,
    ORDER_DENIED,
    ORDER_EXPIRED,
    ORDER_REJECTED,
    ORDER_SUBMITTED,
    ORDER_TRIGGERED,
    STOP_LIMIT,
    SUBMITTED,
    apply_fill,
    apply_order,
    apply_submitted,
    find_order,
    free_row,
    is_stop,
    is_unfinished,
)
from paperdesk.venue.places import HELD, INBOX, NOWHERE, RESTING, STOPS, rebuild_places

POSTING: Final = int(OutputKind.POSTING)


@kernel
def absorb(s: Any, e: Any) -> None:
    """Take an input's facts in without deciding anything."""
    assert e.seq == s.seq + 1, "inputs are numbered without holes"
    before = s.ts_seq_ns
    s.n_outputs = 0
    s.seq = e.seq
    s.ts_seq_ns = e.ts_seq_ns
    if s.ts_seq_ns >= s.next_tick_ns:
        value_on_time(s, before)
        s.n_outputs = 0
    if e.kind == DEFINE_ASSET:
        define_asset(s, e)
    elif e.kind == DEFINE_INSTRUMENT:
        if possible_definition(s, e):
            take_definition(s, e)
            adopt_version(s, e.instrument)
    elif e.kind == BIND_SOURCE:
        s.source = e.source
    elif e.kind < DEFINE_ASSET and 0 <= e.instrument < s.n_instruments and s.instruments[e.instrument].version > 0:
        absorb_market(s, e)
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
    if e.kind == MARKET_STATUS:
        set_market_status(s, e.instrument, e.status)
        return
    if market.status != LIVE:
        return
    if e.kind == TRADE and valid_trade(e):
        market.evidence = max(market.evidence, TAPE)
        market.last_ticks = e.trade_price_ticks
        market.trade_seen = 1
        if market.evidence != BOOK or best(market, BIDS) == 0 or best(market, ASKS) == 0:
            set_mark(market, e.trade_price_ticks, s.ts_seq_ns)
    elif (e.kind == QUOTE and valid_quote(e)) or (e.kind == BOOK_INPUT and valid_book(e)):
        if e.kind == QUOTE:
            show_quote(market, e)
        else:
            show_book(market, e)
        market.evidence = BOOK
        if best(market, BIDS) > 0 and best(market, ASKS) > 0:
            set_mark(market, (best(market, BIDS) + best(market, ASKS)) // 2, s.ts_seq_ns)
    elif e.kind == BAR and valid_bar(e) and market.evidence <= BARS:
        market.evidence = BARS
        market.last_ticks = e.close_ticks
        set_mark(market, e.close_ticks, s.ts_seq_ns)


@kernel
def apply(s: Any, row: Any) -> None:
    """Apply one output: orders, ledger, accounts, bots and limits become what it says."""
    kind = row.kind
    if kind == POSTING:
        slot = find_order(s, row.account, row.order_id) if row.order_id > 0 else UNKNOWN
        if slot == UNKNOWN:
            assert row.purpose != RESERVE and row.purpose != RELEASE and row.purpose != PAY, "reserves belong to orders"
            apply_posting(s, row, s.nobody)
        else:
            apply_posting(s, row, s.orders[slot])
            free_if_over(s, slot)
    elif kind == ORDER_SUBMITTED:
        slot = apply_submitted(s, row)
        s.orders[slot].place = INBOX
    elif kind == ORDER_DENIED:
        s.accounts[row.account].next_order = row.order_id + 1
    elif kind == FILL:
        apply_fill(s, row, find_order(s, row.account, row.order_id))
    elif kind >= ORDER_ACCEPTED and kind <= CANCEL_REJECTED:
        apply_to_order(s, row)
    else:
        apply_setting(s, row)


@kernel
def apply_to_order(s: Any, row: Any) -> None:
    """Accepted, triggered, canceled, expired, rejected, and cancels."""
    slot = find_order(s, row.account, row.order_id)
    if row.kind == CANCEL_REJECTED:
        if slot != UNKNOWN and not is_unfinished(s.orders[slot]):
            s.orders[slot].cancel_at_ns = 0
            free_if_over(s, slot)
        return
    assert slot != UNKNOWN, "the order of an output exists"
    if row.kind == ORDER_CANCELED and s.orders[slot].cancel_at_ns <= s.ts_seq_ns:
        s.orders[slot].cancel_at_ns = 0
    apply_order(s, row, slot)
    if row.kind == ORDER_CANCELED or row.kind == ORDER_EXPIRED or row.kind == ORDER_REJECTED:
        free_if_over(s, slot)
    else:
        assert row.kind == ORDER_ACCEPTED or row.kind == ORDER_TRIGGERED or row.kind == CANCEL_REQUESTED, "an order output"


@kernel
def free_if_over(s: Any, slot: int) -> None:
    """Give a row back once its order is done, holds nothing, and no cancel is on its way."""
    order = s.orders[slot]
    if order.status > SUBMITTED and not is_unfinished(order) and order.reserved_units == 0 and order.cancel_at_ns == 0:
        order.place = NOWHERE
        free_row(s, slot)


@kernel
def apply_setting(s: Any, row: Any) -> None:
    """Accounts, bots, conversions, limits, switches, epochs."""
    kind = row.kind
    if kind == ACCOUNT_OPENED:
        apply_account_opened(s, row)
    elif kind == BOT_REGISTERED:
        apply_bot_registered(s, row)
    elif kind == CONVERSION_DECLARED:
        apply_conversion(s, row)
    elif kind == LIMITS_SET:
        apply_limits(s, row)
    elif kind == KILLED_OUTPUT or kind == RESUMED_OUTPUT:
        apply_switch(s, row)
    elif kind == EPOCH_STARTED:
        apply_epoch(s, row)


@kernel
def settle_recovered(s: Any) -> None:
    """After the last fact: every live order goes to its place, with the full displayed level ahead of it."""
    for slot in range(s.n_used_rows):
        order = s.orders[slot]
        if not is_unfinished(order):
            order.place = NOWHERE
            continue
        market = s.markets[order.instrument]
        limit = order.order_type == LIMIT_ORDER or order.order_type == STOP_LIMIT
        order.front_lots = UNKNOWN
        if order.status == SUBMITTED:
            order.place = INBOX
        elif is_stop(order):
            order.place = STOPS
        elif market.evidence == BOOK and limit:
            order.place = RESTING
            order.front_lots = displayed_ahead(market, order.side - 1, order.price_ticks)
        else:
            order.place = HELD
        if (order.place == RESTING or order.place == HELD) and limit and order.time_in_force == GTC and order.rested == 0:
            owner = s.accounts[order.account]
            order.rested = 1
            order.rank = owner.next_rank
            owner.next_rank += 1
    rebuild_places(s)


@entry(rows_of(STATE), rows_of(INPUT), int64)
def absorb_at(state: Any, inputs: Any, index: int) -> None:
    """`absorb` for callers outside compiled code."""
    absorb(state[0], inputs[index])


@entry(rows_of(STATE), rows_of(OUTPUT), int64)
def apply_at(state: Any, outputs: Any, index: int) -> None:
    """`apply` for callers outside compiled code; `outputs` has shape (n,)."""
    s = state[0]
    s.n_outputs = 0
    apply(s, outputs[index])


@entry(rows_of(STATE))
def settle_at(state: Any) -> None:
    """`settle_recovered` for callers outside compiled code."""
    settle_recovered(state[0])
