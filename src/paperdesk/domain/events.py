"""What happens, as numbered records: the inputs that the fold sees and the outputs that it states.

An *input* is a fact about the market (trade, quote, book, bar, definition, status), the passing of time, or a command. An *output* is
a fact about an account (order submitted, fill, posting ...). Both are flat records of integers: prices in ticks, quantities in lots,
money in asset units, times in nanoseconds since 1970 UTC. They are what the log stores, byte for byte.

Tags are never reused: a number that was once given keeps its meaning in every later version (SCHEMA_VERSION counts layouts).
"""

import struct
from enum import IntEnum
from typing import Final

import numpy as np

from paperdesk.domain.kernel import record

SCHEMA_VERSION: Final = 1
DEPTH: Final = 20
"""Levels a side that a book input carries, and that the venue can see."""


class InputKind(IntEnum):
    """What an input record says. Below 20: the outside world. From 20: commands, which may be refused."""

    TIMER = 1
    TRADE = 2
    QUOTE = 3
    BOOK = 4
    BAR = 5
    MARKET_STATUS = 6
    DEFINE_ASSET = 10
    DEFINE_INSTRUMENT = 11
    BIND_SOURCE = 12
    ENGINE_UPGRADED = 13
    OPEN_ACCOUNT = 20
    DEPOSIT = 21
    DECLARE_CONVERSION = 22
    REGISTER_BOT = 23
    SET_LIMITS = 24
    SUBMIT_ORDER = 25
    CANCEL_ORDER = 26
    CANCEL_ALL = 27
    KILL = 28
    RESUME = 29
    RESET_ACCOUNT = 30
    STOP_BOT = 31


class OutputKind(IntEnum):
    """What an output record states. Each is a fact: applying them in order rebuilds orders, ledger and accounts."""

    ACCOUNT_OPENED = 1
    POSTING = 2
    CONVERSION_DECLARED = 3
    BOT_REGISTERED = 4
    LIMITS_SET = 5
    ORDER_SUBMITTED = 6
    ORDER_DENIED = 7
    ORDER_ACCEPTED = 8
    ORDER_REJECTED = 9
    ORDER_TRIGGERED = 10
    FILL = 11
    ORDER_CANCELED = 12
    ORDER_EXPIRED = 13
    CANCEL_REQUESTED = 14
    CANCEL_REJECTED = 15
    EQUITY = 16
    KILLED = 17
    RESUMED = 18
    COMMAND_REFUSED = 19
    EVENT_REFUSED = 20
    EPOCH_STARTED = 21
    INSTRUMENT_CHANGED = 22


class Side(IntEnum):
    """Direction of an order, or the aggressor of a trade (0: the venue does not say)."""

    UNKNOWN = 0
    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """How an order finds its price."""

    MARKET = 1
    LIMIT = 2
    STOP_MARKET = 3
    STOP_LIMIT = 4


class TimeInForce(IntEnum):
    """How long an order lives: until canceled, or only against what is there on arrival (all of it, for FOK)."""

    GTC = 1
    IOC = 2
    FOK = 3


class Liquidity(IntEnum):
    """Whether a fill added to the book (maker) or took from it (taker)."""

    MAKER = 1
    TAKER = 2


class Evidence(IntEnum):
    """The best kind of market data seen for an instrument; it decides which fill rules apply."""

    NONE = 0
    BARS = 1
    TAPE = 2
    BOOK = 3


class FillRule(IntEnum):
    """What a fill rests on; stored with each fill and told by `paperdesk explain`."""

    BOOK_WALK = 1
    TRADE_THROUGH = 2
    QUEUE = 3
    BOOK_CROSS = 4
    BAR_OPEN = 5
    BAR_THROUGH = 6
    BAR_STOP = 7
    TAPE_TAKE = 8


class MarketStatus(IntEnum):
    """Whether an instrument's data can be trusted right now."""

    LIVE = 0
    STALE = 1
    GAP = 2


class TradingStatus(IntEnum):
    """What the venue says about the instrument itself."""

    TRADING = 1
    HALTED = 2
    DELISTED = 3


FLAG_POST_ONLY: Final = 1
FLAG_PARTIAL: Final = 1
FLAG_INVERSE: Final = 1
FLAG_MALFORMED: Final = 2
"""On SUBMIT_ORDER: the price or quantity was no number of the grid; `defect` holds the reason code."""

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
        [("price_ticks", "i8"), ("qty_lots", "i8"), ("trigger_ticks", "i8"), ("client_id", "i8"), ("defect", "i8"), ("cause", "i8")],
        [("trade_price_ticks", "i8"), ("trade_qty_lots", "i8"), ("trade_id", "i8")],
        [("bid_ticks", "i8"), ("bid_lots", "i8"), ("ask_ticks", "i8"), ("ask_lots", "i8")],
        [("bids_ticks", "i8", (DEPTH,)), ("bids_lots", "i8", (DEPTH,)), ("asks_ticks", "i8", (DEPTH,)), ("asks_lots", "i8", (DEPTH,))],
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
        [("amount_units", "i8"), ("asset", "i8"), ("scale", "i8"), ("source", "i8"), ("latency_ns", "i8"), ("equity_every_ns", "i8")],
        [
            ("max_order_units", "i8"),
            ("max_position_units", "i8"),
            ("max_exposure_units", "i8"),
            ("max_daily_loss_units", "i8"),
            ("max_drawdown_units", "i8"),
            ("cooldown_ns", "i8"),
        ],
        [
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
        ],
    ],
)
"""One input. The first 48 bytes are the head; `kind` says which names of the payload mean something."""

HEAD_BYTES: Final = 48
SHORT_BYTES: Final = HEAD_BYTES + 8 * 8
DEFINITION_BYTES: Final = HEAD_BYTES + 21 * 8
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
            ("front_lots", "i8"),
            ("rank", "i8"),
            ("cause", "i8"),
        ],
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
        [("epoch", "i8"), ("source", "i8"), ("latency_ns", "i8"), ("equity_every_ns", "i8")],
        [("payload", "i8", (11,))],
    ],
)
"""One output. `seq` is the input that caused it, `number` its place among that input's outputs."""

OUTPUT_BYTES: Final = OUTPUT.itemsize

HEAD: Final = struct.Struct("<hbbbbbbiiiiqqq")
PAYLOAD: Final = struct.Struct("<8q")
assert HEAD.size == HEAD_BYTES and INPUT_BYTES == HEAD_BYTES + 4 * DEPTH * 8


def stored_bytes(kind: int) -> int:
    """How many bytes of an input record the log keeps for this kind (the rest is zero)."""
    if kind == InputKind.BOOK:
        return INPUT_BYTES
    return DEFINITION_BYTES if kind == InputKind.DEFINE_INSTRUMENT else SHORT_BYTES


def inputs(count: int) -> np.ndarray:
    """A zeroed block of `count` input records, shape (count,)."""
    return np.zeros(count, INPUT)
