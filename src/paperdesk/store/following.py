"""What outputs make of rows: the projections in memory, before they are written.

A `Follower` takes the outputs of one run in order and keeps what it takes to go on (live orders, balances, positions,
accounts, bots); rows of what only grows pile up in `grown` until `projections` has written them. It decides nothing:
each number is the fold's. Outputs come as plain tuples, one `OUTPUT_ROW` each; payload places are those of
`domain.events`.
"""

from collections.abc import Callable
from typing import Any, Final

from paperdesk.domain.events import FillModel, OutputKind, Side
from paperdesk.domain.orders import ALLOWED, LIVE, OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.ledger.journal import BUCKETS, Purpose
from paperdesk.store.errors import StoreError
from paperdesk.store.order_rows import PAPER, STATUS_TEXT, Order, sent
from paperdesk.store.position import averaged
from paperdesk.store.reading import (
    ACCOUNT,
    ASSET,
    BOT,
    BUCKET_NAMES,
    FEE_ASSET,
    FLAGS,
    INSTRUMENT,
    KIND,
    KINDS,
    LIQUIDITIES,
    LIQUIDITY,
    NUMBER,
    ORDER_ID,
    OUTPUT_ROW,
    PAYLOAD,
    PURPOSES,
    REASON,
    RULE,
    RULES,
    SEQ,
    SIDE,
    SIDES,
    TS,
    VERSION,
    Grid,
    Output,
    decimal_text,
    reason_name,
)

PAY, RECEIVE, RESERVE, RELEASE = int(Purpose.PAY), int(Purpose.RECEIVE), int(Purpose.RESERVE), int(Purpose.RELEASE)
BUY: Final = int(Side.BUY)
NO_LIMITS: Final = [0] * 6
ENDS: Final = {
    int(OutputKind.ORDER_REJECTED): OrderStatus.REJECTED,
    int(OutputKind.ORDER_CANCELED): OrderStatus.CANCELED,
    int(OutputKind.ORDER_EXPIRED): OrderStatus.EXPIRED,
}
WRITTEN: Final = ("epochs", "fills", "receipts", "decreases", "postings", "equity", "refusals", "signals")
"""Tables of what only grows."""


class Follower:
    """The rows of one run in memory, and which of them changed since `written`."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.scales: dict[int, int] = {}
        self.grids: dict[tuple[int, int], Grid] = {}
        self.orders: dict[tuple[int, int], Order] = {}
        self.balances: dict[tuple[int, int], list[int]] = {}
        self.positions: dict[tuple[int, int, int, int], list[int]] = {}
        self.accounts: dict[int, list[Any]] = {}
        self.bots: dict[tuple[int, int], list[Any]] = {}
        self.conversions: dict[tuple[int, int], tuple[int, int]] = {}
        self.killed = 0
        self.grown: dict[str, list[tuple[Any, ...]]] = {name: [] for name in WRITTEN}
        self.changed_orders: dict[tuple[int, int], Order] = {}
        self.changed: dict[str, set[Any]] = {
            name: set() for name in ("balances", "positions", "accounts", "bots", "conversions")
        }
        self._open_fill: Output | None = None
        self._handlers = self._handler_table()

    def take(self, data: bytes) -> None:
        """Follow outputs, whole inputs of them; StoreError where they cannot follow what came before."""
        handlers = self._handlers
        for row in OUTPUT_ROW.iter_unpack(data):
            handler = handlers.get(row[KIND])
            if handler is not None:
                handler(row)
        if self._open_fill is not None:
            raise StoreError(
                f"The fill at seq {self._open_fill[SEQ]} has no payment: the record is not whole; "
                "run `paperdesk db check`."
            )

    def written(self) -> None:
        """Everything changed so far is in the database: forget done orders."""
        for rows in self.grown.values():
            rows.clear()
        for key, order in self.changed_orders.items():
            order.is_new = False
            if order.status not in LIVE:
                self.orders.pop(key, None)
        self.changed_orders.clear()
        for keys in self.changed.values():
            keys.clear()

    def bot(self, account: int, bot: int) -> list[Any]:
        """A bot's row to change: name, registered_seq, killed, stopped, stop_text, limits."""
        self.changed["bots"].add((account, bot))
        return self.bots.setdefault((account, bot), [None, 0, 0, 0, None, *NO_LIMITS])

    def _handler_table(self) -> dict[int, Callable[[Output], None]]:
        table = {
            OutputKind.POSTING: self._posting,
            OutputKind.FILL: self._fill,
            OutputKind.EQUITY: self._equity,
            OutputKind.SIGNAL_STATED: self._signal_stated,
            OutputKind.ORDER_SUBMITTED: self._submitted,
            OutputKind.ORDER_DENIED: self._submitted,
            OutputKind.ORDER_ACCEPTED: self._moved,
            OutputKind.ORDER_TRIGGERED: self._moved,
            OutputKind.ORDER_ACTIVATED: self._moved,
            OutputKind.CANCEL_REQUESTED: self._moved,
            OutputKind.LEG_ACTIVATED: self._moved,
            OutputKind.ORDER_REJECTED: self._ended,
            OutputKind.ORDER_CANCELED: self._ended,
            OutputKind.ORDER_EXPIRED: self._ended,
            OutputKind.CANCEL_REJECTED: self._refused,
            OutputKind.AMEND_REQUESTED: self._amend_requested,
            OutputKind.AMEND_REJECTED: self._amend_rejected,
            OutputKind.ORDER_DECREASED: self._decreased,
            OutputKind.COMMAND_REFUSED: self._refused,
            OutputKind.EVENT_REFUSED: self._refused,
            OutputKind.ACCOUNT_OPENED: self._account_opened,
            OutputKind.EPOCH_STARTED: self._epoch_started,
            OutputKind.BOT_REGISTERED: self._bot_registered,
            OutputKind.CONVERSION_DECLARED: self._conversion_declared,
            OutputKind.LIMITS_SET: self._limits_set,
            OutputKind.KILLED: self._switched,
            OutputKind.RESUMED: self._switched,
        }
        return {int(kind): handler for kind, handler in table.items()}

    def _epoch(self, account: int) -> int:
        return self.accounts[account][5]

    def _order(self, row: Output) -> Order:
        order = self.orders.get((row[ACCOUNT], row[ORDER_ID]))
        if order is None:
            raise self._impossible(row, "but the order is not live")
        self.changed_orders[row[ACCOUNT], row[ORDER_ID]] = order
        order.updated_seq, order.updated_ns = row[SEQ], row[TS]
        return order

    def _impossible(self, row: Output, why: str) -> StoreError:
        return StoreError(
            f"The record of run {self.run} says {KINDS.get(row[KIND], row[KIND])} for order "
            f"PAPER-{row[ACCOUNT]}-{row[ORDER_ID]} at seq {row[SEQ]}, "
            f"{why}; run `paperdesk db check`: the log or the database is damaged."
        )

    def _set_status(self, order: Order, status: OrderStatus, row: Output) -> None:
        if not ALLOWED[order.status][status]:
            raise self._impossible(row, f"but it was {STATUS_TEXT[order.status]}")
        order.status = status

    def _submitted(self, row: Output) -> None:
        account, order_id = row[ACCOUNT], row[ORDER_ID]
        grid = self.grids.get((row[INSTRUMENT], row[VERSION]))
        order = sent(row, (self.run, self._epoch(account)), grid)
        if (account, order_id) in self.orders:
            raise self._impossible(row, "but the number is taken")
        self.orders[account, order_id] = order
        self._order(row)
        denied = row[KIND] == OutputKind.ORDER_DENIED
        self._set_status(order, OrderStatus.DENIED if denied else OrderStatus.SUBMITTED, row)
        if denied:
            order.reason = row[REASON]
            self._refused(row)

    def _moved(self, row: Output) -> None:
        order, kind = self._order(row), row[KIND]
        if kind == OutputKind.ORDER_ACCEPTED:
            self._set_status(order, OrderStatus.ACCEPTED, row)
        elif kind == OutputKind.ORDER_TRIGGERED:
            order.triggered_seq = row[SEQ]
            order.triggered_ticks, order.peak_ticks = row[PAYLOAD : PAYLOAD + 2]
        elif kind == OutputKind.LEG_ACTIVATED:
            order.placed_seq, order.qty_lots = row[SEQ], row[PAYLOAD + 1]
        elif kind == OutputKind.ORDER_ACTIVATED:
            order.activated_seq = row[SEQ]
            order.activated_ticks, order.peak_ticks = row[PAYLOAD : PAYLOAD + 2]
        else:
            order.cancel_at_ns = row[PAYLOAD + 7]

    def _ended(self, row: Output) -> None:
        order = self._order(row)
        self._set_status(order, ENDS[row[KIND]], row)
        order.reason = row[REASON]
        if row[REASON] == Reason.EXPIRED_IN_MATCH:
            order.met_order = row[PAYLOAD + 7]
        if row[REASON] != Reason.USER_CANCELED:
            self._refused(row)

    def _amend_requested(self, row: Output) -> None:
        order = self._order(row)
        order.amend_lots, order.amend_at_ns = row[PAYLOAD + 1], row[PAYLOAD + 3]

    def _amend_rejected(self, row: Output) -> None:
        order = self.orders.get((row[ACCOUNT], row[ORDER_ID]))
        if order is not None and order.status in LIVE and order.amend_at_ns <= row[TS]:
            order = self._order(row)
            order.amend_lots = order.amend_at_ns = 0
        self._refused(row)

    def _decreased(self, row: Output) -> None:
        order, lots = self._order(row), row[PAYLOAD + 1]
        met = row[PAYLOAD + 7] if row[REASON] else 0
        place = (self.run, row[SEQ], row[NUMBER], PAPER, row[TS], row[ACCOUNT], row[ORDER_ID], order.qty_lots, lots)
        reason = (row[REASON], reason_name(row[REASON]) if row[REASON] else None)
        self.grown["decreases"].append((*place, met, *reason))
        order.qty_lots = lots
        if row[REASON] == 0:
            order.amend_lots = order.amend_at_ns = 0

    def _refused(self, row: Output) -> None:
        who = (row[ACCOUNT], row[BOT], row[INSTRUMENT], row[ORDER_ID])
        place = (self.run, row[SEQ], row[NUMBER], row[TS])
        self.grown["refusals"].append((*place, KINDS[row[KIND]], *who, row[REASON], reason_name(row[REASON])))

    def _fill(self, row: Output) -> None:
        order, account = self._order(row), row[ACCOUNT]
        price, lots, fill_id, quote, fee, realized, *receipt = row[PAYLOAD : PAYLOAD + 13]
        order.filled_lots += lots
        order.fills += 1
        order.quote_units += quote
        order.fee_units += fee
        whole = order.filled_lots == order.qty_lots
        self._set_status(order, OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED, row)
        grid, scale, fee_scale = (
            self.grids.get((row[INSTRUMENT], row[VERSION])),
            self.scales.get(row[ASSET]),
            self.scales.get(row[FEE_ASSET]),
        )
        texts = (
            grid.price(price) if grid else None,
            grid.quantity(lots) if grid else None,
            None if scale is None else decimal_text(quote, scale),
            None if fee_scale is None else decimal_text(fee, fee_scale),
            None if scale is None else decimal_text(realized, scale),
        )
        key = (self.run, account, fill_id, PAPER, row[ORDER_ID], row[SEQ])
        place = (
            row[NUMBER],
            row[TS],
            self._epoch(account),
            row[BOT],
            row[INSTRUMENT],
            row[VERSION],
            grid.symbol if grid else None,
        )
        money = (price, lots, row[ASSET], quote, row[FEE_ASSET], fee, realized)
        self.grown["fills"].append((*key, *place, SIDES[row[SIDE]], LIQUIDITIES[row[LIQUIDITY]], *money, *texts))
        waited = (order.arrive_ns - order.submitted_ns, row[TS] - order.submitted_ns)
        shown, front_before, front_after, evidence, *rates = receipt
        self.grown["receipts"].append(
            (*key, RULES[row[RULE]], evidence, shown, front_before, front_after, *rates, *waited)
        )
        self._open_fill = row

    def _posting(self, row: Output) -> None:
        account, asset = row[ACCOUNT], row[ASSET]
        amount, source, target, purpose = row[PAYLOAD : PAYLOAD + 4]
        row_balance = self.balances.get((account, asset))
        if row_balance is None:
            row_balance = self.balances[account, asset] = [0] * BUCKETS
        row_balance[source] -= amount
        row_balance[target] += amount
        self.changed["balances"].add((account, asset))
        if row[ORDER_ID] > 0:
            if purpose == RESERVE:
                self._order(row).reserved_units += amount
            elif purpose in (RELEASE, PAY):
                self._order(row).reserved_units -= amount
        scale = self.scales.get(asset)
        place = (
            self.run,
            row[SEQ],
            row[NUMBER],
            PAPER,
            row[TS],
            account,
            self._epoch(account),
            row[BOT],
            row[ORDER_ID],
            asset,
        )
        what = (PURPOSES[purpose], BUCKET_NAMES[source], BUCKET_NAMES[target], amount)
        self.grown["postings"].append((*place, *what, None if scale is None else decimal_text(amount, scale)))
        fill = self._open_fill
        if fill is not None and purpose == (RECEIVE if fill[SIDE] == BUY else PAY):
            self._open_fill = None
            self._position(fill, 0, amount)
            if fill[BOT] > 0:
                self._position(fill, fill[BOT], amount)

    def _position(self, fill: Output, bot: int, base_units: int) -> None:
        """Take a fill that moved `base_units` into the position of a bot, or (bot 0) of the account."""
        quote, fee = fill[PAYLOAD + 3], fill[PAYLOAD + 4]
        key = (fill[ACCOUNT], self._epoch(fill[ACCOUNT]), bot, fill[INSTRUMENT])
        row = self.positions.setdefault(key, [0, 0, 0, 0])
        if fill[SIDE] == BUY:
            row[0], row[1], gain = averaged(row[0], row[1], base_units - fee, quote)
        else:
            qty, cost, gain = averaged(-row[0], -row[1], base_units, quote - fee, sale=True)
            row[0], row[1] = -qty, -cost
        row[2] += gain
        row[3] += 1
        self.changed["positions"].add(key)

    def _equity(self, row: Output) -> None:
        account, scale = row[ACCOUNT], self.scales.get(row[ASSET])
        place = (
            self.run,
            account,
            row[SEQ],
            row[NUMBER],
            PAPER,
            row[TS],
            self._epoch(account),
            row[ASSET],
            row[FLAGS] & 1,
        )
        text = None if scale is None else decimal_text(row[PAYLOAD], scale)
        self.grown["equity"].append((*place, *row[PAYLOAD : PAYLOAD + 5], text))

    def _signal_stated(self, row: Output) -> None:
        wanted, held, seen, signal, client_id = row[PAYLOAD : PAYLOAD + 5]
        place = (self.run, row[ACCOUNT], signal, PAPER, row[SEQ], row[TS], self._epoch(row[ACCOUNT]))
        what = (row[BOT], row[INSTRUMENT], row[VERSION], wanted, held, seen, client_id)
        why = reason_name(row[REASON]) if row[REASON] else None
        self.grown["signals"].append((*place, *what, row[REASON], why, row[PAYLOAD + 7]))

    def _account_opened(self, row: Output) -> None:
        epoch, source, latency_ns, equity_every_ns, model = row[PAYLOAD : PAYLOAD + 5]
        terms = (row[SEQ], row[TS], row[ASSET], latency_ns, equity_every_ns)
        opened = [*terms, epoch, source, 0, *NO_LIMITS, FillModel(model).name.lower()]
        self.accounts[row[ACCOUNT]] = opened
        self._begin_epoch(row)

    def _epoch_started(self, row: Output) -> None:
        self.accounts[row[ACCOUNT]][5:7] = row[PAYLOAD : PAYLOAD + 2]
        for key in [key for key in self.positions if key[0] == row[ACCOUNT] and key not in self.changed["positions"]]:
            del self.positions[key]
        self._begin_epoch(row)

    def _begin_epoch(self, row: Output) -> None:
        self.changed["accounts"].add(row[ACCOUNT])
        epoch, source = row[PAYLOAD : PAYLOAD + 2]
        self.grown["epochs"].append((self.run, row[ACCOUNT], epoch, PAPER, source, row[SEQ], row[TS]))

    def _bot_registered(self, row: Output) -> None:
        self.bot(row[ACCOUNT], row[BOT])[1] = row[SEQ]

    def _conversion_declared(self, row: Output) -> None:
        key = (row[ACCOUNT], row[ASSET])
        self.conversions[key] = (row[INSTRUMENT], row[FLAGS] & 1)
        self.changed["conversions"].add(key)

    def _limits_set(self, row: Output) -> None:
        if row[BOT] == 0:
            self.accounts[row[ACCOUNT]][8:14] = row[PAYLOAD : PAYLOAD + 6]
            self.changed["accounts"].add(row[ACCOUNT])
        else:
            self.bot(row[ACCOUNT], row[BOT])[5:11] = row[PAYLOAD : PAYLOAD + 6]

    def _switched(self, row: Output) -> None:
        on = int(row[KIND] == OutputKind.KILLED)
        if row[ACCOUNT] < 0:
            self.killed = on
        elif row[BOT] <= 0:
            self.accounts[row[ACCOUNT]][7] = on
            self.changed["accounts"].add(row[ACCOUNT])
        else:
            bot = self.bot(row[ACCOUNT], row[BOT])
            if row[REASON] == Reason.BOT_STOPPED:
                bot[3] = on
            else:
                bot[2] = on
                bot[3] = bot[3] if on else 0
