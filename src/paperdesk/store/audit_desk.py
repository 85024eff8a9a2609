"""The auditor's desk: accounts, definitions and markets, the money outputs, and what holds at the end of each input."""

from typing import Final

from paperdesk.domain.events import FillModel, InputKind, OutputKind
from paperdesk.domain.reasons import Reason
from paperdesk.store.audit_books import (
    CLOSING,
    FREE,
    MOVES_OF,
    OPENING,
    PURPOSE_NAMES,
    RELEASE,
    RESERVE,
    RESERVED,
    Account,
    Order,
)
from paperdesk.store.audit_lists import Lists, wrong_at_end
from paperdesk.store.audit_market import Definition, Given, Market
from paperdesk.store.audit_report import (
    ACCOUNT,
    ASSET,
    BOT,
    CAUSE,
    FLAGS,
    INSTRUMENT,
    KEPT_FINDINGS,
    KIND,
    ORDER_ID,
    PAYLOAD,
    REASON,
    SEQ,
    VERSION,
    AuditFinding,
    AuditReport,
    Row,
)

MARKET_KINDS: Final = frozenset(int(kind) for kind in InputKind if kind < InputKind.DEFINE_ASSET)
SILENT: Final = frozenset({InputKind.CANCEL_ALL})
"""Commands that may have no output."""
CANCELS: Final[dict[int, frozenset[InputKind]]] = {
    Reason.USER_CANCELED: frozenset(InputKind),
    Reason.LIST_ENDED: frozenset(InputKind),
    Reason.WRONG_SOURCE: frozenset({InputKind.BIND_SOURCE}),
    Reason.KILL_SWITCH: frozenset({InputKind.KILL, InputKind.STOP_BOT}),
    Reason.EPOCH_ENDED: frozenset({InputKind.RESET_ACCOUNT}),
    Reason.INSTRUMENT_CHANGED: frozenset({InputKind.DEFINE_INSTRUMENT}),
    Reason.DELISTED: frozenset({InputKind.DEFINE_INSTRUMENT}),
}
"""Reason of an ORDER_CANCELED → kinds of input that can cause it."""


class AuditedDesk:
    """Books and markets as far as outputs have told; `report` grows."""

    def __init__(self) -> None:
        self.report = AuditReport()
        self.accounts: dict[int, Account] = {}
        self.definitions: dict[int, Definition] = {}
        self.markets: dict[int, Market] = {}
        self.source = 0
        self.killed = False
        self._given: Given | None = None
        self._before_ns = 0
        """Time of the input before the current one."""
        self._number = 0
        self._seen = self._refused = self._answered = False
        self._flow: dict[int, int] = {}
        self._touched: dict[tuple[int, int], Order] = {}
        self._rows: set[tuple[int, int]] = set()
        self._lists = Lists()
        self._entered: list[Order] = []
        """Orders that were accepted or triggered by this input: who executed, and may wait now."""
        self._stopped: list[tuple[int, int]] = []
        """Scopes (account, bot) whose orders this input must end."""

    def _end_input(self, given: Given) -> None:
        kind = given.kind
        if kind in MARKET_KINDS:
            if not self._seen:
                self._see(given)
        elif kind == InputKind.BIND_SOURCE:
            self._bind(given.payload()[3])
        elif kind >= InputKind.OPEN_ACCOUNT and not self._answered and kind not in SILENT:
            self._find("10 commands", f"a command of kind {kind} was neither done nor refused")
        for account, bot in self._stopped:
            for owner in self.accounts.values() if account < 0 else [self.accounts[account]]:
                for order in owner.orders.values():
                    if order.is_unfinished and bot in (0, order.bot):
                        self._find("10 kill", "an order outlives the kill of its scope", order=order)
        self._stopped.clear()
        if kind == InputKind.DEFINE_INSTRUMENT:
            self._check_grid(given.instrument)
        for rule, what in self._lists.wrong_when_sent():
            self._find(rule, what)
        if self._touched or self._rows:
            self._check_books()

    def _bind(self, source: int) -> None:
        """Another source: markets start anew, and no order of an account that is not bound to it lives on."""
        if source == self.source:
            return
        self.source = source
        for number, old in self.markets.items():
            self.markets[number] = Market()
            self.markets[number].status = old.status
        for account in self.accounts.values():
            for order in account.orders.values():
                if order.is_unfinished and account.source != source:
                    self._find("3.5 source", "an order outlives its account's source", order=order)

    def _check_books(self) -> None:
        """Reserves are what live orders need; nothing is negative; each fill was posted whole."""
        for (number, order_id), order in self._touched.items():
            account = self.accounts[number]
            account.count(order)
            if order.reserved != order.counted:
                self._find("7 reserves", f"it holds {order.reserved} units and needs {order.counted}", order=order)
            if not order.is_unfinished:
                account.orders.pop(order_id, None)
            self._rows.add((number, order.reserve_asset))
        lists = {(number, order.list_id) for (number, _), order in self._touched.items() if order.list_id}
        for number, list_id in sorted(lists):
            for order, what in wrong_at_end(self.accounts[number], [list_id]):
                self._find("11 lists", what, order=order)
        self._touched.clear()
        for number, asset in sorted(self._rows):
            account = self.accounts[number]
            buckets, held = account.row(asset), account.held.get(asset, 0)
            if sum(buckets) != 0:
                self._find("1 trial balance", f"the buckets of asset {asset} sum to {sum(buckets)}", account=number)
            if buckets[FREE] < 0 or buckets[RESERVED] < 0:
                self._find(
                    "1 balances", f"free {buckets[FREE]}, reserved {buckets[RESERVED]} of asset {asset}", account=number
                )
            if buckets[RESERVED] != held:
                self._find(
                    "7 reserves",
                    f"{buckets[RESERVED]} of asset {asset} are reserved, live orders need {held}",
                    account=number,
                )
            if account.due:
                self._find("7 postings", f"{len(account.due)} postings of a fill are missing", account=number)
                account.due.clear()
        self._rows.clear()

    def _check_grid(self, instrument: int) -> None:
        definition = self.definitions.get(instrument)
        for account in self.accounts.values():
            for order in account.orders.values():
                if (
                    order.instrument == instrument
                    and order.is_unfinished
                    and definition is not None
                    and not definition.same_grid(order.definition)
                ):
                    self._find("10 definitions", "an order outlives its grid", order=order)

    def _see(self, given: Given) -> None:
        """Let the current market input change the view (once), unless it was refused."""
        self._seen = True
        market = self.markets.get(given.instrument)
        if market is not None and not self._refused:
            market.take(given)

    def _posted(self, row: Row) -> None:
        account = self.accounts.get(row[ACCOUNT])
        amount, source, target, purpose = row[PAYLOAD : PAYLOAD + 4]
        if account is None or amount <= 0 or MOVES_OF.get(purpose) != (source, target):
            self._find("1 postings", f"{amount} units from bucket {source} to {target}, purpose {purpose}", row)
            return
        self.report.postings += 1
        name, order = PURPOSE_NAMES[purpose], account.orders.get(row[ORDER_ID])
        if account.due:
            due = account.due.popleft()
            if due != (row[ORDER_ID], row[ASSET], purpose, amount):
                self._find(
                    "7 postings",
                    f"{name} of {amount} of asset {row[ASSET]} where {PURPOSE_NAMES[due[2]]} of {due[3]} of {due[1]} "
                    "is due",
                    row,
                )
                account.due.clear()
        elif purpose in (RESERVE, RELEASE):
            if order is None or row[ASSET] != order.reserve_asset:
                self._find("7 reserves", f"{name} of asset {row[ASSET]} without an order that holds it", row)
            elif purpose == RESERVE and row[SEQ] != order.submitted_seq and not (order.is_market or order.list_id):
                self._find("7 reserves", "a limit order reserves when it is sent", row)
        elif purpose in (OPENING, CLOSING):
            self._deposited(account, purpose, amount, row)
        else:
            self._find("7 postings", f"{name} of {amount} without a fill", row)
        buckets = account.row(row[ASSET])
        buckets[source] -= amount
        buckets[target] += amount
        self._rows.add((row[ACCOUNT], row[ASSET]))
        if buckets[FREE] < 0 or buckets[RESERVED] < 0:
            self._find(
                "1 balances", f"{name} of {amount} leaves free {buckets[FREE]}, reserved {buckets[RESERVED]}", row
            )
        if order is not None and RESERVED in (source, target):
            order.reserved += amount if target == RESERVED else -amount
            self._touched[order.account, order.id] = order

    def _deposited(self, account: Account, purpose: int, amount: int, row: Row) -> None:
        given = self._given
        self._answered = True
        if purpose == OPENING:
            if (
                given is None
                or (given.kind, given.account) != (InputKind.DEPOSIT, account.number)
                or given.payload()[:2] != (amount, row[ASSET])
            ):
                self._find("10 deposits", f"{amount} of asset {row[ASSET]} came from nowhere", row)
            if account.epoch_orders > 0:
                self._find("10 deposits", "money came in after the epoch's first order", row)
        elif given is None or (given.kind, given.account) != (InputKind.RESET_ACCOUNT, account.number):
            self._find("10 epochs", "money left outside the end of an epoch", row)

    def _opened(self, row: Row) -> None:
        self._answered = True
        if row[ACCOUNT] in self.accounts or row[PAYLOAD] != 1:
            self._find("10 accounts", f"opened twice, or with epoch {row[PAYLOAD]}", row)
        epoch, source, latency_ns, _, fill_model = row[PAYLOAD : PAYLOAD + 5]
        opened = Account(row[ACCOUNT], row[ASSET], epoch, source, latency_ns, FillModel(fill_model))
        self.accounts[row[ACCOUNT]] = opened

    def _epoch_started(self, row: Row) -> None:
        account, given = self.accounts.get(row[ACCOUNT]), self._given
        self._answered = True
        if (
            account is None
            or given is None
            or given.kind != InputKind.RESET_ACCOUNT
            or row[PAYLOAD] != account.epoch + 1
        ):
            self._find("10 epochs", f"epoch {row[PAYLOAD]} out of turn", row)
            return
        if any(order.is_unfinished for order in account.orders.values()) or any(
            buckets[FREE] or buckets[RESERVED] for buckets in account.buckets.values()
        ):
            self._find("10 epochs", "the old epoch left orders or money behind", row)
        account.epoch, account.source, account.epoch_orders = row[PAYLOAD], row[PAYLOAD + 1], 0
        account.positions.clear()
        account.terms.forget()

    def _switched(self, row: Row) -> None:
        self._answered = True
        on, account, bot = row[KIND] == OutputKind.KILLED, self.accounts.get(row[ACCOUNT]), row[BOT]
        if row[ACCOUNT] < 0:
            self.killed = on
        elif account is None or (bot > 0 and bot not in account.bots):
            self._find("10 kill", f"account {row[ACCOUNT]} or bot {bot} do not exist", row)
            return
        elif bot <= 0:
            account.killed = on
        else:
            account.bots[bot] = "killed or stopped" if on else ""
        if on:
            self._stopped.append((row[ACCOUNT], max(bot, 0)))

    def _registered(self, row: Row) -> None:
        self._answered = True
        account = self.accounts.get(row[ACCOUNT])
        if account is None or row[BOT] in account.bots or row[BOT] <= 0:
            self._find("10 bots", f"bot {row[BOT]} registered twice, or nowhere", row)
        else:
            account.bots[row[BOT]] = ""

    def _changed(self, row: Row) -> None:
        given = self._given
        if (
            given is None
            or given.kind != InputKind.DEFINE_INSTRUMENT
            or (given.instrument, given.version) != (row[INSTRUMENT], row[VERSION])
        ):
            self._find("10 definitions", f"instrument {row[INSTRUMENT]} changed without a definition", row)
            return
        old, new = self.definitions.get(row[INSTRUMENT]), given.definition()
        if new.version != (1 if old is None else old.version + 1):
            self._find("10 definitions", f"version {new.version} follows {0 if old is None else old.version}", row)
        if old is None or not new.same_grid(old):
            status = self.markets[row[INSTRUMENT]].status if old is not None else 0
            self.markets[row[INSTRUMENT]] = Market()
            self.markets[row[INSTRUMENT]].status = status
        self.definitions[row[INSTRUMENT]] = new

    def _refusal(self, row: Row) -> None:
        given = self._given
        self._answered = True
        if given is None or row[REASON] == 0 or row[CAUSE] != given.kind:
            self._find("10 reasons", f"refused with reason {row[REASON]} for an input of kind {row[CAUSE]}", row)
        self._refused = self._refused or row[KIND] == OutputKind.EVENT_REFUSED

    def _cancel_rejected(self, row: Row) -> None:
        self._answered = True
        order = self.accounts[row[ACCOUNT]].orders.get(row[ORDER_ID]) if row[ACCOUNT] in self.accounts else None
        if row[REASON] == 0 or (row[REASON] == Reason.ORDER_DONE and order is not None and order.is_unfinished):
            self._find("10 cancels", f"rejected with reason {row[REASON]}", row)

    def _valued(self, row: Row) -> None:
        if not row[FLAGS] & 1 and row[PAYLOAD] > row[PAYLOAD + 2]:
            self._find("9 peak", f"equity {row[PAYLOAD]} above its peak {row[PAYLOAD + 2]}", row)

    def _done(self, row: Row) -> None:
        self._answered = True

    def _terms_set(self, row: Row) -> None:
        self._answered = True
        account, given = self.accounts.get(row[ACCOUNT]), self._given
        if account is None or given is None or given.kind not in (InputKind.SET_LATENCIES, InputKind.SET_FEE_TIERS):
            self._find("10 terms", "terms of trade set by nothing that sets them", row)
        else:
            account.terms.take(given.kind, given.data)

    def _signal_stated(self, row: Row) -> None:
        self._answered = True
        account, given = self.accounts.get(row[ACCOUNT]), self._given
        if account is None or given is None or given.kind != InputKind.SIGNAL:
            self._find("10 signals", "a signal stated by nothing that states one", row)
            return
        wanted, held, seen, follows, reason, cause, *_ = given.payload()
        asked = (given.account, given.bot, given.instrument, wanted, held, seen, account.next_signal, follows)
        said = (row[ACCOUNT], row[BOT], row[INSTRUMENT], *row[PAYLOAD : PAYLOAD + 5])
        if (*asked, reason, cause) != (*said, row[REASON], row[CAUSE]):
            self._find("10 signals", f"the signal is {said}, the command was {asked}", row)
        account.next_signal += 1

    def _find(
        self, rule: str, what: str, row: Row | None = None, order: Order | None = None, account: int = -1
    ) -> None:
        """Put a finding on the report."""
        seq = 0 if self._given is None else self._given.seq
        number, order_id = (
            (row[ACCOUNT], row[ORDER_ID])
            if row is not None
            else (order.account, order.id)
            if order is not None
            else (account, 0)
        )
        self.report.found += 1
        if len(self.report.findings) < KEPT_FINDINGS:
            self.report.findings.append(AuditFinding(seq, number, order_id, rule, what))
