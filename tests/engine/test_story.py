"""One trading day, told event by event.

Every figure was worked out by hand from docs/venue-rules.md; the working stands beside it. The market is BTC/USDT: a
tick is 0.01 USDT, a lot 0.00001 BTC, both assets count in 10⁻⁸. The venue takes 0.08 % from makers and 0.1 % from
takers, always from what a fill brings in: BTC from buys, USDT from sales. Orders take 50 ms to reach it.
"""

from __future__ import annotations

from decimal import Decimal

from tests.engine.figures import EQUITY, PNL, figure
from tests.engine.room import BUY, DAY, HOUR, MINUTE, SELL, Lines, Room

from paperdesk.domain import commands
from paperdesk.domain.assets import Asset
from paperdesk.domain.commands import Intent
from paperdesk.domain.events import Side
from paperdesk.domain.instruments import Instrument

BTC, USDT = Asset(0, "BTC", 8), Asset(1, "USDT", 8)
MARKET = Instrument(
    number=0,
    version=1,
    symbol="BTC/USDT",
    venue="paper",
    base=BTC,
    quote=USDT,
    tick=Decimal("0.01"),
    lot=Decimal("0.00001"),
    maker_fee=Decimal("0.0008"),
    taker_fee=Decimal("0.001"),
    min_notional=Decimal(5),
    stale_after_ns=30 * DAY,
)
MS = 1_000_000
LATENCY = 50 * MS
EVENING = 20_000 * DAY + 21 * HOUR + 30 * MINUTE
"""2024-10-04 21:30 UTC."""


def units(amount: str) -> int:
    """An amount of either asset in its units."""
    return int(Decimal(amount) * 10**8)


def ticks(price: str) -> int:
    """A price on the grid."""
    return MARKET.to_ticks(price)


def lots(quantity: str) -> int:
    """A quantity on the grid."""
    return MARKET.to_lots(quantity)


def levels(*shown: tuple[str, str]) -> list[tuple[int, int]]:
    """Price and size as the book shows them."""
    return [(ticks(price), lots(quantity)) for price, quantity in shown]


class Story:
    """The desk, and what the books must say after each event."""

    def __init__(self) -> None:
        self.room = Room([MARKET], {"USDT": units("10000"), "BTC": units("0.5")}, LATENCY, (1,), HOUR, EVENING)

    def books(
        self, usdt: str, btc: str, equity: str, bot: tuple[str, str, str] | None = None, pnl: str | None = None
    ) -> None:
        """Free and reserved of both assets ("7 + 3"), equity in USDT, and the bot's (quantity, cost, realized)."""
        for asset, said in ((USDT, usdt), (BTC, btc)):
            free, _, reserved = said.partition(" + ")
            assert self.room.money(asset) == (units(free), units(reserved or "0")), asset.name
        assert figure(self.room.fold.state, EQUITY) == (True, units(equity))
        if bot is not None:
            held = (units(bot[0]), units(bot[1]), units(bot[2]))
            assert self.room.position(1) == held
            assert self.room.position(0) == held, "the bot is the only one that trades, so the account holds the same"
        if pnl is not None:
            assert figure(self.room.fold.state, PNL, 1) == (True, units(pnl))

    def order(
        self, side: Side, quantity: str, price: str | None = None, trigger: str | None = None, post_only: bool = False
    ) -> Lines:
        """An order of the bot, in decimals."""
        terms = Intent(side, Decimal(quantity), price and Decimal(price), trigger and Decimal(trigger), None, post_only)
        return self.room.put(commands.submit_order(0, 1, self.room.instruments[0], terms))

    def trade(self, price: str, quantity: str, after_ns: int = 0) -> Lines:
        """A public trade in which a seller took a bid."""
        return self.room.trade(ticks(price), lots(quantity), Side.SELL, after_ns)


def test_one_trading_day() -> None:
    story = Story()
    the_account_is_opened(story)
    a_market_buy_walks_two_levels(story)
    too_large_an_order_is_denied(story)
    a_limit_buy_waits_in_the_queue(story)
    a_stop_is_set_and_a_post_only_order_is_rejected(story)
    a_cancel_loses_to_a_fill(story)
    the_stop_fires(story)
    the_loss_starts_a_cooldown(story)
    midnight_passes(story)
    the_account_starts_again(story)


def the_account_is_opened(story: Story) -> None:
    room = story.room
    assert room.lines == [
        "instrument changed",
        "account opened",
        "opening 50000000 BTC",
        "opening 1000000000000 USDT",
        "conversion declared",
        "bot registered",
    ]
    # At most 3,500 USDT an order, and ten minutes of rest after a loss.
    assert room.limits(bot=1, max_order=units("3500"), cooldown_ns=10 * MINUTE) == ["limits set"]
    # Nobody knows yet what a bitcoin is worth: half of one makes the equity unknown, not 10,000.
    assert figure(room.fold.state, EQUITY) == (False, 0)
    # 59,999 bid, 60,001 asked: the mark is 60,000.00.
    assert room.quote(ticks("59999"), lots("0.2"), ticks("60001"), lots("0.03"), MINUTE) == []
    # At 22:00 the account is measured: 10,000 + 0.5 · 60,000 = 40,000. This first value is opening, peak and day start.
    assert room.timer(29 * MINUTE) == ["equity 4000000000000"]
    owner = room.state["accounts"][0]
    assert [int(owner[name]) for name in ("opening_units", "peak_units", "day_start_units")] == [units("40000")] * 3
    story.books("10000", "0.5", "40000", ("0", "0", "0"), "0")


def a_market_buy_walks_two_levels(story: Story) -> None:
    room = story.room
    assert (
        room.book(levels(("59999", "0.2"), ("59998", "0.5")), levels(("60001", "0.03"), ("60002", "0.05")), MINUTE)
        == []
    )
    # Judged by the best ask: 0.05 · 60,001 = 3,000.05, below the limit. Reserved at the collar, 5 % above:
    # 60,001 · 1.05 = 63,001.05; 0.05 of it are 3,150.0525. 10,000 − 3,150.0525 = 6,849.9475 stay free.
    assert story.order(BUY, "0.05") == ["submitted #1", "reserve 315005250000 USDT"]
    story.books("6849.9475 + 3150.0525", "0.5", "40000")
    # One nanosecond before 50 ms have passed nothing happens.
    assert room.timer(LATENCY - 1) == []
    # 0.03 · 60,001 = 1,800.03, fee 0.1 % of 0.03 BTC = 0.00003. 0.02 · 60,002 = 1,200.04, fee 0.00002 BTC.
    # Released: 3,150.0525 − 3,000.07 = 149.9825.
    assert room.timer(1) == [
        "accepted #1",
        f"fill #1 3000 @ {ticks('60001')} taker book_walk",
        "pay 180003000000 USDT",
        "receive 3000000 BTC",
        "fee 3000 BTC",
        f"fill #1 2000 @ {ticks('60002')} taker book_walk",
        "pay 120004000000 USDT",
        "receive 2000000 BTC",
        "fee 2000 BTC",
        "release 14998250000 USDT",
    ]
    # Free: 10,000 − 3,000.07. Bitcoin: 0.5 + 0.05 − 0.00005. Equity: 6,999.93 + 0.54995 · 60,000 = 6,999.93 + 32,997.
    # The bot holds 0.04995 for 3,000.07; at 60,000 that is worth 2,997: 3.07 lost, of which 3.00 is fee.
    story.books("6999.93", "0.54995", "39996.93", ("0.04995", "3000.07", "0"), "-3.07")


def too_large_an_order_is_denied(story: Story) -> None:
    # 0.06 · 60,001 = 3,600.06 > 3,500. The number is used up, nothing else changes.
    assert story.order(BUY, "0.06") == ["denied #2 max_order"]
    story.books("6999.93", "0.54995", "39996.93", ("0.04995", "3000.07", "0"))


def a_limit_buy_waits_in_the_queue(story: Story) -> None:
    room = story.room
    # 0.04 · 59,999 = 2,399.96 reserved; 6,999.93 − 2,399.96 = 4,599.97 stay free.
    # It joins behind the 0.2 that are shown.
    assert story.order(BUY, "0.04", "59999") == ["submitted #3", "reserve 239996000000 USDT"]
    assert room.timer(LATENCY) == ["accepted #3"]
    assert room.order(3)["most_lots"] == lots("0.2")
    story.books("4599.97 + 2399.96", "0.54995", "39996.93")
    # 0.21 trade at our price: 0.2 were ahead of us, 0.01 is left for us. 0.01 · 59,999 = 599.99.
    # Fee 0.08 % of 0.01 BTC = 0.000008.
    # What is still reserved, 1,799.97, is what 0.03 more will cost: nothing to release.
    assert story.trade("59999", "0.21", MINUTE) == [
        f"fill #3 1000 @ {ticks('59999')} maker queue",
        "pay 59999000000 USDT",
        "receive 1000000 BTC",
        "fee 800 BTC",
    ]
    assert room.order(3)["most_lots"] == 0
    # Bitcoin: 0.54995 + 0.01 − 0.000008. Equity: 4,599.97 + 1,799.97 + 0.559942 · 60,000 = 6,399.94 + 33,596.52.
    # Bot: 0.04995 + 0.009992 for 3,000.07 + 599.99.
    story.books("4599.97 + 1799.97", "0.559942", "39996.46", ("0.059942", "3600.06", "0"))
    # A trade below our price must have gone through us: we get its 0.02, at our price, not at its better one.
    # 0.02 · 59,999 = 1,199.98; fee 0.000016 BTC.
    assert story.trade("59998.50", "0.02", MINUTE) == [
        f"fill #3 2000 @ {ticks('59999')} maker trade_through",
        "pay 119998000000 USDT",
        "receive 2000000 BTC",
        "fee 1600 BTC",
    ]
    # 0.559942 + 0.02 − 0.000016; 5,199.96 + 0.579926 · 60,000 = 5,199.96 + 34,795.56.
    story.books("4599.97 + 599.99", "0.579926", "39995.52", ("0.079926", "4800.04", "0"))


def a_stop_is_set_and_a_post_only_order_is_rejected(story: Story) -> None:
    room = story.room
    # Should the price fall to 59,950, 0.05 are to be sold. They are set aside now.
    assert story.order(SELL, "0.05", trigger="59950") == ["submitted #4", "reserve 5000000 BTC"]
    assert room.timer(LATENCY) == ["accepted #4"]
    story.books("4599.97 + 599.99", "0.529926 + 0.05", "39995.52")
    # A buy at the best ask that must not take: it holds 0.02 · 60,001 = 1,200.02 until the venue says no.
    assert story.order(BUY, "0.02", "60001", post_only=True) == ["submitted #5", "reserve 120002000000 USDT"]
    story.books("3399.95 + 1800.01", "0.529926 + 0.05", "39995.52")
    assert room.timer(LATENCY) == ["rejected #5 post_only_would_take", "release 120002000000 USDT"]
    story.books("4599.97 + 599.99", "0.529926 + 0.05", "39995.52", ("0.079926", "4800.04", "0"))


def a_cancel_loses_to_a_fill(story: Story) -> None:
    room = story.room
    # The bot takes back what is left of its limit buy, 0.01. The cancel needs 50 ms; two trades are faster.
    assert room.cancel(3, bot=1) == ["cancel requested #3"]
    # 20 ms: nobody is ahead of us any more, 0.005 · 59,999 = 299.995, fee 0.000004 BTC.
    assert story.trade("59999", "0.005", 20 * MS) == [
        f"fill #3 500 @ {ticks('59999')} maker queue",
        "pay 29999500000 USDT",
        "receive 500000 BTC",
        "fee 400 BTC",
    ]
    # 0.529926 + 0.004996; 4,599.97 + 299.995 + 0.584922 · 60,000 = 4,899.965 + 35,095.32.
    story.books("4599.97 + 299.995", "0.534922 + 0.05", "39995.285", ("0.084922", "5100.035", "0"))
    # 40 ms: a trade goes through our price and fills the rest.
    assert story.trade("59998", "0.01", 20 * MS) == [
        f"fill #3 500 @ {ticks('59999')} maker trade_through",
        "pay 29999500000 USDT",
        "receive 500000 BTC",
        "fee 400 BTC",
    ]
    # 50 ms: there is nothing left to cancel.
    assert room.timer(10 * MS) == ["cancel rejected #3 order_done"]
    # 4,599.97 + 0.589918 · 60,000 = 4,599.97 + 35,395.08.
    story.books("4599.97", "0.539918 + 0.05", "39995.05", ("0.089918", "5400.03", "0"))


def the_stop_fires(story: Story) -> None:
    room = story.room
    # The market falls to 59,940 / 59,945: the mark is 59,942.50. Trades have been seen, so quotes fire no stop.
    assert room.book(levels(("59940", "0.03"), ("59930", "0.1")), levels(("59945", "1")), MINUTE) == []
    # 4,599.97 + 0.589918 · 59,942.50 = 4,599.97 + 35,361.159715.
    story.books("4599.97", "0.539918 + 0.05", "39961.129715")
    # A trade at 59,945 is below the trigger. 0.03 · 59,940 = 1,798.20 less 0.1 % = 1.7982, in USDT this time;
    # 0.02 · 59,930 = 1,198.60 less 1.1986.
    assert story.trade("59945", "0.001") == [
        "triggered #4",
        f"fill #4 3000 @ {ticks('59940')} taker book_walk",
        "pay 3000000 BTC",
        "receive 179820000000 USDT",
        "fee 179820000 USDT",
        f"fill #4 2000 @ {ticks('59930')} taker book_walk",
        "pay 2000000 BTC",
        "receive 119860000000 USDT",
        "fee 119860000 USDT",
    ]
    # Free: 4,599.97 + 1,796.4018 + 1,197.4014 = 7,593.7732. Average cost, 0.089918 held for 5,400.03:
    #   0.03 of it cost 5,400.03 · 3,000,000 / 8,991,800 = 1,801.65150470…,
    #   realized 1,796.4018 − 1,801.65150470 = −5.24970470;
    #   0.059918 for 3,598.37849530 are left; 0.02 of it cost 3,598.37849530 · 2,000,000 / 5,991,800 = 1,201.10100313…,
    #   realized 1,197.4014 − 1,201.10100313 = −3.69960313. Together −8.94930783; 0.039918 for 2,397.27749217 are left.
    # Equity: 7,593.7732 + 0.539918 · 59,942.50 = 7,593.7732 + 32,364.034715.
    # The bot: 0.039918 · 59,942.50 = 2,392.784715 less its cost, less what is lost: −13.442085.
    story.books("7593.7732", "0.539918", "39957.807915", ("0.039918", "2397.27749217", "-8.94930783"), "-13.442085")


def the_loss_starts_a_cooldown(story: Story) -> None:
    room = story.room
    assert story.order(BUY, "0.01", "59940") == ["denied #6 cooldown"]
    # Selling what it holds is less risk, not more: that is never denied. 0.01 at 60,100 rests above the market.
    assert story.order(SELL, "0.01", "60100") == ["submitted #7", "reserve 1000000 BTC"]
    assert room.timer(LATENCY) == ["accepted #7"]
    # Ten minutes after the stop the bot may buy again: 0.01 · 59,940 = 599.40 are reserved,
    # and given back when it changes its mind.
    room.timer(10 * MINUTE - LATENCY)
    assert story.order(BUY, "0.01", "59940") == ["submitted #8", "reserve 59940000000 USDT"]
    story.books("6994.3732 + 599.4", "0.529918 + 0.01", "39957.807915")
    assert room.timer(LATENCY) == ["accepted #8"]
    assert room.cancel(8, bot=1) == ["cancel requested #8"]
    assert room.timer(LATENCY) == ["canceled #8 user_canceled", "release 59940000000 USDT"]
    story.books("7593.7732", "0.529918 + 0.01", "39957.807915")


def midnight_passes(story: Story) -> None:
    room = story.room
    assert room.timer(HOUR + 30 * MINUTE - (room.now - EVENING)) == ["equity 3995780791500"]  # 23:00
    owner = room.state["accounts"][0]
    assert int(owner["day_start_units"]) == units("40000"), "the day began with 40,000"
    # 00:00 UTC: a new risk day begins with what there is now. The peak stays.
    assert room.timer(HOUR) == ["equity 3995780791500"]
    assert room.now % DAY == 0
    figures = [int(owner[name]) for name in ("opening_units", "peak_units", "day_start_units")]
    assert figures == [units("40000"), units("40000"), units("39957.807915")]
    assert int(room.state["bots"][1]["day_start_units"]) == units("-13.442085")
    story.books("7593.7732", "0.529918 + 0.01", "39957.807915", ("0.039918", "2397.27749217", "-8.94930783"))


def the_account_starts_again(story: Story) -> None:
    room = story.room
    # The books of the first epoch: paid to the venue 5,400.03 and received from it 2,996.80 USDT;
    # bought 0.09, sold 0.05 BTC; fees 2.9968 USDT and 0.000082 BTC.
    usdt, btc = ([int(n) for n in room.state["balances"][0, asset.number, 2:]] for asset in (USDT, BTC))
    assert usdt == [units("2403.23"), units("2.9968"), units("-10000")]
    assert btc == [units("-0.04"), units("0.000082"), units("-0.5")]
    # A new epoch on another data source: the resting sale ends, everything goes back to capital, positions are flat.
    assert room.put(commands.reset_account(0, 2)) == [
        "canceled #7 epoch_ended",
        "release 1000000 BTC",
        "closing 53991800 BTC",
        "closing 759377320000 USDT",
        "epoch started",
    ]
    assert room.money(USDT) == room.money(BTC) == (0, 0)
    assert room.position(1) == room.position(0) == (0, 0, 0)
    assert room.put(commands.deposit(0, USDT, units("500"))) == ["opening 50000000000 USDT"]
    # The market data is still that of the first source: the two never meet in one account, not even to value it.
    assert story.order(BUY, "0.005") == ["denied #9 wrong_source"]
    assert figure(room.fold.state, EQUITY) == (False, 0)
    # The second source begins with an empty view; then it shows a quote.
    assert room.put(commands.bind_source(2)) == []
    story.books("500", "0", "500", ("0", "0", "0"), "0")
    assert story.order(BUY, "0.005") == ["denied #10 no_market_data"]
    assert room.quote(ticks("59940"), lots("0.1"), ticks("59945"), lots("1")) == []
    # 0.005 · 59,945 = 299.725; fee 0.000005. Order numbers go on, and so do the limits of the bot.
    assert story.order(BUY, "0.005") == ["submitted #11", "reserve 31471125000 USDT"]  # 0.005 · 62,942.25
    assert room.timer(LATENCY)[1:3] == [f"fill #11 500 @ {ticks('59945')} taker book_walk", "pay 29972500000 USDT"]
    # Equity: 200.275 + 0.004995 · 59,942.50 = 200.275 + 299.4127875, floored to units.
    story.books("200.275", "0.004995", "499.6877875", ("0.004995", "299.725", "0"), "-0.3122125")
