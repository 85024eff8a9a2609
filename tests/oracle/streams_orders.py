"""The other half of random streams: orders and cancels that aim at the market, and inputs that make no sense."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from tests.oracle import streams_terms
from tests.oracle.words import (
    BUY,
    FOK,
    FREE,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MALFORMED,
    MARKET,
    MARKET_TYPES,
    MAX_LOTS,
    MAX_ORDER_UNITS,
    MAX_TICKS,
    POST_ONLY,
    PROFIT_TYPES,
    REDUCE_ONLY,
    SELL,
    STAYING,
    STOP_LIMIT,
    STOP_MARKET,
    TAKE_PROFIT_LIMIT,
    TAKE_PROFIT_MARKET,
    TRIGGER_TYPES,
)

if TYPE_CHECKING:
    from tests.oracle.streams import Stream

TYPES = (
    *(MARKET, MARKET, LIMIT, LIMIT, LIMIT, LIMIT, LIMIT, LIMIT),
    *(STOP_MARKET, STOP_LIMIT, TAKE_PROFIT_MARKET, TAKE_PROFIT_LIMIT),
    *(STOP_MARKET, STOP_LIMIT, TAKE_PROFIT_MARKET, TAKE_PROFIT_LIMIT),
)
DEFECTS = ("invalid_number", "price_off_grid", "quantity_off_grid", "notional_too_large")


def order(stream: Stream) -> dict[str, Any]:
    """An order near the market; one in twelve is wrong in some way."""
    dice = stream.dice
    account = dice.choice(stream.accounts)
    number = dice.choice(list(stream.mids))
    side = dice.choice((BUY, SELL))
    order_type = dice.choice(TYPES)
    time_in_force = dice.choice((GTC, GTC, GTD, IOC, FOK))
    if order_type in MARKET_TYPES:
        time_in_force = dice.choice((IOC, FOK))
    mid = stream.mids[number]
    towards = 1 if side == BUY else -1
    price = mid + towards * dice.choice((-4, -3, -2, -1, -1, 0, 0, 1, 2, 3))
    away = -towards if order_type in PROFIT_TYPES else towards
    trigger = mid + away * dice.choice((-1, 0, 1, 2, 2, 2, 3, 3, 4))
    post_only = order_type == LIMIT and time_in_force in STAYING and stream.chance(0.35)
    lots = quantity(stream, number)
    bot = dice.choice([0, *stream.bots[account], *stream.bots[account]])
    reduce_only = stream.chance(0.2)
    if reduce_only and stream.chance(0.8):
        side = reducing_side(stream, account, bot, number) or side
    if stream.chance(0.4 if order_type == MARKET else 0.06):
        lots = all_in(stream, account, number, side, 0 if order_type == MARKET else price)
    given = {
        "kind": "SUBMIT_ORDER",
        "account": account,
        "bot": bot,
        "instrument": number,
        "version": stream.desk.instruments[number].version,
        "side": side,
        "order_type": order_type,
        "time_in_force": time_in_force,
        "flags": (POST_ONLY if post_only else 0) | (REDUCE_ONLY if reduce_only else 0) | mode(stream),
        "price_ticks": 0 if order_type in MARKET_TYPES else max(1, price),
        "trigger_ticks": max(1, trigger) if order_type in TRIGGER_TYPES else 0,
        "qty_lots": lots,
        "client_id": stream.seq,
        "defect": "none",
        "expire_ns": deadline(stream, account) if time_in_force == GTD else 0,
        "budget_units": 0,
    }
    if order_type == MARKET and stream.chance(0.4):
        given |= {"qty_lots": 0, "budget_units": budget(stream, account, number, lots, side), "flags": mode(stream)}
    if order_type in TRIGGER_TYPES and stream.chance(0.5):
        given = streams_terms.trail(stream, given)
    if order_type not in MARKET_TYPES and time_in_force in STAYING and stream.chance(0.3):
        given = streams_terms.iceberg(stream, given)
    return wrong(given, dice) if stream.chance(0.08) else given


def rival(stream: Stream) -> dict[str, Any]:
    """An order at or through the price of one that waits on the other side in the same account, where there is one."""
    dice = stream.dice
    waiting = [other for other in stream.desk.live_orders() if other.place in ("resting", "pending") and other.price]
    if not waiting:
        return order(stream)
    other = dice.choice(waiting)
    side, through = (SELL, -1) if other.side == BUY else (BUY, 1)
    given = order(stream) | {"account": other.account, "bot": 0, "instrument": other.instrument, "side": side}
    order_type, time_in_force = dice.choice(
        ((LIMIT, GTC), (LIMIT, GTC), (LIMIT, IOC), (LIMIT, FOK), (MARKET, IOC), (MARKET, FOK), (STOP_LIMIT, GTC))
    )
    price = max(1, other.price + through * dice.choice((0, 0, 0, 1, 2)))
    size = dice.choice((other.remaining, other.remaining + 1, 1, 2, 5))
    return given | {
        "version": stream.desk.instruments[other.instrument].version,
        "order_type": order_type,
        "time_in_force": time_in_force,
        "flags": mode(stream)
        | (POST_ONLY if (order_type, time_in_force) == (LIMIT, GTC) and stream.chance(0.1) else 0),
        "price_ticks": 0 if order_type == MARKET else price,
        "trigger_ticks": max(1, stream.mids[other.instrument] + through) if order_type == STOP_LIMIT else 0,
        "qty_lots": size,
        "expire_ns": 0,
        "budget_units": 0,
        "defect": "none",
    }


def mode(stream: Stream) -> int:
    """What to do about own orders in the way: often nothing is said."""
    return 8 * stream.dice.choice((0, 0, 0, 1, 2, 3, 4, 5, 5))


def reducing_side(stream: Stream, account: int, bot: int, number: int) -> int:
    """The side that makes a position smaller; 0 where there is none."""
    owner = stream.desk.accounts[account]
    scope = owner.scope if bot == 0 else owner.bots.get(bot, owner.scope)
    held = scope.positions[number].qty if number in scope.positions else 0
    return (SELL if held > 0 else BUY) if held else 0


def deadline(stream: Stream, account: int) -> int:
    """A moment to some minutes after the order arrives, at times before; several orders share one."""
    later = stream.dice.choice((-1, 0, 1, 1, 10**6, 10**9, 5 * 10**9, 60 * 10**9, 3600 * 10**9))
    return stream.now + stream.desk.accounts[account].latency_ns + later


def budget(stream: Stream, account: int, number: int, lots: int, side: int) -> int:
    """About what some lots are worth, or a part of a lot more or less, or all that is free."""
    instrument = stream.desk.instruments[number]
    worth = int(instrument.worth(stream.mids[number] * lots))
    if side == BUY and stream.chance(0.1):
        worth = stream.desk.accounts[account].row(instrument.quote)[FREE]
    more = int(instrument.worth(stream.mids[number])) * stream.dice.randrange(-60, 61) // 100
    return min(2**62, max(1, worth + stream.dice.choice((0, -1, 1, more, more))))


def all_in(stream: Stream, account: int, number: int, side: int, price: int) -> int:
    """About as much as the free balance pays for, at a price or (0) at the market's."""
    instrument = stream.desk.instruments[number]
    free = stream.desk.accounts[account].row(instrument.base if side == SELL else instrument.quote)[FREE]
    price = price or instrument.market.best_opposite(side) or instrument.market.mark or 1
    most = free // instrument.bpl if side == SELL else int(free // instrument.worth(max(1, price)))
    return min(2**61, max(1, most + stream.dice.choice((-1, 0, 0, 0, 1))))


def quantity(stream: Stream, number: int) -> int:
    """Small, or as large as can be counted."""
    dice = stream.dice
    if stream.giant and stream.chance(0.6):
        instrument = stream.desk.instruments[number]
        most = min(MAX_ORDER_UNITS // instrument.bpl, MAX_ORDER_UNITS // (instrument.num * stream.mids[number]))
        return max(1, most // dice.choice((1, 1, 2, 5)) - dice.randint(-1, 3))
    return dice.choice((1, 2, 3, 4, 6, 10, 25)) if stream.chance(0.97) else dice.choice((400, 10**9, 2**45))


def wrong(given: dict[str, Any], dice: Random) -> dict[str, Any]:
    """An order that must be refused."""
    change: dict[str, Any] = dice.choice(
        (
            {"flags": MALFORMED, "defect": dice.choice(DEFECTS)},
            {"side": dice.choice((0, 3))},
            {"flags": dice.choice((48, 56))},
            {"order_type": dice.choice((0, 7))},
            {"time_in_force": dice.choice((0, 5))},
            {"time_in_force": dice.choice((GTC, IOC, FOK)), "expire_ns": given["expire_ns"] + 1},
            {"flags": POST_ONLY, "time_in_force": IOC},
            {"order_type": MARKET, "time_in_force": GTC},
            {"qty_lots": dice.choice((0, -1))},
            {"budget_units": dice.choice((-1, 1, 2**60 + 1))},
            {
                "order_type": MARKET,
                "time_in_force": IOC,
                "qty_lots": 0,
                "budget_units": dice.choice((-1, 1, 2**60 + 1)),
            },
            {"price_ticks": dice.choice((0, -1))},
            {"trigger_ticks": dice.choice((0, -1))},
            {"trail_bips": dice.choice((-1, 1, 10_000))},
            {"visible_lots": dice.choice((-1, 1, 2**61))},
            {"version": given["version"] + dice.choice((-1, 1))},
            {"account": 3},
            {"bot": 1022},
            {"instrument": 9},
            {"qty_lots": 2**61},
            {"price_ticks": dice.choice((2**50, 2**50 + 1))},
            {"trigger_ticks": dice.choice((2**50, 2**50 + 1))},
        )
    )
    return {**given, **change}


def signal(stream: Stream) -> dict[str, Any]:
    """What someone wants to hold, with or without an order to follow; at times of nobody, or with both or neither."""
    dice = stream.dice
    account = dice.choice([*stream.accounts, 3])
    reason = dice.choice(("target_reached", "less_than_a_lot", "order_under_way", "none"))
    follows = stream.seq if reason == "none" else 0
    return {
        "kind": "SIGNAL",
        "account": account,
        "bot": dice.choice([0, *stream.bots.get(account, []), 1022]),
        "instrument": dice.choice((*stream.mids, 9)),
        "wanted_units": dice.choice((0, -5, 2**62)),
        "held_units": dice.choice((0, 7)),
        "seen_ticks": dice.choice((0, 100)),
        "client_id": dice.choice((-1, 0, 5)) if stream.chance(0.1) else follows,
        "defect": reason,
    }


def cancel(stream: Stream) -> dict[str, Any]:
    """A cancel of something live, done or unknown; at times of everything."""
    dice = stream.dice
    account = dice.choice(stream.accounts)
    bots = [0, *stream.bots[account]]
    if stream.chance(0.15):
        return {
            "kind": "CANCEL_ALL",
            "account": account,
            "bot": dice.choice(bots),
            "instrument": dice.choice((-1, -1, *stream.mids)),
        }
    live = list(stream.desk.accounts[account].orders)
    if live and stream.chance(0.85):
        order_id = dice.choice(live)
        bots = [0, stream.desk.accounts[account].orders[order_id].bot] if stream.chance(0.8) else bots
    else:
        order_id = dice.randrange(stream.desk.accounts[account].next_order + 1)
    return {"kind": "CANCEL_ORDER", "account": account, "bot": dice.choice(bots), "order_id": order_id}


def amend(stream: Stream) -> dict[str, Any]:
    """A smaller quantity for something live; at times not smaller, or for something that is done or unknown."""
    dice = stream.dice
    account = dice.choice(stream.accounts)
    owner = stream.desk.accounts[account]
    order_id, bots, lots = dice.randrange(owner.next_order + 1), [0, *stream.bots[account]], dice.choice((-1, 0, 1, 4))
    if owner.orders and stream.chance(0.9):
        order = owner.orders[dice.choice([*owner.orders])]
        order_id, bots = order.id, [0, order.bot] if stream.chance(0.9) else bots
        lots = dice.choice((order.qty - 1, order.qty - 1, (order.qty + order.filled) // 2, order.filled + 1))
        lots = dice.choice((order.filled, order.qty, order.qty + 1)) if stream.chance(0.1) else lots
    given = {
        "kind": "AMEND_ORDER", "account": account, "bot": dice.choice(bots), "order_id": order_id, "qty_lots": lots,
        "flags": 0, "defect": "none",
    }  # fmt: skip
    if stream.chance(0.03):
        given |= {"flags": MALFORMED, "defect": dice.choice(DEFECTS)}
    return given


def spoiled(given: dict[str, Any], dice: Random) -> dict[str, Any]:
    """Market data that makes no sense, or that nobody knows."""
    kind = given["kind"]
    changes: dict[str, list[dict[str, Any]]] = {
        "TRADE": [
            {"trade_price_ticks": dice.choice((0, -5, MAX_TICKS + 1))},
            {"trade_qty_lots": dice.choice((0, -1, MAX_LOTS + 1))},
        ],
        "QUOTE": [
            {"bid_lots": -1},
            {"ask_lots": MAX_LOTS + 1},
            {"ask_ticks": 0, "ask_lots": 1},
            {"bid_ticks": 7, "bid_lots": 1, "ask_ticks": 7, "ask_lots": 1},
            {"bid_ticks": 1, "bid_lots": 1, "ask_ticks": MAX_TICKS + 1, "ask_lots": 1},
        ],
        "BOOK": [
            {"bids_ticks": [5, 5], "bids_lots": [1, 1]},
            {"asks_ticks": [6, 5], "asks_lots": [1, 1]},
            {"bids_ticks": [5], "bids_lots": [0]},
            {"asks_ticks": [0], "asks_lots": [1]},
            {"bids_ticks": [9], "bids_lots": [1], "asks_ticks": [9], "asks_lots": [1]},
            {"asks_ticks": [MAX_TICKS + 1], "asks_lots": [1]},
            {"bids_ticks": list(range(50, 29, -1)), "bids_lots": [1] * 21},
        ],
        "BAR": [
            {"low_ticks": given.get("high_ticks", 0) + 1},
            {"high_ticks": 0},
            {"low_ticks": 0},
            {"volume_lots": -1},
            {"interval_ns": 0},
            {"high_ticks": MAX_TICKS + 1},
        ],
    }
    return {**given, **dice.choice([*changes[kind], {"instrument": dice.choice((5, 63))}])}


def nonsense(stream: Stream) -> dict[str, Any]:
    """Commands about things that are not there, or that there already are."""
    account = stream.accounts[0]
    open_again = {"kind": "OPEN_ACCOUNT", "source": 1, "latency_ns": 0, "equity_every_ns": 10**9, "fill_model": 2}
    limits = stream.limits(account)
    return stream.dice.choice(
        (
            {**open_again, "account": account, "asset": 1},
            {**open_again, "account": 4, "asset": 40},
            {"kind": "DEPOSIT", "account": 4, "asset": 1, "amount_units": 1},
            {"kind": "DEPOSIT", "account": account, "asset": 40, "amount_units": 1},
            {"kind": "DECLARE_CONVERSION", "account": 4, "asset": 1, "instrument": 0, "flags": 0},
            {"kind": "DECLARE_CONVERSION", "account": account, "asset": 40, "instrument": 0, "flags": 0},
            {"kind": "DECLARE_CONVERSION", "account": account, "asset": 1, "instrument": 40, "flags": 0},
            {"kind": "DECLARE_CONVERSION", "account": account, "asset": 1, "instrument": 0, "flags": 0},
            {"kind": "DECLARE_CONVERSION", "account": account, "asset": 2, "instrument": 0, "flags": 1},
            {"kind": "STOP_BOT", "account": account, "bot": 0},
            {"kind": "KILL", "account": account, "bot": 0},
            {"kind": "RESUME", "account": account, "bot": (stream.bots[account] or [0])[0]},
            {"kind": "RESUME", "account": account, "bot": 0},
            {"kind": "REGISTER_BOT", "account": 4, "bot": 1021},
            {"kind": "REGISTER_BOT", "account": account, "bot": (stream.bots[account] or [0])[0]},
            {**limits, "account": 4},
            {**limits, "bot": 1022},
            {**limits, "max_order_units": -1},
            {"kind": "KILL", "account": 4, "bot": -1},
            {"kind": "RESUME", "account": account, "bot": 1022},
            {"kind": "STOP_BOT", "account": 4, "bot": 1},
            {"kind": "RESET_ACCOUNT", "account": 4, "source": 1},
            {"kind": "CANCEL_ORDER", "account": 4, "bot": 0, "order_id": 1},
            {"kind": "CANCEL_ALL", "account": account, "bot": 1022, "instrument": -1},
            amend(stream) | {"account": 4},
            amend(stream) | {"bot": 1022},
            {"kind": "MARKET_STATUS", "instrument": 40, "status": 1, "status_reason": 0},
        )
    )
