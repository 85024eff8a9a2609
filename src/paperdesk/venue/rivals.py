"""The rivals of an order: orders of its own account on the other side that wait, or rest, at or through its price. It must not trade with them.

Whoever has none pays a look at two numbers: the account's open lots on the other side, and the best price at which anybody of the desk rests there.
"""

from typing import Any, Final

from paperdesk.domain.events import SelfTrade
from paperdesk.domain.kernel import kernel
from paperdesk.venue import book, levels
from paperdesk.venue.book import UNKNOWN
from paperdesk.venue.estimates import ahead_lots
from paperdesk.venue.kinds import BUY, is_market, stays
from paperdesk.venue.places import HELD, RESTING

NO_PREVENTION: Final = int(SelfTrade.NONE)


@kernel
def may_have_rival(s: Any, order: Any, limit: int) -> bool:
    """False where two numbers say that there is none."""
    position = s.account_positions[order.account, order.instrument]
    if (position.open_sell_lots if order.side == BUY else position.open_buy_lots) == 0:
        return False
    if s.n_held[order.instrument] > 0:
        return True
    side = 2 - order.side
    if s.n_levels[order.instrument, side] == 0:
        return False
    return book.reaches(order.side, s.levels[s.level_at[order.instrument, side, 0]].price_ticks, limit)


@kernel
def best_rival(s: Any, order: Any, limit: int) -> int:
    """Row of the rival that stands first by price, then by when it began to rest (who has not yet, behind, by id); or UNKNOWN."""
    found = UNKNOWN
    if limit == 0 or not may_have_rival(s, order, limit):
        return found
    slot = s.accounts[order.account].first_order - 1
    while slot >= 0:
        other = s.orders[slot]
        waits = other.place == RESTING or (other.place == HELD and not is_market(other) and stays(other))
        if waits and other.instrument == order.instrument and other.side != order.side:
            reached = book.reaches(order.side, other.price_ticks, limit)
            if reached and (found == UNKNOWN or stands_first(other, s.orders[found])):
                found = slot
        slot = other.next - 1
    return found


@kernel
def stands_first(a: Any, b: Any) -> bool:
    """Whether rival a comes before b, which has a smaller id."""
    if a.price_ticks != b.price_ticks:
        return book.better(a.side - 1, a.price_ticks, b.price_ticks)
    if (a.rested == 0) != (b.rested == 0):
        return bool(a.rested != 0)
    return bool(a.rested != 0 and a.rank < b.rank)


@kernel
def first_rival(s: Any, order: Any, limit: int) -> int:
    """`best_rival`, or UNKNOWN for an order that does not care."""
    return UNKNOWN if order.self_trade == NO_PREVENTION else best_rival(s, order, limit)


@kernel
def meets_own(s: Any, order: Any) -> bool:
    """Whether a limit order has a rival at all, whatever its mode."""
    return best_rival(s, order, order.price_ticks) != UNKNOWN


@kernel
def lots_before(s: Any, rival: int, level: int) -> int:
    """Of the visible level at a rival's price: what its account believes to stand ahead of it and has not used up; all, where that is unknown."""
    order = s.orders[rival]
    side, market = order.side - 1, s.markets[order.instrument]
    assert market.ticks[side, level] == order.price_ticks, "a rival stands at its own price"
    shown, free = market.lots[side, level], book.available_lots(s, order.account, order.instrument, side, level)
    if order.place != RESTING or order.most_key == UNKNOWN:
        return free
    known, bound = s.levels[order.level - 1], levels.bound_of(s, rival, 0)
    ahead = levels.most_ahead(s, known, bound)
    front = ahead_lots(levels.model_of(s, order), ahead, levels.least_ahead(known, order))
    return max(0, min(shown, front) - (shown - free))
