"""The log: the authority on what happened. Everything else the desk remembers can be made anew from it.

`LogWriter` is the loop's journal: records are collected in memory, and `commit()` makes them durable as one frame.
Nothing may leave the process before. The first OSError ends the writer: after a failed write or sync nobody knows what
is on the disk, so nothing is tried again. `read_log` reads strictly: whatever an interrupted write cannot explain is
`LogCorrupt`; a last commit that never finished is a `TornTail`, reported and (with `repair`) cut off. Both are written
for one process at a time (`lock.py`).
"""

from collections.abc import Callable
from itertools import chain
from typing import Any, Final

import msgspec
import numpy as np

from paperdesk.domain.events import INPUT_BYTES, SCHEMA_VERSION
from paperdesk.store.disk import Disk
from paperdesk.store.errors import StoreError, why
from paperdesk.store.frames import (
    FRAME_BYTES,
    LOG_LAYOUT,
    MAX_PAYLOAD_BYTES,
    RECORD,
    SEQ,
    SEQ_AT,
    Frame,
    FrameHead,
    LogCorrupt,
    LogTooNew,
    SegmentHead,
    Tag,
    linked,
    pack_frame,
)
from paperdesk.store.log_reader import (
    CLEAN_SHUTDOWN,
    LogEnd,
    LogReader,
    TornTail,
    read_log,
    segment_name,
    segment_names,
)

__all__ = [
    "Frame",
    "LogCorrupt",
    "LogEnd",
    "LogFailed",
    "LogReader",
    "LogTooNew",
    "LogWriter",
    "Tag",
    "TornTail",
    "read_log",
]

Rows = np.ndarray[Any, Any]

ROTATE_BYTES: Final = 64 << 20
ROOM: Final = bytes(FRAME_BYTES)
INPUT_HEAD: Final = {length: RECORD.pack(Tag.INPUT, length) for length in range(INPUT_BYTES + 1)}.__getitem__


class LogFailed(StoreError):  # noqa: N818  a fact, named as one
    """The log cannot be written (any more); trading stops."""


class LogWriter:
    """Collects records and commits them. Not thread-safe: one owner. `seq` and `chain_hash` are those of the last
    commit.
    """

    def __init__(
        self, disk: Disk, run: str, engine_version: str, end: LogEnd | None = None, rotate_bytes: int = ROTATE_BYTES
    ) -> None:
        """Begin a log, or go on after `end` as `read_log` found it (its torn tail is cut off); LogFailed if the disk
        does not let us.

        The last segment is written anew: what a failed sync left in memory reads well (even as a clean shutdown) and is
        not on the disk, and a later sync would not put it there.
        """
        end = LogEnd() if end is None else end
        self.disk, self.run, self.engine_version, self.rotate_bytes = disk, run, engine_version, rotate_bytes
        self.seq, self.frame, self.chain_hash, self.segment, self.size = (
            end.seq,
            end.frame,
            end.chain_hash,
            end.segment,
            end.offset,
        )
        self.total_bytes = 0
        self.failure: LogFailed | None = None
        self._waiting: list[bytes] = []
        self.take_input: Callable[[bytes], None] = self._waiting.append
        """One input record, cut to what its kind stores. Called for every event, so it is the list's own method."""
        self._fresh_segment = end.segment == 0 or (end.run, end.engine_version) != (run, engine_version)
        self._start()
        if end.segment == 0 and any(name != (end.torn.file if end.torn else "") for name in segment_names(disk)):
            raise LogFailed("A log is already here. Read it first, and go on after its end; nothing was written.")
        try:
            self._tidy(end)
            self.total_bytes = sum(disk.size(name) for name in segment_names(disk))
        except OSError as error:
            raise self._fail(f"The log cannot be opened for writing: {why(error)}.") from error

    def take_outputs(self, rows: Rows) -> None:
        """The outputs of the last input, shape (n,) of OUTPUT."""
        self.append(Tag.OUTPUTS, rows.tobytes())

    def take_note(self, note: dict[str, Any]) -> None:
        """Something for people and for the projections that the fold does not see; plain data."""
        self.append(Tag.NOTE, msgspec.json.encode(note))

    def append(self, tag: int, data: bytes) -> None:
        """One record of any kind."""
        if tag == Tag.INPUT:
            self.take_input(data)
            return
        if self.failure is not None:
            raise self.failure
        if self._waiting:
            self._gather()
        self._buffer += RECORD.pack(tag, len(data))
        self._buffer += data
        self._others += 1

    @property
    def pending_bytes(self) -> int:
        """Bytes of records that are not committed yet."""
        self._gather()
        return len(self._buffer) - FRAME_BYTES

    def commit(self) -> int:
        """Make everything appended so far durable; the last durable seq. LogFailed, now and for ever after, if that
        fails.
        """
        if self.failure is not None:
            raise self.failure
        payload_bytes = self.pending_bytes
        last_seq, records = self.seq + self._inputs, self._inputs + self._others
        if records == 0:
            return self.seq
        if payload_bytes > MAX_PAYLOAD_BYTES:
            raise self._fail("More than 2 GiB of records were collected without a commit; commit more often.")
        if self._inputs and SEQ.unpack_from(self._last_input, SEQ_AT)[0] != last_seq:
            raise self._fail(
                f"Inputs are not numbered without holes before seq {last_seq}: this is a bug, please report it."
            )
        try:
            if self._fresh_segment or self.size >= self.rotate_bytes:
                self._begin_segment()
            head = pack_frame(FrameHead(self.frame + 1, self.seq + 1, self._inputs, records, payload_bytes))
            self._buffer[:FRAME_BYTES] = head
            chain_hash = linked(self.chain_hash, self._buffer)
            self._buffer += chain_hash
            name = segment_name(self.segment)
            self.disk.append(name, self._buffer)
            self.disk.sync(name)
        except OSError as error:
            raise self._fail(
                f"The log cannot be written, so trading stops: {why(error)}. All up to seq {self.seq} is safe."
            ) from error
        self.size += len(self._buffer)
        self.total_bytes += len(self._buffer)
        self.frame += 1
        self.seq, self.chain_hash = last_seq, chain_hash
        self._start()
        return last_seq

    def close(self) -> None:
        """Commit what is left, and a last frame that says that the desk was shut down in order."""
        self.commit()
        self.take_note({"type": CLEAN_SHUTDOWN, "seq": self.seq})
        self.commit()
        self._fail("The log was closed; nothing can be written to it any more.")

    def _start(self) -> None:
        self._buffer = bytearray(ROOM)
        self._inputs = self._others = 0
        self._last_input = b""
        self._waiting.clear()

    def _gather(self) -> None:
        waiting = self._waiting
        if waiting:
            self._buffer += b"".join(chain.from_iterable(zip(map(INPUT_HEAD, map(len, waiting)), waiting, strict=True)))
            self._inputs += len(waiting)
            self._last_input = waiting[-1]
            waiting.clear()

    def _fail(self, text: str) -> LogFailed:
        self.failure = LogFailed(text)
        self.take_input = self._refuse
        self._start()
        return self.failure

    def _refuse(self, data: bytes) -> None:
        assert self.failure is not None, "only a failed writer refuses"
        raise self.failure

    def _tidy(self, end: LogEnd) -> None:
        """Remove what never was part of the log; write the last segment anew."""
        for name in self.disk.names():
            if name.endswith(".tmp"):
                self.disk.remove(name)
        name = segment_name(end.segment)
        if end.torn is not None and end.torn.file != name:
            self.disk.remove(end.torn.file)
        if end.segment > 0:
            self.disk.append("last.tmp", self.disk.read(name, 0, end.offset))
            self.disk.sync("last.tmp")
            self.disk.rename("last.tmp", name)
        self.disk.sync_folder()

    def _begin_segment(self) -> None:
        head = SegmentHead(
            LOG_LAYOUT,
            SCHEMA_VERSION,
            self.segment + 1,
            self.frame + 1,
            self.seq + 1,
            self.run,
            self.engine_version,
            self.chain_hash,
        ).pack()
        name = segment_name(self.segment + 1)
        self.disk.append(name, head)
        self.disk.sync(name)
        self.disk.sync_folder()
        self.segment += 1
        self.size, self.chain_hash, self._fresh_segment = len(head), linked(self.chain_hash, head), False
        self.total_bytes += len(head)
