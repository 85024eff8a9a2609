"""A run's record as a stream, for the database, the auditor and the verifier."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec
import numpy as np

from paperdesk.app.home import Home
from paperdesk.app.recovery import Refold, steps_of
from paperdesk.domain.events import OUTPUT
from paperdesk.engine.fold import Fold
from paperdesk.store.disk import RealDisk
from paperdesk.store.log import Frame, Tag, read_log
from paperdesk.store.projections import Projector

Record = (
    tuple[Literal["input"], bytes]
    | tuple[Literal["outputs"], np.ndarray[Any, Any]]
    | tuple[Literal["note"], dict[str, Any]]
)


def records_of(frames: Iterable[Frame]) -> Iterator[Record]:
    """Every record of a log in order, decoded."""
    for frame in frames:
        for tag, view in frame.items():
            if tag == Tag.INPUT:
                yield "input", bytes(view)
            elif tag == Tag.OUTPUTS:
                yield "outputs", np.frombuffer(view, OUTPUT)
            else:
                yield "note", msgspec.json.decode(view)


def run_records(home: Home, run: str) -> Iterator[Record]:
    """The same for a run of a home."""
    return records_of(read_log(RealDisk(home.folder(run), create=False)))


def catch_up(projector: Projector, frames: Iterable[Frame]) -> None:
    """Bring the projections of a run to the end of its log; what they hold already is not taken twice."""
    for record in records_of(frames):
        if record[0] == "outputs":
            projector.take(record[1])
        elif record[0] == "note":
            projector.note(record[1])
    projector.flush()


def verify(frames: Iterable[Frame]) -> tuple[Fold, int]:
    """Fold a log anew from its first input; RefoldDiffers where this version decides otherwise. (final fold, inputs)"""
    refold = Refold(Fold())
    for step in steps_of(frames):
        refold.take(step)
    result = refold.finish()
    return result.fold, result.steps
