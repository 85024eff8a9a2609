"""The run: feed in, fold, log, out, until it ends or is asked to end.

One thread owns sequencer and fold. Blocks of the feed go through the drive; after each, what is due is committed, and only what is
committed is handed on (projections, acknowledgements). If the log cannot be written, trading stops.
"""

import os
import time
from collections.abc import Iterator
from typing import Final

import numpy as np

from paperdesk.app.bootstrap import Bot, Plan
from paperdesk.app.errors import EXIT_IO, DeskError
from paperdesk.app.home import Home, Manifest
from paperdesk.app.journal import RunJournal
from paperdesk.app.pacing import PAUSE_S, Outcome, Progress, Stop, paced, peak_rss_mb, why_end
from paperdesk.app.recovery import VERSION
from paperdesk.app.resume import Resumed
from paperdesk.app.watchdog import Watchdog, guarded
from paperdesk.engine.drive import DeciderFailed, Drive
from paperdesk.store import snapshots
from paperdesk.store.disk import Disk
from paperdesk.store.projections import Projector
from paperdesk.strategies.snapshot import SnapshotError

SNAPSHOT_EVERY: Final = 500_000
"""Inputs between two snapshots."""
PROJECT_ROWS: Final = 50_000
PROJECT_EVERY_S: Final = 1.0
CHECK_EVERY_S: Final = 10.0


class Run:
    """One run from its first or next input to its end."""

    def __init__(
        self,
        home: Home,
        plan: Plan,
        manifest: Manifest,
        disk: Disk,
        projector: Projector,
        resumed: Resumed,
        watchdog: Watchdog,
    ) -> None:
        """`resumed` holds the fold, the hosts and the open log, new or recovered."""
        self.home, self.plan, self.manifest, self.disk, self.projector = home, plan, manifest, disk, projector
        self.hosts: list[Bot] = resumed.hosts
        self.skip = resumed.market_inputs
        self.journal = RunJournal(resumed.log, self._committed, resumed.hasher, noted=projector.note)
        live = [host for host in self.hosts if host.bot not in resumed.stopped]
        self.drive = Drive(resumed.fold, self.journal, [guarded(host, watchdog) for host in live])
        self.is_new = resumed.is_new
        self.upgraded = resumed.upgraded
        self._rows = 0
        self._projected_s = self._checked_s = time.monotonic()
        self._snapshot_seq = resumed.snapshot_seq
        self.projection_seconds = 0.0
        self.warnings: list[str] = []

    def begin(self) -> None:
        """Write the opening of a new run's record, or note that it goes on."""
        if self.is_new:
            for note in self.plan.notes():
                self.drive.note(note)
            for row in self.plan.setup:
                self.drive.command(row)
        else:
            self.drive.note({"type": "resumed", "seq": self.drive.seq})
        if self.upgraded is not None:
            self.drive.command(self.upgraded)
        self.journal.commit()
        self.project()

    def loop(self, blocks: Iterator[np.ndarray], progress: Progress, stop: Stop) -> Outcome:
        """Take the feed's blocks to their end, the time or event limit, or the request to stop."""
        options, started = self.plan.options, time.perf_counter()
        total, ended = self.skip, ""
        for block in paced(blocks, options.speed, stop) if options.speed else blocks:
            if options.for_events is not None and total + len(block) > options.for_events:
                block = block[: options.for_events - total]
            self.drive.feed(block)
            total += len(block)
            self._after_block()
            progress.advance(len(block), total)
            ended = why_end(options, stop, total, started)
            if ended:
                break
        self._tell_refusals()
        self.journal.commit()
        finished, seconds = not ended or ended == "events", time.perf_counter() - started
        if not ended:
            ended = "end of data"
            if not options.until_end and options.for_seconds is None and options.for_events is None:
                self.project()
                while not stop.asked:
                    time.sleep(PAUSE_S)
        read = self.plan.feed.refusals.read if self.skip == 0 else 0
        return Outcome(ended, max(read, total - self.skip), total - self.skip, seconds, finished)

    def close(self, outcome: Outcome) -> None:
        """Snapshot, close the log in order, catch the projections up, write the manifest."""
        self.snapshot()
        self.journal.log.close()
        started = time.perf_counter()
        self.project()
        self.projection_seconds += time.perf_counter() - started
        outcome.projection_seconds = self.projection_seconds
        outcome.peak_rss_mb = peak_rss_mb()
        self.manifest.status = "finished" if outcome.finished else "stopped"
        self.manifest.ended = outcome.ended

    def _after_block(self) -> None:
        if not self.journal.commit_if_due():
            return
        if self.drive.seq - self._snapshot_seq >= SNAPSHOT_EVERY:
            self.snapshot()
        elif time.monotonic() - self._checked_s >= CHECK_EVERY_S:
            self._check_books()
        if self._rows >= PROJECT_ROWS or (
            self.plan.options.speed and time.monotonic() - self._projected_s >= PROJECT_EVERY_S
        ):
            started = time.perf_counter()
            self.project()
            self.projection_seconds += time.perf_counter() - started

    def _check_books(self) -> None:
        """The full recomputation; a desk whose books do not balance stops."""
        self._checked_s = time.monotonic()
        for account, fault in self.drive.fold.faults():
            raise DeskError(
                f"The books of account {account} do not balance after seq {self.drive.seq} ({fault.name}); this is a bug, please report it.",
                EXIT_IO,
            )

    def _committed(self, rows: np.ndarray) -> None:
        """Outputs that are durable: to the projections, and to whoever asked for acknowledgements."""
        self.projector.take(rows)
        self._rows += len(rows)
        if self.plan.options.ack_fd is not None:
            line = f"{self.drive.seq} {len(rows)} {','.join(map(str, rows['order_id'][rows['order_id'] > 0].tolist()[-20:]))}\n"
            os.write(self.plan.options.ack_fd, line.encode())

    def project(self) -> None:
        """Write what the projections lack."""
        self.projector.flush()
        self._rows = 0
        self._projected_s = time.monotonic()

    def snapshot(self) -> None:
        """Check the books, commit, then write down the state and every bot's memory."""
        self._check_books()
        self.journal.commit()
        parts = self.drive.fold.parts()
        asked = {decider.bot for decider in self.drive.deciders}
        for host in [one for one in self.hosts if one.bot in asked]:
            try:
                parts[f"bot/{host.bot}"] = host.snapshot()
            except SnapshotError as error:
                self._stop_bot(host, str(error))
                return
        log = self.journal.log
        self._snapshot_seq = self.drive.seq
        try:
            snapshots.write(
                self.disk, self.manifest.run, VERSION, log.seq, log.chain_hash, self.drive.fold.hash(), parts
            )
        except snapshots.SnapshotFailed as failure:
            self.warnings.append(str(failure))

    def _stop_bot(self, host: Bot, text: str) -> None:
        """A bot whose memory cannot be written down could not go on after a restart: it stops now, and the snapshot waits."""
        for decider in [one for one in self.drive.deciders if one.bot == host.bot]:
            self.drive.stop(decider, DeciderFailed(host.name, "its snapshot", text))
        self.hosts = [one for one in self.hosts if one.bot != host.bot]
        self.journal.commit()

    def _tell_refusals(self) -> None:
        """Put on record what the feed could not use."""
        for (symbol, reason), count in sorted(self.plan.feed.refusals.items()):
            self.drive.note({"type": "feed_refusal", "symbol": symbol, "reason": int(reason), "count": count})
