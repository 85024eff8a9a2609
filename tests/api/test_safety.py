"""What a browser, or a page of another site in it, cannot do; and that every response says that this is paper."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from tests.api.desk import REPO, WAIT_S, Desk
from websockets.exceptions import InvalidStatus

from paperdesk.api.pages import files


def raw(desk: Desk, data: bytes) -> bytes:
    """Bytes sent as they are, and all that comes back."""
    with socket.create_connection(("127.0.0.1", desk.port), timeout=WAIT_S) as connection:
        connection.sendall(data)
        told = b""
        while piece := connection.recv(65_536):
            told += piece
        return told


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost", "127.0.0.1:1", "127.0.0.1.evil.example:PORT", "[::2]:PORT", "0.0.0.0:PORT", "a@127.0.0.1:PORT", ""]
)  # fmt: skip
def test_other_hosts_are_refused(desk: Desk, host: str) -> None:
    answer = desk.get("/api/v1/state", Host=host.replace("PORT", str(desk.port)))
    assert answer.status == 421 and answer.headers["x-paper-trading"] == "true"
    assert answer.json["error"] == "wrong_host" and f"127.0.0.1:{desk.port}" in answer.json["remedy"]


def test_no_host_and_two_hosts_are_refused(desk: Desk) -> None:
    own = f"Host: 127.0.0.1:{desk.port}\r\n".encode()
    for head in (b"", own + own, own + b"Host: evil.example\r\n"):
        told = raw(desk, b"GET /api/v1/state HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n")
        assert told.startswith((b"HTTP/1.1 400", b"HTTP/1.1 421")) and b"x-paper-trading: true" in told.lower()
    told = raw(desk, b"GET /api/v1/state HTTP/1.0\r\n\r\n")
    assert told.startswith(b"HTTP/1.1 421")


@pytest.mark.parametrize("host", ["localhost:{}", "LOCALHOST:{}", "[::1]:{}"])
def test_own_names_are_answered(desk: Desk, host: str) -> None:
    name = host.format(desk.port)
    assert desk.get("/api/v1/state", Host=name).status == 200
    assert desk.command("POST", "/resume", Host=name, Origin=f"http://{name.lower()}").status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://127.0.0.1:PORT",
        "http://127.0.0.1",
        "http://localhost:PORT",
        "file://",
        "",
    ],
)
def test_other_origins_send_no_commands_and_open_no_stream(desk: Desk, origin: str) -> None:
    origin = origin.replace("PORT", str(desk.port))
    before = len(desk.engine.requests)
    for method, path in (("POST", "/kill"), ("POST", "/orders"), ("DELETE", "/orders/PAPER-0-1")):
        answer = desk.command(method, path, {}, Origin=origin)
        assert (
            answer.status == 403
            and answer.json["error"] == "wrong_origin"
            and answer.headers["x-paper-trading"] == "true"
        )
    assert len(desk.engine.requests) == before
    with pytest.raises(InvalidStatus) as refused, desk.stream(additional_headers={"Origin": origin}):
        pass
    assert refused.value.response.status_code == 403 and refused.value.response.headers["X-Paper-Trading"] == "true"
    assert json.loads(refused.value.response.body)["remedy"]


def test_the_own_page_may(desk: Desk) -> None:
    origin = f"http://127.0.0.1:{desk.port}"
    assert desk.command("POST", "/resume", Origin=origin).status == 200
    with desk.stream(origin=origin) as client:
        assert json.loads(client.recv(timeout=WAIT_S))["type"] == "hello"


def test_no_cross_origin_reading_is_offered(desk: Desk) -> None:
    preflight = {
        "Origin": "http://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "idempotency-key",
    }
    for answer in (
        desk.request("OPTIONS", "/api/v1/kill", headers=preflight),
        desk.get("/api/v1/state", Origin="http://evil.example"),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin" and "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\nConnection: close\r\n\r\n",
            b"\x00" * 100, b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: " + b"x" * 20_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_http_is_told_so(desk: Desk, data: bytes) -> None:
    told = raw(desk, data)
    assert told.startswith((b"HTTP/1.1 400", b"HTTP/1.1 421")) and b"x-paper-trading: true" in told.lower()
    assert desk.get("/healthz").status == 200


@pytest.mark.parametrize("path", ["/", "/nope", "/api/v1/nope", "/api/v2/state", "/api/v1/stream", "/metrics", "/openapi.json", "/..%2f..%2fetc%2fpasswd",
                                  "/%2e%2e/%2e%2e/etc/passwd", "/static/../app.py", "/a%00b", "/%ff", "//evil.example/", "/api/v1/orders/"])  # fmt: skip
def test_every_response_says_paper_and_closes_the_page_in(desk: Desk, path: str) -> None:
    answer = desk.get(path)
    assert answer.status in (200, 404, 405), answer
    assert answer.headers["x-paper-trading"] == "true" and answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert b"root:" not in answer.body and b"import" not in answer.body[:200]


def test_the_page_answers_for_its_own_links_alone(desk: Desk) -> None:
    page = desk.get("/", Accept="text/html")
    assert page.status == 200 and page.headers["content-type"] == "text/html; charset=utf-8" and b"PAPER" in page.body
    assert desk.get("/orders/PAPER-0-4", Accept="text/html,*/*").body == page.body
    assert desk.get("/orders/PAPER-0-4", Accept="application/json").status == 404
    assert desk.get("/assets/gone-12345678.js", Accept="text/html").status == 404
    assert desk.get("/api/v1/nope", Accept="text/html").status == 404
    assert desk.request("HEAD", "/").body == b""


def test_files_are_cached_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "icon.svg", "assets/index-02HN-jQf.js", "assets/index-B30-w-6w.css"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "link.js").symlink_to("/etc/passwd")
    found = files(tmp_path)
    assert set(found) == {"index.html", "icon.svg", "assets/index-02HN-jQf.js", "assets/index-B30-w-6w.css"}
    assert {name for name, file in found.items() if "immutable" in file.caching} == {
        "assets/index-02HN-jQf.js",
        "assets/index-B30-w-6w.css",
    }
    assert found["assets/index-02HN-jQf.js"].kind == "text/javascript" and found["icon.svg"].kind == "image/svg+xml"


def test_without_a_dashboard_the_root_says_how_to_build_it() -> None:
    text = (REPO / "src/paperdesk/api/pages.py").read_text(encoding="utf-8")
    assert "make web" in text and "PAPER TRADING" in text
