"""A desk in a bad world: a database that somebody holds, a disk that takes no more, a strategy that floods."""

from __future__ import annotations

import resource
import sqlite3
from pathlib import Path

from tests.app.desk import paperdesk
from tests.family.desk import desk

HOSTILE = """
from paperdesk.strategies.api import Strategy


class Flood(Strategy):
    name = "flood"

    def on_trade(self, ctx, trade):
        while True:
            ctx.buy_lots(trade.symbol, 1, 1)
"""


def test_a_database_that_is_held_delays_the_page_and_nothing_else(tmp_path: Path) -> None:
    with desk(tmp_path / "home", "--strategy", "quoter") as one:
        holder = sqlite3.connect(tmp_path / "home" / "paperdesk.db", isolation_level=None)
        try:
            holder.execute("BEGIN EXCLUSIVE")
            orders = [one.order().json() for _ in range(5)]
            assert all(order["code"] == "done" and order["order"] for order in orders), "trading goes on"
            one.wait(lambda: "Trading goes on" in one.hear())
            orders.append(one.order().json())
            assert orders[-1]["code"] == "done" and one.client.get("/healthz").status_code == 200
            held = one.processes()["engine"]["restarts"]
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        assert held == 0
        for order in orders:
            one.wait(lambda order=order: one.get(f"orders/{order['order']}"))
        assert one.stop()[0] == 0
    assert paperdesk("db", "check", "--home", tmp_path / "home").code == 0


def test_a_disk_that_takes_no_more_stops_trading_and_the_desk_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with desk(tmp_path / "home", "--strategy", "quoter") as one:
        before = one.order("before").json()
        engine = one.processes()["engine"]["pid"]
        resource.prlimit(engine, resource.RLIMIT_FSIZE, (1, 1))
        one.wait(lambda: one.processes()["engine"]["restarts"] >= 1)
        one.ready()
        again = one.order("before").json()
        assert again["repeated"] is True and again["order"] == before["order"]
        assert "trading stops" in one.hear()
        assert one.stop()[0] == 0
    assert paperdesk("replay", "0001-sim", "--verify", "--home", tmp_path / "home").code == 0


def test_a_strategy_that_floods_is_stopped_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "flood.py").write_text(HOSTILE, encoding="utf-8")
    with desk(
        tmp_path / "home", "--strategy", tmp_path / "flood.py", "--strategy", "quoter", "--callback-timeout", "1"
    ) as one:
        bots = one.wait(lambda: [bot for bot in one.get("desk")["bots"] if bot["state"] == "failed"])
        assert [bot["bot"] for bot in bots] == [1]
        assert bots[0]["failure"], "with what it failed"
        before = len(one.get("fills", limit=500)["fills"])
        one.wait(lambda: len(one.get("fills", limit=500)["fills"]) > before)
        assert one.processes()["engine"]["restarts"] == 0
        refused = one.post("bots/1/start")
        assert refused.status_code == 422 and "mend the strategy" in refused.text
        assert one.post("bots/2/stop").status_code == 200
        one.wait(lambda: [bot["state"] for bot in one.get("desk")["bots"]] == ["failed", "paused"])
        assert one.post("bots/2/start").status_code == 200
        one.wait(lambda: [bot["state"] for bot in one.get("desk")["bots"]] == ["failed", "running"])
