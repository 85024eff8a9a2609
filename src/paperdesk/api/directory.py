"""Names and grids: how the numbers of a run read. Told by the engine's welcome, by notes, and by the database for older versions."""

from collections.abc import Iterable, Mapping
from typing import Any

from paperdesk.store.reading import Grid, decimal_text


class RawGrid(Grid):
    """Of an instrument version that nobody told of: plain ticks and lots, and it says so."""

    def __init__(self, symbol: str) -> None:
        super().__init__(symbol, "1", "1")

    def price(self, ticks: int) -> str:
        """A price nobody can write in full."""
        return f"{ticks} ticks"

    def quantity(self, lots: int) -> str:
        """A quantity nobody can write in full."""
        return f"{lots} lots"


class Directory:
    """Of one run."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.scales: dict[int, int] = {}
        self.numbers: dict[str, int] = {}
        self.grids: dict[tuple[int, int], Grid] = {}
        self.instruments: dict[int, dict[str, Any]] = {}
        """The newest version of each."""
        self.bots: dict[int, dict[str, Any]] = {}
        """Those of the desk's own account."""
        self.beside: dict[int, str] = {}
        """Names of the bots of other accounts."""

    def take(
        self,
        assets: Iterable[Mapping[str, Any]],
        instruments: Iterable[Mapping[str, Any]],
        bots: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """Learn from rows as the log's notes have them."""
        for asset in assets:
            self.names[asset["number"]] = asset["name"]
            self.scales[asset["number"]] = asset["scale"]
            self.numbers[asset["name"]] = asset["number"]
        for row in instruments:
            self.grids[row["number"], row["version"]] = Grid(row["symbol"], row["tick"], row["lot"])
            known = self.instruments.get(row["number"])
            if known is None or row["version"] >= known["version"]:
                self.instruments[row["number"]] = dict(row)
        for bot in bots:
            self.bots[bot["bot"]] = dict(bot)

    def grid(self, instrument: int, version: int | None = None) -> Grid:
        """How a version's ticks and lots read; None: the newest."""
        newest = self.instruments.get(instrument)
        if version is None and newest is not None:
            version = newest["version"]
        found = self.grids.get((instrument, version or 0))
        return found if found is not None else RawGrid(self.symbol(instrument))

    def symbol(self, instrument: int) -> str:
        """The venue's own string."""
        row = self.instruments.get(instrument)
        return row["symbol"] if row is not None else f"instrument {instrument}"

    def asset(self, number: int) -> str:
        """An asset's name."""
        return self.names.get(number, f"asset {number}")

    def amount(self, asset: int, units: int) -> str:
        """Units of an asset as an exact decimal."""
        scale = self.scales.get(asset)
        return f"{units} units" if scale is None else decimal_text(units, scale)

    def who(self, bot: int) -> str:
        """A bot's name; 0 and below are the account's owner."""
        if bot <= 0:
            return "the owner"
        row = self.bots.get(bot)
        return row["name"] if row is not None else self.beside.get(bot, f"bot {bot}")
