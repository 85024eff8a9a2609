"""Good-till-date orders: when their deadlines fire, and what they lose to."""

from __future__ import annotations

from tests.engine.room import FOK, GTC, GTD, IOC, SECOND, Room, no_money, status_of

from paperdesk.domain.events import OutputKind


def quoted(latency_ns: int = 0) -> Room:
    """A quote and some money."""
    room = Room(latency_ns=latency_ns)
    room.quote(99, 100, 101, 100)
    return room


def test_what_is_left_ends_at_its_deadline_and_gives_its_reserve_back() -> None:
    room = quoted()
    room.buy(5, 98, expire_ns=room.now + SECOND)
    room.trade(98, 102)
    assert room.timer(SECOND - 1) == [] and status_of(room, 1) == "accepted"
    assert room.timer(1) == ["expired #1 deadline_passed", "release 490 Q"]
    assert room.money("Q") == (100_000, 0) and int(room.state["n_inbox"]) == 0


def test_a_deadline_fires_before_the_event_that_passes_it() -> None:
    room = quoted()
    room.buy(5, 100, expire_ns=room.now + SECOND)
    assert no_money(room.trade(90, 100, after_ns=SECOND)) == ["expired #1 deadline_passed"], "the trade comes too late"
    room.buy(5, 100, expire_ns=room.now + SECOND)
    assert no_money(room.trade(90, 100, after_ns=SECOND - 1)) == ["fill #2 5 @ 100 maker trade_through"]
    assert int(room.state["n_inbox"]) == 0, "a filled order has no deadline any more"


def test_deadlines_fire_in_order_of_time_account_and_order() -> None:
    room = quoted()
    room.open(1, {"B": 10, "Q": 1_000})
    late, soon = room.now + 2 * SECOND, room.now + SECOND
    room.buy(1, 90, expire_ns=late)
    room.buy(1, 90, expire_ns=soon, account=1)
    room.buy(1, 90, expire_ns=soon)
    room.buy(1, 90, expire_ns=soon)
    room.timer(5 * SECOND)
    ended = [row for row in room.rows[-1] if row["kind"] == OutputKind.ORDER_EXPIRED]
    assert [(int(row["account"]), int(row["order_id"])) for row in ended] == [(0, 2), (0, 3), (1, 1), (0, 1)]


def test_a_cancel_that_is_due_with_the_deadline_comes_first() -> None:
    room = quoted(latency_ns=SECOND)
    room.buy(5, 90, expire_ns=room.now + 5 * SECOND)
    room.timer(4 * SECOND)
    room.cancel(1)
    assert no_money(room.timer(SECOND)) == ["canceled #1 user_canceled"]
    room.buy(5, 90, expire_ns=room.now + 2 * SECOND)
    room.timer(SECOND + SECOND // 2)
    room.cancel(2)
    assert no_money(room.timer(SECOND // 2)) == ["expired #2 deadline_passed"]
    assert room.timer(SECOND // 2) == ["cancel rejected #2 order_done"] and int(room.state["n_used_rows"]) == 1


def test_a_stop_can_have_a_deadline_too() -> None:
    room = quoted()
    room.trade(100, 1)
    room.buy(5, 110, trigger=105, expire_ns=room.now + SECOND)
    room.buy(5, 101, trigger=104, expire_ns=room.now + SECOND)
    assert no_money(room.trade(104, 1))[0] == "triggered #2"
    assert no_money(room.timer(SECOND)) == ["expired #1 deadline_passed"], "the other was filled"


def test_deadlines_that_make_no_sense_are_denied() -> None:
    room = quoted(latency_ns=SECOND)
    now = room.now
    assert room.buy(1, 90, expire_ns=now + SECOND) == ["denied #1 invalid_deadline"], "it would arrive too late"
    assert room.buy(1, 90, tif=GTD) == ["denied #2 invalid_deadline"]
    for tif in (GTC, IOC, FOK):
        assert room.buy(1, 90, tif=tif, expire_ns=now + 9 * SECOND)[0].endswith("unsupported_combination")
    assert room.buy(1, tif=GTD, expire_ns=now + 9 * SECOND)[0].endswith("unsupported_combination"), "at the market"
    assert room.buy(1, 90, expire_ns=now + SECOND + 1, post_only=True)[0] == "submitted #7"


def test_a_restored_desk_knows_its_deadlines() -> None:
    room = quoted()
    room.buy(5, 90, expire_ns=room.now + SECOND)
    copy = Room(fold=type(room.fold).from_parts(room.fold.parts()), start_ns=room.now)
    copy.assets = room.assets
    assert no_money(copy.timer(SECOND)) == no_money(room.timer(SECOND)) == ["expired #1 deadline_passed"]
    assert copy.fold.hash() == room.fold.hash()
