"""The one loop: market inputs go through the fold, deciders see what happened, their commands go through the fold.

Live, replay and backtest run this loop; only who feeds it and where its record goes differ. It owns the numbering (`seq`), knows no
clock and does no I/O: everything that is to be remembered goes to a `Journal`.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np

from paperdesk.domain.commands import stop_bot
from paperdesk.domain.events import INPUT_BYTES, InputKind, OutputKind, stored_bytes
from paperdesk.engine.fold import Fold
from paperdesk.engine.step import fold_at

Rows = np.ndarray[Any, Any]

MAX_ROUNDS: Final = 64
"""How often deciders may answer the outputs of their own answers before the bot is stopped."""

SEQ_AT: Final = 24
SEQ: Final = struct.Struct("<q")
STORED: Final = {int(kind): stored_bytes(kind) for kind in InputKind}
CAUSED: Final = frozenset({int(InputKind.SUBMIT_ORDER), int(InputKind.SIGNAL)})
"""Commands that name the input they answer."""
SUBMIT_LIST: Final = int(InputKind.SUBMIT_LIST)
TIMER: Final = int(InputKind.TIMER)


class Journal(Protocol):
    """Where the loop's record goes: every input and output, in order, before anything else may see it."""

    def take_input(self, data: bytes) -> None:
        """One input record, cut to what its kind stores."""

    def take_outputs(self, rows: Rows) -> None:
        """The outputs of the last input, shape (n,) of OUTPUT, n ≥ 1."""

    def take_note(self, note: dict[str, Any]) -> None:
        """Something for people that the fold does not see."""


class Decider(Protocol):
    """Whoever turns events into commands: a strategy's host, a model, a person's ticket."""

    account: int
    bot: int
    name: str
    kinds: frozenset[int]
    instruments: frozenset[int]

    def decide(self, kind: int, block: Rows, index: int, outputs: Rows | None = None) -> list[Rows]:
        """Commands in answer to the input block[index] and the outputs it caused."""

    def observe(self, outputs: Rows) -> list[Rows]:
        """Commands in answer to outputs that its own commands caused."""


class DeciderFailed(Exception):  # noqa: N818  a fact, named as one
    """A decider raised, or did not come back in time. `text` is for people; the bot is stopped, the desk goes on."""

    def __init__(self, bot: str, callback: str, text: str, message: str = "") -> None:
        super().__init__(message or f"{bot} failed in {callback}: {text}")
        self.bot = bot
        self.callback = callback
        self.text = text


class Drive:
    """The loop over one fold. `counts` counts inputs by kind and `outputs` outputs by kind."""

    def __init__(self, fold: Fold, journal: Journal, deciders: Sequence[Decider] = ()) -> None:
        """Deciders may come later with `add`; those given are asked in this order."""
        self.fold = fold
        self.journal = journal
        self.deciders: list[Decider] = []
        self.failures: list[DeciderFailed] = []
        self.outputs = dict.fromkeys((int(kind) for kind in OutputKind), 0)
        self.market_inputs = 0
        self.seq = fold.seq
        self._wanting: dict[int, list[Decider]] = {}
        self._by_account: dict[int, list[Decider]] = {}
        for decider in deciders:
            self.add(decider)

    def add(self, decider: Decider) -> None:
        """Ask one more decider from now on."""
        self.deciders.append(decider)
        self._by_account.setdefault(decider.account, []).append(decider)
        for kind in decider.kinds:
            self._wanting.setdefault(kind, []).append(decider)

    def remove(self, decider: Decider) -> None:
        """Ask a decider no more."""
        self.deciders.remove(decider)
        self._by_account[decider.account].remove(decider)
        for kind in decider.kinds:
            self._wanting[kind].remove(decider)

    def feed(self, block: Rows) -> None:
        """Take a block of market inputs, shape (n,) of INPUT in time order; every answer is folded before the next input."""
        data = memoryview(block.view(np.uint8).data)
        kinds, instruments = block["kind"].tolist(), block["instrument"].tolist()
        state, take_input, wanting, none = self.fold.state, self.journal.take_input, self._wanting, ()
        stored, pack = STORED, SEQ.pack_into
        for index, kind in enumerate(kinds):
            self.seq += 1
            at = index * INPUT_BYTES
            pack(data, at + SEQ_AT, self.seq)
            count = fold_at(state, block, index)
            take_input(bytes(data[at : at + stored[kind]]))
            self.market_inputs += 1
            asked = wanting.get(kind, none)
            if count or asked:
                self._answer(kind, instruments[index], block, index, count, asked)

    def command(self, row: Rows) -> Rows:
        """Fold one command now, at the time already reached; a copy of its outputs. Deciders see them, and may answer."""
        outputs = self._fold_command(row)
        self._tell(outputs)
        return outputs

    def note(self, note: dict[str, Any]) -> None:
        """Put something for people on record."""
        self.journal.take_note(note)

    def _fold_command(self, row: Rows) -> Rows:
        self.seq += 1
        row["seq"] = self.seq
        row["ts_seq_ns"] = self.fold.ts_seq_ns
        outputs = self.fold.take(row)
        self.journal.take_input(row.tobytes()[: STORED[int(row["kind"][0])]])
        self._record(outputs)
        return outputs

    def _record(self, outputs: Rows) -> None:
        if len(outputs):
            self.journal.take_outputs(outputs)
            for kind in outputs["kind"].tolist():
                self.outputs[kind] += 1

    def _answer(
        self, kind: int, instrument: int, block: Rows, index: int, count: int, asked: Sequence[Decider]
    ) -> None:
        """Let those concerned decide on an input, all before any of their commands is folded."""
        outputs: Rows | None = None
        cause = self.seq
        concerned = [decider for decider in asked if instrument in decider.instruments or kind == TIMER]
        if count:
            outputs = self.fold.outputs(count)
            self._record(outputs)
            touched = set(outputs["account"].tolist())
            concerned = [decider for decider in self.deciders if decider in concerned or decider.account in touched]
        commands: list[tuple[Decider, Rows]] = []
        for decider in concerned:
            try:
                commands.extend((decider, row) for row in decider.decide(kind, block, index, outputs))
            except DeciderFailed as failure:
                self.stop(decider, failure)
        if commands:
            self._carry_out(commands, cause)

    def _carry_out(self, waiting: list[tuple[Decider, Rows]], cause: int) -> None:
        """Fold commands in order; every decider of an account that outputs concern sees them and may answer, up to MAX_ROUNDS times."""
        for _ in range(MAX_ROUNDS):
            answers: list[tuple[Decider, Rows]] = []
            for sender, row in waiting:
                if sender not in self.deciders:
                    continue
                if row["kind"][0] in CAUSED:
                    row["cause"] = cause
                elif row["kind"][0] == SUBMIT_LIST:
                    row["list_cause"] = cause
                outputs = self._fold_command(row)
                if len(outputs):
                    answers.extend(self._observed(outputs))
            if not answers:
                return
            waiting = answers
        for sender in {id(sender): sender for sender, _ in waiting}.values():
            self.stop(
                sender,
                DeciderFailed(
                    sender.name, "answer", f"it answered its own orders more than {MAX_ROUNDS} times in a row"
                ),
            )

    def _observed(self, outputs: Rows) -> list[tuple[Decider, Rows]]:
        answers: list[tuple[Decider, Rows]] = []
        for account in sorted(set(outputs["account"].tolist())):
            for decider in list(self._by_account.get(account, ())):
                try:
                    answers.extend((decider, row) for row in decider.observe(outputs))
                except DeciderFailed as failure:
                    self.stop(decider, failure)
        return answers

    def _tell(self, outputs: Rows) -> None:
        answers = self._observed(outputs)
        if answers:
            self._carry_out(answers, self.seq)

    def stop(self, decider: Decider, failure: DeciderFailed) -> None:
        """Take a failed decider out, put its failure on record, and end its orders."""
        if decider not in self.deciders:
            return
        self.remove(decider)
        self.failures.append(failure)
        self.note(
            {
                "type": "bot_stopped",
                "bot": decider.bot,
                "account": decider.account,
                "name": decider.name,
                "text": failure.text,
            }
        )
        self._tell(self._fold_command(stop_bot(decider.account, decider.bot)))
