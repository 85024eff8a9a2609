"""Hostile strategies, each a real file in a real process beside an honest bot: they are stopped or gain nothing, and it does not notice."""

from __future__ import annotations

import platform
import re
import stat
import time
from collections.abc import Iterator
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tests.app.desk import strategy
from tests.safety.canary import Canary
from tests.safety.tricks import FRAME, LATE, NEEDS, TRICKS

from paperdesk.app.isolated import KINDS, MOST_IDLE_S, BotProcess, IsolatedBot, load
from paperdesk.app.journal import RunJournal
from paperdesk.domain import commands
from paperdesk.domain.events import InputKind, OutputKind
from paperdesk.engine.drive import Decider, DeciderFailed, Drive
from paperdesk.engine.fold import Fold
from paperdesk.feeds.simulated import START_NS, simulated
from paperdesk.store.disk import RealDisk
from paperdesk.store.log import LogWriter
from paperdesk.strategies.snapshot import SnapshotError

FEED = simulated(["BTC/USDT"], 11)
INPUTS = next(FEED.blocks())[:600]
PATIENT_S, SHORT_S, WAIT_S = 60.0, 0.5, 60.0
HONEST = [
    "def on_quote(self, ctx, quote):",
    "    n = ctx.memory['n'] = ctx.memory.get('n', 0) + 1",
    "    if n % 5 == 1:",
    "        ctx.buy_lots(quote.symbol, 100 + n, quote.ask_ticks)",
    "    elif n % 5 == 3 and ctx.sellable_lots(quote.symbol):",
    "        ctx.sell_lots(quote.symbol, ctx.sellable_lots(quote.symbol), quote.bid_ticks)",
]
FIELDS = ["kind", "order_id", "instrument", "price_ticks", "qty_lots", "ts_seq_ns"]
"""What is compared of the honest bot's outputs; numbers in the log move, since stopping a bot takes one."""


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    """Listeners that no strategy may reach."""
    one = Canary()
    yield one
    one.close()


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotProcess]:
    """The honest bot's process; each desk builds its host anew in it."""
    _, running = load(str(strategy(tmp_path_factory.mktemp("honest") / "good.py", *HONEST)))
    yield running
    running.close()


@pytest.fixture(scope="module")
def alone(honest: BotProcess, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """What the honest bot does without company."""
    drive, rows = run(tmp_path_factory.mktemp("alone") / "log", honest, None)
    assert drive.failures == []
    assert sum(row[0] == OutputKind.FILL for row in rows) > 20, "a run without fills shows nothing"
    return rows


def run(folder: Path, honest: BotProcess, other: IsolatedBot | None) -> tuple[Drive, list[tuple[object, ...]]]:
    """A desk with one account and both bots takes the inputs: the desk, and the honest bot's outputs."""
    taken: list[np.ndarray] = []
    disk = RealDisk(folder)
    journal = RunJournal(LogWriter(disk, "run", "1"), lambda rows: taken.append(rows.copy()))
    bots: list[Decider] = [IsolatedBot(honest, 0, 1, FEED.instruments, "good-1", {}, PATIENT_S)]
    drive = Drive(Fold(), journal, bots + ([other] if other is not None else []))
    usdt = next(asset for asset in FEED.assets if asset.name == "USDT")
    timer = commands.command(InputKind.TIMER)
    timer["ts_seq_ns"] = START_NS
    drive.feed(timer)
    rows = [commands.define_asset(asset) for asset in FEED.assets]
    rows += [commands.define_instrument(row) for row in FEED.instruments]
    rows += [commands.bind_source(1), commands.open_account(0, usdt, 1, 20_000_000)]
    rows += [commands.deposit(0, usdt, usdt.to_units(Decimal(100_000)))]
    rows += [commands.declare_conversion(0, row.base, row) for row in FEED.instruments]
    for row in [*rows, commands.register_bot(0, 1), commands.register_bot(0, 2)]:
        drive.command(row)
    drive.feed(INPUTS.copy())
    journal.commit()
    journal.log.close()
    disk.close()
    rows_out = np.concatenate(taken)
    assert not drive.fold.faults(), "the books balance"
    return drive, rows_out[rows_out["bot"] == 1][FIELDS].tolist()


def hostile(folder: Path, canary: Canary, body: str, before: str = "") -> Path:
    """A strategy file that does something on each quote."""
    (folder / "home").mkdir()
    (folder / "home" / "log").write_text("the log")
    filled = body.replace("{tcp}", str(canary.port)).replace("{udp}", str(canary.udp.getsockname()[1]))
    filled = filled.replace("{home}", str(folder / "home")).replace("{{", "{").replace("}}", "}")
    lines = [f"    {line}" for line in filled.splitlines()]
    return strategy(folder / "own.py", "def on_quote(self, ctx, quote):", *lines, before=before.splitlines())


@pytest.mark.parametrize("name", list(TRICKS))
def test_a_hostile_strategy_gains_nothing_and_the_other_bot_does_not_notice(
    name: str, canary: Canary, honest: BotProcess, alone: list[tuple[object, ...]], tmp_path: Path
) -> None:
    if name in NEEDS and not find_spec(NEEDS[name]):
        pytest.skip(f"{NEEDS[name]} is not installed")
    body, words = TRICKS[name]
    if "call(" in body and platform.machine() != "x86_64":
        pytest.skip("its numbers are those of x86_64")
    _, running = load(str(hostile(tmp_path, canary, body)))
    try:
        patience = SHORT_S if words is not None and LATE in words else PATIENT_S
        bot = IsolatedBot(running, 0, 2, FEED.instruments, "own-2", {}, patience)
        drive, did = run(tmp_path / "log", honest, bot)
    finally:
        running.close()
    if words is None:
        assert drive.failures == []
    else:
        (failure,) = drive.failures
        assert (failure.bot, bot in drive.deciders) == ("own-2", False)
        assert re.search(words, str(failure)) and "ACHIEVED" not in failure.text, str(failure)
        assert len(str(failure)) < 100_000 and "\x1b" not in str(failure)
    assert did == alone, "the honest bot does what it does alone"
    assert canary.visitors() == []
    assert sorted(tmp_path.rglob("forged")) == [] and (tmp_path / "home" / "log").read_text() == "the log"
    assert (tmp_path / "home" / "log").stat().st_mode == (tmp_path / "own.py").stat().st_mode


def test_lies_about_what_it_wants_are_not_believed(canary: Canary, honest: BotProcess, tmp_path: Path) -> None:
    lie = "import sys\nmain = sys.modules['__main__']\ntrue = main.Built\nmain.Built = lambda *given: true(list(range(90)), list(range(-9, 90)))"
    _, running = load(str(hostile(tmp_path, canary, "pass", lie)))
    try:
        bot = IsolatedBot(running, 0, 2, FEED.instruments, "own-2", {}, PATIENT_S)
        assert bot.kinds == KINDS and bot.instruments == {row.number for row in FEED.instruments}
        assert not {int(kind) for kind in InputKind if kind >= InputKind.OPEN_ACCOUNT} & bot.kinds, (
            "commands are nobody's news"
        )
        run(tmp_path / "log", honest, bot)
    finally:
        running.close()


def test_one_that_answers_and_computes_on_is_stopped_though_nothing_is_asked(canary: Canary, tmp_path: Path) -> None:
    _, running = load(str(hostile(tmp_path, canary, "forged()\nwhile True: pass", FRAME)))
    bot = IsolatedBot(running, 0, 2, FEED.instruments, "own-2", {}, PATIENT_S)
    until = time.monotonic() + WAIT_S
    try:
        for index in range(len(INPUTS)):
            if int(INPUTS["kind"][index]) == InputKind.QUOTE:
                assert bot.decide(int(InputKind.QUOTE), INPUTS, index) == []
                break
        with pytest.raises(DeciderFailed, match=r"used [1-9]\d*\.\d s of CPU time while nothing was asked of it"):
            while time.monotonic() < until:
                bot.check_idle()
                time.sleep(0.05)
        assert running.closed
        with pytest.raises(DeciderFailed, match="its process has ended"):
            bot.check_idle()
    finally:
        running.close()


def test_an_honest_bot_uses_no_time_of_its_own(
    honest: BotProcess, alone: list[tuple[object, ...]], tmp_path: Path
) -> None:
    before = honest._idle_s
    drive, did = run(tmp_path / "log", honest, None)
    honest.check_idle()
    assert did == alone and drive.failures == []
    assert honest._idle_s - before < MOST_IDLE_S


def test_nothing_but_pipes_is_inherited(honest: BotProcess) -> None:
    """So there is no socket over which anything could be sent, and no file of the desk's."""
    held = {}
    for place in Path(f"/proc/{honest._process.pid}/fd").iterdir():
        held[int(place.name)] = place.stat().st_mode, str(place.readlink())
    pipes = {fd for fd, (mode, _) in held.items() if stat.S_ISFIFO(mode)}
    assert {fd: told for fd, told in held.items() if fd not in pipes} == {0: (held[0][0], "/dev/null")}
    assert pipes >= {1, 2} and len(pipes) == 4, "output twice, questions, answers"


def test_a_memory_as_large_as_the_machine_is_not_taken(canary: Canary, tmp_path: Path) -> None:
    _, running = load(str(hostile(tmp_path, canary, "ctx.memory['x'] = 'x' * (1 << 27)")))
    bot = IsolatedBot(running, 0, 2, FEED.instruments, "own-2", {}, PATIENT_S)
    try:
        index = int(np.flatnonzero(INPUTS["kind"] == InputKind.QUOTE)[0])
        bot.decide(int(InputKind.QUOTE), INPUTS, index)
        with pytest.raises(SnapshotError):
            bot.snapshot()
    finally:
        running.close()


def test_every_trick_has_a_name_of_its_own() -> None:
    from tests.safety import tricks

    assert len(TRICKS) == sum(
        len(part) for part in (tricks.PROCESSES, tricks.RESOURCES, tricks.TALK, tricks.FILES, tricks.NETWORK)
    )
    assert len(TRICKS) >= 100
