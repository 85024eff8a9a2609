"""The time at which something came: UTC, never decreasing, and not led astray by a wall clock that is set.

A wall clock may jump; the steady clock behind this one does not. Time here goes on at the pace of the steady clock and
leans towards the wall clock, by at most half of the time that passes: a correction of a second is caught up in two, an
hour in two hours, and at no moment does time stand still, go back or leap.
"""

import time
from collections.abc import Callable
from typing import Final

LEAN: Final = 2
"""Of the time that passes, one part in LEAN may be added or left out."""
JUMP_NS: Final = 1_000_000_000
"""A wall clock that is off by more, from one look to the next, was set; that is counted."""


def steady_ns() -> int:
    """Nanoseconds that only go on, through a suspended machine too."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Clock:
    """`jumps`: how often the wall clock was seen to be set; `offset_ns`: how far it is ahead of this clock."""

    __slots__ = ("_last_ns", "_steady", "_steady_ns", "_wall", "jumps", "offset_ns")

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = steady_ns, start_ns: int = 0
    ) -> None:
        """All in nanoseconds; `wall` since 1970 UTC. `start_ns`: the time reached already, by a record that goes on."""
        self._wall, self._steady = wall, steady
        self._last_ns, self._steady_ns = max(wall(), start_ns), steady()
        self.jumps = 0
        self.offset_ns = 0

    def now_ns(self) -> int:
        """The time now."""
        steady, wall = self._steady(), self._wall()
        passed = max(0, steady - self._steady_ns)
        self._steady_ns = max(steady, self._steady_ns)
        off = wall - (self._last_ns + passed)
        if abs(off - self.offset_ns) > JUMP_NS:
            self.jumps += 1
        lean = passed // LEAN
        step = min(max(off, -lean), lean)
        self._last_ns += passed + step
        self.offset_ns = off - step
        return self._last_ns
