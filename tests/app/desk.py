"""What the tests of the command line share: running it, in this process or in one of its own, and small recordings."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from tests.feeds.build import capture, depth, picture, print_of, ticker

from paperdesk.app.cli import main
from paperdesk.domain import cache

REPO = Path(__file__).resolve().parent.parent.parent
START = datetime(2024, 1, 1, tzinfo=UTC)
WAIT_S = 60
"""How long a process may take to do what it must; nothing is measured by it."""


class Ended(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The last line of output, decoded."""
        assert self.code in (0, 1), self.err
        told = json.loads(self.out.splitlines()[-1])
        assert isinstance(told, dict)
        return told

    @property
    def message(self) -> str:
        """The one message of a command that refused, without its prefix and line breaks."""
        assert "Traceback" not in self.err, self.err
        assert "paperdesk: " in self.err, f"exit code {self.code}: {self.out}{self.err}"
        return " ".join(self.err.split("paperdesk: ", 1)[1].split())


@contextlib.contextmanager
def surroundings(variables: Mapping[str, str]) -> Iterator[None]:
    """The environment with more variables, and the handlers of signals, put back afterwards."""
    before = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    os.environ.update({"COLUMNS": "200", **variables})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def paperdesk(*arguments: str | Path, variables: Mapping[str, str] | None = None, typed: str = "") -> Ended:
    """Run a command in this process, through the same entry point as the installed script; `typed` is its standard input."""
    out, err, keyboard = io.StringIO(), io.StringIO(), sys.stdin
    code = 0
    sys.stdin = io.StringIO(typed)
    with surroundings(variables or {}), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            assert end.code is None or isinstance(end.code, int), end.code
            code = end.code or 0
        finally:
            sys.stdin = keyboard
    return Ended(code, out.getvalue(), err.getvalue())


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process of its own: the package on its path, compiled code from the same cache."""
    return {**os.environ, "PYTHONPATH": str(REPO / "src"), "COLUMNS": "200", **(variables or {})}


def process(
    *arguments: str | Path, variables: Mapping[str, str] | None = None, **options: Any
) -> subprocess.Popen[str]:
    """Start `python -m paperdesk ...` as a process of its own."""
    command = [sys.executable, "-m", "paperdesk", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(variables),
        **{"cwd": REPO, **options},
    )


def ended(running: subprocess.Popen[str]) -> Ended:
    """Wait for a process; one that hangs is killed, and fails the test."""
    try:
        out, err = running.communicate(timeout=WAIT_S)
    except subprocess.TimeoutExpired:
        running.kill()
        out, err = running.communicate()
        raise AssertionError(f"the desk hangs; it said {out}{err}") from None
    return Ended(running.returncode, out, err)


def up(home: Path, *arguments: str | Path, variables: Mapping[str, str] | None = None) -> Ended:
    """`paperdesk up` on a home, as fast as possible, with JSON."""
    return paperdesk("up", "--home", home, "--json", *arguments, variables=variables)


def simulated(home: Path, *arguments: str | Path, events: int = 2000) -> Ended:
    """A short run in the simulated market."""
    return up(home, "--feed", "sim", "--speed", "max", "--events", str(events), *arguments)


def replayed(home: Path, *arguments: str | Path) -> Ended:
    """A replay to its end."""
    return up(home, "--feed", "replay", "--speed", "max", "--until-end", *arguments)


def walk(path: Path, steps: int = 60) -> Path:
    """A Binance capture: the best prices walk up and down around 100, with trades between; 3 lines a 100 ms step."""
    frames: list[dict[str, Any] | bytes] = [
        depth(95, 100),
        picture(100, [["100.0", "5.0"], ["99.9", "5.0"]], [["100.1", "5.0"], ["100.2", "5.0"]]),
    ]
    for step in range(steps):
        shift = abs(step % 20 - 10)
        bid, ask = f"{100 + shift / 10:.1f}", f"{100.1 + shift / 10:.1f}"
        frames.append(ticker(101 + step, bid, "1.0", ask, "1.0"))
        frames.append(print_of(2 * step + 1, bid, "0.4", seller_took=True))
        frames.append(print_of(2 * step + 2, ask, "0.4"))
    return capture(path, frames, step_ns=100_000_000)


def bars(path: Path, count: int = 300, minutes: int = 1, symbol: str = "BTC/USDT") -> Path:
    """A Parquet table of bars that rise and fall in long waves."""
    closes = [100.0 + abs(index % 120 - 60) / 4 for index in range(count)]
    opens = [closes[max(0, index - 1)] for index in range(count)]
    columns = {
        "ts": [START + timedelta(minutes=minutes * index) for index in range(count)],
        "open": opens,
        "high": [max(pair) + 0.5 for pair in zip(opens, closes, strict=True)],
        "low": [min(pair) - 0.5 for pair in zip(opens, closes, strict=True)],
        "close": closes,
        "volume": [50.0] * count,
    }
    pl.DataFrame(columns).write_parquet(path, metadata={"venue": "binance", "symbol": symbol})
    return path


def strategy(path: Path, *body: str, bases: str = "Strategy", before: Sequence[str] = ()) -> Path:
    """A user's strategy file: the lines of a class body, with the usual imports above."""
    lines = [
        "from decimal import Decimal",
        "from paperdesk.domain.events import TimeInForce",
        "from paperdesk.strategies.api import Parameter, Strategy",
        *before,
        "",
        f"class Own({bases}):",
        f'    name = "{path.stem}"',
        *(f"    {line}" for line in body),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def script(path: Path, *steps: str) -> Path:
    """A strategy that does one step a quote, as Python text with `ctx` and `symbol`; `h` keeps handles by name."""
    body = [
        "def on_quote(self, ctx, quote):",
        "    n = ctx.memory.get('n', 0)",
        "    ctx.memory['n'] = n + 1",
        "    h = ctx.memory.setdefault('h', {})",
        "    symbol, instrument = quote.symbol, quote.instrument",
    ]
    for number, step in enumerate(steps):
        body.append(f"    if n == {number}: {step}")
    return strategy(path, *body)


WARM = not cache.COLD
"""Whether the core was compiled before these tests began."""
