"""ctx.amend, and what a bot learns when its orders become smaller."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.strategies.rows import T0, about, host_of, outs, submitted, trade
from tests.strategies.test_host import Diary, doing, shown, told

from paperdesk.app.bot_frames import commands_of, packed
from paperdesk.domain.events import FLAG_MALFORMED, InputKind, OutputKind
from paperdesk.domain.reasons import Reason
from paperdesk.strategies.api import Strategy
from paperdesk.strategies.context import Context
from paperdesk.strategies.events import Trade
from paperdesk.strategies.snapshot import give, take


class Shrinker(Diary):
    """Buys with its first trade and amends as its memory says."""

    def on_trade(self, ctx: Context, trade: Trade) -> None:
        if not ctx.open_orders:
            ctx.buy_lots("BTC/USDT", 9, 10_000)
        for handle, lots in ctx.memory.pop("amend", []):
            ctx.amend(handle, lots=lots)


def test_an_amend_waits_for_the_number_of_its_order() -> None:
    host = host_of(Shrinker)
    host.ctx.memory["amend"] = [(1, 4)]
    (order,) = shown(host, trade(T0, 10_000))
    (amend,) = shown(host, trade(T0, 10_000), submitted(order, 7))
    assert (amend["kind"][0], amend["order_id"][0], amend["qty_lots"][0]) == (InputKind.AMEND_ORDER, 7, 4)
    (again,) = commands_of(packed([amend]), 0, 1, frozenset({0, 1}))
    assert again.tobytes() == amend.tobytes(), "it may be said from a process of its own"
    assert host.ctx.open_orders[1].amend_lots == 4
    host.ctx.memory["amend"] = [(1, 3)]
    assert shown(host, trade(T0, 10_000)) == [], "one at a time"


def test_an_order_follows_its_amend() -> None:
    host = host_of(Shrinker)
    (order,) = shown(host, trade(T0, 10_000))
    host.ctx.memory["amend"] = [(1, 4)]
    assert len(shown(host, trade(T0, 10_000), submitted(order, 7))) == 1
    told(host)
    host.observe(outs(about(OutputKind.AMEND_REQUESTED, order, 7, qty_lots=4)))
    host.observe(outs(about(OutputKind.ORDER_DECREASED, order, 7, qty_lots=4)))
    one = host.ctx.open_orders[1]
    assert (one.qty_lots, one.amend_lots, told(host)) == (4, 0, []), "its own wish is not told"
    host.observe(outs(about(OutputKind.ORDER_DECREASED, order, 7, Reason.EXPIRED_IN_MATCH, qty_lots=3, cause=8)))
    assert one.qty_lots == 3 and told(host) == [("ORDER_DECREASED", "EXPIRED_IN_MATCH", 1, "BTC/USDT")]
    host.ctx.memory["amend"] = [(1, 2)]
    shown(host, trade(T0, 10_000))
    host.observe(outs(about(OutputKind.AMEND_REJECTED, order, 7, Reason.AMEND_PENDING)))
    assert one.amend_lots == 2, "the one before is still on its way"
    host.observe(outs(about(OutputKind.AMEND_REJECTED, order, 7, Reason.ALREADY_FILLED)))
    assert one.amend_lots == 0
    assert told(host)[-2:] == [
        ("AMEND_REJECTED", "AMEND_PENDING", 1, "BTC/USDT"),
        ("AMEND_REJECTED", "ALREADY_FILLED", 1, "BTC/USDT"),
    ]


def test_a_quantity_that_is_none_becomes_a_command_that_is_refused() -> None:
    for quantity, reason in (
        ("0.0001", Reason.QUANTITY_OFF_GRID),
        ("NaN", Reason.INVALID_NUMBER),
        ("0", Reason.INVALID_QUANTITY),
    ):
        host = doing("on_trade", lambda ctx: ctx.amend(ctx.buy("BTC/USDT", 1, 10), Decimal(quantity)))  # noqa: B023
        (order,) = shown(host, trade(T0, 10_000))
        amend = shown(host, trade(T0, 10_000), submitted(order, 7))[0]
        assert amend["flags"][0] == FLAG_MALFORMED and amend["defect"][0] == reason and amend["qty_lots"][0] == 0


def test_what_is_over_is_left_alone_and_what_never_was_raises() -> None:
    host = host_of(Shrinker)
    (order,) = shown(host, trade(T0, 10_000))
    shown(host, trade(T0, 10_000), submitted(order, 7))
    host.ctx.cancel(1)
    host.ctx.commands.clear()
    host.ctx.amend(1, lots=2)
    assert host.ctx.commands == [], "a cancel is on its way"
    with pytest.raises(ValueError, match="there never was an order with handle 9"):
        host.ctx.amend(9, lots=2)


def test_an_amend_on_its_way_is_in_the_snapshot() -> None:
    host = host_of(Shrinker)
    (order,) = shown(host, trade(T0, 10_000))
    host.ctx.memory["amend"] = [(1, 4)]
    shown(host, trade(T0, 10_000), submitted(order, 7))
    again = host_of(Shrinker)
    give(again, take(host))
    assert again.ctx.open_orders[1].amend_lots == 4


def test_a_mode_that_does_not_exist_is_a_mistake_of_the_strategy() -> None:
    class Wrong(Strategy):
        def on_trade(self, ctx: Context, trade: Trade) -> None:
            ctx.buy("BTC/USDT", 1, 10, self_trade="cancel_newest")  # type: ignore[arg-type]

    with pytest.raises(Exception, match="self_trade is one of"):
        shown(host_of(Wrong), trade(T0, 10_000))
