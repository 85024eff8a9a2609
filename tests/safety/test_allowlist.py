"""What the list lets out, and, in a long table, what it does not."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.safety.local import DEPTH, PING, REST, STREAM, TRADES, door_to

from paperdesk.domain.reasons import Reason
from paperdesk.safety.allowlist import ALLOWED, HEADERS, judge
from paperdesk.safety.frames import LONGEST_FRAME_BYTES, frame_to_send
from paperdesk.safety.outside import NoAnswer

API = f"https://{REST}/api/v3"
LISTED, ADDRESS, CREDENTIAL = Reason.NOT_ON_THE_LIST, Reason.BAD_ADDRESS, Reason.CREDENTIAL_GIVEN
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
ALLOWED_ADDRESSES = (
    PING,
    f"{API}/time",
    DEPTH,
    f"{API}/exchangeInfo?symbol=BTCUSDT",
    f"{API}/exchangeInfo?symbols=%5B%22BTCUSDT%22%2C%22ETHUSDT%22%5D",
    f"{API}/trades?symbol=BTCUSDT&limit=1000",
    f"{API}/klines?symbol=BTCUSDT&interval=1m&limit=500",
    TRADES,
    f"wss://{STREAM}/stream?streams=btcusdt@trade/btcusdt@bookTicker/btcusdt@depth@100ms",
)
REFUSED = (
    # another method
    ("POST", f"{API}/depth?symbol=BTCUSDT", LISTED),
    ("DELETE", PING, LISTED),
    ("get", PING, LISTED),
    ("PUT", PING, LISTED),
    # another path
    ("GET", f"{API}/order", LISTED),
    ("GET", f"{API}/order/test?symbol=BTCUSDT", LISTED),
    ("GET", f"{API}/account", LISTED),
    ("GET", f"{API}/aggTrades?symbol=BTCUSDT", LISTED),
    ("GET", f"{API}/userDataStream", LISTED),
    ("GET", f"https://{REST}/sapi/v1/capital/withdraw/apply", LISTED),
    ("GET", f"{API}/PING", LISTED),
    ("GET", f"{API}/ping/", ADDRESS),
    ("GET", f"https://{REST}/", ADDRESS),
    ("GET", f"https://{REST}", ADDRESS),
    # another host
    ("GET", "https://api.binance.com/api/v3/ping", LISTED),
    ("GET", "https://data-api.binance.vision.evil.example/api/v3/ping", LISTED),
    ("GET", "https://evil-data-api.binance.vision/api/v3/ping", LISTED),
    ("GET", "https://127.0.0.1/api/v3/ping", LISTED),
    ("GET", "https://[::1]/api/v3/ping", ADDRESS),
    ("GET", "https://localhost/api/v3/ping", ADDRESS),
    ("GET", "https://2130706433/api/v3/ping", ADDRESS),
    ("GET", "https://169.254.169.254/latest/meta-data", LISTED),
    ("GET", f"https://{STREAM}/api/v3/ping", LISTED),
    # the host in another spelling
    ("GET", f"https://{REST.upper()}/api/v3/ping", ADDRESS),
    ("GET", f"https://{REST}./api/v3/ping", ADDRESS),
    ("GET", f"https://{REST}:443/api/v3/ping", ADDRESS),
    ("GET", f"https://{REST}:8443/api/v3/ping", ADDRESS),
    ("GET", f"https://{REST}@evil.example/api/v3/ping", ADDRESS),
    ("GET", f"https://user:word@{REST}/api/v3/ping", ADDRESS),
    ("GET", f"https://evil.example\\@{REST}/api/v3/ping", ADDRESS),
    ("GET", f"https://evil.example#@{REST}/api/v3/ping", ADDRESS),
    ("GET", "https://data-api.binance.visi\u00f3n/api/v3/ping", ADDRESS),
    ("GET", "https://data-api\u3002binance.vision/api/v3/ping", ADDRESS),
    # another scheme
    ("GET", PING.replace("https", "http"), LISTED),
    ("GET", PING.replace("https", "HTTPS"), ADDRESS),
    ("GET", PING.replace("https", "wss"), LISTED),
    ("GET", TRADES.replace("wss", "ws"), LISTED),
    ("GET", "file:///etc/passwd", ADDRESS),
    ("GET", f"//{REST}/api/v3/ping", ADDRESS),
    ("GET", "data:text/plain,hello", ADDRESS),
    # the path in another spelling
    ("GET", f"https://{REST}/api/v3/%70ing", ADDRESS),
    ("GET", f"https://{REST}/api/v3/ping/../order", ADDRESS),
    ("GET", f"https://{REST}/api/v3/%2e%2e/order", ADDRESS),
    ("GET", f"https://{REST}/api/v3/ping%2f..%2forder", ADDRESS),
    ("GET", f"https://{REST}//api/v3/ping", ADDRESS),
    ("GET", f"https://{REST}/api/./v3/ping", ADDRESS),
    ("GET", f"https://{REST}/api\\v3\\ping", ADDRESS),
    ("GET", f"https://{REST}/api/v3/ping;x=1", ADDRESS),
    ("GET", f"{PING}#part", ADDRESS),
    ("GET", f"{PING}\r\nX-MBX-APIKEY: x", ADDRESS),
    ("GET", f"{PING}\n", ADDRESS),
    ("GET", f" {PING}", ADDRESS),
    ("GET", f"{PING}\0", ADDRESS),
    ("GET", f"{PING} HTTP/1.1", ADDRESS),
    # parameters
    ("GET", f"{PING}?x=1", LISTED),
    ("GET", f"{PING}?", ADDRESS),
    ("GET", f"{API}/depth?symbol=BTCUSDT&symbol=ETHUSDT", ADDRESS),
    ("GET", f"{API}/depth?symbol=btcusdt", LISTED),
    ("GET", f"{API}/depth?symbol=BTCUSDT&limit=99999", LISTED),
    ("GET", f"{API}/depth?symbol=BTCUSDT&limit=-1", LISTED),
    ("GET", f"{API}/depth?symbol=%42TCUSDT", ADDRESS),
    ("GET", f"{API}/depth?symbol=BTCUSDT%26x%3D1", ADDRESS),
    ("GET", f"{API}/depth?symbol", ADDRESS),
    ("GET", f"{API}/depth?symbol=BTCUSDT&callback=x", LISTED),
    ("GET", f"{API}/exchangeInfo?symbols=%5B%22BTCUSDT%22%2C%22x%22%5D", LISTED),
    ("GET", f"{API}/depth?symbol={'A' * 9000}", ADDRESS),
    # credentials
    ("GET", f"{API}/depth?symbol=BTCUSDT&signature=abc", CREDENTIAL),
    ("GET", f"{API}/depth?symbol=BTCUSDT&apiKey=abc", CREDENTIAL),
    ("GET", f"{API}/depth?symbol=BTCUSDT&timestamp=1723161254000", CREDENTIAL),
    ("GET", f"{API}/depth?symbol=BTCUSDT&recvWindow=5000", CREDENTIAL),
    ("GET", f"{API}/depth?token=abc", CREDENTIAL),
    ("GET", f"{API}/depth?symbol={KEY}", CREDENTIAL),
    ("GET", f"{API}/userDataStream?listenKey={KEY}", CREDENTIAL),
    ("GET", f"https://{REST}//order?signature=abc", CREDENTIAL),
    # streams
    ("GET", f"wss://{STREAM}/ws/{KEY}", LISTED),
    ("GET", f"wss://{STREAM}/ws/btcusdt@trade", ADDRESS),
    ("GET", f"wss://{STREAM}/stream?streams={KEY}", CREDENTIAL),
    ("GET", f"wss://{STREAM}/stream?streams=btcusdt@trade/{'x' * 30}", LISTED),
    ("GET", f"wss://{STREAM}/stream?streams=btcusdt@userData", LISTED),
    ("GET", f"wss://{STREAM}/stream?streams=BTCUSDT@trade", LISTED),
    ("GET", f"wss://{STREAM}:9443/stream?streams=btcusdt@trade", ADDRESS),
    ("GET", "wss://ws-api.binance.com/ws-api/v3", LISTED),
    ("GET", "", ADDRESS),
)
HEADERS_REFUSED = (
    ({"X-MBX-APIKEY": "abc"}, CREDENTIAL),
    ({"x-mbx-apikey": "abc"}, CREDENTIAL),
    ({"Authorization": "Bearer abc"}, CREDENTIAL),
    ({"Proxy-Authorization": "Basic YTpi"}, CREDENTIAL),
    ({"Cookie": "session=1"}, CREDENTIAL),
    ({"KC-API-SIGN": "abc"}, CREDENTIAL),
    ({"X-Token": "abc"}, CREDENTIAL),
    ({"X-Note": KEY}, CREDENTIAL),
    ({"Host": "api.binance.com"}, LISTED),
    ({"X-Forwarded-Host": "api.binance.com"}, LISTED),
    ({"Accept": "text/html"}, LISTED),
    ({"Transfer-Encoding": "chunked"}, LISTED),
)
SUBSCRIBE = {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1}
FRAMES = (
    SUBSCRIBE,
    {"method": "UNSUBSCRIBE", "params": ["btcusdt@depth@100ms", "ethusdt@kline_1m"], "id": 7},
    {"method": "LIST_SUBSCRIPTIONS", "id": 0},
)
FRAMES_REFUSED = (
    "",
    "pong",
    "hello",
    "[]",
    "{}",
    "null",
    b"\xff\xfe",
    b"\0" * 10,
    '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1',
    '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}{"method":"order.place"}',
    '{"method":"SUBSCRIBE","method":"LIST_SUBSCRIPTIONS","id":1}',
    '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"params":["btcusdt@trade"],"id":1}',
    {"method": "order.place", "params": {"symbol": "BTCUSDT"}, "id": 1},
    {"method": "session.logon", "params": {"apiKey": "abc", "signature": "abc"}, "id": 1},
    {"method": "userDataStream.start", "params": {"apiKey": "abc"}, "id": 1},
    {"method": "SET_PROPERTY", "params": ["combined", True], "id": 1},
    {"method": "subscribe", "params": ["btcusdt@trade"], "id": 1},
    {**SUBSCRIBE, "apiKey": "abc"},
    {**SUBSCRIBE, "id": "1"},
    {**SUBSCRIBE, "id": -1},
    {**SUBSCRIBE, "id": None},
    {**SUBSCRIBE, "params": []},
    {**SUBSCRIBE, "params": [KEY]},
    {**SUBSCRIBE, "params": ["btcusdt@trade\n"]},
    {**SUBSCRIBE, "params": ["btcusdt@userData"]},
    {**SUBSCRIBE, "params": "btcusdt@trade"},
    {**SUBSCRIBE, "params": ["btcusdt@trade"] * 2000},
    {"method": "LIST_SUBSCRIPTIONS", "params": ["btcusdt@trade"], "id": 1},
    {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]},
    "[" * 5000,
    " " * (LONGEST_FRAME_BYTES + 1),
)


@pytest.mark.parametrize("address", ALLOWED_ADDRESSES)
def test_what_the_desk_needs_may_leave(address: str) -> None:
    verdict = judge("GET", address, HEADERS)
    assert verdict.reason is Reason.NONE and verdict.entry in ALLOWED


def test_every_entry_is_used_by_an_address_that_may_leave() -> None:
    used = [entry.name for entry in (judge("GET", address).entry for address in ALLOWED_ADDRESSES) if entry]
    assert set(used) == {entry.name for entry in ALLOWED}
    assert {entry.method for entry in ALLOWED} == {"GET"}
    assert {(entry.scheme, entry.host) for entry in ALLOWED} == {("https", REST), ("wss", STREAM)}


@pytest.mark.parametrize(("method", "address", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_nothing_else_may_leave(method: str, address: str, reason: Reason) -> None:
    verdict = judge(method, address)
    assert verdict.entry is None and verdict.reason is reason


@pytest.mark.parametrize(("headers", "reason"), HEADERS_REFUSED)
def test_no_header_of_a_caller_may_leave(headers: dict[str, str], reason: Reason) -> None:
    assert judge("GET", PING, headers)[:2] == (None, reason)


def test_what_is_no_text_is_no_address() -> None:
    for thing in (None, 7, b"https://x.example/a", ["a"]):
        assert judge("GET", thing).reason is ADDRESS


def test_the_door_refuses_and_counts_each_of_them() -> None:
    async def knock() -> None:
        async with door_to(9) as door:
            for _, address, reason in (row for row in REFUSED if row[0] == "GET"):
                for call in (door.get, door.connect):
                    with pytest.raises(NoAnswer) as told:
                        await call(address)
                    assert told.value.reason is reason and KEY not in str(told.value)
            for headers, reason in HEADERS_REFUSED:
                with pytest.raises(NoAnswer) as told:
                    await door.get(PING, headers)
                assert told.value.reason is reason and KEY not in str(told.value)
            with pytest.raises(NoAnswer):
                await door.get(TRADES)
            with pytest.raises(NoAnswer):
                await door.connect(PING)
            refused = 2 * sum(row[0] == "GET" for row in REFUSED) + len(HEADERS_REFUSED) + 2
            assert sum(row.calls for row in door.counters.rows()) == refused
            assert {row.entry for row in door.counters.rows()} == {"none"}
            assert {row.host for row in door.counters.rows()} == {REST, STREAM, "other"}

    asyncio.run(knock())


@pytest.mark.parametrize("frame", FRAMES)
def test_a_client_may_subscribe_and_list(frame: dict[str, object]) -> None:
    sent = frame_to_send(ALLOWED[-1], json.dumps(frame))
    assert sent is not None and json.loads(sent) == frame


@pytest.mark.parametrize("frame", FRAMES_REFUSED, ids=range(len(FRAMES_REFUSED)))
def test_a_client_may_say_nothing_else(frame: object) -> None:
    assert frame_to_send(ALLOWED[-1], json.dumps(frame) if isinstance(frame, dict) else frame) is None


def test_nothing_may_be_said_over_an_entry_without_frames() -> None:
    assert frame_to_send(ALLOWED[0], json.dumps(SUBSCRIBE)) is None


def test_the_callers_own_spelling_does_not_leave() -> None:
    spelled = b'{ "id":1,\t"params":["btcusdt\\u0040trade"] ,"method":"SUBSCRIBE"}'
    assert frame_to_send(ALLOWED[-1], spelled) == b'{"method":"SUBSCRIBE","id":1,"params":["btcusdt@trade"]}'
