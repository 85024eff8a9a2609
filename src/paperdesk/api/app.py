"""The app: every handler, what becomes of errors, and the guard around it."""

from pathlib import Path
from typing import Any, Final

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from paperdesk.api import commands, pages, rest
from paperdesk.api.endpoint import Told, answer, endpoint, problem_answer
from paperdesk.api.guard import Guard
from paperdesk.api.models import Problem
from paperdesk.api.schema import document
from paperdesk.api.service import Service
from paperdesk.api.stream import Hub, handler_of
from paperdesk.api.told import Unanswered, logged

WORDS: Final = {400: "bad_request", 404: "not_found", 405: "wrong_method", 413: "too_large", 415: "media_type"}


def unanswered(request: Request[Any, Any, Any], error: Unanswered) -> Response[bytes]:
    """A problem that a handler told."""
    return problem_answer(error.problem, error.status)


def refused(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """A problem that the router found: no such path, no such method."""
    if error.status_code >= 500:
        return unexpected(request, error)
    message = f"{request.method} {request.url.path[:200]} is not answered here"
    allowed = (error.headers or {}).get("allow", "")
    remedy = f"use {allowed}" if allowed else "GET /openapi.json lists what there is"
    told = Problem(error=WORDS.get(error.status_code, "refused"), message=f"{message}: {error.detail}.", remedy=remedy)
    response = problem_answer(told, error.status_code)
    if allowed:
        response.headers["Allow"] = allowed
    return response


def unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A bug: on stderr with its traceback, to the client an id alone."""
    name = logged(error, repr(request.scope.get("path")))
    told = Problem(
        error="unexpected",
        message=f"This is a bug in the desk's api; nothing is known to have been done. It is in the log as error {name}.",
        remedy="look for the id in what the desk prints, and please report it; a command may be asked again with its key",
        id=name,
    )
    return problem_answer(told, 500)


def build(service: Service, port: int, static: Path = pages.FOLDER) -> tuple[ASGIApp, Hub]:
    """The whole app, for a server on a port; the hub's `run` must run beside it."""
    hub = Hub(service)
    described = document()

    @endpoint("GET", "/openapi.json", Told("This document", None))
    async def openapi() -> Response[bytes]:
        """OpenAPI 3.1."""
        return answer(described)

    app = Litestar(
        route_handlers=[*rest.HANDLERS, *commands.HANDLERS, openapi, handler_of(hub), *pages.handlers_of(static)],
        exception_handlers={Unanswered: unanswered, HTTPException: refused, Exception: unexpected},
        openapi_config=None,
        logging_config=None,
        state=State({"service": service}),
    )
    return Guard(app, port, service.metrics), hub
