"""The auditor's own idea of an account's terms of trade: how long what it sends takes, and what its fills cost."""

import struct
from typing import Any, Final

from paperdesk.domain.events import FEE_TIERS, HEAD_BYTES, LATENCY_POINTS, InputKind, Liquidity

NUMBERS: Final = struct.Struct(f"<{2 + LATENCY_POINTS}q")
DAY_NS: Final = 86_400_000_000_000
DAYS: Final = 30
BITS: Final = 0xFFFF


class Terms:
    """Of one account, from the inputs that set them and the fills that counted."""

    def __init__(self, latency_ns: int) -> None:
        self.latency_ns = latency_ns
        self._seed = 0
        self._points: tuple[int, ...] = ()
        self._tiers: list[tuple[int, int, int]] = []
        self._volumes: dict[int, int] = {}

    def take(self, kind: int, data: bytes) -> None:
        """A SET_LATENCIES or SET_FEE_TIERS input that was accepted."""
        count, second, *rest = NUMBERS.unpack_from(data, HEAD_BYTES)
        if kind == InputKind.SET_LATENCIES:
            self._seed, self._points = second, tuple(rest[:count])
        else:
            table = [second, *rest]
            columns = [table[place * FEE_TIERS : place * FEE_TIERS + count] for place in range(3)]
            self._tiers = list(zip(*columns, strict=True))

    def forget(self) -> None:
        """A new epoch has traded nothing yet."""
        self._volumes.clear()

    def latency(self, order_id: int, purpose: int) -> int:
        """Nanoseconds from sending to arriving."""
        if not self._points:
            return self.latency_ns
        drawn = self._draw(order_id, purpose) * (LATENCY_POINTS - 1)
        low, part = divmod(drawn, 1 << 32)
        here, there = self._points[low], self._points[low + 1]
        return here + (there - here) * (part >> 12) // (1 << 20)

    def _draw(self, counter: int, purpose: int) -> int:
        left, right, high = counter >> 16 & BITS, counter & BITS, counter >> 32 & BITS
        for turn in range(6):
            key = (self._seed >> 16 * (turn % 4) & BITS) ^ (257 * purpose + 40_503 * turn & BITS)
            mixed = 44_257 * (right ^ key) + high + key
            left, right = right, left ^ (mixed >> 7 ^ mixed >> 15) & BITS
        return left << 16 | right

    def tier(self, ts_ns: int) -> int:
        """The tier that holds at a time, −1 without tiers."""
        today = ts_ns // DAY_NS
        traded = sum(self._volumes.get(today - before, 0) for before in range(1, DAYS + 1))
        return sum(1 for row in self._tiers if row[0] <= traded) - 1

    def rate(self, definition: Any, liquidity: int, ts_ns: int) -> int:
        """The fee rate of a fill, in 10⁻⁸."""
        tier, maker = self.tier(ts_ns), liquidity == Liquidity.MAKER
        if tier < 0:
            return int(definition.maker_fee_e8 if maker else definition.taker_fee_e8)
        return self._tiers[tier][1 if maker else 2]

    def count(self, ts_ns: int, units: int) -> None:
        """A fill was worth so much in the reporting asset."""
        self._volumes[ts_ns // DAY_NS] = self._volumes.get(ts_ns // DAY_NS, 0) + units
