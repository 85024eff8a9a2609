"""The paper-only lock: reads the desk's settings, or refuses to.

Settings come from two places, the environment and one TOML file; both are read here, once, at the start. The reading
is strict because a misread setting is how a desk does something its owner did not ask for:

- `PAPER_TRADING_MODE` must be exactly `true` and `ALLOW_REAL_TRADES` exactly `false`; unset means that, empty does not.
- An unknown `PAPERDESK_…` variable or an unknown key in the file is refused, with the nearest known one.
- What looks like a credential in the desk's own settings is refused unread: no part of the desk could use it. Other
  programs' variables are not looked at.

A refusal is a `SettingsRefused`, which the command line turns into its message and exit code 78. There is no field in
`Settings` that could hold a trading permission, a key or the address of an exchange's trading interface.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from paperdesk.safety import config_file
from paperdesk.safety.config_file import DoorSettings, FeeTier, LimitSettings, Parameter
from paperdesk.safety.credentials import credential_in_name, credential_in_value
from paperdesk.safety.refusal import SettingsRefused, refuse

__all__ = ["DoorSettings", "FeeTier", "LimitSettings", "Parameter", "Settings", "SettingsRefused", "read_settings"]

PAPER_LOCK = {"PAPER_TRADING_MODE": "true", "ALLOW_REAL_TRADES": "false"}
"""The two switches and the only value each may have."""

VARIABLES = ("PAPERDESK_HOME", "PAPERDESK_CONFIG", "PAPERDESK_LOG_LEVEL")
"""Every variable of the desk's own; any other name that starts with `PAPERDESK_` is refused."""

LOG_LEVELS = ("debug", "info", "warning", "error")

_PREFIX = "PAPERDESK_"
_SHOWN_CHARS = 40


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the owner asked for, checked. None or empty means not said: the command line or the desk's default decides.

    Paths from the file are joined to the file's folder; `strategy` is a name, or a path when it ends in `.py`. `speed`
    is `"max"` or a multiple of recorded time; `balance` holds entries such as `"10000USDT"`; `latency_ms` is in
    milliseconds; amounts in `limits` (the account's) and `bot_limits` (each bot's) and volumes in `fees` are decimal
    strings in the reporting asset.
    """

    log_level: str = "info"
    config_path: Path | None = None
    home: Path | None = None
    feed: str | None = None
    data: tuple[Path, ...] = ()
    symbols: tuple[str, ...] = ()
    strategy: str | None = None
    parameters: dict[str, Parameter] = {}
    speed: float | str | None = None
    balance: tuple[str, ...] = ()
    seed: int | None = None
    reporting: str | None = None
    latency_ms: float | None = None
    latency_model: str | None = None
    fill_model: str | None = None
    fill_band: bool = False
    shadow: bool = False
    fees: tuple[FeeTier, ...] = ()
    limits: LimitSettings = LimitSettings()
    bot_limits: LimitSettings = LimitSettings()
    instruments: Path | None = None
    conversions: tuple[str, ...] = ()
    door: DoorSettings = DoorSettings()


def read_settings(environ: Mapping[str, str], config_path: Path | None = None) -> Settings:
    """Reads and checks the settings; the one way to get them.

    Args:
        environ: The process environment.
        config_path: The TOML file; None takes `PAPERDESK_CONFIG`, and no file where that is unset too.

    Raises:
        SettingsRefused: A setting could mean something other than paper trading, is unknown, malformed, or looks like a
            credential. The message says what, where, why, and what to do next; it never holds a credential's value.
    """
    _check_paper_lock(environ)
    _check_variables(environ)
    log_level = environ.get("PAPERDESK_LOG_LEVEL", "info")
    if log_level not in LOG_LEVELS:
        refuse(
            f"PAPERDESK_LOG_LEVEL is {_shown(log_level)}",
            where="the environment variable PAPERDESK_LOG_LEVEL",
            why=f"the levels are {', '.join(LOG_LEVELS)}, in lower case",
            remedy="set one of them, or unset the variable for info",
        )
    path = config_path
    if path is None and "PAPERDESK_CONFIG" in environ:
        path = Path(environ["PAPERDESK_CONFIG"])
    found: dict[str, Any] = config_file.read(path) if path is not None else {}
    if "PAPERDESK_HOME" in environ:
        found["home"] = Path(environ["PAPERDESK_HOME"])
    return Settings(log_level=log_level, config_path=path, **found)


def _check_paper_lock(environ: Mapping[str, str]) -> None:
    """Refuses any value of the two switches but the paper one, and any other spelling of their names."""
    for name in sorted(environ):
        proper = name.upper()
        if proper not in PAPER_LOCK:
            continue
        if name != proper:
            refuse(
                f"{name} is set, but the switch is spelled {proper}",
                where=f"the environment variable {name}",
                why="a switch that is set under another spelling may be meant to change something, so the desk stops",
                remedy=f"unset {name}; for paper trading {proper} is '{PAPER_LOCK[proper]}' or unset",
            )
        if environ[name] != PAPER_LOCK[name]:
            refuse(
                f"{name} is {_shown(environ[name])}",
                where=f"the environment variable {name}",
                why=f"Paperdesk trades on paper only, so it may be '{PAPER_LOCK[name]}', spelled exactly so, or unset",
                remedy=f"set {name}={PAPER_LOCK[name]} or unset it; there is no setting that makes it trade for real",
            )


def _check_variables(environ: Mapping[str, str]) -> None:
    """Refuses `PAPERDESK_…` variables that hold a credential, are unknown, or are empty."""
    for name in sorted(environ):
        if not name.upper().startswith(_PREFIX):
            continue
        odd_name = credential_in_value(name) or credential_in_value(name[len(_PREFIX) :])
        looks_like = credential_in_name(name) or credential_in_value(environ[name]) or odd_name
        if looks_like:
            refuse(
                f"{'a PAPERDESK_ variable' if odd_name else name} holds what looks like {looks_like}",
                where="the environment" if odd_name else f"the environment variable {name}",
                why="a paper desk needs no credential and will not keep one; its value is not shown here or logged",
                remedy="unset the variable; if the credential is real and others may have seen it, revoke it",
            )
        if name not in VARIABLES:
            refuse(
                f"{name} is not a setting of Paperdesk{_nearest(name.upper(), VARIABLES)}",
                where=f"the environment variable {name}",
                why="a misspelled setting would otherwise be ignored without a word",
                remedy=f"unset it; the settings are {', '.join(VARIABLES)}",
            )
        if not environ[name]:
            refuse(
                f"{name} is empty",
                where=f"the environment variable {name}",
                why="empty could mean the default or a value that got lost",
                remedy="give it a value, or unset it for the default",
            )


def _nearest(name: str, known: Iterable[str]) -> str:
    """` (did you mean X?)` for the closest known name, or nothing."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {matches[0]}?)" if matches else ""


def _shown(value: str) -> str:
    """A value as a message may show it: quoted, cut, and replaced where it looks like a credential."""
    looks_like = credential_in_value(value)
    if looks_like:
        return f"what looks like {looks_like} (not shown)"
    return repr(value if len(value) <= _SHOWN_CHARS else value[:_SHOWN_CHARS] + "…")
