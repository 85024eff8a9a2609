"""The golden runs: every order and fill, and the state at the end, are what they were when they were pinned."""

from __future__ import annotations

import pytest
from tests.golden.runs import RULES, names, pinned, run

from paperdesk.engine.state import ENGINE_VERSION


@pytest.mark.jit_only
@pytest.mark.parametrize("name", names())
def test_every_order_and_fill_is_what_it_was(name: str) -> None:
    expected, got = pinned()["runs"][name], run(name)
    assert got["inputs"] == expected["inputs"], (
        "the material of this run changed (market, stream or rule), or the fold answers its bots otherwise; "
        "if the fold is untouched, pin it anew: python -m tests.golden.regenerate"
    )
    assert got == expected, (
        "the fold does something else with the same inputs: raise ENGINE_VERSION in engine/state.py, "
        "then pin anew: python -m tests.golden.regenerate"
    )


def test_pins_are_of_this_engine_version() -> None:
    assert pinned()["engine_version"] == ENGINE_VERSION, "pin anew: python -m tests.golden.regenerate"


def test_pins_show_something() -> None:
    runs = pinned()["runs"]
    assert sorted(runs) == sorted(names())
    assert runs["market"]["counts"]["FILL of bot 1"] > 100, "the quoter trades"
    assert min(runs["bars"]["counts"][f"FILL of bot {bot}"] for bot in (2, 3)) > 20, "so do the other two"
    assert len(RULES) == 3
