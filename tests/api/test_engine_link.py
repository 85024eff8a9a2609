"""The api's end of the link, alone: what comes twice is taken once, what was said to another api is not taken, bars stay in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.api.engine import Engine, rows_of

from paperdesk.api import messages as say
from paperdesk.api.engine_link import EngineLink
from paperdesk.api.ring import NOWHERE, START, Ring
from paperdesk.api.told import Unanswered
from paperdesk.domain.events import OutputKind
from paperdesk.safety.link import Link, pair

ASSETS: list[dict[str, Any]] = [{"number": 0, "name": "BTC", "scale": 8}, {"number": 1, "name": "USDT", "scale": 8}]


class Wire:
    """A link in memory: what is put in is received, what is sent is kept."""

    def __init__(self, room: bool = True) -> None:
        self.room = room
        self.sent: list[say.Told] = []

    def fileno(self) -> int:
        raise AssertionError("nobody listens here")

    def send(self, message: bytes) -> bool:
        if self.room:
            self.sent.append(say.FROM_API.decode(message))
        return self.room

    def receive(self) -> bytes | None:
        return None


def link_of(wire: Wire, clock: Callable[[], float] = time.monotonic) -> EngineLink:
    link = EngineLink(wire, clock)
    link._subscribe()
    return link


def take(link: EngineLink, *said: say.Told) -> None:
    for one in said:
        link._take(say.ENCODER.encode(one))


def welcome(after_seq: int = 0, lost: bool = False, run: str = "one", seq: int = 9) -> say.Welcome:
    return say.Welcome(
        run, "boot", "SIMULATED", "sim", "", seq, lost, 0, "USDT", ASSETS, [], [], "", "0.1.0", 0.0, after_seq
    )


def accepted(*places: tuple[int, int]) -> say.Outputs:
    fields = [
        {"kind": int(OutputKind.ORDER_ACCEPTED), "seq": seq, "number": number, "order_id": 1} for seq, number in places
    ]
    return say.Outputs(rows_of(*fields))


def places(link: EngineLink) -> list[tuple[int, int]]:
    return list(link.ring._places)


def test_what_was_said_to_another_api_is_not_taken() -> None:
    link = link_of(Wire())
    take(link, accepted((7, 0)), say.Note(7, {"type": "resumed"}), welcome(after_seq=6), accepted((8, 0)))
    assert places(link) == [] and link.welcome is None
    take(link, welcome(after_seq=0), accepted((1, 0), (7, 0)), accepted((8, 0)))
    assert places(link) == [(1, 0), (7, 0), (8, 0)] and link.ring.cursor((1, 0)) == 1


def test_what_comes_twice_is_taken_once() -> None:
    wire = Wire()
    link = link_of(wire)
    take(
        link,
        welcome(),
        accepted((1, 0), (1, 1)),
        say.Note(1, {"type": "resumed"}),
        say.Note(1, {"type": "data_note", "text": "a"}),
    )
    link._subscribe()
    assert wire.sent[-1] == say.Subscribe(0)
    take(
        link,
        welcome(),
        accepted((1, 0), (1, 1)),
        say.Note(1, {"type": "resumed"}),
        say.Note(1, {"type": "data_note", "text": "a"}),
    )
    take(link, accepted((2, 0)), say.Note(1, {"type": "resumed"}))
    assert places(link) == [(1, 0), (1, 1), (1, 1_000_000), (1, 1_000_001), (2, 0)]


def test_a_hole_is_known_as_one() -> None:
    link = link_of(Wire())
    take(link, welcome(lost=True), accepted((5, 2), (6, 0)))
    assert link.ring.cursor((5, 0)) is None and link.ring.cursor((5, 1)) == 0 and link.ring.cursor((5, 2)) == 1
    before = link.ring.generation
    link._subscribe()
    take(link, welcome(after_seq=5, lost=True), accepted((9, 0)))
    assert link.ring.generation == before + 1 and places(link) == [(9, 0)] and link.ring.cursor((6, 0)) is None


def test_another_run_begins_anew() -> None:
    wire = Wire()
    link = link_of(wire)
    take(link, welcome(), accepted((5, 0)))
    link._subscribe()
    assert wire.sent[-1] == say.Subscribe(4)
    take(link, welcome(after_seq=4, run="two", seq=9), accepted((6, 0)), accepted((7, 0)))
    assert wire.sent[-1] == say.Subscribe(0) and link.welcome is None, "the place asked for was another run's"
    take(link, welcome(after_seq=0, run="two", seq=9), accepted((1, 0), (6, 0)), accepted((7, 0)))
    assert places(link) == [(1, 0), (6, 0), (7, 0)] and link.ring.cursor((1, 0)) is not None


def test_an_engine_that_greets_unasked_is_asked() -> None:
    wire = Wire()
    link = link_of(wire)
    take(link, welcome(), accepted((5, 0)))
    take(link, welcome(after_seq=-1))
    assert wire.sent[-1] == say.Subscribe(4)


def test_silence_and_unanswered_questions_are_asked_again() -> None:
    now = [100.0]
    wire = Wire()
    link = link_of(wire, lambda: now[0])
    for step, asked in ((1.0, 1), (2.5, 2), (1.0, 2), (2.5, 3)):
        now[0] += step
        take(link, say.Note(0, {"type": "resumed"}))
        link.watch()
        assert len(wire.sent) == asked
    take(link, welcome())
    now[0] += 2.9
    link.watch()
    assert len(wire.sent) == 3 and link.heard
    now[0] += 0.2
    link.watch()
    assert len(wire.sent) == 4 and not link.heard


def test_bars_stay_in_order_and_bounded() -> None:
    link = link_of(Wire())
    minute = 60_000_000_000
    take(
        link,
        welcome(),
        say.Bars(0, [(5 * minute, 1, 1, 1, 1, 1)]),
        say.Bars(0, [(one * minute, 1, 1, 1, 1, 1) for one in range(4)]),
    )
    assert [at // minute for at in link.bars[0]] == [0, 1, 2, 3, 5]
    take(link, say.Bars(0, [(one * minute, 1, 1, 1, 1, 1) for one in range(10, 1_600)]))
    assert len(link.bars[0]) == 1_500 and next(iter(link.bars[0])) == 100 * minute


def test_garbage_on_the_link_is_told_and_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    link = link_of(Wire())
    link._take(b"\xc1garbage")
    take(link, welcome(), accepted((1, 0)))
    assert "cannot be read" in capsys.readouterr().err and places(link) == [(1, 0)]


def test_a_ring_forgets_from_its_end() -> None:
    ring = Ring(keep=10)
    for seq in range(1, 1_100):
        ring.reach((seq, 0))
        ring.add((seq, 0), str(seq))
    assert ring.read(0, 5) is None and ring.cursor((5, 0)) is None
    cursor = ring.cursor((1_090, 0))
    assert cursor is not None and ring.read(cursor, 3) == ["1091", "1092", "1093"] and ring.place(cursor) == (1_090, 0)
    ring.begin_anew()
    assert ring.cursor((2_000, 0)) is None and ring.floor == NOWHERE and ring.read(cursor, 1) is None
    assert Ring().cursor(START) == 0


def test_commands_find_their_replies_over_a_real_link() -> None:
    ours, theirs = pair()
    engine = Engine(theirs, "one", rows_of({"kind": int(OutputKind.ORDER_ACCEPTED), "seq": 1}), []).start()

    wire = Link(ours)

    async def ask() -> None:
        link = EngineLink(wire)
        link.start()
        await asyncio.wait_for(link.welcomed.wait(), 10)
        replies = await asyncio.gather(*(link.request(f"key-{one}", say.CancelAll()) for one in range(20)))
        assert [reply.code for reply in replies] == ["done"] * 20 and link._waiting == {}
        link.wire = Wire(room=False)
        with pytest.raises(Unanswered) as refused:
            await link.request("full", say.Kill())
        assert refused.value.status == 503 and refused.value.problem.error == "busy" and link._waiting == {}
        asyncio.get_running_loop().remove_reader(ours)

    asyncio.run(ask())
    engine.close()
    wire.close()
