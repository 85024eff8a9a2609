"""Many accounts at few prices: each is as if it were alone, whatever the others do, and after a restart."""

from __future__ import annotations

import random

import numpy as np
import pytest
from tests.engine.material import seeds, with_timers
from tests.engine.room import BUY, NOON, PLAIN, SELL, B, Q, Side

from paperdesk.domain import commands
from paperdesk.domain.commands import Intent, command
from paperdesk.domain.events import FillModel, InputKind, SelfTrade
from paperdesk.domain.terms import SelfTradeName
from paperdesk.engine.fold import Fold
from paperdesk.venue.owed import LATE_NS

ACCOUNTS = 24
MODES: list[SelfTradeName] = ["none", "expire_maker", "expire_taker", "expire_both", "decrement"]
INPUTS = 400
MIDDLE = 100
OUR_MOST_LOTS = 40


def opening() -> list[np.ndarray]:
    """A market and its accounts, of all three fill models."""
    rows = [
        commands.define_asset(B),
        commands.define_asset(Q),
        commands.define_instrument(PLAIN),
        commands.bind_source(1),
    ]
    for account in range(ACCOUNTS):
        rows.append(commands.open_account(account, Q, 1, account % 3, 10**15, FillModel(account % 3 + 1)))
        rows += [commands.deposit(account, B, 5_000), commands.deposit(account, Q, 500_000)]
    return rows


def picture(dice: random.Random, levels: dict[int, int]) -> np.ndarray:
    """A book some of whose sizes have changed, a few of its levels at times hidden."""
    for price in list(levels):
        if dice.random() < 0.4:
            levels[price] = max(1, levels[price] + dice.randint(-30, 30))
    row = command(InputKind.BOOK)
    deep = dice.choice((3, 3, 5))
    for name, prices in (
        ("bids", range(MIDDLE - 1, MIDDLE - 1 - deep, -1)),
        ("asks", range(MIDDLE + 1, MIDDLE + 1 + deep)),
    ):
        row[f"n_{name}"] = deep
        for place, price in enumerate(prices):
            row[f"{name}_ticks"][0, place], row[f"{name}_lots"][0, place] = price, levels[price]
    return row


def stream(seed: int) -> list[np.ndarray]:
    """Inputs of all: pictures, trades, gaps, and orders, amends and cancels of every account at the same few prices, at times across its own."""
    dice = random.Random(seed)
    levels = {price: dice.randint(20, 100) for price in range(MIDDLE - 8, MIDDLE + 9)}
    rows, now = opening(), NOON
    for _ in range(INPUTS):
        drawn = dice.random()
        account = dice.randrange(ACCOUNTS)
        if drawn < 0.25:
            rows.append(picture(dice, levels))
        elif drawn < 0.45:
            side, away = dice.choice((Side.BUY, Side.SELL, Side.UNKNOWN)), dice.choice((1, 1, 1, 2, 3))
            price = MIDDLE + away if side == BUY else MIDDLE - away
            lots = dice.choice((1, 5, 20, 80))
            rows.append(command(InputKind.TRADE, side=side, trade_price_ticks=price, trade_qty_lots=lots))
        elif drawn < 0.47:
            rows += [
                command(InputKind.MARKET_STATUS, status=dice.choice((1, 2))),
                command(InputKind.MARKET_STATUS, status=0),
            ]
        elif drawn < 0.55:
            rows.append(
                command(
                    InputKind.QUOTE, bid_ticks=MIDDLE - 1, bid_lots=levels[MIDDLE - 1], ask_ticks=MIDDLE + 1, ask_lots=9
                )
            )
        elif drawn < 0.9:
            side, away = dice.choice((BUY, SELL)), dice.choice((-1, 0, 1, 1, 2, 3, 4, 5))
            rows.append(commands.submit_order(account, 0, PLAIN, some_order(dice, side, away)))
        elif drawn < 0.94:
            rows.append(commands.amend_order(account, 0, dice.randint(1, 8), dice.randint(1, OUR_MOST_LOTS)))
        elif drawn < 0.95:
            rows.append(commands.set_self_trade(account, dice.choice(list(SelfTrade))))
        else:
            rows.append(commands.cancel_order(account, 0, dice.randint(1, 8)))
    for row in rows:
        now += dice.choice((0, 0, 1, 2, 30_000_000, LATE_NS, LATE_NS + 1))
        row["ts_seq_ns"] = now
    return with_timers(tuple(rows))


def some_order(dice: random.Random, side: Side, away: int) -> Intent:
    """A limit order, one in three an iceberg; seldom one that trails."""
    lots = dice.randint(1, OUR_MOST_LOTS)
    if dice.random() < 0.1:
        return Intent(side, min(lots, 5), trail_bips=dice.choice((100, 200, 300)))
    price = MIDDLE - away if side == BUY else MIDDLE + away
    if dice.random() < 0.3:
        return Intent(side, lots, price, visible_quantity=dice.randint(1, lots), self_trade=dice.choice(MODES))
    return Intent(side, lots, price, self_trade=dice.choice(MODES))


def folded(rows: list[np.ndarray], fold: Fold) -> Fold:
    """All of some rows, numbered."""
    for given in rows:
        row = given.copy()
        row["seq"] = fold.seq + 1
        fold.take(row)
    return fold


@pytest.mark.parametrize("seed", seeds(1, 30, 6))
def test_an_account_is_the_same_alone_and_among_many_at_its_prices(seed: int) -> None:
    rows = stream(seed)
    company = folded(rows, Fold())
    filled = int(company.state["accounts"]["next_fill"][0, :ACCOUNTS].sum()) - ACCOUNTS
    assert filled > 50, f"seed {seed}: only {filled} fills"
    for account in range(0, ACCOUNTS, 5):
        own = [row for row in rows if row["kind"][0] < InputKind.OPEN_ACCOUNT or row["account"][0] == account]
        alone = folded(own, Fold())
        assert alone.account_hash(account) == company.account_hash(account), f"seed {seed}, account {account}"


@pytest.mark.parametrize("seed", seeds(31, 40, 3))
def test_many_accounts_go_on_from_a_snapshot_as_they_were(seed: int) -> None:
    rows = stream(seed)
    cut = len(rows) - INPUTS // 2
    whole = folded(rows[:cut], Fold())
    again = Fold.from_parts(whole.parts())
    assert again.hash() == whole.hash()
    assert folded(rows[cut:], again).hash() == folded(rows[cut:], whole).hash(), f"seed {seed}"
