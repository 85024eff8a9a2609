"""From facts to bytes: packs market inputs into blocks, and holds time to its one direction.

Rows are packed with `struct` straight into the block's buffer: several times faster than assigning fields of a
record one by one.
"""

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Final

import numpy as np

from paperdesk.domain.events import DEPTH, HEAD, INPUT, INPUT_BYTES, InputKind, MarketStatus
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.port import BLOCK_ROWS, Refusals

_HEAD: Final = HEAD.format
_PAIR: Final = Struct(_HEAD + "2q").pack_into
_TRADE: Final = Struct(_HEAD + "3q").pack_into
_QUOTE: Final = Struct(_HEAD + "4q").pack_into
_BAR: Final = Struct(_HEAD + "6q").pack_into
_BOOK: Final = Struct(_HEAD + f"{4 * DEPTH}q").pack_into
_ZEROS: Final = tuple([0] * DEPTH)
_TRADE_KIND, _QUOTE_KIND, _BOOK_KIND, _BAR_KIND = (
    int(InputKind.TRADE),
    int(InputKind.QUOTE),
    int(InputKind.BOOK),
    int(InputKind.BAR),
)


class Writer:
    """Builds blocks of INPUT rows in the order of the calls; times that fall back are lifted to the time already
    reached, and counted.
    """

    __slots__ = ("_buffer", "_end", "_offset", "_ready", "now_ns", "refusals")

    def __init__(self, refusals: Refusals) -> None:
        self.refusals = refusals
        self.now_ns = 0
        self._ready: list[np.ndarray] = []
        self._end = BLOCK_ROWS * INPUT_BYTES
        self._buffer = bytearray(self._end)
        self._offset = 0

    def drain(self) -> Iterator[np.ndarray]:
        """The blocks that are full, oldest first; they are handed over."""
        ready, self._ready = self._ready, []
        yield from ready

    def finish(self) -> Iterator[np.ndarray]:
        """All that is left, the last block as short as it is."""
        if self._offset:
            self._roll()
        yield from self.drain()

    def _roll(self) -> None:
        rows = self._offset // INPUT_BYTES
        self._ready.append(np.frombuffer(self._buffer, INPUT, rows))
        self._buffer = bytearray(self._end)
        self._offset = 0

    def _place(self, ts_seq_ns: int, symbol: str) -> int:
        """Where the next row goes; moves time."""
        if ts_seq_ns > self.now_ns:
            self.now_ns = ts_seq_ns
        elif ts_seq_ns < self.now_ns:
            self.refusals[symbol, Reason.TIME_BACKWARDS] += 1
        offset = self._offset
        if offset == self._end:
            self._roll()
            offset = 0
        self._offset = offset + INPUT_BYTES
        return offset

    def trade(
        self, number: int, symbol: str, event_ns: int, seq_ns: int, ticks: int, lots: int, trade_id: int, side: int
    ) -> None:
        """A public print; `side` is the aggressor's."""
        offset = self._place(seq_ns, symbol)
        _TRADE(
            self._buffer,
            offset,
            _TRADE_KIND,
            side,
            0,
            0,
            0,
            0,
            0,
            number,
            1,
            0,
            0,
            0,
            event_ns,
            self.now_ns,
            ticks,
            lots,
            trade_id,
        )

    def quote(
        self, number: int, symbol: str, event_ns: int, seq_ns: int, bid: int, bid_lots: int, ask: int, ask_lots: int
    ) -> None:
        """Best bid and ask, in ticks and lots; a size of 0 is an empty side."""
        offset = self._place(seq_ns, symbol)
        _QUOTE(
            self._buffer,
            offset,
            _QUOTE_KIND,
            0,
            0,
            0,
            0,
            0,
            0,
            number,
            1,
            0,
            0,
            0,
            event_ns,
            self.now_ns,
            bid,
            bid_lots,
            ask,
            ask_lots,
        )

    def book(
        self,
        number: int,
        symbol: str,
        event_ns: int,
        seq_ns: int,
        bids: Sequence[int],
        bid_lots: Sequence[int],
        asks: Sequence[int],
        ask_lots: Sequence[int],
    ) -> None:
        """The visible depth, best first, at most DEPTH levels a side."""
        offset = self._place(seq_ns, symbol)
        n, m = len(bids), len(asks)
        pad, fill = _ZEROS[n:], _ZEROS[m:]
        _BOOK(
            self._buffer, offset, _BOOK_KIND, 0, 0, 0, 0, n, m, number, 1, 0, 0, 0, event_ns, self.now_ns,
            *bids, *pad, *bid_lots, *pad, *asks, *fill, *ask_lots, *fill,
        )  # fmt: skip

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
        offset = self._place(close_ns, symbol)
        _BAR(
            self._buffer,
            offset,
            _BAR_KIND,
            0,
            0,
            0,
            0,
            0,
            0,
            number,
            1,
            0,
            0,
            0,
            open_ns,
            self.now_ns,
            *prices,
            lots,
            interval_ns,
        )

    def status(
        self, number: int, symbol: str, event_ns: int, seq_ns: int, status: MarketStatus, reason: Reason
    ) -> None:
        """Whether the instrument's data can be trusted from now on."""
        offset = self._place(seq_ns, symbol)
        kind = int(InputKind.MARKET_STATUS)
        _PAIR(
            self._buffer,
            offset,
            kind,
            0,
            0,
            0,
            0,
            0,
            0,
            number,
            1,
            0,
            0,
            0,
            event_ns,
            self.now_ns,
            int(status),
            int(reason),
        )
