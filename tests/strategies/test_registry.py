"""Finding, checking and loading strategies."""

import linecache
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.strategies.files import load_file

from paperdesk.features.bars import Bar
from paperdesk.features.basic import deviation, ema
from paperdesk.strategies.api import Parameter, Parameters, Strategy, StrategyError
from paperdesk.strategies.context import Context
from paperdesk.strategies.registry import BUILT_IN, build, describe, find, load_given
from paperdesk.strategies.rules.ema_cross import EmaCross

GOOD = "from paperdesk.strategies.api import Strategy\n\nclass Mine(Strategy):\n    '''My own.'''\n"


@pytest.fixture(autouse=True)
def _clean_imports() -> Iterator[None]:
    """Leave sys.path and sys.modules as they were."""
    path, modules, finders = list(sys.path), set(sys.modules), list(sys.meta_path)
    yield
    sys.path[:], sys.meta_path[:] = path, finders
    for name in [name for name in sys.modules if name not in modules]:
        del sys.modules[name]


def written(folder: Path, text: str, name: str = "mine.py") -> Path:
    """A file of a user's."""
    path = folder / name
    path.write_text(text)
    return path


def test_rules_go_by_name() -> None:
    assert list(BUILT_IN) == ["ema_cross", "quoter", "dip_buyer"]
    assert find("ema_cross") is EmaCross
    with pytest.raises(
        StrategyError, match=r"no strategy 'emacross'; choose one of ema_cross, quoter, dip_buyer, or give"
    ):
        find("emacross")


@pytest.mark.parametrize("name", list(BUILT_IN))
def test_every_rule_describes_itself_and_runs_with_its_defaults(name: str) -> None:
    text = describe(BUILT_IN[name])
    assert text.startswith(f"{name}: ") and "instruments: all" in text
    for parameter in BUILT_IN[name].parameters:
        assert f"  {parameter} = " in text
    ready = build(BUILT_IN[name])
    for parameter, declared in BUILT_IN[name].parameters.items():
        assert getattr(ready.parameter, parameter) == declared.default
        assert type(getattr(ready.parameter, parameter)) is type(declared.default)


def test_what_is_not_said_is_not_described() -> None:
    class Bare(Strategy):
        instruments = ("BTC/USDT", "ETH/USDT")

    Bare.__doc__ = None
    assert describe(Bare) == "Bare: no description\n  instruments: BTC/USDT, ETH/USDT"


def test_parameters_are_read_in_the_type_of_their_default() -> None:
    ready = build(EmaCross, {"fast": "5", "slow": 9.0, "fraction": 0.1})
    assert vars(ready.parameter) == {"fast": 5, "slow": 9, "fraction": Decimal("0.1")}
    assert type(ready.parameter.slow) is int
    assert repr(ready.parameter) == "Parameters(fast=5, slow=9, fraction=0.1)"
    assert Parameter(1.5, 0.0, 2.0).read("x", Decimal("0.25")) == 0.25


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"fast": 1}, r"ema_cross: parameter fast must be a whole number from 2 to 1000; 1 lies outside"),
        ({"fast": "many"}, r"parameter fast must be a whole number from 2 to 1000, not 'many'"),
        ({"fast": 2.5}, r"must be a whole number from 2 to 1000, not 2.5"),
        ({"fast": True}, r"not True"),
        ({"fast": None}, r"not None"),
        ({"fraction": float("nan")}, r"parameter fraction must be a number from 0.01 to 0.99, not nan"),
        ({"fraction": "Infinity"}, r"not 'Infinity'"),
        ({"fraction": 1}, r"1 lies outside"),
        ({"quick": 1}, r"ema_cross has no parameter quick; it has fast, slow, fraction"),
        ({"fast": 60}, r"fast \(60\) must be below slow \(60\)"),
    ],
)
def test_parameters_out_of_range_name_parameter_range_and_value(given: dict[str, object], complaint: str) -> None:
    with pytest.raises(StrategyError, match=complaint):
        build(EmaCross, given)


def test_a_strategy_without_parameters_says_so() -> None:
    class Bare(Strategy):
        """Nothing."""

    with pytest.raises(StrategyError, match="Bare has no parameter x; it has none"):
        build(Bare, {"x": 1})


def test_features_must_fit_their_parameters() -> None:
    class Odd(Strategy):
        bars = "1m"
        parameters: ClassVar = {"n": Parameter(1, 1, 9)}
        features: ClassVar = {"wide": deviation("n")}

    with pytest.raises(StrategyError, match="Odd: feature wide: deviation: one bar has no deviation"):
        build(Odd)
    assert build(Odd, {"n": 2}).resolved_features["wide"].bars == 2


def on_bar(self: Strategy, ctx: Context, bar: Bar) -> None:
    """A callback."""


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"instruments": "BTC/USDT"}, r'X: instruments must be "all" or a tuple of symbols'),
        ({"instruments": ()}, "instruments must be"),
        ({"instruments": (1,)}, "instruments must be"),
        ({"bars": "1w"}, "X: bars: '1w' is no bar interval"),
        ({"bars": 60}, "X: bars: "),
        ({"on_bar": on_bar}, r'on_bar and features need an interval; declare bars = "1m"'),
        ({"features": {"mean": ema(3)}}, "on_bar and features need an interval"),
        ({"bars_from": "ticks"}, "bars_from must be"),
        ({"bars": "1m", "features": {"mean": 3}}, r"feature mean must be made by a function such as ema\(20\), not 3"),
        ({"bars": "1m", "features": {"mean": ema("n")}}, "feature mean names the parameter 'n', which is not declared"),
        ({"parameters": {"n": 3}}, r"parameter 'n' must be a Parameter\(default, low, high\)"),
        ({"parameters": {"a b": Parameter(1, 0, 2)}}, "under a plain name"),
        ({"warm_up": -1}, "warm_up must be a number of bars, not -1"),
        ({"warm_up": True}, "warm_up must be a number of bars"),
        ({"warm_up": "3"}, "warm_up must be a number of bars"),
    ],
)
def test_declarations_that_make_no_sense_are_refused(body: dict[str, Any], complaint: str) -> None:
    with pytest.raises(StrategyError, match=complaint):
        build(type("X", (Strategy,), body))


def test_a_strategy_keeps_nothing_on_itself() -> None:
    ready = build(EmaCross)
    with pytest.raises(
        AttributeError, match=r"\(self.count\): it would be lost on a restart; use ctx.memory\['count'\]"
    ):
        ready.count = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        Parameters({"a": 1}).a = 2


def test_a_users_file_is_loaded_from_its_bytes_alone(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    before = list(sys.path)
    mine = load_file(path)
    assert mine.__name__ == "Mine" and build(mine)
    assert sys.path == before, "its folder is not searched"
    with pytest.raises(StrategyError, match="there is no strategy"):
        find(str(path))


def test_a_users_file_may_import_its_neighbours_and_have_private_helpers(tmp_path: Path) -> None:
    written(tmp_path, "NUMBER = 7\n", "neighbour_of_mine.py")
    text = GOOD + "    name = f'seven{NUMBER}'\n\nclass _Helper(Strategy):\n    pass\n"
    found = load_file(written(tmp_path, "from neighbour_of_mine import NUMBER\n" + text))
    assert found.name == "seven7"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1\n", r"mine.py: the file has no subclass of paperdesk.strategies.api.Strategy"),
        ("from paperdesk.strategies.api import Strategy\n", "has no subclass"),
        (
            GOOD + "\nclass Second(Strategy):\n    pass\n",
            r"the file has 2 strategies, Mine \(line 3\), Second \(line 6\); keep one",
        ),
        ("x = 1\ny = (\n", r"mine.py, line 2: SyntaxError"),
        ("x = 1\n\ny = x / 0\n", r"mine.py, line 3: ZeroDivisionError: division by zero; mend the file"),
        ("import no_such_thing_here\n", r"mine.py, line 1: ModuleNotFoundError"),
        ("import sys\nsys.exit('bye')\n", r"mine.py, line 2: SystemExit: bye"),
        ("\x00", r"mine.py"),
        (GOOD + "    warm_up = -1\n", "Mine: warm_up must be"),
    ],
)
def test_files_that_cannot_be_used_name_file_and_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(StrategyError, match=complaint):
        load_file(written(tmp_path, text))


def test_a_file_that_fails_leaves_no_module_behind(tmp_path: Path) -> None:
    with pytest.raises(StrategyError):
        load_file(written(tmp_path, "raise ValueError('no')\n", "broken_one.py"))
    assert "paperdesk_user_broken_one" not in sys.modules


@pytest.mark.parametrize("name", ["nothing.py", "text.txt", "."])
def test_paths_that_are_no_python_file_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.txt").write_text("")
    with pytest.raises(StrategyError, match=r"there is no such Python file; give the path of a file that ends in \.py"):
        load_file(tmp_path / name)


GIVEN = {
    "/nowhere/mine.py": b"import beside_it\nfrom packed_up import deep\n" + GOOD.encode() + b"    bars = deep.BARS\n",
    "/nowhere/beside_it.py": b"STEP = 1\n",
    "/nowhere/packed_up/__init__.py": b"",
    "/nowhere/packed_up/deep.py": b"BARS = '5m'\n",
}


def test_a_strategy_is_loaded_from_bytes_with_what_lies_beside_it() -> None:
    loaded = load_given(Path("/nowhere/mine.py"), GIVEN)
    assert loaded.__name__ == "Mine" and loaded.bars == "5m"
    assert sys.modules["packed_up.deep"].__file__ == "/nowhere/packed_up/deep.py"
    assert linecache.getline("/nowhere/beside_it.py", 1) == "STEP = 1\n"
    with pytest.raises(ImportError):
        __import__("packed_up.shallow")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"import never_given\n", r"/nowhere/mine.py, line 1: ModuleNotFoundError: No module named 'never_given'"),
        (b"x = (\n", r"/nowhere/mine.py, line 1: SyntaxError"),
        (GOOD.encode() + b"class Other(Mine): pass\n", r"has 2 strategies, Mine \(line 3\), Other \(line 5\)"),
    ],
)
def test_what_was_given_and_is_no_strategy_is_told_with_its_line(text: bytes, complaint: str) -> None:
    with pytest.raises(StrategyError, match=complaint):
        load_given(Path("/nowhere/mine.py"), {"/nowhere/mine.py": text})
