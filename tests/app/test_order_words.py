"""Requests of the api as intents: what goes together becomes an order, the rest is said in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from paperdesk.api.messages import SubmitOrder
from paperdesk.app.family.order_words import Unusable, intent_of
from paperdesk.domain.events import OrderType, Side, TimeInForce


def test_every_type_of_order_can_be_asked_for() -> None:
    needs = {
        "market": (None, None), "limit": ("5", None), "stop_market": (None, "6"), "stop_limit": ("5", "6"),
        "take_profit_market": (None, "6"), "take_profit_limit": ("5", "6"),
    }  # fmt: skip
    assert set(needs) == {kind.name.lower() for kind in OrderType}
    for name, (price, trigger) in needs.items():
        intent = intent_of(SubmitOrder(0, "sell", name, "1.5", price, trigger))
        assert intent.order_type == OrderType[name.upper()] and intent.side == Side.SELL
        assert intent.quantity == Decimal("1.5")
        assert (intent.price, intent.trigger) == tuple(text and Decimal(text) for text in (price, trigger))
        market = name.endswith("market")
        assert intent.time_in_force == (TimeInForce.IOC if market else TimeInForce.GTC)


def test_trails_and_icebergs_can_be_asked_for() -> None:
    trail = intent_of(SubmitOrder(0, "sell", "take_profit_market", "1", trail_bips=150))
    assert trail.order_type == OrderType.TAKE_PROFIT_MARKET and trail.trigger is None
    assert trail.terms["trail_bips"] == 150
    iceberg = intent_of(SubmitOrder(0, "sell", "limit", "1", "5", visible_quantity="0.2"))
    assert iceberg.terms["visible_quantity"] == Decimal("0.2") and iceberg.time_in_force == TimeInForce.GTC


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (SubmitOrder(0, "long", "limit", "1", "5"), "side is buy or sell"),
        (SubmitOrder(0, "buy", "twap", "1", "5"), "take_profit_limit"),
        (SubmitOrder(0, "buy", "limit", "1"), "a limit order needs a price and takes no trigger_price"),
        (SubmitOrder(0, "buy", "take_profit_market", "1", "5"), "takes no price and needs a trigger_price"),
        (SubmitOrder(0, "buy", "limit", "1", "5", trail_bips=5), "takes no trigger_price or trail_bips"),
        (SubmitOrder(0, "buy", "limit", "1", "5", visible_quantity="some"), "visible_quantity is not a number"),
        (SubmitOrder(0, "buy", "limit", "1", "5", None, "day"), "time_in_force is one of gtc, ioc, fok, gtd"),
        (SubmitOrder(0, "buy", "limit", "1", "5", self_trade="oldest"), "self_trade is one of none, expire_maker"),
        (SubmitOrder(0, "buy", "limit", "1e99", "5"), "quantity is not a number"),
        (SubmitOrder(0, "buy", "limit", "1", "five"), "price is not a number"),
    ],
)
def test_what_does_not_go_together_is_said(what: SubmitOrder, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        intent_of(what)


def test_a_self_trade_mode_is_a_term() -> None:
    assert (
        intent_of(SubmitOrder(0, "buy", "limit", "1", "5", self_trade="decrement")).terms["self_trade"] == "decrement"
    )
    assert "self_trade" not in intent_of(SubmitOrder(0, "buy", "limit", "1", "5")).terms
