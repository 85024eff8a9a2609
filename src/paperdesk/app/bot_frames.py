"""What goes over the pipes between the desk and a strategy's process: frames, little-endian, each a head and a body.

Head: kind of frame, number of the request, length of the body. An answer carries the number of its request; whatever else comes over the
pipe is garbage and ends the process. DECIDE carries the input as the log stores it and the outputs that concern the bot; its answer is
command rows cut to what the log stores. The rest is msgpack.

The desk believes nothing that comes back: lengths are bounded, and of a command row only what a bot may say is taken.
"""

import struct
from enum import IntEnum
from typing import Any, Final

import msgspec
import numpy as np

from paperdesk.domain.events import INPUT, LIST_BYTES, InputKind, ListKind, OrderType, Side, inputs, stored_bytes
from paperdesk.domain.instruments import Instrument
from paperdesk.strategies.host import PastBar

Rows = np.ndarray[Any, Any]
HEAD: Final = struct.Struct("<BII")
INPUT_HEAD: Final = struct.Struct("<hH")
"""Of a DECIDE body: kind of the input, bytes of it; outputs follow to the end."""
MOST_COMMANDS: Final = 1_000
COMMANDS_ANSWER: Final = MOST_COMMANDS * LIST_BYTES
SHORT_ANSWER: Final = 1 << 16
LONG_ANSWER: Final = 1 << 26
"""Bytes of a snapshot."""
SUBMIT_ORDER, SUBMIT_LIST, SIGNAL = int(InputKind.SUBMIT_ORDER), int(InputKind.SUBMIT_LIST), int(InputKind.SIGNAL)
MAY_SAY: Final = {
    int(kind): stored_bytes(kind)
    for kind in map(
        InputKind.__getitem__, ("SUBMIT_ORDER", "SUBMIT_LIST", "AMEND_ORDER", "CANCEL_ORDER", "CANCEL_ALL", "SIGNAL")
    )
}
"""Kinds of commands that a bot may send, and how many bytes of a row each takes."""
LEG_COUNTS: Final = {int(ListKind.OCO): 2, int(ListKind.OTO): 2, int(ListKind.OTOCO): 3}
BYTE_WORDS: Final = ("side", "order_type", "time_in_force", "flags")
KIND_OF: Final = struct.Struct("<h")
SIDES: Final = frozenset({int(Side.BUY), int(Side.SELL)})
TYPES: Final = frozenset(map(int, OrderType))


class Kind(IntEnum):
    """Kinds of frames. Below 20: requests; from 20: answers."""

    LOAD = 1
    BUILD = 2
    DECIDE = 3
    OBSERVE = 4
    SNAPSHOT = 5
    RESTORE = 6
    DONE = 20
    FAILED = 21
    REFUSED = 22
    NOT_STORED = 23


ANSWERS: Final = frozenset(int(kind) for kind in Kind if kind >= Kind.DONE)


class Failure(msgspec.Struct):
    """User code raised: where, and its traceback."""

    callback: str
    text: str


class Load(msgspec.Struct):
    """A strategy file and the modules beside it."""

    path: str
    files: dict[str, bytes]


class Build(msgspec.Struct):
    """A host to be built, as `BotHost` takes it."""

    account: int
    bot: int
    name: str
    parameters: dict[str, Any]
    instruments: list[Instrument]
    past: list[PastBar] = []
    """Closed bars from before the run, for indicators to warm up with."""


class Built(msgspec.Struct):
    """Which inputs a host wants."""

    kinds: list[int]
    instruments: list[int]


class GarbageError(ValueError):
    """What came over a pipe is no answer; the text says how."""


def framed(kind: Kind, number: int, body: bytes) -> bytes:
    """One frame."""
    return HEAD.pack(kind, number & 0xFFFFFFFF, len(body)) + body


def packed(rows: list[Rows]) -> bytes:
    """Command rows as bytes."""
    return b"".join(row.tobytes()[: stored_bytes(int(row["kind"][0]))] for row in rows)


def commands_of(body: bytes, account: int, bot: int, instruments: frozenset[int]) -> list[Rows]:
    """The command rows of an answer, each of shape (1,); GarbageError unless each is something that this bot may say."""
    rows: list[Rows] = []
    at = 0
    while at < len(body):
        size = MAY_SAY.get(KIND_OF.unpack_from(body, at)[0], 0) if len(body) - at >= KIND_OF.size else 0
        if size == 0 or at + size > len(body) or len(rows) == MOST_COMMANDS:
            raise GarbageError(f"it answered with {len(body)} bytes, which are no commands that a bot may send")
        row = inputs(1)
        row.view(np.uint8)[:size] = np.frombuffer(body, np.uint8, size, at)
        at += size
        if int(row["account"][0]) != account or int(row["bot"][0]) != bot:
            raise GarbageError(f"its command {len(rows)} is not one that a bot may send")
        if not is_own(row, instruments):
            raise GarbageError(f"its command {len(rows)} is no order on an instrument of its own")
        rows.append(row)
    return rows


def is_own(row: Rows, instruments: frozenset[int]) -> bool:
    """Whether what a command row orders or wants, if anything, is on an instrument of the bot's own, and orders are such."""
    kind = int(row["kind"][0])
    if kind == SIGNAL:
        legs: list[tuple[int, int]] = []
    elif kind == SUBMIT_ORDER:
        legs = [(int(row["side"][0]), int(row["order_type"][0]))]
    elif kind == SUBMIT_LIST:
        count = LEG_COUNTS.get(int(row["list_kind"][0]), 0)
        words = [row[f"leg_{name}"][0, :count].tolist() for name in BYTE_WORDS]
        if count == 0 or any(not 0 <= value < 128 for column in words for value in column):
            return False
        legs = list(zip(words[0], words[1], strict=True))
    else:
        return True
    return int(row["instrument"][0]) in instruments and all(side in SIDES and kind in TYPES for side, kind in legs)


assert INPUT.itemsize < 2**16
