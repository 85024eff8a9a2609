"""The same orders through hftbacktest's queue models, in an environment of its own, made on first use.

Nothing of theirs is installed beside the product: `peer_hftbacktest.py` runs in `build/peers/hftbacktest` and answers over files.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from benchmarks.fidelity.asks import Ask, Stream
from benchmarks.fidelity.models import ALL_LOTS, FIRST_NS, LOTS, OUT, WHOLE_NS
from benchmarks.fidelity.tape import TRADE, Views

WANTED: Final = "hftbacktest==2.4.4"
FOLDER: Final = Path(__file__).resolve().parents[2] / "build" / "peers" / "hftbacktest"


class NoPeer(RuntimeError):  # noqa: N818  a fact, named as one
    """The peer cannot be had here; the message says why."""


def environment(folder: Path = FOLDER) -> Path:
    """The Python of the peer's environment, made if it is not there; NoPeer where it cannot be made."""
    python = folder / "bin" / "python"
    if (folder / "ready").is_file():
        return python
    steps = (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", WANTED],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no word"])[-1]
            raise NoPeer(f"{WANTED} cannot be installed here: {last}")
    (folder / "ready").write_text(WANTED + "\n", encoding="utf-8")
    return python


def reached(views: Views, stream: Stream) -> np.ndarray:
    """Orders whose price a print or the other side reached in their lives, shape (m,) of bool: nothing else fills in any model."""
    starts = stream.start[:-1]
    place = np.arange(len(stream.row)) - np.repeat(starts, np.diff(stream.start))
    prints = (views.kind[stream.row] == TRADE) & (place >= np.repeat(stream.arrival, np.diff(stream.start)))
    return np.add.reduceat(prints | (stream.reach > 0), starts) > 0


def answers(views: Views, asks: list[Ask], stream: Stream, folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """What each of its models says to every order, by name; columns as in `models`."""
    python = environment(folder)
    chosen = np.flatnonzero(reached(views, stream))
    parts = [rows_of(stream, int(i)) for i in chosen]
    at = np.concatenate(parts)
    rows = stream.row[at]
    counts = np.array([len(part) for part in parts])
    price, judge = (np.repeat([asks[i][field] for i in chosen], counts) for field in (1, 5))
    through = views.trade_ticks[rows] != price
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place) / "asks.npz", Path(place) / "answers.npz"
        np.savez(
            source, start=np.concatenate([[0], np.cumsum(counts)]), shown=stream.shown[at], reach=stream.reach[at],
            lots=views.trade_lots[rows], trade=np.where(views.kind[rows] == TRADE, np.where(through, 2, 1), 0),
            judge=views.ts_ns[rows] <= judge, own=np.array([asks[i].own for i in chosen]),
            ticks=np.array([asks[i].ticks for i in chosen]), size=np.array([asks[i].lots for i in chosen]),
        )  # fmt: skip
        script = Path(__file__).with_name("peer_hftbacktest.py")
        done = subprocess.run(
            [str(python), str(script), str(source), str(target)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NoPeer(f"{WANTED} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        with np.load(target) as told:
            found = dict(zip(told["names"].tolist(), told["answers"], strict=True))
    out = {}
    for name, answer in found.items():
        out[name] = np.zeros((len(asks), OUT), np.int64)
        out[name][chosen] = timed(views, stream, parts, answer)
    return out


def rows_of(stream: Stream, i: int) -> np.ndarray:
    """The stream of one ask without the prints before it: these models join what is displayed."""
    start, end, arrival = int(stream.start[i]), int(stream.start[i + 1]), int(stream.arrival[i])
    return np.concatenate([[start], np.arange(start + arrival, end)])


def timed(views: Views, stream: Stream, parts: list[np.ndarray], told: np.ndarray) -> np.ndarray:
    """Rows of the streams as times of the recording."""
    out = np.zeros((len(told), OUT), np.int64)
    out[:, LOTS], out[:, ALL_LOTS] = told[:, 0], told[:, 3]
    for column, since in ((FIRST_NS, 1), (WHOLE_NS, 2)):
        for i in np.flatnonzero(told[:, since] >= 0):
            out[i, column] = views.ts_ns[stream.row[parts[i][told[i, since]]]]
    return out
