"""Market orders of a quote quantity: whole lots, level by level, never more than the budget."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.room import FOK, GTC, MINUTE, PLAIN, Room, fills, no_money

from paperdesk.domain.events import FillModel


def with_book(**changes: Any) -> Room:
    """Asks of 4 at 101, 5 at 103, 9 at 104; the same below."""
    room = Room([PLAIN._replace(**changes)])
    room.book([(99, 4), (97, 5), (96, 9)], [(101, 4), (103, 5), (104, 9)])
    return room


def test_a_buy_spends_at_most_its_budget() -> None:
    room = with_book()
    said = room.buy(0, quote_quantity=404 + 206 + 102)
    assert said[:2] == ["submitted #1", "reserve 712 Q"]
    assert no_money(said)[2:] == [
        "fill #1 4 @ 101 taker book_walk",
        "fill #1 2 @ 103 taker book_walk",
        "expired #1 quote_quantity_reached",
    ]
    assert room.money("Q") == (100_000 - 610, 0) and said[-1] == "release 102 Q"


def test_it_ends_where_the_next_level_is_too_dear_for_a_lot() -> None:
    room = with_book()
    said = no_money(room.buy(0, quote_quantity=404 + 102))
    assert said[2:] == ["fill #1 4 @ 101 taker book_walk", "expired #1 quote_quantity_reached"]
    assert no_money(room.buy(0, quote_quantity=97)) == [
        "submitted #2",
        "accepted #2",
        "expired #2 quote_quantity_reached",
    ]
    assert room.buy(0, quote_quantity=94) == ["denied #3 invalid_quantity"], "no lot, not even 5 % below the best ask"


def test_a_sale_receives_at_most_its_budget() -> None:
    room = with_book()
    said = room.sell(0, quote_quantity=396 + 194 + 96)
    assert fills(said) == ["#1 4 @ 99 taker book_walk", "#1 2 @ 97 taker book_walk"]
    assert no_money(said)[-1] == "expired #1 quote_quantity_reached"
    assert room.money("Q") == (100_000 + 590, 0) and room.money("B") == (994, 0)


def test_the_book_runs_out_first() -> None:
    room = with_book()
    assert no_money(room.buy(0, quote_quantity=50_000))[-1] == "expired #1 no_liquidity"
    assert room.position()[0] == 18


def test_fill_or_kill_wants_the_whole_budget() -> None:
    room = with_book()
    assert fills(room.buy(0, quote_quantity=700, tif=FOK)) == [
        "#1 4 @ 101 taker book_walk",
        "#1 2 @ 103 taker book_walk",
    ]
    assert no_money(room.buy(0, quote_quantity=5_000, tif=FOK))[-1] == "expired #2 fok_not_filled"
    assert no_money(room.buy(0, quote_quantity=100, tif=FOK))[-1] == "expired #3 fok_not_filled", "not one lot"


def test_on_the_tape_and_in_bars() -> None:
    room = Room(fill_model=FillModel.EXPECTED)
    room.trade(100, 1)
    room.buy(0, quote_quantity=500)
    assert no_money(room.trade(100, 9)) == ["fill #1 4 @ 101 taker tape_take", "expired #1 quote_quantity_reached"]
    room.buy(0, quote_quantity=505, tif=FOK)
    assert no_money(room.trade(100, 4)) == ["expired #2 fok_not_filled"]
    bars = Room(fill_model=FillModel.OPTIMISTIC)
    bars.bar((100, 100, 100, 100), 5)
    bars.buy(0, quote_quantity=500)
    assert no_money(bars.bar((104, 104, 97, 98), 9, after_ns=2 * MINUTE)) == [
        "fill #1 4 @ 104 taker bar_open",
        "expired #1 quote_quantity_reached",
    ]


def test_what_does_not_go_with_it() -> None:
    room = with_book()
    wrong = "denied #{} unsupported_combination"
    assert room.buy(1, quote_quantity=500) == [wrong.format(1)]
    assert room.buy(0, 100, quote_quantity=500) == [wrong.format(2)]
    assert room.buy(0, trigger=120, quote_quantity=500) == [wrong.format(3)]
    assert room.buy(0, quote_quantity=500, tif=GTC) == [wrong.format(4)]
    room.buy(1)
    assert room.sell(0, quote_quantity=500, reduce_only=True) == [wrong.format(6)]
    assert room.buy(0, quote_quantity=-1) == ["denied #7 invalid_quantity"]
    assert room.buy(0, quote_quantity=2**60 + 1) == ["denied #8 notional_too_large"]
    assert room.buy(0, quote_quantity=100_001) == ["denied #9 insufficient_balance"]


def test_a_sale_needs_base_for_it() -> None:
    room = Room(deposits={"B": 5, "Q": 1_000})
    room.quote(99, 50, 101, 50)
    assert room.sell(0, quote_quantity=99 * 6) == ["denied #1 insufficient_balance"]
    assert fills(room.sell(0, quote_quantity=99 * 5)) == ["#2 5 @ 99 taker book_walk"]
    assert room.sell(0, quote_quantity=99) == ["denied #3 insufficient_balance"]


def test_filters_and_limits_look_at_the_budget() -> None:
    room = with_book(min_notional=Decimal(300), min_quantity=Decimal(10), market_max_quantity=Decimal(2))
    assert no_money(room.buy(0, quote_quantity=299))[-1] == "rejected #1 min_notional"
    assert fills(room.buy(0, quote_quantity=303)) == ["#2 3 @ 101 taker book_walk"]
    room.limits(max_order=400)
    assert room.buy(0, quote_quantity=401) == ["denied #3 max_order"]
    assert room.buy(0, quote_quantity=400)[0] == "submitted #4"


@settings(max_examples=150, deadline=None)
@given(
    budget=st.integers(1, 40_000),
    buys=st.booleans(),
    tick=st.sampled_from(["1", "0.25", "0.07", "3"]),
    lot=st.sampled_from(["1", "2", "5"]),
    fee=st.sampled_from(["0", "0.001", "0.3"]),
    levels=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 30)), min_size=1, max_size=6),
)
def test_never_more_than_the_budget_and_nothing_is_lost(
    budget: int, buys: bool, tick: str, lot: str, fee: str, levels: list[tuple[int, int]]
) -> None:
    room = Room([PLAIN._replace(tick=Decimal(tick), lot=Decimal(lot), taker_fee=Decimal(fee))])
    shown, price = [], 300
    for step, lots in levels:
        price += step if buys else -step
        shown.append((price, lots))
    room.book([] if buys else shown, shown if buys else [])
    before = room.money("Q")[0]
    (room.buy if buys else room.sell)(0, quote_quantity=budget)
    free, reserved = room.money("Q")
    moved = (
        before - free
        if buys
        else sum(int(row["quote_units"]) for rows in room.rows for row in rows if row["kind"] == 11)
    )
    assert reserved == 0 and room.money("B")[1] == 0 and room.fold.faults() == []
    assert 0 <= moved <= budget
    if room.lines[-1].startswith("expired #1 quote_quantity_reached") or any("quote_quantity" in x for x in room.lines):
        taken = sum(int(row["fill_lots"]) for rows in room.rows for row in rows if row["kind"] == 11)
        next_price = next(
            (ticks for place, (ticks, _) in enumerate(shown) if sum(n for _, n in shown[: place + 1]) >= taken), 0
        )
        more = next_price * Decimal(tick) * Decimal(lot)
        assert moved + more + 1 > budget or taken == 0


@pytest.mark.parametrize("quantity", ["0.5", "abc", "inf"])
def test_a_budget_that_is_no_amount_of_the_quote_asset_is_denied(quantity: str) -> None:
    from paperdesk.domain.commands import Intent, submit_order

    room = with_book()
    row = submit_order(0, 0, PLAIN, Intent(1, quote_quantity=quantity))  # type: ignore[arg-type]
    assert room.put(row)[0] in ("denied #1 quantity_off_grid", "denied #1 invalid_number")
