"""Time on the way: an order meets only what comes after its arrival, a cancel may lose to a fill."""

from __future__ import annotations

from tests.engine.room import BUY, SELL, Room, fills, no_money, status_of

from paperdesk.domain import commands
from paperdesk.domain.events import Side

MS = 1_000_000


def slow_room() -> Room:
    """Orders take 10 ms."""
    room = Room(latency_ns=10 * MS)
    room.quote(99, 5, 101, 5)
    return room


def test_an_order_sees_the_market_as_it_is_on_arrival() -> None:
    room = slow_room()
    room.submit(BUY, 5)
    assert room.quote(104, 5, 105, 5, 10 * MS - 1) == []
    assert fills(room.quote(109, 5, 110, 5, 1)) == ["#1 5 @ 105 taker book_walk"], (
        "it arrives before the input that moves time"
    )


def test_a_limit_order_joins_the_queue_of_its_arrival() -> None:
    room = slow_room()
    room.submit(BUY, 5, 99)
    room.book([(99, 80)], [(101, 5)], 5 * MS)
    assert room.trade(99, 1000, Side.SELL) == [], "it is not there yet"
    room.timer(5 * MS)
    assert room.order(1)["most_lots"] == 80


def test_a_cancel_loses_to_a_fill_that_comes_first() -> None:
    room = slow_room()
    room.submit(BUY, 5, 99)
    room.timer(10 * MS)
    room.cancel(1)
    assert fills(room.trade(98, 5, Side.SELL, 10 * MS - 1)) == ["#1 5 @ 99 maker trade_through"]
    assert room.order(1)["status"] == 5, "its row stays until the cancel has been answered"
    assert room.cancel(1) == ["cancel rejected #1 order_done"]
    assert room.timer(1) == ["cancel rejected #1 order_done"]
    assert room.order(1) == {}


def test_a_cancel_that_arrives_first_wins() -> None:
    room = slow_room()
    room.submit(BUY, 5, 99)
    room.timer(10 * MS)
    room.cancel(1)
    assert no_money(room.trade(98, 5, Side.SELL, 10 * MS)) == ["canceled #1 user_canceled"]


def test_a_partly_filled_order_is_canceled_for_the_rest() -> None:
    room = slow_room()
    room.submit(BUY, 5, 99)
    room.timer(10 * MS)
    room.cancel(1)
    room.trade(98, 2, Side.SELL, MS)
    assert status_of(room, 1) == "partially_filled"
    assert room.timer(9 * MS) == ["canceled #1 user_canceled", "release 297 Q"]


def test_an_order_can_be_canceled_on_its_way_but_never_before_it_arrives() -> None:
    room = slow_room()
    room.submit(BUY, 5, 101)
    assert room.cancel(1) == ["cancel requested #1"]
    # Both are due at the same moment: the order arrives, takes, and the cancel finds it done.
    assert no_money(room.timer(10 * MS)) == [
        "accepted #1",
        "fill #1 5 @ 101 taker book_walk",
        "cancel rejected #1 order_done",
    ]
    room.submit(SELL, 5, 120)
    room.cancel(2)
    assert no_money(room.timer(10 * MS)) == ["accepted #2", "canceled #2 user_canceled"]


def test_what_is_due_fires_in_order_of_time_account_and_number() -> None:
    room = Room(latency_ns=10 * MS)
    room.open(3, {"Q": 10_000}, latency_ns=2 * MS)
    room.quote(90, 5, 110, 5)
    room.submit(BUY, 1, 80)
    room.timer(8 * MS)
    room.submit(BUY, 2, 81, account=3)
    room.submit(BUY, 3, 82)
    room.submit(BUY, 4, 83, account=3)
    room.timer(100 * MS)
    arrived = [(int(row["account"]), int(row["order_id"])) for row in room.rows[-1]]
    assert arrived == [(0, 1), (3, 1), (3, 2), (0, 2)]


def test_cancel_all() -> None:
    room = slow_room()
    for bot, side, price in ((0, BUY, 90), (1, BUY, 91), (2, SELL, 120), (1, SELL, 121)):
        room.submit(side, 1, price, bot=bot)
    room.timer(10 * MS)
    room.cancel(2)
    assert room.put(commands.cancel_all(0, 1)) == ["cancel requested #4"], "the other one is on its way already"
    assert room.put(commands.cancel_all(0, 0, 5)) == []
    assert room.put(commands.cancel_all(0, 0, 0)) == ["cancel requested #1", "cancel requested #3"]
    assert len(no_money(room.timer(10 * MS))) == 4
    assert room.put(commands.cancel_all(0, 0)) == []


def test_cancels_that_come_to_nothing_say_why() -> None:
    room = slow_room()
    room.submit(BUY, 1, 90, bot=1)
    room.submit(BUY, 1, 90)
    room.timer(10 * MS)
    assert room.cancel(3) == ["cancel rejected #3 unknown_order"]
    assert room.cancel(0) == ["cancel rejected #0 unknown_order"]
    assert room.cancel(1, bot=2) == ["cancel rejected #1 unknown_order"], "another bot's"
    assert room.cancel(2, bot=1) == ["cancel rejected #2 unknown_order"], "the owner's"
    assert room.cancel(1, bot=0) == ["cancel requested #1"], "the owner may cancel a bot's"
    assert room.cancel(1, bot=1) == ["cancel rejected #1 cancel_pending"]
    assert room.cancel(1, bot=9) == ["command refused unknown_bot"]
    assert room.cancel(1, account=9) == ["command refused unknown_account"]
    assert room.put(commands.cancel_all(0, 9)) == ["command refused unknown_bot"]
    assert room.put(commands.cancel_all(9, 0)) == ["command refused unknown_account"]
    room.timer(10 * MS)
    assert room.cancel(1) == ["cancel rejected #1 order_done"]


def test_two_orders_with_cancels_under_way_are_told_apart() -> None:
    room = slow_room()
    room.submit(BUY, 5, 99)
    room.submit(BUY, 5, 98)
    room.submit(BUY, 5, 97)
    room.timer(10 * MS)
    for order_id in (2, 1, 3):
        room.cancel(order_id)
    room.trade(97, 10, Side.SELL, MS)
    assert [status_of(room, n) for n in (1, 2, 3)] == ["filled", "filled", "accepted"]
    assert no_money(room.timer(9 * MS)) == [
        "cancel rejected #1 order_done",
        "cancel rejected #2 order_done",
        "canceled #3 user_canceled",
    ]
