"""The log's layout: segments of frames of records. Numbers are little-endian; tags and magics are never reused.

    segment   header │ frame │ frame │ …                          000001.log, 000002.log, … in the run's log folder
    header    magic, layouts, number, first frame and seq, run, engine version, chain hash before it, crc32
    frame     FRAME (magic, number, first seq, how many inputs, records and bytes, crc32) │ payload │ chain hash
    payload   record │ record │ …  each: tag u8, length u32, bytes

A frame is what one commit made durable. Its chain hash is blake2b(chain hash before ‖ header ‖ payload), so that the
last hash stands for the whole log; a segment's header enters the chain in the same way.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from typing import Any, Final

import msgspec
import numpy as np

from paperdesk.domain.events import INPUT, INPUT_BYTES, OUTPUT, OUTPUT_BYTES, SCHEMA_VERSION
from paperdesk.store.errors import StoreError

Rows = np.ndarray[Any, Any]

LOG_LAYOUT: Final = 1
CHAIN_BYTES: Final = 32
NO_CHAIN: Final = bytes(CHAIN_BYTES)
SEGMENT_MAGIC: Final = b"PAPERLOG"
FRAME_MAGIC: Final = b"PDF\x1e"
SEGMENT: Final = struct.Struct("<8sHHIQQ32s32s32s")
"""magic, log layout, record layout, segment number, first frame, first seq, run, engine version, chain hash before."""
CRC: Final = struct.Struct("<I")
SEGMENT_BYTES: Final = SEGMENT.size + CRC.size
FRAME: Final = struct.Struct("<4sIQQIII")
"""magic, zero, frame number, first seq, inputs, records, payload bytes; a crc32 of these follows."""
FRAME_BYTES: Final = FRAME.size + CRC.size
RECORD: Final = struct.Struct("<BI")
MAX_PAYLOAD_BYTES: Final = 2**31
SEQ_AT: Final = struct.calcsize("<hbbbbbbiiii")
"""Where an input record holds its seq."""
SEQ: Final = struct.Struct("<q")


class Tag(IntEnum):
    """What a record is. Never reused."""

    INPUT = 1
    OUTPUTS = 2
    NOTE = 3


INPUT_TAG: Final = int(Tag.INPUT)
LAST_TAG: Final = int(max(Tag))


class LogCorrupt(StoreError):  # noqa: N818  a fact, named as one
    """The log holds something that no interrupted write can explain. Nothing was changed."""

    def __init__(self, file: str, offset: int, frame: int, what: str) -> None:
        """`offset` in bytes; `frame` is the one that was expected there."""
        super().__init__(
            f"The log is damaged: {file}, byte {offset}, frame {frame}: {what}. An interrupted write cannot "
            f"do this, so nothing was repaired or used from there on. Copy the folder as it is, then restore "
            f"{file} from a backup; if there is none, begin a new run with another --home."
        )
        self.file, self.offset, self.frame, self.what = file, offset, frame, what


class LogTooNew(StoreError):  # noqa: N818  a fact, named as one
    """Another version wrote this log."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What one commit made durable: the inputs first_seq … last_seq (none if last_seq < first_seq), their outputs, and
    notes.
    """

    file: str
    offset: int
    number: int
    first_seq: int
    last_seq: int
    records: int
    payload: bytes
    chain_hash: bytes
    engine_version: str

    def items(self) -> Iterator[tuple[int, memoryview]]:
        """(tag, bytes) of each record in order; LogCorrupt if they do not fill the payload exactly."""
        view, at, count, size, unpack, head = (
            memoryview(self.payload),
            0,
            0,
            len(self.payload),
            RECORD.unpack_from,
            RECORD.size,
        )
        while at + head <= size:
            tag, length = unpack(view, at)
            start = at + head
            if start + length > size:
                break
            if tag == 0 or tag > LAST_TAG:
                raise LogTooNew(
                    f"{self.file}, frame {self.number} holds a record of kind {tag}, which this version does not know. "
                    f"It was written by version {self.engine_version}: open the run with that version, or a newer one."
                )
            at = start + length
            count += 1
            yield tag, view[start:at]
        if at != len(view) or count != self.records:
            raise LogCorrupt(
                self.file,
                self.offset,
                self.number,
                f"{count} records were found where its header counts {self.records}",
            )

    def inputs(self) -> Rows:
        """The inputs, shape (n,) of INPUT; what a record did not store is zero. LogCorrupt where they are not numbered
        as the header says.
        """
        rows = np.zeros(self.last_seq - self.first_seq + 1, INPUT)
        data, most, at = rows.view(np.uint8).data if len(rows) else memoryview(b""), len(rows) * INPUT_BYTES, 0
        for tag, record in self.items():
            if tag == Tag.INPUT:
                if at < most:
                    data[at : at + len(record)] = record
                at += INPUT_BYTES
        if at != most or not np.array_equal(rows["seq"], np.arange(self.first_seq, self.last_seq + 1)):
            raise LogCorrupt(
                self.file,
                self.offset,
                self.number,
                f"its inputs are not numbered {self.first_seq} to {self.last_seq}, as its header says",
            )
        return rows

    def outputs(self) -> Rows:
        """All outputs in order, shape (n,) of OUTPUT."""
        data = b"".join(record for tag, record in self.items() if tag == Tag.OUTPUTS)
        if len(data) % OUTPUT_BYTES:
            raise LogCorrupt(self.file, self.offset, self.number, "an output record has a wrong length")
        return np.frombuffer(data, OUTPUT)

    def notes(self) -> list[dict[str, Any]]:
        """The notes, decoded."""
        try:
            return [msgspec.json.decode(record, type=dict[str, Any]) for tag, record in self.items() if tag == Tag.NOTE]
        except msgspec.DecodeError as error:
            raise LogCorrupt(self.file, self.offset, self.number, f"a note cannot be read ({error})") from error


@dataclass(frozen=True, slots=True)
class SegmentHead:
    """The header of a segment file."""

    layout: int
    schema: int
    number: int
    first_frame: int
    first_seq: int
    run: str
    engine_version: str
    chain_hash: bytes
    """Chain hash before this header."""

    def pack(self) -> bytes:
        """SEGMENT_BYTES bytes."""
        run, version = self.run.encode(), self.engine_version.encode()
        assert len(run) <= 32 and len(version) <= 32, "names in a segment header have at most 32 bytes"
        fields = (
            self.layout,
            self.schema,
            self.number,
            self.first_frame,
            self.first_seq,
            run,
            version,
            self.chain_hash,
        )
        data = SEGMENT.pack(SEGMENT_MAGIC, *fields)
        return data + CRC.pack(zlib.crc32(data))


def unpack_segment(data: bytes) -> SegmentHead | None:
    """The header at the start of `data`, or None if it is not whole."""
    if len(data) < SEGMENT_BYTES or CRC.unpack_from(data, SEGMENT.size)[0] != zlib.crc32(data[: SEGMENT.size]):
        return None
    magic, layout, schema, number, frame, seq, run, version, chain = SEGMENT.unpack_from(data)
    if magic != SEGMENT_MAGIC:
        return None
    return SegmentHead(layout, schema, number, frame, seq, _text(run), _text(version), chain)


def check_layout(head: SegmentHead, file: str) -> None:
    """LogTooNew unless this version reads the segment."""
    if (head.layout, head.schema) != (LOG_LAYOUT, SCHEMA_VERSION):
        raise LogTooNew(
            f"{file} was written by version {head.engine_version} with log layout {head.layout} and record layout "
            f"{head.schema}; this version reads {LOG_LAYOUT} and {SCHEMA_VERSION}. Open the run with "
            "that version, or a newer one."
        )


@dataclass(frozen=True, slots=True)
class FrameHead:
    """The header of a frame."""

    number: int
    first_seq: int
    inputs: int
    records: int
    payload_bytes: int


def pack_frame(head: FrameHead) -> bytes:
    """FRAME_BYTES bytes."""
    data = FRAME.pack(FRAME_MAGIC, 0, head.number, head.first_seq, head.inputs, head.records, head.payload_bytes)
    return data + CRC.pack(zlib.crc32(data))


def unpack_frame(data: bytes, at: int = 0) -> FrameHead | None:
    """The frame header at data[at:], or None if there is none with a right checksum."""
    if len(data) < at + FRAME_BYTES or data[at : at + len(FRAME_MAGIC)] != FRAME_MAGIC:
        return None
    _, zero, *fields = FRAME.unpack_from(data, at)
    if CRC.unpack_from(data, at + FRAME.size)[0] != zlib.crc32(data[at : at + FRAME.size]) or zero != 0:
        return None
    return FrameHead(*fields)


def linked(before: bytes, *parts: bytes | bytearray | memoryview) -> bytes:
    """blake2b(before ‖ parts …), 32 bytes."""
    digest = blake2b(before, digest_size=CHAIN_BYTES)
    for part in parts:
        digest.update(part)
    return digest.digest()


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode(errors="replace")
