"""The full recomputation: do orders, reserves and postings still agree, everywhere at once?

Each posting checks what it touches; this checks everything, from the rows alone. It runs at every snapshot, every ten seconds of a run,
and after every event in simulation. A number above zero says what is wrong, and the desk stops.
"""

from enum import IntEnum
from typing import Any

from numba import int64

from paperdesk.domain.kernel import entry, kernel, rows_of
from paperdesk.engine.state import STATE
from paperdesk.ledger.journal import BUCKETS, FREE, RESERVED
from paperdesk.venue.book import UNKNOWN
from paperdesk.venue.fills import needed_units, paid_units
from paperdesk.venue.kinds import BUY, is_market
from paperdesk.venue.lists import counts_lots, is_pending, sibling
from paperdesk.venue.orders import is_unfinished, reserve_asset


class Fault(IntEnum):
    """What can be wrong with the books."""

    NONE = 0
    UNBALANCED = 1
    NEGATIVE = 2
    RESERVE_SUM = 3
    RESERVE_NEED = 4
    OPEN_LOTS = 5


UNBALANCED, NEGATIVE, RESERVE_SUM, RESERVE_NEED, OPEN_LOTS = (int(fault) for fault in Fault if fault)


@kernel
def row_fault(s: Any, account: int, asset: int) -> int:
    """Whether one (account, asset) row sums to zero, and holds in reserve what its orders say they hold."""
    buckets = s.balances[account, asset]
    total = 0
    for bucket in range(BUCKETS):
        total += buckets[bucket]
    if total != 0:
        return UNBALANCED
    if buckets[FREE] < 0 or buckets[RESERVED] < 0:
        return NEGATIVE
    held = 0
    slot = s.accounts[account].first_order - 1
    while slot >= 0:
        order = s.orders[slot]
        if is_unfinished(order) and reserve_asset(s, order) == asset:
            held += order.reserved_units
        slot = order.next - 1
    return RESERVE_SUM if held != buckets[RESERVED] else 0


@kernel
def order_fault(s: Any, order: Any) -> int:
    """Whether one live order holds what it needs: sells their base units, limit buys enough for all that is open at their price."""
    definition = s.instruments[order.instrument]
    assert order.qty_lots > order.filled_lots, "a live order has something open"
    if order.side != BUY:
        need = (order.qty_lots - order.filled_lots) * definition.base_units_per_lot
        return RESERVE_NEED if order.reserved_units != need else 0
    if order.budget_units > 0:
        left = order.budget_units - paid_units(definition, order, order.value)
        return RESERVE_NEED if order.reserved_units != left else 0
    if is_market(order):
        return NEGATIVE if order.reserved_units < 0 else 0
    return RESERVE_NEED if order.reserved_units != needed_units(definition, order) else 0


@kernel
def is_counted(s: Any, slot: int) -> bool:
    """Whether an order's open lots are among those of its position: of a pair those of the one leg with the smaller id."""
    if counts_lots(s, slot):
        return True
    other = sibling(s, slot)
    return bool(other != UNKNOWN and s.orders[slot].id < s.orders[other].id)


@kernel
def leg_fault(s: Any, slot: int) -> int:
    """Whether a live order of a list holds what it must: nothing while it is pending, or while its sibling holds enough for both."""
    order, other = s.orders[slot], sibling(s, slot)
    if is_pending(order):
        return RESERVE_NEED if order.reserved_units != 0 else 0
    if other == UNKNOWN or order.reserved_units > 0:
        both = other != UNKNOWN and s.orders[other].reserved_units > 0
        return RESERVE_NEED if both else order_fault(s, order)
    return RESERVE_NEED if s.orders[other].reserved_units == 0 or order.filled_lots > 0 else 0


@kernel
def lots_fault(s: Any, account: int) -> int:
    """Whether the open lots of each of an account's positions are those of its live orders there; and each order's own reserve."""
    for instrument in range(s.n_instruments):
        position = s.account_positions[account, instrument]
        buys, sells = position.open_buy_lots, position.open_sell_lots
        slot = s.accounts[account].first_order - 1
        while slot >= 0:
            order = s.orders[slot]
            if is_unfinished(order) and order.instrument == instrument:
                lots = order.qty_lots - order.filled_lots if is_counted(s, slot) else 0
                if order.side == BUY:
                    buys -= lots
                else:
                    sells -= lots
                fault = leg_fault(s, slot) if order.list_id > 0 else order_fault(s, order)
                if fault != 0:
                    return fault
            slot = order.next - 1
        if buys != 0 or sells != 0:
            return OPEN_LOTS
    return 0


@entry(rows_of(STATE), int64)
def books_fault(state: Any, account: int) -> int:
    """0, or what is wrong with an account's books (`Fault`); state of shape (1,)."""
    s = state[0]
    for asset in range(s.n_assets):
        fault = row_fault(s, account, asset)
        if fault != 0:
            return fault
    return lots_fault(s, account)
