"""The guide's example is a program: it is taken from the page, loaded as a user's file, and run."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.strategies.desk import Desk, assert_view_is_true
from tests.strategies.files import load_file
from tests.strategies.rows import ACCOUNT, BTC, MINUTE, T0, bar

from paperdesk.domain.events import OrderType, Side
from paperdesk.strategies import context, events
from paperdesk.strategies.api import Strategy, StrategyError
from paperdesk.strategies.host import BotHost
from paperdesk.strategies.registry import BUILT_IN, build

GUIDE = Path(__file__).parents[2] / "docs" / "strategies.md"


@pytest.fixture
def example(tmp_path: Path) -> Iterator[type[Strategy]]:
    """The strategy of the page."""
    text, *_ = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    path = tmp_path / "my_strategy.py"
    path.write_text(text)
    yield load_file(path)
    del sys.modules["paperdesk_user_my_strategy"]


def test_the_example_buys_low_protects_itself_and_leaves(example: type[Strategy]) -> None:
    host = BotHost(build(example, {"window": 5}), ACCOUNT, 1, (BTC,))
    desk = Desk([host], {"USDT": "10000"}, (BTC,))
    price = 10_000
    for minute in range(1, 120):
        before, price = price, price + (60 if (minute // 15) % 2 else -60)
        ohlcv = (before, max(before, price) + 5, min(before, price) - 5, price, 90_000)
        desk.push(bar(T0 + minute * MINUTE, ohlcv))
        assert_view_is_true(desk, host)
    kinds = [(int(row["side"][0]), int(row["order_type"][0])) for row in desk.commands if row["kind"][0] == 25]
    assert kinds.count((Side.BUY, OrderType.MARKET)) >= 3
    assert (Side.SELL, OrderType.STOP_MARKET) in kinds and (Side.SELL, OrderType.MARKET) in kinds
    assert host.ctx.balance("USDT").total < 10_000 or host.ctx.position("BTC/USDT") == 0


def test_the_example_refuses_what_its_check_refuses(example: type[Strategy]) -> None:
    with pytest.raises(StrategyError, match="a stop more than 40 % away"):
        build(example, {"stop": "0.45"})


def test_the_guide_names_everything_that_there_is() -> None:
    text = GUIDE.read_text()
    for name in vars(context.Context):
        if not name.startswith("_") and name not in ("market", "send_amend", "send_cancel"):
            assert f"ctx.{name}" in text, f"docs/strategies.md does not tell of ctx.{name}"
    for name in vars(Strategy):
        if not name.startswith("_") and name not in ("parameter", "resolved_features"):
            assert f"`{name}" in text, f"docs/strategies.md does not tell of {name}"
    for name in BUILT_IN:
        assert f"`{name}`" in text
    for event in (events.Trade, events.Quote, events.Fill, events.Refusal):
        assert f"on_{event.__name__.lower()}(ctx" in text
