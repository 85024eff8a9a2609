"""Order lists: which orders hang together, and how.

An OCO is a *pair*: two orders of one side and quantity of which one at most is filled. In an OTO a *working* order, once filled whole, sends
a *pending* one; in an OTOCO a pending pair. Legs have ids one after the other, from `list_id` on; `list_leg` = LEG_BASE · kind + place. A
pending leg is submitted and its `activated_ns` 0; it holds no funds and counts nowhere. Of a pair one leg holds the funds of both, and its
lots are counted once.
"""

from typing import Any, Final

from paperdesk.domain.events import ListKind
from paperdesk.domain.kernel import kernel
from paperdesk.domain.orders import OrderStatus
from paperdesk.venue.book import UNKNOWN
from paperdesk.venue.kinds import BUY

OCO, OTO, OTOCO = int(ListKind.OCO), int(ListKind.OTO), int(ListKind.OTOCO)
LEG_BASE: Final = 8
FIRST_LIVE, LAST_LIVE, DONE = int(OrderStatus.SUBMITTED), int(OrderStatus.PARTIALLY_FILLED), int(OrderStatus.FILLED)


@kernel
def leg_count(kind: int) -> int:
    """How many orders a list of a kind has; 0 for an unknown kind."""
    if kind == OCO or kind == OTO:
        return 2
    return 3 if kind == OTOCO else 0


@kernel
def first_of_pair(kind: int) -> int:
    """The leg that a kind's exclusive pair begins with; UNKNOWN where it has none."""
    if kind == OCO:
        return 0
    return 1 if kind == OTOCO else UNKNOWN


@kernel
def is_working(order: Any) -> bool:
    """Whether a whole fill of an order sends others."""
    return bool(order.list_leg == LEG_BASE * OTO or order.list_leg == LEG_BASE * OTOCO)


@kernel
def is_pending(order: Any) -> bool:
    """Whether a live order still waits for the working order of its list."""
    kind, leg = order.list_leg // LEG_BASE, order.list_leg % LEG_BASE
    return bool((kind == OTO or kind == OTOCO) and leg > 0 and order.activated_ns == 0)


@kernel
def live_leg(s: Any, slot: int, leg: int) -> int:
    """Row of another leg of an order's list, or UNKNOWN where it is done. An account's rows are chained by id, so it stands near."""
    order = s.orders[slot]
    wanted = order.list_id + leg
    assert order.list_id > 0 and wanted != order.id, "another leg of a list"
    at = slot
    while at >= 0 and s.orders[at].id < wanted:
        at = s.orders[at].next - 1
    while at >= 0 and s.orders[at].id > wanted:
        at = s.orders[at].previous - 1
    if at < 0 or s.orders[at].id != wanted or not FIRST_LIVE <= s.orders[at].status <= LAST_LIVE:
        return UNKNOWN
    return at


@kernel
def sibling(s: Any, slot: int) -> int:
    """Row of the live order that excludes this one, or UNKNOWN. Legs that are still pending exclude nobody."""
    order = s.orders[slot]
    if order.list_id == 0 or is_pending(order):
        return UNKNOWN
    first, leg = first_of_pair(order.list_leg // LEG_BASE), order.list_leg % LEG_BASE
    if first == UNKNOWN or leg < first:
        return UNKNOWN
    other = live_leg(s, slot, 2 * first + 1 - leg)
    return UNKNOWN if other == UNKNOWN or is_pending(s.orders[other]) else other


@kernel
def counts_lots(s: Any, slot: int) -> bool:
    """Whether the open lots of an order are counted for it: not while it is pending, and of a pair once."""
    order = s.orders[slot]
    return bool(order.list_id == 0 or (not is_pending(order) and sibling(s, slot) == UNKNOWN))


@kernel
def other_legs(s: Any, slot: int) -> tuple[int, int]:
    """Rows of the other live legs of a list, by id; UNKNOWN where there are fewer."""
    order = s.orders[slot]
    leg, first, second = order.list_leg % LEG_BASE, UNKNOWN, UNKNOWN
    for place in range(leg_count(order.list_leg // LEG_BASE)):
        if place != leg:
            found = live_leg(s, slot, place)
            if found != UNKNOWN:
                first, second = (found, UNKNOWN) if first == UNKNOWN else (first, found)
    return first, second


@kernel
def after_list(s: Any, slot: int) -> int:
    """Row of the account's next order by id that does not hang together with this one, or UNKNOWN."""
    list_id, at = s.orders[slot].list_id, s.orders[slot].next - 1
    while at >= 0 and list_id > 0 and s.orders[at].list_id == list_id:
        at = s.orders[at].next - 1
    return at


@kernel
def sent_ns(order: Any) -> int:
    """From when on an order can meet evidence: since it was sent, or activated."""
    return max(order.submitted_ns, order.activated_ns)


@kernel
def count_brought(s: Any, slot: int, base_units: int) -> None:
    """A working buy's fill brought base units after its fee: no more than the whole of them can a pending sale give."""
    if is_working(s.orders[slot]):
        first, second = other_legs(s, slot)
        if first != UNKNOWN:
            s.orders[first].brought_units += base_units
        if second != UNKNOWN:
            s.orders[second].brought_units += base_units


@kernel
def note_filled(s: Any, slot: int) -> None:
    """Remember that a working order was filled whole: its pending legs are sent when the event at hand has met all orders."""
    if is_working(s.orders[slot]):
        first, _ = other_legs(s, slot)
        assert first != UNKNOWN, "a working order ends with its pending legs"
        s.ready[s.n_ready] = 2 * first + (1 if s.orders[slot].side == BUY else 0)
        s.n_ready += 1
