"""The order that a request of the api asks for, as an intent. What cannot become an order is said in words, not sent."""

from decimal import Decimal, InvalidOperation
from typing import Final

from paperdesk.api import messages as words
from paperdesk.domain.commands import Intent
from paperdesk.domain.events import ListKind, Side, TimeInForce
from paperdesk.domain.terms import SELF_TRADES, TYPES, Terms

DIGITS: Final = 40
SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
LISTS: Final = {kind.name.lower(): kind for kind in ListKind}
FORCES: Final = {name.name.lower(): name for name in TimeInForce}
NEEDS: Final = {kind.name.lower(): needs for needs, kind in TYPES.items()}
"""Order type → whether it has a price, a trigger, and takes profit."""


class Unusable(Exception):  # noqa: N818  a fact, named as one
    """A command that cannot become an input; the text is for people."""


def intent_of(what: words.SubmitOrder) -> Intent:
    """The intent; Unusable where the terms do not go together or a number is none."""
    needs = NEEDS.get(what.order_type)
    if what.side not in SIDES or needs is None:
        raise Unusable(f"side is buy or sell; order_type is one of {', '.join(NEEDS)}")
    waits = what.trigger_price is not None or what.trail_bips is not None
    if needs[:2] != (what.price is not None, waits):
        price = "needs a price" if needs[0] else "takes no price"
        trigger = "needs a trigger_price or trail_bips" if needs[1] else "takes no trigger_price or trail_bips"
        raise Unusable(f"a {what.order_type} order {price} and {trigger}")
    if what.time_in_force is not None and what.time_in_force not in FORCES:
        raise Unusable(f"time_in_force is one of {', '.join(FORCES)}")
    limit = None if what.price is None else decimal("price", what.price)
    trigger_price = None if what.trigger_price is None else decimal("trigger_price", what.trigger_price)
    force = None if what.time_in_force is None else FORCES[what.time_in_force]
    terms = Terms(take_profit=needs[2], reduce_only=what.reduce_only)
    if what.expire_ns is not None:
        terms["expire_ns"] = what.expire_ns
    if what.trail_bips is not None:
        terms["trail_bips"] = what.trail_bips
    if what.visible_quantity is not None:
        terms["visible_quantity"] = decimal("visible_quantity", what.visible_quantity)
    if what.quote_quantity is not None:
        terms["quote_quantity"] = decimal("quote_quantity", what.quote_quantity)
    if what.self_trade is not None:
        if what.self_trade not in SELF_TRADES:
            raise Unusable(f"self_trade is one of {', '.join(SELF_TRADES)}")
        terms["self_trade"] = what.self_trade  # type: ignore[typeddict-item]
    return Intent(
        SIDES[what.side], decimal("quantity", what.quantity), limit, trigger_price, force, what.post_only, **terms
    )


def legs_of(what: words.SubmitList) -> tuple[ListKind, list[Intent]]:
    """A list's kind and its orders; Unusable where they do not go together."""
    kind = LISTS.get(what.kind)
    count = 3 if kind == ListKind.OTOCO else 2
    if kind is None or len(what.legs) != count:
        raise Unusable(f"kind is one of {', '.join(LISTS)}; an oco and an oto have two legs, an otoco three")
    if any(leg.quote_quantity is not None for leg in what.legs):
        raise Unusable("an order of a list has a quantity, no quote_quantity")
    return kind, [intent_of(leg) for leg in what.legs]


def decimal(name: str, text: str) -> Decimal:
    """A number as people write it; Unusable for anything else."""
    try:
        value = Decimal(text) if len(text) <= DIGITS else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or abs(value.adjusted()) > DIGITS:
        raise Unusable(f"{name} is not a number: write digits, such as 0.01")
    return value
