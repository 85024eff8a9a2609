"""Recordings of one JSON message a line, as venues sent them, with or without the local receive time in front.

A venue's messages are a *dialect*: it looks at them in the first pass and turns them into inputs in the second.
Recorded sessions (`sessions.py`) use the same dialects.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np

from paperdesk.domain.instruments import Instrument
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.port import Refusals
from paperdesk.feeds.recording import LATEST_NS, Found, Truncated, digest_of, lines, to_ns
from paperdesk.feeds.writer import Writer

CORRUPT: Final = (msgspec.DecodeError, ValueError, RecursionError)
"""What reading a damaged line raises."""
MINUTES: dict[str, int] = {}
"""Nanoseconds of "2018-04-17T00:55", for the few thousand minutes of a recording."""


class Dialect(Protocol):
    """One venue's messages."""

    venue: str
    found: dict[str, Found]
    """By the venue's own symbol."""

    def see(self, data: bytes) -> None:
        """First pass: looks at one message; raises one of CORRUPT for what cannot be read."""

    def begin(self, instruments: Mapping[str, Instrument], writer: Writer) -> None:
        """Starts a second pass for these instruments, by canonical symbol."""

    def take(self, data: bytes, seq_ns: int) -> None:
        """Second pass: one message, received at `seq_ns` (0: not known, the message's own time stands in)."""


def iso_ns(text: str) -> int:
    """UTC time such as "2018-04-17T00:55:04.358Z" in nanoseconds; ValueError for anything else."""
    minute = MINUTES.get(text[:16])
    if minute is None:
        if len(MINUTES) > 100_000:
            MINUTES.clear()
        minute = MINUTES[text[:16]] = int(datetime.fromisoformat(text[:16] + ":00+00:00").timestamp()) * 1_000_000_000
    seconds, _, part = text[17:].rstrip("Z").partition(".")
    digits = seconds + (part + "000000000")[:9]
    if not (len(seconds) == 2 and digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text!r} is no UTC time")
    if not 0 <= minute + int(digits) <= LATEST_NS:
        raise ValueError(f"{text!r} is no time between 1970 and 2116")
    return minute + int(digits)


def split_stamp(line: bytes) -> tuple[int, bytes]:
    """(local time in nanoseconds or 0, the message) of a line."""
    if line[:1].isdigit():
        space = line.find(b" ")
        return to_ns(int(line[:space])), line[space + 1 :]
    return 0, line


class MessageLines:
    """A file of messages of one dialect."""

    def __init__(self, path: Path, dialect: Dialect, kind: str) -> None:
        self.path, self.kind = path, kind
        self.digest = digest_of(path)
        self.notes: list[str] = []
        self._dialect = dialect
        try:
            for batch in lines(path):
                for line in batch:
                    try:
                        dialect.see(split_stamp(line)[1])
                    except CORRUPT:
                        continue
        except Truncated as error:
            self.notes.append(f"{path.name}: {error}; what came before is used")
        for found in dialect.found.values():
            found.settle_texts()
        self.found = {found.symbol: found for found in dialect.found.values() if found.events()}

    def blocks(self, instruments: Mapping[str, Instrument], refusals: Refusals) -> Iterator[np.ndarray]:
        """See `Recording`."""
        writer = Writer(refusals)
        self._dialect.begin(instruments, writer)
        take = self._dialect.take
        for batch in lines(self.path, refusals):
            for line in batch:
                try:
                    seq_ns, data = split_stamp(line)
                    take(data, seq_ns)
                except CORRUPT:
                    refusals["", Reason.CORRUPT_LINE] += 1
            yield from writer.drain()
        yield from writer.finish()
