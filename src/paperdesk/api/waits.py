"""What an order waited for, and what it hid, in sentences: triggers, trails, the parts of an iceberg."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, Protocol

WHOLE_BIPS = 10_000
CROSSED: Final = ("BOOK_CROSS", "TRADE_THROUGH")


class Terms(Protocol):
    """An order's row, and how its ticks and lots read."""

    row: Any

    def price(self, ticks: int) -> str:
        """A price."""
        ...

    def quantity(self, lots: int) -> str:
        """A quantity."""
        ...


def percent(bips: int) -> str:
    """A distance as people write it."""
    return f"{bips / 100:g} %"


def asked(order: Terms) -> str:
    """Trigger, trail and shown part, as the order was asked for."""
    row = order.row
    told = f" with its trigger at {row['trigger_price']}" if row["trigger_ticks"] else ""
    if row["trail_bips"]:
        since = f"from {row['trigger_price']} on" if row["trigger_ticks"] else "from its arrival on"
        told = f" that follows the price at {percent(row['trail_bips'])}, {since},"
    if row["visible_lots"]:
        told += f" with {order.quantity(row['visible_lots'])} shown at a time"
    return told


def met(row: Any) -> str:
    """What a trailing order was to do at the venue."""
    if row["trigger_ticks"]:
        return f"to follow the price from when that reaches {row['trigger_price']}"
    return "to follow the price from then on"


def sentences(order: Terms) -> Iterator[tuple[int, str]]:
    """(input, sentence) of what activated an order and what fired it."""
    row = order.row
    if row["activated_seq"]:
        why = ", the last price known by then"
        if row["trigger_ticks"]:
            why = f", as the price had reached {row['trigger_price']}"
        at = order.price(row["activated_ticks"])
        yield row["activated_seq"], f"It began to follow the price at {at}{why} (input {row['activated_seq']})."
    if row["triggered_seq"]:
        yield row["triggered_seq"], fired(order)


def fired(order: Terms) -> str:
    """What fired an order."""
    row = order.row
    became = f" From then on it was a limit order at {row['price']}." if row["order_type"].endswith("_LIMIT") else ""
    if not row["trail_bips"]:
        return f"Its trigger at {row['trigger_price']} was reached by input {row['triggered_seq']}.{became}"
    buys, last, peak = row["side"] == "BUY", row["triggered_ticks"], row["peak_ticks"]
    extreme, turned = ("lowest", "rose") if buys else ("highest", "fell")
    share = Decimal(abs(last - peak) * 100) / peak
    return (
        f"Input {row['triggered_seq']} fired it: the {extreme} price since then was {order.price(peak)}, and the price {turned} to {order.price(last)}, "
        f"by {Decimal(f'{share:.4g}').normalize():f} %, where {percent(row['trail_bips'])} suffice.{became}"
    )


class Parts:
    """The parts of an iceberg, counted from fill to fill; parts begin anew after it took."""

    def __init__(self, row: Any, order: Terms) -> None:
        """Of an order; nothing is said of one that hides nothing."""
        self._visible, self._whole, self._order = row["visible_lots"], row["now_lots"], order
        self._is_smaller = row["now_lots"] != row["qty_lots"]
        self._filled = self._taken = 0

    def after(self, fill: Any) -> str:
        """What a fill did to the parts: the end of its sentence, or nothing."""
        visible = self._visible
        if not visible:
            return ""
        done = (self._filled - self._taken) // visible
        self._filled += fill["qty_lots"]
        if fill["liquidity"] == "TAKER":
            self._taken = self._filled
            return ""
        parts, now = -(-(self._whole - self._taken) // visible), (self._filled - self._taken) // visible
        if now == done or self._filled == self._whole:
            return ""
        ended = f" With that part {now} was done" if self._is_smaller else f" With that part {now} of {parts} was done"
        if fill["rule"] != "QUEUE":
            hidden = ": who crosses its price meets what is hidden there, too" if fill["rule"] in CROSSED else ""
            return f"{ended}, and part {now + 1} came up{hidden}."
        ahead = fill["front_after_lots"]
        where = "where no one knows its place" if ahead < 0 else f"behind {self._order.quantity(ahead)}"
        return f"{ended}, and part {now + 1} joined the queue {where}."
