"""The paper exchange, slowly: arrivals, the book, queues, tape, bars, stops (sections 4 to 6 of the rule book)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.oracle.ledger import end, fill, order_words
from tests.oracle.money import down, up
from tests.oracle.things import Account, Instrument, Market, Order
from tests.oracle.words import (
    BARS,
    BOOK,
    BUY,
    DEPTH,
    FOK,
    FREE,
    GTC,
    IOC,
    LIMIT_TYPES,
    LIVE,
    MAKER,
    MARKET,
    MARKET_TYPES,
    SELL,
    STOP_MARKET,
    TAKER,
    TAPE,
    TRADING,
)

if TYPE_CHECKING:
    from tests.oracle.desk import Desk


def collar(side: int, ref: int) -> int:
    """How far a market order may go from a reference price: 5 %."""
    return -(-ref * 105 // 100) if side == BUY else max(1, ref * 95 // 100)


def reaches(side: int, price: int, limit: int) -> bool:
    """Whether an opposite price is at or through an order's limit."""
    return price <= limit if side == BUY else price >= limit


# ---- arriving -------------------------------------------------------------------------------------------------------


def arrive(desk: Desk, order: Order) -> None:
    """Section 4: the venue's checks, then life."""
    reason = venue_check(desk.instruments[order.instrument], order)
    if reason:
        end(desk, order, "REJECTED", reason)
        return
    order.status = "ACCEPTED"
    desk.say("ORDER_ACCEPTED", account=order.account, bot=order.bot, order_id=order.id, **order_words(order))
    if order.is_stop:
        order.place = "waiting"
    else:
        execute(desk, order)


def venue_check(instrument: Instrument, order: Order) -> str:
    """The first of the venue's reasons against an order, or nothing."""
    market = instrument.market
    if instrument.trading_status != TRADING:
        return "instrument_halted"
    if not instrument.filter_price(order):
        return "price_filter"
    reason = instrument.filter_lots(order)
    if reason:
        return reason
    price: int | None = order.price
    if order.order_type == STOP_MARKET:
        price = order.trigger
    elif order.order_type == MARKET:
        price = market.mark if instrument.given["min_notional_to_market"] else None
    if price is not None and down(instrument.worth(price * order.qty)) < instrument.given["min_notional_units"]:
        return "min_notional"
    if order.is_stop and reached(market, order):
        return "stop_would_trigger"
    if order.post_only:
        price = market.best_opposite(order.side) if market.evidence == BOOK else market.last
        if price is not None and reaches(order.side, price, order.price):
            return "post_only_would_take"
    return ""


def reached(market: Market, order: Order) -> bool:
    """Whether a stop's trigger is reached by `last`."""
    last = market.last_for(order.side)
    if last is None:
        return False
    return last >= order.trigger if order.side == BUY else last <= order.trigger


# ---- executing ------------------------------------------------------------------------------------------------------


def execute(desk: Desk, order: Order) -> None:
    """Section 5: on arrival, or when triggered."""
    instrument = desk.instruments[order.instrument]
    market = instrument.market
    if market.evidence != BOOK:
        if order.post_only:
            rest(desk, order)
        else:
            order.place = "pending"
        return
    account = desk.accounts[order.account]
    levels = visible(market, order) if market.status == LIVE else []
    if order.time_in_force == FOK and not whole(account, instrument, order, levels):
        end(desk, order, "EXPIRED", "fok_not_filled")
        return
    take(desk, order, levels, TAKER, "BOOK_WALK", None)
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


def whole(account: Account, instrument: Instrument, order: Order, levels: list[tuple[int, int]]) -> bool:
    """Whether a fill-or-kill order can be filled whole, and paid."""
    used = used_of(account, instrument.number, order.side)
    left, value = order.remaining, order.value
    for price, size in levels:
        lots = min(left, size - used.get(price, 0))
        left -= lots
        value += lots * price
    return left == 0 and payable(account, instrument, order, value)


def payable(account: Account, instrument: Instrument, order: Order, value: int) -> bool:
    """Whether a market buy's whole cost is covered; other orders have what they need reserved."""
    if order.side != BUY or order.order_type not in MARKET_TYPES:
        return True
    return up(instrument.worth(value)) <= order.reserved + account.row(instrument.quote)[FREE]


def take(
    desk: Desk, order: Order, levels: list[tuple[int, int]], liquidity: int, rule: str, at_price: int | None
) -> None:
    """Take what the levels still have for this account, at each level's price or at one price."""
    used = used_of(desk.accounts[order.account], order.instrument, order.side)
    for price, size in levels:
        if not order.live:
            return
        lots = min(order.remaining, size - used.get(price, 0))
        filled = fill(desk, order, lots, price if at_price is None else at_price, liquidity, rule)
        used[price] = used.get(price, 0) + filled


# ---- resting --------------------------------------------------------------------------------------------------------


def rest(desk: Desk, order: Order) -> None:
    """An order starts to wait at its price."""
    account = desk.accounts[order.account]
    order.place = "resting"
    order.rank = account.next_rank
    account.next_rank += 1
    order.front = queue_ahead(desk.instruments[order.instrument].market, order)


def queue_ahead(market: Market, order: Order) -> int | None:
    """Section 6.1: the quantity ahead of an order that starts to rest now; None if unknown."""
    if market.evidence != BOOK or market.status != LIVE or not market.picture:
        return None
    own, price = market.own(order.side), order.price
    if price in own:
        return own[price]
    complete = market.picture == "BOOK" and len(own) < DEPTH
    if not own:
        return 0 if complete else None
    worst = min(own) if order.side == BUY else max(own)
    beyond = price < worst if order.side == BUY else price > worst
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


# ---- market inputs --------------------------------------------------------------------------------------------------


def on_trade(desk: Desk, instrument: Instrument, given: dict[str, Any]) -> None:
    """Sections 6.2 and 6.3: a public trade."""
    market = instrument.market
    price, lots, aggressor = given["trade_price_ticks"], given["trade_qty_lots"], given["side"]
    if market.evidence == BOOK:
        if not (market.bids and market.asks):
            market.mark, market.mark_ns = price, desk.now
        for account in accounts(desk):
            trade_on_book(desk, account, instrument, price, lots, aggressor)
    else:
        market.evidence = TAPE
        market.mark, market.mark_ns = price, desk.now
        for account in accounts(desk):
            trade_on_tape(desk, account, instrument, price, lots, aggressor)
    market.last, market.trade_seen = price, True
    check_stops(desk, instrument)


def trade_on_book(desk: Desk, account: Account, instrument: Instrument, price: int, lots: int, aggressor: int) -> None:
    """A trade meets one account's resting orders, buys then sells; its quantity is shared among them."""
    resting = orders_of(account, instrument.number, "resting")
    left = lots
    for side in (BUY, SELL):
        if aggressor == side:
            continue
        for order in by_priority(resting, side):
            if order.price == price:
                if order.front is None:
                    continue
                if left <= order.front:
                    order.front -= left
                    continue
                wanted = min(order.remaining, left - order.front)
                order.front = 0
                left -= fill(desk, order, wanted, order.price, MAKER, "QUEUE")
            elif reaches(side, price, order.price):
                left -= fill(desk, order, min(order.remaining, left), order.price, MAKER, "TRADE_THROUGH")


def trade_on_tape(desk: Desk, account: Account, instrument: Instrument, price: int, lots: int, aggressor: int) -> None:
    """A trade is all that is known: it meets resting and pending orders by id."""
    left = lots
    for order in [order for _, order in sorted(account.orders.items()) if order.instrument == instrument.number]:
        if order.place not in ("resting", "pending"):
            continue
        if order.order_type in MARKET_TYPES:
            worse = price + 1 if order.side == BUY else max(1, price - 1)
            left -= meet(desk, order, left, worse, TAKER, "TAPE_TAKE")
            continue
        through = reaches(order.side, price, order.price) and price != order.price
        if through and aggressor != order.side:
            left -= meet(desk, order, left, order.price, MAKER, "TRADE_THROUGH")
        elif reaches(order.side, price, order.price) and aggressor == order.side and not order.post_only:
            left -= meet(desk, order, left, order.price, TAKER, "TAPE_TAKE")
        else:
            left -= meet(desk, order, 0, order.price, MAKER, "TRADE_THROUGH")


def meet(desk: Desk, order: Order, left: int, price: int, liquidity: int, rule: str) -> int:
    """An order meets a trade or a bar with `left` lots to have; what then becomes of it. Returns the lots filled."""
    account, instrument = desk.accounts[order.account], desk.instruments[order.instrument]
    if order.time_in_force == FOK:
        value = order.value + price * order.remaining
        if left < order.remaining or not payable(account, instrument, order, value):
            end(desk, order, "EXPIRED", "fok_not_filled")
            return 0
    filled = fill(desk, order, min(order.remaining, left), price, liquidity, rule)
    if order.live and order.order_type in LIMIT_TYPES and order.place == "pending":
        if order.time_in_force == GTC:
            rest(desk, order)
        else:
            end(desk, order, "EXPIRED", "ioc_remainder" if order.time_in_force == IOC else "fok_not_filled")
    return filled


def on_bar(desk: Desk, instrument: Instrument, given: dict[str, Any]) -> None:
    """Section 6.4: a closed bar; better evidence makes it mean nothing."""
    market = instrument.market
    if market.evidence > BARS:
        return
    market.evidence = BARS
    for account in accounts(desk):
        bar_for(desk, account, instrument, given)
    market.last = market.mark = given["close_ticks"]
    market.mark_ns = desk.now


def bar_for(desk: Desk, account: Account, instrument: Instrument, given: dict[str, Any]) -> None:
    """One bar for one account: the open for pending orders, the worst price for stops, strictly through for resting."""
    opened, left = desk.now - given["interval_ns"], given["volume_lots"]
    mine = [
        order
        for _, order in sorted(account.orders.items())
        if order.instrument == instrument.number and order.submitted_ns <= opened
    ]
    pending = [order for order in mine if order.place == "pending"]
    waiting = [order for order in mine if order.place == "waiting"]
    resting = [order for order in mine if order.place == "resting"]
    first = given["open_ticks"]
    for order in pending:
        if order.order_type in MARKET_TYPES or reaches(order.side, first, order.price):
            left -= meet(desk, order, left, first, TAKER, "BAR_OPEN")
        else:
            left -= meet(desk, order, 0, first, TAKER, "BAR_OPEN")
    for order in waiting:
        worst = given["high_ticks"] if order.side == BUY else given["low_ticks"]
        if not (worst >= order.trigger if order.side == BUY else worst <= order.trigger):
            continue
        triggered(desk, order)
        order.place = "pending"
        if order.order_type == STOP_MARKET:
            left -= meet(desk, order, left, worst, TAKER, "BAR_STOP")
        elif order.time_in_force == GTC:
            rest(desk, order)
    for order in resting:
        best = given["low_ticks"] if order.side == BUY else given["high_ticks"]
        if reaches(order.side, best, order.price) and best != order.price:
            left -= fill(desk, order, min(order.remaining, left), order.price, MAKER, "BAR_THROUGH")


def triggered(desk: Desk, order: Order) -> None:
    """A stop's trigger was reached."""
    desk.say("ORDER_TRIGGERED", account=order.account, bot=order.bot, order_id=order.id, **order_words(order))


def check_stops(desk: Desk, instrument: Instrument) -> None:
    """Section 6.5: stops that `last` has reached, buys by rising trigger, then sells by falling trigger."""
    for account in accounts(desk):
        waiting = orders_of(account, instrument.number, "waiting")
        buys = sorted((order for order in waiting if order.side == BUY), key=lambda order: (order.trigger, order.id))
        sells = sorted((order for order in waiting if order.side == SELL), key=lambda order: (-order.trigger, order.id))
        for order in buys + sells:
            if reached(instrument.market, order):
                triggered(desk, order)
                execute(desk, order)


def on_picture(desk: Desk, instrument: Instrument, given: dict[str, Any]) -> None:
    """Sections 6.1, 6.2 and 6.6: a quote or a book."""
    market = instrument.market
    rising = market.evidence != BOOK
    market.evidence = BOOK
    before = {BUY: dict(market.asks), SELL: dict(market.bids)}
    if given["kind"] == "BOOK":
        market.bids = dict(zip(given["bids_ticks"], given["bids_lots"], strict=True))
        market.asks = dict(zip(given["asks_ticks"], given["asks_lots"], strict=True))
    else:
        market.bids = merged(market.bids, given["bid_ticks"], given["bid_lots"], BUY)
        market.asks = merged(market.asks, given["ask_ticks"], given["ask_lots"], SELL)
    market.picture = given["kind"]
    if market.bids and market.asks:
        market.mark, market.mark_ns = (max(market.bids) + min(market.asks)) // 2, desk.now
    for account in accounts(desk):
        for side in (BUY, SELL):
            used, now = used_of(account, instrument.number, side), market.opposite(side)
            for price in list(used):
                if price not in now or now[price] != before[side].get(price):
                    del used[price]
        for order in orders_of(account, instrument.number, "resting"):
            ahead = queue_ahead(market, order)
            if ahead is not None:
                order.front = ahead if order.front is None else min(order.front, ahead)
        if rising:
            for order in orders_of(account, instrument.number, "pending"):
                execute(desk, order)
        cross(desk, account, instrument)
    if not market.trade_seen:
        check_stops(desk, instrument)


def merged(levels: dict[int, int], price: int, size: int, own: int) -> dict[int, int]:
    """One side after a quote: better levels are gone, the quoted one is set, the worst dropped beyond DEPTH."""
    if size == 0:
        return {}
    kept = {level: lots for level, lots in levels.items() if (level < price if own == BUY else level > price)}
    kept[price] = size
    if len(kept) > DEPTH:
        del kept[min(kept) if own == BUY else max(kept)]
    return kept


def cross(desk: Desk, account: Account, instrument: Instrument) -> None:
    """Resting orders that the opposite side has come to: filled at their own price."""
    resting = orders_of(account, instrument.number, "resting")
    for order in by_priority(resting, BUY) + by_priority(resting, SELL):
        take(desk, order, visible(instrument.market, order), MAKER, "BOOK_CROSS", order.price)


def lose_view(desk: Desk, instrument: Instrument) -> None:
    """The picture is gone: nothing displayed, nothing used, no place in a queue known."""
    market = instrument.market
    market.bids, market.asks, market.picture = {}, {}, ""
    for account in desk.accounts.values():
        for side in (BUY, SELL):
            account.used.pop((instrument.number, side), None)
        for order in account.orders.values():
            if order.instrument == instrument.number:
                order.front = None
