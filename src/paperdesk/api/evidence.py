"""Why a fill came about, in words: what the market showed, and what the account's fill model made of it (docs/fill-models.md)."""

from collections.abc import Callable
from typing import Any, Final, Protocol

AHEAD: Final = {
    "optimistic": "the least that can stand there: who cancels stood ahead",
    "expected": "half way between the least and the most that can stand there",
    "pessimistic": "the most that can stand there: who cancels stood behind",
}
TOUCH: Final = {
    "optimistic": "up to all of such a trade",
    "expected": "up to a quarter of such a trade",
    "pessimistic": "nothing of such a trade",
}
SHARE: Final = {"optimistic": "all", "expected": "a tenth", "pessimistic": "a twentieth"}
IMPACT: Final = {"expected": "two thirds of", "pessimistic": "all of"}


class Grid(Protocol):
    """How ticks and lots read, and which model believes."""

    fill_model: str

    def price(self, ticks: int) -> str:
        """A price."""
        ...

    def quantity(self, lots: int) -> str:
        """A quantity."""
        ...


def _at_market(fill: Any) -> bool:
    return bool(fill["order_type"].endswith("MARKET"))


def _worse(fill: Any) -> str:
    """How far a price lies from its evidence."""
    ticks = abs(fill["price_ticks"] - fill["evidence_ticks"])
    if ticks == 0:
        return "at that price"
    return f"{ticks} tick{'' if ticks == 1 else 's'} {'above' if fill['price_ticks'] > fill['evidence_ticks'] else 'below'} it"


def _book_walk(fill: Any, terms: Grid) -> str:
    return f"the book displayed {terms.quantity(fill['shown_lots'])} there"


def _book_cross(fill: Any, terms: Grid) -> str:
    seen, shown = terms.price(fill["evidence_ticks"]), terms.quantity(fill["shown_lots"])
    return f"the other side of the book came to it, with {shown} displayed at {seen}, and who rests is filled at his own price"


def _trade_through(fill: Any, terms: Grid) -> str:
    side = "below" if fill["side"] == "BUY" else "above"
    seen, shown = terms.price(fill["evidence_ticks"]), terms.quantity(fill["shown_lots"])
    return f"{shown} traded at {seen}, {side} its price, so that it was passed, whatever stood ahead of it"


def _queue(fill: Any, terms: Grid) -> str:
    shown, front = terms.quantity(fill["shown_lots"]), fill["front_before_lots"]
    model = f"by the {terms.fill_model} model ({AHEAD[terms.fill_model]})"
    if front == 0:
        return f"{shown} traded at its price, and nothing stood ahead of it {model}"
    return f"{shown} traded at its price, more than the {terms.quantity(front)} that stood ahead of it {model}"


def _tape_take(fill: Any, terms: Grid) -> str:
    seen, shown = terms.price(fill["evidence_ticks"]), terms.quantity(fill["shown_lots"])
    taker = "buyer" if fill["side"] == "BUY" else "seller"
    if not _at_market(fill):
        return f"another {taker} took {shown} at {seen}, within its limit; without a book no better price than that limit is relied on"
    return f"the next trade was {shown} at {seen}, and without a book the {terms.fill_model} model lets a taker pay {_worse(fill)}"


def _tape_touch(fill: Any, terms: Grid) -> str:
    shown = terms.quantity(fill["shown_lots"])
    return f"{shown} traded at its price, and where no queue is known the {terms.fill_model} model gives it {TOUCH[terms.fill_model]}"


def _share(fill: Any, terms: Grid) -> str:
    return f"the account can have {terms.quantity(fill['shown_lots'])} of that bar ({SHARE[terms.fill_model]} of its volume)"


def _bar_open(fill: Any, terms: Grid) -> str:
    seen, model = terms.price(fill["evidence_ticks"]), terms.fill_model
    limit = "" if _at_market(fill) else ", and not beyond its limit"
    moved = terms.price(abs(fill["price_ticks"] - fill["evidence_ticks"]))
    how = f"from where the {model} model moves its price against it by {IMPACT.get(model)} its own impact on that bar{limit}, here by {moved}"
    if model == "optimistic":
        how = f"and the {model} model adds nothing for its own impact"
    return f"a bar that began no earlier than it was sent opened at {seen}, {how}; {_share(fill, terms)}"


def _bar_through(fill: Any, terms: Grid) -> str:
    seen, model = terms.price(fill["evidence_ticks"]), terms.fill_model
    if model == "optimistic":
        return f"a bar came as far as {seen}, and reaching its price is enough for the {model} model; {_share(fill, terms)}"
    return f"a bar went through its price, as far as {seen} (touching it is not enough for the {model} model); {_share(fill, terms)}"


def _bar_stop(fill: Any, terms: Grid) -> str:
    model, worst, trigger = terms.fill_model, terms.price(fill["evidence_ticks"]), fill["trigger_price"]
    if fill["trail_bips"]:
        trigger = terms.price(fill["triggered_ticks"])
    if model == "pessimistic":
        taken = f"the {model} model takes the bar's worst price, {worst}"
    else:
        impact = (
            ""
            if model == "optimistic"
            else f", moved against it by {IMPACT[model]} its own impact on that bar, at least a tick"
        )
        taken = f"the {model} model begins there, or at the bar's open where that had reached it{impact}, never beyond the bar's worst price, {worst}"
    return f"a bar reached its trigger at {trigger}, and {taken}; {_share(fill, terms)}"


RULES: Final[dict[str, Callable[[Any, Grid], str]]] = {
    "BOOK_WALK": _book_walk,
    "BOOK_CROSS": _book_cross,
    "TRADE_THROUGH": _trade_through,
    "QUEUE": _queue,
    "TAPE_TAKE": _tape_take,
    "TAPE_TOUCH": _tape_touch,
    "BAR_OPEN": _bar_open,
    "BAR_THROUGH": _bar_through,
    "BAR_STOP": _bar_stop,
}


def why_there(fill: Any, terms: Grid) -> str:
    """Why a fill happened, and at that price: the end of a sentence. `fill`: a row of `story.fills_with_receipts`."""
    return RULES[fill["rule"]](fill, terms)
