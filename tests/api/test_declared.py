"""What is declared, documented and published of the API agree."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from tests.api.desk import REPO, Desk, until

from paperdesk.api import endpoint, models, models_live, stream
from paperdesk.api.messages import ProcessTold
from paperdesk.api.schema import declared, document
from paperdesk.domain.events import OutputKind

DOCS = (REPO / "docs/api.md").read_text(encoding="utf-8")


def plain(path: str) -> str:
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


def test_every_endpoint_is_documented_and_the_reverse() -> None:
    said = set(re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", DOCS, re.MULTILINE))
    assert said == {f"{method} {plain(path)}" for method, path, _ in declared()}


def test_every_parameter_and_its_bounds_are_documented() -> None:
    for method, path, told in declared():
        row = next(line for line in DOCS.splitlines() if line.startswith(f"| `{method} {plain(path)}` |")).rpartition(
            " | "
        )
        fields = told.query.__struct_fields__ if told.query is not None else ()
        assert set(re.findall(r"`(\w+)`", row[2])) == set(fields), path
        if "limit" in fields:
            _, components = msgspec.json.schema_components([told.query])
            schema = components[told.query.__name__]["properties"]["limit"]
            assert f"`limit` {schema['minimum']} to {schema['maximum']}" in row[2], path


def test_every_event_status_and_close_code_is_documented() -> None:
    kinds = {kind.name.lower() for kind in OutputKind} - {"posting", "equity"}
    assert all(f"`{kind}`" in DOCS for kind in kinds)
    assert all(f"| {code} |" in DOCS for code in (stream.SLOW, stream.FULL, stream.DEAF, 1012))
    types = {kind.__struct_config__.tag for kind in models_live.StreamMessage.__args__}
    assert types == set(re.findall(r"^\| `([a-z]+)` \|", DOCS, re.MULTILINE))
    problems = {status for _, _, told in declared() for status in (*told.problems, *told.statuses)}
    assert (
        all(re.search(rf"^\| (?:\d+, )?{status}\b", DOCS, re.MULTILINE) for status in problems - {415})
        and "413, 415" in DOCS
    )


def test_every_metric_is_documented_and_the_reverse(desk: Desk) -> None:
    desk.tell_family(ProcessTold("door", 1, "running", 0, 0.0, 1.0, ""), notes=[("ntfy.example.com", "sent", 4)])
    desk.engine.market(1)
    desk.command("POST", "/resume")
    said = dict(
        re.findall(
            r"^\| `(\w+)(?:\{([\w,]+)\})?` \|", (REPO / "docs/metrics.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    text = until(
        lambda: "paperdesk_market_status{" in (text := desk.get("/metrics").body.decode()) and "_door_" in text and text
    )
    found: dict[str, str] = {}
    for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE):
        assert float(value) == float(value)
        if not name.endswith("_created"):
            found[name] = ",".join(re.findall(r'(\w+)="', labels))
    assert {name: set(labels.split(",")) for name, labels in found.items()} == {
        name: set(labels.split(",")) for name, labels in said.items()
    }
    helped = set(re.findall(r"^# HELP (\w+) ", text, re.MULTILINE))
    assert not [name for name in found if name not in helped and name.removesuffix("_total") not in helped]


def test_figures_are_those_that_were_told(desk: Desk) -> None:
    carried = {"door_calls": [("ntfy.example.com", "notify-1", "answered", 4)]}
    desk.tell_family(
        ProcessTold("door", 1, "running", 0, 0.0, 1.0, ""), notes=[("ntfy.example.com", "sent", 4)], **carried
    )
    text = until(lambda: "notify-1" in (text := desk.get("/metrics").body.decode()) and text)
    assert 'paperdesk_notes_total{outcome="sent",receiver="ntfy.example.com"} 4.0' in text
    assert 'paperdesk_door_calls_total{host="ntfy.example.com",path="notify-1",verdict="answered"} 4.0' in text
    assert 'paperdesk_equity{account="0",asset="USDT"} 9993.8378113' in text
    assert f'paperdesk_info{{label="SIMULATED",run="{desk.recorded.run}",version="0.1.0"}} 1.0' in text
    assert 'paperdesk_door_calls_total{host="api.example.com",path="/api/v3/depth",verdict="allowed"} 3.0' in text
    desk.get("/api/v1/orders/PAPER-0-4")
    desk.get("/nowhere")
    text = desk.get("/metrics").body.decode()
    assert 'paperdesk_api_requests_total{method="GET",route="/api/v1/orders/{order_id}",status="200"}' in text
    assert 'paperdesk_api_requests_total{method="GET",route="other",status="404"}' in text


def test_the_document_is_published_and_served(desk: Desk) -> None:
    assert (REPO / "web/openapi.json").read_bytes() == document(), (
        "run: python -m paperdesk.api.schema > web/openapi.json"
    )
    assert desk.get("/openapi.json").body == document()
    printed = subprocess.run(
        [sys.executable, "-m", "paperdesk.api.schema"],
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(REPO / "src")},
    )
    assert printed.stdout == document()


def test_the_document_names_nothing_that_it_does_not_hold() -> None:
    told = json.loads(document())
    assert told["openapi"] == "3.1.0"
    schemas = told["components"]["schemas"]
    refs = set(re.findall(r'"#/components/schemas/(\w+)"', document().decode()))
    assert refs <= set(schemas)
    answers = {name for module in (models, models_live) for name, kind in vars(module).items() if _is_answer(kind)}
    assert answers - set(schemas) == set(), "every shape is published"


def _is_answer(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, models.Answer) and kind not in (models.Answer, models_live.Said)


@pytest.mark.parametrize(
    "path",
    [
        "desk",
        "state",
        "orders",
        "fills",
        "equity",
        "runs",
        "events",
        "orders/PAPER-0-4",
        "bars?instrument=0",
        "book?instrument=0",
    ],
)
def test_answers_are_of_their_declared_shapes(desk: Desk, path: str) -> None:
    wanted = path.partition("?")[0].replace("PAPER-0-4", "{order_id}")
    kind = next(
        told.answer for method, at, told in declared() if method == "GET" and plain(at) == f"{endpoint.ROOT}/{wanted}"
    )
    desk.engine.market(1)
    answer = until(lambda: (one := desk.get(f"/api/v1/{path}")).status == 200 and one)
    assert json.loads(msgspec.json.encode(msgspec.json.decode(answer.body, type=kind))) == answer.json


def test_messages_are_of_their_declared_shapes(desk: Desk) -> None:
    decoder = msgspec.json.Decoder(models_live.StreamMessage)
    seen = set()
    with desk.stream(f"?after={desk.engine.seq - 14}.0") as client:
        desk.engine.market(2)
        while len(seen) < 5:
            seen.add(type(decoder.decode(client.recv(timeout=20))).__name__)
    assert seen == {"Hello", "EventSaid", "StateSaid", "MarketSaid", "PulseSaid"}
