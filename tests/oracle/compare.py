"""Both desks side by side: after each input, every output and everything they keep must be the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.desk import Desk
from tests.oracle.ledger import trial_balance
from tests.oracle.records import PLACES, as_tuples, expected, named, to_record
from tests.oracle.risk import counts
from tests.oracle.streams import Stream
from tests.oracle.things import Account, Order, Position, Scope
from tests.oracle.words import BOOK, BUY

from paperdesk.domain.events import OutputKind
from paperdesk.domain.orders import OrderStatus
from paperdesk.engine.fold import Fold
from paperdesk.engine.serial import places_at
from paperdesk.venue.table import ORDER as ORDER_LAYOUT

ORDER = {name: place for place, name in enumerate(ORDER_LAYOUT.names or ())}
ACCOUNT_WORDS = (
    "epoch",
    "source",
    "next_order",
    "next_fill",
    "next_signal",
    "killed",
    "equity_units",
    "peak_units",
    "day_start_units",
    "opening_units",
    "valued",
    "cooldown_until_ns",
)
BOT_WORDS = ("account", "killed", "stopped", "pnl_units", "peak_units", "day_start_units", "cooldown_until_ns")
WITHOUT_ACCOUNT = (int(OutputKind.EVENT_REFUSED), int(OutputKind.INSTRUMENT_CHANGED))
STATUSES = {status.name: int(status) for status in OrderStatus}
Said = dict[str, Any]


@dataclass
class Run:
    """One stream through both desks."""

    seed: int
    inputs: list[dict[str, Any]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    complaint: str = ""


class Pair:
    """The naive desk and the core, fed with the same inputs."""

    def __init__(self, desk: Desk | None = None) -> None:
        self.desk = Desk() if desk is None else desk
        self.fold = Fold()
        self.seen: Counter[str] = Counter()

    def take(self, given: dict[str, Any]) -> str:
        """One input for both; what they disagree about, or nothing."""
        said = self.desk.take(given)
        try:
            rows = as_tuples(self.fold.take(to_record(given)))
        except AssertionError as error:
            return f"the core stopped: {error}"
        self.count(given, said)
        trial_balance(self.desk)
        return compare_outputs(given, said, rows) or compare_states(self.desk, self.fold)

    def count(self, given: dict[str, Any], said: list[Said]) -> None:
        """What has been reached so far: kinds, reasons, rules."""
        self.seen[f"input {given['kind']}"] += 1
        for words in said:
            self.seen[f"output {words['kind']}"] += 1
            if "reason" in words:
                self.seen[f"reason {words['kind']} {words['reason']}"] += 1
            if "rule" in words:
                self.seen[f"rule {words['rule']} {words['liquidity']}"] += 1


def compare_outputs(given: dict[str, Any], said: list[Said], rows: list[tuple[int, ...]]) -> str:
    """Outputs of each account in order; outputs of several accounts may interleave in any way."""
    for number, row in enumerate(rows):
        if (
            row[PLACES["number"]] != number
            or row[PLACES["seq"]] != given["seq"]
            or row[PLACES["ts_seq_ns"]] != given["ts_seq_ns"]
        ):
            return f"output {number} is stamped wrongly: {row}"
    ours = sorted(said, key=lambda words: words.get("account", -2))
    theirs = sorted(rows, key=lambda row: account_of(row))
    for place, words in enumerate(ours):
        if place >= len(theirs):
            return f"the core does not say {words}; it says {len(rows)} of {len(said)} outputs"
        row = theirs[place]
        if any(row[where] != value for where, value in expected(words).items()):
            return f"expected {words}\n     but {named(row, words)}"
    if len(theirs) > len(ours):
        return f"the core also says {named(theirs[len(ours)], {'account': 0, 'order_id': 0, 'reason': 0})}"
    return ""


def account_of(row: tuple[int, ...]) -> int:
    """The account an output belongs to; -2 for those that belong to none."""
    kind = row[PLACES["kind"]]
    return -2 if kind in WITHOUT_ACCOUNT else row[PLACES["account"]]


def compare_states(desk: Desk, fold: Fold) -> str:
    """Everything both keep; the first difference, or nothing."""
    places_at(fold.state)
    state = fold.state[0]
    rows = orders_of_core(state)
    for number, account in desk.accounts.items():
        pairs: list[tuple[str, Any, Any]] = [
            ("account", account_row(account), [int(state["accounts"][number][name]) for name in ACCOUNT_WORDS]),
            ("balances", balances(desk, account), state["balances"][number, : len(desk.scales)].tolist()),
            ("orders", *order_rows(desk, account, rows.get(number, {}))),
            ("positions", positions(desk, account.scope), position_rows(state["account_positions"][number], desk)),
            ("open lots", open_lots(desk, account, 0), open_lot_rows(state["account_positions"][number], desk)),
        ]
        for bot, scope in account.bots.items():
            core = state["bot_positions"][bot]
            pairs.append((f"bot {bot}", bot_row(scope), [int(state["bots"][bot][name]) for name in BOT_WORDS]))
            pairs.append((f"bot {bot} positions", positions(desk, scope), position_rows(core, desk)))
            pairs.append((f"bot {bot} open lots", open_lots(desk, account, bot), open_lot_rows(core, desk)))
        for what, ours, theirs in pairs:
            if ours != theirs:
                return f"account {number}, {what}: expected {ours}\n     but {theirs}"
    return compare_markets(desk, state)


def orders_of_core(state: Any) -> dict[int, dict[int, tuple[int, ...]]]:
    """The core's live orders: account → id → row as a tuple."""
    rows: dict[int, dict[int, tuple[int, ...]]] = {}
    for row in state["orders"][: int(state["n_used_rows"])].tolist():
        if STATUSES["SUBMITTED"] <= row[ORDER["status"]] <= STATUSES["PARTIALLY_FILLED"]:
            rows.setdefault(row[ORDER["account"]], {})[row[ORDER["id"]]] = row
    return rows


def order_rows(desk: Desk, account: Account, core: dict[int, tuple[int, ...]]) -> tuple[list[Any], list[Any]]:
    """Live orders of an account, here and there; front and rank only where an order rests."""
    ours = {
        order.id: {
            "id": order.id,
            "bot": order.bot,
            "instrument": order.instrument,
            "version": order.version,
            "side": order.side,
            "status": STATUSES[order.status],
            "qty_lots": order.qty,
            "amend_lots": account.amends.get(order.id, 0),
            "filled_lots": order.filled,
            "value": order.value,
            "reserved_units": order.reserved,
            "peak_ticks": order.peak,
            "visible_lots": order.visible,
            "taken_lots": order.taken,
            **resting_words(desk, order),
        }
        for order in account.orders.values()
    }
    theirs = {
        number: {name: row[ORDER[name]] for name in ours.get(number, {"id": 0})} for number, row in sorted(core.items())
    }
    return list(ours.values()), list(theirs.values())


def resting_words(desk: Desk, order: Order) -> dict[str, int]:
    """An order's place in the queue, if it has one."""
    if order.place != "resting":
        return {}
    if desk.instruments[order.instrument].market.evidence != BOOK:
        return {"rank": order.rank}
    known = {"most_lots": order.most, "least_lots": order.least, "level_lots": order.level}
    return {**{name: -1 if lots is None else lots for name, lots in known.items()}, "rank": order.rank}


def account_row(account: Account) -> list[int]:
    """What an account knows about itself, in the order of ACCOUNT_WORDS."""
    scope = account.scope
    numbers = [
        account.epoch,
        account.source,
        account.next_order,
        account.next_fill,
        account.next_signal,
        int(scope.killed),
    ]
    return [
        *numbers,
        scope.worth,
        scope.peak,
        scope.day_start,
        account.opening,
        int(account.valued),
        scope.cooldown_until,
    ]


def bot_row(scope: Scope) -> list[int]:
    """What a bot knows about itself, in the order of BOT_WORDS."""
    flags = [scope.account, int(scope.killed), int(scope.stopped)]
    return [*flags, scope.worth, scope.peak, scope.day_start, scope.cooldown_until]


def balances(desk: Desk, account: Account) -> list[list[int]]:
    """All five buckets of all assets."""
    return [account.balances.get(asset, [0, 0, 0, 0, 0]) for asset in range(len(desk.scales))]


def count_of(desk: Desk) -> int:
    """One more than the highest instrument number."""
    return max(desk.instruments, default=-1) + 1


def positions(desk: Desk, scope: Scope) -> list[list[int]]:
    """Quantity, cost and realized on each instrument."""
    held = [scope.positions.get(number, Position()) for number in range(count_of(desk))]
    return [[position.qty, position.cost, position.realized] for position in held]


def position_rows(core: Any, desk: Desk) -> list[list[int]]:
    """The same in the core."""
    return [list(row[:3]) for row in core[: count_of(desk)].tolist()]


def open_lots(desk: Desk, account: Account, bot: int) -> list[list[int]]:
    """Unfilled lots of live buys and sells on each instrument, counted order by order; bot 0: of the whole account."""
    lots = [[0, 0] for _ in range(count_of(desk))]
    for order in account.orders.values():
        if bot in (0, order.bot) and counts(account, order):
            lots[order.instrument][0 if order.side == BUY else 1] += order.remaining
    return lots


def open_lot_rows(core: Any, desk: Desk) -> list[list[int]]:
    """The same in the core."""
    return [list(row[3:5]) for row in core[: count_of(desk)].tolist()]


def compare_markets(desk: Desk, state: Any) -> str:
    """Evidence, status, levels and mark of each instrument."""
    for number, instrument in desk.instruments.items():
        market, core = instrument.market, state["markets"][number]
        sides = [sorted(market.bids.items(), reverse=True), sorted(market.asks.items())]
        ours = [market.evidence, market.status, instrument.version, market.mark or 0, market.mark_ns, *sides]
        theirs: list[Any] = [int(core["evidence"]), int(core["status"]), int(state["instruments"][number]["version"])]
        theirs += [int(core["mark_ticks"]), int(core["mark_ns"])]
        for side in (0, 1):
            count = int(core["count"][side])
            theirs.append(
                list(zip(core["ticks"][side, :count].tolist(), core["lots"][side, :count].tolist(), strict=True))
            )
        if ours != theirs:
            return f"instrument {number}: expected {ours}\n     but {theirs}"
    return ""


# ---- streams --------------------------------------------------------------------------------------------------------


def run_stream(seed: int, count: int) -> Run:
    """One random stream of `count` inputs after its opening; stops at the first disagreement."""
    stream = Stream(seed)
    pair = Pair(stream.desk)
    run = Run(seed, seen=pair.seen)
    for given in stream.inputs(count):
        run.inputs.append(given)
        run.complaint = pair.take(given)
        if run.complaint:
            break
    return run


def replayed(inputs: Iterable[dict[str, Any]]) -> str:
    """The first complaint about some inputs, numbered anew; inputs that make no sense any more are no complaint."""
    pair = Pair()
    for seq, given in enumerate(inputs, 1):
        try:
            complaint = pair.take({**given, "seq": seq})
        except (KeyError, AttributeError):
            return ""
        if complaint:
            return complaint
    return ""


def shrunk(inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A shorter list that still makes the desks disagree: leaves out ever smaller parts for as long as that works."""
    kept, size = list(inputs), max(1, len(inputs) // 2)
    while size >= 1:
        place = 0
        while place < len(kept):
            fewer = kept[:place] + kept[place + size :]
            if fewer and replayed(fewer):
                kept = fewer
            else:
                place += size
        size //= 2
    return kept
