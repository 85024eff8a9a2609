"""The fold: one input in, outputs out, written once. Live trading, replay, backtest and recovery all run this function.

1. Time moves: what was in flight and is now due reaches the venue; equity ticks and UTC days pass.
2. The input is applied: a market event meets the orders that wait; a definition changes; a command is done, denied or refused.
3. Accounts that something was filled of are measured.

An order therefore only ever meets events that come after the one that caused it.
"""

from typing import Any, Final

from numba import int64

from paperdesk.domain.events import INPUT, Evidence, InputKind
from paperdesk.domain.kernel import entry, kernel, rows_of
from paperdesk.domain.reasons import Reason
from paperdesk.engine.accounts import (
    BOT_STOPPED,
    KILLED,
    KILLED_OUTPUT,
    RESUMED_OUTPUT,
    UNKNOWN_INSTRUMENT,
    declare_conversion,
    deposit,
    is_instrument,
    open_account,
    register_bot,
    reset_account,
    set_limits,
    switch,
)
from paperdesk.engine.definitions import define_asset, define_instrument, refuse_event
from paperdesk.engine.orders import cancel_all, cancel_due, cancel_order, submit_order
from paperdesk.engine.risk import value_on_time, value_touched
from paperdesk.engine.state import STATE
from paperdesk.venue.book import (
    ASKS,
    BIDS,
    BOOK,
    LIVE,
    best,
    clear_view,
    set_mark,
    show_book,
    show_quote,
    valid_bar,
    valid_book,
    valid_quote,
    valid_trade,
)
from paperdesk.venue.matching import arrive, execute_held, fire_stops, forget_fronts, match_crossed, match_trade, refresh_fronts
from paperdesk.venue.places import cut
from paperdesk.venue.tape import match_bar, match_tape

TIMER, TRADE, QUOTE, BOOK_INPUT, BAR, MARKET_STATUS = (
    int(InputKind.TIMER),
    int(InputKind.TRADE),
    int(InputKind.QUOTE),
    int(InputKind.BOOK),
    int(InputKind.BAR),
    int(InputKind.MARKET_STATUS),
)
DEFINE_ASSET, DEFINE_INSTRUMENT, BIND_SOURCE, ENGINE_UPGRADED = (
    int(InputKind.DEFINE_ASSET),
    int(InputKind.DEFINE_INSTRUMENT),
    int(InputKind.BIND_SOURCE),
    int(InputKind.ENGINE_UPGRADED),
)
OPEN_ACCOUNT, DEPOSIT, DECLARE_CONVERSION, REGISTER_BOT, SET_LIMITS, SUBMIT_ORDER, CANCEL_ORDER, CANCEL_ALL, KILL, RESUME, RESET_ACCOUNT, STOP_BOT = (
    int(InputKind.OPEN_ACCOUNT),
    int(InputKind.DEPOSIT),
    int(InputKind.DECLARE_CONVERSION),
    int(InputKind.REGISTER_BOT),
    int(InputKind.SET_LIMITS),
    int(InputKind.SUBMIT_ORDER),
    int(InputKind.CANCEL_ORDER),
    int(InputKind.CANCEL_ALL),
    int(InputKind.KILL),
    int(InputKind.RESUME),
    int(InputKind.RESET_ACCOUNT),
    int(InputKind.STOP_BOT),
)
TAPE, BARS = int(Evidence.TAPE), int(Evidence.BARS)
BAD_EVENT: Final = int(Reason.BAD_EVENT)


@kernel
def fold(s: Any, e: Any) -> int:
    """Fold one input into the state; returns how many outputs stand in the outbox. `seq` must rise by one, time must not go back."""
    assert e.seq == s.seq + 1, "inputs are numbered without holes"
    assert e.ts_seq_ns >= s.ts_seq_ns, "time never goes back"
    s.n_outputs = 0
    s.seq = e.seq
    move_time(s, e.ts_seq_ns)
    if e.kind < DEFINE_ASSET:
        market_event(s, e)
    elif e.kind == SUBMIT_ORDER:
        submit_order(s, e)
    elif e.kind == CANCEL_ORDER:
        cancel_order(s, e)
    else:
        setting(s, e)
    if s.any_touched == 1:
        value_touched(s)
    count: int = s.n_outputs
    return count


@kernel
def move_time(s: Any, ts_ns: int) -> None:
    """Let time pass up to `ts_ns`: arrivals and cancels that are due, in order, then equity ticks."""
    before = s.ts_seq_ns
    s.ts_seq_ns = ts_ns
    while s.n_inbox > 0:
        entry = s.inbox[0]
        slot = entry // 2
        cancel = entry % 2 == 1
        if (s.orders[slot].cancel_at_ns if cancel else s.orders[slot].arrive_ns) > ts_ns:
            break
        if cancel:
            s.n_inbox = cut(s.inbox, s.n_inbox, 0)
            cancel_due(s, slot)
        else:
            arrive(s, slot)
    if ts_ns >= s.next_tick_ns:
        value_on_time(s, before)


@kernel
def market_event(s: Any, e: Any) -> None:
    """A fact about a market, or the passing of time alone."""
    if e.kind == TIMER:
        return
    if not is_instrument(s, e.instrument):
        refuse_event(s, e, UNKNOWN_INSTRUMENT)
        return
    market = s.markets[e.instrument]
    if e.kind == MARKET_STATUS:
        set_market_status(s, e.instrument, e.status)
    elif e.kind == TRADE:
        if not valid_trade(e):
            refuse_event(s, e, BAD_EVENT)
        elif market.status == LIVE:
            on_trade(s, e.instrument, e.trade_price_ticks, e.trade_qty_lots, e.side)
    elif e.kind == QUOTE:
        if not valid_quote(e):
            refuse_event(s, e, BAD_EVENT)
        elif market.status == LIVE:
            show_quote(market, e)
            on_picture(s, e.instrument)
    elif e.kind == BOOK_INPUT:
        if not valid_book(e):
            refuse_event(s, e, BAD_EVENT)
        elif market.status == LIVE:
            show_book(market, e)
            on_picture(s, e.instrument)
    elif e.kind == BAR:
        if not valid_bar(e):
            refuse_event(s, e, BAD_EVENT)
        elif market.status == LIVE:
            on_bar(s, e)
    else:
        refuse_event(s, e, BAD_EVENT)


@kernel
def set_market_status(s: Any, instrument: int, status: int) -> None:
    """LIVE again, or not to be trusted: then the view and all queue positions are forgotten."""
    market = s.markets[instrument]
    market.status = status
    if status != LIVE:
        clear_view(market)
        forget_fronts(s, instrument)


@kernel
def on_trade(s: Any, instrument: int, ticks: int, lots: int, aggressor: int) -> None:
    """A public trade: fills among those who waited for it, then the last price, then stops."""
    market = s.markets[instrument]
    assert ticks > 0 and lots > 0, "a trade has a price and a size"
    market.evidence = max(market.evidence, TAPE)
    if market.evidence == BOOK:
        match_trade(s, instrument, ticks, lots, aggressor)
    else:
        match_tape(s, instrument, ticks, lots, aggressor)
    market.last_ticks = ticks
    market.trade_seen = 1
    if market.evidence != BOOK or best(market, BIDS) == 0 or best(market, ASKS) == 0:
        set_mark(market, ticks, s.ts_seq_ns)
    fire_stops(s, instrument, 0)
    fire_stops(s, instrument, 1)


@kernel
def on_picture(s: Any, instrument: int) -> None:
    """A quote or book is in the view: queues, the first execution of what waited for one, crossings, stops."""
    market = s.markets[instrument]
    first = market.evidence != BOOK
    market.evidence = BOOK
    if best(market, BIDS) > 0 and best(market, ASKS) > 0:
        set_mark(market, (best(market, BIDS) + best(market, ASKS)) // 2, s.ts_seq_ns)
    refresh_fronts(s, instrument)
    if first:
        execute_held(s, instrument)
    match_crossed(s, instrument, 0)
    match_crossed(s, instrument, 1)
    if market.trade_seen == 0:
        fire_stops(s, instrument, 0)
        fire_stops(s, instrument, 1)


@kernel
def on_bar(s: Any, e: Any) -> None:
    """A closed bar: evidence only where there is nothing better."""
    market = s.markets[e.instrument]
    assert e.low_ticks > 0, "a bar has prices"
    if market.evidence > BARS:
        return
    market.evidence = BARS
    match_bar(s, e.instrument, e)
    market.last_ticks = e.close_ticks
    set_mark(market, e.close_ticks, s.ts_seq_ns)


@kernel
def setting(s: Any, e: Any) -> None:
    """Everything that is neither market data nor an order."""
    if e.kind == DEFINE_ASSET:
        define_asset(s, e)
    elif e.kind == DEFINE_INSTRUMENT:
        define_instrument(s, e)
    elif e.kind == BIND_SOURCE:
        s.source = e.source
    elif e.kind == OPEN_ACCOUNT:
        open_account(s, e)
    elif e.kind == DEPOSIT:
        deposit(s, e)
    elif e.kind == DECLARE_CONVERSION:
        declare_conversion(s, e)
    elif e.kind == REGISTER_BOT:
        register_bot(s, e)
    elif e.kind == SET_LIMITS:
        set_limits(s, e)
    elif e.kind == CANCEL_ALL:
        cancel_all(s, e)
    elif e.kind == KILL:
        switch(s, e, KILLED_OUTPUT, KILLED)
    elif e.kind == RESUME:
        switch(s, e, RESUMED_OUTPUT, 0)
    elif e.kind == STOP_BOT:
        switch(s, e, KILLED_OUTPUT, BOT_STOPPED)
    elif e.kind == RESET_ACCOUNT:
        reset_account(s, e)
    elif e.kind != ENGINE_UPGRADED:
        refuse_event(s, e, BAD_EVENT)


@entry(rows_of(STATE), rows_of(INPUT), int64)
def fold_at(state: Any, inputs: Any, index: int) -> int:
    """`fold` for callers outside compiled code: state of shape (1,), a block of inputs, and which of them to take."""
    return fold(state[0], inputs[index])
