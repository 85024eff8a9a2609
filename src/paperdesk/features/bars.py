"""Bars: trades, smaller bars or quotes in, bars of one interval out, event by event and in plain integers.

A bar covers [open_ns, close_ns) of engine time; intervals are aligned to 1970 UTC, so that "1d" is a UTC day. It
closes when the first event at or past its end arrives, never earlier, and only closed bars are handed out (nothing
sees the future). An interval in which nothing happened has no bar: there is no price to put into it.

Where the bars come from is one choice per builder and never mixed: what arrives first, a trade or a feed's bar,
decides; or quotes, when asked for, whose mid (⌊(bid + ask) / 2⌋ ticks, volume 0) then stands for the price.
"""

import re
from decimal import Decimal
from typing import Any, Final, NamedTuple

from paperdesk.domain.instruments import Instrument

SECOND_NS: Final = 1_000_000_000
UNITS_NS: Final = {"s": SECOND_NS, "m": 60 * SECOND_NS, "h": 3600 * SECOND_NS, "d": 86_400 * SECOND_NS}
NEVER_NS: Final = 2**63 - 1
"""The end of a bar that has not begun: no event is ever at or past it."""


class BarError(ValueError):
    """An interval that means nothing, or that cannot be built from what the feed brings."""


class Bar(NamedTuple):
    """One closed bar: ticks and lots of its instrument, engine time in nanoseconds; decimals on demand."""

    instrument: Instrument
    open_ns: int
    close_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def open(self) -> Decimal:
        """Price of the first trade."""
        return self.instrument.price(self.open_ticks)

    @property
    def high(self) -> Decimal:
        """Highest price."""
        return self.instrument.price(self.high_ticks)

    @property
    def low(self) -> Decimal:
        """Lowest price."""
        return self.instrument.price(self.low_ticks)

    @property
    def close(self) -> Decimal:
        """Price of the last trade."""
        return self.instrument.price(self.close_ticks)

    @property
    def volume(self) -> Decimal:
        """Traded quantity in the base asset (0 for bars made of quotes)."""
        return self.instrument.quantity(self.volume_lots)

    @property
    def is_closed(self) -> bool:
        """Always true: bars that still change are not handed out."""
        return True


def parse_interval(text: str) -> int:
    """Nanoseconds of "1s", "5m", "4h" or "1d"; BarError otherwise."""
    match = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text)
    if match is None:
        raise BarError(f"{text!r} is no bar interval; write a number and s, m, h or d, such as 30s, 5m, 4h or 1d")
    return int(match[1]) * UNITS_NS[match[2]]


def interval_text(interval_ns: int) -> str:
    """The shortest spelling of an interval: 300000000000 → "5m"."""
    for unit in "dhms":
        if interval_ns % UNITS_NS[unit] == 0:
            return f"{interval_ns // UNITS_NS[unit]}{unit}"
    return f"{interval_ns} ns"


class BarBuilder:
    """Builds the bars of one instrument: call `advance` with each event's engine time, then add the event itself.

    `due_ns` is the engine time from which `advance` closes the current bar: its end. Bars made of a feed's bars are
    due one nanosecond later, because the last part of a bar arrives exactly at its end, as do the parts of other
    instruments.
    """

    __slots__ = (
        "adapts",
        "close",
        "due_ns",
        "high",
        "instrument",
        "interval_ns",
        "low",
        "open",
        "source",
        "start_ns",
        "volume",
    )

    def __init__(self, instrument: Instrument, interval_ns: int, source: str = "", adapts: bool = False) -> None:
        """`source`: "trades", "bars" or "quotes"; empty: decided by the first trade or bar that arrives. `adapts`: where a feed's bars are
        a multiple of the wanted interval, they are taken as they are.
        """
        if interval_ns <= 0:
            raise BarError(f"a bar interval must be above zero, not {interval_ns} ns")
        if source not in ("", "trades", "bars", "quotes"):
            raise BarError(f"bars can be made of trades, bars or quotes, not of {source!r}")
        self.instrument = instrument
        self.interval_ns = interval_ns
        self.source = source
        self.adapts = adapts
        self.start_ns, self.due_ns = 0, NEVER_NS
        self.open = self.high = self.low = self.close = self.volume = 0

    def advance(self, ts_ns: int) -> Bar | None:
        """The bar that time has ended, closed now; None if there is none."""
        return None if ts_ns < self.due_ns else self._closed()

    def add_trade(self, ts_ns: int, price_ticks: int, qty_lots: int) -> None:
        """Count a trade at engine time `ts_ns` (ignored where bars or quotes are the source)."""
        if self.source != "trades":
            if self.source:
                return
            self.source = "trades"
        self._add(ts_ns, price_ticks, price_ticks, price_ticks, price_ticks, qty_lots)

    def add_mid(self, ts_ns: int, bid_ticks: int, ask_ticks: int) -> None:
        """Count a two-sided quote, where quotes are the source."""
        if self.source == "quotes":
            mid = (bid_ticks + ask_ticks) // 2
            self._add(ts_ns, mid, mid, mid, mid, 0)

    def add_bar(self, close_ns: int, interval_ns: int, ohlcv: tuple[int, int, int, int, int]) -> tuple[Bar, ...]:
        """Count a feed's closed bar over [close_ns − interval_ns, close_ns): open, high, low, close ticks, volume
        lots.

        Returns what it closes, oldest first: an unfinished bar that it leaves behind, and the bar that it completes.
        BarError if the feed's interval is no divisor of the wanted one.
        """
        if self.source != "bars":
            if self.source:
                return ()
            self.source = "bars"
        if self.adapts and interval_ns % self.interval_ns == 0:
            self.interval_ns = interval_ns
        if self.interval_ns % interval_ns != 0:
            raise BarError(
                f"{self.instrument.symbol}: bars of {interval_text(self.interval_ns)} cannot be made of the "
                f"feed's bars of {interval_text(interval_ns)}; ask for a multiple of {interval_text(interval_ns)}"
            )
        opened_ns = close_ns - interval_ns
        left = () if opened_ns < self.start_ns + self.interval_ns or self.due_ns == NEVER_NS else (self._closed(),)
        self._add(opened_ns, *ohlcv)
        return left if close_ns < self.start_ns + self.interval_ns else (*left, self._closed())

    def _add(self, ts_ns: int, open_: int, high: int, low: int, close: int, volume: int) -> None:
        if self.due_ns == NEVER_NS:
            self.start_ns = ts_ns - ts_ns % self.interval_ns
            self.due_ns = self.start_ns + self.interval_ns + (1 if self.source == "bars" else 0)
            self.open, self.high, self.low, self.volume = open_, high, low, 0
        assert ts_ns < self.due_ns, "the earlier bar was not taken with advance()"
        if high > self.high:
            self.high = high
        if low < self.low:
            self.low = low
        self.close = close
        self.volume += volume

    def _closed(self) -> Bar:
        self.due_ns = NEVER_NS
        end_ns = self.start_ns + self.interval_ns
        return Bar(self.instrument, self.start_ns, end_ns, self.open, self.high, self.low, self.close, self.volume)

    def rebase(self, instrument: Instrument) -> None:
        """Go on with a new version; a bar begun on another grid is dropped: its integers mean something else."""
        if (instrument.tick, instrument.lot) != (self.instrument.tick, self.instrument.lot):
            self.due_ns = NEVER_NS
        self.instrument = instrument

    def snapshot(self) -> list[Any]:
        """Plain data that `restore` takes back."""
        return [self.source, self.start_ns, self.due_ns, self.open, self.high, self.low, self.close, self.volume]

    def restore(self, state: list[Any]) -> None:
        """Continue where `snapshot` left off."""
        self.source, self.start_ns, self.due_ns, self.open, self.high, self.low, self.close, self.volume = state
