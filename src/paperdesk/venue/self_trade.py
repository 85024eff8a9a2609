"""Self-trade prevention: what happens where an order would meet one that waits in its own account (`venue/rivals.py`). The mode is the taker's."""

from typing import Any, Final

from paperdesk.domain.events import SelfTrade
from paperdesk.domain.kernel import kernel
from paperdesk.domain.reasons import Reason
from paperdesk.venue import orders
from paperdesk.venue.book import UNKNOWN
from paperdesk.venue.decreasing import decrease
from paperdesk.venue.kinds import DECREMENT, EXPIRE_MAKER, FOK, is_market
from paperdesk.venue.pairs import stand_alone
from paperdesk.venue.rivals import first_rival

EXPIRE_TAKER, EXPIRE_BOTH = int(SelfTrade.EXPIRE_TAKER), int(SelfTrade.EXPIRE_BOTH)
EXPIRED_IN_MATCH: Final = int(Reason.EXPIRED_IN_MATCH)
FOK_NOT_FILLED: Final = int(Reason.FOK_NOT_FILLED)


@kernel
def expire(s: Any, slot: int, other: int) -> None:
    """End an order that would have met order `other` of its account."""
    first, second = orders.legs_beside(s, slot)
    row = orders.name_order(s, orders.ORDER_EXPIRED, slot, EXPIRED_IN_MATCH)
    row.cause = other
    orders.apply_order(s, row, slot)
    orders.release_rest(s, slot)
    orders.retire(s, slot)
    orders.end_legs(s, first, second)


@kernel
def meet(s: Any, slot: int, rival: int, limit: int) -> int:
    """An order meets a rival: its mode says who ends or becomes smaller. Returns the next rival, or UNKNOWN where there is none or the order is done."""
    taker, maker = s.orders[slot], s.orders[rival]
    mode, taker_id, maker_id = taker.self_trade, taker.id, maker.id
    taker_open, maker_open = taker.qty_lots - taker.filled_lots, maker.qty_lots - maker.filled_lots
    lots = min(taker_open, maker_open)
    assert lots > 0, "who meets has something open"
    maker_ends = mode == EXPIRE_MAKER or mode == EXPIRE_BOTH or (mode == DECREMENT and maker_open == lots)
    taker_ends = mode == EXPIRE_TAKER or mode == EXPIRE_BOTH or (mode == DECREMENT and taker_open == lots)
    assert maker_ends or taker_ends, "they do not meet again"
    if maker_ends:
        expire(s, rival, taker_id)
    elif mode == DECREMENT:
        stand_alone(s, rival)
        decrease(s, rival, maker.qty_lots - lots, EXPIRED_IN_MATCH, taker_id)
    if taker_ends:
        expire(s, slot, maker_id)
        return UNKNOWN
    if mode == DECREMENT:
        decrease(s, slot, taker.qty_lots - lots, EXPIRED_IN_MATCH, maker_id)
    return first_rival(s, taker, limit)


@kernel
def meet_waiting(s: Any, slot: int) -> None:
    """Without a book: a limit order meets its rivals before it waits for evidence. A FOK may not meet any, but those that would give way, if it is filled."""
    order = s.orders[slot]
    if is_market(order):
        return
    limit = order.price_ticks
    rival = first_rival(s, order, limit)
    if order.time_in_force == FOK:
        if rival != UNKNOWN and order.self_trade != EXPIRE_MAKER:
            orders.finish(s, slot, orders.ORDER_EXPIRED, FOK_NOT_FILLED)
        return
    while rival != UNKNOWN:
        rival = meet(s, slot, rival, limit)
