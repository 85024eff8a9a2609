"""The naive desk: one input at a time, in the order of section 2; commands as in sections 3 and 10.

An input is a dict such as {"kind": "TRADE", "seq": 7, "ts_seq_ns": 10, "instrument": 0, "side": 1,
"trade_price_ticks": 100, "trade_qty_lots": 3}; `take` returns the outputs it causes, in order, as dicts of that sort.
Money is in asset units.
"""

from __future__ import annotations

from typing import Any

from tests.oracle import amending, lists, market, orders, risk, self_trade, terms, venue
from tests.oracle.checks import bad_event
from tests.oracle.ledger import end, post, within_bounds
from tests.oracle.things import Account, Instrument, Market, Order, Scope
from tests.oracle.words import BUY, CAPITAL, DELISTED, FREE, INVERSE, LIMITS, LIVE, MAX_ORDER_UNITS

DUE = ("arrival", "amend", "cancel", "expiry")


def can_hold(row: list[int], amount: int) -> bool:
    """Whether a deposit leaves a row countable."""
    return within_bounds([row[FREE] + amount, *row[1:CAPITAL], row[CAPITAL] - amount])


def converts(instrument: Instrument, asset: int, reporting: int, flags: int) -> bool:
    """Whether an instrument connects two assets in the direction the flags say."""
    ends = (instrument.quote, instrument.base) if flags & INVERSE else (instrument.base, instrument.quote)
    return ends == (asset, reporting)


class Desk:
    """All accounts, instruments and the inbox. `now` is engine time."""

    def __init__(self) -> None:
        self.now = 0
        self.source = 0
        self.killed = False
        self.scales: dict[int, int] = {}
        self.instruments: dict[int, Instrument] = {}
        self.accounts: dict[int, Account] = {}
        self.owner_of_bot: dict[int, int] = {}
        self.inbox: list[tuple[int, int, int, str]] = []
        self.flying: dict[tuple[int, int], Order] = {}
        self.filled: dict[int, bool] = {}
        self.ready: list[Order] = []
        self.outputs: list[dict[str, Any]] = []

    # ---- one input ---------------------------------------------------------------------------------------------------

    def take(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        """One input: time moves, then the input itself; returns what it causes."""
        self.outputs, self.filled = [], {}
        before, self.now = self.now, given["ts_seq_ns"]
        assert self.now >= before
        self.fire_due()
        risk.tick(self, before)
        getattr(self, f"on_{given['kind'].lower()}")(given)
        self.fire_due()
        for number in sorted(self.filled):
            risk.value_after_fill(self, self.accounts[number])
        return self.outputs

    def say(self, kind: str, **words: Any) -> None:
        """State an output."""
        self.outputs.append({"kind": kind, **words})

    def paid_asset(self, order: Order) -> int:
        """The asset that an order gives and holds reserved."""
        instrument = self.instruments[order.instrument]
        return instrument.quote if order.side == BUY else instrument.base

    def fire_due(self) -> None:
        """Everything in the inbox that is due, earliest first; of one order in the order of DUE."""
        due = sorted(
            (entry for entry in self.inbox if entry[0] <= self.now), key=lambda entry: (*entry[:3], DUE.index(entry[3]))
        )
        self.inbox = [entry for entry in self.inbox if entry[0] > self.now]
        for _, account, order_id, what in due:
            order = self.accounts[account].orders.get(order_id)
            if what == "arrival":
                if order is not None and order.place == "flight":
                    (lists if order.list_id else venue).arrive(self, order)
            elif what == "amend":
                amending.arrive(self, self.accounts[account], order_id)
            elif what == "expiry":
                if order is not None:
                    end(self, order, "EXPIRED", "deadline_passed")
            elif order is not None:
                end(self, order, "CANCELED", "user_canceled")
            else:
                self.say("CANCEL_REJECTED", account=account, order_id=order_id, reason="order_done")
            lists.send_ready(self)

    # ---- the market --------------------------------------------------------------------------------------------------

    def on_timer(self, given: dict[str, Any]) -> None:
        """Only time moves."""

    def on_market(self, given: dict[str, Any]) -> None:
        """Trades, quotes, books, bars: refused if they make no sense, unused while the data is not trusted."""
        instrument = self.instruments.get(given["instrument"])
        if instrument is None or bad_event(given):
            reason = "unknown_instrument" if instrument is None else "bad_event"
            self.say("EVENT_REFUSED", instrument=given["instrument"], reason=reason)
        elif instrument.market.status == LIVE:
            meaning = {
                "TRADE": market.on_trade,
                "BAR": market.on_bar,
                "QUOTE": market.on_picture,
                "BOOK": market.on_picture,
            }
            meaning[given["kind"]](self, instrument, given)

    on_trade = on_quote = on_book = on_bar = on_market

    def on_market_status(self, given: dict[str, Any]) -> None:
        """The data of an instrument can be trusted, or no longer."""
        instrument = self.instruments.get(given["instrument"])
        if instrument is None:
            self.say("EVENT_REFUSED", instrument=given["instrument"], reason="unknown_instrument")
            return
        instrument.market.status = given["status"]
        if given["status"] != LIVE:
            market.lose_view(self, instrument)

    def on_define_asset(self, given: dict[str, Any]) -> None:
        """An asset and its scale."""
        self.scales[given["asset"]] = given["scale"]

    def on_bind_source(self, given: dict[str, Any]) -> None:
        """Where the market data comes from, from now on: another source's prices never meet what came before."""
        if given["source"] == self.source:
            return
        self.source = given["source"]
        for order in self.live_orders():
            if order.live and self.accounts[order.account].source != self.source:
                end(self, order, "CANCELED", "wrong_source")
        for instrument in self.instruments.values():
            market.lose_view(self, instrument)
            instrument.market = Market(status=instrument.market.status)

    def on_define_instrument(self, given: dict[str, Any]) -> None:
        """A new instrument, or a new version of one."""
        number = given["instrument"]
        old = self.instruments.get(number)
        expected = 1 if old is None else old.version + 1
        moved = old is not None and (old.base, old.quote) != (given["base_asset"], given["quote_asset"])
        if given["version"] != expected or moved:
            self.say("EVENT_REFUSED", instrument=number, reason="bad_event")
            return
        new = Instrument(given, self.scales[given["base_asset"]], self.scales[given["quote_asset"]])
        self.instruments[number] = new
        self.say("INSTRUMENT_CHANGED", instrument=number, version=new.version)
        if old is None:
            return
        if old.same_grid(new):
            new.market = old.market
        else:
            new.market.status = old.market.status
        for order in [order for order in self.live_orders() if order.instrument == number]:
            if not order.live:
                continue
            if not old.same_grid(new):
                end(self, order, "CANCELED", "instrument_changed")
            elif new.trading_status == DELISTED:
                end(self, order, "CANCELED", "delisted")
            elif not new.filter_price(order) or new.filter_lots(order):
                end(self, order, "CANCELED", "instrument_changed")
            order.version = new.version
        if not old.same_grid(new):
            market.lose_view(self, new)

    def live_orders(self) -> list[Order]:
        """All live orders by account and id."""
        return [order for _, account in sorted(self.accounts.items()) for _, order in sorted(account.orders.items())]

    # ---- accounts ----------------------------------------------------------------------------------------------------

    def refuse(self, given: dict[str, Any], reason: str) -> None:
        """A command that cannot be carried out."""
        self.say("COMMAND_REFUSED", account=given["account"], bot=given.get("bot", 0), reason=reason)

    def on_open_account(self, given: dict[str, Any]) -> None:
        """A new account, its first epoch bound to a source."""
        number = given["account"]
        if number in self.accounts:
            self.refuse(given, "account_exists")
        elif given["asset"] not in self.scales:
            self.refuse(given, "unknown_asset")
        elif given["fill_model"] not in (1, 2, 3):
            self.refuse(given, "invalid_amount")
        else:
            account = Account(
                number=number,
                reporting=given["asset"],
                source=given["source"],
                latency_ns=given["latency_ns"],
                equity_every_ns=given["equity_every_ns"],
                fill_model=given["fill_model"],
                scope=Scope(0, number),
            )
            self.accounts[number] = account
            self.say(
                "ACCOUNT_OPENED",
                account=number,
                asset=account.reporting,
                source=account.source,
                latency_ns=account.latency_ns,
                equity_every_ns=account.equity_every_ns,
                fill_model=account.fill_model,
            )
            risk.first_valuation(self, account)

    def on_deposit(self, given: dict[str, Any]) -> None:
        """Opening balances."""
        account = self.accounts.get(given["account"])
        amount = given["amount_units"]
        if account is None:
            self.refuse(given, "unknown_account")
        elif given["asset"] not in self.scales:
            self.refuse(given, "unknown_asset")
        elif account.in_use:
            self.refuse(given, "account_in_use")
        elif not 1 <= amount <= MAX_ORDER_UNITS or not can_hold(account.row(given["asset"]), amount):
            self.refuse(given, "invalid_amount")
        else:
            post(self, account, given["asset"], amount, "OPENING")
            risk.first_valuation(self, account)

    def on_declare_conversion(self, given: dict[str, Any]) -> None:
        """How an asset is valued in the reporting asset."""
        account = self.accounts.get(given["account"])
        instrument = self.instruments.get(given["instrument"])
        if account is None:
            self.refuse(given, "unknown_account")
        elif given["asset"] not in self.scales:
            self.refuse(given, "unknown_asset")
        elif instrument is None or not converts(instrument, given["asset"], account.reporting, given["flags"]):
            self.refuse(given, "unknown_instrument")
        else:
            inverse = bool(given["flags"] & INVERSE)
            account.conversions[given["asset"]] = (instrument.number, inverse)
            self.say(
                "CONVERSION_DECLARED",
                account=account.number,
                asset=given["asset"],
                instrument=instrument.number,
                flags=int(inverse),
            )
            risk.first_valuation(self, account)

    def on_register_bot(self, given: dict[str, Any]) -> None:
        """A bot may trade in an account; bot numbers are the desk's, not the account's."""
        account = self.accounts.get(given["account"])
        bot = given["bot"]
        if account is None:
            self.refuse(given, "unknown_account")
        elif bot == 0 or bot in self.owner_of_bot:
            self.refuse(given, "bot_exists")
        else:
            self.owner_of_bot[bot] = account.number
            account.bots[bot] = Scope(bot, account.number)
            self.say("BOT_REGISTERED", account=account.number, bot=bot)

    def scope_of(self, given: dict[str, Any]) -> tuple[Account | None, Scope | None, str]:
        """The account and the bot (0: the account itself) that a command names, or why there is none."""
        account = self.accounts.get(given["account"])
        if account is None:
            return None, None, "unknown_account"
        scope = account.scope if given["bot"] == 0 else account.bots.get(given["bot"])
        return account, scope, "" if scope is not None else "unknown_bot"

    def on_set_limits(self, given: dict[str, Any]) -> None:
        """All six limits of a bot, or of the account (bot 0)."""
        account, scope, reason = self.scope_of(given)
        if account is None or scope is None:
            self.refuse(given, reason)
        elif any(given[name] < 0 for name in LIMITS):
            self.refuse(given, "invalid_amount")
        else:
            scope.limits = {name: given[name] for name in LIMITS}
            self.say("LIMITS_SET", account=account.number, bot=given["bot"], **scope.limits)

    def on_kill(self, given: dict[str, Any]) -> None:
        """No new orders in the scope (desk, account or bot), and an end to the live ones."""
        self.switch(given, True)

    def on_resume(self, given: dict[str, Any]) -> None:
        """Orders again in the scope."""
        self.switch(given, False)

    def switch(self, given: dict[str, Any], killed: bool) -> None:
        """Kill or resume: both -1 the desk, bot -1 the account, else a bot."""
        number, bot = given["account"], given["bot"]
        if number == -1:
            self.killed = killed
            scoped = self.live_orders()
        else:
            account, scope, reason = self.scope_of({**given, "bot": max(bot, 0)})
            if account is None or scope is None:
                self.refuse(given, reason)
                return
            scope.killed = killed
            scope.stopped = scope.stopped and killed
            scoped = self.orders_of_bot(account, max(bot, 0))
        self.say("KILLED" if killed else "RESUMED", account=number, bot=bot, reason="killed" if killed else "none")
        for order in scoped if killed else []:
            if order.live:
                end(self, order, "CANCELED", "kill_switch")

    def on_stop_bot(self, given: dict[str, Any]) -> None:
        """A bot failed: no more orders from it, and an end to its live ones."""
        account, scope, reason = self.scope_of(given)
        if account is None or scope is None:
            self.refuse(given, reason)
            return
        if given["bot"] == 0:
            self.refuse(given, "unknown_bot")
            return
        scope.stopped = True
        self.say("KILLED", account=account.number, bot=given["bot"], reason="bot_stopped")
        for order in self.orders_of_bot(account, given["bot"]):
            if order.live:
                end(self, order, "CANCELED", "kill_switch")

    def orders_of_bot(self, account: Account, bot: int) -> list[Order]:
        """Live orders of a bot by id; bot 0: all of the account."""
        return [order for _, order in sorted(account.orders.items()) if bot in (0, order.bot)]

    def on_reset_account(self, given: dict[str, Any]) -> None:
        """The end of an epoch and the beginning of the next."""
        account = self.accounts.get(given["account"])
        if account is None:
            self.refuse(given, "unknown_account")
            return
        for order in self.orders_of_bot(account, 0):
            if order.live:
                end(self, order, "CANCELED", "epoch_ended")
        for asset in sorted(account.balances):
            post(self, account, asset, account.row(asset)[FREE], "CLOSING")
        for scope in [account.scope, *account.bots.values()]:
            scope.forget()
        account.epoch += 1
        account.source = given["source"]
        account.in_use = account.valued = False
        account.opening = 0
        account.volumes.clear()
        self.say("EPOCH_STARTED", account=account.number, epoch=account.epoch, source=account.source)
        risk.first_valuation(self, account)

    def on_set_latencies(self, given: dict[str, Any]) -> None:
        """Drawn latencies."""
        terms.set_latencies(self, given)

    def on_set_fee_tiers(self, given: dict[str, Any]) -> None:
        """Fees by volume."""
        terms.set_fee_tiers(self, given)

    def on_signal(self, given: dict[str, Any]) -> None:
        """What a bot wants to hold, with an order to follow or a reason why none does."""
        account, _, reason = self.scope_of(given)
        if reason == "" and given["instrument"] not in self.instruments:
            reason = "unknown_instrument"
        follows, explained = given["client_id"], given["defect"] != "none"
        if reason == "" and (follows < 0 or (follows > 0) == explained):
            reason = "unsupported_combination"
        if account is None or reason != "":
            self.refuse(given, reason)
            return
        words = ("bot", "instrument", "wanted_units", "held_units", "seen_ticks", "client_id")
        self.say(
            "SIGNAL_STATED",
            account=account.number,
            signal_id=account.next_signal,
            reason=given["defect"],
            **{name: given[name] for name in words},
        )
        account.next_signal += 1

    def on_set_self_trade(self, given: dict[str, Any]) -> None:
        """What orders of an account do among themselves."""
        self_trade.set_mode(self, given)

    def on_submit_order(self, given: dict[str, Any]) -> None:
        """An order."""
        orders.submit(self, given)

    def on_submit_list(self, given: dict[str, Any]) -> None:
        """Orders that hang together."""
        lists.submit(self, given)

    def on_cancel_order(self, given: dict[str, Any]) -> None:
        """The wish for the end of one order."""
        orders.cancel(self, given)

    def on_amend_order(self, given: dict[str, Any]) -> None:
        """The wish for a smaller order."""
        amending.amend(self, given)

    def on_cancel_all(self, given: dict[str, Any]) -> None:
        """The wish for the end of many."""
        orders.cancel_all(self, given)
