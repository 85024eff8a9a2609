"""The interface a strategy is written against. `docs/strategies.md` tells it with a complete example.

A strategy declares what it needs as class attributes and overrides the callbacks it wants; only those are called.
What it remembers goes into `ctx.memory`, plain data that survives a restart; the strategy object itself holds
nothing. What it wants is said through the order methods of `ctx` (`strategies.context`).
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple

from paperdesk.features.bars import Bar, parse_interval
from paperdesk.features.basic import Feature
from paperdesk.strategies.events import Fill, Quote, Refusal, Trade

if TYPE_CHECKING:
    from paperdesk.strategies.context import Context

Value = int | float | Decimal
ALL: Final = "all"


class StrategyError(ValueError):
    """A strategy that cannot be run as declared or with these parameters; the message says what to change."""


class Parameter(NamedTuple):
    """One number that the user may set.

    Its type is that of `default`: int, float or Decimal; `step` is for sweeps.
    """

    default: Value
    low: Value
    high: Value
    step: Value | None = None
    doc: str = ""

    def read(self, name: str, value: object) -> Value:
        """The value in the parameter's type; StrategyError naming parameter, value and range if it does not fit."""
        wanted = type(self.default)
        wish = f"a {'whole number' if wanted is int else 'number'} from {self.low} to {self.high}"
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
            raise StrategyError(f"parameter {name} must be {wish}, not {value!r}")
        try:
            number = Decimal(repr(value) if isinstance(value, float) else str(value).strip())
        except InvalidOperation:
            raise StrategyError(f"parameter {name} must be {wish}, not {value!r}") from None
        if not number.is_finite() or (wanted is int and number != number.to_integral_value()):
            raise StrategyError(f"parameter {name} must be {wish}, not {value!r}")
        if not Decimal(str(self.low)) <= number <= Decimal(str(self.high)):
            raise StrategyError(f"parameter {name} must be {wish}; {value} lies outside")
        return wanted(number)


class Parameters:
    """The parameters of a run as attributes: `ctx.parameter.fast`. They cannot be changed."""

    __slots__ = ("__dict__",)

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"parameter {name} is fixed for the run; keep what changes in ctx.memory")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"there is no parameter {name!r}; declared are: {', '.join(self.__dict__) or 'none'}")

    def __repr__(self) -> str:
        return f"Parameters({', '.join(f'{name}={value}' for name, value in self.__dict__.items())})"


class Strategy:
    """Subclass this. Class attributes declare, methods react; see the module's story."""

    name: ClassVar[str] = ""
    """What it is called in commands and reports; empty: the class name."""
    instruments: ClassVar[tuple[str, ...] | Literal["all"]] = ALL
    """Symbols such as ("BTC/USDT",), or "all" that the run brings."""
    bars: ClassVar[str | None] = None
    """The interval of on_bar and of features: "30s", "5m", "1h", "1d"; None: no bars."""
    bars_from: ClassVar[Literal["", "trades", "bars", "quotes"]] = ""
    """What bars are made of; empty: of trades or of the feed's bars, whichever an instrument brings first."""
    bars_adapt: ClassVar[bool] = False
    """Whether a feed's own bars do as well where they are longer: a multiple of `bars`."""
    quotes: ClassVar[bool] = False
    """Whether ctx.best_bid and ctx.best_ask are wanted; overriding on_quote implies it."""
    parameters: ClassVar[Mapping[str, Parameter]] = {}
    """Name → Parameter."""
    features: ClassVar[Mapping[str, Feature]] = {}
    """Name → feature (`features.basic`), read with ctx.feature(name); a period may name a parameter."""
    warm_up: ClassVar[int] = 0
    """Bars to let pass before the first on_bar; never fewer than the features need."""

    def __init__(self, parameter: Parameters, features: Mapping[str, Feature]) -> None:
        """Called by `registry.build` with checked parameters and resolved features."""
        object.__setattr__(self, "parameter", parameter)
        object.__setattr__(self, "resolved_features", dict(features))

    parameter: Parameters
    resolved_features: dict[str, Feature]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            f"a strategy keeps nothing on itself (self.{name}): it would be lost on a restart; use ctx.memory[{name!r}]"
        )

    @classmethod
    def check(cls, parameter: Parameters) -> None:
        """Override to refuse parameters that do not go together: raise StrategyError saying what to change."""

    def on_start(self, ctx: "Context") -> None:
        """Called once in the life of a bot, before any other callback; not again after a restart."""

    def on_bar(self, ctx: "Context", bar: Bar) -> None:
        """A bar has closed and all features are warm."""

    def on_trade(self, ctx: "Context", trade: Trade) -> None:
        """A public trade was printed."""

    def on_quote(self, ctx: "Context", quote: Quote) -> None:
        """The best bid or ask changed, in price or size (from quotes and books alike)."""

    def on_fill(self, ctx: "Context", fill: Fill) -> None:
        """An order of ours was filled, in part or whole."""

    def on_refusal(self, ctx: "Context", refusal: Refusal) -> None:
        """A command was refused, or an order ended unfilled other than by our own cancel."""


def overrides(strategy: type[Strategy], callback: str) -> bool:
    """Whether a strategy class has its own version of a callback."""
    return getattr(strategy, callback) is not getattr(Strategy, callback)


def check_declarations(strategy: type[Strategy]) -> None:
    """StrategyError naming the first declaration that makes no sense."""
    who = title(strategy)
    declared: Any = strategy
    symbols: Any = declared.instruments
    if symbols != ALL and (isinstance(symbols, str) or not symbols or not all(isinstance(s, str) for s in symbols)):
        raise StrategyError(f'{who}: instruments must be "all" or a tuple of symbols such as ("BTC/USDT",)')
    if strategy.bars is not None:
        try:
            parse_interval(strategy.bars)
        except (TypeError, ValueError) as error:
            raise StrategyError(f"{who}: bars: {error}") from None
    elif overrides(strategy, "on_bar") or strategy.features:
        raise StrategyError(f'{who}: on_bar and features need an interval; declare bars = "1m" or another one')
    if declared.bars_from not in ("", "trades", "bars", "quotes"):
        raise StrategyError(f'{who}: bars_from must be "trades", "bars", "quotes" or empty, not {declared.bars_from!r}')
    for name, feature in declared.features.items():
        if not isinstance(feature, Feature):
            raise StrategyError(f"{who}: feature {name} must be made by a function such as ema(20), not {feature!r}")
        if isinstance(feature.period, str) and feature.period not in strategy.parameters:
            raise StrategyError(f"{who}: feature {name} names the parameter {feature.period!r}, which is not declared")
    for name, parameter in declared.parameters.items():
        if not isinstance(parameter, Parameter) or not name.isidentifier():
            raise StrategyError(f"{who}: parameter {name!r} must be a Parameter(default, low, high) under a plain name")
    if isinstance(declared.warm_up, bool) or not isinstance(declared.warm_up, int) or declared.warm_up < 0:
        raise StrategyError(f"{who}: warm_up must be a number of bars, not {declared.warm_up!r}")


def title(strategy: type[Strategy]) -> str:
    """The name people use for a strategy class."""
    return strategy.name or strategy.__name__
