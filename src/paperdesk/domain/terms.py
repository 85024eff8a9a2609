"""What an order may say beyond side, quantity and prices, by name. All of it may be left out; every way to send an order takes the same."""

from typing import Any, Final, Literal, TypedDict

from paperdesk.domain.events import (
    FLAG_MALFORMED,
    FLAG_REDUCE_ONLY,
    SELF_TRADE_SHIFT,
    OrderType,
    SelfTrade,
    TimeInForce,
)
from paperdesk.domain.instruments import Instrument, Number, OffGrid, exact
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import MAX_UNITS

SelfTradeName = Literal["none", "expire_maker", "expire_taker", "expire_both", "decrement"]
SELF_TRADES: Final[dict[str, SelfTrade]] = {mode.name.lower(): mode for mode in SelfTrade}


class Terms(TypedDict, total=False):
    """Terms of an order."""

    take_profit: bool
    """With a trigger: fire when the price has come to it, where a stop fires when the price has run away to it."""
    expire_ns: int
    """The engine time at which what is left of the order ends; makes it GTD."""
    reduce_only: bool
    """Never take the position (the bot's; the account's for its owner) through zero, nor away from it."""
    quote_quantity: Number
    """Of a market order without a quantity: spend (buy) or receive (sell) at most so much of the quote asset."""
    trail_bips: int
    """Follow the price at so many hundredths of a percent and fire when it has turned by them; a trigger is the price from which on, none: from arrival."""
    visible_quantity: Number
    """Of a limit order that waits: show only so much of it, part by part (an iceberg)."""
    self_trade: SelfTradeName
    """What happens where it would meet a waiting order of its own account; left out: what the account says."""


TYPES: Final = {
    (False, False, False): OrderType.MARKET,
    (True, False, False): OrderType.LIMIT,
    (False, True, False): OrderType.STOP_MARKET,
    (True, True, False): OrderType.STOP_LIMIT,
    (False, True, True): OrderType.TAKE_PROFIT_MARKET,
    (True, True, True): OrderType.TAKE_PROFIT_LIMIT,
}
"""(has a limit price, has a trigger, takes profit) → type."""


def type_of(has_price: bool, has_trigger: bool, terms: Terms) -> OrderType:
    """The type of an order by what it was given; ValueError for a take-profit without a trigger."""
    waits = has_trigger or terms.get("trail_bips", 0) != 0
    found = TYPES.get((has_price, waits, terms.get("take_profit", False)))
    if found is None:
        raise ValueError("a take-profit order needs a trigger: give trigger=... or trail_bips=...")
    return found


def force_of(kind: OrderType, terms: Terms) -> TimeInForce:
    """The time in force of an order that names none: GTD with a deadline, else IOC at the market and GTC at a limit."""
    if "expire_ns" in terms:
        return TimeInForce.GTD
    return TimeInForce.IOC if kind % 2 else TimeInForce.GTC


def whole(value: Number) -> int:
    """A count; OffGrid for what is none, or cannot be stored."""
    number = exact(value)
    if number != int(number) or abs(number) > MAX_UNITS:
        raise OffGrid(Reason.INVALID_NUMBER, f"{value} is not a whole number that can be counted")
    return int(number)


def mode_of(name: str) -> SelfTrade:
    """A self-trade mode by name; ValueError where there is none of that name."""
    found = SELF_TRADES.get(name)
    if found is None:
        raise ValueError(f"self_trade is one of {', '.join(SELF_TRADES)}, not {name!r}")
    return found


def write_terms(row: Any, terms: Terms, instrument: Instrument) -> None:
    """Put terms into a SUBMIT_ORDER record, shape (1,); OffGrid for a number that cannot be counted."""
    if "self_trade" in terms:
        row["flags"] |= mode_of(terms["self_trade"]) << SELF_TRADE_SHIFT
    row["expire_ns"] = terms.get("expire_ns", 0)
    row["budget_units"] = instrument.to_quote_units(terms.get("quote_quantity", 0))
    row["trail_bips"] = whole(terms.get("trail_bips", 0))
    row["visible_lots"] = instrument.to_lots(terms.get("visible_quantity", 0))
    if terms.get("reduce_only", False):
        row["flags"] |= FLAG_REDUCE_ONLY


def mark_terms(row: Any, terms: Terms, instrument: Instrument) -> None:
    """`write_terms`; a number that cannot be counted marks the record as malformed, so that its refusal is numbered and logged."""
    try:
        write_terms(row, terms, instrument)
    except OffGrid as refusal:
        row["flags"] |= FLAG_MALFORMED
        row["defect"] = int(refusal.reason)
