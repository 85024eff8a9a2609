"""The command line. Commands import what they need when they run, so that `--help` and `--version` answer at once."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NoReturn

import typer

from paperdesk import __version__
from paperdesk.app.cli_door import door
from paperdesk.app.cli_options import (
    AckFdOption,
    BalanceOption,
    ConfigOption,
    DataOption,
    EventsOption,
    FeedOption,
    FeesOption,
    FillBandOption,
    FillModelOption,
    ForOption,
    FreshOption,
    HomeOption,
    HostOption,
    InstrumentsOption,
    JsonOption,
    LatencyModelOption,
    LatencyMsOption,
    PageOption,
    PortOption,
    ReportingOption,
    SeedOption,
    SelfTradeOption,
    SetOption,
    ShadowOption,
    SpeedOption,
    StrategyOption,
    SymbolsOption,
    UntilEndOption,
    VenueAtOption,
)
from paperdesk.app.errors import EXIT_IO, EXIT_SETTINGS, DeskError
from paperdesk.safety.settings import Settings, SettingsRefused, read_settings
from paperdesk.store.errors import StoreError

if TYPE_CHECKING:
    from paperdesk.app.home import Home

app = typer.Typer(
    name="paperdesk",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Trade crypto on paper: recorded or simulated markets, virtual money, exact books. There is no code here that could place a real order.",
)
db = typer.Typer(no_args_is_help=True, help="The SQL database of all runs, made from their logs.")
home_commands = typer.Typer(no_args_is_help=True, help="The home folder, which holds runs and database.")
app.add_typer(db, name="db")
app.add_typer(home_commands, name="home")
app.add_typer(door, name="door")


class Caller(NamedTuple):
    """Who runs a command. `owns_process`: the process is the command's alone, from its first import to its end."""

    owns_process: bool


def show_version(asked: bool) -> None:
    """Print the version and leave."""
    if asked:
        typer.echo(f"paperdesk {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Nothing is common to all commands but the version."""


def settle(home: Path | None, config: Path | None) -> "tuple[Settings, Home]":
    """Settings, checked, and the home they lead to."""
    from paperdesk.app.home import Home, default_home

    settings = read_settings(os.environ, config)
    return settings, Home((home or settings.home or default_home()).expanduser().absolute())


def warm() -> None:
    """Say so before the core is compiled for this machine."""
    from paperdesk.app.warm import warm as warmed

    warmed()


def closed_in(caller: Caller | None, home: "Home") -> str:
    """Raise the engine's wall around this process, where it is ours to close in; what stands, in words."""
    if caller is None or not caller.owns_process:
        return "none: another program called the command, and the process is its own"
    from paperdesk.app.family.tasks import ONE_THREAD

    os.environ.update(ONE_THREAD)
    from paperdesk.app.closed_in import close_in
    from paperdesk.safety.wall import WallRefused

    home.prepare()
    try:
        return close_in(home.root)
    except WallRefused as refused:
        raise DeskError(str(refused), EXIT_SETTINGS) from refused


@app.command()
def up(
    context: typer.Context,
    feed: FeedOption = None,
    data: DataOption = None,
    symbols: SymbolsOption = None,
    strategy: StrategyOption = None,
    set_: SetOption = None,
    speed: SpeedOption = None,
    until_end: UntilEndOption = False,
    for_: ForOption = None,
    events: EventsOption = None,
    balance: BalanceOption = None,
    reporting: ReportingOption = None,
    latency_ms: LatencyMsOption = None,
    latency_model: LatencyModelOption = None,
    fill_model: FillModelOption = None,
    fill_band: FillBandOption = None,
    shadow: ShadowOption = None,
    fees: FeesOption = None,
    self_trade: SelfTradeOption = None,
    instruments: InstrumentsOption = None,
    seed: SeedOption = None,
    callback_timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Stop a strategy whose callback does not return in time. Default: 5."),
    ] = None,
    fresh: FreshOption = False,
    page: PageOption = None,
    host: HostOption = None,
    port: PortOption = None,
    venue_at: VenueAtOption = None,
    ack_fd: AckFdOption = None,
    home: HomeOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Trade on paper.

    paperdesk up

    starts the desk: live prices where the venue answers, a page in the browser, until Ctrl-C. A bounded run prints what happened instead:

    paperdesk up --feed sim --speed max --events 100000

    paperdesk up --feed replay --data btcusdt.jsonl.zst --strategy quoter --speed max --until-end

    An interrupted run goes on where its log ends when the same command is given again; --fresh begins anew.
    """
    settings, place = settle(home, config)
    from paperdesk.app.options import merge

    given: dict[str, Any] = {
        "feed": feed, "data": data, "symbols": symbols, "strategy": strategy, "set": set_, "speed": speed, "until_end": until_end,
        "for_seconds": for_, "for_events": events, "balance": balance, "reporting": reporting, "latency_ms": latency_ms,
        "instruments": instruments, "seed": seed, "callback_timeout": callback_timeout, "fresh": fresh, "ack_fd": ack_fd,
        "page": page, "host": host, "port": port, "venue_at": venue_at, "latency_model": latency_model, "fill_model": fill_model,
        "fill_band": fill_band, "shadow": shadow, "fees": fees, "self_trade": self_trade,
    }  # fmt: skip
    options = merge(settings, given)
    from paperdesk.app.terminal import stderr_console

    if options.page:
        from paperdesk.app.family.supervisor import up_with_page

        raise typer.Exit(up_with_page(options, place, as_json, stderr_console(as_json), settings.door.senders))
    wall = closed_in(context.obj, place)
    warm()
    from paperdesk.app.up import up as run_up  # after the wall: polars starts threads

    raise typer.Exit(run_up(options, place, as_json, stderr_console(as_json), wall))


@app.command()
def strategies() -> None:
    """List the built-in strategies and their parameters."""
    warm()
    from paperdesk.strategies.registry import BUILT_IN, describe

    typer.echo("\n\n".join(describe(strategy) for strategy in BUILT_IN.values()))


@app.command()
def replay(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run's name, such as 0001-replay; `paperdesk status` lists them.")
    ],
    verify: Annotated[
        bool, typer.Option("--verify", help="Fold the log anew and compare every output, byte for byte.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fold a run's log anew.

    Nothing is decided again: the log's inputs go through the same fold, from the first on. With --verify the command fails where anything
    differs from what was recorded.
    """
    _, place = settle(home, None)
    warm()
    from paperdesk.app.inspect import replay_run

    replay_run(place, run, verify, as_json)


@db.command()
def upgrade(home: HomeOption = None) -> None:
    """Bring the schema up to date."""
    _, place = settle(home, None)
    from paperdesk.app.inspect import upgrade_database

    upgrade_database(place)


@db.command()
def rebuild(home: HomeOption = None) -> None:
    """Make the database anew from the logs."""
    _, place = settle(home, None)
    warm()
    from paperdesk.app.inspect import rebuild_database

    rebuild_database(place)


@db.command()
def check(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Audit runs and database.

    Each log is audited by another route than the one that wrote it, and the database is compared with what the logs say. Exit code 1 where
    anything is wrong.
    """
    _, place = settle(home, None)
    warm()
    from paperdesk.app.inspect import check_home

    raise typer.Exit(check_home(place, as_json))


@app.command()
def explain(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="An order or a signal, such as PAPER-0-12 or SIGNAL-0-3 (the newest run), or RUN:PAPER-0-12.",
        ),
    ],
    home: HomeOption = None,
) -> None:
    """Tell the life of an order, or what became of a signal.

    What was asked, what happened and why, what each fill rests on, and why no order followed where none did.
    """
    _, place = settle(home, None)
    from paperdesk.app.explain import explained

    typer.echo(explained(place, name))


@app.command()
def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the runs of this home."""
    _, place = settle(home, None)
    from paperdesk.app.status import show_status

    show_status(place, as_json)


@app.command()
def doctor(
    bundle: Annotated[bool, typer.Option("--bundle", help="Also write a redacted .tar.gz for a bug report.")] = False,
    home: HomeOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check this machine and this home.

    Python, compiled code, settings, disk, lock and logs. Exit code 1 where a check fails.
    """
    from paperdesk.app.doctor import examine

    raise typer.Exit(examine(home, config, bundle, as_json))


@home_commands.command()
def purge(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: HomeOption = None,
) -> None:
    """Remove all runs and the database. There is no way back."""
    _, place = settle(home, None)
    from paperdesk.app.status import purge_home

    if not yes and not typer.confirm(f"Remove all {len(place.runs())} runs and the database in {place.root}?"):
        typer.echo("Nothing was removed.")
        raise typer.Exit(1)
    purge_home(place)


def fail(message: str, code: int) -> NoReturn:
    """Say what happened and leave."""
    stop = "" if message.endswith((".", "!", "?", ")")) else "."
    print(f"paperdesk: {message[:1].upper()}{message[1:]}{stop}", file=sys.stderr, flush=True)
    raise SystemExit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: every refusal becomes a message and an exit code (docs/first-steps.md lists them). `arguments`: those of the
    process, which is then the command's own.
    """
    try:
        app(
            args=arguments if arguments is None else list(arguments),
            prog_name="paperdesk",
            obj=Caller(owns_process=arguments is None),
        )
    except SettingsRefused as refusal:
        fail(str(refusal), refusal.exit_code)
    except DeskError as error:
        fail(str(error), error.exit_code)
    except StoreError as error:
        fail(str(error), EXIT_IO)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
