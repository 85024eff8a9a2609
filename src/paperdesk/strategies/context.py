"""What a strategy may ask and say: `ctx`. Reading is from the bot's own view; every wish becomes a command and
nothing more.

Order methods return a handle at once and never a result: whether the order was taken, filled or refused is told by
on_fill and on_refusal. Decimal forms (`buy`, `sell`) take numbers as people write them; a number off the grid is
not rounded but becomes a command that is refused with its reason. The `_lots` forms are on the grid already and are
quicker.
"""

import struct
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final, Unpack

import numpy as np

from paperdesk.domain.commands import Intent, amend_order, amended_lots, cancel_all, cancel_order, command, submit_order
from paperdesk.domain.events import FLAG_POST_ONLY, INPUT, INPUT_BYTES, InputKind, Side, TimeInForce
from paperdesk.domain.instruments import Instrument, Number, exact
from paperdesk.domain.reasons import Reason
from paperdesk.domain.terms import Terms, force_of, mark_terms, type_of
from paperdesk.strategies.api import Parameters
from paperdesk.strategies.events import Balance, Order
from paperdesk.strategies.lists import ListWishes
from paperdesk.strategies.view import Market, View

ORDER_ROW: Final = struct.Struct("<h6b4i3q4q")
SUBMIT: Final = int(InputKind.SUBMIT_ORDER)
BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)


class Context(ListWishes):
    """One bot's window on the desk. Built by the host; the same object is passed to every callback."""

    def __init__(self, view: View, parameter: Parameters, feature_names: tuple[str, ...], sees_quotes: bool) -> None:
        self.parameter: Any = parameter
        """The parameters of the run as attributes."""
        self.memory: dict[str, Any] = {}
        """What the strategy remembers: plain data (None, bool, int, float, Decimal, str, bytes, lists, dicts)."""
        self.ts_ns = 0
        """Engine time of the event being told."""
        self.commands: list[np.ndarray] = []
        self.current: Market | None = None
        self._view = view
        self._feature_at = {name: place for place, name in enumerate(feature_names)}
        self._sees_quotes = sees_quotes
        self._orders = MappingProxyType(view.orders)

    # ---- reading ----

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of this bot, in the order of their numbers."""
        return tuple(self._view.by_symbol)

    @property
    def open_orders(self) -> Mapping[int, Order]:
        """Handle → order: everything that has not ended, including what was only just sent."""
        return self._orders

    def instrument(self, symbol: str) -> Instrument:
        """The definition now in force: tick, lot, filters, fees, round_price(), round_quantity()."""
        return self.market(symbol).instrument

    def position(self, symbol: str) -> Decimal:
        """What this bot holds, in the base asset, after fees; negative if it sold more than it bought."""
        market = self.market(symbol)
        return market.instrument.base.to_decimal(market.position_units)

    def position_lots(self, symbol: str) -> int:
        """The position in whole lots, rounded towards zero (fees leave fractions of a lot)."""
        market = self.market(symbol)
        units, lot = market.position_units, market.base_units_per_lot
        return units // lot if units >= 0 else -(-units // lot)

    def balance(self, asset: str) -> Balance:
        """What the account holds of an asset; shared with its other bots. KeyError for an asset no instrument has."""
        found = self._view.asset_by_name.get(asset)
        if found is None:
            raise KeyError(
                f"no instrument here has the asset {asset!r}; there are {', '.join(self._view.asset_by_name)}"
            )
        free, reserved = self._view.balances[found.number]
        return Balance(found.to_decimal(free), found.to_decimal(reserved))

    def best_bid(self, symbol: str) -> Decimal | None:
        """The best bid, None if there is none now. Declare quotes = True (or override on_quote) to have it."""
        market = self._quoted(symbol)
        return market.instrument.price(market.bid_ticks) if market.bid_lots else None

    def best_ask(self, symbol: str) -> Decimal | None:
        """The best ask, None if there is none now. Declare quotes = True (or override on_quote) to have it."""
        market = self._quoted(symbol)
        return market.instrument.price(market.ask_ticks) if market.ask_lots else None

    def last_price(self, symbol: str) -> Decimal | None:
        """The last trade's price or bar's close that this bot was shown, None before the first."""
        market = self.market(symbol)
        return market.instrument.price(market.last_ticks) if market.last_ticks else None

    def feature(self, name: str, symbol: str | None = None) -> float:
        """The newest value of a declared feature, over closed bars only (prices as floats).

        `symbol` may be left out in callbacks that concern one instrument. LookupError where the name is not
        declared or the feature is not warm yet (on_bar is only called when all are).
        """
        market = self.current if symbol is None else self.market(symbol)
        if market is None:
            raise LookupError(f"feature {name!r}: no instrument is concerned here; give the symbol")
        place = self._feature_at.get(name)
        if place is None:
            raise LookupError(f"there is no feature {name!r}; declared are: {', '.join(self._feature_at) or 'none'}")
        value = market.features.values[place]
        if value != value:
            raise LookupError(
                f"feature {name!r} of {market.symbol} is not warm after {market.n_bars} bars; ask is_warm() first"
            )
        return value

    def is_warm(self, symbol: str) -> bool:
        """Whether all features of an instrument have values."""
        market = self.market(symbol)
        return market.n_bars >= market.features.warm_up

    def affordable_lots(self, symbol: str, price_ticks: int) -> int:
        """How many lots the free quote balance can reserve for a limit buy at a price (rounded down)."""
        market = self.market(symbol)
        free = self._view.balances[market.instrument.quote.number][0]
        return free * market.den // (price_ticks * market.num) if price_ticks > 0 and free > 0 else 0

    def sellable_lots(self, symbol: str) -> int:
        """How many lots the account's free base balance can sell (rounded down)."""
        market = self.market(symbol)
        return max(0, self._view.balances[market.instrument.base.number][0]) // market.base_units_per_lot

    # ---- wishes ----

    def buy(
        self,
        symbol: str,
        quantity: Number = 0,
        price: Number | None = None,
        trigger: Number | None = None,
        time_in_force: TimeInForce | None = None,
        post_only: bool = False,
        **terms: Unpack[Terms],
    ) -> int:
        """Buy: without a price at the market, with one as a limit; `trigger` makes it a stop. Returns its handle.

        Further terms are named in `domain.terms.Terms`.
        """
        return self._submit(symbol, Side.BUY, quantity, price, trigger, time_in_force, post_only, terms)

    def sell(
        self,
        symbol: str,
        quantity: Number = 0,
        price: Number | None = None,
        trigger: Number | None = None,
        time_in_force: TimeInForce | None = None,
        post_only: bool = False,
        **terms: Unpack[Terms],
    ) -> int:
        """Sell; as `buy`."""
        return self._submit(symbol, Side.SELL, quantity, price, trigger, time_in_force, post_only, terms)

    def buy_lots(
        self,
        symbol: str,
        lots: int = 0,
        price_ticks: int | None = None,
        trigger_ticks: int | None = None,
        time_in_force: TimeInForce | None = None,
        post_only: bool = False,
        **terms: Unpack[Terms],
    ) -> int:
        """`buy` in lots and ticks."""
        return self._submit_lots(symbol, BUY, lots, price_ticks, trigger_ticks, time_in_force, post_only, terms)

    def sell_lots(
        self,
        symbol: str,
        lots: int = 0,
        price_ticks: int | None = None,
        trigger_ticks: int | None = None,
        time_in_force: TimeInForce | None = None,
        post_only: bool = False,
        **terms: Unpack[Terms],
    ) -> int:
        """`sell` in lots and ticks."""
        return self._submit_lots(symbol, SELL, lots, price_ticks, trigger_ticks, time_in_force, post_only, terms)

    def target(self, symbol: str, quantity: Number) -> int:
        """Want to hold `quantity` of the base asset: sends the difference as a market order and returns its handle.

        Market orders still on their way count as held. The difference is rounded towards zero to the lot; 0 is
        returned and no order is sent where less than a lot is missing. Each change of what is wanted is a signal:
        numbered and recorded, with the order that follows or the reason why none does.
        """
        market, view, wanted = self.market(symbol), self._view, exact(quantity)
        lots = view.lots_for(market, wanted)
        units = int(Fraction(wanted) * 10**market.instrument.base.scale)
        if lots == 0:
            if units != market.wanted_units:
                self._signal(market, units, why_none(market, units))
            return 0
        self._signal(market, units, Reason.NONE)
        return self._submit_lots(symbol, BUY if lots > 0 else SELL, abs(lots), None, None, None, False, {})

    def cancel(self, handle: int) -> None:
        """Ask for the end of an order. Nothing happens where it has ended or a cancel is on its way already.

        ValueError for a handle that never was. An order sent in this very callback is canceled once it has its
        number.
        """
        order = self._view.orders.get(handle)
        if order is None:
            if not 0 < handle <= self._view.last_handle:
                raise ValueError(f"there never was an order with handle {handle!r}; use what buy() or sell() returned")
            return
        if not order.is_canceling:
            order.is_canceling = True
            if order.order_id:
                self.send_cancel(order)

    def amend(self, handle: int, quantity: Number = 0, *, lots: int = 0) -> None:
        """Ask for a smaller quantity of an order, what is filled included; it keeps its place in the queue.

        Give `quantity` in the base asset, or `lots`. Nothing happens where the order has ended, or a cancel or an amend
        is on its way already. Refusals come to on_refusal (AMEND_REJECTED), and leave the order as it is. ValueError
        for a handle that never was.
        """
        order = self._view.orders.get(handle)
        if order is None:
            if not 0 < handle <= self._view.last_handle:
                raise ValueError(f"there never was an order with handle {handle!r}; use what buy() or sell() returned")
            return
        if not order.is_canceling and not order.amend_lots:
            order.amend_lots = lots if lots > 0 else amended_lots(order.instrument, quantity)
            if order.order_id:
                self.send_amend(order)

    def cancel_all(self, symbol: str | None = None) -> None:
        """Ask for the end of all live orders of this bot, on one instrument or on all."""
        number = -1 if symbol is None else self.market(symbol).number
        live = [row for row in self._view.orders.values() if number in (-1, row.instrument.number)]
        if any(not order.is_canceling for order in live):
            self.commands.append(cancel_all(self._view.account, self._view.bot, number))
            asked: set[int] = set()
            for order in live:
                is_first = order.list_handle == 0 or order.list_handle not in asked
                order.is_canceling = order.is_canceling or (order.order_id != 0 and is_first)
                asked.add(order.list_handle)

    # ---- for the host ----

    def market(self, symbol: str) -> Market:
        """The view of one instrument; KeyError naming what there is."""
        market = self._view.by_symbol.get(symbol)
        if market is None:
            raise KeyError(f"this bot does not trade {symbol!r}; it has {', '.join(self._view.by_symbol)}")
        return market

    def send_cancel(self, order: Order) -> None:
        """The cancel command of an order that has its number."""
        self.commands.append(cancel_order(self._view.account, self._view.bot, order.order_id))

    def send_amend(self, order: Order) -> None:
        """The amend command of an order that has its number."""
        view = self._view
        self.commands.append(amend_order(view.account, view.bot, order.order_id, order.amend_lots))

    def _quoted(self, symbol: str) -> Market:
        if not self._sees_quotes:
            raise LookupError("this strategy does not follow quotes; declare quotes = True (or override on_quote)")
        return self.market(symbol)

    def _signal(self, market: Market, units: int, reason: Reason) -> None:
        """State what is wanted now: with the next order, or with a reason why there is none."""
        view = self._view
        market.wanted_units = units
        self.commands.append(
            command(
                InputKind.SIGNAL,
                account=view.account,
                bot=view.bot,
                instrument=market.number,
                version=market.version,
                wanted_units=units,
                held_units=market.position_units,
                seen_ticks=market.seen_ticks,
                client_id=0 if reason else view.last_handle + 1,
                defect=reason,
            )
        )

    def _submit(
        self,
        symbol: str,
        side: Side,
        quantity: Number,
        price: Number | None,
        trigger: Number | None,
        time_in_force: TimeInForce | None,
        post_only: bool,
        terms: Terms,
    ) -> int:
        market, view = self.market(symbol), self._view
        handle = view.last_handle = view.last_handle + 1
        intent = Intent(side, quantity, price, trigger, time_in_force, post_only, handle, **terms)
        row = submit_order(view.account, view.bot, market.instrument, intent)
        lots, ticks, stop = int(row["qty_lots"][0]), int(row["price_ticks"][0]), int(row["trigger_ticks"][0])
        kind, force = intent.order_type, intent.time_in_force
        view.orders[handle] = Order(handle, market.instrument, int(side), kind, force, lots, ticks, stop)
        self.commands.append(row)
        return handle

    def _submit_lots(
        self,
        symbol: str,
        side: int,
        lots: int,
        price_ticks: int | None,
        trigger_ticks: int | None,
        time_in_force: TimeInForce | None,
        post_only: bool,
        terms: Terms,
    ) -> int:
        market, view = self.market(symbol), self._view
        handle = view.last_handle = view.last_handle + 1
        kind = type_of(price_ticks is not None, trigger_ticks is not None, terms)
        force = force_of(kind, terms) if time_in_force is None else time_in_force
        ticks, stop = price_ticks or 0, trigger_ticks or 0
        buffer = bytearray(INPUT_BYTES)
        head = (SUBMIT, side, kind, force, FLAG_POST_ONLY if post_only else 0, 0, 0)
        owner = (market.number, market.version, view.account, view.bot, 0, 0, 0)
        ORDER_ROW.pack_into(buffer, 0, *head, *owner, ticks, lots, stop, handle)
        order = Order(handle, market.instrument, side, kind, force, lots, ticks, stop)
        view.orders[handle] = order
        row = np.frombuffer(buffer, INPUT)
        if terms:
            mark_terms(row, terms, market.instrument)
        self.commands.append(row)
        return handle


def why_none(market: Market, units: int) -> Reason:
    """Why no order follows a wish to hold so many units of the base asset."""
    missing = abs(units - market.position_units)
    if missing == 0:
        return Reason.TARGET_REACHED
    return Reason.LESS_THAN_A_LOT if missing < market.base_units_per_lot else Reason.ORDER_UNDER_WAY
