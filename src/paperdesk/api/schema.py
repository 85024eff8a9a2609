"""The OpenAPI document (3.1), made from the declarations of the endpoints and the types of their answers; the stream's messages included.

`python -m paperdesk.api.schema` prints it, without starting anything; the dashboard makes its types from that.
"""

import re
import sys
from typing import Any, Final

import msgspec

from paperdesk import __version__
from paperdesk.api import commands, rest
from paperdesk.api.endpoint import KEY_HEADER, ROOT, Told
from paperdesk.api.models import Problem
from paperdesk.api.models_live import StreamMessage
from paperdesk.api.stream import StreamQuery

REF: Final = "#/components/schemas/{name}"
STATUS_TEXTS: Final = {
    200: "Answered",
    400: "The request cannot be read",
    403: "A page of another origin asked",
    404: "There is no such thing",
    409: "The Idempotency-Key was used for another command",
    413: "The body is too large",
    415: "The body is not JSON",
    421: "Another Host was asked for",
    422: "Refused by the desk, with a reason",
    503: "Not now: starting, or busy",
    504: "The engine did not answer; ask again with the same key",
}
PATH_TYPES: Final = {"str": {"type": "string"}, "int": {"type": "integer"}}


def declared() -> list[tuple[str, str, Told]]:
    """(method, path, what is told) of every endpoint; the stream is a websocket's GET."""
    found = []
    for handler in [*rest.HANDLERS, *commands.HANDLERS]:
        (path,), (method,) = handler.paths, handler.http_methods
        found.append((str(method), path, handler.opt["told"]))
    found.append(
        ("GET", f"{ROOT}/stream", Told("The stream, as a websocket of JSON texts", StreamMessage, StreamQuery))
    )
    found.append(("GET", "/openapi.json", Told("This document", None)))
    return found


def document() -> bytes:
    """The document as JSON."""
    endpoints = declared()
    kinds: list[Any] = [Problem, StreamMessage]
    for _, _, told in endpoints:
        kinds += [kind for kind in (told.answer, told.body, *told.statuses.values()) if kind is not None]
    _, components = msgspec.json.schema_components(kinds, ref_template=REF)
    (union,), _ = msgspec.json.schema_components([StreamMessage], ref_template=REF)
    components["StreamMessage"] = union
    paths: dict[str, Any] = {}
    for method, path, told in endpoints:
        plain = re.sub(r"\{(\w+):\w+\}", r"{\1}", path)
        paths.setdefault(plain, {})[method.lower()] = operation(path, told)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "Paperdesk",
            "version": __version__,
            "description": "A paper-only trading desk: no request here can lead to a real order.",
        },
        "paths": paths,
        "components": {"schemas": components},
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def schema_of(kind: Any) -> dict[str, Any]:
    """Where a type's schema is."""
    if kind is StreamMessage:
        return {"$ref": REF.format(name="StreamMessage")}
    return {"$ref": REF.format(name=kind.__name__)}


def operation(path: str, told: Told) -> dict[str, Any]:
    """One endpoint."""
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": PATH_TYPES[kind]}
        for name, kind in re.findall(r"\{(\w+):(\w+)\}", path)
    ]
    if told.query is not None:
        (_,), components = msgspec.json.schema_components([told.query], ref_template=REF)
        query = components[told.query.__name__]
        parameters += [
            {"name": name, "in": "query", "required": name in query.get("required", ()), "schema": schema}
            for name, schema in query["properties"].items()
        ]
    if told.is_command:
        text = {"type": "string", "minLength": 1, "maxLength": 128}
        parameters.append({"name": KEY_HEADER, "in": "header", "required": True, "schema": text})
    answers: dict[str, Any] = {"200": response(200, told.answer)}
    statuses = {*told.problems, 421} | ({400} if told.query is not None else set())
    answers |= {str(status): response(status, Problem) for status in statuses}
    answers |= {str(status): response(status, kind) for status, kind in told.statuses.items()}
    described: dict[str, Any] = {
        "summary": told.summary,
        "parameters": parameters,
        "responses": dict(sorted(answers.items())),
    }
    if told.body is not None:
        described["requestBody"] = {"content": {"application/json": {"schema": schema_of(told.body)}}}
    return described


def response(status: int, kind: Any) -> dict[str, Any]:
    """What comes with a status."""
    described: dict[str, Any] = {"description": STATUS_TEXTS[status]}
    if kind is not None:
        described["content"] = {"application/json": {"schema": schema_of(kind)}}
    return described


if __name__ == "__main__":
    sys.stdout.buffer.write(document())
