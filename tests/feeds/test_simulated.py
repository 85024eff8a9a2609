"""The simulated market: the same everywhere, sane always, plausible enough to try things on."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

import numpy as np
import pytest
from tests.feeds.build import assert_keeps_the_rules, fingerprint

from paperdesk.domain.events import DEPTH, InputKind
from paperdesk.feeds.merging import joined
from paperdesk.feeds.port import RecordingRefused
from paperdesk.feeds.simulated import PAUSES, SHAPES, START_NS, Simulated, simulated

PINNED = "50ed1a05e102e851a607816c697c3fda"
"""Of the first 20 blocks of BTC/USDT and ETH/USDT with seed 7. It changes only with simulated.VERSION."""


def first(feed: Simulated, blocks: int, skip: int = 0) -> Iterator[np.ndarray]:
    """The first blocks of an endless feed."""
    return islice(feed.blocks(skip), blocks)


def test_the_stream_of_a_seed_is_pinned() -> None:
    assert fingerprint(first(simulated(["BTC/USDT", "ETH/USDT"], 7), 20)) == PINNED


def test_seed_symbol_and_start_make_the_stream_and_nothing_else_does() -> None:
    feed = simulated(["BTC/USDT"], 7)
    alone = joined(list(first(feed, 6)))
    assert fingerprint(first(feed, 6)) == fingerprint([alone])
    together = joined(list(first(simulated(["ETH/USDT", "BTC/USDT"], 7), 8)))
    same = together[together["instrument"] == 1].copy()
    same["instrument"] = 0
    count = min(len(same), len(alone))
    assert count > 4000 and same[:count].tobytes() == alone[:count].tobytes()
    others = [simulated(["BTC/USDT"], 8), simulated(["ETH/USDT"], 7), simulated(["BTC/USDT"], 7, START_NS + 1)]
    hashes = {fingerprint(first(other, 2)) for other in [feed, *others]}
    sources = {other.source for other in [feed, *others]}
    assert len(hashes) == len(sources) == 4
    assert (feed.label, feed.expected) == ("SIMULATED", None)
    assert feed.notes == ["BTC/USDT: simulated market, seed 7; its prices are invented"]


@pytest.mark.parametrize("symbol", [*SHAPES, "FOO/BAR"])
@pytest.mark.parametrize("seed", [0, 1, 2**63, -1])
def test_every_input_keeps_the_rules_and_books_are_full(symbol: str, seed: int) -> None:
    for block in assert_keeps_the_rules(first(simulated([symbol], seed), 8), 1):
        books = block[block["kind"] == InputKind.BOOK]
        assert len(books) and (books["n_bids"] == DEPTH).all() and (books["n_asks"] == DEPTH).all()


def test_a_market_looks_like_one() -> None:
    rows = joined(list(first(simulated(["BTC/USDT"], 3), 40)))
    seconds = (int(rows["ts_seq_ns"][-1]) - START_NS) / 1e9
    books = rows[rows["kind"] == InputKind.BOOK]
    assert 9 < len(books) / seconds < 11, "a book every 100 ms"
    quotes, trades = rows[rows["kind"] == InputKind.QUOTE], rows[rows["kind"] == InputKind.TRADE]
    spread = quotes["ask_ticks"] - quotes["bid_ticks"]
    assert (
        np.median(spread) / quotes["bid_ticks"].mean() < 2e-4
        and np.quantile(spread, 0.99) / quotes["bid_ticks"].mean() < 2e-3
    )
    assert 0.4 < (trades["side"] == 1).mean() < 0.6
    assert (np.diff(trades["trade_id"]) == 1).all()
    middle = (books["bids_ticks"][:, 0] + books["asks_ticks"][:, 0]) / 2
    moves = np.diff(np.log(middle[::10]))
    assert 1e-6 < moves.std() < 1e-3, "per second"
    assert len(np.unique(trades["trade_qty_lots"])) > 50


def test_skipping_and_starting_elsewhere() -> None:
    feed = simulated(["BTC/USDT"], 5, start_ns=10**18)
    rows = joined(list(first(feed, 4)))
    rest = joined(list(first(feed, 4, skip=5000)))
    assert 10**18 < int(rows["ts_seq_ns"][0]) < 10**18 + 10**9
    assert rest[: len(rows) - 5000].tobytes() == rows[5000:].tobytes()


def test_instruments_and_fees() -> None:
    feed = simulated(["shib/usdt", "BTC/USDT"], 1, scales={"USDT": 6}, fees=(Decimal(0), Decimal("0.0005")))
    assert [instrument.symbol for instrument in feed.instruments] == ["SHIB/USDT", "BTC/USDT"]
    assert [(asset.name, asset.scale) for asset in feed.assets] == [("SHIB", 2), ("USDT", 6), ("BTC", 8)]
    assert feed.instruments[0].lot == Decimal("0.01") and feed.instruments[1].taker_fee == Decimal("0.0005")
    assert all(instrument.fields() for instrument in feed.instruments)


@pytest.mark.parametrize(
    "symbols", [[], ["BTC"], ["BTC/"], ["/USDT"], ["BTC/BTC"], ["BTC/USDT", "btc/usdt"], ["BTC/USDT:USDT"]]
)
def test_what_cannot_be_simulated_is_refused(symbols: list[str]) -> None:
    with pytest.raises(RecordingRefused, match=r"BTC/USDT"):
        simulated(symbols, 1)


def test_pauses_are_exponential() -> None:
    quantiles = -np.log((np.arange(64) + 0.5) / 64) * 1024
    assert (np.abs(PAUSES - quantiles) <= 0.5).all()
