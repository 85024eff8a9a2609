"""The life of one order in sentences, from the database: what was asked, what happened and why, what each fill rests on."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, case, func, select
from sqlalchemy.sql.elements import ColumnElement

from paperdesk.api import own_orders, waits
from paperdesk.api.arrival import Told, arrival, came, journey, on_arrival
from paperdesk.api.asked import budget, opening
from paperdesk.api.evidence import why_there
from paperdesk.api.list_story import activation, fates, is_waiting, membership, others_of, why_ended
from paperdesk.api.words import cause, time_text
from paperdesk.domain.reasons import Reason
from paperdesk.store import tables

Row = RowMapping


class NoOrder(LookupError):  # noqa: N818  a fact, named as one
    """There is no such order; the message tells which is the last one."""


def find_order(connection: Connection, run: str, account: int, order_id: int) -> Row:
    """An order's row; NoOrder where there is none."""
    orders = tables.orders
    row = connection.execute(
        select(orders).where(of_account(orders, run, account), orders.c.order_id == order_id)
    ).mappings().first()  # fmt: skip
    if row is None:
        last = connection.execute(
            select(orders.c.id).where(of_account(orders, run, account)).order_by(orders.c.order_id.desc()).limit(1)
        ).scalar()
        known = f"the last one is {last}" if last else f"account {account} has no orders in it"
        raise NoOrder(f"Run {run} has no order PAPER-{account}-{order_id}; {known}.")
    return row


def story(
    connection: Connection, run: str, account: int, order_id: int, input_told: Told | None = None
) -> Iterator[str]:
    """The sentences; NoOrder where there is no such order. `input_told` says what the log knows of an input, by its seq."""
    row = find_order(connection, run, account, order_id)
    order = Terms(connection, row)
    yield opening(order)
    yield from signal_before(connection, order)
    others = others_of(connection, row)
    if others:
        yield membership(row, others)
    if input_told is not None and row["cause"]:
        yield input_told(row["cause"])
    if row["status"] == "denied":
        yield f"It never left the desk, because {cause(row['reason_code'])}"
        if row["reason_code"] == Reason.INSUFFICIENT_BALANCE and order.quote:
            yield free_then(connection, order)
    else:
        yield from at_venue(connection, order, others, input_told)
    if others:
        yield why_ended(row, others) or fates(others)


def at_venue(connection: Connection, order: "Terms", others: list[Row], input_told: Told | None) -> Iterator[str]:
    """What became of an order that was sent: its way, what it waited for, its fills, its end."""
    row = order.row
    fills = fills_of(connection, row["run"], row["account"], row["order_id"])
    yield journey(order, fills)
    changes = decreases_of(connection, row["run"], row["account"], row["order_id"])
    yield from filter(None, [arrival(order, fills)])
    if input_told is not None:
        yield from came(order, fills, input_told)
    listed = activation(row, others, order.quantity(changes[0]["from_lots"] if changes else row["now_lots"]))
    yield from filter(None, [listed])
    if input_told is not None and row["placed_seq"]:
        yield input_told(row["placed_seq"])
        if row["status"] == "rejected":
            yield from filter(None, [input_told.known_before(row["placed_seq"], row["instrument"])])
    if row["self_trade"] == "none":
        yield "It looks at no orders of its own account (self-trade none): it may wait crossed with them, and never trades with them."
    for seq, sentence in waits.sentences(order):
        yield sentence
        if input_told is not None:
            at_once = seq == row["activated_seq"] and not row["trigger_ticks"]
            yield (at_once and input_told.known_before(seq, row["instrument"])) or input_told(seq)
    if (
        input_told is not None
        and row["triggered_seq"] == row["updated_seq"]
        and row["reason_code"] == Reason.NO_LIQUIDITY
    ):
        yield from filter(None, [input_told.known_before(row["triggered_seq"], row["instrument"])])
    rivals = own_orders.met_by(connection, row)
    yield from what_happened(order, fills, changes, rivals)
    if fills and order.quote:
        yield sum_of_fills(order, fills)
        yield rounding(order, fills)
    if not is_waiting(row):
        yield ending(order)
    yield from filter(None, [own_orders.decided(row, rivals)])


def what_happened(order: "Terms", fills: list[Row], changes: list[Row], rivals: list[Row]) -> Iterator[str]:
    """Fills, decreases, and orders of its account that were in its way, in the order of their inputs."""
    parts = waits.Parts(order.row, order)
    shares = own_orders.shares(order, fills, changes, rivals)
    told = [
        (fill["seq"], fill["number"], fill_sentence(fill, order, shares.get(fill["fill_id"], "")) + parts.after(fill))
        for fill in fills
    ]  # fmt: skip
    told += [(change["seq"], change["number"], decrease(change, order)) for change in changes]
    told += own_orders.gone(order.row, fills, rivals)
    yield from (sentence for _, _, sentence in sorted(told))


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
        self.base = grid["base"] if grid is not None else ""
        self.quote = grid["quote"] if grid is not None else ""
        self.symbol: str = grid["symbol"] if grid is not None else f"instrument {row['instrument']}"
        known = connection.execute(
            select(assets.c.number, assets.c.name, assets.c.scale).where(assets.c.run == row["run"])
        )
        rows = known.all()
        self.names = {number: name for number, name, _ in rows}
        self.scales = {name: scale for _, name, scale in rows}
        name = connection.execute(
            select(bots.c.name).where(of_account(bots, row["run"], row["account"]), bots.c.bot == row["bot"])
        ).scalar()
        account = connection.execute(
            select(tables.accounts).where(of_account(tables.accounts, row["run"], row["account"]))
        ).mappings().one()  # fmt: skip
        self.fill_model: str = account["fill_model"]
        self.latency_ns: int = account["latency_ns"]
        self.who = (name or f"bot {row['bot']}") if row["bot"] else "the account's owner"

    def decimal(self, units: int, asset: str) -> str:
        """Units of an asset in full decimals."""
        return f"{Decimal(units).scaleb(-self.scales[asset]):f}"

    def price(self, ticks: int) -> str:
        """A price in full decimals."""
        return f"{self.tick * ticks:f}"

    def quantity(self, lots: int) -> str:
        """A quantity in full decimals."""
        return f"{self.lot * lots:f}"


def fills_with_receipts(run: str, account: int) -> Select[Any]:
    """Fills of an account, each with its receipt and with what its order asked for."""
    fills, receipts, orders = tables.fills, tables.receipts, tables.orders
    of_fill = (fills.c.run == receipts.c.run) & (fills.c.account == receipts.c.account)
    of_order = (fills.c.run == orders.c.run) & (fills.c.account == orders.c.account)
    own = [column for column in receipts.columns if column.name not in fills.columns]
    asked = (
        orders.c.order_type,
        orders.c.trigger_price,
        orders.c.trigger_ticks,
        orders.c.trail_bips,
        orders.c.triggered_ticks,
        orders.c.triggered_seq,
        orders.c.placed_seq,
        orders.c.submitted_seq,
    )
    joined = fills.join(receipts, of_fill & (fills.c.fill_id == receipts.c.fill_id))
    joined = joined.join(orders, of_order & (fills.c.order_id == orders.c.order_id))
    return select(fills, *own, *asked).select_from(joined).where(of_account(fills, run, account))


def fills_of(connection: Connection, run: str, account: int, order_id: int) -> list[Row]:
    """Fills of an order with their receipts, in order."""
    fills = tables.fills
    query = fills_with_receipts(run, account).where(fills.c.order_id == order_id).order_by(fills.c.fill_id)
    return list(connection.execute(query).mappings())


def of_account(table: Any, run: str, account: int) -> ColumnElement[bool]:
    """Rows of an account of a run."""
    condition: ColumnElement[bool] = (table.c.run == run) & (table.c.account == account)
    return condition


def signal_before(connection: Connection, order: Terms) -> Iterator[str]:
    """The signal that an order followed, where there was one."""
    row, signals = order.row, tables.signals
    if row["bot"] == 0 or row["client_id"] == 0:
        return
    query = select(signals).where(
        of_account(signals, row["run"], row["account"]),
        signals.c.bot == row["bot"],
        signals.c.client_id == row["client_id"],
        signals.c.seq < row["submitted_seq"],
    )
    signal = connection.execute(query.order_by(signals.c.signal.desc()).limit(1)).mappings().first()
    if signal is not None:
        wanted = order.decimal(signal["wanted_units"], order.base)
        held = order.decimal(signal["held_units"], order.base)
        yield f"It followed SIGNAL-{row['account']}-{signal['signal']}: to hold {wanted} {order.base}, where the bot held {held} {order.base}."


def free_then(connection: Connection, order: Terms) -> str:
    """What was free of the asset that an order would have spent, when it was denied."""
    row, postings = order.row, tables.postings
    asset = order.quote if row["side"] == "BUY" else order.base
    number = next(number for number, name in order.names.items() if name == asset)
    into = case((postings.c.target_bucket == "FREE", 1), (postings.c.source_bucket == "FREE", -1), else_=0)
    units = connection.execute(
        select(func.sum(into * postings.c.amount_units)).where(
            of_account(postings, row["run"], row["account"]),
            postings.c.asset == number,
            postings.c.seq < row["submitted_seq"],
        )
    ).scalar()
    free = f"Free at that time: {order.decimal(int(units or 0), asset)} {asset}"
    needed = needed_units(order, asset)
    return f"{free}, of the {order.decimal(needed, asset)} {asset} that it needed." if needed else f"{free}."


def needed_units(order: Terms, asset: str) -> int:
    """What an order needed of an asset in the moment of its sending; 0 where that hung on a price that is not on record."""
    row, scale = order.row, 10 ** order.scales[asset]
    if row["budget_units"]:
        return int(row["budget_units"]) if row["side"] == "BUY" else 0
    if row["side"] == "SELL":
        return int(order.lot * row["qty_lots"] * scale)
    if not row["order_type"].endswith("LIMIT"):
        return 0
    return ceil(Fraction(order.tick * row["price_ticks"]) * Fraction(order.lot * row["qty_lots"]) * scale)


def fill_sentence(fill: Row, order: Terms, share: str = "") -> str:
    """One fill: how much, at what price, why there, for which fee at which rate. `share`: why not more."""
    when = f"before input {fill['seq']}" if on_arrival(fill) else f"(input {fill['seq']})"
    fee = f"{fill['fee']} {order.names.get(fill['fee_asset'], '')}".strip()
    rate = (Decimal(fill["fee_rate_e8"]) / 1_000_000).normalize()
    liquidity, tier = fill["liquidity"].lower(), fill["fee_tier"]
    whose = (
        f"the instrument's own {liquidity} rate"
        if tier < 0
        else f"the {liquidity} rate of the account's fee tier {tier}"
    )
    return (
        f"At {time_text(fill['ts_seq_ns'])} {fill['quantity']} was filled at {fill['price']} as {liquidity}, because {why_there(fill, order)} {when}{share}; "
        f"the fee was {fee} ({rate:f} %, {whose})."
    )


def decreases_of(connection: Connection, run: str, account: int, order_id: int) -> list[Row]:
    """How an order became smaller, in order."""
    table = tables.decreases
    query = select(table).where(of_account(table, run, account), table.c.order_id == order_id).order_by(table.c.seq)
    return list(connection.execute(query).mappings())


def decrease(change: Row, order: Terms) -> str:
    """One decrease: from what to what, and why."""
    before, after = order.quantity(change["from_lots"]), order.quantity(change["to_lots"])
    if change["met_order"]:
        return (
            f"At {time_text(change['ts_seq_ns'])} it became smaller, from {before} to {after}, because so much of it would have met "
            f"{rival(order, change['met_order'])}: the mode decrement takes it from both (input {change['seq']})."
        )
    return f"At {time_text(change['ts_seq_ns'])} an amend made it smaller, from {before} to {after}; it kept its place (input {change['seq']})."


def rival(order: Terms, number: int) -> str:
    """An order of the same account, with which none trades."""
    return f"PAPER-{order.row['account']}-{number} of its own account"


def rounding(order: Terms, fills: list[Row]) -> str:
    """What was rounded, always against the trader: the payment once per order, the fee of each fill."""
    row, scale = order.row, order.scales.get(order.quote, 0)
    buys = row["side"] == "BUY"
    value = sum(fill["price_ticks"] * fill["qty_lots"] for fill in fills) * order.tick * order.lot
    told = []
    if value != Decimal(row["quote_units"]).scaleb(-scale):
        told.append(f"what it {'paid up' if buys else 'received down'} from {value.normalize():f} {order.quote}")
    fees = sum(fill["fee_units"] != exact_fee(fill, order) for fill in fills)
    if fees:
        told.append("its fee up" if len(fills) == 1 else f"the fee up in {fees} of its {len(fills)} fills")
    if not told:
        return "No amount had to be rounded."
    return f"Rounded to the asset's smallest unit, against the trader: {' and '.join(told)}."


def exact_fee(fill: Row, order: Terms) -> Decimal:
    """A fill's fee before rounding, in units of its asset."""
    received = Decimal(fill["quote_units"])
    if fill["side"] == "BUY":
        scale = order.scales.get(order.names.get(fill["fee_asset"], ""), 0)
        received = (order.lot * fill["qty_lots"]).scaleb(scale)
    return received * fill["fee_rate_e8"] / 100_000_000


def sum_of_fills(order: Terms, fills: list[Row]) -> str:
    """What its fills came to."""
    row, scale = order.row, order.scales.get(order.quote, 0)
    value = Decimal(row["quote_units"]).scaleb(-scale)
    if len(fills) == 1:
        return f"That came to {value:f} {order.quote}, before fees."
    mean = Decimal(f"{value / (order.lot * row['filled_lots']):.10g}").normalize()
    levels = len({fill["price_ticks"] for fill in fills})
    walked = all(fill["rule"] == "BOOK_WALK" for fill in fills)
    over = f" over {levels} levels of the book" if walked and levels > 1 else ""
    return (
        f"In all {order.quantity(row['filled_lots'])} for {value:f} {order.quote}, in {row['fills']} fills{over}, "
        f"{mean:f} each on average, before fees."
    )


def ending(order: Terms) -> str:
    """How it ended, or that it has not."""
    row = order.row
    status, when = row["status"], time_text(row["updated_ns"])
    whole = row["quantity"] if row["now_lots"] == row["qty_lots"] else order.quantity(row["now_lots"])
    done = f"{order.quantity(row['filled_lots'])} of {whole} filled"
    if row["budget_units"]:
        used = f"{order.decimal(row['quote_units'], order.quote)} of {budget(order)}"
        done = f"{order.quantity(row['filled_lots'])} filled for {used}"
    if status == "submitted":
        return "It is still on its way: no market event has come since it was due."
    if status in ("accepted", "partially_filled"):
        cancel = f"; a cancel is due at the venue at {time_text(row['cancel_at_ns'])}" if row["cancel_at_ns"] else ""
        amend = ""
        if row["amend_lots"]:
            amend = f"; an amend to {order.quantity(row['amend_lots'])} is due there at {time_text(row['amend_at_ns'])}"
        return f"It is still working, with {done}{amend}{cancel}."
    if status == "filled":
        return f"With that it was filled whole, at {when}."
    if status == "rejected":
        return f"At {when} the venue rejected it, because {cause(row['reason_code'])}"
    if row["reason_code"] == Reason.USER_CANCELED:
        return f"At {when} it was canceled on request, with {done}."
    if row["reason_code"] == Reason.EXPIRED_IN_MATCH:
        met = rival(order, row["met_order"])
        return f"At {when} it expired with {done}, because it would have met {met}, and no order trades with its own account (expired_in_match)."
    verb = "expired" if status == "expired" else f"was {status}"
    return f"At {when} it {verb} with {done}, because {cause(row['reason_code'])}"
