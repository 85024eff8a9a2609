"""The desk as a process of its own: signals, a full disk, an empty environment, exit codes as the shell sees them."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.app.desk import (
    REPO,
    WAIT_S,
    Ended,
    ended,
    environment,
    paperdesk,
    process,
    replayed,
    simulated,
    strategy,
    walk,
)

from paperdesk import __version__

STOP_S = 5
ORDERS = [
    "def on_quote(self, ctx, quote):",
    "    n = ctx.memory['n'] = ctx.memory.get('n', 0) + 1",
    "    if n % 3 == 1:",
    "        ctx.buy_lots(quote.symbol, 1, quote.ask_ticks)",
    "    elif ctx.sellable_lots(quote.symbol):",
    "        ctx.sell_lots(quote.symbol, ctx.sellable_lots(quote.symbol), quote.bid_ticks - n % 2)",
]
"""Orders at every quote, with a memory that decides which."""
SAME = ("state_hash", "log_head_hash", "fills", "orders", "balances", "equity", "refusals")


def interrupted(number: signal.Signals, home: Path, data: Path, own: Path) -> Ended:
    """Start a run at a human pace, wait until outputs are durable, and ask it to stop."""
    read, write = os.pipe()
    arguments = (
        "--no-page",
        "--feed",
        "replay",
        "--data",
        data,
        "--strategy",
        own,
        "--speed",
        "2",
        "--json",
        "--home",
        home,
    )
    running = process("up", *arguments, "--ack-fd", str(write), pass_fds=(write,))
    os.close(write)
    with os.fdopen(read, encoding="ascii") as told:
        for line in told:
            if int(line.split()[0]) > 40:
                break
        running.send_signal(number)
        try:
            out, err = running.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            running.kill()
            raise AssertionError(f"not stopped within {STOP_S} s of {number.name}") from None
    return Ended(running.returncode, out, err)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_stops_cleanly_and_the_same_command_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    own, data, home = strategy(tmp_path / "own.py", *ORDERS), walk(tmp_path / "walk.jsonl.zst"), tmp_path / "home"
    stopped = interrupted(number, home, data, own)
    assert stopped.code == 0 and stopped.json["ended"] == number.name
    assert paperdesk("status", "--home", home, "--json").json["runs"][0]["status"] == "stopped"
    again = replayed(home, "--data", data, "--strategy", own)
    whole = replayed(tmp_path / "whole", "--data", data, "--strategy", own).json
    assert again.json["run"] == stopped.json["run"] and again.json["inputs"] > stopped.json["inputs"]
    assert {key: again.json[key] for key in SAME} == {key: whole[key] for key in SAME}
    assert whole["fills"] > 10
    assert paperdesk("db", "check", "--home", home).code == 0
    assert paperdesk("replay", whole["run"], "--verify", "--home", home).code == 0


def test_a_desk_stays_up_at_the_end_of_its_data_until_it_is_told_to_stop(tmp_path: Path) -> None:
    data = walk(tmp_path / "walk.jsonl", steps=5)
    running = process("up", "--no-page", "--feed", "replay", "--data", data, "--home", tmp_path / "home")
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line)
        if "The data has ended; the desk stays up until Ctrl-C" in line:
            break
    assert running.poll() is None, lines
    running.send_signal(signal.SIGINT)
    last = ended(running)
    assert last.code == 0 and "the data ended" in last.out and "17 market events" in last.out


def test_a_full_disk_stops_the_desk_and_nothing_told_is_lost(tmp_path: Path) -> None:
    home = tmp_path / "home"
    arguments = (
        "--feed",
        "sim",
        "--speed",
        "max",
        "--events",
        "6000",
        "--strategy",
        "quoter",
        "--json",
        "--home",
        home,
    )

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))

    full = ended(process("up", *arguments, preexec_fn=small_files))
    assert full.code == 74 and full.out == "", full.err
    assert "Start again with the same command once there is room" in full.message or "cannot be" in full.message
    again = paperdesk("up", *arguments)
    whole = simulated(tmp_path / "whole", "--strategy", "quoter", events=6000).json
    assert {key: again.json[key] for key in SAME} == {key: whole[key] for key in SAME}
    assert again.json["run"] == "0001-sim"
    assert paperdesk("db", "check", "--home", home).code == 0


def test_the_desk_needs_nothing_from_its_environment(tmp_path: Path) -> None:
    bare = {"PATH": os.environ.get("PATH", ""), "HOME": str(tmp_path), "PYTHONPATH": str(REPO / "src")}
    for arguments, code, words in (
        (["--version"], 0, f"paperdesk {__version__}"),
        (["status"], 1, f"There are no runs in {tmp_path}/.local/share/paperdesk yet"),
        (["nothing"], 2, "No such command"),
    ):
        command = [sys.executable, "-m", "paperdesk", *arguments]
        done = subprocess.run(command, env=bare, capture_output=True, text=True, timeout=WAIT_S, check=False)
        assert done.returncode == code and words in done.stdout + done.stderr


def test_the_paper_lock_holds_for_the_process(tmp_path: Path) -> None:
    refused = ended(process("up", "--home", tmp_path / "home", variables={"ALLOW_REAL_TRADES": "true"}))
    assert refused.code == 78 and not (tmp_path / "home").exists()
    assert "there is no setting that makes it trade for real" in refused.message


def test_a_reader_that_goes_away_is_no_error_of_ours(tmp_path: Path) -> None:
    command = f"{sys.executable} -m paperdesk up --help | head -1"
    done = subprocess.run(
        ["bash", "-c", command], env=environment(), capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert "Usage: paperdesk up" in done.stdout and "Traceback" not in done.stderr
