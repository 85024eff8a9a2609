"""What the auditor holds of amends and cancels, and of orders of one account that would meet (docs/venue-rules.md, sections 5, 10)."""

from typing import Final

from paperdesk.domain.events import (
    SELF_TRADE_SHIFT,
    InputKind,
    OrderType,
    OutputKind,
    SelfTrade,
    Side,
    TimeInForce,
    TradingStatus,
)
from paperdesk.domain.orders import MOVES, OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.store.audit_books import RELEASE, Account, Order, ceiling
from paperdesk.store.audit_desk import AuditedDesk
from paperdesk.store.audit_market import Given
from paperdesk.store.audit_report import (
    ACCOUNT,
    BOT,
    CAUSE,
    FLAGS,
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
MODES: Final = frozenset(int(mode) for mode in SelfTrade)


class AuditedChanges(AuditedDesk):
    """Orders that change by request."""

    def _end_input(self, given: Given) -> None:
        if self._entered:
            self._check_rivals()
        super()._end_input(given)

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
        too_soon = (order.status, status, order.is_pending) == (OrderStatus.SUBMITTED, OrderStatus.EXPIRED, False)
        if too_soon or status not in MOVES[order.status]:
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
        else:
            self._check_met(order, row)
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
        valued = order.order_type != OrderType.MARKET and price > 0
        if valued and worth < definition.min_notional:
            self._find("4.5 minimum notional", f"amended to a value of {worth}", row)

    def _mode_set(self, row: Row) -> None:
        """What an account's orders do that name no self-trade mode."""
        self._answered = True
        account, given, mode = self.accounts.get(row[ACCOUNT]), self._given, row[FLAGS] >> SELF_TRADE_SHIFT & 7
        asked = None if given is None else (given.kind, given.account, given.head[4] >> SELF_TRADE_SHIFT & 7)
        if account is None or asked != (InputKind.SET_SELF_TRADE, row[ACCOUNT], mode) or mode not in MODES:
            self._find("5 self-trade", f"mode {mode} set where {asked} was asked", row)
        else:
            account.self_trade = mode

    def _check_mode(self, order: Order, account: Account, row: Row) -> None:
        """The mode an order was sent with: its own, or the account's."""
        given, said = self._given, row[FLAGS] >> SELF_TRADE_SHIFT & 7
        asked = 0 if given is None else given.head[4] >> SELF_TRADE_SHIFT & 7
        due = asked or account.self_trade
        if row[PAYLOAD + 6] > 0 and due == SelfTrade.DECREMENT:
            due = SelfTrade.EXPIRE_MAKER
        if said != due or said not in MODES or (asked == SelfTrade.DECREMENT and row[PAYLOAD + 6] > 0):
            self._find("5 self-trade", f"mode {said} where {due} is due", row)
        order.self_trade = said

    def _check_met(self, order: Order, row: Row) -> None:
        """Whoever ended or shrank because of an own order crosses it, on the other side, and one of both wants it so."""
        account, number = self.accounts[order.account], row[CAUSE]
        other = account.orders.get(number)
        if other is None or other.instrument != order.instrument or other.side == order.side:
            self._find("5 self-trade", f"order {number}, which it met, is no own order of the other side", row)
            return
        buy, sell = (order, other) if order.side == Side.BUY else (other, order)
        if not buy.is_market and not sell.is_market and buy.price < sell.price:
            self._find("5 self-trade", f"it met order {number} without crossing it", row)
        modes = {order.self_trade, other.self_trade} - {SelfTrade.NONE}
        if not modes or (row[KIND] == OutputKind.ORDER_DECREASED and SelfTrade.DECREMENT not in modes):
            self._find("5 self-trade", f"neither it nor order {number} has a mode that does so", row)

    def _check_rivals(self) -> None:
        """No order that cares waits across an own order that waits: it would have met it."""
        for order in self._entered:
            account = self.accounts[order.account]
            if not waits(order) or order.self_trade == SelfTrade.NONE:
                continue
            for other in account.orders.values():
                if other.instrument == order.instrument and other.side != order.side and waits(other):
                    buy, sell = (order, other) if order.side == Side.BUY else (other, order)
                    if buy.price >= sell.price and other not in self._entered:
                        self._find("5 self-trade", f"it waits across order {other.id} of its own account", order=order)
        self._entered.clear()


def waits(order: Order) -> bool:
    """Whether an order is live at the venue with a limit price, its trigger (if any) reached, and stays there."""
    triggered = order.order_type < OrderType.STOP_MARKET or order.triggered_seq > 0
    stays = order.time_in_force in (TimeInForce.GTC, TimeInForce.GTD)
    return order.is_unfinished and order.status != OrderStatus.SUBMITTED and not order.is_market and triggered and stays
