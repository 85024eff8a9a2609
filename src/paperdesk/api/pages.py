"""The dashboard: files that web/ was built into, read once at start. Without them, the root says so, and how to build it."""

import mimetypes
import re
from pathlib import Path
from typing import Any, Final, NamedTuple

from litestar import Response
from litestar.handlers import HTTPRouteHandler, route

from paperdesk.api.endpoint import AnyRequest
from paperdesk.api.told import problem

FOLDER: Final = Path(__file__).parent / "static"
HASHED: Final = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.(?:js|css|woff2|svg|png|map)$")
FOREVER: Final = "public, max-age=31536000, immutable"
ALWAYS_ASK: Final = "no-cache"
TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
NOT_BUILT: Final = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Paperdesk: no dashboard here</title></head><body>
<h1>PAPER TRADING: the dashboard was not built</h1>
<p>The desk works; only its page is missing in this installation. Build it with <code>make web</code> in the source folder (Node.js
is needed) and start the desk again. Until then there is the <a href="/openapi.json">API</a>, and <a href="/healthz">its health</a>.</p>
</body></html>
"""


class File(NamedTuple):
    """One file to serve."""

    data: bytes
    kind: str
    caching: str


def files(folder: Path) -> dict[str, File]:
    """Path below the root → file. Nothing outside the folder is ever looked at."""
    found = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(folder).as_posix()
            kind = TYPES.get(path.suffix) or mimetypes.guess_type(name, strict=True)[0] or "application/octet-stream"
            found[name] = File(path.read_bytes(), kind, FOREVER if HASHED.search(name) else ALWAYS_ASK)
    return found


def handlers_of(folder: Path = FOLDER) -> list[HTTPRouteHandler]:
    """The root and everything below it that is no endpoint."""
    served = files(folder)
    index = served.get("index.html", File(NOT_BUILT, TYPES[".html"], ALWAYS_ASK))

    def told(file: File) -> Response[bytes]:
        """As a response."""
        return Response(file.data, media_type=file.kind, headers={"cache-control": file.caching})

    @route("/", http_method=["GET", "HEAD"], include_in_schema=False)
    async def root() -> Response[bytes]:
        """The page."""
        return told(index)

    @route("/{path:path}", http_method=["GET", "HEAD"], include_in_schema=False)
    async def below(request: AnyRequest, path: Any) -> Response[bytes]:
        """A file, or the page for whoever wants one: its own links lead here."""
        name = str(path).lstrip("/")
        if name in served:
            return told(served[name])
        wants_page = "text/html" in request.headers.get("accept", "")
        if wants_page and not name.startswith("api/") and name.rpartition(".")[2] not in ("js", "css", "map", "json"):
            return told(index)
        raise problem(404, "not_found", f"There is nothing at /{name[:100]}.", "GET /openapi.json lists what there is")

    return [root, below]
