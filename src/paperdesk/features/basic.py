"""Indicators as compiled steps: one bar in, one value out, all state in one float64 array.

`program` says which indicators run, one row each: kind, period, column of the bar, where its state begins.
`advance` feeds one bar to all of them; `batch` loops the same `advance`, so that stream and batch agree bit for
bit. Only + − × ÷ and sqrt are used, fastmath is off: the same bits with the JIT and without, on every machine.

*Windowed* kinds (sma, highest, lowest, change, deviation) depend on the last `look_back` bars and nothing else, bit
for bit: their sums are taken anew over the window, oldest first. *Recursive* kinds (ema, rsi, atr) also carry a
trace of everything since the start, which fades: past `look_back` bars it weighs less than 10⁻⁸. No kind can see a
bar after the one it is given.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
from numba import float64, int64
from numba.types import UniTuple

from paperdesk.domain.kernel import entry, kernel

OPEN: Final = 0
HIGH: Final = 1
LOW: Final = 2
CLOSE: Final = 3
VOLUME: Final = 4
COLUMNS: Final = ("open", "high", "low", "close", "volume")

SMA: Final = 0
HIGHEST: Final = 1
LOWEST: Final = 2
CHANGE: Final = 3
DEVIATION: Final = 4
EMA: Final = 5
RSI: Final = 6
ATR: Final = 7
KINDS: Final = ("sma", "highest", "lowest", "change", "deviation", "ema", "rsi", "atr")
MAX_PERIOD: Final = 100_000


class FeatureError(ValueError):
    """A feature that cannot be: unknown kind, column or period."""


class Feature(NamedTuple):
    """What to compute. `period` is a number of bars, or the name of the strategy's parameter that holds it."""

    kind: int
    period: int | str
    column: int = CLOSE

    def resolved(self, parameters: Mapping[str, object]) -> "Feature":
        """The same feature with its period as a number; FeatureError naming what is wrong."""
        period = parameters.get(self.period) if isinstance(self.period, str) else self.period
        if isinstance(period, bool) or not isinstance(period, int) or not 1 <= period <= MAX_PERIOD:
            wanted = f"parameter {self.period!r}" if isinstance(self.period, str) else "period"
            raise FeatureError(
                f"{KINDS[self.kind]}: {wanted} must be a whole number of bars from 1 to {MAX_PERIOD}, not {period!r}"
            )
        if self.kind == DEVIATION and period < 2:
            raise FeatureError("deviation: one bar has no deviation; the period must be at least 2")
        return self._replace(period=period)

    @property
    def bars(self) -> int:
        """The period as a number (of a resolved feature)."""
        assert isinstance(self.period, int), "resolve the feature first"
        return self.period

    @property
    def windowed(self) -> bool:
        """Whether the value depends on the last `look_back` bars alone."""
        return self.kind <= DEVIATION

    @property
    def warm_up(self) -> int:
        """Bars until the first value (NaN before)."""
        return self.bars + 1 if self.kind in (CHANGE, RSI) else self.bars

    @property
    def look_back(self) -> int:
        """Bars that the value rests on; see the module's story for recursive kinds."""
        if self.windowed:
            return self.warm_up
        return (10 if self.kind == EMA else 20) * (self.bars + 1)

    @property
    def state_size(self) -> int:
        """Floats of state: a count and a ring of values, or a count and four running numbers."""
        return 1 + self.warm_up if self.windowed else 5


def sma(period: int | str, of: str = "close") -> Feature:
    """Mean of the last `period` values."""
    return _feature(SMA, period, of)


def ema(period: int | str, of: str = "close") -> Feature:
    """Exponential mean, weight 2 / (period + 1), begun with the mean of the first `period` values."""
    return _feature(EMA, period, of)


def highest(period: int | str, of: str = "high") -> Feature:
    """Largest of the last `period` values."""
    return _feature(HIGHEST, period, of)


def lowest(period: int | str, of: str = "low") -> Feature:
    """Smallest of the last `period` values."""
    return _feature(LOWEST, period, of)


def change(period: int | str, of: str = "close") -> Feature:
    """Return over `period` bars: value / value `period` bars ago − 1 (0 where that was 0)."""
    return _feature(CHANGE, period, of)


def deviation(period: int | str, of: str = "close") -> Feature:
    """Sample standard deviation (n − 1) of the last `period` values, two passes."""
    return _feature(DEVIATION, period, of)


def rsi(period: int | str, of: str = "close") -> Feature:
    """Wilder's relative strength index, 0 to 100; 50 where nothing has moved."""
    return _feature(RSI, period, of)


def atr(period: int | str) -> Feature:
    """Wilder's average true range, in price units.

    Begun with the mean of the first `period` ranges (the first is high − low).
    """
    return Feature(ATR, period)


def _feature(kind: int, period: int | str, of: str) -> Feature:
    if of not in COLUMNS:
        raise FeatureError(f"{KINDS[kind]}: a bar has no {of!r}; choose one of {', '.join(COLUMNS)}")
    return Feature(kind, period, COLUMNS.index(of))


@kernel
def ring_at(state: np.ndarray, base: int, size: int, count: int, age: int) -> float:
    """The value added `age` bars ago (0: the newest) to a ring that has taken `count` values."""
    return float(state[base + 1 + (count - 1 - age) % size])


@kernel
def windowed_value(kind: int, period: int, state: np.ndarray, base: int, value: float) -> float:
    """Add one value to the ring at `base` and compute the kind over the last `period` values.

    NaN while there are too few.
    """
    size = period + 1 if kind == CHANGE else period
    count = int(state[base]) + 1
    state[base] = count
    state[base + 1 + (count - 1) % size] = value
    if count < size:
        return np.nan
    if kind == CHANGE:
        past = ring_at(state, base, size, count, period)
        return 0.0 if past == 0.0 else value / past - 1.0
    best = ring_at(state, base, size, count, period - 1)
    total = best
    for age in range(period - 2, -1, -1):
        item = ring_at(state, base, size, count, age)
        total += item
        if (kind == HIGHEST and item > best) or (kind == LOWEST and item < best):
            best = item
    if kind in (HIGHEST, LOWEST):
        return best
    mean = total / period
    if kind == SMA:
        return mean
    squares = 0.0
    for age in range(period - 1, -1, -1):
        away = ring_at(state, base, size, count, age) - mean
        squares += away * away
    return sqrt(squares / (period - 1))


@kernel
def smoothed(state: np.ndarray, slot: int, value: float, count: int, period: int, weight: float) -> float:
    """A running mean in state[slot].

    Plain over the first `period` values (kept as their sum until then), exponential afterwards.
    """
    if count < period:
        state[slot] += value
        return np.nan
    if count == period:
        state[slot] = (state[slot] + value) / period
    else:
        state[slot] += (value - state[slot]) * weight
    return float(state[slot])


@kernel
def recursive_value(
    kind: int, period: int, state: np.ndarray, base: int, value: float, high: float, low: float
) -> float:
    """One step of a recursive kind; state: count, previous value, running means."""
    count = int(state[base]) + 1
    previous = state[base + 1]
    state[base] = count
    state[base + 1] = value
    if kind == EMA:
        return smoothed(state, base + 2, value, count, period, 2.0 / (period + 1.0))
    if kind == ATR:
        reach = high - low
        if count > 1:
            reach = max(reach, abs(high - previous), abs(low - previous))
        return smoothed(state, base + 2, reach, count, period, 1.0 / period)
    if count == 1:
        return np.nan
    moved = value - previous
    gain = smoothed(state, base + 2, moved if moved > 0.0 else 0.0, count - 1, period, 1.0 / period)
    loss = smoothed(state, base + 3, -moved if moved < 0.0 else 0.0, count - 1, period, 1.0 / period)
    if count - 1 < period:
        return np.nan
    return 50.0 if gain + loss == 0.0 else 100.0 * gain / (gain + loss)


@entry(int64[:, ::1], float64[::1], float64[::1], UniTuple(float64, 5))
def advance(
    program: np.ndarray, state: np.ndarray, values: np.ndarray, bar: tuple[float, float, float, float, float]
) -> None:
    """Feed one closed bar to every feature of `program`, int64 (n, 4); results go to `values`, float64 (n,)."""
    for row in range(program.shape[0]):
        kind, period, column, base = program[row, 0], program[row, 1], program[row, 2], program[row, 3]
        value = bar[column]
        if kind <= DEVIATION:
            values[row] = windowed_value(kind, period, state, base, value)
        else:
            values[row] = recursive_value(kind, period, state, base, value, bar[HIGH], bar[LOW])


@entry(int64[:, ::1], float64[::1], float64[:, ::1])
def advance_all(program: np.ndarray, state: np.ndarray, bars: np.ndarray) -> np.ndarray:
    """`advance` for each row of `bars`, float64 (m, 5); values as float64 (m, n)."""
    found = np.empty((bars.shape[0], program.shape[0]))
    for at in range(bars.shape[0]):
        advance(program, state, found[at], (bars[at, 0], bars[at, 1], bars[at, 2], bars[at, 3], bars[at, 4]))
    return found


def batch(features: Sequence[Feature], bars: np.ndarray) -> np.ndarray:
    """Values of resolved features over `bars`, float64 (m, 5) open to volume, as float64 (m, n).

    The stream, looped.
    """
    program, size = program_of(features)
    values: np.ndarray = advance_all(program, np.zeros(size), np.ascontiguousarray(bars, np.float64))
    return values


class FeatureSet:
    """The features of one instrument, streaming.

    `values` holds the newest ones, in the order of the names; NaN until warm.
    """

    __slots__ = ("_program", "_state", "_values", "names", "values", "warm_up")

    def __init__(self, features: dict[str, Feature]) -> None:
        """`features` must be resolved (`Feature.resolved`)."""
        self.names = tuple(features)
        self._program, size = program_of(tuple(features.values()))
        self._state = np.zeros(size)
        self._values = np.full(len(features), np.nan)
        self.values: list[float] = self._values.tolist()
        self.warm_up = max((feature.warm_up for feature in features.values()), default=0)

    def add(self, open_: float, high: float, low: float, close: float, volume: float) -> None:
        """Take one closed bar (prices and volume as floats) and renew `values`."""
        advance(self._program, self._state, self._values, (open_, high, low, close, volume))
        self.values = self._values.tolist()

    def snapshot(self) -> list[list[float]]:
        """State and values as plain floats."""
        return [self._state.tolist(), self.values]

    def restore(self, parts: list[list[float]]) -> None:
        """Continue where `snapshot` left off; FeatureError if it was taken of other features."""
        state, values = parts
        if len(state) != len(self._state) or len(values) != len(self.names):
            raise FeatureError("the stored feature state does not belong to these features")
        self._state[:] = state
        self._values[:] = values
        self.values = self._values.tolist()


def program_of(features: Sequence[Feature]) -> tuple[np.ndarray, int]:
    """The program of `advance`, int64 (n, 4), and the floats of state that it needs."""
    rows, size = [], 0
    for feature in features:
        rows.append((feature.kind, feature.bars, feature.column, size))
        size += feature.state_size
    return np.array(rows, np.int64).reshape(len(rows), 4), size
