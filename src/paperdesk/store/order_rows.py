"""An order's row in the projections: terms that stay, and what moves."""

from dataclasses import dataclass
from typing import Any, Final

from paperdesk.domain.events import SELF_TRADE_SHIFT, SelfTrade
from paperdesk.domain.orders import OrderStatus
from paperdesk.store.reading import (
    ACCOUNT,
    BOT,
    FLAGS,
    INSTRUMENT,
    ORDER_ID,
    ORDER_TYPE,
    PAYLOAD,
    SEQ,
    SIDE,
    SIDES,
    TIME_IN_FORCE,
    TIMES,
    TS,
    TYPES,
    VERSION,
    Grid,
    Output,
    reason_name,
)

PAPER: Final = "PAPER"
SELF_TRADES: Final = {int(mode): mode.name.lower() for mode in SelfTrade}
STATUS_TEXT: Final = {status: status.name.lower() for status in OrderStatus}


@dataclass(slots=True)
class Order:
    """A live order's row: `fixed` are its terms in the table's order, the rest moves."""

    fixed: tuple[Any, ...]
    qty_lots: int
    """What it wants now: what it was sent with, or less."""
    submitted_ns: int
    arrive_ns: int
    status: OrderStatus = OrderStatus.NONE
    filled_lots: int = 0
    fills: int = 0
    quote_units: int = 0
    fee_units: int = 0
    reserved_units: int = 0
    activated_seq: int = 0
    """The input that activated its trail; 0: none did."""
    activated_ticks: int = 0
    triggered_seq: int = 0
    """The input that reached its trigger; 0: none did."""
    triggered_ticks: int = 0
    """The price that fired it."""
    peak_ticks: int = 0
    """The peak of a trail, as last told."""
    placed_seq: int = 0
    """The input that placed it, where it is a list's and waited; 0: none did."""
    cancel_at_ns: int = 0
    amend_at_ns: int = 0
    amend_lots: int = 0
    met_order: int = 0
    """The own order that ended it or made it smaller; 0: none did."""
    reason: int = 0
    updated_seq: int = 0
    updated_ns: int = 0
    is_new: bool = True

    def moving(self) -> tuple[Any, ...]:
        """What changes, in the order of `projections.ORDER_MOVING`."""
        amounts = (
            self.qty_lots,
            self.filled_lots,
            self.fills,
            self.quote_units,
            self.fee_units,
            self.reserved_units,
            self.placed_seq,
            self.activated_seq,
            self.activated_ticks,
            self.triggered_seq,
            self.triggered_ticks,
            self.peak_ticks,
        )
        asked = (self.cancel_at_ns, self.amend_at_ns, self.amend_lots, self.met_order)
        reason = (self.reason, reason_name(self.reason) if self.reason else None)
        return (STATUS_TEXT[self.status], *amounts, *asked, *reason, self.updated_seq, self.updated_ns)


def sent(row: Output, origin: tuple[str, int], grid: Grid | None) -> Order:
    """The row of an order that ORDER_SUBMITTED or ORDER_DENIED tells of; `origin` is its run and epoch."""
    run, epoch = origin
    account, order_id = row[ACCOUNT], row[ORDER_ID]
    price, qty, trigger, arrive_ns, client_id, expire_ns, budget = row[PAYLOAD : PAYLOAD + 7]
    texts: tuple[str | None, ...] = (None, None, None)
    if grid is not None:
        texts = (grid.price(price) if price else None, grid.price(trigger) if trigger else None, grid.quantity(qty))
    identity = (run, account, order_id, f"PAPER-{account}-{order_id}", PAPER, epoch, row[BOT])
    what = (row[INSTRUMENT], row[VERSION], grid.symbol if grid else None, SIDES[row[SIDE]], TYPES[row[ORDER_TYPE]])
    flags = (row[FLAGS] & 1, row[FLAGS] >> 2 & 1, SELF_TRADES.get(row[FLAGS] >> SELF_TRADE_SHIFT & 7, ""))
    terms = (TIMES[row[TIME_IN_FORCE]], *flags, client_id, row[PAYLOAD + 7], price, trigger, qty)
    times = (row[SEQ], row[TS], arrive_ns, expire_ns, budget, *row[PAYLOAD + 8 : PAYLOAD + 12])
    return Order((*identity, *what, *terms, *texts, *times), qty, row[TS], arrive_ns)
