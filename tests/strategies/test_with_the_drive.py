"""Hosts under the desk's own loop: the port fits, runs repeat to the byte, one that raises is stopped alone."""

from typing import Any

import numpy as np
from tests.strategies.desk import Desk, assert_view_is_true
from tests.strategies.rows import BTC, ETH, SECOND, T0, block, host_of, trade
from tests.strategies.test_with_the_fold import FUNDS, bots, market

from paperdesk.domain.events import InputKind
from paperdesk.engine.drive import Drive
from paperdesk.strategies.api import Strategy
from paperdesk.strategies.context import Context
from paperdesk.strategies.events import Trade
from paperdesk.strategies.host import BotHost


class Paper:
    """A journal that keeps everything in memory."""

    def __init__(self) -> None:
        self.inputs: list[bytes] = []
        self.outputs: list[bytes] = []
        self.notes: list[dict[str, Any]] = []

    def take_input(self, data: bytes) -> None:
        self.inputs.append(data)

    def take_outputs(self, rows: np.ndarray) -> None:
        self.outputs.append(rows.tobytes())

    def take_note(self, note: dict[str, Any]) -> None:
        self.notes.append(note)


def driven(hosts: list[BotHost], rows: list[np.ndarray]) -> tuple[Drive, Paper, Desk]:
    """A market through the desk's loop; the account is opened by the tests' desk before."""
    desk, paper = Desk(hosts, FUNDS, (BTC, ETH), SECOND), Paper()
    drive = Drive(desk.fold, paper, hosts)
    for start in range(0, len(rows), 16):
        drive.feed(block(*rows[start : start + 16]).copy())
    return drive, paper, desk


def test_the_view_is_true_under_the_drive_and_runs_repeat() -> None:
    runs = []
    for _ in range(2):
        hosts = bots()
        drive, paper, desk = driven(hosts, market(21, 300))
        assert not drive.failures
        for host in hosts:
            assert_view_is_true(desk, host)
        kinds = [int.from_bytes(row[:2], "little") for row in paper.inputs]
        assert kinds.count(InputKind.SUBMIT_ORDER) > 50
        runs.append((paper.inputs, paper.outputs, drive.fold.hash()))
    assert runs[0] == runs[1]


def test_a_strategy_that_raises_is_stopped_and_told_of_and_the_others_go_on() -> None:
    class Trips(Strategy):
        def on_trade(self, ctx: Context, trade: Trade) -> None:
            if trade.price_ticks == 103:
                raise RuntimeError("no more")
            ctx.memory["seen"] = ctx.memory.get("seen", 0) + 1
            ctx.buy_lots(trade.symbol, 1, 50)

    class Counts(Strategy):
        def on_trade(self, ctx: Context, trade: Trade) -> None:
            ctx.memory["seen"] = ctx.memory.get("seen", 0) + 1

    trips = host_of(Trips, instruments=(BTC, ETH))
    counts = host_of(Counts, instruments=(BTC, ETH))
    counts.bot = counts.view.bot = 2
    rows = [trade(T0 + step * SECOND, 100 + step) for step in range(6)]
    drive, paper, _ = driven([trips, counts], rows)
    assert (trips.ctx.memory["seen"], counts.ctx.memory["seen"]) == (3, 6)
    (failure,) = drive.failures
    assert "RuntimeError: no more" in failure.text and "Trips failed in on_trade" in str(failure)
    assert [note["type"] for note in paper.notes] == ["bot_stopped"]
    orders = drive.fold.state["orders"][0]
    assert not ((orders["bot"] == 1) & (orders["status"] >= 2) & (orders["status"] <= 4)).any()
