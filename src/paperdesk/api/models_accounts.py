"""The JSON of accounts: the desk's own, and those beside it that the same bots trade in. Shapes and habits are those of `models.py`."""

from typing import Literal

import msgspec

Role = Literal["main", "band", "ghost"]
FillModelText = Literal["optimistic", "expected", "pessimistic"]
SelfTradeText = Literal["none", "expire_maker", "expire_taker", "expire_both", "decrement"]


class Answer(msgspec.Struct, kw_only=True):
    """Anything this API says."""


class Account(Answer):
    """An account of this desk."""

    account: int
    role: Role
    """main: the desk's own; band: the same bots under another fill model; ghost: the same bots without limits."""
    label: str
    fill_model: FillModelText
    equity: str | None
    """As the engine said last, in the reporting asset; null while a price is missing."""


class AccountBook(Account):
    """An account with what came of it until now."""

    opening_equity: str | None
    fills: int
    orders: int
    denied: dict[str, int]
    """Orders that risk denied, by the name of the reason."""


class Accounts(Answer):
    """The desk's own account first. Figures of different accounts are never added up."""

    reporting: str
    accounts: list[AccountBook]
    spread: str | None
    """From the lowest equity to the highest under the three fill models; null without a band, or while a price is missing."""
    protections_saved: str | None
    """The account's equity less its ghost's (below zero: what limits and switches cost); null without a ghost."""
    same_orders: bool
    """Whether what people and the API send goes to the other accounts too."""


class EquityPoint(Answer):
    """What the account was worth."""

    seq: int
    time: str
    ts_ns: str
    equity: str | None
    exposure: str | None
    peak: str
    opening: str
    day_start: str


class Equity(Answer):
    """Oldest first, the latest `limit` of them."""

    reporting: str
    points: list[EquityPoint]
