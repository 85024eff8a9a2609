"""Terms of trade: latencies that are drawn, fees that follow from thirty days of volume."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from tests.engine.room import BUY, DAY, MINUTE, NEVER, SECOND, B, Q, Room, fills

from paperdesk.domain import commands
from paperdesk.domain.events import LATENCY_POINTS, FillModel
from paperdesk.domain.instruments import Instrument
from paperdesk.engine.fold import Fold
from paperdesk.venue.latency import CANCELING, SUBMITTING, draw

POINTS = [place * 1_000_000 for place in range(LATENCY_POINTS)]
TIERS = [(0, 100_000, 200_000), (1_000, 50_000, 100_000), (5_000, 0, 10_000)]
FEES = Instrument(
    0,
    1,
    "B/Q",
    "test",
    B,
    Q,
    Decimal(1),
    Decimal(1),
    maker_fee=Decimal("0.01"),
    taker_fee=Decimal("0.02"),
    stale_after_ns=NEVER,
)


def arrival(room: Room, order_id: int) -> int:
    """How long an order takes."""
    row = room.order(order_id)
    return row["arrive_ns"] - row["submitted_ns"]


def test_drawn_latencies_lie_between_the_quantiles_and_differ() -> None:
    room = Room()
    room.quote(99, 5, 101, 5)
    assert room.put(commands.set_latencies(0, 7, POINTS)) == ["latency set"]
    for _ in range(40):
        room.submit(BUY, 1, 90)
    drawn = [arrival(room, number) for number in range(1, 41)]
    assert min(drawn) >= 0 and max(drawn) <= POINTS[-1] and len(set(drawn)) == 40
    assert room.put(commands.set_latencies(0, 7, [])) == ["latency set"]
    room.submit(BUY, 1, 90)
    assert arrival(room, 41) == 0, "a fixed latency again"


def test_a_draw_is_spread_evenly_and_follows_from_its_key_alone() -> None:
    drawn = [draw(5, number, SUBMITTING) for number in range(32_000)]
    counts = Counter(value >> 27 for value in drawn)
    assert len(counts) == 32 and min(counts.values()) > 850 and max(counts.values()) < 1150
    other = [draw(6, number, SUBMITTING) for number in range(1000)]
    cancels = [draw(5, number, CANCELING) for number in range(1000)]
    assert len({*drawn[:1000], *other, *cancels}) > 2_990
    assert drawn[:1000] == [draw(5, number, SUBMITTING) for number in range(1000)]


def test_orders_may_arrive_in_another_sequence_than_they_were_sent_in() -> None:
    room = Room()
    room.quote(99, 5, 101, 5)
    room.put(commands.set_latencies(0, 7, POINTS))
    for _ in range(8):
        room.submit(BUY, 1, 90)
    room.timer(SECOND)
    accepted = [line for line in room.lines if line.startswith("accepted")]
    assert len(accepted) == 8 and accepted != sorted(accepted)


@pytest.mark.parametrize("points", [POINTS[:-1], POINTS[::-1], [-1, *POINTS[1:]], [*POINTS[:-1], 61 * SECOND]])
def test_latencies_that_cannot_be(points: list[int]) -> None:
    assert Room().put(commands.set_latencies(0, 1, points)) == ["command refused invalid_amount"]


def test_terms_of_nobody() -> None:
    room = Room()
    assert room.put(commands.set_latencies(9, 1, POINTS)) == ["command refused unknown_account"]
    assert room.put(commands.set_fee_tiers(9, TIERS)) == ["command refused unknown_account"]


@pytest.mark.parametrize(
    "tiers", [[(5, 1, 1)], [(0, 1, 1), (0, 1, 1)], [(0, 1, 1), (9, 1, 1), (8, 1, 1)], [(0, -1, 1)], [(0, 1, 10**8 + 1)]]
)
def test_tiers_that_cannot_be(tiers: list[tuple[int, int, int]]) -> None:
    assert Room().put(commands.set_fee_tiers(0, tiers)) == ["command refused invalid_amount"]


def fee_of_a_buy(room: Room, lots: int) -> tuple[int, int]:
    """(tier, rate) of a market buy at 101."""
    room.quote(99, 5_000, 101, 5_000)
    room.submit(BUY, lots)
    room.timer()
    row = next(rows[0] for rows in (out[out["kind"] == 11] for out in reversed(room.rows)) if len(rows))
    return int(row["fee_tier"]), int(row["fee_rate_e8"])


def test_fees_follow_from_the_thirty_days_before_today() -> None:
    room = Room([FEES], {"Q": 10_000_000})
    assert fee_of_a_buy(room, 1) == (-1, 2_000_000), "without tiers the instrument's rates hold"
    assert room.put(commands.set_fee_tiers(0, TIERS)) == ["fee tiers set"]
    assert fee_of_a_buy(room, 20) == (0, 200_000)
    assert fee_of_a_buy(room, 20) == (0, 200_000), "what was traded today does not count yet"
    room.timer(DAY)
    assert fee_of_a_buy(room, 50) == (1, 100_000), "4,141 were traded yesterday"
    room.timer(DAY)
    assert fee_of_a_buy(room, 1) == (2, 10_000)
    room.timer(28 * DAY)
    assert fee_of_a_buy(room, 1) == (2, 10_000), "9,292 in thirty days, the first of them just inside"
    room.timer(DAY)
    assert fee_of_a_buy(room, 1) == (2, 10_000), "5,252: the first day has gone"
    room.timer(DAY)
    assert fee_of_a_buy(room, 1) == (0, 200_000), "303"


def test_a_new_epoch_has_traded_nothing_and_keeps_its_tiers() -> None:
    room = Room([FEES], {"Q": 1_000_000})
    room.put(commands.set_fee_tiers(0, TIERS))
    fee_of_a_buy(room, 100)
    room.timer(DAY)
    room.put(commands.reset_account(0, 1))
    room.put(commands.deposit(0, Q, 1_000_000))
    assert fee_of_a_buy(room, 1) == (0, 200_000)


def test_terms_survive_a_restart() -> None:
    room = Room([FEES], {"Q": 1_000_000})
    room.put(commands.set_fee_tiers(0, TIERS))
    fee_of_a_buy(room, 30)
    room.put(commands.set_latencies(0, 3, POINTS))
    again = Room(fold=Fold.from_parts(room.fold.parts()), start_ns=room.now)
    again.instruments, again.assets = room.instruments, room.assets
    for one in (room, again):
        one.timer(DAY + MINUTE)
        one.quote(99, 50, 101, 50)
        one.submit(BUY, 1)
        one.timer(SECOND)
    assert fills(again.lines) == fills(room.lines)[-1:]
    assert again.fold.hash() == room.fold.hash()


def test_models_and_terms_are_the_accounts_own() -> None:
    room = Room(fill_model=FillModel.OPTIMISTIC)
    room.open(1)
    room.put(commands.set_latencies(1, 1, POINTS))
    room.quote(99, 5, 101, 5)
    room.submit(BUY, 1, 90)
    assert arrival(room, 1) == 0
