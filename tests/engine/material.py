"""Random streams as records: material for tests of laws that must hold whatever happens."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from tests.oracle.records import to_record
from tests.oracle.streams import Stream

from paperdesk.domain.commands import command
from paperdesk.domain.events import OUTPUT, InputKind
from paperdesk.engine.fold import Fold

Row = np.ndarray[Any, Any]


INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


def seeds(first: int, compiled: int, interpreted: int) -> range:
    """Seeds from `first` on: as many as there is time for, with and without the compiler."""
    return range(first, first + (interpreted if INTERPRETED else compiled))


@cache
def stream(seed: int, count: int) -> tuple[Row, ...]:
    """The opening and `count` more inputs of a random stream, as records of shape (1,)."""
    source = Stream(seed)
    rows = []
    for given in source.inputs(count):
        source.desk.take(given)
        rows.append(to_record(given))
    return tuple(rows)


def with_timers(rows: tuple[Row, ...]) -> list[Row]:
    """As in the loop: time moves with market inputs and timers alone, commands come at the time reached."""
    numbered: list[Row] = []
    reached = 0
    for row in rows:
        if row["kind"][0] >= InputKind.OPEN_ACCOUNT and row["ts_seq_ns"][0] > reached:
            timer = command(InputKind.TIMER)
            timer["ts_seq_ns"] = row["ts_seq_ns"]
            numbered.append(timer)
        numbered.append(row.copy())
        reached = int(row["ts_seq_ns"][0])
    for seq, row in enumerate(numbered, 1):
        row["seq"] = seq
    return numbered


def folded(rows: Sequence[Row], fold: Fold | None = None) -> tuple[Fold, list[Row]]:
    """The fold after some inputs, and the outputs of each."""
    desk = Fold() if fold is None else fold
    return desk, [desk.take(row) for row in rows]


def as_bytes(outputs: list[Row]) -> list[bytes]:
    """Outputs as they are stored."""
    return [rows.tobytes() for rows in outputs]


def without_seq(outputs: list[Row], account: int) -> list[bytes]:
    """Outputs of one account, without what depends on company: numbers of inputs, and which of them let time pass."""
    kept = []
    for rows in outputs:
        for row in rows[rows["account"] == account]:
            copy = np.array([row], OUTPUT)
            copy["seq"], copy["number"], copy["ts_seq_ns"] = 0, 0, 0
            kept.append(copy.tobytes())
    return kept


def is_command_of_others(row: Row, account: int) -> bool:
    """Whether an input concerns another account alone."""
    return int(row["kind"][0]) >= InputKind.OPEN_ACCOUNT and int(row["account"][0]) not in (account, -1)
