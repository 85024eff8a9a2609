"""A picture may show a trade before it is printed: what it took is owed for 100 ms, and no queue loses it twice."""

from __future__ import annotations

import pytest
from tests.engine.room import BUY, SELL, Room, Side, fills

from paperdesk.domain.events import DEPTH, FillModel, MarketStatus
from paperdesk.engine.serial import places_at
from paperdesk.venue.book import LOTS_BOUND, OWED
from paperdesk.venue.owed import LATE_NS

ASKS = [(105, 50)]


def waiting(model: FillModel = FillModel.PESSIMISTIC, ahead: int = 100) -> Room:
    """A buy of 10 at 99 with `ahead` before it and 50 bid at 98."""
    room = Room(fill_model=model)
    room.book([(99, ahead), (98, 50)], ASKS)
    room.buy(10, 99)
    return room


def bounds(room: Room, order_id: int = 1) -> tuple[int, int, int]:
    """The most and the least ahead of an order, and what stands at its price."""
    row = room.order(order_id)
    return row["most_lots"], row["least_lots"], row["level_lots"]


@pytest.mark.parametrize("model", list(FillModel))
@pytest.mark.parametrize("late", [False, True])
def test_a_trade_counts_once_whether_its_print_or_its_picture_comes_first(model: FillModel, late: bool) -> None:
    room = waiting(model)
    said = [] if late else room.trade(99, 60, Side.SELL)
    said = said + room.book([(99, 40), (98, 50)], ASKS)
    said += room.trade(99, 60, Side.SELL, after_ns=LATE_NS) if late else []
    assert bounds(room) == (40, 40, 40)
    assert fills(said + room.trade(99, 40, Side.SELL)) == []
    assert fills(room.trade(99, 3, Side.SELL)) == ["#1 3 @ 99 maker queue"]


def test_what_a_picture_took_stands_until_prints_account_for_it() -> None:
    room = waiting()
    room.book([(99, 180), (98, 50)], ASKS)
    room.book([(99, 120), (98, 50)], ASKS)
    assert bounds(room) == (100, 100, 180), "60 are missing, and may have been traded"
    room.trade(99, 25, Side.SELL)
    assert bounds(room) == (75, 75, 155)
    room.trade(99, 45, Side.SELL)
    assert bounds(room) == (30, 30, 110), "35 were owed; 10 are new, and taken from what is displayed"
    room.book([(99, 110), (98, 50)], ASKS)
    assert bounds(room) == (30, 30, 110)


def test_what_nobody_prints_in_time_was_canceled() -> None:
    room = waiting()
    room.book([(99, 180), (98, 50)], ASKS)
    room.book([(99, 90), (98, 50)], ASKS)
    room.trade(99, 20, Side.SELL)
    room.trade(105, 1, Side.BUY, after_ns=LATE_NS)
    assert bounds(room) == (80, 80, 160), "100 ms are in time"
    room.trade(105, 1, Side.BUY, after_ns=1)
    assert bounds(room) == (80, 10, 90), "70 canceled: behind at best, ahead at worst"
    room.book([(99, 30), (98, 50)], ASKS)
    room.book([(99, 30), (98, 50)], ASKS, after_ns=LATE_NS + 1)
    assert bounds(room) == (30, 0, 30), "a picture settles it too"


@pytest.mark.parametrize("after_ns", [LATE_NS, LATE_NS + 1])
def test_who_comes_back_within_the_time_or_after_it_stands_behind(after_ns: int) -> None:
    room = waiting(FillModel.OPTIMISTIC)
    room.book([(99, 180), (98, 50)], ASKS)
    room.book([(99, 90), (98, 50)], ASKS)
    room.book([(99, 180), (98, 50)], ASKS, after_ns=after_ns)
    room.book([(99, 180), (98, 50)], ASKS, after_ns=1)
    assert bounds(room) == (90 if after_ns > LATE_NS else 100, 10, 180), "90 were canceled, and 90 came"


def test_each_loss_has_its_own_time() -> None:
    room = waiting()
    room.book([(99, 70), (98, 50)], ASKS)
    room.book([(99, 50), (98, 50)], ASKS, after_ns=LATE_NS)
    room.trade(105, 1, Side.BUY, after_ns=1)
    assert bounds(room) == (70, 70, 70), "30 are overdue, 20 are not"
    room.trade(105, 1, Side.BUY, after_ns=LATE_NS)
    assert bounds(room) == (50, 50, 50)


def test_who_joins_behind_what_is_owed_has_no_part_in_its_print() -> None:
    room = waiting()
    room.book([(98, 50)], ASKS)
    room.buy(10, 99)
    assert bounds(room, 2) == (100, 100, 100)
    assert fills(room.trade(99, 100, Side.SELL)) == []
    assert bounds(room, 2) == (0, 0, 0)
    assert fills(room.trade(99, 12, Side.SELL)) == ["#1 10 @ 99 maker queue", "#2 2 @ 99 maker queue"]


def test_a_late_print_through_a_price_meets_only_who_was_there_before() -> None:
    room = waiting(ahead=10)
    room.book([(98, 20)], ASKS)
    room.book([(99, 7), (98, 20)], ASKS)
    room.buy(3, 99)
    assert fills(room.trade(99, 10, Side.SELL)) == []
    assert bounds(room, 2) == (7, 7, 7)
    assert fills(room.trade(98, 4, Side.SELL)) == ["#1 4 @ 99 maker trade_through"]
    assert fills(room.trade(98, 26, Side.SELL)) == ["#1 6 @ 99 maker trade_through"]
    assert bounds(room, 2) == (7, 7, 7), "seven came after the trade, and are ahead still"
    assert fills(room.trade(98, 2, Side.SELL)) == ["#2 2 @ 99 maker trade_through"], "two more are news"
    assert bounds(room, 2) == (0, 0, 0)


def test_of_a_print_in_part_shown_before_a_newcomer_has_the_news() -> None:
    room = waiting(ahead=10)
    room.book([(98, 46)], ASKS)
    room.buy(5, 99)
    assert fills(room.trade(98, 6, Side.SELL)) == ["#1 6 @ 99 maker trade_through"], (
        "four of six were shown; none is left"
    )
    room = waiting(ahead=10)
    room.cancel(1)
    room.book([(98, 46)], ASKS)
    room.buy(5, 99)
    assert fills(room.trade(98, 6, Side.SELL)) == ["#2 2 @ 99 maker trade_through"]


def test_news_through_a_price_end_what_is_owed_there() -> None:
    room = waiting()
    room.book([(99, 40), (98, 50)], ASKS)
    room.trade(98, 1, Side.SELL)
    room.buy(2, 99)
    assert bounds(room, 2) == (40, 0, 0), "the sixty will not be printed any more; the forty may be gone"


def test_a_late_print_takes_nothing_from_what_is_displayed() -> None:
    room = Room()
    room.book([(99, 100)], ASKS)
    room.book([(99, 40)], ASKS)
    room.trade(99, 60, Side.SELL)
    room.buy(2, 99)
    assert bounds(room) == (40, 40, 40)


def test_what_is_owed_at_a_price_is_bounded() -> None:
    room = waiting(ahead=LOTS_BOUND)
    for bids in ([(98, 1)], [(99, LOTS_BOUND), (98, 1)], [(98, 1)]):
        room.book(bids, ASKS)
    assert bounds(room) == (LOTS_BOUND, 0, LOTS_BOUND), "what is beyond the bound is canceled at once"
    assert room.state["markets"][0]["owed_lots"][0].sum() == LOTS_BOUND + 49, "49 of them at 98"


def test_sales_mirror_buys() -> None:
    room = Room()
    room.book([(90, 9)], [(101, 60), (102, 30)])
    room.sell(5, 101)
    room.book([(90, 9)], [(101, 20), (102, 30)])
    assert bounds(room) == (60, 60, 60)
    assert fills(room.trade(101, 40, Side.BUY)) == []
    assert bounds(room) == (20, 20, 20)
    assert fills(room.trade(101, 21)) == ["#1 1 @ 101 maker queue"], "a print without a side meets both"


def test_a_quote_takes_as_a_book_does() -> None:
    room = Room()
    room.quote(99, 60, 101, 5)
    room.buy(5, 99)
    room.quote(98, 7, 101, 5)
    assert bounds(room) == (60, 60, 60), "the best bid went, and may have been sold to"
    assert fills(room.trade(99, 60, Side.SELL)) == []
    assert bounds(room) == (0, 0, 0)
    room.quote(98, 0, 101, 5)
    room.buy(1, 98)
    assert bounds(room, 2) == (-1, -1, -1), "an empty quote says nothing of what stood below"


def test_out_of_sight_nothing_is_missing() -> None:
    room = Room()
    deep = [(100 - i, 5) for i in range(DEPTH)]
    room.book(deep, ASKS)
    room.buy(1, 100 - DEPTH + 1)
    room.book([(101, 5), *deep[:-1]], ASKS)
    assert bounds(room) == (5, 5, 5)
    room.book(deep, ASKS)
    assert room.state["markets"][0]["n_owed"].tolist() == [1, 0], (
        "101 is missing; the end of the view was only out of sight"
    )


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    room = Room()
    for lots in (50, 40, 30, 20):
        room.book([(100 - i, lots) for i in range(DEPTH)], ASKS)
        if lots == 50:
            room.buy(1, 100)
            room.buy(1, 100 - DEPTH + 1)
    assert bounds(room, 1) == bounds(room, 2) == (50, 50, 50)
    room.book([(100 - i, 10) for i in range(DEPTH)], ASKS)
    market = room.state["markets"][0]
    assert market["n_owed"].tolist() == [OWED, 0]
    assert market["owed_lots"][0].sum() == 10 * OWED
    assert bounds(room, 1) == (50, 50, 50)
    assert bounds(room, 2) == (40, 40, 40), "the first ten there are forgotten"


def test_a_gap_forgets_what_is_owed() -> None:
    room = waiting()
    room.book([(99, 40), (98, 50)], ASKS)
    room.status(MarketStatus.GAP)
    room.status(MarketStatus.LIVE)
    assert not room.state["markets"][0]["owed_lots"].any() and not room.state["markets"][0]["n_owed"].any()
    room.book([(99, 40), (98, 50)], ASKS)
    assert bounds(room) == (40, 40, 40)


@pytest.mark.parametrize("model", list(FillModel))
def test_a_restart_between_a_picture_and_its_print_changes_nothing(model: FillModel) -> None:
    room = waiting(model)
    room.book([(99, 180), (98, 50)], ASKS)
    room.book([(99, 60), (98, 30)], ASKS)
    room.buy(3, 99)
    again = Room(fold=type(room.fold).from_parts(room.fold.parts()), start_ns=room.now)
    again.instruments, again.assets = room.instruments, room.assets
    told = []
    for one in (room, again):
        said = one.trade(98, 15, Side.SELL) + one.trade(99, 90, Side.SELL) + one.submit(SELL, 1, 105)
        said += one.trade(98, 40, Side.SELL) + one.book([(99, 5)], ASKS, after_ns=LATE_NS + 1)
        said += one.submit(BUY, 2, 99) + one.trade(99, 6, Side.SELL)
        places_at(one.fold.state)
        told.append(said)
    assert told[0] == told[1] and fills(told[0])
    assert again.fold.hash() == room.fold.hash()
