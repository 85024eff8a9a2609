"""The life of an order: every pair of statuses, allowed or not."""

from __future__ import annotations

from itertools import product

import pytest

from paperdesk.domain.orders import ALLOWED, DONE, LIVE, MOVES, OrderStatus, move

S = OrderStatus
EXPECTED = {
    (S.NONE, S.DENIED),
    (S.NONE, S.SUBMITTED),
    (S.SUBMITTED, S.ACCEPTED),
    (S.SUBMITTED, S.REJECTED),
    (S.SUBMITTED, S.CANCELED),
    (S.SUBMITTED, S.EXPIRED),
    (S.ACCEPTED, S.PARTIALLY_FILLED),
    (S.ACCEPTED, S.FILLED),
    (S.ACCEPTED, S.CANCELED),
    (S.ACCEPTED, S.EXPIRED),
    (S.PARTIALLY_FILLED, S.PARTIALLY_FILLED),
    (S.PARTIALLY_FILLED, S.FILLED),
    (S.PARTIALLY_FILLED, S.CANCELED),
    (S.PARTIALLY_FILLED, S.EXPIRED),
}
"""The whole table once more, written out by hand."""


@pytest.mark.parametrize(("source", "target"), list(product(S, S)), ids=lambda status: status.name.lower())
def test_every_move(source: OrderStatus, target: OrderStatus) -> None:
    """A move of the table is made; any other raises and names both ends."""
    allowed = (source, target) in EXPECTED
    assert ALLOWED[source][target] is allowed
    if allowed:
        assert move(source, target) is target
        return
    with pytest.raises(ValueError, match=f"cannot go from {source.name.lower()} to {target.name.lower()}"):
        move(source, target)


def test_every_status_has_a_line_and_ends_or_goes_on() -> None:
    """Live and done share nothing, and with NONE they are all."""
    assert set(MOVES) == set(S)
    assert not DONE & LIVE
    assert DONE | LIVE | {S.NONE} == set(S)
    assert {S.DENIED, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED} == DONE


def test_every_status_can_be_reached_and_every_live_one_ends() -> None:
    """No status is dead text, and no order can be caught alive."""
    reached, frontier = {S.NONE}, [S.NONE]
    while frontier:
        for target in MOVES[frontier.pop()] - reached:
            reached.add(target)
            frontier.append(target)
    assert reached == set(S)
    assert all(MOVES[status] & DONE for status in LIVE)
