"""The outermost layer: who may speak to this server at all, and what every response carries.

A page of another site can make a browser send requests to loopback. So the Host header must be this machine's own name with our port
(a name that was rebound to 127.0.0.1 is refused), and whatever changes something, or opens the stream, must come from our own origin or
from no page at all. There is no CORS, and there are no cookies.
"""

from typing import Any, Final

from litestar.types import ASGIApp, Receive, Scope, Send

from paperdesk.api.endpoint import MOST_BODY, too_large
from paperdesk.api.metrics import Metrics
from paperdesk.api.models import encode
from paperdesk.api.told import Unanswered, problem

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY: Final = (
    "default-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; font-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAPER: Final = (b"x-paper-trading", b"true")
EVERYWHERE: Final = (
    PAPER,
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NO_STORE: Final = (b"cache-control", b"no-store")
Header = tuple[bytes, bytes]


def header_of(scope: Any, name: bytes) -> str | None:
    """A header that comes once; None where it is missing. Several of one kind are told as one that nobody knows."""
    found = [value for key, value in scope["headers"] if key == name]
    return None if not found else found[0].decode("latin-1") if len(found) == 1 else "(several)"


class Guard:
    """Around the app."""

    def __init__(self, app: ASGIApp, port: int, metrics: Metrics) -> None:
        self.app, self.metrics, self.port = app, metrics, port
        names = ("127.0.0.1", "localhost", "[::1]")
        self.hosts = {f"{name}:{port}" for name in names} | (set(names) if port == 80 else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on; count and mark what goes out."""
        if scope["type"] not in ("http", "websocket"):
            return
        marked = self._marking(scope, send)
        try:
            self._check(scope)
        except Unanswered as refused:
            await deny(scope, marked, refused)
            return
        await self.app(scope, receive, marked)

    def _check(self, scope: Any) -> None:
        host, origin = header_of(scope, b"host"), header_of(scope, b"origin")
        if host is None or host.lower() not in self.hosts:
            raise problem(
                421,
                "wrong_host",
                f"This desk answers to this machine's own names alone, and the request was for {(host or 'no host')[:100]!r}.",
                f"use http://127.0.0.1:{self.port}/: a page of another site must not speak to your desk through a name that it controls",
                "Host",
            )
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE
        if changes and origin is not None and origin.lower() != f"http://{host.lower()}":
            raise problem(
                403,
                "wrong_origin",
                f"A page of {origin[:100]!r} asked for this, and only the desk's own page may.",
                f"use the dashboard at http://{host}/, or a program that sends no Origin header",
                "Origin",
            )
        length = header_of(scope, b"content-length")
        if length is not None and (not length.isdigit() or len(length) > 12 or int(length) > MOST_BODY):
            raise too_large()

    def _marking(self, scope: Any, send: Send) -> Send:
        async def marked(message: Any) -> None:
            """Send on, marked."""
            kind = message["type"]
            if kind in ("http.response.start", "websocket.http.response.start"):
                headers: list[Header] = list(message.get("headers", []))
                headers += EVERYWHERE
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append(NO_STORE)
                message["headers"] = headers
                self._count(scope, message["status"])
            elif kind == "websocket.accept":
                message["headers"] = [*message.get("headers", ()), PAPER]
                self._count(scope, 101)
            await send(message)

        return marked

    def _count(self, scope: Any, status: int) -> None:
        told = getattr(scope.get("route_handler"), "opt", {}).get("told")
        route = scope.get("path_template") if told is not None else "other"
        method = scope.get("method", "GET")
        known = method if method in ("GET", "POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS") else "OTHER"
        self.metrics.requests.labels(known, route or "other", str(status)).inc()


async def deny(scope: Any, send: Any, refused: Unanswered) -> None:
    """Tell a problem where no handler was reached, on HTTP or in answer to a websocket's handshake."""
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    body = encode(refused.problem)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": f"{kind}.start", "status": refused.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body, "more_body": False})
