"""What feeds give, the fold takes: not one market event of any kind of recording is refused."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tests.feeds.build import capture, opened, session
from tests.shared import shared_data

from paperdesk.domain.commands import bind_source, define_asset, define_instrument
from paperdesk.domain.events import OutputKind
from paperdesk.engine.fold import Fold
from paperdesk.feeds.port import Feed
from paperdesk.feeds.simulated import simulated

RECORDINGS = [
    "l2/binance_BTCUSDT_20240808.jsonl.zst",
    "l2/binanceusdm_ETHUSDT_20240808.jsonl.zst",
    "l2/coinbase_BTCUSD_20180417_raw.jsonl.zst",
    "l2/binanceus_BTCUSDT_20250826_events.parquet",
    "l3/bitstamp_BTCUSD_20150501.log.zst",
    "raw_ws/binance_futures.jsonl.zst",
    "trades/kraken_BTCUSDT_trades_20251110.parquet",
    "ohlcv/bitfinex_BTCUSD_5m_2013_2015.parquet",
]
MOST = 30_000
"""Inputs taken of each recording."""


def refused_by_the_fold(feed: Feed, blocks: Iterable[np.ndarray]) -> int:
    """How many market events a fresh fold refuses."""
    fold = Fold()
    for row in (*map(define_asset, feed.assets), *map(define_instrument, feed.instruments), bind_source(feed.source)):
        row["seq"] = fold.seq + 1
        assert (fold.take(row)["kind"] != OutputKind.EVENT_REFUSED).all()
    count = 0
    for block in blocks:
        block["seq"] = np.arange(fold.seq + 1, fold.seq + 1 + len(block))
        for index in range(len(block)):
            outputs = fold.take(block, index)
            count += int((outputs["kind"] == OutputKind.EVENT_REFUSED).sum()) if len(outputs) else 0
    return count


def test_a_small_capture_and_a_simulated_market(tmp_path: Path) -> None:
    feed = opened(capture(tmp_path / "a.zst", session()))
    assert refused_by_the_fold(feed, feed.blocks()) == 0
    market = simulated(["BTC/USDT", "ETH/BTC"], 11)
    assert refused_by_the_fold(market, islice(market.blocks(), 4)) == 0


@pytest.mark.jit_only
@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings(name: str) -> None:
    feed = opened(shared_data(name))
    assert refused_by_the_fold(feed, islice(feed.blocks(), MOST // 4096 + 1)) == 0
