"""Resting orders: where they stand, what moves them forward, what fills them. (The trade-only, risk-averse queue.)"""

from __future__ import annotations

import pytest
from tests.engine.room import Room, fills

from paperdesk.domain.events import DEPTH, MarketStatus, Side
from paperdesk.venue.owed import LATE_NS

ASKS = [(101, 50)]


def front(room: Room, order_id: int, account: int = 0) -> int:
    """Quantity believed ahead of an order; -1 where nobody knows."""
    return int(room.order(order_id, account)["most_lots"])


def waiting(price: int = 99, lots: int = 10) -> Room:
    """A buy that stands behind 60 at 99."""
    room = Room()
    room.book([(99, 60), (97, 40)], ASKS)
    room.buy(lots, price)
    return room


@pytest.mark.parametrize(("price", "ahead"), [(99, 60), (100, 0), (98, 0), (97, 40), (90, 0)])
def test_an_order_joins_behind_what_is_shown_at_its_price(price: int, ahead: int) -> None:
    assert front(waiting(price), 1) == ahead


def test_below_a_full_side_nobody_knows() -> None:
    room = Room()
    room.book([(200 - i, 5) for i in range(DEPTH)], [(201, 1)])
    room.buy(1, 200 - DEPTH)
    assert front(room, 1) == -1
    room.buy(1, 200 - DEPTH + 1)
    assert front(room, 2) == 5


def test_below_a_quote_nobody_knows_until_a_book_shows_it() -> None:
    room = Room()
    room.quote(99, 5, 101, 5)
    room.buy(1, 98)
    room.buy(1, 99)
    assert (front(room, 1), front(room, 2)) == (-1, 5)
    assert fills(room.trade(98, 100, Side.SELL)) == ["#2 1 @ 99 maker trade_through"], "at 98 the place is unknown"
    room.book([(99, 5)], [(101, 5)])
    assert front(room, 1) == 0, "the side is whole, and nothing stands at 98"


def test_trades_at_the_price_shorten_the_queue_and_then_fill() -> None:
    room = waiting()
    assert room.trade(99, 25, Side.SELL) == []
    assert front(room, 1) == 35
    assert room.trade(99, 35, Side.SELL) == []
    assert front(room, 1) == 0
    assert fills(room.trade(99, 4, Side.SELL)) == ["#1 4 @ 99 maker queue"]
    assert fills(room.trade(99, 40, Side.SELL)) == ["#1 6 @ 99 maker queue"]


def test_the_trade_that_clears_the_queue_fills_with_its_excess() -> None:
    room = waiting()
    assert fills(room.trade(99, 63, Side.SELL)) == ["#1 3 @ 99 maker queue"]
    assert front(room, 1) == 0


def test_cancellations_ahead_count_only_when_the_level_gets_smaller_than_what_was_ahead() -> None:
    # 60 ahead, the level goes from 100 to 80 without a trade: still 60 ahead.
    room = Room()
    room.book([(99, 60)], ASKS)
    room.buy(10, 99)
    room.book([(99, 100)], ASKS)
    assert front(room, 1) == 60
    room.book([(99, 80)], ASKS)
    assert front(room, 1) == 60
    # A trade of 10, then 100 to 85: 50 ahead, and still 50.
    room.trade(99, 10, Side.SELL)
    room.book([(99, 85)], ASKS)
    room.book([(99, 85)], ASKS, after_ns=LATE_NS + 1)
    assert front(room, 1) == 50
    # Less is shown than was ahead, and no print says why: nobody stands behind more than there is.
    room.book([(99, 20)], ASKS)
    assert front(room, 1) == 50
    room.book([(99, 20)], ASKS, after_ns=LATE_NS + 1)
    assert front(room, 1) == 20
    room.book([(98, 20)], ASKS)
    room.book([(98, 20)], ASKS, after_ns=LATE_NS + 1)
    assert front(room, 1) == 0
    room.book([(99, 500)], ASKS)
    assert front(room, 1) == 0


def test_a_trade_through_fills_at_our_price_up_to_its_quantity() -> None:
    room = waiting()
    assert fills(room.trade(98, 4, Side.SELL)) == ["#1 4 @ 99 maker trade_through"]
    assert front(room, 1) == 0, "all that was ahead at our price has traded"
    assert fills(room.trade(90, 100, Side.SELL)) == ["#1 6 @ 99 maker trade_through"]


@pytest.mark.parametrize("aggressor", [Side.BUY])
def test_buyers_do_not_fill_buys(aggressor: Side) -> None:
    room = waiting()
    assert room.trade(98, 1000, aggressor) == []
    assert front(room, 1) == 60


def test_sales_mirror_buys() -> None:
    room = Room()
    room.book([(99, 50)], [(101, 60), (103, 40)])
    room.sell(10, 101)
    assert front(room, 1) == 60
    assert room.trade(101, 100, Side.SELL) == []
    assert fills(room.trade(101, 63, Side.BUY)) == ["#1 3 @ 101 maker queue"]
    assert fills(room.trade(102, 2, Side.BUY)) == ["#1 2 @ 101 maker trade_through"]
    assert fills(room.trade(103, 50)) == ["#1 5 @ 101 maker trade_through"], "a trade without a side meets both"


def test_two_orders_share_one_trade_in_their_order() -> None:
    room = waiting()
    room.buy(10, 99)
    room.buy(10, 100)
    # 25 through 98: first the better price, then the older order.
    assert fills(room.trade(98, 25, Side.SELL)) == [
        "#3 10 @ 100 maker trade_through",
        "#1 10 @ 99 maker trade_through",
        "#2 5 @ 99 maker trade_through",
    ]


def test_two_orders_at_one_price_stand_behind_the_same_queue() -> None:
    room = waiting()
    room.buy(10, 99)
    assert room.trade(99, 20, Side.SELL) == []
    assert (front(room, 1), front(room, 2)) == (40, 40)
    # 55: 40 were ahead, 10 are for the first order; the second stood behind both and gets 5.
    assert fills(room.trade(99, 55, Side.SELL)) == ["#1 10 @ 99 maker queue", "#2 5 @ 99 maker queue"]


def test_an_unknown_aggressor_shares_one_quantity_over_both_sides() -> None:
    room = Room()
    room.book([(99, 1)], [(105, 1)])
    room.buy(4, 100)
    room.sell(4, 102)
    # Both would be met by no single price; two trades show that each takes its part.
    assert fills(room.trade(100, 3)) == ["#1 3 @ 100 maker queue"]
    assert fills(room.trade(103, 3)) == ["#2 3 @ 102 maker trade_through"]


def test_each_account_is_offered_the_whole_trade() -> None:
    room = waiting()
    room.open(3, {"Q": 10_000})
    room.buy(10, 99, account=3)
    assert fills(room.trade(98, 10, Side.SELL)) == ["#1 10 @ 99 maker trade_through"] * 2


def test_a_picture_that_comes_to_our_price_fills_at_our_price_what_it_shows() -> None:
    room = waiting()
    assert fills(room.book([(90, 5)], [(98, 3), (99, 4), (100, 9)])) == [
        "#1 3 @ 99 maker book_cross",
        "#1 4 @ 99 maker book_cross",
    ]
    # The same picture shows nothing new; another size does.
    assert fills(room.book([(90, 5)], [(98, 3), (99, 4)])) == []
    assert fills(room.quote(90, 5, 98, 2)) == ["#1 2 @ 99 maker book_cross"]
    assert fills(room.quote(90, 5, 97, 5)) == ["#1 1 @ 99 maker book_cross"]


def test_crossing_shares_what_is_shown_among_the_accounts_orders() -> None:
    room = waiting()
    room.buy(10, 100)
    assert fills(room.book([(90, 5)], [(99, 15)])) == ["#2 10 @ 100 maker book_cross", "#1 5 @ 99 maker book_cross"]


def test_sales_are_crossed_by_bids() -> None:
    room = Room()
    room.quote(99, 5, 101, 5)
    room.sell(4, 101)
    room.sell(4, 102)
    assert fills(room.quote(101, 6, 103, 1)) == ["#1 4 @ 101 maker book_cross"]
    assert fills(room.quote(102, 6, 103, 1)) == ["#2 4 @ 102 maker book_cross"]


def test_what_rests_is_not_crossed_by_what_the_account_itself_used_up() -> None:
    room = Room()
    room.book([(99, 5)], [(101, 5)])
    room.buy(5)
    room.buy(3, 101)
    assert fills(room.book([(99, 6)], [(101, 5)])) == []
    assert fills(room.book([(99, 6)], [(101, 4)])) == ["#2 3 @ 101 maker book_cross"]


@pytest.mark.parametrize("status", [MarketStatus.STALE, MarketStatus.GAP])
def test_without_data_nothing_is_filled_and_the_place_is_forgotten(status: MarketStatus) -> None:
    room = waiting()
    room.sell(1, 102)
    room.status(status)
    assert (front(room, 1), front(room, 2)) == (-1, -1)
    for said in (
        room.trade(98, 100, Side.SELL),
        room.quote(97, 1, 98, 1),
        room.book([], ASKS),
        room.bar((9, 9, 9, 9), 9),
    ):
        assert said == []
    room.status(MarketStatus.LIVE)
    assert room.trade(99, 1000, Side.SELL) == [], "at its own price, nobody knows whether it was reached"
    room.book([(99, 30)], ASKS)
    assert front(room, 1) == 30


def test_bad_data_is_refused_even_while_the_data_is_lost() -> None:
    room = waiting()
    room.status(MarketStatus.GAP)
    assert room.trade(0, 1) == ["event refused bad_event"]


def test_ranks_are_given_when_orders_begin_to_rest() -> None:
    room = Room()
    room.book([(99, 5)], [(101, 2)])
    room.buy(1, 98)
    room.buy(5, 101)
    room.buy(1)
    assert [room.order(n)["rank"] for n in (1, 2)] == [1, 2]
    assert int(room.state["accounts"][0]["next_rank"]) == 3


def test_a_bar_means_nothing_where_a_book_was_seen() -> None:
    room = waiting()
    assert room.bar((90, 95, 80, 90), 1000) == []
    assert int(room.state["markets"][0]["last_ticks"]) == 0


def test_many_orders_leave_in_any_order() -> None:
    room = Room(deposits={"Q": 10**6, "B": 10**4})
    room.book([(50, 1)], [(151, 1)])
    prices = [60, 90, 70, 90, 80, 60, 100, 75]
    for price in prices:
        room.buy(1, price)
        room.sell(1, 210 - price)
    said = [line for order_id in (3, 16, 1, 8) for line in room.cancel(order_id)] + room.timer()
    assert [line for line in said if not line.startswith("cancel r")] == [
        "canceled #3 user_canceled",
        "release 90 Q",
        "canceled #16 user_canceled",
        "release 1 B",
        "canceled #1 user_canceled",
        "release 60 Q",
        "canceled #8 user_canceled",
        "release 1 B",
    ]
    left = [2 * i + 1 for i, _ in sorted(enumerate(prices), key=lambda pair: -pair[1]) if 2 * i + 1 not in (1, 3)]
    assert [line.split()[0] for line in fills(room.trade(10, 1000, Side.SELL))] == [f"#{n}" for n in left]
    left = [2 * i + 2 for i, _ in sorted(enumerate(prices), key=lambda pair: -pair[1]) if 2 * i + 2 not in (8, 16)]
    assert [line.split()[0] for line in fills(room.trade(500, 1000, Side.BUY))] == [f"#{n}" for n in left]
