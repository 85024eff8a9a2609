"""Commands that look at a home: status, replay, the database, purge."""

import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from paperdesk.app.errors import EXIT_IO, EXIT_LOCKED, DeskError
from paperdesk.app.home import Home, Manifest
from paperdesk.app.records import Record, records_of, run_records, verify
from paperdesk.app.recovery import VERSION
from paperdesk.store import check as checks
from paperdesk.store.audit import audit
from paperdesk.store.database import upgrade
from paperdesk.store.disk import RealDisk
from paperdesk.store.errors import StoreError
from paperdesk.store.lock import HomeLock, HomeLocked
from paperdesk.store.log import read_log

RunRecords = tuple[str, dict[str, Any], Iterator[Record]]


def in_plain_words(error: StoreError) -> DeskError:
    """A store's refusal as the command line's."""
    return DeskError(str(error), EXIT_LOCKED if isinstance(error, HomeLocked) else EXIT_IO)


def utc(seconds: float) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def is_working(home: Home) -> bool:
    """Whether a desk holds the home's lock now."""
    try:
        HomeLock(home.root).release()
    except HomeLocked:
        return True
    return False


def show_status(home: Home, as_json: bool) -> None:
    """All runs, newest last, and whether a desk works here."""
    manifests = list(home.manifests())
    if not manifests and not home.root.exists():
        raise DeskError(f"There is nothing in {home.root} yet; `paperdesk up` begins a run there.")
    working = is_working(home)
    if as_json:
        print(msgspec.json.encode({"home": str(home.root), "working": working, "runs": manifests}).decode())
        return
    console = Console(highlight=False)
    table = Table(
        title=f"PAPER runs in {home.root}" + (" (a desk is working here now)" if working else ""), title_justify="left"
    )
    for column in ("run", "data", "symbols", "strategies", "begun", "status", "fills", "equity"):
        table.add_column(column)
    for row in manifests:
        status = row.status if row.status != "running" or working else "interrupted"
        told = row.result
        worth = f"{told.get('equity') or '-'} {row.reporting}" if told else "-"
        symbols = ", ".join(row.symbols[:3]) + (" …" if len(row.symbols) > 3 else "")
        table.add_row(
            row.run,
            row.label,
            symbols,
            ", ".join(row.strategies),
            utc(row.created_s),
            status,
            str(told.get("fills", "-")),
            worth,
        )
    console.print(table)
    if any(row.status == "running" for row in manifests) and not working:
        console.print(
            "An interrupted run goes on where its log ends when the same `paperdesk up` command is given again.",
            markup=False,
        )


def replay_run(home: Home, run: str, strict: bool, as_json: bool) -> None:
    """Fold a run's log anew; with `strict`, a log of another engine version is refused too."""
    manifest, disk = home.manifest(run), RealDisk(home.folder(run), create=False)
    started = time.perf_counter()
    try:
        reader = read_log(disk)
        fold, inputs = verify(reader)
    except StoreError as error:
        raise in_plain_words(error) from error
    end = reader.end
    if end.torn is not None:
        print(f"{end.torn}", file=sys.stderr)
    same = end.engine_version == VERSION
    if strict and not same:
        raise DeskError(
            f"{run} was written by engine {end.engine_version}, this is {VERSION}: its facts apply, but they cannot be compared; use that version."
        )
    state_hash = fold.hash()
    recorded = manifest.result.get("state_hash")
    if strict and recorded is not None and recorded != state_hash and manifest.status != "running":
        raise DeskError(
            f"The log of {run} leads to state {state_hash}, but the run ended at {recorded}: log and description do not belong together.",
            EXIT_IO,
        )
    told = {
        "run": run,
        "inputs": inputs,
        "verified": strict,
        "state_hash": state_hash,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if as_json:
        print(msgspec.json.encode(told).decode())
    else:
        word = "reproduced byte for byte" if same else "applied as facts of another engine version"
        print(f"{run}: {inputs:,} inputs {word} in {told['seconds']} s; state {state_hash}")


def all_runs(home: Home) -> Iterator[RunRecords]:
    """Every run of a home with its description and records."""
    for manifest in home.manifests():
        yield manifest.run, begin_text(manifest), run_records(home, manifest.run)


def begin_text(manifest: Manifest) -> dict[str, Any]:
    """The part of a description that is written once, at the start."""
    told: dict[str, Any] = msgspec.to_builtins(manifest)
    for name in ("status", "ended", "result"):
        told.pop(name)
    return told


def upgrade_database(home: Home) -> None:
    """Bring the database to this version's schema."""
    try:
        with HomeLock(home.root):
            before, after = upgrade(home.database)
    except StoreError as error:
        raise in_plain_words(error) from error
    print(
        f"{home.database}: "
        + (f"already at {after}" if before == after else f"upgraded from {before or 'nothing'} to {after}")
    )


def rebuild_database(home: Home) -> None:
    """Make the database anew from all logs."""
    try:
        with HomeLock(home.root):
            content = checks.rebuild(home.database, all_runs(home))
    except StoreError as error:
        raise in_plain_words(error) from error
    print(f"{home.database}: rebuilt from {len(home.runs())} runs; content {content}")


def check_home(home: Home, as_json: bool) -> int:
    """Audit every run and compare the database with the logs; 1 where anything is wrong."""
    findings: list[dict[str, Any]] = []
    audited = 0
    try:
        with HomeLock(home.root):
            for manifest in home.manifests():
                report = audit(records_of(read_log(RealDisk(home.folder(manifest.run), create=False))))
                audited += 1
                findings.extend({"run": manifest.run, **msgspec.to_builtins(finding)} for finding in report.findings)
            if home.database.exists():
                findings.extend(
                    {"run": "", **msgspec.to_builtins(finding)}
                    for finding in checks.check(home.database, all_runs(home))
                )
            elif audited:
                what = "the database is missing"
                findings.append(
                    {
                        "run": "",
                        "severity": "error",
                        "what": what,
                        "where": str(home.database),
                        "remedy": "paperdesk db rebuild",
                    }
                )
    except StoreError as error:
        raise in_plain_words(error) from error
    if as_json:
        print(msgspec.json.encode({"runs": audited, "findings": findings}).decode())
    else:
        for finding in findings:
            print(" ".join(f"{value}" for value in finding.values() if value))
        print(
            f"{audited} runs audited; "
            + (
                f"{len(findings)} findings"
                if findings
                else "nothing wrong: books balance, orders are legal, the database says what the logs say"
            )
        )
    return 1 if any(finding.get("severity") != "note" for finding in findings) else 0


def purge_home(home: Home) -> None:
    """Remove what a desk made in a home."""
    try:
        with HomeLock(home.root):
            removed = home.purge()
    except StoreError as error:
        raise in_plain_words(error) from error
    print(f"Removed {len(removed)} things from {home.root}.")
    if not any(Path(home.root).iterdir()):
        shutil.rmtree(home.root)
