"""Random streams as records: material for tests of laws that must hold whatever happens."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from tests.engine.room import BUY, DAY, MINUTE, SELL, Room
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
    """As in the loop: time moves with market inputs and timers alone, commands come at the time reached. At the end a moment passes."""
    numbered: list[Row] = []
    reached = 0
    for row in rows:
        if row["kind"][0] >= InputKind.OPEN_ACCOUNT and row["ts_seq_ns"][0] > reached:
            timer = command(InputKind.TIMER)
            timer["ts_seq_ns"] = row["ts_seq_ns"]
            numbered.append(timer)
        numbered.append(row.copy())
        reached = int(row["ts_seq_ns"][0])
    last = command(InputKind.TIMER)
    last["ts_seq_ns"] = reached + 1
    numbered.append(last)
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


def busy_room() -> Room:
    """A desk in which every table has a live row and almost every field says something."""
    room = Room(latency_ns=10, equity_every_ns=MINUTE)
    room.open(3, {"Q": 50_000, "B": 100}, latency_ns=10, bots=(7,), equity_every_ns=MINUTE)
    room.limits(
        bot=1, max_order=10**6, max_position=10**6, max_exposure=10**6, max_daily_loss=10**6, max_drawdown=10**6
    )
    room.limits(bot=0, cooldown_ns=DAY)
    room.book([(99, 50), (98, 60)], [(101, 50), (102, 60)])
    for bot in (0, 1, 2):
        room.submit(BUY, 5 + bot, bot=bot)
        room.submit(SELL, 2, 105, bot=bot)
    room.submit(BUY, 2, 90)
    room.submit(BUY, 3, 99, account=3, bot=7)
    room.timer(10)
    room.submit(SELL, 1, trigger=90)
    room.submit(SELL, 1, bot=1)
    room.timer(MINUTE)
    room.submit(BUY, 1, 95)
    room.cancel(2)
    return room
