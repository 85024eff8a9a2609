"""What the auditor holds of amends and cancels, and of orders that become smaller (docs/venue-rules.md, section 10)."""

from paperdesk.domain.events import InputKind, OrderType, OutputKind, Side, TradingStatus
from paperdesk.domain.orders import MOVES, OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.store.audit_books import RELEASE, Order, ceiling
from paperdesk.store.audit_desk import AuditedDesk
from paperdesk.store.audit_report import (
    ACCOUNT,
    BOT,
    CAUSE,
    INSTRUMENT,
    KIND,
    ORDER_ID,
    ORDER_TYPE,
    PAYLOAD,
    REASON,
    SEQ,
    SIDE,
    TIME_IN_FORCE,
    TS,
    Row,
)

LOTS, DUE = PAYLOAD + 1, PAYLOAD + 3
"""Where a new quantity, and the time of its arrival, stand."""


class AuditedChanges(AuditedDesk):
    """Orders that change by request."""

    def _order(self, row: Row) -> Order | None:
        """The live order that an output speaks of, if its terms are those it was sent with."""
        account = self.accounts.get(row[ACCOUNT])
        order = None if account is None else account.orders.get(row[ORDER_ID])
        if order is None:
            self._find("2 order life", f"{OutputKind(row[KIND]).name} for an order that is not live", row)
            return None
        self._touched[order.account, order.id] = order
        said = (row[BOT], row[INSTRUMENT], row[SIDE], row[ORDER_TYPE], row[TIME_IN_FORCE])
        if said != (order.bot, order.instrument, order.side, order.order_type, order.time_in_force):
            self._find(
                "2 order life", "bot, instrument, side, type or time in force are not those it was sent with", row
            )
        return order

    def _move(self, order: Order, status: OrderStatus, row: Row) -> None:
        if status not in MOVES[order.status]:
            self._find("2 order life", f"from {order.status.name.lower()} to {status.name.lower()}", row)
        order.status = status

    def _cancel_requested(self, row: Row) -> None:
        order = self._order(row)
        if order is None:
            return
        self._answered = True
        takes_ns = self.accounts[order.account].terms.latency(order.id, 1)
        if order.cancel_at_ns > 0 or row[CAUSE] != max(row[TS] + takes_ns, order.arrive_ns):
            self._find("10 cancels", f"requested at {row[TS]}, due at {row[CAUSE]}", row)
        order.cancel_at_ns = row[CAUSE]

    def _amend_requested(self, row: Row) -> None:
        order, given = self._order(row), self._given
        if order is None or given is None:
            return
        self._answered = True
        asked = (given.kind, given.account, *given.payload()[:2])
        if asked != (InputKind.AMEND_ORDER, order.account, order.id, row[LOTS]) or given.bot not in (0, order.bot):
            self._find("10 amends", f"{row[LOTS]} lots of order {order.id} where {asked} was asked", row)
        takes_ns = self.accounts[order.account].terms.latency(order.id, 2)
        if order.cancel_at_ns > 0 or order.amend_at_ns > 0 or order.budget > 0 or row[LOTS] <= 0:
            self._find("10 amends", f"{row[LOTS]} lots for an order that cannot be amended now", row)
        if row[DUE] != max(row[TS] + takes_ns, order.arrive_ns):
            self._find("10 amends", f"requested at {row[TS]}, due at {row[DUE]}", row)
        order.amend_at_ns, order.amend_lots, order.amend_seq = row[DUE], row[LOTS], row[SEQ]

    def _amend_rejected(self, row: Row) -> None:
        self._answered = True
        order = self.accounts[row[ACCOUNT]].orders.get(row[ORDER_ID]) if row[ACCOUNT] in self.accounts else None
        if order is None or not order.is_unfinished:
            return
        if row[REASON] in (0, Reason.ORDER_DONE):
            self._find("10 amends", f"rejected with reason {row[REASON]}", row)
        if 0 < order.amend_at_ns <= row[TS]:
            self._check_amend_due(order, row)
            order.amend_at_ns = 0

    def _check_amend_due(self, order: Order, row: Row) -> None:
        """An amend arrives with the first input at or after its time."""
        late = row[SEQ] > order.amend_seq and self._before_ns >= order.amend_at_ns
        if not 0 < order.amend_at_ns <= row[TS] or late:
            self._find("2 latency", f"an amend due at {order.amend_at_ns} arrives at {row[TS]}", row)

    def _decreased(self, row: Row) -> None:
        """Smaller, and what it no longer has to hold is released next."""
        order = self._order(row)
        if order is None:
            return
        if not order.filled < row[LOTS] < order.qty:
            self._find("10 amends", f"{row[LOTS]} lots after {order.filled} of {order.qty}", row)
            return
        before, held = order.qty - order.filled, order.reserved
        order.qty = row[LOTS]
        if row[REASON] == 0:
            self._check_amend_due(order, row)
            if row[LOTS] != order.amend_lots:
                self._find("10 amends", f"{row[LOTS]} lots where {order.amend_lots} were asked for", row)
            self._check_amended(order, row)
            order.amend_at_ns = 0
        kept = ceiling(held * (order.qty - order.filled), before)
        if order.side != Side.BUY or not order.is_market:
            kept = order.needed()
        if held > kept:
            self.accounts[order.account].due.append((order.id, order.reserve_asset, RELEASE, held - kept))

    def _check_amended(self, order: Order, row: Row) -> None:
        """The filters of size and value that an amended order passes again."""
        definition = self.definitions[order.instrument]
        if definition.trading_status != TradingStatus.TRADING:
            self._find("10 amends", f"amended with trading status {definition.trading_status}", row)
        if order.qty < definition.min_qty or 0 < definition.max_qty < order.qty:
            self._find("4.3 lot size", f"amended to {order.qty} lots", row)
        price = order.trigger if order.is_market else order.price
        worth = price * order.qty * definition.num // definition.den
        if order.order_type != OrderType.MARKET and worth < definition.min_notional:
            self._find("4.5 minimum notional", f"amended to a value of {worth}", row)
