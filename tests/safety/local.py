"""A venue on loopback: what the tests of the door and of the live feed talk to instead of an exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext

from aiohttp import web

from paperdesk.safety.door import Door, Limits, Loopback

REST, STREAM = "data-api.binance.vision", "data-stream.binance.vision"
PING = f"https://{REST}/api/v3/ping"
DEPTH = f"https://{REST}/api/v3/depth?symbol=BTCUSDT&limit=5000"
TRADES = f"wss://{STREAM}/stream?streams=btcusdt@trade"
QUICK = Limits(connect_s=2.0, answer_s=0.5, silence_s=5.0, ping_s=0.2, frame_gap_s=0.0)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Handler, tls: SSLContext | None = None) -> AsyncIterator[int]:
    """Serves every path with one handler on a free port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def speaking(speak: Raw) -> AsyncIterator[int]:
    """Serves bytes as they are: for answers that no HTTP library would give."""
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await speak(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def door_to(port: int, tls: bool = False, limits: Limits = QUICK, **options: object) -> Door:
    """A door whose hosts are found on this machine."""
    place = Loopback("127.0.0.1", port, tls)
    return Door(resolve={REST: place, STREAM: place}, limits=limits, **options)  # type: ignore[arg-type]
