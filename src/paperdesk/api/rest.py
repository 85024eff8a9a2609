"""What can be read: the desk, the account, markets, events, runs, health, metrics."""

import re
from typing import Annotated, Final, Literal

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from paperdesk.api import beside, picture, rows
from paperdesk.api import signals as signals_told
from paperdesk.api.endpoint import PLACE, ROOT, AnyRequest, Told, answer, endpoint, query_of
from paperdesk.api.messages import Welcome
from paperdesk.api.metrics import CONTENT_TYPE
from paperdesk.api.models import Desk, Fills, Orders, OrderStory, State
from paperdesk.api.models_accounts import Accounts, Equity
from paperdesk.api.models_live import Bars, Book, Events, Health, InstrumentNumber, Runs
from paperdesk.api.ring import Place, place_text
from paperdesk.api.service import Service
from paperdesk.api.signals import Signals, SignalStory
from paperdesk.api.story import NoOrder
from paperdesk.api.told import Unanswered, problem

ORDER: Final = re.compile(r"(?:PAPER-(?P<account>[0-9]{1,9})-)?(?P<order>[0-9]{1,18})")
SIGNAL: Final = re.compile(r"(?:SIGNAL-(?P<account>[0-9]{1,9})-)?(?P<signal>[0-9]{1,18})")
EVENT_HEAD: Final = len('{"type":"event","event":')


class Query(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Parameters of an endpoint."""


class NoQuery(Query):
    """None."""


Page = Annotated[int, msgspec.Meta(ge=1, le=500)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
AccountNumber = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class AccountQuery(Query):
    """Of what each account has of its own."""

    account: AccountNumber | None = None
    """The desk's own where not given; GET /accounts lists them."""


class OrdersQuery(AccountQuery):
    """Of GET /orders."""

    status: Literal["live", "closed", "all"] = "all"
    limit: Page = 100
    before: Number | None = None


class FillsQuery(AccountQuery):
    """Of GET /fills."""

    limit: Page = 100
    before: Number | None = None


class SignalsQuery(AccountQuery):
    """Of GET /signals."""

    limit: Page = 100
    before: Number | None = None


class EquityQuery(AccountQuery):
    """Of GET /equity."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=5_000)] = 1_440
    since: Number = 0


class BarsQuery(Query):
    """Of GET /bars."""

    instrument: InstrumentNumber
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_500)] = 500


class BookQuery(Query):
    """Of GET /book."""

    instrument: InstrumentNumber


class EventsQuery(Query):
    """Of GET /events."""

    after: Annotated[str, msgspec.Meta(pattern=PLACE)] = "0.0"
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 200


def service_of(request: AnyRequest) -> Service:
    """What this app works with."""
    service = request.app.state.service
    assert isinstance(service, Service), "the app is built with it"
    return service


def order_number(text: str, account: int) -> int:
    """PAPER-ACCOUNT-NUMBER or NUMBER as a number; Unanswered with 404 for anything else, and for other accounts."""
    match = ORDER.fullmatch(text)
    if match is None or int(match["account"] or account) != account:
        raise no_order(f"{text[:60]!r} is no order of account {account}.")
    return int(match["order"])


def order_of(text: str, welcome: Welcome) -> tuple[int, int]:
    """PAPER-ACCOUNT-NUMBER as (account, number), NUMBER as one of the desk's own; Unanswered with 404 for anything else."""
    match = ORDER.fullmatch(text)
    account = int(match["account"] or welcome.account) if match is not None else welcome.account
    return owner(welcome, account), order_number(text, account)


def owner(welcome: Welcome, account: int | None) -> int:
    """The account that is meant; Unanswered with 404 where this desk has none such."""
    known = {welcome.account, *(row["account"] for row in welcome.accounts)}
    if account is not None and account not in known:
        raise problem(
            404,
            "not_found",
            f"There is no account {account}; this desk has {len(known)}.",
            "GET /api/v1/accounts lists them",
        )
    return welcome.account if account is None else account


def no_order(message: str) -> Unanswered:
    """A 404."""
    return problem(
        404, "not_found", message, "GET /api/v1/orders lists them; write PAPER-ACCOUNT-NUMBER, or NUMBER alone"
    )


def place_of(text: str) -> Place:
    """SEQ.NUMBER, checked before, as a place."""
    seq, _, number = text.partition(".")
    return int(seq), int(number)


def known(service: Service, instrument: int) -> int:
    """An instrument that exists; Unanswered with 404 otherwise."""
    picture.welcome_of(service.link)
    if instrument not in service.link.directory.instruments:
        count = len(service.link.directory.instruments)
        raise problem(
            404,
            "not_found",
            f"There is no instrument {instrument}; this desk has {count}.",
            "GET /api/v1/desk lists them",
        )
    return instrument


@endpoint("GET", f"{ROOT}/desk", Told("What this desk is and how it is", Desk, NoQuery, problems=(503,)))
async def desk(request: AnyRequest) -> Response[bytes]:
    """Run, label, instruments, bots, processes, walls."""
    query_of(request, NoQuery)
    service = service_of(request)
    return answer(picture.desk_of(service.link, service.family, service.walls))


@endpoint("GET", f"{ROOT}/state", Told("The account as it is", State, NoQuery, problems=(503,)))
async def state(request: AnyRequest) -> Response[bytes]:
    """Balances, positions, live orders, equity, exposure, bots."""
    query_of(request, NoQuery)
    return answer(service_of(request).keeper.current()[1])


@endpoint(
    "GET", f"{ROOT}/accounts", Told("The accounts of this desk, its own first", Accounts, NoQuery, problems=(503,))
)
async def accounts(request: AnyRequest) -> Response[bytes]:
    """Fill models, equities, fills, what was denied; how far a band and a ghost are from the account."""
    query_of(request, NoQuery)
    service = service_of(request)
    welcome = picture.welcome_of(service.link)
    with service.reader.look() as connection:
        return answer(beside.books_of(connection, welcome.run, service.link))


@endpoint("GET", f"{ROOT}/orders", Told("Orders, newest first", Orders, OrdersQuery, problems=(404, 503)))
async def orders(request: AnyRequest) -> Response[bytes]:
    """A page of them."""
    query, service = query_of(request, OrdersQuery), service_of(request)
    welcome = picture.welcome_of(service.link)
    with service.reader.look() as connection:
        told = rows.orders(
            connection,
            welcome.run,
            owner(welcome, query.account),
            service.link.directory,
            query.status,
            query.limit,
            query.before,
        )
    return answer(told)


@endpoint(
    "GET",
    f"{ROOT}/orders/{{order_id:str}}",
    Told("One order with its fills and its life in sentences", OrderStory, NoQuery, problems=(404, 503)),
)
async def order(request: AnyRequest) -> Response[bytes]:
    """All about one."""
    query_of(request, NoQuery)
    service = service_of(request)
    welcome = picture.welcome_of(service.link)
    account, number = order_of(request.path_params["order_id"], welcome)
    try:
        with service.reader.look() as connection:
            told = rows.order(connection, welcome.run, account, service.link.directory, number)
    except NoOrder as error:
        raise no_order(str(error)) from error
    return answer(told)


@endpoint(
    "GET", f"{ROOT}/fills", Told("Fills with their receipts, newest first", Fills, FillsQuery, problems=(404, 503))
)
async def fills(request: AnyRequest) -> Response[bytes]:
    """A page of them."""
    query, service = query_of(request, FillsQuery), service_of(request)
    welcome = picture.welcome_of(service.link)
    with service.reader.look() as connection:
        told = rows.fills(
            connection, welcome.run, owner(welcome, query.account), service.link.directory, query.limit, query.before
        )
    return answer(told)


@endpoint(
    "GET", f"{ROOT}/signals", Told("What bots wanted to hold, newest first", Signals, SignalsQuery, problems=(404, 503))
)
async def signals(request: AnyRequest) -> Response[bytes]:
    """A page of them."""
    query, service = query_of(request, SignalsQuery), service_of(request)
    welcome = picture.welcome_of(service.link)
    with service.reader.look() as connection:
        told = signals_told.signals(
            connection, welcome.run, owner(welcome, query.account), service.link.directory, query.limit, query.before
        )
    return answer(told)


@endpoint(
    "GET",
    f"{ROOT}/signals/{{signal_id:str}}",
    Told("One signal, and what became of it, in sentences", SignalStory, NoQuery, problems=(404, 503)),
)
async def signal(request: AnyRequest) -> Response[bytes]:
    """All about one."""
    query_of(request, NoQuery)
    service = service_of(request)
    welcome = picture.welcome_of(service.link)
    match = SIGNAL.fullmatch(request.path_params["signal_id"])
    try:
        if match is None:
            raise NoOrder(f"{request.path_params['signal_id'][:60]!r} is no signal.")
        account = owner(welcome, int(match["account"] or welcome.account))
        with service.reader.look() as connection:
            told = signals_told.signal(connection, welcome.run, account, service.link.directory, int(match["signal"]))
    except NoOrder as error:
        remedy = "GET /api/v1/signals lists them; write SIGNAL-ACCOUNT-NUMBER, or NUMBER alone"
        raise problem(404, "not_found", str(error), remedy) from error
    return answer(told)


@endpoint("GET", f"{ROOT}/equity", Told("What the account was worth", Equity, EquityQuery, problems=(404, 503)))
async def equity(request: AnyRequest) -> Response[bytes]:
    """The latest points."""
    query, service = query_of(request, EquityQuery), service_of(request)
    welcome, names = picture.welcome_of(service.link), service.link.directory
    with service.reader.look() as connection:
        told = rows.equity(
            connection, welcome.run, owner(welcome, query.account), names, welcome.reporting, query.limit, query.since
        )
    return answer(told)


@endpoint("GET", f"{ROOT}/bars", Told("Minute bars, oldest first", Bars, BarsQuery, problems=(404, 503)))
async def bars(request: AnyRequest) -> Response[bytes]:
    """The latest of an instrument."""
    query, service = query_of(request, BarsQuery), service_of(request)
    return answer(picture.bars_of(service.link, known(service, query.instrument), query.limit))


@endpoint("GET", f"{ROOT}/book", Told("A market as it is", Book, BookQuery, problems=(404, 503)))
async def book(request: AnyRequest) -> Response[bytes]:
    """Depth and latest trades."""
    query, service = query_of(request, BookQuery), service_of(request)
    told = picture.latest_book(service.link, known(service, query.instrument))
    if told is None:
        raise problem(503, "starting", "Nothing was seen of this market yet.", "ask again in a moment")
    return answer(told)


@endpoint("GET", f"{ROOT}/events", Told("Facts after a place, oldest first", Events, EventsQuery, problems=(503,)))
async def events(request: AnyRequest) -> Response[bytes]:
    """From the last 20,000."""
    query, service = query_of(request, EventsQuery), service_of(request)
    picture.welcome_of(service.link)
    ring = service.link.ring
    after = place_of(query.after)
    cursor = ring.cursor(after) if after != (0, 0) else ring.cursor((0, -1))
    lost = cursor is None
    if cursor is None:
        cursor = ring.oldest
    texts = ring.read(cursor, query.limit) or []
    told = [msgspec.Raw(text[EVENT_HEAD:-1].encode()) for text in texts]
    last = place_text(ring.place(cursor + len(texts))) if texts else query.after
    return answer(msgspec.json.encode({"events": told, "lost": lost, "after": last}))


@endpoint("GET", f"{ROOT}/runs", Told("All runs of this home, newest first", Runs, NoQuery, problems=(503,)))
async def runs(request: AnyRequest) -> Response[bytes]:
    """What the database knows."""
    query_of(request, NoQuery)
    service = service_of(request)
    welcome = picture.welcome_of(service.link)
    with service.reader.look() as connection:
        return answer(rows.runs(connection, welcome.run))


@endpoint("GET", "/healthz", Told("Whether the engine was heard within 3 seconds", Health, statuses={503: Health}))
async def healthz(request: AnyRequest) -> Response[bytes]:
    """200 or 503, with details."""
    service = service_of(request)
    told = picture.health_of(service.link, service.family, service.clients)
    return answer(told, 200 if told.healthy else 503)


@endpoint("GET", "/metrics", Told("Figures for Prometheus (text)", None))
async def metrics(request: AnyRequest) -> Response[bytes]:
    """In Prometheus' text format."""
    return Response(service_of(request).metrics.text(), media_type=CONTENT_TYPE)


HANDLERS: Final[list[HTTPRouteHandler]] = [
    desk, state, accounts, orders, order, fills, signals, signal, equity, bars, book, events, runs, healthz, metrics,
]  # fmt: skip
