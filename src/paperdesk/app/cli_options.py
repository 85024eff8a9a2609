"""Options of the command line, with the help that they show."""

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", metavar="FOLDER", help="Folder of runs and database. Default: your data folder, or PAPERDESK_HOME."
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings in TOML; docs/configuration.md lists the keys."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line; people's text goes to standard error.")
]
FeedOption = Annotated[
    str | None,
    typer.Option(
        metavar="auto|live|replay|sim",
        help="auto: live prices where the venue answers within seconds, else a simulated market that says so. live: live prices or "
        "nothing. replay: recorded data from --data. sim: a seeded, simulated market. Default: auto, or sim for a bounded run.",
    ),
]
DataOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="PATH", help="A recording, or a folder of them; repeat to replay several together, merged by time."
    ),
]
SymbolsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SYMBOL",
        help="What to trade, such as BTC/USDT; repeat or separate by commas. Default: all there is.",
    ),
]
StrategyOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME|FILE.py",
        help="ema_cross, quoter, dip_buyer, or the path of your own .py file; repeat for several bots.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A strategy parameter, such as fast=12; `paperdesk strategies` lists them.",
    ),
]
SpeedOption = Annotated[
    str | None,
    typer.Option(
        metavar="max|NUMBER", help="max, or a multiple of the data's own pace. Default: max for replay, 1 for sim."
    ),
]
UntilEndOption = Annotated[bool, typer.Option("--until-end", help="Stop when the data ends instead of staying up.")]
ForOption = Annotated[float | None, typer.Option("--for", metavar="SECONDS", help="Stop after so many seconds.")]
EventsOption = Annotated[int | None, typer.Option(metavar="COUNT", help="Stop after so many market events.")]
BalanceOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="AMOUNT", help="Opening balances, such as 10000USDT,0.5BTC. Default: 10000 of the quote asset."
    ),
]
ReportingOption = Annotated[
    str | None, typer.Option(metavar="ASSET", help="The asset that equity and limits are told in.")
]
LatencyMsOption = Annotated[
    float | None,
    typer.Option(metavar="MS", help="How long orders and cancels take to reach the venue. Default: 50."),
]
LatencyModelOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL|FILE",
        help="Latencies that are drawn: uniform:20:80, lognormal:50:0.5 (milliseconds), or a file of measured milliseconds. Default: always the same.",
    ),
]
FillModelOption = Annotated[
    str | None,
    typer.Option(
        metavar="optimistic|expected|pessimistic",
        help="What is believed where the data does not say how an order was filled. Default: expected.",
    ),
]
FillBandOption = Annotated[
    bool | None,
    typer.Option(
        "--fill-band/--no-fill-band",
        help="The same bots in three accounts, one for each fill model: the distance between them is the error bar.",
    ),
]
ShadowOption = Annotated[
    bool | None,
    typer.Option(
        "--shadow/--no-shadow", help="The same bots once more without limits: what the protections cost or saved."
    ),
]
SelfTradeOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODE",
        help="What an order does that would meet a waiting one of its own account: none, expire_maker, expire_taker, expire_both, decrement. "
        "Default: expire_maker.",
    ),
]
FeesOption = Annotated[
    str | None,
    typer.Option(
        metavar="VENUE|FILE",
        help="Fees by what was traded in thirty days: binance, okx, kraken, coinbase-exchange (their entry tiers), or a TOML file. "
        "Default: those of the instruments.",
    ),
]
InstrumentsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Definitions (exchangeInfo JSON or .zst) for recordings that bring none."),
]
SeedOption = Annotated[int | None, typer.Option(metavar="NUMBER", help="Seed of the simulated market.")]
PageOption = Annotated[
    bool | None,
    typer.Option(
        "--page/--no-page",
        help="Start the desk's processes with its page in the browser, or one process that prints what happened. Default: a page, "
        "unless the run is bounded by --until-end, --for or --events.",
    ),
]
HostOption = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Where the page listens: 127.0.0.1 or ::1, this machine alone.")
]
PortOption = Annotated[
    int | None,
    typer.Option(
        metavar="PORT", min=0, max=65535, help="The page's port. Default: 8420, or a free one where that is taken."
    ),
]
VenueAtOption = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS:PORT",
        help="With --feed live: a server on this machine that plays the venue. Its prices are labelled SIMULATED.",
    ),
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Begin a new run even where an unfinished one of the same kind could go on.")
]
AckFdOption = Annotated[
    int | None,
    typer.Option(help="File descriptor that gets a line for each durable group of outputs.", hidden=True),
]
