"""The errors that `plant_errors.py` plants: small changes of text that a tired person could make, and where they belong.

`tests/test_tidy.py` holds each of them to the text it is planted in.
"""

from __future__ import annotations

from typing import NamedTuple

TESTS = ("tests/venue", "tests/ledger", "tests/engine")
LAWS = (
    "tests/engine/test_laws.py",
    "tests/engine/test_recovery.py",
    "tests/engine/test_company.py",
    "tests/engine/test_terms.py",
)


class Plant(NamedTuple):
    """One error: where, what it means, the text it replaces (which must occur once) and what it puts there."""

    area: str
    meaning: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = TESTS
    streams: int = 40


PLANTS = (
    Plant(
        "matching",
        "a resting order is filled as soon as its queue is reached, not after it",
        "venue/queue.py",
        "lots) - (0 if through else front)\n",
        "lots) - (0 if through else front) + 1\n",
    ),
    Plant(
        "matching",
        "a trade through our price fills at the trade's price instead of ours",
        "venue/queue.py",
        "fill(s, slot, order.price_ticks, wanted, ",
        "fill(s, slot, ticks, wanted, ",
    ),
    Plant(
        "matching",
        "what an account took from a level is forgotten with each picture",
        "venue/book.py",
        "market.spare[i] = market.shown[side, old] if same else market.picture",
        "market.spare[i] = market.picture",
    ),
    Plant(
        "matching",
        "a bar fills a resting order at touch",
        "venue/tape.py",
        "return ticks < price_ticks if order_side == BUY else ticks > price_ticks",
        "return ticks <= price_ticks if order_side == BUY else ticks >= price_ticks",
    ),
    Plant(
        "matching",
        "a fill-or-kill order forgets what the account has used up",
        "venue/whole.py",
        "lots = min(book.available_lots(s, order.account, instrument, opposite, level), missing)",
        "lots = min(market.lots[opposite, level], missing)",
    ),
    Plant(
        "fee",
        "makers pay the taker's rate",
        "venue/fills.py",
        "    if liquidity == MAKER:\n        return maker_rate(s, order.account, order.instrument)\n",
        "",
    ),
    Plant(
        "fee",
        "fees are rounded down",
        "domain/units.py",
        "(rest * rate_e8 + FEE_SCALE - 1) // FEE_SCALE",
        "rest * rate_e8 // FEE_SCALE",
    ),
    Plant(
        "fee",
        "the fee of a buy is taken in the quote asset",
        "venue/fills.py",
        "post(s, FEE, order.account, order.bot, receiving, fee_units, order)",
        "post(s, FEE, order.account, order.bot, definition.quote_asset, fee_units, order)",
    ),
    Plant(
        "posting",
        "what a finished order held is not given back",
        "venue/orders.py",
        "    state_order(s, kind, slot, reason)\n    release_rest(s, slot)\n",
        "    state_order(s, kind, slot, reason)\n    order.reserved_units = 0\n",
    ),
    Plant(
        "posting",
        "payments come out of what is free instead of what was reserved",
        "ledger/journal.py",
        "SOURCE_OF: Final = (0, CAPITAL, FREE, RESERVED, RESERVED, VENUE, FREE, FREE)",
        "SOURCE_OF: Final = (0, CAPITAL, FREE, RESERVED, FREE, VENUE, FREE, FREE)",
    ),
    Plant(
        "posting",
        "the surplus of a limit buy stays reserved after a better fill",
        "venue/fills.py",
        "    if surplus > 0:\n",
        "    if surplus > 1_000_000_000:\n",
    ),
    Plant(
        "rounding",
        "buys pay rounded down",
        "venue/fills.py",
        "        return mul_div_ceil(value, definition.num, definition.den)\n",
        "        return mul_div_floor(value, definition.num, definition.den)\n",
    ),
    Plant(
        "rounding",
        "each fill of a sale is rounded alone, not the order as a whole",
        "venue/fills.py",
        "        quote_units = after - before\n",
        "        quote_units = after - before if order.side == BUY else paid_units(definition, order, price_ticks * lots)\n",
    ),
    Plant(
        "rounding",
        "the cost of what is sold is rounded up",
        "ledger/journal.py",
        "back = position.cost_units if closed == held else mul_div_floor(position.cost_units, closed, held)",
        "back = position.cost_units if closed == held else -(-position.cost_units * closed // held)",
    ),
    Plant(
        "risk",
        "a limit bites only above its number, where it should bite at it",
        "engine/risk.py",
        "scope.day_start_units - equity >= limits.max_daily_loss_units",
        "scope.day_start_units - equity > limits.max_daily_loss_units",
    ),
    Plant(
        "latency",
        "an order meets the event that passes its arrival",
        "engine/inbox.py",
        "places.due_ns(s, s.inbox[s.inbox_at]) <= ts_ns",
        "places.due_ns(s, s.inbox[s.inbox_at]) < ts_ns",
    ),
    Plant(
        "recovery",
        "a cancel under way is forgotten by a restart from facts",
        "venue/orders.py",
        "        order.cancel_at_ns = row.cause\n",
        "        order.cancel_at_ns = order.cancel_at_ns\n",
        LAWS,
        0,
    ),
    Plant(
        "recovery",
        "a fill is counted twice when it is applied as a fact",
        "engine/recover.py",
        "        apply_fill(s, row, find_order(s, row.account, row.order_id))\n",
        "        apply_fill(s, row, find_order(s, row.account, row.order_id))\n"
        "        s.account_positions[row.account, row.instrument].realized_units += row.realized_units\n",
        LAWS,
        0,
    ),
    Plant(
        "recovery",
        "after a restart from facts every order stands at the head of its queue",
        "engine/recover.py",
        "            order.most_lots = standing(market, order.side - 1, order.price_ticks)\n",
        "            order.most_lots = 0\n",
        LAWS,
        0,
    ),
    Plant(
        "recovery",
        "a snapshot forgets what accounts have used up of the book",
        "engine/serial.py",
        "    for place, (instrument, side, ticks, lots, picture) in enumerate(used):\n",
        "    for place, (instrument, side, ticks, lots, picture) in enumerate(used[:0]):\n",
        LAWS,
        0,
    ),
    Plant(
        "recovery",
        "the log is read without comparing its chain of hashes",
        "store/log_reader.py",
        "        if stored != computed:\n",
        "        if stored != computed and head.records < 0:\n",
        ("tests/store/test_log.py",),
        0,
    ),
    Plant(
        "determinism",
        "the rank of an order depends on what others did before",
        "venue/matching.py",
        "    order.rank = account.next_rank\n",
        "    order.rank = s.seq\n",
        LAWS,
        0,
    ),
    Plant(
        "determinism",
        "all accounts share one event's quantity",
        "venue/fills.py",
        "    if s.share_seq[account] != s.seq:\n        s.share_seq[account] = s.seq\n        s.share_lots[account] = total\n",
        "    if s.share_seq[0] != s.seq:\n        s.share_seq[0] = s.seq\n        s.share_lots[:] = total\n"
        "    s.share_lots[account] = min(s.share_lots)\n",
    ),
    Plant(
        "determinism",
        "the hash leaves the limits out",
        "engine/serial.py",
        '"accounts": ("first_order", "last_order", "touched", "first_bot")',
        '"accounts": ("first_order", "last_order", "touched", "first_bot", "limits")',
        LAWS,
        0,
    ),
    Plant(
        "determinism",
        "orders are serialised by their row, not by their number",
        "engine/serial.py",
        '        slot = int(s["orders"][slot]["next"]) - 1\n    return slots\n',
        '        slot = int(s["orders"][slot]["next"]) - 1\n    return sorted(slots)\n',
        LAWS,
        0,
    ),
    Plant(
        "queue",
        "what is canceled at a price is believed to stand behind, by optimists too",
        "venue/levels.py",
        "        level.gone_lots += level.size_lots - lots\n",
        "        level.gone_lots += 0\n",
    ),
    Plant(
        "queue",
        "orders may stand behind more than is displayed",
        "venue/levels.py",
        "        if last > 0 and s.orders[last - 1].most_key > key:\n",
        "        if False:\n",
    ),
    Plant(
        "queue",
        "the bound of an order that leaves is forgotten",
        "venue/levels.py",
        "    if heir > 0 and heir != before:\n",
        "    if False:\n",
    ),
    Plant(
        "queue",
        "a picture does not lower the bounds before the last",
        "venue/levels.py",
        "    while last > 0 and s.orders[last - 1].most_key >= key:\n",
        "    while last > 0 and s.orders[last - 1].most_key > key + 5:\n",
    ),
    Plant(
        "queue",
        "a walk through a queue stops at an order that leaves it",
        "venue/levels.py",
        "    if s.cursor == slot + 1:\n        s.cursor = order.behind\n",
        "    if s.cursor == slot + 1:\n        s.cursor = 0\n",
    ),
    Plant(
        "queue",
        "a trade does not move the least that stands ahead",
        "venue/levels.py",
        "    level.gone_lots += lots\n    if level.size",
        "    if level.size",
    ),
    Plant(
        "queue",
        "an order that learns its place has nobody ahead at least",
        "venue/levels.py",
        "        s.orders[slot].least_key = level.size_lots + level.gone_lots\n",
        "        s.orders[slot].least_key = 0\n",
    ),
    Plant(
        "queue",
        "restored orders stand in the wrong sequence",
        "venue/levels.py",
        "        return bool(a.most_lots < b.most_lots)\n",
        "        return bool(a.most_lots > b.most_lots)\n",
    ),
    Plant(
        "queue",
        "a trade as large as what stands ahead fills",
        "venue/queue.py",
        "front >= lots):",
        "front > lots):",
    ),
    Plant(
        "queue",
        "a trade through a price leaves its queue as it was",
        "venue/queue.py",
        "            elif fresh > 0:\n",
        "            elif False:\n",
    ),
    Plant(
        "model",
        "an expected share of a bar is a little more than a tenth",
        "venue/estimates.py",
        "(WEIGHT_ONE, 102, 51)",
        "(WEIGHT_ONE, 103, 51)",
    ),
    Plant(
        "model",
        "half of the impact is paid, where it should be two thirds",
        "venue/estimates.py",
        "(0.0, 2.0 / 3.0, 1.0)",
        "(0.0, 0.5, 1.0)",
    ),
    Plant(
        "model",
        "less than a quarter of a touch",
        "venue/estimates.py",
        "(WEIGHT_ONE, 256, 0)",
        "(WEIGHT_ONE, 250, 0)",
    ),
    Plant(
        "model",
        "pessimists pay a tick beyond a print, where it should be two",
        "venue/estimates.py",
        "(0, 1, 2)",
        "(0, 1, 1)",
    ),
    Plant(
        "model",
        "a limit order that takes in a bar pays beyond its limit",
        "venue/tape.py",
        "        if not is_market(order) and passed(order.side, order.price_ticks, ticks):\n",
        "        if False:\n",
    ),
    Plant(
        "model",
        "a stop in a bar fills beyond the worst price",
        "venue/tape.py",
        "        if rule == BAR_STOP:\n",
        "        if False:\n",
    ),
    Plant(
        "terms",
        "twenty-nine days count for a fee tier",
        "venue/fees.py",
        "range(1, VOLUME_DAYS):",
        "range(1, VOLUME_DAYS - 1):",
    ),
    Plant(
        "terms",
        "today counts for a fee tier",
        "venue/fees.py",
        "range(1, VOLUME_DAYS):",
        "range(0, VOLUME_DAYS):",
    ),
    Plant(
        "terms",
        "what was traded a month ago is counted again",
        "venue/fees.py",
        "            s.volumes[account, day % VOLUME_DAYS] = 0\n        owner",
        "            s.volumes[account, 0] += 0\n        owner",
    ),
    Plant(
        "terms",
        "days long gone count where nothing was traded since",
        "venue/fees.py",
        " and day > s.accounts[account].volume_day - VOLUME_DAYS",
        "",
    ),
    Plant(
        "terms",
        "a new epoch keeps its volume",
        "engine/accounts.py",
        "    forget_volume(s, row.account)\n",
        "",
    ),
    Plant(
        "terms",
        "orders and cancels take the same drawn time",
        "venue/latency.py",
        "draw(owner.latency_seed, order_id, purpose)",
        "draw(owner.latency_seed, order_id, 0)",
    ),
    Plant(
        "terms",
        "all seeds draw the same",
        "venue/latency.py",
        "draw(owner.latency_seed, order_id, purpose)",
        "draw(0, order_id, purpose)",
    ),
    Plant(
        "latency",
        "a cancel overtakes its order",
        "engine/orders.py",
        "max(due_ns, order.arrive_ns)",
        "due_ns",
    ),
    Plant(
        "latency",
        "an order without latency waits for somebody",
        "engine/step.py",
        "    inbox.fire_due(s, s.ts_seq_ns)\n    risk",
        "    risk",
    ),
    Plant(
        "determinism",
        "bots are valued in the order in which they were registered",
        "engine/accounts.py",
        "    while 0 < following < bot:\n",
        "    while False:\n",
    ),
)
