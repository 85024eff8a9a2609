"""A real engine process, with the test at the other end of its link to the api (and, if wished, at the door's)."""

from __future__ import annotations

import os
import select
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from paperdesk.api import messages as words
from paperdesk.app.family.supervisor import ENGINE
from paperdesk.app.family.tasks import EngineTask, start
from paperdesk.app.options import RunOptions
from paperdesk.domain.events import OUTPUT
from paperdesk.safety import link

PATIENCE_S = 60.0


class Engine:
    """One engine, started, killed and started again on the same link, as the supervisor does."""

    def __init__(self, home: Path, options: RunOptions, with_door: bool = False) -> None:
        (home / "runs").mkdir(parents=True, exist_ok=True)
        self.home, self.options = home, options
        self.its_end, mine = link.pair()
        self.link = link.Link(mine)
        self.door_end = -1
        self.door: link.Link | None = None
        if with_door:
            self.door_end, other = link.pair()
            self.door = link.Link(other)
        self.seen: list[Any] = []
        self.requests = 0
        self.start()

    def start(self) -> None:
        """Start it (again)."""
        task = EngineTask(self.options, self.home, self.its_end, self.door_end, "a notice", True)
        self.process = start(ENGINE, task, [self.its_end, self.door_end])

    def kill(self) -> None:
        """As power loss does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """As the supervisor does; its exit code."""
        self.process.terminate()
        code = self.process.wait(PATIENCE_S)
        return code

    def close(self) -> None:
        """End whatever is left."""
        if self.process.poll() is None:
            self.kill()
        self.link.close()
        os.close(self.its_end)
        if self.door is not None:
            self.door.close()
            os.close(self.door_end)

    def say(self, message: Any) -> None:
        """Send, waiting for room."""
        until = time.monotonic() + PATIENCE_S
        while not self.link.send(words.ENCODER.encode(message)):
            assert time.monotonic() < until, "the engine takes nothing"
            time.sleep(0.01)

    def hear(self, kind: type, where: Any = lambda one: True, within_s: float = PATIENCE_S) -> Any:
        """The next message of a kind that fits; everything else is kept in `seen`."""
        until = time.monotonic() + within_s
        poll = select.poll()
        poll.register(self.link.fileno(), select.POLLIN)
        while time.monotonic() < until:
            assert self.process.poll() is None, f"the engine ended with {self.process.poll()}"
            poll.poll(100)
            while (data := self.link.receive()) is not None:
                message = words.FROM_ENGINE.decode(data)
                self.seen.append(message)
                if isinstance(message, kind) and where(message):
                    return message
        raise AssertionError(f"no {kind.__name__} came in {within_s} s; last {self.seen[-3:]}")

    def subscribe(self, after_seq: int = 0) -> words.Welcome:
        """Subscribe, and what it answers."""
        self.say(words.Subscribe(after_seq))
        return self.hear(words.Welcome)

    def ask(self, what: Any, key: str = "") -> words.Reply:
        """A command, and its answer."""
        self.requests += 1
        number = self.requests
        self.say(words.Request(number, key or f"key-{number}", what))
        return self.hear(words.Reply, lambda one: one.request == number)

    def outputs(self) -> np.ndarray:
        """All outputs heard so far, in the order heard."""
        return np.frombuffer(b"".join(one.rows for one in self.seen if isinstance(one, words.Outputs)), OUTPUT)


def of(reply: words.Reply) -> np.ndarray:
    """The outputs of a reply."""
    return np.frombuffer(reply.outputs, OUTPUT)
