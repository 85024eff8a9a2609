"""From options to a run: the feed, the account and its bots, and the commands that set them up.

Everything a run depends on goes into its fingerprint: data, strategy source, parameters, balances, limits, seed. The same fingerprint is the
same run, and an unfinished one goes on where its log ends.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from paperdesk import __version__
from paperdesk.app.accounts import Account, accounts_of
from paperdesk.app.errors import EXIT_USAGE, DeskError
from paperdesk.app.home import Manifest
from paperdesk.app.isolated import BotProcess, IsolatedBot, load, loaded
from paperdesk.app.options import DEFAULT_BALANCE, RunOptions
from paperdesk.app.user_code import UserStrategy
from paperdesk.domain import commands
from paperdesk.domain.assets import Asset, scale_of
from paperdesk.domain.events import InputKind
from paperdesk.domain.instruments import Instrument
from paperdesk.domain.terms import SELF_TRADES
from paperdesk.engine.state import ENGINE_VERSION, MAX_ASSETS
from paperdesk.feeds.port import Feed, RecordingRefused
from paperdesk.feeds.replay import open_recordings
from paperdesk.feeds.simulated import START_NS, simulated
from paperdesk.safety.settings import FeeTier, LimitSettings
from paperdesk.strategies import registry
from paperdesk.strategies.api import Strategy, StrategyError
from paperdesk.strategies.host import BotHost, PastBar

SECOND_NS: Final = 1_000_000_000
RATE_ONE: Final = 100_000_000
"""All of an amount, in the unit of fee rates."""
LIMIT_NAMES: Final = {
    "max_order": "max_order_units",
    "max_position": "max_position_units",
    "max_exposure": "max_exposure_units",
    "max_daily_loss": "max_daily_loss_units",
    "max_drawdown": "max_drawdown_units",
}

Bot = BotHost | IsolatedBot


class Plan:
    """A run that is ready to start: its feed, assets, account, bots, and its fingerprint."""

    def __init__(self, options: RunOptions, feed: Feed | None = None) -> None:
        """Opens the feed (where none is given) and loads the strategies; DeskError in plain words where that cannot be."""
        self.options = options
        self.through_door = feed is not None
        self.past: list[PastBar] = []
        """Bars from before the run, for indicators to warm up with; the same whenever the run goes on."""
        self.wall = ""
        """How the process of the run is closed in, in words."""
        self.feed: Feed = open_feed(options) if feed is None else feed
        self.instruments = list(self.feed.instruments)
        self.reporting_name = options.reporting or self._default_reporting()
        self.balances = dict(options.balances) or {self.reporting_name: DEFAULT_BALANCE}
        self.assets = self._all_assets()
        self.by_name = {asset.name: asset for asset in self.assets}
        self.reporting = self.by_name[self.reporting_name]
        if not any(self.reporting_name in (row.base.name, row.quote.name) for row in self.instruments):
            raise DeskError(
                f"--reporting {self.reporting_name}: no market of this run connects {self.reporting_name} with what is traded; choose "
                f"{self.instruments[0].quote.name}, or bring such a market with --data and --symbols.",
                EXIT_USAGE,
            )
        self.strategies: list[type[Strategy] | UserStrategy] = []
        self.processes: list[BotProcess | None] = []
        """Those of the desk's own account, one a strategy; None where it runs here."""
        self.copies: dict[int, list[BotProcess | None]] = {}
        """The same for each account beside it."""
        try:
            self._take_strategies()
        except DeskError:
            self.close()
            raise

    def _take_strategies(self) -> None:
        """Load what decides, and what follows from it."""
        options = self.options
        for name in options.strategies:
            strategy, process = load_strategy(name)
            self.strategies.append(strategy)
            self.processes.append(process)
        unknown = [
            name for name in options.parameters if not any(name in strategy.parameters for strategy in self.strategies)
        ]
        if unknown:
            known = ", ".join(name for strategy in self.strategies for name in strategy.parameters) or "none"
            raise DeskError(
                f"--set {unknown[0]}: no strategy of this run has such a parameter; they have {known}.", EXIT_USAGE
            )
        self.parameters = [own_parameters(strategy, options) for strategy in self.strategies]
        self.accounts = accounts_of(options, len(self.strategies))
        for account in self.accounts[1:]:
            copies = self.copies[account.number] = []
            copies.extend(copy_of(one) if isinstance(one, UserStrategy) else None for one in self.strategies)
        self.setup = list(self._setup())
        self.fingerprint = self._fingerprint()

    def take_up(self, manifest: Manifest) -> None:
        """Go on as a run began: with the markets as they were defined then. What changed since follows as an input."""
        self.past = [(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7]) for row in manifest.past]
        if manifest.definitions:
            self.instruments = msgspec.convert(manifest.definitions, list[Instrument], strict=False)

    def close(self) -> None:
        """End the processes of the user's strategies."""
        for process in [*self.processes, *(one for copies in self.copies.values() for one in copies)]:
            if process is not None:
                process.close()

    def hosts(self) -> list[Bot]:
        """One fresh host an account and strategy, bots numbered from 1: the desk's own rules here, the user's each in its process."""
        hosts = []
        for account in self.accounts:
            processes = self.copies.get(account.number, self.processes)
            for place, one in enumerate(zip(self.strategies, self.parameters, processes, strict=True), start=1):
                try:
                    hosts.append(self._host(account, place, *one))
                except StrategyError as error:
                    raise DeskError(f"The strategy cannot run: {error}", EXIT_USAGE) from error
        return hosts

    def _host(
        self,
        account: Account,
        place: int,
        strategy: type[Strategy] | UserStrategy,
        parameters: Mapping[str, Any],
        process: BotProcess | None,
    ) -> Bot:
        name, number = account.bot_name(strategy.name, place), account.bot(place)
        if isinstance(strategy, UserStrategy):
            assert process is not None, "user code has a process of its own"
            timeout_s = self.options.callback_timeout_s
            return IsolatedBot(
                process, account.number, number, self.instruments, name, parameters, timeout_s, self.past
            )
        host = BotHost(registry.build(strategy, parameters), account.number, number, self.instruments, name)
        host.warm(self.past)
        return host

    def notes(self) -> Iterator[dict[str, Any]]:
        """What people and projections need beside the numbers: names, grids, bots, what is assumed about the data."""
        yield {
            "type": "run",
            "label": self.feed.label,
            "engine": ENGINE_VERSION,
            "product": __version__,
            "fingerprint": self.fingerprint,
        }
        for asset in self.assets:
            yield {"type": "asset", "number": asset.number, "name": asset.name, "scale": asset.scale}
        for instrument in self.instruments:
            yield instrument_note(instrument)
        for account in self.accounts:
            for place, strategy in enumerate(self.strategies, start=1):
                name = account.bot_name(strategy.name, place)
                yield {"type": "bot", "account": account.number, "bot": account.bot(place), "name": name}
        for text in self.feed.notes:
            yield {"type": "data_note", "text": text}

    def _default_reporting(self) -> str:
        names = list(self.options.balances)
        quotes = [instrument.quote.name for instrument in self.instruments]
        return next((name for name in names if name in quotes), names[0] if names and not quotes else quotes[0])

    def _all_assets(self) -> list[Asset]:
        assets = list(self.feed.assets)
        for name in [self.reporting_name, *self.balances]:
            if name not in {asset.name for asset in assets}:
                assets.append(Asset(len(assets), name, scale_of(name)))
        if len(assets) > MAX_ASSETS:
            raise DeskError(
                f"The data brings {len(assets)} assets; one desk counts at most {MAX_ASSETS}: choose fewer with --symbols.",
                EXIT_USAGE,
            )
        return assets

    def _setup(self) -> Iterator[np.ndarray]:
        """The commands that open the desk, in order."""
        yield from (commands.define_asset(asset) for asset in self.assets)
        yield from (commands.define_instrument(instrument) for instrument in self.instruments)
        yield commands.bind_source(self.feed.source)
        every_ns = (
            3600 * SECOND_NS
            if all(row.stale_after_ns > 120 * SECOND_NS for row in self.instruments)
            else 60 * SECOND_NS
        )
        for account in self.accounts:
            yield from self._account_setup(account, every_ns)

    def _account_setup(self, account: Account, equity_every_ns: int) -> Iterator[np.ndarray]:
        """The commands that open one account: its terms, its bots, its balances."""
        options, reporting, number = self.options, self.reporting, account.number
        yield commands.open_account(
            number, reporting, self.feed.source, options.latency_ns, equity_every_ns, account.fill_model
        )
        yield from self._conversions(number)
        has_limits = account.role != "ghost"
        yield commands.set_limits(number, 0, limit_units(options.limits, reporting) if has_limits else {})
        for place in range(1, len(self.strategies) + 1):
            yield commands.register_bot(number, account.bot(place))
            limits = limit_units(options.bot_limits, reporting) if has_limits else {}
            yield commands.set_limits(number, account.bot(place), limits)
        if options.latencies_ns:
            yield commands.set_latencies(number, options.seed, options.latencies_ns)
        if options.self_trade != "expire_maker":
            yield commands.set_self_trade(number, SELF_TRADES[options.self_trade])
        if options.fees:
            yield commands.set_fee_tiers(number, tier_units(options.fees, reporting))
        for name, amount in self.balances.items():
            try:
                units = self.by_name[name].to_units(amount)
            except ValueError as error:
                raise DeskError(f"--balance: {error}.", EXIT_USAGE) from error
            if not 0 < units <= 2**60:
                raise DeskError(
                    f"--balance {amount}{name}: the desk counts at most {self.by_name[name].text(2**60)} {name}.",
                    EXIT_USAGE,
                )
            yield commands.deposit(number, self.by_name[name], units)

    def _conversions(self, account: int) -> Iterator[np.ndarray]:
        """Value each asset through an instrument that connects it with the reporting asset: those named, else the first found."""
        wanted = self.options.conversions
        declared = set()
        for instrument in self.instruments:
            if wanted and instrument.symbol not in wanted and instrument.symbol.replace("/", "") not in wanted:
                continue
            base, quote = instrument.base, instrument.quote
            ways: list[tuple[Asset, Asset, bool]] = [(base, quote, False), (quote, base, True)]
            for asset, other, inverse in ways:
                if other.name == self.reporting.name and asset.name not in declared:
                    declared.add(asset.name)
                    yield commands.declare_conversion(account, asset, instrument, inverse)

    def _fingerprint(self) -> str:
        options = self.options
        digest = blake2b(digest_size=16)
        for row in self.setup:
            # A live venue may change its filters; the run is the same.
            if not self.through_door or row["kind"][0] != InputKind.DEFINE_INSTRUMENT:
                digest.update(row.tobytes())
        sources = [
            strategy.source
            if isinstance(strategy, UserStrategy)
            else inspect.getsource(inspect.getmodule(strategy) or strategy)
            for strategy in self.strategies
        ]
        parameters = [{name: str(value) for name, value in row.items()} for row in self.parameters]
        digest.update(
            msgspec.json.encode([options.feed, [row.symbol for row in self.instruments], sources, parameters])
        )
        return digest.hexdigest()


def open_feed(options: RunOptions) -> Feed:
    """The feed that the options ask for; DeskError where it refuses."""
    try:
        if options.feed == "sim":
            return simulated(options.symbols, options.seed, options.start_ns or START_NS)
        return open_recordings(list(options.data), list(options.symbols), instruments_file=options.instruments)
    except RecordingRefused as error:
        raise DeskError(str(error), EXIT_USAGE) from error


def load_strategy(name: str) -> tuple[type[Strategy] | UserStrategy, BotProcess | None]:
    """A rule by name, or a user's file by path with the process that runs it; DeskError saying what there is."""
    try:
        if name.endswith(".py"):
            return load(name)
        return registry.find(name), None
    except StrategyError as error:
        raise DeskError(f"--strategy {name}: {error}", EXIT_USAGE) from error


def copy_of(strategy: UserStrategy) -> BotProcess:
    """One more process for a user's strategy, of the text that was read; DeskError where it cannot be had."""
    try:
        return loaded(strategy)
    except StrategyError as error:
        raise DeskError(f"--strategy {strategy.path}: {error}", EXIT_USAGE) from error


def own_parameters(strategy: type[Strategy] | UserStrategy, options: RunOptions) -> dict[str, Any]:
    """Those of the given parameters that a strategy has; a name that no strategy has is a DeskError."""
    given: Mapping[str, Any] = options.parameters
    if len(options.strategies) == 1:
        return dict(given)
    return {name: value for name, value in given.items() if name in strategy.parameters}


def limit_units(limits: LimitSettings, reporting: Asset) -> dict[str, int]:
    """Limits of the settings in units of the reporting asset."""
    units = {}
    for name, field in LIMIT_NAMES.items():
        text = getattr(limits, name)
        if text is not None:
            try:
                units[field] = reporting.to_units(Decimal(text))
            except (ValueError, InvalidOperation) as error:
                raise DeskError(f"limits.{name}: {error}.", EXIT_USAGE) from error
    if limits.cooldown_s:
        units["cooldown_ns"] = limits.cooldown_s * SECOND_NS
    return units


def tier_units(tiers: Sequence[FeeTier], reporting: Asset) -> list[tuple[int, int, int]]:
    """Fee tiers in units of the reporting asset and 10⁻⁸."""
    made = []
    for tier in tiers:
        try:
            volume = reporting.to_units(Decimal(tier.volume))
        except ValueError as error:
            raise DeskError(
                f"The fee tier from a volume of {tier.volume} {reporting.name} on: {error}.", EXIT_USAGE
            ) from error
        made.append((volume, int(Decimal(tier.maker) * RATE_ONE), int(Decimal(tier.taker) * RATE_ONE)))
    return made


def instrument_note(instrument: Instrument) -> dict[str, Any]:
    """An instrument's definition as text."""
    return {
        "type": "instrument",
        "number": instrument.number,
        "version": instrument.version,
        "symbol": instrument.symbol,
        "venue": instrument.venue,
        "base": instrument.base.name,
        "quote": instrument.quote.name,
        "tick": f"{instrument.tick:f}",
        "lot": f"{instrument.lot:f}",
        "maker_fee": f"{instrument.maker_fee:f}",
        "taker_fee": f"{instrument.taker_fee:f}",
        "origin": instrument.origin,
    }


def data_names(paths: Sequence[Path]) -> list[str]:
    """File names alone: a path may tell more about a machine than a record should."""
    return [path.name for path in paths]
