"""Stops where there is a book: what reaches them, in which order they fire, what becomes of them."""

from __future__ import annotations

from tests.engine.room import FOK, IOC, Room, no_money, status_of

from paperdesk.domain.events import Side


def room_with(bid: int = 99, ask: int = 101, lots: int = 100) -> Room:
    """A quote and some money."""
    room = Room()
    room.quote(bid, lots, ask, lots)
    return room


def test_a_stop_market_becomes_a_market_order() -> None:
    room = room_with()
    room.sell(5, trigger=95)
    room.quote(95, 3, 97, 9)
    # No trade has been seen, so the best bid reached it.
    assert no_money(room.lines[-8:])[-3:] == [
        "triggered #1",
        "fill #1 3 @ 95 taker book_walk",
        "expired #1 no_liquidity",
    ]


def test_quotes_fire_no_stop_once_a_trade_was_seen() -> None:
    room = room_with()
    room.trade(100, 1)
    room.sell(5, trigger=95)
    assert room.quote(94, 9, 96, 9) == []
    assert no_money(room.trade(95, 1)) == ["triggered #1", "fill #1 5 @ 94 taker book_walk"]


def test_a_stop_limit_becomes_a_limit_order_and_may_rest() -> None:
    room = room_with()
    room.buy(5, 104, trigger=105)
    assert no_money(room.trade(105, 1)) == ["triggered #1", "fill #1 5 @ 101 taker book_walk"]
    room.buy(5, 100, trigger=110)
    assert no_money(room.trade(110, 1)) == ["triggered #2"]
    row = room.order(2)
    assert (row["rested"], row["most_lots"], row["triggered"]) == (1, 0, 1)
    assert status_of(room, 2) == "accepted"


def test_stop_limits_as_ioc_and_fok() -> None:
    room = room_with(lots=3)
    room.buy(5, 101, trigger=105, tif=IOC)
    room.buy(5, 101, trigger=105, tif=FOK)
    assert no_money(room.trade(106, 1)) == [
        "triggered #1",
        "fill #1 3 @ 101 taker book_walk",
        "expired #1 ioc_remainder",
        "triggered #2",
        "expired #2 fok_not_filled",
    ]
    room.buy(5, trigger=120, tif=FOK)
    assert no_money(room.trade(120, 1)) == ["triggered #3", "expired #3 fok_not_filled"]


def test_the_nearest_trigger_fires_first_buys_before_sales() -> None:
    room = room_with()
    room.trade(100, 1)
    room.buy(1, trigger=107)
    room.buy(1, trigger=105)
    room.buy(1, trigger=105)
    room.sell(1, trigger=95)
    room.sell(1, trigger=97)
    fired = [line for line in room.trade(110, 1, Side.BUY) if line.startswith("triggered")]
    assert fired == ["triggered #2", "triggered #3", "triggered #1"]
    fired = [line for line in room.trade(90, 1, Side.SELL) if line.startswith("triggered")]
    assert fired == ["triggered #5", "triggered #4"]


def test_accounts_fire_in_order_at_one_trigger() -> None:
    room = room_with()
    room.open(5, {"B": 100, "Q": 1000})
    room.trade(100, 1)
    room.sell(1, trigger=95, account=5)
    room.sell(1, trigger=95)
    accounts = [int(row["account"]) for row in (room.trade(95, 1), room.rows[-1])[1] if int(row["kind"]) == 10]
    assert accounts == [0, 5]


def test_a_waiting_stop_is_canceled_like_any_order() -> None:
    room = room_with()
    room.sell(1, trigger=95)
    room.buy(1, trigger=105)
    assert room.cancel(1) == ["cancel requested #1", "canceled #1 user_canceled", "release 1 B"]
    assert room.cancel(2)[1] == "canceled #2 user_canceled"
    assert room.trade(1, 1) == room.trade(1000, 1) == []


def test_a_stop_that_finds_no_book_expires() -> None:
    room = room_with()
    room.trade(100, 1)
    room.sell(1, trigger=95)
    room.quote(0, 0, 101, 5)
    assert no_money(room.trade(95, 1)) == ["triggered #1", "expired #1 no_liquidity"]


def test_a_take_profit_fires_when_the_price_has_come_to_it() -> None:
    room = room_with()
    room.trade(100, 1)
    room.sell(5, trigger=105, take_profit=True)
    room.buy(5, trigger=95, take_profit=True)
    room.sell(5, 104, trigger=107, take_profit=True)
    assert no_money(room.trade(104, 1)) == [] and no_money(room.trade(96, 1)) == []
    assert no_money(room.trade(105, 1)) == ["triggered #1", "fill #1 5 @ 99 taker book_walk"]
    assert no_money(room.trade(95, 1)) == ["triggered #2", "fill #2 5 @ 101 taker book_walk"]
    assert no_money(room.trade(107, 1)) == ["triggered #3"]
    assert room.order(3)["rested"] == 1, "its limit is above the best bid"


def test_a_take_profit_on_the_near_side_of_the_price_is_rejected() -> None:
    room = room_with()
    room.trade(100, 1)
    assert room.sell(5, trigger=100, take_profit=True)[-2:] == ["rejected #1 stop_would_trigger", "release 5 B"]
    assert "rejected #2 stop_would_trigger" in room.buy(5, trigger=100, take_profit=True)
    assert no_money(room.sell(5, trigger=101, take_profit=True)) == ["submitted #3", "accepted #3"]


def test_stops_and_take_profits_of_one_direction_fire_nearest_first() -> None:
    room = room_with()
    room.trade(100, 1)
    room.sell(1, trigger=110, take_profit=True)
    room.buy(1, trigger=108)
    room.sell(1, trigger=106, take_profit=True)
    fired = [line for line in room.trade(120, 1) if line.startswith("triggered")]
    assert fired == ["triggered #3", "triggered #2", "triggered #1"]


def test_before_the_first_trade_each_side_looks_at_the_quote_it_would_take() -> None:
    room = room_with(bid=99, ask=110)
    room.sell(1, trigger=112, take_profit=True)
    room.buy(1, trigger=114)
    room.sell(1, trigger=116, take_profit=True)
    assert no_money(room.quote(111, 9, 115, 9)) == ["triggered #2", "fill #2 1 @ 115 taker book_walk"], "a bid of 111"
    room.sell(1, trigger=100)
    room.buy(1, trigger=105, take_profit=True)
    fired = [line for line in room.quote(104, 9, 106, 9) if line.startswith("triggered")]
    assert fired == []
    fired = [line for line in room.quote(98, 9, 105, 9) if line.startswith("triggered")]
    assert fired == ["triggered #5", "triggered #4"]
