"""Opening a run's record: a new one, or the one that an earlier process left, read to its last durable word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np

from paperdesk.app.bootstrap import Bot, Plan
from paperdesk.app.errors import EXIT_IO, DeskError
from paperdesk.app.recovery import VERSION, Refold, steps_of
from paperdesk.app.watchdog import Watchdog, guarded
from paperdesk.domain.commands import command
from paperdesk.domain.events import InputKind
from paperdesk.engine.drive import SEQ, SEQ_AT, Decider
from paperdesk.engine.fold import Fold
from paperdesk.store import snapshots
from paperdesk.store.disk import Disk
from paperdesk.store.log import LogWriter, read_log


@dataclass(slots=True)
class Resumed:
    """What a run starts with. `messages` are for the user; `upgraded` is the input that says another engine took over; `snapshot_seq` is
    where the snapshot lies that it went on from (0: none).
    """

    fold: Fold
    hosts: list[Bot]
    log: LogWriter
    hasher: Any
    is_new: bool = True
    market_inputs: int = 0
    stopped: set[int] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)
    upgraded: np.ndarray | None = None
    snapshot_seq: int = 0


def open_record(
    plan: Plan, run: str, disk: Disk, high_water: int, watchdog: Watchdog, progress: Callable[[int], None] | None = None
) -> Resumed:
    """Read a run's log (if there is one), recover from it, and open it for writing; see `recover`."""
    return recover(plan.hosts(), run, disk, high_water, progress, watchdog=watchdog)


def recover(
    hosts: Sequence[Bot],
    run: str,
    disk: Disk,
    high_water: int = 0,
    progress: Callable[[int], None] | None = None,
    version: str = VERSION,
    watchdog: Watchdog | None = None,
) -> Resumed:
    """The same for given hosts, fresh from their strategies, as the engine of a given version.

    `high_water` is the last seq that is known to have left the process. StoreError or DeskError where the log is damaged or cannot be
    reproduced.
    """
    hasher = blake2b(digest_size=32)
    reader = read_log(disk, repair=True, high_water=max(high_water, snapshots.newest_seq(disk)))
    places = {(frame.last_seq, frame.chain_hash) for frame in reader}
    end = reader.end
    if end.seq == 0:
        return Resumed(Fold(), list(hosts), LogWriter(disk, run, version, end), hasher)
    messages = [str(end.torn)] if end.torn is not None else []
    fold, start = Fold(), 0
    snapshot, skipped = snapshots.load_newest(disk, end.seq)
    messages.extend(str(one) for one in skipped)
    if snapshot is not None and (snapshot.seq, snapshot.chain_hash) not in places:
        messages.append(f"{snapshot.name} was not used: it was taken from another log")
    elif snapshot is not None and snapshot.engine_version == end.engine_version == version:
        fold, start = Fold.from_parts(snapshot.parts), snapshot.seq
        if fold.hash() != snapshot.state_hash:
            raise DeskError(
                f"{snapshot.name} does not give back the state it was taken from; delete it and start again: the log is whole.",
                EXIT_IO,
            )
        for host in hosts:
            part = snapshot.parts.get(f"bot/{host.bot}")
            if part is not None:
                host.restore(part)
    deciders: Sequence[Decider] = hosts if watchdog is None else [guarded(host, watchdog) for host in hosts]
    refold = Refold(fold, deciders, progress, version)
    for step in steps_of(read_log(disk)):
        hasher.update(step.data)
        hasher.update(step.outputs)
        if SEQ.unpack_from(step.data, SEQ_AT)[0] > start:
            refold.take(step)
        else:
            refold.skip(step)
    result = refold.finish()
    upgraded = command(InputKind.ENGINE_UPGRADED) if end.engine_version != version else None
    messages.append(f"went on from seq {result.fold.seq}" + (f", snapshot at {start}" if start else ""))
    log = LogWriter(disk, run, version, end)
    return Resumed(
        result.fold, list(hosts), log, hasher, False, result.market_inputs, result.stopped, messages, upgraded, start
    )
