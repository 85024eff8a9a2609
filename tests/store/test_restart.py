"""The fold and the store together: a restart from log and snapshot gives the same state and, byte for byte, outputs."""

from __future__ import annotations

import pytest
from tests.oracle.records import to_record
from tests.oracle.streams import Stream
from tests.store.records import RUN, VERSION

from paperdesk.domain.events import stored_bytes
from paperdesk.engine.fold import Fold
from paperdesk.store import snapshots
from paperdesk.store.disk import SimulatedDisk
from paperdesk.store.log import LogWriter, read_log


def live(seed: int, disk: SimulatedDisk) -> Fold:
    """Fold a random stream, log it, take a snapshot on the way; the log's last commit holds all of it."""
    stream, fold, writer = Stream(seed), Fold(), LogWriter(disk, RUN, VERSION, rotate_bytes=20_000)
    for given in stream.inputs(250):
        stream.desk.take(given)
        row = to_record(given)
        outputs = fold.take(row)
        writer.take_input(row.tobytes()[: stored_bytes(int(row["kind"][0]))])
        if len(outputs):
            writer.take_outputs(outputs)
        if stream.dice.random() < 0.1:
            writer.commit()
            if stream.dice.random() < 0.3:
                snapshots.write(disk, RUN, VERSION, writer.seq, writer.chain_hash, fold.hash(), fold.parts())
    writer.commit()
    return fold


@pytest.mark.parametrize("seed", range(12))
def test_a_restart_gives_the_same_state_and_outputs(seed: int) -> None:
    disk = SimulatedDisk(seed)
    before = live(seed, disk)
    disk = disk.crash()
    high_water = snapshots.newest_seq(disk)
    snapshot, skipped = snapshots.load_newest(disk, max_seq=read_log(disk, high_water=high_water).finish().seq)
    assert skipped == []
    for start in (None, snapshot):
        fold = Fold() if start is None else Fold.from_parts(start.parts)
        assert start is None or fold.hash() == start.state_hash
        for frame in read_log(disk):
            if start is not None and frame.last_seq <= start.seq:
                assert frame.last_seq < start.seq or frame.chain_hash == start.chain_hash
                continue
            block = frame.inputs()
            again = b"".join(fold.take(block, index).tobytes() for index in range(len(block)))
            assert again == frame.outputs().tobytes(), f"seed {seed}: {frame.file} frame {frame.number}"
        assert fold.seq == before.seq and fold.hash() == before.hash()
