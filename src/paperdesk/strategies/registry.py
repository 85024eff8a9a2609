"""From a name or a file to a strategy that can run: finding, describing, checking.

Built-in rules go by name. A user's own file is never imported where the desk runs: `load_given` takes its bytes, in a
process of its own, as an ordinary module under a name of its own. A file holds exactly one subclass of Strategy
(names that begin with _ do not count), and may import modules from its own folder.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import linecache
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from paperdesk.features.basic import FeatureError
from paperdesk.strategies.api import ALL, Parameters, Strategy, StrategyError, check_declarations, title
from paperdesk.strategies.rules.dip_buyer import DipBuyer
from paperdesk.strategies.rules.ema_cross import EmaCross
from paperdesk.strategies.rules.quoter import Quoter

BUILT_IN: Final[Mapping[str, type[Strategy]]] = {rule.name: rule for rule in (EmaCross, Quoter, DipBuyer)}
"""Name → class of the rules that ship with the desk."""


def find(name: str) -> type[Strategy]:
    """A built-in rule by name; StrategyError saying what there is."""
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


def load_given(path: Path, files: Mapping[str, bytes]) -> type[Strategy]:
    """The one strategy of a user's .py file that was read elsewhere; StrategyError with file and line where it cannot be had.

    Args:
        path: Where it lies, for messages and tracebacks, which show its lines.
        files: Absolute path → bytes: the file itself, and the modules beside it that it imports.
    """
    sys.meta_path.append(_Given({str(path.parent)}, files))
    return _only(path, _run(path, _GivenLoader(f"paperdesk_user_{path.stem}", str(path), files)))


class _GivenLoader(importlib.abc.SourceLoader):
    """Loads one module from bytes; nothing is looked up on disk, nothing is cached there."""

    def __init__(self, name: str, path: str, files: Mapping[str, bytes]) -> None:
        self.name, self.path, self.files = name, path, files
        lines = files[path].decode("utf-8", "replace").splitlines(keepends=True)
        linecache.cache[path] = (len(files[path]), None, lines, path)

    def get_filename(self, fullname: str) -> str:
        """Where the module lies."""
        return self.path

    def get_data(self, path: Any) -> bytes:
        """The bytes of a file that was given; OSError for another."""
        if path not in self.files:
            raise OSError(f"{path} was not given")
        return self.files[path]


class _Given(importlib.abc.MetaPathFinder):
    """Finds modules among files that were given, after everything that is installed."""

    def __init__(self, folders: set[str], files: Mapping[str, bytes]) -> None:
        self.folders, self.files = folders, files

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Where a module is to be had, or None."""
        last = fullname.rpartition(".")[2]
        for folder in self.folders if path is None else path:
            for place, is_package in ((f"{folder}/{last}/__init__.py", True), (f"{folder}/{last}.py", False)):
                if place in self.files:
                    loader = _GivenLoader(fullname, place, self.files)
                    within = [f"{folder}/{last}"] if is_package else None
                    return importlib.util.spec_from_file_location(
                        fullname, place, loader=loader, submodule_search_locations=within
                    )
        return None


def _only(path: Path, module: ModuleType) -> type[Strategy]:
    """The one strategy of a module; StrategyError if there is none or more than one."""
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


def _run(path: Path, loader: _GivenLoader) -> ModuleType:
    """The module that a loader has the source of; StrategyError with file and line where it raises."""
    name = loader.name
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None and spec.loader is not None, "a .py file always has a loader"
    module = importlib.util.module_from_spec(spec)
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
