"""Small logs for the tests of the store: numbered inputs, outputs, notes, and ways to read all of it back."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from paperdesk.domain.events import OUTPUT, SHORT_BYTES, InputKind
from paperdesk.store.disk import Disk
from paperdesk.store.log import Frame, LogEnd, LogWriter, Tag, read_log

RUN = "run-1"
VERSION = "0.1.0"

Records = list[tuple[int, bytes]]


def input_bytes(seq: int, price_ticks: int = 7, length: int = SHORT_BYTES) -> bytes:
    """One stored input, a trade with this seq."""
    data = bytearray(length)
    struct.pack_into("<h", data, 0, int(InputKind.TRADE))
    struct.pack_into("<q", data, 24, seq)
    struct.pack_into("<q", data, 40, 1_700_000_000_000_000_000 + seq)
    struct.pack_into("<q", data, 48, price_ticks)
    return bytes(data)


def output_rows(seq: int, count: int) -> np.ndarray[Any, Any]:
    """`count` outputs of one input."""
    rows = np.zeros(count, OUTPUT)
    rows["seq"] = seq
    rows["number"] = np.arange(count)
    return rows


def fill_log(disk: Disk, commits: int, inputs: int = 3, rotate_bytes: int = 1 << 20) -> LogWriter:
    """A log of some commits, each with some inputs, one of them with two outputs, and a note; not closed."""
    writer = LogWriter(disk, RUN, VERSION, rotate_bytes=rotate_bytes)
    for _ in range(commits):
        for _ in range(inputs):
            writer.take_input(input_bytes(writer.seq + writer._inputs + len(writer._waiting) + 1))
        writer.take_outputs(output_rows(writer.seq + inputs, 2))
        writer.take_note({"type": "remark", "text": "a note"})
        writer.commit()
    return writer


def records_of(frames: Iterable[Frame]) -> Records:
    """Every record of the frames, in order."""
    return [(tag, bytes(data)) for frame in frames for tag, data in frame.items()]


def read_all(disk: Disk, high_water: int = 0) -> tuple[Records, LogEnd]:
    """Every record of a log but the clean shutdowns, and where it ends."""
    reader = read_log(disk, high_water=high_water)
    found = records_of(reader)
    ends = {msgspec.json.encode({"type": "clean_shutdown", "seq": seq}) for seq in range(reader.end.seq + 1)}
    return [(tag, data) for tag, data in found if tag != Tag.NOTE or data not in ends], reader.end
