"""Snapshots: the newest whole one is found, a broken one is skipped and named, a crash leaves no less than before."""

from __future__ import annotations

import errno
from hashlib import blake2b
from pathlib import Path

import pytest

from paperdesk.store.disk import RealDisk, SimulatedDisk
from paperdesk.store.errors import StoreError
from paperdesk.store.snapshots import HEAD, SnapshotFailed, load_newest, newest_seq, write

CHAIN = bytes(range(32))
STATE = "ab" * 32
PARTS = {"market": b"m" * 300, "account/0": b"", "strategy/1": bytes(range(256))}


def put(disk: SimulatedDisk | RealDisk, seq: int) -> str:
    """Write a snapshot that tells its seq."""
    return write(disk, "run-1", "0.1.0", seq, CHAIN, STATE, {**PARTS, "seq": str(seq).encode()})


def test_a_snapshot_comes_back_as_it_was(tmp_path: Path) -> None:
    disk = RealDisk(tmp_path / "snapshots")
    name = put(disk, 12_345)
    disk.close()
    found, skipped = load_newest(RealDisk(tmp_path / "snapshots"), 12_345)
    assert found is not None and skipped == []
    assert (found.name, found.seq, found.run, found.engine_version) == (name, 12_345, "run-1", "0.1.0")
    assert (found.chain_hash, found.state_hash) == (CHAIN, STATE)
    assert found.parts == {**PARTS, "seq": b"12345"}
    assert (tmp_path / "snapshots" / name).stat().st_mode & 0o077 == 0, "private to its owner"


def test_nothing_there_is_nothing_found() -> None:
    disk = SimulatedDisk()
    disk.append("snapshot-x.snap", b"not ours")
    assert load_newest(disk, 10) == (None, []) and newest_seq(disk) == 0


def test_the_newest_three_are_kept() -> None:
    disk = SimulatedDisk()
    for seq in (5, 40, 300, 2_000, 10_000):
        put(disk, seq)
    assert [int(name[9:-5]) for name in disk.names()] == [300, 2_000, 10_000] and newest_seq(disk) == 10_000


def test_one_ahead_of_the_log_is_skipped_and_says_so() -> None:
    disk = SimulatedDisk()
    for seq in (10, 20, 30):
        put(disk, seq)
    found, skipped = load_newest(disk, 25)
    assert found is not None and found.seq == 20
    (skip,) = skipped
    assert str(skip) == (
        "snapshot-000000000000030.snap was not used: it was taken at seq 30, but the log ends at 25: the log has lost "
        "committed data"
    )


def test_a_flipped_bit_anywhere_is_found_and_the_one_before_is_used() -> None:
    disk = SimulatedDisk()
    put(disk, 1)
    name = put(disk, 2)
    for offset in range(disk.size(name)):
        disk.flip(name, offset, 1 << offset % 8)
        found, skipped = load_newest(disk, 2)
        assert found is not None and found.seq == 1, offset
        assert [skip.name for skip in skipped] == [name] and "delete it" in skipped[0].reason
        disk.flip(name, offset, 1 << offset % 8)
    for size in range(0, disk.size(name), 7):
        cut = disk.copy()
        cut.truncate(name, size)
        found, skipped = load_newest(cut, 2)
        assert found is not None and found.seq == 1 and len(skipped) == 1
    assert load_newest(disk, 2)[1] == []


def rewritten(disk: SimulatedDisk, name: str, head: bytes, body: bytes) -> None:
    """A file with a right checksum over something else."""
    disk.remove(name)
    disk.append(name, head + body + blake2b(head + body, digest_size=32).digest())


def test_another_layout_or_contents_that_do_not_fit_are_named() -> None:
    disk = SimulatedDisk()
    name = put(disk, 7)
    data = disk.read(name)
    fields, body = list(HEAD.unpack_from(data)), data[HEAD.size : -32]
    for place, value, what in (
        (1, 2, "snapshot layout 2"),
        (2, 9, "record layout 9"),
        (4, 8, "does not fit"),
        (5, 1, "does not fit"),
    ):
        changed = list(fields)
        changed[place] = value
        rewritten(disk, name, HEAD.pack(*changed), body)
        found, skipped = load_newest(disk, 100)
        assert found is None and what in skipped[0].reason
    for body in (b"no zstd", b"\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00\xc1"):
        fields[5] = len(body)
        rewritten(disk, name, HEAD.pack(*fields), body)
        assert "cannot be unpacked" in load_newest(disk, 100)[1][0].reason


def test_a_full_disk_or_failing_disk_is_said_and_leaves_the_older_ones() -> None:
    for operation in (1, 2, 3):
        disk = SimulatedDisk(seed=operation)
        put(disk, 1)
        disk.faults = {disk.operations + operation: errno.ENOSPC}
        with pytest.raises(SnapshotFailed, match="the disk is full; free some space"):
            put(disk, 2)
        found, _ = load_newest(disk.crash(), 2)
        assert found is not None and found.seq >= 1
        put(disk, 3)
        assert newest_seq(disk) == 3


def test_snapshots_that_cannot_be_read_are_said() -> None:
    class Unreadable(SimulatedDisk):
        """A folder whose files cannot be read."""

        def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
            """Fails."""
            raise OSError(errno.EACCES, "Permission denied", name)

    disk = Unreadable()
    put(disk, 1)
    with pytest.raises(StoreError, match="permission is denied; make the folder writable"):
        load_newest(disk, 1)


@pytest.mark.parametrize("first", range(0, 500, 100))
def test_a_crash_never_leaves_less_than_what_was_written(first: int) -> None:
    for seed in range(first, first + 100):
        disk = SimulatedDisk(seed)
        written = 0
        for seq in range(1, 12):
            disk.faults = {disk.operations + disk.dice.randint(1, 12): errno.EIO}
            try:
                put(disk, seq)
                written = seq
            except SnapshotFailed:
                pass
            if disk.dice.random() < 0.4:
                disk = disk.crash()
            found, skipped = load_newest(disk, 100)
            assert (found.seq if found else 0) >= written, f"seed {seed}"
            assert skipped == [], f"seed {seed}: a name that exists is whole"
            assert found is None or found.parts["seq"] == str(found.seq).encode()
