"""Reduce-only orders: whose position counts, and that no fill takes it through zero."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.room import FOK, MINUTE, PLAIN, Room, fills, no_money, status_of


def quoted(lots: int = 100) -> Room:
    """A quote and some money."""
    room = Room()
    room.quote(99, lots, 101, lots)
    return room


def test_nothing_to_reduce_is_denied() -> None:
    room = quoted()
    assert room.sell(1, reduce_only=True) == ["denied #1 reduce_only"]
    room.buy(3)
    assert room.buy(1, reduce_only=True) == ["denied #3 reduce_only"], "that side would add"
    assert room.sell(1, bot=1, reduce_only=True) == ["denied #4 reduce_only"], "bot 1 holds nothing"
    assert fills(room.sell(1, reduce_only=True)) == ["#5 1 @ 99 taker book_walk"]


def test_a_fill_stops_at_zero_and_the_rest_expires() -> None:
    room = quoted()
    room.buy(3, bot=1)
    assert no_money(room.sell(5, bot=1, reduce_only=True)) == [
        "submitted #2",
        "accepted #2",
        "fill #2 3 @ 99 taker book_walk",
        "expired #2 position_closed",
    ]
    assert room.position(bot=1)[0] == 0 and room.money("B") == (1_000, 0)
    room.sell(4, bot=2)
    assert no_money(room.buy(9, 103, bot=2, reduce_only=True))[2:] == [
        "fill #4 4 @ 101 taker book_walk",
        "expired #4 position_closed",
    ]
    assert room.position(bot=2)[0] == 0 and room.money("Q")[1] == 0


def test_a_resting_one_ends_when_it_would_fill_and_the_position_is_gone() -> None:
    room = quoted()
    room.buy(3)
    room.sell(3, 105, reduce_only=True)
    room.sell(3)
    assert status_of(room, 2) == "accepted"
    assert no_money(room.trade(106, 50)) == ["expired #2 position_closed"]
    assert room.money("B") == (1_000, 0) and room.position()[0] == 0


def test_two_of_them_share_one_position() -> None:
    room = quoted()
    room.buy(5)
    room.sell(4, 105, reduce_only=True)
    room.sell(4, 106, reduce_only=True)
    assert no_money(room.trade(110, 50)) == [
        "fill #2 4 @ 105 maker trade_through",
        "fill #3 1 @ 106 maker trade_through",
        "expired #3 position_closed",
    ]


def test_fill_or_kill_needs_the_whole_position_of_its_size() -> None:
    room = quoted()
    room.buy(3)
    assert no_money(room.sell(4, tif=FOK, reduce_only=True))[-1] == "expired #2 fok_not_filled"
    assert fills(room.sell(3, tif=FOK, reduce_only=True)) == ["#3 3 @ 99 taker book_walk"]
    tape = Room()
    tape.trade(100, 1)
    tape.buy(3)
    tape.trade(100, 9)
    tape.sell(4, tif=FOK, reduce_only=True)
    assert no_money(tape.trade(100, 9)) == ["expired #2 fok_not_filled"]


def test_a_fraction_of_a_lot_is_nothing_to_reduce() -> None:
    room = Room([PLAIN._replace(lot=Decimal(10), taker_fee=Decimal("0.1"))])
    room.quote(99, 9, 101, 9)
    room.buy(1)
    assert room.position()[0] == 9, "a lot less its fee"
    assert room.sell(1, reduce_only=True) == ["denied #2 reduce_only"]


def test_only_the_size_limit_holds_it_back() -> None:
    room = quoted()
    room.buy(5, bot=1)
    room.limits(bot=1, max_order=300, max_position=1, max_exposure=1, cooldown_ns=MINUTE, max_drawdown=1)
    room.sell(2, 120, bot=1)
    assert room.sell(4, bot=1, reduce_only=True) == ["denied #3 max_order"]
    assert room.sell(3, bot=1, reduce_only=True)[0] == "submitted #4"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 9), st.integers(97, 103), st.booleans(), st.integers(0, 2)), max_size=12
    )
)
def test_the_position_never_passes_zero(moves: list[tuple[bool, int, int, bool, int]]) -> None:
    room = Room([PLAIN._replace(maker_fee=Decimal("0.01"), taker_fee=Decimal("0.02"))])
    room.quote(99, 5, 101, 5)
    room.buy(6, bot=1)
    held = room.position(bot=1)[0]
    assert held > 0
    for buys, lots, price, rests, event in moves:
        (room.buy if buys else room.sell)(lots, price if rests else None, bot=1, reduce_only=True)
        if event:
            room.trade(95 if event == 1 else 105, 3)
        left = room.position(bot=1)[0]
        assert 0 <= left <= held and room.fold.faults() == []
        held = left


def test_a_fill_that_was_cut_is_the_last_though_its_fee_left_something() -> None:
    room = Room([PLAIN._replace(taker_fee=Decimal("0.5"))])
    room.sell(1, 200)
    room.book([(99, 9)], [(101, 9), (102, 9)])
    room.sell(4)
    assert no_money(room.buy(6, 103, reduce_only=True))[2:] == [
        "fill #3 4 @ 101 taker book_walk",
        "expired #3 position_closed",
    ]
    assert room.position()[0] == -2, "half of what it bought went for fees"
