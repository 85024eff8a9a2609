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

from paperdesk.domain.events import INPUT, ORDER_BYTES, InputKind, OrderType, Side, inputs
from paperdesk.domain.instruments import Instrument
from paperdesk.strategies.host import PastBar

Rows = np.ndarray[Any, Any]
HEAD: Final = struct.Struct("<BII")
INPUT_HEAD: Final = struct.Struct("<hH")
"""Of a DECIDE body: kind of the input, bytes of it; outputs follow to the end."""
MOST_COMMANDS: Final = 1_000
COMMANDS_ANSWER: Final = MOST_COMMANDS * ORDER_BYTES
SHORT_ANSWER: Final = 1 << 16
LONG_ANSWER: Final = 1 << 26
"""Bytes of a snapshot."""
MAY_SAY: Final = frozenset(
    int(InputKind[name]) for name in ("SUBMIT_ORDER", "AMEND_ORDER", "CANCEL_ORDER", "CANCEL_ALL")
)
SUBMIT_ORDER: Final = int(InputKind.SUBMIT_ORDER)
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
    return b"".join(row.tobytes()[:ORDER_BYTES] for row in rows)


def commands_of(body: bytes, account: int, bot: int, instruments: frozenset[int]) -> list[Rows]:
    """The command rows of an answer, each of shape (1,); GarbageError unless each is something that this bot may say."""
    count, odd = divmod(len(body), ORDER_BYTES)
    if odd or count > MOST_COMMANDS:
        raise GarbageError(f"it answered with {len(body)} bytes, which are no commands")
    rows = []
    for place in range(count):
        row = inputs(1)
        row.view(np.uint8)[:ORDER_BYTES] = np.frombuffer(body, np.uint8, ORDER_BYTES, place * ORDER_BYTES)
        kind, instrument = int(row["kind"][0]), int(row["instrument"][0])
        if kind not in MAY_SAY or int(row["account"][0]) != account or int(row["bot"][0]) != bot:
            raise GarbageError(f"its command {place} is not one that a bot may send")
        if kind == SUBMIT_ORDER and not (
            instrument in instruments and int(row["side"][0]) in SIDES and int(row["order_type"][0]) in TYPES
        ):
            raise GarbageError(f"its command {place} is no order on an instrument of its own")
        rows.append(row)
    return rows


assert INPUT.itemsize < 2**16
