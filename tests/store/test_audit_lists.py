"""The auditor and order lists: clean where they are kept, and each planted error found."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from tests.engine.room import BUY, PLAIN, SELL, Room

from paperdesk.domain.commands import Intent
from paperdesk.domain.events import OUTPUT, ListKind, OutputKind, stored_bytes
from paperdesk.store.audit import AuditReport, audit

Rows = np.ndarray[Any, Any]
FEE = Decimal("0.1")


def a_life() -> Room:
    """A bracket of 25 that is stopped out, a pair that takes its profit, a list that is denied, one that is canceled."""
    room = Room([PLAIN._replace(maker_fee=FEE, taker_fee=FEE)])
    room.quote(99, 100, 101, 100)
    room.trade(100, 1)
    exits = Intent(SELL, 25, 105, post_only=True), Intent(SELL, 25, None, 95)
    room.send(ListKind.OTOCO, Intent(BUY, 25, 98), *exits)
    room.trade(97, 50)
    room.trade(94, 1)
    room.trade(100, 1)
    room.send(ListKind.OCO, Intent(SELL, 5, 103, post_only=True), Intent(SELL, 5, None, 95))
    room.trade(104, 2)
    room.send(ListKind.OTO, Intent(BUY, 10**7, 98), Intent(SELL, 5))
    room.send(ListKind.OTO, Intent(BUY, 2, 90), Intent(SELL, 5))
    room.cancel(9)
    room.timer()
    return room


def report(
    change: Callable[[Rows], Rows | None] | None = None, kind: int = 0, nth: int = 1, order: int = 0
) -> AuditReport:
    """The audit of that life, with the nth output of a kind (of an order) changed, or left out."""
    room, records, left = a_life(), [], nth
    for given, rows in zip(room.inputs, room.rows, strict=True):
        records.append(("input", given.tobytes()[: stored_bytes(int(given["kind"][0]))]))
        kept = []
        for row in rows:
            one = np.array([row], OUTPUT)
            if change is not None and row["kind"] == kind and order in (0, int(row["order_id"])):
                left -= 1
                one = change(one.copy()) if left == 0 else one  # type: ignore[assignment]
            if one is not None:
                kept.append(one.tobytes())
        told = np.frombuffer(b"".join(kept), OUTPUT).copy()
        told["number"] = np.arange(len(told))
        if len(told):
            records.append(("outputs", told))
    return audit(records)  # type: ignore[arg-type]


def with_field(name: str, value: int) -> Callable[[Rows], Rows]:
    """One field changed."""

    def change(row: Rows) -> Rows:
        row[name] = value
        return row

    return change


def test_what_the_fold_does_is_clean() -> None:
    told = report()
    assert told.is_clean, told.findings
    assert told.orders == 9 and told.fills == 3


@pytest.mark.parametrize(
    ("kind", "order", "change", "rule"),
    [
        (OutputKind.ORDER_SUBMITTED, 2, with_field("list_id", 2), "3 submitting"),
        (OutputKind.ORDER_SUBMITTED, 3, with_field("list_leg", 27), "3 submitting"),
        (OutputKind.ORDER_SUBMITTED, 3, with_field("price_ticks", 3), "3 submitting"),
        (OutputKind.ORDER_DENIED, 6, lambda row: None, "11 lists"),
        (OutputKind.ORDER_DENIED, 7, with_field("reason", 4), "11 lists"),
        (OutputKind.LEG_ACTIVATED, 2, with_field("qty_lots", 25), "11 pending legs"),
        (OutputKind.LEG_ACTIVATED, 3, lambda row: None, "11 lists"),
        (OutputKind.ORDER_CANCELED, 2, lambda row: None, "11 lists"),
        (OutputKind.ORDER_CANCELED, 8, lambda row: None, "11 lists"),
    ],
)  # fmt: skip
def test_planted_errors_are_found(kind: int, order: int, change: Callable[[Rows], Rows | None], rule: str) -> None:
    told = report(change, int(kind), 1, order)
    assert rule in {finding.rule for finding in told.findings}, told.findings


def test_a_leg_placed_too_early_is_found() -> None:
    room = a_life()
    placed = next(row for rows in room.rows for row in rows if row["kind"] == OutputKind.LEG_ACTIVATED)
    records: list[Any] = []
    for given, rows in zip(room.inputs, room.rows, strict=True):
        records.append(("input", given.tobytes()[: stored_bytes(int(given["kind"][0]))]))
        told = rows.copy()
        if len(told) and int(told["order_id"][-1]) == 1 and told["kind"][-1] == OutputKind.ORDER_ACCEPTED:
            early = np.array([placed], OUTPUT)
            for name in ("seq", "ts_seq_ns"):
                early[name] = told[name][-1]
            early["number"] = len(told)
            told = np.frombuffer(told.tobytes() + early.tobytes(), OUTPUT).copy()
        if len(told):
            records.append(("outputs", told))
    assert "11 pending legs" in {finding.rule for finding in audit(records).findings}
