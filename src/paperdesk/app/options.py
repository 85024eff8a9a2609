"""What a run is asked to do: the command line over the configuration file over defaults, resolved once."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from paperdesk.app.errors import EXIT_USAGE, DeskError
from paperdesk.app.fee_schedules import fee_schedule
from paperdesk.app.latency_model import latency_model
from paperdesk.safety.config_values import FILL_MODELS, SELF_TRADES
from paperdesk.safety.settings import FeeTier, LimitSettings, Settings

DEFAULT_LATENCY_MS: Final = 50.0
DEFAULT_CALLBACK_TIMEOUT_S: Final = 5.0
DEFAULT_FILL_MODEL: Final = "expected"
DEFAULT_STRATEGY: Final = "ema_cross"
DEFAULT_SIM_SYMBOL: Final = "BTC/USDT"
LIVE_SYMBOLS: Final = ("BTC/USDT",)
DEFAULT_PORT: Final = 8420
FEEDS: Final = ("auto", "live", "replay", "sim")
DEFAULT_BALANCE: Final = Decimal(10_000)
MAX_SEED: Final = 2**63 - 1
ASSET: Final = re.compile(r"[A-Z0-9]{1,20}")
BALANCE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)[ :]?([A-Z0-9]*[A-Z][A-Z0-9]*)")


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """One run, fully said. `speed` 0 is as fast as possible; `balances` in whole assets; None where the data decides."""

    feed: str
    data: tuple[Path, ...] = ()
    symbols: tuple[str, ...] = ()
    strategies: tuple[str, ...] = (DEFAULT_STRATEGY,)
    parameters: Mapping[str, Any] = {}
    speed: float = 0.0
    until_end: bool = False
    for_seconds: float | None = None
    for_events: int | None = None
    balances: Mapping[str, Decimal] = {}
    reporting: str | None = None
    conversions: tuple[str, ...] = ()
    limits: LimitSettings = LimitSettings()
    bot_limits: LimitSettings = LimitSettings()
    fill_model: str = DEFAULT_FILL_MODEL
    fill_band: bool = False
    """Whether the same bots trade in three accounts, one for each fill model."""
    shadow: bool = False
    """Whether the same bots trade once more in an account without limits."""
    latency_ns: int = 50_000_000
    latency_text: str = ""
    """What drawn latencies are, for people; empty: they are always the same."""
    latencies_ns: tuple[int, ...] = ()
    """Quantiles of drawn latencies; `latency_ns` is their median then."""
    fees: tuple[FeeTier, ...] = ()
    """Fees by what an account traded; none: those of the instruments."""
    self_trade: str = "expire_maker"
    """What orders do that would meet waiting ones of their own account."""
    seed: int = 1
    log_level: str = "info"
    instruments: Path | None = None
    start_ns: int = 0
    """Where a simulated market begins in time; 0: where it always does."""
    fresh: bool = False
    ack_fd: int | None = None
    page: bool = False
    """Whether a family of processes with a page is started, or one process that prints what happened at its end."""
    host: str = "127.0.0.1"
    port: int | None = None
    venue_at: str = ""
    """ADDRESS:PORT of a server on this machine that plays the venue."""
    callback_timeout_s: float = DEFAULT_CALLBACK_TIMEOUT_S

    @property
    def has_end(self) -> bool:
        """Whether the run ends by itself once the data does."""
        return self.until_end or self.for_seconds is not None or self.for_events is not None


def parse_speed(text: str | float) -> float:
    """ "max" → 0, a number above zero → itself; DeskError otherwise."""
    if text == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 < speed <= 1e9:
        raise DeskError(
            f"--speed {text}: a speed is max, or a number above zero (1 is real time, 60 a minute each second).",
            EXIT_USAGE,
        )
    return speed


def parse_balances(texts: list[str] | tuple[str, ...]) -> dict[str, Decimal]:
    """["10000USDT", "0.5BTC,2ETH"] → amounts by asset; DeskError naming what cannot be read."""
    amounts: dict[str, Decimal] = {}
    for text in (part.strip() for whole in texts for part in whole.split(",") if part.strip()):
        match = BALANCE.fullmatch(text)
        if match is None or Decimal(match[1]) <= 0:
            raise DeskError(
                f"--balance {text}: write an amount above zero and an asset, such as 10000USDT or 0.5BTC.", EXIT_USAGE
            )
        if match[2] in amounts:
            raise DeskError(f"--balance names {match[2]} twice; give each asset once.", EXIT_USAGE)
        amounts[match[2]] = Decimal(match[1])
    return amounts


def parse_symbols(texts: Iterable[str]) -> tuple[str, ...]:
    """["BTC/USDT,ETH/USDT"] → ("BTC/USDT", "ETH/USDT"); DeskError where one is named twice."""
    symbols = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    twice = [symbol for symbol in symbols if symbols.count(symbol) > 1]
    if twice:
        raise DeskError(f"--symbols names {twice[0]} twice; give each symbol once.", EXIT_USAGE)
    return tuple(symbols)


def parse_parameters(texts: list[str]) -> dict[str, Any]:
    """["fast=10"] → {"fast": "10"}; DeskError naming what is no name=value."""
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise DeskError(f"--set {text}: write name=value, such as --set fast=12.", EXIT_USAGE)
        values[name.strip()] = value.strip()
    return values


def _source(settings: Settings, given: Mapping[str, Any], page: bool) -> tuple[str, tuple[Path, ...], str]:
    """Where the market comes from: feed, recordings, server that plays the venue; DeskError where they do not go together."""
    feed = given.get("feed") or settings.feed or ("auto" if page else "sim")
    if feed not in FEEDS:
        raise DeskError(
            f"--feed {feed}: the feeds are auto (live where the venue answers, else simulated), live, replay (recorded data) and sim "
            "(a seeded, simulated market).",
            EXIT_USAGE,
        )
    if feed in ("auto", "live") and not page:
        raise DeskError(
            f"--feed {feed} needs the desk's processes, so it goes without --no-page, --until-end, --for and --events; "
            "one process alone has no way to a venue. For a bounded run choose --feed sim or --feed replay.",
            EXIT_USAGE,
        )
    venue_at = given.get("venue_at") or ""
    if venue_at and (feed not in ("auto", "live") or not re.fullmatch(r"(127\.0\.0\.1|\[::1\]):[0-9]{1,5}", venue_at)):
        raise DeskError(
            f"--venue-at {venue_at}: write the address of a server on this machine, such as 127.0.0.1:9000, with --feed live.",
            EXIT_USAGE,
        )
    data = tuple(Path(path) for path in given.get("data") or settings.data)
    if feed == "replay" and not data:
        raise DeskError(
            "--feed replay needs a recording: add --data PATH (a file or a folder; several are replayed together).",
            EXIT_USAGE,
        )
    if feed != "replay" and given.get("data"):
        raise DeskError(
            "--data goes with --feed replay; the simulated market makes its own (choose it with --seed and --symbols).",
            EXIT_USAGE,
        )
    return feed, data, venue_at


def _latency(settings: Settings, given: Mapping[str, Any]) -> tuple[int, tuple[int, ...], str]:
    """(fixed or median latency, quantiles of drawn ones, what these are); the command line wins over the file, whichever it names."""
    latency_ms: float | None = given.get("latency_ms")
    model: str | None = given.get("latency_model")
    if latency_ms is None and model is None:
        latency_ms, model = settings.latency_ms, settings.latency_model
    if latency_ms is not None and model is not None:
        raise DeskError(
            f"--latency-ms {latency_ms:g} and --latency-model {model}: a latency is either always the same or drawn; leave one of them out.",
            EXIT_USAGE,
        )
    if model is not None:
        text, quantiles = latency_model(model)
        return quantiles[len(quantiles) // 2], quantiles, text
    latency_ms = DEFAULT_LATENCY_MS if latency_ms is None else latency_ms
    if not 0 <= latency_ms <= 60_000:
        raise DeskError(
            f"--latency-ms {latency_ms}: the latency of orders lies between 0 and 60000 milliseconds.", EXIT_USAGE
        )
    return round(latency_ms * 1_000_000), (), ""


def _check_fill_model(fill_model: str, fill_band: bool) -> None:
    """DeskError where a fill model does not exist, or does not go with a band."""
    if fill_model not in FILL_MODELS:
        raise DeskError(f"--fill-model {fill_model}: the fill models are {', '.join(FILL_MODELS)}.", EXIT_USAGE)
    if fill_band and fill_model != DEFAULT_FILL_MODEL:
        raise DeskError(
            f"--fill-band with --fill-model {fill_model}: a band runs all three models, and the desk's own account is the "
            f"{DEFAULT_FILL_MODEL} one; leave one of the two out.",
            EXIT_USAGE,
        )


def _self_trade(name: str) -> str:
    """A self-trade mode; DeskError where there is none of that name."""
    if name not in SELF_TRADES:
        raise DeskError(f"--self-trade {name}: the modes are {', '.join(SELF_TRADES)}.", EXIT_USAGE)
    return name


def merge(settings: Settings, given: Mapping[str, Any]) -> RunOptions:
    """`given` holds what the command line said (None: nothing); the rest comes from the settings, then from defaults."""

    def pick(name: str, otherwise: Any) -> Any:
        """What the command line said, or otherwise."""
        value = given.get(name)
        return value if value not in (None, (), [], {}) else otherwise

    bounded = given.get("until_end") or given.get("for_seconds") is not None or given.get("for_events") is not None
    page = not bounded if given.get("page") is None else bool(given["page"])
    feed, data, venue_at = _source(settings, given, page)
    seed = pick("seed", settings.seed)
    symbols = parse_symbols(pick("symbols", settings.symbols))
    latency_ns, latencies_ns, latency_text = _latency(settings, given)
    fill_model = pick("fill_model", settings.fill_model or DEFAULT_FILL_MODEL)
    fill_band = settings.fill_band if given.get("fill_band") is None else bool(given["fill_band"])
    _check_fill_model(fill_model, fill_band)
    for name in ("for_seconds", "for_events"):
        if given.get(name) is not None and not given[name] > 0:
            option = "--for" if name == "for_seconds" else "--events"
            raise DeskError(f"{option} {given[name]}: give a number above zero, or leave {option} out.", EXIT_USAGE)
    timeout_s = pick("callback_timeout", DEFAULT_CALLBACK_TIMEOUT_S)
    if not 0.05 <= timeout_s <= 3600:
        raise DeskError(f"--callback-timeout {timeout_s}: give 0.05 to 3600 seconds.", EXIT_USAGE)
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise DeskError(f"--seed {seed}: a seed lies between 0 and 2^63 - 1.", EXIT_USAGE)
    reporting = pick("reporting", settings.reporting)
    if reporting is not None and not ASSET.fullmatch(reporting):
        raise DeskError(f"--reporting {reporting}: write an asset in capitals, such as USDT.", EXIT_USAGE)
    definitions = pick("instruments", settings.instruments)
    if definitions is not None and not definitions.is_file():
        raise DeskError(f"--instruments {definitions}: there is no such file; check the path.", EXIT_USAGE)
    default_speed = "max" if feed == "replay" else 1.0
    return RunOptions(
        feed=feed,
        data=data if feed == "replay" else (),
        symbols=symbols or ((DEFAULT_SIM_SYMBOL,) if feed == "sim" else ()),
        strategies=tuple(pick("strategy", (settings.strategy or DEFAULT_STRATEGY,))),
        parameters={**settings.parameters, **parse_parameters(given.get("set") or [])},
        speed=parse_speed(pick("speed", settings.speed if settings.speed is not None else default_speed)),
        until_end=bool(given.get("until_end")),
        for_seconds=given.get("for_seconds"),
        for_events=given.get("for_events"),
        balances=parse_balances(tuple(pick("balance", settings.balance))),
        reporting=reporting,
        conversions=tuple(settings.conversions),
        limits=settings.limits,
        bot_limits=settings.bot_limits,
        fill_model=fill_model,
        fill_band=fill_band,
        shadow=settings.shadow if given.get("shadow") is None else bool(given["shadow"]),
        latency_ns=latency_ns,
        latency_text=latency_text,
        latencies_ns=latencies_ns,
        fees=fee_schedule(given["fees"]) if given.get("fees") else settings.fees,
        self_trade=_self_trade(pick("self_trade", "expire_maker")),
        seed=1 if seed is None else seed,
        log_level=settings.log_level,
        instruments=definitions,
        fresh=bool(given.get("fresh")),
        ack_fd=given.get("ack_fd"),
        page=page,
        host=pick("host", "127.0.0.1"),
        port=pick("port", None),
        venue_at=venue_at,
        callback_timeout_s=timeout_s,
    )
