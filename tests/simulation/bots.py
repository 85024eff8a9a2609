"""Strategies for simulated desks: busy, repeatable, and with every kind of memory that a snapshot must carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any, ClassVar

from paperdesk.domain.assets import Asset
from paperdesk.domain.events import TimeInForce
from paperdesk.domain.instruments import Instrument
from paperdesk.features.bars import Bar
from paperdesk.features.basic import Feature, ema
from paperdesk.strategies import registry
from paperdesk.strategies.api import Parameter, Strategy
from paperdesk.strategies.context import Context
from paperdesk.strategies.definitions import redefined
from paperdesk.strategies.events import Fill, Quote, Refusal, Trade
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.rules.quoter import Quoter


class Dabbler(Strategy):
    """Orders of all kinds about the last price, drawn from dice that it keeps in its memory."""

    name = "dabbler"
    bars = "10s"
    bars_from = "trades"
    features: ClassVar[Mapping[str, Feature]] = {"mean": ema(3)}
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "salt": Parameter(1, 0, 2**60, None, "seed of its dice"),
        "every": Parameter(9, 1, 1000, None, "one in so many events brings an order"),
        "fails_after": Parameter(0, 0, 10**9, None, "the event at which it raises; 0: never"),
    }

    def on_start(self, ctx: Context) -> None:
        """Seed the dice."""
        ctx.memory.update(
            dice=ctx.parameter.salt, events=0, filled=Decimal(0), last=[], seen={"refusals": 0, 7: None}, raw=b""
        )

    def on_trade(self, ctx: Context, trade: Trade) -> None:
        """Perhaps an order."""
        self._dabble(ctx, trade.symbol, trade.price_ticks)

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Perhaps an order."""
        if quote.bid_lots and quote.ask_lots:
            self._dabble(ctx, quote.symbol, quote.bid_ticks)

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """An order towards the mean."""
        mean = ctx.feature("mean")
        ctx.memory["last"] = [mean, bar.close_ticks]
        self._order(ctx, bar.symbol, bar.close_ticks, self._roll(ctx, 48))

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        """At times an answer at once."""
        ctx.memory["filled"] += fill.quantity
        if self._roll(ctx, 3) == 0:
            self._order(ctx, fill.symbol, fill.price_ticks, self._roll(ctx, 48))

    def on_refusal(self, ctx: Context, refusal: Refusal) -> None:
        """Now and then another try, which may be refused in the same breath."""
        seen = ctx.memory["seen"]
        seen["refusals"] += 1
        if seen["refusals"] % 7 == 0 and refusal.symbol:
            ctx.buy_lots(refusal.symbol, 1, 1, post_only=True)

    def _dabble(self, ctx: Context, symbol: str, price_ticks: int) -> None:
        memory = ctx.memory
        memory["events"] += 1
        memory["raw"] = (memory["raw"] + bytes([memory["events"] % 256]))[-9:]
        if memory["events"] == ctx.parameter.fails_after:
            raise RuntimeError("the simulation wants this")
        if self._roll(ctx, ctx.parameter.every) == 0:
            self._order(ctx, symbol, price_ticks, self._roll(ctx, 48))

    def _order(self, ctx: Context, symbol: str, price_ticks: int, what: int) -> None:
        lots, price = 1 + what % 3, max(1, price_ticks + what % 5 - 2)
        place = ctx.buy_lots if what % 2 else ctx.sell_lots
        if what == 5:
            grid = ctx.instrument(symbol)
            place(
                symbol,
                quote_quantity=grid.quote.to_decimal(
                    5 * int(grid.price(price_ticks) * grid.lot * 10**grid.quote.scale)
                ),
            )
        elif what < 12:
            place(symbol, lots)
        elif what < 30:
            place(symbol, lots, price, post_only=what % 3 == 0)
        elif what < 36:
            place(symbol, lots, price, time_in_force=TimeInForce.IOC if what % 3 else TimeInForce.FOK)
        elif what == 37:
            place(symbol, lots * 2, price, reduce_only=True)
        elif what == 36:
            place(symbol, lots, price, expire_ns=ctx.ts_ns + 3 * 10**9)
        elif what < 40:
            trigger = max(1, price_ticks + (1 if what % 2 else -1))
            place(symbol, lots, price if what % 3 else None, trigger, take_profit=what == 39)
        elif what < 44:
            for handle in list(ctx.open_orders)[:2]:
                ctx.cancel(handle)
        else:
            ctx.cancel_all(symbol if what % 2 else None)

    def _roll(self, ctx: Context, sides: int) -> int:
        dice = (ctx.memory["dice"] * 6364136223846793005 + 1442695040888963407) % 2**64
        ctx.memory["dice"] = dice
        return int(dice >> 33) % sides


class Team:
    """The bots of one world: who they are, and how to build them afresh, as a process does that starts."""

    def __init__(self, dice: Random, accounts: Sequence[int], numbers: Sequence[int], market: list[Instrument]) -> None:
        self.market = market
        self.members: list[tuple[type[Strategy], dict[str, Any], int, int]] = []
        for place, bot in enumerate(numbers):
            account = accounts[place % len(accounts)]
            if place == 0:
                self.members.append((Quoter, {"size": max(row.lot for row in market) * 2, "edge": 1}, account, bot))
            else:
                fails = dice.choice((0, 0, dice.randint(5, 400)))
                salt = dice.randrange(2**60)
                self.members.append((Dabbler, {"salt": salt, "fails_after": fails}, account, bot))

    def hosts(self) -> list[BotHost]:
        """Fresh hosts."""
        return [
            BotHost(registry.build(strategy, parameters), account, bot, self.market, f"{strategy.name}-{bot}")
            for strategy, parameters, account, bot in self.members
        ]


def market_of(definitions: Mapping[int, Mapping[str, int]], scales: Mapping[int, int]) -> list[Instrument]:
    """The instruments that DEFINE_INSTRUMENT inputs (number → fields, version 1) stand for."""
    found = []
    for number, fields in sorted(definitions.items()):
        base, quote = (
            Asset(fields[name], f"A{fields[name]}", scales[fields[name]]) for name in ("base_asset", "quote_asset")
        )
        plain = Instrument(number, 1, f"{base.name}/{quote.name}", "simulated", base, quote, Decimal(1), Decimal(1))
        found.append(redefined(plain, 1, fields))
    return found
