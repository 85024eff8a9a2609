"""Order lists in a strategy's hands: one command, handles at once, and a view that stays true beside the fold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.strategies.desk import Desk, assert_view_is_true
from tests.strategies.rows import BTC, MINUTE, SECOND, T0, funded, host_of, outs, quote, trade

from paperdesk.app.bot_frames import commands_of, packed
from paperdesk.domain.commands import Intent
from paperdesk.domain.events import InputKind, ListKind, OrderType, Side
from paperdesk.domain.reasons import Reason
from paperdesk.strategies.api import Strategy
from paperdesk.strategies.context import Context
from paperdesk.strategies.events import Bracket, Fill, Order, Pair, Refusal, Trade
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.snapshot import give, take

SYMBOL = "BTC/USDT"


class Idle(Strategy):
    """Wants nothing: the tests speak in its place."""


def wished(action: Callable[[Context], Any]) -> tuple[Any, np.ndarray, BotHost]:
    """What an action returns, the one command that it leads to, and the bot."""
    host = funded(host_of(Idle), 10_000, 2)
    result = action(host.ctx)
    (row,) = host.observe(outs())
    return result, row, host


def legs(row: np.ndarray, name: str, count: int) -> list[int]:
    """A word of each leg."""
    found: list[int] = row[f"leg_{name}"][0, :count].tolist()
    return found


def test_a_pair_is_one_command() -> None:
    handles, row, host = wished(lambda ctx: ctx.oco(SYMBOL, "0.5", "110", "90", reduce_only=True))
    assert handles == Pair(1, 2) and row["kind"][0] == InputKind.SUBMIT_LIST and row["list_kind"][0] == ListKind.OCO
    assert legs(row, "side", 2) == [Side.SELL] * 2 and legs(row, "qty_lots", 3) == [500, 500, 0]
    assert legs(row, "order_type", 2) == [OrderType.LIMIT, OrderType.STOP_MARKET]
    assert legs(row, "price_ticks", 2) == [11_000, 0] and legs(row, "trigger_ticks", 2) == [0, 9_000]
    assert legs(row, "flags", 2) == [5, 4] and legs(row, "client_id", 2) == [1, 2]
    assert list(host.ctx.open_orders) == [1, 2] and not host.ctx.open_orders[2].is_pending


def test_a_profit_below_the_stop_buys() -> None:
    _, row, _ = wished(lambda ctx: ctx.oco(SYMBOL, "0.5", "90", "110", stop_limit="111"))
    assert legs(row, "side", 2) == [Side.BUY] * 2 and legs(row, "order_type", 2)[1] == OrderType.STOP_LIMIT


def test_a_bracket_is_an_entry_and_a_pair_that_waits() -> None:
    handles, row, host = wished(lambda ctx: ctx.bracket(SYMBOL, "0.5", "100", "110", "90", expire_ns=T0 + MINUTE))
    assert handles == Bracket(1, 2, 3) and row["list_kind"][0] == ListKind.OTOCO
    assert legs(row, "side", 3) == [Side.BUY, Side.SELL, Side.SELL]
    assert legs(row, "expire_ns", 3) == [T0 + MINUTE, 0, 0]
    assert [order.is_pending for order in host.ctx.open_orders.values()] == [False, True, True]
    assert {order.list_handle for order in host.ctx.open_orders.values()} == {1}


def test_what_cannot_be_meant_is_said_at_once() -> None:
    ctx = funded(host_of(Idle), 10_000, 2).ctx
    with pytest.raises(ValueError, match="either side"):
        ctx.oco(SYMBOL, 1, "100", "100.0")
    with pytest.raises(ValueError, match="3 orders"):
        ctx.order_list(SYMBOL, ListKind.OTOCO, Intent(Side.BUY, 1, 5), Intent(Side.SELL, 1, 6))
    assert not ctx.open_orders


def test_numbers_off_the_grid_become_a_list_that_is_denied() -> None:
    _, row, _ = wished(lambda ctx: ctx.oco(SYMBOL, "0.00001", "110", "nan"))
    assert all(flags & 2 for flags in legs(row, "flags", 2))


class Bracketer(Strategy):
    """Keeps brackets around the market, and at times cancels one."""

    def on_trade(self, ctx: Context, trade: Trade) -> None:
        told = ctx.memory.setdefault("told", [])
        ctx.memory["seen"] = ctx.memory.get("seen", 0) + 1
        if len(ctx.open_orders) > 20:
            ctx.cancel_all()
        elif ctx.memory["seen"] % 3 == 0:
            price = trade.price
            told.append(list(ctx.bracket(trade.symbol, "0.010", price + 1, price + 3, price - 2)))
        elif ctx.memory["seen"] % 7 == 0 and ctx.open_orders:
            ctx.cancel(max(ctx.open_orders))
        elif ctx.memory["seen"] % 5 == 0 and ctx.position_lots(trade.symbol) > 3:
            ctx.oco(trade.symbol, "0.003", trade.price + 2, trade.price - 2, stop_limit=trade.price - 3)

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        ctx.memory["fills"] = ctx.memory.get("fills", 0) + 1

    def on_refusal(self, ctx: Context, refusal: Refusal) -> None:
        ctx.memory.setdefault("refused", []).append(refusal.reason.name)


def market(step: int) -> list[np.ndarray]:
    """A price that swings."""
    middle = 10_000 + 100 * ((step * 7) % 13 - 6)
    now = T0 + step * SECOND
    return [quote(now, middle - 50, 20, middle + 50, 20), trade(now + 1, middle, 9, step % 3)]


def test_the_view_stays_true_beside_the_fold_and_over_a_restart() -> None:
    host = host_of(Bracketer)
    desk = Desk([host], {"BTC": "1", "USDT": "20000"}, latency_ns=SECOND // 2)
    for step in range(1, 160):
        for row in market(step):
            desk.push(row)
        assert_view_is_true(desk, host)
        live = desk.fold.orders
        waits = {int(row["id"]) for row in live if row["status"] == 2 and row["place"] == 5}
        assert {order.order_id for order in host.view.orders.values() if order.is_pending and order.order_id} == waits
        if step % 40 == 0:
            data, host = take(host), host_of(Bracketer)
            give(host, data)
            desk.hosts = [host]
            assert_view_is_true(desk, host)
    assert host.ctx.memory["fills"] > 10 and "LIST_ENDED" not in host.ctx.memory.get("refused", [])
    assert desk.fold.faults() == []


def test_a_refused_list_is_forgotten_whole() -> None:
    host = host_of(Bracketer)
    desk = Desk([host], {"BTC": "1", "USDT": "20000"})
    handles = host.ctx.bracket(SYMBOL, 1, "100", "110", "90")
    (row,) = host.observe(outs())
    row["list_kind"] = 9
    desk.carry(host, [row])
    assert not host.ctx.open_orders and handles.entry == 1
    assert host.ctx.memory["refused"] == [Reason.UNSUPPORTED_COMBINATION.name]


def test_a_list_crosses_the_wall_as_it_is_and_nothing_else_does() -> None:
    _, row, host = wished(lambda ctx: ctx.bracket(SYMBOL, "0.5", "100", "110", "90"))
    (back,) = commands_of(packed([row]), host.account, host.bot, frozenset({BTC.number}))
    assert back.tobytes() == row.tobytes()
    for name, value in (("list_kind", 0), ("instrument", 9), ("account", 3), ("bot", 0)):
        forged = row.copy()
        forged[name] = value
        with pytest.raises(ValueError, match="it"):
            commands_of(packed([forged]), host.account, host.bot, frozenset({BTC.number}))
    for name, value in (("side", 7), ("order_type", 0), ("time_in_force", 257), ("flags", -1)):
        forged = row.copy()
        forged[f"leg_{name}"][0, 2] = value
        with pytest.raises(ValueError, match="no order on an instrument"):
            commands_of(packed([forged]), host.account, host.bot, frozenset({BTC.number}))
    with pytest.raises(ValueError, match="no commands"):
        commands_of(packed([row])[:-8], host.account, host.bot, frozenset({BTC.number}))
    assert isinstance(host.ctx.open_orders[1], Order)
