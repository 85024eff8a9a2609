"""Random order lists: pairs about the market, working orders with one or two to follow; one in ten is wrong in some way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle.lists import LEG_WORDS
from tests.oracle.streams_orders import all_in, deadline, order, quantity, wrong
from tests.oracle.things import LEGS_OF
from tests.oracle.words import (
    BUY,
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    MARKET_TYPES,
    POST_ONLY,
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

Leg = dict[str, Any]


def order_list(stream: Stream) -> dict[str, Any]:
    """A SUBMIT_LIST near the market."""
    dice = stream.dice
    kind = dice.choice((1, 1, 2, 3, 3))
    head = order(stream)
    account, number = dice.choice(stream.accounts), dice.choice(list(stream.mids))
    side, lots = dice.choice((BUY, SELL)), quantity(stream, number)
    if stream.chance(0.2):
        lots = all_in(stream, account, number, side, 0)
    if kind == 1:
        legs = pair(stream, account, number, side, lots)
    else:
        working = working_leg(stream, account, number, side, lots)
        exit_side = 3 - side if stream.chance(0.85) else side
        more = lots if stream.chance(0.85) else max(1, lots + dice.choice((-1, 1, 3)))
        if kind == 2:
            legs = [working, single(stream, account, number, exit_side, more)]
        else:
            legs = [working, *pair(stream, account, number, exit_side, more)]
    if stream.chance(0.06):
        place = dice.randrange(len(legs))
        spoiled = wrong({**head, **legs[place]}, dice)
        legs[place] = {name: spoiled[name] for name in legs[place]}
    given = {
        "kind": "SUBMIT_LIST",
        "account": account,
        "bot": dice.choice([0, *stream.bots[account], *stream.bots[account]]),
        "instrument": number,
        "version": stream.desk.instruments[number].version,
        "list_kind": kind,
        **{f"leg_{name}": [leg[name] for leg in legs] for name in LEG_WORDS},
    }
    return misfit(given, stream) if stream.chance(0.06) else given


def leg(
    stream: Stream,
    account: int,
    side: int,
    order_type: int,
    force: int,
    lots: int,
    price: int,
    trigger: int,
    flags: int,
) -> Leg:
    """One leg as a command words it."""
    return {
        "side": side,
        "order_type": order_type,
        "time_in_force": force,
        "flags": flags | (REDUCE_ONLY if stream.chance(0.07) else 0),
        "price_ticks": 0 if order_type in MARKET_TYPES else max(1, price),
        "trigger_ticks": max(1, trigger) if order_type in TRIGGER_TYPES else 0,
        "qty_lots": lots,
        "client_id": stream.seq,
        "defect": "none",
        "expire_ns": deadline(stream, account) if force == GTD else 0,
        "trail_bips": 50 if stream.chance(0.01) else 0,
        "visible_lots": max(1, lots // 3) if price and force == GTC and stream.chance(0.2) else 0,
    }


def force_for(stream: Stream, order_type: int) -> int:
    """A time in force that fits a type."""
    if order_type in MARKET_TYPES:
        return stream.dice.choice((IOC, IOC, FOK))
    return stream.dice.choice((GTC, GTC, GTC, GTD, IOC, FOK))


def pair(stream: Stream, account: int, number: int, side: int, lots: int) -> list[Leg]:
    """What takes the profit, and what stops; mostly on either side of the market."""
    dice, mid = stream.dice, stream.mids[number]
    away = -1 if side == BUY else 1
    near, far = mid + away * dice.choice((0, 1, 1, 2, 3)), mid - away * dice.choice((0, 1, 1, 2, 3))
    first = dice.choice((LIMIT, LIMIT, LIMIT, TAKE_PROFIT_LIMIT, TAKE_PROFIT_MARKET))
    second = dice.choice((STOP_MARKET, STOP_LIMIT))
    force = dice.choice((GTC, GTC, GTC, GTD)) if first == LIMIT else force_for(stream, first)
    price = near if first == LIMIT else near + dice.choice((-1, 0, 1))
    return [
        leg(stream, account, side, first, force, lots, price, near, POST_ONLY if first == LIMIT else 0),
        leg(stream, account, side, second, force_for(stream, second), lots, far + dice.choice((-2, -1, 0, 1)), far, 0),
    ]


def working_leg(stream: Stream, account: int, number: int, side: int, lots: int) -> Leg:
    """A limit order, often one that is filled at once."""
    towards = 1 if side == BUY else -1
    price = stream.mids[number] + towards * stream.dice.choice((-2, -1, -1, 0, 1, 2, 3))
    force = stream.dice.choice((GTC, GTC, GTC, GTD, IOC, FOK))
    post_only = POST_ONLY if force in STAYING and stream.chance(0.2) else 0
    return leg(stream, account, side, LIMIT, force, lots, price, 0, post_only)


def single(stream: Stream, account: int, number: int, side: int, lots: int) -> Leg:
    """What follows a working order."""
    dice, mid = stream.dice, stream.mids[number]
    order_type = dice.choice((MARKET, LIMIT, LIMIT, STOP_MARKET, STOP_LIMIT, TAKE_PROFIT_MARKET, TAKE_PROFIT_LIMIT))
    price, trigger = mid + dice.choice((-3, -1, 0, 1, 3)), mid + dice.choice((-3, -2, 2, 3))
    return leg(stream, account, side, order_type, force_for(stream, order_type), lots, price, trigger, 0)


def misfit(given: dict[str, Any], stream: Stream) -> dict[str, Any]:
    """A list that is none."""
    dice, kind = stream.dice, given["list_kind"]
    changed = {name: list(value) if isinstance(value, list) else value for name, value in given.items()}
    place = dice.randrange(LEGS_OF[kind])
    name = dice.choice(
        ("list_kind", "list_kind", "account", "bot", "instrument", "version", "side", "qty", "order_type", "flags")
    )
    if name in ("list_kind", "account", "bot", "instrument", "version"):
        changed[name] = {
            "list_kind": dice.choice((0, 4, -1)),
            "account": 3,
            "bot": 1022,
            "instrument": 9,
            "version": 0,
        }[name]
    elif name == "side":
        changed["leg_side"][place] = 3 - changed["leg_side"][place]
    elif name == "qty":
        changed["leg_qty_lots"][place] += 1
    elif name == "order_type":
        changed["leg_order_type"][place] = LIMIT
        changed["leg_price_ticks"][place] = changed["leg_price_ticks"][place] or 1
    else:
        changed["leg_flags"][place] ^= POST_ONLY
    return changed
