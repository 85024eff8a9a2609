"""Random terms of trade: latencies, fee tiers and filters, some of them impossible."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oracle.streams import Stream


def latencies(stream: Stream, account: int) -> dict[str, Any]:
    """Quantiles of a narrow, a wide or a single latency; none; or what cannot be."""
    dice = stream.dice
    most = dice.choice((0, 1, 10**6, 10**9, 60 * 10**9))
    points = sorted(dice.randint(0, most) for _ in range(33))
    if stream.chance(0.1):
        points = dice.choice(([], [-1, *points[1:]], points[::-1], [*points[:-1], 60 * 10**9 + 1]))
    return {
        "kind": "SET_LATENCIES",
        "account": account,
        "latency_seed": dice.choice((0, 7, 2**62, -1)),
        "latencies_ns": points,
    }


def self_trade(stream: Stream, account: int) -> dict[str, Any]:
    """A mode, or what is none."""
    modes = (1, 2, 3, 4, 5, 5, 0, 6, 7) if stream.chance(0.2) else (1, 2, 3, 4, 5)
    return {"kind": "SET_SELF_TRADE", "account": account, "flags": 8 * stream.dice.choice(modes)}


def fee_tiers(stream: Stream, account: int) -> dict[str, Any]:
    """Tiers that small volumes reach; none; or what cannot be."""
    dice = stream.dice
    volumes = [0, *sorted(dice.sample((1, 2, 50, 1_000, 10**5, 10**8, 10**12), dice.randint(0, 4)))]
    if stream.chance(0.1):
        volumes = dice.choice(([], [1, 2], [0, 5, 5], [0, -1], [0, 9, 3]))
    rates = [[dice.choice((0, 1, 77_777, 100_000, 250_000, 10**8)) for _ in volumes] for _ in range(2)]
    if volumes and stream.chance(0.03):
        rates[0][0] = dice.choice((-1, 10**8 + 1))
    return {
        "kind": "SET_FEE_TIERS", "account": account, "tier_volume_units": volumes, "tier_maker_e8": rates[0], "tier_taker_e8": rates[1],
    }  # fmt: skip


TRAILS = (1, 40, 99, 100, 101, 150, 200, 333, 1_000, 3_300, 9_999)


def trail(stream: Stream, given: dict[str, Any]) -> dict[str, Any]:
    """An order with a trigger as one that follows the price, at times from its arrival on."""
    bips = stream.dice.choice(TRAILS if stream.chance(0.95) else (-1, 10_000, 2**62))
    return given | {"trail_bips": bips} | ({"trigger_ticks": 0} if stream.chance(0.5) else {})


def iceberg(stream: Stream, given: dict[str, Any]) -> dict[str, Any]:
    """A limit order that shows a part, seldom none or more than all."""
    lots = given["qty_lots"]
    parts = (1, 1, 2, 2, 3, lots, max(1, lots // 2), max(1, lots // 3), lots // 3 + 1)
    return given | {"visible_lots": stream.dice.choice(parts if stream.chance(0.97) else (-1, lots + 1))}


def trail_filters(stream: Stream) -> dict[str, int]:
    """Bounds of trails, most of them off."""
    names = [f"{bound}_trail_{way}_bips" for way in ("above", "below") for bound in ("min", "max")]
    return {name: stream.dice.choice(TRAILS) if stream.chance(0.05) else 0 for name in names}


def farther_filters(stream: Stream, mid: int, value: Fraction) -> dict[str, int]:
    """Filters about the mark, the largest value and the count of orders; most of them off, some beyond counting."""
    dice = stream.dice
    near = stream.chance(0.2)
    tick_e8 = 10**8 // mid
    names = ("bid_multiplier_up_e8", "bid_multiplier_down_e8", "ask_multiplier_up_e8", "ask_multiplier_down_e8")
    ups = (10**8 + tick_e8, 10**8 + 2 * tick_e8 + 1, 130_000_000, 500_000_000, 0, 2**62)
    downs = (10**8 - tick_e8, max(0, 10**8 - 2 * tick_e8 - 1), 70_000_000, 20_000_000, 0, 2**62)
    given = {
        name: dice.choice(ups if "up" in name else downs[: 5 if stream.calm else 6]) if near else 0 for name in names
    }
    most = min(2**62, int(dice.choice((9, 10, 24, 26)) * mid * value) + dice.choice((0, 1)))
    return given | {
        "max_notional_units": dice.choice((most, most, 2**62 - 1)) if stream.chance(0.15) else 0,
        "max_notional_to_market": dice.choice((0, 1)),
        "max_orders": dice.choice((1, 2, 4, 8)) if stream.chance(0.15) else 0,
        "max_algo_orders": dice.choice((1, 2)) if stream.chance(0.15) else 0,
        **trail_filters(stream),
        "max_iceberg_parts": dice.choice((1, 2, 5)) if stream.chance(0.1) else 0,
    }
