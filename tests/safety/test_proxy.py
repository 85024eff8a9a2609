"""Senders inside the desk: what passes the door's loopback proxy, and what does not, against a receiver on this machine."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.app.desk import REPO, paperdesk
from tests.safety.local import QUICK, REST, Handler, serving

from paperdesk.domain.reasons import Reason
from paperdesk.safety import link
from paperdesk.safety.allowlist import ALLOWED
from paperdesk.safety.door import Door, Loopback
from paperdesk.safety.export import FORMATS, export
from paperdesk.safety.handover import hand_over, new_token, taken
from paperdesk.safety.proxy import MOST_AT_ONCE, Proxy
from paperdesk.safety.senders import EXCHANGE_DOMAINS, MOST_SENT_BYTES, entry_of, is_exchange, judge_body
from paperdesk.safety.settings import SettingsRefused, read_settings

HOST = "ntfy.example.com"
WAIT_S = 60.0
URL = f"https://{HOST}/my-desk"
RECEIVER = entry_of(URL, "notify", 1)
NOTE = {"purpose": "notify", "method": "POST", "url": URL, "body": {"text": "the desk has stopped", "n": [1, None]}}
Send = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


async def exchanged(port: int, data: bytes) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the answer to bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def request(token: str, body: object, first: str = "POST /send HTTP/1.1", more: str = "") -> bytes:
    """A request as a sender writes it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"{first}\r\nAuthorization: Bearer {token}\r\n{more}Content-Length: {len(data)}\r\n\r\n".encode() + data


def sent(
    data: Callable[[str], list[bytes]], answer: Handler | None = None
) -> tuple[list[Any], list[Any], dict[str, int]]:
    """What the proxy answers to each request, what the receiver got, and the door's counters by verdict."""
    got: list[Any] = []

    async def receive(asked: web.Request) -> web.StreamResponse:
        got.append((asked.method, asked.path_qs, await asked.read(), dict(asked.headers)))
        return await answer(asked) if answer is not None else web.Response(text="thank you")

    async def run() -> tuple[list[Any], dict[str, int]]:
        async with serving(receive) as port:
            place = Loopback("127.0.0.1", port)
            async with Door(resolve={HOST: place, REST: place}, limits=QUICK, allowed=(*ALLOWED, RECEIVER)) as door:
                token = new_token()
                descriptor, at = link.listen("127.0.0.1", 0)
                proxy = Proxy(door, taken(hand_over(token)).token)
                await proxy.start(descriptor)
                told = [await exchanged(at, one) for one in data(token)]
                await proxy.close()
                counts: dict[str, int] = {}
                for row in door.counters.rows():
                    counts[f"{row.host} {row.entry} {row.verdict}"] = row.calls
                return told, counts

    told, counts = asyncio.run(run())
    return told, got, counts


def test_a_note_reaches_its_receiver_and_nothing_of_the_senders_beside() -> None:
    more = "Cookie: a=b\r\nX-MBX-APIKEY: abc\r\n"
    told, got, counts = sent(lambda token: [request(token, NOTE, more=more)])
    assert told == [(200, {"status": 200, "text": "thank you"})]
    ((method, path, body, headers),) = got
    assert (method, path, json.loads(body)) == ("POST", "/my-desk", NOTE["body"])
    assert headers.keys() == {"Host", "Accept", "Accept-Encoding", "User-Agent", "Content-Type", "Content-Length"}
    assert counts == {f"{HOST} notify-1 allowed": 1, f"{HOST} notify-1 answered": 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": f"https://{REST}/api/v3/ping"}, "not_on_the_list"),
        ({"url": f"https://{REST}/api/v3/ping", "method": "GET"}, "not_on_the_list"),
        ({"method": "GET"}, "not_on_the_list"),
        ({"method": "DELETE"}, "not_on_the_list"),
        ({"purpose": "market data"}, "not_on_the_list"),
        ({"purpose": "is the venue there"}, "not_on_the_list"),
        ({"url": f"{URL}/deeper"}, "not_on_the_list"),
        ({"url": f"{URL}?a=b"}, "not_on_the_list"),
        ({"url": f"{URL}?apiKey=b"}, "credential_given"),
        ({"url": URL.replace("https", "http")}, "not_on_the_list"),
        ({"url": f"https://{HOST}:443/my-desk"}, "bad_address"),
        ({"url": f"https://{HOST}/./my-desk"}, "bad_address"),
        ({"url": f"https://{HOST}/my-desk#x"}, "bad_address"),
        ({"url": "https://api.binance.com/api/v3/order"}, "not_on_the_list"),
        ({"body": [1]}, "not_on_the_list"),
        ({"body": "text"}, "not_on_the_list"),
        ({"body": {"text": "x" * MOST_SENT_BYTES}}, "not_on_the_list"),
        ({"body": {"a": [{"signature": "abc"}]}}, "credential_given"),
        ({"body": {"a": {"apiKey": "abc"}}}, "credential_given"),
        ({"body": {"text": "x " * 5000 + "eyJhbGciOiJI.eyJzdWIiOiIx.abc"}}, "credential_given"),
        ({"body": {"text": "-----BEGIN PRIVATE KEY-----"}}, "credential_given"),
    ],
)
def test_what_is_not_a_note_to_a_receiver_is_refused(change: dict[str, Any], reason: str) -> None:
    told, got, counts = sent(lambda token: [request(token, {**NOTE, **change})])
    ((status, said),) = told
    assert status == 403 and said["refused"] == reason and said["message"], said
    assert got == [] and [key.split()[2] for key in counts] == [reason]


def test_what_is_no_request_is_refused() -> None:
    def requests(token: str) -> list[bytes]:
        note = json.dumps(NOTE).encode()
        return [
            request(token, NOTE, first=f"CONNECT {HOST}:443 HTTP/1.1"),
            request(token, NOTE, first=f"GET https://{REST}/api/v3/ping HTTP/1.1"),
            request(token, NOTE, first="POST /other HTTP/1.1"),
            request("0" * 64, NOTE),
            request("", NOTE),
            request(token + "0", NOTE),
            request(token, NOTE, more="Transfer-Encoding: chunked\r\n"),
            request(token, NOTE, more="Content-Length: 5\r\n"),
            request(token, NOTE, first="nonsense"),
            request(token, {**NOTE, "headers": {"X-MBX-APIKEY": "a"}}),
            request(token, b"{"),
            request(token, {"purpose": "notify"}),
            request(token, b" " * (MOST_SENT_BYTES + 5_000)),
            b"POST /send HTTP/1.1\r\nX: " + b"x" * 9_000 + b"\r\n\r\n",
            f"POST /send HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Length: -1\r\n\r\n".encode() + note,
        ]

    told, got, counts = sent(requests)
    assert [status for status, _ in told] == [405, 404, 404, 401, 401, 401, 400, 400, 400, 400, 400, 400, 413, 413, 400]
    assert "POST /send instead" in told[0][1]["message"]
    assert got == [] and all(key.startswith("other none ") for key in counts)
    words = {key.split()[2]: calls for key, calls in counts.items()}
    assert words == {"malformed": 10, "too_large": 1, "token_refused": 3, "tunnel_refused": 1}


def test_what_a_receiver_says_is_told_and_bounded() -> None:
    async def refuses(asked: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text="no such\x1b[2J desk")

    assert sent(lambda token: [request(token, NOTE)], refuses)[0] == [
        (200, {"status": 404, "text": "no such [2J desk"})
    ]

    async def points(asked: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "https://api.binance.com/api/v3/order"})

    told, got, _ = sent(lambda token: [request(token, NOTE)], points)
    assert told[0][1]["refused"] == "redirected" and len(got) == 1

    async def busy(asked: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "30"})

    told, got, counts = sent(lambda token: [request(token, NOTE)] * 2, busy)
    assert [said["refused"] for _, said in told] == ["rate_limited"] * 2 and len(got) == 1, "the pause is kept"
    assert counts[f"{HOST} notify-1 held_back"] == 1 and 29 <= told[1][1]["wait_s"] <= 30

    async def floods(asked: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 100_000)

    assert sent(lambda token: [request(token, NOTE)], floods)[0][0][1]["refused"] == "answer_too_large"


BEHIND_A_WALL = """
import asyncio, sys
from paperdesk.safety import wall
from paperdesk.safety.door import Door, Loopback
from paperdesk.safety.handover import taken
from paperdesk.safety.proxy import Proxy
from paperdesk.safety.senders import entry_of

async def main(receiver, listening, pipe):
    handed = taken(pipe)
    ((url, purpose),) = handed.receivers
    entry = entry_of(url, purpose, 1)
    async with Door(resolve={entry.host: Loopback("127.0.0.1", receiver)}, allowed=(entry,)) as door:
        proxy = Proxy(door, handed.token)
        await proxy.start(listening)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await proxy.close()

given = [int(one) for one in sys.argv[1:]]
wall.raise_wall(wall.DOOR, ports=given[:1])
asyncio.run(main(*given))
"""


def test_the_proxy_serves_behind_the_doors_wall() -> None:
    async def receive(asked: web.Request) -> web.StreamResponse:
        return web.Response(text="thank you")

    async def run() -> tuple[int, dict[str, Any]]:
        async with serving(receive) as receiver:
            token = new_token()
            door_end = hand_over(token, [(URL, "notify")])
            descriptor, at = link.listen("127.0.0.1", 0)
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", BEHIND_A_WALL, str(receiver), str(descriptor), str(door_end)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=(descriptor, door_end),
                env={**os.environ, "PYTHONPATH": f"{REPO / 'src'}:{REPO}"},
            )
            for one in (descriptor, door_end):
                os.close(one)
            assert child.stdout is not None and await child.stdout.readline() == b"ready\n"
            told = await exchanged(at, request(token, NOTE))
            await asyncio.wait_for(child.communicate(b""), WAIT_S)
            assert child.returncode == 0
            return told

    assert asyncio.run(run()) == (200, {"status": 200, "text": "thank you"})


def test_what_is_handed_over_is_read_once_and_never_waits_for_room() -> None:
    token, receivers = new_token(), [(URL, "notify"), (f"{URL}-2", "notify")]
    end = hand_over(token, receivers)
    again = os.dup(end)
    handed = taken(end)
    assert (handed.token, handed.receivers) == (token, receivers) and len(token) == 64 and token != new_token()
    with pytest.raises(ValueError, match="holds no token"):
        taken(again)
    with pytest.raises(OSError, match="no room"):
        hand_over(token, [(URL * 100, "notify")] * 100)


def test_a_proxy_that_ends_does_not_wait_for_a_receiver() -> None:
    async def run() -> float:
        asked = asyncio.Event()

        async def receive(given: web.Request) -> web.StreamResponse:
            asked.set()
            await asyncio.sleep(WAIT_S)
            return web.Response()

        async with (
            serving(receive) as port,
            Door(resolve={HOST: Loopback("127.0.0.1", port)}, allowed=(RECEIVER,)) as door,
        ):
            token = new_token()
            proxy = Proxy(door, token)
            descriptor, at = link.listen("127.0.0.1", 0)
            await proxy.start(descriptor)
            _, writer = await asyncio.open_connection("127.0.0.1", at)
            writer.write(request(token, NOTE))
            await asyncio.wait_for(asked.wait(), WAIT_S)
            began = asyncio.get_running_loop().time()
            await proxy.close()
            writer.close()
            return asyncio.get_running_loop().time() - began

    assert asyncio.run(run()) < 5.0


def test_one_sender_that_hangs_does_not_hold_up_others() -> None:
    async def run() -> None:
        async def receive(asked: web.Request) -> web.StreamResponse:
            return web.Response()

        async with (
            serving(receive) as port,
            Door(resolve={HOST: Loopback("127.0.0.1", port)}, allowed=(RECEIVER,)) as door,
        ):
            token = new_token()
            proxy = Proxy(door, token)
            descriptor, at = link.listen("127.0.0.1", 0)
            await proxy.start(descriptor)
            hanging = [await asyncio.open_connection("127.0.0.1", at) for _ in range(MOST_AT_ONCE - 1)]
            assert (await exchanged(at, request(token, NOTE)))[0] == 200
            hanging += [await asyncio.open_connection("127.0.0.1", at)]
            assert (await exchanged(at, request(token, NOTE)))[1]["refused"] == "busy"
            for _, writer in hanging:
                writer.close()
            while proxy._serving:
                await asyncio.sleep(0)
            assert (await exchanged(at, request(token, NOTE)))[0] == 200
            assert door.counters.of("sender_gone") == MOST_AT_ONCE
            await proxy.close()

    asyncio.run(run())


def test_the_doors_other_ways_do_not_lead_to_receivers() -> None:
    async def run() -> None:
        async with Door(allowed=(*ALLOWED, RECEIVER)) as door:
            for ask in (door.get, door.connect):
                with pytest.raises(Exception, match="refused a request"):
                    await ask(URL)
            assert door.counters.of(Reason.NOT_ON_THE_LIST) == 2

    asyncio.run(run())


@pytest.mark.parametrize(
    "host",
    [
        *("api.binance.com", "testnet.binance.vision", "data-api.binance.vision", "api-gcp.binance.com", "www.bybit.com", "okx.com"),
        *("www.okx.com", "api.gateio.ws", "api.kraken.com", "api.exchange.coinbase.com", "crypto.com", "fapi-binance.example.com"),
        *("b-i-nance.example.com", "paper-api.alpaca.markets", *EXCHANGE_DOMAINS),
    ],
)  # fmt: skip
def test_an_exchange_is_no_receiver(host: str) -> None:
    assert is_exchange(host)
    with pytest.raises(ValueError, match="no exchange's"):
        entry_of(f"https://{host}/hook", "notify", 1)


@pytest.mark.parametrize(
    "host", [HOST, "hooks.slack.com", "discord.com", "api.pushover.net", "looks.example.com", "bit.company.org"]
)
def test_a_receiver_is_no_exchange(host: str) -> None:
    assert not is_exchange(host)


@pytest.mark.parametrize(
    ("url", "purpose", "words"),
    [
        ("http://a.example.com/x", "notify", "written plainly"),
        ("https://a.example.com", "notify", "written plainly"),
        ("https://a.example.com/", "notify", "written plainly"),
        ("https://a.example.com:8443/x", "notify", "written plainly"),
        ("https://u@a.example.com/x", "notify", "written plainly"),
        ("https://a.example.com/x?y=z", "notify", "written plainly"),
        ("https://A.example.com/x", "notify", "written plainly"),
        ("https://localhost/x", "notify", "written plainly"),
        ("https://127.0.0.1/x", "notify", "public name"),
        ("https://metadata.internal/x", "notify", "public name"),
        ("https://a.example.com/x", "trade", "purpose"),
        (7, "notify", "written plainly"),
    ],
)
def test_receivers_are_written_plainly(url: object, purpose: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        entry_of(url, purpose, 1)


def test_settings_name_receivers_and_the_list_tells_them(tmp_path: Path) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(f'[door]\nsenders = [{{ url = "{URL}", purpose = "notify" }}]\n', encoding="utf-8")
    (entry,) = read_settings({}, file).door.senders
    assert entry == RECEIVER
    for form in FORMATS:
        text = export(form, (*ALLOWED, entry))
        assert HOST in text and (form not in ("table", "json") or "my-desk" in text)
        assert HOST in paperdesk("door", "list", "--format", form, "--config", file).out
    assert read_settings({}).door.senders == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("door = 1", "door in the configuration file must be a table"),
        ("[door]\nsender = []", "a table with one key, senders"),
        ("[door]\nsenders = [1]", "a list of senders, each"),
        (f'[door]\nsenders = [{{ url = "{URL}" }}]', "a list of senders, each"),
        (
            f'[door]\nsenders = [{{ url = "{URL}", purpose = "notify", token = "x" }}]',
            "holds what looks like a credential",
        ),
        ('[door]\nsenders = [{ url = "https://api.bybit.com/v5/order/create", purpose = "notify" }]', "no exchange's"),
        (
            f'[door]\nsenders = [{", ".join([f"""{{ url = "{URL}", purpose = "notify" }}"""] * 2)}]',
            "without duplicates",
        ),
        (
            '[door]\nsenders = [{ url = "https://u:pass@a.example.com/x", purpose = "notify" }]',
            "an address with a password",
        ),
    ],
)
def test_settings_that_name_no_receiver_are_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(SettingsRefused, match="configuration file") as told:
        read_settings({}, file)
    assert words in told.value.message and "pass@" not in told.value.message


def test_bodies_are_judged() -> None:
    assert judge_body(b'{"text": "' + b"a" * 60_000 + b'"}') is None
    assert judge_body(b'{"author": "a", "timestamp": 1, "deep": ' + b"[" * 500 + b"]" * 500 + b"}") is None
    assert judge_body(b"[" * 60_000) is not None
