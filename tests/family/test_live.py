"""A desk whose market comes through the door, from a venue on this machine: what is lost is told, orders stop meanwhile, and go on by themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.app.desk import paperdesk
from tests.family.desk import REPO, Desk, Listener, desk

from paperdesk.app.home import Home


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


def statuses(listener: Listener) -> list[int]:
    """What was said of the market, in order."""
    return [event["note"]["status"] for event in listener.events if event["kind"] == "market"]


def until_status(one: Desk, listener: Listener, status: int, count: int) -> None:
    """Follow until the market's status was told so often."""
    listener.follow(lambda: statuses(listener).count(status) >= count)


def test_orders_stop_while_the_door_is_away_and_resume_by_themselves(tmp_path: Path) -> None:
    with (
        venue("--rate", "300") as address,
        desk(tmp_path / "home", "--strategy", "quoter", "--venue-at", address, feed="live") as one,
    ):
        told = one.get("desk")
        assert told["label"] == "SIMULATED", "prices from this machine never pass for the venue's"
        assert any("server on this machine" in note for note in told.get("notes", [])) or told["label"] == "SIMULATED"
        listener = Listener(one.url)
        until_status(one, listener, 0, 1)
        assert one.order().status_code in (200, 201)
        lives = statuses(listener).count(0)
        door = one.processes()["door"]["pid"]
        os.kill(door, signal.SIGSTOP)
        until_status(one, listener, 1, statuses(listener).count(1) + 1)
        refused = one.order()
        assert refused.status_code == 422 and refused.json()["refusal"]["name"] == "stale_data"
        os.kill(door, signal.SIGCONT)
        until_status(one, listener, 0, lives + 1)
        assert one.order().status_code in (200, 201)
        lives = statuses(listener).count(0)
        os.kill(one.processes()["door"]["pid"], signal.SIGKILL)
        until_status(one, listener, 0, lives + 1)
        assert one.processes()["door"]["restarts"] == 1
        lives = statuses(listener).count(0)
        os.kill(one.processes()["engine"]["pid"], signal.SIGKILL)
        until_status(one, listener, 0, lives + 1)
        assert one.order().status_code in (200, 201)
        assert one.stop()[0] == 0
    assert paperdesk("db", "check", "--home", tmp_path / "home").code == 0
    assert paperdesk("replay", "0001-live", "--verify", "--home", tmp_path / "home").code == 0


def test_a_live_desk_goes_on_with_its_account_and_a_simulated_one_is_another(tmp_path: Path) -> None:
    with venue("--rate", "300") as address:
        with desk(tmp_path / "home", "--venue-at", address, feed="auto") as one:
            assert one.get("desk")["run"] == "0001-live"
            assert len(Home(tmp_path / "home").manifest("0001-live").past) == 2, "the venue's bars, for indicators"
            assert one.order().status_code in (200, 201)
            one.wait(lambda: one.get("fills")["fills"])
            held = {row["asset"]: row["total"] for row in one.get("state")["balances"]}
            assert one.stop()[0] == 0
        with desk(tmp_path / "home", feed="sim") as other:
            assert other.get("desk")["run"] == "0002-sim"
            assert {row["asset"]: row["total"] for row in other.get("state")["balances"]} != held
        with desk(tmp_path / "home", "--venue-at", address, feed="auto") as again:
            assert again.get("desk")["run"] == "0001-live"
            assert {row["asset"]: row["total"] for row in again.get("state")["balances"]} == held
