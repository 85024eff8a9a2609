"""The api's process: listens on what it inherited, reads projections, hands commands to the engine. `python -m … PARENT TASK`."""

import sys

from paperdesk.api.server import serve
from paperdesk.app.family.tasks import ApiTask, task_of
from paperdesk.app.home import Home
from paperdesk.safety import confine, wall
from paperdesk.safety.link import Link


def main(parent: int, text: str) -> int:
    """Close oneself in, and serve."""
    confine.die_with_parent(parent)
    task = task_of(text, ApiTask)
    try:
        report = wall.raise_wall(wall.API)
    except wall.WallRefused as refused:
        print(f"paperdesk api: {refused}", file=sys.stderr, flush=True)
        return 78
    walls = (("api", report.text()),)
    return serve(task.listening, Link(task.engine), Link(task.supervisor), Home(task.home).database, task.port, walls)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2]))
