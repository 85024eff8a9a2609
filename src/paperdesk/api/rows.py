"""Rows of the projections as answers: orders, fills, equity, runs."""

from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from paperdesk.api import story
from paperdesk.api.asked import UNCOUNTABLE
from paperdesk.api.directory import Directory
from paperdesk.api.models import Fill, Fills, Order, Orders, OrderStory, Receipt
from paperdesk.api.models_accounts import Equity, EquityPoint
from paperdesk.api.models_lists import ListPlace
from paperdesk.api.models_live import Run, Runs
from paperdesk.api.models_orders import Trail
from paperdesk.api.told import SECOND_NS, iso, refusal
from paperdesk.domain.events import ListKind
from paperdesk.store import tables

LIVE: Final[ColumnElement[bool]] = literal_column("status IN ('submitted', 'accepted', 'partially_filled')")
"""Written out, so that a partial index with the same words serves it."""
CLOSED: Final[ColumnElement[bool]] = literal_column("status NOT IN ('submitted', 'accepted', 'partially_filled')")
LIVE_STATUSES: Final = ("submitted", "accepted", "partially_filled")
MOST_RUNS: Final = 1_000
DIGITS: Final = 10


def rounded(value: Decimal) -> str:
    """For people, to 10 digits, without exponent."""
    return f"{Decimal(f'{value:.{DIGITS}g}').normalize():f}"


def place_in_list(row: Any) -> ListPlace | None:
    """An order's place in its list, if it is in one."""
    if not row["list_leg"]:
        return None
    kind, leg = divmod(row["list_leg"], 8)
    waits = kind != ListKind.OCO and leg > 0 and not row["placed_seq"] and row["status"] == "submitted"
    name: Any = ListKind(kind).name.lower()
    return ListPlace(id=f"PAPER-{row['account']}-{row['list_id']}", kind=name, leg=leg, pending=waits)


def order_of(row: Any, names: Directory, reporting_of: dict[int, tuple[str, str]]) -> Order:
    """One order from its row. `reporting_of`: instrument → (base, quote)."""
    grid = names.grid(row["instrument"], row["version"])
    base, quote = reporting_of.get(row["instrument"], ("", ""))
    buys = row["side"] == "BUY"
    fee_asset, reserved_asset = (base, quote) if buys else (quote, base)
    quote_number, fee_number = names.numbers.get(quote, -1), names.numbers.get(fee_asset, -1)
    filled = Decimal(grid.quantity(row["filled_lots"])) if row["filled_lots"] else None
    amount = names.amount(quote_number, row["quote_units"])
    now = row["quantity"] if row["now_lots"] == row["qty_lots"] else grid.quantity(row["now_lots"])
    uncountable = row["reason_code"] in UNCOUNTABLE
    return Order(
        id=row["id"],
        number=row["order_id"],
        status=row["status"],
        bot=row["bot"],
        who=names.who(row["bot"]),
        instrument=row["instrument"],
        symbol=row["symbol"] or names.symbol(row["instrument"]),
        side=row["side"].lower(),
        order_type=row["order_type"].lower(),
        time_in_force=row["time_in_force"].lower(),
        post_only=bool(row["post_only"]),
        reduce_only=bool(row["reduce_only"]),
        self_trade=row["self_trade"] or None,
        price=row["price"] if row["price_ticks"] else None,
        trigger_price=row["trigger_price"] if row["trigger_ticks"] else None,
        trail=trail_of(row, grid),
        visible_quantity=grid.quantity(row["visible_lots"]) if row["visible_lots"] else None,
        quantity=None if uncountable else now,
        sent_quantity=None if uncountable else row["quantity"],
        amend_quantity=grid.quantity(row["amend_lots"])
        if row["amend_lots"] and row["status"] in LIVE_STATUSES
        else None,
        quote_quantity=names.amount(quote_number, row["budget_units"]) if row["budget_units"] else None,
        filled=grid.quantity(row["filled_lots"]),
        average_price=rounded(Decimal(amount) / filled) if filled else None,
        quote_amount=amount,
        fee=names.amount(fee_number, row["fee_units"]),
        fee_asset=fee_asset,
        fills=row["fills"],
        reserved=names.amount(names.numbers.get(reserved_asset, -1), row["reserved_units"]),
        reserved_asset=reserved_asset,
        triggered=row["triggered_seq"] > 0,
        list=place_in_list(row),
        cancel_requested=row["cancel_at_ns"] > 0 and row["status"] in LIVE_STATUSES,
        refusal=refusal(row["reason_code"]),
        seq=row["submitted_seq"],
        time=iso(row["submitted_ns"]),
        ts_ns=str(row["submitted_ns"]),
        arrive_ns=str(row["arrive_ns"]),
        expire_ns=str(row["expire_ns"]) if row["expire_ns"] else None,
        updated_seq=row["updated_seq"],
        updated_time=iso(row["updated_ns"]),
        updated_ns=str(row["updated_ns"]),
    )


def trail_of(row: Any, grid: Any) -> Trail | None:
    """How an order follows the price, if it does."""
    if row["trail_bips"] <= 0:
        return None
    began, peak, fired = (row[name] for name in ("activated_ticks", "peak_ticks", "triggered_ticks"))
    return Trail(
        bips=row["trail_bips"],
        activated_price=grid.price(began) if began else None,
        peak_price=grid.price(peak) if peak else None,
        fired_price=grid.price(fired) if fired else None,
    )


def pairs(names: Directory) -> dict[int, tuple[str, str]]:
    """Instrument → names of its base and quote assets."""
    return {number: (row["base"], row["quote"]) for number, row in names.instruments.items()}


def fill_of(row: Any, names: Directory, terms: story.Terms) -> Fill:
    """One fill with its receipt; `terms` are those of its order, or of any order in the same instrument version."""
    grid = names.grid(row["instrument"], row["version"])
    rate = (Decimal(row["fee_rate_e8"]) / 100_000_000).normalize()
    receipt = Receipt(
        rule=row["rule"].lower(),
        sentence=story.fill_sentence(row, terms),
        evidence_price=grid.price(row["evidence_ticks"]),
        shown=grid.quantity(row["shown_lots"]),
        fill_model=terms.fill_model,  # type: ignore[arg-type]
        ahead_before=grid.quantity(row["front_before_lots"]) if row["front_before_lots"] >= 0 else None,
        ahead_after=grid.quantity(row["front_after_lots"]) if row["front_after_lots"] >= 0 else None,
        fee_rate=f"{rate:f}",
        fee_tier=row["fee_tier"] if row["fee_tier"] >= 0 else None,
        latency_ms=row["latency_ns"] / 1_000_000,
        waited_ms=row["waited_ns"] / 1_000_000,
    )
    return Fill(
        fill=row["fill_id"],
        order=f"PAPER-{row['account']}-{row['order_id']}",
        seq=row["seq"],
        number=row["number"],
        time=iso(row["ts_seq_ns"]),
        ts_ns=str(row["ts_seq_ns"]),
        bot=row["bot"],
        who=names.who(row["bot"]),
        instrument=row["instrument"],
        symbol=row["symbol"] or names.symbol(row["instrument"]),
        side=row["side"].lower(),
        liquidity=row["liquidity"].lower(),
        price=grid.price(row["price_ticks"]),
        quantity=grid.quantity(row["qty_lots"]),
        quote_amount=names.amount(row["quote_asset"], row["quote_units"]),
        quote_asset=names.asset(row["quote_asset"]),
        fee=names.amount(row["fee_asset"], row["fee_units"]),
        fee_asset=names.asset(row["fee_asset"]),
        realized_pnl=names.amount(row["quote_asset"], row["realized_units"]),
        receipt=receipt,
    )


def orders(
    connection: Connection, run: str, account: int, names: Directory, status: str, limit: int, before: int | None
) -> Orders:
    """A page of orders, newest first."""
    table = tables.orders
    query = select(table).where(table.c.run == run, table.c.account == account)
    if status != "all":
        query = query.where(LIVE if status == "live" else CLOSED)
    if before is not None:
        query = query.where(table.c.order_id < before)
    rows = connection.execute(query.order_by(table.c.order_id.desc()).limit(limit + 1)).mappings().all()
    couples = pairs(names)
    told = [order_of(row, names, couples) for row in rows[:limit]]
    return Orders(orders=told, before=told[-1].number if len(rows) > limit else None)


def order(connection: Connection, run: str, account: int, names: Directory, number: int) -> OrderStory:
    """One order with everything about it; story.NoOrder where there is none."""
    row = story.find_order(connection, run, account, number)
    terms = story.Terms(connection, row)
    fills = [fill_of(fill, names, terms) for fill in story.fills_of(connection, run, account, number)]
    sentences = list(story.story(connection, run, account, number))
    return OrderStory(order=order_of(row, names, pairs(names)), fills=fills, story=sentences)


def fills(connection: Connection, run: str, account: int, names: Directory, limit: int, before: int | None) -> Fills:
    """A page of fills, newest first."""
    table, query = tables.fills, story.fills_with_receipts(run, account)
    if before is not None:
        query = query.where(table.c.fill_id < before)
    rows = connection.execute(query.order_by(table.c.fill_id.desc()).limit(limit + 1)).mappings().all()
    known: dict[tuple[int, int], story.Terms] = {}
    told = []
    for row in rows[:limit]:
        grid = (row["instrument"], row["version"])
        if grid not in known:
            known[grid] = story.Terms(connection, row)
        told.append(fill_of(row, names, known[grid]))
    return Fills(fills=told, before=told[-1].fill if len(rows) > limit else None)


def equity(
    connection: Connection, run: str, account: int, names: Directory, reporting: str, limit: int, since: int
) -> Equity:
    """The latest points since a time, oldest first."""
    table = tables.equity
    query = select(table).where(table.c.run == run, table.c.account == account, table.c.ts_seq_ns >= since)
    rows = connection.execute(query.order_by(table.c.seq.desc(), table.c.number.desc()).limit(limit)).mappings().all()
    points = [
        EquityPoint(
            seq=row["seq"],
            time=iso(row["ts_seq_ns"]),
            ts_ns=str(row["ts_seq_ns"]),
            equity=None if row["partial"] else names.amount(row["asset"], row["equity_units"]),
            exposure=None if row["partial"] else names.amount(row["asset"], row["exposure_units"]),
            peak=names.amount(row["asset"], row["peak_units"]),
            opening=names.amount(row["asset"], row["opening_units"]),
            day_start=names.amount(row["asset"], row["day_start_units"]),
        )
        for row in reversed(rows)
    ]
    return Equity(reporting=reporting, points=points)


def runs(connection: Connection, current: str) -> Runs:
    """All runs of this home, newest first."""
    table = tables.runs
    rows = connection.execute(select(table).order_by(table.c.run.desc()).limit(MOST_RUNS)).mappings()
    told = []
    for row in rows:
        manifest = msgspec.json.decode(row["manifest"])
        told.append(
            Run(
                run=row["run"],
                label=manifest.get("label", ""),
                feed=manifest.get("feed", ""),
                created=iso(int(manifest.get("created_s", 0) * SECOND_NS)),
                symbols=manifest.get("symbols", []),
                strategies=manifest.get("strategies", []),
                seed=manifest.get("seed"),
                fill_model=manifest.get("fill_model", ""),
                balances=manifest.get("balances", {}),
                reporting=manifest.get("reporting", ""),
                product=manifest.get("product_version", ""),
                applied_seq=row["applied_seq"],
                current=row["run"] == current,
            )
        )
    return Runs(runs=told)


def older_grids(connection: Connection, run: str) -> list[dict[str, Any]]:
    """Every version of every instrument of a run, as `Directory.take` takes them."""
    table = tables.instruments
    rows = connection.execute(select(table.c.definition).where(table.c.run == run)).scalars()
    return [msgspec.json.decode(text) for text in rows]
