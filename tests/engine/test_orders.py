"""What makes an order command sensible, fundable and countable, in the order in which it is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.engine.room import BUY, FOK, GTC, IOC, LIMIT, MARKET, PLAIN, SELL, STOP_LIMIT, STOP_MARKET, Room, no_money

from paperdesk.domain import commands
from paperdesk.domain.commands import Intent, command
from paperdesk.domain.events import FLAG_POST_ONLY, InputKind, MarketStatus
from paperdesk.engine.fold import Fold
from paperdesk.venue.book import MAX_USED
from paperdesk.venue.table import MAX_ORDERS


def raw(room: Room, **fields: int) -> list[str]:
    """A SUBMIT_ORDER of these fields; otherwise a limit buy of 1 at 90."""
    given = {"side": BUY, "order_type": LIMIT, "time_in_force": GTC, "qty_lots": 1, "price_ticks": 90, "version": 1}
    return room.put(command(InputKind.SUBMIT_ORDER, **{**given, **fields}))


def room_with_quote(**changes: Any) -> Room:
    """99 bid, 101 asked."""
    room = Room(**changes)
    room.quote(99, 1000, 101, 1000)
    return room


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"side": 0}, "unsupported_combination"),
        ({"side": 3}, "unsupported_combination"),
        ({"order_type": 0}, "unsupported_combination"),
        ({"order_type": 7}, "unsupported_combination"),
        ({"time_in_force": 0}, "unsupported_combination"),
        ({"time_in_force": 5}, "unsupported_combination"),
        ({"flags": FLAG_POST_ONLY, "time_in_force": IOC}, "unsupported_combination"),
        ({"flags": FLAG_POST_ONLY, "order_type": STOP_LIMIT, "trigger_ticks": 110}, "unsupported_combination"),
        ({"order_type": MARKET, "time_in_force": GTC}, "unsupported_combination"),
        ({"order_type": STOP_MARKET, "time_in_force": GTC, "trigger_ticks": 110}, "unsupported_combination"),
        ({"qty_lots": 0}, "invalid_quantity"),
        ({"qty_lots": -1}, "invalid_quantity"),
        ({"price_ticks": 0}, "invalid_price"),
        ({"price_ticks": -7}, "invalid_price"),
        ({"order_type": STOP_LIMIT}, "invalid_trigger"),
        ({"order_type": STOP_LIMIT, "price_ticks": 0, "trigger_ticks": 110}, "invalid_price"),
        ({"order_type": STOP_MARKET, "time_in_force": FOK, "trigger_ticks": -1}, "invalid_trigger"),
        ({"version": 2}, "instrument_changed"),
        ({"version": 0}, "instrument_changed"),
        ({"qty_lots": 2_000}, "insufficient_balance"),
        ({"side": SELL, "qty_lots": 1_001}, "insufficient_balance"),
    ],
)
def test_orders_that_make_no_sense_are_denied(fields: dict[str, int], reason: str) -> None:
    room = room_with_quote()
    assert raw(room, **fields) == [f"denied #1 {reason}"]
    assert raw(room, instrument=5) == ["command refused unknown_instrument"]
    assert raw(room, instrument=-1) == ["command refused unknown_instrument"]
    assert raw(room)[0] == "submitted #2"


@pytest.mark.parametrize(
    ("intent", "reason"),
    [
        (Intent(BUY, Decimal("0.5"), 90), "quantity_off_grid"),
        (Intent(BUY, 1, Decimal("90.5")), "price_off_grid"),
        (Intent(BUY, 1, None, Decimal("110.5")), "price_off_grid"),
        (Intent(BUY, float("nan"), 90), "invalid_number"),
        (Intent(BUY, 1, float("inf")), "invalid_number"),
        (Intent(BUY, 10**30, 90), "notional_too_large"),
    ],
)
def test_numbers_off_the_grid_are_denied_by_name_and_on_record(intent: Intent, reason: str) -> None:
    room = room_with_quote()
    assert room.put(commands.submit_order(0, 0, PLAIN, intent)) == [f"denied #1 {reason}"]


def test_a_malformed_order_without_a_reason_is_no_number() -> None:
    assert raw(room_with_quote(), flags=2) == ["denied #1 invalid_number"]


@pytest.mark.parametrize("status", [MarketStatus.STALE, MarketStatus.GAP])
def test_no_order_is_taken_on_data_that_is_not_live(status: MarketStatus) -> None:
    room = room_with_quote()
    room.status(status)
    assert raw(room) == ["denied #1 stale_data"]
    room.status(MarketStatus.LIVE)
    assert raw(room)[0] == "submitted #2"


def test_a_market_order_is_judged_by_the_other_side_else_the_mark() -> None:
    room = room_with_quote()
    assert room.submit(BUY, 10)[1] == "reserve 1070 Q"  # the collar above 101 is 107
    assert room.submit(SELL, 10)[1] == "reserve 10 B"
    room = room_with_quote()
    room.quote(99, 10, 0, 0)
    assert room.submit(BUY, 10)[1] == "reserve 1050 Q"  # the mark is 100
    room = Room()
    assert room.submit(BUY, 10, trigger=200)[1] == "reserve 2100 Q"  # a stop by its trigger
    assert room.submit(BUY, 10, 150, trigger=200)[1] == "reserve 1500 Q"
    assert room.submit(SELL, 10, trigger=200)[:2] == ["submitted #3", "reserve 10 B"]


def test_a_market_buy_needs_its_reference_and_reserves_what_there_is() -> None:
    room = room_with_quote(deposits={"Q": 1_010})
    assert room.submit(BUY, 10)[1] == "reserve 1010 Q"
    room = room_with_quote(deposits={"Q": 1_009})
    assert room.submit(BUY, 10) == ["denied #1 insufficient_balance"]


def test_a_reserve_is_rounded_up() -> None:
    room = Room([PLAIN._replace(tick=Decimal("0.3"))])
    assert room.submit(BUY, 1, 4) == ["submitted #1", "reserve 2 Q", "accepted #1"]  # ⌈1.2⌉


def test_orders_hold_what_they_need_and_no_two_the_same() -> None:
    room = room_with_quote(deposits={"Q": 1_000, "B": 10})
    assert room.submit(BUY, 6, 100)[0] == "submitted #1"
    assert room.submit(BUY, 5, 100)[-1] == "denied #2 insufficient_balance"
    assert room.submit(BUY, 4, 100)[0] == "submitted #3"
    assert room.submit(SELL, 10, 120)[1] == "reserve 10 B"
    assert room.submit(SELL, 1, 120)[-1] == "denied #5 insufficient_balance"
    assert room.money("Q") == (0, 1_000) and room.money("B") == (0, 10)


def test_fields_of_a_denied_order_are_on_record() -> None:
    room = room_with_quote()
    raw(room, side=SELL, qty_lots=5_000, price_ticks=123, client_id=42, cause=7)
    row = room.rows[-1][0]
    names = ("side", "qty_lots", "price_ticks", "client_id", "cause", "order_id")
    assert [int(row[name]) for name in names] == [2, 5_000, 123, 42, 7, 1]


def test_the_gate_before_funds_and_bounds_before_the_gate() -> None:
    room = room_with_quote()
    room.limits(max_order=10)
    assert raw(room, qty_lots=5_000) == ["denied #1 max_order"]
    assert raw(room, qty_lots=2**60) == ["denied #2 notional_too_large"]
    room.put(commands.kill(0))
    assert raw(room, qty_lots=2**60) == ["denied #3 killed"]
    assert raw(room, qty_lots=0) == ["denied #4 invalid_quantity"]


def test_everything_an_order_output_says() -> None:
    room = room_with_quote()
    raw(room, client_id=42, bot=1)
    submitted, accepted = room.rows[-1][0], room.rows[-1][-1]
    for row in (submitted, accepted):
        names = (
            "account",
            "bot",
            "instrument",
            "version",
            "order_id",
            "side",
            "order_type",
            "time_in_force",
            "client_id",
        )
        assert [int(row[name]) for name in names] == [0, 1, 0, 1, 1, 1, 2, 1, 42]
    assert no_money(room.lines[-2:]) == ["accepted #1"]


def test_a_full_order_table_denies_and_says_so() -> None:
    room = room_with_quote()
    room.state["n_used_rows"] = MAX_ORDERS
    assert raw(room) == ["denied #1 capacity_exceeded"]
    room.state["n_used_rows"] = 0
    assert raw(room)[0] == "submitted #2"


def test_the_last_row_for_what_is_used_of_a_book_goes_to_one_account() -> None:
    room = room_with_quote(latency_ns=10)
    room.open(3, latency_ns=10)
    room.state["n_used_books"] = MAX_USED - 1
    assert raw(room)[0] == "submitted #1"
    assert raw(room, account=3) == ["denied #1 capacity_exceeded"], (
        "the row is the first account's from when it sent its order"
    )
    assert raw(room)[0] == "submitted #2", "it has its row"
    room.timer(10)
    again = Room(fold=Fold.from_parts(room.fold.parts()), start_ns=room.now)
    assert int(again.state["n_used_books"]) == 1, "and after a restart too"


def test_rows_of_done_orders_are_used_again() -> None:
    room = room_with_quote()
    for _ in range(20):
        room.buy(1)
        room.submit(BUY, 1, 90)
        room.put(commands.cancel_all(0, 0))
        room.timer()
    assert int(room.state["n_used_rows"]) <= 2
