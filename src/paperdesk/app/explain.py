"""The life of one order in sentences, from the database: what was asked, what happened and why, what each fill rests on."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.sql.elements import ColumnElement

from paperdesk.app.errors import EXIT_IO, EXIT_USAGE, DeskError
from paperdesk.app.home import Home
from paperdesk.domain.reasons import explain as explain_reason
from paperdesk.store import tables
from paperdesk.store.database import open_database
from paperdesk.store.errors import StoreError

ORDER: Final = re.compile(r"(?:(?P<run>[^:]+):)?(?:PAPER-)?(?P<account>\d+)-(?P<order>\d+)")
UNKNOWN: Final = -1
Row = RowMapping


def explain_order(home: Home, text: str) -> str:
    """The story of an order such as `PAPER-0-12` of the newest run, or `RUN:PAPER-0-12`."""
    match = ORDER.fullmatch(text)
    if match is None:
        raise DeskError(
            f"{text!r} is no order; write PAPER-ACCOUNT-NUMBER, such as PAPER-0-12, with RUN: before it for an older run.",
            EXIT_USAGE,
        )
    if not home.database.exists():
        raise DeskError(
            f"There is no database in {home.root}; `paperdesk up` makes one, `paperdesk db rebuild` makes it from the logs."
        )
    run = match["run"] or (home.runs() or [""])[-1]
    try:
        with open_database(home.database, create=False) as database, database.engine.connect() as connection:
            return "\n".join(story(connection, run, int(match["account"]), int(match["order"])))
    except StoreError as error:
        raise DeskError(str(error), EXIT_IO) from error


def story(connection: Connection, run: str, account: int, order_id: int) -> Iterator[str]:
    """The sentences."""
    orders, fills, receipts = tables.orders, tables.fills, tables.receipts
    order = connection.execute(
        select(orders).where(_is(orders, run, account), orders.c.order_id == order_id)
    ).mappings().first()  # fmt: skip
    if order is None:
        last = connection.execute(
            select(orders.c.id).where(_is(orders, run, account)).order_by(orders.c.order_id.desc()).limit(1)
        ).scalar()
        known = f"the last one is {last}" if last else "it has no orders"
        raise DeskError(f"Run {run} has no order PAPER-{account}-{order_id}; {known}.")
    yield opening(order)
    if order["status"] == "denied":
        yield f"It never left the desk: {explain_reason(order['reason_code'])}."
        return
    yield f"It was on its way for {_span(order['arrive_ns'] - order['submitted_ns'])} and was due at the venue at {_time(order['arrive_ns'])}."
    if order["triggered"]:
        yield f"Its trigger at {order['trigger_price']} was reached."
    joined = fills.join(
        receipts,
        (fills.c.run == receipts.c.run)
        & (fills.c.account == receipts.c.account)
        & (fills.c.fill_id == receipts.c.fill_id),
    )
    rows = connection.execute(
        select(
            fills,
            receipts.c.rule,
            receipts.c.evidence_ticks,
            receipts.c.shown_lots,
            receipts.c.front_before_lots,
            receipts.c.fee_rate_e8,
        )
        .select_from(joined)
        .where(_is(fills, run, account), fills.c.order_id == order_id)
        .order_by(fills.c.fill_id)
    ).mappings()
    grid = connection.execute(
        select(tables.instruments).where(
            tables.instruments.c.run == run,
            tables.instruments.c.number == order["instrument"],
            tables.instruments.c.version == order["version"],
        )
    ).mappings().first()  # fmt: skip
    names = dict(
        connection.execute(select(tables.assets.c.number, tables.assets.c.name).where(tables.assets.c.run == run)).all()
    )
    for fill in rows:
        yield fill_sentence(fill, order, grid, names)
    yield ending(order)


def _is(table: Any, run: str, account: int) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = (table.c.run == run) & (table.c.account == account)
    return condition


def opening(order: Row) -> str:
    """Who asked for what, when."""
    kind = order["order_type"].replace("_", "-")
    at = f" at {order['price']}" if order["price"] and order["price_ticks"] else ""
    trigger = f" with its trigger at {order['trigger_price']}" if order["trigger_ticks"] else ""
    post_only = ", post-only" if order["post_only"] else ""
    who = f"bot {order['bot']}" if order["bot"] else "the account's owner"
    return (
        f"{order['id']} (PAPER): at {_time(order['submitted_ns'])} {who} asked to {order['side']} {order['quantity']} {order['symbol']} with a {kind} order{at}{trigger} "
        f"({order['time_in_force'].upper()}{post_only}), in answer to input {order['cause']}."
    )


def fill_sentence(fill: Row, order: Row, grid: Row | None, names: Mapping[int, str]) -> str:
    """One fill: how much, at what price, why there, for which fee."""
    tick = Decimal(grid["tick"]) if grid is not None else Decimal(1)
    lot = Decimal(grid["lot"]) if grid is not None else Decimal(1)
    seen, shown = f"{tick * fill['evidence_ticks']:f}", f"{lot * fill['shown_lots']:f}"
    front = fill["front_before_lots"]
    ahead = "an unknown quantity" if front == UNKNOWN else f"{lot * front:f}"
    why = {
        "book_walk": f"it took from the {shown} that the book displayed there",
        "trade_through": f"{shown} traded at {seen}, through its price, so it was reached",
        "queue": f"{shown} traded at its price, more than the {ahead} still ahead of it in the queue",
        "book_cross": f"the other side of the book came to {seen} with {shown} displayed",
        "bar_open": f"it met the open of the next bar, at {seen}",
        "bar_through": f"a bar went through its price, as far as {seen} (at touch alone it is never filled)",
        "bar_stop": f"its trigger lay inside a bar; the bar's worst price, {seen}, is assumed",
        "tape_take": f"the next print was at {seen}; without a book it pays a tick more than the tape, or its own limit",
    }.get(fill["rule"], f"by rule {fill['rule']}")
    fee = f"{fill['fee']} {names.get(fill['fee_asset'], '')}".strip()
    rate = Decimal(fill["fee_rate_e8"]) / 1_000_000
    return (
        f"At {_time(fill['ts_seq_ns'])} {fill['quantity']} was filled at {fill['price']} as {fill['liquidity']}, because {why} (input {fill['seq']}); "
        f"the fee was {fee} ({rate.normalize():f} %)."
    )


def ending(order: Row) -> str:
    """How it ended, or that it has not."""
    status = order["status"].replace("_", " ")
    if order["status"] in ("submitted", "accepted", "partially_filled"):
        return f"It is still {status}: {order['fills']} fills so far."
    if order["reason_code"]:
        return f"At {_time(order['updated_ns'])} it was {status}: {explain_reason(order['reason_code'])}."
    return f"At {_time(order['updated_ns'])} it was {status}."


def _time(ts_ns: int) -> str:
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{rest // 1_000_000:03} UTC"


def _span(ns: int) -> str:
    return f"{ns / 1_000_000:g} ms"
