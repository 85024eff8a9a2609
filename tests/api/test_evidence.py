"""Why a fill happened, in words: each rule under each fill model, with figures worked out by hand (docs/fill-models.md)."""

from typing import Any, Final

import pytest

from paperdesk.api.evidence import RULES, why_there
from paperdesk.domain.events import FillModel, FillRule
from paperdesk.store.reading import Grid

MODELS: Final = tuple(model.name.lower() for model in FillModel)


class Terms(Grid):
    """Prices to the cent, quantities to the tenth, a model."""

    def __init__(self, fill_model: str) -> None:
        super().__init__("BTC/USDT", "0.01", "0.1")
        self.fill_model = fill_model


def fill(rule: str, **other: Any) -> dict[str, Any]:
    """A buy at 100.03."""
    asked = {"side": "BUY", "order_type": "MARKET", "trigger_price": "100.01", "trail_bips": 0}
    numbers = {"price_ticks": 10_003, "evidence_ticks": 10_000, "shown_lots": 45, "front_before_lots": -1}
    return {"rule": rule, **asked, **numbers, **other}


def test_every_rule_is_told() -> None:
    assert set(RULES) == {rule.name for rule in FillRule}


@pytest.mark.parametrize(
    ("rule", "other", "model", "words"),
    [
        ("QUEUE", {"front_before_lots": 40}, "optimistic", "more than the 4.0 that stood ahead of it by the optimistic model (the least"),
        ("QUEUE", {"front_before_lots": 40}, "pessimistic", "by the pessimistic model (the most that can stand there"),
        ("QUEUE", {"front_before_lots": 0}, "expected", "and nothing stood ahead of it by the expected model (half way"),
        ("TAPE_TAKE", {"price_ticks": 10_000}, "optimistic", "4.5 at 100.00, and without a book the optimistic model lets a taker pay at that price"),
        ("TAPE_TAKE", {"price_ticks": 10_001}, "expected", "the expected model lets a taker pay 1 tick above it"),
        ("TAPE_TAKE", {"price_ticks": 9_998, "side": "SELL"}, "pessimistic", "2 ticks below it"),
        ("TAPE_TAKE", {"order_type": "LIMIT"}, "expected", "another buyer took 4.5 at 100.00, within its limit"),
        ("TAPE_TOUCH", {}, "optimistic", "the optimistic model gives it up to all of such a trade"),
        ("TAPE_TOUCH", {}, "expected", "the expected model gives it up to a quarter of such a trade"),
        ("BAR_OPEN", {}, "optimistic", "adds nothing for its own impact; the account can have 4.5 of that bar (all of"),
        ("BAR_OPEN", {}, "expected", "two thirds of its own impact on that bar, here by 0.03; the account can have 4.5"),
        ("BAR_OPEN", {"order_type": "LIMIT"}, "pessimistic", "all of its own impact on that bar, and not beyond its limit, here by 0.03"),
        ("BAR_THROUGH", {}, "optimistic", "came as far as 100.00, and reaching its price is enough"),
        ("BAR_THROUGH", {}, "pessimistic", "went through its price, as far as 100.00 (touching it is not enough for the pessimistic model)"),
        ("BAR_STOP", {}, "optimistic", "the optimistic model begins there, or at the bar's open where that had reached it, never"),
        ("BAR_STOP", {}, "expected", "two thirds of its own impact on that bar, at least a tick, never beyond the bar's worst price, 100.00"),
        ("BAR_STOP", {}, "pessimistic", "the pessimistic model takes the bar's worst price, 100.00"),
        ("TRADE_THROUGH", {"side": "SELL"}, "expected", "4.5 traded at 100.00, above its price, so that it was passed"),
        ("BOOK_CROSS", {}, "expected", "with 4.5 displayed at 100.00, and who rests is filled at his own price"),
    ],
)  # fmt: skip
def test_what_a_fill_rests_on(rule: str, other: dict[str, Any], model: str, words: str) -> None:
    assert words in why_there(fill(rule, **other), Terms(model))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("rule", ["QUEUE", "TAPE_TOUCH", "BAR_OPEN", "BAR_THROUGH", "BAR_STOP"])
def test_where_a_model_decides_it_is_named(rule: str, model: str) -> None:
    assert f"the {model} model" in why_there(fill(rule), Terms(model))
