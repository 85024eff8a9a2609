"""A process that commits to a real folder and tells each commit is killed in the middle, again and again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

from tests.store.records import RUN, VERSION, input_bytes, read_all

from paperdesk.store.disk import RealDisk
from paperdesk.store.log import LogWriter, read_log

ROUNDS = int(os.environ.get("STORE_KILLS", "2"))
WRITE = """
import sys
from pathlib import Path
from paperdesk.store.disk import RealDisk
from paperdesk.store.log import LogWriter, read_log
from tests.store.records import RUN, VERSION, input_bytes
disk = RealDisk(Path(sys.argv[1]))
writer = LogWriter(disk, RUN, VERSION, read_log(disk).finish(), rotate_bytes=30_000)
seq = writer.seq
while True:
    for _ in range(1 + seq % 7):
        seq += 1
        writer.take_input(input_bytes(seq, price_ticks=seq * 3))
    print(writer.commit(), flush=True)
"""


def test_what_was_acknowledged_outlives_a_killed_writer(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    seed = 11
    dice, acknowledged = Random(seed), 0
    for _ in range(ROUNDS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path)], stdout=subprocess.PIPE, env=environment, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(dice.randint(1, 300)):
                acknowledged = int(writer.stdout.readline())
            writer.kill()
            told = [line for line in writer.stdout.read().split("\n")[:-1] if line]
        acknowledged = int(told[-1]) if told else acknowledged
        found, end = read_all(RealDisk(tmp_path), high_water=acknowledged)
        assert end.seq >= acknowledged, f"seed {seed}"
        assert [data for _, data in found] == [input_bytes(seq, price_ticks=seq * 3) for seq in range(1, end.seq + 1)]
    disk = RealDisk(tmp_path)
    last = LogWriter(disk, RUN, VERSION, read_log(disk).finish())
    last.close()
    disk.close()
    assert read_log(RealDisk(tmp_path), high_water=acknowledged).finish().clean
