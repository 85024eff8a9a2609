"""How outputs read: as plain tuples, and in words and exact decimals for people."""

import struct
from typing import Any, Final

from paperdesk.domain.events import OUTPUT_BYTES, FillRule, Liquidity, OrderType, OutputKind, Side, TimeInForce
from paperdesk.domain.reasons import Reason
from paperdesk.ledger.journal import BUCKETS, Purpose

Output = tuple[int, ...]
OUTPUT_ROW: Final = struct.Struct("<h6b4i3q4i13q")
assert OUTPUT_ROW.size == OUTPUT_BYTES, "one tuple is one output"
KIND, SIDE, ORDER_TYPE, TIME_IN_FORCE, FLAGS, LIQUIDITY, RULE = range(7)
INSTRUMENT, VERSION, ACCOUNT, BOT, SEQ, TS, ORDER_ID, REASON, ASSET, FEE_ASSET, NUMBER, PAYLOAD = range(7, 19)

BUCKET_NAMES: Final = ("FREE", "RESERVED", "VENUE", "FEES", "CAPITAL")
assert len(BUCKET_NAMES) == BUCKETS, "each bucket has a name"


def names_of(kinds: Any) -> dict[int, str]:
    """Number → name of an enumeration, for all that fits a byte (numbers without a name stay numbers)."""
    known = {int(kind): kind.name for kind in kinds}
    return {code: known.get(code, str(code)) for code in range(-128, 128)}


SIDES, TYPES, TIMES = names_of(Side), names_of(OrderType), names_of(TimeInForce)
LIQUIDITIES, RULES, PURPOSES = names_of(Liquidity), names_of(FillRule), names_of(Purpose)
KINDS: Final = {int(kind): kind.name.lower() for kind in OutputKind}
REASONS: Final = {int(reason): reason.name.lower() for reason in Reason}


def reason_name(code: int) -> str:
    """A reason's name, or its number where this version does not know it."""
    return REASONS.get(code, str(code))


def decimal_text(units: int, scale: int) -> str:
    """units · 10^-scale as exact decimal text without exponent."""
    if scale == 0:
        return str(units)
    digits = str(abs(units)).rjust(scale + 1, "0")
    return f"{'-' if units < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


class Grid:
    """How an instrument version's ticks and lots read."""

    __slots__ = ("lot", "lot_scale", "symbol", "tick", "tick_scale")

    def __init__(self, symbol: str, tick: str, lot: str) -> None:
        self.symbol = symbol
        self.tick, self.tick_scale = _step(tick)
        self.lot, self.lot_scale = _step(lot)

    def price(self, ticks: int) -> str:
        """Exact price."""
        return decimal_text(ticks * self.tick, self.tick_scale)

    def quantity(self, lots: int) -> str:
        """Exact quantity."""
        return decimal_text(lots * self.lot, self.lot_scale)


def _step(text: str) -> tuple[int, int]:
    """'0.05' → (5, 2); '10' → (10, 0)."""
    whole, _, part = text.partition(".")
    return int(whole + part), len(part)
