"""One seed's world: a disk with bad luck, a script of market inputs and commands, bots, and a desk that dies and returns.

The script is drawn once (`tests.oracle.streams`: every order type, several accounts, redefinitions, nonsense). A desk
plays it with the product's own parts: `Drive`, `RunJournal`, `LogWriter`, `snapshots`, and `recover` after each death.
What was acknowledged is noted by a `Witness`; after each return the log, the state and the bots are held against it.
"""

from __future__ import annotations

import errno
from collections import Counter
from hashlib import blake2b
from random import Random
from typing import Any

import numpy as np
from tests.oracle.records import to_record
from tests.oracle.streams import Stream
from tests.simulation.bots import Team, market_of
from tests.simulation.mains import Mains, PowerCut
from tests.simulation.witness import (
    Collector,
    Entry,
    Record,
    Witness,
    check_books,
    check_numbers,
    facts,
    is_outside,
    kind_and_bot,
    told_difference,
)

from paperdesk.app.journal import RunJournal
from paperdesk.app.recovery import Recovered, Refold, Step, steps_of
from paperdesk.app.resume import Resumed, recover
from paperdesk.domain.commands import LIMIT_FIELDS, register_bot
from paperdesk.domain.events import INPUT, OUTPUT, InputKind, OutputKind
from paperdesk.engine.drive import Drive
from paperdesk.engine.fold import Fold
from paperdesk.store import snapshots
from paperdesk.store.disk import SimulatedDisk
from paperdesk.store.errors import StoreError
from paperdesk.store.log import LogCorrupt, LogTooNew, read_log
from paperdesk.strategies.host import BotHost

Rows = np.ndarray[Any, Any]

RUN = "0001-simulation"
UPGRADE_EVERY = 5
"""Every so many seeds a desk may come back as another engine version."""
MEND_EVERY = 250
"""Every so many inputs what silences a script is undone."""


def mend(stream: Stream) -> None:
    """Switches on again, limits off, a fresh epoch with money for an account."""
    for account in stream.accounts:
        stream.amends.append({"kind": "RESUME", "account": account, "bot": -1})
        for bot in (0, *stream.bots[account]):
            stream.amends.append(
                {"kind": "SET_LIMITS", "account": account, "bot": bot, **dict.fromkeys(LIMIT_FIELDS, 0)}
            )
    account = stream.dice.choice(stream.accounts)
    stream.amends += [{"kind": "RESET_ACCOUNT", "account": account, "source": 1}, *stream.money(account)]


class Script:
    """What happens in a world, drawn from one seed: rows of shape (1,) in order, and the bots that see them."""

    def __init__(self, seed: int, events: int) -> None:
        stream, dice = Stream(seed), Random(seed)
        rows: list[Rows] = []
        for place, given in enumerate(stream.inputs(events)):
            stream.desk.take(given)
            if place % MEND_EVERY == MEND_EVERY - 1:
                mend(stream)
            rows.append(to_record(given))
        opening = len(rows) - events
        used = {int(row["bot"][0]) for row in rows}
        free = [bot for bot in range(1023, 0, -1) if bot not in used]
        self.bots = frozenset(free[: dice.choice((1, 2, 3))])
        opened = [int(row["account"][0]) for row in rows[:opening] if row["kind"][0] == InputKind.OPEN_ACCOUNT]
        scales = {
            int(r["asset"][0]): int(r["scale"][0]) for r in rows[:opening] if r["kind"][0] == InputKind.DEFINE_ASSET
        }
        kinds = [row for row in rows[:opening] if row["kind"][0] == InputKind.DEFINE_INSTRUMENT]
        fields = {
            int(row["instrument"][0]): {n: int(row[n][0]) for n in row.dtype.names or () if row[n].ndim == 1}
            for row in kinds
        }
        self.team = Team(dice, opened, sorted(self.bots), market_of(fields, scales))
        registrations = [register_bot(account, bot) for _, _, account, bot in self.team.members]
        self.rows = rows[:opening] + registrations + rows[opening:]
        self.market = [bool(row["kind"][0] < InputKind.DEFINE_ASSET) for row in self.rows]

    def part(self, start: int, most: int) -> Rows:
        """Up to `most` market inputs from a place on, as one block; or one command. A copy, shape (n,)."""
        end = start + 1
        while self.market[start] and end < min(start + most, len(self.rows)) and self.market[end]:
            end += 1
        return np.frombuffer(bytearray(b"".join(row.tobytes() for row in self.rows[start:end])), INPUT)

    def forget_some(self, start: int, end: int, dice: Random) -> None:
        """Commands that were lost with a desk are not always sent again."""
        for place in reversed(range(start, min(end, len(self.rows)))):
            if not self.market[place] and dice.random() < 0.3:
                del self.rows[place], self.market[place]


class World:
    """A disk, a script and a record; `play` lets desks live and die until the script has been played."""

    def __init__(self, seed: int, events: int) -> None:
        self.seed, self.dice = seed, Random(seed ^ 0x5EED)
        self.script = Script(seed, events)
        self.disk = SimulatedDisk(seed)
        self.record = Record()
        self.seen: Counter[str] = Counter()
        self.upgrades = seed % UPGRADE_EVERY == UPGRADE_EVERY - 1
        self.version = 1
        self.position = 0
        """How much of the script is in the log for good."""
        self.reached = 0
        """How far the last desk came in the script."""
        self.now_ns = 0
        self.least, self.most = events // 10, max(events // 2, 2)

    def play(self) -> None:
        """Lives, deaths and returns; then the last judgement."""
        while True:
            finished = self.life()
            self.record.forget()
            self.seen["lives"] += 1
            if finished:
                break
            if self.dice.random() < 0.65:
                self.disk = self.disk.crash()
                self.seen["power cuts"] += 1
            else:
                self.seen["kills"] += 1
        self.disk = self.disk.crash()
        self.disk.faults, self.disk.capacity_bytes = {}, None
        resumed = self.come_back(Mains(self.disk, self.dice))
        assert self.position == len(self.script.rows), "the script was played, but the log does not hold all of it"
        if not self.upgrades:
            self.check_against_one_life(resumed)
        rows = np.frombuffer(b"".join(outputs for _, outputs in self.record.acknowledged), OUTPUT)
        self.seen["inputs"] += len(self.record.acknowledged)
        self.seen["outputs"] += len(rows)
        self.seen["fills"] += int((rows["kind"] == OutputKind.FILL).sum())
        self.seen["orders"] += int((rows["kind"] == OutputKind.ORDER_SUBMITTED).sum())

    # ---- one life ----------------------------------------------------------------------------------------------------

    def life(self) -> bool:
        """One desk from its start to its end; whether it finished the script in order."""
        self.spoil()
        mains = Mains(self.disk, self.dice, self.when_to_cut())
        try:
            return self.work(self.come_back(mains), mains)
        except PowerCut:
            self.seen["cut in the middle of a write"] += 1
        except (LogCorrupt, LogTooNew):
            raise
        except StoreError:
            self.seen["the disk refused"] += 1
        self.record.handed_on = [] if self.record.attempted == [] else self.record.handed_on
        return False

    def when_to_cut(self) -> int | None:
        """At which operation the power goes: while coming back, at some later one, or not at all."""
        luck = self.dice.random()
        if luck < 0.2:
            return self.dice.randint(1, 12)
        return self.dice.randint(5, 500) if luck < 0.65 else None

    def spoil(self) -> None:
        """Give the disk a bad day, sometimes."""
        self.disk.faults, self.disk.capacity_bytes = {}, None
        luck = self.dice.random()
        if luck < 0.25:
            at = self.disk.operations + self.dice.choice((self.dice.randint(1, 8), self.dice.randint(1, 150)))
            self.disk.faults = {at: self.dice.choice((errno.EIO, errno.EIO, errno.ENOSPC))}
        elif luck < 0.35:
            used = sum(self.disk.size(name) for name in self.disk.names())
            self.disk.capacity_bytes = used * 2 + self.dice.randint(0, 100_000)

    def work(self, resumed: Resumed, mains: Mains) -> bool:
        """Play on from where the log ends, committing and taking snapshots at random instants, until something happens."""
        dice, hosts = self.dice, resumed.hosts
        resumed.log.rotate_bytes = dice.choice((5_000, 50_000, 1 << 20))
        journal = RunJournal(resumed.log, self.record.hand_on, resumed.hasher, lambda: self.now_ns)
        live = [host for host in hosts if host.bot not in resumed.stopped]
        drive = Drive(resumed.fold, Witness(journal, self.record), live)
        drive.note({"type": "started", "seq": drive.seq, "new": resumed.is_new})
        if resumed.upgraded is not None:
            drive.command(resumed.upgraded)
            self.seen["upgrades"] += 1
        self.commit(journal)
        at, end = self.position, self.position + dice.randint(self.least, self.most)
        while at < min(end, len(self.script.rows)):
            block = self.script.part(at, dice.randint(1, 40))
            at = self.reached = at + len(block)
            if block["kind"][0] < InputKind.DEFINE_ASSET:
                drive.feed(block)
            else:
                drive.command(block)
            self.now_ns += dice.choice((0, 1_000_000, 4_000_000, 12_000_000))
            if journal.commit_if_due():
                self.record.acknowledge()
            if dice.random() < 0.015:
                self.snapshot(mains, drive, journal, hosts)
        self.seen["bots stopped"] += len(drive.failures)
        if at < len(self.script.rows):
            if dice.random() < 0.25:
                self.close(mains, drive, journal, hosts)
            return False
        self.close(mains, drive, journal, hosts)
        return True

    def commit(self, journal: RunJournal) -> None:
        journal.commit()
        self.record.acknowledge()

    def snapshot(self, mains: Mains, drive: Drive, journal: RunJournal, hosts: list[BotHost]) -> None:
        """As the run does it: commit, then write down the state and every bot's memory."""
        self.commit(journal)
        parts = drive.fold.parts() | {f"bot/{host.bot}": host.snapshot() for host in hosts}
        log = journal.log
        try:
            snapshots.write(mains, RUN, str(self.version), log.seq, log.chain_hash, drive.fold.hash(), parts)
            self.seen["snapshots"] += 1
        except snapshots.SnapshotFailed:
            self.seen["snapshots failed"] += 1

    def close(self, mains: Mains, drive: Drive, journal: RunJournal, hosts: list[BotHost]) -> None:
        """An orderly end."""
        self.snapshot(mains, drive, journal, hosts)
        journal.log.close()
        self.seen["orderly ends"] += 1

    # ---- coming back -------------------------------------------------------------------------------------------------

    def come_back(self, mains: Mains) -> Resumed:
        """Recover as the product does, and hold everything against the record. PowerCut, StoreError."""
        before = self.version
        if self.upgrades and self.position and self.dice.random() < 0.4:
            self.version += 1
        promised = len(self.record.acknowledged)
        try:
            resumed = recover(
                self.script.team.hosts(), RUN, mains, self.dice.choice((0, promised)), None, str(self.version)
            )
        except (PowerCut, StoreError):
            self.version = before
            raise
        self.seen["came back"] += 1
        steps = list(steps_of(read_log(self.disk)))
        kept = self.record.compare([(step.data, step.outputs) for step in steps])
        self.seen["came back with unacknowledged inputs"] += kept > 0
        self.seen["came back by a snapshot"] += any("snapshot at" in text for text in resumed.messages)
        self.seen["came back from a torn tail"] += any("interrupted" in text for text in resumed.messages)
        entries = self.record.acknowledged
        self.check_state(resumed, entries)
        again = refolded(steps, str(self.version))
        assert again.fold.hash() == resumed.fold.hash(), "folding from the first input leads to another state"
        assert again.market_inputs == resumed.market_inputs and again.stopped == resumed.stopped
        if resumed.upgraded is not None:
            old = refolded(steps, steps[-1].version)
            told = told_difference(facts(resumed.fold.state), facts(old.fold.state))
            assert told == "", f"facts applied by version {self.version} differ: {told}"
            self.seen["came back by facts"] += 1
        return resumed

    def check_state(self, resumed: Resumed, entries: list[Entry]) -> None:
        """Numbers, books, hash, and the place in the script where the run goes on."""
        check_books(resumed.fold.state, check_numbers(entries))
        digest = blake2b(digest_size=32)
        for entry in entries:
            digest.update(b"".join(entry))
        assert resumed.hasher.hexdigest() == digest.hexdigest(), "the record's hash is not that of its bytes"
        self.position = sum(is_outside(data, self.script.bots) for data, _ in entries)
        assert resumed.market_inputs == sum(self.script.market[: self.position]), (
            "the feed would go on at a wrong place"
        )
        self.script.forget_some(self.position, self.reached, self.dice)
        self.reached = 0

    def check_against_one_life(self, resumed: Resumed) -> None:
        """A desk that never died, given the same feed and commands, did the same in every byte, and its bots remember the same."""
        collector, hosts, at = Collector(), self.script.team.hosts(), 0
        drive = Drive(Fold(), collector, hosts)
        while at < len(self.script.rows):
            block = self.script.part(at, 1000)
            at += len(block)
            if block["kind"][0] < InputKind.DEFINE_ASSET:
                drive.feed(block)
            else:
                drive.command(block)
        mine = self.record.acknowledged
        if mine != collector.entries:
            place = next(n for n, pair in enumerate(zip(mine, collector.entries, strict=False)) if pair[0] != pair[1])
            told = "\n".join(
                f"  {who}: {described(entry)}"
                for who, entry in (("log", mine[place]), ("one life", collector.entries[place]))
            )
            raise AssertionError(f"a desk that never died did something else at seq {place + 1}:\n{told}")
        assert drive.fold.hash() == resumed.fold.hash(), "a desk that never died is in another state"
        stopped = {failure.bot for failure in drive.failures}
        for host, other in zip(hosts, resumed.hosts, strict=True):
            if host.name not in stopped:
                assert host.snapshot() == other.snapshot(), f"{host.name} remembers something else"
        self.seen["equal to one life"] += 1


def described(entry: Entry) -> str:
    """An entry for people."""
    kind, bot = kind_and_bot(entry[0])
    names = [OutputKind(kind).name for kind in np.frombuffer(entry[1], OUTPUT)["kind"].tolist()]
    return f"{InputKind(kind).name} of bot {bot} {entry[0].hex()} → {', '.join(names)}"


def refolded(steps: list[Step], version: str) -> Recovered:
    """A whole log folded from its first input by one engine version; RefoldDiffers if outputs are not reproduced."""
    refold = Refold(Fold(), (), None, version)
    for step in steps:
        refold.take(step)
    return refold.finish()


def play(seed: int, events: int) -> Counter[str]:
    """Play one world to its end; figures of what was met. AssertionError where a law was broken."""
    world = World(seed, events)
    world.play()
    return world.seen
