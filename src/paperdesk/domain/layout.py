"""The bytes of inputs and outputs: flat records of integers, laid out once, stored as they are.

Payload names share their bytes: `kind` says which of them mean something. Layouts are versioned (SCHEMA_VERSION) and only ever grow.
"""

import struct
from typing import Final

import numpy as np

from paperdesk.domain.kernel import record

SCHEMA_VERSION: Final = 1
DEPTH: Final = 20
"""Levels a side that a book input carries, and that the venue can see."""

LATENCY_POINTS: Final = 33
"""Quantiles that an account's drawn latencies lie between."""
FEE_TIERS: Final = 10

FLAG_POST_ONLY: Final = 1
FLAG_REDUCE_ONLY: Final = 4
FLAG_SELF_TRADE: Final = 56
"""Bits of an order's flags, or of SET_SELF_TRADE's, that hold a `SelfTrade`; none: the account's own."""
SELF_TRADE_SHIFT: Final = 3
FLAG_PARTIAL: Final = 1
FLAG_INVERSE: Final = 1
FLAG_MALFORMED: Final = 2
"""On SUBMIT_ORDER: the price or quantity was no number of the grid; `defect` holds the reason code."""

LEGS: Final = 3
"""The most orders that a list is made of."""
LEG_WORDS: Final = (
    "side", "order_type", "time_in_force", "flags", "price_ticks", "qty_lots", "trigger_ticks", "client_id", "defect", "expire_ns",
    "trail_bips", "visible_lots",
)  # fmt: skip
"""What each leg of a SUBMIT_LIST says, under the names of a SUBMIT_ORDER; in the input they stand as `leg_…`, one place a leg."""

DEFINITION: Final = [
    ("base_asset", "i8"),
    ("quote_asset", "i8"),
    ("num", "i8"),
    ("den", "i8"),
    ("base_units_per_lot", "i8"),
    ("trading_status", "i8"),
    ("min_price_ticks", "i8"),
    ("max_price_ticks", "i8"),
    ("min_qty_lots", "i8"),
    ("max_qty_lots", "i8"),
    ("market_min_qty_lots", "i8"),
    ("market_max_qty_lots", "i8"),
    ("min_notional_units", "i8"),
    ("min_notional_to_market", "i8"),
    ("maker_fee_e8", "i8"),
    ("taker_fee_e8", "i8"),
    ("stale_after_ns", "i8"),
    ("tick_mantissa", "i8"),
    ("tick_exponent", "i8"),
    ("lot_mantissa", "i8"),
    ("lot_exponent", "i8"),
    ("bid_multiplier_up_e8", "i8"),
    ("bid_multiplier_down_e8", "i8"),
    ("ask_multiplier_up_e8", "i8"),
    ("ask_multiplier_down_e8", "i8"),
    ("max_notional_units", "i8"),
    ("max_notional_to_market", "i8"),
    ("max_orders", "i8"),
    ("max_algo_orders", "i8"),
    ("min_trail_above_bips", "i8"),
    ("max_trail_above_bips", "i8"),
    ("min_trail_below_bips", "i8"),
    ("max_trail_below_bips", "i8"),
    ("max_iceberg_parts", "i8"),
]
"""What defines an instrument: the payload of its input, and its row in the fold. A bound of 0 means "no bound"."""

INPUT: Final = record(
    [
        ("kind", "i2"),
        ("side", "i1"),
        ("order_type", "i1"),
        ("time_in_force", "i1"),
        ("flags", "i1"),
        ("n_bids", "i1"),
        ("n_asks", "i1"),
        ("instrument", "i4"),
        ("version", "i4"),
        ("account", "i4"),
        ("bot", "i4"),
        ("seq", "i8"),
        ("ts_event_ns", "i8"),
        ("ts_seq_ns", "i8"),
    ],
    at=48,
    union=[
        [
            ("price_ticks", "i8"),
            ("qty_lots", "i8"),
            ("trigger_ticks", "i8"),
            ("client_id", "i8"),
            ("defect", "i8"),
            ("cause", "i8"),
            ("expire_ns", "i8"),
            ("budget_units", "i8"),
            ("trail_bips", "i8"),
            ("visible_lots", "i8"),
        ],
        [("wanted_units", "i8"), ("held_units", "i8"), ("seen_ticks", "i8")],
        [("trade_price_ticks", "i8"), ("trade_qty_lots", "i8"), ("trade_id", "i8")],
        [("bid_ticks", "i8"), ("bid_lots", "i8"), ("ask_ticks", "i8"), ("ask_lots", "i8")],
        [
            ("bids_ticks", "i8", (DEPTH,)),
            ("bids_lots", "i8", (DEPTH,)),
            ("asks_ticks", "i8", (DEPTH,)),
            ("asks_lots", "i8", (DEPTH,)),
        ],
        [
            ("open_ticks", "i8"),
            ("high_ticks", "i8"),
            ("low_ticks", "i8"),
            ("close_ticks", "i8"),
            ("volume_lots", "i8"),
            ("interval_ns", "i8"),
        ],
        [("status", "i8"), ("status_reason", "i8")],
        [("order_id", "i8")],
        [
            ("amount_units", "i8"),
            ("asset", "i8"),
            ("scale", "i8"),
            ("source", "i8"),
            ("latency_ns", "i8"),
            ("equity_every_ns", "i8"),
            ("fill_model", "i8"),
        ],
        [
            ("max_order_units", "i8"),
            ("max_position_units", "i8"),
            ("max_exposure_units", "i8"),
            ("max_daily_loss_units", "i8"),
            ("max_drawdown_units", "i8"),
            ("cooldown_ns", "i8"),
        ],
        DEFINITION,
        [("n_latencies", "i8"), ("latency_seed", "i8"), ("latencies_ns", "i8", (LATENCY_POINTS,))],
        [
            ("n_tiers", "i8"),
            ("tier_volume_units", "i8", (FEE_TIERS,)),
            ("tier_maker_e8", "i8", (FEE_TIERS,)),
            ("tier_taker_e8", "i8", (FEE_TIERS,)),
        ],
        [("list_kind", "i8"), ("list_cause", "i8"), *((f"leg_{name}", "i8", (LEGS,)) for name in LEG_WORDS)],
    ],
)
"""One input. The first 48 bytes are the head; `kind` says which names of the payload mean something."""

HEAD_BYTES: Final = 48
SHORT_BYTES: Final = HEAD_BYTES + 8 * 8
ORDER_BYTES: Final = HEAD_BYTES + 8 * 10
DEFINITION_BYTES: Final = HEAD_BYTES + 8 * len(DEFINITION)
LIST_BYTES: Final = HEAD_BYTES + 8 * (2 + LEGS * len(LEG_WORDS))
TABLE_BYTES: Final = HEAD_BYTES + 8 * (2 + LATENCY_POINTS)
INPUT_BYTES: Final = INPUT.itemsize

OUTPUT: Final = record(
    [
        ("kind", "i2"),
        ("side", "i1"),
        ("order_type", "i1"),
        ("time_in_force", "i1"),
        ("flags", "i1"),
        ("liquidity", "i1"),
        ("rule", "i1"),
        ("instrument", "i4"),
        ("version", "i4"),
        ("account", "i4"),
        ("bot", "i4"),
        ("seq", "i8"),
        ("ts_seq_ns", "i8"),
        ("order_id", "i8"),
        ("reason", "i4"),
        ("asset", "i4"),
        ("fee_asset", "i4"),
        ("number", "i4"),
    ],
    at=64,
    union=[
        [
            ("price_ticks", "i8"),
            ("qty_lots", "i8"),
            ("trigger_ticks", "i8"),
            ("arrive_ns", "i8"),
            ("client_id", "i8"),
            ("expire_ns", "i8"),
            ("budget_units", "i8"),
            ("cause", "i8"),
            ("trail_bips", "i8"),
            ("visible_lots", "i8"),
            ("list_id", "i8"),
            ("list_leg", "i8"),
        ],
        [("wanted_units", "i8"), ("held_units", "i8"), ("seen_ticks", "i8"), ("signal_id", "i8")],
        [("last_ticks", "i8"), ("peak_ticks", "i8"), ("reached_ticks", "i8")],
        [
            ("fill_price_ticks", "i8"),
            ("fill_lots", "i8"),
            ("fill_id", "i8"),
            ("quote_units", "i8"),
            ("fee_units", "i8"),
            ("realized_units", "i8"),
            ("shown_lots", "i8"),
            ("front_before_lots", "i8"),
            ("front_after_lots", "i8"),
            ("evidence_ticks", "i8"),
            ("fee_rate_e8", "i8"),
            ("fee_tier", "i8"),
            ("volume_units", "i8"),
        ],
        [("amount_units", "i8"), ("source_bucket", "i8"), ("target_bucket", "i8"), ("purpose", "i8")],
        [
            ("equity_units", "i8"),
            ("exposure_units", "i8"),
            ("peak_units", "i8"),
            ("day_start_units", "i8"),
            ("opening_units", "i8"),
        ],
        [
            ("max_order_units", "i8"),
            ("max_position_units", "i8"),
            ("max_exposure_units", "i8"),
            ("max_daily_loss_units", "i8"),
            ("max_drawdown_units", "i8"),
            ("cooldown_ns", "i8"),
        ],
        [("epoch", "i8"), ("source", "i8"), ("latency_ns", "i8"), ("equity_every_ns", "i8"), ("fill_model", "i8")],
        [("payload", "i8", (13,))],
    ],
)
"""One output. `seq` is the input that caused it, `number` its place among that input's outputs."""

OUTPUT_BYTES: Final = OUTPUT.itemsize

HEAD: Final = struct.Struct("<hbbbbbbiiiiqqq")
PAYLOAD: Final = struct.Struct("<8q")
assert HEAD.size == HEAD_BYTES and INPUT_BYTES == HEAD_BYTES + 4 * DEPTH * 8


def inputs(count: int) -> np.ndarray:
    """A zeroed block of `count` input records, shape (count,)."""
    return np.zeros(count, INPUT)
