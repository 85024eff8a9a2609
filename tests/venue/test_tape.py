"""Trades without a book: orders wait for the next print, takers pay a tick more, makers must be traded through."""

from __future__ import annotations

import pytest
from tests.engine.room import BUY, FOK, IOC, SELL, Room, fills, no_money, status_of

from paperdesk.domain.events import FillModel, MarketStatus, Side


def room_with_tape(**changes: int) -> Room:
    """One trade has been seen."""
    room = Room(fill_model=FillModel.EXPECTED, **changes)  # type: ignore[arg-type]
    room.trade(100, 1)
    return room


def test_a_market_order_waits_for_the_next_trade_and_pays_a_tick_more() -> None:
    room = room_with_tape()
    assert no_money(room.buy(5)) == ["submitted #1", "accepted #1"]
    assert fills(room.trade(103, 3)) == ["#1 3 @ 104 taker tape_take"]
    assert fills(room.trade(100, 9)) == ["#1 2 @ 101 taker tape_take"]
    room.sell(5)
    assert fills(room.trade(100, 9)) == ["#2 5 @ 99 taker tape_take"]


def test_a_sale_never_gets_less_than_one_tick() -> None:
    room = room_with_tape()
    room.sell(1)
    assert fills(room.trade(1, 9)) == ["#1 1 @ 1 taker tape_take"]


def test_a_market_fok_needs_one_trade_of_its_size() -> None:
    room = room_with_tape()
    room.buy(5, tif=FOK)
    assert no_money(room.trade(100, 4)) == ["expired #1 fok_not_filled"]
    room.buy(5, tif=FOK)
    assert fills(room.trade(100, 5)) == ["#2 5 @ 101 taker tape_take"]


def test_a_market_fok_must_be_able_to_pay() -> None:
    room = Room(fill_model=FillModel.EXPECTED, deposits={"Q": 505})
    room.trade(100, 1)
    room.buy(5, tif=FOK)
    assert no_money(room.trade(101, 50)) == ["expired #1 fok_not_filled"]  # 5 · 102 = 510
    room.buy(5, tif=FOK)
    assert fills(room.trade(100, 50)) == ["#2 5 @ 101 taker tape_take"]


def test_a_market_buy_ends_where_the_money_does() -> None:
    room = Room(fill_model=FillModel.EXPECTED, deposits={"Q": 500})
    room.trade(100, 1)
    room.buy(5)
    assert no_money(room.trade(120, 50)) == ["fill #1 4 @ 121 taker tape_take", "expired #1 funds_exhausted"]


@pytest.mark.parametrize(
    ("price", "aggressor", "said"),
    [
        (99, Side.SELL, ["#1 2 @ 100 maker trade_through"]),
        (99, Side.UNKNOWN, ["#1 2 @ 100 maker trade_through"]),
        (100, Side.SELL, []),  # touched is not filled
        (100, Side.UNKNOWN, []),
        (100, Side.BUY, ["#1 2 @ 100 taker tape_take"]),  # the buyer could have been us
        (99, Side.BUY, ["#1 2 @ 100 taker tape_take"]),
        (101, Side.BUY, []),
        (101, Side.SELL, []),
    ],
)
def test_a_limit_buy(price: int, aggressor: Side, said: list[str]) -> None:
    room = room_with_tape()
    room.buy(5, 100)
    assert fills(room.trade(price, 2, aggressor)) == said
    assert room.order(1)["rested"] == 1, "it has met its first trade, and rests"
    assert fills(room.trade(99, 2, Side.SELL)) == ["#1 2 @ 100 maker trade_through"]


@pytest.mark.parametrize(
    ("price", "aggressor", "said"),
    [
        (101, Side.BUY, ["#1 2 @ 100 maker trade_through"]),
        (100, Side.BUY, []),
        (100, Side.SELL, ["#1 2 @ 100 taker tape_take"]),
        (99, Side.SELL, []),
    ],
)
def test_a_limit_sale(price: int, aggressor: Side, said: list[str]) -> None:
    room = room_with_tape()
    room.sell(5, 100)
    assert fills(room.trade(price, 2, aggressor)) == said


def test_post_only_on_the_tape() -> None:
    room = room_with_tape()
    assert no_money(room.buy(1, 100, post_only=True))[-1] == "rejected #1 post_only_would_take"
    assert no_money(room.buy(1, 99, post_only=True))[-1] == "accepted #2"
    assert no_money(room.sell(1, 100, post_only=True))[-1] == "rejected #3 post_only_would_take"
    assert room.order(2)["rested"] == 1, "it rests at once"
    assert room.trade(98, 5, Side.BUY) == [], "a buyer never fills a post-only buy"
    assert fills(room.trade(98, 5, Side.SELL)) == ["#2 1 @ 99 maker trade_through"]


def test_ioc_and_fok_limits_meet_exactly_one_trade() -> None:
    room = room_with_tape()
    room.buy(5, 100, tif=IOC)
    room.buy(5, 100, tif=FOK)
    room.buy(2, 100, tif=FOK)
    assert no_money(room.trade(99, 7, Side.SELL)) == [
        "fill #1 5 @ 100 maker trade_through",
        "expired #2 fok_not_filled",
        "fill #3 2 @ 100 maker trade_through",
    ]
    room.buy(5, 100, tif=IOC)
    room.buy(5, 100, tif=FOK)
    assert no_money(room.trade(102, 9)) == ["expired #4 ioc_remainder", "expired #5 fok_not_filled"]


def test_orders_share_a_trade_in_their_order_and_each_account_is_offered_all() -> None:
    room = room_with_tape()
    room.open(2, {"Q": 10_000}, fill_model=FillModel.EXPECTED)
    room.buy(4, 100)
    room.sell(4)
    room.buy(4)
    room.buy(4, account=2)
    assert fills(room.trade(99, 10, Side.SELL)) == [
        "#1 4 @ 100 maker trade_through",
        "#2 4 @ 98 taker tape_take",
        "#3 2 @ 100 taker tape_take",
        "#1 4 @ 100 taker tape_take",
    ]


def test_a_stop_fires_after_the_trade_and_meets_the_next_one() -> None:
    room = room_with_tape()
    room.buy(2, trigger=105)
    room.sell(2, 94, trigger=95)
    assert room.trade(105, 9) == ["triggered #1"]
    assert fills(room.trade(95, 9)) == ["#1 2 @ 96 taker tape_take"]
    assert fills(room.trade(96, 9, Side.BUY)) == ["#2 2 @ 94 maker trade_through"]


def test_pending_orders_can_be_canceled() -> None:
    room = room_with_tape()
    room.buy(2)
    room.buy(2, 100)
    room.cancel(1)
    room.cancel(2)
    room.timer()
    assert status_of(room, 1) == status_of(room, 2) == "gone"
    assert room.trade(90, 100) == []


def test_the_first_picture_executes_what_was_pending() -> None:
    room = room_with_tape()
    room.buy(2)
    room.buy(3, 101)
    room.buy(3, 99)
    room.buy(1, 98, post_only=True)
    room.sell(9, 99, tif=IOC, self_trade="none")
    assert no_money(room.book([(99, 4)], [(101, 3), (102, 9)])) == [
        "fill #1 2 @ 101 taker book_walk",
        "fill #2 1 @ 101 taker book_walk",
        "fill #5 4 @ 99 taker book_walk",
        "expired #5 ioc_remainder",
    ]
    # What did not fill rests where the book says; post-only had rested before.
    assert [room.order(n)["most_lots"] for n in (2, 3, 4)] == [0, 4, 0]
    assert [room.order(n)["rank"] for n in (2, 3, 4)] == [2, 3, 1]


def test_without_live_data_nothing_happens() -> None:
    room = room_with_tape()
    room.buy(2, 100)
    room.status(MarketStatus.GAP)
    assert room.trade(90, 9, Side.SELL) == []
    room.status(MarketStatus.LIVE)
    assert fills(room.trade(90, 9, Side.SELL)) == ["#1 2 @ 100 maker trade_through"]


def test_market_orders_without_any_price_are_denied() -> None:
    room = Room(fill_model=FillModel.EXPECTED)
    assert room.submit(BUY, 1) == ["denied #1 no_market_data"]
    assert room.submit(SELL, 1) == ["denied #2 no_market_data"]
    assert room.submit(BUY, 1, 100)[0] == "submitted #3"
