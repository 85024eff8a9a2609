"""The account as it is: balances, positions, live orders, worth and exposure, from the projections and the engine's marks.

Sums are those of `ledger/statement.py`, in plain integers: values are floored, and a price that is missing or stale makes a figure null.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, func, select
from sqlalchemy.sql import Select

from paperdesk.api.directory import Directory
from paperdesk.api.messages import MarketTold, Pulse, Welcome
from paperdesk.api.models import Balance, BotBook, Limits, Position, State
from paperdesk.api.rows import LIVE, order_of, pairs, rounded
from paperdesk.api.told import SECOND_NS, iso
from paperdesk.domain.events import MarketStatus
from paperdesk.store import tables

MOST_ORDERS: Final = 500
STATES: Final = ("running", "paused", "failed")


class Worth:
    """What units are worth, at the engine's marks, in the account's reporting asset."""

    def __init__(
        self, names: Directory, reporting: int, marks: dict[int, int], conversions: dict[int, tuple[int, bool]]
    ) -> None:
        """`marks`: ticks, only those that are fresh; `conversions`: asset → (instrument, inverse)."""
        self.names, self.reporting, self.marks, self.conversions = names, reporting, marks, conversions

    def assets(self, instrument: int) -> tuple[int, int]:
        """Numbers of base and quote."""
        row = self.names.instruments[instrument]
        return self.names.numbers[row["base"]], self.names.numbers[row["quote"]]

    def _price(self, instrument: int) -> tuple[int, int] | None:
        """Quote units for base units, as a fraction; None without a fresh mark."""
        mark = self.marks.get(instrument, 0)
        if mark == 0 or instrument not in self.names.instruments:
            return None
        grid = self.names.grid(instrument)
        base, quote = self.assets(instrument)
        return mark * grid.tick * 10 ** self.names.scales[quote], 10 ** (grid.tick_scale + self.names.scales[base])

    def in_quote(self, instrument: int, base_units: int) -> int | None:
        """Value of base units (signed) at the mark."""
        if base_units == 0:
            return 0
        price = self._price(instrument)
        if price is None:
            return None
        value = abs(base_units) * price[0] // price[1]
        return value if base_units > 0 else -value

    def in_reporting(self, asset: int, units: int | None) -> int | None:
        """Value of units (signed) of an asset."""
        if units is None or units == 0 or asset == self.reporting:
            return units
        if asset not in self.conversions:
            return None
        instrument, inverse = self.conversions[asset]
        price = self._price(instrument)
        if price is None:
            return None
        times, per = (price[1], price[0]) if inverse else price
        value = abs(units) * times // per
        return value if units > 0 else -value

    def text(self, units: int | None) -> str | None:
        """An amount of the reporting asset."""
        return None if units is None else self.names.amount(self.reporting, units)


def total(values: list[int | None]) -> int | None:
    """A sum, None where a part is."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def fresh_marks(pulse: Pulse | None, markets: dict[int, MarketTold]) -> dict[int, int]:
    """Instrument → mark in ticks, where there is one and the market's data can be trusted."""
    if pulse is None:
        return {}
    stale = {number for number, market in markets.items() if market.status != MarketStatus.LIVE}
    return {instrument: ticks for instrument, ticks in pulse.marks if ticks > 0 and instrument not in stale}


def limits_of(row: Any, worth: Worth) -> Limits:
    """Limits from the row of an account or a bot; 0 is none."""
    told = {name: worth.text(row[f"{name}_units"] or None) for name in Limits.__struct_fields__[:-1]}
    return Limits(**told, cooldown_s=row["cooldown_ns"] / SECOND_NS)


def position_of(row: Any, worth: Worth) -> Position:
    """A position from its row."""
    names, number = worth.names, row["instrument"]
    base, quote = worth.assets(number)
    qty, cost = row["qty_units"], row["cost_units"]
    value = worth.in_quote(number, qty)
    mark = worth.marks.get(number)
    average = None
    if qty:
        average = rounded(Decimal(names.amount(quote, cost)) / Decimal(names.amount(base, qty)))
    return Position(
        instrument=number,
        symbol=names.symbol(number),
        base=names.asset(base),
        quote=names.asset(quote),
        quantity=names.amount(base, qty),
        average_cost=average,
        cost=names.amount(quote, cost),
        mark=None if mark is None else names.grid(number).price(mark),
        value=None if value is None else names.amount(quote, value),
        unrealized_pnl=None if value is None else names.amount(quote, value - cost),
        realized_pnl=names.amount(quote, row["realized_units"]),
        fills=row["fills"],
    )


class Books:
    """What one look at the database gives of an account."""

    def __init__(self, connection: Connection, run: str, account: int) -> None:
        def rows(table: Any, *more: Any) -> Any:
            """Of this account."""
            query: Select[Any] = select(table).where(table.c.run == run, table.c.account == account, *more)
            return connection.execute(query).mappings().all()

        orders = tables.orders
        self.run = connection.execute(select(tables.runs).where(tables.runs.c.run == run)).mappings().first()
        self.account = next(iter(rows(tables.accounts)), None)
        if self.account is None or self.run is None:
            return
        self.balances = rows(tables.balances)
        self.conversions = {row["asset"]: (row["instrument"], bool(row["inverse"])) for row in rows(tables.conversions)}
        self.bots = {row["bot"]: row for row in rows(tables.bots)}
        self.positions = rows(tables.positions, tables.positions.c.epoch == self.account["epoch"])
        mine = (orders.c.run == run, orders.c.account == account, LIVE)
        self.orders = connection.execute(
            select(orders).where(*mine).order_by(orders.c.order_id).limit(MOST_ORDERS)
        ).mappings().all()  # fmt: skip
        open_lots = func.sum(orders.c.qty_lots - orders.c.filled_lots).label("lots")
        kinds = (orders.c.bot, orders.c.instrument, orders.c.version, orders.c.side)
        self.open = connection.execute(
            select(*kinds, open_lots, func.count().label("count")).where(*mine).group_by(*kinds)
        ).mappings().all()  # fmt: skip
        equity = tables.equity
        self.equity = connection.execute(
            select(equity).where(equity.c.run == run, equity.c.account == account)
            .order_by(equity.c.seq.desc(), equity.c.number.desc()).limit(1)
        ).mappings().first()  # fmt: skip


def exposure(books: Books, worth: Worth) -> int | None:
    """Σ over instruments of what the position there could grow to with its live orders, at the mark."""
    up: dict[int, int] = defaultdict(int)
    down: dict[int, int] = defaultdict(int)
    for row in books.positions:
        if row["bot"] == 0:
            up[row["instrument"]] += row["qty_units"]
            down[row["instrument"]] += row["qty_units"]
    for row in books.open:
        number = row["instrument"]
        grid = worth.names.grid(number, row["version"])
        scale = worth.names.scales[worth.assets(number)[0]]
        units = row["lots"] * grid.lot * 10**scale // 10**grid.lot_scale
        if row["side"] == "BUY":
            up[number] += units
        else:
            down[number] -= units
    values = []
    for number in up.keys() | down.keys():
        worst = max(abs(up[number]), abs(down[number]))
        values.append(worth.in_reporting(worth.assets(number)[1], worth.in_quote(number, worst)))
    return total(values)


def pnl(rows: list[Any], worth: Worth) -> tuple[int | None, int | None]:
    """(realized, unrealized) of positions, in the reporting asset."""
    realized, unrealized = [], []
    for row in rows:
        quote = worth.assets(row["instrument"])[1]
        value = worth.in_quote(row["instrument"], row["qty_units"])
        realized.append(worth.in_reporting(quote, row["realized_units"]))
        unrealized.append(worth.in_reporting(quote, None if value is None else value - row["cost_units"]))
    return total(realized), total(unrealized)


def bot_book(number: int, books: Books, worth: Worth, pulse: Pulse | None) -> BotBook:
    """What a bot holds and made."""
    row = books.bots[number]
    state, failure = (
        next(((state, why) for bot, state, why in pulse.bots if bot == number), (None, "")) if pulse else (None, "")
    )
    held = [one for one in books.positions if one["bot"] == number]
    realized, unrealized = pnl(held, worth)
    return BotBook(
        bot=number,
        name=worth.names.who(number),
        state=state if state in STATES else None,  # type: ignore[arg-type]
        failure=failure or row["stop_text"] or "",
        killed=bool(row["killed"]),
        stopped=bool(row["stopped"]),
        open_orders=sum(one["count"] for one in books.open if one["bot"] == number),
        fills=sum(one["fills"] for one in held),
        positions=[position_of(one, worth) for one in held],
        realized_pnl=worth.text(realized),
        unrealized_pnl=worth.text(unrealized),
        limits=limits_of(row, worth),
    )


def state_of(
    connection: Connection, welcome: Welcome, names: Directory, pulse: Pulse | None, markets: dict[int, MarketTold]
) -> State | None:
    """The whole picture; None while the database does not have the account yet."""
    account = welcome.account
    books = Books(connection, welcome.run, account)
    if books.run is None or books.account is None:
        return None
    worth = Worth(names, books.account["reporting_asset"], fresh_marks(pulse, markets), books.conversions)
    owned = [row for row in books.positions if row["bot"] == 0]
    realized, unrealized = pnl(owned, worth)
    told = next((one.equity_units for one in pulse.accounts if one.account == account), None) if pulse else None
    last, couples = books.equity, pairs(names)
    balances = [
        Balance(
            asset=names.asset(row["asset"]),
            free=names.amount(row["asset"], row["free_units"]),
            reserved=names.amount(row["asset"], row["reserved_units"]),
            total=names.amount(row["asset"], row["free_units"] + row["reserved_units"]),
            value=worth.text(worth.in_reporting(row["asset"], row["free_units"] + row["reserved_units"])),
        )
        for row in books.balances
    ]
    ts_ns = pulse.ts_seq_ns if pulse else 0
    return State(
        paper=True,
        run=welcome.run,
        account=account,
        fill_model=books.account["fill_model"],
        epoch=books.account["epoch"],
        seq=books.run["applied_seq"],
        marks_seq=pulse.seq if pulse else 0,
        time=iso(ts_ns),
        ts_ns=str(ts_ns),
        reporting=names.asset(worth.reporting),
        equity=worth.text(told),
        opening_equity=worth.text(last["opening_units"]) if last else None,
        day_start_equity=worth.text(last["day_start_units"]) if last else None,
        peak_equity=worth.text(last["peak_units"]) if last else None,
        exposure=worth.text(exposure(books, worth)),
        realized_pnl=worth.text(realized),
        unrealized_pnl=worth.text(unrealized),
        killed=bool(books.run["killed"] or books.account["killed"]),
        limits=limits_of(books.account, worth),
        balances=balances,
        positions=[position_of(row, worth) for row in owned],
        orders=[order_of(row, names, couples) for row in books.orders],
        orders_live=sum(row["count"] for row in books.open),
        bots=[bot_book(number, books, worth, pulse) for number in sorted(books.bots)],
    )
