"""A bot's state through bytes and back: whole, plain, and refused with a reason where it is not."""

import math
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest
from tests.strategies.rows import (
    BTC,
    ETH,
    MINUTE,
    SECOND,
    T0,
    filled,
    funded,
    host_of,
    limit,
    outs,
    quote,
    submitted,
    trade,
)

from paperdesk.domain.events import Side
from paperdesk.features.bars import Bar
from paperdesk.features.basic import ema
from paperdesk.strategies.api import Parameter, Strategy
from paperdesk.strategies.context import Context
from paperdesk.strategies.events import Quote, Trade
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.snapshot import SCHEMA, SnapshotError


class Busy(Strategy):
    """Uses everything that has state."""

    bars = "1m"
    parameters: ClassVar = {"n": Parameter(3, 1, 100), "part": Parameter(Decimal("0.5"), Decimal(0), Decimal(1))}
    features: ClassVar = {"mean": ema("n")}

    def on_start(self, ctx: Context) -> None:
        ctx.memory["starts"] = ctx.memory.get("starts", 0) + 1

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        ctx.memory.setdefault("means", []).append(ctx.feature("mean"))
        ctx.buy_lots(bar.symbol, 1, bar.close_ticks)

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        ctx.memory["bid"] = quote.bid

    def on_trade(self, ctx: Context, trade: Trade) -> None:
        ctx.memory["last"] = {"price": trade.price, 7: [None, True, 2**70, -(2**63), 1.5, math.inf, b"x", "y", {}]}


def walk(host: BotHost, start: int, end: int) -> list[bytes]:
    """Show a host a stretch of the same market; the bytes of every command it sends."""
    commands: list[np.ndarray] = []
    for step in range(start, end):
        ts = T0 + step * 17 * SECOND
        row = trade(ts, 10_000 + step * step % 37, step % 5 + 1, number=step % 2)
        commands += host.decide(2, row, 0)
        commands += host.decide(3, quote(ts, 9_990 + step, 1, 10_050 + step, 2), 0)
    return [row.tobytes() for row in commands]


def test_a_restored_bot_goes_on_as_if_nothing_had_happened() -> None:
    one = funded(host_of(Busy))
    walk(one, 0, 50)
    order = limit(Side.BUY, 10_000, 5, client_id=1)
    one.observe(outs(submitted(order, 7), filled(order, 7, 10_000, 2, fee_units=10)))
    data = one.snapshot()
    two = host_of(Busy)
    two.restore(data)
    assert two.snapshot() == data
    assert two.ctx.memory == one.ctx.memory
    assert two.ctx.position("BTC/USDT") == one.ctx.position("BTC/USDT") == Decimal("0.0019999")
    assert two.ctx.balance("USDT") == one.ctx.balance("USDT")
    assert repr(two.ctx.open_orders[1]) == repr(one.ctx.open_orders[1])
    first, second = walk(one, 50, 120), walk(two, 50, 120)
    assert first == second and len(first) > 5
    assert two.ctx.memory["starts"] == 1, "on_start is called once in the life of a bot"
    assert two.snapshot() == one.snapshot()
    for host in (one, two):
        host.observe(outs(filled(order, 7, 10_000, 3)))
    assert two.snapshot() == one.snapshot()


def test_the_bar_that_was_open_closes_on_time_after_a_restart() -> None:
    one = host_of(Busy)
    one.decide(2, trade(T0 + 1, 100), 0)
    two = host_of(Busy)
    two.restore(one.snapshot())
    two.decide(2, trade(T0 + MINUTE, 100), 0)
    assert two.view.markets[0].n_bars == 1


@pytest.mark.parametrize(
    ("memory", "complaint"),
    [
        ({"a": {"b": [1, (2, 3)]}}, r"memory\['a'\]\['b'\]\[1\] is a tuple; memory holds plain data .*use a list"),
        ({"a": {1, 2}}, r"memory\['a'\] is a set; .*use a list"),
        ({"a": np.float64(1.5)}, r"memory\['a'\] is a float64; memory holds plain data only"),
        ({"a": object()}, r"memory\['a'\] is a object"),
        ({"a": {(1, 2): 3}}, r"memory\['a'\] has the key \(1, 2\); keys must be str or int"),
        ({2**64: 1}, "keys must be str or int of at most 64 bits"),
        ([1], "ctx.memory is a list; it must stay a dict"),
    ],
)
def test_what_is_not_plain_is_refused_by_name_and_type(memory: Any, complaint: str) -> None:
    host = host_of(Busy)
    host.ctx.memory = memory
    with pytest.raises(SnapshotError, match=complaint):
        host.snapshot()


def test_a_memory_that_holds_itself_is_refused() -> None:
    host = host_of(Busy)
    host.ctx.memory["me"] = host.ctx.memory
    with pytest.raises(SnapshotError, match="nested more than 32 deep"):
        host.snapshot()


def test_snapshots_of_something_else_are_refused_before_anything_changes() -> None:
    data = host_of(Busy).snapshot()

    class Other(Busy):
        """Another strategy."""

    cases = [
        (host_of(Other), "is of the strategy Busy, not of Other"),
        (host_of(Busy, {"n": 4}), "was taken with n=3, part=0.5, this run has n=4, part=0.5: go on with the old"),
        (host_of(Busy, instruments=(BTC,)), "trades BTC/USDT, ETH/USDT, this run BTC/USDT: the instruments of a bot"),
        (
            host_of(Busy, instruments=(BTC._replace(tick=Decimal("0.1"), version=2), ETH)),
            r"knows BTC/USDT in version 1 \(tick 0.01, lot 0.001\), the host was given version 2 \(tick 0.1, lot",
        ),
    ]
    for host, complaint in cases:
        before = host.snapshot()
        with pytest.raises(SnapshotError, match=complaint):
            host.restore(data)
        assert host.snapshot() == before


def test_damaged_and_newer_snapshots_are_refused() -> None:
    host = host_of(Busy)
    data = host.snapshot()
    with pytest.raises(SnapshotError, match="cannot be read"):
        host.restore(data[: len(data) // 2])
    with pytest.raises(SnapshotError, match="cannot be read"):
        host.restore(b"\x00")
    with pytest.raises(SnapshotError, match="cannot be read"):
        host.restore(msgspec.msgpack.encode({"schema": SCHEMA}))
    with pytest.raises(SnapshotError, match=rf"has schema {SCHEMA + 1}, this version reads up to {SCHEMA}"):
        host.restore(msgspec.msgpack.encode({"schema": SCHEMA + 1, "new": True}))
    strange = msgspec.msgpack.decode(data)
    strange["memory"] = {"a": msgspec.msgpack.Ext(99, b"?")}
    with pytest.raises(SnapshotError, match="extension type 99"):
        host.restore(msgspec.msgpack.encode(strange))


def test_a_bot_without_parameters_says_so() -> None:
    class Plain(Strategy):
        name = "Busy"

    with pytest.raises(SnapshotError, match="this run has no parameters"):
        host_of(Plain).restore(host_of(Busy).snapshot())
    again = host_of(Plain)
    again.restore(host_of(Plain).snapshot())
    assert again.ctx.memory == {}
