"""The door's process: closes itself in to the ports of the list before it imports a feed. Started by the supervisor; `python -m … PARENT TASK`."""

import asyncio
import os
import re
import sys
from pathlib import Path

from paperdesk.app.errors import EXIT_SETTINGS
from paperdesk.app.family.tasks import OUTWARD, DoorTask, task_of
from paperdesk.domain import cache
from paperdesk.safety import confine, wall


def ports_of(task: DoorTask) -> list[int]:
    """What it must reach beside the list's port: the user's proxy, or a server on this machine that plays the venue."""
    addresses = [
        os.environ[name]
        for name in OUTWARD
        if name.lower().endswith("_proxy") and name.lower() != "no_proxy" and name in os.environ
    ]
    addresses += [f"http://{task.venue_at}"] if task.venue_at else []
    ports = [re.search(r":([0-9]{1,5})/?$", one) for one in addresses]
    return [int(port[1]) for port in ports if port]


def main(parent: int, text: str) -> int:
    """Close oneself in, and serve."""
    confine.die_with_parent(parent)
    task = task_of(text, DoorTask)
    folders = [cache.FOLDER] if cache.FOLDER is not None else []
    trusted = [Path(os.environ["SSL_CERT_FILE"])] if "SSL_CERT_FILE" in os.environ else []
    try:
        report = wall.raise_wall(wall.DOOR, read=[*folders, *trusted], write=folders, ports=ports_of(task))
    except (wall.WallRefused, ValueError) as refused:
        print(f"paperdesk door: {refused}", file=sys.stderr, flush=True)
        return EXIT_SETTINGS
    from paperdesk.app.family.door import serve  # after the wall: what it imports starts threads

    return asyncio.run(serve(task, report.text()))


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2]))
