"""Where orders wait: the inbox (in flight), held (for the next bar or trade), resting (in the book's queue), stops (for a trigger),
pending (for the working order of its list).

Each place but the queue (`venue/levels.py`) is a sorted array of order rows, first to act first, so that a market event touches only what
it reaches. Places are derived from the rows and can be rebuilt from them (`rebuild_places`).
"""

from typing import Any, Final

from paperdesk.domain.kernel import kernel
from paperdesk.domain.orders import OrderStatus
from paperdesk.venue import levels
from paperdesk.venue.book import UNKNOWN, used_row
from paperdesk.venue.kinds import GTD, UP
from paperdesk.venue.trailing import FOLLOWING, QUEUES, awaited_ticks, farther, nearer, stop_queue

SUBMITTED, PARTIALLY_FILLED = int(OrderStatus.SUBMITTED), int(OrderStatus.PARTIALLY_FILLED)

NOWHERE: Final = 0
INBOX: Final = 1
HELD: Final = 2
RESTING: Final = 3
STOPS: Final = 4
PENDING: Final = 5

ARRIVAL, AMEND, CANCEL, EXPIRY = 0, 1, 2, 3
ENTRIES: Final = 4
"""Kinds of entries of the inbox: ENTRIES · row + kind."""


@kernel
def leave_place(s: Any, slot: int) -> None:
    """Take an order out of the place it is in (the inbox only loses its arrival)."""
    order = s.orders[slot]
    if order.place == HELD:
        at = position_held(s, order.instrument, slot)
        s.n_held[order.instrument] = cut(s.held[order.instrument], s.n_held[order.instrument], at)
    elif order.place == RESTING:
        levels.leave(s, slot)
    elif order.place == STOPS:
        leave_stops(s, slot)
    elif order.place == INBOX:
        leave_inbox(s, slot, ARRIVAL)
    order.place = NOWHERE


@kernel
def enter_held(s: Any, slot: int) -> None:
    """Let an order wait for the next bar or trade."""
    order = s.orders[slot]
    assert order.place == NOWHERE, "an order is in one place"
    s.n_held[order.instrument] = put(
        s.held[order.instrument], s.n_held[order.instrument], position_held(s, order.instrument, slot), slot
    )
    order.place = HELD


@kernel
def enter_resting(s: Any, slot: int) -> None:
    """Put an order into the queue of its price."""
    assert s.orders[slot].place == NOWHERE, "an order is in one place"
    levels.join(s, slot)
    s.orders[slot].place = RESTING


@kernel
def next_to_rest(s: Any, instrument: int, at: int, waiting: int) -> int:
    """Of the account whose held order stands at a place: the one that began to rest first and still waits for its queue, or UNKNOWN."""
    account, found = s.orders[s.held[instrument, at]].account, UNKNOWN
    while at > 0 and s.orders[s.held[instrument, at - 1]].account == account:
        at -= 1
    while at < waiting and s.orders[s.held[instrument, at]].account == account:
        order = s.orders[s.held[instrument, at]]
        if order.place == HELD and order.rested == 1 and (found == UNKNOWN or order.rank < s.orders[found].rank):
            found = s.held[instrument, at]
        at += 1
    return found


@kernel
def enter_stops(s: Any, slot: int) -> None:
    """Let an order wait for its trigger."""
    order, queue = s.orders[slot], stop_queue(s.orders[slot])
    assert order.place == NOWHERE, "an order is in one place"
    instrument, count = order.instrument, s.n_stops[order.instrument, queue]
    s.n_stops[instrument, queue] = put(
        s.stops[instrument, queue], count, position_stop(s, instrument, queue, slot), slot
    )
    if queue >= FOLLOWING:
        nearest = s.nearest_peak[instrument, queue - FOLLOWING]
        s.nearest_peak[instrument, queue - FOLLOWING] = (
            order.peak_ticks if count == 0 else nearer(order.side, nearest, order.peak_ticks)
        )
    order.place = STOPS


@kernel
def move_peaks(s: Any, instrument: int, queue: int, last_ticks: int) -> None:
    """A price beyond the nearest peak of a queue: the peaks that it passes are moved to it."""
    for i in range(s.n_stops[instrument, queue]):
        order = s.orders[s.stops[instrument, queue, i]]
        order.peak_ticks = farther(order.side, order.peak_ticks, last_ticks)
    sort_trails(s, instrument, queue)


@kernel
def sort_trails(s: Any, instrument: int, queue: int) -> None:
    """After peaks have moved: the order of a queue, by insertion, since what had one peak keeps its order; and its nearest peak."""
    assert queue >= FOLLOWING, "only trails follow"
    place = s.stops[instrument, queue]
    for i in range(s.n_stops[instrument, queue]):
        slot, at = place[i], i
        order = s.orders[slot]
        while at > 0 and before_stop(order, s.orders[place[at - 1]]):
            place[at] = place[at - 1]
            at -= 1
        place[at] = slot
        nearest = s.nearest_peak[instrument, queue - FOLLOWING]
        s.nearest_peak[instrument, queue - FOLLOWING] = (
            order.peak_ticks if i == 0 else nearer(order.side, nearest, order.peak_ticks)
        )


@kernel
def leave_stops(s: Any, slot: int) -> None:
    """Take an order out of those that wait for a trigger."""
    instrument, queue = s.orders[slot].instrument, stop_queue(s.orders[slot])
    at = position_stop(s, instrument, queue, slot)
    s.n_stops[instrument, queue] = cut(s.stops[instrument, queue], s.n_stops[instrument, queue], at)


@kernel
def enter_inbox(s: Any, slot: int, what: int) -> None:
    """Send an arrival, an amend or a cancel on its way, or note an expiry."""
    entry = ENTRIES * slot + what
    put_inbox(s, position_inbox(s, entry), entry)
    if what == ARRIVAL:
        s.orders[slot].place = INBOX


@kernel
def leave_inbox(s: Any, slot: int, what: int) -> None:
    """Take an entry out of the inbox before it is due."""
    at = position_inbox(s, ENTRIES * slot + what)
    assert s.inbox[s.inbox_at + at] == ENTRIES * slot + what, "what leaves was there"
    cut_inbox(s, at)


@kernel
def put_inbox(s: Any, at: int, entry: int) -> None:
    """Insert into the inbox, which begins at `inbox_at`: what is due first leaves at the front, what is sent last mostly joins at the end."""
    if s.inbox_at + s.n_inbox == s.inbox.shape[0]:
        for i in range(s.n_inbox):
            s.inbox[i] = s.inbox[s.inbox_at + i]
        s.inbox_at = 0
    s.n_inbox = put(s.inbox[s.inbox_at :], s.n_inbox, at, entry)


@kernel
def cut_inbox(s: Any, at: int) -> None:
    """Remove from the inbox."""
    if at == 0:
        assert s.n_inbox > 0, "what leaves was there"
        s.inbox_at += 1
        s.n_inbox -= 1
    else:
        s.n_inbox = cut(s.inbox[s.inbox_at :], s.n_inbox, at)
    if s.n_inbox == 0:
        s.inbox_at = 0


@kernel
def put(place: Any, count: int, at: int, value: int) -> int:
    """Insert into a sorted array; the new count."""
    assert 0 <= at <= count < place.shape[0], "the place has room"
    for i in range(count, at, -1):
        place[i] = place[i - 1]
    place[at] = value
    return count + 1


@kernel
def cut(place: Any, count: int, at: int) -> int:
    """Remove from a sorted array; the new count."""
    assert 0 <= at < count, "what leaves was there"
    for i in range(at, count - 1):
        place[i] = place[i + 1]
    return count - 1


@kernel
def before_held(a: Any, b: Any) -> bool:
    """Order (account, id)."""
    return a.account < b.account or (a.account == b.account and a.id < b.id)


@kernel
def before_stop(a: Any, b: Any) -> bool:
    """Order (trigger reached first, account, id) of a queue."""
    awaited_a, awaited_b = awaited_ticks(a), awaited_ticks(b)
    if awaited_a != awaited_b:
        return awaited_a < awaited_b if stop_queue(a) % FOLLOWING == UP else awaited_a > awaited_b
    return before_held(a, b)


@kernel
def due_ns(s: Any, entry: int) -> int:
    """When an inbox entry fires."""
    order, what = s.orders[entry // ENTRIES], entry % ENTRIES
    due: int = order.arrive_ns
    if what == AMEND:
        due = order.amend_at_ns
    elif what == CANCEL:
        due = order.cancel_at_ns
    elif what == EXPIRY:
        due = order.expire_ns
    return due


@kernel
def before_inbox(s: Any, a: int, b: int) -> bool:
    """Order (due, account, id, arrival before amend before cancel before expiry)."""
    due_a, due_b = due_ns(s, a), due_ns(s, b)
    if due_a != due_b:
        return due_a < due_b
    if a // ENTRIES == b // ENTRIES:
        return a < b
    return before_held(s.orders[a // ENTRIES], s.orders[b // ENTRIES])


@kernel
def position_held(s: Any, instrument: int, slot: int) -> int:
    """Where an order stands, or would stand, among those that wait for the next bar or trade."""
    low, high = 0, s.n_held[instrument]
    while low < high:
        middle = (low + high) // 2
        if before_held(s.orders[s.held[instrument, middle]], s.orders[slot]):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def position_stop(s: Any, instrument: int, queue: int, slot: int) -> int:
    """Where an order stands, or would stand, among the stops of its queue."""
    low, high = 0, s.n_stops[instrument, queue]
    while low < high:
        middle = (low + high) // 2
        if before_stop(s.orders[s.stops[instrument, queue, middle]], s.orders[slot]):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def position_inbox(s: Any, entry: int) -> int:
    """Where an entry stands, or would stand, in the inbox."""
    low, high = 0, s.n_inbox
    while low < high:
        middle = (low + high) // 2
        if before_inbox(s, s.inbox[s.inbox_at + middle], entry):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def clear_places(s: Any) -> None:
    """Empty all places."""
    s.n_inbox = s.inbox_at = s.n_used_levels = s.n_free_levels = 0
    for instrument in range(s.n_instruments):
        s.n_held[instrument] = 0
        for own in range(2):
            s.n_levels[instrument, own] = 0
        for queue in range(QUEUES):
            s.n_stops[instrument, queue] = 0


@kernel
def rebuild_places(s: Any) -> None:
    """Put every row where its `place`, its amend and its cancel say it belongs; each order's account has a row for what it uses of the book."""
    clear_places(s)
    s.n_trailing = 0
    for slot in range(s.n_used_rows):
        order = s.orders[slot]
        s.n_trailing += 1 if order.trail_bips > 0 else 0
        place = order.place
        order.place = NOWHERE
        if place == HELD:
            enter_held(s, slot)
        elif place == RESTING:
            levels.rejoin(s, slot)
            order.place = RESTING
        elif place == STOPS:
            enter_stops(s, slot)
        elif place == INBOX:
            enter_inbox(s, slot, ARRIVAL)
        elif place == PENDING:
            order.place = PENDING
        s.activated_ns = max(s.activated_ns, order.activated_ns)
        if order.status != 0:
            used_row(s, order.account, order.instrument)
        if order.status != 0 and order.cancel_at_ns > 0:
            enter_inbox(s, slot, CANCEL)
        if order.status != 0 and order.amend_at_ns > 0:
            enter_inbox(s, slot, AMEND)
        if order.time_in_force == GTD and SUBMITTED <= order.status <= PARTIALLY_FILLED:
            enter_inbox(s, slot, EXPIRY)
        assert order.place == place, "every order is where it was"
    levels.bind_restored(s)
