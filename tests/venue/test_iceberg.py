"""Iceberg orders: what is shown, what a trade at their price can have, and where the next part stands."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.room import FOK, IOC, MINUTE, PLAIN, SELL, Room, fills, no_money, status_of

from paperdesk.domain.events import FillModel, OutputKind, Side
from paperdesk.engine.fold import Fold


def quoted(model: FillModel = FillModel.PESSIMISTIC) -> Room:
    """A book of five lots a side."""
    room = Room(fill_model=model)
    room.book([(99, 5)], [(101, 5)])
    return room


def fronts(room: Room) -> list[int]:
    """What each fill tells of the queue after it."""
    rows = [row for outputs in room.rows for row in outputs if row["kind"] == OutputKind.FILL]
    return [int(row["front_after_lots"]) for row in rows]


def test_a_trade_at_its_price_fills_the_shown_part_and_the_next_joins_at_the_end() -> None:
    room = quoted()
    room.buy(10, 99, visible_quantity=4)
    rank = room.order(1)["rank"]
    assert fills(room.trade(99, 100, Side.SELL)) == ["#1 4 @ 99 maker queue"], "5 stood ahead, 4 were shown"
    row = room.order(1)
    assert (row["filled_lots"], row["most_lots"], row["rank"]) == (4, 5, rank + 1)
    assert fronts(room) == [5]
    room.book([(99, 8)], [(101, 5)])
    assert fills(room.trade(99, 6, Side.SELL)) == ["#1 1 @ 99 maker queue"], "no more than 5 can stand ahead"
    assert room.order(1)["rank"] == rank + 1, "its part goes on"
    assert fills(room.trade(99, 3, Side.SELL)) == ["#1 3 @ 99 maker queue"]
    assert room.order(1)["most_lots"] == 8 and fronts(room)[-1] == 8
    assert fills(room.trade(99, 100, Side.SELL)) == ["#1 2 @ 99 maker queue"]
    assert status_of(room, 1) == "gone" and fronts(room)[-1] == 0


def test_a_new_part_stands_behind_the_accounts_other_orders() -> None:
    room = quoted(FillModel.OPTIMISTIC)
    room.buy(4, 99, visible_quantity=2)
    room.buy(3, 99)
    room.trade(99, 5, Side.SELL)
    assert fills(room.trade(99, 2, Side.SELL)) == ["#1 2 @ 99 maker queue"]
    assert room.order(1)["rank"] > room.order(2)["rank"]
    assert fills(room.trade(99, 4, Side.SELL)) == ["#2 3 @ 99 maker queue", "#1 1 @ 99 maker queue"]


def test_what_reaches_beyond_its_price_meets_the_hidden_rest() -> None:
    room = quoted()
    room.buy(10, 99, visible_quantity=3)
    assert fills(room.trade(98, 7, Side.SELL)) == ["#1 7 @ 99 maker trade_through"]
    assert room.order(1)["rank"] == 1, "there is nothing left to stand behind"
    assert fills(room.book([(97, 5)], [(99, 9)])) == ["#1 3 @ 99 maker book_cross"]
    room = quoted()
    said = room.buy(9, 101, visible_quantity=2)
    assert fills(said) == ["#1 5 @ 101 taker book_walk"], "it hides nothing from itself"
    assert room.order(1)["taken_lots"] == 5
    assert fills(room.trade(101, 9, Side.SELL)) == ["#1 2 @ 101 maker queue"], "parts begin anew where it took"


def test_the_tape_bounds_a_touch_alone() -> None:
    room = Room(fill_model=FillModel.OPTIMISTIC)
    room.trade(100, 1)
    room.buy(10, 99, visible_quantity=3)
    assert fills(room.trade(99, 8, Side.SELL)) == ["#1 3 @ 99 maker tape_touch"]
    assert fills(room.trade(98, 4, Side.SELL)) == ["#1 4 @ 99 maker trade_through"]
    assert fills(room.trade(99, 9, Side.SELL)) == ["#1 2 @ 99 maker tape_touch"], "two lots of its part are left"
    assert fills(room.trade(99, 9, Side.SELL)) == ["#1 1 @ 99 maker tape_touch"]


def test_bars_make_no_difference() -> None:
    room = Room(fill_model=FillModel.OPTIMISTIC)
    room.bar((100, 100, 100, 100), 100)
    room.buy(10, 99, visible_quantity=3)
    room.bar((100, 101, 100, 100), 100, after_ns=2 * MINUTE)
    assert fills(room.bar((100, 100, 98, 99), 100, after_ns=MINUTE)) == ["#1 10 @ 99 maker bar_through"]


def test_where_the_view_does_not_reach_nobody_knows_the_place_of_the_next_part() -> None:
    room = quoted()
    room.buy(9, 99, visible_quantity=2)
    room.book([(119 - place, 1) for place in range(20)], [(120, 5)])
    assert room.order(1)["most_lots"] == 5, "what was known is kept"
    assert fills(room.trade(99, 9, Side.SELL)) == ["#1 2 @ 99 maker queue"]
    assert fronts(room) == [-1] and room.order(1)["most_lots"] == -1
    assert fills(room.trade(99, 50, Side.SELL)) == []


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ({"price": 90, "visible_quantity": 11}, "invalid_quantity"),
        ({"price": 90, "visible_quantity": -1}, "invalid_quantity"),
        ({"price": 90, "visible_quantity": 2, "tif": IOC}, "unsupported_combination"),
        ({"price": 90, "visible_quantity": 2, "tif": FOK}, "unsupported_combination"),
        ({"visible_quantity": 2}, "unsupported_combination"),
        ({"price": 90, "visible_quantity": 10}, ""),
        ({"price": 90, "visible_quantity": 2, "post_only": True}, ""),
        ({"price": 90, "trigger": 105, "visible_quantity": 2}, ""),
    ],
)  # fmt: skip
def test_its_form(terms: dict[str, int], why: str) -> None:
    said = no_money(quoted().submit(Side.BUY, 10, **terms))  # type: ignore[arg-type]
    assert said[0] == (f"denied #1 {why}" if why else "submitted #1")


def test_its_filters() -> None:
    room = Room((PLAIN._replace(max_iceberg_parts=3, min_quantity=Decimal(2)),))
    room.quote(99, 5, 101, 5)
    assert no_money(room.buy(10, 90, visible_quantity=3))[-1] == "rejected #1 iceberg_parts"
    assert no_money(room.buy(10, 90, visible_quantity=4))[-1] == "accepted #2"
    assert no_money(room.buy(3, 90, visible_quantity=1))[-1] == "rejected #3 lot_size"


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(97, 100), st.integers(1, 15)), max_size=25),
    st.integers(0, 25),
)
@settings(max_examples=60, deadline=None)
def test_no_trade_at_its_price_fills_more_than_is_shown(
    lots: int, visible: int, trades: list[tuple[int, int]], cut: int
) -> None:
    room = quoted(FillModel.OPTIMISTIC)
    room.submit(SELL, lots, 99 + 2, visible_quantity=min(visible, lots))
    room.timer()
    for place, (price, size) in enumerate(trades):
        before = room.order(1)
        if not before:
            break
        if place == cut:
            room.fold = Fold.from_parts(room.fold.parts())
        left = before["qty_lots"] - before["filled_lots"]
        shown = min(left, before["visible_lots"] - before["filled_lots"] % before["visible_lots"])
        room.trade(price + 3, size, Side.BUY)
        row = room.rows[-1]
        had = sum(int(one["fill_lots"]) for one in row if one["kind"] == OutputKind.FILL)
        assert had <= (size if price + 3 > 101 else min(size, shown))
        after = room.order(1)
        if price + 3 == 101 and had == shown and after:
            assert after["rank"] == before["rank"] + 1
        assert room.fold.faults() == []
