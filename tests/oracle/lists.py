"""Order lists, slowly (section 11 of the rule book): sent, taken, refused as one; who hangs on whom; pending legs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle import risk, venue
from tests.oracle.checks import malformed
from tests.oracle.ledger import end_alone, order_words, reserve
from tests.oracle.money import collar, up
from tests.oracle.orders import closed, count_bounds, in_flight, late, new_order, price_order, said_of
from tests.oracle.terms import latency
from tests.oracle.things import LEGS_OF, PAIR_OF, Account, Order, Scope
from tests.oracle.words import BUY, FREE, LIMIT, MARKET, MARKET_TYPES, PROFIT_TYPES, SELL, STOP_TYPES

if TYPE_CHECKING:
    from tests.oracle.desk import Desk

LEG_WORDS = (
    "side", "order_type", "time_in_force", "flags", "price_ticks", "qty_lots", "trigger_ticks", "client_id", "defect", "expire_ns",
    "trail_bips", "visible_lots",
)  # fmt: skip


def leg_of(given: dict[str, Any], place: int) -> dict[str, Any]:
    """One leg as an order command."""
    head = {name: given[name] for name in ("account", "bot", "instrument", "version")}
    return {**head, **{name: given[f"leg_{name}"][place] for name in LEG_WORDS}, "budget_units": 0}


def submit(desk: Desk, given: dict[str, Any]) -> None:
    """All legs go out, or none."""
    account, scope, reason = desk.scope_of(given)
    if not reason and given["instrument"] not in desk.instruments:
        reason = "unknown_instrument"
    if not reason and given["list_kind"] not in LEGS_OF:
        reason = "unsupported_combination"
    if account is None or scope is None or reason:
        desk.refuse(given, reason)
        return
    kind, list_id = given["list_kind"], account.next_order
    legs = [leg_of(given, place) for place in range(LEGS_OF[kind])]
    orders = [new_order(desk, account, leg, list_id + place) for place, leg in enumerate(legs)]
    arrival = desk.now + latency(account, list_id, 0)
    for place, order in enumerate(orders):
        order.list_id, order.kind, order.leg, order.arrive_ns = list_id, kind, place, arrival
    account.next_order += len(orders)
    reasons, amounts = judged(desk, account, scope, legs, orders)
    for leg, order, reason in zip(legs, orders, reasons, strict=True):
        words = {**said_of(order, leg, bool(reason)), "list_id": list_id, "list_leg": 8 * kind + order.leg}
        if reason:
            desk.say("ORDER_DENIED", reason=reason, **words)
            continue
        desk.say("ORDER_SUBMITTED", time_in_force=order.time_in_force, arrive_ns=arrival, **words)
        in_flight(desk, account, order)
        if kind != 1 and order.leg > 0:
            order.place = "listed"
        if order.leg == amounts.index(max(amounts)):
            reserve(desk, order, amounts[order.leg])


def judged(
    desk: Desk, account: Account, scope: Scope, legs: list[dict[str, Any]], orders: list[Order]
) -> tuple[list[str], list[int]]:
    """The reason of each leg, and what each would reserve on its own."""
    none = [0] * len(legs)
    for place, leg in enumerate(legs):
        if malformed(leg):
            return others_refused(legs, place, malformed(leg)), none
    reason = misfit(orders)
    if reason:
        return [reason] * len(legs), none
    amounts = []
    for place, order in enumerate(orders):
        reason = late(order, order.arrive_ns) or closed(desk, account, scope, order)
        amount = 0
        if not reason and place > 0 and order.kind != 1:
            reason = pending_reason(desk, account, order, orders[0])
        elif not reason:
            reason, amount = price_order(desk, account, order)
        if reason:
            return others_refused(legs, place, reason), none
        amounts.append(amount)
    return [""] * len(legs), amounts


def others_refused(legs: list[dict[str, Any]], place: int, reason: str) -> list[str]:
    """One leg is refused for a reason, the others because of it."""
    return [reason if place == number else "list_refused" for number in range(len(legs))]


def misfit(orders: list[Order]) -> str:
    """Why some orders make no list, or nothing."""
    kind = orders[0].kind
    if kind != 1 and orders[0].order_type != LIMIT:
        return "unsupported_combination"
    if any(order.trail for order in orders):
        return "unsupported_combination"
    if not PAIR_OF[kind]:
        return ""
    near, stop = (orders[place] for place in PAIR_OF[kind])
    takes_profit = near.order_type in PROFIT_TYPES or (near.order_type == LIMIT and near.post_only)
    if (near.side, near.qty) != (stop.side, stop.qty) or not takes_profit or stop.order_type not in STOP_TYPES:
        return "unsupported_combination"
    price = near.price if near.order_type == LIMIT else near.trigger
    return "" if (price < stop.trigger if near.side == BUY else price > stop.trigger) else "list_prices"


def reference(desk: Desk, order: Order) -> int | None:
    """The price that an order is judged by."""
    instrument = desk.instruments[order.instrument]
    if order.order_type == MARKET:
        best = instrument.market.best_opposite(order.side) if instrument.market.evidence == 3 else None
        return instrument.market.mark if best is None else best
    return order.trigger if order.order_type in MARKET_TYPES else order.price


def pending_reason(desk: Desk, account: Account, order: Order, working: Order) -> str:
    """What a pending leg must pass at once: its bounds and the gate, where the working order counts as open."""
    ref = reference(desk, order)
    if ref is None:
        return "no_market_data"
    if not count_bounds(desk, order, ref):
        return "notional_too_large"
    if order.reduce_only or (order.side != working.side and order.qty <= working.qty):
        return risk.gate(desk, account, order, ref, reducing=True)
    account.orders[working.id] = working
    reason = risk.gate(desk, account, order, ref)
    del account.orders[working.id]
    return reason


# ---- at the venue ----------------------------------------------------------------------------------------------------


def arrive(desk: Desk, order: Order) -> None:
    """A list arrives with its first leg."""
    account, instrument = desk.accounts[order.account], desk.instruments[order.instrument]
    legs = [account.orders[order.list_id + place] for place in range(LEGS_OF[order.kind])]
    if order.kind == 1:
        enter_pair(desk, legs, [venue.venue_check(desk, instrument, leg) for leg in legs])
        return
    reasons = [venue.venue_check(desk, instrument, order)]
    reasons += ["" if instrument.filter_price(leg) else "price_filter" for leg in legs[1:]]
    reasons = [
        reason or (instrument.filter_lots(leg) if leg.leg else "") for reason, leg in zip(reasons, legs, strict=True)
    ]
    if any(reasons):
        reject(desk, legs, reasons)
        return
    accept(desk, order)
    venue.execute(desk, order)


def reject(desk: Desk, legs: list[Order], reasons: list[str]) -> None:
    """All legs are rejected; the first that fails says why."""
    failed = next(place for place, reason in enumerate(reasons) if reason)
    for place, leg in enumerate(legs):
        end_alone(desk, leg, "REJECTED", reasons[place] if place == failed else "list_refused")


def accept(desk: Desk, order: Order) -> None:
    """The venue has an order."""
    order.status = "ACCEPTED"
    desk.say("ORDER_ACCEPTED", account=order.account, bot=order.bot, order_id=order.id, **order_words(order))


def enter_pair(desk: Desk, legs: list[Order], reasons: list[str]) -> None:
    """Both orders of a pair are put to work, or none."""
    if any(reasons):
        reject(desk, legs, reasons)
        return
    for leg in legs:
        accept(desk, leg)
    for leg in legs:
        if leg.is_stop:
            leg.place = "waiting"
        else:
            venue.execute(desk, leg)


# ---- pending legs ----------------------------------------------------------------------------------------------------


def send_ready(desk: Desk) -> None:
    """Pending legs of the working orders that were filled whole, in that order."""
    ready, desk.ready = desk.ready, []
    for working in ready:
        account = desk.accounts[working.account]
        activate(
            desk,
            account,
            [account.orders[working.list_id + place] for place in range(1, LEGS_OF[working.kind])],
            working,
        )


def activate(desk: Desk, account: Account, legs: list[Order], working: Order) -> None:
    """Cut to what was brought, checked, funded, placed."""
    instrument = desk.instruments[working.instrument]
    lots = legs[0].qty
    if (working.side, legs[0].side) == (BUY, SELL):
        lots = min(lots, working.brought // instrument.bpl)
    if lots == 0:
        reject(desk, legs, ["insufficient_balance"] * len(legs))
        return
    for leg in legs:
        leg.qty, leg.activated_ns = lots, desk.now
        desk.say(
            "LEG_ACTIVATED", account=account.number, bot=leg.bot, order_id=leg.id, qty_lots=lots,
            list_id=leg.list_id, list_leg=8 * leg.kind + leg.leg, **order_words(leg),
        )  # fmt: skip
    terms = [placing_terms(desk, account, leg) for leg in legs]
    reasons, amounts = [reason for reason, _ in terms], [amount for _, amount in terms]
    if any(reasons):
        reject(desk, legs, reasons)
        return
    reserve(desk, legs[amounts.index(max(amounts))], max(amounts))
    if len(legs) == 2:
        enter_pair(desk, legs, reasons)
        return
    accept(desk, legs[0])
    if legs[0].is_stop:
        legs[0].place = "waiting"
    else:
        venue.execute(desk, legs[0])


def placing_terms(desk: Desk, account: Account, order: Order) -> tuple[str, int]:
    """The reason against a leg that is placed, or what it reserves."""
    instrument = desk.instruments[order.instrument]
    reason = venue.venue_check(desk, instrument, order)
    if reason:
        return reason, 0
    ref = reference(desk, order)
    if ref is None:
        return "no_market_data", 0
    if order.order_type == MARKET and not count_bounds(desk, order, ref):
        return "notional_too_large", 0
    free = account.row(desk.paid_asset(order))[FREE]
    if order.side == SELL:
        need = wish = order.qty * instrument.bpl
    else:
        need = wish = up(instrument.worth(ref * order.qty))
        if order.order_type in MARKET_TYPES:
            wish = up(instrument.worth(collar(BUY, ref) * order.qty))
    return ("insufficient_balance", 0) if need > free else ("", min(free, wish))
