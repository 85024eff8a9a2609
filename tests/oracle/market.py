"""Market inputs, slowly: trades on a book or alone, bars, quotes and books (section 6 of the rule book)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.oracle import lists, self_trade, trailing
from tests.oracle.budget import room
from tests.oracle.ledger import end, fill, order_words, reducible, stand_alone
from tests.oracle.things import Account, Instrument, Market, Order, Owed
from tests.oracle.venue import (
    accounts,
    by_priority,
    displayed,
    execute,
    front,
    orders_of,
    payable,
    queue_ahead,
    reached,
    reaches,
    rest,
    take,
    used_of,
    visible,
)
from tests.oracle.words import (
    BARS,
    BOOK,
    BUY,
    DEPTH,
    FOK,
    IOC,
    LATE_NS,
    LIMIT_TYPES,
    MAKER,
    MARKET_TYPES,
    MAX_LOTS,
    MAX_OWED,
    SELL,
    STAYING,
    STOP_TYPES,
    TAKER,
    TAPE,
)

TOUCH = {1: Fraction(1), 2: Fraction(1, 4), 3: Fraction(0)}
"""What of a trade at an order's own price a fill model believes in (section 6.3)."""
OF_A_BAR = {1: Fraction(1), 2: Fraction(102, 1024), 3: Fraction(51, 1024)}
"""What of a bar's volume (section 6.4)."""

if TYPE_CHECKING:
    from tests.oracle.desk import Desk


def on_trade(desk: Desk, instrument: Instrument, given: dict[str, Any]) -> None:
    """Sections 6.2 and 6.3: a public trade."""
    market = instrument.market
    price, lots, aggressor = given["trade_price_ticks"], given["trade_qty_lots"], given["side"]
    if market.evidence == BOOK:
        settle_overdue(desk, instrument)
        due = [trade_on_book(desk, account, instrument, price, lots, aggressor) for account in accounts(desk)]
        for side in (BUY, SELL):
            if side != aggressor:
                note_taken(market, side, price, account_for(market, side, price, lots))
        for order in [order for orders in due for order in orders if order.live]:
            next_part(desk, order)
    else:
        market.evidence = TAPE
        for account in accounts(desk):
            trade_on_tape(desk, account, instrument, price, lots, aggressor)
    lists.send_ready(desk)
    market.last, market.trade_seen = price, True
    if market.evidence != BOOK or not (market.bids and market.asks):
        market.mark, market.mark_ns = price, desk.now
    check_stops(desk, instrument)


def trade_on_book(
    desk: Desk, account: Account, instrument: Instrument, price: int, lots: int, aggressor: int
) -> list[Order]:
    """A trade meets one account's resting orders, buys then sells; its quantity is shared among them. Icebergs whose shown part it ended."""
    resting = orders_of(account, instrument.number, "resting")
    left = lots
    due: list[Order] = []
    for side in (BUY, SELL):
        if aggressor == side:
            continue
        told = instrument.market.owed_at(side, price)
        fresh = max(0, lots - sum(one.lots for one in told))
        for order in by_priority(resting, side):
            if order.price == price:
                ahead = front(account, order)
                if ahead is not None and left > ahead:
                    wanted = min(order.shown, left - ahead)
                    ends = wanted == order.shown
                    filled = fill(desk, order, wanted, order.price, MAKER, "QUEUE", ahead)
                    left -= filled
                    if order.live and order.visible and ends and filled == wanted:
                        due.append(order)
            elif reaches(side, price, order.price):
                ahead = front(account, order)
                wanted = min(order.remaining, left)
                if told and order.seen >= told[0].picture:
                    wanted = min(wanted, fresh)
                left -= fill(desk, order, wanted, order.price, MAKER, "TRADE_THROUGH", -1 if ahead is None else ahead)
        for order in by_priority(resting, side):
            if order.price == price and order.most is not None:
                order.most, order.least, order.level = (
                    max(0, known - lots) for known in (order.most, order.least or 0, order.level or 0)
                )
            elif order.price != price and reaches(side, price, order.price) and fresh > 0:
                order.most = order.least = order.level = 0
    return due


def next_part(desk: Desk, order: Order) -> None:
    """Section 6.1: an iceberg's next part joins its queue; the fill that ended the part before it tells the front then."""
    rest(desk, order)
    ahead = front(desk.accounts[order.account], order)
    for said in reversed(desk.outputs):
        if (said["kind"], said.get("account"), said.get("order_id")) == ("FILL", order.account, order.id):
            said["front_after_lots"] = -1 if ahead is None else ahead
            return


def account_for(market: Market, side: int, price: int, lots: int) -> int:
    """Section 6.2: a print takes from what is owed at its price, oldest first; the lots that are left of it."""
    for one in market.owed_at(side, price):
        told = min(lots, one.lots)
        one.lots -= told
        lots -= told
    market.owed[side] = [one for one in market.owed[side] if one.lots > 0]
    return lots


def note_taken(market: Market, side: int, price: int, lots: int) -> None:
    """What is left of a print leaves so much of the displayed levels that it reached, until they are shown again; nothing is owed at better prices."""
    if lots == 0:
        return
    market.owed[side] = [one for one in market.owed[side] if one.price == price or not reaches(side, price, one.price)]
    for level, size in market.own(side).items():
        if reaches(side, price, level):
            taken = market.taken[side].get(level, 0) + lots
            market.taken[side][level] = size if level != price else min(size, taken)


def settle_overdue(desk: Desk, instrument: Instrument) -> None:
    """Section 6.2: what was owed for too long has been canceled; who rests at its price learns it."""
    market = instrument.market
    for side in (BUY, SELL):
        overdue = [one for one in market.owed[side] if desk.now - one.ns > LATE_NS]
        market.owed[side] = market.owed[side][len(overdue) :]
        for account in accounts(desk):
            for order in orders_of(account, instrument.number, "resting"):
                ahead = queue_ahead(market, side, order.price)
                if order.side == side and ahead is not None and any(one.price == order.price for one in overdue):
                    learn(order, ahead)


def note_missing(desk: Desk, market: Market, before: dict[int, dict[int, int]]) -> None:
    """Section 6.2: what a picture took from the levels that stood `before`, worst first, is owed."""
    for side in (BUY, SELL):
        for price, lots in sorted(before[side].items(), reverse=side == SELL):
            shown = displayed(market, side, price)
            if shown is None or lots <= shown:
                continue
            if len(market.owed[side]) == MAX_OWED:
                del market.owed[side][0]
            room = MAX_LOTS - sum(one.lots for one in market.owed_at(side, price))
            if room > 0:
                market.owed[side].append(Owed(price, min(room, lots - shown), market.pictures, desk.now))


def trade_on_tape(desk: Desk, account: Account, instrument: Instrument, price: int, lots: int, aggressor: int) -> None:
    """A trade is all that is known: it meets resting and pending orders by id."""
    left = lots
    for order in [order for _, order in sorted(account.orders.items()) if order.instrument == instrument.number]:
        if order.place not in ("resting", "pending"):
            continue
        if order.order_type in MARKET_TYPES:
            left -= meet(desk, order, left, worse(order.side, price, account.fill_model - 1), TAKER, "TAPE_TAKE")
            continue
        through = reaches(order.side, price, order.price) and price != order.price
        if through and aggressor != order.side:
            left -= meet(desk, order, left, order.price, MAKER, "TRADE_THROUGH")
        elif reaches(order.side, price, order.price) and aggressor == order.side and not order.post_only:
            left -= meet(desk, order, left, order.price, TAKER, "TAPE_TAKE")
        elif price == order.price and aggressor != order.side and order.time_in_force in STAYING:
            wanted = min(left, math.floor(lots * TOUCH[account.fill_model]), order.shown)
            left -= meet(desk, order, wanted, order.price, MAKER, "TAPE_TOUCH")
        else:
            left -= meet(desk, order, 0, order.price, MAKER, "TRADE_THROUGH")


def meet(desk: Desk, order: Order, left: int, price: int, liquidity: int, rule: str) -> int:
    """An order meets a trade or a bar with `left` lots to have; what then becomes of it. Returns the lots filled."""
    account, instrument = desk.accounts[order.account], desk.instruments[order.instrument]
    if order.time_in_force == FOK:
        wanted = room(instrument, order, order.value, price, order.remaining)
        value = order.value + price * wanted
        if (
            wanted == 0
            or min(left, reducible(desk, order)) < wanted
            or not payable(desk, account, instrument, order, value, wanted)
        ):
            end(desk, order, "EXPIRED", "fok_not_filled")
            return 0
    filled = fill(desk, order, min(order.remaining, left), price, liquidity, rule)
    if order.live and order.order_type in LIMIT_TYPES and order.place == "pending":
        if order.time_in_force in STAYING:
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
        left = bar_for(desk, account, instrument, given)
        lists.send_ready(desk)
        late = [
            order
            for order in orders_of(account, instrument.number, "waiting")
            if order.activated_ns == desk.now and order.order_type in STOP_TYPES
        ]
        meet_range(desk, account, late, given, left)
    market.last = market.mark = given["close_ticks"]
    market.mark_ns = desk.now


def bar_for(desk: Desk, account: Account, instrument: Instrument, given: dict[str, Any]) -> int:
    """One bar for one account: the open for pending orders, the worst price for stops, strictly through for resting. What is left of its share."""
    opened, left = desk.now - given["interval_ns"], math.floor(given["volume_lots"] * OF_A_BAR[account.fill_model])
    mine = [
        order
        for _, order in sorted(account.orders.items())
        if order.instrument == instrument.number and max(order.submitted_ns, order.activated_ns) <= opened
    ]
    pending = [order for order in mine if order.place == "pending"]
    waiting = [order for order in mine if order.place == "waiting"]
    resting = [order for order in mine if order.place == "resting"]
    first = given["open_ticks"]
    for order in pending:
        if order.order_type in MARKET_TYPES or reaches(order.side, first, order.price):
            price = moved(account, order, first, given, left)
            if order.order_type in LIMIT_TYPES and not reaches(order.side, price, order.price):
                price = order.price
            left -= meet(desk, order, left, price, TAKER, "BAR_OPEN")
        else:
            left -= meet(desk, order, 0, first, TAKER, "BAR_OPEN")
    left = meet_range(desk, account, waiting, given, left)
    for order in resting:
        if not order.live:
            continue
        best = given["low_ticks"] if order.side == BUY else given["high_ticks"]
        if reaches(order.side, best, order.price) and (best != order.price or account.fill_model == 1):
            left -= fill(desk, order, min(order.remaining, left), order.price, MAKER, "BAR_THROUGH")
    return left


def meet_range(desk: Desk, account: Account, waiting: list[Order], given: dict[str, Any], left: int) -> int:
    """Orders that wait for a trigger, by id, and the range of a bar; what is left of the account's share."""
    first = given["open_ticks"]
    for order in waiting:
        if order.trail or not order.live:
            continue
        if not order.reached_by(given["high_ticks"] if order.fires_up else given["low_ticks"]):
            continue
        left -= fire_in_bar(desk, account, order, first if order.reached_by(first) else order.trigger, given, left)
    trails = [order for order in waiting if order.trail and order.live]
    for order, price in trailing.through_bar(desk, account, trails, given):
        left -= fire_in_bar(desk, account, order, price, given, left)
    return left


def fire_in_bar(desk: Desk, account: Account, order: Order, price: int, bar: dict[str, Any], left: int) -> int:
    """A stop fires at a price of a bar; the lots filled."""
    triggered(desk, order, price)
    self_trade.meet_waiting(desk, order)
    if not order.live:
        return 0
    order.place = "pending"
    worst = bar["high_ticks"] if order.side == BUY else bar["low_ticks"]
    if order.order_type in MARKET_TYPES:
        price = moved(account, order, worst if account.fill_model == 3 else price, bar, left)
        price = min(price, worst) if order.side == BUY else max(price, worst)
        return meet(desk, order, left, price, TAKER, "BAR_STOP")
    if order.time_in_force in STAYING:
        rest(desk, order)
    return 0


def worse(side: int, price: int, ticks: int) -> int:
    """A price worse by some ticks."""
    return price + ticks if side == BUY else max(1, price - ticks)


def moved(account: Account, order: Order, price: int, bar: dict[str, Any], left: int) -> int:
    """A taker's price in a bar after its own impact, by the square-root law."""
    lots = min(order.remaining, left)
    if account.fill_model == 1 or lots == 0:
        return price
    share = {2: 2.0 / 3.0, 3: 1.0}[account.fill_model]
    volatility = share * (1 / (2 * math.sqrt(math.log(2)))) * (bar["high_ticks"] - bar["low_ticks"])
    return worse(order.side, price, max(1, math.ceil(volatility * math.sqrt(lots / bar["volume_lots"]))))


def triggered(desk: Desk, order: Order, last: int) -> None:
    """A stop's trigger was reached."""
    trigger = trailing.trigger(order) if order.trail else order.trigger
    words = {"last_ticks": last, "peak_ticks": order.peak, "reached_ticks": trigger}
    desk.say("ORDER_TRIGGERED", account=order.account, bot=order.bot, order_id=order.id, **words, **order_words(order))
    stand_alone(desk, order)


def check_stops(desk: Desk, instrument: Instrument) -> None:
    """Section 6.5: stops that `last` has reached: those that fire upwards by rising trigger, then the others by falling trigger."""
    for account in accounts(desk):
        waiting = [order for order in orders_of(account, instrument.number, "waiting") if not order.peak]
        for order in trailing.by_trigger(waiting):
            last = instrument.market.last_for(order.side)
            if not order.live or last is None or not reached(instrument.market, order):
                continue
            if order.trail:
                trailing.activate(desk, order, last, last)
            else:
                triggered(desk, order, last)
                execute(desk, order)
        for order, last in trailing.following(instrument.market, orders_of(account, instrument.number, "waiting")):
            triggered(desk, order, last)
            execute(desk, order)


def on_picture(desk: Desk, instrument: Instrument, given: dict[str, Any]) -> None:
    """Sections 6.1, 6.2 and 6.6: a quote or a book."""
    settle_overdue(desk, instrument)
    market = instrument.market
    rising = market.evidence != BOOK
    market.evidence = BOOK
    before = {BUY: dict(market.asks), SELL: dict(market.bids)}
    left = {side: untaken(market, side) for side in (BUY, SELL)}
    if given["kind"] == "BOOK":
        market.bids = dict(zip(given["bids_ticks"], given["bids_lots"], strict=True))
        market.asks = dict(zip(given["asks_ticks"], given["asks_lots"], strict=True))
    else:
        market.bids = merged(market.bids, given["bid_ticks"], given["bid_lots"], BUY)
        market.asks = merged(market.asks, given["ask_ticks"], given["ask_lots"], SELL)
    market.picture = given["kind"]
    market.pictures += 1
    market.taken = {BUY: {}, SELL: {}}
    note_missing(desk, market, left)
    if market.bids and market.asks:
        market.mark, market.mark_ns = (max(market.bids) + min(market.asks)) // 2, desk.now
    for account in accounts(desk):
        for side in (BUY, SELL):
            used, now = used_of(account, instrument.number, side), market.opposite(side)
            for price in list(used):
                if price not in now or now[price] != before[side].get(price):
                    del used[price]
        for order in orders_of(account, instrument.number, "resting"):
            ahead = queue_ahead(market, order.side, order.price)
            if ahead is not None:
                learn(order, ahead)
        if rising:
            for order in orders_of(account, instrument.number, "pending"):
                execute(desk, order)
        cross(desk, account, instrument)
    lists.send_ready(desk)
    if not market.trade_seen:
        check_stops(desk, instrument)


def untaken(market: Market, side: int) -> dict[int, int]:
    """What is displayed, less what was traded of it since."""
    return {price: lots - market.taken[side].get(price, 0) for price, lots in market.own(side).items()}


def learn(order: Order, shown: int) -> None:
    """So much stands at a resting order's price now."""
    if order.most is None or order.least is None or order.level is None:
        order.most = order.least = order.level = shown
        return
    gone = max(0, order.level - shown)
    order.most, order.least, order.level = min(order.most, shown), max(0, order.least - gone), shown


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
    market.owed = {BUY: [], SELL: []}
    market.taken = {BUY: {}, SELL: {}}
    for account in desk.accounts.values():
        for side in (BUY, SELL):
            account.used.pop((instrument.number, side), None)
        for order in account.orders.values():
            if order.instrument == instrument.number:
                order.most = order.least = order.level = None
