"""The accounts of a run: the desk's own, and those that the same bots trade in beside it to be compared with.

| account | fill model | what it is for |
|---|---|---|
| 0, the desk's own | as asked for | the result; all that people and the API see, unless they ask for another |
| band (`--fill-band`) | the other two | how far the result depends on what nobody can know: the three are the error bar |
| ghost (`--shadow`) | as the desk's own | no limits, and no kill switch of account or bot: what the protections cost or saved |

Each has its own bots, made of the same strategies with the same parameters: their numbers go on where those of the account before end.
Opening balances, latencies (the seed too) and fees are the same. The desk's kill switch stops all of them.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from paperdesk.app.options import RunOptions
from paperdesk.domain.events import FillModel

ACCOUNT: Final = 0
"""The desk's own."""
Role = Literal["main", "band", "ghost"]


class Account(NamedTuple):
    """One account of a run; its bots have the numbers after `bots_after`."""

    number: int
    role: Role
    fill_model: FillModel
    bots_after: int

    @property
    def model(self) -> str:
        """Its fill model in words."""
        return self.fill_model.name.lower()

    @property
    def label(self) -> str:
        """What people call it."""
        return {"main": "account", "band": self.model, "ghost": "GHOST"}[self.role]

    def bot(self, place: int) -> int:
        """The number here of the bot that has number `place` in the desk's own account."""
        return self.bots_after + place

    def bot_name(self, strategy: str, place: int) -> str:
        """What people call a bot of this account."""
        return f"{strategy}-{place}" if self.role == "main" else f"{strategy}-{place} ({self.label})"


def accounts_of(options: RunOptions, bots: int) -> list[Account]:
    """The accounts of a run with so many strategies, the desk's own first."""
    own = FillModel[options.fill_model.upper()]
    kinds: list[tuple[Role, FillModel]] = [("main", own)]
    if options.fill_band:
        kinds += [("band", model) for model in FillModel if model != own]
    if options.shadow:
        kinds.append(("ghost", own))
    return [Account(number, role, model, number * bots) for number, (role, model) in enumerate(kinds)]


def of_role(accounts: Sequence[Account], role: Role) -> list[Account]:
    """Those accounts that are for one thing."""
    return [one for one in accounts if one.role == role]


def banded(accounts: Sequence[Account]) -> list[Account]:
    """The accounts of a band, by fill model from the best to the worst; none without a band."""
    if not of_role(accounts, "band"):
        return []
    return sorted((one for one in accounts if one.role != "ghost"), key=lambda one: one.fill_model)
