"""An order list in the story of one of its orders: who hangs on whom, when a pending order was placed, what ended it."""

from typing import Any, Final

from sqlalchemy import Connection, select

from paperdesk.domain.events import ListKind
from paperdesk.domain.reasons import Reason
from paperdesk.store import tables

NAMES: Final = {int(kind): kind.name for kind in ListKind}
ROLES: Final = {
    int(ListKind.OCO): ("what takes the profit", "the stop"),
    int(ListKind.OTO): ("the working order", "the pending order"),
    int(ListKind.OTOCO): ("the working order", "the pending order that takes the profit", "the pending stop"),
}
ENDED: Final = {
    "filled": "was filled whole",
    "canceled": "was canceled",
    "expired": "expired",
    "rejected": "was rejected",
    "denied": "was denied",
}
REFUSED: Final = ("denied", "rejected")


def place_of(row: Any) -> tuple[int, int]:
    """(kind, leg) of an order; (0, 0) for one of its own."""
    kind, leg = divmod(row["list_leg"], 8)
    return kind, leg


def is_waiting(row: Any) -> bool:
    """Whether an order is pending."""
    kind, leg = place_of(row)
    return bool(kind > ListKind.OCO and leg > 0 and not row["placed_seq"] and row["status"] == "submitted")


def others_of(connection: Connection, row: Any) -> list[Any]:
    """Rows of the other orders of a list, by number."""
    orders = tables.orders
    query = select(orders).where(
        orders.c.run == row["run"],
        orders.c.account == row["account"],
        orders.c.list_id == row["list_id"],
        orders.c.list_id > 0,
        orders.c.order_id != row["order_id"],
    )
    return list(connection.execute(query.order_by(orders.c.order_id)).mappings()) if row["list_id"] else []


def membership(row: Any, others: list[Any]) -> str:
    """What an order is in its list."""
    kind, leg = place_of(row)
    rest = " and ".join(f"{other['id']} ({ROLES[kind][place_of(other)[1]]})" for other in others)
    return f"It is {ROLES[kind][leg]} of an {NAMES[kind]} list, with {rest}."


def activation(row: Any, others: list[Any], placed: str) -> str:
    """When a pending order was placed, and with how much (`placed`); or that it waits, or never was; empty for other orders."""
    kind, leg = place_of(row)
    if kind <= ListKind.OCO or leg == 0 or row["status"] == "denied":
        return ""
    working = others[0]["id"]
    if is_waiting(row):
        return f"It is pending: it is placed when {working} is filled whole, and holds no funds until then."
    if not row["placed_seq"]:
        return f"It was pending until its end: {working} was not filled whole before."
    return (
        f"It was pending until input {row['placed_seq']} filled {working} whole, and was placed in that moment with {placed}; where "
        "a sale follows a buy, that is at most what the buy brought after its fee, in whole lots."
    )


def fates(others: list[Any]) -> str:
    """What became of the other orders of a list, in a sentence."""
    told = []
    for other in others:
        status = other["status"]
        if status in ENDED:
            because = f" ({other['reason']})" if other["reason"] and other["reason_code"] != Reason.LIST_ENDED else ""
            told.append(f"{other['id']} {ENDED[status]}{because}")
        else:
            told.append(f"{other['id']} {'is pending' if is_waiting(other) else 'is not done'}")
    return f"Of its list, {' and '.join(told)}."


def why_ended(row: Any, others: list[Any]) -> str:
    """Which other order of its list ended one, in a sentence; empty where none did."""
    if row["reason_code"] == Reason.LIST_REFUSED:
        for other in others:
            if other["status"] in REFUSED and other["reason_code"] != Reason.LIST_REFUSED:
                return f"The order that was refused is {other['id']}."
    if row["reason_code"] != Reason.LIST_ENDED:
        return ""
    seq = row["updated_seq"]
    for other in others:
        if other["triggered_seq"] == seq:
            return f"The trigger of {other['id']} had been reached by input {seq}."
    ended = [other for other in others if other["updated_seq"] == seq and other["status"] in ("canceled", "expired")]
    for other in ended:
        if other["reason_code"] != Reason.LIST_ENDED:
            return f"{other['id']} had ended: it {'expired' if other['status'] == 'expired' else 'was canceled'} ({other['reason']})."
    filled = next(
        (other for other in others if other["filled_lots"] > 0 and place_of(other)[1] + place_of(row)[1] > 0), None
    )
    return (
        f"Input {seq} had filled {filled['id']}, in part at least."
        if filled is not None and not is_pending_of(row, filled)
        else ""
    )


def is_pending_of(row: Any, other: Any) -> bool:
    """Whether one of two orders works for the other, so that they do not exclude each other."""
    kind = place_of(row)[0]
    return bool(kind > ListKind.OCO and 0 in (place_of(row)[1], place_of(other)[1]))
