"""What came of the accounts beside the desk's own: the band of three fill models, and the ghost without limits."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from paperdesk.app.accounts import ACCOUNT, banded, of_role
from paperdesk.app.amounts import short
from paperdesk.app.bootstrap import Plan
from paperdesk.app.options import RunOptions
from paperdesk.domain.reasons import TEXTS, Reason
from paperdesk.engine.fold import Fold

BAND_WORDS = "same strategy, three fill models"
GHOST_WORDS = "GHOST: the same strategy without limits; never part of the account's numbers"


def latency_text(options: RunOptions) -> str:
    """How long orders take to reach the venue, in words."""
    ms = f"{options.latency_ns / 1e6:g} ms"
    return f"drawn: {options.latency_text} (median {ms})" if options.latencies_ns else ms


def fees_text(options: RunOptions) -> str:
    """What fills cost, in words."""
    if not options.fees:
        return "as each instrument says"
    tiers = [f"maker {percent(one.maker)} %, taker {percent(one.taker)} %" for one in options.fees]
    return tiers[0] if len(tiers) == 1 else f"{len(tiers)} tiers by volume, from {tiers[0]} to {tiers[-1]}"


def percent(rate: str) -> str:
    """A rate as people read it."""
    return short(f"{Decimal(rate) * 100:f}")


def by_name(counts: Mapping[Reason, int]) -> dict[str, int]:
    """Counts by the names of reasons."""
    return {reason.name.lower(): count for reason, count in sorted(counts.items())}


def worth(fold: Fold, plan: Plan, account: int) -> str | None:
    """What an account is worth, as text in the reporting asset; None where a price is missing or stale."""
    units = fold.equity(account)
    return None if units is None else plan.reporting.text(units)


def equity_band(fold: Fold, plan: Plan, fills: Mapping[int, int]) -> dict[str, Any] | None:
    """By fill model: account, equity, fills; and the distance from the lowest equity to the highest. None without a band."""
    accounts = banded(plan.accounts)
    if not accounts:
        return None
    models = {
        one.model: {"account": one.number, "equity": worth(fold, plan, one.number), "fills": fills.get(one.number, 0)}
        for one in accounts
    }
    units = [fold.equity(one.number) for one in accounts]
    known = [one for one in units if one is not None]
    spread = plan.reporting.text(max(known) - min(known)) if len(known) == len(units) else None
    return {**models, "spread": spread}


def shadow(fold: Fold, plan: Plan, fills: Mapping[int, int], denied: Mapping[Reason, int]) -> dict[str, Any] | None:
    """The ghost's account, equity and fills; what the protections saved (below zero: cost); orders that were denied to the account, by
    reason. None without a ghost.
    """
    found = of_role(plan.accounts, "ghost")
    if not found:
        return None
    ghost = found[0].number
    own, other = fold.equity(ACCOUNT), fold.equity(ghost)
    return {
        "account": ghost,
        "equity": worth(fold, plan, ghost),
        "fills": fills.get(ghost, 0),
        "protections_saved": None if own is None or other is None else signed(plan, own - other),
        "denied": by_name(denied),
    }


def signed(plan: Plan, units: int) -> str:
    """An amount of the reporting asset that may be below zero."""
    return plan.reporting.text(units) if units >= 0 else f"-{plan.reporting.text(-units)}"


def show_beside(console: Console, told: Mapping[str, Any]) -> None:
    """The same for people, under the account's own numbers."""
    band, ghost, asset = told["equity_band"], told["shadow"], told["reporting"]
    if band is not None:
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for column in ("fill model", f"equity {asset}", "fills"):
            table.add_column(column, justify="left" if column == "fill model" else "right")
        for model, one in band.items():
            if model != "spread":
                table.add_row(model, amount(one["equity"]), f"{one['fills']:,}")
        console.print()
        console.print(f"{BAND_WORDS}; spread {amount(band['spread'])} {asset}", markup=False)
        console.print(table)
    if ghost is not None:
        saved = ghost["protections_saved"]
        verb = (
            "?" if saved is None else f"cost {short(saved[1:])}" if saved.startswith("-") else f"saved {short(saved)}"
        )
        console.print()
        console.print(GHOST_WORDS, markup=False)
        console.print(
            f"  equity {amount(ghost['equity'])} {asset}, {ghost['fills']:,} fills; the protections {verb} {asset}",
            markup=False,
        )
        for name, count in ghost["denied"].items():
            console.print(f"  denied to the account: {count:,} ({TEXTS[Reason[name.upper()]].meaning})", markup=False)


def amount(text: str | None) -> str:
    """A number for people, or that it cannot be told."""
    return "not computable" if text is None else short(text)
