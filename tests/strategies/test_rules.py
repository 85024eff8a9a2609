"""The built-in rules, one decision at a time."""

from decimal import Decimal

import numpy as np
from tests.strategies.rows import (
    BTC,
    MINUTE,
    SECOND,
    T0,
    about,
    bar,
    definition,
    filled,
    funded,
    host_of,
    out,
    outs,
    quote,
    status,
    submitted,
)

from paperdesk.domain.events import FLAG_POST_ONLY, InputKind, MarketStatus, OutputKind, Side
from paperdesk.domain.reasons import Reason
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.rules.dip_buyer import DipBuyer
from paperdesk.strategies.rules.ema_cross import EmaCross
from paperdesk.strategies.rules.quoter import Quoter

SMALL = {"size": "0.005", "edge": 5, "skew": 2, "requote": 2, "max_inventory": "0.010"}


def told(host: BotHost, row: np.ndarray) -> list[tuple[int, ...]]:
    """Commands as (kind, side, lots, price ticks, order id)."""
    found = host.decide(int(row["kind"][0]), row, 0)
    return [
        (int(r["kind"][0]), int(r["side"][0]), int(r["qty_lots"][0]), int(r["price_ticks"][0]))
        if r["kind"][0] == InputKind.SUBMIT_ORDER
        else (int(r["kind"][0]), int(r["order_id"][0]))
        for r in found
    ]


def quoting() -> tuple[BotHost, np.ndarray, np.ndarray]:
    """A quoter with both orders resting at 9995 and 10005, ids 1 and 2."""
    host = funded(host_of(Quoter, dict(SMALL), (BTC,)), 10_000, 1)
    bid, ask = host.decide(InputKind.QUOTE, quote(T0, 9_999, 5, 10_001, 5), 0)
    assert int(bid["flags"][0]) == int(ask["flags"][0]) == FLAG_POST_ONLY
    host.observe(outs(submitted(bid, 1), submitted(ask, 2)))
    return host, bid, ask


def test_quoter_places_both_sides_around_the_mid() -> None:
    host = funded(host_of(Quoter, dict(SMALL), (BTC,)), 10_000, 1)
    assert told(host, quote(T0, 9_999, 0, 10_001, 5)) == [], "a side of the book is empty"
    assert told(host, quote(T0, 9_999, 5, 10_001, 5)) == [(25, Side.BUY, 5, 9_995), (25, Side.SELL, 5, 10_005)]


def test_quoter_never_prices_through_the_other_side() -> None:
    host = funded(host_of(Quoter, {**SMALL, "edge": 0}, (BTC,)), 10_000, 1)
    assert told(host, quote(T0, 10_000, 5, 10_001, 5)) == [(25, Side.BUY, 5, 10_000), (25, Side.SELL, 5, 10_001)]


def test_quoter_moves_an_order_only_when_it_is_far_off_and_once_it_is_gone() -> None:
    host, bid, _ = quoting()
    assert told(host, quote(T0, 10_000, 5, 10_002, 5)) == [], "one tick is not enough"
    assert told(host, quote(T0, 10_001, 5, 10_003, 5)) == [(26, 1), (26, 2)]
    assert told(host, quote(T0, 10_002, 5, 10_004, 5)) == [], "both are being canceled"
    host.observe(outs(about(OutputKind.ORDER_CANCELED, bid, 1, Reason.USER_CANCELED)))
    assert told(host, quote(T0, 10_003, 5, 10_005, 5)) == [(25, Side.BUY, 5, 9_999)]


def test_quoter_leans_against_its_inventory_and_stops_at_the_limit() -> None:
    host, bid, _ = quoting()
    host.observe(outs(filled(bid, 1, 9_995, 5)))
    assert host.ctx.memory["fills"] == 1
    lower, cancel = host.decide(InputKind.QUOTE, quote(T0, 9_999, 6, 10_001, 5), 0)
    assert (int(lower["price_ticks"][0]), int(cancel["order_id"][0])) == (9_993, 2), "both prices are two ticks lower"
    host.observe(outs(submitted(lower, 3), filled(lower, 3, 9_993, 1)))
    assert told(host, quote(T0, 9_999, 7, 10_001, 5)) == [(26, 3)], "six and five more would be too many"


def test_quoter_lets_a_refused_side_rest() -> None:
    host, bid, ask = quoting()
    host.observe(outs(about(OutputKind.ORDER_REJECTED, bid, 1, Reason.POST_ONLY_WOULD_TAKE, ts_seq_ns=T0)))
    host.observe(outs(about(OutputKind.ORDER_REJECTED, ask, 2, Reason.POST_ONLY_WOULD_TAKE, ts_seq_ns=T0 + SECOND)))
    assert told(host, quote(T0 + SECOND // 2, 9_999, 6, 10_001, 5)) == []
    assert told(host, quote(T0 + SECOND, 9_999, 7, 10_001, 5)) == [(25, Side.BUY, 5, 9_995)]
    assert told(host, quote(T0 + 2 * SECOND, 9_999, 8, 10_001, 5)) == [(25, Side.SELL, 5, 10_005)]
    host.observe(outs(about(OutputKind.CANCEL_REJECTED, bid, 1, Reason.ORDER_DONE, ts_seq_ns=T0 + 9 * SECOND)))
    host.observe(outs(out(OutputKind.COMMAND_REFUSED, instrument=7, reason=Reason.UNKNOWN_INSTRUMENT)))
    assert host.ctx.memory["BTC/USDT"]["bid_rest_ns"] == T0 + SECOND


def test_quoter_offers_only_what_the_account_has() -> None:
    host = funded(host_of(Quoter, dict(SMALL), (BTC,)), 10_000, 0)
    assert told(host, quote(T0, 9_999, 5, 10_001, 5)) == [(25, Side.BUY, 5, 9_995)]
    poor = funded(host_of(Quoter, {**SMALL, "size": "0.010", "max_inventory": 1}, (BTC,)), 0, 1)
    assert told(poor, quote(T0, 9_999, 5, 10_001, 5)) == [(25, Side.SELL, 10, 10_005)]


def test_quoter_takes_a_new_grid_in_its_stride() -> None:
    host, bid, ask = quoting()
    new = BTC._replace(version=2, lot=Decimal("0.0001"))
    gone = [
        about(OutputKind.ORDER_CANCELED, row, place, Reason.INSTRUMENT_CHANGED) for place, row in ((1, bid), (2, ask))
    ]
    host.decide(InputKind.DEFINE_INSTRUMENT, definition(T0, new), 0, outs(*gone))
    assert told(host, status(T0, MarketStatus.STALE)) == []
    assert told(host, quote(T0, 9_999, 5, 10_001, 5)) == [(25, Side.BUY, 50, 9_995), (25, Side.SELL, 50, 10_005)]


def test_quoter_has_nothing_to_pause_before_its_first_quote() -> None:
    host = funded(host_of(Quoter, dict(SMALL), (BTC,)), 10_000, 1)
    handle = host.ctx.buy_lots("BTC/USDT", 1, 5)
    (order,) = host.observe(outs())
    host.observe(outs(about(OutputKind.ORDER_DENIED, order, 1, Reason.COOLDOWN)))
    assert handle not in host.ctx.open_orders and host.ctx.memory == {}


def closes(host: BotHost, prices: list[int], start: int = 1) -> list[tuple[int, ...]]:
    """Commands over minute bars that close at these ticks."""
    found = []
    for place, price in enumerate(prices, start):
        found += told(host, bar(T0 + place * MINUTE, (price, price, price, price, 1)))
    return found


def test_ema_cross_goes_in_and_out_where_the_means_cross() -> None:
    host = funded(host_of(EmaCross, {"fast": 2, "slow": 3, "fraction": "0.5"}, (BTC,)))
    assert closes(host, [10_000, 9_900, 9_800, 9_700]) == [], "the first sign is no crossing"
    signal, bought = host.decide(InputKind.BAR, bar(T0 + 5 * MINUTE, (11_000,) * 4 + (1,)), 0)
    assert (int(signal["kind"][0]), int(signal["client_id"][0])) == (InputKind.SIGNAL, int(bought["client_id"][0]))
    assert (int(signal["wanted_units"][0]), int(signal["seen_ticks"][0])) == (4_545_400_000, 11_000)
    assert int(bought["qty_lots"][0]) == 45_454, "half of 10000 USDT at 110.00, in lots of 0.001"
    host.observe(outs(submitted(bought, 1), filled(bought, 1, 11_000, 45_454, fee_units=45_454)))
    assert closes(host, [11_100, 11_200], 6) == []
    _, (kind, side, lots, price) = closes(host, [9_000], 8)
    assert (kind, side, lots, price) == (25, Side.SELL, 45_453, 0), "all whole lots that are left after the fee"


def test_dip_buyer_follows_the_high_and_sells_what_it_got() -> None:
    terms: dict[str, object] = {"window": 2, "dip": "0.1", "profit": "0.1", "fraction": "0.5", "follow": 10}
    host = funded(host_of(DipBuyer, terms, (BTC,)))
    assert closes(host, [10_000]) == []
    (first,) = host.decide(InputKind.BAR, bar(T0 + 2 * MINUTE, (10_000,) * 4 + (1,)), 0)
    assert (int(first["price_ticks"][0]), int(first["qty_lots"][0])) == (9_000, 55_555)
    host.observe(outs(submitted(first, 1)))
    assert closes(host, [10_011], 3) == [], "nine ticks off are let be"
    assert closes(host, [10_100], 4) == [(26, 1)]
    assert closes(host, [10_100], 5) == [], "the cancel is on its way"
    host.observe(outs(filled(first, 1, 9_000, 5_000, fee_units=100_000)))
    assert closes(host, [10_100], 6) == []
    host.observe(outs(about(OutputKind.ORDER_CANCELED, first, 1, Reason.USER_CANCELED)))
    host.view.balances[0][0] = 5_000 * 100_000 - 100_000
    (sale,) = host.decide(InputKind.BAR, bar(T0 + 7 * MINUTE, (10_100,) * 4 + (1,)), 0)
    assert (int(sale["side"][0]), int(sale["qty_lots"][0]), int(sale["price_ticks"][0])) == (Side.SELL, 4_999, 9_900)
    host.observe(outs(submitted(sale, 2)))
    host.observe(outs(filled(sale, 2, 9_900, 4_000)))
    assert "BTC/USDT" in host.ctx.memory
    host.observe(outs(filled(sale, 2, 9_900, 999)))
    assert host.ctx.memory == {}


def test_dip_buyer_offers_a_complete_buy_at_once_and_buys_nothing_without_money() -> None:
    terms: dict[str, object] = {"window": 2, "dip": "0.1", "profit": "0.1"}
    host = funded(host_of(DipBuyer, terms, (BTC,)))
    closes(host, [10_000])
    (buy,) = host.decide(InputKind.BAR, bar(T0 + 2 * MINUTE, (10_000,) * 4 + (1,)), 0)
    lots = int(buy["qty_lots"][0])
    host.view.balances[0][0] = lots * 100_000
    (sale,) = host.observe(outs(submitted(buy, 1), filled(buy, 1, 9_000, lots)))
    assert (int(sale["side"][0]), int(sale["qty_lots"][0]), int(sale["price_ticks"][0])) == (Side.SELL, lots, 9_900)
    poor = host_of(DipBuyer, terms, (BTC,))
    assert closes(poor, [10_000, 10_000, 10_000]) == []
