"""A picture of a market replaces the view: what it shows anew, and what is missing from it (`venue/owed.py`)."""

from typing import Any

from paperdesk.domain.kernel import kernel
from paperdesk.venue import book, owed
from paperdesk.venue.book import ASKS, BIDS


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
def begin_picture(market: Any, complete: int, now_ns: int) -> None:
    """One more picture; what is owed for too long was canceled."""
    market.picture += 1
    market.has_view = 1
    market.complete = complete
    owed.forget_overdue(market, now_ns)


@kernel
def show_quote(market: Any, e: Any) -> None:
    """Take a QUOTE input into the view."""
    begin_picture(market, 0, e.ts_seq_ns)
    kept = owed.keep_view(market, BIDS)
    book.merge_quote_side(market, BIDS, e.bid_ticks, e.bid_lots)
    owed.note_losses(market, BIDS, kept, e.ts_seq_ns)
    kept = owed.keep_view(market, ASKS)
    book.merge_quote_side(market, ASKS, e.ask_ticks, e.ask_lots)
    owed.note_losses(market, ASKS, kept, e.ts_seq_ns)
    book.forget_traded(market)


@kernel
def show_book(market: Any, e: Any) -> None:
    """Take a BOOK input into the view."""
    begin_picture(market, 1, e.ts_seq_ns)
    kept = owed.keep_view(market, BIDS)
    book.set_side(market, BIDS, e.bids_ticks, e.bids_lots, e.n_bids)
    owed.note_losses(market, BIDS, kept, e.ts_seq_ns)
    kept = owed.keep_view(market, ASKS)
    book.set_side(market, ASKS, e.asks_ticks, e.asks_lots, e.n_asks)
    owed.note_losses(market, ASKS, kept, e.ts_seq_ns)
    book.forget_traded(market)
