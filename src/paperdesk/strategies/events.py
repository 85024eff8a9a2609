"""What a strategy is told: light tuples of integers (ticks, lots, units, nanoseconds) with decimals computed on
demand.

`fill.price_ticks` costs nothing, `fill.price` makes an exact Decimal. `ts_ns` is engine time.
"""

from decimal import Decimal
from typing import NamedTuple

from paperdesk.domain.assets import Asset
from paperdesk.domain.events import Liquidity, OrderType, OutputKind, Side, TimeInForce
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.orders import OrderStatus
from paperdesk.domain.reasons import Reason, explain


class Trade(NamedTuple):
    """A public print. `side` is the aggressor's (Side.UNKNOWN where the venue does not say)."""

    instrument: Instrument
    ts_ns: int
    price_ticks: int
    qty_lots: int
    side: int
    trade_id: int

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def price(self) -> Decimal:
        """The exact price."""
        return self.instrument.price(self.price_ticks)

    @property
    def quantity(self) -> Decimal:
        """The exact quantity in the base asset."""
        return self.instrument.quantity(self.qty_lots)


class Quote(NamedTuple):
    """Best bid and ask after a change of either. A side that is empty has 0 lots, and its price means nothing."""

    instrument: Instrument
    ts_ns: int
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def bid(self) -> Decimal | None:
        """The exact best bid, None if there is none."""
        return self.instrument.price(self.bid_ticks) if self.bid_lots else None

    @property
    def ask(self) -> Decimal | None:
        """The exact best ask, None if there is none."""
        return self.instrument.price(self.ask_ticks) if self.ask_lots else None


class Fill(NamedTuple):
    """One execution of an order of ours.

    `handle` is what buy() or sell() returned; `remaining_lots` is still open.
    """

    instrument: Instrument
    ts_ns: int
    handle: int
    order_id: int
    side: int
    price_ticks: int
    qty_lots: int
    remaining_lots: int
    quote_units: int
    fee_units: int
    fee_asset: Asset
    liquidity: int

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def is_buy(self) -> bool:
        """Whether we bought."""
        return self.side == Side.BUY

    @property
    def is_maker(self) -> bool:
        """Whether the order had been resting."""
        return self.liquidity == Liquidity.MAKER

    @property
    def price(self) -> Decimal:
        """The exact price."""
        return self.instrument.price(self.price_ticks)

    @property
    def quantity(self) -> Decimal:
        """The exact quantity in the base asset, before fees."""
        return self.instrument.quantity(self.qty_lots)

    @property
    def fee(self) -> Decimal:
        """The exact fee, in `fee_asset`."""
        return self.fee_asset.to_decimal(self.fee_units)


class Refusal(NamedTuple):
    """A command that came to nothing, or an order that ended before it was filled, or grew smaller unasked, with the reason.

    `what`: ORDER_DENIED (our risk gate), ORDER_REJECTED (the venue), ORDER_EXPIRED, ORDER_CANCELED (not at our wish),
    CANCEL_REJECTED, AMEND_REJECTED, COMMAND_REFUSED, ORDER_DECREASED. `handle` is 0 where the command was no order of ours.
    """

    instrument: Instrument | None
    ts_ns: int
    what: OutputKind
    reason: Reason
    handle: int
    order_id: int
    side: int

    @property
    def symbol(self) -> str:
        """The instrument's symbol, empty if it concerns none."""
        return self.instrument.symbol if self.instrument is not None else ""

    @property
    def text(self) -> str:
        """What happened, why, and what to do about it, in one line."""
        return f"{self.what.name.lower()}: {explain(self.reason)}"


class Pair(NamedTuple):
    """Handles of two orders of which one at most is filled."""

    take_profit: int
    stop_loss: int


class Bracket(NamedTuple):
    """Handles of an entry and of the two orders that follow it."""

    entry: int
    take_profit: int
    stop_loss: int


class Balance(NamedTuple):
    """What the account holds of one asset; total = free + reserved. It is shared by all bots of the account."""

    free: Decimal
    reserved: Decimal

    @property
    def total(self) -> Decimal:
        """Free and reserved together."""
        return self.free + self.reserved


class Order:
    """A live order of ours as last told. Read it, do not write to it: the host keeps it up to date.

    `order_id` is 0 and `status` NONE until the desk has numbered it; `is_canceling` from our cancel on. `amend_lots`: the
    quantity that an amend on its way asks for (below zero where it cannot be one), else 0. An order of a
    list names the handle of the list's first order, and `is_pending` while it waits for that to be filled.
    """

    __slots__ = (
        "amend_lots",
        "filled_lots",
        "handle",
        "instrument",
        "is_canceling",
        "is_pending",
        "list_handle",
        "order_id",
        "order_type",
        "price_ticks",
        "qty_lots",
        "side",
        "status",
        "time_in_force",
        "trigger_ticks",
    )

    def __init__(
        self,
        handle: int,
        instrument: Instrument,
        side: int,
        order_type: int,
        time_in_force: int,
        qty_lots: int,
        price_ticks: int = 0,
        trigger_ticks: int = 0,
        order_id: int = 0,
        status: int = OrderStatus.NONE,
        filled_lots: int = 0,
        is_canceling: bool = False,
        list_handle: int = 0,
        is_pending: bool = False,
        amend_lots: int = 0,
    ) -> None:
        self.handle = handle
        self.instrument = instrument
        self.side = side
        self.order_type = order_type
        self.time_in_force = time_in_force
        self.qty_lots = qty_lots
        self.price_ticks = price_ticks
        self.trigger_ticks = trigger_ticks
        self.order_id = order_id
        self.status = status
        self.filled_lots = filled_lots
        self.is_canceling = is_canceling
        self.list_handle = list_handle
        self.is_pending = is_pending
        self.amend_lots = amend_lots

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.side == Side.BUY

    @property
    def remaining_lots(self) -> int:
        """What is not filled yet."""
        return self.qty_lots - self.filled_lots

    @property
    def price(self) -> Decimal | None:
        """The limit price, None for market orders."""
        return self.instrument.price(self.price_ticks) if self.price_ticks else None

    @property
    def quantity(self) -> Decimal:
        """The whole quantity in the base asset."""
        return self.instrument.quantity(self.qty_lots)

    def __repr__(self) -> str:
        kind, side = OrderType(self.order_type).name.lower(), Side(self.side).name.lower()
        return (
            f"Order({self.handle}: {side} {self.quantity:f} {self.symbol} {kind} {TimeInForce(self.time_in_force).name}"
            f"{'' if self.price is None else f' at {self.price:f}'}, {OrderStatus(self.status).name.lower()})"
        )
