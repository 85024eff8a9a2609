"""Signals: what bots wanted to hold, and what became of it: the order that followed, or the reason why none did."""

from collections.abc import Iterator

from sqlalchemy import Connection, select

from paperdesk.api.arrival import Told
from paperdesk.api.directory import Directory
from paperdesk.api.events import signal_name
from paperdesk.api.models import Refusal
from paperdesk.api.models_accounts import Answer
from paperdesk.api.story import NoOrder, Row, Terms, of_account, story
from paperdesk.api.told import iso, refusal
from paperdesk.api.words import cause, time_text
from paperdesk.store import tables


class Signal(Answer):
    """What a bot wanted to hold, when, and the order that followed; `refusal` says why none did, or why it came to nothing."""

    id: str
    number: int
    bot: int
    who: str
    instrument: int
    symbol: str
    wanted: str
    held: str
    asset: str
    price: str | None
    """What the bot saw last; null before it saw any."""
    order: str | None
    order_status: str | None
    refusal: Refusal | None
    seq: int
    time: str
    ts_ns: str


class Signals(Answer):
    """Newest first. `before`: give it back for the next page; null at the end."""

    signals: list[Signal]
    before: int | None


class SignalStory(Answer):
    """One signal in sentences, with the life of its order."""

    signal: Signal
    story: list[str]


def order_after(connection: Connection, signal: Row) -> Row | None:
    """The order that followed a signal: the first of its bot with its client id since."""
    orders = tables.orders
    if signal["client_id"] == 0:
        return None
    query = select(orders).where(
        of_account(orders, signal["run"], signal["account"]),
        orders.c.bot == signal["bot"],
        orders.c.client_id == signal["client_id"],
        orders.c.submitted_seq > signal["seq"],
    )
    return connection.execute(query.order_by(orders.c.order_id).limit(1)).mappings().first()


def find_signal(connection: Connection, run: str, account: int, number: int) -> Row:
    """A signal's row; NoOrder where there is none."""
    signals = tables.signals
    own = of_account(signals, run, account)
    row = connection.execute(select(signals).where(own, signals.c.signal == number)).mappings().first()
    if row is None:
        last = connection.execute(
            select(signals.c.signal).where(own).order_by(signals.c.signal.desc()).limit(1)
        ).scalar()
        known = f"the last one is {signal_name(account, last)}" if last else f"account {account} has no signals in it"
        raise NoOrder(f"Run {run} has no signal {signal_name(account, number)}; {known}.")
    return row


def signal_of(connection: Connection, row: Row, names: Directory) -> Signal:
    """One signal from its row."""
    order = order_after(connection, row)
    asset = names.instruments.get(row["instrument"], {}).get("base", "")
    number = names.numbers.get(asset, -1)
    grid = names.grid(row["instrument"], row["version"])
    return Signal(
        id=signal_name(row["account"], row["signal"]),
        number=row["signal"],
        bot=row["bot"],
        who=names.who(row["bot"]),
        instrument=row["instrument"],
        symbol=names.symbol(row["instrument"]),
        wanted=names.amount(number, row["wanted_units"]),
        held=names.amount(number, row["held_units"]),
        asset=asset,
        price=grid.price(row["seen_ticks"]) if row["seen_ticks"] else None,
        order=None if order is None else order["id"],
        order_status=None if order is None else order["status"],
        refusal=refusal(row["reason_code"] if order is None else order["reason_code"]),
        seq=row["seq"],
        time=iso(row["ts_seq_ns"]),
        ts_ns=str(row["ts_seq_ns"]),
    )


def signals(
    connection: Connection, run: str, account: int, names: Directory, limit: int, before: int | None
) -> Signals:
    """A page of signals, newest first."""
    table = tables.signals
    query = select(table).where(of_account(table, run, account))
    if before is not None:
        query = query.where(table.c.signal < before)
    rows = connection.execute(query.order_by(table.c.signal.desc()).limit(limit + 1)).mappings().all()
    told = [signal_of(connection, row, names) for row in rows[:limit]]
    return Signals(signals=told, before=told[-1].number if len(rows) > limit else None)


def signal(connection: Connection, run: str, account: int, names: Directory, number: int) -> SignalStory:
    """One signal with everything about it; NoOrder where there is none."""
    row = find_signal(connection, run, account, number)
    sentences = list(signal_story(connection, run, account, number))
    return SignalStory(signal=signal_of(connection, row, names), story=sentences)


def signal_story(
    connection: Connection, run: str, account: int, number: int, input_told: Told | None = None
) -> Iterator[str]:
    """The sentences; NoOrder where there is no such signal. `input_told` says what an input of the log was, by its seq."""
    row = find_signal(connection, run, account, number)
    terms = Terms(connection, row)
    yield opening(row, terms)
    if input_told is not None and row["cause"]:
        yield input_told(row["cause"])
    order = order_after(connection, row)
    if order is not None:
        yield f"{order['id']} followed from it:"
        yield from story(connection, run, account, order["order_id"], input_told)
    elif row["client_id"]:
        yield "The order that should follow never came: its bot ended in between, or the command was refused."
    else:
        yield f"No order followed, because {cause(row['reason_code'])}"


def opening(row: Row, terms: Terms) -> str:
    """Who wanted to hold how much of what, when."""
    wanted, held = (f"{terms.decimal(row[name], terms.base)} {terms.base}" for name in ("wanted_units", "held_units"))
    seen = f", with {terms.symbol} at {terms.price(row['seen_ticks'])}" if row["seen_ticks"] else ""
    why = f", in answer to input {row['cause']}" if row["cause"] else ""
    return (
        f"{signal_name(row['account'], row['signal'])} of run {row['run']}: at {time_text(row['ts_seq_ns'])} {terms.who} wanted to hold "
        f"{wanted} where it held {held}{seen}{why}."
    )
