"""What the journeys' desks are started with: a venue on this machine that may go away and come back, and a strategy that fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.family.desk import REPO

FAILING = """from paperdesk.strategies.api import Strategy


class Doomed(Strategy):
    name = "doomed"

    def on_quote(self, ctx, quote):
        ctx.memory["n"] = ctx.memory.get("n", 0) + 1
        if ctx.memory["n"] > 20:
            raise ZeroDivisionError("the plan ran out")
"""


@contextmanager
def venue(*arguments: str) -> Iterator[str]:
    """A venue that plays; its address."""
    environ = {**os.environ, "PYTHONPATH": f"{REPO / 'src'}:{REPO}"}
    playing = subprocess.Popen(
        [sys.executable, "-m", "tests.family.live_venue", *arguments],
        env=environ, cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert playing.stdout is not None
        yield f"127.0.0.1:{int(playing.stdout.readline())}"
    finally:
        playing.kill()
        playing.wait()
        assert playing.stdout is not None
        playing.stdout.close()
