"""`paperdesk up`: everything around a run, from the home's lock to the last line of output."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from paperdesk import __version__
from paperdesk.app.accounts import ACCOUNT
from paperdesk.app.bootstrap import Plan, data_names
from paperdesk.app.errors import EXIT_IO, EXIT_LOCKED, DeskError
from paperdesk.app.home import Home, Manifest
from paperdesk.app.loop import Run
from paperdesk.app.options import RunOptions
from paperdesk.app.pacing import PAUSE_S, Stop, paced
from paperdesk.app.records import catch_up
from paperdesk.app.recovery import VERSION
from paperdesk.app.report import Tally, show, summary
from paperdesk.app.resume import Resumed, open_record
from paperdesk.app.watchdog import Watchdog
from paperdesk.domain.events import INPUT
from paperdesk.store.database import BUSY_MS, Database, open_database
from paperdesk.store.disk import RealDisk
from paperdesk.store.errors import StoreError
from paperdesk.store.lock import HomeLock, HomeLocked
from paperdesk.store.log import LogFailed, read_log
from paperdesk.store.projections import Projector

TRY_AGAIN_S: Final = 1.0
BUSY_BESIDE_MS: Final = 50
"""How long a database that somebody else holds is waited for, where others wait for the loop."""
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


class Beside(Protocol):
    """Whoever works beside the loop, in the same thread: told what is durable, and called between two blocks."""

    def begin(self, run: Run) -> None:
        """The run that it is about; its record is open, nothing new was folded yet."""

    def taken(self, rows: np.ndarray[Any, Any]) -> None:
        """A group of durable outputs, also those of an earlier process."""

    def noted(self, note: Mapping[str, Any]) -> None:
        """A durable note."""

    def serve(self, block: np.ndarray[Any, Any]) -> None:
        """After each block; it may be empty."""


class Projections(Projector):
    """The projector of a run, which also counts for the report, and tells whoever works beside the loop.

    With somebody beside, a database that cannot be written now is no reason to stop: that is said, and what it lacks is written later.
    """

    def __init__(self, database: Database, run: str, tally: Tally, beside: Beside | None, console: Console) -> None:
        super().__init__(database, run, BUSY_MS if beside is None else BUSY_BESIDE_MS)
        self.tally, self.beside, self.console = tally, beside, console
        self._troubled = False
        self._try_again_s = 0.0

    def take(self, outputs: Any) -> None:
        """Project and count a group of committed outputs."""
        self.tally.take(outputs)
        super().take(outputs)
        if self.beside is not None:
            self.beside.taken(outputs)

    def note(self, note: Mapping[str, Any]) -> None:
        """Project a committed note."""
        super().note(note)
        if self.beside is not None:
            self.beside.noted(note)

    def flush(self) -> None:
        """Write what was taken; with somebody beside, try again later where that cannot be."""
        if self.beside is None:
            super().flush()
        elif time.monotonic() >= self._try_again_s:
            try:
                super().flush()
                self._troubled = False
            except StoreError as error:
                if not self._troubled:
                    self.console.print(
                        f"{error} Trading goes on; what the page shows lags until then.", style="yellow", markup=False
                    )
                self._troubled, self._try_again_s = True, time.monotonic() + TRY_AGAIN_S


def up(options: RunOptions, home: Home, as_json: bool, console: Console, wall: str) -> int:
    """Run until the end; the process's exit code. `wall`: how this process is closed in, in words."""
    home.prepare()
    try:
        with HomeLock(home.root):
            return _locked(options, home, as_json, console, wall)
    except HomeLocked as error:
        raise DeskError(str(error), EXIT_LOCKED) from error
    except StoreError as error:
        raise DeskError(str(error), EXIT_IO) from error


def _locked(options: RunOptions, home: Home, as_json: bool, console: Console, wall: str) -> int:
    with contextlib.closing(Plan(options)) as plan:
        plan.wall = wall
        plan.hosts()  # a strategy that cannot run is refused before anything is written
        return work(plan, home, as_json, console)


def work(plan: Plan, home: Home, as_json: bool, console: Console, beside: Beside | None = None) -> int:
    """Run a plan to its end in a home whose lock is held; the process's exit code."""
    database = open_database(home.database)
    try:
        return _opened(plan, database, home, as_json, console, beside)
    finally:
        database.close()


def _opened(plan: Plan, database: Database, home: Home, as_json: bool, console: Console, beside: Beside | None) -> int:
    manifest = choose_run(home, plan)
    plan.take_up(manifest)
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
    projector = Projections(database, manifest.run, tally, beside, console)
    try:
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
            if beside is not None:
                beside.begin(run)
            blocks = plan.feed.blocks(run.skip)
            if not plan.options.has_end:
                blocks = announced(blocks, console, beside is not None)
            return _run(run, plan, manifest, home, as_json, console, tally, blocks, beside)
    finally:
        projector.close()


def announced(blocks: Iterator[np.ndarray], console: Console, goes_on: bool) -> Iterator[np.ndarray]:
    """The blocks; after the last one, people are told that the desk stays up. `goes_on`: empty blocks follow without end."""
    yield from blocks
    console.print("The data has ended; the desk stays up until Ctrl-C (--until-end would have ended it).", markup=False)
    while goes_on:
        time.sleep(PAUSE_S)
        yield np.zeros(0, INPUT)


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
    beside: Beside | None,
) -> int:
    shown = Shown(
        console,
        plan.feed.expected if plan.options.for_events is None else plan.options.for_events,
        run.skip,
        not as_json,
    )
    stop = Stop()
    if beside is not None:  # whoever works beside is called between the pieces of a block, too
        speed = plan.options.speed
        blocks = served(paced(blocks, speed, stop) if speed else blocks, beside)
        plan.options = msgspec.structs.replace(plan.options, speed=0.0)
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
    asked = [one for one in run.drive.deciders if one.account == ACCOUNT]
    return 1 if run.drive.failures and not asked else 0


def served(blocks: Iterator[np.ndarray], beside: Beside) -> Iterator[np.ndarray]:
    """The blocks; whoever works beside the loop is called after each."""
    for block in blocks:
        yield block
        beside.serve(block)


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
        fill_model=options.fill_model,
        fill_band=options.fill_band,
        shadow=options.shadow,
        latency=options.latency_text,
        fees=msgspec.to_builtins(options.fees),
        self_trade=options.self_trade,
        engine_version=VERSION,
        product_version=__version__,
        created_s=round(time.time(), 3),
        start_ns=options.start_ns,
        definitions=msgspec.to_builtins(plan.instruments) if plan.through_door else [],
        past=[list(bar) for bar in plan.past],
    )
