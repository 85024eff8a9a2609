"""From facts to bytes: packs market inputs into blocks, and holds time to its one direction.

Rows are packed with `struct` straight into the block's buffer: several times faster than assigning fields of a
record one by one. Compiled code (`book`) writes its rows itself.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final

import numpy as np

from paperdesk.domain.events import HEAD_BYTES, INPUT, INPUT_BYTES, InputKind, MarketStatus
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.port import BLOCK_ROWS, Refusals

_HEAD: Final = "<hb5xii16xqq"
"""Kind, side, instrument, its version, the two times; what only commands have stays zero."""
assert Struct(_HEAD).size == HEAD_BYTES
_STATUS: Final = Struct(_HEAD + "2q").pack_into
_TRADE: Final = Struct(_HEAD + "3q").pack_into
_BAR: Final = Struct(_HEAD + "6q").pack_into
_TRADE_KIND, _BAR_KIND, _STATUS_KIND = int(InputKind.TRADE), int(InputKind.BAR), int(InputKind.MARKET_STATUS)


class Writer:
    """Builds blocks of INPUT rows in the order of the calls; times that fall back are lifted to the time already
    reached, and counted.
    """

    __slots__ = ("_buffer", "_ready", "block", "index", "now_ns", "refusals")

    def __init__(self, refusals: Refusals) -> None:
        self.refusals = refusals
        self.now_ns = 0
        self._ready: list[np.ndarray] = []
        self._start()

    def _start(self) -> None:
        """A new block: `index` is the place of its next row, which is zero."""
        self._buffer = bytearray(BLOCK_ROWS * INPUT_BYTES)
        self.block = np.frombuffer(self._buffer, INPUT)
        self.index = 0

    def drain(self) -> Iterator[np.ndarray]:
        """The blocks that are full, oldest first; they are handed over."""
        ready, self._ready = self._ready, []
        yield from ready

    def finish(self) -> Iterator[np.ndarray]:
        """All that is left, the last block as short as it is."""
        if self.index:
            self._ready.append(self.block[: self.index])
            self._start()
        yield from self.drain()

    def at(self, seq_ns: int) -> int:
        """The time that an input of `seq_ns` gets."""
        return seq_ns if seq_ns > self.now_ns else self.now_ns

    def wrote(self, seq_ns: int, symbol: str) -> None:
        """The next row of the block was written, for an input of this time."""
        if seq_ns > self.now_ns:
            self.now_ns = seq_ns
        elif seq_ns < self.now_ns:
            self.refusals[symbol, Reason.TIME_BACKWARDS] += 1
        self.index += 1
        if self.index == BLOCK_ROWS:
            self._ready.append(self.block)
            self._start()

    def trade(
        self, number: int, symbol: str, event_ns: int, seq_ns: int, ticks: int, lots: int, trade_id: int, side: int
    ) -> None:
        """A public print; `side` is the aggressor's."""
        offset = self.index * INPUT_BYTES
        _TRADE(
            self._buffer, offset, _TRADE_KIND, side, number, 1, event_ns, self.at(seq_ns), ticks, lots, trade_id
        )  # fmt: skip
        self.wrote(seq_ns, symbol)

    def bar(
        self,
        number: int,
        symbol: str,
        open_ns: int,
        close_ns: int,
        prices: tuple[int, int, int, int],
        lots: int,
        interval_ns: int,
    ) -> None:
        """A closed bar: open, high, low, close in ticks; known from its close on."""
        offset = self.index * INPUT_BYTES
        times = open_ns, self.at(close_ns)
        _BAR(self._buffer, offset, _BAR_KIND, 0, number, 1, *times, *prices, lots, interval_ns)
        self.wrote(close_ns, symbol)

    def status(
        self, number: int, symbol: str, event_ns: int, seq_ns: int, status: MarketStatus, reason: Reason
    ) -> None:
        """Whether the instrument's data can be trusted from now on."""
        offset = self.index * INPUT_BYTES
        times = event_ns, self.at(seq_ns)
        _STATUS(self._buffer, offset, _STATUS_KIND, 0, number, 1, *times, int(status), int(reason))
        self.wrote(seq_ns, symbol)
