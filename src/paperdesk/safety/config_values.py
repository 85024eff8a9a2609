"""What the values of the configuration file must be: functions from the raw value to the checked one, or Unfit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from paperdesk.safety.allowlist import Entry
from paperdesk.safety.senders import MOST_SENDERS, PURPOSES, entry_of

Parameter = bool | int | float | str | list["bool | int | float | str"]
"""A strategy parameter: a scalar or a list of scalars."""

MAX_LATENCY_MS = 60_000

FILL_MODELS = ("optimistic", "expected", "pessimistic")
SELF_TRADES = ("none", "expire_maker", "expire_taker", "expire_both", "decrement")
MOST_TIERS = 10
LATENCY_WORDS = ("uniform:", "lognormal:")

_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,8})?")


class DoorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the door may reach beside the market data list: receivers, as entries."""

    senders: tuple[Entry, ...] = ()


class FeeTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fees from a volume of thirty days on, in the reporting asset; rates as parts of the amount, "0.001" is 0.1 %. Decimal texts."""

    volume: str
    maker: str
    taker: str


class Unfit(ValueError):  # noqa: N818  a fact, named as one
    """A value of the wrong kind; the message completes the sentence `<key> must be …`."""


def table_of(value: Any) -> dict[str, Any]:
    """A table."""
    if not isinstance(value, dict):
        raise Unfit("a table")
    return value


def choice(known: tuple[str, ...]) -> Callable[[Any], str]:
    """One of some words."""

    def _check(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise Unfit("one of " + ", ".join(f'"{item}"' for item in known))
        return value

    return _check


def whole(least: int, most: int) -> Callable[[Any], int]:
    """A whole number within bounds."""

    def _check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Unfit(f"a whole number from {least} to {most}")
        return value

    return _check


def text_of(shape: re.Pattern[str], meaning: str) -> Callable[[Any], str]:
    """A text of a shape."""

    def _check(value: Any) -> str:
        if not isinstance(value, str) or not shape.fullmatch(value):
            raise Unfit(meaning)
        return value

    return _check


def list_of(check_one: Callable[[Any], Any], meaning: str) -> Callable[[Any], tuple[Any, ...]]:
    """A list without duplicates."""

    def _check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Unfit(f"a list, in square brackets, of {meaning}")
        items = tuple(check_one(item) for item in value)
        if len(set(items)) != len(items):
            raise Unfit(f"a list of {meaning} without duplicates")
        return items

    return _check


def path_of(value: Any) -> Path:
    """A path."""
    if not isinstance(value, str) or not value or "\0" in value or value.startswith("~"):
        raise Unfit("a path, in quotes; ~ is not expanded")
    return Path(value)


def name_of(value: Any) -> str:
    """A strategy."""
    if (
        not isinstance(value, str)
        or not value.strip()
        or any(ord(sign) < 32 for sign in value)
        or value.startswith("~")
    ):
        raise Unfit("the name of a strategy, or the path of a file that ends in .py; ~ is not expanded")
    return value


def speed_of(value: Any) -> float | str:
    """A pace."""
    if value == "max":
        return "max"
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or not 0 < value <= 1e9
    ):
        raise Unfit('"max" or a number above 0, at most 1e9')
    return float(value)


def latency_of(value: Any) -> float:
    """A latency in milliseconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_LATENCY_MS:
        raise Unfit(f"a number of milliseconds from 0 to {MAX_LATENCY_MS}")
    return float(value)


def amount_of(value: Any) -> str:
    """An amount of money."""
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value) or not value.strip("0."):
        raise Unfit('a decimal number above 0 in quotes, as in "250.50", with at most 8 decimals')
    return value


def parameters_of(value: Any) -> dict[str, Parameter]:
    """Parameters of strategies."""
    table = table_of(value)
    for inner in table.values():
        for item in inner if isinstance(inner, list) else [inner]:
            if not isinstance(item, bool | int | float | str) or (isinstance(item, float) and not math.isfinite(item)):
                raise Unfit("a table of finite numbers, texts, true or false, and lists of these")
    return table


def door_of(value: Any) -> DoorSettings:
    """The `[door]` table; its only key is `senders`."""
    table = table_of(value)
    given = table.get("senders", [])
    if not table.keys() <= {"senders"} or not isinstance(given, list) or len(given) > MOST_SENDERS:
        raise Unfit(f"a table with one key, senders: a list of at most {MOST_SENDERS} tables with url and purpose")
    made: list[Entry] = []
    for number, row in enumerate(given, start=1):
        if not isinstance(row, dict) or row.keys() != {"url", "purpose"}:
            raise Unfit(f'a list of senders, each {{ url = "https://…", purpose = "{PURPOSES[0]}" }}')
        try:
            made.append(entry_of(row["url"], row["purpose"], number))
        except ValueError as error:
            raise Unfit(f"a list of senders; the address of number {number} must be {error}") from None
    if len({(entry.host, entry.path) for entry in made}) != len(made):
        raise Unfit("a list of senders without duplicates")
    return DoorSettings(senders=tuple(made))


def switch_of(value: Any) -> bool:
    """On or off."""
    if not isinstance(value, bool):
        raise Unfit("true or false, without quotes")
    return value


def latency_model_of(value: Any) -> str:
    """A model of latencies by its words, or the path of a file; which words and numbers fit, `app/latency_model.py` says."""
    if not isinstance(value, str) or not value.strip() or any(ord(sign) < 32 for sign in value) or value[0] == "~":
        raise Unfit('"uniform:20:80", "lognormal:50:0.5", or the path of a file of milliseconds; ~ is not expanded')
    return value


def fees_of(value: Any) -> tuple[FeeTier, ...]:
    """The `[fees]` table: its only key is `tiers`, rising volumes from 0 on, each with its rates."""
    table = table_of(value)
    given = table.get("tiers")
    if table.keys() != {"tiers"} or not isinstance(given, list) or not 0 < len(given) <= MOST_TIERS:
        raise Unfit(f"a table with one key, tiers: a list of 1 to {MOST_TIERS} tables with volume, maker and taker")
    tiers: list[FeeTier] = []
    for number, row in enumerate(given, start=1):
        if not isinstance(row, dict) or row.keys() != {"volume", "maker", "taker"}:
            raise Unfit('a list of tiers, each { volume = "0", maker = "0.001", taker = "0.001" }')
        if not all(isinstance(text, str) and _DECIMAL.fullmatch(text) for text in row.values()):
            raise Unfit(
                f"a list of tiers; number {number} must hold decimal numbers in quotes, with at most 8 decimals"
            )
        if max(Decimal(row["maker"]), Decimal(row["taker"])) > 1:
            raise Unfit(
                f'a list of tiers; a rate of number {number} is above 1, which is everything ("0.001" is 0.1 %)'
            )
        tiers.append(FeeTier(**row))
    volumes = [Decimal(tier.volume) for tier in tiers]
    if volumes[0] != 0 or any(high <= low for low, high in pairwise(volumes)):
        raise Unfit('a list of tiers whose volumes rise, the first from "0" on')
    return tuple(tiers)
