"""The loop: numbering, record, who is asked, when answers are folded, and what becomes of a decider that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.engine.room import BUY, PLAIN, SELL, C, Q, Room

from paperdesk.domain import commands
from paperdesk.domain.commands import Intent, command
from paperdesk.domain.events import INPUT, InputKind, OutputKind, stored_bytes
from paperdesk.engine.drive import MAX_ROUNDS, DeciderFailed, Drive

Row = np.ndarray[Any, Any]
CQ = PLAIN._replace(number=1, symbol="C/Q", base=C, quote=Q)


class Paper:
    """A journal in memory."""

    def __init__(self) -> None:
        self.record: list[tuple[str, Any]] = []

    def take_input(self, data: bytes) -> None:
        self.record.append(("input", data))

    def take_outputs(self, rows: Row) -> None:
        self.record.append(("outputs", rows.copy()))

    def take_note(self, note: dict[str, Any]) -> None:
        self.record.append(("note", note))


class Scripted:
    """A decider that does what a test says, and remembers what it was shown."""

    def __init__(
        self,
        bot: int = 1,
        on_input: Callable[[int, Row | None], list[Row]] = lambda kind, outputs: [],
        on_output: Callable[[Row], list[Row]] = lambda outputs: [],
        kinds: tuple[InputKind, ...] = (InputKind.TRADE,),
        instruments: tuple[int, ...] = (0,),
        account: int = 0,
    ) -> None:
        self.account, self.bot, self.name = account, bot, f"bot {bot}"
        self.kinds, self.instruments = frozenset(map(int, kinds)), frozenset(instruments)
        self.on_input, self.on_output = on_input, on_output
        self.seen: list[tuple[int, int]] = []
        self.told: list[list[int]] = []

    def decide(self, kind: int, block: Row, index: int, outputs: Row | None = None) -> list[Row]:
        self.seen.append((kind, 0 if outputs is None else len(outputs)))
        return self.on_input(kind, outputs)

    def observe(self, outputs: Row) -> list[Row]:
        self.told.append([int(kind) for kind in outputs["kind"]])
        return self.on_output(outputs)


def drive_of(*deciders: Scripted, latency_ns: int = 0) -> tuple[Drive, Paper, Room]:
    """The loop over an opened desk."""
    room, paper = Room([PLAIN, CQ], latency_ns=latency_ns), Paper()
    return Drive(room.fold, paper, deciders), paper, room


def trades(room: Room, *prices: int, number: int = 0) -> Row:
    """A block of trades, a nanosecond apart."""
    block = np.zeros(len(prices), INPUT)
    for place, price in enumerate(prices):
        row = block[place]
        row["kind"], row["instrument"], row["trade_price_ticks"], row["trade_qty_lots"] = (
            InputKind.TRADE,
            number,
            price,
            5,
        )
        row["ts_seq_ns"] = room.now + place + 1
    return block


def order(bot: int = 1, price: int | None = 90, side: Any = BUY) -> Row:
    """A small order."""
    return commands.submit_order(0, bot, PLAIN, Intent(side, 1, price))


def kinds_of(paper: Paper) -> list[str]:
    """The record, by name."""
    names = []
    for what, data in paper.record:
        if what == "input":
            names.append(InputKind(int.from_bytes(data[:2], "little")).name)
        elif what == "outputs":
            names += [OutputKind(int(kind)).name for kind in data["kind"]]
        else:
            names.append(data["type"])
    return names


def test_inputs_are_numbered_and_recorded_before_anyone_is_asked() -> None:
    record_seen: list[int] = []
    decider = Scripted()
    drive, paper, room = drive_of(decider)
    decider.on_input = lambda kind, outputs: record_seen.append(len(paper.record)) or []  # type: ignore[func-returns-value]
    first = drive.seq
    drive.feed(trades(room, 100, 101))
    assert drive.seq == first + 2 == room.fold.seq and drive.market_inputs == 2
    assert record_seen == [1, 2]
    data = paper.record[0][1]
    assert len(data) == stored_bytes(InputKind.TRADE)
    assert int.from_bytes(data[24:32], "little") == first + 1


def test_answers_are_folded_before_the_next_input_at_the_time_reached() -> None:
    decider = Scripted(on_input=lambda kind, outputs: [order(), order(side=SELL, price=120)])
    drive, paper, room = drive_of(decider)
    drive.feed(trades(room, 100, 101))
    answer = ["SUBMIT_ORDER", "ORDER_SUBMITTED", "POSTING", "ORDER_ACCEPTED"]
    assert kinds_of(paper) == ["TRADE", *answer, *answer] * 2
    assert drive.outputs[int(OutputKind.ORDER_SUBMITTED)] == 4
    causes = [int(row["cause"]) for what, rows in paper.record if what == "outputs" for row in rows if row["kind"] == 6]
    assert causes == [drive.seq - 5, drive.seq - 5, drive.seq - 2, drive.seq - 2], (
        "each order names the input that led to it"
    )
    assert decider.told[0] == [6, 2, 8], "without latency an order arrives in the input that brought it"


def test_only_those_concerned_are_asked() -> None:
    mine = Scripted(1)
    other = Scripted(2, instruments=(1,))
    bars = Scripted(0, kinds=(InputKind.BAR,))
    drive, _, room = drive_of(mine, other, bars)
    drive.feed(trades(room, 100))
    drive.feed(trades(room, 7, number=1))
    assert (len(mine.seen), len(other.seen), len(bars.seen)) == (1, 1, 0)
    # Outputs of an account concern all its bots, whatever they asked for.
    drive.command(order())
    drive.feed(trades(room, 80))
    assert (len(mine.seen), len(other.seen), len(bars.seen)) == (2, 2, 1)
    drive.remove(other)
    drive.feed(trades(room, 7, number=1))
    assert len(other.seen) == 2


def test_a_command_is_told_to_the_accounts_deciders_who_may_answer() -> None:
    answers = [[commands.cancel_order(0, 1, 1)], []]
    decider = Scripted(on_output=lambda outputs: answers.pop(0) if answers else [])
    drive, paper, room = drive_of(decider)
    outputs = drive.command(order())
    assert [int(kind) for kind in outputs["kind"]] == [6, 2, 8]
    assert kinds_of(paper)[-3:] == ["CANCEL_REQUESTED", "ORDER_CANCELED", "POSTING"]
    assert decider.told[1] == [int(OutputKind.CANCEL_REQUESTED), int(OutputKind.ORDER_CANCELED), 2]
    assert len(drive.command(command(InputKind.TIMER))) == 0
    drive.note({"type": "hello"})
    assert paper.record[-1] == ("note", {"type": "hello"}) and room.money("Q") == (100_000, 0)


def fails(*_: Any) -> list[Row]:
    """What a broken strategy does."""
    raise DeciderFailed("bot 1", "on_trade", "it broke")


def test_a_decider_that_fails_is_stopped_and_its_orders_end() -> None:
    broken, sound = Scripted(1), Scripted(2)
    drive, paper, room = drive_of(broken, sound)
    drive.command(order(1))
    drive.command(order(2))
    broken.on_input = fails
    drive.feed(trades(room, 100, 101))
    assert [str(failure) for failure in drive.failures] == ["bot 1 failed in on_trade: it broke"]
    assert "bot_stopped" in kinds_of(paper)
    assert room.order(1) == {} and room.order(2)["bot"] == 2
    assert (len(broken.seen), len(sound.seen)) == (1, 2), "the desk goes on without it"
    assert drive.command(order(1))["reason"].tolist() == [33]


def test_a_decider_that_fails_on_outputs_is_stopped_too() -> None:
    broken = Scripted(1, on_input=lambda kind, outputs: [order(), order()], on_output=fails)
    drive, paper, room = drive_of(broken)
    drive.feed(trades(room, 100, 101))
    assert len(drive.failures) == 1 and drive.deciders == []
    assert kinds_of(paper).count("SUBMIT_ORDER") == 1, "what it had still wanted is not done"
    assert room.order(1) == {}


def test_a_decider_that_answers_itself_for_ever_is_stopped() -> None:
    echo = Scripted(1, on_input=lambda kind, outputs: [order()], on_output=lambda outputs: [order(price=1)])
    drive, paper, room = drive_of(echo)
    drive.feed(trades(room, 100))
    assert len(drive.failures) == 1 and str(MAX_ROUNDS) in drive.failures[0].text
    assert kinds_of(paper).count("SUBMIT_ORDER") == MAX_ROUNDS
    live = room.state["orders"]["status"]
    assert not ((live >= 2) & (live <= 4)).any()


def test_a_failure_has_its_own_words() -> None:
    assert str(DeciderFailed("x", "on_bar", "y")) == "x failed in on_bar: y"
    assert str(DeciderFailed("x", "on_bar", "y", "spelled out")) == "spelled out"
    with pytest.raises(ValueError, match="list"):
        drive, *_ = drive_of()
        drive.remove(Scripted())


def test_whoevers_orders_moved_is_told_whatever_moved_them() -> None:
    mover, sleeper = Scripted(1), Scripted(7, kinds=(), account=3)
    drive, _, room = drive_of(mover, latency_ns=1)
    room.open(3, bots=(7,), latency_ns=1)
    drive.seq = room.fold.seq
    drive.add(sleeper)
    drive.command(commands.submit_order(3, 7, PLAIN, Intent(BUY, 1, 90)))
    sleeper.told.clear()
    mover.on_input = lambda kind, outputs: [order(1)]
    drive.feed(trades(room, 100))
    assert sleeper.seen == [(int(InputKind.TRADE), 1)], "the trade lets the sleeper's order arrive"
    drive.command(order(1, price=101))
    sleeper.told.clear()
    drive.command(commands.kill())
    assert [int(OutputKind.ORDER_CANCELED) in told for told in sleeper.told] == [True]
