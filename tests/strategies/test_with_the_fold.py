"""Hosts beside the real fold: the view stays true, runs repeat to the byte, restarts change nothing."""

import random
from itertools import pairwise

import numpy as np
import pytest
from tests.strategies.desk import Desk, assert_view_is_true
from tests.strategies.rows import ACCOUNT, BTC, ETH, MINUTE, SECOND, T0, bar, book, quote, status, trade

from paperdesk.domain.events import InputKind, MarketStatus, Side, TimeInForce
from paperdesk.domain.reasons import Reason
from paperdesk.features.bars import Bar
from paperdesk.features.basic import atr, sma
from paperdesk.strategies.api import Strategy
from paperdesk.strategies.context import Context
from paperdesk.strategies.events import Fill, Quote, Refusal, Trade
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.registry import BUILT_IN, build


class Monkey(Strategy):
    """Does anything at all; its dice are in its memory, so that they snapshot."""

    bars = "1m"
    features = {"mean": sma(3), "range": atr(2)}  # noqa: RUF012

    def roll(self, ctx: Context, sides: int) -> int:
        ctx.memory["dice"] = (ctx.memory.get("dice", 1) * 6364136223846793005 + 1442695040888963407) % 2**62
        return int(ctx.memory["dice"] >> 20) % sides

    def act(self, ctx: Context, symbol: str, price_ticks: int) -> None:
        roll = self.roll(ctx, 12)
        lots, off = 1 + self.roll(ctx, 40), self.roll(ctx, 9) - 4
        send = ctx.buy_lots if self.roll(ctx, 2) else ctx.sell_lots
        force = (None, TimeInForce.IOC, TimeInForce.FOK)[self.roll(ctx, 3)]
        if roll < 3:
            send(symbol, lots, price_ticks + off, time_in_force=force)
        elif roll == 3:
            send(symbol, lots, price_ticks + off, post_only=True)
        elif roll == 4:
            send(symbol, lots)
        elif roll == 5:
            send(symbol, lots, trigger_ticks=price_ticks + off)
        elif roll == 6:
            ctx.target(symbol, ctx.instrument(symbol).quantity(self.roll(ctx, 60)))
        elif roll == 7:
            ctx.cancel(send(symbol, lots, price_ticks + off))
        elif roll == 8 and ctx.open_orders:
            ctx.cancel(min(ctx.open_orders))
        elif roll == 9 and self.roll(ctx, 4) == 0:
            ctx.cancel_all(symbol if self.roll(ctx, 2) else None)
        elif roll == 10:
            ctx.buy(symbol, "0.00001", "0.001")

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        ctx.memory["seen"] = [ctx.feature("mean"), ctx.feature("range")]
        self.act(ctx, bar.symbol, bar.close_ticks)

    def on_trade(self, ctx: Context, trade: Trade) -> None:
        self.act(ctx, trade.symbol, trade.price_ticks)

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        self.act(ctx, quote.symbol, quote.bid_ticks)

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        if self.roll(ctx, 3) == 0:
            self.act(ctx, fill.symbol, fill.price_ticks)

    def on_refusal(self, ctx: Context, refusal: Refusal) -> None:
        ctx.memory["refusals"] = ctx.memory.get("refusals", 0) + 1


def market(seed: int, count: int) -> list[np.ndarray]:
    """A small random market in both instruments: books, quotes, trades, now and then a gap."""
    chance, ts, rows = random.Random(seed), T0, []
    middle = [10_000, 400]
    for _ in range(count):
        ts += chance.randrange(0, 20 * SECOND)
        number = chance.randrange(2)
        middle[number] += chance.randrange(-2, 3)
        centre = middle[number]
        kind = chance.randrange(20)
        if kind < 6:
            bids = [(centre - 1 - level, chance.randrange(1, 30)) for level in range(4)]
            asks = [(centre + 1 + level, chance.randrange(1, 30)) for level in range(4)]
            rows.append(book(ts, bids, asks, number))
        elif kind < 10:
            rows.append(quote(ts, centre - 1, chance.randrange(0, 30), centre + 1, chance.randrange(0, 30), number))
        elif kind < 18:
            price = centre + chance.randrange(-2, 3)
            rows.append(trade(ts, price, chance.randrange(1, 60), chance.choice((Side.BUY, Side.SELL)), number))
        elif kind == 18:
            rows.append(trade(ts, -1, 1, number=number))
        else:
            rows.append(status(ts, chance.choice(list(MarketStatus)), number))
    return rows


def bots() -> list[BotHost]:
    """Two monkeys that share an account."""
    hosts = [BotHost(build(Monkey), ACCOUNT, bot, (BTC, ETH)) for bot in (1, 2)]
    for host in hosts:
        host.ctx.memory["dice"] = host.bot
    return hosts


FUNDS = {"USDT": "10000", "BTC": "1", "ETH": "5"}


@pytest.mark.parametrize("latency_ns", [0, 3 * SECOND])
def test_the_view_stays_true_whatever_happens(latency_ns: int) -> None:
    orders, refusals = 0, 0
    for seed in range(6):
        desk = Desk(bots(), FUNDS, latency_ns=latency_ns)
        for step, row in enumerate(market(seed, 150)):
            desk.push(row)
            for host in desk.hosts:
                try:
                    assert_view_is_true(desk, host)
                except AssertionError as error:
                    raise AssertionError(f"seed {seed}, latency {latency_ns}, step {step}: {error}") from error
        orders += len(desk.commands)
        refusals += sum(host.ctx.memory.get("refusals", 0) for host in desk.hosts)
    assert orders > 300 and refusals > 50, "the monkeys have been busy"


def test_the_same_market_gives_the_same_commands_to_the_byte() -> None:
    runs = []
    for _ in range(2):
        desk = Desk(bots(), FUNDS, latency_ns=SECOND)
        for row in market(99, 200):
            desk.push(row)
        runs.append((desk.bytes_of_commands(), desk.fold.hash(), [host.snapshot() for host in desk.hosts]))
    assert runs[0] == runs[1]


def test_restarts_of_the_hosts_change_nothing() -> None:
    whole, broken = Desk(bots(), FUNDS, latency_ns=SECOND), Desk(bots(), FUNDS, latency_ns=SECOND)
    for step, row in enumerate(market(7, 200)):
        whole.push(row.copy())
        broken.push(row.copy())
        if step % 20 == 0:
            fresh = bots()
            for old, new in zip(broken.hosts, fresh, strict=True):
                new.restore(old.snapshot())
            broken.hosts = fresh
    assert whole.bytes_of_commands() == broken.bytes_of_commands()
    assert whole.fold.hash() == broken.fold.hash()


def play(name: str, parameters: dict[str, object], rows: list[np.ndarray]) -> tuple[Desk, BotHost]:
    """A built-in rule over a market."""
    host = BotHost(build(BUILT_IN[name], parameters), ACCOUNT, 1, (BTC,))
    desk = Desk([host], {"USDT": "10000", "BTC": "1"} if name == "quoter" else {"USDT": "10000"}, (BTC,), SECOND)
    for row in rows:
        desk.push(row)
        assert_view_is_true(desk, host)
    return desk, host


def swinging_bars(count: int) -> list[np.ndarray]:
    """Minute bars that rise for twenty minutes and fall for twenty."""
    rows, price = [], 10_000
    for minute in range(1, count + 1):
        before, price = price, price + (100 if (minute // 20) % 2 == 0 else -100)
        high, low = max(before, price) + 20, min(before, price) - 20
        rows.append(bar(T0 + minute * MINUTE, (before, high, low, price, 50_000)))
    return rows


def test_ema_cross_trades_the_swings() -> None:
    desk, host = play("ema_cross", {"fast": 3, "slow": 8}, swinging_bars(200))
    kinds = [int(row["kind"][0]) for row in desk.commands]
    assert int(desk.commands[0]["defect"][0]) == Reason.TARGET_REACHED, "it wants nothing and has nothing"
    assert kinds[1:] == [InputKind.SIGNAL, InputKind.SUBMIT_ORDER] * (len(kinds) // 2), "each order follows a signal"
    sides = [int(row["side"][0]) for row in desk.commands[2::2]]
    assert len(sides) >= 8, "each swing is traded"
    assert all(before != after for before, after in pairwise(sides)), "in and out by turns"
    assert sides[0] == Side.BUY
    assert host.ctx.position("BTC/USDT") >= 0


def test_dip_buyer_buys_below_the_high_and_sells_above() -> None:
    desk, host = play("dip_buyer", {"window": 5, "dip": "0.03", "profit": "0.02"}, swinging_bars(300))
    assert {int(row["side"][0]) for row in desk.commands if row["kind"][0] == 25} == {Side.BUY, Side.SELL}
    assert host.ctx.balance("USDT").total + host.ctx.position("BTC/USDT") * 90 > 10_000, "swings are what it lives on"


def quoted_market(count: int) -> list[np.ndarray]:
    """Books of one instrument whose mid wanders slowly, and trades on both sides of it."""
    chance, rows, middle = random.Random(5), [], 10_000
    for step in range(count):
        ts = T0 + step * 300_000_000
        middle += chance.choice((-1, 0, 0, 0, 1))
        sizes = [chance.randrange(1, 9) for _ in range(8)]
        bids = [(middle - 2 - level, sizes[level]) for level in range(4)]
        rows.append(book(ts, bids, [(middle + 2 + level, sizes[4 + level]) for level in range(4)]))
        side = chance.choice((Side.BUY, Side.SELL))
        rows.append(trade(ts + 1, middle + (4 if side == Side.BUY else -4), chance.randrange(1, 40), side))
    return rows


def test_quoter_quotes_both_sides_is_filled_on_both_and_keeps_its_inventory_small() -> None:
    parameters: dict[str, object] = {"size": "0.005", "edge": 2, "skew": 1, "requote": 2, "max_inventory": "0.02"}
    desk, host = play("quoter", parameters, quoted_market(1_500))
    assert host.ctx.memory["fills"] > 40
    assert abs(host.ctx.position_lots("BTC/USDT")) <= 21
    assert len(host.ctx.open_orders) <= 2
    assert desk.seq < 15_000, "orders are moved, not showered"
