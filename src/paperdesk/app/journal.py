"""The run's record: what the loop hands over goes to the log, is committed in groups, and only then leaves the process.

`records_hash` covers the bytes of inputs and outputs in order, however they were grouped and whenever they were committed: two runs that
did the same have the same hash.
"""

import time
from collections.abc import Callable
from hashlib import blake2b
from itertools import groupby
from typing import Any, Final

import numpy as np

from paperdesk.domain.events import OUTPUT
from paperdesk.store.log import LogWriter, Tag

COMMIT_EVERY_NS: Final = 10_000_000
"""At least this long between two commits: one group, one fdatasync."""
COMMIT_BYTES: Final = 4_000_000
"""A group larger than this is committed at once."""

Committed = Callable[[np.ndarray], None]
Noted = Callable[[dict[str, Any]], None]


class RunJournal:
    """A `Journal` over a log. `committed` and `noted` are given outputs and notes in order, once they are durable."""

    def __init__(
        self,
        log: LogWriter,
        committed: Committed,
        hasher: Any = None,
        clock: Callable[[], int] = time.monotonic_ns,
        noted: Noted | None = None,
    ) -> None:
        """`hasher` covers what an earlier process wrote (recovery); `clock` only decides when to commit, it never reaches the record."""
        self.log = log
        self.hasher = blake2b(digest_size=32) if hasher is None else hasher
        self._committed = committed
        self._noted = noted
        self._clock = clock
        self._waiting: list[bytes | dict[str, Any]] = []
        self._hashed = bytearray()
        self._last_commit_ns = clock()
        self.commits = self._slowest_ns = 0

    def take_input(self, data: bytes) -> None:
        """Append an input."""
        self.log.take_input(data)
        self._hashed += data

    def take_outputs(self, rows: np.ndarray) -> None:
        """Append outputs; they stay inside until their group is committed."""
        data = rows.tobytes()
        self.log.append(Tag.OUTPUTS, data)
        self._hashed += data
        self._waiting.append(data)

    def take_note(self, note: dict[str, Any]) -> None:
        """Append a note for people."""
        self.log.take_note(note)
        self._waiting.append(note)

    def commit_if_due(self) -> bool:
        """Commit if a group is large or old enough."""
        if len(self._hashed) >= COMMIT_BYTES or self._clock() - self._last_commit_ns >= COMMIT_EVERY_NS:
            self.commit()
            return True
        return False

    def commit(self) -> None:
        """Make everything durable, then hand outputs and notes on. LogFailed if the disk refuses: nothing was handed on."""
        started_ns = self._clock()
        seq = self.log.seq
        if self.log.commit() != seq:
            self.commits += 1
        self._last_commit_ns = self._clock()
        self._slowest_ns = max(self._slowest_ns, self._last_commit_ns - started_ns)
        self.hasher.update(self._hashed)
        self._hashed.clear()
        waiting, self._waiting = self._waiting, []
        for is_note, group in groupby(waiting, lambda one: isinstance(one, dict)):
            if not is_note:
                self._committed(np.frombuffer(b"".join(group), OUTPUT))  # type: ignore[arg-type]
            elif self._noted is not None:
                for note in group:
                    self._noted(note)  # type: ignore[arg-type]

    def slowest_ms(self) -> float:
        """The longest commit since this was asked last, in milliseconds."""
        slowest_ns, self._slowest_ns = self._slowest_ns, 0
        return slowest_ns / 1e6

    @property
    def records_hash(self) -> str:
        """Hash of all committed inputs and outputs, in order."""
        return self.hasher.hexdigest()
