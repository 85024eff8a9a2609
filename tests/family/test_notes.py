"""A whole desk that tells receivers how its family fares: through the door, whatever dies, and without anybody who waits."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.app.desk import environment
from tests.family.desk import Desk, desk
from tests.family.test_live import venue

HOST, PATH, OTHER = "ntfy.example.com", "/my-desk", "hooks.example.org"
LISTENS = "0A"


def settings(folder: Path) -> Path:
    """A file that names two receivers."""
    file = folder / "desk.toml"
    file.write_text(
        f'[door]\nsenders = [{{ url = "https://{HOST}{PATH}", purpose = "notify" }},'
        f' {{ url = "https://{OTHER}/x", purpose = "notify" }}]\n',
        encoding="utf-8",
    )
    return file


class Told:
    """The file that a receiver writes notes down in."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def texts(self, host: str = HOST, path: str = PATH) -> list[str]:
        """Of all notes to one receiver, in order."""
        if not self.file.exists():
            return []
        rows = [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]
        notes = [body for at, where, body in rows if (at.partition(":")[0], where) == (host, path)]
        assert all(body.keys() == {"title", "text"} and body["title"] == "Paperdesk PAPER" for body in notes), notes
        return [body["text"] for body in notes]

    def count(self, words: str) -> int:
        """Notes that say so."""
        return sum(words in text for text in self.texts())


def kill(one: Desk, name: str) -> None:
    """As power loss does, and wait until another is there and all is well."""
    before = one.processes()[name]
    os.kill(before["pid"], signal.SIGKILL)
    one.wait(lambda: one.processes()[name]["restarts"] > before["restarts"])
    one.ready()


def listening(pid: int) -> int:
    """The port on which a process listens."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    (port,) = {int(row[1].split(":")[1], 16) for row in rows if row[3] == LISTENS and f"socket:[{row[9]}]" in links}
    return port


def metric(one: Desk, name: str, **labels: str) -> float:
    """One figure."""
    text = one.client.get("/metrics").text
    for line in re.findall(rf"^{name}\{{.*", text, re.MULTILINE):
        if all(f'{label}="{value}"' in line for label, value in labels.items()):
            return float(line.split()[-1])
    return 0.0


def test_receivers_are_told_how_a_family_without_a_live_market_fares(tmp_path: Path) -> None:
    told = Told(tmp_path / "notes")
    with (
        venue("--no-market", "--notes", str(told.file)) as address,
        desk(tmp_path / "home", "--venue-at", address, "--config", settings(tmp_path), feed="auto") as one,
    ):
        assert one.get("desk")["label"] == "SIMULATED" and set(one.processes()) == {"api", "engine", "door"}
        one.wait(lambda: told.count("the desk begins. The live market could not be reached") == 1)
        kill(one, "engine")
        one.wait(lambda: told.count("the engine process ended by SIGKILL; it is started again in") == 1)
        kill(one, "door")
        one.wait(lambda: told.count("the door process ended by SIGKILL; it is started again in") == 1)
        kill(one, "engine")
        one.wait(lambda: told.count("the engine process ended by SIGKILL") == 2)
        assert all(text.startswith("PAPER, SIMULATED: ") for text in told.texts())
        one.wait(lambda: metric(one, "paperdesk_notes_total", receiver=HOST, outcome="sent") == 4)
        one.wait(lambda: metric(one, "paperdesk_door_calls_total", host=HOST, path="notify-1", verdict="answered"))
        assert {wall["process"] for wall in one.get("desk")["walls"]} == {"engine", "api", "door"}
        assert one.processes()["door"]["rss_mb"] < one.processes()["api"]["rss_mb"], "it brings nothing of a market"
        # Nobody else gets anything through it, or learns of a receiver's address.
        door = one.processes()["door"]["pid"]
        for place in ("cmdline", "environ"):
            assert PATH.encode() not in Path(f"/proc/{door}/{place}").read_bytes()
        with socket.create_connection(("127.0.0.1", listening(door)), 10) as other:
            wish = b'{"purpose":"notify","method":"POST","url":"https://ntfy.example.com/my-desk","body":{"text":"forged"}}'
            other.sendall(
                b"POST /send HTTP/1.1\r\nAuthorization: Bearer 0123\r\nContent-Length: %d\r\n\r\n" % len(wish) + wish
            )
            assert other.recv(64).startswith(b"HTTP/1.1 401 ")
        one.wait(lambda: metric(one, "paperdesk_door_calls_total", verdict="token_refused") == 1)
        code, seconds = one.stop()
        assert code == 0 and seconds < 5.0, (code, seconds)
        assert told.texts()[-1] == "PAPER, SIMULATED: the desk ends: SIGTERM."
        assert told.texts() == told.texts(OTHER, "/x") and len(told.texts()) == 5, "each note once, to each receiver"


def test_the_door_carries_notes_beside_its_market(tmp_path: Path) -> None:
    told = Told(tmp_path / "notes")
    with (
        venue("--rate", "300", "--notes", str(told.file)) as address,
        desk(tmp_path / "home", "--venue-at", address, "--config", settings(tmp_path), feed="live") as one,
    ):
        one.wait(lambda: told.count("the desk begins.") == 1)
        assert one.get("desk")["run"] == "0001-live"
        kill(one, "door")
        one.wait(lambda: told.count("the door process ended by SIGKILL") == 1)
        kill(one, "engine")
        one.wait(lambda: told.count("the engine process ended by SIGKILL") == 1)
        one.wait(lambda: metric(one, "paperdesk_door_calls_total", host=OTHER, path="notify-2", verdict="answered"))
        assert one.stop()[0] == 0
        assert told.texts()[-1] == "PAPER, SIMULATED: the desk ends: SIGTERM."


def test_a_receiver_that_never_answers_holds_nobody_up(tmp_path: Path) -> None:
    told = Told(tmp_path / "notes")
    with (
        venue("--no-market", "--hang", "--notes", str(told.file)) as address,
        desk(tmp_path / "home", "--venue-at", address, "--config", settings(tmp_path), feed="auto") as one,
    ):
        one.wait(lambda: told.texts())
        for restarts in (1, 2):
            began = time.monotonic()
            os.kill(one.processes()["api"]["pid"], signal.SIGKILL)
            one.wait(lambda restarts=restarts: one.processes()["api"]["restarts"] == restarts)
            assert time.monotonic() - began < 10.0, "sooner than a receiver is given up"
        code, seconds = one.stop()
        assert code == 0 and seconds < 5.0, (code, seconds)
        assert len(told.texts()) == 1, "one note at a time"
        for host in (HOST, OTHER):
            assert f"Notes to {host} that were not sent: 4." in one.hear()


def test_without_receivers_there_is_no_sender(tmp_path: Path) -> None:
    with desk(tmp_path / "home") as one:
        assert set(one.processes()) == {"api", "engine"}
        inodes = {str(link.readlink()) for link in Path(f"/proc/{one.process.pid}/fd").iterdir() if link.is_symlink()}
        rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
        listens = [row for row in rows if row[3] == LISTENS and f"socket:[{row[9]}]" in inodes]
        assert len(listens) == 1, "the page's socket alone"
        assert len(list(Path(f"/proc/{one.process.pid}/task").iterdir())) == 1


def test_the_supervisor_imports_nothing_that_trades_or_speaks_http() -> None:
    program = (
        "import sys, paperdesk.app.family.supervisor\n"
        "print([name for name in ('aiohttp', 'asyncio', 'http', 'ssl', 'numpy', 'numba', 'polars') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
