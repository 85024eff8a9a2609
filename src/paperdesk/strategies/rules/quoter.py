"""Market making: one post-only order on each side of the mid, moved with it, leaning against the inventory.

Both prices shift by `skew` ticks for each `size` held, so that a long inventory sells more eagerly and buys less
so; at `max_inventory` the side that would add to it stays away. An order is canceled when its wanted price is
`requote` ticks or more away, and replaced once it is gone. After a refusal the side rests for `pause_s`. All
arithmetic is in ticks and lots.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from paperdesk.domain.events import OutputKind
from paperdesk.strategies.api import Parameter, Strategy
from paperdesk.strategies.context import Context
from paperdesk.strategies.events import Fill, Quote, Refusal

SECOND_NS = 1_000_000_000


class Quoter(Strategy):
    """Two-sided post-only quotes around the mid."""

    name = "quoter"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "size": Parameter(
            Decimal("0.001"), Decimal("0.00000001"), Decimal(1_000_000_000), None, "base asset per order"
        ),
        "edge": Parameter(5, 0, 1_000_000, 1, "ticks between the mid and each order"),
        "skew": Parameter(1, 0, 1_000_000, 1, "ticks that both prices shift per `size` held"),
        "requote": Parameter(2, 1, 1_000_000, 1, "ticks away from the wanted price before an order is moved"),
        "max_inventory": Parameter(Decimal("0.01"), Decimal(0), Decimal(1_000_000_000_000), None, "base asset held"),
        "pause_s": Parameter(1.0, 0.0, 3600.0, 0.5, "seconds a side rests after a refusal"),
    }

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Keep both orders where they belong; do nothing while a side of the book is empty."""
        if quote.bid_lots == 0 or quote.ask_lots == 0:
            return
        instrument = quote.instrument
        symbol = instrument.symbol
        state = ctx.memory.get(symbol)
        if state is None or state["version"] != instrument.version:
            state = ctx.memory[symbol] = self._fresh(ctx, quote)
        size, held, most = state["size"], ctx.position_lots(symbol), state["most"]
        parameter, orders = ctx.parameter, ctx.open_orders
        middle = quote.bid_ticks + quote.ask_ticks - 2 * (parameter.skew * held // size)
        bid_ticks = min((middle - 2 * parameter.edge) // 2, quote.ask_ticks - 1) if held + size <= most else 0
        ask_ticks = max(-((-middle - 2 * parameter.edge) // 2), quote.bid_ticks + 1) if held - size >= -most else 0
        for side, wanted_ticks in (("bid", bid_ticks), ("ask", ask_ticks)):
            order = orders.get(state[side])
            if order is None:
                self._send(ctx, state, symbol, side, wanted_ticks)
            elif abs(order.price_ticks - wanted_ticks) >= parameter.requote or wanted_ticks <= 0:
                ctx.cancel(order.handle)

    def _fresh(self, ctx: Context, quote: Quote) -> dict[str, Any]:
        instrument = quote.instrument
        size = instrument.to_lots(instrument.round_quantity(ctx.parameter.size))
        most = instrument.to_lots(instrument.round_quantity(ctx.parameter.max_inventory))
        never = {"bid": 0, "ask": 0, "bid_rest_ns": 0, "ask_rest_ns": 0}
        return {"version": instrument.version, "size": max(size, 1), "most": most, **never}

    def _send(self, ctx: Context, state: dict[str, Any], symbol: str, side: str, wanted_ticks: int) -> None:
        """A new order of a side at the wanted price (0 or less: none), where the balance allows and the side does not rest."""
        if wanted_ticks <= 0 or ctx.ts_ns < state[side + "_rest_ns"]:
            return
        size = state["size"]
        if side == "bid" and ctx.affordable_lots(symbol, wanted_ticks) >= size:
            state[side] = ctx.buy_lots(symbol, size, wanted_ticks, post_only=True)
        elif side == "ask" and ctx.sellable_lots(symbol) >= size:
            state[side] = ctx.sell_lots(symbol, size, wanted_ticks, post_only=True)

    def on_fill(self, ctx: Context, fill: Fill) -> None:
        """Count what was traded; the next quote replaces the order."""
        ctx.memory["fills"] = ctx.memory.get("fills", 0) + 1

    def on_refusal(self, ctx: Context, refusal: Refusal) -> None:
        """Let the refused side rest for a while, so that a lasting reason does not become a flood of orders."""
        if refusal.what == OutputKind.CANCEL_REJECTED or refusal.handle == 0:
            return
        state = ctx.memory.get(refusal.symbol)
        if state is not None:
            side = "bid" if refusal.handle == state["bid"] else "ask"
            state[side + "_rest_ns"] = refusal.ts_ns + int(ctx.parameter.pause_s * SECOND_NS)
