"""The process of one strategy: raises its wall, loads the user's code, and answers frames until its pipe ends.

Started by `isolated.BotProcess` as `python -m paperdesk.app.bot_process REQUESTS ANSWERS PARENT`. Everything of the house is imported before
the wall stands, nothing of the user's. Standard output and standard error are a pipe to the desk; nothing else is open.
"""

import faulthandler
import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import msgspec
import numpy as np

from paperdesk.app.bot_frames import (
    HEAD,
    INPUT_HEAD,
    MOST_COMMANDS,
    Build,
    Built,
    Failure,
    Kind,
    Load,
    Rows,
    framed,
    packed,
)
from paperdesk.app.user_code import Described
from paperdesk.domain.events import INPUT, INPUT_BYTES, OUTPUT
from paperdesk.safety import confine, wall
from paperdesk.safety.policies import DUMP_SIGNAL
from paperdesk.strategies import registry
from paperdesk.strategies.api import Strategy, StrategyError, title
from paperdesk.strategies.host import BotHost, StrategyFailed
from paperdesk.strategies.snapshot import SnapshotError

MOST_READ: Final = 1 << 16
SHOWN_CHARS: Final = 16_000


class Served:
    """What the process holds: the user's class, then its host."""

    def __init__(self) -> None:
        self.strategy: type[Strategy] | None = None
        self.host: BotHost | None = None
        self.row = np.zeros(1, INPUT)
        self.bytes = memoryview(self.row.view(np.uint8).data)

    def answer(self, kind: int, body: bytes) -> bytes:
        """The body of a DONE; raises what becomes another kind of answer."""
        if kind == Kind.DECIDE:
            return self.decide(body)
        if kind == Kind.OBSERVE:
            return self.said(self.bot.observe(np.frombuffer(body, OUTPUT)))
        if kind == Kind.SNAPSHOT:
            return self.bot.snapshot()
        if kind == Kind.RESTORE:
            self.bot.restore(body)
            return b""
        return self.load(body) if kind == Kind.LOAD else self.build(body)

    @property
    def bot(self) -> BotHost:
        """The host; only after BUILD."""
        assert self.host is not None, "no host was built yet"
        return self.host

    def decide(self, body: bytes) -> bytes:
        """Let the host decide on one input and its outputs."""
        kind, size = INPUT_HEAD.unpack_from(body)
        at = INPUT_HEAD.size
        self.bytes[:size] = body[at : at + size]
        self.bytes[size:] = bytes(INPUT_BYTES - size)
        rest = body[at + size :]
        return self.said(self.bot.decide(kind, self.row, 0, np.frombuffer(rest, OUTPUT) if rest else None))

    def said(self, rows: list[Rows]) -> bytes:
        """Commands as bytes; StrategyFailed where they are more than the desk takes."""
        if len(rows) > MOST_COMMANDS:
            text = f"{len(rows):,} commands in answer to one event; at most {MOST_COMMANDS:,} are taken\n"
            raise StrategyFailed(self.bot.name, "its answer", text)
        return packed(rows)

    def load(self, body: bytes) -> bytes:
        """Import the user's file."""
        given = msgspec.msgpack.decode(body, type=Load)
        self.strategy = registry.load_given(Path(given.path), given.files)
        return msgspec.msgpack.encode(Described(title(self.strategy), list(self.strategy.parameters)))

    def build(self, body: bytes) -> bytes:
        """A fresh host; replaces an earlier one."""
        assert self.strategy is not None, "LOAD comes first"
        wanted = msgspec.msgpack.decode(body, type=Build)
        ready = registry.build(self.strategy, wanted.parameters)
        self.host = host = BotHost(ready, wanted.account, wanted.bot, wanted.instruments, wanted.name)
        host.warm(wanted.past)
        return msgspec.msgpack.encode(Built(sorted(host.kinds), sorted(host.instruments)))


def handled(served: Served, kind: int, number: int, body: bytes) -> bytes:
    """The frame that answers a request."""
    try:
        return framed(Kind.DONE, number, served.answer(kind, body))
    except StrategyFailed as failure:
        said = Failure(failure.callback[:100], failure.text[-SHOWN_CHARS:])
        return framed(Kind.FAILED, number, msgspec.msgpack.encode(said))
    except SnapshotError as error:
        return framed(Kind.NOT_STORED, number, str(error)[:SHOWN_CHARS].encode("utf-8", "replace"))
    except StrategyError as error:
        return framed(Kind.REFUSED, number, str(error)[:SHOWN_CHARS].encode("utf-8", "replace"))


def write(pipe: int, data: bytes) -> None:
    """All of it."""
    while data:
        data = data[os.write(pipe, data) :]


def serve(requests: int, answers: int) -> NoReturn:
    """Answer until there are no more requests; SystemExit then, as the desk kills a process that it needs no longer."""
    served, held = Served(), bytearray()
    while True:
        while len(held) < HEAD.size or len(held) < HEAD.size + HEAD.unpack_from(held)[2]:
            more = os.read(requests, MOST_READ)
            if not more:
                raise SystemExit("the pipe of its requests has ended")
            held += more
        kind, number, size = HEAD.unpack_from(held)
        body = bytes(held[HEAD.size : HEAD.size + size])
        del held[: HEAD.size + size]
        write(answers, handled(served, kind, number, body))


def main(requests: int, answers: int, parent: int) -> None:
    """Close oneself in, say how, and serve."""
    confine.die_with_parent(parent)
    faulthandler.enable(sys.stderr)
    faulthandler.register(DUMP_SIGNAL, sys.stderr, all_threads=True)
    os.environ.clear()
    try:
        report = wall.raise_wall(wall.STRATEGY)
    except wall.WallRefused as refused:
        write(answers, framed(Kind.REFUSED, 0, str(refused).encode()))
        return
    write(answers, framed(Kind.DONE, 0, report.text().encode()))
    serve(requests, answers)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
