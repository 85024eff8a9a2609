"""A whole desk under load whose processes are killed at random: what a user sees meanwhile, and whether anything was lost.

Orders are sent with keys, and sent again with the same key until they are acknowledged, as a careful client does; a page's stream is
followed over all connections. Afterwards every acknowledged order is there exactly once, every event was told exactly once, in order,
the books agree, and folding the log again gives the same bytes.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from tests.app.desk import paperdesk
from tests.family.desk import PATIENCE_S, Desk, Listener, desk

OWN = """
from paperdesk.strategies.api import Strategy


class Own(Strategy):
    name = "own"

    def on_trade(self, ctx, trade):
        seen = ctx.memory["seen"] = ctx.memory.get("seen", 0) + 1
        if seen % 50 == 0:
            (ctx.buy if seen % 100 else ctx.sell)(trade.symbol, "0.001")
"""


class Outcome(NamedTuple):
    """What the kills led to. Seconds; `shares` is the part of the time in which an answer came, by what was asked."""

    kills: Counter[str]
    acknowledged: int
    events: int
    connections: int
    shares: dict[str, float]
    longest_s: dict[str, float]


class Asker(threading.Thread):
    """Asks again and again, and remembers for how long no answer came."""

    def __init__(self, ask: Any, pause_s: float) -> None:
        super().__init__(daemon=True)
        self.ask, self.pause_s = ask, pause_s
        self.asked = self.answered = 0
        self.longest_s = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        """Until told to stop."""
        last = time.monotonic()
        while not self.done.wait(self.pause_s):
            self.asked += 1
            answered, now = self.ask(), time.monotonic()
            self.longest_s = max(self.longest_s, now - last)
            if answered:
                self.answered += 1
                last = now


class Client:
    """Sends orders, each until it is acknowledged."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=8.0, headers={"Origin": url}, trust_env=False)
        self.orders: dict[str, str] = {}
        self.number = 0

    def send(self) -> bool:
        """One try; whether it was acknowledged. The next try is of the same order where it was not."""
        key = f"load-{self.number}"
        body = {"instrument": 0, "side": ("buy", "sell")[self.number % 2], "order_type": "market", "quantity": "0.001"}
        try:
            answer = self.http.post("/api/v1/orders", json=body, headers={"Idempotency-Key": key})
        except httpx.HTTPError:
            return False
        if answer.status_code not in (200, 201, 422):
            return False
        if answer.json().get("order"):
            self.orders[key] = answer.json()["order"]
        self.number += 1
        return True

    def read(self) -> bool:
        """Whether the account's picture can be had."""
        try:
            return self.http.get("/api/v1/state").status_code == 200
        except httpx.HTTPError:
            return False


def bots_of(engine: int) -> list[int]:
    """Processes of strategies: children of the engine."""
    children = Path(f"/proc/{engine}/task/{engine}/children").read_text(encoding="ascii").split()
    return [int(pid) for pid in children]


def kill_one(one: Desk, name: str) -> bool:
    """Kill a process by its part in the family; whether there was one."""
    try:
        family = one.processes()
        pid = family[name]["pid"] if name != "bot" else bots_of(family["engine"]["pid"])[0]
        os.kill(pid, signal.SIGKILL)
    except (httpx.HTTPError, AssertionError, KeyError, IndexError, OSError):
        return False
    return True


def run(
    folder: Path, kills: int, seed: int, venue: str = "", pause_s: tuple[float, float] = (1.5, 5.0), say: Any = print
) -> Outcome:
    """Kill so many processes; AssertionError where anything was lost, doubled or differs."""
    chance = random.Random(seed)
    own = folder / "own.py"
    own.write_text(OWN, encoding="utf-8")
    names = ["engine", "api", "bot", *(["door"] if venue else [])]
    arguments = ["--strategy", "quoter", "--strategy", str(own), *(["--venue-at", venue] if venue else [])]
    home, counted = folder / "home", Counter[str]()
    with desk(home, *arguments, feed="live" if venue else "sim") as one:
        listener, sender, reader = Listener(one.url), Client(one.url), Client(one.url)
        ended = threading.Event()
        following = threading.Thread(target=listener.follow, args=(ended.is_set, 1e9), daemon=True)
        askers = {"commands": Asker(sender.send, 0.1), "reads": Asker(reader.read, 0.05)}
        for thread in (following, *askers.values()):
            thread.start()
        while sum(counted.values()) < kills:
            time.sleep(chance.uniform(*pause_s))
            name = chance.choice(names)
            counted[name] += kill_one(one, name)
            say(f"{sum(counted.values())}/{kills} {name}", flush=True)
            assert one.process.poll() is None, one.hear()
        one.ready()
        for asker in askers.values():
            asker.done.set()
            asker.join()
        for client in (sender, reader):
            client.http.close()
        last = one.wait(
            lambda: one.order("the last").json().get("order")
        )  # a part that was killed last may still be away
        until = time.monotonic() + PATIENCE_S
        while not any(event.get("order") == last for event in listener.events) and time.monotonic() < until:
            time.sleep(0.05)
        ended.set()
        following.join(PATIENCE_S)
        told = [event["id"] for event in listener.events]
        kept = events_after(one, "0.0")
        check_events(told, kept, listener)
        for key, order in sender.orders.items():
            assert one.get(f"orders/{order}"), key
        assert len(set(sender.orders.values())) == len(sender.orders), "each key made one order"
        assert one.stop()[0] == 0
    run_name = "0001-live" if venue else "0001-sim"
    for command in (("db", "check"), ("replay", run_name, "--verify")):
        done = paperdesk(*command, "--home", home)
        assert done.code == 0, done.out + done.err
    shares = {name: asker.answered / max(1, asker.asked) for name, asker in askers.items()}
    longest = {name: asker.longest_s for name, asker in askers.items()}
    return Outcome(counted, len(sender.orders), len(told), listener.connections, shares, longest)


def events_after(one: Desk, place: str) -> list[str]:
    """Ids of all events that the desk keeps."""
    found: list[str] = []
    while True:
        page = one.get("events", after=place, limit=1000)
        if not page["events"]:
            return found
        found += [event["id"] for event in page["events"]]
        place = page["after"]


def check_events(told: list[str], kept: list[str], listener: Listener) -> None:
    """Each once, in order, none left out (as far back as the desk still keeps them)."""
    places = [tuple(map(int, one.split("."))) for one in told]
    assert places == sorted(set(places)), "each event once, in order"
    first = tuple(map(int, kept[0].split(".")))
    notes = 1_000_000  # notes have no number of their own in the log; an api that was started again counts them anew
    mine = [place for place in places if place >= first and place[1] < notes]
    theirs = [tuple(map(int, one.split("."))) for one in kept]
    theirs = [place for place in theirs if place[1] < notes and place <= places[-1]]
    assert listener.resets == 0, "every connection went on where the last one ended"
    assert set(theirs) <= set(mine), f"not told: {sorted(set(theirs) - set(mine))[:5]}"
