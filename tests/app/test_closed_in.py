"""A run that is one process closes itself in like an engine; where it cannot, or may not, that is refused or said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.app.desk import REPO, WAIT_S, ended, environment, process, simulated, strategy

ON_A_THREAD = """
import threading, time
from paperdesk.app.cli import main
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
main()
"""


def confinement(pid: int | str) -> tuple[int, int]:
    """What the kernel says of a process: its kind of filter (2: of calls), and whether it may gain no privileges."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    told = dict(line.split(":", 1) for line in lines)
    return int(told["Seccomp"]), int(told["NoNewPrivs"])


def test_a_run_of_one_process_stands_behind_a_wall(tmp_path: Path) -> None:
    own = strategy(tmp_path / "own.py", "def on_quote(self, ctx, quote):", "    ctx.buy_lots(quote.symbol, 1)")
    read, write = os.pipe()
    arguments = ("--no-page", "--feed", "sim", "--strategy", own, "--json", "--home", tmp_path / "home")
    running = process("up", *arguments, "--ack-fd", str(write), pass_fds=(write,))
    os.close(write)
    with os.fdopen(read, encoding="ascii") as told:
        for line in told:  # a line: it trades, and what it did is durable
            if int(line.split()[0]) > 20:
                break
        stands = confinement(running.pid)
        running.send_signal(signal.SIGTERM)
        last = ended(running)
    assert stands == (2, 1), last
    assert last.code == 0 and last.json["fills"] > 0, last.err
    assert "filter (kept for good, all threads)" in last.json["wall"]


def test_a_wall_that_cannot_be_raised_is_no_run(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ON_A_THREAD, "up", "--feed", "sim", "--events", "10", "--home", str(tmp_path / "home")],
        env=environment(),
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 78 and "2 threads run already" in done.stderr, done
    assert "the wall of the engine process cannot be raised" in done.stderr.lower() and "Traceback" not in done.stderr
    assert not any((tmp_path / "home" / "runs").iterdir())


def test_a_process_of_another_program_is_left_as_it_is_and_that_is_said(tmp_path: Path) -> None:
    before = confinement("self")
    assert simulated(tmp_path / "home").json["wall"].startswith("none: another program called the command")
    assert confinement("self") == before
