"""What three fill models believe of the same queue, and what they fill."""

from __future__ import annotations

import pytest
from tests.engine.room import BUY, MINUTE, Room, Side, fills

from paperdesk.domain.events import FillModel
from paperdesk.engine.serial import places_at
from paperdesk.venue.estimates import LEAST_WEIGHTS, WEIGHT_ONE, ahead_lots, impact_ticks
from paperdesk.venue.owed import LATE_NS


def three() -> Room:
    """One account a fill model, numbered 0, 1, 2, and a bid of 100 at 99."""
    room = Room(fill_model=FillModel.OPTIMISTIC)
    room.open(1, fill_model=FillModel.EXPECTED)
    room.open(2, fill_model=FillModel.PESSIMISTIC)
    room.book([(99, 100)], [(101, 50)])
    for account in range(3):
        room.submit(BUY, 10, 99, account=account)
    return room


def joined(room: Room, price: int, account: int = 0) -> None:
    """One more order that has reached the venue."""
    room.submit(BUY, 1, price, account=account)
    room.timer()


def bounds(room: Room, account: int = 0, order_id: int = 1) -> tuple[int, int, int]:
    """The most and the least ahead of an order, and what stands at its price."""
    row = room.order(order_id, account)
    return row["most_lots"], row["least_lots"], row["level_lots"]


def settled(room: Room, bid: int, lots: int) -> None:
    """The same picture again, after no print can be late any more."""
    room.book([(bid, lots)], [(101, 50)], after_ns=LATE_NS + 1)


def test_a_cancellation_leaves_room_for_belief_and_a_trade_does_not() -> None:
    room = three()
    assert bounds(room) == (100, 100, 100)
    room.trade(99, 30, Side.SELL)
    assert bounds(room) == (70, 70, 70)
    room.book([(99, 50)], [(101, 50)])
    settled(room, 99, 50)
    assert bounds(room) == (50, 50, 50), "20 were canceled, and nobody stands behind more than is shown"
    room.book([(99, 90)], [(101, 50)])
    assert bounds(room) == (50, 50, 90), "who comes later stands behind"
    room.book([(99, 60)], [(101, 50)])
    settled(room, 99, 60)
    assert bounds(room) == (50, 20, 60), "30 were canceled: behind at best, ahead at worst"


def test_each_model_fills_from_its_own_place() -> None:
    room = three()
    room.book([(99, 180)], [(101, 50)])
    room.book([(99, 120)], [(101, 50)])
    settled(room, 99, 120)
    assert {bounds(room, account) for account in range(3)} == {(100, 40, 120)}
    said = fills(room.trade(99, 75, Side.SELL))
    assert said == ["#1 10 @ 99 maker queue", "#1 5 @ 99 maker queue"], "40 ahead, 70 ahead, 100 ahead"
    assert [room.order(1, account)["filled_lots"] for account in (1, 2)] == [5, 0]
    assert fills(room.trade(99, 24, Side.SELL)) == ["#1 5 @ 99 maker queue"], "the pessimist has 25 ahead, not 24"
    assert fills(room.trade(99, 2, Side.SELL)) == ["#1 1 @ 99 maker queue"]


def test_what_was_traded_is_not_counted_again_when_the_picture_shows_it() -> None:
    room = three()
    room.book([(99, 200)], [(101, 50)])
    room.trade(99, 30, Side.SELL)
    room.book([(99, 170)], [(101, 50)])
    assert bounds(room) == (70, 70, 170)


def test_who_joins_between_a_trade_and_its_picture_may_stand_behind_what_is_gone() -> None:
    room = three()
    room.trade(99, 30, Side.SELL)
    joined(room, 99)
    assert bounds(room, order_id=2) == (100, 70, 70)
    room.book([(99, 70)], [(101, 50)])
    assert bounds(room, order_id=2) == (70, 70, 70)


def test_a_trade_through_a_price_empties_its_queue_for_all_who_rest_there() -> None:
    room = three()
    joined(room, 99)
    assert fills(room.trade(98, 10, Side.SELL)) == ["#1 10 @ 99 maker trade_through"] * 3
    assert bounds(room, order_id=2) == (0, 0, 0), "the first order took all of the trade; nobody else stands ahead"


def test_a_picture_moves_the_last_bound_and_earlier_orders_keep_theirs() -> None:
    room = three()
    room.book([(99, 130)], [(101, 50)])
    joined(room, 99)
    room.book([(99, 160)], [(101, 50)])
    joined(room, 99)
    assert [bounds(room, order_id=number)[0] for number in (1, 2, 3)] == [100, 130, 160]
    room.book([(99, 120)], [(101, 50)])
    settled(room, 99, 120)
    assert [bounds(room, order_id=number) for number in (1, 2, 3)] == [(100, 60, 120), (120, 90, 120), (120, 120, 120)]
    room.cancel(3)
    room.timer(1)
    room.book([(99, 200)], [(101, 50)])
    assert [bounds(room, order_id=number)[0] for number in (1, 2)] == [100, 120], "what was learned stays"


def test_who_does_not_know_its_place_learns_it_with_the_next_picture() -> None:
    room = three()
    room.quote(100, 5, 101, 50)
    joined(room, 97)
    assert bounds(room, order_id=2) == (-1, -1, -1)
    room.book([(98, 10), (97, 33)], [(101, 50)])
    assert bounds(room, order_id=2) == (33, 33, 33)


def test_a_belief_is_rounded_against_the_trader() -> None:
    assert LEAST_WEIGHTS[0] == WEIGHT_ONE and LEAST_WEIGHTS[2] == 0
    assert [ahead_lots(model, 10, 5) for model in range(3)] == [5, 8, 10]


def test_a_belief_holds_for_the_largest_level() -> None:
    """The most that can be displayed, and as much owed: no product on the way may pass 64 bits."""
    assert [ahead_lots(model, 2**61, 1) for model in range(3)] == [1, 2**60 + 1, 2**61]


@pytest.mark.parametrize("account", range(3))
def test_a_restart_changes_no_place(account: int) -> None:
    room = three()
    room.book([(99, 180)], [(101, 50)])
    joined(room, 99, account)
    room.book([(99, 120)], [(101, 50)])
    again = Room(fold=type(room.fold).from_parts(room.fold.parts()), start_ns=room.now)
    again.instruments, again.assets = room.instruments, room.assets
    for one in (room, again):
        one.trade(99, 30, Side.SELL)
        one.book([(99, 60)], [(101, 50)])
        places_at(one.fold.state)
    assert bounds(again, account) == bounds(room, account)
    assert bounds(again, account, 2) == bounds(room, account, 2)
    assert again.fold.hash() == room.fold.hash()


@pytest.mark.parametrize(
    ("model", "bought"),
    [(FillModel.OPTIMISTIC, "8 @ 100"), (FillModel.EXPECTED, "8 @ 102"), (FillModel.PESSIMISTIC, "4 @ 102")],
)
def test_a_market_order_has_a_part_of_a_bar_and_moves_its_price(model: FillModel, bought: str) -> None:
    """100 traded in a range of 12: impact 0.6 · 12 · √(8/100) = 2.04 ticks, of which two thirds; of √(4/100) with a twentieth of the bar: 1.4."""
    room = Room(fill_model=model)
    room.bar((98, 103, 97, 100), 100)
    room.buy(8)
    assert fills(room.bar((100, 106, 94, 101), 100, after_ns=MINUTE)) == [f"#1 {bought} taker bar_open"]


def test_impact_grows_with_the_root_of_the_part_and_never_falls_below_a_tick() -> None:
    assert [impact_ticks(2, 1000, lots, 100) for lots in (1, 4, 25, 100)] == [61, 121, 301, 601]
    assert [impact_ticks(1, 1000, lots, 100) for lots in (1, 4, 25, 100)] == [41, 81, 201, 401]
    assert [impact_ticks(model, 0, 1, 100) for model in range(3)] == [0, 1, 1]


def test_a_limit_order_that_takes_at_an_open_pays_no_more_than_its_limit() -> None:
    room = Room(fill_model=FillModel.PESSIMISTIC)
    room.bar((98, 103, 97, 100), 100)
    room.buy(5, 101)
    assert fills(room.bar((100, 120, 80, 101), 100, after_ns=MINUTE)) == ["#1 4 @ 101 taker bar_open"]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (FillModel.OPTIMISTIC, ["#1 10 @ 99 maker tape_touch"]),
        (FillModel.EXPECTED, ["#1 5 @ 99 maker tape_touch"]),
        (FillModel.PESSIMISTIC, []),
    ],
)
def test_a_trade_at_the_own_price_where_no_queue_is_known(model: FillModel, said: list[str]) -> None:
    room = Room(fill_model=model)
    room.trade(100, 1)
    room.buy(10, 99)
    room.trade(100, 1)
    assert fills(room.trade(99, 20, Side.SELL)) == said
