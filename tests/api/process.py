"""An api process as a desk starts it: the wall first, then the server. Arguments: listening, engine, family, port, database."""

import sys
from pathlib import Path

from paperdesk.api.server import serve
from paperdesk.safety.link import Link
from paperdesk.safety.wall import API, raise_wall


def main(listening: str, engine: str, family: str, port: str, database: str) -> int:
    """Raise the wall and serve."""
    report = raise_wall(API)
    walls = (("api", report.text()),)
    return serve(int(listening), Link(int(engine)), Link(int(family)), Path(database), int(port), walls)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
