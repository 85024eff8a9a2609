"""User code behind a wall: one process a bot, asked and answered over pipes, with a deadline.

`IsolatedBot` is a decider like any other. Each question goes to the bot's process (`bot_process`) and the loop waits for the answer; what
does not come in time, comes damaged, or does not come because the process has ended is a `DeciderFailed` with what the process said
last, and the process is killed. Nothing of the user's runs here, and nothing that comes back is believed.
"""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from paperdesk.app import bot_frames as frames
from paperdesk.app.bot_frames import GarbageError, Kind
from paperdesk.app.errors import EXIT_AGAIN, DeskError
from paperdesk.app.user_code import Described, UserStrategy, read_files, shown
from paperdesk.domain import cache
from paperdesk.domain.events import INPUT_BYTES, InputKind, OutputKind
from paperdesk.domain.instruments import Instrument
from paperdesk.engine.drive import STORED, DeciderFailed
from paperdesk.safety.policies import DUMP_SIGNAL
from paperdesk.strategies.api import StrategyError
from paperdesk.strategies.host import PastBar, StrategyFailed
from paperdesk.strategies.snapshot import SnapshotError

Rows = np.ndarray[Any, Any]

START_S: Final = 180.0
"""How long the house may take to start a process: the core may have to be compiled."""
LOAD_S: Final = 30.0
"""How long a user's file may take to import what it needs."""
DUMP_S: Final = 1.0
QUIET_S: Final = 0.1
SAID_KEPT: Final = 16_000
MOST_SAID: Final = 1 << 20
"""Bytes that a strategy may print in answer to one question."""
MOST_READ: Final = 1 << 16
EVENT_REFUSED: Final = int(OutputKind.EVENT_REFUSED)
KINDS: Final = frozenset(
    int(InputKind[name]) for name in ("DEFINE_INSTRUMENT", "TRADE", "QUOTE", "BOOK", "BAR", "MARKET_STATUS", "TIMER")
)
"""What a bot may follow, whatever it says it wants."""
MOST_IDLE_S: Final = 1.0
IDLE_SHARE_S: Final = 0.001
"""CPU time that a process may use while nothing is asked of it: once, and more for each answer that it gave."""
CPU_CLOCK: Final = 2
"""The kernel's clock of the CPU time of all threads of a process (`clock_getcpuclockid(3)`)."""
PASSED_ON: Final = ("NUMBA_DISABLE_JIT",)
FRAME_LINE: Final = re.compile(r'  File "(.+)", line (\d+) in ')


class Ended(Exception):  # noqa: N818  a fact, named as one
    """The process gave no answer and is gone; the text is for people. `killed`: somebody else ended it, which it cannot do itself."""

    killed = False


class BotLost(DeskError):  # noqa: N818  a fact, named as one
    """A bot's process was killed from outside, at work or while it began. Whoever runs the desk begins again from its record, and the bot with it."""

    def __init__(self, bot: str) -> None:
        super().__init__(
            f"the process of {bot} was killed; the desk begins again from its record, with the bot's memory", EXIT_AGAIN
        )


def lost(bot: str, error: Exception) -> BotLost | None:
    """What a process that was killed from outside is: lost, and nobody's fault; None for every other end."""
    return BotLost(bot) if isinstance(error, Ended) and error.killed else None


class BotProcess:
    """One process behind a wall. It dies with `close`, with the desk, and with the first thing it does wrong."""

    def __init__(self, name: str, sources: Mapping[str, bytes], start_s: float = START_S) -> None:
        """Starts it and waits until its wall stands. `sources` are for tracebacks. StrategyError where it cannot be had."""
        self.name = name
        self.sources = sources
        self.number = 0
        self.said = b""
        self._idle_s = self._answered_s = 0.0
        self._held = bytearray()
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._said, said = os.pipe()
        for pipe in (self._requests, self._answers, self._said, said):
            os.set_blocking(pipe, False)
        command = [sys.executable, "-P", "-s", "-m", "paperdesk.app.bot_process"]
        self._process = subprocess.Popen(
            [*command, str(requests), str(answers), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            pass_fds=(requests, answers),
            env=environment(),
            start_new_session=True,
        )
        for pipe in (requests, answers, said):
            os.close(pipe)
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)
        self._poll.register(self._said, select.POLLIN)
        self._prints = True
        self.closed = False
        try:
            kind, body = self._answer(time.monotonic() + start_s, start_s, frames.SHORT_ANSWER)
        except Ended as error:
            raise lost(name, error) or StrategyError(f"the process of {name} could not be started: {error}") from error
        self._answered_s = self._cpu_s()
        self.wall = body.decode("utf-8", "replace")
        if kind != Kind.DONE:
            self.close()
            raise StrategyError(self.wall)

    def ask(self, kind: Kind, body: bytes, within_s: float, most: int = frames.SHORT_ANSWER) -> tuple[int, bytes]:
        """Kind and body of the answer to one request. Ended where none came within `within_s` seconds or `most` bytes."""
        self.check_idle()
        self.number += 1
        deadline = time.monotonic() + within_s
        data: bytes | memoryview = frames.framed(kind, self.number, body)
        while data:
            try:
                data = memoryview(data)[os.write(self._requests, data) :]
            except BlockingIOError:
                if not select.select([], [self._requests], [], max(0.0, deadline - time.monotonic()))[1]:
                    self._late(within_s)
            except BrokenPipeError:
                self._gone()
        answer = self._answer(deadline, within_s, most)
        self._answered_s = self._cpu_s()
        return answer

    def check_idle(self) -> None:
        """Ended where the process is gone, or computes on behind an answer: to be called once a second where nothing is asked."""
        if self.closed:
            raise Ended("its process has ended")
        now = self._cpu_s()
        self._idle_s, self._answered_s = self._idle_s + now - self._answered_s, now
        if self._idle_s > MOST_IDLE_S + self.number * IDLE_SHARE_S:
            self._end(f"it used {self._idle_s:.1f} s of CPU time while nothing was asked of it")

    def _cpu_s(self) -> float:
        """CPU time of the process so far, in seconds; what it was where the process is gone."""
        try:
            return time.clock_gettime(~self._process.pid << 3 | CPU_CLOCK)
        except OSError:
            return self._answered_s

    def _answer(self, deadline: float, within_s: float, most: int) -> tuple[int, bytes]:
        head, held, spoken = frames.HEAD, self._held, 0
        while True:
            if len(held) >= head.size:
                kind, number, size = head.unpack_from(held)
                if number != self.number or kind not in frames.ANSWERS or size > most:
                    self._end(f"it wrote {min(len(held), size)} bytes into its pipe that are no answer")
                if len(held) >= head.size + size:
                    body = bytes(held[head.size : head.size + size])
                    del held[: head.size + size]
                    if held:
                        self._end(f"it wrote {len(held)} bytes into its pipe that nobody asked for")
                    return kind, body
            ready = self._poll.poll(max(0.0, (deadline - time.monotonic()) * 1000))
            if not ready:
                self._late(within_s)
            for pipe, _ in ready:
                if pipe == self._said:
                    spoken += self._listen()
                    if spoken > MOST_SAID:
                        self._end(f"it printed more than {MOST_SAID >> 20} MiB at once")
                else:
                    more = os.read(pipe, MOST_READ)
                    if not more:
                        self._gone()
                    held += more

    def _listen(self) -> int:
        """Take what the process printed; how much. The end is kept."""
        try:
            more = os.read(self._said, MOST_READ)
        except BlockingIOError:
            return 0
        if not more and self._prints:
            self._prints = False
            self._poll.unregister(self._said)
        self.said = (self.said + more)[-SAID_KEPT:]
        return len(more)

    def _late(self, within_s: float) -> None:
        """The deadline has passed: ask for a traceback, then end it."""
        self.said = b""
        os.kill(self._process.pid, DUMP_SIGNAL)
        until, poll = time.monotonic() + DUMP_S, select.poll()
        poll.register(self._said, select.POLLIN)
        while time.monotonic() < until and poll.poll((QUIET_S if b"\n  File" in self.said else DUMP_S) * 1000):
            if not self._listen():
                break
        self._end(f"CallbackTimeout: the callback did not return within {within_s:g} s", self._with_lines())

    def _with_lines(self) -> str:
        """What was said last, with the user's own source beneath each frame of it."""
        lines = []
        for line in self.said.decode("utf-8", "replace").splitlines():
            lines.append(line)
            match = FRAME_LINE.match(line)
            source = self.sources.get(match[1], b"").decode("utf-8", "replace").splitlines() if match else []
            if match and 0 < int(match[2]) <= len(source):
                lines.append(f"    {source[int(match[2]) - 1].strip()}")
        return "\n".join(lines)

    def _gone(self) -> None:
        """The pipe has ended: say how the process did."""
        try:
            code = self._process.wait(DUMP_S)
            how = (
                f"its process was ended by {signal.Signals(-code).name}"
                if code < 0
                else f"its process ended by itself with code {code}"
            )
        except (subprocess.TimeoutExpired, ValueError):
            how = "it closed its pipe to the desk"
        while self._listen():
            pass
        self._end(how, self.said.decode("utf-8", "replace"), self._process.returncode == -signal.SIGKILL)

    def _end(self, why: str, said: str = "", killed: bool = False) -> None:
        self.close()
        ended = Ended(shown(f"{said.rstrip()}\n{why}" if said.strip() else why, 2 * SAID_KEPT))
        ended.killed = killed
        raise ended

    def close(self) -> None:
        """Kill it, if it lives, and forget it."""
        if self.closed:
            return
        self.closed = True
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers, self._said):
            os.close(pipe)


def environment() -> dict[str, str]:
    """All that a bot's process finds in its environment, until it clears even that."""
    package = Path(__file__).resolve().parents[2]
    given = {
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TZ": "UTC",
    }
    if cache.FOLDER is not None:
        given["XDG_CACHE_HOME"] = str(cache.FOLDER.parents[2])
    return given | {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def load(name: str, load_s: float = LOAD_S) -> tuple[UserStrategy, BotProcess]:
    """A user's file, read here and imported in a process of its own; StrategyError in plain words where that cannot be."""
    strategy = UserStrategy(*read_files(name))
    return strategy, loaded(strategy, load_s)


def loaded(strategy: UserStrategy, load_s: float = LOAD_S) -> BotProcess:
    """A process that has imported a strategy which was read; StrategyError in plain words where that cannot be."""
    path, files = strategy.path, strategy.files
    process = BotProcess(path.stem, files)
    try:
        kind, body = process.ask(Kind.LOAD, msgspec.msgpack.encode(frames.Load(str(path), files)), load_s)
        if kind != Kind.DONE:
            raise StrategyError(shown(body.decode("utf-8", "replace"), SAID_KEPT))
        strategy.describe(msgspec.msgpack.decode(body, type=Described))
    except (Ended, msgspec.MsgspecError) as error:
        process.close()
        ended = StrategyError(f"{path}: importing it ended its process: {error}; mend the file and try again")
        raise lost(path.stem, error) or ended from error
    except StrategyError:
        process.close()
        raise
    return process


class IsolatedBot:
    """A decider whose strategy runs in a process of its own; port as `engine.drive.Decider`, with the memory of a `BotHost`."""

    def __init__(
        self,
        process: BotProcess,
        account: int,
        bot: int,
        instruments: Sequence[Instrument],
        name: str,
        parameters: Mapping[str, Any],
        timeout_s: float,
        past: Sequence[PastBar] = (),
    ) -> None:
        """Builds the host in the process, anew. StrategyError if the strategy refuses parameters or instruments."""
        self.process, self.account, self.bot, self.name, self.timeout_s = process, account, bot, name, timeout_s
        self.begins_again = False
        """Whether somebody starts the desk again when this bot's process is killed (`BotLost`); else the bot is stopped."""
        wanted = frames.Build(account, bot, name, dict(parameters), list(instruments), list(past))
        try:
            kind, body = process.ask(Kind.BUILD, msgspec.msgpack.encode(wanted), max(timeout_s, LOAD_S))
            if kind != Kind.DONE:
                raise StrategyError(shown(body.decode("utf-8", "replace"), SAID_KEPT))
            built = msgspec.msgpack.decode(body, type=frames.Built)
        except (Ended, msgspec.MsgspecError) as error:
            raise lost(name, error) or StrategyError(f"{name} could not be built: {error}") from error
        self.kinds = frozenset(built.kinds) & KINDS
        self.instruments = frozenset(built.instruments) & {row.number for row in instruments}

    def decide(self, kind: int, block: Rows, index: int, outputs: Rows | None = None) -> list[Rows]:
        """As `BotHost.decide`; DeciderFailed too where the process does not answer as it must."""
        size, at = STORED[kind], index * INPUT_BYTES
        body = frames.INPUT_HEAD.pack(kind, size) + block.view(np.uint8).data[at : at + size].tobytes()
        if outputs is not None and len(outputs):
            body += self._own(outputs).tobytes()
        return self._commands(Kind.DECIDE, body)

    def observe(self, outputs: Rows) -> list[Rows]:
        """As `BotHost.observe`."""
        own = self._own(outputs)
        return self._commands(Kind.OBSERVE, own.tobytes()) if len(own) else []

    def check_idle(self) -> None:
        """DeciderFailed where the process is gone, or computes while nothing is asked of it; for quiet times, once a second."""
        try:
            self.process.check_idle()
        except Ended as error:
            raise self._failed("quiet", str(error)) from error

    def snapshot(self) -> bytes:
        """As `BotHost.snapshot`; SnapshotError too where the process does not answer."""
        try:
            kind, body = self.process.ask(Kind.SNAPSHOT, b"", max(self.timeout_s, LOAD_S), frames.LONG_ANSWER)
        except Ended as error:
            raise SnapshotError(str(error)) from error
        if kind != Kind.DONE:
            raise SnapshotError(shown(body.decode("utf-8", "replace"), SAID_KEPT))
        return body

    def restore(self, data: bytes) -> None:
        """As `BotHost.restore`."""
        try:
            kind, body = self.process.ask(Kind.RESTORE, data, max(self.timeout_s, LOAD_S))
        except Ended as error:
            raise lost(self.name, error) or SnapshotError(str(error)) from error
        if kind != Kind.DONE:
            raise SnapshotError(shown(body.decode("utf-8", "replace"), SAID_KEPT))

    def _own(self, outputs: Rows) -> Rows:
        """Those of the bot's account, and refusals of the event itself."""
        mine = (outputs["account"] == self.account) | (outputs["kind"] == EVENT_REFUSED)
        return outputs if mine.all() else outputs[mine]

    def _commands(self, asked: Kind, body: bytes) -> list[Rows]:
        try:
            kind, answer = self.process.ask(asked, body, self.timeout_s, frames.COMMANDS_ANSWER)
            if kind == Kind.DONE:
                return frames.commands_of(answer, self.account, self.bot, self.instruments) if answer else []
            failure = msgspec.msgpack.decode(answer, type=frames.Failure)
        except Ended as error:
            if error.killed and self.begins_again:
                raise BotLost(self.name) from error
            raise self._failed("a callback", str(error)) from error
        except (GarbageError, msgspec.MsgspecError) as error:
            raise self._failed("its answer", str(error)) from error
        raise self._failed(shown(failure.callback, 100), shown(failure.text, 2 * SAID_KEPT))

    def _failed(self, callback: str, text: str) -> DeciderFailed:
        """The failure for people; its process is of no more use."""
        self.process.close()
        return StrategyFailed(self.name, callback, f"{text.rstrip() or 'it did not say why'}\n")
