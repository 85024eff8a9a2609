"""Orders going out and being called back (sections 3 and 10 of the rule book)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle import risk, self_trade
from tests.oracle.budget import room
from tests.oracle.checks import malformed
from tests.oracle.ledger import order_words, reducible, reserve
from tests.oracle.money import collar, up
from tests.oracle.terms import latency
from tests.oracle.things import Account, Instrument, Order, Scope
from tests.oracle.words import (
    BOOK,
    BUY,
    FREE,
    GTD,
    LIVE,
    MARKET,
    MARKET_TYPES,
    MAX_LOTS,
    MAX_ORDER_UNITS,
    MAX_TICKS,
    MAX_UNITS,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
    TRADING,
)

if TYPE_CHECKING:
    from tests.oracle.desk import Desk


def submit(desk: Desk, given: dict[str, Any]) -> None:
    """Section 3: the checks, the gate, the funds; then the order is on its way."""
    account, scope, reason = desk.scope_of(given)
    if not reason and given["instrument"] not in desk.instruments:
        reason = "unknown_instrument"
    if account is None or scope is None or reason:
        desk.refuse(given, reason)
        return
    order = new_order(desk, account, given, account.next_order)
    account.next_order += 1
    arrival = desk.now + latency(account, order.id, 0)
    order.arrive_ns = arrival
    reason = malformed(given) or late(order, arrival) or closed(desk, account, scope, order)
    amount = 0
    if not reason:
        reason, amount = price_order(desk, account, order)
    words = said_of(order, given, bool(reason))
    if reason:
        desk.say("ORDER_DENIED", reason=reason, **words)
        return
    desk.say("ORDER_SUBMITTED", time_in_force=order.time_in_force, arrive_ns=arrival, **words)
    in_flight(desk, account, order)
    reserve(desk, order, amount)


def new_order(desk: Desk, account: Account, given: dict[str, Any], order_id: int) -> Order:
    """An order as a command words it."""
    return Order(
        account=account.number,
        bot=given["bot"],
        instrument=given["instrument"],
        id=order_id,
        side=given["side"],
        order_type=given["order_type"],
        time_in_force=given["time_in_force"],
        post_only=bool(given["flags"] & POST_ONLY),
        price=given["price_ticks"],
        trigger=given["trigger_ticks"],
        qty=given["qty_lots"],
        version=given["version"],
        submitted_ns=desk.now,
        expire_ns=given["expire_ns"],
        reduce_only=bool(given["flags"] & REDUCE_ONLY),
        budget=given["budget_units"],
        trail=given.get("trail_bips", 0),
        visible=given.get("visible_lots", 0),
        self_trade=self_trade.mode_of(account, given),
    )


def said_of(order: Order, given: dict[str, Any], denied: bool) -> dict[str, Any]:
    """What is said of an order when it is submitted or denied."""
    terms = {
        "order_type": order.order_type,
        "price_ticks": order.price,
        "qty_lots": given["qty_lots"] if denied else order.qty,
        "budget_units": order.budget,
        "trigger_ticks": order.trigger,
        "expire_ns": order.expire_ns,
        "trail_bips": order.trail,
        "visible_lots": order.visible,
        "flags": given["flags"] & (POST_ONLY | REDUCE_ONLY)
        | (given["flags"] // 8 % 8 if denied else order.self_trade) * 8,
    }
    return {"account": order.account, "bot": order.bot, "order_id": order.id, **order_words(order), **terms}


def in_flight(desk: Desk, account: Account, order: Order) -> None:
    """A submitted order is on its way."""
    account.in_use = True
    account.orders[order.id] = order
    desk.inbox.append((order.arrive_ns, account.number, order.id, "arrival"))
    if order.time_in_force == GTD:
        desk.inbox.append((order.expire_ns, account.number, order.id, "expiry"))


def late(order: Order, arrival: int) -> str:
    """Section 3.2: whether a deadline would pass before the order can arrive."""
    return "invalid_deadline" if order.time_in_force == GTD and order.expire_ns <= arrival else ""


def closed(desk: Desk, account: Account, scope: Scope, order: Order) -> str:
    """Section 3.3 to 3.6: whether anyone may send orders for this now."""
    instrument = desk.instruments[order.instrument]
    if scope.stopped:
        return "bot_stopped"
    if desk.killed or account.scope.killed or scope.killed:
        return "killed"
    if account.source != desk.source:
        return "wrong_source"
    if instrument.trading_status != TRADING:
        return "instrument_halted"
    if instrument.market.status != LIVE:
        return "stale_data"
    return "instrument_changed" if order.version != instrument.version else ""


def price_order(desk: Desk, account: Account, order: Order) -> tuple[str, int]:
    """Section 3.7 to 3.9: reference price, size, risk, funds. Returns a reason, or what to reserve."""
    instrument = desk.instruments[order.instrument]
    market = instrument.market
    ref: int | None = order.trigger if order.is_stop and order.order_type in MARKET_TYPES else order.price
    if order.order_type == MARKET or (order.trail and order.order_type in MARKET_TYPES):
        ref = market.best_opposite(order.side) if market.evidence == BOOK else None
        ref = market.mark if ref is None else ref
    if order.trail and order.trigger and order.order_type in MARKET_TYPES:
        ref = max(order.trigger, ref or 0)
    if ref is None:
        return "no_market_data", 0
    if ref <= MAX_TICKS and order.budget:
        reason, order.qty = budget_size(account, instrument, order, ref)
        if reason:
            return reason, 0
    if not count_bounds(desk, order, ref):
        return "notional_too_large", 0
    reason = "reduce_only" if reducible(desk, order) == 0 else risk.gate(desk, account, order, ref)
    if reason:
        return reason, 0
    free = account.row(desk.paid_asset(order))[FREE]
    if order.budget and order.side == BUY:
        return ("insufficient_balance", 0) if order.budget > free else ("", order.budget)
    need = up(instrument.worth(ref * order.qty)) if order.side == BUY else order.qty * instrument.bpl
    if need > free:
        return "insufficient_balance", 0
    if order.side == BUY and order.order_type in MARKET_TYPES:
        return "", min(free, up(instrument.worth(collar(BUY, ref) * order.qty)))
    return "", need


def count_bounds(desk: Desk, order: Order, ref: int) -> bool:
    """Section 3.7: whether an order's value and size can be counted."""
    instrument = desk.instruments[order.instrument]
    bound = collar(BUY, ref) if order.order_type in MARKET_TYPES else order.price
    if order.side != BUY:
        bound = max(ref, instrument.market.mark or 0)
    if max(ref, bound) > MAX_TICKS or order.qty > MAX_LOTS:
        return False
    return order.qty * instrument.bpl <= MAX_ORDER_UNITS and bound * order.qty * instrument.num <= MAX_ORDER_UNITS


def budget_size(account: Account, instrument: Instrument, order: Order, ref: int) -> tuple[str, int]:
    """Section 3.7: the most lots of an order of a quote quantity."""
    if order.budget > MAX_ORDER_UNITS or ((order.budget + 1) // instrument.num + 1) * instrument.den > MAX_UNITS:
        return "notional_too_large", 0
    lots = room(instrument, order, 0, collar(SELL, ref), MAX_UNITS)
    if order.side == SELL:
        free = account.row(instrument.base)[FREE] // instrument.bpl
        if free < room(instrument, order, 0, ref, MAX_UNITS) or (free == 0 and lots > 0):
            return "insufficient_balance", 0
        lots = min(lots, free)
    return ("invalid_quantity", 0) if lots == 0 else ("", lots)


def cancel(desk: Desk, given: dict[str, Any]) -> None:
    """Section 10: ask for the end of an order."""
    account, scope, reason = desk.scope_of(given)
    if account is None or scope is None:
        desk.refuse(given, reason)
        return
    order = account.orders.get(given["order_id"])
    if order is None:
        known = 1 <= given["order_id"] < account.next_order
        reason = "order_done" if known else "unknown_order"
    elif order.cancel_asked or any(other.cancel_asked for other in order.legs(account)):
        reason = "cancel_pending"
    elif given["bot"] not in (0, order.bot):
        reason = "unknown_order"
    if order is None or reason:
        desk.say("CANCEL_REJECTED", account=account.number, order_id=given["order_id"], reason=reason)
    else:
        ask_cancel(desk, account, order)


def cancel_all(desk: Desk, given: dict[str, Any]) -> None:
    """As for each live order of the bot that has no cancel under way, on one instrument or on all (-1)."""
    account, scope, reason = desk.scope_of(given)
    if account is None or scope is None:
        desk.refuse(given, reason)
        return
    for order in desk.orders_of_bot(account, given["bot"]):
        asked = order.cancel_asked or any(other.cancel_asked for other in order.legs(account))
        if given["instrument"] in (-1, order.instrument) and not asked:
            ask_cancel(desk, account, order)


def ask_cancel(desk: Desk, account: Account, order: Order) -> None:
    """A cancel is on its way."""
    order.cancel_asked = True
    desk.say("CANCEL_REQUESTED", account=account.number, bot=order.bot, order_id=order.id)
    due = max(desk.now + latency(account, order.id, 1), order.arrive_ns)
    desk.inbox.append((due, account.number, order.id, "cancel"))
