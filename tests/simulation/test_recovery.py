"""The ways back from a log, one by one: torn tail, snapshots that do not fit, a planted difference, another version."""

from __future__ import annotations

from random import Random

import msgspec
import numpy as np
import pytest
from tests.simulation.mains import Mains, PowerCut
from tests.simulation.witness import facts, told_difference
from tests.simulation.world import RUN, Script

from paperdesk.app.errors import DeskError
from paperdesk.app.journal import RunJournal
from paperdesk.app.recovery import RefoldDiffers, steps_of
from paperdesk.app.resume import Resumed, recover
from paperdesk.domain.events import INPUT, OUTPUT, InputKind, OutputKind
from paperdesk.engine.drive import Drive
from paperdesk.engine.fold import Fold
from paperdesk.store import snapshots
from paperdesk.store.disk import SimulatedDisk
from paperdesk.store.log import LogCorrupt, LogWriter, Tag, read_log

pytestmark = pytest.mark.jit_only

SEED = 12
VERSION = "1"


def nothing(rows: np.ndarray) -> None:
    """Nobody waits for outputs."""


class Desk:
    """A desk on a simulated disk that commits after every part of its script; snapshots where they are asked for."""

    def __init__(
        self, disk: SimulatedDisk, events: int = 280, snapshot_at: tuple[int, ...] = (), run: str = RUN
    ) -> None:
        self.script = Script(SEED, 300)
        resumed = recover(self.script.team.hosts(), run, disk, 0, None, VERSION)
        journal = RunJournal(resumed.log, nothing, resumed.hasher, lambda: 0)
        self.drive = Drive(resumed.fold, journal, resumed.hosts)
        at = 0
        while at < events:
            block = self.script.part(at, 5)
            at += len(block)
            if block["kind"][0] < InputKind.DEFINE_ASSET:
                self.drive.feed(block)
            else:
                self.drive.command(block)
            journal.commit()
            if any(at - len(block) < place <= at for place in snapshot_at):
                parts = self.drive.fold.parts() | {f"bot/{host.bot}": host.snapshot() for host in resumed.hosts}
                fold, log = self.drive.fold, journal.log
                snapshots.write(disk, run, VERSION, log.seq, log.chain_hash, fold.hash(), parts)
        self.at, self.hosts, self.records_hash = at, resumed.hosts, journal.records_hash


def back(disk: SimulatedDisk, version: str = VERSION, high_water: int = 0) -> Resumed:
    """Recovery with fresh bots."""
    return recover(Script(SEED, 300).team.hosts(), RUN, disk, high_water, None, version)


def planted(change: int) -> SimulatedDisk:
    """A log with whole checksums whose outputs were changed: the first fill has `change` more lots."""
    original, forged = SimulatedDisk(), SimulatedDisk()
    Desk(original)
    writer, done = LogWriter(forged, RUN, VERSION), False
    for step in steps_of(read_log(original)):
        writer.take_input(step.data)
        rows = np.frombuffer(bytearray(step.outputs), OUTPUT)
        fills = np.flatnonzero(rows["kind"] == OutputKind.FILL)
        if len(fills) and not done:
            rows["fill_lots"][fills[0]] += change
            done = True
        if len(rows):
            writer.append(Tag.OUTPUTS, rows.tobytes())
    writer.commit()
    assert done, "the script fills an order"
    return forged


@pytest.mark.parametrize("snapshot_at", [(), (120, 250)])
def test_a_desk_comes_back_as_it_was(snapshot_at: tuple[int, ...]) -> None:
    disk = SimulatedDisk()
    desk = Desk(disk, snapshot_at=snapshot_at)
    found = back(disk, high_water=desk.drive.seq)
    assert (found.fold.seq, found.fold.hash()) == (desk.drive.seq, desk.drive.fold.hash())
    assert found.hasher.hexdigest() == desk.records_hash
    assert found.market_inputs == sum(desk.script.market[: desk.at]) and not found.is_new and found.upgraded is None
    assert [host.snapshot() for host in found.hosts] == [host.snapshot() for host in desk.hosts]
    assert [text for text in found.messages if "snapshot at" in text] == found.messages[-1:] * bool(snapshot_at)


def test_a_torn_tail_is_named_cut_off_and_the_desk_goes_on() -> None:
    disk = SimulatedDisk()
    Desk(disk)
    whole, size = back(disk), disk.size("000001.log")
    disk.append("000001.log", b"half a frame")
    found = back(disk)
    assert found.fold.hash() == whole.fold.hash()
    assert found.messages[0] == (
        f"000001.log: the last write was interrupted at byte {size} (the frame's header is not whole, or its checksum "
        "differs); its 12 bytes had not been acknowledged to anyone and are dropped"
    )
    assert disk.size("000001.log") == size


def test_a_log_that_ends_before_what_left_the_process_is_refused() -> None:
    disk = SimulatedDisk()
    desk = Desk(disk)
    disk.truncate("000001.log", disk.size("000001.log") - 1)
    with pytest.raises(LogCorrupt, match=f"seq {desk.drive.seq} was already acknowledged"):
        back(disk, high_water=desk.drive.seq)


def test_a_log_that_ends_before_its_own_snapshot_is_refused() -> None:
    disk = SimulatedDisk()
    Desk(disk, snapshot_at=(280,))
    disk.truncate("000001.log", disk.size("000001.log") - 1)
    with pytest.raises(LogCorrupt, match="committed data is lost"):
        back(disk)


def test_the_snapshot_of_another_log_is_passed_over() -> None:
    disk, other = SimulatedDisk(), SimulatedDisk()
    desk = Desk(disk)
    Desk(other, snapshot_at=(120,), run="0002-another")
    name = next(name for name in other.names() if name.endswith(".snap"))
    disk.append(name, other.read(name))
    found = back(disk)
    assert f"{name} was not used: it was taken from another log" in found.messages
    assert found.fold.hash() == desk.drive.fold.hash()
    assert not any("snapshot at" in text for text in found.messages)


def test_a_damaged_snapshot_is_passed_over_for_an_older_one() -> None:
    disk = SimulatedDisk()
    desk = Desk(disk, snapshot_at=(120, 250))
    older, newer = [name for name in disk.names() if name.endswith(".snap")]
    disk.flip(newer, disk.size(newer) // 2)
    found = back(disk)
    assert any(text.startswith(f"{newer} was not used: its checksum differs") for text in found.messages)
    assert found.messages[-1].endswith(f"snapshot at {int(older[9:24])}") and found.snapshot_seq == int(older[9:24])
    assert found.fold.hash() == desk.drive.fold.hash()


def test_a_snapshot_that_does_not_give_back_its_state_stops_the_desk() -> None:
    disk = SimulatedDisk()
    Desk(disk, snapshot_at=(250,))
    name = next(name for name in disk.names() if name.endswith(".snap"))
    taken, _ = snapshots.load_newest(disk, 10**9)
    assert taken is not None
    account = next(part for part in taken.parts if part.startswith("account/"))
    section = msgspec.msgpack.decode(taken.parts[account])
    row = bytearray(section[1])
    row[8] ^= 1  # the epoch
    section[1] = bytes(row)
    parts = {**taken.parts, account: msgspec.msgpack.encode(section)}
    snapshots.write(disk, RUN, VERSION, taken.seq, taken.chain_hash, taken.state_hash, parts)
    with pytest.raises(DeskError, match=f"{name} does not give back the state it was taken from"):
        back(disk)


def test_a_planted_difference_stops_the_desk_and_is_told() -> None:
    with pytest.raises(
        RefoldDiffers, match=r"differs at seq \d+: output \d+ \(FILL\) has payload\[1\] \d+ instead of \d+\."
    ) as told:
        back(planted(1))
    assert "Folding the log again" in str(told.value) and "restore the run from a backup" in str(told.value)
    assert told.value.seq > 0
    assert back(planted(0)).fold.seq > 0, "without the difference the same log is fine"


def test_outputs_without_an_input_are_refused() -> None:
    disk = SimulatedDisk()
    writer = LogWriter(disk, RUN, VERSION)
    writer.append(Tag.OUTPUTS, np.zeros(1, OUTPUT).tobytes())
    writer.commit()
    with pytest.raises(DeskError, match="outputs stand where no input caused them"):
        list(steps_of(read_log(disk)))


def test_another_version_takes_the_facts_and_says_so_in_the_log() -> None:
    disk = SimulatedDisk()
    desk = Desk(disk, snapshot_at=(120,))
    found = back(disk, version="2")
    assert told_difference(facts(found.fold.state), facts(desk.drive.fold.state)) == ""
    assert [host.snapshot() for host in found.hosts] == [host.snapshot() for host in desk.hosts]
    assert found.upgraded is not None and found.upgraded["kind"][0] == InputKind.ENGINE_UPGRADED
    assert not any("snapshot at" in text for text in found.messages), "a snapshot of another version is not used"
    journal = RunJournal(found.log, nothing, found.hasher, lambda: 0)
    drive = Drive(found.fold, journal, found.hosts)
    drive.command(found.upgraded)
    drive.feed(desk.script.part(desk.script.market.index(True, desk.at), 1))
    journal.commit()
    steps = list(steps_of(read_log(disk)))
    versions = [step.version for step in steps]
    assert versions == sorted(versions) and versions.index("2") == desk.drive.seq
    again = back(disk, version="2")
    assert again.upgraded is None, "it is said once"
    assert (again.fold.seq, again.fold.hash()) == (drive.seq, drive.fold.hash())


def test_another_version_believes_facts_that_it_would_have_decided_otherwise() -> None:
    """A log of another version is not judged: a fill that this version would not have given stands."""
    rows = [(step.data, step.outputs) for step in steps_of(read_log(planted(0)))]
    forged = SimulatedDisk()
    writer = LogWriter(forged, RUN, "0")
    last = next(
        at for at in reversed(range(len(rows))) if OutputKind.ORDER_DENIED in np.frombuffer(rows[at][1], OUTPUT)["kind"]
    )
    for data, outputs in rows[:last]:
        writer.take_input(data)
        if outputs:
            writer.append(Tag.OUTPUTS, outputs)
    changed = np.frombuffer(bytearray(rows[last][1]), OUTPUT)
    changed["reason"] += 1
    writer.take_input(rows[last][0])
    writer.append(Tag.OUTPUTS, changed.tobytes())
    writer.commit()
    found = back(forged)
    assert found.fold.seq == last + 1 and found.upgraded is not None


def test_a_new_run_begins_empty() -> None:
    found = back(SimulatedDisk())
    assert found.is_new and found.fold.seq == 0 and found.market_inputs == 0 and found.messages == []


def test_power_cuts_at_every_operation_of_a_recovery_change_nothing() -> None:
    original = SimulatedDisk()
    desk = Desk(original, snapshot_at=(120,))
    original.append("000001.log", b"half a frame")
    for cut_at in range(1, 20):
        disk = original.copy()
        mains = Mains(disk, Random(cut_at), cut_at)
        try:
            recover(desk.script.team.hosts(), RUN, mains, 0, None, VERSION)
        except PowerCut:
            found = back(disk.crash(), high_water=desk.drive.seq)
            assert (found.fold.seq, found.fold.hash()) == (desk.drive.seq, desk.drive.fold.hash()), f"cut at {cut_at}"
        else:
            assert cut_at > 3, "a recovery writes"
            return
    raise AssertionError("a recovery has fewer operations than that")


def test_an_input_is_restored_whole_from_what_its_kind_stores() -> None:
    disk = SimulatedDisk()
    Desk(disk)
    for frame in read_log(disk):
        block = frame.inputs()
        assert block.dtype == INPUT and (block["seq"] > 0).all()
    assert Fold().seq == 0
