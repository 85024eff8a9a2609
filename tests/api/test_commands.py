"""Commands: each at most once per key, refusals with their reasons, and nonsense that never reaches the engine."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.api.desk import Desk, until

from paperdesk.api import messages as say
from paperdesk.domain.reasons import Reason

LIMIT = {"instrument": 0, "side": "buy", "order_type": "limit", "quantity": "0.001", "price": "59900.0"}


def test_an_order_is_done_once_per_key(desk: Desk) -> None:
    first = desk.command("POST", "/orders", LIMIT, "once")
    again = desk.command("POST", "/orders", LIMIT, "once")
    assert first.status == again.status == 200
    assert (
        first.json["code"] == "done"
        and first.json["status"] == "submitted"
        and first.json["order"].startswith("PAPER-0-")
    )
    assert first.json["repeated"] is False and again.json["repeated"] is True
    assert {**again.json, "repeated": False} == first.json
    other = desk.command("POST", "/orders", {**LIMIT, "price": "59901.0"}, "once")
    assert other.status == 409 and other.json["error"] == "conflict" and "new key" in other.json["remedy"]
    assert sum(request.key == "once" for request in desk.engine.requests) == 3
    event = first.json["events"][0]
    assert event["kind"] == "order_submitted" and event["terms"]["price"] == "59900.0" and event["who"] == "the owner"


def test_every_command_becomes_one_of_the_engine(desk: Desk) -> None:
    before = desk.engine.seq
    order = desk.command("POST", "/orders", LIMIT).json["order"]
    number = int(order.rpartition("-")[2])
    wanted: list[tuple[str, str, Any, say.Wanted]] = [
        ("DELETE", f"/orders/{order}", None, say.CancelOrder(number)),
        ("PATCH", f"/orders/{order}", {"quantity": "0.0005"}, say.AmendOrder(number, "0.0005")),
        ("POST", "/orders/cancel-all", None, say.CancelAll(-1)),
        ("POST", "/orders/cancel-all", {"instrument": 0}, say.CancelAll(0)),
        ("POST", "/kill", {}, say.Kill(-1)),
        ("POST", "/resume", None, say.Resume(-1)),
        ("POST", "/bots/1/stop", None, say.Kill(1)),
        ("POST", "/bots/1/start", None, say.Resume(1)),
        (
            "POST", "/orders",
            {"instrument": 0, "side": "sell", "order_type": "stop_limit", "quantity": "1", "price": "5", "trigger_price": "6",
             "time_in_force": "gtd", "expire_ns": "1764500000000000000", "reduce_only": True, "self_trade": "none"},
            say.SubmitOrder(0, "sell", "stop_limit", "1", "5", "6", "gtd", False, 1764500000000000000, True, self_trade="none"),
        ),
        (
            "POST", "/order-lists",
            {"instrument": 0, "kind": "oco", "legs": [
                {"side": "sell", "order_type": "limit", "quantity": "1", "price": "7", "post_only": True},
                {"side": "sell", "order_type": "stop_market", "quantity": "1", "trigger_price": "5"},
            ]},
            say.SubmitList(0, "oco", [
                say.SubmitOrder(0, "sell", "limit", "1", "7", None, None, True),
                say.SubmitOrder(0, "sell", "stop_market", "1", None, "5"),
            ]),
        ),
        (
            "POST", "/orders", {"instrument": 0, "side": "buy", "order_type": "market", "quote_quantity": "50"},
            say.SubmitOrder(0, "buy", "market", "0", quote_quantity="50"),
        ),
        (
            "POST", "/orders", {"instrument": 0, "side": "sell", "order_type": "stop_market", "quantity": "1", "trail_bips": 150},
            say.SubmitOrder(0, "sell", "stop_market", "1", trail_bips=150),
        ),
        (
            "POST", "/orders", {"instrument": 0, "side": "sell", "order_type": "limit", "quantity": "1", "price": "5", "visible_quantity": "0.2"},
            say.SubmitOrder(0, "sell", "limit", "1", "5", visible_quantity="0.2"),
        ),
    ]  # fmt: skip
    for method, path, body, what in wanted:
        answer = desk.command(method, path, body)
        assert answer.status == 200 and answer.json["code"] == "done", (path, answer.body)
        assert desk.engine.requests[-1].what == what
    killed = [event["text"] for event in desk.get(f"/api/v1/events?limit=1000&after={before}.0").json["events"]]
    assert "The kill switch of the desk is on." in killed and "The kill switch of quoter-1 is off." in killed


def test_refusals_carry_reason_meaning_and_remedy(desk: Desk) -> None:
    denied = desk.command("POST", "/orders", {**LIMIT, "quantity": "5000"})
    assert (
        denied.status == 422
        and denied.json["code"] == "refused"
        and denied.json["status"] == "denied"
        and denied.json["order"]
    )
    assert denied.json["refusal"] == {
        "code": int(Reason.INSUFFICIENT_BALANCE), "name": "insufficient_balance", "meaning": "the free balance does not cover the order",
        "remedy": "send a smaller order or cancel one that holds funds",
    }  # fmt: skip
    gone = desk.command("DELETE", "/orders/PAPER-0-5")
    assert gone.status == 422 and gone.json["refusal"]["name"] == "unknown_order"
    unusable = desk.command("POST", "/orders", {**LIMIT, "quantity": "0." + "1" * 35})
    assert unusable.status == 422 and unusable.json["text"] == "quantity is not a number" and unusable.json["seq"] == 0


def test_an_engine_that_does_not_answer(desk: Desk) -> None:
    desk.engine.reply = lambda request: None
    answer = desk.command("POST", "/kill", None, "silent")
    desk.engine.reply = desk.engine.usual
    assert answer.status == 504 and "same Idempotency-Key" in answer.json["remedy"]
    assert desk.command("POST", "/kill", None, "silent").status == 200
    assert desk.command("POST", "/resume").status == 200


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "tab\there", "caf\u00e9"])
def test_a_key_is_needed(desk: Desk, key: str) -> None:
    before = len(desk.engine.requests)
    answer = desk.request("POST", "/api/v1/kill", headers={"Idempotency-Key": key} if key else {})
    assert answer.status == 400 and answer.json["field"] == "Idempotency-Key" and "UUID" in answer.json["remedy"]
    assert len(desk.engine.requests) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": 0.001}, "quantity"), ({"quantity": "NaN"}, "quantity"), ({"quantity": "1e5"}, "quantity"), ({"quantity": ""}, "quantity"),
        ({"quantity": "1" * 41}, "quantity"), ({"quantity": None}, "quantity"), ({"quote_quantity": "5"}, "quantity"),
        ({"quote_quantity": 5}, "quote_quantity"), ({"trail_bips": 50}, "trail_bips"), ({"trail_bips": 0}, "trail_bips"),
        ({"trail_bips": 10_000}, "trail_bips"), ({"trail_bips": "50"}, "trail_bips"), ({"visible_quantity": 5}, "visible_quantity"),
        ({"quantity": "0.001\n"}, "quantity"), ({"quantity": "٣"}, "quantity"),
        ({"price": 59900}, "price"), ({"price": None}, "price"), ({"side": "long"}, "side"), ({"side": 1}, "side"),
        ({"order_type": "market"}, "price"), ({"order_type": "stop_limit"}, "trigger_price"), ({"order_type": "twap"}, "order_type"),
        ({"time_in_force": "day"}, "time_in_force"),
        ({"expire_ns": 5}, "expire_ns"), ({"reduce_only": "yes"}, "reduce_only"), ({"expire_ns": "-5"}, "expire_ns"),
        ({"expire_ns": "9" * 19}, "expire_ns"),
        ({"post_only": "yes"}, "post_only"), ({"post_only": 1}, "post_only"),
        ({"instrument": "0"}, "instrument"), ({"instrument": -1}, "instrument"), ({"instrument": 2**70}, "instrument"),
        ({"instrument": 0.5}, "instrument"), ({"leverage": 10}, "leverage"), ({"live": True}, "live"),
    ],
)  # fmt: skip
def test_fields_that_cannot_be_read(desk: Desk, change: dict[str, Any], field: str) -> None:
    before = len(desk.engine.requests)
    answer = desk.command("POST", "/orders", {**LIMIT, **change})
    assert answer.status == 400 and answer.json["field"] == field and answer.json["remedy"], answer.body
    assert len(desk.engine.requests) == before


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\x00\xff\xfe", b'{"instrument":0,"side":"\xff"}', b'{"side":"\\ud800"}', b"[" * 20_000, b'{"a":' * 5_000,
        b'{"instrument":1e999}', b'"' + b"x" * 1_000, json.dumps([LIMIT]).encode(), b'{"side":"buy"}',
    ],
)  # fmt: skip
def test_bodies_that_are_nonsense(desk: Desk, body: bytes) -> None:
    before = len(desk.engine.requests)
    answer = desk.request(
        "POST", "/api/v1/orders", body, {"Idempotency-Key": "nonsense", "Content-Type": "application/json"}
    )
    assert answer.status == 400 and answer.json["error"] == "bad_request", answer.body
    assert len(desk.engine.requests) == before


def test_bodies_that_are_too_large_or_no_json(desk: Desk) -> None:
    headers = {"Idempotency-Key": "large", "Content-Type": "application/json"}
    told = desk.request("POST", "/api/v1/orders", b" " * 65_537, headers)
    assert told.status == 413 and told.json["error"] == "too_large"
    pieces = desk.request("POST", "/api/v1/orders", iter([b" " * 30_000] * 3), headers)  # type: ignore[arg-type]
    assert pieces.status == 413
    assert desk.request("POST", "/api/v1/kill", b" " * 65_537, headers).status == 413
    plain = desk.request(
        "POST", "/api/v1/orders", json.dumps(LIMIT), {"Idempotency-Key": "plain", "Content-Type": "text/plain"}
    )
    assert plain.status == 415 and "application/json" in plain.json["remedy"]


def test_things_that_are_not_there(desk: Desk) -> None:
    for method, path in (
        ("POST", "/bots/9/stop"),
        ("POST", "/bots/-1/stop"),
        ("POST", "/bots/0/start"),
        ("DELETE", "/orders/hello"),
    ):
        before = len(desk.engine.requests)
        answer = desk.command(method, path)
        assert answer.status == 404 and answer.json["remedy"], (path, answer)
        assert len(desk.engine.requests) == before


def test_commands_are_counted(desk: Desk) -> None:
    desk.command("POST", "/resume", None, "counted")
    text = until(lambda: desk.get("/metrics").body.decode())
    assert 'paperdesk_commands_total{code="done",command="resume"}' in text
    assert 'paperdesk_commands_total{code="no_answer",command="kill"} 1.0' in text
