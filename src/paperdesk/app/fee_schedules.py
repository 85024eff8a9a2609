"""Fees by name or from a file: what an account pays by what it traded in thirty days.

Shipped schedules hold the entry tier of a venue's spot market alone, as of the date that stands beside it; higher tiers, discounts and
regional rates are the user's to give. Venues change fees often, and no desk on paper can ask for an account's own.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from paperdesk.app.errors import EXIT_USAGE, DeskError
from paperdesk.safety.config_values import FeeTier, Unfit, fees_of

SCHEDULES: Final[Mapping[str, tuple[FeeTier, ...]]] = {
    # Seen as constants of QuantConnect Lean's BinanceFeeModel, 2026-11: 0.10 % and 0.10 %, without the discount for fees in BNB.
    "binance": (FeeTier(volume="0", maker="0.001", taker="0.001"),),
    # Named as OKX' base tier in its API's description of trade-fee, 2026-11: 0.08 % and 0.10 %.
    "okx": (FeeTier(volume="0", maker="0.0008", taker="0.001"),),
    # Named as Kraken's base tier in its API's description of TradeVolume, 2026-11: 0.25 % and 0.40 %.
    "kraken": (FeeTier(volume="0", maker="0.0025", taker="0.004"),),
    # Coinbase Exchange, 2026-11: 0.40 % and 0.60 %. Coinbase Advanced has its own, which differ by region.
    "coinbase-exchange": (FeeTier(volume="0", maker="0.004", taker="0.006"),),
}


def fee_schedule(text: str) -> tuple[FeeTier, ...]:
    """The tiers of a shipped schedule, or of a TOML file with `tiers`; DeskError saying what is wrong and what there is."""
    if text in SCHEDULES:
        return SCHEDULES[text]
    path = Path(text)
    ways = f"choose one of {', '.join(SCHEDULES)}, or give a TOML file with tiers as docs/configuration.md shows them"
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        return fees_of(tree.get("fees", tree))
    except OSError as error:
        raise DeskError(
            f"--fees {text}: it is no schedule that ships, and no file that can be read ({error.strerror}); {ways}.",
            EXIT_USAGE,
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeskError(f"--fees {text}: the file is not TOML ({error}); {ways}.", EXIT_USAGE) from error
    except Unfit as unfit:
        raise DeskError(f"--fees {text}: the file must hold {unfit}; correct it.", EXIT_USAGE) from unfit
