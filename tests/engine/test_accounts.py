"""Accounts, bots, epochs, switches: each command is done and stated, or refused with its reason."""

from __future__ import annotations

import pytest
from tests.engine.room import BUY, DAY, HOUR, NOON, PLAIN, SELL, B, C, Q, Room, no_money, status_of

from paperdesk.domain import commands
from paperdesk.domain.assets import Asset
from paperdesk.domain.commands import command
from paperdesk.domain.events import InputKind
from paperdesk.engine.state import MAX_ACCOUNTS, MAX_ASSETS, MAX_BOTS


def room_with_quote(**changes: object) -> Room:
    """99 bid, 101 asked."""
    room = Room(**changes)  # type: ignore[arg-type]
    room.quote(99, 1000, 101, 1000)
    return room


def test_opening_an_account() -> None:
    room = Room()
    assert room.put(commands.open_account(0, Q, 1, 0)) == ["command refused account_exists"]
    assert room.put(commands.open_account(1, C, 1, 0)) == ["command refused unknown_asset"]
    assert room.put(commands.open_account(-1, Q, 1, 0)) == ["command refused capacity_exceeded"]
    assert room.put(commands.open_account(MAX_ACCOUNTS, Q, 1, 0)) == ["command refused capacity_exceeded"]
    assert room.put(commands.open_account(1, Q, 1, -1)) == ["command refused invalid_amount"]
    assert room.put(commands.open_account(1, Q, 1, 0, 0)) == ["command refused invalid_amount"]
    assert room.put(commands.open_account(MAX_ACCOUNTS - 1, Q, 1, 0)) == ["account opened"]
    assert room.submit(BUY, 1, 1, account=MAX_ACCOUNTS - 1) == ["denied #1 insufficient_balance"]
    assert room.submit(BUY, 1, 1, account=5) == ["command refused unknown_account"]


def test_registering_bots() -> None:
    room = Room()
    assert room.put(commands.register_bot(0, 1)) == ["command refused bot_exists"]
    assert room.put(commands.register_bot(0, 0)) == ["command refused bot_exists"]
    assert room.put(commands.register_bot(0, -1)) == ["command refused capacity_exceeded"]
    assert room.put(commands.register_bot(0, MAX_BOTS)) == ["command refused capacity_exceeded"]
    assert room.put(commands.register_bot(3, 5)) == ["command refused unknown_account"]
    assert room.put(commands.register_bot(0, MAX_BOTS - 1)) == ["bot registered"]
    room.open(3)
    assert room.put(commands.register_bot(3, 1)) == ["command refused bot_exists"], (
        "a number is taken on the whole desk"
    )
    assert room.submit(BUY, 1, 1, bot=1, account=3) == ["command refused unknown_bot"], "another account's"
    assert room.submit(BUY, 1, 1, bot=700) == ["command refused unknown_bot"]
    assert room.submit(BUY, 1, 1, bot=-1) == ["command refused unknown_bot"]


def test_deposits_come_before_the_first_order() -> None:
    room = room_with_quote()
    assert room.put(commands.deposit(9, Q, 5)) == ["command refused unknown_account"]
    assert room.put(commands.deposit(0, C, 5)) == ["command refused unknown_asset"]
    assert room.put(commands.deposit(0, Q, 5)) == ["opening 5 Q"]
    assert room.submit(BUY, 2_000, 100) == ["denied #1 insufficient_balance"]
    assert room.put(commands.deposit(0, Q, 5)) == ["opening 5 Q"], "a denied order is none"
    room.buy(1, 90)
    assert room.put(commands.deposit(0, Q, 5)) == ["command refused account_in_use"]
    room.put(commands.reset_account(0, 1))
    assert room.put(commands.deposit(0, Q, 5)) == ["opening 5 Q"]


def test_conversions_must_connect_the_two_assets_in_the_stated_direction() -> None:
    cq = PLAIN._replace(number=1, symbol="C/Q", base=C, quote=Q)
    room = Room([PLAIN, cq])
    assert room.put(commands.declare_conversion(9, B, PLAIN)) == ["command refused unknown_account"]
    assert room.put(commands.declare_conversion(0, Asset(9, "X", 0), PLAIN)) == ["command refused unknown_asset"]
    assert room.put(commands.declare_conversion(0, B, PLAIN._replace(number=7))) == [
        "command refused unknown_instrument"
    ]
    assert room.put(commands.declare_conversion(0, B, cq)) == ["command refused unknown_instrument"]
    assert room.put(commands.declare_conversion(0, B, PLAIN, inverse=True)) == ["command refused unknown_instrument"]
    assert room.put(commands.declare_conversion(0, Q, PLAIN)) == ["command refused unknown_instrument"]
    assert room.put(commands.declare_conversion(0, B, PLAIN)) == ["conversion declared"]


def test_the_first_valuation_is_opening_peak_and_day_start() -> None:
    room = Room(deposits={})
    owner = room.state["accounts"][0]

    def figures() -> list[int]:
        return [int(owner[name]) for name in ("valued", "opening_units", "peak_units", "day_start_units")]

    assert figures() == [0, 0, 0, 0], "an account worth nothing is not valued yet"
    room.put(commands.deposit(0, Q, 100))
    assert figures() == [1, 100, 100, 100]
    room.put(commands.deposit(0, Q, 50))
    assert figures() == [1, 150, 150, 150], "until the first order each deposit begins anew"
    room.put(commands.deposit(0, B, 1))
    assert figures()[0] == 0, "nobody knows what B is worth"
    room.trade(10, 1)
    room.put(commands.declare_conversion(0, B, PLAIN))
    assert figures() == [1, 160, 160, 160]


def test_equity_ticks_and_days() -> None:
    room = room_with_quote(equity_every_ns=HOUR)
    assert room.timer(HOUR - 1) == []
    assert room.timer(1) == ["equity 200000"]
    assert room.timer() == []
    assert room.timer(5 * HOUR) == ["equity 200000"], "several ticks at once are one"
    room.put(commands.open_account(1, Q, 1, 0, 7 * DAY))
    assert room.timer(NOON + 12 * HOUR - room.now) == ["equity 200000", "equity 0"], "midnight is for everybody"


# Switches


@pytest.mark.parametrize(
    ("account", "bot", "canceled", "denied"),
    [
        (-1, -1, [0, 1, 2, 5], [0, 1, 2, 5]),
        (0, -1, [0, 1, 2], [0, 1, 2]),
        (0, 0, [0, 1, 2], [0, 1, 2]),
        (0, 1, [1], [1]),
        (5, -1, [5], [5]),
    ],
)
def test_a_kill_ends_orders_of_its_scope_at_once_and_stops_new_ones(
    account: int, bot: int, canceled: list[int], denied: list[int]
) -> None:
    room = room_with_quote(latency_ns=100)
    room.open(5)
    senders = [(0, 0), (0, 1), (0, 2), (5, 0)]
    for owner, sender in senders:
        room.submit(BUY, 1, 90, bot=sender, account=owner)
    room.timer(50)
    said = room.put(commands.kill(account, bot))
    assert said[0] == "killed killed"
    gone = [5 if int(row["account"]) == 5 else int(row["bot"]) for row in room.rows[-1] if int(row["kind"]) == 12]
    assert gone == canceled and all("kill_switch" in line for line in no_money(said)[1:])
    for owner, sender in senders:
        said = room.submit(BUY, 1, 90, bot=sender, account=owner)
        assert said[0].endswith("killed") == ((5 if owner == 5 else sender) in denied)
    assert room.put(commands.resume(account, bot))[-1] == "resumed"
    for owner, sender in senders:
        assert room.submit(BUY, 1, 90, bot=sender, account=owner)[0].startswith("submitted")


def test_a_kill_of_one_scope_is_not_lifted_by_another() -> None:
    room = room_with_quote()
    room.put(commands.kill())
    room.put(commands.kill(0, 1))
    room.put(commands.resume(0, -1))
    assert room.submit(BUY, 1, 90) == ["denied #1 killed"]
    room.put(commands.resume())
    assert room.submit(BUY, 1, 90)[0] == "submitted #2"
    assert room.submit(BUY, 1, 90, bot=1)[-1] == "denied #3 killed"


def test_a_stopped_bot_sends_no_more_until_it_is_resumed() -> None:
    room = room_with_quote()
    room.submit(BUY, 1, 90, bot=1)
    room.submit(BUY, 1, 90, bot=2)
    room.timer()
    assert no_money(room.put(commands.stop_bot(0, 1))) == ["killed bot_stopped", "canceled #1 kill_switch"]
    assert room.submit(BUY, 1, 90, bot=1) == ["denied #3 bot_stopped"]
    assert room.submit(BUY, 1, 90, bot=2)[0] == "submitted #4"
    assert room.put(commands.resume(0, 1))[-1] == "resumed"
    assert room.submit(BUY, 1, 90, bot=1)[:2] == ["submitted #5", "reserve 90 Q"]


def test_switches_of_nobody_are_refused() -> None:
    room = room_with_quote()
    assert room.put(commands.kill(9)) == ["command refused unknown_account"]
    assert room.put(commands.kill(0, 9)) == ["command refused unknown_bot"]
    assert room.put(commands.kill(-1, 1)) == ["command refused unknown_account"]
    assert room.put(commands.stop_bot(0, 0)) == ["command refused unknown_bot"]
    assert room.put(commands.resume(9, 1)) == ["command refused unknown_account"]


def test_a_cancel_on_its_way_is_answered_after_a_kill() -> None:
    room = room_with_quote(latency_ns=100)
    room.submit(BUY, 1, 90)
    room.timer(100)
    room.cancel(1)
    assert no_money(room.put(commands.kill(0))) == ["killed killed", "canceled #1 kill_switch"]
    assert status_of(room, 1) == "canceled"
    assert room.timer(100) == ["cancel rejected #1 order_done"]


# Epochs


def test_a_reset_ends_the_epoch() -> None:
    room = room_with_quote(latency_ns=100)
    room.buy(10, bot=1)
    room.timer(100)
    room.submit(SELL, 5, 120, bot=1)
    room.limits(bot=1, max_order=10**6)
    room.timer(100)
    room.cancel(2)
    assert room.put(commands.reset_account(0, 77)) == [
        "canceled #2 epoch_ended",
        "release 5 B",
        "closing 1010 B",
        "closing 98990 Q",
        "epoch started",
    ]
    owner, bot = room.state["accounts"][0], room.state["bots"][1]
    names = (
        "valued",
        "equity_units",
        "peak_units",
        "day_start_units",
        "opening_units",
        "cooldown_until_ns",
        "epoch_orders",
    )
    assert [int(owner[name]) for name in names] == [0] * 7
    assert (int(owner["epoch"]), int(owner["source"]), int(owner["next_order"]), int(owner["next_fill"])) == (
        2,
        77,
        3,
        2,
    )
    assert [int(bot[name]) for name in ("pnl_units", "peak_units", "day_start_units")] == [0, 0, 0]
    assert room.position(1) == room.position(0) == (0, 0, 0)
    assert int(bot["limits"]["max_order_units"]) == 10**6, "settings stay"
    assert room.timer(100) == ["cancel rejected #2 order_done"]
    assert room.put(commands.reset_account(8, 1)) == ["command refused unknown_account"]


def test_an_epoch_trades_on_its_own_source_alone() -> None:
    room = room_with_quote()
    room.open(1)
    room.put(commands.bind_source(2))
    assert room.submit(BUY, 1, 90) == ["denied #1 wrong_source"]
    room.put(commands.reset_account(1, 2))
    room.put(commands.deposit(1, Q, 1_000))
    assert room.submit(BUY, 1, 90, account=1)[0] == "submitted #1"
    room.put(commands.bind_source(1))
    assert room.submit(BUY, 1, 90, account=1)[-1] == "denied #2 wrong_source"
    assert room.submit(BUY, 1, 90)[1] == "reserve 90 Q"


def test_another_source_ends_orders_and_valuation_of_accounts_that_are_not_bound_to_it() -> None:
    room = room_with_quote(latency_ns=100)
    room.open(3)
    room.put(commands.reset_account(3, 2))
    room.put(commands.deposit(3, Q, 500))
    room.submit(BUY, 1, 90)
    room.submit(SELL, 1, trigger=80, bot=1)
    room.timer(100)
    room.submit(BUY, 1)
    room.cancel(2)
    assert no_money(room.put(commands.bind_source(2))) == [f"canceled #{n} wrong_source" for n in (1, 2, 3)]
    assert room.money("Q")[1] == room.money("B")[1] == 0
    assert room.timer(100) == ["cancel rejected #2 order_done"]
    assert room.fold.equity(0) is None, "its prices are not those of this source"
    market = room.state["markets"][0]
    assert [int(market[name]) for name in ("evidence", "has_view", "last_ticks", "mark_ticks")] == [0] * 4
    assert (room.fold.equity(3), room.submit(BUY, 1, account=3)) == (500, ["denied #1 no_market_data"])
    room.quote(99, 10, 101, 10)
    assert no_money(room.buy(1, 95, account=3)) == ["submitted #2", "accepted #2"]
    assert room.put(commands.bind_source(2)) == [], "the same source again changes nothing"
    assert status_of(room, 2, 3) == "accepted"
    room.put(commands.bind_source(1))
    room.quote(99, 10, 101, 10)
    assert (room.fold.equity(0), room.fold.equity(3)) == (200_000, None)


# Nonsense


def test_inputs_of_no_known_kind_are_refused() -> None:
    room = Room()
    for kind in (7, 9, 14, 19, 32, 99):
        row = command(InputKind.TIMER)
        row["kind"] = kind
        assert room.put(row) == ["event refused bad_event"]
    assert room.put(command(InputKind.ENGINE_UPGRADED)) == []


def test_assets_keep_their_scale() -> None:
    room = Room()
    assert room.put(commands.define_asset(Asset(0, "B", 0))) == []
    for asset in (Asset(0, "B", 1), Asset(MAX_ASSETS, "X", 8), Asset(-1, "X", 8), Asset(5, "X", 13), Asset(5, "X", -1)):
        assert room.put(commands.define_asset(asset)) == ["event refused bad_event"]
    assert room.put(commands.define_asset(Asset(MAX_ASSETS - 1, "X", 12))) == []


def test_inputs_are_numbered_without_holes_and_time_never_goes_back() -> None:
    room = Room()
    row = command(InputKind.TIMER)
    row["seq"], row["ts_seq_ns"] = room.seq + 2, room.now
    with pytest.raises(AssertionError):
        room.fold.take(row)
    row["seq"], row["ts_seq_ns"] = room.seq + 1, room.now - 1
    with pytest.raises(AssertionError):
        room.fold.take(row)
    room.timer()
