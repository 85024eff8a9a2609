"""A picture of a market replaces the view: what it shows anew, and what is missing from it (`venue/owed.py`)."""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.venue import book, levels, owed
from paperdesk.venue.book import ASKS, BIDS, UNKNOWN


@kernel
def clear_view(market: Any) -> None:
    """Forget the visible book; last and mark prices stay."""
    market.has_view = 0
    market.complete = 0
    for side in range(2):
        market.count[side] = 0
    book.forget_traded(market)
    owed.forget_owed(market)
    assert market.count[BIDS] == 0 and market.count[ASKS] == 0, "an empty view shows nothing"


@kernel
def settle_overdue(s: Any, instrument: int) -> None:
    """Before a trade or a picture: what nobody printed in time was canceled. It stands no more, and has gone from the levels."""
    market = s.markets[instrument]
    for own in range(2):
        while owed.is_overdue(market, own, s.ts_seq_ns):
            price = market.owed_ticks[own, 0]
            owed.cut_owed(market, own, 0)
            at, lots = levels.position_level(s, instrument, own, price), owed.standing(market, own, price)
            if lots != UNKNOWN and levels.has_level(s, instrument, own, at, price):
                levels.show_size(s, s.level_at[instrument, own, at], lots)


@kernel
def begin_picture(s: Any, instrument: int, complete: int) -> None:
    """One more picture."""
    settle_overdue(s, instrument)
    market = s.markets[instrument]
    market.picture += 1
    market.has_view = 1
    market.complete = complete


@kernel
def show_quote(s: Any, e: Any) -> None:
    """Take a QUOTE input into the view."""
    begin_picture(s, e.instrument, 0)
    market = s.markets[e.instrument]
    kept = owed.keep_view(market, BIDS)
    book.merge_quote_side(market, BIDS, e.bid_ticks, e.bid_lots)
    owed.note_losses(market, BIDS, kept, s.ts_seq_ns)
    kept = owed.keep_view(market, ASKS)
    book.merge_quote_side(market, ASKS, e.ask_ticks, e.ask_lots)
    owed.note_losses(market, ASKS, kept, s.ts_seq_ns)
    book.forget_traded(market)


@kernel
def show_book(s: Any, e: Any) -> None:
    """Take a BOOK input into the view."""
    begin_picture(s, e.instrument, 1)
    market = s.markets[e.instrument]
    kept = owed.keep_view(market, BIDS)
    book.set_side(market, BIDS, e.bids_ticks, e.bids_lots, e.n_bids)
    owed.note_losses(market, BIDS, kept, s.ts_seq_ns)
    kept = owed.keep_view(market, ASKS)
    book.set_side(market, ASKS, e.asks_ticks, e.asks_lots, e.n_asks)
    owed.note_losses(market, ASKS, kept, s.ts_seq_ns)
    book.forget_traded(market)
