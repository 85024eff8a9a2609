"""SUBMIT_LIST: a list of orders is judged, sent, taken by the venue and refused as one; and its pending legs are sent when their time has come.

What hangs together how is `venue/lists.py`; how a pair ends, `venue/pairs.py`. The rules are docs/venue-rules.md, section 11.
"""

from typing import Any, Final

from paperdesk.domain.events import FLAG_POST_ONLY, FLAG_REDUCE_ONLY, LEGS
from paperdesk.domain.kernel import kernel
from paperdesk.domain.reasons import Reason
from paperdesk.domain.units import mul_div_ceil
from paperdesk.engine.accounts import address_reason, refuse
from paperdesk.engine.judging import (
    CAPACITY_EXCEEDED,
    INSUFFICIENT_BALANCE,
    INVALID_DEADLINE,
    NO_MARKET_DATA,
    NOTIONAL_TOO_LARGE,
    PRICE_BOUND,
    UNSUPPORTED_COMBINATION,
    bound_ticks,
    fits_bounds,
    form_reason,
    judge,
    reference_ticks,
    reserve_units,
    switch_reason,
)
from paperdesk.engine.orders import fund, state_command
from paperdesk.engine.risk import gate, gate_reducing
from paperdesk.ledger.journal import FREE
from paperdesk.venue.book import UNKNOWN
from paperdesk.venue.filters import arrival_reason, grid_reason
from paperdesk.venue.kinds import (
    BUY,
    GTD,
    LIMIT_ORDER,
    MARKET_ORDER,
    SELL,
    STOP_LIMIT,
    STOP_MARKET,
    has_trigger,
)
from paperdesk.venue.latency import SUBMITTING, latency_ns
from paperdesk.venue.lists import LEG_BASE, OTO, OTOCO, first_of_pair, leg_count, other_legs
from paperdesk.venue.matching import execute
from paperdesk.venue.orders import (
    LEG_ACTIVATED,
    ORDER_ACCEPTED,
    ORDER_REJECTED,
    add_open_lots,
    apply_order,
    apply_submitted,
    end_order,
    name_order,
    reserve_asset,
    state_order,
)
from paperdesk.venue.places import ARRIVAL, EXPIRY, NOWHERE, PENDING, enter_inbox, enter_stops, leave_place
from paperdesk.venue.table import MAX_ORDERS

LIST_REFUSED, LIST_PRICES = int(Reason.LIST_REFUSED), int(Reason.LIST_PRICES)
ALL: Final = -1
"""In place of a leg: a reason that concerns the list as a whole, stated for each leg."""


@kernel
def take_leg(s: Any, e: Any, place: int) -> Any:
    """One leg of a SUBMIT_LIST as an order command, in the state's scratch record."""
    leg = s.leg
    leg.account, leg.bot, leg.instrument, leg.version = e.account, e.bot, e.instrument, e.version
    leg.side, leg.order_type = e.leg_side[place], e.leg_order_type[place]
    leg.time_in_force, leg.flags = e.leg_time_in_force[place], e.leg_flags[place]
    leg.price_ticks, leg.qty_lots, leg.trigger_ticks = (
        e.leg_price_ticks[place],
        e.leg_qty_lots[place],
        e.leg_trigger_ticks[place],
    )
    leg.client_id, leg.defect, leg.cause = e.leg_client_id[place], e.leg_defect[place], e.list_cause
    leg.expire_ns, leg.budget_units = e.leg_expire_ns[place], 0
    leg.trail_bips, leg.visible_lots = e.leg_trail_bips[place], e.leg_visible_lots[place]
    return leg


@kernel
def submit_list(s: Any, e: Any) -> None:
    """SUBMIT_LIST: all legs are denied, or submitted, funded and in flight together."""
    unknown = address_reason(s, e)
    if unknown != 0:
        refuse(s, e, unknown)
    elif leg_count(e.list_kind) == 0:
        refuse(s, e, UNSUPPORTED_COMBINATION)
    else:
        reason, failed, first, second = judge_list(s, e)
        if reason != 0:
            deny_list(s, e, reason, failed)
        else:
            send_list(s, e, first, second)


@kernel
def deny_list(s: Any, e: Any, reason: int, failed: int) -> None:
    """Every leg is denied: the one that failed for its reason, the others because of it."""
    list_id = s.accounts[e.account].next_order
    for place in range(leg_count(e.list_kind)):
        leg = take_leg(s, e, place)
        row = state_command(s, leg, reason if failed == ALL or failed == place else LIST_REFUSED, leg.qty_lots)
        row.list_id, row.list_leg = list_id, LEG_BASE * e.list_kind + place
        s.accounts[e.account].next_order += 1


@kernel
def send_list(s: Any, e: Any, first: int, second: int) -> None:
    """Every leg is submitted and arrives with the first. `first`, `second`: what the orders that are to execute reserve, of a pair the larger alone."""
    list_id = s.accounts[e.account].next_order
    arrive_ns = s.ts_seq_ns + latency_ns(s, e.account, list_id, SUBMITTING)
    for place in range(leg_count(e.list_kind)):
        leg = take_leg(s, e, place)
        row = state_command(s, leg, 0, leg.qty_lots)
        row.list_id, row.list_leg = list_id, LEG_BASE * e.list_kind + place
        row.arrive_ns = arrive_ns
        slot = apply_submitted(s, row)
        if place > 0 and first_of_pair(e.list_kind) != 0:
            s.orders[slot].place = PENDING
        else:
            enter_inbox(s, slot, ARRIVAL)
            if place == 0:
                fund(s, slot, first if second <= first else 0)
            else:
                fund(s, slot, second if second > first else 0)
        if leg.time_in_force == GTD:
            enter_inbox(s, slot, EXPIRY)


# ---- judging ---------------------------------------------------------------------------------------------------------


@kernel
def judge_list(s: Any, e: Any) -> tuple[int, int, int, int]:
    """(reason, leg that failed or ALL, units of the first leg, units of the second); reason 0 lets the list go to the venue."""
    count = leg_count(e.list_kind)
    for place in range(count):
        reason = form_reason(take_leg(s, e, place))
        if reason != 0:
            return reason, place, 0, 0
    reason = together_reason(e)
    if reason == 0 and s.n_free_rows + MAX_ORDERS - s.n_used_rows < count:
        reason = CAPACITY_EXCEEDED
    if reason != 0:
        return reason, ALL, 0, 0
    first = second = 0
    for place in range(count):
        leg = take_leg(s, e, place)
        if place > 0 and first_of_pair(e.list_kind) != 0:
            reason, units = judge_pending(s, e, leg), 0
        else:
            reason, units, _ = judge(s, leg)
        if reason != 0:
            return reason, place, 0, 0
        if place == 0:
            first = units
        elif place == 1:
            second = units
    assert first > 0, "an order reserves something"
    return 0, ALL, first, second


@kernel
def together_reason(e: Any) -> int:
    """Whether the legs make a list: a working limit order; a pair of one side and quantity, first what takes the profit, then the stop, at prices in order."""
    if e.list_kind == OTO or e.list_kind == OTOCO:
        if e.leg_order_type[0] != LIMIT_ORDER:
            return UNSUPPORTED_COMBINATION
    for place in range(leg_count(e.list_kind)):
        if e.leg_trail_bips[place] != 0:
            return UNSUPPORTED_COMBINATION
    first = first_of_pair(e.list_kind)
    if first == UNKNOWN:
        return 0
    second = first + 1
    if e.leg_side[first] != e.leg_side[second] or e.leg_qty_lots[first] != e.leg_qty_lots[second]:
        return UNSUPPORTED_COMBINATION
    if e.leg_order_type[second] != STOP_MARKET and e.leg_order_type[second] != STOP_LIMIT:
        return UNSUPPORTED_COMBINATION
    near = e.leg_trigger_ticks[first]
    if e.leg_order_type[first] == LIMIT_ORDER:
        near = e.leg_price_ticks[first]
        if e.leg_flags[first] & FLAG_POST_ONLY == 0:
            return UNSUPPORTED_COMBINATION
    elif e.leg_order_type[first] <= STOP_LIMIT:
        return UNSUPPORTED_COMBINATION
    stop = e.leg_trigger_ticks[second]
    in_order = near < stop if e.leg_side[first] == BUY else near > stop
    return 0 if in_order else LIST_PRICES


@kernel
def judge_pending(s: Any, e: Any, leg: Any) -> int:
    """What a pending leg must pass when its list is sent: all but funds; in the risk gate the working order counts as open."""
    arrive_ns = s.ts_seq_ns + latency_ns(s, e.account, s.accounts[e.account].next_order, SUBMITTING)
    if leg.time_in_force == GTD and leg.expire_ns <= arrive_ns:
        return INVALID_DEADLINE
    reason = switch_reason(s, leg)
    if reason != 0:
        return reason
    reference = reference_ticks(s, leg)
    if reference == 0:
        return NO_MARKET_DATA
    if reference > PRICE_BOUND or not fits_bounds(s, leg, leg.qty_lots, bound_ticks(s, leg, reference)):
        return NOTIONAL_TOO_LARGE
    definition = s.instruments[e.instrument]
    worth_quote = mul_div_ceil(reference * leg.qty_lots, definition.num, definition.den)
    if leg["flags"] & FLAG_REDUCE_ONLY or (leg.side != e.leg_side[0] and leg.qty_lots <= e.leg_qty_lots[0]):
        return gate_reducing(s, leg, worth_quote)
    side, lots = leg.side, leg.qty_lots
    working = take_leg(s, e, 0)
    add_open_lots(s, working, working.qty_lots)
    reason = gate(s, e.account, e.bot, e.instrument, side, lots, worth_quote)
    add_open_lots(s, working, -working.qty_lots)
    return reason


# ---- at the venue ----------------------------------------------------------------------------------------------------


@kernel
def arrive_list(s: Any, slot: int) -> None:
    """A list reaches the venue with its first leg: all of it is rejected, or accepted and put to work."""
    first, second = other_legs(s, slot)
    assert first != UNKNOWN and s.orders[slot].list_id == s.orders[slot].id, "a list arrives whole"
    leave_place(s, slot)
    definition = s.instruments[s.orders[slot].instrument]
    if first_of_pair(s.orders[slot].list_leg // LEG_BASE) == 0:
        leave_place(s, first)
        enter_pair(s, slot, first, arrival_reason(s, s.orders[slot]), arrival_reason(s, s.orders[first]))
        return
    reasons = (
        arrival_reason(s, s.orders[slot]),
        grid_reason(definition, s.orders[first]),
        0 if second == UNKNOWN else grid_reason(definition, s.orders[second]),
    )
    if max(reasons) > 0:
        named = 0
        for place in range(LEGS):
            reason = reasons[place]
            one = slot if place == 0 else (first if place == 1 else second)
            if one != UNKNOWN:
                end_order(s, one, ORDER_REJECTED, reason if named == 0 and reason > 0 else LIST_REFUSED)
                named = max(named, reason)
        return
    state_order(s, ORDER_ACCEPTED, slot, 0)
    execute(s, slot)


@kernel
def enter_pair(s: Any, first: int, second: int, first_reason: int, second_reason: int) -> None:
    """Accept both orders of a pair, which are nowhere, or reject both."""
    if first_reason > 0 or second_reason > 0:
        end_order(s, first, ORDER_REJECTED, first_reason if first_reason > 0 else LIST_REFUSED)
        end_order(s, second, ORDER_REJECTED, LIST_REFUSED if first_reason > 0 else second_reason)
        return
    state_order(s, ORDER_ACCEPTED, first, 0)
    state_order(s, ORDER_ACCEPTED, second, 0)
    enter_stops(s, second)
    if has_trigger(s.orders[first]):
        enter_stops(s, first)
    else:
        execute(s, first)


# ---- pending legs ----------------------------------------------------------------------------------------------------


@kernel
def send_ready(s: Any) -> None:
    """Send the pending legs of all working orders that the event at hand filled whole, in the order in which that happened."""
    for place in range(s.n_ready):
        slot, bought = s.ready[place] // 2, s.ready[place] % 2
        second, _ = other_legs(s, slot)
        activate(s, slot, second, bought == 1)
    s.n_ready = 0


@kernel
def activate(s: Any, first: int, second: int, bought: bool) -> None:
    """One pending order, or a pair, is placed: cut to what was brought, checked as on arrival, funded."""
    order = s.orders[first]
    lots = order.qty_lots
    if bought and order.side == SELL:
        lots = min(lots, order.brought_units // s.instruments[order.instrument].base_units_per_lot)
    if lots > 0:
        state_activated(s, first, lots)
        if second != UNKNOWN:
            state_activated(s, second, lots)
    reason, units = leg_terms(s, first, lots)
    if second == UNKNOWN:
        s.orders[first].place = NOWHERE
        if reason != 0:
            end_order(s, first, ORDER_REJECTED, reason)
            return
        fund(s, first, units)
        state_order(s, ORDER_ACCEPTED, first, 0)
        if has_trigger(order):
            enter_stops(s, first)
        else:
            execute(s, first)
        return
    other_reason, other_units = leg_terms(s, second, lots)
    s.orders[first].place = s.orders[second].place = NOWHERE
    if reason == 0 and other_reason == 0:
        fund(s, first if other_units <= units else second, max(units, other_units))
    enter_pair(s, first, second, reason, other_reason)


@kernel
def state_activated(s: Any, slot: int, lots: int) -> None:
    """State that a pending leg is placed, and how many lots of it."""
    assert 0 < lots <= s.orders[slot].qty_lots, "a leg is cut, never grown"
    order, row = s.orders[slot], name_order(s, LEG_ACTIVATED, slot, 0)
    row.qty_lots = lots
    row.list_id, row.list_leg = order.list_id, order.list_leg
    apply_order(s, row, slot)


@kernel
def leg_terms(s: Any, slot: int, lots: int) -> tuple[int, int]:
    """(reason, units to reserve) of a leg that is placed: the venue's checks, then its funds."""
    order = s.orders[slot]
    if lots == 0:
        return INSUFFICIENT_BALANCE, 0
    reason = arrival_reason(s, order)
    reference = reference_ticks(s, order)
    if reason == 0 and reference == 0:
        reason = NO_MARKET_DATA
    if (
        reason == 0
        and order.order_type == MARKET_ORDER
        and not fits_bounds(s, order, lots, bound_ticks(s, order, reference))
    ):
        reason = NOTIONAL_TOO_LARGE
    if reason != 0:
        return reason, 0
    needed, wished = reserve_units(s, order, lots, reference)
    free = s.balances[order.account, reserve_asset(s, order), FREE]
    return (INSUFFICIENT_BALANCE, 0) if needed > free else (0, min(wished, free))
