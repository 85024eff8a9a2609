"""python -m benchmarks.fidelity [--quick] [--no-peers] [--json FILE] [--data FOLDER]: see docs/fidelity.md."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.fidelity import experiment, markets
from benchmarks.fidelity.asks import PRINT_LAG_NS
from benchmarks.fidelity.rematch import rematched
from benchmarks.fidelity.tape import read_orders
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

ORDERS: Final = "l3/bitstamp_BTCUSD_20150501.log.zst"
MARKETS: Final = (
    ("BTC/USDT spot", "l2/binance_BTCUSDT_20240808.jsonl.zst", "BTC/USDT"),
    ("ETH/USDT spot", "l2/binance_ETHUSDT_20240808.jsonl.zst", "ETH/USDT"),
)
COARSE_TICK: Final = 50
QUICK_ORDERS: Final = 600
QUICK_SECONDS: Final = 75
TAPES: Final = {
    "recorded": "the recorded market; prints come after the pictures that show them",
    "rematched": f"the same flow matched again on a grid of {COARSE_TICK} ticks; prints before pictures",
    "rematched, prints late": f"the same flow matched again on a grid of {COARSE_TICK} ticks; prints after pictures",
}


def data_folder() -> Path:
    """Where recordings lie: `shared/data` beside the checkout."""
    return Path(__file__).resolve().parents[3] / "shared" / "data"


def percent(share: float | None, digits: int = 1) -> str:
    """A share in per cent; a dash for none."""
    return "–" if share is None or share != share else f"{100 * share:.{digits}f}"


def milliseconds(found: list[float] | None) -> str:
    """Median and the two quartiles."""
    return "–" if found is None else f"{found[1]:,.0f} [{found[0]:,.0f}, {found[2]:,.0f}]"


def models_table(name: str, told: dict[str, Any]) -> Table:
    """One row a model: the second half's orders whose price was reached."""
    judged, filled = told["judged"], told["judged_filled"]
    table = Table(
        title=f"{name}: {TAPES[name]}\n{judged['reached']} orders of the second half whose price was reached, {filled['reached']} filled in "
        f"truth; queued: {judged['queued']}, {filled['queued']} filled",
    )
    for head in (
        "model",
        "right %",
        "95 % blocks",
        "queued %",
        "prec %",
        "recall %",
        "quantity error %",
        "quantity ×",
        "first fill, ms",
        "whole fill, ms",
    ):
        table.add_column(head, justify="left" if head == "model" else "right")
    for model, by_group in told["models"].items():
        row, queued = by_group["reached"], by_group["queued"]
        low, high = row["accuracy_blocks"]
        times = "–" if row["quantity_ratio"] is None else f"{row['quantity_ratio']:.2f}"
        table.add_row(
            model, percent(row["accuracy"]), f"{percent(low)}–{percent(high)}", percent(queued["accuracy"]), percent(row["precision"]),
            percent(row["recall"]), percent(row["quantity_error"]), times, milliseconds(row["first_fill_error_ms"]),
            milliseconds(row["whole_fill_error_ms"]),
        )  # fmt: skip
    return table


def say_rest(console: Console, name: str, told: dict[str, Any]) -> None:
    """What stands below a table."""
    for kind, band in told["band"].items():
        console.print(
            f"  band of {kind}: filled quantity inside "
            + ", ".join(
                f"{percent(band[g]['quantity'])} % of {g} ({percent(band[g]['width'])} % wide)"
                for g in experiment.STRATA
            )
            + f"; first fill inside {percent(band['reached']['time'])} %"
        )
    fits = {
        "fit": "first half",
        "fit_not_held": "first half",
        "fit_second_half_unused": "second half",
        "fit_whole_unused": "whole tape",
    }
    for key, part in fits.items():
        found = told[key]
        low, high = found["interval"]
        first, last = found["as_good"]
        alike = f"; every weight from {first} to {last} is as good" if last > first else ""
        console.print(
            f"  {key}: w = {found['weight']}/1024, 95 % of draws {low:.0f} to {high:.0f}, from {found['orders']} orders of the {part}{alike}"
        )
    console.print(
        f"  {told['asked']} orders asked, {told['filled_in_truth']} filled; left out: {told['left_out']}; the venue differs from the reference "
        f"in {told['venue_differs_from_reference']} answers; peers: {told['peer']}\n"
    )


def markets_table(name: str, rows: list[dict[str, Any]]) -> Table:
    """Waiting orders on one market."""
    table = Table(title=f"{name}: waiting orders at the touch, one a second and side")
    for head in ("quote units", "life s", "model", "orders", "filled %", "quantity %", "mark-out 1 s bps", "10 s bps"):
        table.add_column(head, justify="left" if head == "model" else "right")
    for row in rows:
        marks = [row[f"markout_{s}s_bps"] for s in markets.MARKS_S]
        table.add_row(
            f"{row['quote']:,}", str(row["life_s"]), row["model"], f"{row['orders']:,}", percent(row["filled"]), percent(row["quantity"]),
            *("–" if mark is None else f"{mark:+.2f}" for mark in marks),
        )  # fmt: skip
    return table


def taking_table(name: str, rows: list[dict[str, Any]]) -> Table:
    """Market orders on one market."""
    table = Table(title=f"{name}: market orders, one a second and way; basis points against the mid")
    for head in ("quote units", "orders", "filled %", "beyond 20 levels %", "slippage", "95 %", "touch claims"):
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(
            f"{row['quote']:,}", f"{row['orders']:,}", percent(row["quantity"]), percent(row["beyond_view"]), f"{row['slippage_bps']:.3f}",
            f"{row['slippage_p95_bps']:.3f}", f"{row['touch_claims_bps']:.3f}",
        )  # fmt: skip
    return table


def on_orders(console: Console, progress: Progress, data: Path, quick: bool, ask_peers: bool) -> dict[str, Any]:
    """The experiments with a truth."""
    task = progress.add_task("read the orders", total=None)
    tape = read_orders(data / ORDERS, lambda lines: progress.advance(task, lines))
    out: dict[str, Any] = {}
    for name in TAPES:
        of = tape if name == "recorded" else rematched(tape, COARSE_TICK, name == "rematched")
        task = progress.add_task(name, total=QUICK_ORDERS if quick else None)
        lag_ns = PRINT_LAG_NS if name == "recorded" else 0
        out[name] = experiment.run(
            of, lag_ns, ask_peers, lambda n, task=task: progress.advance(task, n), QUICK_ORDERS if quick else 0
        )
        console.print(models_table(name, out[name]))
        say_rest(console, name, out[name])
        if quick:
            break
    return out


def on_markets(console: Console, progress: Progress, data: Path, quick: bool) -> dict[str, Any]:
    """The experiments without one."""
    out: dict[str, Any] = {}
    for name, file, symbol in MARKETS[:1] if quick else MARKETS:
        task = progress.add_task(name, total=None)
        tape = markets.read_market(data / file, symbol, QUICK_SECONDS if quick else 0)

        def tick(done: int, task: Any = task) -> None:
            progress.advance(task, done)

        out[name] = {"waiting": markets.passive_rows(tape, tick), "taking": markets.taking_rows(tape, tick)}
        console.print(markets_table(name, out[name]["waiting"]))
        console.print(taking_table(name, out[name]["taking"]))
    return out


def main(arguments: list[str] | None = None) -> int:
    """Runs what was asked for; 0, or 1 where recordings are missing."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fidelity", description="How true are the venue's fills?"
    )
    parser.add_argument("--quick", action="store_true", help="a slice, for tests")
    parser.add_argument("--no-peers", action="store_true", help="leave hftbacktest out")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--data", type=Path, default=data_folder(), help="folder of recordings")
    chosen = parser.parse_args(arguments)
    missing = [file for file in (ORDERS, *(file for _, file, _ in MARKETS)) if not (chosen.data / file).is_file()]
    if missing:
        print(f"no recordings in {chosen.data}: {', '.join(missing)}; name their folder with --data", file=sys.stderr)
        return 1
    console = Console(width=None if sys.stdout.isatty() else 200)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        figures = {
            "orders": on_orders(console, progress, chosen.data, chosen.quick, not chosen.no_peers),
            "markets": on_markets(console, progress, chosen.data, chosen.quick),
        }
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
