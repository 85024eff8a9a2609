"""The life of one order in sentences, from the database: what was asked, what happened and why, what each fill rests on."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.sql.elements import ColumnElement

from paperdesk.domain.reasons import TEXTS, Reason
from paperdesk.store import tables

UNCOUNTABLE: Final = (
    Reason.INVALID_NUMBER,
    Reason.PRICE_OFF_GRID,
    Reason.QUANTITY_OFF_GRID,
    Reason.NOTIONAL_TOO_LARGE,
)
"""Refused because an amount cannot be written in ticks and lots: the record does not hold what was asked."""
OWN: Final = 0
"""The desk's own account."""
Row = RowMapping


class NoOrder(LookupError):  # noqa: N818  a fact, named as one
    """There is no such order; the message tells which is the last one."""


def find_order(connection: Connection, run: str, account: int, order_id: int) -> Row:
    """An order's row; NoOrder where there is none."""
    orders = tables.orders
    row = connection.execute(
        select(orders).where(_is(orders, run, account), orders.c.order_id == order_id)
    ).mappings().first()  # fmt: skip
    if row is None:
        last = connection.execute(
            select(orders.c.id).where(_is(orders, run, account)).order_by(orders.c.order_id.desc()).limit(1)
        ).scalar()
        known = f"the last one is {last}" if last else "it has no orders"
        raise NoOrder(f"Run {run} has no order PAPER-{account}-{order_id}; {known}.")
    return row


def story(connection: Connection, run: str, account: int, order_id: int) -> Iterator[str]:
    """The sentences; NoOrder where there is no such order."""
    row = find_order(connection, run, account, order_id)
    order = Terms(connection, row)
    yield opening(order)
    if row["status"] == "denied":
        yield f"It never left the desk, because {cause(row['reason_code'])}"
        return
    span_ms = (row["arrive_ns"] - row["submitted_ns"]) / 1_000_000
    yield f"It was due at the venue {span_ms:g} ms later, at {_time(row['arrive_ns'])}, to meet the market as it stood then."
    if row["triggered"]:
        yield f"Its trigger at {row['trigger_price']} was reached."
    for fill in fills_of(connection, run, account, order_id):
        yield fill_sentence(fill, order)
    if row["fills"] > 1 and order.quote:
        yield sum_of_fills(order)
    yield ending(order)


class Terms:
    """An order's row with the names and scales that its numbers need."""

    def __init__(self, connection: Connection, row: Row) -> None:
        """Looks up instrument, assets and bot of the order."""
        self.row = row
        instruments, assets, bots = tables.instruments, tables.assets, tables.bots
        grid = connection.execute(
            select(instruments).where(
                instruments.c.run == row["run"],
                instruments.c.number == row["instrument"],
                instruments.c.version == row["version"],
            )
        ).mappings().first()  # fmt: skip
        self.tick = Decimal(grid["tick"]) if grid is not None else Decimal(1)
        self.lot = Decimal(grid["lot"]) if grid is not None else Decimal(1)
        self.quote = grid["quote"] if grid is not None else ""
        known = connection.execute(
            select(assets.c.number, assets.c.name, assets.c.scale).where(assets.c.run == row["run"])
        )
        rows = known.all()
        self.names = {number: name for number, name, _ in rows}
        self.scales = {name: scale for _, name, scale in rows}
        name = connection.execute(
            select(bots.c.name).where(_is(bots, row["run"], row["account"]), bots.c.bot == row["bot"])
        ).scalar()
        self.who = (name or f"bot {row['bot']}") if row["bot"] else "the account's owner"

    def price(self, ticks: int) -> str:
        """A price in full decimals."""
        return f"{self.tick * ticks:f}"

    def quantity(self, lots: int) -> str:
        """A quantity in full decimals."""
        return f"{self.lot * lots:f}"


def fills_of(connection: Connection, run: str, account: int, order_id: int) -> list[Row]:
    """Fills of an order with their receipts, in order."""
    fills, receipts = tables.fills, tables.receipts
    same = (fills.c.run == receipts.c.run) & (fills.c.account == receipts.c.account)
    own = [column for column in receipts.columns if column.name not in fills.columns]
    found = connection.execute(
        select(fills, *own)
        .select_from(fills.join(receipts, same & (fills.c.fill_id == receipts.c.fill_id)))
        .where(_is(fills, run, account), fills.c.order_id == order_id)
        .order_by(fills.c.fill_id)
    )
    return list(found.mappings())


def _is(table: Any, run: str, account: int) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = (table.c.run == run) & (table.c.account == account)
    return condition


def opening(order: Terms) -> str:
    """Who asked for what, when."""
    row = order.row
    kind = row["order_type"].replace("_", "-").lower()
    at = f" at {row['price']}" if row["price"] and row["price_ticks"] else ""
    trigger = f" with its trigger at {row['trigger_price']}" if row["trigger_ticks"] else ""
    until = f" until {_time(row['expire_ns'])}" if row["expire_ns"] else ""
    flags = (
        row["time_in_force"]
        + until
        + (", post-only" if row["post_only"] else "")
        + (", reduce-only" if row["reduce_only"] else "")
    )
    start = f"{row['id']} of run {row['run']}: at {_time(row['submitted_ns'])} {order.who}"
    end = f"in answer to input {row['cause']}.{same_order(row)}"
    if row["reason_code"] in UNCOUNTABLE:
        return f"{start} asked to {row['side'].lower()} {row['symbol']} with a {kind} order ({flags}), {end}"
    return f"{start} asked to {row['side'].lower()} {row['quantity']} {row['symbol']} with a {kind} order{at}{trigger} ({flags}), {end}"


def same_order(row: Row) -> str:
    """Which order of the desk's own account a person's order in another account is the same as."""
    if row["account"] == OWN or row["bot"] != 0 or row["client_id"] == 0:
        return ""
    return f" It is the same order as PAPER-{OWN}-{row['client_id']}, sent to all accounts."


def fill_sentence(fill: Row, order: Terms) -> str:
    """One fill: how much, at what price, why there, for which fee."""
    seen, shown = order.price(fill["evidence_ticks"]), order.quantity(fill["shown_lots"])
    front, buys = fill["front_before_lots"], fill["side"] == "BUY"
    ahead = "and nothing stood ahead of it" if front == 0 else f"more than the {order.quantity(front)} ahead of it"
    worst, side = ("high", "below") if buys else ("low", "above")
    why = {
        "BOOK_WALK": f"the book displayed {shown} there",
        "TRADE_THROUGH": f"{shown} traded at {seen}, {side} its price, so that it was passed",
        "QUEUE": f"{shown} traded at its price, {ahead}",
        "BOOK_CROSS": f"the other side of the book came to it: {shown} displayed at {seen}",
        "BAR_OPEN": f"the next bar opened at {seen}",
        "BAR_THROUGH": f"a bar went through its price, as far as {seen} (touching it would not have been enough)",
        "BAR_STOP": f"a bar reached its trigger; this is what the account's fill model assumes, between the trigger and the bar's {worst}",
        "TAPE_TAKE": f"{shown} traded at {seen}, and without a book no better price than this is assumed by the account's fill model",
        "TAPE_TOUCH": f"{shown} traded at its price, and the account's fill model gives it a part of that",
    }.get(fill["rule"], f"rule {fill['rule'].lower()} applied")
    fee = f"{fill['fee']} {order.names.get(fill['fee_asset'], '')}".strip()
    rate = (Decimal(fill["fee_rate_e8"]) / 1_000_000).normalize()
    return (
        f"At {_time(fill['ts_seq_ns'])} {fill['quantity']} was filled at {fill['price']} as {fill['liquidity'].lower()}, because {why} "
        f"(input {fill['seq']}); the fee was {fee} ({rate:f} %)."
    )


def sum_of_fills(order: Terms) -> str:
    """What several fills came to."""
    row, scale = order.row, order.scales.get(order.quote, 0)
    value = Decimal(row["quote_units"]).scaleb(-scale)
    mean = Decimal(f"{value / (order.lot * row['filled_lots']):.10g}").normalize()
    return (
        f"In all {order.quantity(row['filled_lots'])} for {value:f} {order.quote}, in {row['fills']} fills, "
        f"{mean:f} each on average, before fees."
    )


def ending(order: Terms) -> str:
    """How it ended, or that it has not."""
    row = order.row
    status, when = row["status"], _time(row["updated_ns"])
    done = f"{order.quantity(row['filled_lots'])} of {row['quantity']} filled"
    if status == "submitted":
        return "It is still on its way: no market event has come since it was due."
    if status in ("accepted", "partially_filled"):
        cancel = f"; a cancel is due at the venue at {_time(row['cancel_at_ns'])}" if row["cancel_at_ns"] else ""
        return f"It is still working, with {done}{cancel}."
    if status == "filled":
        return f"With that it was filled whole, at {when}."
    if status == "rejected":
        return f"At {when} the venue rejected it, because {cause(row['reason_code'])}"
    if row["reason_code"] == Reason.USER_CANCELED:
        return f"At {when} it was canceled on request, with {done}."
    verb = "expired" if status == "expired" else f"was {status}"
    return f"At {when} it {verb} with {done}, because {cause(row['reason_code'])}"


def cause(code: int) -> str:
    """A reason as the end of a sentence, and what to do about it."""
    try:
        reason = Reason(code)
    except ValueError:
        return f"of reason {code}, which this version does not know."
    text = TEXTS[reason]
    remedy = "" if text.remedy == "nothing to do" else f" What to do: {text.remedy}."
    return f"{text.meaning} ({reason.name.lower()}).{remedy}"


def _time(ts_ns: int) -> str:
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{rest // 1_000_000:03} UTC"
