"""The venue's view of one market: visible levels, last prices, mark, and what each account has used up of what is shown.

Book side 0 is bids, 1 is asks. An order of side BUY (1) stands on book side 0 and takes from 1; SELL (2) the other way round.
A level is *shown anew* by a picture (quote or book) in which its size differs from before; what an account took from it is then
forgotten.
"""

from typing import Any, Final

from paperdesk.domain.events import DEPTH, Evidence, MarketStatus
from paperdesk.domain.kernel import kernel, record

UNKNOWN: Final = -1
"""Queue position that the evidence does not tell."""

BIDS: Final = 0
ASKS: Final = 1
TICKS_BOUND: Final = 2**50
LOTS_BOUND: Final = 2**60
LIVE: Final = int(MarketStatus.LIVE)
BOOK: Final = int(Evidence.BOOK)

OWED: Final = 64
"""How many times lots may be missing from a side at once and still be told apart."""

MARKET: Final = record(
    [
        ("evidence", "i8"),
        ("status", "i8"),
        ("has_view", "i8"),
        ("complete", "i8"),
        ("picture", "i8"),
        ("trade_seen", "i8"),
        ("last_ticks", "i8"),
        ("mark_ticks", "i8"),
        ("mark_ns", "i8"),
        ("count", "i8", (2,)),
        ("ticks", "i8", (2, DEPTH)),
        ("lots", "i8", (2, DEPTH)),
        ("shown", "i8", (2, DEPTH)),
        ("traded", "i8", (2, DEPTH)),
        ("n_owed", "i8", (2,)),
        ("owed_ticks", "i8", (2, OWED)),
        ("owed_lots", "i8", (2, OWED)),
        ("owed_ns", "i8", (2, OWED)),
        ("owed_picture", "i8", (2, OWED)),
        ("spare", "i8", (DEPTH,)),
        ("was_ticks", "i8", (DEPTH,)),
        ("was_lots", "i8", (DEPTH,)),
    ]
)
"""`picture` counts quotes and books; `shown` is the picture at which a level's size was last seen to change; `traded` is what was
traded there since the last picture; `owed_…` are lots that a picture took and no print has accounted for, oldest first
(`venue/owed.py`); `spare`, `was_…` are scratch.
"""

MAX_USED: Final = 65_536
"""How many pairs of account and instrument may have taken from a book."""

USED: Final = record([("ticks", "i8", (2, DEPTH)), ("lots", "i8", (2, DEPTH)), ("picture", "i8", (2, DEPTH))])
"""What one account took from one instrument's visible levels, and when."""


@kernel
def better(side: int, a: int, b: int) -> bool:
    """Whether price a is strictly better than b for whoever stands on book side `side` (bids: higher)."""
    return a > b if side == BIDS else a < b


@kernel
def reaches(order_side: int, ticks: int, limit_ticks: int) -> bool:
    """Whether a counterpart at `ticks` is at or through an order's limit (BUY: at or below it)."""
    return ticks <= limit_ticks if order_side == 1 else ticks >= limit_ticks


@kernel
def best(market: Any, side: int) -> int:
    """Best visible price of a book side, or 0."""
    assert market.count[side] >= 0, "a side has no negative number of levels"
    ticks: int = market.ticks[side, 0] if market.count[side] > 0 else 0
    return ticks


@kernel
def valid_levels(ticks: Any, lots: Any, count: int, side: int) -> bool:
    """Whether a side's levels are strictly ordered, positive and within bounds."""
    if count < 0 or count > DEPTH:
        return False
    for i in range(count):
        if ticks[i] <= 0 or ticks[i] > TICKS_BOUND or lots[i] <= 0 or lots[i] > LOTS_BOUND:
            return False
        if i > 0 and not better(side, ticks[i - 1], ticks[i]):
            return False
    return True


@kernel
def valid_book(e: Any) -> bool:
    """Whether a BOOK input is a possible picture of a market: ordered, positive, not crossed."""
    if not valid_levels(e.bids_ticks, e.bids_lots, e.n_bids, BIDS) or not valid_levels(
        e.asks_ticks, e.asks_lots, e.n_asks, ASKS
    ):
        return False
    return e.n_bids == 0 or e.n_asks == 0 or e.bids_ticks[0] < e.asks_ticks[0]


@kernel
def valid_quote(e: Any) -> bool:
    """Whether a QUOTE input makes sense; a size of 0 says that the side is empty."""
    if e.bid_lots < 0 or e.ask_lots < 0 or e.bid_lots > LOTS_BOUND or e.ask_lots > LOTS_BOUND:
        return False
    if e.bid_lots > 0 and (e.bid_ticks <= 0 or e.bid_ticks > TICKS_BOUND):
        return False
    if e.ask_lots > 0 and (e.ask_ticks <= 0 or e.ask_ticks > TICKS_BOUND):
        return False
    return e.bid_lots == 0 or e.ask_lots == 0 or e.bid_ticks < e.ask_ticks


@kernel
def valid_trade(e: Any) -> bool:
    """Whether a TRADE input has a price and a size."""
    return 0 < e.trade_price_ticks <= TICKS_BOUND and 0 < e.trade_qty_lots <= LOTS_BOUND


@kernel
def valid_bar(e: Any) -> bool:
    """Whether a BAR input's prices enclose each other."""
    if (
        e.low_ticks <= 0
        or e.high_ticks > TICKS_BOUND
        or e.volume_lots < 0
        or e.volume_lots > LOTS_BOUND
        or e.interval_ns <= 0
    ):
        return False
    return e.low_ticks <= min(e.open_ticks, e.close_ticks) and e.high_ticks >= max(e.open_ticks, e.close_ticks)


@kernel
def set_side(market: Any, side: int, ticks: Any, lots: Any, count: int) -> None:
    """Replace one side; a level keeps its `shown` where its size is what it was."""
    assert 0 <= count <= DEPTH, "levels fit the view"
    old = 0
    for i in range(count):
        while old < market.count[side] and better(side, market.ticks[side, old], ticks[i]):
            old += 1
        same = old < market.count[side] and market.ticks[side, old] == ticks[i] and market.lots[side, old] == lots[i]
        market.spare[i] = market.shown[side, old] if same else market.picture
    for i in range(count):
        market.ticks[side, i] = ticks[i]
        market.lots[side, i] = lots[i]
        market.shown[side, i] = market.spare[i]
    market.count[side] = count


@kernel
def merge_quote_side(market: Any, side: int, ticks: int, lots: int) -> None:
    """Put a best level on top of one side: better levels go, the quoted one is set or inserted, the worst falls off beyond DEPTH."""
    if lots == 0:
        market.count[side] = 0
        return
    stale = 0
    while stale < market.count[side] and better(side, market.ticks[side, stale], ticks):
        stale += 1
    present = stale < market.count[side] and market.ticks[side, stale] == ticks
    kept = market.count[side] - stale - (1 if present else 0)
    shown = market.shown[side, stale] if present and market.lots[side, stale] == lots else market.picture
    kept = min(kept, DEPTH - 1)
    first = stale + (1 if present else 0)
    if first >= 1:
        for i in range(kept):
            shift_level(market, side, first + i, i + 1)
    else:
        for i in range(kept - 1, -1, -1):
            shift_level(market, side, i, i + 1)
    market.ticks[side, 0] = ticks
    market.lots[side, 0] = lots
    market.shown[side, 0] = shown
    market.count[side] = kept + 1
    assert 1 <= market.count[side] <= DEPTH, "levels fit the view"


@kernel
def shift_level(market: Any, side: int, source: int, target: int) -> None:
    """Copy one level to another place of the same side."""
    market.ticks[side, target] = market.ticks[side, source]
    market.lots[side, target] = market.lots[side, source]
    market.shown[side, target] = market.shown[side, source]


@kernel
def forget_traded(market: Any) -> None:
    """A new picture has what was traded before it."""
    for side in range(2):
        for i in range(DEPTH):
            market.traded[side, i] = 0


@kernel
def note_trade(market: Any, side: int, ticks: int, lots: int) -> None:
    """A trade took from a displayed level, and all that was better is gone, until a picture shows what is left."""
    for i in range(market.count[side]):
        if better(side, ticks, market.ticks[side, i]):
            break
        at_it = market.ticks[side, i] == ticks
        market.traded[side, i] = (
            min(market.lots[side, i], market.traded[side, i] + lots) if at_it else market.lots[side, i]
        )


@kernel
def traded_lots(market: Any, side: int, ticks: int) -> int:
    """How much of a displayed level was traded since it was shown."""
    for i in range(market.count[side]):
        if market.ticks[side, i] == ticks:
            lots: int = market.traded[side, i]
            return lots
    return 0


@kernel
def set_mark(market: Any, ticks: int, ts_ns: int) -> None:
    """Remember what the instrument is worth, and since when."""
    assert ticks > 0, "a mark is a price"
    market.mark_ticks = ticks
    market.mark_ns = ts_ns


@kernel
def displayed_ahead(market: Any, side: int, price_ticks: int) -> int:
    """Quantity that an order joining `side` at a price would stand behind, or UNKNOWN where the view does not reach."""
    if market.status != LIVE or market.has_view == 0 or market.evidence != BOOK:
        return UNKNOWN
    for i in range(market.count[side]):
        if market.ticks[side, i] == price_ticks:
            lots: int = market.lots[side, i]
            return lots
        if better(side, price_ticks, market.ticks[side, i]):
            return 0
    return 0 if market.count[side] < DEPTH and market.complete == 1 else UNKNOWN


@kernel
def has_used_room(s: Any, account: int, instrument: int) -> bool:
    """Whether there is a row, or room for one, of what an account uses up of an instrument's book."""
    return bool(s.used_at[account, instrument] > 0 or s.n_used_books < MAX_USED)


@kernel
def used_row(s: Any, account: int, instrument: int) -> int:
    """The row of what an account used up of an instrument's book, made where there is none."""
    if s.used_at[account, instrument] == 0:
        assert s.n_used_books < MAX_USED, "no order is taken without room for what it uses up"
        s.n_used_books += 1
        s.used_at[account, instrument] = s.n_used_books
    return int(s.used_at[account, instrument]) - 1


@kernel
def used_lots(used: Any, market: Any, side: int, level: int) -> int:
    """What the account already took from a visible level since it was last shown anew."""
    ticks = market.ticks[side, level]
    for i in range(DEPTH):
        if used.ticks[side, i] == ticks and used.lots[side, i] > 0:
            taken: int = used.lots[side, i] if used.picture[side, i] >= market.shown[side, level] else 0
            return taken
    return 0


@kernel
def is_current(used: Any, market: Any, side: int, i: int) -> bool:
    """Whether entry i of an account's used liquidity still counts against a visible level."""
    if used.lots[side, i] == 0:
        return False
    for level in range(market.count[side]):
        if market.ticks[side, level] == used.ticks[side, i]:
            return bool(used.picture[side, i] >= market.shown[side, level])
    return False


@kernel
def use_lots(used: Any, market: Any, side: int, level: int, lots: int) -> None:
    """Add to what the account took from a visible level."""
    assert lots > 0, "a fill uses something"
    ticks = market.ticks[side, level]
    already = used_lots(used, market, side, level)
    place = UNKNOWN
    for i in range(DEPTH):
        if used.ticks[side, i] == ticks:
            place = i
            break
        if place == UNKNOWN and not is_current(used, market, side, i):
            place = i
    assert place != UNKNOWN, "there are as many places as visible levels"
    used.ticks[side, place] = ticks
    used.lots[side, place] = already + lots
    used.picture[side, place] = market.picture


@kernel
def available_lots(s: Any, account: int, instrument: int, side: int, level: int) -> int:
    """Displayed size of a visible level less what this account already took from it, never below 0."""
    market, row = s.markets[instrument], s.used_at[account, instrument] - 1
    shown: int = market.lots[side, level]
    return shown if row < 0 else max(0, shown - used_lots(s.used[row], market, side, level))
