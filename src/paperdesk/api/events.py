"""Outputs and notes as events: one sentence for people, and the same in fields."""

from collections.abc import Callable
from typing import Any, Final

from paperdesk.api.directory import Directory
from paperdesk.api.models import MarketState, Severity
from paperdesk.api.models_live import Event, FillTold, OrderTerms
from paperdesk.api.told import because, iso, refusal
from paperdesk.domain.events import SELF_TRADE_SHIFT, InputKind, MarketStatus, OutputKind
from paperdesk.domain.reasons import Reason
from paperdesk.store.order_rows import SELF_TRADES
from paperdesk.store.reading import (
    ACCOUNT,
    ASSET,
    BOT,
    FEE_ASSET,
    FLAGS,
    INSTRUMENT,
    KIND,
    KINDS,
    LIQUIDITIES,
    LIQUIDITY,
    NUMBER,
    ORDER_ID,
    ORDER_TYPE,
    PAYLOAD,
    REASON,
    RULE,
    RULES,
    SEQ,
    SIDE,
    SIDES,
    TIME_IN_FORCE,
    TIMES,
    TS,
    TYPES,
    VERSION,
    Output,
)  # fmt: skip

SILENT: Final = frozenset({int(OutputKind.POSTING), int(OutputKind.EQUITY)})
"""Outputs that are no event each: postings show in balances, equity in the state."""
SILENT_NOTES: Final = frozenset({"request", "asset", "instrument", "bot"})
FIRST_NOTE: Final = 1_000_000
"""Notes that stand after an input are numbered from here on, behind its outputs."""
STATES: Final[dict[int, MarketState]] = {
    int(MarketStatus.LIVE): "live",
    int(MarketStatus.STALE): "stale",
    int(MarketStatus.GAP): "gap",
}
SUBMITTED, DENIED = int(OutputKind.ORDER_SUBMITTED), int(OutputKind.ORDER_DENIED)
ENDED: Final = {
    int(OutputKind.ORDER_REJECTED): "was rejected by the venue",
    int(OutputKind.ORDER_CANCELED): "was canceled",
    int(OutputKind.ORDER_EXPIRED): "expired",
}
WARNINGS: Final = frozenset(
    int(kind)
    for kind in (
        OutputKind.ORDER_DENIED,
        OutputKind.ORDER_REJECTED,
        OutputKind.AMEND_REJECTED,
        OutputKind.CANCEL_REJECTED,
        OutputKind.COMMAND_REFUSED,
        OutputKind.EVENT_REFUSED,
        OutputKind.KILLED,
    )
)
ABOUT_ORDERS: Final = frozenset(
    int(kind)
    for kind in (
        OutputKind.ORDER_SUBMITTED,
        OutputKind.ORDER_DENIED,
        OutputKind.ORDER_ACCEPTED,
        OutputKind.ORDER_REJECTED,
        OutputKind.ORDER_TRIGGERED,
        OutputKind.LEG_ACTIVATED,
        OutputKind.ORDER_ACTIVATED,
        OutputKind.FILL,
        OutputKind.ORDER_CANCELED,
        OutputKind.ORDER_EXPIRED,
        OutputKind.CANCEL_REQUESTED,
        OutputKind.CANCEL_REJECTED,
        OutputKind.ORDER_DECREASED,
        OutputKind.AMEND_REQUESTED,
        OutputKind.AMEND_REJECTED,
    )
)
ABOUT_MARKETS: Final = ABOUT_ORDERS | {
    int(OutputKind.SIGNAL_STATED),
    int(OutputKind.EVENT_REFUSED),
    int(OutputKind.INSTRUMENT_CHANGED),
}
INPUTS: Final = {int(kind): kind.name.lower().replace("_", " ") for kind in InputKind}
Sentence = Callable[[Output, Directory], str]


def order_name(account: int, number: int) -> str:
    """An order as people name it."""
    return f"PAPER-{account}-{number}"


def signal_name(account: int, number: int) -> str:
    """A signal as people name it."""
    return f"SIGNAL-{account}-{number}"


def terms_of(row: Output, names: Directory) -> OrderTerms | None:
    """Terms, as ORDER_SUBMITTED and ORDER_DENIED state them."""
    if row[KIND] not in (SUBMITTED, DENIED):
        return None
    grid = names.grid(row[INSTRUMENT], row[VERSION])
    price, lots, trigger = row[PAYLOAD : PAYLOAD + 3]
    return OrderTerms(
        side=SIDES[row[SIDE]].lower(),  # type: ignore[arg-type]
        order_type=TYPES[row[ORDER_TYPE]].lower(),  # type: ignore[arg-type]
        time_in_force=TIMES[row[TIME_IN_FORCE]].lower(),  # type: ignore[arg-type]
        post_only=bool(row[FLAGS] & 1),
        reduce_only=bool(row[FLAGS] & 4),
        price=grid.price(price) if price else None,
        trigger_price=grid.price(trigger) if trigger else None,
        trail_bips=row[PAYLOAD + 8] or None,
        visible_quantity=grid.quantity(row[PAYLOAD + 9]) if row[PAYLOAD + 9] else None,
        quantity=grid.quantity(lots) if lots else None,
        expire_ns=str(row[PAYLOAD + 5]) if row[PAYLOAD + 5] else None,
    )


def fill_of(row: Output, names: Directory) -> FillTold | None:
    """A fill's figures."""
    if row[KIND] != OutputKind.FILL:
        return None
    grid = names.grid(row[INSTRUMENT], row[VERSION])
    price, lots, number, quote, fee, realized = row[PAYLOAD : PAYLOAD + 6]
    return FillTold(
        fill=number,
        side=SIDES[row[SIDE]].lower(),  # type: ignore[arg-type]
        liquidity=LIQUIDITIES[row[LIQUIDITY]].lower(),  # type: ignore[arg-type]
        price=grid.price(price),
        quantity=grid.quantity(lots),
        quote_amount=names.amount(row[ASSET], quote),
        quote_asset=names.asset(row[ASSET]),
        fee=names.amount(row[FEE_ASSET], fee),
        fee_asset=names.asset(row[FEE_ASSET]),
        realized_pnl=names.amount(row[ASSET], realized),
        rule=RULES[row[RULE]],
    )


def event_of(row: Output, names: Directory) -> Event:
    """An output as an event; only for kinds that are not SILENT."""
    kind = row[KIND]
    assert kind not in SILENT, "postings and equity are no events"
    order = order_name(row[ACCOUNT], row[ORDER_ID]) if row[ORDER_ID] > 0 else None
    switch = kind in (OutputKind.KILLED, OutputKind.RESUMED)
    scope = None if not switch else "desk" if row[ACCOUNT] < 0 else "account" if row[BOT] <= 0 else "bot"
    stated = kind == OutputKind.SIGNAL_STATED
    about_bot = stated or kind in ABOUT_ORDERS or scope == "bot"
    about_market = kind in ABOUT_MARKETS
    return Event(
        id=f"{row[SEQ]}.{row[NUMBER]}",
        seq=row[SEQ],
        number=row[NUMBER],
        time=iso(row[TS]),
        ts_ns=str(row[TS]),
        kind=KINDS.get(kind, str(kind)),
        severity=severity_of(row),
        text=sentence(row, names),
        bot=row[BOT] if about_bot else None,
        who=names.who(row[BOT]) if about_bot else None,
        instrument=row[INSTRUMENT] if about_market else None,
        symbol=names.symbol(row[INSTRUMENT]) if about_market else None,
        order=order,
        signal=signal_name(row[ACCOUNT], row[PAYLOAD + 3]) if stated else None,
        terms=terms_of(row, names),
        fill=fill_of(row, names),
        refusal=refusal(row[REASON]),
        scope=scope,  # type: ignore[arg-type]
    )


def severity_of(row: Output) -> Severity:
    """How much it should catch the eye."""
    if row[KIND] == OutputKind.FILL:
        return "good"
    if row[KIND] == OutputKind.KILLED and row[REASON] == Reason.BOT_STOPPED:
        return "error"
    return "warning" if row[KIND] in WARNINGS else "info"


def sentence(row: Output, names: Directory) -> str:
    """What happened, for people."""
    made = SENTENCES.get(row[KIND])
    return f"{made(row, names)}." if made is not None else f"{KINDS.get(row[KIND], row[KIND])}."


def _sent(row: Output, names: Directory) -> str:
    terms = terms_of(row, names)
    assert terms is not None, "an order is sent with its terms"
    price = f" at {terms.price}" if terms.price else ""
    trigger = f", trigger {terms.trigger_price}" if terms.trigger_price else ""
    trail = f", trailing by {terms.trail_bips / 100:g} %" if terms.trail_bips else ""
    shown = f", {terms.visible_quantity} of it shown at a time" if terms.visible_quantity else ""
    until = f" until {iso(int(terms.expire_ns))}" if terms.expire_ns else ""
    flags = (
        terms.time_in_force
        + until
        + (", post-only" if terms.post_only else "")
        + (", reduce-only" if terms.reduce_only else "")
    )
    what = f"{terms.side} {_size(row, terms, names)}"
    how = f"{terms.order_type.replace('_', '-')}{price}{trigger}{trail}{shown} ({flags})"
    told = f"{order_name(row[ACCOUNT], row[ORDER_ID])} of {names.who(row[BOT])}: {what}, {how}"
    return f"{told}, was denied: {because(row[REASON])}" if row[KIND] == DENIED else f"{told}, is on its way"


def _size(row: Output, terms: OrderTerms, names: Directory) -> str:
    """A quantity, or what of the quote asset is spent or received: the quantity that such an order has is the most that it may fill."""
    symbol, budget = names.symbol(row[INSTRUMENT]), row[PAYLOAD + 6]
    if budget == 0:
        return f"{terms.quantity or ''} {symbol}".lstrip()
    quote = names.numbers.get(names.instruments.get(row[INSTRUMENT], {}).get("quote", ""), -1)
    return f"{symbol} for at most {names.amount(quote, budget)} {names.asset(quote)}"


def _signaled(row: Output, names: Directory) -> str:
    instrument = names.instruments.get(row[INSTRUMENT], {})
    base = names.numbers.get(instrument.get("base", ""), -1)
    wanted, held = (names.amount(base, units) for units in row[PAYLOAD : PAYLOAD + 2])
    told = f"{signal_name(row[ACCOUNT], row[PAYLOAD + 3])} of {names.who(row[BOT])}: wants to hold {wanted} {names.asset(base)} where it holds {held}"
    return f"{told}; no order follows: {because(row[REASON])}" if row[REASON] else f"{told}; an order follows"


def _filled(row: Output, names: Directory) -> str:
    fill = fill_of(row, names)
    assert fill is not None, "a fill has figures"
    verb = "bought" if fill.side == "buy" else "sold"
    gain = f", realized {fill.realized_pnl} {fill.quote_asset}" if row[PAYLOAD + 5] else ""
    return (
        f"{order_name(row[ACCOUNT], row[ORDER_ID])} {verb} {fill.quantity} {names.symbol(row[INSTRUMENT])} at {fill.price} as "
        f"{fill.liquidity}, fee {fill.fee} {fill.fee_asset}{gain}"
    )


def _ended(row: Output, names: Directory) -> str:
    name = order_name(row[ACCOUNT], row[ORDER_ID])
    if row[REASON] == Reason.EXPIRED_IN_MATCH:
        return f"{name} expired: it would have met {order_name(row[ACCOUNT], row[PAYLOAD + 7])} of the same account (expired_in_match)"
    return f"{name} {ENDED[row[KIND]]}: {because(row[REASON])}"


def _amending(row: Output, names: Directory) -> str:
    lots = names.grid(row[INSTRUMENT], row[VERSION]).quantity(row[PAYLOAD + 1])
    return f"{order_name(row[ACCOUNT], row[ORDER_ID])} is to become smaller, {lots}: the amend is on its way"


def _decreased(row: Output, names: Directory) -> str:
    lots = names.grid(row[INSTRUMENT], row[VERSION]).quantity(row[PAYLOAD + 1])
    name = order_name(row[ACCOUNT], row[ORDER_ID])
    if row[REASON] == Reason.EXPIRED_IN_MATCH:
        return f"{name} became smaller, {lots}: it would have met {order_name(row[ACCOUNT], row[PAYLOAD + 7])}"
    return f"{name} was amended to {lots} and kept its place"


def _switched(row: Output, names: Directory) -> str:
    whose = "the desk" if row[ACCOUNT] < 0 else "the account" if row[BOT] <= 0 else names.who(row[BOT])
    if row[REASON] == Reason.BOT_STOPPED:
        return f"{whose} was stopped: {because(row[REASON])}"
    return f"The kill switch of {whose} is {'on' if row[KIND] == OutputKind.KILLED else 'off'}"


def _of_order(text: str) -> Sentence:
    return lambda row, names: f"{order_name(row[ACCOUNT], row[ORDER_ID])} {text}"


def _activated(row: Output, names: Directory) -> str:
    price = names.grid(row[INSTRUMENT], row[VERSION]).price(row[PAYLOAD])
    return f"{order_name(row[ACCOUNT], row[ORDER_ID])} follows the price from {price} on"


def _triggered(row: Output, names: Directory) -> str:
    grid, peak = names.grid(row[INSTRUMENT], row[VERSION]), row[PAYLOAD + 1]
    what = "lowest" if SIDES[row[SIDE]] == "BUY" else "highest"
    at = f" at {grid.price(row[PAYLOAD])}" if row[PAYLOAD] else ""
    since = f", after {grid.price(peak)} at its {what}" if peak else ""
    return f"{order_name(row[ACCOUNT], row[ORDER_ID])} was triggered{at}{since}"


SENTENCES: Final[dict[int, Sentence]] = {
    SUBMITTED: _sent,
    DENIED: _sent,
    int(OutputKind.ORDER_ACCEPTED): _of_order("is working at the venue"),
    int(OutputKind.ORDER_TRIGGERED): _triggered,
    int(OutputKind.ORDER_ACTIVATED): _activated,
    int(OutputKind.LEG_ACTIVATED): _of_order("is placed: the order that it waited for is filled"),
    int(OutputKind.FILL): _filled,
    int(OutputKind.ORDER_REJECTED): _ended,
    int(OutputKind.ORDER_CANCELED): _ended,
    int(OutputKind.ORDER_EXPIRED): _ended,
    int(OutputKind.CANCEL_REQUESTED): _of_order("is to be canceled: the cancel is on its way"),
    int(OutputKind.CANCEL_REJECTED): lambda row, names: (
        f"The cancel of {order_name(row[ACCOUNT], row[ORDER_ID])} was refused: {because(row[REASON])}"
    ),
    int(OutputKind.AMEND_REQUESTED): _amending,
    int(OutputKind.AMEND_REJECTED): lambda row, names: (
        f"The amend of {order_name(row[ACCOUNT], row[ORDER_ID])} was refused, which stays as it is: {because(row[REASON])}"
    ),
    int(OutputKind.ORDER_DECREASED): _decreased,
    int(OutputKind.KILLED): _switched,
    int(OutputKind.RESUMED): _switched,
    int(OutputKind.COMMAND_REFUSED): lambda row, names: (
        f"A command ({INPUTS.get(row[PAYLOAD + 7], 'unknown')}) was refused: {because(row[REASON])}"
    ),
    int(OutputKind.EVENT_REFUSED): lambda row, names: (
        f"A market event ({INPUTS.get(row[PAYLOAD + 7], 'unknown')}) of {names.symbol(row[INSTRUMENT])} was not used: {because(row[REASON])}"
    ),
    int(OutputKind.ACCOUNT_OPENED): lambda row, names: (
        f"Account {row[ACCOUNT]} was opened in {names.asset(row[ASSET])}"
    ),
    int(OutputKind.CONVERSION_DECLARED): lambda row, names: (
        f"{names.asset(row[ASSET])} is valued through {names.symbol(row[INSTRUMENT])}"
    ),
    int(OutputKind.BOT_REGISTERED): lambda row, names: f"{names.who(row[BOT])} may trade",
    int(OutputKind.LIMITS_SET): lambda row, names: (
        f"The limits of {names.who(row[BOT]) if row[BOT] > 0 else 'the account'} were set"
    ),
    int(OutputKind.LATENCY_SET): lambda row, names: f"The latencies of account {row[ACCOUNT]} were set",
    int(OutputKind.FEE_TIERS_SET): lambda row, names: f"The fee tiers of account {row[ACCOUNT]} were set",
    int(OutputKind.SIGNAL_STATED): _signaled,
    int(OutputKind.SELF_TRADE_SET): lambda row, names: (
        f"Orders of account {row[ACCOUNT]} that would meet one another: {SELF_TRADES.get(row[FLAGS] >> SELF_TRADE_SHIFT, 'unknown')}"
    ),
    int(OutputKind.EPOCH_STARTED): lambda row, names: f"Account {row[ACCOUNT]} began epoch {row[PAYLOAD]}",
    int(OutputKind.INSTRUMENT_CHANGED): lambda row, names: (
        f"{names.symbol(row[INSTRUMENT])} is defined, version {row[VERSION]}"
    ),
}


def note_event(seq: int, number: int, note: dict[str, Any], names: Directory, ts_ns: int) -> Event:
    """A note of the log as an event; `ts_ns` where the note tells no time of its own."""
    kind = str(note.get("type", "note"))
    when = int(note.get("ts_ns", ts_ns))
    severity: Severity = "info"
    text, instrument, bot, why = f"{kind.replace('_', ' ')}.", None, None, 0
    if kind == "bot_stopped":
        bot, severity = int(note["bot"]), "error"
        text = f"{names.who(bot)} was stopped: {str(note.get('text', '')).strip() or 'it said nothing'}"
    elif kind == "market":
        instrument, why = int(note["instrument"]), int(note.get("reason", 0))
        status = int(note.get("status", 0))
        severity = "good" if status == MarketStatus.LIVE else "warning"
        told = f": {because(why)}" if why else ""
        text = f"Market data of {names.symbol(instrument)}: {STATES.get(status, status)}{told}."
    elif kind == "resumed":
        text = "The desk goes on after a restart."
    elif kind in ("data_note", "run"):
        text = str(note.get("text", note.get("label", text)))
    return Event(
        id=f"{seq}.{number}",
        seq=seq,
        number=number,
        time=iso(when),
        ts_ns=str(when),
        kind=kind,
        severity=severity,
        text=text,
        bot=bot,
        who=None if bot is None else names.who(bot),
        instrument=instrument,
        symbol=None if instrument is None else names.symbol(instrument),
        refusal=refusal(why),
        note=note,
    )
