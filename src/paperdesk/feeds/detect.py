"""What kind of recording a file is, told by its content: its first bytes, its columns, the form of its first lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from paperdesk.feeds.binance import CORRUPT, DECODE, BinanceCapture
from paperdesk.feeds.bitstamp import BitstampLog, split_line
from paperdesk.feeds.bybit import Bybit
from paperdesk.feeds.coinbase import Coinbase
from paperdesk.feeds.depth_tables import DepthTable, kind_of_depth
from paperdesk.feeds.messages import Dialect, MessageLines, split_stamp
from paperdesk.feeds.port import RecordingRefused
from paperdesk.feeds.recording import PARQUET_MAGIC, Recording, head_lines, json_or_none, split_symbol
from paperdesk.feeds.sessions import Session, is_session
from paperdesk.feeds.tables import Table, kind_of, name_in, read_table

HEAD_LINES: Final = 50
SIDECAR: Final = ".instruments.json"
KNOWN: Final = (
    "raw Binance captures, recorded sessions of Binance venues, Coinbase and Bybit messages, Bitstamp order logs, "
    "and Parquet tables of bars, trades, quotes, book levels or orders"
)


class Picture(NamedTuple):
    """A full picture of a book in a file of its own: the start for level changes in another."""

    path: Path
    table: pl.DataFrame
    metadata: Mapping[str, str]


def open_paths(paths: Sequence[Path], symbols: Sequence[str] = ()) -> tuple[list[Recording], list[str]]:
    """Opens files and folders (all they hold, by name). What is no recording is left out of folders with a note,
    refused as a file.

    `symbols`: what was asked for; it names the market of a recording that does not, if it is only one.
    """
    notes: list[str] = []
    files: list[tuple[Path, bool]] = []
    for path in paths:
        if path.is_dir():
            files += [
                (entry, False)
                for entry in sorted(path.rglob("*"))
                if entry.is_file() and not entry.name.endswith(SIDECAR)
            ]
        elif path.is_file():
            files.append((path, True))
        else:
            raise RecordingRefused(f"there is no file or folder {path}; check --data")
    files = list({path.resolve(): (path, named) for path, named in files}.values())
    opener = _Opener(symbols[0] if len(symbols) == 1 else "")
    for path, named in files:
        try:
            opener.open(path)
        except RecordingRefused as refusal:
            if named:
                raise
            notes.append(f"left out: {refusal}")
    recordings = opener.finish()
    if not recordings:
        detail = f" ({notes[0]})" if len(notes) == 1 else ""
        raise RecordingRefused(f"nothing to replay in {', '.join(map(str, paths))}{detail}: expected {KNOWN}")
    return recordings, notes


class _Opener:
    """Opens files one by one, and puts pictures and their changes together at the end."""

    def __init__(self, hint: str) -> None:
        self.hint = hint
        self._opened: list[Recording | Picture] = []
        self._changes: dict[int, tuple[Path, pl.DataFrame, Mapping[str, str]]] = {}
        self._pictures: list[Picture] = []

    def open(self, path: Path) -> None:
        """Opens one file; RecordingRefused where it is no recording of a known kind."""
        try:
            with path.open("rb") as file:
                magic = file.read(4)
        except OSError as error:
            raise RecordingRefused(f"{path} cannot be read: {error.strerror}") from None
        if not magic:
            raise RecordingRefused(f"{path.name} is empty; there is nothing to replay in it")
        if magic == PARQUET_MAGIC:
            self._open_table(path)
        else:
            self._opened.append(open_lines(path, self.hint))

    def _open_table(self, path: Path) -> None:
        table, metadata = read_table(path)
        columns = set(table.columns)
        if not len(table):
            raise RecordingRefused(f"{path.name} has no rows; there is nothing to replay in it")
        depth = kind_of_depth(columns)
        if depth == "picture":
            self._pictures.append(Picture(path, table, metadata))
        elif depth == "changes":
            self._changes[len(self._opened)] = (path, table, metadata)
            self._opened.append(Picture(path, table, metadata))
        elif depth is not None:
            self._opened.append(DepthTable(path, table, metadata, hint=self.hint))
        elif kind_of(columns) is not None:
            self._opened.append(Table(path, table, metadata, self.hint))
        else:
            raise RecordingRefused(
                f"{path.name}: a Parquet table of unknown columns ({', '.join(table.columns)}); expected {KNOWN}"
            )

    def finish(self) -> list[Recording]:
        """All that was opened, level changes with their starting pictures."""
        used: set[Path] = set()
        out: list[Recording] = []
        for index, opened in enumerate(self._opened):
            if not isinstance(opened, Picture):
                out.append(opened)
                continue
            path, table, metadata = self._changes[index]
            picture = self._picture_for(path, metadata)
            if picture is not None:
                used.add(picture.path)
            out.append(DepthTable(path, table, metadata, (picture.path, picture.table) if picture else None, self.hint))
        for picture in self._pictures:
            if picture.path not in used:
                raise RecordingRefused(
                    f"{picture.path.name} is one picture of a book; give the level changes that follow it too"
                )
        return out

    def _picture_for(self, path: Path, metadata: Mapping[str, str]) -> Picture | None:
        same = [picture for picture in self._pictures if picture.metadata.get("symbol") == metadata.get("symbol")]
        if same:
            return same[0]
        beside = path.with_name(path.name.replace("l2update", "snapshot"))
        if beside != path and beside.is_file():
            table, other = read_table(beside)
            if kind_of_depth(set(table.columns)) == "picture" and other.get("symbol") == metadata.get("symbol"):
                return Picture(beside, table, other)
        return None


def open_lines(path: Path, hint: str) -> Recording:
    """Opens a file of lines; RecordingRefused where they are of no known form."""
    head = head_lines(path, HEAD_LINES)
    if is_session(head):
        return Session(path)
    if _is_capture(head):
        return BinanceCapture(path)
    dialect = _dialect(head)
    if dialect is not None:
        return MessageLines(path, dialect, f"{dialect.venue} messages")
    if _is_order_log(head):
        pair = split_symbol(name_in(path) or hint)
        if pair is None:
            raise RecordingRefused(
                f"{path.name}: an order log does not name its market; ask for it with --symbols BASE/QUOTE"
            )
        return BitstampLog(path, pair)
    raise RecordingRefused(f"{path.name} is no recording of a known kind; expected {KNOWN}")


def _is_capture(head: Sequence[bytes]) -> bool:
    for line in head:
        stamp, _, frame = line.partition(b" ")
        if stamp.isdigit() and frame.startswith(b"{"):
            try:
                message = DECODE(frame)
            except CORRUPT:
                continue
            body = message.data or message
            if body.e or body.u >= 0 or body.lastUpdateId >= 0:
                return True
    return False


def _is_order_log(head: Sequence[bytes]) -> bool:
    for line in head:
        try:
            split_line(line)
        except ValueError:
            continue
        return True
    return False


def _dialect(head: Sequence[bytes]) -> Dialect | None:
    for line in head:
        try:
            message = json_or_none(split_stamp(line)[1])
        except ValueError:
            continue
        if isinstance(message, dict):
            if str(message.get("topic", "")).startswith(("orderbook.", "publicTrade.")):
                return Bybit()
            if message.get("type") in ("snapshot", "l2update", "match", "last_match") and "product_id" in message:
                return Coinbase()
    return None
