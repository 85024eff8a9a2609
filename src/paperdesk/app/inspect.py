"""Commands that read logs and the database of a home: replay, upgrade, rebuild, check."""

import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from paperdesk.app.errors import EXIT_IO, DeskError
from paperdesk.app.home import Home, Manifest
from paperdesk.app.records import Record, records_of, run_records, verify
from paperdesk.app.recovery import VERSION
from paperdesk.app.status import counted, in_plain_words
from paperdesk.store import check as checks
from paperdesk.store.audit import audit
from paperdesk.store.audit_report import AuditFinding
from paperdesk.store.database import upgrade
from paperdesk.store.disk import RealDisk
from paperdesk.store.errors import StoreError
from paperdesk.store.lock import HomeLock
from paperdesk.store.log import read_log

RunRecords = tuple[str, dict[str, Any], Iterator[Record]]


def replay_run(home: Home, run: str, strict: bool, as_json: bool) -> None:
    """Fold a run's log anew; with `strict`, a log of another engine version is refused too."""
    manifest, disk = home.manifest(run), RealDisk(home.folder(run), create=False)
    started = time.perf_counter()
    try:
        reader = read_log(disk)
        fold, inputs = verify(reader)
    except StoreError as error:
        raise in_plain_words(error) from error
    end = reader.end
    if end.torn is not None:
        print(f"{end.torn}", file=sys.stderr)
    same = end.engine_version == VERSION
    if strict and not same:
        raise DeskError(
            f"{run} was written by engine {end.engine_version}, this is {VERSION}: its facts apply, but they cannot be compared; use that version."
        )
    state_hash = fold.hash()
    recorded = manifest.result.get("state_hash")
    if strict and recorded is not None and recorded != state_hash and manifest.status != "running":
        raise DeskError(
            f"The log of {run} leads to state {state_hash}, but the run ended at {recorded}: log and description do not belong together.",
            EXIT_IO,
        )
    told = {
        "run": run,
        "inputs": inputs,
        "verified": strict,
        "state_hash": state_hash,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if as_json:
        print(msgspec.json.encode(told).decode())
    else:
        word = "reproduced byte for byte" if same else "applied as facts of another engine version"
        print(f"{run}: {inputs:,} inputs {word} in {told['seconds']} s; state {state_hash}")


def all_runs(home: Home) -> Iterator[RunRecords]:
    """Every run of a home with its description and records."""
    for manifest in home.manifests():
        yield manifest.run, begin_text(manifest), run_records(home, manifest.run)


def begin_text(manifest: Manifest) -> dict[str, Any]:
    """The part of a description that is written once, at the start."""
    told: dict[str, Any] = msgspec.to_builtins(manifest)
    for name in ("status", "ended", "result"):
        told.pop(name)
    return told


def upgrade_database(home: Home) -> None:
    """Bring the database to this version's schema."""
    try:
        with HomeLock(home.root):
            before, after = upgrade(home.database)
    except StoreError as error:
        raise in_plain_words(error) from error
    print(
        f"{home.database}: "
        + (f"already at {after}" if before == after else f"upgraded from {before or 'nothing'} to {after}")
    )


def rebuild_database(home: Home) -> None:
    """Make the database anew from all logs."""
    try:
        with HomeLock(home.root):
            content = checks.rebuild(home.database, all_runs(home))
    except StoreError as error:
        raise in_plain_words(error) from error
    print(f"{home.database}: rebuilt from {counted(len(home.runs()), 'run')}; content {content}")


def check_home(home: Home, as_json: bool) -> int:
    """Audit every run and compare the database with the logs; 1 where anything is wrong."""
    findings: list[dict[str, Any]] = []
    audited = 0
    try:
        with HomeLock(home.root):
            for manifest in home.manifests():
                report = audit(records_of(read_log(RealDisk(home.folder(manifest.run), create=False))))
                audited += 1
                findings.extend(audit_finding(manifest.run, finding) for finding in report.findings)
                if report.found > len(report.findings):
                    print(f"{manifest.run}: {report.found:,} findings, the first are told", file=sys.stderr)
            if home.database.exists():
                found = checks.check(home.database, all_runs(home))
                findings.extend({"run": "", **finding._asdict()} for finding in found)
            elif audited:
                what = "the database is missing"
                findings.append(
                    {
                        "run": "",
                        "severity": "error",
                        "what": what,
                        "where": str(home.database),
                        "remedy": "paperdesk db rebuild",
                    }
                )
    except StoreError as error:
        raise in_plain_words(error) from error
    if as_json:
        print(msgspec.json.encode({"runs": audited, "findings": findings}).decode())
    else:
        for finding in findings:
            print(finding_text(finding))
        good = "nothing wrong: books balance, orders are legal, the database says what the logs say"
        print(f"{counted(audited, 'run')} audited; {counted(len(findings), 'finding') if findings else good}.")
    return 1 if findings else 0


def audit_finding(run: str, found: AuditFinding) -> dict[str, Any]:
    """What the auditor found in a log, in the form of the other findings."""
    order = f", order PAPER-{found.account}-{found.order_id}" if found.order_id > 0 else ""
    where = f"seq {found.seq}, account {found.account}{order}, rule {found.rule} of docs/venue-rules.md"
    remedy = f"paperdesk replay {run} --verify; if that agrees with the log, please report this as a bug"
    return {"run": run, "severity": "error", "what": found.what, "where": where, "remedy": remedy}


def finding_text(finding: dict[str, Any]) -> str:
    """A finding as a line: how bad, where, what, and what to do."""
    where = " ".join(str(finding[name]) for name in ("run", "where") if finding.get(name))
    remedy = f" -> {finding['remedy']}" if finding.get("remedy") else ""
    return f"{finding['severity']} {where}: {finding['what']}{remedy}"
