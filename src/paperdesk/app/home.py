"""The home folder: one desk, its runs, its database.

HOME/desk.lock          held by the desk that works here
HOME/paperdesk.db       SQL projections of all runs, rebuildable from the logs
HOME/runs/0001-replay/  run.json (what the run is), log segments, snapshots
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from paperdesk.app.errors import EXIT_IO, DeskError
from paperdesk.store.errors import why

MANIFEST: Final = "run.json"
DATABASE: Final = "paperdesk.db"
RUNS: Final = "runs"


class Manifest(msgspec.Struct, kw_only=True):
    """What a run is; written once at its start and once at its end. Times are UTC, in seconds since 1970."""

    run: str
    fingerprint: str
    label: str
    feed: str
    source: int
    data: list[str]
    symbols: list[str]
    strategies: list[str]
    parameters: dict[str, str]
    seed: int
    balances: dict[str, str]
    reporting: str
    latency_ns: int
    engine_version: str
    product_version: str
    created_s: float
    fill_model: str = "expected"
    """Of the desk's own account."""
    fill_band: bool = False
    shadow: bool = False
    latency: str = ""
    """What drawn latencies are, in words; empty: they are always `latency_ns`, which else is their median."""
    fees: list[Any] = []
    """Tiers (`safety.config_values.FeeTier`) that the accounts pay by; none: the rates of the instruments."""
    self_trade: str = "expire_maker"
    """What orders do that would meet waiting ones of their own account."""
    start_ns: int = 0
    """Where a simulated market begins in time; 0: where it always does."""
    definitions: list[Any] = []
    """The markets (`domain.instruments.Instrument`) as the venue defined them when a live run began."""
    past: list[list[int]] = []
    """Bars from before a live run, `strategies.host.PastBar`."""
    status: str = "running"
    ended: str = ""
    result: dict[str, Any] = {}


def default_home() -> Path:
    """The user's data folder for Paperdesk."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path("~/.local/share").expanduser()) / "paperdesk"


class Home:
    """Paths under one home folder."""

    def __init__(self, root: Path) -> None:
        """Nothing is created until it is needed."""
        self.root = root
        self.database = root / DATABASE
        self.runs_folder = root / RUNS

    def prepare(self) -> None:
        """Make the folder, readable by its owner alone; DeskError where that cannot be."""
        try:
            self.runs_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.root / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise DeskError(f"The home folder {self.root} cannot be written: {why(error)}.", EXIT_IO) from error

    def runs(self) -> list[str]:
        """Names of all runs, oldest first."""
        if not self.runs_folder.is_dir():
            return []
        return sorted(path.name for path in self.runs_folder.iterdir() if (path / MANIFEST).is_file())

    def folder(self, run: str) -> Path:
        """The folder of a run."""
        return self.runs_folder / run

    def manifest(self, run: str) -> Manifest:
        """What a run is; DeskError if there is no such run or its file cannot be read."""
        path = self.folder(run) / MANIFEST
        if Path(run).name != run or not path.is_file():
            known = ", ".join(self.runs()[-5:]) or "none yet"
            raise DeskError(f"There is no run {run!r} in {self.root}; the latest are: {known}.")
        try:
            return msgspec.json.decode(path.read_bytes(), type=Manifest)
        except (OSError, msgspec.MsgspecError) as error:
            raise DeskError(
                f"{path} cannot be read ({error}). Restore it from a backup, or move the folder {run} out of "
                f"{self.runs_folder}: without this file nobody knows what the run was.",
                EXIT_IO,
            ) from error

    def manifests(self) -> Iterator[Manifest]:
        """What all runs are, oldest first."""
        for run in self.runs():
            yield self.manifest(run)

    def new_run(self, kind: str) -> str:
        """A name for the next run."""
        numbers = [int(name.split("-")[0]) for name in self.runs() if name.split("-")[0].isdigit()]
        return f"{max(numbers, default=0) + 1:04}-{kind}"

    def save(self, manifest: Manifest) -> None:
        """Write a manifest: whole or not at all."""
        folder = self.folder(manifest.run)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = folder / (MANIFEST + ".tmp")
            with temporary.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(folder / MANIFEST)
        except OSError as error:
            raise DeskError(f"The run's description cannot be written to {folder}: {why(error)}.", EXIT_IO) from error

    def forget(self, run: str) -> None:
        """Take back a run that never began: its description and its empty folder."""
        folder = self.folder(run)
        (folder / MANIFEST).unlink()
        if not any(folder.iterdir()):
            folder.rmdir()

    def purge(self) -> list[Path]:
        """Remove everything a desk made here (nothing else); what was removed."""
        removed = []
        names = [self.database, Path(f"{self.database}-wal"), Path(f"{self.database}-shm"), self.root / "desk.lock"]
        for path in [self.runs_folder, *names]:
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()
            else:
                continue
            removed.append(path)
        return removed
