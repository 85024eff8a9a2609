"""The independent auditor: what must hold of any run, asserted by another route than the one that made it so.

It reads a run's record (inputs and the outputs that the fold stated) once, in order, and keeps books of its own from
docs/venue-rules.md in plain Python integers; it shares no code with the core beyond the names in `domain`. It does not
decide which orders should have been filled: it holds that what was stated is legal, and paid to the last unit. Each
finding names seq, order and rule. Memory is bounded by what is live.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal

import numpy as np

from paperdesk.domain.events import (
    INPUT_BYTES,
    Evidence,
    FillRule,
    InputKind,
    OrderType,
    OutputKind,
    Side,
    TimeInForce,
    TradingStatus,
    stored_bytes,
)
from paperdesk.domain.orders import OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.store.audit_books import Account, Order
from paperdesk.store.audit_desk import CANCELS
from paperdesk.store.audit_lists import LIST_ID, LIST_LEG, activated, asked_of, said_of
from paperdesk.store.audit_market import BEST_FIRST, Definition, FillFacts, Given, wrong_with_fill
from paperdesk.store.audit_report import (
    ACCOUNT,
    ASSET,
    BOT,
    CAUSE,
    FEE_ASSET,
    FLAGS,
    INSTRUMENT,
    KIND,
    LIQUIDITY,
    NUMBER,
    ORDER_ID,
    ORDER_TYPE,
    PAYLOAD,
    REASON,
    ROW,
    RULE,
    SEQ,
    SIDE,
    TIME_IN_FORCE,
    TS,
    AuditFinding,
    AuditReport,
    Row,
)
from paperdesk.store.audit_trails import AuditedTrails, wrong_on_arrival

__all__ = ["AuditFinding", "AuditReport", "Auditor", "audit"]

Record = (
    tuple[Literal["input"], bytes]
    | tuple[Literal["outputs"], np.ndarray[Any, Any]]
    | tuple[Literal["note"], dict[str, Any]]
)
WHOLE: Final = frozenset({Reason.NOTIONAL_TOO_LARGE, Reason.QUOTE_QUANTITY_REACHED})
"""Why a fill-or-kill order may end partly filled."""
ENDS: Final = {
    int(OutputKind.ORDER_REJECTED): OrderStatus.REJECTED,
    int(OutputKind.ORDER_CANCELED): OrderStatus.CANCELED,
    int(OutputKind.ORDER_EXPIRED): OrderStatus.EXPIRED,
}


def audit(records: Iterable[Record]) -> AuditReport:
    """Audit a run's record from its first input on; notes are passed over."""
    auditor = Auditor()
    for kind, record in records:
        if kind == "input":
            auditor.take_input(record)  # type: ignore[arg-type]
        elif kind == "outputs":
            auditor.take_outputs(record)  # type: ignore[arg-type]
    return auditor.finish()


MOST_COUNTED: Final = 2**60
"""A fill worth more counts towards no fee tier."""


class Auditor(AuditedTrails):
    """Takes a record piece by piece; `report` grows."""

    def __init__(self) -> None:
        super().__init__()
        self._takers = self._taker_table()

    def take_input(self, data: bytes) -> None:
        """The next input, as the log stores it."""
        before = self._given
        if before is not None:
            self._end_input(before)
        given = self._given = Given(data.ljust(INPUT_BYTES, b"\0"))
        self._before_ns = 0 if before is None else before.ts_ns
        self.report.inputs += 1
        if given.seq != (1 if before is None else before.seq + 1):
            self._find("2 order", f"seq {given.seq} follows {0 if before is None else before.seq}")
        if given.ts_ns < self._before_ns:
            self._find("2 time", f"time goes back from {self._before_ns} to {given.ts_ns}")
        if len(data) != stored_bytes(given.kind):
            self._find("2 order", f"an input of kind {given.kind} has {len(data)} bytes")
        self._number, self._seen, self._refused, self._answered = 0, False, False, False
        if self._flow:
            self._flow = {}

    def take_outputs(self, rows: np.ndarray[Any, Any]) -> None:
        """Outputs of the current input, shape (n,) of OUTPUT."""
        given = self._given
        for row in ROW.iter_unpack(rows.tobytes()):
            self.report.outputs += 1
            if given is None or (row[SEQ], row[TS], row[NUMBER]) != (given.seq, given.ts_ns, self._number):
                self._find(
                    "2 causes",
                    f"output {row[NUMBER]} is stamped seq {row[SEQ]}, time {row[TS]}; output {self._number} is due",
                    row,
                )
            self._number = row[NUMBER] + 1
            account = self.accounts.get(row[ACCOUNT])
            if account is not None and account.due and row[KIND] != OutputKind.POSTING:
                self._find("7 postings", f"{len(account.due)} postings of a fill are missing", row)
                account.due.clear()
            taker = self._takers.get(row[KIND])
            if taker is None:
                self._find("2 outputs", f"there is no output kind {row[KIND]}", row)
            else:
                taker(row)

    def finish(self) -> AuditReport:
        """Nothing follows; the report."""
        if self._given is not None:
            self._end_input(self._given)
            self._given = None
        return self.report

    def _submitted(self, row: Row) -> None:
        given, account, definition = self._given, self.accounts.get(row[ACCOUNT]), self.definitions.get(row[INSTRUMENT])
        if given is None or account is None or definition is None:
            self._find("3.1 submitting", "account or instrument do not exist", row)
            return
        self._answered = True
        self.report.orders += 1
        if row[ORDER_ID] != account.next_order:
            self._find("3 order ids", f"order {row[ORDER_ID]} where {account.next_order} is due", row)
        account.next_order = row[ORDER_ID] + 1
        price, qty, trigger, arrive_ns, client_id = row[PAYLOAD : PAYLOAD + 5]
        asked = asked_of(given, row)
        said = said_of(row, given, (row[ACCOUNT], row[BOT], row[INSTRUMENT]))
        if given.kind == InputKind.SUBMIT_LIST:
            self._lists.sent.append(row)
        if asked != said:
            self._find("3 submitting", f"the order is {said}, the command was {asked}", row)
        if not 0 <= row[CAUSE] < given.seq:
            self._find("2 causes", f"its cause {row[CAUSE]} is no earlier input", row)
        if row[KIND] == OutputKind.ORDER_DENIED:
            if row[REASON] == 0:
                self._find("3 reasons", "denied without a reason", row)
            return
        self._check_allowed(account, definition, given, row)
        order = account.orders[row[ORDER_ID]] = Order(row[ACCOUNT], row[ORDER_ID], definition)
        order.bot, order.instrument, order.side, order.order_type = (
            row[BOT],
            row[INSTRUMENT],
            row[SIDE],
            row[ORDER_TYPE],
        )
        order.time_in_force, order.client_id = row[TIME_IN_FORCE], client_id
        order.post_only, order.reduce_only = bool(row[FLAGS] & 1), bool(row[FLAGS] & 4)
        self._check_mode(order, account, row)
        order.price, order.trigger, order.qty, order.arrive_ns = price, trigger, qty, arrive_ns
        order.expire_ns, order.budget = row[PAYLOAD + 5 : PAYLOAD + 7]
        order.trail, order.visible = row[PAYLOAD + 8 : PAYLOAD + 10]
        self._keep_trail(order)
        order.submitted_ns, order.submitted_seq = given.ts_ns, given.seq
        order.list_id, order.list_leg = row[LIST_ID], row[LIST_LEG]
        if order.list_id:
            account.lists[order.list_id, order.list_leg % 8] = order
        account.epoch_orders += 1
        self._move(order, OrderStatus.SUBMITTED, row)
        self._touched[order.account, order.id] = order

    def _check_allowed(self, account: Account, definition: Definition, given: Given, row: Row) -> None:
        """What must hold for an order to be let through, apart from limits on risk."""
        if self.killed or account.killed or (row[BOT] > 0 and account.bots.get(row[BOT]) != ""):
            self._find("3.3 kill", "sent while killed, stopped, or by a bot that is not registered", row)
        if account.source != self.source:
            self._find(
                "3.5 source", f"the account is bound to source {account.source}, the data is of {self.source}", row
            )
        if definition.trading_status != TradingStatus.TRADING or given.version != definition.version:
            self._find(
                "3.6 instrument",
                f"trading status {definition.trading_status}, version {given.version} of {definition.version}",
                row,
            )
        if row[PAYLOAD + 1] <= 0 or row[SIDE] not in (Side.BUY, Side.SELL):
            self._find("3.2 submitting", "no side or no quantity", row)
        takes_ns = account.terms.latency(row[LIST_ID] or row[ORDER_ID], 0)
        if row[PAYLOAD + 3] != given.ts_ns + takes_ns:
            self._find("2 latency", f"arrives at {row[PAYLOAD + 3]}, sent at {given.ts_ns} with {takes_ns} ns", row)

    def _accepted(self, row: Row) -> None:
        order = self._order(row)
        if order is None:
            return
        self._check_arrival(order, row)
        self._move(order, OrderStatus.ACCEPTED, row)
        order.accepted_seq = row[SEQ]
        self._entered.append(order)
        definition = self.definitions[order.instrument]
        prices = (
            0 if order.is_market else order.price,
            order.trigger if order.order_type >= OrderType.STOP_MARKET else 0,
        )
        for price in prices:
            if price > 0 and (price < definition.min_price or 0 < definition.max_price < price):
                self._find("4.2 price filter", f"accepted at {price} ticks", row)
        if order.budget == 0 and (order.qty < definition.min_qty or 0 < definition.max_qty < order.qty):
            self._find("4.3 lot size", f"accepted with {order.qty} lots", row)
        for rule, what in wrong_on_arrival(order, definition):
            self._find(rule, what, row)

    def _check_arrival(self, order: Order, row: Row) -> None:
        """An order arrives with the first input at or after its time."""
        if order.activated_ns or order.is_pending:
            return
        in_time = row[TS] >= order.arrive_ns and (
            row[SEQ] > order.submitted_seq or order.arrive_ns == order.submitted_ns
        )
        if not in_time or (row[SEQ] > order.submitted_seq + 1 and self._before_ns >= order.arrive_ns):
            self._find("2 latency", f"due at {order.arrive_ns}, it arrives at {row[TS]}", row)

    def _filled(self, row: Row) -> None:
        order, given = self._order(row), self._given
        if order is None or given is None:
            return
        self.report.fills += 1
        account, market = self.accounts[order.account], self.markets[order.instrument]
        facts = FillFacts(row[LIQUIDITY], row[RULE], row[PAYLOAD:])
        arriving = (
            order.accepted_seq == row[SEQ]
            and order.triggered_seq == 0
            and (market.evidence, facts.rule) == (Evidence.BOOK, FillRule.BOOK_WALK)
        )
        if not arriving:
            self._see_market(order)
        if facts.lots <= 0 or facts.price <= 0 or order.filled + facts.lots > order.qty:
            self._find(
                "7 quantity", f"{facts.lots} lots at {facts.price} ticks after {order.filled} of {order.qty}", row
            )
        if facts.fill_id != account.next_fill:
            self._find("7 fill ids", f"fill {facts.fill_id} where {account.next_fill} is due", row)
        account.next_fill = facts.fill_id + 1
        if account.source != self.source:
            self._find(
                "3.5 source", f"filled from data of source {self.source}, the account is bound to {account.source}", row
            )
        definition = self.definitions[order.instrument]
        base_fee = row[FEE_ASSET] == (definition.base if order.side == Side.BUY else definition.quote)
        if row[ASSET] != definition.quote or not base_fee:
            self._find("7 fees", f"assets {row[ASSET]}, {row[FEE_ASSET]}", row)
        due = account.terms.tier(row[TS]), account.terms.rate(definition, facts.liquidity, row[TS])
        if (facts.tier, facts.rate) != due:
            self._find("7 fees", f"tier {facts.tier}, rate {facts.rate} for liquidity {facts.liquidity}", row)
        if facts.volume < 0 or (row[ASSET] == account.reporting and facts.volume != facts.quote <= MOST_COUNTED):
            self._find("7 fees", f"{facts.volume} units count towards fee tiers for {facts.quote} traded", row)
        account.terms.count(row[TS], facts.volume)
        cut = account.is_nearly_full(definition.base if order.side == Side.BUY else definition.quote)
        for rule, what in wrong_with_fill(order, facts, market, given, self._flow, account.fill_model):
            if not (cut and rule == BEST_FIRST):
                self._find(rule, what, row)
        for rule, what in account.fill(order, facts):
            self._find(rule, what, row)
        order.brought += facts.lots * definition.base_units_per_lot - facts.fee
        self._move(order, OrderStatus.FILLED if order.filled >= order.qty else OrderStatus.PARTIALLY_FILLED, row)

    def _ended(self, row: Row) -> None:
        order, given = self._order(row), self._given
        if order is None or given is None:
            return
        due = row[TS] >= order.arrive_ns and row[SEQ] > order.submitted_seq and not order.is_pending
        if order.status == OrderStatus.SUBMITTED and row[KIND] == OutputKind.ORDER_CANCELED and due:
            self._find("2 latency", "canceled in flight, after it should have arrived", row)
        self._move(order, ENDS[row[KIND]], row)
        reason = row[REASON]
        if reason == 0:
            self._find("10 reasons", "ended without a reason", row)
        if row[KIND] == OutputKind.ORDER_REJECTED:
            self._check_arrival(order, row)
        if reason == Reason.EXPIRED_IN_MATCH:
            self._check_met(order, row)
        if row[KIND] == OutputKind.ORDER_CANCELED and given.kind not in CANCELS.get(reason, ()):
            self._find("10 cancels", f"canceled {reason} by an input of kind {given.kind}", row)
        if reason == Reason.USER_CANCELED and not 0 < order.cancel_at_ns <= row[TS]:
            self._find("10 cancels", f"canceled at {row[TS]}, the cancel is due at {order.cancel_at_ns}", row)
        if reason == Reason.DEADLINE_PASSED and not max(self._before_ns, order.arrive_ns) < order.expire_ns <= row[TS]:
            self._find("2 deadlines", f"expired at {row[TS]}, its deadline is {order.expire_ns}", row)
        if order.time_in_force == TimeInForce.FOK and order.filled > 0 and reason not in WHOLE:
            self._find("5 fill or kill", f"ended with {order.filled} of {order.qty} lots filled", row)

    def _leg_placed(self, row: Row) -> None:
        order = self._order(row)
        if order is not None:
            for rule, what in activated(self.accounts[order.account], order, row):
                self._find(rule, what, row)
            order.qty, order.activated_ns = row[PAYLOAD + 1], row[TS]

    def _taker_table(self) -> dict[int, Callable[[Row], None]]:
        table = {
            OutputKind.ACCOUNT_OPENED: self._opened,
            OutputKind.POSTING: self._posted,
            OutputKind.CONVERSION_DECLARED: self._done,
            OutputKind.BOT_REGISTERED: self._registered,
            OutputKind.LIMITS_SET: self._done,
            OutputKind.LATENCY_SET: self._terms_set,
            OutputKind.FEE_TIERS_SET: self._terms_set,
            OutputKind.SELF_TRADE_SET: self._mode_set,
            OutputKind.SIGNAL_STATED: self._signal_stated,
            OutputKind.ORDER_SUBMITTED: self._submitted,
            OutputKind.ORDER_DENIED: self._submitted,
            OutputKind.ORDER_ACCEPTED: self._accepted,
            OutputKind.ORDER_REJECTED: self._ended,
            OutputKind.ORDER_TRIGGERED: self._triggered,
            OutputKind.LEG_ACTIVATED: self._leg_placed,
            OutputKind.ORDER_ACTIVATED: self._activated,
            OutputKind.FILL: self._filled,
            OutputKind.ORDER_CANCELED: self._ended,
            OutputKind.ORDER_EXPIRED: self._ended,
            OutputKind.CANCEL_REQUESTED: self._cancel_requested,
            OutputKind.CANCEL_REJECTED: self._cancel_rejected,
            OutputKind.AMEND_REQUESTED: self._amend_requested,
            OutputKind.AMEND_REJECTED: self._amend_rejected,
            OutputKind.ORDER_DECREASED: self._decreased,
            OutputKind.EQUITY: self._valued,
            OutputKind.KILLED: self._switched,
            OutputKind.RESUMED: self._switched,
            OutputKind.COMMAND_REFUSED: self._refusal,
            OutputKind.EVENT_REFUSED: self._refusal,
            OutputKind.EPOCH_STARTED: self._epoch_started,
            OutputKind.INSTRUMENT_CHANGED: self._changed,
        }
        return {int(kind): taker for kind, taker in table.items()}
