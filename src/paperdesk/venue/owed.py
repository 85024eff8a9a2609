"""Lots that left the display and may yet be printed: for 100 ms they count as standing where they stood.

A feed may show a trade before it prints it. What a picture takes from a price is therefore *owed* at first: what stands at a price is
what is displayed there and what is owed. A print is taken from what is owed at its price, then from the display. What no print
has accounted for when the first trade or picture after 100 ms of engine time comes has been canceled.

So a quantity is never taken from a queue twice, whichever comes first, and each order learns of it once. The table belongs to the market, not to
those who rest there: an account alone sees what it sees in company.
"""

from typing import Any, Final

from paperdesk.domain.events import DEPTH
from paperdesk.domain.kernel import kernel
from paperdesk.venue.book import LOTS_BOUND, OWED, UNKNOWN, better, displayed_ahead, note_trade

LATE_NS: Final = 100_000_000
"""How late a print may come after the picture that shows its trade."""


@kernel
def owed_lots(market: Any, side: int, ticks: int) -> int:
    """Lots that left a price and are not accounted for."""
    total = 0
    for i in range(market.n_owed[side]):
        if market.owed_ticks[side, i] == ticks:
            total += market.owed_lots[side, i]
    assert 0 <= total <= LOTS_BOUND, "what is owed at a price is bounded"
    return total


@kernel
def standing(market: Any, side: int, ticks: int) -> int:
    """Quantity that stands at a price of `side` as far as prints tell, or UNKNOWN where the view does not reach."""
    lots = displayed_ahead(market, side, ticks)
    return UNKNOWN if lots == UNKNOWN else lots + owed_lots(market, side, ticks)


@kernel
def first_picture(market: Any, side: int, ticks: int) -> int:
    """The picture from which the oldest lots owed at a price are missing, or 0: who joined before it was there when they went."""
    for i in range(market.n_owed[side]):
        if market.owed_ticks[side, i] == ticks:
            picture: int = market.owed_picture[side, i]
            return picture
    return 0


@kernel
def cut_owed(market: Any, side: int, at: int) -> None:
    """Remove an entry; places beyond the last stay 0."""
    last = market.n_owed[side] - 1
    assert 0 <= at <= last, "what is removed was there"
    for i in range(at, last):
        market.owed_ticks[side, i] = market.owed_ticks[side, i + 1]
        market.owed_lots[side, i] = market.owed_lots[side, i + 1]
        market.owed_ns[side, i] = market.owed_ns[side, i + 1]
        market.owed_picture[side, i] = market.owed_picture[side, i + 1]
    market.owed_ticks[side, last] = market.owed_lots[side, last] = 0
    market.owed_ns[side, last] = market.owed_picture[side, last] = 0
    market.n_owed[side] = last


@kernel
def put_owed(market: Any, side: int, ticks: int, lots: int, now_ns: int) -> None:
    """So many lots are missing from a price in this picture. Where there is no room the oldest entry goes; at one price no more than LOTS_BOUND count."""
    if market.n_owed[side] == OWED:
        cut_owed(market, side, 0)
    counted = min(lots, LOTS_BOUND - owed_lots(market, side, ticks))
    if counted <= 0:
        return
    at = market.n_owed[side]
    market.owed_ticks[side, at], market.owed_lots[side, at] = ticks, counted
    market.owed_ns[side, at], market.owed_picture[side, at] = now_ns, market.picture
    market.n_owed[side] = at + 1


@kernel
def is_overdue(market: Any, side: int, now_ns: int) -> bool:
    """Whether the oldest entry of a side has waited longer than prints are late."""
    return bool(market.n_owed[side] > 0 and now_ns - market.owed_ns[side, 0] > LATE_NS)


@kernel
def forget_owed(market: Any) -> None:
    """Without a view nothing is owed."""
    for side in range(2):
        while market.n_owed[side] > 0:
            cut_owed(market, side, market.n_owed[side] - 1)


@kernel
def keep_view(market: Any, side: int) -> int:
    """Before a picture: keep what it may take from, less what was printed since; how many levels."""
    count: int = market.count[side]
    for i in range(count):
        market.was_ticks[i] = market.ticks[side, i]
        market.was_lots[i] = market.lots[side, i] - market.traded[side, i]
        assert market.was_lots[i] >= 0, "no more was traded than displayed"
    return count


@kernel
def note_losses(market: Any, side: int, kept: int, now_ns: int) -> None:
    """After a picture of a side: what is missing from the levels kept before it is owed. Worst first, so that the best are forgotten last."""
    count = market.count[side]
    reaches_end = market.complete == 1 and count < DEPTH
    at = count - 1
    for i in range(kept - 1, -1, -1):
        ticks = market.was_ticks[i]
        while at >= 0 and better(side, ticks, market.ticks[side, at]):
            at -= 1
        if at == count - 1 and not reaches_end and (at < 0 or market.ticks[side, at] != ticks):
            continue
        now = market.lots[side, at] if at >= 0 and market.ticks[side, at] == ticks else 0
        if market.was_lots[i] > now:
            put_owed(market, side, ticks, market.was_lots[i] - now, now_ns)


@kernel
def take_print(market: Any, side: int, ticks: int, lots: int) -> None:
    """A print takes from what is owed at its price, oldest first, then from the display; then nothing is owed at better prices any more."""
    left, at = lots, 0
    while left > 0 and at < market.n_owed[side]:
        if market.owed_ticks[side, at] != ticks:
            at += 1
            continue
        told = min(left, market.owed_lots[side, at])
        left -= told
        market.owed_lots[side, at] -= told
        if market.owed_lots[side, at] == 0:
            cut_owed(market, side, at)
    if left == 0:
        return
    for i in range(market.n_owed[side] - 1, -1, -1):
        if better(side, market.owed_ticks[side, i], ticks):
            cut_owed(market, side, i)
    note_trade(market, side, ticks, left)
