"""How the processes of a desk are started and told what to do. Light: the supervisor imports nothing that trades."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from paperdesk.app.options import RunOptions


class Word(msgspec.Struct, tag=True, array_like=True):
    """Anything said between door, engine and supervisor."""


class Found(Word):
    """From the door to the supervisor: the venue answers, its market can be had."""


class NoOffer(Word):
    """The venue could not be reached: what happened, and what to do, for people."""

    text: str


class Carries(Word):
    """From a door that carries notes alone to the supervisor, each second: its wall in words, and its calls, as `safety.outside.Count`."""

    wall: str
    calls: list[tuple[str, str, str, int]]


class Gone(Word):
    """From the supervisor to the engine, in the door's place: the door died, after all that it said before."""


ENCODE_WORD: Final = msgspec.msgpack.Encoder().encode
DECODE_SAID: Final = msgspec.msgpack.Decoder(Found | NoOffer | Carries)


class EngineTask(msgspec.Struct):
    """What an engine process is started with. Descriptors are inherited; -1: there is none."""

    options: RunOptions
    home: Path
    api: int
    door: int
    notice: str
    as_json: bool


class DoorTask(msgspec.Struct):
    """What a door process is started with. `venue_at` is a server on this machine to ask instead of the venue and all receivers."""

    symbols: list[str]
    """None: it has no market, and carries notes alone."""
    engine: int
    supervisor: int
    venue_at: str
    within_s: float
    listening: int = -1
    """The socket for senders; -1: there are none, nor is there what follows."""
    handed: int = -1
    """A pipe that holds token and receivers, see `safety.handover`."""


class ApiTask(msgspec.Struct):
    """What an api process is started with."""

    listening: int
    engine: int
    supervisor: int
    home: Path
    port: int


PASSED_ON: Final = (
    *("PAPER_TRADING_MODE", "ALLOW_REAL_TRADES", "NUMBA_DISABLE_JIT", "HOME", "XDG_CACHE_HOME", "LANG", "LC_ALL"),
    *("TERM", "COLUMNS", "NO_COLOR", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"),
)
"""Of the user's environment, what every process of a desk may know."""
OUTWARD: Final = ("SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")
"""What the door alone may know: the way out of the user's network."""


ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Keeps numpy's libraries from starting threads when they are loaded: a wall is raised by a process that has one."""
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
Task = TypeVar("Task", bound=msgspec.Struct)


def task_of(text: str, kind: type[Task]) -> Task:
    """The task that a process was started with."""
    return msgspec.json.decode(text, type=kind, dec_hook=lambda wanted, value: wanted(value))


def resident_mb(pid: int | str = "self") -> float:
    """What a process holds in memory now; 0 where it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return round(pages * PAGE_BYTES / 1e6, 1)


def start(
    module: str, task: msgspec.Struct, inherited: Sequence[int], extra: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """A process of the family: its own session group, so that Ctrl-C reaches the supervisor alone; nothing inherited but what is named."""
    package = Path(__file__).resolve().parents[3]
    given: Mapping[str, str] = {
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        **ONE_THREAD,
        **{name: os.environ[name] for name in (*PASSED_ON, *extra) if name in os.environ},
    }
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, str(os.getpid()), msgspec.json.encode(task, enc_hook=str).decode()],
        stdin=subprocess.DEVNULL,
        pass_fds=[number for number in inherited if number >= 0],
        env=dict(given),
        process_group=0,
    )
