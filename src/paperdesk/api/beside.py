"""All accounts of the desk: the one that is its own, and those beside it to compare it with."""

from typing import Any, Final

from sqlalchemy import Connection, func, select

from paperdesk.api.engine_link import EngineLink
from paperdesk.api.models_accounts import Account, AccountBook, Accounts
from paperdesk.domain.events import OutputKind
from paperdesk.store import tables
from paperdesk.store.reading import KINDS

DENIED: Final = KINDS[int(OutputKind.ORDER_DENIED)]


def units_of(link: EngineLink) -> dict[int, int | None]:
    """Account → what it is worth, as the engine said last."""
    return {one.account: one.equity_units for one in link.pulse.accounts} if link.pulse else {}


def amount(link: EngineLink, units: int | None) -> str | None:
    """Units of the reporting asset as text."""
    if units is None or link.welcome is None:
        return None
    return link.directory.amount(link.directory.numbers.get(link.welcome.reporting, -1), units)


def accounts_of(link: EngineLink) -> list[Account]:
    """The accounts, the desk's own first."""
    if link.welcome is None:
        return []
    units = units_of(link)
    return [
        Account(
            account=row["account"],
            role=row["role"],
            label=row["label"],
            fill_model=row["fill_model"],
            equity=amount(link, units.get(row["account"])),
        )
        for row in link.welcome.accounts
    ]


def books_of(connection: Connection, run: str, link: EngineLink) -> Accounts:
    """The accounts with what came of them, and how far they are apart."""
    told, units = accounts_of(link), units_of(link)
    fills, orders = counted(connection, tables.fills, run), counted(connection, tables.orders, run)
    refusals = tables.refusals
    columns = (refusals.c.account, refusals.c.reason)
    query = select(*columns, func.count()).where(refusals.c.run == run, refusals.c.what == DENIED).group_by(*columns)
    denied: dict[int, dict[str, int]] = {}
    for account, reason, count in connection.execute(query.order_by(*columns)):
        denied.setdefault(account, {})[reason] = count
    books = [
        AccountBook(
            account=one.account,
            role=one.role,
            label=one.label,
            fill_model=one.fill_model,
            equity=one.equity,
            opening_equity=amount(link, opening(connection, run, one.account)),
            fills=fills.get(one.account, 0),
            orders=orders.get(one.account, 0),
            denied=denied.get(one.account, {}),
        )
        for one in told
    ]
    band = [units.get(one.account) for one in told if one.role != "ghost"]
    known = [one for one in band if one is not None]
    spread = max(known) - min(known) if len(known) == len(band) > 1 else None
    pair = [units.get(one.account) for one in told if one.role in ("main", "ghost")]
    saved = pair[0] - pair[1] if len(pair) == 2 and pair[0] is not None and pair[1] is not None else None
    assert link.welcome is not None, "there are accounts where the engine was met"
    return Accounts(
        reporting=link.welcome.reporting,
        accounts=books,
        spread=amount(link, spread),
        protections_saved=amount(link, saved),
        same_orders=len(books) > 1,
    )


def counted(connection: Connection, table: Any, run: str) -> dict[int, int]:
    """Account → rows of a table."""
    query = select(table.c.account, func.count()).where(table.c.run == run).group_by(table.c.account)
    return {row[0]: row[1] for row in connection.execute(query)}


def opening(connection: Connection, run: str, account: int) -> int | None:
    """What an account was worth at its opening; None before that is known."""
    table = tables.equity
    query = select(table.c.opening_units).where(table.c.run == run, table.c.account == account)
    return connection.execute(query.order_by(table.c.seq.desc(), table.c.number.desc()).limit(1)).scalar()
