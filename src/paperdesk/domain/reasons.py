"""Every "no" the desk can say: code, name, meaning, remedy. A refusal is a value with one of these reasons, never an exception.

Codes are stored in logs and never reused. 1–19 the command itself, 20–39 our risk gate and funds (denied), 40–59 the venue
(rejected), 60–79 the end of an order, 80–99 market data, 100–119 the way out to a venue, 120–139 the
command itself, continued, 140–159 a signal that no order follows.
"""

from enum import IntEnum
from typing import Final, NamedTuple


class Reason(IntEnum):
    """Codes as the kernel sees them."""

    NONE = 0
    INVALID_NUMBER = 1
    PRICE_OFF_GRID = 2
    QUANTITY_OFF_GRID = 3
    INVALID_QUANTITY = 4
    INVALID_PRICE = 5
    INVALID_TRIGGER = 6
    UNSUPPORTED_COMBINATION = 7
    UNKNOWN_ACCOUNT = 8
    UNKNOWN_BOT = 9
    UNKNOWN_INSTRUMENT = 10
    UNKNOWN_ORDER = 11
    ORDER_DONE = 12
    ACCOUNT_EXISTS = 13
    BOT_EXISTS = 14
    INVALID_AMOUNT = 15
    UNKNOWN_ASSET = 16
    CAPACITY_EXCEEDED = 17
    CANCEL_PENDING = 18
    ACCOUNT_IN_USE = 19
    WRONG_SOURCE = 20
    STALE_DATA = 21
    KILLED = 22
    NOTIONAL_TOO_LARGE = 23
    MAX_ORDER = 24
    EQUITY_PARTIAL = 25
    COOLDOWN = 26
    DAILY_LOSS = 27
    DRAWDOWN = 28
    MAX_POSITION = 29
    MAX_EXPOSURE = 30
    INSUFFICIENT_BALANCE = 31
    NO_MARKET_DATA = 32
    BOT_STOPPED = 33
    REDUCE_ONLY = 34
    INSTRUMENT_HALTED = 40
    PRICE_FILTER = 41
    LOT_SIZE = 42
    MARKET_LOT_SIZE = 43
    MIN_NOTIONAL = 44
    STOP_WOULD_TRIGGER = 45
    POST_ONLY_WOULD_TAKE = 46
    PERCENT_PRICE_BY_SIDE = 47
    MAX_NOTIONAL = 48
    MAX_NUM_ORDERS = 49
    MAX_NUM_ALGO_ORDERS = 50
    TRAILING_DELTA = 55
    ICEBERG_PARTS = 56
    USER_CANCELED = 60
    KILL_SWITCH = 61
    IOC_REMAINDER = 62
    FOK_NOT_FILLED = 63
    NO_LIQUIDITY = 64
    INSTRUMENT_CHANGED = 65
    DELISTED = 66
    EPOCH_ENDED = 67
    FUNDS_EXHAUSTED = 68
    DEADLINE_PASSED = 69
    POSITION_CLOSED = 70
    QUOTE_QUANTITY_REACHED = 71
    LIST_ENDED = 72
    BAD_EVENT = 80
    TIME_BACKWARDS = 81
    OFF_GRID = 82
    CORRUPT_LINE = 83
    SEQUENCE_GAP = 84
    UNKNOWN_SYMBOL = 85
    DUPLICATE = 86
    NOT_ON_THE_LIST = 100
    BAD_ADDRESS = 101
    CREDENTIAL_GIVEN = 102
    FRAME_REFUSED = 103
    REDIRECTED = 104
    REGION_REFUSED = 105
    RATE_LIMITED = 106
    VENUE_BANNED_US = 107
    NAME_NOT_FOUND = 108
    TLS_FAILED = 109
    PROXY_FAILED = 110
    TIMED_OUT = 111
    CONNECTION_LOST = 112
    NOT_JSON = 113
    ANSWER_TOO_LARGE = 114
    VENUE_ERROR = 115
    INVALID_DEADLINE = 120
    LIST_REFUSED = 121
    LIST_PRICES = 122
    AMEND_PENDING = 123
    NOT_SMALLER = 124
    ALREADY_FILLED = 125
    EXPIRED_IN_MATCH = 126
    TARGET_REACHED = 140
    LESS_THAN_A_LOT = 141
    ORDER_UNDER_WAY = 142


class Text(NamedTuple):
    """What a person reads: the meaning, and what to do about it."""

    meaning: str
    remedy: str


TEXTS: Final[dict[Reason, Text]] = {
    Reason.NONE: Text("nothing was refused", "nothing to do"),
    Reason.INVALID_NUMBER: Text(
        "a price or quantity was not a finite number", "send a decimal number; check the strategy for NaN or infinity"
    ),
    Reason.PRICE_OFF_GRID: Text(
        "the price is no multiple of the instrument's tick", "round the price with instrument.round_price(...)"
    ),
    Reason.QUANTITY_OFF_GRID: Text(
        "the quantity is no multiple of the instrument's lot", "round the quantity with instrument.round_quantity(...)"
    ),
    Reason.INVALID_QUANTITY: Text(
        "the quantity is zero or negative, or a quote quantity is less than one lot is worth",
        "send a larger quantity, above zero; the side says buy or sell",
    ),
    Reason.INVALID_PRICE: Text("a limit order needs a price above zero", "give a price, or use a market order"),
    Reason.INVALID_TRIGGER: Text(
        "a stop or take-profit order needs a trigger price above zero, or a trail from 1 to 9,999 hundredths of a percent",
        "give trigger=... or trail_bips=...",
    ),
    Reason.UNSUPPORTED_COMBINATION: Text(
        "type, time in force and flags do not go together",
        "post-only goes with LIMIT, GTC or GTD; orders that execute at the market are IOC or FOK; a deadline goes with GTD; "
        "a quote quantity goes with MARKET, alone and without reduce-only; a trail goes with stops and take-profits; "
        "a visible quantity goes with limit orders, GTC or GTD",
    ),
    Reason.UNKNOWN_ACCOUNT: Text("there is no such account", "open the account first"),
    Reason.UNKNOWN_BOT: Text("the bot is not registered in this account", "register the bot first"),
    Reason.UNKNOWN_INSTRUMENT: Text(
        "the instrument is not defined here", "check the symbol; `paperdesk up` lists what a recording holds"
    ),
    Reason.UNKNOWN_ORDER: Text("there is no such order in this account", "check the order id"),
    Reason.ORDER_DONE: Text("the order is already filled, canceled, expired or rejected", "nothing to cancel"),
    Reason.ACCOUNT_EXISTS: Text("the account number is taken", "use another number"),
    Reason.BOT_EXISTS: Text("the bot number is taken", "use another number"),
    Reason.INVALID_AMOUNT: Text(
        "the amount is not above zero or too large to hold", "check the amount and the asset's scale"
    ),
    Reason.UNKNOWN_ASSET: Text("the asset is not defined here", "check the asset's name"),
    Reason.CAPACITY_EXCEEDED: Text(
        "the desk's table for this is full", "cancel orders that are no longer needed, or run a second desk"
    ),
    Reason.CANCEL_PENDING: Text("a cancel for this order is already on its way", "wait for it to arrive"),
    Reason.ACCOUNT_IN_USE: Text(
        "opening balances can only be set before the first order of an epoch", "reset the account to begin a new epoch"
    ),
    Reason.WRONG_SOURCE: Text(
        "the account's epoch is bound to another data source",
        "use the account of this source: live, replayed and simulated prices never meet in one account",
    ),
    Reason.STALE_DATA: Text(
        "the market's data is stale or has a gap", "wait: orders resume by themselves when data does"
    ),
    Reason.KILLED: Text("the kill switch is on for the desk, the account or the bot", "resume it when you are ready"),
    Reason.NOTIONAL_TOO_LARGE: Text("the order is worth more than the desk can count exactly", "send a smaller order"),
    Reason.MAX_ORDER: Text(
        "the order is larger than the limit for one order", "send a smaller order or raise limits.max_order"
    ),
    Reason.EQUITY_PARTIAL: Text(
        "a price needed to value the account is missing or stale",
        "wait for the price, or declare a conversion for the asset",
    ),
    Reason.COOLDOWN: Text("the cooldown after a loss has not passed", "wait, or lower limits.cooldown_s"),
    Reason.DAILY_LOSS: Text(
        "the loss limit of the UTC day is reached", "new risk is possible again after midnight UTC"
    ),
    Reason.DRAWDOWN: Text("the drawdown limit is reached", "review the strategy; raise limits.max_drawdown to go on"),
    Reason.MAX_POSITION: Text(
        "the position would be larger than its limit", "send a smaller order or raise limits.max_position"
    ),
    Reason.MAX_EXPOSURE: Text(
        "the exposure would be larger than its limit", "send a smaller order or raise limits.max_exposure"
    ),
    Reason.INSUFFICIENT_BALANCE: Text(
        "the free balance does not cover the order", "send a smaller order or cancel one that holds funds"
    ),
    Reason.NO_MARKET_DATA: Text(
        "no price has been seen for the instrument yet", "wait for the first quote, trade or bar"
    ),
    Reason.BOT_STOPPED: Text(
        "the bot was stopped after an error or a timeout",
        "read the traceback in the log, mend the strategy, start it again",
    ),
    Reason.REDUCE_ONLY: Text(
        "there is no position of a lot or more that a reduce-only order of this side would reduce",
        "check the position of the bot (of the account for its owner), or leave reduce_only out",
    ),
    Reason.INSTRUMENT_HALTED: Text("the venue does not trade the instrument now", "wait until its status is TRADING"),
    Reason.PRICE_FILTER: Text(
        "the price lies outside the venue's price filter", "stay between the instrument's minimum and maximum price"
    ),
    Reason.LOT_SIZE: Text(
        "the quantity lies outside the venue's lot-size filter",
        "stay between the instrument's minimum and maximum quantity",
    ),
    Reason.MARKET_LOT_SIZE: Text(
        "the quantity lies outside the venue's filter for market orders", "split the order or use a limit order"
    ),
    Reason.MIN_NOTIONAL: Text("the order is worth less than the venue's minimum", "send a larger order"),
    Reason.STOP_WOULD_TRIGGER: Text(
        "the stop or take-profit would trigger at once",
        "put the trigger on the far side of the last price: of a take-profit where profit is, of a stop where loss is",
    ),
    Reason.POST_ONLY_WOULD_TAKE: Text(
        "a post-only order would have taken from the book on arrival", "price it further from the other side"
    ),
    Reason.PERCENT_PRICE_BY_SIDE: Text(
        "the limit price is too far from the market for the venue's filter of its side", "price it nearer to the market"
    ),
    Reason.MAX_NOTIONAL: Text("the order is worth more than the venue's maximum", "split the order"),
    Reason.MAX_NUM_ORDERS: Text(
        "the account has as many orders at the venue as it allows on one instrument",
        "cancel one, or wait until one ends",
    ),
    Reason.MAX_NUM_ALGO_ORDERS: Text(
        "the account has as many orders waiting for triggers as the venue allows on one instrument",
        "cancel one, or wait until one fires",
    ),
    Reason.TRAILING_DELTA: Text(
        "the trail is shorter or longer than the venue allows on the instrument",
        "stay between the instrument's shortest and longest trail",
    ),
    Reason.ICEBERG_PARTS: Text(
        "the order would be shown in more parts than the venue allows on the instrument", "show larger parts"
    ),
    Reason.USER_CANCELED: Text("canceled on request", "nothing to do"),
    Reason.KILL_SWITCH: Text("canceled by the kill switch", "nothing to do"),
    Reason.IOC_REMAINDER: Text(
        "the rest of an immediate-or-cancel order found no counterpart", "use GTC to let the rest wait"
    ),
    Reason.FOK_NOT_FILLED: Text("a fill-or-kill order could not be filled whole", "send a smaller order or use IOC"),
    Reason.NO_LIQUIDITY: Text("the visible book held no more within reach of a market order", "send a smaller order"),
    Reason.INSTRUMENT_CHANGED: Text(
        "the order no longer fits the instrument's new definition", "send it again on the new grid"
    ),
    Reason.DELISTED: Text("the venue delisted the instrument", "nothing to do"),
    Reason.EPOCH_ENDED: Text("the account began a new epoch", "nothing to do"),
    Reason.FUNDS_EXHAUSTED: Text("the account could not pay for the rest of a market order", "send a smaller order"),
    Reason.DEADLINE_PASSED: Text(
        "the deadline of a good-till-date order passed", "send it again with a later deadline"
    ),
    Reason.POSITION_CLOSED: Text("nothing is left of the position that a reduce-only order reduces", "nothing to do"),
    Reason.QUOTE_QUANTITY_REACHED: Text(
        "a market order of a quote quantity has spent or received it, as far as whole lots go",
        "nothing to do: it is done",
    ),
    Reason.BAD_EVENT: Text(
        "a market event makes no sense (price or size not above zero, crossed, low above high)",
        "check the recording; the event was not used",
    ),
    Reason.TIME_BACKWARDS: Text(
        "a market event carries a time before the one already reached", "the event is used at the time already reached"
    ),
    Reason.OFF_GRID: Text(
        "a price or size lies off the instrument's grid",
        "check tick and lot; the event was not used, nothing is rounded",
    ),
    Reason.CORRUPT_LINE: Text("a line of the recording could not be read", "check the recording; the line was skipped"),
    Reason.SEQUENCE_GAP: Text(
        "the venue's sequence numbers have a hole", "the book is empty until a full picture arrives"
    ),
    Reason.UNKNOWN_SYMBOL: Text(
        "the recording speaks of a symbol that was not asked for or cannot be traded here",
        "add it to --symbols if you want it",
    ),
    Reason.DUPLICATE: Text("the same market event came twice", "the copy was skipped"),
    Reason.NOT_ON_THE_LIST: Text(
        "the door lets nothing out but what is on its list", "`paperdesk door list` prints the list; nothing was sent"
    ),
    Reason.BAD_ADDRESS: Text(
        "the address is not written in the one plain form that the door reads",
        "write scheme, host and path in full, without user, port, escapes or dots; nothing was sent",
    ),
    Reason.CREDENTIAL_GIVEN: Text(
        "a request carried what may be a credential",
        "remove it: public market data needs none; nothing was sent; revoke the key if it is real",
    ),
    Reason.FRAME_REFUSED: Text(
        "only subscribing, unsubscribing and listing may be sent over a stream",
        "send one of these, in the venue's own form; nothing was sent",
    ),
    Reason.REDIRECTED: Text(
        "the venue's host sent us to another address, and the door follows none",
        "a captive portal or a filter may stand in between: open the venue in a browser and see",
    ),
    Reason.REGION_REFUSED: Text(
        "the venue does not serve this address or region",
        "use a venue that serves your region, a recording, or the simulated market",
    ),
    Reason.RATE_LIMITED: Text(
        "the venue asks for fewer requests", "nothing to do: the desk waits as long as the venue said"
    ),
    Reason.VENUE_BANNED_US: Text(
        "the venue bars this address for a while, for too many requests",
        "end other programs that use the same address; the desk waits as long as the venue said",
    ),
    Reason.NAME_NOT_FOUND: Text(
        "the venue's host name could not be resolved", "check the network connection and the name server"
    ),
    Reason.TLS_FAILED: Text(
        "no encrypted connection that can be trusted came about",
        "behind a proxy that opens TLS, point SSL_CERT_FILE to its CA file; check the machine's clock",
    ),
    Reason.PROXY_FAILED: Text("the proxy did not connect us", "check HTTPS_PROXY and NO_PROXY"),
    Reason.TIMED_OUT: Text("no answer came in time", "check the network connection; the desk tries again"),
    Reason.CONNECTION_LOST: Text(
        "the connection could not be made or broke off", "check the network connection; the desk tries again"
    ),
    Reason.NOT_JSON: Text(
        "the answer was something else than JSON, such as a web page",
        "a captive portal or a filter may stand in between: open the venue in a browser and see",
    ),
    Reason.ANSWER_TOO_LARGE: Text("an answer or frame was larger than any honest one", "it was not read further"),
    Reason.VENUE_ERROR: Text("the venue answered with an error", "the message tells the venue's own words"),
    Reason.INVALID_DEADLINE: Text(
        "the deadline is not after the order's arrival at the venue", "give a later expire_ns, in engine time"
    ),
    Reason.TARGET_REACHED: Text("the bot already held what it wanted to hold", "nothing to do"),
    Reason.LESS_THAN_A_LOT: Text(
        "less than a lot, the least that can be traded, was missing from what the bot wanted to hold", "nothing to do"
    ),
    Reason.ORDER_UNDER_WAY: Text(
        "what was missing from the wanted holding was on its way already, in market orders sent before", "nothing to do"
    ),
    Reason.LIST_ENDED: Text(
        "another order of its list was filled, triggered or ended, which ends this one",
        "nothing to do: that is what the list is for; the other order tells what happened",
    ),
    Reason.LIST_REFUSED: Text(
        "another order of its list was refused, and a list is taken whole or not at all",
        "the other order names the reason; mend it and send the list again",
    ),
    Reason.LIST_PRICES: Text(
        "the prices of a list are not in order: a sale takes its profit above the last price and stops below it, a buy the other way round",
        "look at the last price and give the two orders prices on either side of it",
    ),
    Reason.AMEND_PENDING: Text("an amend for this order is already on its way", "wait for it to arrive"),
    Reason.NOT_SMALLER: Text(
        "an amend can only make an order smaller: the new quantity is not below the order's",
        "give a smaller quantity, or cancel the order and send a larger one",
    ),
    Reason.ALREADY_FILLED: Text(
        "as much as the amend would leave of the order, or more, is filled already",
        "cancel the order if nothing more shall be filled",
    ),
    Reason.EXPIRED_IN_MATCH: Text(
        "it would have met an order of its own account (self-trade prevention)",
        "keep an account's buys below its sales, or choose another self_trade mode",
    ),
}
"""Text for each reason; a test holds that every reason has one."""


def explain(code: int) -> str:
    """One line for people: name, meaning, remedy. Unknown codes (from a newer log) are said to be unknown."""
    try:
        reason = Reason(code)
    except ValueError:
        return f"reason {code}: not known to this version"
    text = TEXTS[reason]
    return f"{reason.name.lower()}: {text.meaning}; {text.remedy}"
