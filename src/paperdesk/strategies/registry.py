"""From a name or a file to a strategy that can run: finding, describing, checking.

Built-in rules go by name; anything that ends in .py is a user's own file, loaded as an ordinary module under a name
of its own. A file holds exactly one subclass of Strategy (names that begin with _ do not count), and may import
modules from its own folder.
"""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

from paperdesk.features.basic import FeatureError
from paperdesk.strategies.api import ALL, Parameters, Strategy, StrategyError, check_declarations, title
from paperdesk.strategies.rules.dip_buyer import DipBuyer
from paperdesk.strategies.rules.ema_cross import EmaCross
from paperdesk.strategies.rules.quoter import Quoter

BUILT_IN: Final[Mapping[str, type[Strategy]]] = {rule.name: rule for rule in (EmaCross, Quoter, DipBuyer)}
"""Name → class of the rules that ship with the desk."""


def find(name: str) -> type[Strategy]:
    """A built-in rule by name, or the strategy of a .py file by path; StrategyError saying what there is."""
    if name.endswith(".py"):
        return load_file(Path(name))
    if name not in BUILT_IN:
        raise StrategyError(
            f"there is no strategy {name!r}; choose one of {', '.join(BUILT_IN)}, or give the path of a .py file"
        )
    return BUILT_IN[name]


def build(strategy: type[Strategy], parameters: Mapping[str, object] | None = None) -> Strategy:
    """A strategy with checked parameters, ready for a host.

    `parameters` override defaults; texts are read as numbers. StrategyError naming parameter, range and value, an
    unknown name, or a declaration that makes no sense.
    """
    check_declarations(strategy)
    given = dict(parameters or {})
    unknown = [name for name in given if name not in strategy.parameters]
    if unknown:
        known = ", ".join(strategy.parameters) or "none"
        raise StrategyError(f"{title(strategy)} has no parameter {', '.join(unknown)}; it has {known}")
    values = {}
    for name, parameter in strategy.parameters.items():
        try:
            values[name] = parameter.read(name, given.get(name, parameter.default))
        except StrategyError as error:
            raise StrategyError(f"{title(strategy)}: {error}") from None
    ready = Parameters(values)
    strategy.check(ready)
    features = {}
    for name, feature in strategy.features.items():
        try:
            features[name] = feature.resolved(values)
        except FeatureError as error:
            raise StrategyError(f"{title(strategy)}: feature {name}: {error}") from None
    return strategy(ready, features)


def describe(strategy: type[Strategy]) -> str:
    """Name, first line of its story, needs and parameters, as plain text for --help."""
    story = (strategy.__doc__ or "").strip().splitlines()
    symbols = ALL if strategy.instruments == ALL else ", ".join(strategy.instruments)
    lines = [f"{title(strategy)}: {story[0] if story else 'no description'}", f"  instruments: {symbols}"]
    if strategy.bars is not None:
        lines.append(f"  bars: {strategy.bars}")
    for name, parameter in strategy.parameters.items():
        lines.append(f"  {name} = {parameter.default} ({parameter.low} to {parameter.high})  {parameter.doc}".rstrip())
    return "\n".join(lines)


def load_file(path: Path) -> type[Strategy]:
    """The one strategy of a user's .py file; StrategyError with file and line where it cannot be had."""
    path = path.expanduser().resolve()
    if path.suffix != ".py" or not path.is_file():
        raise StrategyError(f"{path}: there is no such Python file; give the path of a file that ends in .py")
    module = _imported(path)
    found = [
        item
        for name, item in vars(module).items()
        if isinstance(item, type)
        and issubclass(item, Strategy)
        and item.__module__ == module.__name__
        and not name.startswith("_")
    ]
    if not found:
        raise StrategyError(f"{path}: the file has no subclass of paperdesk.strategies.api.Strategy; write one")
    if len(found) > 1:
        places = ", ".join(f"{item.__name__} (line {inspect.getsourcelines(item)[1]})" for item in found)
        raise StrategyError(
            f"{path}: the file has {len(found)} strategies, {places}; keep one a file, or begin helpers with _"
        )
    check_declarations(found[0])
    return found[0]


def _imported(path: Path) -> ModuleType:
    """The file as a module.

    Its folder joins the end of sys.path, where it can hide nothing; nothing else is changed.
    """
    name = f"paperdesk_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a .py file always has a loader"
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise StrategyError(
            f"{_place(path, error)}: {type(error).__name__}: {error}; mend the file and try again"
        ) from error
    return module


def _place(path: Path, error: BaseException) -> str:
    """File and line of the user's own code where an import failed."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{error.filename}, line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}, line {lines[-1]}" if lines else str(path)
