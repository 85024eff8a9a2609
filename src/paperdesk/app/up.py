"""`paperdesk up`: everything around a run, from the home's lock to the last line of output."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from paperdesk import __version__
from paperdesk.app.bootstrap import Plan, data_names
from paperdesk.app.errors import EXIT_IO, EXIT_LOCKED, DeskError
from paperdesk.app.home import Home, Manifest
from paperdesk.app.loop import Run
from paperdesk.app.options import RunOptions
from paperdesk.app.pacing import Stop
from paperdesk.app.records import catch_up
from paperdesk.app.recovery import VERSION
from paperdesk.app.report import Tally, show, summary
from paperdesk.app.resume import Resumed, open_record
from paperdesk.app.watchdog import Watchdog
from paperdesk.store.database import Database, open_database
from paperdesk.store.disk import RealDisk
from paperdesk.store.errors import StoreError
from paperdesk.store.lock import HomeLock, HomeLocked
from paperdesk.store.log import LogFailed, read_log
from paperdesk.store.projections import Projector

PAPER_LINE = "PAPER TRADING: virtual money, no path to a real order."


class Shown:
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, console: Console, expected: int | None, done: int, visible: bool) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("events"),
            TimeElapsedColumn(),
        )
        self.bar = Bar(*columns, console=console, disable=not (visible and console.is_terminal), transient=True)
        self.task: TaskID = self.bar.add_task("replaying" if expected else "trading", total=expected, completed=done)

    def advance(self, events: int, total: int) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=total)


class Projections(Projector):
    """The projector of a run, which also counts for the report."""

    tally: Tally

    def take(self, outputs: Any) -> None:
        """Project and count a group of committed outputs."""
        self.tally.take(outputs)
        super().take(outputs)


def up(options: RunOptions, home: Home, as_json: bool, console: Console) -> int:
    """Run until the end; the process's exit code."""
    home.prepare()
    try:
        with HomeLock(home.root):
            return _locked(options, home, as_json, console)
    except HomeLocked as error:
        raise DeskError(str(error), EXIT_LOCKED) from error
    except StoreError as error:
        raise DeskError(str(error), EXIT_IO) from error


def _locked(options: RunOptions, home: Home, as_json: bool, console: Console) -> int:
    with contextlib.closing(Plan(options)) as plan:
        plan.hosts()  # a strategy that cannot run is refused before anything is written
        database = open_database(home.database)
        try:
            return _opened(plan, database, home, as_json, console)
        finally:
            database.close()


def _opened(plan: Plan, database: Database, home: Home, as_json: bool, console: Console) -> int:
    manifest = choose_run(home, plan)
    if not as_json:
        symbols = ", ".join(row.symbol for row in plan.instruments)
        console.print(
            f"{PAPER_LINE} {plan.feed.label} prices of {symbols}; run {manifest.run} in {home.root}",
            style="bold",
            markup=False,
        )
    is_new = manifest.run not in home.runs()
    home.save(manifest)
    disk, tally = RealDisk(home.folder(manifest.run)), Tally()
    projector = Projections(database, manifest.run)
    try:
        projector.tally = tally
        try:
            projector.begin(msgspec.to_builtins(manifest))
        except StoreError:
            if is_new:
                home.forget(manifest.run)
            raise
        with Watchdog(plan.options.callback_timeout_s) as watchdog:
            resumed = open_record(plan, manifest.run, disk, projector.applied_seq, watchdog)
        retell(resumed, disk, projector)
        if plan.options.log_level in ("debug", "info"):
            for message in resumed.messages:
                console.print(f"recovered: {message}", markup=False)
        with Watchdog(plan.options.callback_timeout_s) as watchdog:
            run = Run(home, plan, manifest, disk, projector, resumed, watchdog)
            blocks = plan.feed.blocks(run.skip)
            if not plan.options.has_end:
                blocks = announced(blocks, console)
            return _run(run, plan, manifest, home, as_json, console, tally, blocks)
    finally:
        projector.close()


def announced(blocks: Iterator[np.ndarray], console: Console) -> Iterator[np.ndarray]:
    """The blocks; after the last one, people are told that the desk stays up."""
    yield from blocks
    console.print("The data has ended; the desk stays up until Ctrl-C (--until-end would have ended it).", markup=False)


def retell(resumed: Resumed, disk: RealDisk, projector: Projections) -> None:
    """After a restart: count what the run did before, and give the projections what they lack."""
    if not resumed.is_new:
        catch_up(projector, read_log(disk))


def _run(
    run: Run,
    plan: Plan,
    manifest: Manifest,
    home: Home,
    as_json: bool,
    console: Console,
    tally: Tally,
    blocks: Iterator[np.ndarray],
) -> int:
    shown = Shown(
        console,
        plan.feed.expected if plan.options.for_events is None else plan.options.for_events,
        run.skip,
        not as_json,
    )
    stop = Stop()
    try:
        run.begin()
        with shown.bar:
            outcome = run.loop(blocks, shown, stop)
        run.close(outcome)
    except LogFailed as full:
        raise DeskError(
            f"{full} Start again with the same command once there is room: the run goes on from there.", EXIT_IO
        ) from full
    told = summary(run, plan, outcome, tally)
    manifest.result = told
    home.save(manifest)
    for failure in run.drive.failures:
        console.print(str(failure), style="red", markup=False, highlight=False)
    for warning in run.warnings:
        console.print(warning, style="yellow", markup=False)
    if as_json:
        print(msgspec.json.encode(told).decode(), flush=True)
    else:
        show(console, told, plan)
    return 1 if run.drive.failures and not run.drive.deciders else 0


def choose_run(home: Home, plan: Plan) -> Manifest:
    """The unfinished run of the same fingerprint, or a new one."""
    names = home.runs()
    if names and not plan.options.fresh:
        for name in reversed(names):
            last = home.manifest(name)
            if last.fingerprint == plan.fingerprint and last.status != "finished":
                last.status = "running"
                return last
    options = plan.options
    return Manifest(
        run=home.new_run(options.feed),
        fingerprint=plan.fingerprint,
        label=plan.feed.label,
        feed=options.feed,
        source=plan.feed.source,
        data=data_names(options.data),
        symbols=[row.symbol for row in plan.instruments],
        strategies=[strategy.name for strategy in plan.strategies],
        parameters={name: str(value) for name, value in options.parameters.items()},
        seed=options.seed,
        balances={name: str(amount) for name, amount in plan.balances.items()},
        reporting=plan.reporting.name,
        latency_ns=options.latency_ns,
        engine_version=VERSION,
        product_version=__version__,
        created_s=round(time.time(), 3),
    )


def stderr_console(as_json: bool) -> Console:
    """Where people read: standard output, or standard error when standard output carries JSON."""
    return Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
