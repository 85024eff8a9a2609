"""A whole desk, started, killed in parts, and stopped: what was acknowledged stays, what was not is not there, and nothing is left running."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
from tests.app.desk import paperdesk
from tests.family import kills
from tests.family.desk import Desk, Listener, alive, desk


def test_a_desk_starts_trades_tells_and_stops(tmp_path: Path) -> None:
    with desk(tmp_path / "home", "--strategy", "quoter") as one:
        told = one.get("desk")
        assert told["paper"] is True and told["label"] == "SIMULATED" and told["run"] == "0001-sim"
        answer = one.client.get("/healthz")
        assert answer.headers["x-paper-trading"] == "true"
        placed = one.order("first")
        assert placed.status_code in (200, 201), placed.text
        listener = Listener(one.url)
        listener.follow(lambda: any(event["kind"] == "fill" for event in listener.events))
        family = one.processes()
        assert set(family) == {"api", "engine"} and all(row["restarts"] == 0 for row in family.values())
        pids = [row["pid"] for row in family.values()]
        code, seconds = one.stop(signal.SIGINT)
        assert code == 0 and seconds < 5.0, (code, seconds)
        assert "SIMULATED on paper" in one.hear()
        assert not any(alive(pid) for pid in pids)
    assert paperdesk("db", "check", "--home", tmp_path / "home").code == 0
    assert paperdesk("replay", "0001-sim", "--verify", "--home", tmp_path / "home").code == 0


def test_each_process_may_die_and_nothing_that_was_told_is_lost(tmp_path: Path) -> None:
    with desk(tmp_path / "home", "--strategy", "quoter") as one:
        first = one.order("once").json()
        listener = Listener(one.url)
        for name in ("engine", "api", "engine"):
            before = one.processes()[name]
            os.kill(before["pid"], signal.SIGKILL)
            one.wait(lambda was=before, name=name: one.processes()[name]["restarts"] > was["restarts"])
            one.ready()
            again = one.order("once")
            assert again.json()["repeated"] is True and again.json()["order"] == first["order"]
        fresh = one.order("twice").json()
        listener.follow(lambda: any(event["order"] == fresh["order"] for event in listener.events))
        places = [tuple(map(int, event["id"].split("."))) for event in listener.events]
        assert places == sorted(set(places)) and listener.resets == 0, "each event once, in order"
        assert one.stop()[0] == 0
    assert paperdesk("db", "check", "--home", tmp_path / "home").code == 0
    assert paperdesk("replay", "0001-sim", "--verify", "--home", tmp_path / "home").code == 0


def test_no_process_outlives_the_supervisor(tmp_path: Path) -> None:
    with desk(tmp_path / "home") as one:
        pids = [row["pid"] for row in one.processes().values()]
        one.process.kill()
        one.process.wait()
        for _ in range(200):
            if not any(alive(pid) for pid in pids):
                break
            signal.sigtimedwait([], 0.05)
        assert not any(alive(pid) for pid in pids)
    with desk(tmp_path / "home") as again:
        assert again.get("desk")["run"] == "0001-sim", "the same command goes on with its run"


def test_the_kill_switch_holds_through_a_restart(tmp_path: Path) -> None:
    with desk(tmp_path / "home", "--strategy", "quoter") as one:
        assert one.post("kill").status_code == 200
        refused = one.order()
        assert refused.status_code == 422 and "killed" in refused.text
        pid = one.processes()["engine"]["pid"]
        os.kill(pid, signal.SIGKILL)
        one.wait(lambda: one.processes()["engine"]["pid"] != pid)
        one.ready()
        assert one.order().status_code == 422
        assert one.post("resume").status_code == 200
        assert one.order().status_code in (200, 201)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = paperdesk("up", "--feed", "sim", "--home", tmp_path / "home", "--port", str(port))
    assert (
        ended.code == 1
        and f"--port {port}: address already in use" in ended.message.lower()
        and "leave --port out" in ended.message
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", ""])
def test_a_page_for_others_is_refused(tmp_path: Path, host: str) -> None:
    ended = paperdesk("up", "--feed", "sim", "--home", tmp_path / "home", "--host", host or "::")
    assert ended.code == 2 and "on this machine alone" in ended.message and "ssh -L" in ended.message


def test_an_engine_that_cannot_begin_ends_the_desk_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("import os\nos.abort()\n", encoding="utf-8")
    ended = Desk(tmp_path / "home", "--strategy", tmp_path / "own.py")
    try:
        out = ended.process.communicate(timeout=60)[0]
        assert ended.process.returncode == 2 and "importing it ended its process" in out
    finally:
        ended.close()


def test_a_second_desk_in_the_same_home_is_refused(tmp_path: Path) -> None:
    with desk(tmp_path / "home"):
        ended = paperdesk("up", "--feed", "sim", "--home", tmp_path / "home")
        assert ended.code == 75 and "One home holds one desk" in ended.message


def test_a_market_that_cannot_be_reached_is_simulated_and_says_so_everywhere(tmp_path: Path) -> None:
    with desk(tmp_path / "home", "--venue-at", "127.0.0.1:9", feed="auto") as one:
        told = one.get("desk")
        assert told["label"] == "SIMULATED" and "could not be reached" in told["notice"]
        assert "SIMULATED: The live market could not be reached" in one.hear()
    ended = paperdesk("up", "--feed", "live", "--venue-at", "127.0.0.1:9", "--home", tmp_path / "other")
    assert ended.code == 74 and "--feed auto" in ended.message


def test_processes_are_killed_under_load(tmp_path: Path) -> None:
    outcome = kills.run(tmp_path, kills=3, seed=11, pause_s=(1.0, 2.0))
    assert sum(outcome.kills.values()) == 3 and outcome.acknowledged > 5 and outcome.events > 20


def test_a_strategy_whose_process_is_killed_goes_on_with_its_memory(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(kills.OWN, encoding="utf-8")
    with desk(tmp_path / "home", "--strategy", tmp_path / "own.py") as one:
        one.wait(lambda: one.get("fills")["fills"])
        engine = one.processes()["engine"]
        os.kill(kills.bots_of(engine["pid"])[0], signal.SIGKILL)
        one.wait(lambda: one.processes()["engine"]["restarts"] == 1)
        before = len(one.get("fills", limit=500)["fills"])
        one.wait(lambda: len(one.get("fills", limit=500)["fills"]) > before)
        assert [bot["state"] for bot in one.get("desk")["bots"]] == ["running"]
        assert "was killed; the desk begins again" in one.hear()
        assert one.stop()[0] == 0
    assert paperdesk("replay", "0001-sim", "--verify", "--home", tmp_path / "home").code == 0
