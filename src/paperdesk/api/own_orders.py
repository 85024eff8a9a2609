"""An order and the others of its account, in sentences: whom it would have met, and what they took of the book before it."""

from typing import Any, Final

from sqlalchemy import Connection, select

from paperdesk.api.waits import Terms
from paperdesk.api.words import time_text
from paperdesk.domain.reasons import Reason
from paperdesk.store import tables

SAYS: Final = {
    "expire_maker": "who waited ends",
    "expire_taker": "who came ends",
    "expire_both": "both end",
    "decrement": "the smaller quantity is taken from both, and who has no more ends",
}
"""What a mode makes of two orders of one account that meet."""
EMPTIED: Final = (Reason.IOC_REMAINDER, Reason.NO_LIQUIDITY)


def met_by(connection: Connection, row: Any) -> list[Any]:
    """Orders of the same account that an order met: those that ended by it, and the one that it ended by."""
    orders = tables.orders
    own = select(orders).where(orders.c.run == row["run"], orders.c.account == row["account"])
    ended = own.where(
        orders.c.met_order == row["order_id"],
        orders.c.met_order > 0,
        orders.c.reason_code == int(Reason.EXPIRED_IN_MATCH),
    )
    found = {one["order_id"]: one for one in connection.execute(ended).mappings()}
    if row["met_order"]:
        one = connection.execute(own.where(orders.c.order_id == row["met_order"])).mappings().one()
        found[one["order_id"]] = one
    return sorted(found.values(), key=lambda one: (one["updated_seq"], one["order_id"]))


def came(row: Any, other: Any, seq: int) -> bool:
    """Whether an order came to another that waited, when they met at an input; else it was the other way round."""
    if seq in (row["triggered_seq"], other["triggered_seq"]):
        return bool(row["triggered_seq"] == seq)
    return bool((row["arrive_ns"], row["order_id"]) > (other["arrive_ns"], other["order_id"]))


def decided(row: Any, rivals: list[Any]) -> str:
    """By whose mode an order ended that would have met another; empty where it did not end so."""
    if row["reason_code"] != Reason.EXPIRED_IN_MATCH:
        return ""
    other = next((rival for rival in rivals if rival["order_id"] == row["met_order"]), None)
    if other is None:
        return ""
    comer = row if came(row, other, row["updated_seq"]) else other
    whose = "its own" if comer is row else f"that of {other['id']}"
    mode = comer["self_trade"]
    return f"Which of them ends is said by the self-trade mode of the one that came: {whose}, {mode.replace('_', '-')} ({SAYS.get(mode, '')})."


def gone(row: Any, fills: list[Any], rivals: list[Any]) -> list[tuple[int, float, str]]:
    """(input, place, sentence) of each waiting order that an order met and that ended, where it did not end by it itself."""
    told = []
    for rival in rivals:
        if not _gave_way(row, rival):
            continue
        seq, ticks = rival["updated_seq"], rival["price_ticks"]
        same = [fill for fill in fills if (fill["seq"], fill["price_ticks"]) == (seq, ticks)]
        better = [fill for fill in fills if fill["seq"] == seq and fill["price_ticks"] != ticks]
        better = [fill for fill in better if (fill["price_ticks"] < ticks) == (row["side"] == "BUY")]
        place = max((fill["number"] for fill in better + same[:1]), default=0) + 0.5
        when = f"which it would have met at {time_text(rival['updated_ns'])}"
        told.append(
            (seq, place, f"{rival['id']} of its own account, {when}, expired in its stead (self-trade expire-maker).")
        )
    return told


def _gave_way(row: Any, rival: Any) -> bool:
    """Whether another order ended for an order that came to it, and the order went on."""
    met = rival["met_order"] == row["order_id"] and row["self_trade"] == "expire_maker"
    return bool(met and rival["order_id"] != row["met_order"] and came(row, rival, rival["updated_seq"]))


def shares(order: Terms, fills: list[Any], changes: list[Any], rivals: list[Any]) -> dict[int, str]:
    """By fill: why a walk through the book took less of a level than it displayed, though it wanted more."""
    told: dict[int, str] = {}
    for place, fill in enumerate(fills):
        same = [other for other in fills if (other["seq"], other["price_ticks"]) == (fill["seq"], fill["price_ticks"])]
        left = fill["shown_lots"] - sum(other["qty_lots"] for other in same)
        if fill["rule"] != "BOOK_WALK" or fill["shown_lots"] == fill["qty_lots"]:
            continue
        rival = _stood_there(order.row, fill, changes, rivals, last=place == len(fills) - 1)
        if not rival and len(same) == 2 and fill is same[0]:
            gave_way = (other for other in rivals if _gave_way(order.row, other))
            rival = next((other["id"] for other in gave_way if other["price_ticks"] == fill["price_ticks"]), "")
        if rival:
            told[fill["fill_id"]] = f", and this was left of it ahead of {rival} of its own account"
        elif fill is same[-1] and left > 0 and _wanted_more(order.row, fills, place):
            told[fill["fill_id"]] = f", of which its account had taken {order.quantity(left)} before"
    return told


def _stood_there(row: Any, fill: Any, changes: list[Any], rivals: list[Any], *, last: bool) -> str:
    """The order of the same account that was met right after a fill at its price; empty for none, or where that is not known."""
    prices = {rival["order_id"]: (rival["price_ticks"], rival["id"]) for rival in rivals}
    for change in changes:
        ticks, name = prices.get(change["met_order"], (0, ""))
        if (change["seq"], ticks) == (fill["seq"], fill["price_ticks"]) and fill["number"] < change["number"]:
            return str(name)
    ticks, name = prices.get(row["met_order"], (0, ""))
    ended = row["reason_code"] == Reason.EXPIRED_IN_MATCH and row["updated_seq"] == fill["seq"]
    return str(name) if last and ended and ticks == fill["price_ticks"] else ""


def _wanted_more(row: Any, fills: list[Any], place: int) -> bool:
    """Whether an order went on after a fill: to another price, to wait, or to an end for want of more."""
    if place + 1 < len(fills):
        return True
    waits = row["status"] in ("accepted", "partially_filled") or row["updated_seq"] > fills[place]["seq"]
    return bool(row["status"] != "filled" and (waits or row["reason_code"] in EMPTIED))
