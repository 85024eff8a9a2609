"""One desk per home."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from paperdesk.store.errors import StoreError
from paperdesk.store.lock import HomeLock, HomeLocked

HOLD = """
import sys
from pathlib import Path
from paperdesk.store.lock import HomeLock
lock = HomeLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_desk_on_the_same_home_is_told_who_holds_it(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    with HomeLock(home) as lock:
        with pytest.raises(HomeLocked) as caught:
            HomeLock(home)
        text = str(caught.value)
        assert f"process {os.getpid()}" in text and str(home) in text and "--home" in text
        HomeLock(tmp_path / "other").release()
        lock.release()
        HomeLock(home).release()


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(HomeLocked, match=f"process {holder.pid}"):
            HomeLock(tmp_path)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    HomeLock(tmp_path).release()


def test_a_home_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        HomeLock(tmp_path / "file")
    (tmp_path / "desk.lock").mkdir()
    with pytest.raises(StoreError, match="cannot be used"):
        HomeLock(tmp_path)
