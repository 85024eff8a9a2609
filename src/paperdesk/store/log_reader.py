"""Reading the log: strictly, and telling an interrupted last write from damage.

At most one frame is ever on its way to the disk. So only the last frame of the last segment can be unfinished, and
nothing follows it: that is a `TornTail`. Anything else that does not fit is `LogCorrupt`, and nothing after it is
believed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from paperdesk.store.disk import Disk
from paperdesk.store.errors import StoreError, why
from paperdesk.store.frames import (
    CHAIN_BYTES,
    FRAME_BYTES,
    FRAME_MAGIC,
    NO_CHAIN,
    SEGMENT_BYTES,
    Frame,
    FrameHead,
    LogCorrupt,
    check_layout,
    linked,
    unpack_frame,
    unpack_segment,
)

WINDOW_BYTES: Final = 4 << 20
CLEAN_SHUTDOWN: Final = "clean_shutdown"


@dataclass(frozen=True, slots=True)
class TornTail:
    """A last commit that never finished: the bytes from `offset` on were not acknowledged to anyone."""

    file: str
    offset: int
    bytes_dropped: int
    what: str

    def __str__(self) -> str:
        return (
            f"{self.file}: the last write was interrupted at byte {self.offset} ({self.what}); its "
            f"{self.bytes_dropped} bytes had not been acknowledged to anyone and are dropped"
        )


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Where a log ends: its last whole segment, frame and seq (0: none), and the chain hash that stands for it all."""

    segment: int = 0
    offset: int = 0
    frame: int = 0
    seq: int = 0
    chain_hash: bytes = NO_CHAIN
    run: str = ""
    engine_version: str = ""
    clean: bool = False
    torn: TornTail | None = None


def segment_name(number: int) -> str:
    """File name of a segment."""
    return f"{number:06}.log"


def segment_names(disk: Disk) -> list[str]:
    """The segment files present, in order."""
    return [name for name in disk.names() if name.endswith(".log") and name.removesuffix(".log").isdigit()]


class LogReader:
    """Iterates the frames of a log once; afterwards `end` says where it ends, and whether its last write was torn."""

    def __init__(self, disk: Disk, repair: bool = False, high_water: int = 0) -> None:
        """`high_water` is the last seq that is known to have left the process: a log ending before it has lost data."""
        self.disk, self.repair, self.high_water = disk, repair, high_water
        self.end = LogEnd()
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        """The frames, in order. StoreError where they cannot be read."""
        return self._frames

    def finish(self) -> LogEnd:
        """Read to the end and say where it is."""
        for _ in self._frames:
            pass
        return self.end

    def _read(self) -> Iterator[Frame]:
        names = segment_names(self.disk)
        try:
            for place, name in enumerate(names, start=1):
                yield from self._segment(name, place, last=place == len(names))
            if self.end.seq < self.high_water:
                raise LogCorrupt(
                    segment_name(max(self.end.segment, 1)),
                    self.end.offset,
                    self.end.frame + 1,
                    f"the log ends at seq {self.end.seq}, but seq {self.high_water} was already "
                    "acknowledged: committed data is lost",
                )
            if self.repair and self.end.torn is not None:
                self._cut(self.end.torn)
        except OSError as error:
            raise StoreError(f"The log cannot be read: {why(error)}.") from error

    def _segment(self, name: str, place: int, last: bool) -> Iterator[Frame]:
        end, size = self.end, self.disk.size(name)
        if name != segment_name(place):
            raise LogCorrupt(segment_name(place), 0, end.frame + 1, f"the file is missing, while {name} is there")
        data = self.disk.read(name, 0, SEGMENT_BYTES)
        head = unpack_segment(data)
        if head is None:
            self._tear(name, 0, size, last, "the file's header is not whole")
            return
        check_layout(head, name)
        if (head.number, head.first_frame, head.first_seq, head.chain_hash) != (
            place,
            end.frame + 1,
            end.seq + 1,
            end.chain_hash,
        ):
            raise LogCorrupt(
                name,
                0,
                end.frame + 1,
                "the file does not follow the one before it (number, frame, seq or chain hash differ)",
            )
        self.end = LogEnd(
            place, SEGMENT_BYTES, end.frame, end.seq, linked(end.chain_hash, data), head.run, head.engine_version
        )
        window, start = b"", 0
        while self.end.offset < size:
            at = self.end.offset
            if at + FRAME_BYTES > start + len(window):
                window, start = self.disk.read(name, at, WINDOW_BYTES), at
            found = unpack_frame(window, at - start)
            length = FRAME_BYTES + CHAIN_BYTES + (found.payload_bytes if found else 0)
            if at + length > start + len(window):
                window, start = self.disk.read(name, at, max(length, WINDOW_BYTES)), at
            frame = self._frame(name, at, found, window[at - start : at - start + length])
            if isinstance(frame, str):
                self._tear(name, at, size, last, frame)
                return
            yield frame

    def _frame(self, name: str, at: int, head: FrameHead | None, data: bytes) -> Frame | str:
        """The frame whose bytes are `data`, after which the log ends for now; or what is wrong with it."""
        end = self.end
        if head is None:
            return "the frame's header is not whole, or its checksum differs"
        if (head.number, head.first_seq) != (end.frame + 1, end.seq + 1):
            raise LogCorrupt(
                name,
                at,
                end.frame + 1,
                f"frame {head.number} from seq {head.first_seq} stands where seq {end.seq + 1} is due",
            )
        if len(data) < FRAME_BYTES + head.payload_bytes + CHAIN_BYTES:
            return f"the file ends before the frame's {head.payload_bytes} bytes"
        stored, computed = data[-CHAIN_BYTES:], linked(end.chain_hash, memoryview(data)[:-CHAIN_BYTES])
        if stored != computed:
            return f"the chain hash differs: {stored.hex()[:16]}… is stored, {computed.hex()[:16]}… was computed"
        last_seq = end.seq + head.inputs
        payload = data[FRAME_BYTES:-CHAIN_BYTES]
        frame = Frame(
            name, at, head.number, head.first_seq, last_seq, head.records, payload, stored, end.engine_version
        )
        clean = head.records == 1 and any(note.get("type") == CLEAN_SHUTDOWN for note in frame.notes())
        self.end = LogEnd(
            end.segment, at + len(data), head.number, last_seq, stored, end.run, end.engine_version, clean
        )
        return frame

    def _tear(self, name: str, at: int, size: int, last: bool, what: str) -> None:
        """Decide between an unfinished last write and damage: after an unfinished write there is nothing."""
        frame, rest = self.end.frame + 1, self.disk.read(name, at)
        if not last:
            raise LogCorrupt(name, at, frame, f"{what}, and later files follow")
        place = rest.find(FRAME_MAGIC, 1)
        while place >= 0:
            later = unpack_frame(rest, place)
            if later is not None and later.number >= frame:
                raise LogCorrupt(name, at, frame, f"{what}, and frame {later.number} follows at byte {at + place}")
            place = rest.find(FRAME_MAGIC, place + 1)
        self.end = replace(self.end, clean=False, torn=TornTail(name, at, size - at, what))

    def _cut(self, torn: TornTail) -> None:
        if torn.offset == 0:
            self.disk.remove(torn.file)
            self.disk.sync_folder()
        else:
            self.disk.truncate(torn.file, torn.offset)
            self.disk.sync(torn.file)


def read_log(disk: Disk, repair: bool = False, high_water: int = 0) -> LogReader:
    """Read a log strictly. With `repair` a torn tail is cut off once the last frame was read (it stays named in
    `end.torn`).
    """
    return LogReader(disk, repair, high_water)
