"""A desk for tests: the real fold, one account, some hosts, and the loop between them in its simplest form."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from tests.strategies.rows import ACCOUNT, BTC, ETH, T0, USDT

from paperdesk.domain import commands
from paperdesk.domain.instruments import Instrument
from paperdesk.engine.fold import Fold
from paperdesk.strategies.host import BotHost

ROUNDS = 64


class Desk:
    """Inputs in by `push`; every host sees each input with its outputs, then the outputs of its own commands."""

    def __init__(
        self,
        hosts: Sequence[BotHost],
        deposits: dict[str, str],
        instruments: Sequence[Instrument] = (BTC, ETH),
        latency_ns: int = 0,
    ) -> None:
        self.fold, self.hosts, self.seq, self.ts_ns = Fold(), list(hosts), 0, T0
        self.commands: list[np.ndarray] = []
        assets = {asset.number: asset for row in instruments for asset in (row.base, row.quote)}
        rows = [commands.define_asset(assets[number]) for number in sorted(assets)]
        rows += [commands.define_instrument(row) for row in instruments]
        rows += [commands.bind_source(5), commands.open_account(ACCOUNT, USDT, 5, latency_ns)]
        rows += [
            commands.deposit(ACCOUNT, asset, asset.to_units(Decimal(deposits[asset.name])))
            for asset in assets.values()
            if asset.name in deposits
        ]
        rows += [commands.register_bot(ACCOUNT, host.bot) for host in hosts]
        for row in rows:
            outputs = self._fold(row)
            for host in self.hosts:
                host.follow(outputs)

    def push(self, row: np.ndarray) -> np.ndarray:
        """Fold a market input (stamped with its own time) and let everyone react; its outputs."""
        self.ts_ns = max(self.ts_ns, int(row["ts_seq_ns"][0]))
        outputs = self._fold(row)
        wanted = [(host, host.decide(int(row["kind"][0]), row, 0, outputs)) for host in self.hosts]
        for host, wishes in wanted:
            self.carry(host, wishes)
        return outputs

    def carry(self, sender: BotHost, wishes: list[np.ndarray]) -> None:
        """Fold a bot's commands and what its answers lead to; other bots follow the outputs."""
        for _ in range(ROUNDS):
            if not wishes:
                return
            answers: list[np.ndarray] = []
            for command in wishes:
                self.commands.append(command)
                outputs = self._fold(command)
                for host in self.hosts:
                    if host is not sender:
                        host.follow(outputs)
                answers += sender.observe(outputs)
            wishes = answers
        raise AssertionError("the bot does not come to rest")

    def _fold(self, row: np.ndarray) -> np.ndarray:
        self.seq += 1
        row["seq"], row["ts_seq_ns"] = self.seq, self.ts_ns
        return self.fold.take(row)

    def bytes_of_commands(self) -> bytes:
        """Every command that was sent, as one text of bytes."""
        return b"".join(row.tobytes() for row in self.commands)


def assert_view_is_true(desk: Desk, host: BotHost) -> None:
    """What the host believes is what the fold knows: balances, positions, live orders."""
    state = desk.fold.state
    for number, held in host.view.balances.items():
        assert held == state["balances"][0][ACCOUNT, number, :2].tolist(), f"balance of asset {number}"
    for market in host.markets:
        assert market.position_units == int(state["bot_positions"][0][host.bot, market.number]["qty_units"])
    rows = state["orders"][0]
    live = rows[(rows["status"] >= 2) & (rows["status"] <= 4) & (rows["bot"] == host.bot)]
    known = sorted((row.order_id, row.status, row.filled_lots, row.qty_lots) for row in host.view.orders.values())
    assert known == sorted((int(r["id"]), int(r["status"]), int(r["filled_lots"]), int(r["qty_lots"])) for r in live)
