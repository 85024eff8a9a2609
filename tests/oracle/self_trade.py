"""Self-trade prevention, slowly: an account's own orders in each other's way (section 5.2 of the rule book)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle import amending
from tests.oracle.ledger import end, stand_alone
from tests.oracle.things import Account, Market, Order
from tests.oracle.words import (
    BUY,
    DECREMENT,
    EXPIRE_BOTH,
    EXPIRE_MAKER,
    EXPIRE_TAKER,
    FOK,
    MARKET_TYPES,
    NO_PREVENTION,
    STAYING,
)

if TYPE_CHECKING:
    from tests.oracle.desk import Desk


def set_mode(desk: Desk, given: dict[str, Any]) -> None:
    """What an account's orders do that say nothing themselves."""
    account, mode = desk.accounts.get(given["account"]), given["flags"] // 8 % 8
    if account is None:
        desk.refuse(given, "unknown_account")
    elif mode not in (NO_PREVENTION, EXPIRE_MAKER, EXPIRE_TAKER, EXPIRE_BOTH, DECREMENT):
        desk.refuse(given, "invalid_amount")
    else:
        account.self_trade = mode
        desk.say("SELF_TRADE_SET", account=account.number, flags=mode * 8)


def mode_of(account: Account, given: dict[str, Any]) -> int:
    """The mode an order is sent with."""
    mode = given["flags"] // 8 % 8 or account.self_trade
    return EXPIRE_MAKER if mode == DECREMENT and given["budget_units"] else mode


def rivals(account: Account, order: Order, limit: int | None) -> list[Order]:
    """Own orders of the other side that wait with a price within a limit (None: with none), the first to be met first."""
    if limit is None:
        return []
    found = [
        other
        for other in account.orders.values()
        if other.instrument == order.instrument
        and other.side != order.side
        and other.order_type not in MARKET_TYPES
        and other.time_in_force in STAYING
        and other.place in ("resting", "pending")
        and (other.price <= limit if order.side == BUY else other.price >= limit)
    ]
    towards = 1 if order.side == BUY else -1
    return sorted(
        found,
        key=lambda other: (
            (towards * other.price, 0, other.rank) if other.place == "resting" else (towards * other.price, 1, other.id)
        ),
    )


def ahead(market: Market, used: dict[int, int], rival: Order, front: int | None) -> int:
    """What of the displayed lots at a rival's price stands ahead of it and has not been used up."""
    shown = market.own(rival.side).get(rival.price, 0)
    return max(0, (shown if front is None else min(shown, front)) - used.get(rival.price, 0))


def meet(desk: Desk, order: Order, rival: Order) -> None:
    """The order that executes meets one that waits."""
    lots, mode = min(order.remaining, rival.remaining), order.self_trade
    for one, other, always in ((rival, order, EXPIRE_MAKER), (order, rival, EXPIRE_TAKER)):
        if mode in (always, EXPIRE_BOTH) or (mode == DECREMENT and one.remaining == lots):
            end(desk, one, "EXPIRED", "expired_in_match", other.id)
        elif mode == DECREMENT:
            stand_alone(desk, one)
            amending.decrease(desk, one, one.qty - lots, "expired_in_match", other.id)


def meet_waiting(desk: Desk, order: Order) -> None:
    """Where there is no book: before a limit order waits for evidence."""
    if order.order_type in MARKET_TYPES or order.self_trade == NO_PREVENTION:
        return
    met = rivals(desk.accounts[order.account], order, order.price)
    if order.time_in_force == FOK:
        if met and order.self_trade != EXPIRE_MAKER:
            end(desk, order, "EXPIRED", "fok_not_filled")
        return
    for rival in met:
        if order.live and rival.live:
            meet(desk, order, rival)
