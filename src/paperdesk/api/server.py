"""The api process: an inherited listening socket, two inherited links, the database to read; one thread, nothing else.

Raise the wall first, then call `serve`: nothing here makes an inet socket, connects, or writes a file.
"""

import asyncio
import contextlib
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from paperdesk import __version__
from paperdesk.api.app import build
from paperdesk.api.engine_link import EngineLink, FamilyLink, Wire
from paperdesk.api.metrics import Metrics
from paperdesk.api.models import Wall
from paperdesk.api.reader import Reader
from paperdesk.api.service import Service, StateKeeper
from paperdesk.safety.link import inherited

PING_S: Final = 10.0
MOST_FILES: Final = 4_096
"""Open descriptors, where the machine gives as many: 1,000 streams, and requests besides."""
MOST_HEADERS: Final = 16 * 1024
MOST_MESSAGE: Final = 4 * 1024
LEAVE_S: Final = 0.5
"""For requests under way when the process is asked to end."""
SEND_BYTES: Final = 256 * 1024
"""What the kernel may hold for a client that does not read."""


class Http(H11Protocol):
    """Says that this is paper even to what is no HTTP."""

    def send_400_response(self, msg: str) -> None:
        """Close with a plain 400."""
        body = b'{"error":"bad_request","message":"This is no HTTP request.","remedy":"use HTTP/1.1","field":null,"refusal":null,"id":null}'
        head = f"HTTP/1.1 400 Bad Request\r\nx-paper-trading: true\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()


class Stream(WebSocketsSansIOProtocol):
    """Lets the hub cut a connection whose other side does not read, and cuts those that answer no ping."""

    def handle_connect(self, event: Any) -> None:
        """Give the app a way to cut the connection, before it runs."""
        self.app_state = {**self.app_state, "abort": self.transport.abort}
        super().handle_connect(event)

    def keepalive_timeout(self) -> None:
        """No pong: nobody is there, and a closing frame may never leave."""
        super().keepalive_timeout()
        self.transport.abort()


class Server(uvicorn.Server):
    """Leaves signals to `serve`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: see `work`."""
        yield


def serve(
    listening: int,
    engine_link: Wire,
    family_link: Wire,
    database: Path,
    port: int,
    walls: tuple[tuple[str, str], ...] = (),
) -> int:
    """Serve until SIGTERM or SIGINT, or until engine and supervisor are gone for good; an exit code.

    Args:
        listening: Descriptor of an inherited listening socket, see `safety.link.listen`.
        engine_link: The api's end of the link to the engine.
        family_link: The api's end of the link to the supervisor.
        database: The home's projections; may be missing still.
        port: The port that `listening` is bound to.
        walls: (process, how it is closed in), to be told beside the engine's.
    """
    return asyncio.run(work(listening, engine_link, family_link, database, port, walls))


async def work(
    listening: int, engine_link: Wire, family_link: Wire, database: Path, port: int, walls: tuple[tuple[str, str], ...]
) -> int:
    """The same, within an event loop."""
    link, family, reader = EngineLink(engine_link), FamilyLink(family_link), Reader(database)
    keeper = StateKeeper(link, reader)
    told = [Wall(process=process, text=text) for process, text in walls]
    app, hub = build(Service(link, family, reader, Metrics(link, family, __version__), keeper, told), port)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (MOST_FILES if most == resource.RLIM_INFINITY else min(MOST_FILES, most), most)
    )
    socket = inherited(listening)
    socket.setsockopt(1, 7, SEND_BYTES)  # SOL_SOCKET, SO_SNDBUF: accepted connections take it over
    server = Server(configuration(app))
    loop, leaving = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leaving.set)
    link.start()
    family.start()
    serving, ticking = asyncio.ensure_future(server.serve(sockets=[socket])), asyncio.ensure_future(hub.run())
    ends = [asyncio.ensure_future(event.wait()) for event in (leaving, family.gone, link.gone)]
    try:
        await asyncio.wait((serving, ticking, *ends), return_when=asyncio.FIRST_COMPLETED)
        if ticking.done():
            ticking.result()
        for event, who in ((family.gone, "supervisor"), (link.gone, "engine")):
            if event.is_set():
                print(f"paperdesk api: the {who}'s side of the link is closed; ending.", file=sys.stderr, flush=True)
        server.should_exit = True
        await serving
    finally:
        for task in (ticking, *ends):
            task.cancel()
        await asyncio.gather(ticking, *ends, return_exceptions=True)
        link.stop()
        family.stop()
        reader.close()
    return 0 if leaving.is_set() else 1


def configuration(app: Any) -> uvicorn.Config:
    """How uvicorn serves: quietly, on what it is given."""
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=Http,
        ws=Stream,
        lifespan="off",
        interface="asgi3",
        ws_max_size=MOST_MESSAGE,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=MOST_HEADERS,
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=LEAVE_S,  # type: ignore[arg-type]
    )
