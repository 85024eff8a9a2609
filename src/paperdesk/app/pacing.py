"""What surrounds the loop of a run: how fast it goes, who may stop it, how it ended."""

import resource
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Final, Protocol

import numpy as np

from paperdesk.app.options import RunOptions

PAUSE_S: Final = 0.01
SECOND_NS: Final = 1_000_000_000


class Progress(Protocol):
    """Shows how far a run is."""

    def advance(self, events: int, total: int) -> None:
        """`events` more were taken, `total` in all."""


class Stop:
    """Asked for by SIGINT or SIGTERM; seen between two blocks."""

    def __init__(self) -> None:
        self.asked = ""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = signal.Signals(number).name


@dataclass(slots=True)
class Outcome:
    """How a run ended. `events` are the recording's (lines or rows read), `market_inputs` what the reducer made of them; `seconds` is the time
    in the loop, projections that caught up afterwards are apart.
    """

    ended: str
    events: int
    market_inputs: int
    seconds: float
    finished: bool
    projection_seconds: float = 0.0
    peak_rss_mb: float = 0.0


def why_end(options: RunOptions, stop: Stop, total: int, started_s: float) -> str:
    """Why a run should end after the block at hand; empty where it should not."""
    if stop.asked:
        return stop.asked
    if options.for_events is not None and total >= options.for_events:
        return "events"
    if options.for_seconds is not None and time.perf_counter() - started_s >= options.for_seconds:
        return "time"
    return ""


def paced(
    blocks: Iterator[np.ndarray], speed: float, stop: Stop, clock: Callable[[], int] = time.monotonic_ns
) -> Iterator[np.ndarray]:
    """The feed at a multiple of its own pace: parts of its blocks, each when its time has come."""
    start_ns, first_ns = clock(), None
    for block in blocks:
        if not len(block):  # the feed has nothing, and lets others work
            yield block
            continue
        times = block["ts_seq_ns"]
        if first_ns is None:
            first_ns = int(times[0])
        at = 0
        while at < len(block) and not stop.asked:
            reached = first_ns + int((clock() - start_ns) * speed)
            until = int(np.searchsorted(times, reached, side="right"))
            if until > at:
                yield block[at:until]
                at = until
            else:
                yield block[:0]
                time.sleep(min(PAUSE_S, max(0.0, (int(times[at]) - reached) / speed / SECOND_NS)))
        if stop.asked:
            yield block[:0]
            return


def peak_rss_mb() -> float:
    """The most memory that this process has held; a user's strategies hold theirs in processes of their own."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
