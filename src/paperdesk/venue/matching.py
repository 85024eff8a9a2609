"""Where fills are decided: what an order meets when it executes.

With a book: orders walk the visible levels and pay taker; the rest waits in a queue (`venue/queue.py`) and is filled when the price trades
through, or at its price after the quantity ahead has traded, or when the other side of the book comes to it. Without a book, orders
wait for the next trade or bar (`venue/tape.py`). The rules are docs/venue-rules.md, sections 5 and 6.
"""

from typing import Any, Final

from paperdesk.domain.events import FillRule
from paperdesk.domain.kernel import kernel
from paperdesk.domain.reasons import Reason
from paperdesk.venue import book, orders, places, self_trade
from paperdesk.venue.book import BOOK, LIVE, UNKNOWN, best
from paperdesk.venue.fills import fill
from paperdesk.venue.filters import arrival_reason, stop_price
from paperdesk.venue.kinds import FOK, collar, has_trigger, is_market, stays
from paperdesk.venue.rivals import first_rival, lots_before
from paperdesk.venue.whole import fills_whole

BOOK_WALK: Final = int(FillRule.BOOK_WALK)
IOC_REMAINDER, FOK_NOT_FILLED, NO_LIQUIDITY = (
    int(Reason.IOC_REMAINDER),
    int(Reason.FOK_NOT_FILLED),
    int(Reason.NO_LIQUIDITY),
)


@kernel
def arrive(s: Any, slot: int) -> None:
    """An order reaches the venue: rejected with a reason, or accepted and put to work."""
    order = s.orders[slot]
    places.leave_place(s, slot)
    reason = arrival_reason(s, order)
    if reason != 0:
        orders.finish(s, slot, orders.ORDER_REJECTED, reason)
        return
    orders.state_order(s, orders.ORDER_ACCEPTED, slot, 0)
    if has_trigger(order):
        last = stop_price(s.markets[order.instrument], order.side)
        if order.trail_bips > 0 and order.trigger_ticks == 0 and last > 0:
            orders.state_price(s, orders.ORDER_ACTIVATED, slot, last, last)
        places.enter_stops(s, slot)
    else:
        execute(s, slot)


@kernel
def execute(s: Any, slot: int) -> None:
    """Let an accepted order (or a triggered stop) meet the market as it is."""
    order = s.orders[slot]
    if s.markets[order.instrument].evidence != BOOK:
        if order.post_only == 1:
            rest_unqueued(s, order)
        else:
            self_trade.meet_waiting(s, slot)
        if orders.is_unfinished(order):
            places.enter_held(s, slot)
        return
    walk(s, slot)
    if not orders.is_unfinished(order):
        return
    if is_market(order):
        orders.finish(s, slot, orders.ORDER_EXPIRED, NO_LIQUIDITY)
    elif stays(order):
        rest(s, slot)
    else:
        orders.finish(s, slot, orders.ORDER_EXPIRED, IOC_REMAINDER)


@kernel
def walk_limit(s: Any, order: Any) -> int:
    """The worst price an executing order may pay, or 0 where there is none to go by."""
    if not is_market(order):
        limit: int = order.price_ticks
        return limit
    market = s.markets[order.instrument]
    top = best(market, 2 - order.side)
    assert market.status == LIVE or top == 0, "what is not to be trusted shows nothing"
    return collar(order.side, top) if top > 0 else 0


@kernel
def walk(s: Any, slot: int) -> None:
    """Take from the visible book, best level first, what the account has not used up, and meet rivals where they stand; an unfillable FOK ends whole."""
    order = s.orders[slot]
    limit = walk_limit(s, order)
    rival = first_rival(s, order, limit)
    if order.time_in_force == FOK and not fills_whole(s, order, limit, rival):
        orders.finish(s, slot, orders.ORDER_EXPIRED, FOK_NOT_FILLED)
        return
    opposite, market = 2 - order.side, s.markets[order.instrument]
    for level in range(market.count[opposite]):
        ticks = market.ticks[opposite, level]
        if not orders.is_unfinished(order) or not book.reaches(order.side, ticks, limit):
            break
        while rival != UNKNOWN and book.better(opposite, s.orders[rival].price_ticks, ticks):
            rival = self_trade.meet(s, slot, rival, limit)
        while rival != UNKNOWN and s.orders[rival].price_ticks == ticks:
            take(s, slot, level, lots_before(s, rival, level))
            rival = self_trade.meet(s, slot, rival, limit) if orders.is_unfinished(order) else UNKNOWN
        if orders.is_unfinished(order):
            take(s, slot, level, order.qty_lots)
    while rival != UNKNOWN and orders.is_unfinished(order):
        rival = self_trade.meet(s, slot, rival, limit)


@kernel
def take(s: Any, slot: int, level: int, most: int) -> None:
    """Take up to so many lots from a visible level, as far as the account has not used it up."""
    order = s.orders[slot]
    account, instrument, opposite = order.account, order.instrument, 2 - order.side
    market = s.markets[instrument]
    lots = min(book.available_lots(s, account, instrument, opposite, level), order.qty_lots - order.filled_lots, most)
    if lots > 0:
        ticks, shown = market.ticks[opposite, level], market.lots[opposite, level]
        filled = fill(s, slot, ticks, lots, orders.TAKER, BOOK_WALK, shown, ticks, UNKNOWN, UNKNOWN)
        if filled > 0:
            book.use_lots(s.used[book.used_row(s, account, instrument)], market, opposite, level, filled)


@kernel
def rest_unqueued(s: Any, order: Any) -> None:
    """Mark an order as resting from now on: its rank in the account."""
    account = s.accounts[order.account]
    assert order.rested == 0, "an order begins to rest once"
    order.rank = account.next_rank
    account.next_rank += 1
    order.rested = 1


@kernel
def rest(s: Any, slot: int) -> None:
    """Put what is left of a limit order behind what is displayed at its price."""
    rest_unqueued(s, s.orders[slot])
    places.enter_resting(s, slot)


@kernel
def execute_held(s: Any, instrument: int) -> None:
    """A first picture arrived: what rested under weaker evidence joins the queue, the rest executes."""
    waiting = s.n_held[instrument]
    for i in range(waiting):
        slot = places.next_to_rest(s, instrument, i, waiting)
        if slot != UNKNOWN:
            s.orders[slot].place = places.NOWHERE
            places.enter_resting(s, slot)
    kept = 0
    for i in range(waiting):
        slot = s.held[instrument, i]
        if s.orders[slot].rested == 0:
            s.held[instrument, kept] = slot
            kept += 1
    s.n_held[instrument] = kept
    while s.n_held[instrument] > 0:
        slot = s.held[instrument, 0]
        places.leave_place(s, slot)
        execute(s, slot)
