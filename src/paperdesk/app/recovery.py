"""Back from the log: the state, the bots' memories, and the place in the feed where a run goes on.

The same engine version folds every input again from the newest good snapshot and must reproduce each output byte for byte, or the desk
stops. Another version does not decide anew: inputs are absorbed, acknowledged outputs are facts, queue positions start from the full
level. Strategies see the same events in the same order; what they wish for is thrown away, because what they sent is in the log.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from paperdesk.app.errors import EXIT_IO, DeskError
from paperdesk.domain.events import INPUT, INPUT_BYTES, OUTPUT, InputKind, OutputKind
from paperdesk.engine.drive import SEQ, TIMER, Decider, DeciderFailed
from paperdesk.engine.fold import Fold
from paperdesk.engine.state import ENGINE_VERSION
from paperdesk.store.log import Frame, Tag

DEFINE_ASSET: Final = int(InputKind.DEFINE_ASSET)
DEFINE_INSTRUMENT: Final = int(InputKind.DEFINE_INSTRUMENT)
STOP_BOT: Final = int(InputKind.STOP_BOT)
VERSION: Final = str(ENGINE_VERSION)
KIND: Final = struct.Struct("<h")
BOT: Final = struct.Struct("<i")
BOT_AT: Final = 20
VENUE_TIME_AT: Final = 32
KIND_NAMES: Final = {int(kind): kind.name for kind in OutputKind}
PLACES: Final = dict(OUTPUT.fields or {})
HEAD_NAMES: Final = [name for name, place in PLACES.items() if place[1] < PLACES["payload"][1]]
"""Names of an output that mean the same in every kind."""
Rows = np.ndarray[Any, Any]


class RefoldDiffers(DeskError):
    """Folding the log again gave something else than it says: the record or the program is not what it was."""

    def __init__(self, seq: int, text: str) -> None:
        super().__init__(
            f"Folding the log again differs at seq {seq}: {text}. The desk does not go on from a state it cannot reproduce. If the program was changed "
            "without a new engine version, run the version that wrote the log; otherwise check memory and disk, and restore the run from a backup.",
            EXIT_IO,
        )
        self.seq = seq


@dataclass(slots=True)
class Step:
    """One input of a log with what it caused."""

    data: bytes
    outputs: bytes
    version: str


@dataclass(slots=True)
class Recovered:
    """What a log led to. `market_inputs` is how many inputs of the feed it holds; `stopped` are bots that may not go on."""

    fold: Fold
    market_inputs: int = 0
    steps: int = 0
    by_facts: bool = False
    stopped: set[int] = field(default_factory=set)


def is_fed(kind: int, data: bytes) -> bool:
    """Whether an input came from the feed: the market's, and definitions that bear the venue's time (a command bears none)."""
    return kind < DEFINE_ASSET or (kind == DEFINE_INSTRUMENT and SEQ.unpack_from(data, VENUE_TIME_AT)[0] > 0)


def steps_of(frames: Iterable[Frame]) -> Iterator[Step]:
    """The inputs of a log in order, each with its outputs; DeskError where outputs stand without an input."""
    waiting: Step | None = None
    for frame in frames:
        for tag, view in frame.items():
            if tag == Tag.INPUT:
                if waiting is not None:
                    yield waiting
                waiting = Step(bytes(view), b"", frame.engine_version)
            elif tag == Tag.OUTPUTS:
                if waiting is None or waiting.outputs:
                    raise DeskError(
                        f"{frame.file} at byte {frame.offset}: outputs stand where no input caused them; restore the run from a backup.",
                        EXIT_IO,
                    )
                waiting.outputs = bytes(view)
    if waiting is not None:
        yield waiting


class Refold:
    """Takes the steps of a log into a fold and its deciders."""

    def __init__(
        self,
        fold: Fold,
        deciders: Iterable[Decider] = (),
        progress: Callable[[int], None] | None = None,
        version: str = VERSION,
    ) -> None:
        """`deciders` are asked as the run asked them, and not listened to; steps of any engine but `version` are applied as facts."""
        self.result = Recovered(fold)
        self._version = version
        self._deciders = list(deciders)
        self._progress = progress
        self._row = np.zeros(1, INPUT)
        self._bytes = memoryview(self._row.view(np.uint8).data)

    def take(self, step: Step) -> None:
        """Fold (or absorb) one step; RefoldDiffers where the same version decides otherwise than the log says."""
        fold, result = self.result.fold, self.result
        self._bytes[: len(step.data)] = step.data
        self._bytes[len(step.data) :] = bytes(INPUT_BYTES - len(step.data))
        row, kind = self._row, int(self._row["kind"][0])
        if step.version == self._version and not result.by_facts:
            outputs = fold.take(row)
            if outputs.tobytes() != step.outputs:
                raise RefoldDiffers(fold.seq, difference(outputs, np.frombuffer(step.outputs, OUTPUT)))
        elif step.version == self._version:
            self.end_facts()
            self.take(step)
            return
        else:
            result.by_facts = True
            outputs = np.frombuffer(step.outputs, OUTPUT).copy()
            fold.take_facts(row, 0, outputs)
        result.steps += 1
        if is_fed(kind, step.data):
            self._market_input(kind, row, outputs)
            result.market_inputs += 1
        else:
            self._command(kind, row, outputs)
        if self._progress is not None and result.steps % 4096 == 0:
            self._progress(result.steps)

    def skip(self, step: Step) -> None:
        """Count a step that a snapshot already holds."""
        kind, bot = KIND.unpack_from(step.data, 0)[0], BOT.unpack_from(step.data, BOT_AT)[0]
        self.result.market_inputs += is_fed(kind, step.data)
        if kind == STOP_BOT:
            self.result.stopped.add(bot)
            self._drop(bot)

    def end_facts(self) -> None:
        """After the last step of another version: orders go to their places with the full level ahead of them."""
        if self.result.by_facts:
            self.result.fold.settle()
            self.result.by_facts = False

    def finish(self) -> Recovered:
        """What the steps so far led to."""
        self.end_facts()
        return self.result

    def _market_input(self, kind: int, row: Rows, outputs: Rows) -> None:
        """Whoever was asked about a market input is asked again."""
        touched = set(outputs["account"].tolist())
        instrument = int(row["instrument"][0])
        for decider in list(self._deciders):
            wanted = kind in decider.kinds and (instrument in decider.instruments or kind == TIMER)
            if wanted or decider.account in touched:
                try:
                    decider.decide(kind, row, 0, outputs if len(outputs) else None)
                except DeciderFailed:
                    self._drop(decider.bot)

    def _command(self, kind: int, row: Rows, outputs: Rows) -> None:
        """A logged command: everyone of its account sees what came of it."""
        if kind == STOP_BOT:
            self.result.stopped.add(int(row["bot"][0]))
            self._drop(int(row["bot"][0]))
        touched = set(outputs["account"].tolist())
        for decider in [d for d in self._deciders if d.account in touched]:
            try:
                decider.observe(outputs)
            except DeciderFailed:
                self._drop(decider.bot)

    def _drop(self, bot: int) -> None:
        self._deciders = [d for d in self._deciders if d.bot != bot]


def difference(mine: Rows, logged: Rows) -> str:
    """The first place where two lists of outputs differ, for people."""
    for place, (a, b) in enumerate(zip(mine, logged, strict=False)):
        if a.tobytes() != b.tobytes():
            names = [name for name in HEAD_NAMES if a[name] != b[name]]
            told = [f"{name} {a[name]} instead of {b[name]}" for name in names]
            pairs = enumerate(zip(a["payload"].tolist(), b["payload"].tolist(), strict=True))
            told += [f"payload[{at}] {one} instead of {other}" for at, (one, other) in pairs if one != other]
            return f"output {place} ({KIND_NAMES.get(int(b['kind']), b['kind'])}) has {', '.join(told[:4])}"
    return f"{len(mine)} outputs instead of {len(logged)}"
