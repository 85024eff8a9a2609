"""The numbers that stand for words in inputs and outputs, and the bounds of the rule book's sections 1 and 6."""

UNKNOWN, BUY, SELL = 0, 1, 2
MARKET, LIMIT, STOP_MARKET, STOP_LIMIT, TAKE_PROFIT_MARKET, TAKE_PROFIT_LIMIT = 1, 2, 3, 4, 5, 6
GTC, IOC, FOK, GTD = 1, 2, 3, 4
STAYING = (GTC, GTD)
MAKER, TAKER = 1, 2
NONE, BARS, TAPE, BOOK = 0, 1, 2, 3
LIVE, STALE, GAP = 0, 1, 2
TRADING, HALTED, DELISTED = 1, 2, 3
FREE, RESERVED, VENUE, FEES, CAPITAL = 0, 1, 2, 3, 4

POST_ONLY, INVERSE, PARTIAL, MALFORMED, REDUCE_ONLY = 1, 1, 1, 2, 4

DEPTH = 20
LATE_NS = 10**8
MAX_OWED = 64
MAX_ORDER_UNITS = 2**60
MAX_UNITS = 2**62
MAX_TICKS = 2**50
MAX_LOTS = 2**60
DAY_NS = 86_400 * 10**9

LIMITS = (
    "max_order_units",
    "max_position_units",
    "max_exposure_units",
    "max_daily_loss_units",
    "max_drawdown_units",
    "cooldown_ns",
)
MARKET_TYPES = (MARKET, STOP_MARKET, TAKE_PROFIT_MARKET)
LIMIT_TYPES = (LIMIT, STOP_LIMIT, TAKE_PROFIT_LIMIT)
PROFIT_TYPES = (TAKE_PROFIT_MARKET, TAKE_PROFIT_LIMIT)
LONGEST_TRAIL = 9_999
TRIGGER_TYPES = (STOP_MARKET, STOP_LIMIT, *PROFIT_TYPES)
