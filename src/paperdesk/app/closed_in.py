"""The wall around a process that trades, be it the engine of a family or a run that is one process.

Import this, with `ONE_THREAD` in the environment, before anything that trades: the wall is raised by a process with one thread,
and polars starts its own as it is loaded.
"""

from pathlib import Path

from paperdesk.domain import cache
from paperdesk.safety import wall


def close_in(home: Path) -> str:
    """Raise the engine's wall around this process; what stands, in words. `home` is there already.

    What is left to be written is the home and the cache of compiled code. Raises `wall.WallRefused`.
    """
    folders = [home, *([cache.FOLDER] if cache.FOLDER is not None else [])]
    return wall.raise_wall(wall.ENGINE, write=folders).text()
