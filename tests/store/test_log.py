"""The log: what is committed is read back, in any order; damage is found wherever it is; failure is final."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.store.records import RUN, VERSION, Records, fill_log, input_bytes, output_rows, read_all, records_of

from paperdesk.store.disk import RealDisk, SimulatedDisk
from paperdesk.store.errors import StoreError
from paperdesk.store.frames import FRAME_BYTES, SEGMENT_BYTES, FrameHead, SegmentHead, linked, pack_frame, unpack_frame
from paperdesk.store.log import LogCorrupt, LogEnd, LogFailed, LogTooNew, LogWriter, Tag, read_log


def test_an_empty_folder_is_an_empty_log() -> None:
    reader = read_log(SimulatedDisk())
    assert list(reader) == [] and reader.end == LogEnd()


def test_what_was_committed_is_read_back_from_a_real_folder(tmp_path: Path) -> None:
    disk = RealDisk(tmp_path / "run" / "log")
    writer = LogWriter(disk, RUN, VERSION)
    for seq in (1, 2):
        writer.take_input(input_bytes(seq, price_ticks=100 + seq))
    writer.take_outputs(output_rows(2, 3))
    writer.take_note({"type": "asset", "number": 0, "name": "USDT"})
    assert writer.commit() == 2
    writer.append(Tag.INPUT, input_bytes(3))
    assert writer.commit() == 3
    assert writer.commit() == 3, "nothing to commit is no frame"
    head = writer.chain_hash
    disk.close()
    reader = read_log(RealDisk(tmp_path / "run" / "log"), high_water=3)
    first, second = list(reader)
    assert (first.first_seq, first.last_seq, second.first_seq, second.last_seq) == (1, 2, 3, 3)
    assert first.inputs()["trade_price_ticks"].tolist() == [101, 102]
    assert np.array_equal(first.outputs(), output_rows(2, 3)) and len(second.outputs()) == 0
    assert first.notes() == [{"type": "asset", "number": 0, "name": "USDT"}]
    end = reader.end
    assert (end.seq, end.frame, end.segment, end.chain_hash, end.clean, end.torn) == (3, 2, 1, head, False, None)
    assert (end.run, end.engine_version) == (RUN, VERSION)


def test_a_log_goes_on_after_its_end_and_the_last_hash_stands_for_all_of_it() -> None:
    disk, twin = SimulatedDisk(), SimulatedDisk()
    whole = fill_log(twin, 6)
    first = fill_log(disk, 2)
    assert first.chain_hash != whole.chain_hash
    second = LogWriter(disk, RUN, VERSION, read_log(disk).finish())
    for _ in range(4):
        for _ in range(3):
            second.take_input(input_bytes(second.seq + len(second._waiting) + 1))
        second.take_outputs(output_rows(second.seq + 3, 2))
        second.take_note({"type": "remark", "text": "a note"})
        second.commit()
    assert second.chain_hash == whole.chain_hash and second.total_bytes == whole.total_bytes
    assert read_all(disk) == read_all(twin)


def test_segments_rotate_and_another_engine_version_begins_its_own() -> None:
    disk = SimulatedDisk()
    fill_log(disk, 6, rotate_bytes=1000).close()
    assert disk.names() == [f"{number:06}.log" for number in range(1, len(disk.names()) + 1)] and len(disk.names()) >= 4
    writer = LogWriter(disk, RUN, "0.2.0", read_log(disk).finish())
    writer.take_input(input_bytes(19))
    writer.commit()
    frames = list(read_log(disk))
    assert frames[-1].engine_version == "0.2.0" and frames[-2].engine_version == VERSION
    assert frames[-1].file == disk.names()[-1] != frames[-2].file


def test_a_clean_shutdown_is_said_and_ends_the_writer() -> None:
    disk = SimulatedDisk()
    writer = fill_log(disk, 2)
    writer.take_input(input_bytes(7))
    writer.close()
    end = read_log(disk).finish()
    assert end.clean and end.seq == 7
    for call in (writer.commit, writer.close, lambda: writer.take_input(b""), lambda: writer.take_note({})):
        with pytest.raises(LogFailed, match="was closed"):
            call()
    later = LogWriter(disk, RUN, VERSION, end)
    later.take_input(input_bytes(8))
    later.commit()
    assert not read_log(disk).finish().clean


def test_a_log_that_is_there_is_not_overwritten() -> None:
    disk = SimulatedDisk()
    fill_log(disk, 1)
    before = disk.read("000001.log")
    with pytest.raises(LogFailed, match="already here"):
        LogWriter(disk, RUN, VERSION)
    assert disk.read("000001.log") == before


def test_inputs_with_a_hole_in_their_numbers_are_not_committed() -> None:
    writer = fill_log(SimulatedDisk(), 1)
    writer.take_input(input_bytes(5))
    with pytest.raises(LogFailed, match="without holes"):
        writer.commit()


@given(
    some.lists(
        some.tuples(some.sampled_from(["input", "outputs", "note", "commit"]), some.integers(0, 5)), max_size=40
    ),
    some.integers(200, 4000),
)
def test_any_order_of_records_and_commits_is_read_back(steps: list[tuple[str, int]], rotate_bytes: int) -> None:
    disk = SimulatedDisk()
    expected: Records = []
    pending: Records = []
    writer, seq = LogWriter(disk, RUN, VERSION, rotate_bytes=rotate_bytes), 0
    for what, size in steps:
        if what == "input":
            seq += 1
            pending.append((Tag.INPUT, input_bytes(seq, length=(112, 216, 688)[size % 3])))
        elif what == "outputs":
            pending.append((Tag.OUTPUTS, output_rows(seq, size).tobytes()))
        elif what == "note":
            pending.append((Tag.NOTE, b'{"type":"x"}' + b" " * size))
        if what == "commit":
            assert writer.commit() == seq
            expected, pending = expected + pending, []
        else:
            writer.append(*pending[-1])
    assert writer.pending_bytes == sum(5 + len(data) for _, data in pending)
    found, end = read_all(disk)
    assert found == expected and end.chain_hash == writer.chain_hash and end.seq == writer.seq
    assert sum(len(frame.inputs()) for frame in read_log(disk)) == end.seq


# Damage


def damaged(disk: SimulatedDisk, high_water: int) -> str:
    """How reading a damaged log ends: "corrupt", "torn" or, wrongly, "nothing noticed"."""
    try:
        end = read_log(disk, high_water=high_water).finish()
    except LogCorrupt as error:
        assert error.file in str(error) and f"byte {error.offset}" in str(error) and "restore" in str(error)
        return "corrupt"
    return "torn" if end.torn else "nothing noticed"


def test_a_flipped_bit_is_found_at_every_byte_of_the_log() -> None:
    disk = SimulatedDisk()
    last = fill_log(disk, 5, inputs=2, rotate_bytes=1700)
    assert len(disk.names()) == 2
    count, last_frame_at = 0, list(read_log(disk))[-1].offset
    for name in disk.names():
        for offset in range(disk.size(name)):
            disk.flip(name, offset, 1 << offset % 8)
            assert damaged(disk, last.seq) == "corrupt", f"{name} byte {offset}"
            last_frame = name == disk.names()[-1] and offset >= last_frame_at
            assert damaged(disk, 0) == ("torn" if last_frame else "corrupt"), f"{name} byte {offset}"
            disk.flip(name, offset, 1 << offset % 8)
            count += 1
    disk.flip("000001.log", disk.size("000001.log") - 1)
    with pytest.raises(LogCorrupt, match="later files follow"):
        read_log(disk).finish()
    disk.flip("000001.log", disk.size("000001.log") - 1)
    assert count > 3000 and damaged(disk, last.seq) == "nothing noticed"


def test_a_log_cut_at_any_byte_is_torn_or_corrupt_and_gives_only_what_was_whole() -> None:
    disk = SimulatedDisk()
    fill_log(disk, 3)
    whole, name = records_of(read_log(disk)), "000001.log"
    ends = [0, SEGMENT_BYTES, *(frame.offset for frame in read_log(disk))]
    for size in range(disk.size(name)):
        cut = disk.copy()
        cut.truncate(name, size)
        reader = read_log(cut)
        found = records_of(reader)
        assert found == whole[: len(found)]
        assert (reader.end.torn is None) == (size in ends[1:]), size
        if reader.end.torn is not None:
            assert reader.end.torn.offset == max(end for end in ends if end <= size)
            assert reader.end.torn.bytes_dropped == size - reader.end.torn.offset
            assert name in str(reader.end.torn) and "not been acknowledged" in str(reader.end.torn)
        with pytest.raises(LogCorrupt, match="already acknowledged"):
            read_log(cut, high_water=9).finish()


def test_a_torn_tail_is_cut_off_only_on_request() -> None:
    disk = SimulatedDisk()
    fill_log(disk, 2)
    size = disk.size("000001.log")
    disk.append("000001.log", b"PDF\x1e and no more")
    torn = read_log(disk).finish().torn
    assert torn is not None and torn.offset == size and torn.bytes_dropped == 16
    assert read_log(disk).finish().torn == torn
    assert read_log(disk, repair=True).finish().torn == torn
    assert disk.size("000001.log") == size and read_log(disk).finish().torn is None


def test_a_torn_new_segment_is_removed() -> None:
    for repair in (True, False):
        disk = SimulatedDisk()
        fill_log(disk, 2)
        disk.append("000002.log", b"PAPERLOG\x01")
        end = read_log(disk, repair=repair).finish()
        assert end.torn is not None and end.torn.file == "000002.log" and end.seq == 6
        LogWriter(disk, RUN, VERSION, read_log(disk).finish())
        assert disk.names() == ["000001.log"]


def test_missing_swapped_and_repeated_files_are_found() -> None:
    disk = SimulatedDisk()
    fill_log(disk, 6, rotate_bytes=1000)
    names = disk.names()
    for name in names[:-1]:
        gone = disk.copy()
        gone.remove(name)
        with pytest.raises(LogCorrupt, match="missing"):
            read_log(gone).finish()
    swapped = disk.copy()
    swapped.rename(names[1], "aside")
    swapped.rename(names[2], names[1])
    swapped.rename("aside", names[2])
    with pytest.raises(LogCorrupt, match="does not follow"):
        read_log(swapped).finish()
    disk.append("000007.log", disk.read(names[0]))
    with pytest.raises(LogCorrupt):
        read_log(disk).finish()


def test_a_frame_that_is_repeated_or_moved_is_found() -> None:
    disk = SimulatedDisk()
    fill_log(disk, 3)
    frames, data = list(read_log(disk)), disk.read("000001.log")
    second = data[frames[1].offset : frames[2].offset]
    for spoiled in (
        data + second,
        data[: frames[2].offset] + second + data[frames[2].offset :],
        data.replace(second, b""),
    ):
        other = SimulatedDisk()
        other.append("000001.log", spoiled)
        with pytest.raises(LogCorrupt):
            read_log(other, high_water=9).finish()


def test_a_frame_out_of_place_with_a_right_hash_is_found() -> None:
    disk = SimulatedDisk()
    writer = fill_log(disk, 1)
    head = pack_frame(FrameHead(3, 4, 0, 0, 0))
    disk.append("000001.log", head + linked(writer.chain_hash, head))
    with pytest.raises(LogCorrupt, match="frame 3 from seq 4 stands where seq 4 is due"):
        read_log(disk).finish()


def test_records_that_do_not_fill_their_frame_are_found() -> None:
    for payload, records, inputs, what in (
        (b"\x03\x05\0\0\0ab", 1, 0, "1 record|0 records"),
        (b"\x03\x02\0\0\0{}", 2, 0, "1 records were found"),
        (b"\x03\x02\0\0\0{", 1, 0, "records were found"),
        (b"\x03\x02\0\0\0{]", 1, 0, "a note cannot be read"),
        (b"\x02\x02\0\0\0{}", 1, 0, "wrong length"),
        (b"\x03\x02\0\0\0{}", 1, 1, "not numbered 1 to 1"),
        (b"\x01\x70\0\0\0" + input_bytes(4), 1, 1, "not numbered 1 to 1"),
    ):
        disk = SimulatedDisk()
        segment = SegmentHead(1, 1, 1, 1, 1, RUN, VERSION, bytes(32)).pack()
        head = pack_frame(FrameHead(1, 1, inputs, records, len(payload)))
        disk.append("000001.log", segment + head + payload + linked(linked(bytes(32), segment), head, payload))
        with pytest.raises(LogCorrupt, match=what):
            for frame in read_log(disk):
                assert frame.outputs() is not None and frame.notes() is not None and frame.inputs() is not None


def test_a_newer_layout_or_an_unknown_record_is_said() -> None:
    disk = SimulatedDisk()
    disk.append("000001.log", SegmentHead(2, 1, 1, 1, 1, RUN, "9.0", bytes(32)).pack())
    with pytest.raises(LogTooNew, match=r"version 9\.0"):
        read_log(disk).finish()
    other = SimulatedDisk()
    writer = LogWriter(other, RUN, VERSION)
    writer.append(4, b"from the future")
    writer.commit()
    with pytest.raises(LogTooNew, match="record of kind 4"):
        records_of(read_log(other))


def test_a_header_is_read_only_where_there_is_one() -> None:
    head = pack_frame(FrameHead(1, 2, 3, 4, 5))
    assert unpack_frame(head) == FrameHead(1, 2, 3, 4, 5) and len(head) == FRAME_BYTES
    assert unpack_frame(head, 1) is None and unpack_frame(head[:-1]) is None and unpack_frame(b"") is None


# Failure


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.EINVAL])
def test_the_first_error_ends_the_writer(code: int) -> None:
    for operation in range(1, 9):
        disk = SimulatedDisk(seed=operation, faults={operation: code})
        writer = None
        with pytest.raises(LogFailed) as caught:
            writer = LogWriter(disk, RUN, VERSION)
            for seq in (1, 2, 3):
                writer.take_input(input_bytes(seq))
                writer.commit()
        text = str(caught.value)
        assert "; " in text and text.endswith(".")
        if code == errno.ENOSPC:
            assert "the disk is full" in text and "free some space" in text
        if writer is not None:
            assert f"up to seq {writer.seq} is safe" in text
            operations = disk.operations
            for call in (
                writer.commit,
                writer.close,
                lambda w=writer: w.take_input(b""),
                lambda w=writer: w.take_note({}),
            ):
                with pytest.raises(LogFailed):
                    call()
            assert disk.operations == operations, "nothing is tried again"
            assert read_log(disk.crash()).finish().seq >= writer.seq


def test_a_full_disk_of_the_operating_system_is_said(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "000001.log").symlink_to("/dev/full")
    disk = RealDisk(tmp_path)
    writer = LogWriter(disk, RUN, VERSION)
    writer.take_input(input_bytes(1))
    with pytest.raises(LogFailed, match="disk is full"):
        writer.commit()
    disk.close()


def test_a_home_that_cannot_be_made_or_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="cannot be made"):
        RealDisk(tmp_path / "file" / "log")
    (tmp_path / "000001.log").mkdir()
    disk = RealDisk(tmp_path)
    writer = LogWriter(disk, RUN, VERSION)
    writer.take_input(input_bytes(1))
    with pytest.raises(LogFailed, match="cannot be written"):
        writer.commit()
    disk.close()


def test_a_log_that_cannot_be_read_is_said() -> None:
    class Unreadable(SimulatedDisk):
        """A folder whose files cannot be read."""

        def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
            """Fails."""
            raise OSError(errno.EIO, "Input/output error", name)

    disk = Unreadable()
    fill_log(disk, 1)
    with pytest.raises(StoreError, match=r"cannot be read: the disk reports an input/output error; check the disk"):
        read_log(disk).finish()
