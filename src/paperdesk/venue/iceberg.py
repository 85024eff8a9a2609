"""Iceberg orders: a limit order of which only a part is shown; the rest stands hidden behind it and comes up part by part.

Parts are counted from what the order took as a taker on: the shown part is what is left of the part at hand. A trade at its price fills
the shown part at most; what then comes up joins the queue of the price at its end, after the event. What reaches beyond the price,
a trade through it, the other side of a book, or its own walk on arrival, meets the hidden rest too. The rules are docs/venue-rules.md, section 6.1.
"""

from typing import Any, Final

from paperdesk.domain.events import OutputKind
from paperdesk.domain.kernel import kernel
from paperdesk.domain.orders import OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.venue import levels, places

ICEBERG_PARTS, LOT_SIZE = int(Reason.ICEBERG_PARTS), int(Reason.LOT_SIZE)
PARTIALLY_FILLED: Final = int(OrderStatus.PARTIALLY_FILLED)
FILL: Final = int(OutputKind.FILL)


@kernel
def shown_lots(order: Any) -> int:
    """What is open of the part at hand; of an order that hides nothing all that is open."""
    left: int = order.qty_lots - order.filled_lots
    if order.visible_lots == 0:
        return left
    return min(left, order.visible_lots - (order.filled_lots - order.taken_lots) % order.visible_lots)


@kernel
def parts_reason(definition: Any, order: Any) -> int:
    """The filters of icebergs: the shown part is a quantity too, and there are not too many parts."""
    if order.visible_lots == 0:
        return 0
    if order.visible_lots < definition.min_qty_lots or 0 < definition.max_qty_lots < order.visible_lots:
        return LOT_SIZE
    parts = (order.qty_lots - 1) // order.visible_lots + 1
    assert parts > 0, "an order has a part"
    return ICEBERG_PARTS if 0 < definition.max_iceberg_parts < parts else 0


@kernel
def note_part(s: Any, slot: int, row: int) -> None:
    """After a fill in the queue, the first from output `row` on: where it ended the shown part, the next one goes to the end of the queue after this event."""
    order = s.orders[slot]
    if order.visible_lots == 0 or order.status != PARTIALLY_FILLED or order.place != places.RESTING:
        return
    if (order.filled_lots - order.taken_lots) % order.visible_lots == 0:
        while s.outbox[row].kind != FILL:
            row += 1
        order.part_due = row + 1
        s.parts[s.n_parts] = slot
        s.n_parts += 1


@kernel
def join_parts(s: Any) -> None:
    """After an event: the parts that came up join the queues of their prices, in the order in which those before them ended. The fills that ended these
    tell what stands ahead of the new ones.
    """
    for place in range(s.n_parts):
        slot = s.parts[place]
        order = s.orders[slot]
        if order.part_due > 0:
            row, order.part_due = s.outbox[order.part_due - 1], 0
            assert order.place == places.RESTING and order.status == PARTIALLY_FILLED, "a part belongs to what rests"
            owner = s.accounts[order.account]
            order.rank = owner.next_rank
            owner.next_rank += 1
            places.leave_place(s, slot)
            places.enter_resting(s, slot)
            assert row.order_id == order.id, "the fill that ended the part before it"
            row.front_after_lots = levels.front_at_end(s, slot)
    s.n_parts = 0
