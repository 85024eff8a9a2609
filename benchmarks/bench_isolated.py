"""What does a process of its own cost a strategy? The same events, the same strategy, in the loop and behind its wall, interleaved.

Workload: a simulated market's quotes, books and trades, one event a call; the strategy counts, and sends an order at every fourteenth.
The baseline is the same host in this process. Figures are medians and 99th percentiles of the events it wants, and their ratio.
"""

import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from paperdesk.app.isolated import IsolatedBot, load
from paperdesk.app.user_code import read_files
from paperdesk.domain.events import InputKind
from paperdesk.feeds.simulated import simulated
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.registry import build, load_given

BLOCKS = 60
STRATEGY = """
from paperdesk.strategies.api import Strategy

class Counting(Strategy):
    def on_trade(self, ctx, trade):
        self.count(ctx, trade.symbol)

    def on_quote(self, ctx, quote):
        self.count(ctx, quote.symbol)

    def count(self, ctx, symbol):
        n = ctx.memory["n"] = ctx.memory.get("n", 0) + 1
        if n % 14 == 0:
            ctx.buy_lots(symbol, 1, 100)
"""


def spent_ns(decider: Any, kind: int, block: np.ndarray, index: int) -> int:
    """How long one decision takes."""
    started = time.perf_counter_ns()
    decider.decide(kind, block, index)
    return time.perf_counter_ns() - started


def main() -> None:
    """Measure, interleaved, and print one table."""
    feed = simulated(["BTC/USDT"], 5)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "counting.py"
        file.write_text(STRATEGY, encoding="utf-8")
        inside = BotHost(build(load_given(*read_files(str(file)))), 0, 1, feed.instruments, "counting-1")
        started = time.perf_counter()
        _, process = load(str(file))
        start_s = time.perf_counter() - started
    outside = IsolatedBot(process, 0, 1, feed.instruments, "counting-1", {}, 5.0)
    times: dict[str, list[int]] = {"in the loop": [], "isolated": []}
    try:
        for block in islice(feed.blocks(), BLOCKS):
            for index, kind in enumerate(block["kind"].tolist()):
                if kind in outside.kinds and kind != InputKind.TIMER:
                    times["in the loop"].append(spent_ns(inside, kind, block, index))
                    times["isolated"].append(spent_ns(outside, kind, block, index))
        assert inside.snapshot() == outside.snapshot(), "both saw the same"
    finally:
        process.close()
    medians = {name: statistics.median(one) / 1000 for name, one in times.items()}
    print(f"{len(times['isolated'])} events; a process, its wall and the file took {start_s:.2f} s to start")
    for name, one in times.items():
        ratio = medians[name] / medians["in the loop"]
        print(
            f"{name:12} median {medians[name]:7.1f} µs  p99 {statistics.quantiles(one, n=100)[98] / 1000:7.1f} µs  ratio {ratio:5.1f}"
        )


if __name__ == "__main__":
    main()
