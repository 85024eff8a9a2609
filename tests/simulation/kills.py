"""Real desks, killed with SIGKILL at random instants and started again by the same command, until they finish.

The parent notes every acknowledgement it read from the desk's pipe. In the end all of them are in the log, no fill is
doubled, the product's own checks are clean, and the run is equal to one that was never killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO, Any, Final

import msgspec
import numpy as np
from tests.simulation.witness import check_numbers
from typer.testing import CliRunner

from paperdesk.app.cli import app
from paperdesk.app.home import Home
from paperdesk.app.recovery import steps_of
from paperdesk.store.disk import RealDisk
from paperdesk.store.log import read_log

REPO: Final = Path(__file__).resolve().parent.parent.parent
SAME: Final = ("state_hash", "log_head_hash", "fills", "orders", "refusals", "balances", "equity", "inputs")
"""What a run that was killed and one that was not have in common."""
PATIENCE_S: Final = 300.0
EVENTS_PER_ACK: Final = 4_000
"""About how many events a quick desk commits at once."""
LATEST_S: Final = 0.15
"""In a run of LONG_RUN events or more a kill comes at most so long after the acknowledgement it waits for; earlier in a shorter one."""
LONG_RUN: Final = 250_000


class KillFailed(AssertionError):  # noqa: N818  a fact, named as one
    """A killed run broke a promise; the text says which."""


@dataclass
class Kills:
    """What happened to one run."""

    seed: int
    starting_s: float = 5.0
    """About how long a desk takes to start: some kills fall into that time."""
    kills: int = 0
    while_starting: int = 0
    acknowledgements: list[str] = field(default_factory=list)
    recoveries: int = 0
    torn_tails: int = 0
    from_snapshot: int = 0
    lives: int = 0
    inputs: int = 0
    fills: int = 0
    seconds: float = 0.0


def command(home: Path, seed: int, events: int) -> list[str]:
    """The command of a run."""
    given = ["--feed", "sim", "--speed", "max", "--events", str(events), "--strategy", "quoter", "--seed", str(seed)]
    return [sys.executable, "-m", "paperdesk", "up", *given, "--json", "--home", str(home)]


def environment() -> dict[str, str]:
    """This process's, with the package on the path."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPO / "src"), *sys.path])}


def finish(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process of ours to end by itself; it is killed where it takes for ever."""
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise KillFailed("a desk did not come to its end") from None


def run_to_end(home: Path, seed: int, events: int) -> tuple[dict[str, Any], float]:
    """The result of a run that nobody kills, and how many seconds it took to start."""
    began = time.monotonic()
    arguments = command(home, seed, events)
    done = subprocess.run(arguments, env=environment(), capture_output=True, check=False, timeout=PATIENCE_S)
    if done.returncode != 0:
        raise KillFailed(f"a desk that nobody killed ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    result = result_of(done.stdout)
    return result, max(0.5, time.monotonic() - began - result["seconds"])


def result_of(output: bytes) -> dict[str, Any]:
    """The JSON object of a run's last line."""
    told: dict[str, Any] = msgspec.json.decode(output.rstrip().rsplit(b"\n", 1)[-1])
    return told


def one_life(home: Path, events: int, dice: Random, told: Kills, acks: int | None) -> dict[str, Any] | None:
    """Start the desk; after so many acknowledgements (0: while it is still starting; None: never) kill it. Its result, if it finished."""
    reading, writing = os.pipe()
    output, messages = home / "life.out", home / "life.err"
    with output.open("wb") as out, messages.open("wb") as err:
        arguments = [*command(home, told.seed, events), "--ack-fd", str(writing)]
        process = subprocess.Popen(arguments, env=environment(), stdout=out, stderr=err, pass_fds=(writing,))
    os.close(writing)
    told.lives += 1
    with os.fdopen(reading, "rb") as pipe:
        if acks == 0:
            time.sleep(dice.uniform(0.0, told.starting_s))
        lines = take_lines(pipe, acks)
        if acks is not None:
            time.sleep(dice.choice((0.0, dice.uniform(0.0, LATEST_S * min(1.0, events / LONG_RUN)))))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
        lines += take_lines(pipe, None)
    code = finish(process)
    told.acknowledgements += [line.decode().rstrip("\n") for line in lines if line.endswith(b"\n")]
    text = messages.read_text(encoding="utf-8", errors="replace")
    told.recoveries += "went on from seq" in text
    told.torn_tails += "the last write was interrupted" in text
    told.from_snapshot += "snapshot at" in text
    if code == 0:
        return result_of(output.read_bytes())
    if code != -signal.SIGKILL:
        raise KillFailed(f"a restarted desk ended with {code}: {text[-2000:]}")
    whole = finished(home)
    if whole is not None:
        return whole
    told.kills += 1
    told.while_starting += not lines
    return None


def finished(home: Path) -> dict[str, Any] | None:
    """The result of the newest run, if it was written down as finished: a kill after that takes nothing away."""
    desk = Home(home)
    names = desk.runs()
    last = desk.manifest(names[-1]) if names else None
    return last.result if last is not None and last.status == "finished" else None


def take_lines(pipe: IO[bytes], most: int | None) -> list[bytes]:
    """Up to `most` lines, or all up to the end."""
    lines: list[bytes] = []
    while most is None or len(lines) < most:
        line = pipe.readline()
        if not line:
            break
        lines.append(line)
    return lines


def killed_run(home: Path, seed: int, events: int, kills: int, starting_s: float) -> tuple[Kills, dict[str, Any]]:
    """One run, killed so many times (fewer if it finishes first) and then let finish; (what happened, its result)."""
    dice, told, began = Random(seed), Kills(seed, starting_s), time.monotonic()
    home.mkdir(parents=True, exist_ok=True)
    per_life = max(1, events // EVENTS_PER_ACK // (kills + 1))
    result = None
    while result is None:
        acks: int | None = 0 if dice.random() < 0.2 else dice.randint(1, per_life)
        result = one_life(home, events, dice, told, acks if told.kills < kills else None)
    told.seconds = time.monotonic() - began
    return told, result


def check_run(home: Path, told: Kills, result: dict[str, Any], reference: dict[str, Any], apart: bool = True) -> None:
    """Every promise, held against log, database and a run that was never killed; KillFailed.

    The product's own checks run in processes of their own (`apart`), or in this one, which is quicker.
    """
    disk = RealDisk(home / "runs" / result["run"], create=False)
    check_acknowledged(disk, told)
    rows = check_numbers([(step.data, step.outputs) for step in steps_of(read_log(disk))])
    told.inputs, told.fills = int(result["inputs"]), int(result["fills"])
    if told.fills != int((rows["kind"] == 11).sum()):
        raise KillFailed(f"the run tells of {told.fills} fills, its log holds another number")
    for words in (["replay", result["run"], "--verify"], ["db", "check"]):
        code, text = asked([*words, "--home", str(home)], apart)
        if code != 0:
            raise KillFailed(f"{' '.join(words)} ended with {code}: {text[-2000:]}")
    for name in SAME:
        if result[name] != reference[name]:
            raise KillFailed(f"{name} is {result[name]}, of a run that was never killed {reference[name]}")


def asked(words: list[str], apart: bool) -> tuple[int, str]:
    """Exit code and text of one of the product's commands."""
    if apart:
        arguments = [sys.executable, "-m", "paperdesk", *words]
        done = subprocess.run(arguments, env=environment(), capture_output=True, check=False, timeout=PATIENCE_S)
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")
    answer = CliRunner().invoke(app, words)
    return answer.exit_code, f"{answer.output}{answer.exception or ''}"


def check_acknowledged(disk: RealDisk, told: Kills) -> None:
    """Each acknowledgement's seq ends a frame of the log that holds so many outputs, of those orders.

    A frame with notes between its outputs is acknowledged in several lines.
    """
    groups: dict[int, tuple[int, list[int], bool]] = {}
    for frame in read_log(disk):
        rows = frame.outputs()
        if len(rows):
            ids = rows["order_id"]
            groups[frame.last_seq] = len(rows), np.extract(ids > 0, ids)[-20:].tolist(), bool(frame.notes())
    counts: dict[int, int] = {}
    for line in told.acknowledgements:
        seq, count, orders = line.split(" ")
        if int(seq) not in groups:
            raise KillFailed(f"seq {seq} was acknowledged, but no commit of the log ends there")
        kept, ids, in_parts = groups[int(seq)]
        counts[int(seq)] = counts.get(int(seq), 0) + int(count)
        named = [int(order) for order in orders.split(",") if order]
        last = counts[int(seq)] == kept
        if (not last and not in_parts) or counts[int(seq)] > kept or (last and named != ids[len(ids) - len(named) :]):
            raise KillFailed(
                f"seq {seq} was acknowledged with {count} outputs of orders {orders}; the log holds {kept}, of {ids}"
            )
