"""Signals: numbered and kept, with an order to follow or the reason why none does; nothing else moves."""

from __future__ import annotations

import pytest
from tests.engine.room import Room
from tests.engine.test_recovery import rebuilt

from paperdesk.domain.commands import command
from paperdesk.domain.events import InputKind
from paperdesk.domain.reasons import Reason


def signal(room: Room, **words: int) -> list[str]:
    """One SIGNAL of the account's owner."""
    given = {"account": 0, "bot": 0, "instrument": 0, "wanted_units": 5, "client_id": 1, **words}
    return room.put(command(InputKind.SIGNAL, **given))


def test_signals_are_counted_apart_from_orders() -> None:
    room = Room()
    room.quote(99, 5, 101, 5)
    before = room.fold.account_hash(0)
    assert signal(room) == ["signal 1 wants 5, holds 0"]
    assert signal(room, client_id=0, defect=int(Reason.TARGET_REACHED)) == ["signal 2 wants 5, holds 0: target_reached"]
    assert room.buy(3)[0] == "submitted #1"
    assert room.fold.account_hash(0) != before
    again = rebuilt(room)
    assert signal(again, wanted_units=-7, held_units=3) == ["signal 3 wants -7, holds 3"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"account": 9}, Reason.UNKNOWN_ACCOUNT),
        ({"bot": 9}, Reason.UNKNOWN_BOT),
        ({"instrument": 9}, Reason.UNKNOWN_INSTRUMENT),
        ({"client_id": 0}, Reason.UNSUPPORTED_COMBINATION),
        ({"client_id": -1}, Reason.UNSUPPORTED_COMBINATION),
        ({"defect": int(Reason.TARGET_REACHED)}, Reason.UNSUPPORTED_COMBINATION),
        ({"client_id": 0, "defect": -1}, Reason.UNSUPPORTED_COMBINATION),
        ({"client_id": 0, "defect": 2**15}, Reason.UNSUPPORTED_COMBINATION),
    ],
)
def test_a_signal_names_its_order_or_its_reason(words: dict[str, int], reason: Reason) -> None:
    room = Room()
    assert signal(room, **words) == [f"command refused {reason.name.lower()}"]
    assert signal(room) == ["signal 1 wants 5, holds 0"], "no number was used up"
