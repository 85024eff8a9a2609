"""The one way out. Only this module imports a network client, and it sends nothing that is not on the list.

    async with Door(environ=os.environ) as door:
        body = await door.get("https://data-api.binance.vision/api/v3/depth?symbol=BTCUSDT&limit=5000")
        stream = await door.connect("wss://data-stream.binance.vision/stream?streams=btcusdt@trade")
        frame = await stream.receive()

Every call is judged by `allowlist.judge`, counted, and ends in an answer or in `NoAnswer` with a reason. No cookie, no
credential, no header of a caller's, no redirect, no compression; a venue that asks for a pause gets it, whoever asks.
Proxies and certificate authorities are the user's (`environ`: HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE).
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Final, NamedTuple, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from paperdesk import __version__
from paperdesk.domain.reasons import Reason
from paperdesk.safety.allowlist import ALLOWED, HEADERS, PORT, Entry, host_in, judge
from paperdesk.safety.frames import frame_to_send
from paperdesk.safety.outside import Counters, NoAnswer, check_json, of_status, shown
from paperdesk.safety.senders import judge_body

TEXT, BINARY, BROKEN = aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.ERROR
BODY_OF_ERROR_BYTES: Final = 4_096
CHUNK_BYTES: Final = 1 << 16
JSON: Final = {"Content-Type": "application/json"}


class Loopback(NamedTuple):
    """Where a host of the list is really found, in a test: a server on this machine. `tls`: it speaks TLS."""

    address: str
    port: int
    tls: bool = False


class Limits(NamedTuple):
    """Seconds: to connect; for a whole answer; without any frame or ping before a stream counts as dead; between our
    own pings; between frames that we send (Binance takes five messages a second, pongs included).
    """

    connect_s: float = 10.0
    answer_s: float = 20.0
    silence_s: float = 60.0
    ping_s: float = 15.0
    frame_gap_s: float = 0.25


class Stream:
    """An open stream. `receive` until it raises; what ends it, for whatever cause, is `NoAnswer`."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, entry: Entry, counters: Counters, limits: Limits
    ) -> None:
        self._socket, self._entry, self._counters, self._limits = socket, entry, counters, limits
        self._sending = asyncio.Lock()
        self._next_send = 0.0

    async def send(self, frame: str | bytes) -> None:
        """Sends a control frame, as far apart from the last one as the venue asks."""
        given = frame_to_send(self._entry, frame)
        if given is None:
            self._counters.add(self._entry.host, self._entry, Reason.FRAME_REFUSED)
            raise NoAnswer(Reason.FRAME_REFUSED, "a frame was refused")
        loop = asyncio.get_running_loop()
        async with self._sending:
            await asyncio.sleep(max(0.0, self._next_send - loop.time()))
            self._next_send = loop.time() + self._limits.frame_gap_s
            try:
                await self._socket.send_str(given.decode())
            except (aiohttp.ClientError, OSError) as error:
                raise self._over(_explained(error, self._entry)) from None
        self._counters.add(self._entry.host, self._entry, "frame_allowed")

    async def receive(self) -> bytes:
        """The next message, complete; NoAnswer when the stream is over."""
        try:
            message = await self._socket.receive()
        except (aiohttp.ClientError, OSError) as error:
            raise self._over(_explained(error, self._entry)) from None
        if message.type is TEXT:
            return str(message.data).encode()
        if message.type is BINARY:
            return bytes(message.data)
        if message.type is BROKEN:
            raise self._over(_explained(message.data, self._entry))
        code = self._socket.close_code
        said = shown(message.extra) if isinstance(message.extra, str) and message.extra else "no word"
        what = f"{self._entry.venue} ({self._entry.host}) closed the stream with code {code} and {said}"
        raise self._over(NoAnswer(Reason.CONNECTION_LOST, what))

    async def close(self) -> None:
        """Ends the stream; it may be over already."""
        await self._socket.close()

    def _over(self, why: NoAnswer) -> NoAnswer:
        self._counters.add(self._entry.host, self._entry, why.reason)
        return why


class Door:
    """The way out of one process. Enter it before use."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        ca_file: str | None = None,
        allowed: Sequence[Entry] = ALLOWED,
        limits: Limits | None = None,
        resolve: Mapping[str, Loopback] | None = None,
    ) -> None:
        """`ca_file` wins over SSL_CERT_FILE. `resolve` maps hosts of the list to servers on loopback, for tests: it can
        only be given here, in code, and leads nowhere else (ValueError).
        """
        for host, place in (resolve or {}).items():
            if not ipaddress.ip_address(place.address).is_loopback or host not in {entry.host for entry in allowed}:
                raise ValueError(f"{host} can only be mapped to loopback, and only if it is on the list")
        self.counters = Counters()
        self._environ, self._ca_file = environ or {}, ca_file
        self._allowed, self._limits, self._resolve = tuple(allowed), limits or Limits(), dict(resolve or {})
        self._session: aiohttp.ClientSession | None = None
        self._held: dict[str, tuple[float, NoAnswer]] = {}

    async def __aenter__(self) -> Self:
        """Opens the door; NoAnswer where the certificate authorities cannot be read."""
        trace = aiohttp.TraceConfig()
        trace.on_request_redirect.append(_refuse_redirect)
        limits = self._limits
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=_trusted(self._ca_file or self._environ.get("SSL_CERT_FILE")),
                resolver=_Resolver(self._resolve),
                use_dns_cache=False,
                limit=16,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={**HEADERS, "User-Agent": f"paperdesk/{__version__}"},
            timeout=aiohttp.ClientTimeout(total=limits.answer_s, sock_connect=limits.connect_s),
            trust_env=False,
            auto_decompress=False,
            trace_configs=[trace],
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Closes every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, address: str, headers: Mapping[str, str] | None = None) -> bytes:
        """The body of a JSON answer with status 200."""
        entry, session = self._pass("GET", address, headers)
        try:
            url, proxy, login = self._way(entry, address)
            async with session.get(url, allow_redirects=False, proxy=proxy, proxy_headers=login) as answer:
                if answer.status != 200:
                    told = await answer.content.read(BODY_OF_ERROR_BYTES)
                    after, location = answer.headers.get("Retry-After"), answer.headers.get("Location")
                    raise of_status(entry, answer.status, after, location, told)
                body = await _body(answer, entry)
            check_json(entry, body)
        except (aiohttp.ClientError, OSError, NoAnswer) as error:
            raise self._failed(entry, _explained(error, entry)) from None
        self.counters.add(entry.host, entry, "answered")
        return body

    async def send(self, purpose: str, method: str, address: str, body: bytes) -> tuple[int, str]:
        """Status and words of a receiver that the user's settings name for a purpose. NoAnswer as for `get`, but that any status
        which is no redirect and asks for no pause is an answer.
        """
        odd = judge_body(body)
        if odd is not None:
            self.counters.add(host_in(address, self._allowed), None, odd.reason)
            raise NoAnswer(odd.reason, f"the door refused to send ({odd.detail})")
        receivers = [entry for entry in self._allowed if entry.method == "POST" and entry.purpose == purpose]
        entry, session = self._pass(method, address, None, among=receivers)
        try:
            url, proxy, login = self._way(entry, address)
            async with session.post(
                url, data=body, headers=JSON, allow_redirects=False, proxy=proxy, proxy_headers=login
            ) as answer:
                if 300 <= answer.status < 400 or answer.status in (429, 418):
                    after, location = answer.headers.get("Retry-After"), answer.headers.get("Location")
                    raise of_status(entry, answer.status, after, location, b"")
                said = await _body(answer, entry)
        except (aiohttp.ClientError, OSError, NoAnswer) as error:
            raise self._failed(entry, _explained(error, entry)) from None
        self.counters.add(entry.host, entry, "answered" if answer.status < 300 else Reason.VENUE_ERROR)
        return answer.status, shown(said.decode("utf-8", "replace"))

    async def connect(self, address: str, headers: Mapping[str, str] | None = None) -> Stream:
        """An open stream."""
        entry, session = self._pass("GET", address, headers, stream=True)
        limits = self._limits
        try:
            url, proxy, login = self._way(entry, address)
            async with asyncio.timeout(limits.answer_s):
                socket = await session.ws_connect(
                    url,
                    timeout=aiohttp.ClientWSTimeout(ws_receive=limits.silence_s, ws_close=2.0),
                    heartbeat=limits.ping_s,
                    max_msg_size=entry.most_bytes,
                    proxy=proxy,
                    proxy_headers=login,
                )
        except aiohttp.WSServerHandshakeError as error:
            told = {} if error.headers is None else dict(error.headers)
            why = of_status(entry, error.status, told.get("Retry-After"), told.get("Location"), b"")
            if error.status == 200:
                why = NoAnswer(Reason.NOT_JSON, f"{entry.venue} ({entry.host}) answered with a page, not a stream")
            raise self._failed(entry, why) from None
        except (aiohttp.ClientError, OSError, NoAnswer) as error:
            raise self._failed(entry, _explained(error, entry)) from None
        self.counters.add(entry.host, entry, "answered")
        return Stream(socket, entry, self.counters, limits)

    def _pass(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str] | None,
        *,
        stream: bool = False,
        among: Sequence[Entry] | None = None,
    ) -> tuple[Entry, aiohttp.ClientSession]:
        """Judges and counts; NoAnswer where the answer is no, or where the host asked for a pause."""
        verdict = judge(method, address, headers, self._allowed if among is None else among)
        entry, reason, detail = verdict
        if entry is not None and (entry.scheme == "wss") != stream:
            entry, reason, detail = None, Reason.NOT_ON_THE_LIST, "a request is no stream"
        if entry is None:
            self.counters.add(host_in(address, self._allowed), None, reason)
            raise NoAnswer(reason, f"the door refused a request ({detail})")
        until, why = self._held.get(entry.host, (0.0, None))
        left = until - asyncio.get_running_loop().time()
        if why is not None and left > 0:
            self.counters.add(entry.host, entry, "held_back")
            raise NoAnswer(why.reason, f"{entry.venue} ({entry.host}) asked for a pause; {left:.0f} s are left", left)
        if self._session is None:
            raise RuntimeError("enter the door before using it")
        self.counters.add(entry.host, entry, "allowed")
        return entry, self._session

    def _failed(self, entry: Entry, why: NoAnswer) -> NoAnswer:
        """Counts what came instead of an answer, and keeps the pause that the venue asked for."""
        self.counters.add(entry.host, entry, why.reason)
        if why.wait_s:
            self._held[entry.host] = asyncio.get_running_loop().time() + why.wait_s, why
        return why

    def _way(self, entry: Entry, address: str) -> tuple[URL, URL | None, dict[str, str] | None]:
        """The address as it is dialled, and the proxy with its login where the user's environment names one."""
        place = self._resolve.get(entry.host)
        if place is not None:
            scheme = entry.scheme if place.tls else {"https": "http", "wss": "ws"}[entry.scheme]
            rest = address.removeprefix(f"{entry.scheme}://{entry.host}")
            return URL(f"{scheme}://{entry.host}:{PORT}{rest}", encoded=True), None, None
        proxy = _proxy(self._environ)
        spared = self._environ.get("no_proxy") or self._environ.get("NO_PROXY") or ""
        if proxy is None or _is_spared(entry.host, spared):
            return URL(address, encoded=True), None, None
        if proxy.scheme not in ("http", "https") or not proxy.host:
            raise NoAnswer(Reason.PROXY_FAILED, "HTTPS_PROXY names no http proxy (socks is not supported)")
        login = None
        if proxy.user:
            words = b64encode(f"{proxy.user}:{proxy.password or ''}".encode()).decode()
            login = {"Proxy-Authorization": f"Basic {words}"}
        return URL(address, encoded=True), proxy.with_user(None), login


class _Resolver(AbstractResolver):
    """Names as the system resolves them, but for the hosts that a test put on loopback."""

    def __init__(self, mapped: Mapping[str, Loopback]) -> None:
        self._mapped = mapped
        self._system = aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """See aiohttp."""
        place = self._mapped.get(host)
        if place is None:
            return await self._system.resolve(host, port, family)  # type: ignore[arg-type]
        kind = 10 if ":" in place.address else 2
        return [ResolveResult(hostname=host, host=place.address, port=place.port, family=kind, proto=0, flags=0)]

    async def close(self) -> None:
        """See aiohttp."""
        await self._system.close()


def needs(environ: Mapping[str, str]) -> tuple[list[Path], list[int]]:
    """What the wall around the door's process must leave open beside its policy: paths to read, TCP ports to connect to."""
    trust = ssl.get_default_verify_paths()
    paths = [environ.get("SSL_CERT_FILE"), trust.openssl_cafile, trust.openssl_capath]
    proxy = _proxy(environ)
    return [Path(path) for path in paths if path], [proxy.port] if proxy is not None and proxy.port else []


def _proxy(environ: Mapping[str, str]) -> URL | None:
    """The proxy of the user's environment, an empty address where it cannot be read; None where there is none."""
    named = environ.get("https_proxy") or environ.get("HTTPS_PROXY")
    try:
        return URL(named if "://" in named else f"http://{named}") if named else None
    except ValueError:
        return URL()


def _is_spared(host: str, spared: str) -> bool:
    """Whether NO_PROXY ("a.example,.b.example" or "*") names the host or a domain it lies in."""
    for part in spared.split(","):
        name = part.strip().lstrip(".").partition(":")[0]
        if name and (name == "*" or host == name or host.endswith(f".{name}")):
            return True
    return False


async def _refuse_redirect(
    session: aiohttp.ClientSession, context: SimpleNamespace, given: aiohttp.TraceRequestRedirectParams
) -> None:
    """Opening a stream would follow redirects, and has no switch for it."""
    where = shown(given.response.headers.get("Location", "nothing"))
    given.response.close()
    raise NoAnswer(Reason.REDIRECTED, f"{given.url.host} answered {given.response.status} and pointed to {where!r}")


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    """The system's certificate authorities, or those of a file."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise NoAnswer(Reason.TLS_FAILED, f"the CA file {ca_file} cannot be used ({error})") from None


async def _body(answer: aiohttp.ClientResponse, entry: Entry) -> bytes:
    """The whole body, up to what an honest one may have."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > entry.most_bytes:
            raise NoAnswer(Reason.ANSWER_TOO_LARGE, f"{entry.host} answered with over {entry.most_bytes:,} bytes")
    return bytes(body)


def _explained(error: BaseException, entry: Entry) -> NoAnswer:
    """What an error of the network means."""
    who, said = f"{entry.venue} ({entry.host})", shown(str(error))
    match error:
        case NoAnswer():
            return error
        case aiohttp.ClientHttpProxyError():
            return NoAnswer(Reason.PROXY_FAILED, f"the proxy answered {error.status} for {entry.host}")
        case aiohttp.ClientProxyConnectionError():
            return NoAnswer(Reason.PROXY_FAILED, f"the proxy for {entry.host} cannot be reached")
        case aiohttp.ClientConnectorDNSError():
            return NoAnswer(Reason.NAME_NOT_FOUND, f"{entry.host} has no address here")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError() | ssl.SSLError():
            return NoAnswer(Reason.TLS_FAILED, f"{who} could not be trusted ({said})")
        case TimeoutError():
            return NoAnswer(Reason.TIMED_OUT, f"{who} did not answer in time")
        case aiohttp.WebSocketError() if error.code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
            return NoAnswer(Reason.ANSWER_TOO_LARGE, f"{who} sent a frame of over {entry.most_bytes:,} bytes")
        case _:
            return NoAnswer(Reason.CONNECTION_LOST, f"{who}: {said or type(error).__name__}")
