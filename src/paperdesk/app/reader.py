"""Recordings of text lines are read in a process of their own, so that decoding and trading share two cores.

The child only reads: it holds no account, writes nothing but blocks into a pipe, and ends when its parent does (the pipe breaks). What
comes out is the same blocks in the same order, byte for byte. Feeds that need no decoding in Python are read in place.
"""

import os
import signal
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

import msgspec
import numpy as np

from paperdesk.app.errors import EXIT_IO, DeskError
from paperdesk.domain.events import INPUT, INPUT_BYTES
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.port import Feed, RecordingRefused

HEAD: Final = struct.Struct("<qqqq")
"""Rows of the block, lines read so far, bytes of the refusals, bytes of an error text (then the stream ends)."""
PIPE_BYTES: Final = 1 << 20
OPEN_FILES: Final = 4096
"""The child keeps none of its parent's files: neither the log nor the lock of the home."""


def is_worthwhile(feed: Feed) -> bool:
    """Whether a feed is read by line, on a machine with a second core."""
    return feed.is_read_by_line and (os.cpu_count() or 1) > 1


class Reader:
    """A child process that reads a feed. `close` ends it; an unexpected end of it is a DeskError."""

    def __init__(self, feed: Feed, skip: int) -> None:
        """Forks at once: before the parent has threads."""
        self._feed = feed
        read_end, write_end = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.closerange(3, write_end)
            os.closerange(write_end + 1, OPEN_FILES)
            serve(feed, skip, write_end)
        os.close(write_end)
        self._pipe: BinaryIO = os.fdopen(read_end, "rb", PIPE_BYTES)

    def blocks(self) -> Iterator[np.ndarray]:
        """The feed's blocks; its refusals are kept up to date."""
        while True:
            rows, self._feed.refusals.read, refusal_bytes, error_bytes = HEAD.unpack(self._exactly(HEAD.size))
            block = bytearray(rows * INPUT_BYTES)
            view, at = memoryview(block), 0
            while at < len(block):
                count = self._pipe.readinto(view[at:])  # type: ignore[attr-defined]
                if not count:
                    raise self._gone()
                at += count
            refusals = msgspec.msgpack.decode(self._exactly(refusal_bytes))
            self._feed.refusals.clear()
            self._feed.refusals.update({(symbol, Reason(code)): count for symbol, code, count in refusals})
            if error_bytes:
                raise DeskError(self._exactly(error_bytes).decode(), EXIT_IO)
            if rows == 0:
                return
            yield np.frombuffer(block, INPUT)

    def close(self) -> None:
        """End the child and wait for it."""
        self._pipe.close()
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0

    def _exactly(self, count: int) -> bytes:
        data = self._pipe.read(count)
        if len(data) < count:
            raise self._gone()
        return data

    def _gone(self) -> DeskError:
        return DeskError(
            "The process that reads the recording ended before it was through; start again: the run goes on where it stopped.",
            EXIT_IO,
        )


def serve(feed: Feed, skip: int, write_end: int) -> None:
    """The child: blocks into the pipe until the feed or the parent ends. Never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    code = 0
    try:
        with os.fdopen(write_end, "wb", PIPE_BYTES) as pipe:
            send = sender(feed, pipe.write)
            try:
                for block in feed.blocks(skip):
                    send(block.tobytes(), len(block), b"")
                send(b"", 0, b"")
            except (RecordingRefused, OSError) as error:
                send(b"", 0, str(error).encode())
    except BrokenPipeError:
        code = 1
    finally:
        os._exit(code)


def sender(feed: Feed, write: Callable[[bytes], int]) -> Callable[[bytes, int, bytes], None]:
    """Writes one block, with the refusals so far."""

    def send(data: bytes, rows: int, error: bytes) -> None:
        """One block and what goes with it."""
        refusals = msgspec.msgpack.encode(
            [[symbol, int(reason), count] for (symbol, reason), count in feed.refusals.items()]
        )
        write(HEAD.pack(rows, feed.refusals.read, len(refusals), len(error)))
        write(data)
        write(refusals)
        write(error)

    return send
