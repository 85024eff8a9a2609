"""Order lists in a strategy's hands: the part of `ctx` that sends orders which hang together."""

from decimal import Decimal
from typing import Any, Final

import numpy as np

from paperdesk.domain.commands import Intent, submit_list
from paperdesk.domain.events import ListKind, Side
from paperdesk.domain.instruments import Number, OffGrid, exact
from paperdesk.domain.terms import Terms
from paperdesk.strategies.events import Bracket, Order, Pair
from paperdesk.strategies.view import Market, View

OPPOSITE: Final = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


class ListWishes:
    """Methods of `Context`; it owns the commands and the view."""

    commands: list[np.ndarray[Any, Any]]
    _view: View

    def market(self, symbol: str) -> Market:
        """The view of one instrument."""
        raise NotImplementedError

    def oco(
        self,
        symbol: str,
        quantity: Number,
        take_profit: Number,
        stop_loss: Number,
        stop_limit: Number | None = None,
        reduce_only: bool = False,
    ) -> Pair:
        """Guard a position with two orders of which one at most is filled (one cancels the other). Returns both handles.

        A limit order waits at `take_profit`, a stop at `stop_loss`; the first that is filled, even in part, or triggered
        cancels the other at once. Where the profit lies above the stop both sell (guarding what you hold), where it lies
        below both buy (guarding what you sold). The desk checks that the last price lies between them, and reserves the
        funds once. `stop_limit`: sell no cheaper than this after the stop (at the market otherwise: certain to end, at an
        uncertain price). `reduce_only` goes to both.

            def on_fill(self, ctx, fill):
                if fill.is_buy:
                    ctx.oco(fill.symbol, fill.quantity - fill.fee, fill.price * 2, fill.price / 2)
        """
        side = _closing_side(take_profit, stop_loss)
        profit, stop = _exits(side, quantity, take_profit, stop_loss, stop_limit, reduce_only)
        return Pair(*self.order_list(symbol, ListKind.OCO, profit, stop))

    def bracket(
        self,
        symbol: str,
        quantity: Number,
        price: Number,
        take_profit: Number,
        stop_loss: Number,
        stop_limit: Number | None = None,
        post_only: bool = False,
        expire_ns: int | None = None,
    ) -> Bracket:
        """Enter, and have the exit ready: a limit order at `price`, and once it is filled whole a pair as in `oco`. Returns three handles.

        The exits are pending until then: they hold no funds and are in no market. Nothing is sent by you when the entry is
        filled: the venue places them in the same moment, without your latency. Where the entry buys, they sell what it
        brought after its fee, in whole lots. An entry that ends before it is filled whole takes them along: what was
        filled of it by then is yours to guard, so watch on_refusal. Where `take_profit` lies above `stop_loss` the entry
        buys, else it sells. `expire_ns`: when what is left of the entry ends, in engine time.

            ctx.bracket("BTCUSDT", "0.01", price="60000", take_profit="63000", stop_loss="58500")
        """
        exits = _closing_side(take_profit, stop_loss)
        profit, stop = _exits(exits, quantity, take_profit, stop_loss, stop_limit, False)
        deadline: Terms = {} if expire_ns is None else {"expire_ns": expire_ns}
        entry = Intent(OPPOSITE[exits], quantity, price, post_only=post_only, **deadline)
        return Bracket(*self.order_list(symbol, ListKind.OTOCO, entry, profit, stop))

    def order_list(self, symbol: str, kind: ListKind, *orders: Intent) -> tuple[int, ...]:
        """Any list: OCO (what takes the profit, the stop), OTO (a limit order, what follows it), OTOCO (all three). Returns their handles.

        It is taken whole or not at all: on_refusal then tells the reason of the order that failed, and `list_refused` for
        the others. Canceling one cancels the list. When an order is canceled because another one of its list was filled,
        triggered or canceled, nothing is told of it.
        """
        market, view = self.market(symbol), self._view
        handles = tuple(range(view.last_handle + 1, view.last_handle + 1 + len(orders)))
        for handle, order in zip(handles, orders, strict=True):
            order.client_id = handle
        row = submit_list(view.account, view.bot, market.instrument, kind, orders)
        view.last_handle += len(orders)
        for place, (handle, order) in enumerate(zip(handles, orders, strict=True)):
            lots, ticks, stop = (
                int(row[f"leg_{name}"][0, place]) for name in ("qty_lots", "price_ticks", "trigger_ticks")
            )
            known = Order(
                handle, market.instrument, int(order.side), order.order_type, order.time_in_force, lots, ticks, stop
            )
            known.list_handle, known.is_pending = handles[0], place > 0 and kind != ListKind.OCO
            view.orders[handle] = known
        self.commands.append(row)
        return handles


def _closing_side(take_profit: Number, stop_loss: Number) -> Side:
    """Which side takes a profit on the one side and stops on the other; numbers that are none are refused by the desk."""
    try:
        profit, stop = exact(take_profit), exact(stop_loss)
    except OffGrid:
        profit, stop = Decimal(1), Decimal(0)
    if profit == stop:
        raise ValueError("take_profit and stop_loss are the same price; they lie on either side of the last one")
    return Side.SELL if profit > stop else Side.BUY


def _exits(
    side: Side, quantity: Number, take_profit: Number, stop_loss: Number, stop_limit: Number | None, reduce_only: bool
) -> tuple[Intent, Intent]:
    profit = Intent(side, quantity, take_profit, post_only=True, reduce_only=reduce_only)
    return profit, Intent(side, quantity, stop_limit, stop_loss, reduce_only=reduce_only)
