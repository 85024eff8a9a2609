"""The full recomputation: nothing to say of sound books, and a name for each thing that can be wrong with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.engine.material import busy_room
from tests.engine.room import BUY, Room

from paperdesk.engine.books import Fault
from paperdesk.engine.fold import Fold
from paperdesk.ledger.journal import FREE, RESERVED, VENUE


def a_unit_from_nowhere(room: Room) -> None:
    """A balance grows without another side."""
    room.state["balances"][0, 1, FREE] += 1


def more_spent_than_there_is(room: Room) -> None:
    """The row sums to zero, but free is below it."""
    row = room.state["balances"][3, 0]
    row[VENUE] += row[FREE] + 1
    row[FREE] = -1


def reserved_for_nobody(room: Room) -> None:
    """Something is reserved that no order holds."""
    room.state["balances"][0, 1, FREE] -= 1
    room.state["balances"][0, 1, RESERVED] += 1


def slot_of(room: Room, order_id: int) -> int:
    """Row of an order of account 0."""
    rows = room.state["orders"]
    return int(((rows["id"] == order_id) & (rows["account"] == 0)).nonzero()[0][0])


def a_sale_that_holds_too_little(room: Room) -> None:
    """A sale's reserve and the ledger agree with each other, but not with the order."""
    room.state["orders"][slot_of(room, 4)]["reserved_units"] -= 1
    room.state["balances"][0, 0, FREE] += 1
    room.state["balances"][0, 0, RESERVED] -= 1


def a_buy_that_holds_too_much(room: Room) -> None:
    """The same of a limit buy."""
    room.state["orders"][slot_of(room, 7)]["reserved_units"] += 1
    room.state["balances"][0, 1, FREE] -= 1
    room.state["balances"][0, 1, RESERVED] += 1


def lots_that_nobody_ordered(room: Room) -> None:
    """A position counts an open order that is not there."""
    room.state["account_positions"][0, 0]["open_sell_lots"] += 1


@pytest.mark.parametrize(
    ("harm", "account", "fault"),
    [
        (a_unit_from_nowhere, 0, Fault.UNBALANCED),
        (more_spent_than_there_is, 3, Fault.NEGATIVE),
        (reserved_for_nobody, 0, Fault.RESERVE_SUM),
        (a_sale_that_holds_too_little, 0, Fault.RESERVE_NEED),
        (a_buy_that_holds_too_much, 0, Fault.RESERVE_NEED),
        (lots_that_nobody_ordered, 0, Fault.OPEN_LOTS),
    ],
)
def test_each_fault_is_found_and_named(harm: Callable[[Room], None], account: int, fault: Fault) -> None:
    room = busy_room()
    assert room.fold.faults() == []
    harm(room)
    assert room.fold.faults() == [(account, fault)]


def test_a_market_buy_may_hold_more_or_less_than_it_will_cost() -> None:
    room = Room(deposits={"Q": 2_000})
    room.trade(100, 1)
    room.buy(10)
    room.trade(104, 5)  # half of it, at 106
    assert room.order(1)["reserved_units"] == 1_050 - 530
    assert room.fold.faults() == []
    slot = slot_of(room, 1)
    room.state["orders"][slot]["reserved_units"] = -1
    room.state["balances"][0, 1, RESERVED] = -1
    room.state["balances"][0, 1, VENUE] += 521
    assert room.fold.faults() == [(0, Fault.NEGATIVE)]


def test_an_empty_desk_has_no_faults_and_no_worth() -> None:
    assert Fold().faults() == []
    room = Room(deposits={"Q": 7})
    assert room.fold.equity(0) == 7
    room = Room()
    assert room.fold.equity(0) is None, "nobody knows what B is worth"
    room.submit(BUY, 1, 5)
    room.trade(10, 1)
    assert room.fold.equity(0) == 100_000 + 10_000
