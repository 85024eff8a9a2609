"""`paperdesk up` with a page: one supervisor, and the processes it starts, watches, starts again and ends.

It holds the home's lock, the listening socket and both ends of every link, so that a process that dies leaves nothing of these behind, and
the next one goes on where it was. It trades nothing, decides nothing and reads no market data; it stays small. When it ends,
however it ends, the kernel ends the others with it.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

import msgspec
from rich.console import Console

from paperdesk.api.messages import ENCODER, Family, ProcessTold
from paperdesk.app.errors import EXIT_AGAIN, EXIT_FAILED, EXIT_IO, EXIT_LOCKED, EXIT_SETTINGS, EXIT_USAGE, DeskError
from paperdesk.app.family.notes import Notes
from paperdesk.app.family.tasks import (
    DECODE_SAID,
    ENCODE_WORD,
    OUTWARD,
    ApiTask,
    Carries,
    DoorTask,
    EngineTask,
    Found,
    Gone,
    NoOffer,
    resident_mb,
    start,
)
from paperdesk.app.home import Home
from paperdesk.app.options import DEFAULT_PORT, LIVE_SYMBOLS, RunOptions
from paperdesk.safety import link
from paperdesk.safety.allowlist import Entry
from paperdesk.safety.link import Link
from paperdesk.store.errors import StoreError
from paperdesk.store.lock import HomeLock, HomeLocked

ENGINE, DOOR, API = (f"paperdesk.app.family.{name}_process" for name in ("engine", "door", "api"))
LOOK_S: Final = 0.05
TELL_S: Final = 1.0
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 10.0
GOOD_AFTER_S: Final = 5.0
"""A process that lived so long is started again at once; one that did not waits longer each time."""
BEGIN_S: Final = 30.0
"""An engine that ends by itself within this time of the desk's start cannot begin."""
STOP_S: Final = 4.0
"""How long a process may take to end in order before it is ended."""
OFFER_S: Final = 8.0
FINAL: Final = frozenset({EXIT_USAGE, EXIT_SETTINGS, EXIT_LOCKED})
"""Exit codes that would be the same again."""


class Child:
    """One process, again and again."""

    def __init__(self, name: str, launch: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        self.name, self.launch = name, launch
        self.restarts, self.last_end, self.pause_s = 0, "", FIRST_PAUSE_S
        self.due_s = 0.0
        self.begin()

    def begin(self) -> None:
        """Start it."""
        self.process = self.launch()
        self.started_s, self.wall_s = time.monotonic(), time.time()
        self.is_running = True

    def look(self, now: float) -> bool:
        """Whether anything changed: it ended, or was started again."""
        if self.is_running:
            code = self.process.poll()
            if code is None:
                return False
            self.is_running, self.last_end = False, ended(code)
            lived = now - self.started_s
            self.pause_s = FIRST_PAUSE_S if lived >= GOOD_AFTER_S else min(self.pause_s * 2, LONGEST_PAUSE_S)
            self.due_s = now + self.pause_s
            return True
        if now < self.due_s:
            return False
        self.restarts += 1
        self.begin()
        return True

    @property
    def code(self) -> int | None:
        """What it ended with; None while it runs."""
        return self.process.poll()

    def told(self) -> ProcessTold:
        """How it is, for the api."""
        memory = resident_mb(self.process.pid) if self.is_running else 0.0
        state = "running" if self.is_running else "restarting"
        return ProcessTold(
            self.name, self.process.pid, state, self.restarts, round(self.wall_s, 3), memory, self.last_end
        )


def is_final(engine: Child, code: int, now: float) -> bool:
    """Whether an engine need not be started again: it ended in order, or cannot begin at all and said why."""
    begins = engine.restarts == 0 and now - engine.started_s < BEGIN_S
    return code == 0 or code in FINAL or (begins and code > 0 and code != EXIT_AGAIN)


def ended(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended by itself with code {code}"


class Supervisor:
    """The family of one desk."""

    def __init__(
        self, options: RunOptions, home: Home, as_json: bool, console: Console, receivers: Sequence[Entry] = ()
    ) -> None:
        """`receivers`: who is told how the family fares, by the settings."""
        self.options, self.home, self.as_json, self.console = options, home, as_json, console
        self.listening, self.port = listening(options.host, options.port)
        self.engine_to_api, self.api_to_engine = link.pair()
        self.engine_to_door, self.door_to_engine = link.pair()
        self.here_to_api, self.api_to_here = link.pair()
        self.here_to_door, self.door_to_here = link.pair()
        self.to_api, self.to_door = Link(self.here_to_api), Link(self.here_to_door)
        self.as_door = Link(os.dup(self.door_to_engine))
        self.children: list[Child] = []
        self.notes = Notes(receivers, lambda text: self._say(text, "yellow"))
        self.carries = Carries("", [])
        self.notice = ""
        self.asked = ""
        self._told_s = 0.0

    def run(self) -> int:
        """Start, watch, stop; the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)
        try:
            self.children.append(Child("api", self._start_api))
            self._say(f"The desk's page: http://{self.options.host}:{self.port}/  (Ctrl-C ends the desk)")
            wants_door = self.options.feed in ("auto", "live")
            if wants_door and not self.asked:
                self._open_door()
            if self.notes.receivers and self.options.feed != "live" and not self.asked:
                self.children.append(Child("door", self._start_door))
            if not self.asked:
                self.children.append(Child("engine", self._start_engine))
                self._tell(f"the desk begins. {self.notice}".strip())
            code = self._watch()
            self._tell(f"the desk ends: {self.asked or f'the engine {ended(code)}'}.")
            return code
        finally:
            self._stop()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = signal.Signals(number).name

    def _say(self, text: str, style: str = "") -> None:
        self.console.print(text, markup=False, style=style)

    def _tell(self, text: str) -> None:
        """Words for the receivers of notes; nobody waits."""
        label = {"sim": "SIMULATED", "replay": "REPLAY"}.get(self.options.feed, "LIVE MAINNET DATA")
        self.notes.tell("SIMULATED" if self.options.venue_at else label, text)

    # Starting

    def _start_api(self) -> "subprocess.Popen[bytes]":
        task = ApiTask(self.listening, self.api_to_engine, self.api_to_here, self.home.root, self.port)
        return start(API, task, [self.listening, self.api_to_engine, self.api_to_here])

    def _start_engine(self) -> "subprocess.Popen[bytes]":
        door = self.engine_to_door if self.options.feed == "live" else -1
        task = EngineTask(self.options, self.home.root, self.engine_to_api, door, self.notice, self.as_json)
        return start(ENGINE, task, [self.engine_to_api, door])

    def _start_door(self) -> "subprocess.Popen[bytes]":
        """With a market where one may be live; for notes alone where none is."""
        options, own, notes = self.options, self.door_to_here, self.notes
        has_market = options.feed in ("auto", "live")
        symbols = list(options.symbols or LIVE_SYMBOLS) if has_market else []
        engine, handed = self.door_to_engine if has_market else -1, notes.hand_over()
        task = DoorTask(symbols, engine, own, options.venue_at, OFFER_S, notes.listening, handed)
        try:
            return start(DOOR, task, [engine, own, notes.listening, handed], OUTWARD)
        finally:
            if handed >= 0:
                os.close(handed)

    def _open_door(self) -> None:
        """Ask for the live market; where it cannot be had, say so, and take a simulated one if that is allowed."""
        child = Child("door", self._start_door)
        until, why = time.monotonic() + OFFER_S + 5.0, ""
        poll = select.poll()
        poll.register(self.to_door.fileno(), select.POLLIN)
        while not self.asked and time.monotonic() < until and not why:
            poll.poll(LOOK_S * 1000)
            data = self.to_door.receive()
            said = DECODE_SAID.decode(data) if data is not None else None
            if isinstance(said, Found):
                self.children.append(child)
                self.options = msgspec.structs.replace(self.options, feed="live", speed=0.0)
                return
            if isinstance(said, NoOffer):
                why = said.text
            elif child.code is not None:
                why = f"the door's process {ended(child.code)}"
        end(child.process)
        if self.asked:
            return
        why = (why or "the door did not say anything in time").rstrip(".")
        if self.options.feed == "live":
            raise DeskError(
                f"The live market cannot be had: {why}. `--feed auto` trades a simulated market then.", EXIT_IO
            )
        self.notice = (
            f"The live market could not be reached ({why}), so these prices are simulated, in an account of their own."
        )
        self._say(f"SIMULATED: {self.notice}", "bold yellow")
        symbols = tuple(self.options.symbols or LIVE_SYMBOLS)
        self.options = msgspec.structs.replace(self.options, feed="sim", symbols=symbols, speed=1.0)

    # Watching

    def _watch(self) -> int:
        engine = next((child for child in self.children if child.name == "engine"), None)
        while not self.asked and engine is not None:
            now = time.monotonic()
            changed = False
            for child in self.children:
                was = child.is_running
                if child is engine and was and (code := child.code) is not None and is_final(child, code, now):
                    return code
                if child.look(now):
                    changed = True
                    if was:
                        self._mourn(child)
            if changed or now - self._told_s >= TELL_S:
                self._told_s = now
                self._tell_api()
            self.notes.look()
            time.sleep(LOOK_S)
        return 0

    def _mourn(self, child: Child) -> None:
        """Say that a process ended, to all whom it concerns."""
        if child.name == "door" and self.options.feed == "live":
            self.as_door.send(ENCODE_WORD(Gone()))
        text = f"he {child.name} process {child.last_end}; it is started again in {child.pause_s:g} s."
        self._say(f"T{text}", "yellow")
        self._tell(f"t{text}")

    def _tell_api(self) -> None:
        """How the family is, and what became of notes."""
        while (data := self.to_door.receive()) is not None:
            said = DECODE_SAID.decode(data)
            if isinstance(said, Carries):
                self.carries = said
        processes = [child.told() for child in self.children]
        told = Family(processes, self.carries.wall, self.carries.calls, self.notes.counts())
        self.to_api.send(ENCODER.encode(told))

    def _stop(self) -> None:
        """Ask everybody to end, wait for them, and let go of what was held. A door that carries the last notes is asked after them."""
        order = sorted(self.children, key=lambda child: ("engine", "api", "door").index(child.name))
        until = time.monotonic() + STOP_S
        for child in order:
            if child.is_running and not (child.name == "door" and self.notes.receivers):
                child.process.terminate()
        self.notes.close()
        for child in order:
            if child.is_running and child.name == "door":
                child.process.terminate()
        self._wait_for(order, until)
        for own in (self.to_api, self.to_door, self.as_door):
            own.close()
        pairs = (
            self.engine_to_api,
            self.api_to_engine,
            self.engine_to_door,
            self.door_to_engine,
            self.api_to_here,
            self.door_to_here,
        )
        for descriptor in (self.listening, *pairs):
            os.close(descriptor)

    def _wait_for(self, order: list[Child], until: float) -> None:
        for child in order:
            try:
                child.process.wait(max(0.05, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(
                    f"The {child.name} process did not end in {STOP_S:g} s; it was ended. Everything that was acknowledged is safe.",
                    "yellow",
                )
                end(child.process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process now, and wait for that."""
    process.kill()
    process.wait()


def listening(host: str, port: int | None) -> tuple[int, int]:
    """The page's socket; DeskError where it cannot be had. Without a wish for a port, the next free one does as well."""
    try:
        return link.listen(host, DEFAULT_PORT if port is None else port)
    except ValueError as error:
        raise DeskError(
            f"--host {host}: the page listens on this machine alone (127.0.0.1 or ::1) until it has a sign-in; anybody who "
            "reached it could trade this desk's account. To see it from elsewhere, forward the port: ssh -L 8420:127.0.0.1:8420 HOST",
            EXIT_USAGE,
        ) from error
    except OSError as error:
        if port is None:
            return link.listen(host, 0)
        raise DeskError(
            f"--port {port}: {os.strerror(error.errno or 0).lower()}. Choose another port, or leave --port out and a free one is taken.",
            EXIT_FAILED,
        ) from error


def up_with_page(
    options: RunOptions, home: Home, as_json: bool, console: Console, receivers: Sequence[Entry] = ()
) -> int:
    """Run a desk with its page until it is asked to stop; the exit code. `receivers`: who is told how it fares."""
    home.prepare()
    try:
        with HomeLock(home.root):
            code = Supervisor(options, home, as_json, console, receivers).run()
    except HomeLocked as error:
        raise DeskError(str(error), EXIT_LOCKED) from error
    except StoreError as error:
        raise DeskError(str(error), EXIT_IO) from error
    sys.stdout.flush()
    return code
