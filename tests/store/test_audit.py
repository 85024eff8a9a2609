"""The auditor: finds nothing in what the fold does, and each planted error in what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.store.material import Record, quoted_run, random_run

from paperdesk.domain.events import InputKind, OutputKind, Side, stored_bytes
from paperdesk.domain.reasons import Reason
from paperdesk.ledger.journal import Purpose
from paperdesk.store.audit import AuditReport, audit
from paperdesk.store.audit_market import merged

Rows = np.ndarray[Any, Any]

EVENTS = 6000
KINDS = OutputKind


def test_the_quoters_run_is_clean() -> None:
    report = audit(quoted_run(EVENTS))
    assert report.is_clean, report.findings[0]
    assert report.fills > 100 and report.orders > 500 and report.postings > 1000
    assert report.inputs == sum(kind == "input" for kind, _ in quoted_run(EVENTS))


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_random_streams_are_clean(first: int) -> None:
    """Every order type, all kinds of data, changing definitions and sources, kills, resets."""
    fills = 0
    for seed in range(first, first + 50):
        report = audit(random_run(seed))
        assert report.is_clean, f"seed {seed}: {report.findings[0]}"
        fills += report.fills
    assert fills > 100


# ---- planted errors --------------------------------------------------------------------------------------------------


def planted(change: Callable[[Rows], Rows | None], kind: int, *, nth: int, **where: int) -> AuditReport:
    """The quoter's run, with the outputs of one input changed: those with the nth output of a kind (and fields)."""
    records: list[Record] = []
    left = nth
    for name, record in quoted_run(EVENTS):
        if name == "outputs" and left > 0:
            fits = record["kind"] == kind
            for field, value in where.items():
                fits &= record[field] == value
            left -= int(fits.sum())
            if left <= 0:
                changed = record.copy()
                places = np.flatnonzero(fits)
                keep = change(changed[places[-1] : places[-1] + 1])
                if keep is not None:
                    parts = [changed[: places[-1]], keep, changed[places[-1] + 1 :]]
                    changed = np.frombuffer(b"".join(part.tobytes() for part in parts), record.dtype).copy()
                    changed["number"] = np.arange(len(changed))
                if len(changed):
                    records.append(("outputs", changed))
                continue
        records.append((name, record))  # type: ignore[arg-type]
    assert left <= 0, "there is such an output"
    return audit(records)


def add(field: str, amount: int) -> Callable[[Rows], None]:
    def change(row: Rows) -> None:
        row[field] += amount

    return change


def put(field: str, value: int) -> Callable[[Rows], None]:
    def change(row: Rows) -> None:
        row[field] = value

    return change


def drop(row: Rows) -> Rows:
    return row[:0]


def twice(row: Rows) -> Rows:
    return np.frombuffer(row.tobytes() * 2, row.dtype)


def better(row: Rows) -> None:
    """A fill at a better price than anyone offered, paid as if it were so."""
    row["fill_price_ticks"] += -1 if row["side"][0] == Side.BUY else 1


def worse(row: Rows) -> None:
    row["fill_price_ticks"] += 1 if row["side"][0] == Side.BUY else -1


POSTING, FILL, SUBMITTED = KINDS.POSTING, KINDS.FILL, KINDS.ORDER_SUBMITTED
PLANTED: list[tuple[str, str, Callable[[Rows], Rows | None], int, dict[str, int]]] = [
    ("fee one unit less", "7 fees", add("fee_units", -1), FILL, {}),
    ("fee rate of another order", "7 fees", add("fee_rate_e8", 1), FILL, {}),
    ("fee posted one unit less", "7 postings", add("amount_units", -1), POSTING, {"purpose": Purpose.FEE}),
    ("payment one unit less", "7 payments", add("quote_units", -1), FILL, {}),
    ("payment posted one unit less", "7 postings", add("amount_units", -1), POSTING, {"purpose": Purpose.PAY}),
    ("received one unit more", "7 postings", add("amount_units", 1), POSTING, {"purpose": Purpose.RECEIVE}),
    ("realized one unit more", "7 positions", add("realized_units", 1), FILL, {}),
    ("filled at a better price", "6.2", better, FILL, {}),
    ("filled beyond its limit", "7 a limit is a limit", worse, FILL, {}),
    ("filled for more than it asked", "7 quantity", add("fill_lots", 1_000_000), FILL, {}),
    ("filled for nothing", "7 quantity", put("fill_lots", 0), FILL, {}),
    ("filled twice", "7 postings", twice, FILL, {}),
    ("fill forgotten", "7 postings", drop, FILL, {}),
    ("fill ids skip", "7 fill ids", add("fill_id", 1), FILL, {}),
    ("a maker who took", "6 evidence", put("liquidity", 2), FILL, {}),
    ("evidence of another kind", "6 evidence", put("rule", 5), FILL, {}),
    ("a queue that was longer", "6 each account's share", add("front_before_lots", 10**9), FILL, {"rule": 3, "nth": 1}),
    ("a trade that was smaller", "6 each account's share", add("shown_lots", -1), FILL, {"rule": 2}),
    ("payment forgotten", "7 postings", drop, POSTING, {"purpose": Purpose.PAY}),
    ("receipt forgotten", "7 postings", drop, POSTING, {"purpose": Purpose.RECEIVE}),
    ("fee forgotten", "7 postings", drop, POSTING, {"purpose": Purpose.FEE}),
    ("fee taken twice", "7 postings", twice, POSTING, {"purpose": Purpose.FEE}),
    ("reserve forgotten", "7 reserves", drop, POSTING, {"purpose": Purpose.RESERVE}),
    ("reserve one unit less", "7 reserves", add("amount_units", -1), POSTING, {"purpose": Purpose.RESERVE}),
    ("reserve of more than there is", "1 balances", put("amount_units", 2**61), POSTING, {"purpose": Purpose.RESERVE}),
    ("release forgotten", "7 reserves", drop, POSTING, {"purpose": Purpose.RELEASE}),
    ("release one unit more", "7 reserves", add("amount_units", 1), POSTING, {"purpose": Purpose.RELEASE}),
    ("a posting of nothing", "1 postings", put("amount_units", 0), POSTING, {}),
    ("a posting the other way", "1 postings", put("target_bucket", 4), POSTING, {"purpose": Purpose.FEE}),
    ("another asset", "7 reserves", add("asset", 1), POSTING, {"purpose": Purpose.RESERVE, "asset": 0}),
    ("never arrived", "2 ", drop, KINDS.ORDER_ACCEPTED, {}),
    ("accepted twice", "2 order life", twice, KINDS.ORDER_ACCEPTED, {}),
    ("an order nobody sent", "2 order life", put("order_id", 999_999), KINDS.ORDER_ACCEPTED, {}),
    ("another side", "2 order life", put("side", 3), KINDS.ORDER_ACCEPTED, {}),
    ("canceled after it was done", "2 order life", twice, KINDS.ORDER_CANCELED, {}),
    ("canceled without a reason", "10 reasons", put("reason", 0), KINDS.ORDER_CANCELED, {}),
    ("canceled by a kill that never was", "10 cancels", put("reason", 61), KINDS.ORDER_CANCELED, {}),
    ("cancel never asked for", "10 cancels", drop, KINDS.CANCEL_REQUESTED, {}),
    ("cancel faster than light", "10 cancels", add("cause", -1), KINDS.CANCEL_REQUESTED, {}),
    ("order ids skip", "3 order ids", add("order_id", 1), SUBMITTED, {}),
    ("another quantity", "3 submitting", add("qty_lots", 1), SUBMITTED, {}),
    ("arrives at once", "2 latency", add("arrive_ns", -1), SUBMITTED, {}),
    ("caused by the future", "2 causes", put("cause", 2**40), SUBMITTED, {}),
    ("order forgotten", "10 commands", drop, SUBMITTED, {}),
    ("another seq", "2 causes", add("seq", 1), SUBMITTED, {}),
    ("another time", "2 causes", add("ts_seq_ns", -1), SUBMITTED, {}),
    ("an output of no kind", "2 outputs", put("kind", 99), SUBMITTED, {}),
]


@pytest.mark.parametrize(("rule", "change", "kind", "where"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED])
def test_each_planted_error_is_found(
    rule: str, change: Callable[[Rows], Rows | None], kind: int, where: dict[str, int]
) -> None:
    report = planted(change, kind, **{"nth": 20, **where})
    assert any(finding.rule.startswith(rule) for finding in report.findings), report.findings[:5]
    first = report.findings[0]
    assert first.seq > 0 and str(first.seq) in str(first) and first.rule in str(first)


@pytest.mark.parametrize(
    ("rule", "kind", "field", "amount"),
    [
        ("6.5 trails", KINDS.ORDER_ACTIVATED, "last_ticks", 1),
        ("6.5 trails", KINDS.ORDER_ACTIVATED, "peak_ticks", -1),
        ("6.5 trails", KINDS.ORDER_TRIGGERED, "peak_ticks", 1),
        ("6.5 trails", KINDS.ORDER_TRIGGERED, "last_ticks", -1),
        ("3 submitting", SUBMITTED, "trail_bips", 1),
        ("3 submitting", SUBMITTED, "visible_lots", 1),
    ],
)
def test_an_error_in_a_trail_is_found(rule: str, kind: int, field: str, amount: int) -> None:
    """In a random stream: the first output of a trailing order (of an iceberg) tells something else."""
    for seed in range(1, 40):
        records, done = [], False
        for name, record in random_run(seed):
            if name == "outputs" and not done:
                fits = (record["kind"] == kind) & ((record["peak_ticks"] > 0) | (record[field] > 0))
                if fits.any():
                    record, done = record.copy(), True
                    record[field][np.flatnonzero(fits)[0]] += amount
            records.append((name, record))
        if done:
            report = audit(records)  # type: ignore[arg-type]
            assert any(finding.rule == rule for finding in report.findings), report.findings[:5]
            return
    pytest.fail("no such output in any of these streams")


@pytest.mark.parametrize("rule", [1, 2, 3, 4])
def test_a_fill_at_a_price_nobody_showed_is_found_for_every_book_rule(rule: int) -> None:
    """In random streams, for each rule of markets with a book: the first such fill is moved by one tick."""
    found = 0
    for seed in range(150):
        records, done = [], False
        for name, record in random_run(seed):
            if name == "outputs" and not done and ((record["kind"] == FILL) & (record["rule"] == rule)).any():
                record = record.copy()
                place = int(np.flatnonzero((record["kind"] == FILL) & (record["rule"] == rule))[0])
                record["fill_price_ticks"][place] += 1
                done = True
            records.append((name, record))
        if done:
            assert not audit(records).is_clean, f"seed {seed}"  # type: ignore[arg-type]
            found += 1
    assert found >= 5


def test_more_than_was_displayed_is_found() -> None:
    """A market order that walks the book is said to have found more at the level than the last picture shows."""
    found = 0
    for seed in range(150):
        records, done = [], False
        for name, record in random_run(seed):
            if name == "outputs" and not done:
                fits = np.flatnonzero((record["kind"] == FILL) & (record["rule"] == 1))
                if len(fits):
                    record = record.copy()
                    record["shown_lots"][fits[0]] += 1
                    done = True
            records.append((name, record))
        if done:
            report = audit(records)  # type: ignore[arg-type]
            assert "5 the visible book" in {finding.rule for finding in report.findings}, f"seed {seed}"
            found += 1
    assert found >= 5


# ---- inputs ----------------------------------------------------------------------------------------------------------


def changed_input(nth: int, change: Callable[[bytearray], bytes | bytearray]) -> AuditReport:
    records, seen = [], 0
    for name, record in quoted_run(EVENTS):
        if name == "input":
            seen += 1
            if seen == nth:
                record = bytes(change(bytearray(record)))  # type: ignore[arg-type]
        records.append((name, record))
    return audit(records)  # type: ignore[arg-type]


def earlier(data: bytearray) -> bytearray:
    data[40:48] = (1).to_bytes(8, "little")
    return data


def test_time_that_goes_back_is_found() -> None:
    assert "2 time" in {finding.rule for finding in changed_input(300, earlier).findings}


def test_a_hole_in_the_numbers_is_found() -> None:
    records = [record for record in quoted_run(EVENTS) if record[0] != "input" or seq_of(record[1]) != 300]  # type: ignore[arg-type]
    assert any("seq 301 follows 299" in finding.what for finding in audit(records).findings)


def seq_of(data: bytes) -> int:
    return int.from_bytes(data[24:32], "little")


def test_an_input_cut_short_is_found() -> None:
    assert any("bytes" in finding.what for finding in changed_input(300, lambda data: data[:50]).findings)


def test_outputs_before_any_input_are_found() -> None:
    outputs = next(record for name, record in quoted_run(EVENTS) if name == "outputs")
    assert audit([("outputs", outputs)]).found > 0  # type: ignore[list-item]


def test_money_from_nowhere_is_found() -> None:
    """A deposit that the command did not ask for; and one that came after the first order."""
    records: list[Record] = []
    for name, record in quoted_run(EVENTS):
        if name == "outputs":
            fits = (record["kind"] == POSTING) & (record["purpose"] == Purpose.OPENING)  # type: ignore[call-overload, index]
            if fits.any():
                record = record.copy()  # type: ignore[union-attr]
                record["amount_units"][fits] += 1  # type: ignore[index]
        records.append((name, record))  # type: ignore[arg-type]
    assert "10 deposits" in {finding.rule for finding in audit(records).findings}


def test_an_order_that_outlives_a_kill_is_found() -> None:
    """Random streams with kills, the cancels they cause left out."""
    found = 0
    for seed in range(120):
        records, cut = [], 0
        for name, record in random_run(seed):
            if name == "outputs" and (record["kind"] == KINDS.KILLED).any() and (record["reason"] == 61).any():
                gone = record["reason"] == 61
                ids = set(record["order_id"][gone].tolist())
                keep = [row for row in record if int(row["order_id"]) not in ids or row["kind"] == KINDS.KILLED]
                record = np.array(keep, record.dtype)
                record["number"] = np.arange(len(record))
                cut += 1
            records.append((name, record))
        if cut:
            assert "10 kill" in {finding.rule for finding in audit(records).findings}, f"seed {seed}"  # type: ignore[arg-type]
            found += 1
    assert found >= 3


def test_a_trade_from_another_source_is_found() -> None:
    """The source changes while orders live: whatever the account then gets from the new data is found."""
    records: list[Record] = []
    for name, record in quoted_run(EVENTS):
        if name == "input" and record[:2] == int(InputKind.BIND_SOURCE).to_bytes(2, "little"):
            data = bytearray(record)  # type: ignore[arg-type]
            data[48 + 24 : 48 + 32] = (12345).to_bytes(8, "little")
            record = bytes(data)
        records.append((name, record))  # type: ignore[arg-type]
    assert "3.5 source" in {finding.rule for finding in audit(records).findings}


def test_a_quote_merges_into_the_view() -> None:
    asks = [(10, 1), (11, 2), (12, 3)]
    assert merged(asks, 11, 5, 1) == [(11, 5), (12, 3)]
    assert merged(asks, 9, 5, 1) == [(9, 5), *asks]
    assert merged(asks, 9, 0, 1) == []
    bids = [(100 - level, 1) for level in range(20)]
    assert merged(bids, 101, 4, -1) == [(101, 4), *bids[:19]]
    assert stored_bytes(InputKind.QUOTE) == 112


# ---- amends, and orders of one account -------------------------------------------------------------------------------

AMENDED, DECREASED, EXPIRED = KINDS.AMEND_REQUESTED, KINDS.ORDER_DECREASED, KINDS.ORDER_EXPIRED
IN_MATCH = int(Reason.EXPIRED_IN_MATCH)
CHANGED: list[tuple[str, str, Callable[[Rows], None], int, int]] = [
    ("amended by more", "10 amends", add("qty_lots", 1), DECREASED, 0),
    ("another quantity on its way", "10 amends", add("qty_lots", 1), AMENDED, 0),
    ("an amend faster than light", "10 amends", add("arrive_ns", -1), AMENDED, 0),
    ("decreased to nothing", "10 amends", put("qty_lots", 0), DECREASED, 0),
    ("met a stranger", "5 self-trade", put("cause", 2**40), EXPIRED, IN_MATCH),
    ("decreased by a stranger", "5 self-trade", put("cause", 2**40), DECREASED, IN_MATCH),
    ("another mode", "5 self-trade", add("flags", 8), SUBMITTED, 0),
    ("another setting", "5 self-trade", put("flags", 0), KINDS.SELF_TRADE_SET, 0),
]


@pytest.mark.parametrize(("rule", "change", "kind", "reason"), [p[1:] for p in CHANGED], ids=[p[0] for p in CHANGED])
def test_what_is_wrong_with_an_amend_or_a_meeting_is_found(
    rule: str, change: Callable[[Rows], None], kind: int, reason: int
) -> None:
    """In random streams: the first output of a kind and reason is changed."""
    found = 0
    for seed in range(120):
        records, done = [], False
        for name, record in random_run(seed):
            fits = np.zeros(0, bool) if name != "outputs" else (record["kind"] == kind) & (record["reason"] == reason)
            if not done and fits.any():
                record = record.copy()
                place = int(np.flatnonzero(fits)[0])
                change(record[place : place + 1])
                done = True
            records.append((name, record))
        if done:
            rules = {finding.rule for finding in audit(records).findings}  # type: ignore[arg-type]
            assert rule in rules, f"seed {seed}: {rules}"
            found += 1
    assert found >= 3


def test_an_order_that_waits_across_its_own_account_is_found() -> None:
    """The end of a rival and its release are left out."""
    found = 0
    for seed in range(200):
        records, ended = [], set()
        for name, record in random_run(seed):
            if name == "outputs":
                fits = (record["kind"] == EXPIRED) & (record["reason"] == IN_MATCH)
                ended |= {(int(row["account"]), int(row["order_id"])) for row in record[fits]}
                keep = [row for row in record if (int(row["account"]), int(row["order_id"])) not in ended]
                if ended and len(keep) < len(record):
                    record = np.array(keep, record.dtype)
                    record["number"] = np.arange(len(record))
            records.append((name, record))
        rules = {finding.rule for finding in audit(records).findings}  # type: ignore[arg-type]
        found += "5 self-trade" in rules
    assert found >= 3
