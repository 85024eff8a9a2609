"""Where definitions come from, which of them wins, and what is assumed."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard
from tests.feeds.build import capture, opened, ticker
from tests.shared import shared_data

from paperdesk.feeds.definitions import read_definitions
from paperdesk.feeds.port import RecordingRefused


def entry(symbol: str = "BTCUSDT", tick: str = "0.01", lot: str = "0.001", **more: Any) -> dict[str, Any]:
    """One exchangeInfo entry."""
    filters = [
        {"filterType": "PRICE_FILTER", "tickSize": tick},
        {"filterType": "LOT_SIZE", "stepSize": lot, "minQty": lot},
    ]
    return {"symbol": symbol, "status": "TRADING", "filters": filters, **more}


def recording(folder: Path, symbol: str = "BTCUSDT", price: str = "100.0", size: str = "1.5") -> Path:
    """A capture of one quote."""
    return capture(folder / "c.zst", [ticker(1, price, size, "200.0", size, symbol=symbol)])


def test_a_named_file_wins_over_a_sidecar_and_a_sidecar_over_inference(tmp_path: Path) -> None:
    path = recording(tmp_path)
    assert opened(path).instruments[0].tick == Decimal(1)
    (tmp_path / "c.zst.instruments.json").write_text(json.dumps({"symbols": [entry(tick="0.5")]}))
    feed = opened(path)
    assert (feed.instruments[0].tick, feed.instruments[0].origin) == (Decimal("0.5"), "exchange")
    assert "BTC/USDT: tick 0.5, lot 0.001 from c.zst.instruments.json" in feed.notes
    named = tmp_path / "info.json"
    named.write_text(json.dumps({"symbols": [entry(tick="0.25")]}))
    assert opened(path, instruments_file=named).instruments[0].tick == Decimal("0.25")
    assert opened(path).source != opened(path, instruments_file=named).source


def test_a_table_of_markets_brings_fees(tmp_path: Path) -> None:
    markets = {"BTC/USDT": {"id": "BTCUSDT", "maker": 0.0002, "taker": 0.0004, "info": entry()}, "bad": 5}
    path = tmp_path / "markets.json.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(json.dumps(markets).encode()))
    feed = opened(recording(tmp_path), instruments_file=path)
    assert (feed.instruments[0].maker_fee, feed.instruments[0].taker_fee) == (Decimal("0.0002"), Decimal("0.0004"))
    assert not any("assumed" in note for note in feed.notes)


def test_symbol_properties_are_looked_up_by_venue(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "market": ["kraken", "binance", "binance"],
            "symbol": ["BTCUSDT", "BTCUSDT", "BTCUSDT"],
            "type": ["crypto", "crypto", "cryptofuture"],
            "minimum_price_variation": [0.1, 0.01, 0.5],
            "lot_size": [0.1, 0.001, 0.25],
            "minimum_order_size": [1.0, 0.002, None],
        }
    )
    table.write_parquet(tmp_path / "p.parquet")
    (instrument,) = opened(recording(tmp_path), instruments_file=tmp_path / "p.parquet").instruments
    assert (instrument.tick, instrument.lot, instrument.min_quantity) == (
        Decimal("0.01"),
        Decimal("0.001"),
        Decimal("0.002"),
    )
    assert instrument.origin == "declared"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"nonsense", b'{"symbols": []}', b'{"symbols": [5]}', b"PAR1rest"]
)
def test_files_without_definitions_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(RecordingRefused, match=r"holds no definitions|cannot be read"):
        read_definitions(tmp_path / "x")


def test_unreadable_and_senseless_definitions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingRefused, match="cannot be read"):
        opened(recording(tmp_path), instruments_file=tmp_path / "nowhere.json")
    for bad in (
        entry(tick="0"),
        entry(tick="x"),
        {**entry(), "filters": [{"filterType": "LOT_SIZE"}]},
        entry(lot="0.0000000001"),
    ):
        (tmp_path / "bad.json").write_text(json.dumps({"symbols": [bad]}))
        with pytest.raises(RecordingRefused, match=r"BTC"):
            opened(recording(tmp_path), instruments_file=tmp_path / "bad.json")
    (tmp_path / "c.zst.instruments.json").write_text("{}")
    with pytest.raises(RecordingRefused, match="Mend it or take it away"):
        opened(recording(tmp_path))


def test_scales_and_fees_can_be_declared(tmp_path: Path) -> None:
    path = recording(tmp_path, size="1.0000000001")
    assert opened(path).instruments[0].lot == Decimal("0.00000001")
    feed = opened(path, scales={"BTC": 4}, fees=(Decimal("0.0001"), Decimal("0.0002")))
    assert feed.instruments[0].lot == Decimal("0.0001") and feed.assets[0].scale == 4
    assert feed.instruments[0].maker_fee == Decimal("0.0001")
    assert not any("assumed" in note for note in feed.notes)


@pytest.mark.parametrize(
    ("symbol", "canonical", "scale"),
    [("ETHBTC", "ETH/BTC", 8), ("SHIBUSDT", "SHIB/USDT", 2), ("DOGEFDUSD", "DOGE/FDUSD", 8),
     ("PEPEUSDC", "PEPE/USDC", 2)]
)  # fmt: skip
def test_symbols_are_split_at_the_longest_quote_asset(tmp_path: Path, symbol: str, canonical: str, scale: int) -> None:
    feed = opened(recording(tmp_path, symbol=symbol))
    assert feed.instruments[0].symbol == canonical and feed.assets[0].scale == scale
    assert feed.instruments[0].fields()["base_units_per_lot"] >= 1


def test_definitions_of_a_real_exchange_file() -> None:
    definitions = read_definitions(shared_data("reference/binance_spot_markets_2021.json.zst"))
    assert len(definitions.entries) == 1234
    properties = read_definitions(shared_data("reference/crypto_symbol_properties.parquet"))
    assert properties.entries["binance", "BTCUSDT"].tick == Decimal("0.01")
