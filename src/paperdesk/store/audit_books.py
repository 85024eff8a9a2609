"""The auditor's own books: accounts, orders and positions in plain integers, from docs/venue-rules.md (1, 7)."""

from collections import deque
from typing import Final

from paperdesk.domain.events import FillModel, Liquidity, ListKind, OrderType, Side
from paperdesk.domain.orders import LIVE, OrderStatus
from paperdesk.store.audit_market import Definition, FillFacts
from paperdesk.store.audit_terms import Terms

FREE, RESERVED, VENUE, FEES, CAPITAL = range(5)
OPENING, RESERVE, RELEASE, PAY, RECEIVE, FEE, CLOSING = range(1, 8)
MOVES_OF: Final = {
    OPENING: (CAPITAL, FREE),
    RESERVE: (FREE, RESERVED),
    RELEASE: (RESERVED, FREE),
    PAY: (RESERVED, VENUE),
    RECEIVE: (VENUE, FREE),
    FEE: (FREE, FEES),
    CLOSING: (FREE, CAPITAL),
}
"""Purpose → (source, target)."""
PURPOSE_NAMES: Final = {1: "OPENING", 2: "RESERVE", 3: "RELEASE", 4: "PAY", 5: "RECEIVE", 6: "FEE", 7: "CLOSING"}
FEE_SCALE: Final = 10**8
NEARLY_FULL: Final = 2**61


def ceiling(a: int, b: int) -> int:
    """⌈a / b⌉."""
    return -(-a // b)


class Order:
    """What an order was sent with, and what became of it."""

    def __init__(self, account: int, order_id: int, definition: Definition) -> None:
        self.account, self.id, self.definition = account, order_id, definition
        self.bot = self.instrument = self.side = self.order_type = self.time_in_force = self.client_id = 0
        self.price = self.trigger = self.qty = self.submitted_ns = self.submitted_seq = self.arrive_ns = (
            self.expire_ns
        ) = 0
        self.post_only = self.reduce_only = False
        self.budget = self.trail = self.visible = self.taken = self.self_trade = 0
        self.peak = self.began = self.fired = self.activated_seq = 0
        self.status = OrderStatus.NONE
        self.filled = self.value = self.reserved = self.counted = 0
        self.cancel_at_ns = self.accepted_seq = self.triggered_seq = 0
        self.amend_at_ns = self.amend_lots = self.amend_seq = 0
        self.list_id = self.list_leg = self.activated_ns = self.brought = 0

    @property
    def is_unfinished(self) -> bool:
        """Whether it can still do anything."""
        return self.status in LIVE

    @property
    def is_pending(self) -> bool:
        """Whether it waits for the working order of its list."""
        return self.list_leg > 8 * ListKind.OTO and self.list_leg % 8 > 0 and self.activated_ns == 0

    @property
    def shown(self) -> int:
        """Lots that others see of it, where it hides some."""
        left = self.qty - self.filled
        return min(left, self.visible - (self.filled - self.taken) % self.visible) if self.visible else left

    @property
    def is_market(self) -> bool:
        """Whether it takes any price."""
        return self.order_type in (OrderType.MARKET, OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET)

    @property
    def fires_up(self) -> bool:
        """Whether its trigger is reached by a rising price: stop buys and take-profit sales."""
        return (self.side == Side.BUY) == (self.order_type in (OrderType.STOP_MARKET, OrderType.STOP_LIMIT))

    def is_reached(self, ticks: int) -> bool:
        """Whether a price reaches its trigger."""
        return ticks >= self.trigger if self.fires_up else ticks <= self.trigger

    @property
    def reserve_asset(self) -> int:
        """The asset it holds."""
        return self.definition.quote if self.side == Side.BUY else self.definition.base

    def paid(self, value: int) -> int:
        """Quote units paid (buy) or received (sell) when its fills sum to `value`: rounded once, against the trader."""
        num, den = self.definition.num, self.definition.den
        return ceiling(value * num, den) if self.side == Side.BUY else value * num // den

    def needed(self) -> int:
        """What it must hold now. A market buy holds what it holds; anything done holds nothing."""
        if not self.is_unfinished or (self.list_id and self.reserved == 0):
            return 0
        left = self.qty - self.filled
        if self.side != Side.BUY:
            return left * self.definition.base_units_per_lot
        return self.reserved if self.is_market else self.paid(self.value + self.price * left) - self.paid(self.value)


class Position:
    """Net holding at average cost."""

    def __init__(self) -> None:
        self.qty = self.cost = self.realized = 0

    def buy(self, gained: int, pay: int) -> int:
        """Take `gained` base units for `pay`; the realized change."""
        change = 0
        if gained == 0:
            change = -pay
        elif self.qty >= 0:
            self.qty, self.cost = self.qty + gained, self.cost + pay
        else:
            closed = min(gained, -self.qty)
            back = -self.cost if closed == -self.qty else (-self.cost) * closed // -self.qty
            part = pay if closed == gained else pay * closed // gained
            change = back - part
            self.qty, self.cost = self.qty + gained, self.cost + back + (pay - part)
        self.realized += change
        return change

    def sell(self, given: int, got: int) -> int:
        """Give `given` base units for `got`; the realized change."""
        change = 0
        if self.qty <= 0:
            self.qty, self.cost = self.qty - given, self.cost - got
        else:
            closed = min(given, self.qty)
            back = self.cost if closed == self.qty else self.cost * closed // self.qty
            part = got if closed == given else got * closed // given
            change = part - back
            self.qty, self.cost = self.qty - given, self.cost - back - (got - part)
        self.realized += change
        return change


class Account:
    """One account's books."""

    def __init__(
        self, number: int, reporting: int, epoch: int, source: int, latency_ns: int, fill_model: FillModel
    ) -> None:
        self.number, self.reporting, self.epoch, self.source = number, reporting, epoch, source
        self.terms, self.fill_model = Terms(latency_ns), fill_model
        self.next_order = self.next_fill = self.next_signal = 1
        self.epoch_orders = 0
        self.killed = False
        self.self_trade = 2
        self.buckets: dict[int, list[int]] = {}
        self.held: dict[int, int] = {}
        """Asset → Σ of what live orders need."""
        self.orders: dict[int, Order] = {}
        self.lists: dict[tuple[int, int], Order] = {}
        """(list id, place) → leg, as long as one of the list lives."""
        self.bots: dict[int, str] = {}
        """Registered bots: '', 'killed' or 'stopped'."""
        self.positions: dict[tuple[int, int], Position] = {}
        """(bot, instrument); bot 0 is the account's own."""
        self.due: deque[tuple[int, int, int, int]] = deque()
        """(order, asset, purpose, amount) of the postings that must come next."""

    def is_nearly_full(self, asset: int) -> bool:
        """Whether a balance is so near what can be counted that fills of it may have been cut."""
        return any(abs(units) > NEARLY_FULL for units in self.row(asset))

    def row(self, asset: int) -> list[int]:
        """The five buckets of an asset."""
        return self.buckets.setdefault(asset, [0] * 5)

    def position(self, bot: int, instrument: int) -> Position:
        """The position of a scope."""
        return self.positions.setdefault((bot, instrument), Position())

    def count(self, order: Order) -> None:
        """Bring what live orders need up to date with one of them."""
        needed = order.needed()
        self.held[order.reserve_asset] = self.held.get(order.reserve_asset, 0) + needed - order.counted
        order.counted = needed

    def fill(self, order: Order, facts: FillFacts) -> list[tuple[str, str]]:
        """Take a fill: what is wrong with its money; its postings are due from now on."""
        definition, wrong = order.definition, []
        after, change = order.value + facts.price * facts.lots, 0
        quote, base = order.paid(after) - order.paid(order.value), facts.lots * definition.base_units_per_lot
        received = base if order.side == Side.BUY else quote
        fee = ceiling(received * facts.rate, FEE_SCALE)
        if facts.quote != quote:
            wrong.append(
                (
                    "7 payments",
                    f"{facts.quote} quote units, but the order's value went from {order.value} to {after}: {quote}",
                )
            )
        if facts.fee != fee:
            wrong.append(("7 fees", f"fee {facts.fee}, but {facts.rate}·10⁻⁸ of {received} received is {fee}"))
        order.value = after
        order.filled += facts.lots
        order.taken = order.filled if facts.liquidity == Liquidity.TAKER else order.taken
        scopes = [0, order.bot] if order.bot > 0 else [0]
        held = self.position(order.bot, order.instrument).qty
        for bot in scopes:
            position = self.position(bot, order.instrument)
            if order.side == Side.BUY:
                change = position.buy(base - fee, quote)
            else:
                change = position.sell(base, quote - fee)
        left = self.position(order.bot, order.instrument).qty
        if order.reduce_only and not (held <= left <= 0 if order.side == Side.BUY else 0 <= left <= held):
            wrong.append(("7 reduce-only", f"a reduce-only order took the position from {held} to {left} units"))
        if 0 < order.budget < order.paid(after):
            wrong.append(("5.1 quote quantity", f"{order.paid(after)} quote units of at most {order.budget}"))
        if facts.realized != change:
            wrong.append(("7 positions", f"realized {facts.realized}, average cost makes it {change}"))
        paying, paid, receiving = (
            (definition.quote, quote, definition.base)
            if order.side == Side.BUY
            else (definition.base, base, definition.quote)
        )
        for asset, purpose, amount in ((paying, PAY, paid), (receiving, RECEIVE, received), (receiving, FEE, fee)):
            if amount > 0:
                self.due.append((order.id, asset, purpose, amount))
        return wrong
