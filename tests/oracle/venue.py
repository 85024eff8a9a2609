"""The paper exchange, slowly: arrivals, the walk through the book, the queue (sections 4 to 6.1 of the rule book)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from tests.oracle import self_trade, trailing
from tests.oracle.budget import room
from tests.oracle.ledger import end, fee_fits, fill, fits, order_words, reducible
from tests.oracle.money import collar, up
from tests.oracle.sizes import value_reason
from tests.oracle.things import PAIR_OF, Account, Instrument, Market, Order
from tests.oracle.words import (
    BOOK,
    BUY,
    DEPTH,
    EXPIRE_MAKER,
    FOK,
    FREE,
    IOC,
    LIMIT,
    LIVE,
    MARKET_TYPES,
    NO_PREVENTION,
    SELL,
    TAKER,
    TRADING,
)

if TYPE_CHECKING:
    from tests.oracle.desk import Desk


def reaches(side: int, price: int, limit: int) -> bool:
    """Whether an opposite price is at or through an order's limit."""
    return price <= limit if side == BUY else price >= limit


# ---- arriving -------------------------------------------------------------------------------------------------------


def arrive(desk: Desk, order: Order) -> None:
    """Section 4: the venue's checks, then life."""
    reason = venue_check(desk, desk.instruments[order.instrument], order)
    if reason:
        end(desk, order, "REJECTED", reason)
        return
    order.status = "ACCEPTED"
    desk.say("ORDER_ACCEPTED", account=order.account, bot=order.bot, order_id=order.id, **order_words(order))
    if order.is_stop:
        order.place = "waiting"
        trailing.begin(desk, order)
    else:
        execute(desk, order)


def venue_check(desk: Desk, instrument: Instrument, order: Order) -> str:
    """The first of the venue's reasons against an order, or nothing."""
    market = instrument.market
    if instrument.trading_status != TRADING:
        return "instrument_halted"
    if not instrument.filter_price(order):
        return "price_filter"
    reason = instrument.filter_lots(order)
    if reason:
        return reason
    if far_from_mark(instrument, order):
        return "percent_price_by_side"
    reason = value_reason(instrument, order) or too_many(desk, instrument, order)
    if reason:
        return reason
    if trailing.out_of_bounds(instrument, order):
        return "trailing_delta"
    reason = instrument.filter_parts(order)
    if reason:
        return reason
    if order.trigger and order.is_stop and reached(market, order):
        return "stop_would_trigger"
    if order.post_only:
        price = market.best_opposite(order.side) if market.evidence == BOOK else market.last
        if price is not None and reaches(order.side, price, order.price):
            return "post_only_would_take"
        if self_trade.rivals(desk.accounts[order.account], order, order.price):
            return "post_only_would_take"
    if order.list_id and order.leg == min(PAIR_OF[order.kind], default=-1) and order.order_type == LIMIT:
        last = market.last_for(order.side)
        if last is not None and (order.price >= last if order.side == BUY else order.price <= last):
            return "list_prices"
    return ""


def far_from_mark(instrument: Instrument, order: Order) -> bool:
    """Section 4.4: a limit price beyond its side's part of the mark."""
    mark = instrument.market.mark
    if order.order_type in MARKET_TYPES or mark is None:
        return False
    side = "bid" if order.side == BUY else "ask"
    up, low = (instrument.given[f"{side}_multiplier_{way}_e8"] for way in ("up", "down"))
    up, low = (0 if (mark // 10**8 + 1) * part > 2**62 else part for part in (up, low))
    return bool(up and order.price * 10**8 > mark * up) or bool(low and order.price * 10**8 < mark * low)


def too_many(desk: Desk, instrument: Instrument, order: Order) -> str:
    """Section 4.6: the account's other orders at the venue on this instrument, all of them and those that wait for a trigger."""
    others = [
        other
        for other in desk.accounts[order.account].orders.values()
        if other.instrument == order.instrument
        and other is not order
        and (other.status != "SUBMITTED" or other.listed or 0 < other.list_id == order.list_id)
    ]
    if 0 < instrument.given["max_orders"] <= len(others):
        return "max_num_orders"
    waiting = sum(other.place == "waiting" or (other.is_stop and other.status == "SUBMITTED") for other in others)
    if order.is_stop and 0 < instrument.given["max_algo_orders"] <= waiting:
        return "max_num_algo_orders"
    return ""


def reached(market: Market, order: Order) -> bool:
    """Whether a stop's trigger is reached by `last`."""
    last = market.last_for(order.side)
    return last is not None and order.reached_by(last)


# ---- executing ------------------------------------------------------------------------------------------------------


def execute(desk: Desk, order: Order) -> None:
    """Section 5: on arrival, or when triggered."""
    instrument = desk.instruments[order.instrument]
    market = instrument.market
    if market.evidence != BOOK:
        if order.post_only:
            rest(desk, order)
            return
        self_trade.meet_waiting(desk, order)
        if order.live:
            order.place = "pending"
        return
    account = desk.accounts[order.account]
    levels = visible(market, order) if market.status == LIVE else []
    fillable = whole(desk, account, instrument, order, levels) and reducible(desk, order) >= order.remaining
    if order.time_in_force == FOK and not fillable:
        end(desk, order, "EXPIRED", "fok_not_filled")
        return
    walk(desk, order, levels)
    if not order.live:
        return
    if order.order_type in MARKET_TYPES:
        end(desk, order, "EXPIRED", "no_liquidity")
    elif order.time_in_force == IOC:
        end(desk, order, "EXPIRED", "ioc_remainder")
    elif order.time_in_force == FOK:
        end(desk, order, "EXPIRED", "fok_not_filled")
    else:
        rest(desk, order)


def visible(market: Market, order: Order) -> list[tuple[int, int]]:
    """Opposite levels within an order's limit, from the best on: (price, displayed size)."""
    best = market.best_opposite(order.side)
    if best is None:
        return []
    limit = collar(order.side, best) if order.order_type in MARKET_TYPES else order.price
    levels = sorted(market.opposite(order.side).items(), reverse=order.side == SELL)
    return [(price, size) for price, size in levels if reaches(order.side, price, limit)]


def used_of(account: Account, instrument: int, side: int) -> dict[int, int]:
    """What the account has used up of the levels that an order of this side takes from: {price: lots}."""
    return account.used.setdefault((instrument, side), {})


def whole(desk: Desk, account: Account, instrument: Instrument, order: Order, levels: list[tuple[int, int]]) -> bool:
    """Whether a fill-or-kill order can be filled whole, paid, and counted."""
    used = used_of(account, instrument.number, order.side)
    left, value = order.remaining, order.value
    met = [] if order.self_trade in (NO_PREVENTION, EXPIRE_MAKER) else rivals_of(desk, order, levels)
    for price, size in levels:
        lots = min(left, size - used.get(price, 0))
        if met and price == met[0].price:
            lots = min(lots, self_trade.ahead(instrument.market, used, met[0], front(account, met[0])))
        elif met and reaches(order.side, met[0].price, price):
            lots = 0
        affordable = room(instrument, order, value, price, lots + 1)
        if affordable <= lots:
            value, left = value + affordable * price, 0
            break
        left -= lots
        value += lots * price
    return left == 0 and value > 0 and payable(desk, account, instrument, order, value, order.remaining, DEPTH)


def payable(
    desk: Desk, account: Account, instrument: Instrument, order: Order, value: int, lots: int, fills: int = 1
) -> bool:
    """Whether so many lots of a fill-or-kill order can be counted and, for market buys, paid."""
    if not fits(account, instrument, order, lots, value):
        return False
    if not fee_fits(desk, account, instrument, order, lots, value, fills):
        return False
    if order.side != BUY or order.order_type not in MARKET_TYPES:
        return True
    return up(instrument.worth(value)) <= order.reserved + account.row(instrument.quote)[FREE]


def rivals_of(desk: Desk, order: Order, levels: list[tuple[int, int]]) -> list[Order]:
    """The own orders in the way of one that walks a book; a market order without levels has no limit, and meets none."""
    limit: int | None = order.price
    if order.order_type in MARKET_TYPES:
        best = desk.instruments[order.instrument].market.best_opposite(order.side)
        limit = collar(order.side, best) if levels and best is not None else None
    return self_trade.rivals(desk.accounts[order.account], order, limit)


def walk(desk: Desk, order: Order, levels: list[tuple[int, int]]) -> None:
    """Section 5: displayed levels from the best on, and own orders where they stand."""
    account, market = desk.accounts[order.account], desk.instruments[order.instrument].market
    used, shown = used_of(account, order.instrument, order.side), dict(levels)
    met = [] if order.self_trade == NO_PREVENTION else rivals_of(desk, order, levels)
    prices = sorted({*shown, *(rival.price for rival in met)}, reverse=order.side == SELL)
    for price in prices:
        for rival in [rival for rival in met if rival.price == price]:
            if order.live and price in shown:
                most = self_trade.ahead(market, used, rival, front(account, rival))
                take(desk, order, [(price, min(shown[price], used.get(price, 0) + most))], TAKER, "BOOK_WALK", None)
            if order.live:
                self_trade.meet(desk, order, rival)
        if order.live and price in shown:
            take(desk, order, [(price, shown[price])], TAKER, "BOOK_WALK", None)


def take(
    desk: Desk, order: Order, levels: list[tuple[int, int]], liquidity: int, rule: str, at_price: int | None
) -> None:
    """Take what the levels still have for this account, at each level's price or at one price."""
    used = used_of(desk.accounts[order.account], order.instrument, order.side)
    for price, size in levels:
        if not order.live:
            return
        lots = min(order.remaining, size - used.get(price, 0))
        filled = fill(
            desk, order, lots, price if at_price is None else at_price, liquidity, rule, -1 if at_price is None else 0
        )
        used[price] = used.get(price, 0) + filled


# ---- resting --------------------------------------------------------------------------------------------------------


def rest(desk: Desk, order: Order) -> None:
    """An order starts to wait at its price."""
    account = desk.accounts[order.account]
    order.place = "resting"
    order.rank = account.next_rank
    account.next_rank += 1
    market = desk.instruments[order.instrument].market
    order.most, order.seen = queue_ahead(market, order.side, order.price), market.pictures
    order.least = order.level = None
    if order.most is not None:
        order.least = order.level = max(0, order.most - market.taken[order.side].get(order.price, 0))


def front(account: Account, order: Order) -> int | None:
    """Section 6.1: what the account's fill model believes to stand ahead, in whole lots, rounded up."""
    if order.most is None or order.least is None:
        return None
    share = Fraction({1: 1024, 2: 512, 3: 0}[account.fill_model], 1024)
    return math.ceil(order.most - (order.most - order.least) * share)


def queue_ahead(market: Market, side: int, price: int) -> int | None:
    """Section 6.1: the quantity ahead of an order that starts to rest now: displayed and owed; None if unknown."""
    if market.evidence != BOOK or market.status != LIVE or not market.picture:
        return None
    shown = displayed(market, side, price)
    return None if shown is None else shown + sum(one.lots for one in market.owed_at(side, price))


def displayed(market: Market, side: int, price: int) -> int | None:
    """What the view shows at a price of a side; None where it does not reach."""
    own = market.own(side)
    if price in own:
        return own[price]
    complete = market.picture == "BOOK" and len(own) < DEPTH
    if not own:
        return 0 if complete else None
    worst = min(own) if side == BUY else max(own)
    beyond = price < worst if side == BUY else price > worst
    if beyond:
        return 0 if complete else None
    return 0


def orders_of(account: Account, instrument: int, place: str) -> list[Order]:
    """The account's live orders on an instrument in one place, by id."""
    return [
        order for _, order in sorted(account.orders.items()) if order.instrument == instrument and order.place == place
    ]


def by_priority(orders: list[Order], side: int) -> list[Order]:
    """Orders of one side: better price, then earlier to rest."""
    mine = [order for order in orders if order.side == side]
    return sorted(mine, key=lambda order: (-order.price if side == BUY else order.price, order.rank))


def accounts(desk: Desk) -> list[Account]:
    """All accounts by number."""
    return [account for _, account in sorted(desk.accounts.items())]
