"""What a market event does to the orders that rest on a book: only the prices it reaches are touched (`venue/levels.py`).

A trade fills better-priced orders by its quantity, and orders at its price after what is believed to stand ahead of them. What of it a picture has
shown before (`venue/owed.py`) happened before that picture: who joined later has no part in it. A picture in which
the other side has come to an order fills it from what is shown. The rules are docs/venue-rules.md, section 6.
"""

from typing import Any, Final

from paperdesk.domain.events import FillRule, Side
from paperdesk.domain.kernel import kernel
from paperdesk.venue import book, levels, owed, pictures
from paperdesk.venue.book import UNKNOWN, best
from paperdesk.venue.estimates import ahead_lots
from paperdesk.venue.fills import fill, share_left
from paperdesk.venue.iceberg import join_parts, note_part, shown_lots
from paperdesk.venue.kinds import BUY
from paperdesk.venue.orders import MAKER, is_unfinished

TRADE_THROUGH, QUEUE, BOOK_CROSS = int(FillRule.TRADE_THROUGH), int(FillRule.QUEUE), int(FillRule.BOOK_CROSS)
UNKNOWN_SIDE: Final = int(Side.UNKNOWN)


@kernel
def match_trade(s: Any, instrument: int, ticks: int, lots: int, aggressor: int) -> None:
    """A public trade against the resting orders it could have met: those of the side opposite to the aggressor."""
    pictures.settle_overdue(s, instrument)
    if aggressor != BUY:
        match_trade_side(s, instrument, book.BIDS, ticks, lots)
    if aggressor == BUY or aggressor == UNKNOWN_SIDE:
        match_trade_side(s, instrument, book.ASKS, ticks, lots)
    if s.n_parts > 0:
        join_parts(s)


@kernel
def match_trade_side(s: Any, instrument: int, own: int, ticks: int, lots: int) -> None:
    """The levels of a side that a trade reaches, best first; then what it leaves of them. A trade that pictures have shown whole changes no better price."""
    market, at = s.markets[instrument], 0
    fresh = lots - min(lots, owed.owed_lots(market, own, ticks))
    since = owed.first_picture(market, own, ticks)
    while at < s.n_levels[instrument, own]:
        row = s.level_at[instrument, own, at]
        level = s.levels[row]
        price = level.price_ticks
        if book.better(own, ticks, price):
            break
        for model in range(levels.MODELS):
            trade_chain(s, row, model, ticks, lots, fresh, since)
        at = levels.position_level(s, instrument, own, price)
        if levels.has_level(s, instrument, own, at, price):
            if price == ticks:
                levels.take_out(s.levels[s.level_at[instrument, own, at]], lots)
            elif fresh > 0:
                levels.show_size(s, s.level_at[instrument, own, at], 0)
            at += 1
    owed.take_print(market, own, ticks, lots)


@kernel
def trade_chain(s: Any, row: int, model: int, ticks: int, lots: int, fresh: int, since: int) -> None:
    """A trade at or through a level meets the orders of one chain, nearest first, until what stands ahead is not reached. Of a trade through it, who
    joined at picture `since` or later meets only the `fresh` lots that no picture had shown before.
    """
    level = s.levels[row]
    through = level.price_ticks != ticks
    rule = TRADE_THROUGH if through else QUEUE
    bound = level.first_bound[model]
    s.cursor = level.first[model]
    while s.cursor > 0:
        slot = s.cursor - 1
        order = s.orders[slot]
        s.cursor = order.behind
        front = UNKNOWN
        if order.most_key != UNKNOWN:
            bound = levels.bound_of(s, slot, bound)
            front = ahead_lots(model, levels.most_ahead(s, level, bound), levels.least_ahead(level, order))
            if bound == slot + 1:
                bound = order.bound_behind
        if not through and (front == UNKNOWN or front >= lots):
            break
        left = share_left(s, order.account, lots) - (0 if through else front)
        if through and order.seen_picture >= since:
            left = min(left, fresh)
        if left > 0:
            reached = order.qty_lots - order.filled_lots if through else shown_lots(order)
            wanted, account, row = min(reached, left), order.account, s.n_outputs
            s.share_lots[account] -= fill(s, slot, order.price_ticks, wanted, MAKER, rule, lots, ticks, front, 0)
            if not through:
                note_part(s, slot, row)
    s.cursor = 0


@kernel
def match_crossed(s: Any, instrument: int, own: int) -> None:
    """Resting orders that the displayed other side has come to: filled at their own price from what is shown and not used up."""
    opposite, at = 1 - own, 0
    while at < s.n_levels[instrument, own]:
        row = s.level_at[instrument, own, at]
        price = s.levels[row].price_ticks
        top = best(s.markets[instrument], opposite)
        if top == 0 or not book.reaches(own + 1, top, price):
            break
        for model in range(levels.MODELS):
            s.cursor = s.levels[row].first[model]
            while s.cursor > 0:
                slot = s.cursor - 1
                s.cursor = s.orders[slot].behind
                cross(s, slot)
        at = levels.position_level(s, instrument, own, price)
        if levels.has_level(s, instrument, own, at, price):
            at += 1


@kernel
def cross(s: Any, slot: int) -> None:
    """One order and the displayed levels that have come to its price."""
    order = s.orders[slot]
    account, instrument, opposite, price = order.account, order.instrument, 2 - order.side, order.price_ticks
    market = s.markets[instrument]
    for level in range(market.count[opposite]):
        ticks = market.ticks[opposite, level]
        if not is_unfinished(order) or order.account != account or not book.reaches(order.side, ticks, price):
            break
        lots = min(book.available_lots(s, account, instrument, opposite, level), order.qty_lots - order.filled_lots)
        if lots > 0:
            shown = market.lots[opposite, level]
            filled = fill(s, slot, price, lots, MAKER, BOOK_CROSS, shown, ticks, 0, 0)
            if filled > 0:
                book.use_lots(s.used[book.used_row(s, account, instrument)], market, opposite, level, filled)
