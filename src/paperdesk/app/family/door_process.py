"""The door's process: closes itself in to the ports of the list, then serves. Started by the supervisor; `python -m … PARENT TASK`.

Everything of the house is imported (and compiled, where it is not yet) before the wall stands, because behind it nothing can be written. A door
without a market imports nothing of one.
"""

import asyncio
import os
import sys

from paperdesk.app.errors import EXIT_IO, EXIT_SETTINGS
from paperdesk.app.family.tasks import DoorTask, task_of
from paperdesk.safety import confine, wall
from paperdesk.safety.door import needs
from paperdesk.safety.handover import taken
from paperdesk.safety.outside import NoAnswer


def main(parent: int, text: str) -> int:
    """Close oneself in, and serve."""
    confine.die_with_parent(parent)
    task = task_of(text, DoorTask)
    if task.symbols:
        from paperdesk.app.family.door import serve
    else:
        from paperdesk.app.family.door_notes import serve
    handed = taken(task.handed) if task.handed >= 0 else None
    paths, ports = needs(os.environ)
    if task.venue_at:
        ports.append(int(task.venue_at.rpartition(":")[2]))
    try:
        report = wall.raise_wall(wall.DOOR, read=paths, ports=ports)
    except wall.WallRefused as refused:
        print(f"paperdesk door: {refused}", file=sys.stderr, flush=True)
        return EXIT_SETTINGS
    try:
        return asyncio.run(serve(task, report.text(), handed))
    except NoAnswer as why:  # certificate authorities that cannot be read
        print(f"paperdesk door: {why}", file=sys.stderr, flush=True)
        return EXIT_IO


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2]))
