"""The fold as a Python object: the state, and the three ways to move it (fold an input, believe an input and its outputs, settle)."""

from typing import Any

import numpy as np

from paperdesk.domain.events import OUTPUT, OUTPUT_BYTES
from paperdesk.engine.books import Fault, books_fault
from paperdesk.engine.recover import facts_at, settle_at
from paperdesk.engine.serial import account_hash, accounts_of, equity_at, restore, serialise, state_hash
from paperdesk.engine.state import new_state
from paperdesk.engine.step import fold_at


class Fold:
    """One desk's state. Not thread-safe: one owner."""

    def __init__(self, state: np.ndarray[Any, Any] | None = None) -> None:
        """Start empty, or from a restored state of shape (1,)."""
        self.state = new_state() if state is None else state
        self._outbox_bytes = self.state["outbox"][0].view(np.uint8)

    @property
    def seq(self) -> int:
        """The last input folded."""
        return int(self.state["seq"][0])

    @property
    def ts_seq_ns(self) -> int:
        """Engine time."""
        return int(self.state["ts_seq_ns"][0])

    @property
    def orders(self) -> np.ndarray[Any, Any]:
        """The rows of the order table that were ever in use, shape (n,); free ones have status 0. A view, not a copy."""
        rows: np.ndarray[Any, Any] = self.state["orders"][0, : int(self.state["n_used_rows"][0])]
        return rows

    def take(self, block: np.ndarray[Any, Any], index: int = 0) -> np.ndarray[Any, Any]:
        """Fold block[index] (its seq and ts_seq_ns are set by the caller); a copy of the outputs, shape (n,) of OUTPUT."""
        count = fold_at(self.state, block, index)
        return self.outputs(count)

    def outputs(self, count: int) -> np.ndarray[Any, Any]:
        """A copy of the first `count` outputs of the last input, byte by byte (numpy would copy field by field)."""
        rows: np.ndarray[Any, Any] = self._outbox_bytes[: count * OUTPUT_BYTES].copy().view(OUTPUT)
        return rows

    def take_facts(self, block: np.ndarray[Any, Any], index: int, outputs: np.ndarray[Any, Any]) -> None:
        """Believe an input of another version's log and the outputs it caused, shape (n,) of OUTPUT; nothing is decided."""
        facts_at(self.state, block, index, outputs)

    def settle(self) -> None:
        """End a recovery by facts."""
        settle_at(self.state)

    def hash(self) -> str:
        """Hash of the whole state."""
        return state_hash(self.state)

    def account_hash(self, account: int) -> str:
        """Hash of one account."""
        return account_hash(self.state, account)

    def equity(self, account: int) -> int | None:
        """What an account is worth now, in units of its reporting asset; None where a price is missing or stale."""
        known, units = equity_at(self.state, account)
        return int(units) if known else None

    def faults(self) -> list[tuple[int, Fault]]:
        """Accounts whose books do not agree with their orders and postings; there are none, or the desk must stop."""
        found = [(account, Fault(books_fault(self.state, account))) for account in accounts_of(self.state)]
        return [(account, fault) for account, fault in found if fault]

    def parts(self) -> dict[str, bytes]:
        """The state in bytes, for a snapshot."""
        return serialise(self.state)

    @classmethod
    def from_parts(cls, parts: dict[str, bytes]) -> "Fold":
        """The fold that `parts` described."""
        return cls(restore(parts))
