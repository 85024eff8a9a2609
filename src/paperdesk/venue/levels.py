"""The queue at each price where the desk's orders rest, kept so that a market event touches a price, not every order there.

How far an order has come is two numbers. `most`: all that is canceled is believed to stand behind it; nobody stands behind more than is displayed. `least`:
all that is canceled is believed to stand ahead. What is true lies between; a fill model says where (`venue/estimates.py`).

Both follow from what the whole price has seen. A level counts lots traded, and lots gone for whatever cause; an order keeps a key from when it joined:
least = key − gone. For `most` the sticky minimum is kept in *bounds*: most = (smallest key of this and all later orders) − traded, and only
orders whose key is such a minimum carry one. A picture then moves the last bound of a price alone. An order
whose place is UNKNOWN has no key; such orders stand behind all others.

Orders of one price are chained as they joined, one chain a fill model, so that within a chain nobody stands ahead of whom he stands behind.
"""

from typing import Any, Final

from paperdesk.domain.events import FillModel
from paperdesk.domain.kernel import kernel, record
from paperdesk.venue.book import UNKNOWN, better, traded_lots
from paperdesk.venue.estimates import ahead_lots
from paperdesk.venue.owed import standing

MODELS: Final = len(FillModel)

LEVEL: Final = record(
    [
        ("price_ticks", "i8"),
        ("size_lots", "i8"),
        ("traded_lots", "i8"),
        ("gone_lots", "i8"),
        ("count", "i4"),
        ("n_unknown", "i4"),
        ("instrument", "i4"),
        ("own", "i4"),
        ("first", "i4", (MODELS,)),
        ("last", "i4", (MODELS,)),
        ("first_bound", "i4", (MODELS,)),
        ("last_bound", "i4", (MODELS,)),
    ]
)
"""One price of one side with resting orders. `size_lots`: public lots there as far as is known, less trades since; `first` … `last_bound`: row + 1, 0 none."""


@kernel
def model_of(s: Any, order: Any) -> int:
    """The chain of an order: its account's fill model, from 0."""
    model: int = s.accounts[order.account].fill_model - 1
    assert 0 <= model < MODELS, "an account has a fill model"
    return model


@kernel
def position_level(s: Any, instrument: int, own: int, ticks: int) -> int:
    """Where a price stands, or would stand, among the levels of a side, best first."""
    low, high = 0, s.n_levels[instrument, own]
    while low < high:
        middle = (low + high) // 2
        if better(own, s.levels[s.level_at[instrument, own, middle]].price_ticks, ticks):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def has_level(s: Any, instrument: int, own: int, at: int, ticks: int) -> bool:
    """Whether position `at` holds this price."""
    return bool(at < s.n_levels[instrument, own] and s.levels[s.level_at[instrument, own, at]].price_ticks == ticks)


@kernel
def take_level(s: Any, instrument: int, own: int, ticks: int) -> int:
    """Row of a price's level; a new one knows what is displayed."""
    at = position_level(s, instrument, own, ticks)
    if has_level(s, instrument, own, at, ticks):
        return int(s.level_at[instrument, own, at])
    if s.n_free_levels > 0:
        s.n_free_levels -= 1
        row: int = s.free_levels[s.n_free_levels]
    else:
        row = s.n_used_levels
        s.n_used_levels += 1
    places, count = s.level_at[instrument, own], s.n_levels[instrument, own]
    for i in range(count, at, -1):
        places[i] = places[i - 1]
    places[at] = row
    s.n_levels[instrument, own] = count + 1
    level = s.levels[row]
    level.price_ticks = ticks
    level.instrument, level.own = instrument, own
    level.traded_lots = level.gone_lots = level.count = level.n_unknown = 0
    for model in range(MODELS):
        level.first[model] = level.last[model] = level.first_bound[model] = level.last_bound[model] = 0
    ahead = standing(s.markets[instrument], own, ticks)
    level.size_lots = UNKNOWN if ahead == UNKNOWN else max(0, ahead - traded_lots(s.markets[instrument], own, ticks))
    return row


@kernel
def drop_level(s: Any, row: int) -> None:
    """Give back a level at which nobody rests any more."""
    level = s.levels[row]
    assert level.count == 0, "only an empty level goes"
    instrument, own = level.instrument, level.own
    places, count = s.level_at[instrument, own], s.n_levels[instrument, own]
    for i in range(position_level(s, instrument, own, level.price_ticks), count - 1):
        places[i] = places[i + 1]
    s.n_levels[instrument, own] = count - 1
    s.free_levels[s.n_free_levels] = row
    s.n_free_levels += 1


@kernel
def join(s: Any, slot: int) -> None:
    """Put an order at the end of the queue of its price, behind what is displayed there now."""
    order = s.orders[slot]
    row = take_level(s, order.instrument, order.side - 1, order.price_ticks)
    level, model = s.levels[row], model_of(s, order)
    ahead = standing(s.markets[order.instrument], order.side - 1, order.price_ticks)
    order.seen_picture = s.markets[order.instrument].picture
    chain_after(s, row, model, slot, level.last[model])
    if ahead == UNKNOWN:
        level.n_unknown += 1
        order.most_key = order.least_key = UNKNOWN
    else:
        last = level.last_bound[model]
        assert last == 0 or s.orders[last - 1].most_key <= ahead + level.traded_lots, "who comes later stands behind"
        order.least_key = level.size_lots + level.gone_lots
        bind_last(s, level, model, slot, ahead + level.traded_lots)


@kernel
def chain_after(s: Any, row: int, model: int, slot: int, ahead: int) -> None:
    """Put an order into a level's chain behind row `ahead` − 1 (0: at the head)."""
    level, order = s.levels[row], s.orders[slot]
    order.level = row + 1
    order.ahead = ahead
    order.behind = level.first[model] if ahead == 0 else s.orders[ahead - 1].behind
    if ahead == 0:
        level.first[model] = slot + 1
    else:
        s.orders[ahead - 1].behind = slot + 1
    if order.behind == 0:
        level.last[model] = slot + 1
    else:
        s.orders[order.behind - 1].ahead = slot + 1
    level.count += 1


@kernel
def bind_last(s: Any, level: Any, model: int, slot: int, key: int) -> None:
    """Give the last order whose place is known this key for `most`; larger ones before it mean nothing any more."""
    last = level.last_bound[model]
    while last > 0 and s.orders[last - 1].most_key >= key:
        s.orders[last - 1].is_bound = 0
        last = s.orders[last - 1].bound_ahead
    order = s.orders[slot]
    order.most_key = key
    order.is_bound = 1
    order.bound_ahead, order.bound_behind = last, 0
    if last > 0:
        s.orders[last - 1].bound_behind = slot + 1
    else:
        level.first_bound[model] = slot + 1
    level.last_bound[model] = slot + 1


@kernel
def leave(s: Any, slot: int) -> None:
    """Take an order out of its level."""
    order = s.orders[slot]
    row = order.level - 1
    assert row >= 0, "an order leaves where it is"
    level, model = s.levels[row], model_of(s, order)
    if s.cursor == slot + 1:
        s.cursor = order.behind
    if order.most_key == UNKNOWN:
        level.n_unknown -= 1
    elif order.is_bound == 1:
        pass_bound(s, level, model, order)
    if order.ahead > 0:
        s.orders[order.ahead - 1].behind = order.behind
    else:
        level.first[model] = order.behind
    if order.behind > 0:
        s.orders[order.behind - 1].ahead = order.ahead
    else:
        level.last[model] = order.ahead
    order.level = order.ahead = order.behind = order.most_key = order.least_key = 0
    order.most_lots = order.least_lots = order.level_lots = order.seen_picture = 0
    level.count -= 1
    if level.count == 0:
        drop_level(s, row)


@kernel
def pass_bound(s: Any, level: Any, model: int, order: Any) -> None:
    """The bound of an order that leaves goes to the one before it, unless that has its own."""
    before, after, heir = order.bound_ahead, order.bound_behind, order.ahead
    if heir > 0 and heir != before:
        one = s.orders[heir - 1]
        one.most_key = order.most_key
        one.is_bound = 1
        one.bound_ahead, one.bound_behind = before, after
    else:
        heir = 0
    if before > 0:
        s.orders[before - 1].bound_behind = heir if heir > 0 else after
    else:
        level.first_bound[model] = heir if heir > 0 else after
    if after > 0:
        s.orders[after - 1].bound_ahead = heir if heir > 0 else before
    else:
        level.last_bound[model] = heir if heir > 0 else before
    order.is_bound = order.bound_ahead = order.bound_behind = 0


@kernel
def bound_of(s: Any, slot: int, near: int) -> int:
    """Row + 1 of the bound that an order's `most` follows from; `near` is one that it was before, or 0."""
    if near > 0 and s.orders[near - 1].is_bound == 1:
        return near
    at = slot
    while s.orders[at].is_bound == 0:
        at = s.orders[at].behind - 1
        assert at >= 0, "the last order that is known carries a bound"
    return at + 1


@kernel
def most_ahead(s: Any, level: Any, bound: int) -> int:
    """`most` of the orders of a bound."""
    key: int = s.orders[bound - 1].most_key
    return max(0, key - level.traded_lots)


@kernel
def least_ahead(level: Any, order: Any) -> int:
    """`least` of an order whose place is known."""
    key: int = order.least_key
    return max(0, key - level.gone_lots)


@kernel
def front_at_end(s: Any, slot: int) -> int:
    """Lots believed to stand ahead of the order that joined a level last, or UNKNOWN."""
    order = s.orders[slot]
    assert order.behind == 0, "who joins last has nobody of his chain behind him"
    if order.most_key == UNKNOWN:
        return UNKNOWN
    level = s.levels[order.level - 1]
    return ahead_lots(model_of(s, order), most_ahead(s, level, slot + 1), least_ahead(level, order))


@kernel
def take_out(level: Any, lots: int) -> None:
    """A trade of so many lots happened at this price."""
    level.traded_lots += lots
    level.gone_lots += lots
    if level.size_lots != UNKNOWN:
        level.size_lots = max(0, level.size_lots - lots)


@kernel
def show_size(s: Any, row: int, lots: int) -> None:
    """So many public lots stand at this price now: what is missing has gone, nobody stands behind more, and who did not know his place knows it."""
    level = s.levels[row]
    assert lots >= 0, "a size is not negative"
    if level.size_lots > lots:
        level.gone_lots += level.size_lots - lots
    level.size_lots = lots
    key = lots + level.traded_lots
    for model in range(MODELS):
        last = level.last_bound[model]
        if last > 0 and s.orders[last - 1].most_key > key:
            bind_last(s, level, model, last - 1, key)
        if level.n_unknown > 0 and level.last[model] > 0:
            place_unknown(s, level, model, key)
    level.n_unknown = 0


@kernel
def place_unknown(s: Any, level: Any, model: int, key: int) -> None:
    """The orders of a chain that did not know their place stand at its end."""
    slot = level.last[model] - 1
    if s.orders[slot].most_key != UNKNOWN:
        return
    while slot >= 0 and s.orders[slot].most_key == UNKNOWN:
        s.orders[slot].most_key = key
        s.orders[slot].least_key = level.size_lots + level.gone_lots
        slot = s.orders[slot].ahead - 1
    bind_last(s, level, model, level.last[model] - 1, key)


@kernel
def show_sizes(s: Any, instrument: int) -> None:
    """After a picture: every level that the view reaches learns its size."""
    market = s.markets[instrument]
    for own in range(2):
        for at in range(s.n_levels[instrument, own]):
            row = s.level_at[instrument, own, at]
            lots = standing(market, own, s.levels[row].price_ticks)
            if lots == UNKNOWN:
                break
            show_size(s, row, lots)


@kernel
def forget_sizes(s: Any, instrument: int) -> None:
    """Without a view nobody knows where an order stands."""
    for own in range(2):
        for at in range(s.n_levels[instrument, own]):
            level = s.levels[s.level_at[instrument, own, at]]
            level.size_lots = UNKNOWN
            level.n_unknown = level.count
            for model in range(MODELS):
                level.first_bound[model] = level.last_bound[model] = 0
                slot = level.first[model] - 1
                while slot >= 0:
                    order = s.orders[slot]
                    order.most_key = order.least_key = UNKNOWN
                    order.is_bound = order.bound_ahead = order.bound_behind = 0
                    slot = order.behind - 1


@kernel
def write_places(s: Any) -> None:
    """Write into every resting order what its level knows of it: the form that is stored and hashed."""
    for instrument in range(s.n_instruments):
        for own in range(2):
            for at in range(s.n_levels[instrument, own]):
                level = s.levels[s.level_at[instrument, own, at]]
                for model in range(MODELS):
                    write_chain(s, level, model)


@kernel
def write_chain(s: Any, level: Any, model: int) -> None:
    """The orders of one chain."""
    bound, slot = level.first_bound[model], level.first[model] - 1
    while slot >= 0:
        order = s.orders[slot]
        if order.most_key == UNKNOWN:
            order.most_lots = order.least_lots = order.level_lots = UNKNOWN
        else:
            order.most_lots = most_ahead(s, level, bound)
            order.least_lots = least_ahead(level, order)
            order.level_lots = level.size_lots
            if order.is_bound == 1:
                bound = order.bound_behind
        slot = order.behind - 1


@kernel
def stands_before(a: Any, b: Any) -> bool:
    """The order of a restored chain: who stands nearer, account, rank; unknown places last."""
    if (a.most_lots == UNKNOWN) != (b.most_lots == UNKNOWN):
        return bool(b.most_lots == UNKNOWN)
    if a.most_lots != b.most_lots:
        return bool(a.most_lots < b.most_lots)
    if a.least_lots != b.least_lots:
        return bool(a.least_lots < b.least_lots)
    return bool(a.account < b.account or (a.account == b.account and a.rank < b.rank))


@kernel
def rejoin(s: Any, slot: int) -> None:
    """Put a restored order where it stood."""
    order = s.orders[slot]
    row = take_level(s, order.instrument, order.side - 1, order.price_ticks)
    level, model = s.levels[row], model_of(s, order)
    ahead = level.last[model]
    while ahead > 0 and stands_before(order, s.orders[ahead - 1]):
        ahead = s.orders[ahead - 1].ahead
    chain_after(s, row, model, slot, ahead)
    order.is_bound = order.bound_ahead = order.bound_behind = 0
    order.most_key, order.least_key = order.most_lots, order.least_lots
    if order.most_lots == UNKNOWN:
        level.n_unknown += 1
    else:
        level.size_lots = order.level_lots


@kernel
def bind_restored(s: Any) -> None:
    """After the last restored order: the bounds of all chains."""
    for instrument in range(s.n_instruments):
        for own in range(2):
            for at in range(s.n_levels[instrument, own]):
                level = s.levels[s.level_at[instrument, own, at]]
                for model in range(MODELS):
                    slot = level.first[model] - 1
                    while slot >= 0 and s.orders[slot].most_key != UNKNOWN:
                        bind_last(s, level, model, slot, s.orders[slot].most_key)
                        slot = s.orders[slot].behind - 1
