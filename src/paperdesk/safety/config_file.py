"""The configuration file: TOML in, checked plain values out, every refusal with its line.

The schema is the table `_CHECKS` below: one entry a key, a function from the raw value to the checked one. Keys not
in it are refused, and so is anything that looks like a credential, wherever in the file it stands.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from paperdesk.safety.config_values import (
    FILL_MODELS,
    LATENCY_WORDS,
    MAX_LATENCY_MS,
    DoorSettings,
    FeeTier,
    Parameter,
    Unfit,
    amount_of,
    choice,
    door_of,
    fees_of,
    latency_model_of,
    latency_of,
    list_of,
    name_of,
    parameters_of,
    path_of,
    speed_of,
    switch_of,
    table_of,
    text_of,
    whole,
)
from paperdesk.safety.credentials import credential_in_name, credential_in_value
from paperdesk.safety.refusal import refuse

__all__ = [
    "FEEDS",
    "KEYS",
    "MAX_COOLDOWN_S",
    "MAX_LATENCY_MS",
    "DoorSettings",
    "FeeTier",
    "LimitSettings",
    "Parameter",
    "read",
]

FEEDS = ("replay", "sim")
MAX_FILE_BYTES = 1 << 18
MAX_COOLDOWN_S = 86_400
MAX_SEED = 2**63 - 1

_ASSET = re.compile(r"[A-Z0-9]{1,20}")
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9/:._-]{0,39}")
_BALANCE = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,18})?[ :]?(?=[0-9]*[A-Z])[A-Z0-9]{1,20}")
_POSITION = re.compile(r"\(at (.+)\)$")


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Risk limits as decimal strings in the reporting asset, and a cooldown in seconds; None means no such limit."""

    max_order: str | None = None
    max_position: str | None = None
    max_exposure: str | None = None
    max_daily_loss: str | None = None
    max_drawdown: str | None = None
    cooldown_s: int | None = None


def read(path: Path) -> dict[str, Any]:
    """Reads and checks the file at `path`: field names of `Settings` to values; relative paths joined to its folder.

    Raises:
        SettingsRefused: The file cannot be read, is not TOML, or holds an unknown key, an unfit value or a credential.
    """
    text = _read_text(path)
    tree = _parse(text, path)
    _refuse_credentials(tree, text, path)
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if key not in _CHECKS:
            _refuse_unknown(key, list(_CHECKS), (key,), text, path)
        if key in ("limits", "bot_limits"):
            found[key] = _read_limits(key, value, text, path)
        else:
            found[key] = _checked(_CHECKS[key], value, (key,), text, path)
    return {key: _joined(key, value, path.parent) for key, value in found.items()}


def _read_text(path: Path) -> str:
    """The file's text; a file that is missing, unreadable, too large or not UTF-8 is refused."""
    why = "the file was named on the command line or in PAPERDESK_CONFIG, so the desk does not start without it"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name is not a possible one"
        refuse(
            f"the configuration file cannot be read ({reason})",
            where=_named(path),
            why=why,
            remedy="check the path and the file's permissions",
        )
    if len(data) > MAX_FILE_BYTES:
        refuse(
            "the configuration file is over 256 KiB",
            where=_named(path),
            why="no honest one is so large",
            remedy="check that the path is right",
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        refuse(
            "the configuration file is not UTF-8",
            where=f"{_named(path)}:{line}",
            why="TOML is UTF-8 text",
            remedy="save the file as UTF-8",
        )


def _parse(text: str, path: Path) -> dict[str, Any]:
    """The file as plain tables; refused with line and column where it is not TOML."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        refuse(
            "the configuration file is nested too deeply",
            where=_named(path),
            why="it cannot be parsed",
            remedy="flatten it",
        )
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        at = _POSITION.search(said)
        reason = said[: at.start()].strip() if at else said
        refuse(
            f"the configuration file is not valid TOML{'' if credential_in_value(reason) else f' ({reason})'}",
            where=f"{_named(path)}, {at[1] if at else 'position unknown'}",
            why="a file that cannot be read whole is not used in part",
            remedy="correct the line; text belongs in double quotes, lists in square brackets",
        )


def _refuse_credentials(tree: dict[str, Any], text: str, path: Path) -> None:
    """Refuses the file when a name or text in it, at any depth, looks like a credential; shows neither."""
    for keys, value in _leaves(tree, ()):
        name = keys[-1]
        looks_like = credential_in_value(name)
        shown = "a key" if looks_like else ".".join(keys)
        looks_like = (
            looks_like or credential_in_name(name) or (credential_in_value(value) if isinstance(value, str) else None)
        )
        if looks_like:
            refuse(
                f"{shown} in the configuration file holds what looks like {looks_like}",
                where=_place(keys, text, path),
                why="a paper desk needs no credential and will not keep one; its value is not shown here or logged",
                remedy="remove it, or rename a strategy parameter with an unlucky name; if it is real, revoke it",
            )


def _leaves(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every table entry and list element below `value` with the names that lead to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*keys, key), None if isinstance(inner, dict | list) else inner
            yield from _leaves(inner, (*keys, key))
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list):
                yield from _leaves(inner, keys)
            else:
                yield keys, inner


def _read_limits(name: str, value: Any, text: str, path: Path) -> LimitSettings:
    """The `[limits]` or `[bot_limits]` table, each amount a quoted decimal."""
    table = _checked(table_of, value, (name,), text, path)
    known = list(LimitSettings.__struct_fields__)
    for key in table:
        if key not in known:
            _refuse_unknown(key, known, (name, key), text, path)
    checks: dict[str, Callable[[Any], Any]] = dict.fromkeys(known, amount_of) | {"cooldown_s": whole(0, MAX_COOLDOWN_S)}
    return LimitSettings(**{key: _checked(checks[key], inner, (name, key), text, path) for key, inner in table.items()})


def _checked(check: Callable[[Any], Any], value: Any, keys: tuple[str, ...], text: str, path: Path) -> Any:
    """The checked value, or a refusal that says what it must be."""
    try:
        return check(value)
    except Unfit as error:
        name = ".".join(keys)
        refuse(
            f"{name} in the configuration file must be {error}",
            where=_place(keys, text, path),
            why=f"{_described(value)} was found, and the desk does not guess",
            remedy="correct the value, or remove the line for the default",
        )


def _refuse_unknown(key: str, known: list[str], keys: tuple[str, ...], text: str, path: Path) -> None:
    """Refuses an unknown key, naming the nearest known one."""
    matches = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    refuse(
        f"{'.'.join(keys)} is not a key of the configuration file{f' (did you mean {matches[0]}?)' if matches else ''}",
        where=_place(keys, text, path),
        why="a misspelled key would otherwise be ignored without a word",
        remedy=f"remove it; the keys {'here' if len(keys) == 1 else f'of [{keys[0]}]'} are {', '.join(known)}",
    )


def _joined(key: str, value: Any, folder: Path) -> Any:
    """`value` with relative paths joined to the file's folder."""
    if key in ("home", "instruments"):
        return folder / value
    if key == "data":
        return tuple(folder / item for item in value)
    if key == "latency_model" and not value.startswith(LATENCY_WORDS):
        return str(folder / value)
    if key == "strategy" and value.endswith(".py"):
        return str(folder / value)
    return value


def _named(path: Path) -> str:
    """The path as a message shows it."""
    return "the configuration file (its name looks like a credential)" if credential_in_value(str(path)) else str(path)


def _place(keys: tuple[str, ...], text: str, path: Path) -> str:
    """`file:line` of a key, found by reading the text again, since the parser keeps no lines; `file` when not found."""
    table: tuple[str, ...] = ()
    best = 0
    for number, line in enumerate(text.splitlines(), start=1):
        plain = line.partition("#")[0].strip()
        if plain.startswith("[") and plain.endswith("]"):
            here = table = _dotted(plain.strip("[] "))
        elif "=" in plain:
            here = (*table, *_dotted(plain.partition("=")[0]))
        else:
            continue
        if here == keys:
            return f"{_named(path)}:{number}"
        if here == keys[: len(here)] or keys == here[: len(keys)]:  # an inline table, a list, or a table further down
            best = best or number
    return f"{_named(path)}:{best}" if best else _named(path)


def _dotted(name: str) -> tuple[str, ...]:
    """The parts of a dotted TOML key, without quotes."""
    return tuple(part.strip().strip("\"'") for part in name.split("."))


def _described(value: Any) -> str:
    """A value as a message shows it: numbers and short texts as they are, the rest by kind."""
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= 40 else f"a text of {len(value)} characters"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value!r}"
    if isinstance(value, dict):
        return "a table"
    return "a list" if isinstance(value, list) else "a date or time"


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "feed": choice(FEEDS),
    "data": list_of(path_of, "paths"),
    "symbols": list_of(text_of(_SYMBOL, 'a list of symbols, as in ["BTCUSDT"]'), "symbols"),
    "strategy": name_of,
    "parameters": parameters_of,
    "speed": speed_of,
    "balance": list_of(
        text_of(_BALANCE, 'a list of amounts with their assets, as in ["10000USDT", "0.5BTC"]'), "amounts"
    ),
    "home": path_of,
    "seed": whole(0, MAX_SEED),
    "reporting": text_of(_ASSET, 'an asset, as in "USDT"'),
    "latency_ms": latency_of,
    "latency_model": latency_model_of,
    "fill_model": choice(FILL_MODELS),
    "fill_band": switch_of,
    "shadow": switch_of,
    "fees": fees_of,
    "limits": table_of,
    "bot_limits": table_of,
    "instruments": path_of,
    "door": door_of,
    "conversions": list_of(text_of(_SYMBOL, 'a list of instrument symbols, as in ["BTCUSDT"]'), "symbols"),
}
"""Every key of the file and what makes its value fit."""

KEYS = tuple(_CHECKS)
"""Every key of the file, for the documentation and its test."""
