"""A whole desk with a band and a ghost: the same orders in all accounts, switches where they belong, and all of it after a restart."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.app.desk import paperdesk
from tests.family.desk import Desk, desk

BOTS = ("--strategy", "quoter", "--strategy", "dip_buyer")


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("accounts") / "home", *BOTS, "--fill-band", "--shadow") as made:
        yield made


def rows(one: Desk, text: str) -> list[Any]:
    """What the desk's database says."""
    with sqlite3.connect(f"file:{one.home}/paperdesk.db?mode=ro", uri=True) as database:
        return database.execute(text).fetchall()


def live(one: Desk, account: int) -> list[dict[str, Any]]:
    """A person's live orders in an account."""
    return [order for order in one.get("orders", account=account, status="live")["orders"] if order["bot"] == 0]


def test_the_desk_tells_its_accounts(one: Desk) -> None:
    told = one.get("desk")
    assert [(row["role"], row["label"], row["fill_model"]) for row in told["accounts"]] == [
        ("main", "account", "expected"),
        ("band", "optimistic", "optimistic"),
        ("band", "pessimistic", "pessimistic"),
        ("ghost", "GHOST", "expected"),
    ]
    assert [bot["name"] for bot in told["bots"]] == ["quoter-1", "dip_buyer-2"], (
        "the others' bots are not the account's"
    )
    assert told["latency"] == "50 ms" and one.get("state")["fill_model"] == "expected"
    books = one.wait(lambda: [row for row in [one.get("accounts")] if row["spread"] is not None])[0]
    assert books["same_orders"] and all(row["opening_equity"] == "10000.00000000" for row in books["accounts"])
    points = [one.get("equity", account=account)["points"] for account in range(4)]
    assert [point["opening"] for point in points[3]] == ["10000.00000000"] * len(points[3])


def test_an_order_and_its_cancel_go_to_all_accounts_also_after_a_restart(one: Desk) -> None:
    sent = one.order(order_type="limit", price="1000", quantity="0.01").json()
    number = int(sent["order"].rsplit("-", 1)[1])
    assert sent["order"].startswith("PAPER-0-") and [event["order"] for event in sent["events"]] == [sent["order"]]
    one.wait(lambda: all(len(live(one, account)) == 1 for account in range(4)))
    pid = one.processes()["engine"]["pid"]
    os.kill(pid, signal.SIGKILL)
    one.wait(lambda: one.processes()["engine"]["pid"] != pid and one.client.get("/healthz").status_code == 200)
    path, headers = f"/api/v1/orders/{sent['order']}", {"Idempotency-Key": "cancel-it"}
    one.wait(lambda: one.client.delete(path, headers=headers).status_code == 200)
    one.wait(lambda: not any(live(one, account) for account in range(4)))
    found = rows(one, "SELECT account, client_id, status, qty_lots FROM orders WHERE bot = 0 ORDER BY account")
    assert found == [(account, number if account else 0, "canceled", found[0][3]) for account in range(4)]
    (story,) = [
        one.get(f"orders/{row['id']}")["story"] for row in one.get("orders", account=2)["orders"] if row["bot"] == 0
    ]
    assert f"It is the same order as {sent['order']}, sent to all accounts." in " ".join(story)
    assert "same order" not in " ".join(one.get(f"orders/{sent['order']}")["story"])
    events = one.get("events", limit=1000)["events"]
    assert {event["order"].split("-")[1] for event in events if event["order"]} == {"0"}, "events are the account's own"


def test_an_order_of_a_bot_is_canceled_in_the_account_alone(one: Desk) -> None:
    order = one.wait(lambda: [row for row in one.get("orders", status="live")["orders"] if row["bot"] == 1])[0]
    before = rows(one, "SELECT COUNT(*) FROM refusals WHERE account > 0 AND what = 'cancel_rejected'")
    one.client.delete(f"/api/v1/orders/{order['id']}", headers={"Idempotency-Key": "of-a-bot"})
    one.wait(
        lambda: one.get(f"orders/{order['id']}")["order"]["status"] not in ("submitted", "accepted", "partially_filled")
    )
    after = rows(one, "SELECT COUNT(*) FROM refusals WHERE account > 0 AND what = 'cancel_rejected' AND bot = 0")
    assert after[0][0] <= before[0][0], "nothing was sent to the others"


def test_a_stopped_bot_stops_in_the_band_and_its_ghost_goes_on(one: Desk) -> None:
    def switches() -> list[Any]:
        return rows(one, "SELECT account, bot, killed FROM bots ORDER BY bot")

    assert one.post("bots/2/stop").status_code == 200
    one.wait(lambda: switches() == [
        (0, 1, 0), (0, 2, 1), (1, 3, 0), (1, 4, 1), (2, 5, 0), (2, 6, 1), (3, 7, 0), (3, 8, 0),
    ])  # fmt: skip
    assert one.post("bots/2/start").status_code == 200
    one.wait(lambda: not any(killed for *_, killed in switches()))


def test_the_desks_kill_switch_stops_ghosts_too(one: Desk) -> None:
    assert one.post("kill").status_code == 200
    one.wait(lambda: rows(one, "SELECT killed FROM runs") == [(1,)])
    one.wait(lambda: not any(one.get("orders", account=account, status="live")["orders"] for account in range(4)))
    last = rows(one, "SELECT MAX(updated_seq) FROM orders WHERE status <> 'denied'")
    denied = "SELECT COUNT(DISTINCT account) FROM refusals WHERE reason = 'killed'"
    one.wait(lambda: rows(one, denied) == [(4,)])
    told = one.get("accounts")["accounts"]
    assert all(row["denied"].get("killed", 0) > 0 for row in told), "orders that were denied are counted by reason"
    assert rows(one, "SELECT MAX(updated_seq) FROM orders WHERE status <> 'denied'") == last
    code, _ = one.stop()
    assert code == 0
    assert paperdesk("db", "check", "--home", Path(one.home)).code == 0
