"""Laws of the fold on random streams: snapshots, hashes, determinism, independent accounts, legal lives of orders."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from tests.engine.material import (
    as_bytes,
    busy_room,
    folded,
    is_command_of_others,
    seeds,
    stream,
    with_timers,
    without_seq,
)
from tests.engine.room import BUY, SELL, Q, Room, Side

from paperdesk.domain import commands
from paperdesk.domain.events import InputKind, OutputKind
from paperdesk.domain.orders import DONE, MOVES, OrderStatus
from paperdesk.domain.reasons import Reason
from paperdesk.engine import serial
from paperdesk.engine.fold import Fold
from paperdesk.engine.serial import DERIVED, DERIVED_IN_ROWS, STATE_SCHEMA, TERMS, accounts_of, order_slots, restore
from paperdesk.engine.state import STATE
from paperdesk.ledger.journal import RESERVED
from paperdesk.venue.orders import set_status
from paperdesk.venue.places import RESTING
from paperdesk.venue.table import ORDER

SEEDS = seeds(1, 12, 4)
IN_LEVELS = frozenset(("most_lots", "least_lots", "level_lots"))
"""What the level of a resting order knows better than its row."""
INPUTS = 120


@pytest.mark.parametrize("seed", SEEDS)
def test_twice_the_same_inputs_are_twice_the_same_bytes(seed: int) -> None:
    rows = stream(seed, INPUTS)
    (one, first), (two, second) = folded(rows), folded(rows)
    assert as_bytes(first) == as_bytes(second)
    assert one.hash() == two.hash() and one.parts() == two.parts()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_snapshot_is_the_same_desk_and_has_the_same_future(seed: int) -> None:
    rows = stream(seed, INPUTS)
    cut = len(rows) // 2 + seed
    fold, _ = folded(rows[:cut])
    again = Fold.from_parts(fold.parts())
    assert again.hash() == fold.hash()
    assert again.parts() == fold.parts()
    assert (again.seq, again.ts_seq_ns) == (fold.seq, fold.ts_seq_ns)
    _, future = folded(rows[cut:], fold)
    _, repeated = folded(rows[cut:], again)
    assert as_bytes(repeated) == as_bytes(future)
    assert again.hash() == fold.hash()


@pytest.mark.parametrize("seed", [3, 8])
def test_snapshots_after_every_input_change_nothing(seed: int) -> None:
    rows = stream(seed, 60)
    through, expected = folded(rows)
    fold, outputs = Fold(), []
    for row in rows:
        fold = Fold.from_parts(fold.parts())
        outputs.append(fold.take(row))
    assert as_bytes(outputs) == as_bytes(expected)
    assert fold.hash() == through.hash()


def test_a_snapshot_of_another_layout_is_not_read() -> None:
    room = Room()
    parts = room.fold.parts()
    parts["market"] = parts["market"][:1] + bytes([STATE_SCHEMA + 1]) + parts["market"][2:]
    with pytest.raises(ValueError, match="state layout"):
        restore(parts)


# What the hash covers


def leaves(dtype: np.dtype[Any], where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to all single fields of a record, the first entry of each array."""
    if dtype.names is None:
        return [where]
    found = []
    for name in dtype.names:
        field = dtype[name]
        found += leaves(field.base, (*where, name, *(0,) * len(field.shape)))
    return found


def touch(row: Any, path: tuple[Any, ...]) -> None:
    """Add one to the number at a path below a record."""
    *outer, last = path
    for step in outer:
        row = row[step]
    row[last] = row[last] + 1


def live_rows(room: Room) -> dict[str, list[tuple[Any, ...]]]:
    """Paths to the live rows of each table of the state."""
    slots = [slot for account in accounts_of(room.fold.state) for slot in order_slots(room.fold.state, account)]
    return {
        "instruments": [("instruments", 0)],
        "markets": [("markets", 0)],
        "accounts": [("accounts", account) for account in (0, 3)],
        "bots": [("bots", bot) for bot in (1, 2, 7)],
        "account_positions": [("account_positions", 0, 0), ("account_positions", 3, 0)],
        "bot_positions": [("bot_positions", 1, 0), ("bot_positions", 7, 0)],
        "conversions": [("conversions", 0, 0)],
        "orders": [("orders", slot) for slot in slots],
    }


def test_a_snapshot_of_a_busy_desk_holds_everything() -> None:
    room = busy_room()
    assert int(room.state["used"][0]["lots"].sum()) > 0, "something of the book is used up"
    again = Room(fold=Fold.from_parts(room.fold.parts()), start_ns=room.now)
    assert again.fold.hash() == room.fold.hash()
    assert again.submit(BUY, 1) == room.submit(BUY, 1)
    assert again.timer(10) == room.timer(10)
    assert again.fold.parts() == room.fold.parts()


def test_changing_any_field_of_any_live_row_changes_the_hash() -> None:
    room = busy_room()
    before, same = room.fold.hash(), []
    changed = 0
    for table, rows in live_rows(room).items():
        omitted = DERIVED_IN_ROWS.get(table, ())
        for row in rows:
            kept = room.fold.state[0][row[0]].copy()
            record = room.fold.state[0][row[0]]
            for step in row[1:]:
                record = record[step]
            for path in leaves(record.dtype):
                if path[0] in omitted or (path[0] in IN_LEVELS and record["place"] == RESTING):
                    continue
                touch(room.fold.state[0], (*row, *path))
                changed += 1
                if room.fold.hash() == before:
                    same.append((*row, *path))
                room.fold.state[0][row[0]] = kept
    # `registered` and `declared` say that a row is live: any other value takes it out, which is a change.
    assert same == [] and changed > 250
    assert room.fold.hash() == before


def test_changing_what_a_level_knows_changes_the_hash_of_who_rests_there() -> None:
    room = Room()
    room.book([(99, 50)], [(101, 50)])
    room.submit(BUY, 5, 99)
    room.trade(99, 20, Side.SELL)
    before = room.fold.hash()
    level, order = room.state["levels"][0], room.state["orders"][0]
    for row, name in [
        *((level, name) for name in ("size_lots", "traded_lots", "gone_lots")),
        *((order, name) for name in ("most_key", "least_key")),
    ]:
        row[name] += 1
        assert room.fold.hash() != before, name
        row[name] -= 1
    assert room.fold.hash() == before
    assert [room.order(1)[name] for name in sorted(IN_LEVELS)] == [30, 30, 30]


def test_changing_any_number_outside_the_tables_changes_the_hash() -> None:
    room = busy_room()
    before = room.fold.hash()
    names = [name for name in STATE.names or () if name not in DERIVED and STATE[name].base.names is None]
    assert names[:4] == ["seq", "ts_seq_ns", "source", "killed"]
    for name in names:
        kept = room.fold.state[0][name].copy()
        if STATE[name].shape == ():
            touch(room.fold.state[0], (name,))
        elif name == "scales":
            room.fold.state[0][name][1] += 1
        elif name in TERMS:
            room.fold.state[0][name][3, 1] += 1
        else:
            assert name == "balances"
            for bucket in range(5):
                room.fold.state[0][name][3, 1, bucket] += 1
                assert room.fold.hash() != before, (name, bucket)
                room.fold.state[0][name] = kept
            continue
        assert room.fold.hash() != before, name
        room.fold.state[0][name] = kept
    assert room.fold.hash() == before


def test_used_liquidity_is_part_of_the_hash_as_long_as_it_counts() -> None:
    room = busy_room()
    before = room.fold.hash()
    used = room.state["used"][0]
    side, place = (int(found[0]) for found in np.nonzero(used["lots"]))
    for name in ("lots", "ticks"):
        used[name][side, place] += 1
        assert room.fold.hash() != before, name
        used[name][side, place] -= 1
    used["picture"][side, place] += 1
    assert room.fold.hash() != before
    used["picture"][side, place] = -1  # shown anew since: it counts no more, and is as good as none
    without = room.fold.hash()
    used["lots"][side, place] = 77
    assert room.fold.hash() == without != before


def test_what_is_derived_is_not_hashed() -> None:
    room = busy_room()
    before = room.fold.hash()
    for name in sorted(DERIVED - {"n_used_rows", "n_used_books", "used_at", "levels", "level_at", "n_levels"}):
        field = room.fold.state[0][name]
        kept = field.copy()
        if field.dtype.names is None:
            room.fold.state[0][name] = kept + 1
        else:
            room.fold.state[0][name]["account"] = 5
        assert room.fold.hash() == before, name
        room.fold.state[0][name] = kept
    for table, names in DERIVED_IN_ROWS.items():
        assert set(names) <= set(STATE[table].base.names or ())
    assert set(serial.DESK_FIELDS) <= set(STATE.names or ())


# Accounts are independent


@pytest.mark.parametrize("seed", seeds(1, 40, 6))
def test_an_account_alone_is_the_same_as_in_company(seed: int) -> None:
    rows = with_timers(stream(seed, INPUTS))
    company, outputs = folded(rows)
    for account in accounts_of(company.state):
        alone, mine = Fold(), []
        for row in rows:
            if is_command_of_others(row, account):
                continue
            own = row.copy()
            own["seq"] = alone.seq + 1
            mine.append(alone.take(own))
        assert alone.account_hash(account) == company.account_hash(account), f"seed {seed}, account {account}"
        assert without_seq(mine, account) == without_seq(outputs, account)


def test_company_does_not_decide_when_an_order_begins_to_rest() -> None:
    hashes = []
    for others in (False, True):
        room = Room()
        room.open(3)
        room.submit(BUY, 1, 90, post_only=True)
        room.submit(SELL, 1, 120)
        if others:
            room.submit(BUY, 1, 90, account=3)
        room.trade(100, 1, after_ns=5)
        room.trade(100, 1, after_ns=5)
        hashes.append(room.fold.account_hash(0))
    assert hashes[0] == hashes[1]


def test_the_desks_hash_is_that_of_the_sorted_account_hashes() -> None:
    first, second = Room(), Room()
    for room, numbers in ((first, (4, 9)), (second, (9, 4))):
        for number in numbers:
            room.put(commands.open_account(number, Q, 1, 0))
    assert first.fold.hash() == second.fold.hash()


# Lives of orders, reasons of refusals, the books


REASON_NEEDED = (
    OutputKind.ORDER_DENIED,
    OutputKind.ORDER_REJECTED,
    OutputKind.ORDER_CANCELED,
    OutputKind.ORDER_EXPIRED,
    OutputKind.CANCEL_REJECTED,
    OutputKind.COMMAND_REFUSED,
    OutputKind.EVENT_REFUSED,
    OutputKind.KILLED,
)
ENDS = {
    int(OutputKind.ORDER_REJECTED): OrderStatus.REJECTED,
    int(OutputKind.ORDER_CANCELED): OrderStatus.CANCELED,
    int(OutputKind.ORDER_EXPIRED): OrderStatus.EXPIRED,
    int(OutputKind.ORDER_ACCEPTED): OrderStatus.ACCEPTED,
    int(OutputKind.ORDER_SUBMITTED): OrderStatus.SUBMITTED,
    int(OutputKind.ORDER_DENIED): OrderStatus.DENIED,
}


@pytest.mark.parametrize("seed", seeds(1, 40, 6))
def test_every_order_lives_by_the_table(seed: int) -> None:
    _, outputs = folded(stream(seed, INPUTS))
    status: dict[tuple[int, int], OrderStatus] = defaultdict(lambda: OrderStatus.NONE)
    open_lots: dict[tuple[int, int], int] = {}
    for row in (row for rows in outputs for row in rows):
        key, kind = (int(row["account"]), int(row["order_id"])), int(row["kind"])
        if kind in ENDS:
            target = ENDS[kind]
            if kind == OutputKind.ORDER_SUBMITTED:
                open_lots[key] = int(row["qty_lots"])
        elif kind == OutputKind.FILL:
            open_lots[key] -= int(row["fill_lots"])
            assert open_lots[key] >= 0, "no order is filled beyond its size"
            target = OrderStatus.FILLED if open_lots[key] == 0 else OrderStatus.PARTIALLY_FILLED
        else:
            continue
        assert target in MOVES[status[key]], f"seed {seed}: {status[key].name} to {target.name}"
        status[key] = target
    assert set(status.values()) & DONE, "a stream in which no order ends shows nothing"


@pytest.mark.parametrize("seed", seeds(1, 40, 6))
def test_every_no_has_a_reason_and_every_reason_is_known(seed: int) -> None:
    _, outputs = folded(stream(seed, INPUTS))
    for row in (row for rows in outputs for row in rows):
        if int(row["kind"]) in REASON_NEEDED:
            assert Reason(int(row["reason"])) != Reason.NONE


def test_illegal_moves_stop_the_desk() -> None:
    for source in OrderStatus:
        for target in OrderStatus:
            row = np.zeros(1, ORDER)[0]
            row["status"] = source
            if target in MOVES[source]:
                set_status(row, int(target))
                assert int(row["status"]) == target
            else:
                with pytest.raises(AssertionError):
                    set_status(row, int(target))


@pytest.mark.parametrize("seed", seeds(7, 30, 3))
def test_the_books_are_whole_after_every_input(seed: int) -> None:
    fold = Fold()
    for row in stream(seed, INPUTS):
        fold.take(row)
        assert fold.faults() == [], f"seed {seed}, input {fold.seq}"
        state = fold.state[0]
        balances = state["balances"][:256, : int(state["n_assets"])]
        assert not balances.sum(axis=2).any(), "each row sums to zero"
        assert (balances[:, :, :2] >= 0).all(), "free and reserved are never negative"
        rows = state["orders"][: int(state["n_used_rows"])]
        live = rows[(rows["status"] >= OrderStatus.SUBMITTED) & (rows["status"] <= OrderStatus.PARTIALLY_FILLED)]
        held: dict[tuple[int, int], int] = defaultdict(int)
        for order in live:
            definition = state["instruments"][int(order["instrument"])]
            asset = int(definition["quote_asset" if int(order["side"]) == BUY else "base_asset"])
            held[int(order["account"]), asset] += int(order["reserved_units"])
        for account in accounts_of(fold.state):
            for asset in range(int(state["n_assets"])):
                assert int(balances[account, asset, RESERVED]) == held[account, asset], f"seed {seed}"


def test_the_material_holds_every_kind_of_input() -> None:
    seen = {int(row["kind"][0]) for seed in seeds(1, 40, 10) for row in stream(seed, INPUTS)}
    assert seen >= {int(kind) for kind in InputKind} - {int(InputKind.ENGINE_UPGRADED)}
