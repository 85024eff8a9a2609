"""A strategy that never returns: noticed by a second thread, interrupted by a signal in the first.

Only callbacks are watched, only while they run; a callback that has not come back after `deadline_s` is interrupted with
`CallbackTimeout` in its own frames, so that the report shows where it hung. Code that swallows even that is ended with the process:
everything committed is safe, and the next start goes on from there.
"""

import os
import signal
import sys
import threading
import traceback
from types import FrameType, TracebackType
from typing import Any, Final

import numpy as np

from paperdesk.app.isolated import IsolatedBot
from paperdesk.engine.drive import Decider, DeciderFailed

DEADLINE_S: Final = 5.0
ATTEMPTS: Final = 3


class CallbackTimeout(BaseException):
    """Raised inside a callback that did not come back in time."""


class Watchdog:
    """Watches the callbacks of guarded deciders; a context manager. Only in the main thread of a process with POSIX signals."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        """`deadline_s` is how long one callback may take."""
        self.deadline_s = deadline_s
        self.running = 0
        self.calls = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._main = threading.main_thread().ident or 0

    def __enter__(self) -> "Watchdog":
        signal.signal(signal.SIGALRM, self._interrupt)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.running:
            raise CallbackTimeout(f"the callback did not return within {self.deadline_s:g} s")

    def _watch(self) -> None:
        seen, since, attempts = 0, 0.0, 0
        pause = min(0.25, self.deadline_s / 4)
        while not self._done.wait(pause):
            if not self.running or self.calls != seen:
                seen, since, attempts = self.calls, 0.0, 0
                continue
            since += pause
            if since >= self.deadline_s * (attempts + 1):
                attempts += 1
                if attempts > ATTEMPTS:
                    print(
                        "A strategy swallows its own interruption; the desk ends here. All that was committed is safe.",
                        file=sys.stderr,
                        flush=True,
                    )
                    os._exit(70)
                signal.pthread_kill(self._main, signal.SIGALRM)


def guarded(decider: Decider, watchdog: Watchdog) -> Decider:
    """A decider whose callbacks run in this process under the watchdog; one with a process of its own has its own deadline."""
    return decider if isinstance(decider, IsolatedBot) else Guarded(decider, watchdog)


class Guarded:
    """A decider under a watchdog: the same port, with each call bracketed."""

    def __init__(self, decider: Decider, watchdog: Watchdog) -> None:
        """Everything but the time is the decider's own affair."""
        self.inner = decider
        self.watchdog = watchdog
        self.account, self.bot, self.name = decider.account, decider.bot, decider.name
        self.kinds, self.instruments = decider.kinds, decider.instruments

    def decide(self, kind: int, block: Any, index: int, outputs: Any = None) -> list[np.ndarray]:
        """As the decider's."""
        watchdog = self.watchdog
        watchdog.calls += 1
        watchdog.running = 1
        try:
            return self.inner.decide(kind, block, index, outputs)
        except CallbackTimeout as error:
            raise self._late(error) from error
        finally:
            watchdog.running = 0

    def observe(self, outputs: Any) -> list[np.ndarray]:
        """As the decider's."""
        watchdog = self.watchdog
        watchdog.calls += 1
        watchdog.running = 1
        try:
            return self.inner.observe(outputs)
        except CallbackTimeout as error:
            raise self._late(error) from error
        finally:
            watchdog.running = 0

    def _late(self, error: CallbackTimeout) -> DeciderFailed:
        """The timeout as a failure of the strategy, with the place where it hung."""
        return DeciderFailed(self.name, "a callback", "".join(traceback.format_exception(error)))
