"""The engine's process: closes itself in before it imports anything that trades. Started by the supervisor; `python -m … PARENT TASK`."""

import os
import sys

from paperdesk.app.closed_in import close_in
from paperdesk.app.errors import EXIT_IO, EXIT_SETTINGS, DeskError
from paperdesk.app.family.tasks import EngineTask, task_of
from paperdesk.app.terminal import stderr_console
from paperdesk.app.warm import warm
from paperdesk.safety import confine, wall
from paperdesk.safety.settings import PAPER_LOCK, SettingsRefused, read_settings
from paperdesk.store.errors import StoreError


def main(parent: int, text: str) -> int:
    """Everything that can be refused becomes a message and an exit code."""
    confine.die_with_parent(parent)
    task = task_of(text, EngineTask)
    try:
        read_settings({name: os.environ[name] for name in PAPER_LOCK if name in os.environ})
        closed_in = close_in(task.home)
        warm()
        from paperdesk.app.family.engine import run  # after the wall: polars starts threads

        return run(task, closed_in, stderr_console(task.as_json))
    except SettingsRefused as refusal:
        message, code = str(refusal), refusal.exit_code
    except DeskError as error:
        message, code = str(error), error.exit_code
    except StoreError as error:
        message, code = str(error), EXIT_IO
    except wall.WallRefused as refused:
        message, code = str(refused), EXIT_SETTINGS
    print(f"paperdesk engine: {message}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), sys.argv[2]))
