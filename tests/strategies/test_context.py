"""What a strategy may ask and say, and which commands come of it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from tests.strategies.rows import BTC, about, filled, funded, host_of, outs, submitted

from paperdesk.domain.events import FLAG_MALFORMED, FLAG_POST_ONLY, InputKind, OrderType, OutputKind, Side, TimeInForce
from paperdesk.domain.instruments import OffGrid
from paperdesk.domain.reasons import Reason
from paperdesk.strategies.api import Strategy
from paperdesk.strategies.context import Context
from paperdesk.strategies.host import BotHost


class Idle(Strategy):
    """Wants nothing: the tests speak in its place."""


@pytest.fixture
def host() -> BotHost:
    """A bot of an account with 10000 USDT and 2 BTC."""
    return funded(host_of(Idle), 10_000, 2)


def wished(host: BotHost, action: Callable[[Context], object]) -> list[np.ndarray]:
    """The commands that an action leads to."""
    action(host.ctx)
    return host.observe(outs())


def fields(row: np.ndarray, *names: str) -> tuple[int, ...]:
    """Named fields of a command."""
    return tuple(int(row[name][0]) for name in names)


ORDER = ("side", "order_type", "time_in_force", "flags", "qty_lots", "price_ticks", "trigger_ticks", "client_id")
SIGNAL = ("kind", "account", "bot", "wanted_units", "held_units", "client_id", "defect")
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("slow", "fast", "wanted"),
    [
        (
            lambda c: c.buy("BTC/USDT", "0.005"),
            lambda c: c.buy_lots("BTC/USDT", 5),
            (BUY, OrderType.MARKET, IOC, 0, 5, 0, 0),
        ),
        (
            lambda c: c.sell("BTC/USDT", 0.005, 101.5),
            lambda c: c.sell_lots("BTC/USDT", 5, 10_150),
            (SELL, OrderType.LIMIT, GTC, 0, 5, 10_150, 0),
        ),
        (
            lambda c: c.buy("BTC/USDT", 1, Decimal("99.99"), post_only=True),
            lambda c: c.buy_lots("BTC/USDT", 1000, 9_999, post_only=True),
            (BUY, OrderType.LIMIT, GTC, FLAG_POST_ONLY, 1000, 9_999, 0),
        ),
        (
            lambda c: c.sell("BTC/USDT", 1, trigger=90, time_in_force=FOK),
            lambda c: c.sell_lots("BTC/USDT", 1000, trigger_ticks=9_000, time_in_force=FOK),
            (SELL, OrderType.STOP_MARKET, FOK, 0, 1000, 0, 9_000),
        ),
        (
            lambda c: c.buy("BTC/USDT", 1, 110, 105),
            lambda c: c.buy_lots("BTC/USDT", 1000, 11_000, 10_500),
            (BUY, OrderType.STOP_LIMIT, GTC, 0, 1000, 11_000, 10_500),
        ),
        (
            lambda c: c.buy("BTC/USDT", 1, 0),
            lambda c: c.buy_lots("BTC/USDT", 1000, 0),
            (BUY, OrderType.LIMIT, GTC, 0, 1000, 0, 0),
        ),
    ],
)
def test_decimal_and_tick_forms_make_the_same_command(
    host: BotHost, slow: Callable[[Context], int], fast: Callable[[Context], int], wanted: tuple[int, ...]
) -> None:
    (one,) = wished(host, slow)
    (two,) = wished(host, fast)
    assert fields(one, *ORDER) == (*wanted, 1)
    assert fields(two, *ORDER) == (*wanted, 2)
    two["client_id"] = 1
    assert one.tobytes() == two.tobytes()
    assert fields(one, "kind", "account", "bot", "instrument", "version") == (InputKind.SUBMIT_ORDER, 0, 1, 0, 1)


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        (float("nan"), 100, Reason.INVALID_NUMBER),
        ("0.0005", 100, Reason.QUANTITY_OFF_GRID),
        (1, "100.001", Reason.PRICE_OFF_GRID),
        (1, float("inf"), Reason.INVALID_NUMBER),
    ],
)
def test_numbers_off_the_grid_become_commands_that_are_refused(
    host: BotHost, quantity: Any, price: Any, reason: Reason
) -> None:
    (order,) = wished(host, lambda ctx: ctx.buy("BTC/USDT", quantity, price))
    assert fields(order, "flags", "defect") == (FLAG_MALFORMED, reason)


def test_open_orders_show_what_was_sent_in_readable_form(host: BotHost) -> None:
    handle = host.ctx.sell("BTC/USDT", "0.010", 101)
    order = host.ctx.open_orders[handle]
    assert (order.symbol, order.price, order.quantity, order.is_buy) == (
        "BTC/USDT",
        Decimal(101),
        Decimal("0.01"),
        False,
    )
    assert repr(order) == "Order(1: sell 0.010 BTC/USDT limit GTC at 101.00, none)"
    market = host.ctx.open_orders[host.ctx.buy("BTC/USDT", 1)]
    assert market.price is None
    assert repr(market) == "Order(2: buy 1.000 BTC/USDT market IOC, none)"


def test_cancel_speaks_of_the_desks_number(host: BotHost) -> None:
    (order,) = wished(host, lambda ctx: ctx.buy("BTC/USDT", 1, 100))
    host.observe(outs(submitted(order, 41)))
    (cancel,) = wished(host, lambda ctx: ctx.cancel(1))
    assert fields(cancel, "kind", "order_id", "account", "bot") == (InputKind.CANCEL_ORDER, 41, 0, 1)
    assert wished(host, lambda ctx: ctx.cancel(1)) == [], "it is on its way already"
    host.observe(outs(about(OutputKind.ORDER_CANCELED, order, 41, Reason.USER_CANCELED)))
    assert wished(host, lambda ctx: ctx.cancel(1)) == [], "it has ended"
    for handle in (0, 2, -5):
        with pytest.raises(ValueError, match="there never was an order with handle"):
            host.ctx.cancel(handle)


def test_a_cancel_in_the_same_breath_waits_for_the_number(host: BotHost) -> None:
    (order,) = wished(host, lambda ctx: ctx.cancel(ctx.buy("BTC/USDT", 1, 100)))
    assert int(order["kind"][0]) == InputKind.SUBMIT_ORDER
    (cancel,) = host.observe(outs(submitted(order, 41)))
    assert fields(cancel, "kind", "order_id") == (InputKind.CANCEL_ORDER, 41)
    assert host.observe(outs()) == []


def test_cancel_all_is_one_command(host: BotHost) -> None:
    assert wished(host, lambda ctx: ctx.cancel_all()) == [], "nothing is live"
    orders = wished(host, lambda ctx: (ctx.buy("BTC/USDT", 1, 100), ctx.buy("ETH/USDT", 1, 50)))
    assert wished(host, lambda ctx: ctx.cancel_all("BTC/USDT"))[0]["instrument"][0] == 0
    host.observe(outs(submitted(orders[0], 1), submitted(orders[1], 2)))
    (everything,) = wished(host, lambda ctx: ctx.cancel_all())
    assert fields(everything, "kind", "instrument", "bot") == (InputKind.CANCEL_ALL, -1, 1)
    assert wished(host, lambda ctx: ctx.cancel_all()) == [], "all are on their way"


def test_target_sends_the_difference(host: BotHost) -> None:
    signal, order = wished(host, lambda ctx: ctx.target("BTC/USDT", "0.0109"))
    assert fields(signal, *SIGNAL) == (InputKind.SIGNAL, 0, 1, 1_090_000, 0, 1, 0), "half a lot is wanted too"
    assert fields(order, *ORDER[:5]) == (BUY, OrderType.MARKET, IOC, 0, 10), "rounded towards zero to the lot"
    assert wished(host, lambda ctx: ctx.target("BTC/USDT", "0.0109")) == [], "it is on its way"
    host.observe(outs(submitted(order, 1), filled(order, 1, 10_000, 10, fee_units=1_000)))
    assert wished(host, lambda ctx: ctx.target("BTC/USDT", "0.0109")) == [], "less than a lot is missing, as it was"
    signal, less = wished(host, lambda ctx: ctx.target("BTC/USDT", 0))
    assert fields(less, *ORDER[:5]) == (SELL, OrderType.MARKET, IOC, 0, 9), "the fee left less than ten lots"
    assert fields(signal, *SIGNAL)[3:6] == (0, 999_000, 2)
    _, more = wished(host, lambda ctx: ctx.target("BTC/USDT", "0.00499"))
    assert fields(more, *ORDER[:5]) == (BUY, OrderType.MARKET, IOC, 0, 4), "the sale on its way counts as done"
    assert host.ctx.target("BTC/USDT", "0.004") == 0


@pytest.mark.parametrize(
    ("held", "wanted", "reason"),
    [
        (0, "0", Reason.TARGET_REACHED),
        (0, "0.0009", Reason.LESS_THAN_A_LOT),
        (300_000, "0.0035", Reason.LESS_THAN_A_LOT),
        (300_000, "0.003", Reason.TARGET_REACHED),
    ],
)
def test_a_wish_without_an_order_states_its_reason_once(host: BotHost, held: int, wanted: str, reason: Reason) -> None:
    host.ctx.market("BTC/USDT").position_units = held
    (signal,) = wished(host, lambda ctx: ctx.target("BTC/USDT", wanted))
    units = int(Decimal(wanted).scaleb(8))
    assert fields(signal, *SIGNAL) == (InputKind.SIGNAL, 0, 1, units, held, 0, reason)
    assert wished(host, lambda ctx: ctx.target("BTC/USDT", wanted)) == [], "it wants what it wanted"


def test_a_changed_wish_that_an_order_under_way_fulfils_says_so(host: BotHost) -> None:
    wished(host, lambda ctx: ctx.buy("BTC/USDT", "0.005"))
    (signal,) = wished(host, lambda ctx: ctx.target("BTC/USDT", "0.005"))
    assert fields(signal, *SIGNAL)[5:] == (0, Reason.ORDER_UNDER_WAY)


def test_target_does_not_count_resting_orders_and_wants_a_number(host: BotHost) -> None:
    wished(host, lambda ctx: ctx.buy("BTC/USDT", 1, 100))
    _, order = wished(host, lambda ctx: ctx.target("BTC/USDT", -1))
    assert fields(order, *ORDER[:5]) == (SELL, OrderType.MARKET, IOC, 0, 1000)
    with pytest.raises(OffGrid, match="not a finite number"):
        host.ctx.target("BTC/USDT", float("nan"))


def test_what_the_account_can_pay_for(host: BotHost) -> None:
    assert host.ctx.affordable_lots("BTC/USDT", 10_000) == 100_000
    assert host.ctx.affordable_lots("BTC/USDT", 3_000_000) == 333
    assert host.ctx.affordable_lots("BTC/USDT", 0) == 0
    assert host.ctx.sellable_lots("BTC/USDT") == 2_000
    assert host.ctx.sellable_lots("ETH/USDT") == 0
    assert host.ctx.balance("BTC").total == 2
    assert host.ctx.instrument("BTC/USDT") == BTC


@pytest.mark.parametrize(
    ("question", "error", "answer"),
    [
        (lambda c: c.position("XRP/USDT"), KeyError, "does not trade 'XRP/USDT'; it has BTC/USDT, ETH/USDT"),
        (lambda c: c.buy_lots("XRP/USDT", 1), KeyError, "does not trade"),
        (lambda c: c.balance("XRP"), KeyError, "has the asset 'XRP'; there are BTC, USDT, ETH"),
        (lambda c: c.best_bid("BTC/USDT"), LookupError, "declare quotes = True"),
        (lambda c: c.best_ask("BTC/USDT"), LookupError, "declare quotes = True"),
        (lambda c: c.feature("mean", "BTC/USDT"), LookupError, "declared are: none"),
        (lambda c: c.parameter.fast, AttributeError, "no parameter 'fast'; declared are: none"),
        (lambda c: setattr(c.parameter, "fast", 1), AttributeError, "fixed for the run"),
    ],
)
def test_mistakes_say_what_there_is(
    host: BotHost, question: Callable[[Context], object], error: type[Exception], answer: str
) -> None:
    with pytest.raises(error, match=answer):
        question(host.ctx)
    assert host.observe(outs()) == []
