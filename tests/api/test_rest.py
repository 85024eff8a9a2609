"""Everything that can be read, against the database and the record it comes from; and what is refused to be read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.api.desk import Desk, Recorded, until
from tests.app.desk import paperdesk

from paperdesk.api import messages as say
from paperdesk.domain.events import OutputKind
from paperdesk.domain.reasons import Reason
from paperdesk.store.reading import KIND, OUTPUT_ROW

ROOT = "/api/v1"
READABLE = (
    "desk", "state", "accounts", "orders", "orders/PAPER-0-4", "fills", "signals", "equity", "bars?instrument=0", "book?instrument=0", "events", "runs",
)  # fmt: skip


def sql(desk: Desk, text: str) -> list[Any]:
    return desk.writer.execute(text).fetchall()


def test_the_desk_tells_what_it_is(desk: Desk, run: Recorded) -> None:
    told = desk.get(f"{ROOT}/desk").json
    assert told["paper"] is True and told["run"] == run.run and told["label"] == "SIMULATED" and told["boot"] == "first"
    assert [one["symbol"] for one in told["instruments"]] == ["BTC/USDT"] and told["instruments"][0]["tick"] == "0.1"
    assert told["bots"] == [
        {"bot": 1, "name": "quoter-1", "strategy": "quoter", "parameters": {"size": "0.001"}, "isolated": False, "state": "running", "failure": ""}
    ]  # fmt: skip
    assert told["seq"] == desk.engine.seq == told["projected_seq"] and told["engine"]["heard"]
    assert {wall["process"] for wall in told["walls"]} == {"engine", "api"}
    assert "filter" in next(wall["text"] for wall in told["walls"] if wall["process"] == "api")


def test_the_state_is_what_the_command_line_tells(desk: Desk, run: Recorded) -> None:
    told = desk.get(f"{ROOT}/state").json
    (free, reserved), (usdt_free, usdt_reserved) = sql(desk, "SELECT free, reserved FROM balances ORDER BY asset")
    assert [(one["asset"], one["free"], one["reserved"]) for one in told["balances"]] == [
        ("BTC", free, reserved), ("USDT", usdt_free, usdt_reserved),
    ]  # fmt: skip
    assert all(Decimal(one["total"]) == Decimal(one["free"]) + Decimal(one["reserved"]) for one in told["balances"])
    assert (
        told["seq"] == desk.engine.seq
        and told["equity"] == "9993.83781130"
        and told["opening_equity"] == "10000.00000000"
    )
    (position,) = told["positions"]
    qty, cost, realized = sql(desk, "SELECT qty_units, cost_units, realized_units FROM positions WHERE bot = 0")[0]
    assert position["quantity"] == f"{Decimal(qty).scaleb(-8):f}" and position["mark"] == "60000.0"
    value = Decimal(position["quantity"]) * 60_000
    assert Decimal(position["value"]) == value and Decimal(position["unrealized_pnl"]) == value - Decimal(cost).scaleb(
        -8
    )
    assert Decimal(position["realized_pnl"]) == Decimal(realized).scaleb(-8) == Decimal(told["realized_pnl"])
    lots = sum(
        left
        for (left,) in sql(
            desk, "SELECT qty_lots - filled_lots FROM orders WHERE side = 'BUY' AND status IN ('submitted', 'accepted')"
        )
    )
    assert Decimal(told["exposure"]) == value + Decimal(lots) * Decimal("0.00001") * 60_000
    assert told["orders_live"] == len(told["orders"]) == 1 and told["bots"][0]["open_orders"] == 1
    assert told["bots"][0]["positions"][0]["quantity"] == position["quantity"]


def test_orders_come_in_pages(desk: Desk) -> None:
    numbers, before = [], ""
    while True:
        page = desk.get(f"{ROOT}/orders?limit=200{before}").json
        numbers += [one["number"] for one in page["orders"]]
        if page["before"] is None:
            break
        before = f"&before={page['before']}"
    assert numbers == [number for (number,) in sql(desk, "SELECT order_id FROM orders ORDER BY order_id DESC")]
    live = desk.get(f"{ROOT}/orders?status=live").json["orders"]
    closed = desk.get(f"{ROOT}/orders?status=closed&limit=500").json["orders"]
    assert {one["status"] for one in live} <= {"submitted", "accepted", "partially_filled"} and live
    assert not {one["status"] for one in closed} & {"submitted", "accepted", "partially_filled"}
    rejected = next(one for one in closed if one["status"] == "rejected")
    assert rejected["refusal"]["name"] == "post_only_would_take" and rejected["refusal"]["remedy"]
    filled = next(one for one in closed if one["status"] == "filled")
    assert Decimal(filled["average_price"]) * Decimal(filled["filled"]) == Decimal(filled["quote_amount"])


def test_an_order_tells_its_life_as_the_command_line_does(desk: Desk, run: Recorded) -> None:
    (number,) = sql(desk, "SELECT order_id FROM fills LIMIT 1")[0]
    told = desk.get(f"{ROOT}/orders/PAPER-0-{number}").json
    sentences = paperdesk("explain", f"PAPER-0-{number}", "--home", run.home).out.splitlines()
    in_the_log = [
        one
        for one in sentences
        if one.startswith(("Input ", "It came there before input ", "The newest before input "))
    ]
    assert len(in_the_log) == 2 and told["story"] == [one for one in sentences if one not in in_the_log]
    (fill,) = told["fills"]
    assert fill["receipt"]["sentence"] in told["story"] and fill["receipt"]["rule"] in (
        "trade_through",
        "queue",
        "book_cross",
    )
    assert desk.get(f"{ROOT}/orders/{number}").json == told


@pytest.mark.parametrize(
    "name", ["PAPER-0-99999", "PAPER-1-4", "hello", "0-4", "-4", "4.5", "٣", "9" * 30, "PAPER-0-4%00", "..%2f.."]
)
def test_orders_that_are_not_there(desk: Desk, name: str) -> None:
    answer = desk.get(f"{ROOT}/orders/{name.encode().decode('latin-1') if name.isascii() else '%D9%A3'}")
    assert answer.status == 404 and answer.json["remedy"]


def test_signals_tell_what_became_of_them(desk: Desk) -> None:
    run, number, client_id, seq = sql(
        desk, "SELECT run, order_id, client_id, submitted_seq FROM orders WHERE fills > 0 LIMIT 1"
    )[0]
    for signal, at, follows, code in ((1, seq - 1, client_id, 0), (2, seq + 1, 0, int(Reason.TARGET_REACHED))):
        desk.writer.execute(
            "INSERT INTO signals VALUES (?, 0, ?, 'PAPER', ?, 0, 1, 1, 0, 1, 150000000, 0, 600, ?, ?, ?, 0)",
            (run, signal, at, follows, code, "target_reached" if code else None),
        )
    told = desk.get(f"{ROOT}/signals").json
    assert [one["id"] for one in told["signals"]] == ["SIGNAL-0-2", "SIGNAL-0-1"] and told["before"] is None
    none, followed = told["signals"]
    assert none["refusal"]["name"] == "target_reached" and none["order"] is None and none["wanted"] == "1.50000000"
    assert (followed["order"], followed["refusal"], followed["price"]) == (f"PAPER-0-{number}", None, "60.0")
    assert desk.get(f"{ROOT}/signals?limit=1&before=2").json["signals"] == [followed]
    story = desk.get(f"{ROOT}/signals/SIGNAL-0-1").json["story"]
    assert (
        story[1] == f"PAPER-0-{number} followed from it:"
        and story[2:] == desk.get(f"{ROOT}/orders/{number}").json["story"]
    )
    assert desk.get(f"{ROOT}/signals/2").json["story"][1].startswith("No order followed, because the bot already held")
    for name in ("SIGNAL-0-3", "PAPER-0-1", "hello", "SIGNAL-7-1"):
        answer = desk.get(f"{ROOT}/signals/{name}")
        assert answer.status == 404 and answer.json["remedy"]


def test_fills_carry_receipts(desk: Desk) -> None:
    page = desk.get(f"{ROOT}/fills?limit=50").json
    rest = desk.get(f"{ROOT}/fills?limit=50&before={page['before']}").json
    assert rest["before"] is None
    told = page["fills"] + rest["fills"]
    rows = sql(desk, "SELECT fill_id, price, quantity, fee, realized FROM fills ORDER BY fill_id DESC")
    assert [(one["fill"], one["price"], one["quantity"], one["fee"], one["realized_pnl"]) for one in told] == rows
    assert all(one["receipt"]["latency_ms"] == 50 and one["who"] == "quoter-1" for one in told)


def test_equity_bars_and_runs(desk: Desk, run: Recorded) -> None:
    points = desk.get(f"{ROOT}/equity").json["points"]
    assert [(one["equity"], int(one["ts_ns"])) for one in points] == sql(
        desk, "SELECT equity, ts_seq_ns FROM equity ORDER BY seq"
    )
    assert desk.get(f"{ROOT}/equity?since={points[-1]['ts_ns']}").json["points"] == points[-1:]
    assert desk.get(f"{ROOT}/equity?limit=1").json["points"] == points[-1:]
    bars = desk.get(f"{ROOT}/bars?instrument=0&limit=10").json
    assert len(bars["bars"]) == 10 and bars["interval_s"] == 60
    assert [one["open_s"] for one in bars["bars"]] == sorted(one["open_s"] for one in bars["bars"])
    (known,) = desk.get(f"{ROOT}/runs").json["runs"]
    assert known["run"] == run.run and known["current"] and known["seed"] == 7


def test_a_market_as_it_is(desk: Desk) -> None:
    desk.engine.market(3, trades=2)
    told = until(lambda: (answer := desk.get(f"{ROOT}/book?instrument=0")).status == 200 and answer.json)
    assert (
        told["bids"][0] == ["60000.3", "0.00100"]
        and told["asks"][0] == ["60000.4", "0.00100"]
        and len(told["bids"]) == 20
    )
    assert [one["side"] for one in told["trades"]][-2:] == ["buy", "sell"] and told["status"] == "live"
    last = until(lambda: desk.get(f"{ROOT}/bars?instrument=0&limit=1").json["bars"][0])
    assert last == {
        "open_s": 1767225660,
        "open": "59999.8",
        "high": "60000.8",
        "low": "59999.4",
        "close": "60000.3",
        "volume": "0.01000",
    }
    desk.engine.market(4, status=2, reason=int(Reason.SEQUENCE_GAP))
    told = until(lambda: (book := desk.get(f"{ROOT}/book?instrument=0").json)["status"] == "gap" and book)
    assert told["status_reason"]["name"] == "sequence_gap"
    state = until(lambda: (one := desk.get(f"{ROOT}/state").json)["positions"][0]["mark"] is None and one)
    assert state["unrealized_pnl"] is None and state["positions"][0]["value"] is None, (
        "a price that is not fresh is no price"
    )
    desk.engine.market(5)
    until(lambda: desk.get(f"{ROOT}/book?instrument=0").json["status"] == "live")


def test_events_are_the_record_without_postings(desk: Desk, run: Recorded) -> None:
    silent = (int(OutputKind.POSTING), int(OutputKind.EQUITY))
    expected = [f"{row[11]}.{row[17]}" for row in OUTPUT_ROW.iter_unpack(run.rows) if row[KIND] not in silent]
    told, after = [], "0.0"
    while True:
        page = desk.get(f"{ROOT}/events?after={after}&limit=1000").json
        assert page["lost"] is False
        told += page["events"]
        if not page["events"]:
            break
        after = page["after"]
    assert [one["id"] for one in told][: len(expected)] == expected
    fill = next(one for one in told if one["kind"] == "fill")
    assert (
        fill["severity"] == "good"
        and fill["fill"]["fee_asset"] in ("BTC", "USDT")
        and fill["text"].startswith(fill["order"])
    )
    assert all(one["text"].endswith(".") and "None" not in one["text"] for one in told)


def test_health_and_family(desk: Desk) -> None:
    assert desk.get("/healthz").json["healthy"] is True
    desk.tell_family(say.ProcessTold("engine", 12, "running", 2, 1_767_225_600.5, 210.0, "killed by signal 9"))
    (process,) = until(lambda: desk.get("/healthz").json["processes"])
    assert process == {"name": "engine", "pid": 12, "state": "running", "restarts": 2, "started": "2026-01-01T00:00:00.500Z",
                       "rss_mb": 210.0, "last_end": "killed by signal 9"}  # fmt: skip


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("orders?limit=0", "limit"), ("orders?limit=501", "limit"), ("orders?limit=ten", "limit"),
        ("orders?status=open", "status"), ("orders?before=-1", "before"), ("orders?befor=1", "befor"), ("orders?limit=1&limit=2", "limit"),
        ("fills?limit=99999999999999999999", "limit"), ("equity?since=yesterday", "since"), ("bars", "instrument"),
        ("bars?instrument=BTC", "instrument"), ("events?after=12", "after"), ("events?after=-1.0", "after"), ("state?x=%ff%fe", "x"),
        ("events?after=1.0%0a", "after"),
    ],
)  # fmt: skip
def test_queries_that_cannot_be_read(desk: Desk, query: str, field: str) -> None:
    answer = desk.get(f"{ROOT}/{query}")
    assert (
        answer.status == 400
        and answer.json["field"] == field
        and answer.json["remedy"]
        and answer.json["error"] == "bad_request"
    )


@pytest.mark.parametrize("query", ["bars?instrument=7", "book?instrument=7"])
def test_instruments_that_are_not_there(desk: Desk, query: str) -> None:
    assert desk.get(f"{ROOT}/{query}").status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
def test_wrong_methods(desk: Desk, method: str) -> None:
    answer = desk.request(method, f"{ROOT}/state")
    assert answer.status == 405 and answer.json["error"] == "wrong_method" and "GET" in answer.headers["allow"]


def test_every_answer_is_json_and_says_paper(desk: Desk) -> None:
    desk.engine.market(6)
    until(lambda: desk.get(f"{ROOT}/book?instrument=0").status == 200)
    for path in READABLE:
        answer = desk.get(f"{ROOT}/{path}")
        assert (
            answer.status == 200
            and answer.headers["x-paper-trading"] == "true"
            and answer.headers["cache-control"] == "no-store"
        )
        assert json.loads(answer.body) is not None


def test_accounts_are_told_apart(own: Desk) -> None:
    ghost = {
        "account": 1,
        "role": "ghost",
        "label": "GHOST",
        "fill_model": "expected",
        "bots": [[2, "quoter-1 (GHOST)"]],
    }
    band = {"account": 2, "role": "band", "label": "optimistic", "fill_model": "optimistic", "bots": [[3, "q"]]}
    before = own.get(f"{ROOT}/accounts").json
    assert before["same_orders"] is False and before["spread"] is before["protections_saved"] is None
    ((fills,), (orders,)) = sql(own, "SELECT COUNT(*) FROM fills UNION ALL SELECT COUNT(*) FROM orders")
    (main,) = before["accounts"]
    assert (main["fills"], main["orders"], main["denied"]) == (fills, orders, {})
    assert (main["equity"], main["opening_equity"]) == ("9993.83781130", "10000.00000000")
    own.engine.beside = [ghost, band]
    own.engine.restart("second")
    own.engine.say(own.engine._welcome(-1))
    until(lambda: len(own.get(f"{ROOT}/desk").json["accounts"]) == 3)
    worths = [say.AccountTold(0, 999_383_781_130), say.AccountTold(1, 999_300_000_000), say.AccountTold(2, None)]
    own.engine.pulses = False
    own.engine.pulse(accounts=worths)
    told = until(lambda: [one for one in [own.get(f"{ROOT}/accounts").json] if one["protections_saved"]])[0]
    assert [one["label"] for one in told["accounts"]] == ["account", "GHOST", "optimistic"] and told["same_orders"]
    assert told["protections_saved"] == "0.83781130" and told["spread"] is None, "one of the band is not known"
    own.engine.pulse(accounts=[*worths[:2], say.AccountTold(2, 999_383_781_131)])
    until(lambda: own.get(f"{ROOT}/accounts").json["spread"] == "0.00000001")
    assert (
        own.get(f"{ROOT}/orders?account=1").json["orders"] == [] != own.get(f"{ROOT}/orders?account=0").json["orders"]
    )
    assert own.get(f"{ROOT}/fills?account=2").json["fills"] == own.get(f"{ROOT}/equity?account=2").json["points"] == []
    assert own.get(f"{ROOT}/equity?account=0").json == own.get(f"{ROOT}/equity").json
    for path in ("equity?account=3", "orders?account=9", "fills?account=3", "orders/PAPER-7-1", "orders/PAPER-1-1"):
        answer = own.get(f"{ROOT}/{path}")
        assert answer.status == 404, path
    assert "this desk has 3" in own.get(f"{ROOT}/equity?account=3").json["message"]


def test_events_of_other_accounts_are_not_the_accounts_own(own: Desk) -> None:
    own.engine.beside = [
        {"account": 1, "role": "ghost", "label": "GHOST", "fill_model": "expected", "bots": [[2, "q (GHOST)"]]}
    ]
    own.engine.restart("second")
    own.engine.say(own.engine._welcome(-1))
    until(lambda: len(own.get(f"{ROOT}/desk").json["accounts"]) == 2)
    seq = own.engine.seq
    own.engine.state(
        own.engine.event(seq + 1, account=1), own.engine.event(seq + 2), own.engine.event(seq + 3, account=1)
    )
    own.engine.note({"type": "bot_stopped", "account": 1, "bot": 2, "name": "q (GHOST)", "text": "x"})

    def told() -> Any:
        return own.get(f"{ROOT}/events?after={seq}.9").json["events"]

    until(lambda: len(told()) == 2)
    assert [(one["kind"], one["order"]) for one in told()] == [
        ("order_accepted", f"PAPER-0-{seq + 2}"),
        ("bot_stopped", None),
    ]
    assert told()[1]["who"] == "q (GHOST)", "whose bot it was is said"
