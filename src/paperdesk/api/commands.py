"""What can be asked for: orders, amends, cancels, the kill switch, bots. Each command is done at most once per Idempotency-Key, on paper."""

from typing import Any, Final

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from paperdesk.api import messages as say
from paperdesk.api.endpoint import ROOT, AnyRequest, Told, answer, body_of, endpoint, key_of
from paperdesk.api.events import SILENT, event_of, order_name
from paperdesk.api.models import StatusText
from paperdesk.api.models_live import Amendment, CancelMany, CommandAnswer, NewLeg, NewOrder, NewOrderList, Nothing
from paperdesk.api.picture import welcome_of
from paperdesk.api.rest import order_number, service_of
from paperdesk.api.service import Service
from paperdesk.api.told import Unanswered, problem, refusal
from paperdesk.domain.events import OutputKind
from paperdesk.domain.reasons import Reason
from paperdesk.store.reading import ACCOUNT, KIND, ORDER_ID, OUTPUT_ROW, REASON

STATUSES: Final[dict[int, StatusText]] = {
    int(OutputKind.ORDER_SUBMITTED): "submitted",
    int(OutputKind.ORDER_DENIED): "denied",
    int(OutputKind.ORDER_CANCELED): "canceled",
}
REFUSALS: Final = frozenset(
    int(kind)
    for kind in (
        OutputKind.ORDER_DENIED,
        OutputKind.AMEND_REJECTED,
        OutputKind.CANCEL_REJECTED,
        OutputKind.COMMAND_REFUSED,
    )
)
NEEDS: Final = {
    "market": (False, False),
    "limit": (True, False),
    "stop_market": (False, True),
    "stop_limit": (True, True),
    "take_profit_market": (False, True),
    "take_profit_limit": (True, True),
}
"""Order type → whether it has a price, and a trigger price."""


def command(method: str, path: str, summary: str, body: type = Nothing) -> Any:
    """Declare a command."""
    told = Told(
        summary,
        CommandAnswer,
        body=body,
        is_command=True,
        problems=(400, 403, 404, 409, 413, 415, 503, 504),
        statuses={422: CommandAnswer},
    )
    return endpoint(method, ROOT + path, told)


async def done(service: Service, name: str, key: str, what: say.Wanted) -> Response[bytes]:
    """Hand a command to the engine and tell what became of it."""
    counter = service.metrics.commands
    try:
        reply = await service.link.request(key, what)
    except Unanswered as error:
        counter.labels(name, error.problem.error).inc()
        raise
    told = told_of(service, reply)
    if reply.code == "conflict":
        counter.labels(name, "conflict").inc()
        raise problem(
            409,
            "conflict",
            reply.text or "This Idempotency-Key was used for another command.",
            "choose a new key for a new command",
            "Idempotency-Key",
        )
    counter.labels(name, told.code).inc()
    return answer(told, 200 if told.code == "done" else 422)


def told_of(service: Service, reply: say.Reply) -> CommandAnswer:
    """A reply in words."""
    rows = list(OUTPUT_ROW.iter_unpack(reply.outputs))
    events = [event_of(row, service.link.directory) for row in rows if row[KIND] not in SILENT]
    first = next((row for row in rows if row[KIND] not in SILENT), None)
    refused = reply.code == "refused" or (first is not None and first[KIND] in REFUSALS)
    named = next((row for row in rows if row[KIND] in REFUSALS and row[REASON] != Reason.LIST_REFUSED), first)
    why = reply.reason or (named[REASON] if named is not None and refused else 0)
    own = [row for row in rows if first is not None and row[ORDER_ID] > 0 and row[ORDER_ID] == first[ORDER_ID]]
    status = next((STATUSES[row[KIND]] for row in reversed(own) if row[KIND] in STATUSES), None)
    return CommandAnswer(
        code="refused" if refused else "done",
        repeated=reply.repeated,
        seq=reply.seq,
        text=reply.text or (events[0].text if events else "Done; nothing had to change."),
        order=order_name(own[0][ACCOUNT], own[0][ORDER_ID]) if own else None,
        status=status,
        refusal=refusal(why),
        events=events,
    )


@command("POST", "/orders", "Send an order", NewOrder)
async def send_order(request: AnyRequest) -> Response[bytes]:
    """Numbered, logged and answered once durable; what the risk gate denies is a 422 with its reason."""
    key, order = key_of(request), await body_of(request, NewOrder)
    return await done(service_of(request), "submit_order", key, words_of(order.instrument, order, order.quote_quantity))


def words_of(instrument: int, order: NewLeg, quote_quantity: str | None = None) -> say.SubmitOrder:
    """An order as the engine is told; Unanswered where its type, prices and quantity do not go together."""
    names = ("price", "trigger_price")
    for name, needed, given in zip(names, NEEDS[order.order_type], (order.price, order.trigger_price), strict=True):
        follows = name == "trigger_price" and order.trail_bips is not None
        if needed != (given is not None) and not (needed and follows):
            verb = "needs" if needed else "takes no"
            remedy = f"give {name}" if needed else f"leave {name} out, or choose another order_type"
            raise problem(400, "bad_request", f"A {order.order_type} order {verb} {name}.", remedy, name)
    if order.trail_bips is not None and not NEEDS[order.order_type][1]:
        text = f"A {order.order_type} order takes no trail_bips."
        raise problem(400, "bad_request", text, "leave trail_bips out, or choose another order_type", "trail_bips")
    if (order.quantity is None) == (quote_quantity is None):
        text = "An order needs a quantity, or (a market order) a quote_quantity, not both."
        raise problem(400, "bad_request", text, "give one of the two", "quantity")
    return say.SubmitOrder(
        instrument,
        order.side,
        order.order_type,
        order.quantity or "0",
        order.price,
        order.trigger_price,
        order.time_in_force,
        order.post_only,
        None if order.expire_ns is None else int(order.expire_ns),
        order.reduce_only,
        quote_quantity,
        trail_bips=order.trail_bips,
        visible_quantity=order.visible_quantity,
        self_trade=order.self_trade,
    )


@command("POST", "/order-lists", "Send orders that hang together", NewOrderList)
async def send_list(request: AnyRequest) -> Response[bytes]:
    """An oco (what takes the profit, the stop), an oto (a limit order, what follows it) or an otoco (all three); taken whole or not at all."""
    key, wanted = key_of(request), await body_of(request, NewOrderList)
    legs = [words_of(wanted.instrument, leg) for leg in wanted.legs]
    return await done(service_of(request), "submit_list", key, say.SubmitList(wanted.instrument, wanted.kind, legs))


@command("PATCH", "/orders/{order_id:str}", "Ask for a smaller quantity of an order, which keeps its place", Amendment)
async def amend_order(request: AnyRequest) -> Response[bytes]:
    """It reaches the venue after the account's latency, which may have filled more by then."""
    key, amendment = key_of(request), await body_of(request, Amendment)
    service = service_of(request)
    number = order_number(request.path_params["order_id"], welcome_of(service.link).account)
    return await done(service, "amend_order", key, say.AmendOrder(number, amendment.quantity))


@command("DELETE", "/orders/{order_id:str}", "Ask for the end of an order")
async def cancel_order(request: AnyRequest) -> Response[bytes]:
    """It reaches the venue after the account's latency and may lose to a fill."""
    key, _ = key_of(request), await body_of(request, Nothing)
    service = service_of(request)
    number = order_number(request.path_params["order_id"], welcome_of(service.link).account)
    return await done(service, "cancel_order", key, say.CancelOrder(number))


@command("POST", "/orders/cancel-all", "Ask for the end of all live orders", CancelMany)
async def cancel_all(request: AnyRequest) -> Response[bytes]:
    """Of one instrument, or of all."""
    key, which = key_of(request), await body_of(request, CancelMany)
    what = say.CancelAll(-1 if which.instrument is None else which.instrument)
    return await done(service_of(request), "cancel_all", key, what)


@command("POST", "/kill", "The kill switch: no new orders, live ones canceled")
async def kill(request: AnyRequest) -> Response[bytes]:
    """Of the whole desk."""
    key, _ = key_of(request), await body_of(request, Nothing)
    return await done(service_of(request), "kill", key, say.Kill())


@command("POST", "/resume", "Lift the kill switch")
async def resume(request: AnyRequest) -> Response[bytes]:
    """Of the whole desk."""
    key, _ = key_of(request), await body_of(request, Nothing)
    return await done(service_of(request), "resume", key, say.Resume())


@command("POST", "/bots/{bot:int}/stop", "Stop one bot: no new orders of it, its live ones canceled")
async def stop_bot(request: AnyRequest) -> Response[bytes]:
    """The kill switch of one bot."""
    key, _ = key_of(request), await body_of(request, Nothing)
    service = service_of(request)
    return await done(service, "stop_bot", key, say.Kill(bot_of(request, service)))


@command("POST", "/bots/{bot:int}/start", "Let a stopped bot go on")
async def start_bot(request: AnyRequest) -> Response[bytes]:
    """Lifts its kill switch."""
    key, _ = key_of(request), await body_of(request, Nothing)
    service = service_of(request)
    return await done(service, "start_bot", key, say.Resume(bot_of(request, service)))


def bot_of(request: AnyRequest, service: Service) -> int:
    """The bot that is meant; Unanswered with 404 where there is none. 0 and below would mean more than a bot."""
    bot = int(request.path_params["bot"])
    welcome_of(service.link)
    if bot not in service.link.directory.bots:
        raise problem(404, "not_found", f"There is no bot {bot}.", "GET /api/v1/desk lists them")
    return bot


HANDLERS: Final[list[HTTPRouteHandler]] = [
    send_order,
    send_list,
    amend_order,
    cancel_order,
    cancel_all,
    kill,
    resume,
    stop_bot,
    start_bot,
]
