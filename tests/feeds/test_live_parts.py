"""Parts of the live feed on their own: its clock, its reasons not to trust, its pauses."""

from __future__ import annotations

import asyncio

import pytest

from paperdesk.domain.events import MarketStatus
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.live.clock import Clock, steady_ns
from paperdesk.feeds.live.link import MOST_WAITING, Frame, Inbox, Link, Lost, Opened, Pace
from paperdesk.feeds.live.rest import depth_of, klines_of, stream_url, trades_of
from paperdesk.feeds.live.status import Cause, LiveWriter, told_as
from paperdesk.feeds.port import Refusals
from paperdesk.safety.allowlist import judge
from paperdesk.safety.outside import NoAnswer

SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND


class Hands:
    """A wall clock and a steady one, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.steady = T0, 5 * SECOND

    def pass_by(self, ns: int) -> None:
        """Time passes."""
        self.wall += ns
        self.steady += ns

    def clock(self) -> Clock:
        """A clock that reads them."""
        return Clock(lambda: self.wall, lambda: self.steady)


def test_time_passes_as_it_passes() -> None:
    hands = Hands()
    clock = hands.clock()
    for _ in range(10):
        hands.pass_by(SECOND)
        assert clock.now_ns() == hands.wall
    assert clock.jumps == 0


@pytest.mark.parametrize("jump_s", [-86_400, -3_600, -2, 2, 3_600, 86_400, 365 * 86_400])
def test_a_clock_that_is_set_does_not_lead_time_astray(jump_s: int) -> None:
    hands = Hands()
    clock = hands.clock()
    last = clock.now_ns()
    hands.wall += jump_s * SECOND
    for _ in range(100):
        hands.pass_by(SECOND // 10)
        now = clock.now_ns()
        assert SECOND // 20 <= now - last <= 3 * SECOND // 20, "it goes on, at half to one and a half of the pace"
        last = now
    assert clock.jumps == 1
    if abs(jump_s) == 2:
        assert last == hands.wall, "and has caught up"


@pytest.mark.parametrize("ahead_s", [-3_600, 0, 3_600])
def test_a_record_that_goes_on_never_goes_back(ahead_s: int) -> None:
    hands = Hands()
    reached = T0 + ahead_s * SECOND
    clock = Clock(lambda: hands.wall, lambda: hands.steady, reached)
    last = max(reached, T0)
    for _ in range(10):
        hands.pass_by(SECOND)
        now = clock.now_ns()
        assert last + SECOND // 2 <= now <= last + SECOND, "at half the pace, until the wall clock has caught up"
        last = now
    assert (last == hands.wall) == (ahead_s <= 0)


def test_a_clock_that_is_set_back_and_forth_comes_home() -> None:
    hands = Hands()
    clock = hands.clock()
    for jump in (3_600, -3_600):
        hands.wall += jump * SECOND
        hands.pass_by(SECOND)
        clock.now_ns()
    hands.pass_by(4 * SECOND)
    assert clock.now_ns() == hands.wall and clock.jumps == 2


def test_a_look_without_time_between_is_the_same_time() -> None:
    hands = Hands()
    clock = hands.clock()
    assert clock.now_ns() == clock.now_ns() == T0
    hands.steady -= 1
    assert clock.now_ns() == T0
    assert steady_ns() <= steady_ns()


def test_causes_amount_to_the_worst_of_them() -> None:
    assert told_as(Cause(0)) == (MarketStatus.LIVE, Reason.NONE)
    for causes in range(1, 16):
        status, reason = told_as(Cause(causes))
        assert (status is MarketStatus.GAP) == bool(causes & (Cause.BOOK | Cause.TRADES))
        assert reason is not Reason.NONE and status is not MarketStatus.LIVE


def test_a_market_is_told_live_when_nothing_speaks_against_it() -> None:
    writer = LiveWriter(Refusals(), 1)
    live = [
        writer.mark(0, "X", T0, Cause.LINK, True),
        writer.mark(0, "X", T0, Cause.TRADES, True),
        writer.mark(0, "X", T0, Cause.TRADES, True),
        writer.mark(0, "X", T0, Cause.LINK, False),
        writer.mark(0, "X", T0, Cause.TRADES, False),
        writer.mark(0, "X", T0, Cause.TRADES, False),
    ]
    assert live == [False, False, False, False, True, False]
    writer.status(0, "X", T0, T0, MarketStatus.GAP, Reason.SEQUENCE_GAP)
    writer.status(0, "X", T0, T0, MarketStatus.LIVE, Reason.NONE)
    rows = next(iter(writer.finish()))
    assert rows["status"].tolist() == [1, 2, 0, 2, 0]


def test_every_address_that_the_feed_asks_for_may_leave() -> None:
    names = [f"{base}USDT" for base in ("BTC", "ETH", "1INCH", "SOL")]
    assert judge("GET", stream_url(names)).reason is Reason.NONE
    assert judge("GET", stream_url([f"AB{n}USDT" for n in range(10, 60)])).reason is Reason.NONE, "fifty markets"


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b"null", b"<html>", b"", b'{"lastUpdateId":7}', b'{"lastUpdateId":"7"}']
)
def test_answers_of_another_kind_are_told(data: bytes) -> None:
    for read in (depth_of, klines_of, lambda data: trades_of(data, "BTCUSDT")):
        if data == b"[]" and read is not depth_of:
            continue
        with pytest.raises(NoAnswer) as told:
            read(data)
        assert told.value.reason is Reason.NOT_JSON


class Dead:
    """A wire over which nothing comes."""

    def __init__(self, why: NoAnswer) -> None:
        self.why = why

    async def get(self, address: str) -> bytes:
        raise self.why

    async def connect(self, address: str) -> Dead:
        raise self.why

    async def receive(self) -> bytes:
        raise self.why

    async def close(self) -> None:
        """Nothing to close."""


def pauses(why: NoAnswer, seed: int, count: int = 8) -> list[float]:
    """The pauses of a link that never opens."""
    link = Link(Dead(why), "", Inbox(Clock()), Pace(), seed)
    told = []
    for _ in range(count):
        link.failures += 1
        told.append(link._pause(why))
    return told


def test_pauses_grow_to_a_limit_and_differ_by_seed() -> None:
    async def run() -> None:
        why = NoAnswer(Reason.CONNECTION_LOST, "x")
        first, again, other = pauses(why, 1), pauses(why, 1), pauses(why, 2)
        assert first == again != other
        for place, pause in enumerate(first):
            longest = min(30.0, 0.5 * 2**place)
            assert longest / 2 <= pause <= longest
        assert min(pauses(NoAnswer(Reason.RATE_LIMITED, "x", 77.0), 1)) == 77.0
        assert min(pauses(NoAnswer(Reason.REGION_REFUSED, "x"), 1)) == 300.0
        assert all(pause <= 30.0 for pause in pauses(why, 3, 3_000))

    asyncio.run(run())


def test_a_link_tells_each_end_and_its_pause() -> None:
    async def run() -> None:
        inbox = Inbox(Clock())
        pace = Pace(first_pause_s=0.0, longest_pause_s=0.0)
        running = asyncio.create_task(Link(Dead(NoAnswer(Reason.TIMED_OUT, "x")), "", inbox, pace, 1).run())
        events = [event for _, event in await inbox.take(3, 1.0)]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert events and all(isinstance(event, Lost) for event in events)
        inbox.put(Opened())
        times = [at_ns for at_ns, _ in await inbox.take(10_000, 1.0)]
        assert times == sorted(times)
        assert await inbox.take(1, 0.001) == []

    asyncio.run(run())


def test_a_full_inbox_is_waited_for_and_nothing_is_dropped() -> None:
    async def run() -> None:
        inbox = Inbox(Clock())
        for _ in range(MOST_WAITING):
            inbox.put(Frame(b""))
        waiting = asyncio.create_task(inbox.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        assert len(await inbox.take(MOST_WAITING, 1.0)) == MOST_WAITING
        await waiting

    asyncio.run(run())
