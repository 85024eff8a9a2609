"""What kind of recording a file is, told by its content: its first bytes, its columns, the form of its first lines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from paperdesk.feeds.binance import CORRUPT, DECODE, BinanceCapture
from paperdesk.feeds.port import RecordingRefused
from paperdesk.feeds.recording import PARQUET_MAGIC, Recording, head_lines
from paperdesk.feeds.tables import Table, kind_of, read_table

HEAD_LINES: Final = 50
KNOWN: Final = "raw Binance captures, recorded sessions of Binance venues, Coinbase, Bybit and Bitstamp messages, and Parquet tables of bars, trades, quotes or books"


def open_paths(paths: Sequence[Path]) -> tuple[list[Recording], list[str]]:
    """Opens files and folders (all they hold, by name). What is no recording is left out of folders with a note, and refused as a file."""
    recordings: list[Recording] = []
    notes: list[str] = []
    for path in paths:
        if path.is_dir():
            for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
                try:
                    recordings.append(open_recording(file))
                except RecordingRefused as refusal:
                    notes.append(f"left out: {refusal}")
        elif path.is_file():
            recordings.append(open_recording(path))
        else:
            raise RecordingRefused(f"there is no file or folder {path}; check --data")
    if not recordings:
        raise RecordingRefused(f"nothing to replay in {', '.join(map(str, paths))}: expected {KNOWN}")
    return recordings, notes


def open_recording(path: Path) -> Recording:
    """Opens one file; RecordingRefused where it is no recording of a known kind."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise RecordingRefused(f"{path} cannot be read: {error.strerror}") from None
    if not magic:
        raise RecordingRefused(f"{path.name} is empty")
    if magic == PARQUET_MAGIC:
        table, metadata = read_table(path)
        if kind_of(set(table.columns)) is not None:
            return Table(path, table, metadata)
        raise RecordingRefused(
            f"{path.name}: a Parquet table of unknown columns ({', '.join(table.columns)}); expected {KNOWN}"
        )
    head = head_lines(path, HEAD_LINES)
    if _is_capture(head):
        return BinanceCapture(path)
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
