"""Amends: an order becomes smaller, keeps its place, and gives back what it no longer has to hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.room import BUY, FOK, HOUR, IOC, MINUTE, NOON, PLAIN, SECOND, SELL, Room, fills, no_money, status_of

from paperdesk.domain.commands import command
from paperdesk.domain.events import FLAG_MALFORMED, InputKind, MarketStatus, TradingStatus
from paperdesk.domain.reasons import Reason


def quoted(**terms: Any) -> Room:
    """A quote and some money."""
    room = Room(**terms)
    room.quote(99, 5, 101, 5)
    return room


def test_a_buy_gives_back_what_it_no_longer_needs() -> None:
    room = quoted()
    room.buy(10, 98)
    assert room.money("Q") == (100_000 - 980, 980)
    assert room.amend(1, 4) == ["amend requested #1", "decreased #1", "release 588 Q"]
    assert room.money("Q") == (100_000 - 392, 392)
    assert room.order(1)["qty_lots"] == 4 and status_of(room, 1) == "accepted"


def test_a_sale_gives_back_its_lots() -> None:
    room = quoted()
    room.sell(10, 105)
    assert room.amend(1, 1)[1:] == ["decreased #1", "release 9 B"]
    assert room.money("B") == (999, 1)


def test_its_place_in_the_queue_stays() -> None:
    room = quoted()
    room.buy(10, 99)
    room.buy(10, 99)
    before = room.order(1)
    room.amend(1, 2)
    kept = ("rank", "most_lots", "least_lots", "level_lots", "place", "arrive_ns")
    assert {name: room.order(1)[name] for name in kept} == {name: before[name] for name in kept}
    assert fills(room.trade(99, 8, SELL)) == ["#1 2 @ 99 maker queue", "#2 1 @ 99 maker queue"]


def test_what_is_filled_is_part_of_the_quantity() -> None:
    room = quoted()
    room.buy(10, 101)
    assert room.order(1)["filled_lots"] == 5
    assert room.amend(1, 5)[1:] == ["amend rejected #1 already_filled"]
    assert room.amend(1, 6)[1:] == ["decreased #1", "release 404 Q"]
    assert no_money(room.trade(100, 9, SELL)) == ["fill #1 1 @ 101 maker trade_through"]
    assert status_of(room, 1) == "gone" and room.money("Q")[1] == 0


@pytest.mark.parametrize("lots", [10, 11, 10**15])
def test_it_only_becomes_smaller(lots: int) -> None:
    room = quoted()
    room.buy(10, 98)
    assert room.amend(1, lots)[1:] == ["amend rejected #1 not_smaller"]
    assert room.order(1)["qty_lots"] == 10 and room.order(1)["amend_lots"] == 0


def test_what_is_not_even_sent() -> None:
    room = quoted(latency_ns=SECOND)
    room.buy(10, 98, bot=1)
    room.timer(SECOND)
    assert room.amend(7, 1) == ["amend rejected #7 unknown_order"]
    assert room.amend(1, 1, bot=2) == ["amend rejected #1 unknown_order"]
    assert room.amend(1, 0) == ["amend rejected #1 invalid_quantity"]
    row = command(InputKind.AMEND_ORDER, order_id=1, flags=FLAG_MALFORMED, defect=int(Reason.QUANTITY_OFF_GRID))
    assert room.put(row) == ["amend rejected #1 quantity_off_grid"]
    assert room.amend(1, 4, bot=1) == ["amend requested #1"]
    assert room.amend(1, 3) == ["amend rejected #1 amend_pending"]
    assert room.cancel(1) == ["cancel requested #1"], "a cancel may follow an amend"
    assert room.amend(1, 2) == ["amend rejected #1 cancel_pending"]
    assert room.put(command(InputKind.AMEND_ORDER, account=5)) == ["command refused unknown_account"]
    assert room.put(command(InputKind.AMEND_ORDER, bot=9)) == ["command refused unknown_bot"]
    assert no_money(room.timer(SECOND)) == ["decreased #1", "canceled #1 user_canceled"], "the amend was sent first"
    assert room.amend(1, 1) == ["amend rejected #1 order_done"]


def test_it_travels_and_does_not_overtake_its_order() -> None:
    room = quoted(latency_ns=SECOND)
    room.submit(BUY, 10, 98)
    assert room.amend(1, 4) == ["amend requested #1"]
    assert no_money(room.timer(SECOND)) == ["accepted #1", "decreased #1"]


def test_one_that_comes_too_late_is_told_so() -> None:
    room = quoted(latency_ns=SECOND)
    room.buy(10, 99)
    room.timer(SECOND)
    room.amend(1, 4)
    assert fills(room.trade(98, 20, SELL)) == ["#1 10 @ 99 maker trade_through"]
    assert status_of(room, 1) == "filled", "its row waits for what is on its way"
    assert room.timer(SECOND) == ["amend rejected #1 order_done"]
    assert status_of(room, 1) == "gone"


def test_amend_and_cancel_of_a_done_order_are_both_told() -> None:
    room = quoted(latency_ns=SECOND)
    room.buy(10, 99)
    room.timer(SECOND)
    room.amend(1, 4)
    room.cancel(1)
    room.trade(98, 20, SELL)
    assert room.timer(SECOND) == ["amend rejected #1 order_done", "cancel rejected #1 order_done"]
    assert status_of(room, 1) == "gone"


def test_filters_of_size_and_value_are_looked_at_again() -> None:
    room = quoted(instruments=(PLAIN._replace(min_quantity=Decimal(3), min_notional=Decimal(500)),))
    room.buy(10, 98)
    assert room.amend(1, 2)[1:] == ["amend rejected #1 lot_size"]
    assert room.amend(1, 5)[1:] == ["amend rejected #1 min_notional"]
    assert room.amend(1, 6)[1:] == ["decreased #1", "release 392 Q"]


def test_the_venue_amends_nothing_that_it_does_not_trade() -> None:
    room = quoted()
    room.buy(10, 98)
    room.status(MarketStatus.STALE)
    assert room.amend(1, 9)[1:2] == ["decreased #1"], "the data may be stale"
    room.redefine(trading_status=TradingStatus.HALTED)
    assert room.amend(1, 8)[1:] == ["amend rejected #1 instrument_halted"]


def test_an_order_that_waits_for_its_trigger_may_be_amended() -> None:
    room = quoted()
    room.trade(100, 1)
    room.buy(10, trigger=103, tif=IOC)
    reserved = room.money("Q")[1]
    room.sell(10, 95, trigger=96)
    assert room.amend(1, 3)[1:] == ["decreased #1", f"release {reserved - -(-reserved * 3 // 10)} Q"]
    assert room.amend(2, 5)[1:] == ["decreased #2", "release 5 B"]
    assert no_money(room.trade(103, 1)) == ["triggered #1", "fill #1 3 @ 101 taker book_walk"]


def test_orders_that_wait_for_a_bar_may_be_amended() -> None:
    room = Room()
    room.bar((100, 100, 100, 100), 50)
    room.submit(BUY, 10, tif=FOK)
    room.submit(SELL, 10, 100)
    room.amend(1, 2)
    room.amend(2, 1)
    assert fills(room.bar((100, 100, 100, 100), 400, after_ns=MINUTE)) == [
        "#1 2 @ 101 taker bar_open",
        "#2 1 @ 100 taker bar_open",
    ]


def test_a_quote_quantity_cannot_be_amended() -> None:
    room = Room()
    room.trade(100, 1)
    room.submit(BUY, 0, quote_quantity=500)
    assert room.amend(1, 1) == ["amend rejected #1 unsupported_combination"]


def test_a_deadline_ends_what_is_left_and_the_amend_is_told() -> None:
    room = quoted(latency_ns=SECOND)
    room.buy(10, 98, expire_ns=NOON + HOUR)
    room.timer(HOUR - SECOND // 2)
    room.amend(1, 4)
    assert no_money(room.timer(SECOND // 2)) == ["expired #1 deadline_passed"]
    assert room.timer(SECOND) == ["amend rejected #1 order_done"]


@given(
    side=st.sampled_from((BUY, SELL)),
    lots=st.integers(2, 50),
    changes=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 12)), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_it_always_holds_what_it_needs(side: Any, lots: int, changes: list[tuple[int, int]]) -> None:
    """Whatever is amended and filled: reserves are exact, and an order never fills more than its last quantity."""
    room = Room((PLAIN._replace(tick=Decimal("0.01"), lot=Decimal(1), taker_fee=Decimal("0.001")),))
    room.quote(99, 50, 101, 50)
    price = 99 if side == BUY else 101
    room.submit(side, lots, price)
    wanted = lots
    for amended, traded in changes:
        if "decreased #1" in room.amend(1, amended):
            assert amended < wanted
            wanted = amended
        if traded:
            room.trade(price - 1 if side == BUY else price + 1, traded, SELL if side == BUY else BUY)
        assert not room.fold.faults()
    filled = sum(int(row["fill_lots"]) for rows in room.rows for row in rows[rows["kind"] == 11])
    assert filled <= wanted and (status_of(room, 1) != "gone" or filled == wanted)
