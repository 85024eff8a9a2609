"""The life of an order, as a table. A move that is not in it is a bug and raises.

submitted → accepted → partially_filled → filled, with canceled, expired and rejected on the way; denied orders never leave us.
What expires while it is submitted is a leg of a list that still waits for another one to be filled.
"""

from enum import IntEnum
from typing import Final


class OrderStatus(IntEnum):
    """FIX spelling. 0 is a free row of the order table."""

    NONE = 0
    DENIED = 1
    SUBMITTED = 2
    ACCEPTED = 3
    PARTIALLY_FILLED = 4
    FILLED = 5
    CANCELED = 6
    EXPIRED = 7
    REJECTED = 8


MOVES: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    OrderStatus.NONE: frozenset({OrderStatus.DENIED, OrderStatus.SUBMITTED}),
    OrderStatus.DENIED: frozenset(),
    OrderStatus.SUBMITTED: frozenset(
        {OrderStatus.ACCEPTED, OrderStatus.REJECTED, OrderStatus.CANCELED, OrderStatus.EXPIRED}
    ),
    OrderStatus.ACCEPTED: frozenset(
        {OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED}
    ),
    OrderStatus.PARTIALLY_FILLED: frozenset(
        {OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED}
    ),
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
}

DONE: Final = frozenset(status for status, moves in MOVES.items() if not moves)
LIVE: Final = frozenset({OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED})

ALLOWED: Final = tuple(tuple(target in MOVES[source] for target in OrderStatus) for source in OrderStatus)
"""ALLOWED[source][target], for compiled code."""


def move(source: OrderStatus, target: OrderStatus) -> OrderStatus:
    """The target, if the table allows the move; else ValueError naming both ends."""
    if target not in MOVES[source]:
        raise ValueError(f"an order cannot go from {source.name.lower()} to {target.name.lower()}")
    return target
