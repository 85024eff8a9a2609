"""What a page shows of a market: the book and mark as the fold has them, the latest trades, minute bars made from trades.

Nothing here decides anything; it is taken from inputs that were folded already, and sent as often as there is room.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from paperdesk.api.messages import MarketTold
from paperdesk.domain.events import InputKind
from paperdesk.engine.fold import Fold

MINUTE_NS: Final = 60_000_000_000
BARS_KEPT: Final = 1_500
TRADES_SENT: Final = 30
TRADE, BAR, STATUS = int(InputKind.TRADE), int(InputKind.BAR), int(InputKind.MARKET_STATUS)
OHLCV: Final = ("open_ticks", "high_ticks", "low_ticks", "close_ticks", "volume_lots")
PICTURED: Final = frozenset(
    int(kind) for kind in InputKind if kind < InputKind.DEFINE_ASSET and kind != InputKind.TIMER
)
BUY, SELL = 0, 1
MinuteBar = tuple[int, int, int, int, int, int]


class Picture:
    """One market: what changed since it was sent last."""

    def __init__(self) -> None:
        self.bars: dict[int, list[int]] = {}
        self.touched: set[int] = set()
        self.trades: deque[tuple[int, int, int, int]] = deque(maxlen=TRADES_SENT)
        self.changed = False
        self.reason = 0

    def add(self, open_ns: int, ohlcv: Iterable[int]) -> None:
        """Merge a piece of trading into its minute."""
        open_, high, low, close, volume = ohlcv
        minute = open_ns // MINUTE_NS * MINUTE_NS
        row = self.bars.get(minute)
        if row is None:
            self.bars[minute] = [open_, high, low, close, volume]
            while len(self.bars) > BARS_KEPT:
                del self.bars[next(iter(self.bars))]
        else:
            row[1], row[2], row[3], row[4] = max(row[1], high), min(row[2], low), close, row[4] + volume
        self.touched.add(minute)

    def rows(self, minutes: Iterable[int]) -> list[MinuteBar]:
        """Bars by their opening, as they are sent."""
        return [(minute, *self.bars[minute]) for minute in sorted(minutes) if minute in self.bars]  # type: ignore[misc]


class Pictures:
    """All markets of a desk."""

    def __init__(self, instruments: int) -> None:
        self.markets = [Picture() for _ in range(instruments)]
        self.statuses: list[tuple[int, int, int]] = []
        """(instrument, status, reason) of inputs that changed one, until somebody takes them."""

    def take(self, block: np.ndarray[Any, Any]) -> None:
        """Look at inputs that were folded, shape (n,) of INPUT in order of time."""
        kinds, numbers = block["kind"], block["instrument"]
        for number in np.unique(numbers[np.isin(kinds, list(PICTURED))]).tolist():
            if 0 <= number < len(self.markets):
                self._take(self.markets[number], block, kinds, numbers == number)

    def _take(self, picture: Picture, block: Any, kinds: Any, own: Any) -> None:
        picture.changed = True
        trades = block[own & (kinds == TRADE)]
        if len(trades):
            self._take_trades(picture, trades)
        for row in block[own & (kinds == BAR)]:
            picture.add(int(row["ts_seq_ns"]) - int(row["interval_ns"]), [int(row[name]) for name in OHLCV])
        for row in block[own & (kinds == STATUS)]:
            picture.reason = int(row["status_reason"])
            self.statuses.append((int(row["instrument"]), int(row["status"]), picture.reason))

    def _take_trades(self, picture: Picture, trades: Any) -> None:
        times, ticks, lots = trades["ts_seq_ns"], trades["trade_price_ticks"], trades["trade_qty_lots"]
        starts = np.flatnonzero(np.diff(times // MINUTE_NS, prepend=-1))
        highs, lows = np.maximum.reduceat(ticks, starts), np.minimum.reduceat(ticks, starts)
        volumes, ends = np.add.reduceat(lots, starts), [*(starts[1:] - 1).tolist(), len(trades) - 1]
        for place, first in enumerate(starts.tolist()):
            piece = (ticks[first], highs[place], lows[place], ticks[ends[place]], volumes[place])
            picture.add(int(times[first]), [int(one) for one in piece])
        latest = trades[-TRADES_SENT:]
        columns = (latest[name].tolist() for name in ("ts_seq_ns", "side", "trade_price_ticks", "trade_qty_lots"))
        picture.trades.extend(zip(*columns, strict=True))

    def past(self, number: int, bars: np.ndarray[Any, Any]) -> None:
        """Bars from before this desk began, BAR inputs, oldest first: kept where nothing newer is known of their minute."""
        picture = self.markets[number]
        older = {}
        for row in bars:
            minute = (int(row["ts_seq_ns"]) - int(row["interval_ns"])) // MINUTE_NS * MINUTE_NS
            if minute not in picture.bars:
                older[minute] = [int(row[name]) for name in OHLCV]
        picture.bars = dict(sorted((older | picture.bars).items())[-BARS_KEPT:])

    def told(self, fold: Fold) -> list[MarketTold]:
        """Pictures of the markets that changed since they were sent."""
        told = []
        for number, picture in enumerate(self.markets):
            if picture.changed:
                market = fold.state["markets"][0][number]
                told.append(
                    MarketTold(
                        number,
                        fold.ts_seq_ns,
                        int(market["status"]),
                        picture.reason,
                        levels(market, BUY),
                        levels(market, SELL),
                        list(picture.trades),
                        picture.rows(picture.touched),
                    )
                )
        return told

    def sent(self, number: int) -> None:
        """A picture went out: only what is new belongs into the next one."""
        picture = self.markets[number]
        picture.changed = False
        picture.trades.clear()
        picture.touched.clear()


def levels(market: Any, side: int) -> list[tuple[int, int]]:
    """What the fold shows of one side of a book: (ticks, lots), best first."""
    count = int(market["count"][side])
    return list(zip(market["ticks"][side][:count].tolist(), market["lots"][side][:count].tolist(), strict=True))
