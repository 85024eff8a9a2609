"""Trend: hold while the fast mean of closing prices is above the slow one, else be out.

On the bar in which the means cross it wants a holding worth `fraction` of what the account has in the quote asset
plus this bot's own position at the close; on the way down it wants none. It trades at the market, on the bar's
close plus latency.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from paperdesk.features.bars import Bar
from paperdesk.features.basic import Feature, ema
from paperdesk.strategies.api import Parameter, Parameters, Strategy, StrategyError
from paperdesk.strategies.context import Context


class EmaCross(Strategy):
    """Long above, flat below the crossing of two exponential means."""

    name = "ema_cross"
    bars = "1m"
    bars_adapt = True
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "fast": Parameter(20, 2, 1000, 1, "bars of the fast mean"),
        "slow": Parameter(60, 3, 5000, 1, "bars of the slow mean"),
        "fraction": Parameter(Decimal("0.5"), Decimal("0.01"), Decimal("0.99"), Decimal("0.01"), "part of equity held"),
    }
    features: ClassVar[Mapping[str, Feature]] = {"fast": ema("fast"), "slow": ema("slow")}

    @classmethod
    def check(cls, parameter: Parameters) -> None:
        """The fast mean must be the faster one."""
        if parameter.fast >= parameter.slow:
            raise StrategyError(
                f"ema_cross: fast ({parameter.fast}) must be below slow ({parameter.slow}); raise slow or lower fast"
            )

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Change the holding where the sign of fast − slow changes (the first sign seen counts as no change)."""
        above = ctx.feature("fast") > ctx.feature("slow")
        was_above = ctx.memory.get(bar.symbol)
        ctx.memory[bar.symbol] = above
        if was_above is None or above == was_above:
            return
        if not above:
            ctx.target(bar.symbol, 0)
            return
        cash = ctx.balance(bar.instrument.quote.name).total
        equity = cash + ctx.position(bar.symbol) * bar.close
        ctx.target(bar.symbol, bar.instrument.round_quantity(equity * ctx.parameter.fraction / bar.close))
