"""The door's process: closes itself in to the ports of the list, then serves. Started by the supervisor; `python -m … PARENT TASK`.

Everything of the house is imported (and compiled, where it is not yet) before the wall stands, because behind it nothing can be written.
"""

import asyncio
import os
import sys

from paperdesk.app.errors import EXIT_SETTINGS
from paperdesk.app.family.door import serve
from paperdesk.app.family.tasks import DoorTask, task_of
from paperdesk.safety import confine, wall
from paperdesk.safety.door import needs


def main(parent: int, text: str) -> int:
    """Close oneself in, and serve."""
    confine.die_with_parent(parent)
    task = task_of(text, DoorTask)
    paths, ports = needs(os.environ)
    if task.venue_at:
        ports.append(int(task.venue_at.rpartition(":")[2]))
    try:
        report = wall.raise_wall(wall.DOOR, read=paths, ports=ports)
    except wall.WallRefused as refused:
        print(f"paperdesk door: {refused}", file=sys.stderr, flush=True)
        return EXIT_SETTINGS
    return asyncio.run(serve(task, report.text()))


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2]))
