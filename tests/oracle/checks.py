"""Which inputs make no sense at all (section 6.6) and which orders are malformed (section 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests.oracle.words import (
    DECREMENT,
    DEPTH,
    GTC,
    GTD,
    LIMIT,
    LIMIT_TYPES,
    LONGEST_TRAIL,
    MALFORMED,
    MARKET,
    MARKET_TYPES,
    MAX_LOTS,
    MAX_TICKS,
    POST_ONLY,
    REDUCE_ONLY,
    STAYING,
    TRIGGER_TYPES,
)


def bad_event(given: dict[str, Any]) -> bool:
    """Whether market data makes no sense and must be refused."""
    check: Callable[[dict[str, Any]], bool] = {
        "TRADE": bad_trade,
        "QUOTE": bad_quote,
        "BOOK": bad_book,
        "BAR": bad_bar,
    }[given["kind"]]
    return check(given)


def bad_trade(given: dict[str, Any]) -> bool:
    """Price or size not above zero, or beyond counting."""
    price, lots = given["trade_price_ticks"], given["trade_qty_lots"]
    return not (0 < price <= MAX_TICKS and 0 < lots <= MAX_LOTS)


def bad_quote(given: dict[str, Any]) -> bool:
    """A shown side without a price, a negative size, crossed sides, or beyond counting."""
    for price, lots in ((given["bid_ticks"], given["bid_lots"]), (given["ask_ticks"], given["ask_lots"])):
        if lots < 0 or (lots > 0 and price <= 0) or price > MAX_TICKS or lots > MAX_LOTS:
            return True
    return bool(given["bid_lots"] > 0 and given["ask_lots"] > 0 and given["bid_ticks"] >= given["ask_ticks"])


def bad_book(given: dict[str, Any]) -> bool:
    """Levels out of order or not above zero, too many of them, crossed sides, or beyond counting."""
    bids, asks = given["bids_ticks"], given["asks_ticks"]
    if len(bids) > DEPTH or len(asks) > DEPTH:
        return True
    if any(not 0 < price <= MAX_TICKS for price in bids + asks):
        return True
    if any(not 0 < lots <= MAX_LOTS for lots in given["bids_lots"] + given["asks_lots"]):
        return True
    ordered = all(better > worse for better, worse in pairwise(bids)) and all(
        low < high for low, high in pairwise(asks)
    )
    if not ordered:
        return True
    return bool(bids and asks and bids[0] >= asks[0])


def bad_bar(given: dict[str, Any]) -> bool:
    """Low above or high below what lies between, no low, no time, a negative volume, or beyond counting."""
    first, high, low, close = (given[name] for name in ("open_ticks", "high_ticks", "low_ticks", "close_ticks"))
    if low <= 0 or low > min(first, close) or high < max(first, close):
        return True
    if given["volume_lots"] < 0 or given["interval_ns"] <= 0:
        return True
    return bool(high > MAX_TICKS or given["volume_lots"] > MAX_LOTS)


def malformed(given: dict[str, Any]) -> str:
    """The reason against an order as it was written, or nothing."""
    if given["flags"] & MALFORMED:
        return str(given["defect"])
    order_type, time_in_force = given["order_type"], given["time_in_force"]
    known = given["side"] in (1, 2) and order_type in (*MARKET_TYPES, *LIMIT_TYPES) and GTC <= time_in_force <= GTD
    if not known:
        return "unsupported_combination"
    if given["flags"] & POST_ONLY and not (order_type == LIMIT and time_in_force in STAYING):
        return "unsupported_combination"
    if order_type in MARKET_TYPES and time_in_force in STAYING:
        return "unsupported_combination"
    if given["expire_ns"] and time_in_force != GTD:
        return "unsupported_combination"
    if given.get("trail_bips", 0) and order_type not in TRIGGER_TYPES:
        return "unsupported_combination"
    visible = given.get("visible_lots", 0)
    if visible and not (order_type in LIMIT_TYPES and time_in_force in STAYING):
        return "unsupported_combination"
    budget, mode = given["budget_units"], given["flags"] // 8 % 8
    if mode > DECREMENT or (mode == DECREMENT and budget):
        return "unsupported_combination"
    if budget and (order_type != MARKET or given["qty_lots"] or given["flags"] & REDUCE_ONLY):
        return "unsupported_combination"
    if budget < 0 or (given["qty_lots"] <= 0 and not budget):
        return "invalid_quantity"
    if visible < 0 or (visible and visible > given["qty_lots"]):
        return "invalid_quantity"
    if order_type in LIMIT_TYPES and given["price_ticks"] <= 0:
        return "invalid_price"
    trail, trigger = given.get("trail_bips", 0), given["trigger_ticks"]
    if order_type in TRIGGER_TYPES and (trigger < 0 or (trigger == 0 and not trail)):
        return "invalid_trigger"
    return "" if 0 <= trail <= LONGEST_TRAIL else "invalid_trigger"
