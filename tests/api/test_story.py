"""Sentences about latency, fees and rounding, with figures worked out by hand."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from paperdesk.api import story, waits
from paperdesk.api.arrival import arrival, journey
from paperdesk.api.asked import opening
from paperdesk.api.words import cause
from paperdesk.domain.reasons import Reason


def terms(row: dict[str, Any] | None = None) -> Any:
    """BTC/USDT to the cent and the thousandth, in an account with a fixed latency of 50 ms, by the expected model."""
    grid = {"tick": Decimal("0.01"), "lot": Decimal("0.001"), "base": "BTC", "quote": "USDT"}
    names = {"names": {1: "BTC", 2: "USDT"}, "scales": {"BTC": 8, "USDT": 2}}
    texts = {"price": lambda ticks: f"{ticks / 100:.2f}", "quantity": lambda lots: f"{lots / 1000:.3f}"}
    return SimpleNamespace(row=row or {}, latency_ns=50_000_000, fill_model="expected", **grid, **names, **texts)


def fill(**other: Any) -> dict[str, Any]:
    """0.003 BTC bought at 100.01: 0.30003 USDT; a fee of 0.1 % is 300 units of 10⁻⁸ BTC."""
    what = {
        "rule": "BOOK_WALK",
        "side": "BUY",
        "liquidity": "TAKER",
        "price": "100.01",
        "quantity": "0.003",
        "fee": "0.00000300",
    }
    numbers = {
        "price_ticks": 10_001,
        "qty_lots": 3,
        "quote_units": 31,
        "fee_units": 300,
        "fee_asset": 1,
        "shown_lots": 5,
    }
    origin = {"triggered_seq": 0, "placed_seq": 0, "submitted_seq": 5}
    times = {"ts_seq_ns": 0, "seq": 7, "evidence_ticks": 10_001, "front_before_lots": -1}
    return {**what, **numbers, **times, **origin, "fee_rate_e8": 100_000, "fee_tier": -1, **other}


@pytest.mark.parametrize(
    ("tier", "liquidity", "words"),
    [
        (-1, "TAKER", "(0.1 %, the instrument's own taker rate)."),
        (0, "TAKER", "(0.1 %, the taker rate of the account's fee tier 0)."),
        (3, "MAKER", "(0.1 %, the maker rate of the account's fee tier 3)."),
    ],
)
def test_a_fee_names_its_rate(tier: int, liquidity: str, words: str) -> None:
    assert story.fill_sentence(fill(fee_tier=tier, liquidity=liquidity), terms()).endswith(words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arrive_ns", "rule", "words"),
    [
        (50_000_000, "BOOK_WALK", "50 ms later (its account's latency), at 1970-01-01 00:00:00.050 UTC, to meet the market as it stood then"),
        (12_500_000, "BOOK_WALK", "12.5 ms later (a latency drawn for this order)"),
        (50_000_000, "TAPE_TOUCH", "to meet the next trade; its account has the expected fill model"),
        (50_000_000, "BAR_STOP", "to meet the first bar that began no earlier than it was sent"),
        (50_000_000, None, "to meet the market from then on"),
    ],
)  # fmt: skip
def test_a_latency_and_what_came_after_it(arrive_ns: int, rule: str | None, words: str) -> None:
    fills: Any = [] if rule is None else [fill(rule=rule)]
    assert words in journey(
        terms({"submitted_ns": 0, "arrive_ns": arrive_ns, "trigger_ticks": 0, "trail_bips": 0, "list_leg": 0}), fills
    )


@pytest.mark.parametrize(
    ("row", "fills", "words"),
    [
        ({"side": "BUY", "quote_units": 31}, [fill()], "against the trader: what it paid up from 0.30003 USDT."),
        ({"side": "BUY", "quote_units": 31}, [fill(fee_units=301, fee_rate_e8=100_001)], "0.30003 USDT and its fee up."),
        ({"side": "SELL", "quote_units": 30}, [fill(side="SELL", quote_units=30, fee_units=1)], "received down from 0.30003 USDT and its fee up."),
        ({"side": "BUY", "quote_units": 300}, [fill(price_ticks=100_000, quote_units=300)], "No amount had to be rounded."),
    ],
)  # fmt: skip
def test_what_was_rounded(row: dict[str, Any], fills: Any, words: str) -> None:
    assert story.rounding(terms(row), fills).endswith(words)


@pytest.mark.parametrize(
    ("cause", "words"), [(11, "(IOC), in answer to input 11."), (0, "(IOC), in a command of its own, input 12.")]
)
def test_what_an_order_answered(cause: int, words: str) -> None:
    row = {
        "id": "PAPER-0-1",
        "run": "r",
        "account": 0,
        "bot": 0,
        "client_id": 0,
        "order_type": "MARKET",
        "time_in_force": "IOC",
    }
    asked = {"side": "BUY", "quantity": "1", "symbol": "BTC/USDT", "price": None, "price_ticks": 0, "trigger_ticks": 0}
    flags = {"post_only": 0, "reduce_only": 0, "expire_ns": 0, "reason_code": 0, "submitted_ns": 0}
    flags |= {"trail_bips": 0, "visible_lots": 0, "self_trade": "expire_maker", "budget_units": 0}
    order = terms({**row, **asked, **flags, "cause": cause, "submitted_seq": 12})
    order.who = "the account's owner"
    assert opening(order).endswith(words)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({}, "because the book displayed 0.005 there before input 7; the fee"),
        ({"triggered_seq": 7}, "because the book displayed 0.005 there (input 7); the fee"),
        ({"placed_seq": 7}, "there (input 7)"),
        ({"submitted_seq": 7}, "there (input 7)"),
        ({"rule": "QUEUE", "front_before_lots": 0}, "(input 7); the fee"),
    ],
)
def test_a_book_that_was_met_on_arrival_is_the_one_before_the_input(seen: dict[str, Any], words: str) -> None:
    assert words in story.fill_sentence(fill(**seen), terms())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "late_ns", "words"),
    [
        ({"status": "rejected"}, 12_500_000, "the next one was input 9, 12.5 ms after it was due, and it met what was known before that."),
        ({"status": "expired", "reason_code": int(Reason.FOK_NOT_FILLED)}, 1_000, "input 9, 0.001 ms after"),
        ({"status": "expired", "reason_code": int(Reason.DEADLINE_PASSED)}, 1_000, None),
        ({"status": "rejected", "placed_seq": 9}, 1_000, None),
        ({"status": "rejected", "submitted_seq": 9}, 0, None),
        ({"status": "accepted"}, 1_000, None),
    ],
)  # fmt: skip
def test_what_moved_time_to_an_arrival(row: dict[str, Any], late_ns: int, words: str | None) -> None:
    origin = {"triggered_seq": 0, "placed_seq": 0, "submitted_seq": 5, "updated_seq": 9, "reason_code": 0}
    told = arrival(terms({**origin, "arrive_ns": 50, "updated_ns": 50 + late_ns, **row}), [])
    assert (words in told) if words else not told


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.LIST_ENDED, "(list_ended). There is nothing to do: that is what the list is for;"),
        (Reason.POSITION_CLOSED, "reduces (position_closed)."),
        (Reason.NO_LIQUIDITY, "(no_liquidity). What to do: send a smaller order."),
    ],
)
def test_what_to_do_reads_as_a_sentence(reason: Reason, words: str) -> None:
    assert words in cause(int(reason)) and "What to do: nothing" not in cause(int(reason))


def test_parts_of_an_iceberg_that_became_smaller_are_not_counted_against_what_it_was() -> None:
    part = {"rule": "QUEUE", "liquidity": "MAKER", "front_after_lots": 7}
    row = {"visible_lots": 2, "qty_lots": 10, "now_lots": 4}
    parts = waits.Parts(row, terms(row))
    assert (
        parts.after({**part, "qty_lots": 2}) == " With that part 1 was done, and part 2 joined the queue behind 0.007."
    )
    assert parts.after({**part, "qty_lots": 2}) == "", "it is filled whole: nothing comes up"
    whole = waits.Parts({**row, "now_lots": 10}, terms(row))
    assert whole.after({**part, "qty_lots": 2}).startswith(" With that part 1 of 5 was done")
