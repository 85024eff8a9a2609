"""Orders that execute against the visible book: walks, IOC and FOK, post-only, collars, funds, fees and rounding."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.engine.room import FOK, IOC, PLAIN, Room, fills, no_money, status_of

from paperdesk.domain.assets import Asset
from paperdesk.domain.events import MarketStatus


def test_a_market_order_walks_the_book_and_its_rest_expires() -> None:
    room = Room()
    room.book([(99, 1)], [(101, 2), (102, 3)])
    assert no_money(room.buy(9)) == [
        "submitted #1",
        "accepted #1",
        "fill #1 2 @ 101 taker book_walk",
        "fill #1 3 @ 102 taker book_walk",
        "expired #1 no_liquidity",
    ]
    assert room.money("Q") == (100_000 - 508, 0)
    assert no_money(room.sell(4))[2:] == ["fill #2 1 @ 99 taker book_walk", "expired #2 no_liquidity"]


def test_a_market_order_walks_no_further_than_its_collar() -> None:
    room = Room()
    # 5 % above 101 is 106.05, rounded away: 107 is still reached, 108 is not.
    room.book([(99, 1)], [(101, 1), (107, 1), (108, 1)])
    assert fills(room.buy(3)) == ["#1 1 @ 101 taker book_walk", "#1 1 @ 107 taker book_walk"]
    # 5 % below 99 is 94.05, rounded away: 94 is reached, 93 is not.
    room.book([(99, 1), (94, 1), (93, 1)], [(101, 1)])
    assert fills(room.sell(3)) == ["#2 1 @ 99 taker book_walk", "#2 1 @ 94 taker book_walk"]


def test_the_collar_never_falls_below_one_tick() -> None:
    room = Room()
    room.book([(1, 5)], [(2, 5)])
    assert fills(room.sell(2)) == ["#1 2 @ 1 taker book_walk"]


def test_a_limit_order_takes_to_its_price_and_its_rest_waits() -> None:
    room = Room()
    room.book([(99, 1)], [(101, 2), (102, 3)])
    said = room.buy(9, 101)
    assert said == [
        "submitted #1",
        "reserve 909 Q",
        "accepted #1",
        "fill #1 2 @ 101 taker book_walk",
        "pay 202 Q",
        "receive 2 B",
    ]
    row = room.order(1)
    assert (row["filled_lots"], row["reserved_units"], row["rested"], row["most_lots"]) == (2, 707, 1, 0)


def test_a_limit_order_that_takes_at_better_prices_gets_the_difference_back() -> None:
    room = Room()
    room.book([(99, 1)], [(101, 2)])
    assert room.buy(2, 110)[-3:] == ["pay 202 Q", "receive 2 B", "release 18 Q"]
    room.book([(99, 1)], [(101, 3)])
    assert room.buy(5, 110)[3:] == ["fill #2 3 @ 101 taker book_walk", "pay 303 Q", "receive 3 B", "release 27 Q"]
    assert room.money("Q") == (100_000 - 202 - 303 - 220, 220)


@pytest.mark.parametrize(("lots", "said"), [(5, []), (6, ["expired #1 ioc_remainder", "release 101 Q"])])
def test_ioc_takes_what_is_there(lots: int, said: list[str]) -> None:
    room = Room()
    room.book([(99, 1)], [(101, 5), (102, 5)])
    got = room.buy(lots, 101, tif=IOC)
    assert fills(got) == ["#1 5 @ 101 taker book_walk"]
    assert got[6:] == said and status_of(room, 1) == "gone"
    assert room.money("Q")[1] == 0


@pytest.mark.parametrize(
    ("price", "lots", "whole"), [(101, 5, True), (101, 6, False), (102, 10, True), (None, 10, True), (None, 11, False)]
)
def test_fok_is_filled_whole_or_not_at_all(price: int | None, lots: int, whole: bool) -> None:
    room = Room()
    room.book([(99, 1)], [(101, 5), (102, 5), (109, 50)])
    said = room.buy(lots, price, tif=FOK)
    if whole:
        assert sum(int(line.split()[1]) for line in fills(said)) == lots
    else:
        assert no_money(said) == ["submitted #1", "accepted #1", "expired #1 fok_not_filled"]
        assert room.money("Q") == (100_000, 0)


def test_fok_counts_what_was_used_up() -> None:
    room = Room()
    room.book([(99, 9)], [(101, 5)])
    room.buy(1)
    assert no_money(room.buy(5, 101, tif=FOK))[-1] == "expired #2 fok_not_filled"
    assert fills(room.buy(4, 101, tif=FOK)) == ["#3 4 @ 101 taker book_walk"]
    assert fills(room.sell(9, 99, tif=FOK)) == ["#4 9 @ 99 taker book_walk"]


def test_a_market_fok_must_be_able_to_pay_for_all_of_it() -> None:
    room = Room(deposits={"Q": 1_030})
    room.book([(99, 1)], [(101, 5), (105, 5)])
    # Judged by the best ask, 1,010 are needed and there; at 101 and 105 it would cost 1,030.
    assert len(fills(room.buy(10, tif=FOK))) == 2
    room = Room(deposits={"Q": 1_029})
    room.book([(99, 1)], [(101, 5), (105, 5)])
    assert no_money(room.buy(10, tif=FOK))[-1] == "expired #1 fok_not_filled"
    assert room.money("Q") == (1_029, 0)


def test_a_market_buy_ends_where_the_money_does() -> None:
    room = Room(deposits={"Q": 1_029})
    room.book([(99, 1)], [(101, 5), (105, 5)])
    assert room.buy(10) == [
        "submitted #1",
        "reserve 1029 Q",
        "accepted #1",
        "fill #1 5 @ 101 taker book_walk",
        "pay 505 Q",
        "receive 5 B",
        "fill #1 4 @ 105 taker book_walk",
        "pay 420 Q",
        "receive 4 B",
        "expired #1 funds_exhausted",
        "release 104 Q",
    ]


def test_a_market_buy_draws_on_free_money_beyond_its_reserve() -> None:
    room = Room(latency_ns=10)
    room.book([(99, 1)], [(100, 10)])
    assert room.buy(10)[:2] == ["submitted #1", "reserve 1050 Q"]
    room.book([(119, 1)], [(120, 10)])
    assert room.timer(10)[:3] == ["accepted #1", "reserve 150 Q", "fill #1 10 @ 120 taker book_walk"]
    assert room.money("Q") == (98_800, 0)


def test_nothing_to_walk() -> None:
    room = Room()
    room.quote(99, 5, 101, 5)
    room.quote(99, 5, 0, 0)
    assert no_money(room.buy(1)) == ["submitted #1", "accepted #1", "expired #1 no_liquidity"]
    assert no_money(room.buy(1, 101, tif=FOK))[-1] == "expired #2 fok_not_filled"
    assert no_money(room.buy(1, 101, tif=IOC))[-1] == "expired #3 ioc_remainder"


def test_an_order_that_arrives_while_the_data_is_lost_sees_an_empty_book() -> None:
    room = Room(latency_ns=10)
    room.quote(99, 5, 101, 5)
    orders = [(None, None), (101, None), (101, IOC), (101, FOK)]
    for price, tif in orders:
        room.buy(1, price, tif=tif)
    room.status(MarketStatus.STALE)
    assert no_money(room.timer(10)) == [
        "accepted #1",
        "expired #1 no_liquidity",
        "accepted #2",
        "accepted #3",
        "expired #3 ioc_remainder",
        "accepted #4",
        "expired #4 fok_not_filled",
    ]
    assert room.order(2)["most_lots"] == -1, "nobody knows where it stands"


def test_post_only_is_rejected_where_it_would_take_and_rests_where_not() -> None:
    room = Room()
    room.quote(99, 5, 101, 5)
    assert no_money(room.buy(1, 101, post_only=True))[-1] == "rejected #1 post_only_would_take"
    assert no_money(room.sell(1, 99, post_only=True))[-1] == "rejected #2 post_only_would_take"
    assert no_money(room.buy(1, 100, post_only=True))[-1] == "accepted #3"
    assert no_money(room.sell(1, 101, post_only=True))[-1] == "accepted #4"
    room.buy(5, 101, tif=IOC)
    assert no_money(room.buy(1, 101, post_only=True))[-1] == "rejected #6 post_only_would_take", "use does not matter"


# Fees and rounding

COIN, CASH = Asset(0, "B", 0), Asset(1, "Q", 0)
THIRD = PLAIN._replace(tick=Decimal("0.5"), lot=Decimal(3), maker_fee=Decimal("0.01"), taker_fee=Decimal("0.1"))
"""A lot of 3 B and a tick of 0.5 Q: a tick times a lot is 1.5 Q, so that money must be rounded."""


def test_a_buy_pays_rounded_up_once_for_the_whole_order() -> None:
    room = Room([THIRD])
    room.book([(9, 1)], [(11, 1), (13, 1), (15, 1)])
    said = room.buy(3, 15)
    # ⌈11 · 1.5⌉ = 17; ⌈24 · 1.5⌉ − 17 = 19; ⌈39 · 1.5⌉ − 36 = 23: together 59, as ⌈58.5⌉. Fees: ⌈3 · 0.1⌉ = 1 B each.
    assert [line for line in said if line.startswith(("pay", "receive", "fee"))] == [
        "pay 17 Q",
        "receive 3 B",
        "fee 1 B",
        "pay 19 Q",
        "receive 3 B",
        "fee 1 B",
        "pay 23 Q",
        "receive 3 B",
        "fee 1 B",
    ]
    # Reserved were ⌈45 · 1.5⌉ = 68.
    assert said[1] == "reserve 68 Q" and room.money("Q") == (100_000 - 59, 0)


def test_a_sale_receives_rounded_down_once_for_the_whole_order() -> None:
    room = Room([THIRD])
    room.book([(15, 1), (13, 1), (11, 1)], [(20, 1)])
    said = room.sell(3, 11)
    # ⌊22.5⌋ = 22; ⌊42⌋ − 22 = 20; ⌊58.5⌋ − 42 = 16. Fees in Q: ⌈2.2⌉ = 3, 2, ⌈1.6⌉ = 2.
    assert [line for line in said if line.startswith(("receive", "fee"))] == [
        "receive 22 Q",
        "fee 3 Q",
        "receive 20 Q",
        "fee 2 Q",
        "receive 16 Q",
        "fee 2 Q",
    ]


def test_maker_and_taker_pay_their_own_rates() -> None:
    room = Room([PLAIN._replace(maker_fee=Decimal("0.01"), taker_fee=Decimal("0.02"))])
    room.quote(99, 1000, 101, 100)
    said = room.buy(200, 101)
    assert "fee 2 B" in said  # 2 % of 100
    assert room.trade(100, 500)[-1] == "fee 1 B"  # 1 % of 100
    rates = [int(row["fee_rate_e8"]) for rows in room.rows for row in rows if row["kind"] == 11]
    assert rates == [2_000_000, 1_000_000]


def test_a_sale_worth_less_than_a_unit_brings_nothing() -> None:
    room = Room([PLAIN._replace(quote=Asset(1, "Q", 0), tick=Decimal("0.1"), lot=Decimal(1))])
    room.quote(3, 5, 4, 5)
    assert room.sell(2)[2:] == ["accepted #1", "fill #1 2 @ 3 taker book_walk", "pay 2 B"]
    assert room.buy(2)[-2:] == ["pay 1 Q", "receive 2 B"]


def test_a_fee_of_everything() -> None:
    room = Room([PLAIN._replace(taker_fee=Decimal(1))])
    room.quote(99, 5, 101, 5)
    assert room.buy(1)[-4:-1] == ["pay 101 Q", "receive 1 B", "fee 1 B"]
    assert room.position() == (0, 0, -101), "what was paid for nothing is lost"
