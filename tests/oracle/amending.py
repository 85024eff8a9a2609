"""Amends, slowly: a smaller quantity for an order that keeps its place (section 10 of the rule book)."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

from tests.oracle.ledger import order_words, release, still_needed
from tests.oracle.sizes import size_reason
from tests.oracle.terms import latency
from tests.oracle.things import Account, Instrument, Order
from tests.oracle.words import BUY, MALFORMED, MARKET_TYPES, TRADING

if TYPE_CHECKING:
    from tests.oracle.desk import Desk


def amend(desk: Desk, given: dict[str, Any]) -> None:
    """Ask for a smaller quantity."""
    account, scope, reason = desk.scope_of(given)
    if account is None or scope is None:
        desk.refuse(given, reason)
        return
    order = account.orders.get(given["order_id"])
    reason = against(account, order, given)
    if order is None or reason:
        desk.say(
            "AMEND_REJECTED",
            account=account.number,
            bot=given["bot"],
            order_id=given["order_id"],
            qty_lots=given["qty_lots"],
            reason=reason,
        )
        return
    order.amend_asked = True
    due = max(desk.now + latency(account, order.id, 2), order.arrive_ns)
    desk.say(
        "AMEND_REQUESTED",
        account=account.number,
        bot=order.bot,
        order_id=order.id,
        qty_lots=given["qty_lots"],
        arrive_ns=due,
    )
    desk.inbox.append((due, account.number, order.id, "amend"))
    account.amends[order.id] = given["qty_lots"]


def against(account: Account, order: Order | None, given: dict[str, Any]) -> str:
    """What speaks against sending an amend at all."""
    if order is None:
        return "order_done" if 1 <= given["order_id"] < account.next_order else "unknown_order"
    if given["bot"] not in (0, order.bot):
        return "unknown_order"
    if order.cancel_asked:
        return "cancel_pending"
    if order.amend_asked:
        return "amend_pending"
    if given["flags"] & MALFORMED:
        return str(given["defect"])
    if given["qty_lots"] <= 0:
        return "invalid_quantity"
    return "unsupported_combination" if order.budget or order.legs(account) else ""


def arrive(desk: Desk, account: Account, order_id: int) -> None:
    """An amend reaches the venue."""
    order, lots = account.orders.get(order_id), account.amends.pop(order_id)
    if order is not None:
        order.amend_asked = False
    reason = "order_done" if order is None else refused(desk.instruments[order.instrument], order, lots)
    if order is None or reason:
        desk.say("AMEND_REJECTED", account=account.number, order_id=order_id, qty_lots=lots, reason=reason)
    else:
        decrease(desk, order, lots, "none")


def refused(instrument: Instrument, order: Order, lots: int) -> str:
    """What the venue has against a quantity."""
    if instrument.trading_status != TRADING:
        return "instrument_halted"
    if lots >= order.qty:
        return "not_smaller"
    if lots <= order.filled:
        return "already_filled"
    before, order.qty = order.qty, lots
    reason = size_reason(instrument, order)
    order.qty = before
    return reason


def decrease(desk: Desk, order: Order, lots: int, reason: str, other: int = 0) -> None:
    """An order becomes smaller and gives back what it no longer needs."""
    share = Fraction(lots - order.filled, order.remaining)
    order.qty = lots
    desk.say(
        "ORDER_DECREASED",
        account=order.account,
        bot=order.bot,
        order_id=order.id,
        qty_lots=lots,
        reason=reason,
        cause=other,
        **order_words(order),
    )
    instrument = desk.instruments[order.instrument]
    keep = still_needed(order, instrument)
    if order.side != BUY:
        keep = order.remaining * instrument.bpl
    elif order.order_type in MARKET_TYPES:
        keep = ceil(order.reserved * share)
    release(desk, order, order.reserved - keep)
