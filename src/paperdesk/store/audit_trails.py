"""What the auditor knows of triggers: the price they are measured against, and trailing orders with peaks of its own (rule book 6.4, 6.5)."""

from collections.abc import Iterator
from typing import Final

from paperdesk.domain.events import Evidence, FillModel, InputKind, MarketStatus, Side
from paperdesk.domain.orders import OrderStatus
from paperdesk.store.audit_books import Order, ceiling
from paperdesk.store.audit_changes import AuditedChanges
from paperdesk.store.audit_desk import MARKET_KINDS
from paperdesk.store.audit_market import PICTURES, Definition, Given, Market
from paperdesk.store.audit_report import PAYLOAD, SEQ, Row

PART: Final = 10_000
ABOVE, BELOW, PARTS = slice(29, 31), slice(31, 33), 33
"""Bounds of trails and of icebergs' parts in a definition's payload."""


def trail_trigger(order: Order) -> int:
    """The price that fires a trailing order now."""
    if order.side == Side.BUY:
        return ceiling(order.peak * (PART + order.trail), PART)
    return order.peak * (PART - order.trail) // PART


def fires(order: Order, ticks: int) -> bool:
    """Whether a price fires an active trailing order."""
    trigger = trail_trigger(order)
    return ticks >= trigger if order.side == Side.BUY else ticks <= trigger


def move(order: Order, ticks: int) -> None:
    """One more price."""
    order.peak = min(order.peak, ticks) if order.side == Side.BUY else max(order.peak, ticks)


def path(order: Order, model: FillModel, bar: tuple[int, ...]) -> tuple[int, ...]:
    """The way a fill model believes that a bar (open, high, low, close) went."""
    first, high, low, last = bar[:4]
    peak, turn = (low, high) if order.side == Side.BUY else (high, low)
    early = {
        FillModel.OPTIMISTIC: False,
        FillModel.EXPECTED: abs(peak - first) <= abs(turn - first),
        FillModel.PESSIMISTIC: True,
    }[model]
    return (first, peak, turn, last) if early else (first, turn, peak, last)


def walk(order: Order, model: FillModel, bar: tuple[int, ...]) -> None:
    """Let a trailing order live through a bar: `began` and `fired` are the prices where it did, 0 where not."""
    order.began = order.fired = 0
    for place, ticks in enumerate(path(order, model, bar)):
        if order.peak == 0:
            if order.trigger > 0 and not order.is_reached(ticks):
                continue
            order.peak = order.began = ticks if place == 0 else order.trigger
        if fires(order, ticks):
            order.fired = ticks if place == 0 else trail_trigger(order)
            return
        move(order, ticks)


def wrong_on_arrival(order: Order, definition: Definition) -> Iterator[tuple[str, str]]:
    """What should have kept an order out: the venue's filters of trails and of icebergs (section 4.6)."""
    low, high = definition.fields[ABOVE if order.fires_up else BELOW]
    if order.trail > 0 and (order.trail < low or 0 < high < order.trail):
        yield "4.6 trails", f"accepted with a trail of {order.trail}"
    most, shown = definition.fields[PARTS], order.visible
    if shown > 0 and (shown < definition.min_qty or 0 < definition.max_qty < shown):
        yield "4.6 icebergs", f"accepted with {shown} lots shown"
    if shown > 0 and 0 < most < ceiling(order.qty, shown):
        yield "4.6 icebergs", f"accepted in {ceiling(order.qty, shown)} parts, {most} are allowed"


class AuditedTrails(AuditedChanges):
    """The desk with all that waits for a price."""

    def __init__(self) -> None:
        super().__init__()
        self._trails: dict[tuple[int, int], Order] = {}

    def _keep_trail(self, order: Order) -> None:
        if order.trail > 0:
            self._trails[order.account, order.id] = order

    def _see_market(self, order: Order) -> None:
        """What follows rests on the current input, no longer on what was there before it."""
        given = self._given
        if given is not None and not self._seen and given.kind in MARKET_KINDS and given.instrument == order.instrument:
            self._see(given)

    def _see(self, given: Given) -> None:
        super()._see(given)
        market = self.markets.get(given.instrument)
        if not self._trails or market is None or self._refused or market.status != MarketStatus.LIVE:
            return
        for key, order in list(self._trails.items()):
            if not order.is_unfinished or order.triggered_seq > 0:
                del self._trails[key]
            elif order.instrument == given.instrument and order.status != OrderStatus.SUBMITTED:
                self._pass_over(order, market, given)

    def _pass_over(self, order: Order, market: Market, given: Given) -> None:
        """The current market input and one trailing order at the venue."""
        order.began = order.fired = 0
        if given.kind == InputKind.BAR:
            bar = given.payload()
            if market.evidence == Evidence.BARS and order.submitted_ns <= given.ts_ns - bar[5]:
                walk(order, self.accounts[order.account].fill_model, bar)
            return
        ticks = market.last_for(order.side)
        measured = given.kind == InputKind.TRADE or (given.kind in PICTURES and not market.trade_seen)
        if not measured or ticks == 0:
            return
        if order.peak == 0 and (order.trigger == 0 or order.is_reached(ticks)):
            order.peak = order.began = ticks
        elif order.peak > 0:
            move(order, ticks)
            order.fired = ticks if fires(order, ticks) else 0

    def _activated(self, row: Row) -> None:
        order, given = self._order(row), self._given
        if order is None or given is None:
            return
        last, peak, reached = row[PAYLOAD : PAYLOAD + 3]
        market = self.markets[order.instrument]
        if not self._seen and order.accepted_seq == row[SEQ] and order.trigger == 0 and market.last_for(order.side) > 0:
            order.began = order.peak = market.last_for(order.side)
        else:
            self._see_market(order)
        if order.trail == 0 or order.activated_seq > 0 or order.status != OrderStatus.ACCEPTED:
            self._find("6.5 trails", "activated twice, or without a trail", row)
        order.activated_seq = row[SEQ]
        if (last, peak, reached) != (order.began, order.peak, order.trigger):
            self._find(
                "6.5 trails", f"activated at {last} with a peak of {peak}, due at {order.began} with {order.peak}", row
            )

    def _triggered(self, row: Row) -> None:
        order, given = self._order(row), self._given
        if order is None or given is None:
            return
        if order.triggered_seq > 0 or order.status != OrderStatus.ACCEPTED:
            self._find("6.5 stops", "triggered twice, or before it was at the venue", row)
        self._entered.append(order)
        self._see_market(order)
        order.triggered_seq = row[SEQ]
        last, peak, reached = row[PAYLOAD : PAYLOAD + 3]
        if given.instrument != order.instrument or given.kind not in MARKET_KINDS:
            self._find("6.5 stops", f"triggered by an input of kind {given.kind}", row)
        elif order.trail > 0:
            due = (order.fired, order.peak, trail_trigger(order) if order.peak > 0 else 0)
            if order.fired == 0 or (last, peak, reached) != due:
                self._find("6.5 trails", f"fired at {last}, peak {peak}, trigger {reached}; due {due}", row)
        else:
            ticks = self._stop_ticks(order, given)
            if (
                ticks == 0
                or order.trigger <= 0
                or not order.is_reached(ticks)
                or (peak, reached) != (0, order.trigger)
                or last != self._told_ticks(order, given, ticks)
            ):
                self._find("6.5 stops", f"triggered at {ticks} ticks, trigger {order.trigger}; it says {last}", row)

    def _stop_ticks(self, order: Order, given: Given) -> int:
        """The price that may have reached a stop in the current input, 0: none."""
        market = self.markets[order.instrument]
        if given.kind == InputKind.BAR:
            return given.payload()[1 if order.fires_up else 2]
        measured = given.kind == InputKind.TRADE or (given.kind in PICTURES and not market.trade_seen)
        return market.last_for(order.side) if measured else 0

    def _told_ticks(self, order: Order, given: Given, ticks: int) -> int:
        """The price that a stop's ORDER_TRIGGERED tells."""
        if given.kind != InputKind.BAR:
            return ticks
        first = given.payload()[0]
        return first if order.is_reached(first) else order.trigger
