"""The engine's side of its link with the api: commands in, everything durable out, pictures as there is room.

One thread owns the fold, so this is asked between two blocks. Commands are folded, committed and answered at once; a key that was used
before is answered as it was then, also by an engine that was started again: each command stands in the log beside a note with
its key. What leaves is taken from what the projections take, so nothing leaves before it is durable.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec
import numpy as np

from paperdesk.api import messages as words
from paperdesk.app.accounts import ACCOUNT
from paperdesk.app.beside import fees_text, latency_text
from paperdesk.app.bootstrap import Plan
from paperdesk.app.family.mirror import copies
from paperdesk.app.family.order_words import Unusable, decimal, intent_of, legs_of
from paperdesk.app.family.pictures import Pictures
from paperdesk.app.family.tasks import resident_mb
from paperdesk.app.isolated import IsolatedBot
from paperdesk.app.loop import Run
from paperdesk.domain import commands
from paperdesk.domain.events import OUTPUT, OUTPUT_BYTES
from paperdesk.domain.instruments import Instrument
from paperdesk.engine.drive import DeciderFailed
from paperdesk.safety.link import Link

ROWS_KEPT: Final = 20_000
KEYS_KEPT: Final = 10_000
KEY_CHARS: Final = 128
PULSE_S: Final = 1.0
PICTURE_S: Final = 0.1
PROJECT_S: Final = 0.2
SNAPSHOT_S: Final = 60.0
IDLE_S: Final = 1.0
BARS_A_MESSAGE: Final = 1_000
REQUESTS_A_TURN: Final = 200
NOTES: Final = frozenset({"bot_stopped", "resumed", "market"})
"""Notes that people see among the events."""
ENCODE: Final = words.ENCODER.encode


class Answered(msgspec.Struct):
    """What a key was used for, and what came of it."""

    digest: str
    seq: int
    outputs: bytes = b""


class Company:
    """Everybody beside the loop. `taken` and `noted` come from whoever projects; `serve` is called between two blocks."""

    def __init__(self, link: Link, notice: str) -> None:
        """`notice` is what everybody must know about the source of prices."""
        self.link, self.notice = link, notice
        self._ring: deque[tuple[int, int, bytes]] = deque()
        """(last seq, rows, message), oldest first; ROWS_KEPT outputs and notes at most."""
        self._sent = self._dropped = self._ring_rows = 0
        self._failed: dict[int, str] = {}
        self._open: list[bytes] = []
        self._open_rows = self._last_seq = 0
        self._answers: OrderedDict[str, Answered] = OrderedDict()
        self._awaited: dict[int, str] = {}
        self._subscribed = self.served = False
        self._snapped = 0
        self._unsent: deque[bytes] = deque()
        self._replies: deque[bytes] = deque()
        self._spoken = dict.fromkeys(("pulse", "picture", "project", "snapshot", "idle"), time.monotonic())
        self._worked = (time.monotonic(), time.process_time())

    # What is durable, in order; also what an earlier process made durable

    def taken(self, rows: np.ndarray[Any, Any]) -> None:
        """A group of committed outputs, shape (n,) of OUTPUT."""
        data = rows.tobytes()
        for seq in [seq for seq in self._awaited if seq <= int(rows["seq"][-1])]:
            answered = self._answers.get(self._awaited.pop(seq))
            if answered is not None:
                answered.outputs = rows[rows["seq"] == seq][: words.MOST_ROWS].tobytes()
        self._open.append(data)
        self._open_rows += len(rows)
        self._last_seq = int(rows["seq"][-1])
        if self._open_rows >= words.MOST_ROWS:
            self._close_group()

    def noted(self, note: Mapping[str, Any]) -> None:
        """A committed note of the log."""
        if note.get("type") == "request":
            self._answers[note["key"]] = Answered(note["digest"], note["seq"])
            self._awaited[note["seq"]] = note["key"]
            while len(self._answers) > KEYS_KEPT:
                self._answers.popitem(last=False)
        elif note.get("type") in NOTES:
            if note["type"] == "bot_stopped":
                self._failed[note["bot"]] = note.get("text", "")
            self._close_group()
            self._keep(self._last_seq, ENCODE(words.Note(self._last_seq, dict(note))), 1)

    def _close_group(self) -> None:
        data, self._open, self._open_rows = b"".join(self._open), [], 0
        most = words.MOST_ROWS * OUTPUT_BYTES
        for start in range(0, len(data), most):
            piece = data[start : start + most]
            last = int(np.frombuffer(piece[-OUTPUT_BYTES:], OUTPUT)["seq"][0])
            self._keep(last, ENCODE(words.Outputs(piece)), len(piece) // OUTPUT_BYTES)

    def _keep(self, seq: int, message: bytes, rows: int) -> None:
        self._ring.append((seq, rows, message))
        self._ring_rows += rows
        while self._ring_rows > ROWS_KEPT:
            self._dropped, dropped_rows, _ = self._ring.popleft()
            self._ring_rows -= dropped_rows
            if self._sent == 0:  # too slow: it will ask again, and be told what it lost
                self._subscribed = False
            self._sent = max(0, self._sent - 1)

    # Between two blocks

    def begin(self, run: Run) -> None:
        """The run that all this is about."""
        self.run, self.plan = run, run.plan
        self.pictures = Pictures(len(run.plan.instruments))
        self.boot = f"{time.time_ns():x}"
        self._replies.append(self._welcome(-1))
        for host in run.hosts:
            if isinstance(host, IsolatedBot):
                host.begins_again = True

    def serve(self, block: np.ndarray[Any, Any]) -> None:
        """After a block was folded: look at it, answer who asks, send what there is room for, and what is due now and then."""
        self.served = True
        if len(block):
            self.pictures.take(block)
        if self.pictures.statuses:
            self.run.journal.commit()  # what was put out before comes before
            self._close_group()
            self._last_seq = self.run.drive.seq
        for instrument, status, reason in self.pictures.statuses:
            self.noted(
                {
                    "type": "market",
                    "instrument": instrument,
                    "status": status,
                    "reason": reason,
                    "ts_ns": self.run.drive.fold.ts_seq_ns,
                }
            )
        self.pictures.statuses.clear()
        for _ in range(REQUESTS_A_TURN):
            data = self.link.receive()
            if data is None:
                break
            said = words.FROM_API.decode(data)
            if isinstance(said, words.Subscribe):
                self._subscribe(said.after_seq)
            else:
                self._answer(said)
        self._pump()
        now = time.monotonic()
        if self.run.projector.waiting and self._is_due("project", PROJECT_S, now):
            self.run.project()
        if self._is_due("idle", IDLE_S, now):
            self._look_at_bots()
        if self._snapped != self.run.drive.seq and self._is_due("snapshot", SNAPSHOT_S, now):
            self.run.snapshot()
            self._snapped = self.run.drive.seq

    def _look_at_bots(self) -> None:
        """A user's strategy that computes though it was asked nothing is stopped."""
        drive = self.run.drive
        for host in [one for one in self.run.hosts if isinstance(one, IsolatedBot)]:
            for decider in [one for one in drive.deciders if one.bot == host.bot]:
                try:
                    host.check_idle()
                except DeciderFailed as failure:
                    drive.stop(decider, failure)

    def _is_due(self, what: str, every_s: float, now: float) -> bool:
        if now - self._spoken[what] < every_s:
            return False
        self._spoken[what] = now
        return True

    def _subscribe(self, after_seq: int) -> None:
        """Begin anew behind a place."""
        self._close_group()
        self._unsent.clear()
        self._unsent.append(self._welcome(after_seq))
        for number, picture in enumerate(self.pictures.markets):
            rows = picture.rows(picture.bars)
            for start in range(0, len(rows), BARS_A_MESSAGE):
                self._unsent.append(ENCODE(words.Bars(number, rows[start : start + BARS_A_MESSAGE])))
            picture.changed = True
        self._sent = next((place for place, (seq, _, _) in enumerate(self._ring) if seq > after_seq), len(self._ring))
        self._subscribed = True
        self._spoken["pulse"] = self._spoken["picture"] = 0.0

    def _welcome(self, after_seq: int) -> bytes:
        """What this desk is. `after_seq` -1: nobody asked, an engine began."""
        plan, run = self.plan, self.run
        notes = list(plan.notes())
        bots = [
            {
                "bot": number,
                "name": f"{strategy.name}-{number}",
                "strategy": strategy.name,
                "parameters": {name: str(value) for name, value in parameters.items()},
                "isolated": process is not None,
            }
            for number, (strategy, parameters, process) in enumerate(
                zip(plan.strategies, plan.parameters, plan.processes, strict=True), start=1
            )
        ]
        welcome = words.Welcome(
            run.manifest.run, self.boot, plan.feed.label, plan.options.feed, self.notice, run.drive.seq, after_seq < self._dropped,
            ACCOUNT, plan.reporting.name, [note for note in notes if note["type"] == "asset"],
            [note for note in notes if note["type"] == "instrument"], bots, plan.wall, run.manifest.product_version, run.manifest.created_s, after_seq,
            accounts_told(plan), latency_text(plan.options), fees_text(plan.options),
        )  # fmt: skip
        return ENCODE(welcome)

    def _pump(self) -> None:
        """Send what waits, as far as there is room."""
        if self._open:
            self._close_group()
        while self._replies and self.link.send(self._replies[0]):
            self._replies.popleft()
        if not self._subscribed:
            return
        while self._unsent and self.link.send(self._unsent[0]):
            self._unsent.popleft()
        while not self._unsent and self._sent < len(self._ring) and self.link.send(self._ring[self._sent][2]):
            self._sent += 1
        if self._unsent or self._sent < len(self._ring):
            return
        now = time.monotonic()
        if now - self._spoken["picture"] >= PICTURE_S and any(one.changed for one in self.pictures.markets):
            self._spoken["picture"] = now
            for told in self.pictures.told(self.run.drive.fold):
                if self.link.send(ENCODE(words.Market([told]))):
                    self.pictures.sent(told.instrument)
        if now - self._spoken["pulse"] >= PULSE_S:
            self._spoken["pulse"] = now
            self.link.send(ENCODE(self._pulse(now)))

    def _pulse(self, now: float) -> words.Pulse:
        run, fold = self.run, self.run.drive.fold
        (last, used), worked = self._worked, time.process_time()
        self._worked = (now, worked)
        accounts = [words.AccountTold(one.number, fold.equity(one.number)) for one in self.plan.accounts]
        marks = fold.state["markets"][0]["mark_ticks"][: len(self.plan.instruments)].tolist()
        return words.Pulse(
            run.drive.seq, fold.ts_seq_ns, time.time_ns(), self._projected(), run.drive.market_inputs + run.skip,
            sum(run.drive.outputs.values()), run.journal.commits, run.journal.slowest_ms(), min(1.0, (worked - used) / max(now - last, 1e-9)),
            resident_mb(), bool(fold.state["killed"][0]), accounts, list(enumerate(marks)), self._bots(), getattr(self.plan.feed, "told", {}),
        )  # fmt: skip

    def _projected(self) -> int:
        """How far the projections are: inputs that put nothing out have nothing to be projected."""
        return self.run.projector.applied_seq if self.run.projector.waiting else self.run.drive.seq

    def _bots(self) -> list[tuple[int, str, str]]:
        alive = {decider.bot for decider in self.run.drive.deciders}
        rows = self.run.drive.fold.state["bots"][0]
        told = []
        for number in range(1, len(self.plan.strategies) + 1):
            if number in alive:
                told.append((number, "paused" if rows[number]["killed"] else "running", ""))
            else:
                told.append((number, "failed", self._failed.get(number, "")))
        return told

    # Commands

    def _answer(self, request: words.Request) -> None:
        reply = self._reply(request)
        self._replies.append(ENCODE(reply))

    def _reply(self, request: words.Request) -> words.Reply:
        number, key = request.request, request.key
        digest = blake2b(ENCODE(request.what), digest_size=16).hexdigest()
        if not 0 < len(key) <= KEY_CHARS:
            return refusal(number, f"an idempotency key has 1 to {KEY_CHARS} characters")
        known = self._answers.get(key)
        if known is not None and known.digest != digest:
            text = "this idempotency key was used for another command; choose a new key for a new command"
            return words.Reply(number, "conflict", known.seq, 0, text, b"", True)
        if known is None:
            try:
                row = self._row(request.what)
            except Unusable as error:
                return refusal(number, str(error))
            run = self.run
            run.drive.note({"type": "request", "key": key, "digest": digest, "seq": run.drive.seq + 1})
            outputs = run.drive.command(row)
            for copy in copies(run.drive.fold, self.plan.accounts[1:], row, outputs):
                run.drive.command(copy)
            run.journal.commit()
            known = self._answers[key]
            return words.Reply(number, "done", known.seq, 0, "", known.outputs, False)
        return words.Reply(number, "done", known.seq, 0, "", known.outputs, True)

    def _row(self, what: words.Wanted) -> np.ndarray[Any, Any]:
        """The input that a command becomes."""
        if isinstance(what, words.SubmitOrder):
            return commands.submit_order(ACCOUNT, 0, self._instrument(what.instrument), intent_of(what))
        if isinstance(what, words.SubmitList):
            kind, legs = legs_of(what)
            return commands.submit_list(ACCOUNT, 0, self._instrument(what.instrument), kind, legs)
        if isinstance(what, words.CancelOrder):
            return commands.cancel_order(ACCOUNT, 0, what.order_id)
        if isinstance(what, words.AmendOrder):
            return self._amend(what)
        if isinstance(what, words.CancelAll):
            if not -1 <= what.instrument < len(self.plan.instruments):
                raise Unusable(f"there is no instrument {what.instrument}")
            return commands.cancel_all(ACCOUNT, 0, what.instrument)
        if what.bot != -1 and not 1 <= what.bot <= len(self.plan.strategies):
            raise Unusable(f"there is no bot {what.bot}; this desk has bots 1 to {len(self.plan.strategies)}")
        account = -1 if what.bot == -1 else ACCOUNT
        if isinstance(what, words.Kill):
            return commands.kill(account, what.bot)
        if what.bot > 0 and what.bot not in {decider.bot for decider in self.run.drive.deciders}:
            raise Unusable(
                f"bot {what.bot} was stopped because it failed, and its memory ended with it: mend the strategy and start a new run"
            )
        return commands.resume(account, what.bot)

    def _instrument(self, number: int) -> Instrument:
        if not 0 <= number < len(self.plan.instruments):
            raise Unusable(f"there is no instrument {number}")
        instrument: Instrument = self.plan.instruments[number]
        return instrument

    def _amend(self, what: words.AmendOrder) -> np.ndarray[Any, Any]:
        orders = self.run.drive.fold.orders
        found = orders["instrument"][(orders["account"] == ACCOUNT) & (orders["id"] == what.order_id)]
        quantity = decimal("quantity", what.quantity)
        lots = commands.amended_lots(self.plan.instruments[int(found[0])], quantity) if len(found) else 0
        return commands.amend_order(ACCOUNT, 0, what.order_id, lots)


def accounts_told(plan: Plan) -> list[dict[str, Any]]:
    """The accounts of a run, as `Welcome` tells them."""
    strategies = list(enumerate(plan.strategies, start=1))
    return [
        {
            "account": one.number,
            "role": one.role,
            "label": one.label,
            "fill_model": one.model,
            "bots": [[one.bot(place), one.bot_name(strategy.name, place)] for place, strategy in strategies],
        }
        for one in plan.accounts
    ]


def refusal(request: int, text: str) -> words.Reply:
    """A command that became no input."""
    return words.Reply(request, "refused", 0, 0, text, b"", False)
