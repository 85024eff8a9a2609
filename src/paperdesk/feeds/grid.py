"""Numbers of the outside world become integers of the grid, exactly or not at all.

Text is read digit by digit (no float in between). Float columns are read as the shortest decimal they stand for: a
float within four units in the last place of a decimal of the grid *is* that decimal (some writers computed their
numbers), anything else is off the grid.
"""

import re
from decimal import Decimal
from typing import Any, Final

import numba
import numpy as np

from paperdesk.domain.instruments import Instrument
from paperdesk.domain.kernel import entry, kernel
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import MAX_ORDER_UNITS
from paperdesk.venue.book import TICKS_BOUND

MAX_DECIMALS: Final = 12
SIZE_DECIMALS: Final = 8
"""Sizes are inferred to at most this many decimals."""
LARGEST_EXPONENT: Final = 30
NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
POWERS: Final = tuple(10**exponent for exponent in range(LARGEST_EXPONENT + 1))
MEMO: Final = 100_000
UNUSUAL: Final = -(2**62)
"""What compiled code says of a number that it leaves to `Steps`."""
LONGEST: Final = 18
"""As many decimal digits always fit 64 bits."""
TENS: Final = np.array(POWERS[: LONGEST + 1], np.int64)
DECIMALS, MANTISSA, BOUND = range(3)
"""Columns of the rules of a grid, shape (2, 3): first ticks, then lots."""
COMMA, POINT, ZERO, NINE = b",.09"
NO_EVENT, NO_MULTIPLE = int(Reason.BAD_EVENT), int(Reason.OFF_GRID)
TEXT_TYPE = numba.types.Bytes(numba.uint8, 1, "C", readonly=True)
ROWS_TYPE: Final = numba.int64[:, ::1]
RULES_TYPE = numba.int64[:, ::1]


class Unusable(ValueError):  # noqa: N818  not an error of the program: the datum is counted and left
    """A number of the recording that cannot be used; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name.lower())
        self.reason = reason


class Steps(dict[str, int]):
    """Text → whole steps, remembered: `steps["61837.63000000"]`. Raises Unusable for what is not a multiple of the
    step, or not a number.

    A step is `mantissa`·10^-`decimals`. Zero is allowed (an emptied level), negative numbers are BAD_EVENT.
    """

    __slots__ = ("bound", "decimals", "mantissa")

    def __init__(self, step: Decimal, bound: int) -> None:
        super().__init__()
        if step <= 0:
            raise ValueError(f"a step must be above zero, not {step}")
        _, digits, exponent = step.as_tuple()
        assert isinstance(exponent, int)
        self.mantissa = int("".join(map(str, digits))) * 10 ** max(0, exponent)
        self.decimals = max(0, -exponent)
        self.bound = bound

    def __missing__(self, text: str) -> int:
        whole, _, part = text.partition(".")
        digits = whole + part
        if not (digits.isascii() and digits.isdigit() and whole):
            whole, part = _plain(text)
            digits = whole + part
        missing = self.decimals - len(part)
        value = int(digits)
        if missing < 0:
            value, rest = divmod(value, POWERS[-missing] if missing >= -LARGEST_EXPONENT else int(10**-missing))
            if rest:
                raise Unusable(Reason.OFF_GRID)
        elif missing:
            value *= POWERS[missing]
        if self.mantissa != 1:
            value, rest = divmod(value, self.mantissa)
            if rest:
                raise Unusable(Reason.OFF_GRID)
        if value > self.bound:
            raise Unusable(Reason.BAD_EVENT)
        if len(self) >= MEMO:
            self.clear()
        self[text] = value
        return value

    def rule(self) -> tuple[int, int, int]:
        """What compiled code needs to read plain numbers; decimals that make all unusual where a step is too large."""
        fits = max(self.mantissa, self.bound) < -UNUSUAL
        return (self.decimals, self.mantissa, self.bound) if fits else (10 * LONGEST, 1, 0)

    def code(self, text: str) -> int:
        """As `self[text]`, but minus the reason of what is unusable."""
        try:
            return self[text]
        except Unusable as bad:
            return -int(bad.reason)


@kernel
def read_number(text: bytes, start: int, rules: np.ndarray, which: int) -> tuple[int, int]:
    """The number from `start` to the next comma, or the end, in steps of the rules' row `which`; and where it ends.

    As `Steps.code` for plain digits with or without a point; UNUSUAL for everything else, and for what is so long that
    64 bits might not hold it.
    """
    value, at, point = 0, start, -1
    while at < len(text) and text[at] != COMMA:
        if ZERO <= text[at] <= NINE and at < start + LONGEST:
            value = 10 * value + (text[at] - ZERO)
        elif text[at] == POINT and point < 0 and at > start:
            point = at
        else:
            return UNUSUAL, at
        at += 1
    digits, part = (at - start, 0) if point < 0 else (at - start - 1, at - point - 1)
    missing = rules[which, DECIMALS] - part
    if digits == 0 or digits + missing > LONGEST:
        return UNUSUAL, at
    divisor = rules[which, MANTISSA]
    if missing >= 0:
        value *= TENS[missing]
    elif value % TENS[-missing] != 0:
        return -NO_MULTIPLE, at
    else:
        value //= TENS[-missing]
    if divisor != 1:
        if value % divisor != 0:
            return -NO_MULTIPLE, at
        value //= divisor
    return value if value <= rules[which, BOUND] else -NO_EVENT, at


@kernel
def read_rows(text: bytes, rules: Any, rows: Any, count: int) -> bool:
    """Reads prices and sizes, alternating, parted by commas, into `count` rows of (ticks, lots); False where they are
    not as many, or one is spelled unusually.
    """
    assert count <= len(rows), "room for what is read is made before"
    at = 0
    for row in range(count):
        for column in range(2):
            value, end = read_number(text, at, rules, column)
            if value == UNUSUAL:
                return False
            rows[row, column] = value
            at = end + 1
    return at == len(text) + 1


@entry(TEXT_TYPE, RULES_TYPE, ROWS_TYPE, numba.int64)
def read_text(text: bytes, rules: Any, rows: Any, count: int) -> bool:
    """See `read_rows`."""
    return read_rows(text, rules, rows, count)


def _plain(text: str) -> tuple[str, str]:
    """Digits before and after the point of unusual spellings ("1e-05"); Unusable for what is no finite number ≥ 0."""
    if not NUMBER.fullmatch(text):
        raise Unusable(Reason.BAD_EVENT)
    number = Decimal(text)
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise Unusable(Reason.BAD_EVENT)
    whole, _, part = f"{number:f}".partition(".")
    return whole, part


class Grid:
    """One instrument's two steps: for texts, for compiled code (`rules`) and for float columns."""

    __slots__ = ("lot", "lots", "number", "rules", "symbol", "tick", "ticks")

    def __init__(self, instrument: Instrument) -> None:
        self.number, self.symbol = instrument.number, instrument.symbol
        self.tick, self.lot = instrument.tick, instrument.lot
        self.ticks = Steps(instrument.tick, TICKS_BOUND)
        self.lots = Steps(instrument.lot, MAX_ORDER_UNITS)
        self.rules = np.array([self.ticks.rule(), self.lots.rule()], np.int64)


def column_steps(values: np.ndarray, step: Decimal, floor: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Float column (n,) → int64 steps (n,) and whether each is usable; where it is not, the steps are 0.

    `floor`: what lies between two steps takes the lower one (bar volumes only: they are sums that were rounded on
    the way).
    """
    _, digits, exponent = step.as_tuple()
    assert isinstance(exponent, int)
    mantissa = float(int("".join(map(str, digits))) * 10 ** max(0, exponent))
    power = 10.0 ** max(0, -exponent)
    finite = np.isfinite(values)
    clean = np.where(finite, values, 0.0)
    steps = np.rint(clean * power / mantissa)
    near = np.abs(steps * mantissa / power - clean) <= 4 * np.spacing(np.abs(clean))
    if floor:
        steps = np.where(near, steps, np.floor(clean * power / mantissa))
        near = np.ones(len(steps), bool)
    usable = finite & near & (np.abs(steps) < float(MAX_ORDER_UNITS))
    return np.where(usable, steps, 0.0).astype(np.int64), usable


def column_decimals(values: np.ndarray, most: int) -> int:
    """The fewest decimals (0 to `most`) that hold every finite value of a float column; `most` if none does."""
    rest = np.unique(values[np.isfinite(values)])
    for decimals in range(most + 1):
        power = 10.0**decimals
        near = np.abs(np.rint(rest * power) / power - rest) <= 4 * np.spacing(np.abs(rest))
        rest = rest[~near]
        if not len(rest):
            return decimals
    return most


def text_decimals(text: str) -> int:
    """How many decimals a number's text needs (trailing zeros do not count); 0 for what is no plain number."""
    _, point, part = text.partition(".")
    if not point or not (part.isascii() and part.isdigit()):
        if "e" not in text and "E" not in text:
            return 0
        try:
            whole_part = _plain(text)[1]
        except Unusable:
            return 0
        return len(whole_part.rstrip("0"))
    return len(part.rstrip("0"))


def fitting_decimals(decimals: int, largest: float, bound: int) -> int:
    """The given number of decimals, or as many as keep the largest value below `bound` steps."""
    while decimals > 0 and largest * 10.0**decimals > bound:
        decimals -= 1
    return decimals
