"""What a run did, as one JSON object and as something to look at."""

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any, Final

import numpy as np
from rich.box import SIMPLE, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from paperdesk.app.accounts import ACCOUNT
from paperdesk.app.amounts import short
from paperdesk.app.beside import by_name, equity_band, fees_text, latency_text, shadow, show_beside
from paperdesk.app.bootstrap import Plan
from paperdesk.app.loop import Run
from paperdesk.app.pacing import Outcome
from paperdesk.domain.events import OutputKind
from paperdesk.domain.orders import OrderStatus
from paperdesk.domain.reasons import TEXTS, Reason
from paperdesk.engine.fold import Fold
from paperdesk.ledger.journal import FREE, RESERVED

ENDS: Final = {
    OutputKind.ORDER_DENIED: "denied",
    OutputKind.ORDER_REJECTED: "rejected",
    OutputKind.ORDER_CANCELED: "canceled",
    OutputKind.ORDER_EXPIRED: "expired",
}
ORDINARY_ENDS: Final = frozenset({Reason.USER_CANCELED, Reason.KILL_SWITCH, Reason.EPOCH_ENDED})


class Counts:
    """What outputs say of one account."""

    def __init__(self) -> None:
        self.fills = 0
        self.submitted = 0
        self.ends: Counter[str] = Counter()
        self.reasons: Counter[Reason] = Counter()
        """Of all that was refused."""
        self.denied: Counter[Reason] = Counter()
        """Of orders that risk did not let pass."""

    def take(self, rows: np.ndarray[Any, Any]) -> None:
        """Count outputs of the account."""
        kinds = rows["kind"]
        self.fills += int((kinds == OutputKind.FILL).sum())
        self.submitted += int((kinds == OutputKind.ORDER_SUBMITTED).sum())
        for kind, name in ENDS.items():
            self.ends[name] += int((kinds == kind).sum())
        count_reasons(self.reasons, rows[(rows["reason"] > 0) & (kinds != OutputKind.KILLED)])
        count_reasons(self.denied, rows[kinds == OutputKind.ORDER_DENIED])


def count_reasons(counter: Counter[Reason], rows: np.ndarray[Any, Any]) -> None:
    """Add the reasons of rows, but for those that are no refusal."""
    for reason, count in zip(*np.unique(rows["reason"], return_counts=True), strict=True):
        if Reason(int(reason)) not in ORDINARY_ENDS:
            counter[Reason(int(reason))] += int(count)


class Tally:
    """Counts what outputs say, group by group and account by account; kept by whoever receives committed outputs."""

    def __init__(self) -> None:
        self.accounts: defaultdict[int, Counts] = defaultdict(Counts)

    def take(self, rows: np.ndarray[Any, Any]) -> None:
        """Count a group of outputs. What is no account's (-1: a switch of the desk) counts with the desk's own."""
        owners = np.maximum(rows["account"], ACCOUNT)
        for account in np.unique(owners).tolist():
            self.accounts[account].take(rows[owners == account])


def order_states(fold: Fold, counts: Counts, account: int) -> dict[str, int]:
    """How many orders of an account are where; filled ones are those that neither live nor ended otherwise."""
    orders = fold.orders
    statuses = orders["status"][orders["account"] == account]
    live = {
        status.name.lower(): int((statuses == status).sum())
        for status in (OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
    }
    ended = (
        counts.submitted - sum(live.values()) - sum(counts.ends[name] for name in ("rejected", "canceled", "expired"))
    )
    return {key: count for key, count in {**live, "filled": ended, **counts.ends}.items() if count}


def balances(fold: Fold, plan: Plan) -> dict[str, dict[str, str]]:
    """Exact decimal text of what the account has, by asset."""
    rows = fold.state["balances"][0][ACCOUNT]
    found = {}
    for asset in plan.assets:
        free, reserved = int(rows[asset.number][FREE]), int(rows[asset.number][RESERVED])
        if free or reserved:
            found[asset.name] = {
                "total": asset.text(free + reserved),
                "free": asset.text(free),
                "reserved": asset.text(reserved),
            }
    return found


def equity(fold: Fold, plan: Plan) -> tuple[str | None, str | None]:
    """(equity now, equity at the opening) in the reporting asset; None where a price is missing or stale."""
    units = fold.equity(ACCOUNT)
    opening = int(fold.state["accounts"][0][ACCOUNT]["opening_units"])
    return (None if units is None else plan.reporting.text(units)), (plan.reporting.text(opening) if opening else None)


def summary(run: Run, plan: Plan, outcome: Outcome, tally: Tally) -> dict[str, Any]:
    """The one JSON object that `--json` prints last."""
    fold = run.drive.fold
    now, opening = equity(fold, plan)
    own = tally.accounts[ACCOUNT]
    fills = {account: counts.fills for account, counts in tally.accounts.items()}
    feed_refusals = {
        f"{symbol or '-'} {reason.name.lower()}": count
        for (symbol, reason), count in sorted(plan.feed.refusals.items())
    }
    return {
        "run": run.manifest.run,
        "label": plan.feed.label,
        "ended": outcome.ended,
        "events": outcome.events,
        "market_inputs": outcome.market_inputs,
        "inputs": fold.seq,
        "fill_model": plan.options.fill_model,
        "latency": latency_text(plan.options),
        "fees": fees_text(plan.options),
        "fills": own.fills,
        "orders": order_states(fold, own, ACCOUNT),
        "refusals": by_name(own.reasons),
        "data_refusals": feed_refusals,
        "stopped_bots": [failure.bot for failure in run.drive.failures],
        "balances": balances(fold, plan),
        "equity": now,
        "opening_equity": opening,
        "reporting": plan.reporting.name,
        "equity_band": equity_band(fold, plan, fills),
        "shadow": shadow(fold, plan, fills, own.denied),
        "state_hash": fold.hash(),
        "log_head_hash": run.journal.records_hash,
        "seconds": round(outcome.seconds, 3),
        "projection_seconds": round(outcome.projection_seconds, 3),
        "events_per_second": round(outcome.events / outcome.seconds) if outcome.seconds > 0 else 0,
        "peak_rss_mb": outcome.peak_rss_mb,
        "wall": plan.wall,
    }


def show(console: Console, told: dict[str, Any], plan: Plan) -> None:
    """The same for people: what happened, what was refused and why, what is left, how it was made."""
    ended = {"events": "the count of events was reached", "time": "the time was up", "end of data": "the data ended"}
    console.print(
        f"{told['label']} on paper: {told['events']:,} market events, {told['fills']:,} fills; "
        f"{ended.get(told['ended'], told['ended'] + ' asked for the end')}.",
        markup=False,
    )
    table = Table(box=SIMPLE, show_header=False, show_edge=False, pad_edge=False)
    for name, count in told["orders"].items():
        table.add_row(f"orders {name.replace('_', ' ')}", f"{count:,}")
    for name, parts in told["balances"].items():
        reserved = f"  ({short(parts['reserved'])} reserved)" if Decimal(parts["reserved"]) else ""
        table.add_row(f"balance {name}", f"{short(parts['total'])}{reserved}")
    table.add_row(f"equity {told['reporting']}", equity_text(told))
    table.add_row("fill model", told["fill_model"])
    table.add_row("latency", told["latency"])
    table.add_row("fees", told["fees"])
    console.print(table)
    show_beside(console, told)
    if told["refusals"] or told["data_refusals"]:
        refused = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for column in ("refused because", "count", "what to do"):
            refused.add_column(column, justify="right" if column == "count" else "left")
        for name, count in told["refusals"].items():
            text = TEXTS[Reason[name.upper()]]
            refused.add_row(text.meaning, f"{count:,}", text.remedy)
        for name, count in told["data_refusals"].items():
            symbol, _, reason = name.partition(" ")
            text = TEXTS[Reason[reason.upper()]]
            whose = "" if symbol == "-" else f" ({symbol})"
            refused.add_row(f"{text.meaning}{whose}", f"{count:,}", text.remedy)
        console.print()
        console.print(refused)
    console.print()
    for text_of_data in plan.feed.notes:
        console.print(f"data: {text_of_data}", style="dim", markup=False)
    console.print(f"wall: {told['wall']}", style="dim", markup=False)
    if told["orders"]:
        console.print(f"`paperdesk explain {told['run']}:PAPER-0-1` tells the life of the first order.", markup=False)
    console.print(
        f"{told['events_per_second']:,} events/s over {told['seconds']} s, {told['peak_rss_mb']} MB at most; state {told['state_hash'][:16]}…, log "
        f"{told['log_head_hash'][:16]}…",
        style="dim",
        markup=False,
    )


def equity_text(told: dict[str, Any]) -> str:
    """Equity with its change since the opening, or that it cannot be told."""
    if told["equity"] is None:
        return "not computable: a price is missing or stale"
    if told["opening_equity"] is None:
        return short(told["equity"])
    change = Decimal(told["equity"]) - Decimal(told["opening_equity"])
    sign = "+" if change >= 0 else ""
    return f"{short(told['equity'])}  ({sign}{short(str(change))} since the opening)"
