"""An order's way to the venue, and what it could meet when it arrived."""

from collections.abc import Iterator
from typing import Any, Final, Protocol

from paperdesk.api import waits
from paperdesk.api.list_story import place_of
from paperdesk.api.words import time_text
from paperdesk.domain.events import ListKind
from paperdesk.domain.reasons import Reason

MEETING: Final = {
    "BAR": "to meet the first bar that began no earlier than it was sent",
    "TAPE": "to meet the next trade",
}
"""Where there is no book; elsewhere an order meets the book as it was when it arrived."""


AT_ONCE: Final = (Reason.FOK_NOT_FILLED, Reason.IOC_REMAINDER, Reason.NO_LIQUIDITY)
"""How an order ends that found nothing when it arrived."""


class Told(Protocol):
    """What the log of a run says of its inputs, each answer a sentence."""

    def __call__(self, seq: int) -> str:
        """What an input was."""
        ...

    def first_at(self, ts_ns: int, after: int) -> int:
        """The first input after another that is not earlier than a time; 0 where the log does not reach there."""
        ...

    def known_before(self, seq: int, instrument: int) -> str:
        """The newest that was known of an instrument before an input: its best prices and its last price; empty where nothing was."""
        ...


class Terms(waits.Terms, Protocol):
    """An order's row, and on what terms its account trades."""

    latency_ns: int
    fill_model: str


def on_arrival(fill: Any) -> bool:
    """Whether a fill (a row of `story.fills_with_receipts`) met the book as it stood when its order arrived, before the input that it bears."""
    met = fill["rule"] == "BOOK_WALK" and not fill["triggered_seq"] and not fill["placed_seq"]
    return bool(met and fill["seq"] != fill["submitted_seq"])


def arrived_at(row: Any, fills: list[Any]) -> int:
    """The input that moved time to an order's arrival, where it met a book, or a rule of the venue, at once; 0 for others."""
    if fills:
        return int(fills[0]["seq"]) if on_arrival(fills[0]) else 0
    at_once = row["status"] == "rejected" or (row["status"] == "expired" and row["reason_code"] in AT_ONCE)
    if not at_once or row["triggered_seq"] or row["placed_seq"] or row["updated_seq"] == row["submitted_seq"]:
        return 0
    return int(row["updated_seq"])


def arrival(order: Terms, fills: list[Any]) -> str:
    """Why an order was met at an input that came after it was due; empty where it was not."""
    row = order.row
    seq = arrived_at(row, fills)
    late_ns = (fills[0]["ts_seq_ns"] if fills else row["updated_ns"]) - row["arrive_ns"]
    if not seq or late_ns <= 0:
        return ""
    return (
        f"Time moves from input to input: the next one was input {seq}, {late_ns / 1_000_000:.3g} ms after it was due, "
        "and it met what was known before that."
    )


def came(order: Terms, fills: list[Any], told: Told) -> Iterator[str]:
    """What was known when an order came to the venue, by the log; for a limit order that waited, too: what stood at its price."""
    row = order.row
    seq = arrived_at(row, fills)
    waits_there = row["order_type"] == "LIMIT" and not place_of(row)[1] and not row["placed_seq"]
    start = ""
    if not seq and waits_there:
        seq = told.first_at(row["arrive_ns"], row["submitted_seq"])
        start = f"It came there before input {seq}. " if seq else ""
    known = told.known_before(seq, row["instrument"]) if seq else ""
    if start or known:
        yield f"{start}{known}".rstrip()


def journey(order: Terms, fills: list[Any]) -> str:
    """When it was due at the venue, and what it could meet there."""
    row = order.row
    span_ns = row["arrive_ns"] - row["submitted_ns"]
    how = "its account's latency" if span_ns == order.latency_ns else "a latency drawn for this order"
    met = "to meet the market from then on"
    if place_of(row)[0] > ListKind.OCO and place_of(row)[1] > 0:
        met = "with its list"
    elif row["trail_bips"]:
        met = waits.met(row)
    elif row["trigger_ticks"]:
        met = "to wait there for its trigger"
    elif fills:
        met = MEETING.get(fills[0]["rule"].split("_")[0], "to meet the market as it stood then")
    return (
        f"It was due at the venue {span_ns / 1_000_000:g} ms later ({how}), at {time_text(row['arrive_ns'])}, "
        f"{met}; its account has the {order.fill_model} fill model."
    )
