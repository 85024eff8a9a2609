"""What an engine's process does behind its wall: owns accounts, fold and log."""

import contextlib
from typing import Any

import msgspec
from rich.console import Console

from paperdesk.app.bootstrap import Plan, instrument_note
from paperdesk.app.errors import EXIT_AGAIN, DeskError
from paperdesk.app.family.company import Company
from paperdesk.app.family.door_feed import DoorFeed
from paperdesk.app.family.pictures import OHLCV
from paperdesk.app.family.tasks import EngineTask
from paperdesk.app.home import Home
from paperdesk.app.loop import Run
from paperdesk.app.up import choose_run, work
from paperdesk.domain.instruments import DEFINITION_FIELDS
from paperdesk.feeds.live.clock import Clock
from paperdesk.safety.link import Link
from paperdesk.strategies.definitions import redefined
from paperdesk.strategies.host import PastBar


class EngineCompany(Company):
    """The company of an engine whose market may come through the door."""

    def begin(self, run: Run) -> None:
        """A live market goes on where the record ends: with its definitions, at its time."""
        feed, fold = run.plan.feed, run.drive.fold
        if not isinstance(feed, DoorFeed):
            super().begin(run)
            return
        rows = fold.state["instruments"][0]
        known = list(feed.instruments)
        if not run.is_new:
            known = [
                redefined(one, int(row["version"]), {name: int(row[name]) for name in DEFINITION_FIELDS})
                for one, row in zip(run.plan.instruments, rows, strict=False)
            ]
        for changed in feed.begin(fold.ts_seq_ns, known, lambda: bool(fold.state["n_inbox"][0])):
            run.drive.note(instrument_note(changed))
        run.plan.instruments = list(feed.instruments)
        super().begin(run)
        for number, bars in feed.past():
            self.pictures.past(number, bars)


def past_bar(row: Any) -> PastBar:
    """A BAR input as hosts take it."""
    bar = [int(row[name]) for name in ("instrument", "ts_seq_ns", "interval_ns", *OHLCV)]
    return bar[0], bar[1], bar[2], bar[3], bar[4], bar[5], bar[6], bar[7]


def plan_of(task: EngineTask, wake: Link) -> Plan:
    """The plan of this task: over the door, or over recordings or a simulation that began when its run did."""
    options, home = task.options, Home(task.home)
    if task.door >= 0:
        feed = DoorFeed(Link(task.door), wake)
        plan = Plan(options, feed)
        plan.past = [past_bar(row) for _, bars in feed.past() for row in bars]
        return plan
    if options.feed != "sim":
        return Plan(options)
    now_ns = Clock().now_ns()
    earlier = [one for one in home.manifests() if one.feed == "sim" and one.start_ns and one.status != "finished"]
    if earlier and not options.fresh:
        plan = Plan(msgspec.structs.replace(options, start_ns=earlier[-1].start_ns))
        if choose_run(home, plan).run == earlier[-1].run:
            return plan
        plan.close()
    return Plan(msgspec.structs.replace(options, start_ns=now_ns))


def run(task: EngineTask, closed_in: str, console: Console) -> int:
    """Work until asked to stop; the exit code. `closed_in`: the wall that stands, in words."""
    home, link = Home(task.home), Link(task.api)
    with contextlib.closing(plan_of(task, link)) as plan:
        plan.hosts()  # a strategy that cannot run is refused before anything is written
        plan.wall = closed_in
        company = EngineCompany(link, task.notice)
        try:
            return work(plan, home, task.as_json, console, company)
        except DeskError as error:
            if not company.served:
                raise
            # It worked until now, and will again: a full disk, a killed bot.
            raise DeskError(str(error), EXIT_AGAIN) from error
