"""Fills where there is no book: the tape of trades, or closed bars. Evidence is a flow here, so orders wait for the next piece of it.

What a fill model believes is in `venue/estimates.py`: how much of what traded an account can have, what it pays beyond the print or the open,
whether a resting order is filled at touch. The same for all: in a bar, stops come before resting orders, and an order sent during a bar
waits for the next.
"""

from typing import Any, Final

from paperdesk.domain.events import FillRule
from paperdesk.domain.kernel import kernel
from paperdesk.domain.reasons import Reason
from paperdesk.venue.book import UNKNOWN, reaches
from paperdesk.venue.budget import wanted_lots
from paperdesk.venue.estimates import OPTIMISTIC, PESSIMISTIC, after_print, bar_lots, impact_ticks, touch_lots, worse
from paperdesk.venue.fills import countable_lots, fee_fits, fill, may_reduce, payable_lots, share_left
from paperdesk.venue.iceberg import shown_lots
from paperdesk.venue.intrabar import next_fired, walk_trails
from paperdesk.venue.kinds import BUY, FOK, TAKE_PROFIT_MARKET, UP, direction, is_market, is_reached, stays
from paperdesk.venue.lists import sent_ns
from paperdesk.venue.matching import rest_unqueued
from paperdesk.venue.orders import (
    MAKER,
    ORDER_EXPIRED,
    ORDER_TRIGGERED,
    TAKER,
    finish,
    is_unfinished,
    state_price,
)
from paperdesk.venue.pairs import stand_alone
from paperdesk.venue.places import before_held, enter_held, leave_place
from paperdesk.venue.self_trade import meet_waiting
from paperdesk.venue.trailing import awaited_ticks

TRADE_THROUGH, BAR_OPEN, BAR_THROUGH, BAR_STOP, TAPE_TAKE, TAPE_TOUCH = (
    int(FillRule.TRADE_THROUGH),
    int(FillRule.BAR_OPEN),
    int(FillRule.BAR_THROUGH),
    int(FillRule.BAR_STOP),
    int(FillRule.TAPE_TAKE),
    int(FillRule.TAPE_TOUCH),
)
IN_THIS_BAR: Final = 2
"""`rested` of an order that begins to rest in the bar at hand, which it must not meet again."""
IOC_REMAINDER: Final = int(Reason.IOC_REMAINDER)
FOK_NOT_FILLED: Final = int(Reason.FOK_NOT_FILLED)


@kernel
def passed(order_side: int, ticks: int, price_ticks: int) -> bool:
    """Whether a price lies strictly through an order's limit (BUY: below it)."""
    return ticks < price_ticks if order_side == BUY else ticks > price_ticks


@kernel
def fill_in_bar(s: Any, slot: int, ticks: int, e: Any, liquidity: int, rule: int, evidence_ticks: int) -> bool:
    """Fill an order from a bar's volume at a price, worse by its own impact where it takes, though not beyond its limit; whether it is still live."""
    order = s.orders[slot]
    model = s.accounts[order.account].fill_model - 1
    total = bar_lots(model, e.volume_lots)
    lots = min(share_left(s, order.account, total), order.qty_lots - order.filled_lots)
    if liquidity == TAKER and lots > 0:
        ticks = worse(order.side, ticks, impact_ticks(model, e.high_ticks - e.low_ticks, lots, e.volume_lots))
        if rule == BAR_STOP:
            ticks = min(ticks, e.high_ticks) if order.side == BUY else max(ticks, e.low_ticks)
        if not is_market(order) and passed(order.side, order.price_ticks, ticks):
            ticks = order.price_ticks
    return fill_from_flow(s, slot, ticks, total, liquidity, rule, evidence_ticks)


@kernel
def fill_from_flow(s: Any, slot: int, ticks: int, total: int, liquidity: int, rule: int, evidence_ticks: int) -> bool:
    """Fill an order from what is left of an event's quantity for its account; an unfillable FOK ends. Whether it is still live."""
    order = s.orders[slot]
    assert is_unfinished(order), "only live orders are filled"
    account, remaining, needed = order.account, order.qty_lots - order.filled_lots, wanted_lots(s, order, ticks)
    left = share_left(s, account, total)
    if order.time_in_force == FOK and (left < needed or not can_settle(s, order, ticks, needed)):
        finish(s, slot, ORDER_EXPIRED, FOK_NOT_FILLED)
        return False
    if left > 0:
        s.share_lots[account] -= fill(
            s, slot, ticks, min(remaining, left), liquidity, rule, total, evidence_ticks, UNKNOWN, UNKNOWN
        )
    return is_unfinished(order) and order.account == account


@kernel
def can_settle(s: Any, order: Any, ticks: int, lots: int) -> bool:
    """Whether so many lots of an order (there are some) can be counted and, for market buys, paid for at one price."""
    if lots == 0 or not may_reduce(s, order, lots):
        return False
    if countable_lots(s, order, ticks, lots) < lots or payable_lots(s, order, ticks, lots) < lots:
        return False
    return fee_fits(s, order, lots, order.value + ticks * lots, 1)


@kernel
def settle_limit(s: Any, slot: int) -> None:
    """A limit order has met its first piece of evidence: what is left rests (GTC, GTD) or ends."""
    order = s.orders[slot]
    if stays(order):
        if order.rested == 0:
            rest_unqueued(s, order)
    else:
        finish(s, slot, ORDER_EXPIRED, FOK_NOT_FILLED if order.time_in_force == FOK else IOC_REMAINDER)


@kernel
def match_tape(s: Any, instrument: int, ticks: int, lots: int, aggressor: int) -> None:
    """A public trade against all held orders of an instrument that has no book, in (account, id) order."""
    i = 0
    while i < s.n_held[instrument]:
        slot = s.held[instrument, i]
        meet_trade(s, slot, ticks, lots, aggressor)
        if i < s.n_held[instrument] and s.held[instrument, i] == slot:
            i += 1


@kernel
def meet_trade(s: Any, slot: int, ticks: int, lots: int, aggressor: int) -> None:
    """One held order and one public trade."""
    order = s.orders[slot]
    side, model = order.side, s.accounts[order.account].fill_model - 1
    if is_market(order):
        fill_from_flow(s, slot, after_print(model, side, ticks), lots, TAKER, TAPE_TAKE, ticks)
        return
    live = True
    took = aggressor == side and order.post_only == 0 and reaches(side, ticks, order.price_ticks)
    through = aggressor != side and passed(side, ticks, order.price_ticks)
    if took or through:
        live = fill_from_flow(
            s, slot, order.price_ticks, lots, TAKER if took else MAKER, TAPE_TAKE if took else TRADE_THROUGH, ticks
        )
    elif aggressor != side and ticks == order.price_ticks and stays(order):
        live = fill_at_touch(s, slot, lots)
    if live:
        settle_limit(s, slot)


@kernel
def fill_at_touch(s: Any, slot: int, total: int) -> bool:
    """A trade at the own price of an order that rests: what its model believes it can have of it. Whether it is still live."""
    order = s.orders[slot]
    account, ticks = order.account, order.price_ticks
    wanted = min(share_left(s, account, total), touch_lots(s.accounts[account].fill_model - 1, total))
    if wanted > 0:
        wanted = min(wanted, shown_lots(order))
        s.share_lots[account] -= fill(s, slot, ticks, wanted, MAKER, TAPE_TOUCH, total, ticks, UNKNOWN, UNKNOWN)
    return is_unfinished(order) and order.account == account


@kernel
def match_bar(s: Any, instrument: int, e: Any) -> None:
    """A closed bar against all orders of an instrument that has nothing better, sent before the bar opened."""
    assert e.interval_ns > 0, "a bar lasts"
    opened_ns = s.ts_seq_ns - e.interval_ns
    meet_open(s, instrument, e, opened_ns)
    meet_extremes(s, instrument, e, opened_ns, False)
    i = 0
    while i < s.n_held[instrument]:
        slot = s.held[instrument, i]
        order = s.orders[slot]
        if order.rested == IN_THIS_BAR:
            order.rested = 1
        elif order.rested == 1 and sent_ns(order) <= opened_ns:
            meet_range(s, slot, e)
        if i < s.n_held[instrument] and s.held[instrument, i] == slot:
            i += 1


@kernel
def meet_range(s: Any, slot: int, e: Any) -> None:
    """A resting order that the bar's range went through, or, for optimists, reached."""
    order = s.orders[slot]
    extreme = e.low_ticks if order.side == BUY else e.high_ticks
    touched = extreme == order.price_ticks and s.accounts[order.account].fill_model == OPTIMISTIC
    if touched or passed(order.side, extreme, order.price_ticks):
        fill_in_bar(s, slot, order.price_ticks, e, MAKER, BAR_THROUGH, extreme)


@kernel
def meet_open(s: Any, instrument: int, e: Any, opened_ns: int) -> None:
    """Orders that wait to execute meet the open: they take, limit orders only at or better than their price."""
    i = 0
    while i < s.n_held[instrument]:
        slot = s.held[instrument, i]
        order = s.orders[slot]
        if order.rested == 0 and sent_ns(order) <= opened_ns:
            live, took = True, is_market(order) or reaches(order.side, e.open_ticks, order.price_ticks)
            if took:
                live = fill_in_bar(s, slot, e.open_ticks, e, TAKER, BAR_OPEN, e.open_ticks)
            if live and not is_market(order):
                settle_limit(s, slot)
                order.rested *= IN_THIS_BAR
        if i < s.n_held[instrument] and s.held[instrument, i] == slot:
            i += 1


@kernel
def takes_part(s: Any, order: Any, opened_ns: int, is_late: bool) -> bool:
    """Whether a bar's range concerns an order that waits for a trigger: sent before the bar opened; or (`is_late`) a stop that was activated in it."""
    if is_late:
        return bool(order.activated_ns == s.ts_seq_ns and order.order_type < TAKE_PROFIT_MARKET)
    return bool(sent_ns(order) <= opened_ns)


@kernel
def next_reached_stop(s: Any, instrument: int, e: Any, opened_ns: int, is_late: bool, after: int) -> int:
    """Row of the reached stop that comes next in (account, id) order after row `after`'s key, or UNKNOWN; `after` UNKNOWN is the start."""
    found = UNKNOWN
    for way in range(2):
        extreme = e.high_ticks if way == UP else e.low_ticks
        for i in range(s.n_stops[instrument, way]):
            slot = s.stops[instrument, way, i]
            order = s.orders[slot]
            if not is_reached(way, extreme, awaited_ticks(order)):
                break
            if order.trail_bips > 0 or not takes_part(s, order, opened_ns, is_late):
                continue
            if found == UNKNOWN or before_held(order, s.orders[found]):
                found = slot
    assert found == UNKNOWN or found != after, "each stop is met once"
    return found


@kernel
def meet_extremes(s: Any, instrument: int, e: Any, opened_ns: int, is_late: bool) -> None:
    """Stops that the bar's range reached: market ones take at once, limit ones wait for the next bar. `is_late`: those that were activated in the bar."""
    slot = next_reached_stop(s, instrument, e, opened_ns, is_late, UNKNOWN)
    while slot != UNKNOWN:
        order = s.orders[slot]
        opened = is_reached(direction(order), e.open_ticks, order.trigger_ticks)
        fire_in_bar(s, slot, e, e.open_ticks if opened else order.trigger_ticks, is_late)
        slot = next_reached_stop(s, instrument, e, opened_ns, is_late, slot)
    if s.n_trailing > 0 and not is_late:
        walk_trails(s, instrument, e, opened_ns)
        slot = next_fired(s, instrument)
        while slot != UNKNOWN:
            fire_in_bar(s, slot, e, s.orders[slot].fired_ticks, False)
            slot = next_fired(s, instrument)


@kernel
def fire_in_bar(s: Any, slot: int, e: Any, ticks: int, is_late: bool) -> None:
    """A stop, take-profit or trail fires at a price of the bar: a market one takes from there on, for pessimists at the bar's worst price."""
    order = s.orders[slot]
    leave_place(s, slot)
    order.fired_ticks = 0
    state_price(s, ORDER_TRIGGERED, slot, ticks, order.peak_ticks)
    stand_alone(s, slot)
    meet_waiting(s, slot)
    if not is_unfinished(order):
        return
    if not is_market(order) and stays(order):
        rest_unqueued(s, order)
        order.rested = 1 if is_late else IN_THIS_BAR
    enter_held(s, slot)
    if is_market(order):
        worst = e.high_ticks if order.side == BUY else e.low_ticks
        begins = worst if s.accounts[order.account].fill_model == PESSIMISTIC else ticks
        fill_in_bar(s, slot, begins, e, TAKER, BAR_STOP, worst)
