"""An engine that is none: it speaks `api.messages` at the other end of a link, tells a recorded run, and answers commands as it is told to.

It is driven by the test that owns it, on a thread of its own; `boot` anew is what a restarted engine looks like.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from paperdesk.api import messages as say
from paperdesk.domain.events import OUTPUT, OutputKind
from paperdesk.domain.layout import OUTPUT_BYTES
from paperdesk.domain.reasons import Reason
from paperdesk.safety.link import Link
from paperdesk.store.reading import OUTPUT_ROW, SEQ

Rows = np.ndarray[Any, Any]
MINUTE_NS = 60_000_000_000
FIRST_NS = 1_767_225_660_000_000_000

OWN = {"account": 0, "role": "main", "label": "account", "fill_model": "expected", "bots": [[1, "quoter-1"]]}


def rows_of(*fields: dict[str, int]) -> bytes:
    """Outputs with the named fields set."""
    rows = np.zeros(len(fields), OUTPUT)
    for row, values in zip(rows, fields, strict=True):
        for name, value in values.items():
            row[name] = value
    return rows.tobytes()


class Engine:
    """The engine's side. All methods may be called from the test's thread."""

    def __init__(
        self,
        descriptor: int,
        run: str,
        rows: bytes,
        notes: Iterable[dict[str, Any]],
        label: str = "SIMULATED",
    ) -> None:
        self.link = Link(descriptor)
        self.run, self.label, self.boot = run, label, "first"
        self.notes = list(notes)
        self.rows = rows
        self.dropped_seq = 0
        """Everything up to here is no longer kept."""
        self.muted = False
        self.subscribed = False
        self.killed = False
        self.subscriptions: list[int] = []
        self.requests: list[say.Request] = []
        self.answers: dict[str, tuple[say.Wanted, say.Reply]] = {}
        self.reply: Callable[[say.Request], say.Reply | None] = self.usual
        self.next_order = 100_000
        self.pulses = True
        self.projected_seq: int | None = None
        self.bots: list[tuple[int, str, str]] = [(1, "running", "")]
        self.beside: list[dict[str, Any]] = []
        """Accounts beside the desk's own, as `Welcome.accounts` tells them."""
        self._outbox: list[bytes] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> Engine:
        """Begin to listen and to speak."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop, and let go of the link."""
        self._ended.set()
        self._thread.join()
        self.link.close()

    @property
    def seq(self) -> int:
        """The last input that caused an output."""
        return OUTPUT_ROW.unpack(self.rows[-OUTPUT_BYTES:])[SEQ] if self.rows else 0

    # What a test makes happen

    def say(self, message: say.Told) -> None:
        """Say something, after what waits."""
        with self._lock:
            self._outbox.append(say.ENCODER.encode(message))

    def state(self, *fields: dict[str, int]) -> None:
        """State outputs: kept, and told."""
        data = rows_of(*fields)
        with self._lock:
            self.rows += data
            if self.subscribed:
                self._outbox += self._messages(data)

    def note(self, note: dict[str, Any]) -> None:
        """A note behind the last input."""
        self.say(say.Note(self.seq, note))

    def restart(self, boot: str) -> None:
        """As if another process had taken over: nobody is subscribed, answers come from the log."""
        with self._lock:
            self._outbox.clear()
            self.boot, self.subscribed = boot, False

    def event(self, seq: int, kind: OutputKind = OutputKind.ORDER_ACCEPTED, **more: int) -> dict[str, int]:
        """Fields of an output."""
        return {"kind": int(kind), "seq": seq, "ts_seq_ns": FIRST_NS + seq, "side": 1, "order_type": 2, "version": 1, "time_in_force": 1,
                "bot": 1, "order_id": seq, **more}  # fmt: skip

    def market(self, tick: int, status: int = 0, reason: int = 0, trades: int = 1) -> None:
        """A picture of the first market, other prices with each tick."""
        price = 600_000 + tick
        bar = (FIRST_NS + tick // 10 * MINUTE_NS, price - 5, price + 5, price - 9, price, 1_000)
        told = say.MarketTold(
            0, FIRST_NS + tick, status, reason,
            [(price - level, 100 + level) for level in range(20)], [(price + 1 + level, 100 + level) for level in range(20)],
            [(FIRST_NS + tick, 1 + index % 2, price, 10 + index) for index in range(trades)], [bar],
        )  # fmt: skip
        self.say(say.Market([told]))

    def pulse(self, **more: Any) -> None:
        """How the desk is."""
        fields: dict[str, Any] = {
            "seq": self.seq, "ts_seq_ns": FIRST_NS, "wall_ns": time.time_ns(),
            "projected_seq": self.seq if self.projected_seq is None else self.projected_seq, "market_inputs": 20_000,
            "outputs": len(self.rows) // OUTPUT_BYTES, "commits": 7, "commit_ms": 1.5, "busy": 0.25, "rss_mb": 200.5, "killed": self.killed,
            "accounts": [say.AccountTold(0, 999_383_781_130)], "marks": [(0, 600_000)], "bots": self.bots,
            "feed": {"connected": True, "calls": [["api.example.com", "/api/v3/depth", "allowed", 3]]},
        }  # fmt: skip
        self.say(say.Pulse(**{**fields, **more}))

    def usual(self, request: say.Request) -> say.Reply | None:
        """Orders are submitted, cancels requested, switches switched; the same key is answered the same way."""
        known = self.answers.get(request.key)
        if known is not None:
            what, reply = known
            if what != request.what:
                return say.Reply(
                    request.request, "conflict", reply.seq, 0, "the key was used for another command", b"", True
                )
            return say.Reply(request.request, reply.code, reply.seq, reply.reason, reply.text, reply.outputs, True)
        reply = self._do(request)
        self.answers[request.key] = (request.what, reply)
        return reply

    def _do(self, request: say.Request) -> say.Reply:
        what, seq, number = request.what, self.seq + 1, request.request
        fields = self.event(seq)
        if isinstance(what, say.SubmitOrder):
            if len(what.quantity.replace("-", "")) > 30:
                return say.Reply(number, "refused", 0, 0, "quantity is not a number", b"", False)
            self.next_order += 1
            denied = float(what.quantity) > 1_000
            kind = OutputKind.ORDER_DENIED if denied else OutputKind.ORDER_SUBMITTED
            reason = int(Reason.INSUFFICIENT_BALANCE) if denied else 0
            fields |= {
                "kind": int(kind),
                "reason": reason,
                "bot": 0,
                "order_id": self.next_order,
                "price_ticks": 599_000,
                "qty_lots": 100,
            }
        elif isinstance(what, say.CancelOrder):
            live = what.order_id > 100_000
            kind = OutputKind.CANCEL_REQUESTED if live else OutputKind.CANCEL_REJECTED
            reason = 0 if live else int(Reason.UNKNOWN_ORDER)
            fields |= {"kind": int(kind), "order_id": what.order_id, "reason": reason, "bot": 0}
        elif isinstance(what, say.Kill | say.Resume):
            kind = OutputKind.KILLED if isinstance(what, say.Kill) else OutputKind.RESUMED
            self.killed = isinstance(what, say.Kill) if what.bot < 0 else self.killed
            fields |= {"kind": int(kind), "account": -1 if what.bot < 0 else 0, "bot": what.bot, "order_id": 0}
        else:
            return say.Reply(number, "done", seq, 0, "", b"", False)
        self.rows += rows_of(fields)
        self._outbox += self._messages(rows_of(fields))
        return say.Reply(number, "done", seq, 0, "", rows_of(fields), False)

    # The thread

    def _messages(self, data: bytes) -> list[bytes]:
        size = say.MOST_ROWS * OUTPUT_BYTES
        return [say.ENCODER.encode(say.Outputs(data[at : at + size])) for at in range(0, len(data), size)]

    def _welcome(self, after_seq: int) -> say.Welcome:
        def notes(kind: str) -> list[dict[str, Any]]:
            return [note for note in self.notes if note["type"] == kind]

        bots = [
            {
                "bot": note["bot"],
                "name": note["name"],
                "strategy": "quoter",
                "parameters": {"size": "0.001"},
                "isolated": False,
            }
            for note in notes("bot")
        ]
        return say.Welcome(
            self.run, self.boot, self.label, "sim", "its prices are invented", self.seq, after_seq < self.dropped_seq, 0, "USDT",
            notes("asset"), notes("instrument"), bots, "seccomp filter", "0.1.0", 1_767_225_600.0, after_seq,
            [OWN, *self.beside], "50 ms", "as each instrument says",
        )  # fmt: skip

    def _take(self, data: bytes) -> None:
        said = say.FROM_API.decode(data)
        if self.muted:
            return
        with self._lock:
            if isinstance(said, say.Subscribe):
                self.subscriptions.append(said.after_seq)
                self.subscribed = True
                self._outbox.append(say.ENCODER.encode(self._welcome(said.after_seq)))
                past = [
                    (FIRST_NS - (60 - minute) * MINUTE_NS, 600_000, 600_100, 599_900, 600_050, 500)
                    for minute in range(60)
                ]
                self._outbox.append(say.ENCODER.encode(say.Bars(0, past)))
                after = max(said.after_seq, self.dropped_seq)
                kept = b"".join(
                    self.rows[at : at + OUTPUT_BYTES]
                    for at in range(0, len(self.rows), OUTPUT_BYTES)
                    if OUTPUT_ROW.unpack_from(self.rows, at)[SEQ] > after
                )
                self._outbox += self._messages(kept)
                return
            self.requests.append(said)
            reply = self.reply(said)
            if reply is not None:
                self._outbox.append(say.ENCODER.encode(reply))

    def _work(self) -> None:
        spoken = 0.0
        while not self._ended.is_set():
            select.select([self.link.fileno()], [], [], 0.02)
            try:
                while (data := self.link.receive()) is not None:
                    self._take(data)
            except EOFError:
                return
            if self.muted:
                continue
            with self._lock:
                while self._outbox and self.link.send(self._outbox[0]):
                    del self._outbox[0]
            if self.pulses and self.subscribed and time.monotonic() - spoken > 0.3:
                spoken = time.monotonic()
                self.pulse()
