"""What happens, as numbered records: the inputs that the fold sees and the outputs that it states.

An *input* is a fact about the market (trade, quote, book, bar, definition, status), the passing of time, or a command. An *output* is
a fact about an account (order submitted, fill, posting ...). Both are flat records of integers: prices in ticks, quantities in lots,
money in asset units, times in nanoseconds since 1970 UTC. They are what the log stores, byte for byte.

Tags are never reused: a number that was once given keeps its meaning in every later version (SCHEMA_VERSION counts layouts).
"""

from enum import IntEnum

from paperdesk.domain.layout import (
    DEFINITION_BYTES,
    DEPTH,
    FEE_TIERS,
    FLAG_INVERSE,
    FLAG_MALFORMED,
    FLAG_PARTIAL,
    FLAG_POST_ONLY,
    FLAG_REDUCE_ONLY,
    FLAG_SELF_TRADE,
    HEAD,
    HEAD_BYTES,
    INPUT,
    INPUT_BYTES,
    LATENCY_POINTS,
    LEG_WORDS,
    LEGS,
    LIST_BYTES,
    ORDER_BYTES,
    OUTPUT,
    OUTPUT_BYTES,
    PAYLOAD,
    SCHEMA_VERSION,
    SELF_TRADE_SHIFT,
    SHORT_BYTES,
    TABLE_BYTES,
    inputs,
)  # fmt: skip

__all__ = [
    "DEFINITION_BYTES", "DEPTH", "FEE_TIERS", "FLAG_INVERSE", "FLAG_MALFORMED", "FLAG_PARTIAL", "FLAG_POST_ONLY", "FLAG_REDUCE_ONLY", "FLAG_SELF_TRADE", "HEAD",
    "HEAD_BYTES", "INPUT", "INPUT_BYTES", "LATENCY_POINTS", "LEGS", "LEG_WORDS", "LIST_BYTES", "ORDER_BYTES", "OUTPUT", "OUTPUT_BYTES",
    "PAYLOAD", "SCHEMA_VERSION", "SELF_TRADE_SHIFT", "SHORT_BYTES", "TABLE_BYTES",
    "Evidence", "FillModel", "FillRule", "InputKind", "Liquidity", "ListKind", "MarketStatus", "OrderType", "OutputKind", "SelfTrade", "Side", "TimeInForce",
    "TradingStatus", "inputs", "stored_bytes",
]  # fmt: skip


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
    SET_LATENCIES = 40
    SET_FEE_TIERS = 41
    SIGNAL = 42
    AMEND_ORDER = 43
    SUBMIT_LIST = 44
    SET_SELF_TRADE = 45


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
    LATENCY_SET = 40
    FEE_TIERS_SET = 41
    SIGNAL_STATED = 42
    ORDER_DECREASED = 43
    AMEND_REQUESTED = 44
    AMEND_REJECTED = 45
    SELF_TRADE_SET = 46
    ORDER_ACTIVATED = 47
    LEG_ACTIVATED = 48


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
    TAKE_PROFIT_MARKET = 5
    TAKE_PROFIT_LIMIT = 6


class TimeInForce(IntEnum):
    """How long an order lives: until canceled, until a time (GTD), or only against what is there on arrival (all of it, for FOK)."""

    GTC = 1
    IOC = 2
    FOK = 3
    GTD = 4


class ListKind(IntEnum):
    """How the orders of a list hang together: one cancels the other; one, once filled, sends another; or sends such a pair."""

    OCO = 1
    OTO = 2
    OTOCO = 3


class SelfTrade(IntEnum):
    """What an order does that would meet a waiting order of its own account: end that one, itself, both, take the smaller from both, or none of it."""

    NONE = 1
    EXPIRE_MAKER = 2
    EXPIRE_TAKER = 3
    EXPIRE_BOTH = 4
    DECREMENT = 5


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
    TAPE_TOUCH = 9


class FillModel(IntEnum):
    """What an account believes where the evidence leaves room (`venue/estimates.py`)."""

    OPTIMISTIC = 1
    EXPECTED = 2
    PESSIMISTIC = 3


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


def stored_bytes(kind: int) -> int:
    """How many bytes of an input record the log keeps for this kind (the rest is zero)."""
    if kind == InputKind.BOOK:
        return INPUT_BYTES
    if kind in (InputKind.SET_LATENCIES, InputKind.SET_FEE_TIERS):
        return TABLE_BYTES
    if kind == InputKind.SUBMIT_ORDER:
        return ORDER_BYTES
    if kind == InputKind.SUBMIT_LIST:
        return LIST_BYTES
    return DEFINITION_BYTES if kind == InputKind.DEFINE_INSTRUMENT else SHORT_BYTES
