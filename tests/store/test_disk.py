"""The seam to the disk: the real folder and the simulated one do the same, until the power goes."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from paperdesk.store.disk import Disk, RealDisk, SimulatedDisk
from paperdesk.store.errors import why


@pytest.fixture(params=["real", "simulated"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    return RealDisk(tmp_path / "folder") if request.param == "real" else SimulatedDisk()


def test_both_disks_do_the_same(disk: Disk) -> None:
    assert disk.names() == [] and not disk.exists("a")
    disk.append("b", b"hello ")
    disk.append("b", bytearray(b"world"))
    disk.append("a", b"")
    disk.sync("b")
    disk.sync_folder()
    assert disk.names() == ["a", "b"] and disk.exists("a") and disk.size("b") == 11
    assert disk.read("b") == b"hello world" and disk.read("b", 6, 3) == b"wor" and disk.read("b", 9, 99) == b"ld"
    assert disk.read("b", 50) == b"" and disk.read("b", 0, 0) == b""
    disk.truncate("b", 5)
    disk.append("b", b"!")
    assert disk.read("b") == b"hello!"
    disk.rename("b", "a")
    assert disk.names() == ["a"] and disk.read("a") == b"hello!"
    disk.append("a", b"?")
    assert disk.read("a") == b"hello!?"
    disk.remove("a")
    assert disk.names() == []
    disk.append("a", b"anew")
    assert disk.read("a") == b"anew"
    disk.sync("a")
    disk.close()


def test_a_missing_file_is_said_by_both(disk: Disk) -> None:
    for call in (disk.size, disk.read, disk.remove, lambda name: disk.rename(name, "other")):
        with pytest.raises(FileNotFoundError):
            call("missing")


def test_a_folder_that_is_not_there_and_not_to_be_made_is_empty(tmp_path: Path) -> None:
    assert RealDisk(tmp_path / "none", create=False).names() == [] and not (tmp_path / "none").exists()


def test_a_power_cut_keeps_what_was_synced_and_tears_the_rest_in_every_way() -> None:
    ways = set()
    for seed in range(300):
        disk = SimulatedDisk(seed)
        disk.append("file", b"safe ")
        disk.sync("file")
        disk.sync_folder()
        disk.append("file", b"at risk!")
        left = disk.crash().read("file")
        assert left.startswith(b"safe "), f"seed {seed}"
        tail = left[5:]
        ways.add(
            "nothing"
            if not tail
            else "all"
            if tail == b"at risk!"
            else "a part"
            if b"at risk!".startswith(tail)
            else "zeros"
            if not tail.strip(b"\0")
            else "hole"
            if tail.rstrip(b"\0") in (b"at risk!"[:cut] for cut in range(8))
            else "garbage"
        )
    assert ways == {"nothing", "all", "a part", "zeros", "hole", "garbage"}


def test_a_name_is_only_a_wish_until_the_folder_is_synced() -> None:
    outcomes = set()
    for seed in range(100):
        disk = SimulatedDisk(seed)
        disk.append("old", b"1")
        disk.sync("old")
        disk.sync_folder()
        disk.append("new", b"2")
        disk.sync("new")
        disk.rename("new", "old")
        after = disk.crash()
        outcomes.add((tuple(after.names()), after.read("old")))
    assert outcomes == {(("old",), b"1"), (("new", "old"), b"1"), (("old",), b"2")}


def test_a_truncation_is_only_a_wish_until_the_file_is_synced() -> None:
    outcomes = set()
    for seed in range(50):
        disk = SimulatedDisk(seed)
        disk.append("file", b"12345")
        disk.sync("file")
        disk.sync_folder()
        disk.truncate("file", 2)
        outcomes.add(disk.crash().read("file"))
        disk.sync("file")
        assert disk.crash().read("file") == b"12"
    assert outcomes == {b"12345", b"12"}


def test_the_same_seed_has_the_same_bad_luck() -> None:
    def story(seed: int) -> list[bytes]:
        disk, found = SimulatedDisk(seed), []
        for _ in range(20):
            disk.append("file", b"some bytes")
            disk.sync_folder()
            disk = disk.crash()
            found.append(disk.read("file"))
        return found

    assert story(3) == story(3) != story(4)


def test_faults_come_on_schedule_and_a_full_disk_takes_what_fits() -> None:
    disk = SimulatedDisk(faults={2: errno.EIO, 4: errno.ENOSPC})
    disk.append("file", b"1234")
    with pytest.raises(OSError, match="Input/output"):
        disk.sync("file")
    disk.append("file", b"5")
    with pytest.raises(OSError, match="No space"):
        disk.sync_folder()
    full = SimulatedDisk(capacity_bytes=6)
    full.append("a", b"1234")
    with pytest.raises(OSError, match="No space"):
        full.append("b", b"5678")
    assert full.read("b") == b"56"


def test_a_failed_sync_is_never_healed_by_a_later_one() -> None:
    whole = 0
    for seed in range(100):
        disk = SimulatedDisk(seed, faults={2: errno.EIO})
        disk.append("file", b"first ")
        with pytest.raises(OSError, match="Input/output"):
            disk.sync("file")
        disk.append("file", b"second")
        disk.sync("file")
        disk.sync_folder()
        assert disk.read("file") == b"first second", "who looks sees no harm"
        left = disk.crash().read("file")
        assert left.endswith(b"second") and len(left) == 12
        whole += left == b"first second"
    assert 0 < whole < 100


def test_causes_are_told_with_what_to_do() -> None:
    assert why(OSError(errno.ENOSPC, "x")).startswith("the disk is full; free some space")
    assert why(OSError(errno.ENOTDIR, "Not a directory")) == "Not a directory; mend the cause and start again"
    assert why(OSError("bare")) == "bare; mend the cause and start again"
