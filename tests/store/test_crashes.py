"""Power cuts, full disks, failing writes and syncs, by seed: what was committed is there, nothing is invented."""

from __future__ import annotations

import errno
import os
from collections import Counter
from random import Random

import pytest
from tests.store.records import RUN, Records, input_bytes, output_rows, records_of

from paperdesk.store.disk import SimulatedDisk
from paperdesk.store.log import LogFailed, LogWriter, Tag, read_log

SEEDS = int(os.environ.get("STORE_CRASH_SEEDS", "1000"))
BATCH = 200


class Desk:
    """A desk that is started, stopped and cut off again and again on one disk, and what must be true of its log."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.disk = SimulatedDisk(seed)
        self.attempted: Records = []
        """Every record given to the writer that may be in the log, in order."""
        self.committed = 0
        """How many of them were acknowledged."""
        self.committed_seq = 0
        self.seen: Counter[str] = Counter()

    def start(self) -> LogWriter | None:
        """Read what is there, hold it against what was committed, and open the log for writing."""
        reader = read_log(self.disk, high_water=self.committed_seq)
        found = [(tag, data) for tag, data in records_of(reader) if not data.startswith(b'{"type":"clean')]
        assert len(found) >= self.committed, "a committed record is lost"
        assert found == self.attempted[: len(found)], "a record was invented or changed"
        self.seen["torn" if reader.end.torn else "whole"] += 1
        self.seen["uncommitted kept"] += len(found) > self.committed
        self.attempted = found
        self.spoil()
        try:
            writer = LogWriter(
                self.disk, RUN, self.dice.choice(("1", "1", "1", "2")), reader.end, self.dice.randint(300, 3000)
            )
        except LogFailed:
            self.seen["failed to open"] += 1
            return None
        self.committed, self.committed_seq = len(found), reader.end.seq
        return writer

    def spoil(self) -> None:
        """Give the disk a bad day, sometimes."""
        self.disk.faults, self.disk.capacity_bytes = {}, None
        kind = self.dice.randrange(4)
        if kind == 1:
            self.disk.faults = {
                self.disk.operations + self.dice.randint(1, 60): self.dice.choice((errno.EIO, errno.ENOSPC))
            }
        elif kind == 2:
            used = sum(self.disk.size(name) for name in self.disk.names())
            self.disk.capacity_bytes = used * 2 + self.dice.randint(0, 20_000)

    def work(self, writer: LogWriter) -> None:
        """Append and commit for a while; stop in order, or in the middle of something."""
        seq = writer.seq
        for _ in range(self.dice.randint(0, 30)):
            for _ in range(self.dice.randint(0, 4)):
                seq += 1
                self.append(
                    writer,
                    Tag.INPUT,
                    input_bytes(seq, length=self.dice.choice((112, 688)), price_ticks=self.dice.randrange(9)),
                )
                if self.dice.random() < 0.3:
                    self.append(writer, Tag.OUTPUTS, output_rows(seq, self.dice.randint(1, 3)).tobytes())
            if self.dice.random() < 0.1:
                self.append(writer, Tag.NOTE, b'{"type":"remark","n":%d}' % self.dice.randrange(99))
            if self.dice.random() < 0.8:
                assert writer.commit() == seq
                self.committed, self.committed_seq = len(self.attempted), seq
        if self.dice.random() < 0.2:
            writer.close()
            self.committed, self.committed_seq = len(self.attempted), seq
            self.seen["closed"] += 1

    def append(self, writer: LogWriter, tag: int, data: bytes) -> None:
        self.attempted.append((tag, data))
        writer.append(tag, data)

    def life(self) -> None:
        """One start of the desk, and how it ends: killed (the disk goes on), or a power cut."""
        writer = self.start()
        if writer is not None:
            try:
                self.work(writer)
            except LogFailed:
                self.seen["failed"] += 1
                with pytest.raises(LogFailed):
                    writer.commit()
        if self.dice.random() < 0.6:
            self.disk = self.disk.crash()
            self.seen["power cut"] += 1


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_what_was_committed_survives_and_nothing_is_invented(first: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(first, first + BATCH):
        desk = Desk(seed)
        try:
            for _ in range(desk.dice.randint(2, 6)):
                desk.life()
            desk.disk = desk.disk.crash()
            desk.start()
        except BaseException:
            print(f"seed {seed}")
            raise
        seen += desk.seen
    for what in ("torn", "whole", "uncommitted kept", "failed", "closed", "power cut"):
        assert seen[what] > 0, f"the seeds from {first} never met: {what}"


def test_what_a_failed_sync_left_in_memory_is_written_anew_before_it_is_built_upon() -> None:
    """A second sync reports success without having written: going on in the same file would lose all later commits."""
    for seed in range(200):
        disk = SimulatedDisk(seed, faults={6: errno.EIO})
        writer = LogWriter(
            disk, RUN, "1"
        )  # operations: 1 folder; the segment: 2 append, 3 sync, 4 folder; 5 append, 6 sync
        writer.take_input(input_bytes(1))
        with pytest.raises(LogFailed):
            writer.commit()
        end = read_log(disk).finish()
        assert end.seq == 1, "the process still sees what it wrote"
        again = LogWriter(disk, RUN, "1", end)
        again.take_input(input_bytes(2))
        assert again.commit() == 2
        assert read_log(disk.crash(), high_water=2).finish().seq == 2, f"seed {seed}"


def test_a_clean_shutdown_that_was_never_synced_is_not_built_upon() -> None:
    """Closing failed, the clean shutdown is seen all the same, the desk goes on: nothing of what follows is lost."""
    for seed in range(200):
        disk = SimulatedDisk(seed, faults={8: errno.EIO})
        writer = LogWriter(disk, RUN, "1")
        writer.take_input(input_bytes(1))
        writer.commit()
        with pytest.raises(LogFailed):
            writer.close()
        end = read_log(disk).finish()
        assert end.clean
        again = LogWriter(disk, RUN, "1", end, rotate_bytes=10)
        for seq in (2, 3):
            again.take_input(input_bytes(seq))
            again.commit()
        assert read_log(disk.crash(), high_water=3).finish().seq == 3, f"seed {seed}"
