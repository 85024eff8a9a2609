"""What the auditor knows of order lists: what each leg was asked to be, and what must hold of legs at the end of an input (docs/venue-rules.md, 11)."""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from paperdesk.domain.events import HEAD_BYTES, LEG_WORDS, LEGS, InputKind, ListKind, OutputKind, Side
from paperdesk.domain.orders import OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.store.audit_books import Account, Order
from paperdesk.store.audit_market import Given
from paperdesk.store.audit_report import KIND, ORDER_ID, PAYLOAD, REASON, Row

LIST_WORDS: Final = struct.Struct(f"<{2 + LEGS * len(LEG_WORDS)}q")
QTY, LIST_ID, LIST_LEG = PAYLOAD + 1, PAYLOAD + 10, PAYLOAD + 11
COUNTS: Final = {int(ListKind.OCO): 2, int(ListKind.OTO): 2, int(ListKind.OTOCO): 3}
PAIRS: Final = {int(ListKind.OCO): (0, 1), int(ListKind.OTOCO): (1, 2)}
Complaint = tuple[str, str]


def asked_of(given: Given, row: Row) -> tuple[object, ...]:
    """The terms that a SUBMIT_ORDER, or the leg of a SUBMIT_LIST that an output speaks of, asked for, as `said_of` writes them."""
    head = (given.kind, given.account, given.bot, given.instrument)
    numbers = given.payload()
    if given.kind != InputKind.SUBMIT_LIST:
        qty = numbers[1] or (row[PAYLOAD + 6] and row[QTY])
        return (*head, *given.head[1:4], (numbers[0], qty, *numbers[2:4]), (*numbers[5:8], *given.further()), 0, 0)
    kind, cause, *words = LIST_WORDS.unpack_from(given.data, HEAD_BYTES)
    place = row[LIST_LEG] % 8
    leg = {name: words[LEGS * at + place] if place < LEGS else 0 for at, name in enumerate(LEG_WORDS)}
    what = (leg["price_ticks"], leg["qty_lots"], leg["trigger_ticks"], leg["client_id"])
    terms = (leg["side"], leg["order_type"], leg["time_in_force"])
    return (
        *head,
        *terms,
        what,
        (cause, leg["expire_ns"], 0, leg["trail_bips"], leg["visible_lots"]),
        row[ORDER_ID] - place,
        8 * kind + place,
    )


def said_of(row: Row, given: Given, heads: tuple[int, ...]) -> tuple[object, ...]:
    """The same of an ORDER_SUBMITTED or ORDER_DENIED; `heads`: account, bot, instrument."""
    kind = InputKind.SUBMIT_LIST if given.kind == InputKind.SUBMIT_LIST else InputKind.SUBMIT_ORDER
    price, qty, trigger, _, client_id, expire_ns, budget, cause = row[PAYLOAD : PAYLOAD + 8]
    terms = (price, qty, trigger, client_id), (cause, expire_ns, budget, *row[PAYLOAD + 8 : PAYLOAD + 10])
    return (kind, *heads, *row[1:4], *terms, row[LIST_ID], row[LIST_LEG])


class Lists:
    """The legs that the current input sent, and the lists that it touched."""

    def __init__(self) -> None:
        self.sent: list[Row] = []

    def wrong_when_sent(self) -> Iterator[Complaint]:
        """A list is sent whole, each leg once, or denied whole."""
        rows, self.sent = self.sent, []
        if not rows:
            return
        places = [row[LIST_LEG] % 8 for row in rows]
        if places != list(range(COUNTS.get(rows[0][LIST_LEG] // 8, 0))):
            yield "11 lists", f"the legs {places} of a list were answered"
        kinds = {row[KIND] for row in rows}
        if len(kinds) > 1:
            yield "11 lists", "some legs of a list were denied, others sent"
        named = {row[REASON] for row in rows} - {Reason.LIST_REFUSED}
        if kinds == {int(OutputKind.ORDER_DENIED)} and len(named) != 1:
            yield "11 lists", f"a denied list names {len(named)} reasons"


def activated(account: Account, order: Order, row: Row) -> Iterator[Complaint]:
    """A pending leg is placed: its working order is filled, and it is cut to what that brought."""
    working = account.lists.get((order.list_id, 0))
    lots = row[QTY]
    if order.list_leg % 8 == 0 or order.list_leg // 8 == ListKind.OCO or order.activated_ns:
        yield "11 pending legs", "an order is placed that does not wait"
    if working is None or working.status != OrderStatus.FILLED:
        yield "11 pending legs", "placed before the working order was filled whole"
    elif (working.side, order.side) == (Side.BUY, Side.SELL):
        due = min(order.qty, working.brought // order.definition.base_units_per_lot)
        if lots != due:
            yield "11 pending legs", f"placed with {lots} lots where {due} are due"
    elif lots != order.qty:
        yield "11 pending legs", f"placed with {lots} lots of {order.qty}"


def wrong_at_end(account: Account, lists: Iterable[int]) -> Iterator[tuple[Order, str]]:
    """What must hold of touched lists once an input is over; forgets those of which nothing lives."""
    for list_id in lists:
        legs = [leg for place in range(LEGS) if (leg := account.lists.get((list_id, place))) is not None]
        live = [leg for leg in legs if leg.is_unfinished]
        kind = legs[0].list_leg // 8
        if any(leg.status not in (OrderStatus.FILLED, *LIVE) for leg in legs) and live:
            yield from _outlives(kind, legs, live)
        working = legs[0]
        for leg in live:
            if leg.is_pending and not working.is_unfinished:
                yield leg, "it waits for an order that is done"
            if leg.is_pending and (leg.reserved or leg.status != OrderStatus.SUBMITTED):
                yield leg, "it is pending, and holds funds or was accepted"
        both = [leg for leg in legs if leg.list_leg % 8 in PAIRS.get(kind, ()) and not leg.is_pending]
        pair = [leg for leg in both if leg.is_unfinished]
        for leg in pair:
            if any(other is not leg and (other.filled or other.triggered_seq) for other in both):
                yield leg, "it lives on though the other of its pair was filled or triggered"
        if len(pair) == 2:
            if sum(leg.reserved > 0 for leg in pair) != 1 or pair[0].qty != pair[1].qty:
                yield pair[0], "not one of its pair holds the funds of both"
        if not live:
            for leg in legs:
                account.lists.pop((list_id, leg.list_leg % 8), None)


LIVE: Final = (OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


def _outlives(kind: int, legs: list[Order], live: list[Order]) -> Iterator[tuple[Order, str]]:
    """A leg ended without being filled whole: what may live on is the other of its pair, once triggered or filled."""
    for leg in live:
        free = leg.list_leg % 8 in PAIRS.get(kind, ()) and (leg.filled > 0 or leg.triggered_seq > 0)
        others = [one for one in legs if one is not leg and one.status not in (OrderStatus.FILLED, *LIVE)]
        if others and not free:
            yield leg, "it outlives another leg of its list"
