"""How an endpoint is declared, read and answered: once, as data, so that router, OpenAPI document and docs cannot disagree.

Requests are read strictly: a field or parameter that does not exist, comes twice or has another type is a 400 that names it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler, route

from paperdesk.api.models import Problem, encode
from paperdesk.api.told import Unanswered, problem

ROOT: Final = "/api/v1"
MOST_BODY: Final = 64 * 1024
KEY_HEADER: Final = "Idempotency-Key"
KEY: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?")
AnyRequest = Request[Any, Any, Any]
Kind = TypeVar("Kind")
WHERE: Final = (re.compile(r" - at `\$\.?([^`]*)`"), re.compile(r"(?:unknown|required) field `([^`]+)`"))
FORM: Final = re.compile(r" matching regex .*$", re.DOTALL)
DECIMAL_HELP: Final = 'write a decimal number as text, such as "0.001": digits, and a point where needed'
HELP: Final = {
    "quantity": DECIMAL_HELP,
    "quote_quantity": DECIMAL_HELP,
    "price": DECIMAL_HELP,
    "trigger_price": DECIMAL_HELP,
    "side": "write buy or sell",
    "order_type": "write market, limit, stop_market, stop_limit, take_profit_market or take_profit_limit",
    "time_in_force": "write gtc, ioc, fok or gtd, or leave it out",
    "expire_ns": "write nanoseconds since 1970 as text, such as `ts_ns`, or leave it out",
    "trail_bips": "write a whole number of hundredths of a percent, 1 to 9999, or leave it out",
    "visible_quantity": DECIMAL_HELP,
    "reduce_only": "write true or false, or leave it out",
    "self_trade": "write none, expire_maker, expire_taker, expire_both or decrement, or leave it out",
    "post_only": "write true or false, or leave it out",
    "instrument": "write an instrument's number, as GET /api/v1/desk lists them",
    "status": "write live, closed or all",
    "limit": "write a whole number within the bounds that docs/api.md lists",
    "before": "give back the `before` of the page you have",
    "since": "write nanoseconds since 1970, as in `ts_ns`",
    "after": "write SEQ.NUMBER, the `id` of the last event that you have, such as 1200.0",
}
PLACE: Final = r"^[0-9]{1,18}\.[0-9]{1,9}$(?!\n)"
"""`$` alone would let a line break through."""


@dataclass(frozen=True)
class Told:
    """What the OpenAPI document says of an endpoint. `query` and `body` are read by what reads the request, too."""

    summary: str
    answer: Any
    query: Any = None
    body: Any = None
    is_command: bool = False
    problems: tuple[int, ...] = ()
    statuses: dict[int, Any] = field(default_factory=dict)
    """Further statuses with an answer of their own."""


def endpoint(method: str, path: str, told: Told) -> Callable[[Any], HTTPRouteHandler]:
    """Declare an endpoint."""
    return route(
        path,
        http_method=[method],  # type: ignore[list-item]
        status_code=200,
        opt={"told": told},
        include_in_schema=False,
    )


def answer(told: Any, status: int = 200) -> Response[bytes]:
    """An answer as JSON."""
    return Response(
        told if isinstance(told, bytes) else encode(told), status_code=status, media_type="application/json"
    )


def told_of(request: AnyRequest) -> Told:
    """What the endpoint of a request declared."""
    told = request.route_handler.opt["told"]
    assert isinstance(told, Told), "every endpoint is declared"
    return told


def unreadable(error: Exception, where: str, kind: Any) -> Unanswered:
    """A 400 in plain words."""
    text = str(error).rstrip(".")
    found = next((match[1] for pattern in WHERE if (match := pattern.search(text))), None)
    why = FORM.sub(" of the right form", WHERE[0].sub("", text)).replace("`", "")
    fields = ", ".join(kind.__struct_fields__) or "none"
    remedy = HELP.get(found or "", f"fields that can be given here: {fields}; /openapi.json has their types")
    name = f" at {found}" if found else ""
    return problem(400, "bad_request", f"The {where} cannot be read{name}: {why}.", remedy, found)


def query_of(request: AnyRequest, kind: type[Kind]) -> Kind:
    """The parameters of a request, strictly."""
    given = request.query_params.dict()
    for name, values in given.items():
        if len(values) > 1:
            raise problem(400, "bad_request", f"The parameter {name} comes {len(values)} times.", "give it once", name)
    try:
        return msgspec.convert({name: values[0] for name, values in given.items()}, kind, strict=False)
    except msgspec.ValidationError as error:
        raise unreadable(error, "query", kind) from None


async def body_of(request: AnyRequest, kind: type[Kind]) -> Kind:
    """The body of a request, strictly; none at all is an empty object."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BODY:
            raise too_large()
    if data and request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise problem(
            415, "media_type", "The body is not said to be JSON.", "send the header Content-Type: application/json"
        )
    try:
        return msgspec.json.decode(bytes(data) or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error, "body", kind) from None


def too_large() -> Unanswered:
    """A 413."""
    return problem(
        413,
        "too_large",
        f"A body has at most {MOST_BODY} bytes here.",
        "send one command a request; it takes a few fields",
    )


def key_of(request: AnyRequest) -> str:
    """The Idempotency-Key of a command."""
    key = request.headers.get(KEY_HEADER, "")
    if KEY.fullmatch(key) is None:
        what = "is missing" if not key else "is not 1 to 128 printable characters"
        raise problem(
            400,
            "bad_request",
            f"The header {KEY_HEADER} {what}.",
            "choose a new one for each command, such as a random UUID, and the same one when you ask again: it is done at most once",
            KEY_HEADER,
        )
    return key


def problem_answer(told: Problem, status: int) -> Response[bytes]:
    """A problem as JSON."""
    return Response(encode(told), status_code=status, media_type="application/json")
