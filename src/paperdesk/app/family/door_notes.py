"""The door's way for senders: receivers of the settings on its list, and the loopback proxy through which other processes ask for them.

A door that has a market opens it beside (`door`); where no market is live, the door is here for this alone (`serve`). Light: nothing here trades or
reads market data.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from typing import Final

from paperdesk.app.family.tasks import ENCODE_WORD, Carries, DoorTask
from paperdesk.safety.allowlist import ALLOWED
from paperdesk.safety.door import Door, Loopback
from paperdesk.safety.handover import Handed
from paperdesk.safety.link import Link
from paperdesk.safety.proxy import Proxy
from paperdesk.safety.senders import entry_of

TELL_S: Final = 1.0


@contextlib.asynccontextmanager
async def opened_door(task: DoorTask, handed: Handed | None) -> AsyncIterator[Door]:
    """The door of this task; senders are served for as long as it is open. `handed`: None without receivers.

    With `venue_at` every host of the list, receivers too, is found on this machine, and nothing leaves it.
    """
    given = handed.receivers if handed is not None else []
    receivers = [entry_of(url, purpose, number) for number, (url, purpose) in enumerate(given, start=1)]
    allowed, resolve = (*ALLOWED, *receivers), {}
    if task.venue_at:
        address, _, port = task.venue_at.rpartition(":")
        resolve = {entry.host: Loopback(address.strip("[]"), int(port)) for entry in allowed}
    async with Door(environ=os.environ, resolve=resolve, allowed=allowed) as door:
        if handed is None:
            yield door
            return
        proxy = Proxy(door, handed.token)
        await proxy.start(task.listening)
        try:
            yield door
        finally:
            await proxy.close()


async def serve(task: DoorTask, closed_in: str, handed: Handed | None) -> int:
    """Carry notes until asked to end, and tell the supervisor how the way out is. `closed_in`: the wall that stands, in words."""
    supervisor, asked = Link(task.supervisor), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    async with opened_door(task, handed) as door:
        while not asked.is_set():
            calls = [(one.host, one.entry, one.verdict, one.calls) for one in door.counters.rows()]
            supervisor.send(ENCODE_WORD(Carries(closed_in, calls)))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TELL_S):
                    await asked.wait()
    return 0
