"""Buy the dip: a resting buy a fixed part below the recent high; once bought, a resting sell above the mean price
paid.

It holds one order at a time. The buy follows the high (canceled and placed anew when its price is more than
`follow` ticks off); the sell stays until it is filled. What a buy order had filled when it was canceled is sold all
the same.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from paperdesk.features.bars import Bar
from paperdesk.features.basic import Feature, highest
from paperdesk.strategies.api import Parameter, Strategy
from paperdesk.strategies.context import Context
from paperdesk.strategies.events import Fill


class DipBuyer(Strategy):
    """Limit buys below the recent high, limit sells above the price paid."""

    name = "dip_buyer"
    bars = "1m"
    bars_adapt = True
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "window": Parameter(60, 2, 10_000, 1, "bars whose highest price counts"),
        "dip": Parameter(Decimal("0.01"), Decimal("0.0001"), Decimal("0.9"), Decimal("0.001"), "part below the high"),
        "profit": Parameter(
            Decimal("0.01"), Decimal("0.0001"), Decimal(10), Decimal("0.001"), "part above the price paid"
        ),
        "fraction": Parameter(
            Decimal("0.2"), Decimal("0.001"), Decimal(1), Decimal("0.05"), "part of free quote spent"
        ),
        "follow": Parameter(10, 1, 1_000_000, 1, "ticks that the buy may be off before it is moved"),
    }
    features: ClassVar[Mapping[str, Feature]] = {"high": highest("window")}

    def on_bar(self, ctx: Context, bar: Bar) -> None:
        """Sell what is held; else keep a buy below the high."""
        orders = [order for order in ctx.open_orders.values() if order.symbol == bar.symbol]
        instrument = bar.instrument
        limit = instrument.round_price(Decimal(repr(ctx.feature("high"))) * (1 - ctx.parameter.dip))
        ticks = max(1, instrument.to_ticks(limit))
        for order in orders:
            if order.is_buy and order.filled_lots == 0 and abs(order.price_ticks - ticks) > ctx.parameter.follow:
                ctx.cancel(order.handle)
        if orders or self._sell(ctx, bar.symbol):
            return
        lots = int(ctx.affordable_lots(bar.symbol, ticks) * ctx.parameter.fraction)
        if lots > 0:
            ctx.buy_lots(bar.symbol, lots, ticks)

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        """Remember what was paid, and offer it once the buy is complete."""
        if fill.is_buy:
            paid = ctx.memory.setdefault(fill.symbol, {"lots": 0, "value": 0})
            paid["lots"] += fill.qty_lots
            paid["value"] += fill.qty_lots * fill.price_ticks
            if fill.remaining_lots == 0:
                self._sell(ctx, fill.symbol)
        elif fill.remaining_lots == 0:
            ctx.memory.pop(fill.symbol, None)

    def _sell(self, ctx: Context, symbol: str) -> bool:
        """Offer the whole position above its mean price; whether there was something to offer."""
        paid = ctx.memory.get(symbol)
        lots = min(ctx.position_lots(symbol), ctx.sellable_lots(symbol))
        if paid is None or lots <= 0:
            return False
        instrument = ctx.instrument(symbol)
        mean = instrument.tick * paid["value"] / paid["lots"]
        limit = instrument.round_price(mean * (1 + ctx.parameter.profit), up=True)
        ctx.sell_lots(symbol, lots, instrument.to_ticks(limit))
        return True
