"""What the engine and the supervisor told, as answers: the desk, its markets, its pulse, its health."""

from typing import Any

from paperdesk.api import messages as say
from paperdesk.api.account import fresh_marks
from paperdesk.api.beside import accounts_of
from paperdesk.api.directory import Directory
from paperdesk.api.engine_link import Bar, Changes, EngineLink, FamilyLink
from paperdesk.api.events import STATES
from paperdesk.api.models import Asset, Bot, Desk, Engine, Instrument, Process, Wall
from paperdesk.api.models_live import Bar as BarTold
from paperdesk.api.models_live import Bars, Book, Health, Mark, PulseSaid, Trade
from paperdesk.api.told import SECOND_NS, iso, now_iso, problem, refusal
from paperdesk.store.reading import SIDES, Grid

INTERVAL_S = 60


def welcome_of(link: EngineLink) -> say.Welcome:
    """What the engine said when it was met; Unanswered with 503 before that."""
    if link.welcome is None:
        raise problem(
            503,
            "starting",
            "The engine has not said yet what this desk is.",
            "ask again in a moment; /healthz tells when it was heard",
        )
    return link.welcome


def engine_of(link: EngineLink) -> Engine:
    """How the engine is."""
    pulse = link.pulse
    return Engine(
        heard=link.heard,
        silence_s=round(min(link.silence_s, 1e6), 3),
        busy=pulse.busy if pulse else 0.0,
        commit_ms=pulse.commit_ms if pulse else 0.0,
        rss_mb=pulse.rss_mb if pulse else 0.0,
        market_inputs=pulse.market_inputs if pulse else 0,
        outputs=pulse.outputs if pulse else 0,
        lag_inputs=max(0, pulse.seq - pulse.projected_seq) if pulse else 0,
    )


def processes_of(family: FamilyLink) -> list[Process]:
    """The family as the supervisor told it last."""
    if family.family is None:
        return []
    return [
        Process(
            name=one.name,
            pid=one.pid,
            state=one.state,
            restarts=one.restarts,
            started=iso(int(one.started_s * SECOND_NS)),
            rss_mb=one.rss_mb,
            last_end=one.last_end,
        )
        for one in family.family.processes
    ]


def bots_of(link: EngineLink) -> list[Bot]:
    """All bots with what they do now."""
    states = {bot: (state, why) for bot, state, why in link.pulse.bots} if link.pulse else {}
    told = []
    for number, row in sorted(link.directory.bots.items()):
        state, failure = states.get(number, (None, ""))
        told.append(
            Bot(
                bot=number,
                name=row["name"],
                strategy=row.get("strategy", ""),
                parameters={str(name): str(value) for name, value in row.get("parameters", {}).items()},
                isolated=bool(row.get("isolated", False)),
                state=state,  # type: ignore[arg-type]
                failure=failure,
            )
        )
    return told


def instrument_of(row: dict[str, Any], market: say.MarketTold | None) -> Instrument:
    """One instrument with the state of its data."""
    names = ("number", "version", "symbol", "venue", "base", "quote", "tick", "lot", "maker_fee", "taker_fee", "origin")
    return Instrument(
        **{name: row.get(name, "") for name in names},
        status=STATES.get(market.status) if market else None,
        status_reason=refusal(market.reason) if market else None,
    )


def desk_of(link: EngineLink, family: FamilyLink, walls: list[Wall]) -> Desk:
    """What this desk is and how it is."""
    welcome, names, told = welcome_of(link), link.directory, family.family
    if told is not None and told.door_wall:
        walls = [*walls, Wall(process="door", text=told.door_wall)]
    return Desk(
        paper=True,
        run=welcome.run,
        label=welcome.label,
        feed=welcome.feed,
        notice=welcome.notice,
        boot=welcome.boot,
        product=welcome.product,
        created=iso(int(welcome.created_s * SECOND_NS)),
        seq=link.seq,
        projected_seq=link.pulse.projected_seq if link.pulse else 0,
        engine=engine_of(link),
        killed=link.pulse.killed if link.pulse else False,
        account=welcome.account,
        accounts=accounts_of(link),
        latency=welcome.latency,
        fees=welcome.fees,
        reporting=welcome.reporting,
        assets=[Asset(number=one, name=names.names[one], scale=names.scales[one]) for one in sorted(names.names)],
        instruments=[instrument_of(row, link.markets.get(one)) for one, row in sorted(names.instruments.items())],
        bots=bots_of(link),
        processes=processes_of(family),
        walls=[Wall(process="engine", text=welcome.wall), *walls],
    )


def bar_of(bar: Bar, grid: Grid) -> BarTold:
    """One minute."""
    prices = [grid.price(ticks) for ticks in bar[1:5]]
    return BarTold(
        open_s=bar[0] // SECOND_NS,
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=grid.quantity(bar[5]),
    )


def trade_of(trade: tuple[int, int, int, int], grid: Grid) -> Trade:
    """A public print."""
    ts_ns, side, ticks, lots = trade
    return Trade(
        time=iso(ts_ns),
        ts_ns=str(ts_ns),
        side=SIDES[side].lower() if side in (1, 2) else None,  # type: ignore[arg-type]
        price=grid.price(ticks),
        quantity=grid.quantity(lots),
    )


def book_of(market: say.MarketTold, names: Directory, changes: Changes) -> Book:
    """A market as it is, with trades and bars as given."""
    grid = names.grid(market.instrument)
    return Book(
        instrument=market.instrument,
        symbol=names.symbol(market.instrument),
        time=iso(market.ts_ns),
        ts_ns=str(market.ts_ns),
        status=STATES.get(market.status, "gap"),
        status_reason=refusal(market.reason),
        bids=[(grid.price(ticks), grid.quantity(lots)) for ticks, lots in market.bids],
        asks=[(grid.price(ticks), grid.quantity(lots)) for ticks, lots in market.asks],
        trades=[trade_of(trade, grid) for trade in changes.trades],
        bars=[bar_of(bar, grid) for _, bar in sorted(changes.bars.items())],
    )


def latest_book(link: EngineLink, instrument: int) -> Book | None:
    """A market as it is, with its latest trades; None before its first picture."""
    market = link.markets.get(instrument)
    if market is None:
        return None
    changes = Changes()
    changes.trades.extend(link.trades.get(instrument, ()))
    return book_of(market, link.directory, changes)


def bars_of(link: EngineLink, instrument: int, limit: int) -> Bars:
    """The latest minute bars, oldest first."""
    grid = link.directory.grid(instrument)
    kept = list(link.bars.get(instrument, {}).values())[-limit:]
    return Bars(
        instrument=instrument,
        symbol=link.directory.symbol(instrument),
        interval_s=INTERVAL_S,
        bars=[bar_of(bar, grid) for bar in kept],
    )


def equity_now(link: EngineLink) -> str | None:
    """What the account is worth, as the engine says."""
    if link.welcome is None or link.pulse is None:
        return None
    units = next((one.equity_units for one in link.pulse.accounts if one.account == link.welcome.account), None)
    asset = link.directory.numbers.get(link.welcome.reporting, -1)
    return None if units is None else link.directory.amount(asset, units)


def pulse_of(link: EngineLink, family: FamilyLink, clients: int) -> PulseSaid | None:
    """How the desk is; None before the engine's first pulse."""
    pulse, names = link.pulse, link.directory
    if pulse is None:
        return None
    marks = fresh_marks(pulse, link.markets)
    return PulseSaid(
        time=now_iso(),
        seq=pulse.seq,
        projected_seq=pulse.projected_seq,
        engine_time=iso(pulse.ts_seq_ns),
        engine_ts_ns=str(pulse.ts_seq_ns),
        equity=equity_now(link),
        accounts=accounts_of(link),
        killed=pulse.killed,
        engine=engine_of(link),
        marks=[
            Mark(instrument=one, mark=names.grid(one).price(marks[one]) if one in marks else None)
            for one in sorted(names.instruments)
        ],
        bots=bots_of(link),
        feed=pulse.feed,
        processes=processes_of(family),
        stream_clients=clients,
    )


def health_of(link: EngineLink, family: FamilyLink, clients: int) -> Health:
    """Whether the desk lives."""
    text = "The engine is heard." if link.heard else f"Nothing was heard of the engine for {link.silence_s:.1f} s."
    if link.welcome is None:
        text = "The engine has not been heard yet."
    return Health(
        healthy=link.heard,
        paper=True,
        text=text,
        engine=engine_of(link),
        stream_clients=clients,
        processes=processes_of(family),
    )
