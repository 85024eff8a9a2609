"""User code in a process of its own: the same bytes as in the loop, and whatever it does, it harms itself alone."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tests.app.desk import REPO, WAIT_S, environment, paperdesk, replayed, strategy, walk
from tests.strategies.files import load_file

from paperdesk.app import bot_frames as frames
from paperdesk.app.bootstrap import Plan
from paperdesk.app.errors import EXIT_AGAIN
from paperdesk.app.isolated import BotLost, IsolatedBot, load
from paperdesk.app.journal import RunJournal
from paperdesk.app.options import RunOptions
from paperdesk.domain import commands
from paperdesk.domain.events import INPUT, ORDER_BYTES, InputKind, Side
from paperdesk.engine.drive import Drive
from paperdesk.engine.fold import Fold
from paperdesk.feeds.simulated import START_NS, simulated
from paperdesk.store.disk import RealDisk
from paperdesk.store.log import LogWriter
from paperdesk.strategies.api import StrategyError
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.registry import build
from paperdesk.strategies.snapshot import SnapshotError

MINUTE_NS = 60_000_000_000
TIMEOUT_S = 20.0
QUOTES = [
    'features = {"mean": ema(3)}',
    'bars = "1s"',
    "def on_quote(self, ctx, quote):",
    "    n = ctx.memory['n'] = ctx.memory.get('n', 0) + 1",
    "    if n % 7 == 1:",
    "        ctx.buy_lots(quote.symbol, 100 + n, quote.ask_ticks)",
    "    elif n % 7 == 4 and ctx.sellable_lots(quote.symbol):",
    "        ctx.sell_lots(quote.symbol, ctx.sellable_lots(quote.symbol), quote.bid_ticks + n % 2)",
    "    elif n % 11 == 0:",
    "        ctx.cancel_all()",
    "def on_bar(self, ctx, bar):",
    "    ctx.memory['mean'] = ctx.feature('mean')",
    "def on_fill(self, ctx, fill):",
    "    ctx.memory['paid'] = ctx.memory.get('paid', Decimal(0)) + fill.fee",
    "def on_refusal(self, ctx, refusal):",
    "    ctx.memory.setdefault('no', []).append(refusal.text)",
]
FEED = simulated(["BTC/USDT"], 11)
Bot = BotHost | IsolatedBot


@pytest.fixture(autouse=True)
def _clean_imports() -> Iterator[None]:
    """Leave sys.path and sys.modules as they were: some files are loaded here, to compare."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in [name for name in sys.modules if name not in modules]:
        del sys.modules[name]


def here(file: Path) -> BotHost:
    """A file's host in this process, as only a test may have it."""
    return BotHost(build(load_file(file)), 0, 1, FEED.instruments, "own-1")


@contextmanager
def apart(file: Path, timeout_s: float = TIMEOUT_S) -> Iterator[IsolatedBot]:
    """A file's host in its own process."""
    _, running = load(str(file))
    try:
        yield IsolatedBot(running, 0, 1, FEED.instruments, "own-1", {}, timeout_s)
    finally:
        running.close()


def opened(folder: Path, bot: Bot) -> tuple[Drive, RunJournal]:
    """A desk with a log, one account with money, and one bot."""
    journal = RunJournal(LogWriter(RealDisk(folder), "run", "1"), lambda rows: None)
    drive = Drive(Fold(), journal, [bot])
    usdt = next(asset for asset in FEED.assets if asset.name == "USDT")
    timer = commands.command(InputKind.TIMER)
    timer["ts_seq_ns"] = START_NS
    drive.feed(timer)
    rows = [commands.define_asset(asset) for asset in FEED.assets]
    rows += [commands.define_instrument(row) for row in FEED.instruments]
    rows += [commands.bind_source(1), commands.open_account(0, usdt, 1, 20_000_000)]
    rows += [commands.deposit(0, usdt, usdt.to_units(Decimal(100_000)))]
    rows += [commands.declare_conversion(0, row.base, row) for row in FEED.instruments]
    for row in [*rows, commands.register_bot(0, 1)]:
        drive.command(row)
    return drive, journal


def market() -> list[np.ndarray]:
    """Quotes, books and trades."""
    return list(islice(FEED.blocks(), 12))


def minutes() -> list[np.ndarray]:
    """Bars that walk at random."""
    dice, last, blocks = Random(12), 600_000, []
    for minute in range(1, 1500):
        first, close = last + dice.randrange(-50, 51), last + dice.randrange(-900, 901)
        row = commands.command(InputKind.BAR, open_ticks=first, close_ticks=close, volume_lots=dice.randrange(10**6))
        row["high_ticks"], row["low_ticks"] = max(first, close) + dice.randrange(300), min(first, close) - 100
        row["interval_ns"], row["ts_seq_ns"] = MINUTE_NS, START_NS + minute * MINUTE_NS
        last = close
        blocks.append(row)
    return blocks


def run(folder: Path, bot: Bot, blocks: list[np.ndarray]) -> tuple[str, bytes, bytes, int]:
    """Hash of the state, hash of the log, the bot's memory, and how many orders it sent."""
    drive, journal = opened(folder, bot)
    for block in blocks:
        drive.feed(block.copy())
    assert drive.failures == []
    journal.commit()
    chain = journal.log.chain_hash
    journal.log.close()
    return drive.fold.hash(), chain, bot.snapshot(), drive.outputs[6]


def example(folder: Path) -> Path:
    """The guide's strategy."""
    text, *_ = re.findall(
        r"```python\n(.*?)```", (REPO / "docs" / "strategies.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (folder / "example.py").write_text(text, encoding="utf-8")
    return folder / "example.py"


def quoting(folder: Path) -> Path:
    """A strategy that uses quotes, bars, fills, refusals and its memory."""
    before = ["from paperdesk.features.basic import ema"]
    return strategy(folder / "own.py", *QUOTES, before=before)


@pytest.mark.parametrize(("make", "blocks"), [(example, minutes), (quoting, market)], ids=["bars", "quotes"])
def test_apart_and_in_the_loop_give_the_same_bytes(tmp_path: Path, make: object, blocks: object) -> None:
    assert callable(make) and callable(blocks)
    file, rows = make(tmp_path), blocks()
    inside = run(tmp_path / "inside", here(file), rows)
    with apart(file) as bot:
        outside = run(tmp_path / "outside", bot, rows)
    assert inside == outside
    assert inside[3] > 10, "a run without orders shows nothing"


def test_memory_goes_over_the_pipe_and_back(tmp_path: Path) -> None:
    file, rows = quoting(tmp_path), market()
    with apart(file) as bot:
        run(tmp_path / "one", bot, rows[:6])
        memory = bot.snapshot()
    with apart(file) as bot:
        bot.restore(memory)
        assert bot.snapshot() == memory
        with pytest.raises(SnapshotError, match="cannot be read"):
            bot.restore(b"\xc1")
    host = here(file)
    host.restore(memory)
    assert host.snapshot() == memory


def test_modules_beside_the_file_come_along(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("from .inner import STEP\n")
    (tmp_path / "pack" / "inner.py").write_text("STEP = 3\n")
    (tmp_path / "helper.py").write_text("from pack import STEP\ndef fail():\n    raise ValueError(f'step {STEP}')\n")
    file = strategy(
        tmp_path / "own.py", "def on_quote(self, ctx, quote):", "    helper.fail()", before=["import helper"]
    )
    with apart(file) as bot:
        drive, _ = opened(tmp_path / "log", bot)
        drive.feed(market()[0].copy())
        assert "ValueError: step 3" in drive.failures[0].text
        assert (
            "helper.fail()" in drive.failures[0].text and "raise ValueError(f'step {STEP}')" in drive.failures[0].text
        )
        drive.journal.log.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise KeyError('gone')", "KeyError: 'gone'"),
        ("import os; os._exit(0)", "its process ended by itself with code 0"),
    ],
)
def test_a_run_tells_what_became_of_a_strategy_and_goes_on(tmp_path: Path, body: str, words: str) -> None:
    """What hostile ones try, and gain, is in tests/safety/test_hostile_strategies.py."""
    own = strategy(tmp_path / "own.py", "def on_quote(self, ctx, quote):", f"    {body}")
    home, data = tmp_path / "home", walk(tmp_path / "w.jsonl", steps=8)
    good = strategy(tmp_path / "good.py", "def on_quote(self, ctx, quote):", "    ctx.buy_lots(quote.symbol, 1)")
    ended = replayed(home, "--data", data, "--strategy", own, "--strategy", good)
    told = ended.json
    assert ended.code == 0 and told["stopped_bots"] == ["own-1"] and told["ended"] == "end of data"
    assert sum(told["orders"].values()) >= 8, "the second bot goes on"
    assert "own-1 failed in" in ended.err and words in ended.err, ended.err
    assert paperdesk("replay", told["run"], "--verify", "--home", home).code == 0


def test_what_hangs_is_told_with_its_place(tmp_path: Path) -> None:
    own = strategy(tmp_path / "own.py", "def on_quote(self, ctx, quote):", "    while ctx: pass")
    ended = replayed(
        tmp_path / "home", "--data", walk(tmp_path / "w.jsonl"), "--strategy", own, "--callback-timeout", "0.5"
    )
    assert re.search(rf'File "{own}", line \d+ in on_quote', ended.err) and "\n    while ctx: pass" in ended.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os\nos._exit(4)\n", "importing it ended its process: its process ended by itself with code 4"),
        ("import socket\nsocket.socket()\n", "line 2: PermissionError"),
        ("open('/etc/passwd')\n", "line 1: PermissionError"),
        ("open(__file__)\n", "line 1: PermissionError"),
        ("class Name(str): pass\n", "the file has no subclass"),
    ],
)
def test_importing_happens_behind_the_wall(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "own.py").write_text(text, encoding="utf-8")
    with pytest.raises(StrategyError) as told:
        load(str(tmp_path / "own.py"))
    assert words in str(told.value)


def test_an_import_that_hangs_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("while True: pass\n", encoding="utf-8")
    with pytest.raises(StrategyError, match=r"(?s)importing it ended its process: .*did not return within 0\.5 s"):
        load(str(tmp_path / "own.py"), load_s=0.5)


def children_of(thread: int) -> set[str]:
    """Processes that a thread of this one started."""
    return set(Path(f"/proc/self/task/{thread}/children").read_text(encoding="ascii").split())


def kill_new_bots(thread: int, before: set[str], wait_s: float, done: threading.Event) -> None:
    """Kill the bots' processes that a thread of this one started, from some time on until told that it is over."""
    while not done.wait(wait_s):
        wait_s = 0.05
        for pid in children_of(thread) - before:
            with contextlib.suppress(OSError):
                if b"bot_process" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(int(pid), signal.SIGKILL)


@pytest.mark.parametrize("after_s", [0.05, 3.0], ids=["as it starts", "as it imports the file"])
def test_a_process_that_is_killed_while_it_begins_is_nobodys_fault(tmp_path: Path, after_s: float) -> None:
    (tmp_path / "own.py").write_text("while True: pass\n", encoding="utf-8")
    done = threading.Event()
    own = threading.get_native_id()
    killer = threading.Thread(target=kill_new_bots, args=(own, children_of(own), after_s, done))
    killer.start()
    try:
        with pytest.raises(BotLost, match="own was killed") as told:
            load(str(tmp_path / "own.py"))
    finally:
        done.set()
        killer.join()
    assert told.value.exit_code == EXIT_AGAIN, "a desk begins again"


def test_names_cannot_steer_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from paperdesk.strategies.api import Strategy\nclass Own(Strategy):\n    name = 'x\\x1b[2J' + 'y' * 100\n"
    )
    described, running = load(str(tmp_path / "own.py"))
    running.close()
    assert described.name == "x?[2J" + "y" * 55


def test_only_what_a_bot_may_say_is_taken() -> None:
    order = commands.command(InputKind.SUBMIT_ORDER, account=0, bot=1, instrument=0, side=Side.BUY, order_type=1)
    (row,) = frames.commands_of(frames.packed([order]), 0, 1, frozenset({0}))
    assert row.tobytes() == order.tobytes() and row.dtype == INPUT
    for field, value in (
        ("kind", 21),
        ("kind", 2),
        ("account", 1),
        ("bot", 0),
        ("instrument", 9),
        ("side", 7),
        ("order_type", 0),
    ):
        forged = order.copy()
        forged[field] = value
        with pytest.raises(frames.GarbageError):
            frames.commands_of(frames.packed([forged]), 0, 1, frozenset({0}))
    signal = commands.command(InputKind.SIGNAL, account=0, bot=1, instrument=0, client_id=1)
    assert len(frames.commands_of(frames.packed([signal]), 0, 1, frozenset({0}))) == 1
    with pytest.raises(frames.GarbageError, match="instrument of its own"):
        frames.commands_of(frames.packed([signal]), 0, 1, frozenset({2}))
    for size in (1, ORDER_BYTES - 1, ORDER_BYTES * (frames.MOST_COMMANDS + 1)):
        with pytest.raises(frames.GarbageError):
            frames.commands_of(bytes(size), 0, 1, frozenset({0}))


HOLDER = """
import sys, time
from paperdesk.app.isolated import load
_, running = load(sys.argv[1])
print(running._process.pid, flush=True)
time.sleep(600)
"""


def test_no_process_outlives_the_desk(tmp_path: Path) -> None:
    own = strategy(tmp_path / "own.py", "pass")
    desk = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(own)], env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert desk.stdout is not None
    with desk.stdout:
        child = desk.stdout.readline().strip()
    assert "Seccomp:\t2" in Path(f"/proc/{child}/status").read_text(), "its wall stands"
    desk.send_signal(signal.SIGKILL)
    desk.wait(WAIT_S)
    until = time.monotonic() + WAIT_S
    while (place := Path(f"/proc/{child}/stat")).exists() and place.read_text().rpartition(")")[2].split()[
        0
    ] not in "ZX":
        assert time.monotonic() < until, "the child lives on"
        time.sleep(0.05)


def test_a_module_beside_the_file_is_part_of_what_a_run_is(tmp_path: Path) -> None:
    file = strategy(tmp_path / "own.py", "bars = STEP", before=["from beside_own import STEP"])
    options = RunOptions(feed="sim", symbols=("BTC/USDT",), strategies=(str(file),))
    fingerprints = []
    for text in ("STEP = '1m'\n", "STEP = '5m'\n", "STEP = '1m'\n"):
        (tmp_path / "beside_own.py").write_text(text)
        with closing(Plan(options)) as plan:
            fingerprints.append(plan.fingerprint)
    assert fingerprints[0] == fingerprints[2] != fingerprints[1]
