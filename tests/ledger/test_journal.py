"""Postings keep every row at zero; average cost explains every unit of money that went in and came out."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.room import BUY, SELL, Room

from paperdesk.domain import commands
from paperdesk.domain.kernel import kernel
from paperdesk.domain.units import MAX_UNITS
from paperdesk.engine.state import new_state
from paperdesk.ledger.journal import (
    BUCKETS,
    CAPITAL,
    FEES,
    FREE,
    POSITION,
    RESERVED,
    SOURCE_OF,
    TARGET_OF,
    VENUE,
    Purpose,
    average_buy,
    average_sell,
    post,
    room_units,
)


@kernel
def post_at(state: Any, purpose: int, amount: int) -> None:
    """One posting of account 0, asset 0 that belongs to no order."""
    state[0].n_outputs = 0
    post(state[0], purpose, 0, 0, 0, amount, state[0].nobody)


@kernel
def room_at(state: Any, account: int, asset: int) -> int:
    """What an account can still receive."""
    return room_units(state[0], account, asset)


@kernel
def buy_at(position: Any, pay: int, gained: int) -> int:
    """`average_buy` on a position of shape (1,)."""
    return average_buy(position[0], pay, gained)


@kernel
def sell_at(position: Any, got: int, given_units: int) -> int:
    """`average_sell` on a position of shape (1,)."""
    return average_sell(position[0], got, given_units)


def buckets(state: Any) -> list[int]:
    """The five buckets of account 0, asset 0."""
    return [int(units) for units in state[0]["balances"][0, 0]]


def test_what_each_posting_is_for_decides_where_it_goes() -> None:
    ends = {purpose: (SOURCE_OF[purpose], TARGET_OF[purpose]) for purpose in Purpose}
    assert ends == {
        Purpose.OPENING: (CAPITAL, FREE),
        Purpose.RESERVE: (FREE, RESERVED),
        Purpose.RELEASE: (RESERVED, FREE),
        Purpose.PAY: (RESERVED, VENUE),
        Purpose.RECEIVE: (VENUE, FREE),
        Purpose.FEE: (FREE, FEES),
        Purpose.CLOSING: (FREE, CAPITAL),
    }


def test_postings_move_money_and_state_it() -> None:
    state = new_state()
    moves = [
        (Purpose.OPENING, 100),
        (Purpose.RESERVE, 60),
        (Purpose.PAY, 50),
        (Purpose.RELEASE, 10),
        (Purpose.RECEIVE, 7),
    ]
    seen = []
    for purpose, amount in [*moves, (Purpose.FEE, 2), (Purpose.CLOSING, 55)]:
        post_at(state, int(purpose), amount)
        row = state["outbox"][0, 0]
        assert (int(row["purpose"]), int(row["amount_units"])) == (purpose, amount)
        assert (int(row["source_bucket"]), int(row["target_bucket"])) == (SOURCE_OF[purpose], TARGET_OF[purpose])
        seen.append(buckets(state))
        assert sum(seen[-1]) == 0
    assert seen[-1] == [0, 0, 43, 2, -45]
    assert int(state["nobody"][0]["reserved_units"]) == 0


@pytest.mark.parametrize(
    ("purpose", "amount"),
    [
        (Purpose.RESERVE, 101),
        (Purpose.FEE, 101),
        (Purpose.PAY, 1),
        (Purpose.RELEASE, 1),
        (Purpose.OPENING, 0),
        (Purpose.FEE, -1),
    ],
)
def test_what_is_not_there_cannot_be_moved(purpose: Purpose, amount: int) -> None:
    state = new_state()
    post_at(state, int(Purpose.OPENING), 100)
    with pytest.raises(AssertionError):
        post_at(state, int(purpose), amount)


def test_a_balance_beyond_the_bounds_stops_the_desk() -> None:
    state = new_state()
    post_at(state, int(Purpose.OPENING), MAX_UNITS)
    assert room_at(state, 0, 0) == 0
    with pytest.raises(AssertionError):
        post_at(state, int(Purpose.RECEIVE), 1)


def test_room_is_bounded_by_what_the_venue_can_still_owe() -> None:
    state = new_state()
    state["balances"][0, 0, 0, :] = [10, 5, -(MAX_UNITS - 3), 0, MAX_UNITS - 18]
    assert room_at(state, 0, 0) == 3
    state["balances"][0, 0, 0, VENUE] = -7
    assert room_at(state, 0, 0) == MAX_UNITS - 15
    assert BUCKETS == 5


# Average cost


def held(position: Any) -> tuple[int, int, int]:
    """(quantity, cost, realized)."""
    row = position[0]
    return int(row["qty_units"]), int(row["cost_units"]), int(row["realized_units"])


def test_average_cost_by_hand() -> None:
    position = np.zeros(1, POSITION)
    assert buy_at(position, 100, 10) == 0
    assert buy_at(position, 51, 5) == 0
    assert held(position) == (15, 151, 0)
    # 4 of 15 cost ⌊151 · 4 / 15⌋ = 40; sold for 60.
    assert sell_at(position, 60, 4) == 20
    assert held(position) == (11, 111, 20)
    # All that is left, whatever the rounding left of its cost.
    assert sell_at(position, 100, 11) == -11
    assert held(position) == (0, 0, 9)


def test_a_short_position_is_opened_closed_and_flipped() -> None:
    position = np.zeros(1, POSITION)
    assert sell_at(position, 100, 10) == 0
    assert held(position) == (-10, -100, 0)
    # 3 of 10 had brought ⌊100 · 3 / 10⌋ = 30; bought back for 36.
    assert buy_at(position, 36, 3) == -6
    assert held(position) == (-7, -70, -6)
    # 10 for 65: 7 close (⌊65 · 7 / 10⌋ = 45 of the money), 3 open for the other 20.
    assert buy_at(position, 65, 10) == 25
    assert held(position) == (3, 20, 19)
    # 5 for 33: 3 close (⌊33 · 3 / 5⌋ = 19), 2 open short for 14.
    assert sell_at(position, 33, 5) == -1
    assert held(position) == (-2, -14, 18)


def test_a_buy_that_brings_nothing_is_a_loss() -> None:
    position = np.zeros(1, POSITION)
    assert buy_at(position, 7, 0) == -7
    assert held(position) == (0, 0, -7)


UNITS = st.one_of(st.integers(0, 50), st.integers(0, 2**40))
MOVES = st.lists(st.tuples(st.booleans(), UNITS, UNITS), max_size=30)


@given(MOVES, st.integers(0, 1000))
def test_realized_and_unrealized_are_money_out_less_money_in(moves: list[tuple[bool, int, int]], mark: int) -> None:
    position, paid, got, quantity, realized_sum = np.zeros(1, POSITION), 0, 0, 0, 0
    for is_buy, money, base in moves:
        if is_buy:
            realized_sum += buy_at(position, money, base)
            paid, quantity = paid + money, quantity + base
        else:
            realized_sum += sell_at(position, money, base + 1)
            got, quantity = got + money, quantity - base - 1
        qty, cost, realized = held(position)
        assert qty == quantity and realized == realized_sum
        assert realized + qty * mark - cost == got - paid + qty * mark, (
            "pnl is what came out, went in, and is still held"
        )
        assert (qty > 0 and cost >= 0) or (qty < 0 and cost <= 0) or (qty == 0 and cost == 0)


@given(MOVES)
def test_average_cost_is_the_exact_one_but_for_a_unit_a_fill(moves: list[tuple[bool, int, int]]) -> None:
    position = np.zeros(1, POSITION)
    quantity, cost = 0, Fraction(0)
    for count, (is_buy, money, base) in enumerate(moves, 1):
        signed = base if is_buy else -(base + 1)
        if is_buy:
            buy_at(position, money, base)
        else:
            sell_at(position, money, base + 1)
        spent = Fraction(money if is_buy else -money)
        if signed == 0:
            continue
        if quantity == 0 or (quantity > 0) == (signed > 0):
            cost += spent
        elif abs(signed) <= abs(quantity):
            cost -= cost * abs(signed) / abs(quantity)
        else:
            cost = spent * (abs(signed) - abs(quantity)) / abs(signed)
        quantity += signed
        assert int(position[0]["qty_units"]) == quantity
        assert abs(int(position[0]["cost_units"]) - cost) <= count


def test_bots_hold_their_own_and_the_account_holds_all() -> None:
    room = Room()
    room.quote(99, 100, 101, 100)
    room.buy(10, bot=1)
    room.sell(4, bot=2)
    room.buy(1)
    assert room.position(1) == (10, 1010, 0)
    assert room.position(2) == (-4, -396, 0)
    # The account bought 10 for 1,010, sold 4 of them for 396 (they cost 404), and the owner bought 1 for 101.
    assert room.position(0) == (7, 707, -8)


def test_every_posting_carries_bot_and_order() -> None:
    room = Room()
    room.quote(99, 100, 101, 100)
    room.buy(10, bot=1)
    room.submit(SELL, 4, 120, bot=2)
    room.submit(BUY, 4, 80)
    rows = [row for rows in room.rows for row in rows if int(row["kind"]) == 2]
    assert [(int(row["bot"]), int(row["order_id"])) for row in rows] == [
        (0, 0),
        (0, 0),
        (1, 1),
        (1, 1),
        (1, 1),
        (1, 1),
        (2, 2),
        (0, 3),
    ]


def test_deposits_have_bounds() -> None:
    room = Room(deposits={})
    asset = room.assets[1]
    for amount in (0, -1, 2**60 + 1):
        assert room.put(commands.deposit(0, asset, amount)) == ["command refused invalid_amount"]
    for _ in range(4):
        assert room.put(commands.deposit(0, asset, 2**60)) == [f"opening {2**60} Q"]
    assert room.put(commands.deposit(0, asset, 1)) == ["command refused invalid_amount"], "2^62 is all that can be held"
