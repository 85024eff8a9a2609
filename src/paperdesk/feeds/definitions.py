"""Definitions in a file that the user names: JSON, plain or compressed, or a table in Parquet."""

from pathlib import Path

import polars as pl

from paperdesk.domain.instruments import exact
from paperdesk.feeds.instruments import Definitions, Entry, entries_of, plain
from paperdesk.feeds.port import RecordingRefused
from paperdesk.feeds.recording import PARQUET_MAGIC, json_or_none, whole


def read_definitions(path: Path) -> Definitions:
    """Reads --instruments FILE: Binance's exchangeInfo or a table of markets in JSON (plain or compressed), or symbol
    properties in Parquet. RecordingRefused where the file holds none of these.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        if magic == PARQUET_MAGIC:
            return Definitions(_properties(pl.read_parquet(path)), path.name)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RecordingRefused(
            f"the definitions in {path} cannot be read ({error}); give another file with --instruments"
        ) from None
    entries = entries_of(json_or_none(whole(path)))
    if not entries:
        raise RecordingRefused(
            f"{path} holds no definitions: expected exchangeInfo JSON, a JSON table of markets, "
            "or symbol properties in Parquet"
        )
    return Definitions(entries, path.name)


def _properties(table: pl.DataFrame) -> dict[tuple[str, str], Entry]:
    """market, symbol, type, minimum_price_variation, lot_size, minimum_order_size: one row a market."""
    needed = {"market", "symbol", "minimum_price_variation", "lot_size"}
    if not needed <= set(table.columns):
        raise RecordingRefused(
            f"the table of definitions lacks the columns {', '.join(sorted(needed - set(table.columns)))}"
        )
    out: dict[tuple[str, str], Entry] = {}
    for row in table.iter_rows(named=True):
        tick, lot, smallest = row["minimum_price_variation"], row["lot_size"], row.get("minimum_order_size")
        if not tick or not lot or tick <= 0 or lot <= 0:
            continue
        venue = str(row["market"])
        if row.get("type") == "cryptofuture":
            venue = "binanceusdm" if venue == "binance" else venue + "futures"
        out[venue, plain(str(row["symbol"]))] = Entry(None, exact(tick), exact(lot), exact(smallest or 0))
    return out
