"""Trailing orders, slowly: when they become active, what they follow, when they fire (sections 4, 6.4 and 6.5 of the rule book)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.oracle.ledger import order_words
from tests.oracle.things import Account, Instrument, Market, Order
from tests.oracle.words import BUY

if TYPE_CHECKING:
    from tests.oracle.desk import Desk


def trigger(order: Order) -> int:
    """The price that fires an active order."""
    part = Fraction(order.trail, 10_000)
    return math.ceil(order.peak * (1 + part)) if order.side == BUY else math.floor(order.peak * (1 - part))


def fires(order: Order, last: int) -> bool:
    """Whether a price fires an active order."""
    return last >= trigger(order) if order.side == BUY else last <= trigger(order)


def out_of_bounds(instrument: Instrument, order: Order) -> bool:
    """Section 4.6: the venue's filter of trails."""
    if not order.trail:
        return False
    way = "above" if order.fires_up else "below"
    low, high = (instrument.given[f"{bound}_trail_{way}_bips"] for bound in ("min", "max"))
    return order.trail < low or bool(high and order.trail > high)


def activate(desk: Desk, order: Order, last: int, peak: int) -> None:
    """An order begins to follow the price."""
    order.peak = peak
    words = {"last_ticks": last, "peak_ticks": peak, "reached_ticks": order.trigger}
    desk.say("ORDER_ACTIVATED", account=order.account, bot=order.bot, order_id=order.id, **words, **order_words(order))


def begin(desk: Desk, order: Order) -> None:
    """Without an activation price an order is active on arrival, if there is a price to follow."""
    last = desk.instruments[order.instrument].market.last_for(order.side)
    if order.trail and not order.trigger and last is not None:
        activate(desk, order, last, last)


def by_trigger(waiting: list[Order]) -> list[Order]:
    """Section 6.5: those that wait upwards by rising trigger, then downwards by falling trigger; without a trigger first."""
    up = sorted((order for order in waiting if order.fires_up), key=lambda order: (order.trigger, order.id))
    down = [order for order in waiting if not order.fires_up]
    return up + sorted(down, key=lambda order: (bool(order.trigger), -order.trigger, order.id))


def following(market: Market, waiting: list[Order]) -> list[tuple[Order, int]]:
    """Move the peaks of active orders; those that fire now, in order, and the price that fires them."""
    fired = []
    for order in waiting:
        last = market.last_for(order.side)
        if not order.peak or last is None:
            continue
        order.peak = min(order.peak, last) if order.side == BUY else max(order.peak, last)
        if fires(order, last):
            fired.append((order, last))
    buys = sorted((one for one in fired if one[0].side == BUY), key=lambda one: (trigger(one[0]), one[0].id))
    sales = sorted((one for one in fired if one[0].side != BUY), key=lambda one: (-trigger(one[0]), one[0].id))
    return buys + sales


# ---- bars -----------------------------------------------------------------------------------------------------------


def path(account: Account, order: Order, bar: dict[str, Any]) -> list[int]:
    """The way that a bar is believed to have gone."""
    first, high, low, close = (bar[f"{name}_ticks"] for name in ("open", "high", "low", "close"))
    moves_peak, fires_it = (low, high) if order.side == BUY else (high, low)
    if account.fill_model == 3 or (account.fill_model == 2 and abs(moves_peak - first) <= abs(fires_it - first)):
        return [first, moves_peak, fires_it, close]
    return [first, fires_it, moves_peak, close]


def through_bar(desk: Desk, account: Account, waiting: list[Order], bar: dict[str, Any]) -> list[tuple[Order, int]]:
    """Let one account's trailing orders live through a bar; those that fire, by id, and where."""
    fired, begun = {}, {}
    for order in waiting:
        way = path(account, order, bar)
        for place, point in enumerate(way):
            if not order.peak:
                if not order.reached_by(point):
                    continue
                order.peak = begun[order.id] = point if place == 0 else order.trigger
            if fires(order, point):
                fired[order.id] = point if place == 0 else trigger(order)
                break
            order.peak = min(order.peak, point) if order.side == BUY else max(order.peak, point)
    for order in by_trigger(waiting):
        if order.id in begun:
            activate(desk, order, begun[order.id], order.peak)
    return [(order, fired[order.id]) for order in waiting if order.id in fired]
