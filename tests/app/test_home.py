"""Commands that look at a home: status, replay, database, doctor, purge; and what they say of damage."""

from __future__ import annotations

import json
import os
import sqlite3
import tarfile
from pathlib import Path

import pytest
from tests.app.desk import paperdesk, replayed, simulated, surroundings, up, walk

from paperdesk import __version__
from paperdesk.app.doctor import redacted

QUOTER = ("--strategy", "quoter", "--set", "size=0.1", "--set", "max_inventory=5", "--set", "edge=1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one finished run, 0001-replay."""
    assert replayed(tmp_path / "home", "--data", walk(tmp_path / "w.jsonl", steps=30), *QUOTER).code == 0
    return tmp_path / "home"


def log_of(home: Path) -> Path:
    return home / "runs" / "0001-replay" / "000001.log"


def test_version_and_help() -> None:
    assert paperdesk("--version").out == f"paperdesk {__version__}\n"
    for command in (
        "",
        "up",
        "strategies",
        "replay",
        "db",
        "db upgrade",
        "db rebuild",
        "db check",
        "explain",
        "status",
    ):
        told = paperdesk(*command.split(), "--help", variables={"COLUMNS": "80"})
        assert told.code == 0 and told.out.startswith(f"Usage: paperdesk {command}".rstrip())
        assert max(map(len, told.out.splitlines())) <= 80
        assert "..." not in told.out.replace("[ARGS]...", ""), "a summary that is cut off"


def test_strategies_tell_their_parameters() -> None:
    told = paperdesk("strategies").out
    assert "ema_cross: Long above, flat below" in told and "  fast = 20 (2 to 1000)  bars of the fast mean" in told
    assert "quoter: " in told and "dip_buyer: " in told


def test_status_lists_the_runs(home: Path, tmp_path: Path) -> None:
    data = walk(tmp_path / "long.jsonl", steps=60)
    up(home, "--feed", "replay", "--data", data, "--speed", "1", "--for", "0.05")
    for columns in (80, 200):
        told = paperdesk("status", "--home", home, variables={"COLUMNS": str(columns)})
        assert told.code == 0 and "0001-replay   finished" in told.out and "0002-replay   stopped" in told.out
        assert max(map(len, told.out.splitlines()[1:])) <= columns
    runs = paperdesk("status", "--home", home, "--json").json["runs"]
    assert [(run["run"], run["status"], run["ended"]) for run in runs] == [
        ("0001-replay", "finished", "end of data"),
        ("0002-replay", "stopped", "time"),
    ]
    assert runs[0]["data"] == ["w.jsonl"], "the name of a recording, not where it lies"


def test_a_home_without_runs(tmp_path: Path) -> None:
    empty = tmp_path / "none"
    assert "There are no runs in" in paperdesk("status", "--home", empty).message
    assert "`paperdesk up` makes one" in paperdesk("explain", "PAPER-0-1", "--home", empty).message
    assert "There is no home folder" in paperdesk("home", "purge", "--yes", "--home", empty).message
    assert not empty.exists()
    assert "0 runs audited; nothing wrong" in paperdesk("db", "check", "--home", empty).out


def test_replay_reproduces_byte_for_byte(home: Path) -> None:
    assert "inputs reproduced byte for byte" in paperdesk("replay", "0001-replay", "--home", home).out
    told = paperdesk("replay", "0001-replay", "--verify", "--home", home, "--json").json
    run = paperdesk("status", "--home", home, "--json").json["runs"][0]
    assert told["verified"] is True and told["state_hash"] == run["result"]["state_hash"]
    for name in ("0002-replay", "../home", ""):
        ended = paperdesk("replay", name, "--verify", "--home", home)
        assert ended.code == 1 and "the latest are: 0001-replay" in ended.message


def test_a_description_of_another_run_is_noticed(home: Path) -> None:
    path = home / "runs" / "0001-replay" / "run.json"
    path.write_text(path.read_text().replace('"state_hash": "', '"state_hash": "0'), encoding="utf-8")
    ended = paperdesk("replay", "0001-replay", "--verify", "--home", home)
    assert ended.code == 74 and "log and description do not belong together" in ended.message


def test_the_database_can_be_made_anew(home: Path) -> None:
    before = paperdesk("db", "rebuild", "--home", home).out
    (home / "paperdesk.db").unlink()
    ended = paperdesk("db", "check", "--home", home)
    assert ended.code == 1 and "the database is missing -> paperdesk db rebuild" in ended.out
    assert paperdesk("db", "rebuild", "--home", home).out == before and "rebuilt from 1 run; content" in before
    assert paperdesk("db", "upgrade", "--home", home).out.strip().endswith("already at 0002")
    told = paperdesk("db", "check", "--home", home, "--json").json
    assert told == {"runs": 1, "findings": []}


def test_rows_of_money_cannot_be_rewritten_and_a_changed_schema_is_found(home: Path) -> None:
    with sqlite3.connect(home / "paperdesk.db") as rows:
        for sql in ("UPDATE fills SET qty_lots = 9", "DELETE FROM orders", "UPDATE accounts SET mode = 'LIVE'"):
            with pytest.raises(sqlite3.IntegrityError):
                rows.execute(sql)
        rows.execute("DROP TRIGGER fills_are_not_changed")
        rows.execute("UPDATE fills SET fee_units = fee_units + 1 WHERE fill_id = 1")
    rows.close()
    ended = paperdesk("db", "check", "--home", home)
    assert ended.code == 1 and "fills_are_not_changed" in ended.out and "paperdesk db rebuild" in ended.out
    findings = paperdesk("db", "check", "--home", home, "--json").json["findings"]
    assert all(finding["severity"] == "error" and finding["what"] and finding["where"] for finding in findings)
    assert paperdesk("db", "rebuild", "--home", home).code == 0
    assert paperdesk("db", "check", "--home", home).code == 0


def test_a_flipped_bit_is_named_and_nothing_goes_on(home: Path) -> None:
    data = bytearray(log_of(home).read_bytes())
    data[len(data) // 2] ^= 1
    log_of(home).write_bytes(data)
    for arguments in ("replay 0001-replay --verify", "db check", "db rebuild"):
        ended = paperdesk(*arguments.split(), "--home", home)
        assert ended.code == 74 and "The log is damaged: 000001.log, byte" in ended.message
        assert "restore 000001.log from a backup" in ended.message
    ended = paperdesk("doctor", "--home", home)
    assert ended.code == 1 and "FAIL log 0001-replay: The log is damaged" in ended.out


def test_a_torn_tail_is_told_and_everything_before_it_holds(home: Path) -> None:
    log_of(home).write_bytes(log_of(home).read_bytes()[:-7])
    ended = paperdesk("replay", "0001-replay", "--verify", "--home", home)
    assert "the last write was interrupted at byte" in ended.err
    assert "the last write was interrupted" in paperdesk("doctor", "--home", home).out


def test_a_damaged_description_is_named(home: Path) -> None:
    (home / "runs" / "0001-replay" / "run.json").write_text("{", encoding="utf-8")
    for arguments in ("status", "replay 0001-replay", "db check", "db rebuild"):
        ended = paperdesk(*arguments.split(), "--home", home)
        assert ended.code == 74 and "Restore it from a backup, or move the folder 0001-replay out of" in ended.message
    ended = paperdesk("doctor", "--home", home)
    assert ended.code == 1 and "FAIL run 0001-replay" in ended.out


def test_doctor_names_what_it_looked_at(home: Path) -> None:
    told = paperdesk("doctor", "--home", home).out
    for name in ("python", "paperdesk", "compiled core", "paper only", "home", "disk", "lock", "log 0001-replay"):
        assert f" {name}: " in told
    checks = json.loads(paperdesk("doctor", "--home", home, "--json").out)
    assert all({"name", "ok", "found", "remedy"} == set(check) for check in checks)
    refused = paperdesk("doctor", "--home", home, variables={"PAPER_TRADING_MODE": "no"})
    assert refused.code == 1 and "PAPER_TRADING_MODE is 'no'" in refused.out


def test_a_bundle_names_neither_people_nor_folders(home: Path, tmp_path: Path) -> None:
    (home / "runs" / "0001-replay" / "run.json").write_text("{", encoding="utf-8")
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        ended = paperdesk("doctor", "--bundle", "--home", home, variables={"USER": "annabel", "HOME": "/home/annabel"})
    finally:
        os.chdir(before)
    (bundle,) = tmp_path.glob("paperdesk-doctor-*.tar.gz")
    assert bundle.name in ended.err and ended.code == 1
    with tarfile.open(bundle) as archive:
        assert archive.getnames() == ["doctor.json"]
        file = archive.extractfile("doctor.json")
        assert file is not None
        text = file.read().decode()
    assert "run 0001-replay" in text and __version__ in text and "[folder]/" in text
    assert "annabel" not in text and str(tmp_path) not in text and str(home.parent) not in text


def test_redaction() -> None:
    with surroundings({"USER": "annabel", "HOME": "/home/annabel"}):
        assert redacted("The folder /home/annabel/desk.d/runs cannot be") == "The folder [folder]/runs cannot be"
        assert redacted('"annabel" has 3/4 of /') == '"[name]" has 3/4 of /'


def test_purge_removes_runs_and_database_and_nothing_else(home: Path) -> None:
    (home / "notes.txt").write_text("mine", encoding="utf-8")
    assert paperdesk("home", "purge", "--yes", "--home", home).out == f"Removed 1 run and the database from {home}.\n"
    assert [path.name for path in home.iterdir()] == ["notes.txt"]
    (home / "notes.txt").unlink()
    simulated(home, events=10)
    assert paperdesk("home", "purge", "--yes", "--home", home).code == 0
    assert not home.exists()


def test_purge_asks_first(home: Path) -> None:
    for typed in ("n\n", ""):
        ended = paperdesk("home", "purge", "--home", home, typed=typed)
        assert ended.code == 1 and (home / "paperdesk.db").exists() and "Remove all 1 runs" in ended.out
    assert paperdesk("home", "purge", "--home", home, typed="y\n").code == 0 and not home.exists()
