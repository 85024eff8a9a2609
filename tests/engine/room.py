"""A small desk for tests of the core: one fold, inputs in, and what it says as short lines that read like sentences.

    room = Room()               # one account with 1,000 B and 100,000 Q, one market B/Q on a grid of 1
    room.quote(99, 5, 101, 5)   # []
    room.buy(3)                 # ["submitted #1", "reserve 321 Q", "accepted #1", "fill #1 3 @ 101 taker book_walk", …]

Prices are ticks, quantities lots; with the default instrument both are whole units, so that money is price · quantity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Unpack

import numpy as np

from paperdesk.domain import commands
from paperdesk.domain.assets import Asset
from paperdesk.domain.commands import Intent, command
from paperdesk.domain.events import (
    FLAG_POST_ONLY,
    FillModel,
    FillRule,
    InputKind,
    Liquidity,
    ListKind,
    MarketStatus,
    OrderType,
    OutputKind,
    Side,
    TimeInForce,
)
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.orders import OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.domain.terms import Terms, write_terms
from paperdesk.engine.fold import Fold
from paperdesk.engine.serial import places_at
from paperdesk.ledger.journal import Purpose

Row = np.ndarray[Any, Any]
Lines = list[str]

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOON = 20_000 * DAY + 12 * HOUR
"""2024-10-04 12:00 UTC."""
NEVER = 10_000 * DAY

B, Q, C = Asset(0, "B", 0), Asset(1, "Q", 0), Asset(2, "C", 0)
PLAIN = Instrument(
    0,
    1,
    "B/Q",
    "test",
    B,
    Q,
    Decimal(1),
    Decimal(1),
    maker_fee=Decimal(0),
    taker_fee=Decimal(0),
    stale_after_ns=NEVER,
)
"""One tick, one lot, one unit are all 1; no fees, no filters."""

BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK, GTD = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD
MARKET, LIMIT, STOP_MARKET, STOP_LIMIT = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_MARKET, OrderType.STOP_LIMIT
BUCKET_NAMES = ("free", "reserved", "venue", "fees", "capital")
ORDER_WORDS = {
    OutputKind.ORDER_SUBMITTED: "submitted",
    OutputKind.ORDER_DENIED: "denied",
    OutputKind.ORDER_ACCEPTED: "accepted",
    OutputKind.ORDER_REJECTED: "rejected",
    OutputKind.ORDER_TRIGGERED: "triggered",
    OutputKind.ORDER_ACTIVATED: "activated",
    OutputKind.ORDER_CANCELED: "canceled",
    OutputKind.ORDER_EXPIRED: "expired",
    OutputKind.CANCEL_REQUESTED: "cancel requested",
    OutputKind.CANCEL_REJECTED: "cancel rejected",
    OutputKind.LEG_ACTIVATED: "activated",
    OutputKind.AMEND_REQUESTED: "amend requested",
    OutputKind.AMEND_REJECTED: "amend rejected",
    OutputKind.ORDER_DECREASED: "decreased",
}


class Room:
    """A fold whose inputs are numbered and timed here. `lines` is all that was said, `rows` the same as records."""

    def __init__(
        self,
        instruments: Sequence[Instrument] = (PLAIN,),
        deposits: Mapping[str, int] | None = None,
        latency_ns: int = 0,
        bots: Sequence[int] = (1, 2),
        equity_every_ns: int = NEVER,
        start_ns: int = NOON,
        reporting: Asset | None = None,
        fold: Fold | None = None,
        fill_model: FillModel = FillModel.PESSIMISTIC,
    ) -> None:
        self.fold = Fold() if fold is None else fold
        self.now, self.seq = start_ns, self.fold.seq
        self.instruments = {row.number: row for row in instruments}
        self.assets = {asset.number: asset for row in instruments for asset in (row.base, row.quote)}
        self.lines: Lines = []
        self.rows: list[Row] = []
        self.inputs: list[Row] = []
        if fold is not None:
            return
        for number in sorted(self.assets):
            self.put(commands.define_asset(self.assets[number]))
        for row in instruments:
            self.put(commands.define_instrument(row))
        self.put(commands.bind_source(1))
        self.open(0, deposits, latency_ns, bots, equity_every_ns, reporting, fill_model)

    def open(
        self,
        account: int,
        deposits: Mapping[str, int] | None = None,
        latency_ns: int = 0,
        bots: Sequence[int] = (),
        equity_every_ns: int = NEVER,
        reporting: Asset | None = None,
        fill_model: FillModel = FillModel.PESSIMISTIC,
    ) -> None:
        """Opens an account with money and bots; instruments against the reporting asset value the others."""
        unit = self.instruments[0].quote if reporting is None else reporting
        self.put(commands.open_account(account, unit, 1, latency_ns, equity_every_ns, fill_model))
        given = {"B": 1_000, "Q": 100_000} if deposits is None else deposits
        for asset in self.assets.values():
            if given.get(asset.name, 0) > 0:
                self.put(commands.deposit(account, asset, given[asset.name]))
        for row in self.instruments.values():
            if row.quote == unit:
                self.put(commands.declare_conversion(account, row.base, row))
        for bot in bots:
            self.put(commands.register_bot(account, bot))

    # ---- inputs ------------------------------------------------------------------------------------------------------

    def put(self, row: Row, after_ns: int = 0) -> Lines:
        """Folds one input, `after_ns` later than the one before; what the fold says."""
        self.now += after_ns
        self.seq += 1
        row["seq"], row["ts_seq_ns"], row["ts_event_ns"] = self.seq, self.now, self.now
        outputs = self.fold.take(row)
        self.inputs.append(row.copy())
        self.rows.append(outputs)
        said = [self.line(output) for output in outputs]
        self.lines += said
        return said

    def timer(self, after_ns: int = 0) -> Lines:
        """Time passes."""
        return self.put(command(InputKind.TIMER), after_ns)

    def trade(self, price: int, lots: int, aggressor: int = Side.UNKNOWN, after_ns: int = 0, number: int = 0) -> Lines:
        """A public trade."""
        fields = {"trade_price_ticks": price, "trade_qty_lots": lots}
        return self.put(command(InputKind.TRADE, instrument=number, side=aggressor, **fields), after_ns)

    def quote(self, bid: int, bid_lots: int, ask: int, ask_lots: int, after_ns: int = 0, number: int = 0) -> Lines:
        """Best bid and ask."""
        fields = {"bid_ticks": bid, "bid_lots": bid_lots, "ask_ticks": ask, "ask_lots": ask_lots}
        return self.put(command(InputKind.QUOTE, instrument=number, **fields), after_ns)

    def book(
        self, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]], after_ns: int = 0, number: int = 0
    ) -> Lines:
        """Levels as (ticks, lots), best first."""
        row = command(InputKind.BOOK, instrument=number, n_bids=len(bids), n_asks=len(asks))
        for side, levels in (("bids", bids), ("asks", asks)):
            for place, (ticks, lots) in enumerate(levels[:20]):
                row[side + "_ticks"][0, place], row[side + "_lots"][0, place] = ticks, lots
        return self.put(row, after_ns)

    def bar(
        self,
        prices: tuple[int, int, int, int],
        volume: int,
        interval_ns: int = MINUTE,
        after_ns: int = 0,
        number: int = 0,
    ) -> Lines:
        """A closed bar: open, high, low, close."""
        names = ("open_ticks", "high_ticks", "low_ticks", "close_ticks")
        fields = {**dict(zip(names, prices, strict=True)), "volume_lots": volume, "interval_ns": interval_ns}
        return self.put(command(InputKind.BAR, instrument=number, **fields), after_ns)

    def status(self, value: MarketStatus, number: int = 0) -> Lines:
        """The data can be trusted, or not."""
        return self.put(command(InputKind.MARKET_STATUS, instrument=number, status=value))

    def redefine(self, number: int = 0, **changes: Any) -> Lines:
        """The next version of an instrument."""
        old = self.instruments[number]
        self.instruments[number] = old._replace(**{"version": old.version + 1, **changes})
        return self.put(commands.define_instrument(self.instruments[number]))

    # ---- orders ------------------------------------------------------------------------------------------------------

    def submit(
        self,
        side: Side,
        lots: int,
        price: int | None = None,
        trigger: int | None = None,
        tif: TimeInForce | None = None,
        post_only: bool = False,
        bot: int = 0,
        account: int = 0,
        number: int = 0,
        **more: Unpack[Terms],
    ) -> Lines:
        """An order command on the grid; with no latency it reaches the venue with the next input."""
        terms = Intent(side, lots, price, trigger, tif, post_only, **more)
        row = command(
            InputKind.SUBMIT_ORDER,
            account=account,
            bot=bot,
            instrument=number,
            version=self.instruments[number].version,
            side=side,
            order_type=terms.order_type,
            time_in_force=terms.time_in_force,
            flags=FLAG_POST_ONLY if post_only else 0,
            qty_lots=lots,
            price_ticks=price or 0,
            trigger_ticks=trigger or 0,
        )
        write_terms(row, more, self.instruments[number])
        return self.put(row)

    def send(self, kind: ListKind, *legs: Intent, bot: int = 0, account: int = 0, number: int = 0) -> Lines:
        """An order list that has reached the venue."""
        row = commands.submit_list(account, bot, self.instruments[number], kind, legs)
        return self.put(row) + self.timer()

    def buy(self, lots: int, price: int | None = None, **terms: Any) -> Lines:
        """A buy that has reached the venue (its own lines, then those of its arrival)."""
        return self.submit(BUY, lots, price, **terms) + self.timer()

    def sell(self, lots: int, price: int | None = None, **terms: Any) -> Lines:
        """A sale that has reached the venue."""
        return self.submit(SELL, lots, price, **terms) + self.timer()

    def cancel(self, order_id: int, bot: int = 0, account: int = 0) -> Lines:
        """A cancel on its way."""
        return self.put(commands.cancel_order(account, bot, order_id))

    def amend(self, order_id: int, lots: int, bot: int = 0, account: int = 0) -> Lines:
        """An amend on its way; without latency it is there at once."""
        return self.put(commands.amend_order(account, bot, order_id, lots))

    def limits(self, bot: int = 0, account: int = 0, **limits: int) -> Lines:
        """Limits by their names without `_units`; cooldown in ns."""
        names = {name if name.endswith("_ns") else name + "_units": value for name, value in limits.items()}
        return self.put(commands.set_limits(account, bot, names))

    # ---- what is -----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> Any:
        """The state record."""
        return self.fold.state[0]

    def money(self, asset: Asset | str, account: int = 0) -> tuple[int, int]:
        """(free, reserved) units."""
        found = asset if isinstance(asset, Asset) else next(a for a in self.assets.values() if a.name == asset)
        row = self.state["balances"][account, found.number]
        assert int(row.sum()) == 0, "the books do not balance"
        return int(row[0]), int(row[1])

    def order(self, order_id: int, account: int = 0) -> dict[str, Any]:
        """The row of a live order, or {} if there is none."""
        places_at(self.fold.state)
        rows = self.state["orders"][: int(self.state["n_used_rows"])]
        for row in rows[(rows["id"] == order_id) & (rows["account"] == account)]:
            return {name: int(row[name]) for name in rows.dtype.names or ()}
        return {}

    def position(self, bot: int = 0, account: int = 0, number: int = 0) -> tuple[int, int, int]:
        """(quantity, cost, realized) of a bot, or (0) of the account."""
        row = self.state["account_positions"][account, number] if bot == 0 else self.state["bot_positions"][bot, number]
        return int(row["qty_units"]), int(row["cost_units"]), int(row["realized_units"])

    def line(self, row: Any) -> str:
        """One output as a line."""
        kind = OutputKind(int(row["kind"]))
        reason = " " + Reason(int(row["reason"])).name.lower() if int(row["reason"]) else ""
        if kind in ORDER_WORDS:
            return f"{ORDER_WORDS[kind]} #{int(row['order_id'])}{reason}"
        if kind == OutputKind.FILL:
            words = f"{Liquidity(int(row['liquidity'])).name} {FillRule(int(row['rule'])).name}".lower()
            return f"fill #{int(row['order_id'])} {int(row['fill_lots'])} @ {int(row['fill_price_ticks'])} {words}"
        if kind == OutputKind.POSTING:
            asset = self.assets[int(row["asset"])].name
            return f"{Purpose(int(row['purpose'])).name.lower()} {int(row['amount_units'])} {asset}"
        if kind == OutputKind.SIGNAL_STATED:
            wish = f"signal {int(row['signal_id'])} wants {int(row['wanted_units'])}, holds {int(row['held_units'])}"
            return f"{wish}:{reason}" if reason else wish
        if kind == OutputKind.EQUITY:
            return f"equity {int(row['equity_units'])}" + (" partial" if int(row["flags"]) else "")
        return kind.name.lower().replace("_", " ") + reason


def fills(lines: Lines) -> Lines:
    """Only the fills, without the word."""
    return [line.removeprefix("fill ") for line in lines if line.startswith("fill ")]


def no_money(lines: Lines) -> Lines:
    """Without the postings."""
    purposes = tuple(purpose.name.lower() + " " for purpose in Purpose)
    return [line for line in lines if not line.startswith(purposes)]


def status_of(room: Room, order_id: int, account: int = 0) -> str:
    """Status of a live order, or "gone"."""
    row = room.order(order_id, account)
    return OrderStatus(row["status"]).name.lower() if row else "gone"
