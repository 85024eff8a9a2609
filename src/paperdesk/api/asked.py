"""What an order asked for, in a sentence: the first of its story."""

from typing import Any, Final, Protocol

from paperdesk.api import waits
from paperdesk.api.words import time_text
from paperdesk.domain.reasons import Reason

SELF_TRADES: Final = {
    "none": ", self-trade none",
    "expire_taker": ", self-trade expire-taker",
    "expire_both": ", self-trade expire-both",
    "decrement": ", self-trade decrement",
}
"""Modes that are worth a word: all but the usual one."""
UNCOUNTABLE: Final = (
    Reason.INVALID_NUMBER,
    Reason.PRICE_OFF_GRID,
    Reason.QUANTITY_OFF_GRID,
    Reason.NOTIONAL_TOO_LARGE,
)
"""Refused because an amount cannot be written in ticks and lots: the record does not hold what was asked."""
OWN: Final = 0
"""The desk's own account."""


class Terms(waits.Terms, Protocol):
    """An order's row, and the names and amounts in it."""

    who: str
    quote: str

    def decimal(self, units: int, asset: str) -> str:
        """Units of an asset."""
        ...


def budget(order: Terms) -> str:
    """How much of the quote asset a market order of a quote quantity may spend or receive."""
    return f"{order.decimal(order.row['budget_units'], order.quote)} {order.quote}"


def opening(order: Terms) -> str:
    """Who asked for what, when."""
    row = order.row
    kind = row["order_type"].replace("_", "-").lower()
    at = f" at {row['price']}" if row["price"] and row["price_ticks"] else ""
    trigger = waits.asked(order)
    until = f" until {time_text(row['expire_ns'])}" if row["expire_ns"] else ""
    flags = (
        row["time_in_force"]
        + until
        + (", post-only" if row["post_only"] else "")
        + (", reduce-only" if row["reduce_only"] else "")
        + SELF_TRADES.get(row["self_trade"], "")
    )
    start = f"{row['id']} of run {row['run']}: at {time_text(row['submitted_ns'])} {order.who}"
    answered = (
        f"in answer to input {row['cause']}"
        if row["cause"]
        else f"in a command of its own, input {row['submitted_seq']}"
    )
    end = f"{answered}.{same_order(row)}"
    if row["reason_code"] in UNCOUNTABLE:
        return f"{start} asked to {row['side'].lower()} {row['symbol']} with a {kind} order ({flags}), {end}"
    if row["budget_units"]:
        return f"{start} asked to {row['side'].lower()} {row['symbol']} for at most {budget(order)} with a {kind} order ({flags}), {end}"
    return f"{start} asked to {row['side'].lower()} {row['quantity']} {row['symbol']} with a {kind} order{at}{trigger} ({flags}), {end}"


def same_order(row: Any) -> str:
    """Which order of the desk's own account a person's order in another account is the same as."""
    if row["account"] == OWN or row["bot"] != 0 or row["client_id"] == 0:
        return ""
    return f" It is the same order as PAPER-{OWN}-{row['client_id']}, sent to all accounts."
