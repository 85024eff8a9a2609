"""The fold: one input in, outputs out, written once. Live trading, replay, backtest and recovery all run this function.

1. Time moves: what was in flight and is now due reaches the venue; equity ticks and UTC days pass.
2. The input is applied: a market event meets the orders that wait; a definition changes; a command is done, denied or refused.
3. Accounts that something was filled of are measured.

An order therefore only ever meets events that come after the one that caused it.
"""

from typing import Any

from numba import int64

from paperdesk.domain.events import INPUT, Evidence, InputKind
from paperdesk.domain.kernel import entry, kernel, rows_of
from paperdesk.engine import accounts, amending, definitions, inbox, lists, orders, risk, signals, terms
from paperdesk.engine.state import STATE
from paperdesk.venue import book, levels, matching, pictures, queue, tape, triggers

BARS, TAPE = int(Evidence.BARS), int(Evidence.TAPE)


@kernel
def fold(s: Any, e: Any) -> int:
    """Fold one input into the state; returns how many outputs stand in the outbox. `seq` must rise by one, time must not go back."""
    assert e.seq == s.seq + 1, "inputs are numbered without holes"
    assert e.ts_seq_ns >= s.ts_seq_ns, "time never goes back"
    s.n_outputs = 0
    s.seq = e.seq
    move_time(s, e.ts_seq_ns)
    if e.kind < InputKind.DEFINE_ASSET:
        market_event(s, e)
    elif e.kind == InputKind.SUBMIT_ORDER:
        orders.submit_order(s, e)
    elif e.kind == InputKind.CANCEL_ORDER:
        orders.cancel_order(s, e)
    elif e.kind == InputKind.SIGNAL:
        signals.state_signal(s, e)
    elif e.kind == InputKind.SUBMIT_LIST:
        lists.submit_list(s, e)
    else:
        setting(s, e)
    inbox.fire_due(s, s.ts_seq_ns)
    risk.value_touched(s)
    count: int = s.n_outputs
    return count


@kernel
def move_time(s: Any, ts_ns: int) -> None:
    """Let time pass up to `ts_ns`: arrivals, amends, cancels and expiries that are due, in order, then equity ticks."""
    before = s.ts_seq_ns
    s.ts_seq_ns = ts_ns
    inbox.fire_due(s, ts_ns)
    if ts_ns >= s.next_tick_ns:
        risk.value_on_time(s, before)


@kernel
def market_event(s: Any, e: Any) -> None:
    """A fact about a market, or the passing of time alone."""
    if e.kind == InputKind.TIMER:
        return
    if not accounts.is_instrument(s, e.instrument):
        definitions.refuse_event(s, e, accounts.UNKNOWN_INSTRUMENT)
        return
    market = s.markets[e.instrument]
    if e.kind == InputKind.MARKET_STATUS:
        set_market_status(s, e.instrument, e.status)
    elif e.kind == InputKind.TRADE:
        if not book.valid_trade(e):
            definitions.refuse_event(s, e, definitions.BAD_EVENT)
        elif market.status == book.LIVE:
            on_trade(s, e.instrument, e.trade_price_ticks, e.trade_qty_lots, e.side)
    elif e.kind == InputKind.QUOTE:
        if not book.valid_quote(e):
            definitions.refuse_event(s, e, definitions.BAD_EVENT)
        elif market.status == book.LIVE:
            pictures.show_quote(s, e)
            on_picture(s, e.instrument)
    elif e.kind == InputKind.BOOK:
        if not book.valid_book(e):
            definitions.refuse_event(s, e, definitions.BAD_EVENT)
        elif market.status == book.LIVE:
            pictures.show_book(s, e)
            on_picture(s, e.instrument)
    elif e.kind == InputKind.BAR:
        if not book.valid_bar(e):
            definitions.refuse_event(s, e, definitions.BAD_EVENT)
        elif market.status == book.LIVE:
            on_bar(s, e)
    else:
        definitions.refuse_event(s, e, definitions.BAD_EVENT)


@kernel
def set_market_status(s: Any, instrument: int, status: int) -> None:
    """book.LIVE again, or not to be trusted: then the view and all queue positions are forgotten."""
    market = s.markets[instrument]
    market.status = status
    if status != book.LIVE:
        pictures.clear_view(market)
        levels.forget_sizes(s, instrument)


@kernel
def on_trade(s: Any, instrument: int, ticks: int, lots: int, aggressor: int) -> None:
    """A public trade: fills among those who waited for it, then the last price, then stops."""
    market = s.markets[instrument]
    assert ticks > 0 and lots > 0, "a trade has a price and a size"
    market.evidence = max(market.evidence, TAPE)
    if market.evidence == book.BOOK:
        queue.match_trade(s, instrument, ticks, lots, aggressor)
    else:
        tape.match_tape(s, instrument, ticks, lots, aggressor)
    if s.n_ready > 0:
        lists.send_ready(s)
    market.last_ticks = ticks
    market.trade_seen = 1
    if market.evidence != book.BOOK or book.best(market, book.BIDS) == 0 or book.best(market, book.ASKS) == 0:
        book.set_mark(market, ticks, s.ts_seq_ns)
    triggers.fire_stops(s, instrument)


@kernel
def on_picture(s: Any, instrument: int) -> None:
    """A quote or book is in the view: queues, the first execution of what waited for one, crossings, stops."""
    market = s.markets[instrument]
    first = market.evidence != book.BOOK
    market.evidence = book.BOOK
    if book.best(market, book.BIDS) > 0 and book.best(market, book.ASKS) > 0:
        book.set_mark(market, (book.best(market, book.BIDS) + book.best(market, book.ASKS)) // 2, s.ts_seq_ns)
    levels.show_sizes(s, instrument)
    if first:
        matching.execute_held(s, instrument)
    queue.match_crossed(s, instrument, 0)
    queue.match_crossed(s, instrument, 1)
    if s.n_ready > 0:
        lists.send_ready(s)
    if market.trade_seen == 0:
        triggers.fire_stops(s, instrument)


@kernel
def on_bar(s: Any, e: Any) -> None:
    """A closed bar: evidence only where there is nothing better."""
    market = s.markets[e.instrument]
    assert e.low_ticks > 0, "a bar has prices"
    if market.evidence > BARS:
        return
    market.evidence = BARS
    tape.match_bar(s, e.instrument, e)
    if s.n_ready > 0:
        lists.send_ready(s)
    if s.activated_ns == s.ts_seq_ns:
        tape.meet_extremes(s, e.instrument, e, 0, True)
    market.last_ticks = e.close_ticks
    book.set_mark(market, e.close_ticks, s.ts_seq_ns)


@kernel
def setting(s: Any, e: Any) -> None:
    """Everything that is neither market data nor an order."""
    if e.kind == InputKind.DEFINE_ASSET:
        definitions.define_asset(s, e)
    elif e.kind == InputKind.DEFINE_INSTRUMENT:
        definitions.define_instrument(s, e)
    elif e.kind == InputKind.BIND_SOURCE:
        definitions.bind_source(s, e)
    elif e.kind == InputKind.OPEN_ACCOUNT:
        accounts.open_account(s, e)
    elif e.kind == InputKind.DEPOSIT:
        accounts.deposit(s, e)
    elif e.kind == InputKind.DECLARE_CONVERSION:
        accounts.declare_conversion(s, e)
    elif e.kind == InputKind.REGISTER_BOT:
        accounts.register_bot(s, e)
    elif e.kind == InputKind.SET_LIMITS:
        accounts.set_limits(s, e)
    elif e.kind == InputKind.SET_LATENCIES:
        terms.set_latencies(s, e)
    elif e.kind == InputKind.SET_FEE_TIERS:
        terms.set_fee_tiers(s, e)
    elif e.kind == InputKind.SET_SELF_TRADE:
        terms.set_self_trade(s, e)
    elif e.kind == InputKind.CANCEL_ALL:
        orders.cancel_all(s, e)
    elif e.kind == InputKind.AMEND_ORDER:
        amending.amend_order(s, e)
    elif e.kind == InputKind.KILL:
        accounts.switch(s, e, accounts.KILLED_OUTPUT, accounts.KILLED)
    elif e.kind == InputKind.RESUME:
        accounts.switch(s, e, accounts.RESUMED_OUTPUT, 0)
    elif e.kind == InputKind.STOP_BOT:
        accounts.switch(s, e, accounts.KILLED_OUTPUT, accounts.BOT_STOPPED)
    elif e.kind == InputKind.RESET_ACCOUNT:
        accounts.reset_account(s, e)
    elif e.kind != InputKind.ENGINE_UPGRADED:
        definitions.refuse_event(s, e, definitions.BAD_EVENT)


@entry(rows_of(STATE), rows_of(INPUT), int64)
def fold_at(state: Any, inputs: Any, index: int) -> int:
    """`fold` for callers outside compiled code: state of shape (1,), a block of inputs, and which of them to take."""
    return fold(state[0], inputs[index])
