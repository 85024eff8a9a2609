"""The door's loopback proxy: how another process of the desk sends a notification without a way out of its own.

It listens on a loopback socket that the door inherits (`link.listen`) and takes one form of request:

    POST /send HTTP/1.1
    Authorization: Bearer TOKEN
    Content-Length: …

    {"purpose": "notify", "method": "POST", "url": "https://ntfy.example.com/my-desk", "body": {"text": "the desk has stopped"}}

and answers {"status": 200, "text": "…"} with what the receiver said, or {"refused": reason, "message": …} where nothing was sent. The door
itself speaks TLS with the receiver. A tunnel (CONNECT) is refused: the door could see neither method nor path of what goes
through it. Only entries made from the user's settings can be sent to; the market data list is out of reach from here.

The token is one for each start of the desk and comes through an inherited pipe (`handover`), never by argument or environment. The socket is the
supervisor's: what is asked while the door is away waits in it for the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import re
from typing import Final

import msgspec

from paperdesk.safety.door import Door
from paperdesk.safety.link import inherited
from paperdesk.safety.outside import NoAnswer
from paperdesk.safety.senders import MOST_SENT_BYTES

MOST_HEAD_BYTES: Final = 8_192
MOST_REQUEST_BYTES: Final = MOST_SENT_BYTES + 4_096
MOST_AT_ONCE: Final = 16
PATIENCE_S: Final = 10.0
"""For a whole request to arrive."""
LINGER_S: Final = 1.0
_LINE: Final = re.compile(r"([A-Z]{1,16}) (\S{1,2048}) HTTP/1\.[01]")
_WORDS: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    503: "Service Unavailable",
    200: "OK",
}


class Wish(msgspec.Struct, forbid_unknown_fields=True):
    """What a sender asks for."""

    purpose: str
    method: str
    url: str
    body: msgspec.Raw


class _Refused(Exception):  # noqa: N818  a fact, named as one
    """A request that is not passed on; `word` is counted."""

    def __init__(self, status: int, word: str, message: str) -> None:
        super().__init__(message)
        self.status, self.word = status, word


class Proxy:
    """Serves senders beside an open door, until it is closed."""

    def __init__(self, door: Door, token: str) -> None:
        self._door, self._token = door, token.encode()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self, descriptor: int) -> None:
        """Listen on an inherited socket of loopback."""
        self._server = await asyncio.start_server(self._serve, sock=inherited(descriptor), limit=MOST_HEAD_BYTES)

    async def close(self) -> None:
        """Stop listening; what is being asked of a receiver is given up."""
        if self._server is not None:
            self._server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, and the connection is over."""
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task of its own"
        self._serving.add(task)
        try:
            status, told = await self._answered(reader)
            body = msgspec.json.encode(told)
            head = f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
            await writer.drain()
            await _let_go(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self._count("sender_gone")
        finally:
            self._serving.discard(task)
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, object]]:
        """Status and body of the answer to a request."""
        try:
            if len(self._serving) > MOST_AT_ONCE:
                raise _Refused(503, "busy", f"{MOST_AT_ONCE} senders are being served: try again")
            async with asyncio.timeout(PATIENCE_S):
                wish = await self._wish(reader)
            status, text = await self._door.send(wish.purpose, wish.method, wish.url, bytes(wish.body))
        except _Refused as refused:
            self._count(refused.word)
            return refused.status, {"refused": refused.word, "message": str(refused)}
        except TimeoutError:
            self._count("sender_slow")
            return 408, {"refused": "sender_slow", "message": f"the request was not complete within {PATIENCE_S:g} s"}
        except NoAnswer as why:
            return 403, {"refused": why.reason.name.lower(), "message": str(why), "wait_s": why.wait_s}
        return 200, {"status": status, "text": text}

    async def _wish(self, reader: asyncio.StreamReader) -> Wish:
        """What a sender that holds the token asks for."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.LimitOverrunError:
            raise _Refused(413, "malformed", f"the head of a request has at most {MOST_HEAD_BYTES:,} bytes") from None
        first, *rest = head.rstrip("\r\n").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        line = _LINE.fullmatch(first)
        if line is None or len(fields) != len(rest):
            raise _Refused(400, "malformed", "this is no plain HTTP request")
        if line[1] == "CONNECT":
            raise _Refused(
                405,
                "tunnel_refused",
                "a tunnel is not opened: the door would see neither method nor path of what goes through it. POST /send instead",
            )
        given = fields.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, b"Bearer " + self._token):
            raise _Refused(
                401, "token_refused", "the token of this start is needed; it is handed to the desk's own senders"
            )
        if (line[1], line[2]) != ("POST", "/send"):
            raise _Refused(404, "malformed", "the only request is POST /send")
        size = fields.get("content-length", "")
        if not re.fullmatch(r"[0-9]{1,9}", size) or "transfer-encoding" in fields:
            raise _Refused(400, "malformed", "a request says its Content-Length, once")
        if int(size) > MOST_REQUEST_BYTES:
            raise _Refused(413, "too_large", f"a request has at most {MOST_REQUEST_BYTES:,} bytes")
        try:
            return msgspec.json.decode(await reader.readexactly(int(size)), type=Wish)
        except msgspec.DecodeError as error:
            raise _Refused(400, "malformed", f"the body is not what it must be: {error}") from None

    def _count(self, word: str) -> None:
        self._door.counters.add("other", None, word)


async def _let_go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """End our side, and read away what the sender still says for a moment: else the answer could be lost with the connection."""
    writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while await reader.read(MOST_HEAD_BYTES):
                pass
