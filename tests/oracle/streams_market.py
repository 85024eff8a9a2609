"""Market data of random streams: prints, quotes, books and bars about a wandering middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle.words import DEPTH, MAX_LOTS

if TYPE_CHECKING:
    from tests.oracle.streams import Stream
    from tests.oracle.things import Market, Order


def lots(stream: Stream) -> int:
    """A size of the market."""
    big = 2**50 if stream.giant and stream.chance(0.5) else 1
    return stream.dice.choice((1, 2, 3, 5, 8, 13, 30, 60)) * big


def trade(stream: Stream, number: int) -> dict[str, Any]:
    """A print at or near the middle, often at the price of a resting order, or one that a picture has shown before."""
    if stream.late.get(number) and stream.chance(0.7):
        return {**stream.late[number].pop(0), "trade_id": stream.seq}
    orders = [order for order in stream.desk.live_orders() if order.instrument == number and order.place == "resting"]
    price, side, size = stream.mids[number] + stream.dice.choice((-2, -1, -1, 0, 1, 1, 2)), 0, lots(stream)
    if orders and stream.chance(0.4):
        order = stream.dice.choice(orders)
        price = order.price
        if stream.chance(0.6):
            side, size = 3 - order.side, through_queue(stream, order)
    return {
        "kind": "TRADE",
        "instrument": number,
        "side": side or stream.dice.choice((0, 1, 1, 2, 2)),
        "trade_price_ticks": max(1, price),
        "trade_qty_lots": size,
        "trade_id": stream.seq,
    }


def through_queue(stream: Stream, order: Order) -> int:
    """About as much as stands ahead of an order, and a part of it, a part more, or all."""
    ahead = stream.dice.choice((order.most or 0, order.least or 0))
    more = stream.dice.choice((-1, 0, 1, order.shown, order.shown, order.shown + 1, order.remaining))
    return min(MAX_LOTS, max(1, ahead + more))


def quote(stream: Stream, number: int) -> dict[str, Any]:
    """Best bid and ask; at times a side is empty, at times the bid has no room above zero."""
    mid = stream.mids[number]
    bid, ask = mid - stream.dice.randint(0, 2), mid + stream.dice.randint(1, 2)
    return {
        "kind": "QUOTE",
        "instrument": number,
        "bid_ticks": max(0, bid),
        "bid_lots": 0 if bid < 1 or stream.chance(0.06) else lots(stream),
        "ask_ticks": ask,
        "ask_lots": 0 if stream.chance(0.06) else lots(stream),
    }


def book(stream: Stream, number: int) -> dict[str, Any]:
    """Levels around the middle; known levels often keep their size."""
    market = stream.desk.instruments[number].market
    mid, depth = stream.mids[number], stream.dice.choice((0, 1, 3, 5, 5, 8, DEPTH))
    sides: list[tuple[list[int], list[int]]] = []
    for sign, shown in ((-1, market.bids), (1, market.asks)):
        prices = [mid + (0 if sign < 0 else 1)]
        while len(prices) < depth:
            prices.append(prices[-1] + sign * stream.dice.choice((1, 1, 1, 2, 5)))
        prices = [price for price in prices if price > 0][:depth]
        sizes = [shown[price] if price in shown and stream.chance(0.7) else lots(stream) for price in prices]
        sides.append((prices, sizes))
    if shown_before(market) and stream.chance(0.4):
        own = stream.dice.randrange(2)
        sides[own] = taken_before_print(stream, number, own, market.bids if own == 0 else market.asks)
    (bids, bid_lots), (asks, ask_lots) = sides
    return {
        "kind": "BOOK",
        "instrument": number,
        "bids_ticks": bids,
        "bids_lots": bid_lots,
        "asks_ticks": asks,
        "asks_lots": ask_lots,
    }


def shown_before(market: Market) -> bool:
    """Whether both sides show something that can be taken."""
    return bool(market.bids and market.asks)


def taken_before_print(stream: Stream, number: int, own: int, shown: dict[int, int]) -> tuple[list[int], list[int]]:
    """A side from which trades took that are printed later, if at all; at times somebody comes back at a price that is gone."""
    left = dict(shown)
    budget = lots(stream)
    prints = []
    for price in sorted(shown, reverse=own == 0):
        n = min(budget, left[price])
        budget -= n
        left[price] -= n
        if n > 0:
            prints.append((price, n if stream.chance(0.8) else n + stream.dice.choice((-1, 1, 2))))
        if stream.chance(0.15):
            left[price] += stream.dice.choice((1, 2, 5))
    stream.late[number] = [
        {"kind": "TRADE", "instrument": number, "side": 2 - own, "trade_price_ticks": price, "trade_qty_lots": n}
        for price, n in prints
        if n > 0
    ]
    prices = sorted((price for price in left if left[price] > 0), reverse=own == 0)
    return prices, [left[price] for price in prices]


def bar(stream: Stream, number: int) -> dict[str, Any]:
    """A closed bar about the middle."""
    mid, dice = stream.mids[number], stream.dice
    first, close = (max(1, mid + dice.randint(-2, 2)) for _ in range(2))
    return {
        "kind": "BAR",
        "instrument": number,
        "open_ticks": first,
        "high_ticks": max(first, close) + dice.randint(0, 3),
        "low_ticks": max(1, min(first, close) - dice.randint(0, 3)),
        "close_ticks": close,
        "volume_lots": dice.choice((0, 1, 10, 40)) * (2**50 if stream.giant else 1),
        "interval_ns": dice.choice((1, 10**8, 10**9, 60 * 10**9)),
    }
