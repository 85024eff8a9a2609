"""What a bot knows: its own view of the world, followed from the desk's outputs alone.

Orders, positions and balances are rebuilt from the facts that the fold states, never read from the fold's state:
the same host can run beside the fold or in a sandbox far from it, and a restart gives it the same view.
"""

import struct
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from paperdesk.domain.assets import Asset
from paperdesk.domain.events import OUTPUT_BYTES, InputKind, ListKind, OrderType, OutputKind, Side
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.orders import OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.features.bars import BarBuilder
from paperdesk.features.basic import FeatureSet
from paperdesk.ledger.journal import FREE, RESERVED
from paperdesk.strategies.events import Fill, Order, Refusal

Output = tuple[int, ...]
OUTPUT_ROW: Final = struct.Struct("<h6b4i3q4i13q")
"""One output record as a tuple; the names below are places in it."""
KIND, SIDE, ORDER_TYPE, TIME_IN_FORCE, LIQUIDITY, INSTRUMENT, ACCOUNT, BOT = 0, 1, 2, 3, 5, 7, 9, 10
TS, ORDER_ID, REASON, ASSET, FEE_ASSET, PAYLOAD_AT = 12, 13, 14, 15, 16, 18
assert OUTPUT_ROW.size == OUTPUT_BYTES

POSTING: Final = int(OutputKind.POSTING)
EPOCH_STARTED: Final = int(OutputKind.EPOCH_STARTED)
FILL: Final = int(OutputKind.FILL)
SUBMITTED: Final = int(OutputKind.ORDER_SUBMITTED)
ACCEPTED: Final = int(OutputKind.ORDER_ACCEPTED)
CANCEL_REQUESTED: Final = int(OutputKind.CANCEL_REQUESTED)
LEG_ACTIVATED: Final = int(OutputKind.LEG_ACTIVATED)
CANCEL_REJECTED: Final = int(OutputKind.CANCEL_REJECTED)
DECREASED: Final = int(OutputKind.ORDER_DECREASED)
AMEND_REQUESTED: Final = int(OutputKind.AMEND_REQUESTED)
AMEND_REJECTED: Final = int(OutputKind.AMEND_REJECTED)
COMMAND_REFUSED: Final = int(OutputKind.COMMAND_REFUSED)
ENDS: Final = frozenset(
    int(kind)
    for kind in (
        OutputKind.ORDER_DENIED,
        OutputKind.ORDER_REJECTED,
        OutputKind.ORDER_EXPIRED,
        OutputKind.ORDER_CANCELED,
        OutputKind.COMMAND_REFUSED,
    )
)


UNTOLD: Final = frozenset({int(Reason.USER_CANCELED), int(Reason.LIST_ENDED)})
"""Why an order may be canceled without a word: at our wish, or because of another order of its list, which is told."""


class Market:
    """One instrument as the bot sees it: definition, best levels, last price, its own position, bars and features."""

    __slots__ = (
        "ask_lots",
        "ask_ticks",
        "base_units_per_lot",
        "bid_lots",
        "bid_ticks",
        "builder",
        "den",
        "features",
        "instrument",
        "last_ticks",
        "lot_ratio",
        "n_bars",
        "num",
        "number",
        "position_units",
        "symbol",
        "tick_ratio",
        "version",
        "wanted_units",
    )

    def __init__(self, instrument: Instrument, builder: BarBuilder | None, features: FeatureSet) -> None:
        self.bid_ticks = self.bid_lots = self.ask_ticks = self.ask_lots = self.last_ticks = 0
        self.position_units = 0
        self.wanted_units: int | None = None
        self.n_bars = 0
        self.builder = builder
        self.features = features
        self.instrument = instrument
        self.define(instrument)

    def define(self, instrument: Instrument) -> None:
        """Take a version of the instrument; prices seen on another grid are forgotten."""
        if (instrument.tick, instrument.lot) != (self.instrument.tick, self.instrument.lot):
            self.bid_lots = self.ask_lots = self.last_ticks = 0
        fields = instrument.fields()
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.number, self.version = instrument.number, instrument.version
        self.base_units_per_lot: int = fields["base_units_per_lot"]
        self.num: int = fields["num"]
        self.den: int = fields["den"]
        self.tick_ratio = instrument.tick.as_integer_ratio()
        self.lot_ratio = instrument.lot.as_integer_ratio()
        if self.builder is not None:
            self.builder.rebase(instrument)

    @property
    def seen_ticks(self) -> int:
        """The price that the bot saw last: the mid where it follows quotes, else the last trade's or bar's; 0 before the first."""
        if self.bid_lots and self.ask_lots:
            return (self.bid_ticks + self.ask_ticks) // 2
        return self.last_ticks


class View:
    """Balances of the account, positions and live orders of one bot in it."""

    def __init__(self, account: int, bot: int, instruments: Sequence[Instrument], markets: Sequence[Market]) -> None:
        self.account = account
        self.bot = bot
        self.markets = {market.number: market for market in markets}
        self.by_symbol = {market.symbol: market for market in markets}
        assets = {asset.number: asset for row in instruments for asset in (row.base, row.quote)}
        self.assets: dict[int, Asset] = assets
        self.asset_by_name = {asset.name: asset for asset in assets.values()}
        self.balances: dict[int, list[int]] = {number: [0, 0] for number in assets}
        self.orders: dict[int, Order] = {}
        self.handle_of: dict[int, int] = {}
        self.last_handle = 0
        self.acknowledged: list[Order] = []
        """Orders numbered by the desk since the host last looked.

        Amends and cancels that had to wait for the number can go out.
        """

    def take(self, row: Output) -> Fill | Refusal | None:
        """Follow one output; returns what the strategy is to be told of it, if anything."""
        if row[ACCOUNT] != self.account:
            return None
        kind = row[KIND]
        if kind == POSTING:
            self._post(row)
            return None
        if kind == EPOCH_STARTED:
            for market in self.markets.values():
                market.position_units = 0
            return None
        if row[BOT] != self.bot:
            return None
        if kind == FILL:
            return self._fill(row)
        if kind == SUBMITTED:
            self._submitted(row)
        elif kind in ENDS:
            return self._ended(row)
        elif kind == CANCEL_REJECTED:
            order = self._find(row)
            if order is not None:
                order.is_canceling = False
            return self._refusal(row, order)
        elif kind == DECREASED and row[REASON] != 0:
            self._moved(row)
            return self._refusal(row, self._find(row))
        elif kind == AMEND_REJECTED:
            order = self._find(row)
            if order is not None and row[REASON] != Reason.AMEND_PENDING:
                order.amend_lots = 0
            return self._refusal(row, order)
        else:
            self._moved(row)
        return None

    def lots_for(self, market: Market, wanted: Decimal) -> int:
        """Signed lots from the position, with market orders on their way, to the wanted holding, towards zero."""
        missing = Fraction(wanted) * 10**market.instrument.base.scale - market.position_units
        for order in self.orders.values():
            at_market = order.order_type == OrderType.MARKET and not order.is_pending
            if order.instrument.number == market.number and at_market:
                units = order.remaining_lots * market.base_units_per_lot
                missing -= units if order.side == Side.BUY else -units
        return int(missing / market.base_units_per_lot)

    def adopt(self, fields: dict[str, int]) -> None:
        """Take a live order from a snapshot: the fields of `Order`, `instrument` as a number."""
        flags = ("is_canceling", "is_pending")
        rest = {name: value for name, value in fields.items() if name not in ("instrument", *flags)}
        known: dict[str, Any] = {**rest, **{name: bool(fields.get(name)) for name in flags}}
        order = Order(instrument=self.markets[fields["instrument"]].instrument, **known)
        self.orders[order.handle] = order
        if order.order_id:
            self.handle_of[order.order_id] = order.handle

    def _post(self, row: Output) -> None:
        amount, source, target = row[PAYLOAD_AT], row[PAYLOAD_AT + 1], row[PAYLOAD_AT + 2]
        buckets = self.balances.setdefault(row[ASSET], [0, 0])
        if source in (FREE, RESERVED):
            buckets[source] -= amount
        if target in (FREE, RESERVED):
            buckets[target] += amount

    def _find(self, row: Output) -> Order | None:
        handle = self.handle_of.get(row[ORDER_ID])
        return None if handle is None else self.orders.get(handle)

    def _submitted(self, row: Output) -> None:
        price, qty, trigger, _, client_id = row[PAYLOAD_AT : PAYLOAD_AT + 5]
        order_id = row[ORDER_ID]
        handle = client_id if client_id > 0 else -order_id
        order = self.orders.get(handle)
        if order is None:
            market = self.markets.get(row[INSTRUMENT])
            if market is None:
                return
            self.last_handle = max(self.last_handle, handle)
            instrument, side = market.instrument, row[SIDE]
            order = Order(handle, instrument, side, row[ORDER_TYPE], row[TIME_IN_FORCE], qty, price, trigger)
            self.orders[handle] = order
        if row[PAYLOAD_AT + 11]:
            kind, leg = divmod(row[PAYLOAD_AT + 11], 8)
            order.list_handle = order.list_handle or handle - leg
            order.is_pending = leg > 0 and kind != ListKind.OCO
        order.order_id, order.qty_lots = order_id, qty
        order.status = OrderStatus.SUBMITTED
        self.handle_of[order_id] = handle
        self.acknowledged.append(order)

    def _moved(self, row: Output) -> None:
        order = self._find(row)
        if order is None:
            return
        if row[KIND] == ACCEPTED:
            order.status = OrderStatus.ACCEPTED
        elif row[KIND] == CANCEL_REQUESTED:
            order.is_canceling = True
        elif row[KIND] == LEG_ACTIVATED:
            order.is_pending, order.qty_lots = False, row[PAYLOAD_AT + 1]
        elif row[KIND] == AMEND_REQUESTED:
            order.amend_lots = row[PAYLOAD_AT + 1]
        elif row[KIND] == DECREASED:
            order.qty_lots = row[PAYLOAD_AT + 1]
            if row[REASON] == 0:
                order.amend_lots = 0

    def _fill(self, row: Output) -> Fill | None:
        market = self.markets.get(row[INSTRUMENT])
        if market is None:
            return None
        price, lots, _, quote_units, fee_units = row[PAYLOAD_AT : PAYLOAD_AT + 5]
        buying = row[SIDE] == Side.BUY
        fee_asset = self.assets[row[FEE_ASSET]]
        moved = lots * market.base_units_per_lot
        market.position_units += moved if buying else -moved
        if fee_asset.number == market.instrument.base.number:
            market.position_units -= fee_units
        order = self._find(row)
        handle, remaining = 0, 0
        if order is not None:
            order.filled_lots += lots
            handle, remaining = order.handle, order.remaining_lots
            order.status = OrderStatus.PARTIALLY_FILLED if remaining else OrderStatus.FILLED
            if not remaining:
                self._forget(order)
        return Fill(
            market.instrument,
            row[TS],
            handle,
            row[ORDER_ID],
            row[SIDE],
            price,
            lots,
            remaining,
            quote_units,
            fee_units,
            fee_asset,
            row[LIQUIDITY],
        )

    def _ended(self, row: Output) -> Refusal | None:
        order = self._find(row) or self.orders.get(row[PAYLOAD_AT + 4])
        if row[KIND] == COMMAND_REFUSED and row[PAYLOAD_AT + 7] == InputKind.SUBMIT_ORDER:
            order = self._oldest_unnumbered(row[INSTRUMENT])
        elif row[KIND] == COMMAND_REFUSED and row[PAYLOAD_AT + 7] == InputKind.SUBMIT_LIST and order is not None:
            for leg in [leg for leg in self.orders.values() if leg.list_handle == order.handle]:
                self._forget(leg)
        if order is not None:
            self._forget(order)
        if row[KIND] == OutputKind.ORDER_CANCELED and row[REASON] in UNTOLD:
            return None
        return self._refusal(row, order)

    def _oldest_unnumbered(self, number: int) -> Order | None:
        """The order that a refused command was: commands are taken in the order in which they were sent."""
        for order in self.orders.values():
            if order.order_id == 0 and order.instrument.number == number:
                return order
        return None

    def _refusal(self, row: Output, order: Order | None) -> Refusal:
        market = self.markets.get(row[INSTRUMENT])
        instrument = None if market is None else market.instrument
        handle = 0 if order is None else order.handle
        what, reason = OutputKind(row[KIND]), Reason(row[REASON])
        return Refusal(instrument, row[TS], what, reason, handle, row[ORDER_ID], row[SIDE])

    def _forget(self, order: Order) -> None:
        self.orders.pop(order.handle, None)
        self.handle_of.pop(order.order_id, None)
