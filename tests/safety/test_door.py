"""The door against a server on this machine: what passes, what is told when something else comes back."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import WSMsgType, web
from tests.safety.local import DEPTH, PING, QUICK, REST, STREAM, TRADES, Handler, Raw, door_to, serving, speaking

from paperdesk.domain.reasons import Reason
from paperdesk.safety.door import Door, Limits, Loopback, Stream, needs
from paperdesk.safety.outside import NoAnswer, wait_told

SUBSCRIBE = '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}'
NOBODY = 9
"""A port of loopback where nothing listens."""


def knock(answer: Handler, address: str = PING) -> NoAnswer:
    """What the door tells when a server answers so."""

    async def run() -> NoAnswer:
        async with serving(answer) as port, door_to(port) as door:
            with pytest.raises(NoAnswer) as told:
                await (door.connect if address.startswith("wss") else door.get)(address)
            counted = {row.verdict: row.calls for row in door.counters.rows()}
            assert counted == {"allowed": 1, told.value.reason.name.lower(): 1}
            return told.value

    return asyncio.run(run())


def raw(speak: Raw, address: str = PING, limits: Limits = QUICK) -> NoAnswer:
    """What the door tells when a server speaks so."""

    async def run() -> NoAnswer:
        async with speaking(speak) as port, door_to(port, limits=limits) as door:
            with pytest.raises(NoAnswer) as told:
                await (door.connect if address.startswith("wss") else door.get)(address)
            return told.value

    return asyncio.run(run())


def talk(answer: Handler, ask: Callable[[Door, Stream], Awaitable[None]], limits: Limits = QUICK) -> None:
    """Opens a stream to a server and talks."""

    async def run() -> None:
        async with serving(answer) as port, door_to(port, limits=limits) as door:
            stream = await door.connect(TRADES)
            try:
                await ask(door, stream)
            finally:
                await stream.close()

    asyncio.run(run())


def answering(status: int, body: str = "", kind: str = "application/json", **headers: str) -> Handler:
    """A server that always answers so; `Retry_After="7"` is the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type=kind, headers=named)

    return answer


def test_an_answer_comes_back_and_nothing_but_the_request_goes_out() -> None:
    seen: list[tuple[str, dict[str, str]]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.path_qs, dict(request.headers)))
        return web.json_response({"lastUpdateId": 7}, headers={"Set-Cookie": "session=1"})

    async def run() -> None:
        async with serving(answer) as port, door_to(port) as door:
            for _ in range(2):
                assert msgspec.json.decode(await door.get(DEPTH)) == {"lastUpdateId": 7}
            counted = [tuple(row) for row in door.counters.rows()]
            assert counted == [(REST, "depth", "allowed", 2), (REST, "depth", "answered", 2)]
            assert door.counters.of("allowed") == 2 and door.counters.of(Reason.TIMED_OUT) == 0

    asyncio.run(run())
    for path, headers in seen:
        assert path == "/api/v3/depth?symbol=BTCUSDT&limit=5000"
        assert set(headers) == {"Host", "Accept", "Accept-Encoding", "User-Agent"}
        assert headers["Host"].startswith(REST) and headers["Accept-Encoding"] == "identity"


def test_escapes_of_a_list_of_symbols_arrive_as_they_were_written() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        return web.json_response({})

    async def run() -> None:
        async with serving(answer) as port, door_to(port) as door:
            await door.get(f"https://{REST}/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D")

    asyncio.run(run())
    assert seen == ["/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("address", [PING, TRADES])
def test_redirects_are_told_and_not_followed(status: int, address: str) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": "/api/v3/elsewhere"})

    told = knock(answer, address)
    assert told.reason is Reason.REDIRECTED and "/api/v3/elsewhere" in str(told) and len(asked) == 1


@pytest.mark.parametrize("status", [451, 403])
@pytest.mark.parametrize("address", [PING, TRADES])
def test_a_region_that_is_not_served_is_told_with_another_venue(status: int, address: str) -> None:
    told = knock(answering(status, "<html>no</html>", "text/html"), address)
    assert told.reason is Reason.REGION_REFUSED and str(status) in str(told) and "Kraken" in str(told)
    assert "simulated" in str(told) and ("firewall" in str(told)) == (status == 403)


@pytest.mark.parametrize(
    ("status", "after", "reason", "wait_s"),
    [
        (429, "7", Reason.RATE_LIMITED, 7),
        (429, "soon", Reason.RATE_LIMITED, 60),
        (418, "300", Reason.VENUE_BANNED_US, 300),
        (418, "-5", Reason.VENUE_BANNED_US, 120),
        (418, "999999999", Reason.VENUE_BANNED_US, 3 * 86_400),
        (503, "9", Reason.VENUE_ERROR, 9),
    ],
)
def test_the_pause_that_a_venue_asks_for_is_kept(status: int, after: str, reason: Reason, wait_s: float) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"Retry-After": after})

    async def run() -> None:
        async with serving(answer) as port, door_to(port) as door:
            with pytest.raises(NoAnswer) as first:
                await door.get(PING)
            with pytest.raises(NoAnswer) as second:
                await door.get(DEPTH)
            assert first.value.reason is second.value.reason is reason
            assert first.value.wait_s == wait_s and wait_s - 1 < second.value.wait_s <= wait_s
            assert door.counters.of("held_back") == 1 and door.counters.of("allowed") == 1

    asyncio.run(run())
    assert asked == ["/api/v3/ping"]


def test_waits_are_read_strictly() -> None:
    assert [wait_told(429, text) for text in ("0", " 5 ", "1e9", "Wed, 21 Oct 2026 07:28:00 GMT", None)] == [
        0.0, 5.0, 60.0, 60.0, 60.0,
    ]  # fmt: skip
    assert wait_told(500, None) == 0


@pytest.mark.parametrize(
    ("status", "body", "reason", "word"),
    [
        (200, "<!DOCTYPE html><title>Sign in</title>", Reason.NOT_JSON, "web page"),
        (200, "", Reason.NOT_JSON, "nothing"),
        (200, "hello", Reason.NOT_JSON, "no JSON"),
        (404, "<html>", Reason.NOT_JSON, "web page"),
        (400, '{"code":-1121,"msg":"Invalid symbol."}', Reason.VENUE_ERROR, "Invalid symbol."),
        (502, "<html>bad gateway</html>", Reason.VENUE_ERROR, "502"),
        (204, "", Reason.VENUE_ERROR, "204"),
    ],
)
def test_other_answers_are_told(status: int, body: str, reason: Reason, word: str) -> None:
    told = knock(answering(status, body, "text/html"))
    assert told.reason is reason and word in str(told)


def test_words_of_others_are_shown_plainly_and_cut() -> None:
    told = knock(answering(400, "\x1b[2J" + "é" * 20 + "x" * 1000))
    assert "\x1b" not in str(told) and len(str(told)) < 400 and str(told).isprintable()


def test_an_answer_larger_than_any_honest_one_is_not_read_further() -> None:
    told = knock(answering(200, "[" + " " * 5_000_000 + "]"), DEPTH)
    assert told.reason is Reason.ANSWER_TOO_LARGE


def test_slow_answers_end() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        while True:
            writer.write(b" ")
            await asyncio.sleep(0.02)

    assert raw(speak).reason is Reason.TIMED_OUT
    assert raw(speak, TRADES).reason in (Reason.NOT_JSON, Reason.TIMED_OUT)


@pytest.mark.parametrize(
    "words",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":1}',
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
        b"\xff" * 1000,
    ],
)
@pytest.mark.parametrize("address", [PING, TRADES])
def test_answers_that_break_off_or_are_no_http(words: bytes, address: str) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(words)
        await writer.drain()

    expected = (
        {Reason.CONNECTION_LOST, Reason.NOT_JSON, Reason.VENUE_ERROR} if address == TRADES else {Reason.CONNECTION_LOST}
    )
    assert raw(speak, address).reason in expected


@pytest.mark.parametrize("address", [PING, TRADES])
def test_nobody_there(address: str) -> None:
    async def run() -> None:
        async with door_to(NOBODY) as door:
            with pytest.raises(NoAnswer) as told:
                await (door.connect if address == TRADES else door.get)(address)
            assert told.value.reason is Reason.CONNECTION_LOST and "tries again" in str(told.value)

    asyncio.run(run())


# Streams


async def shake(request: web.Request) -> web.WebSocketResponse:
    """A server's end of a stream."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    return socket


def test_frames_come_in_and_only_control_frames_go_out() -> None:
    heard: list[str] = []

    async def answer(request: web.Request) -> web.WebSocketResponse:
        assert request.path_qs == "/stream?streams=btcusdt@trade"
        socket = await shake(request)
        heard.append((await socket.receive()).data)
        await socket.send_str('{"result":null,"id":1}')
        await socket.send_bytes(b"{}")
        await socket.close(code=1008, message=b"too many\x07 requests")
        return socket

    async def ask(door: Door, stream: Stream) -> None:
        for frame in ("order", '{"method":"order.place","id":1}'):
            with pytest.raises(NoAnswer) as told:
                await stream.send(frame)
            assert told.value.reason is Reason.FRAME_REFUSED
        await stream.send(SUBSCRIBE)
        assert await stream.receive() == b'{"result":null,"id":1}'
        assert await stream.receive() == b"{}"
        with pytest.raises(NoAnswer) as told:
            await stream.receive()
        assert told.value.reason is Reason.CONNECTION_LOST
        assert "1008" in str(told.value) and "too many requests" in str(told.value)
        with pytest.raises(NoAnswer):
            await stream.send(SUBSCRIBE)
        counters = door.counters
        assert counters.of(Reason.FRAME_REFUSED) == 2 and counters.of("frame_allowed") == 1

    talk(answer, ask)
    assert heard == ['{"method":"SUBSCRIBE","id":1,"params":["btcusdt@trade"]}']


def test_frames_go_out_no_faster_than_the_venue_asks() -> None:
    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = await shake(request)
        async for _ in socket:
            pass
        return socket

    async def ask(_: Door, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(stream.send(SUBSCRIBE) for _ in range(3)))
        assert loop.time() - began >= 0.2, "two pauses lie between three frames"

    talk(answer, ask, QUICK._replace(frame_gap_s=0.1))


def test_a_ping_is_answered_with_its_own_words() -> None:
    pongs: list[bytes] = []

    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await socket.ping(b"1723161254206")
        while (message := await socket.receive()).type is not WSMsgType.PONG:
            assert message.type is WSMsgType.PING
            await socket.pong(message.data)
        pongs.append(bytes(message.data))
        await socket.send_str("{}")
        return socket

    async def ask(_: Door, stream: Stream) -> None:
        assert await stream.receive() == b"{}"

    talk(answer, ask)
    assert pongs == [b"1723161254206"]


def test_a_socket_whose_other_end_is_gone_is_noticed() -> None:
    """Half open: the connection stands, nothing answers our pings."""

    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await asyncio.sleep(5)
        return socket

    async def ask(_: Door, stream: Stream) -> None:
        with pytest.raises(NoAnswer) as told:
            await stream.receive()
        assert told.value.reason in (Reason.TIMED_OUT, Reason.CONNECTION_LOST)

    talk(answer, ask, QUICK._replace(ping_s=0.1))


def test_a_stream_that_says_nothing_is_over_in_time() -> None:
    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = await shake(request)
        await socket.receive()
        return socket

    async def ask(_: Door, stream: Stream) -> None:
        with pytest.raises(NoAnswer) as told:
            await stream.receive()
        assert told.value.reason is Reason.TIMED_OUT

    talk(answer, ask, QUICK._replace(silence_s=0.1, ping_s=60.0))


def test_a_huge_frame_ends_the_stream() -> None:
    async def answer(request: web.Request) -> web.WebSocketResponse:
        socket = await shake(request)
        await socket.send_str("x" * (5 << 20))
        await socket.receive()
        return socket

    async def ask(_: Door, stream: Stream) -> None:
        with pytest.raises(NoAnswer) as told:
            await stream.receive()
        assert told.value.reason is Reason.ANSWER_TOO_LARGE

    talk(answer, ask)


def test_a_page_is_no_stream() -> None:
    assert knock(answering(200, "<html>", "text/html"), TRADES).reason is Reason.NOT_JSON
    assert knock(answering(429, Retry_After="3"), TRADES).wait_s == 3


# The user's network


async def refuse_to_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A proxy that wants a login."""
    asked = await reader.readuntil(b"\r\n\r\n")
    assert asked.startswith(f"CONNECT {REST}:443 HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization: Basic dTp3" in asked
    writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


def test_the_proxy_of_the_environment_is_used_and_its_login_not_shown() -> None:
    async def run() -> None:
        async with speaking(refuse_to_connect) as port:
            environ = {"HTTPS_PROXY": f"http://u:word@127.0.0.1:{port}", "NO_PROXY": "example.com"}
            async with Door(environ=environ, limits=QUICK) as door:
                with pytest.raises(NoAnswer) as told:
                    await door.get(PING)
        assert told.value.reason is Reason.PROXY_FAILED
        assert "407" in str(told.value) and "word" not in str(told.value)

    asyncio.run(run())


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "://", "http://", "http://127.0.0.1:9", "127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_is_told(proxy: str) -> None:
    async def run() -> None:
        async with Door(environ={"https_proxy": proxy}, limits=QUICK) as door:
            with pytest.raises(NoAnswer) as told:
                await door.get(PING)
            assert told.value.reason is Reason.PROXY_FAILED

    asyncio.run(run())


@pytest.mark.parametrize("spared", ["*", REST, ".binance.vision", "a.example, binance.vision:443"])
def test_hosts_that_no_proxy_names_are_reached_directly(spared: str) -> None:
    """Seen by the name server being asked, which knows no such host here, or by a connection that fails; not by a proxy."""

    async def run() -> None:
        async with Door(environ={"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": spared}, limits=QUICK) as door:
            with pytest.raises(NoAnswer) as told:
                await door.get(PING)
            assert told.value.reason is not Reason.PROXY_FAILED

    asyncio.run(run())


def test_hosts_lead_to_loopback_only() -> None:
    for host, address in ((REST, "192.0.2.1"), ("api.binance.com", "127.0.0.1"), (STREAM, "10.0.0.1")):
        with pytest.raises(ValueError):
            Door(resolve={host: Loopback(address, 443)})


def test_no_setting_maps_a_host() -> None:
    door = Door(environ={"PAPERDESK_RESOLVE": "127.0.0.1", "DOOR_RESOLVE": "127.0.0.1"})
    assert door._resolve == {}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate of our own for the venue's host, and what a server serves it with."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    made, key = folder / "made.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "36500", "-subj", f"/CN={REST}",
         "-addext", f"subjectAltName=DNS:{REST}", "-keyout", key, "-out", made],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    return made, context


def test_a_certificate_that_nobody_trusts_is_told_and_one_of_the_users_is_used(
    certificate: tuple[Path, ssl.SSLContext],
) -> None:
    made, context = certificate

    async def run() -> None:
        async with serving(answering(200, "{}"), context) as port:
            async with door_to(port, tls=True) as door:
                with pytest.raises(NoAnswer) as told:
                    await door.get(PING)
                assert told.value.reason is Reason.TLS_FAILED and "SSL_CERT_FILE" in str(told.value)
            for given in ({"environ": {"SSL_CERT_FILE": str(made)}}, {"ca_file": str(made)}):
                async with door_to(port, tls=True, **given) as door:
                    assert await door.get(PING) == b"{}"
                    with pytest.raises(NoAnswer) as told:
                        await door.connect(TRADES)  # the certificate is for the other host
                    assert told.value.reason is Reason.TLS_FAILED

    asyncio.run(run())


def test_a_server_that_speaks_no_tls_is_told() -> None:
    async def run() -> None:
        async with serving(answering(200, "{}")) as port, door_to(port, tls=True) as door:
            with pytest.raises(NoAnswer) as told:
                await door.get(PING)
            assert told.value.reason is Reason.TLS_FAILED

    asyncio.run(run())


def test_a_ca_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    async def run(path: Path) -> None:
        with pytest.raises(NoAnswer) as told:
            async with Door(environ={"SSL_CERT_FILE": str(path)}):
                raise AssertionError("the door opened")
        assert told.value.reason is Reason.TLS_FAILED and path.name in str(told.value)

    (tmp_path / "empty.pem").write_text("")
    for name in ("empty.pem", "missing.pem"):
        asyncio.run(run(tmp_path / name))


def test_a_door_that_was_not_opened_says_so() -> None:
    async def run() -> None:
        with pytest.raises(RuntimeError):
            await Door().get(PING)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("environ", "ports"),
    [
        ({}, []),
        ({"HTTPS_PROXY": "http://me:word@proxy.example.com:3128"}, [3128]),
        ({"https_proxy": "proxy.example.com"}, [80]),
        ({"HTTPS_PROXY": "https://proxy.example.com"}, [443]),
        ({"HTTPS_PROXY": "socks5://proxy.example.com:1080"}, [1080]),
        ({"HTTPS_PROXY": "http://:nonsense"}, []),
        ({"HTTP_PROXY": "http://proxy.example.com:3128", "SSL_CERT_FILE": "/ca.pem"}, []),
    ],
)
def test_what_the_doors_wall_must_leave_open(environ: dict[str, str], ports: list[int]) -> None:
    paths, found = needs(environ)
    assert found == ports
    assert Path(ssl.get_default_verify_paths().openssl_capath) in paths
    assert (Path("/ca.pem") in paths) is ("SSL_CERT_FILE" in environ)
