"""Several recordings as one stream, and the promises of a feed: repeatable, identified, resumable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.feeds.build import (
    MS,
    assert_keeps_the_rules,
    capture,
    counts,
    fingerprint,
    opened,
    print_of,
    refused,
    rows_of,
    session,
    ticker,
)

from paperdesk.domain.events import inputs
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.merging import joined, merge
from paperdesk.feeds.port import BLOCK_ROWS, without_first

CUTS = st.lists(st.lists(st.integers(0, 6), max_size=12), min_size=1, max_size=4)


@given(CUTS, st.integers(1, 5))
def test_merging_is_a_stable_sort_by_time(streams: list[list[int]], size: int) -> None:
    blocks: list[list[np.ndarray]] = []
    everything: list[tuple[int, int, int]] = []
    for number, times in enumerate(streams):
        rows = inputs(len(times))
        rows["ts_seq_ns"] = sorted(times)
        rows["instrument"] = number
        rows["trade_id"] = np.arange(len(times))
        blocks.append([rows[start : start + size] for start in range(0, len(rows), size)])
        everything += [(int(row["ts_seq_ns"]), number, int(row["trade_id"])) for row in rows]
    merged = list(merge([iter(parts) for parts in blocks]))
    got = [(int(row["ts_seq_ns"]), int(row["instrument"]), int(row["trade_id"])) for block in merged for row in block]
    assert got == sorted(everything)
    assert all(0 < len(block) <= BLOCK_ROWS for block in merged)


@given(st.lists(st.integers(1, 5), max_size=6), st.integers(0, 30))
def test_skipping_leaves_out_exactly_the_first_rows(sizes: list[int], skip: int) -> None:
    rows = inputs(sum(sizes))
    rows["trade_id"] = np.arange(len(rows))
    ends = np.cumsum(sizes)
    blocks = [rows[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    rest = list(without_first(iter(blocks), skip))
    got = joined(rest)["trade_id"].tolist()
    assert got == list(range(skip, len(rows)))
    assert all(len(block) for block in rest)


def test_two_captures_become_one_stream_by_time(tmp_path: Path) -> None:
    eth = [ticker(index + 1, "5.0", f"{index + 1}", "5.1", "1", symbol="ETHUSDT") for index in range(6)]
    feed = opened(capture(tmp_path / "b.zst", session()), capture(tmp_path / "a.zst", eth, step_ns=2 * MS))
    blocks = list(assert_keeps_the_rules(feed.blocks(), 2))
    rows = joined(blocks)
    assert [instrument.symbol for instrument in feed.instruments] == ["BTC/USDT", "ETH/USDT"]
    assert rows["instrument"].tolist() == [1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1]


def test_the_order_of_symbols_is_the_numbering_of_instruments(tmp_path: Path) -> None:
    path = capture(tmp_path / "a.zst", [*session(), ticker(1, "5.0", "1", "5.1", "1", symbol="ETHUSDT")])
    feed = opened(path, symbols=["ETH/USDT", "BTC/USDT", "ETHUSDT"])
    assert [(instrument.number, instrument.symbol) for instrument in feed.instruments] == [
        (0, "ETH/USDT"),
        (1, "BTC/USDT"),
    ]
    assert [asset.name for asset in feed.assets] == ["ETH", "USDT", "BTC"]
    assert set(rows_of(feed)["instrument"].tolist()) == {0, 1}


def test_a_trade_in_two_recordings_is_used_once(tmp_path: Path) -> None:
    first = capture(tmp_path / "a.zst", [print_of(number, "100.0", "1") for number in (1, 2, 3)])
    second = capture(tmp_path / "b.zst", [print_of(number, "100.0", "1") for number in (3, 4)])
    feed = opened(first, second)
    assert sorted(rows_of(feed)["trade_id"].tolist()) == [1, 2, 3, 4]
    assert refused(feed) == {("BTC/USDT", Reason.DUPLICATE): 1}


def test_the_same_recording_named_twice_is_read_once(tmp_path: Path) -> None:
    path = capture(tmp_path / "a.zst", session())
    feed = opened(path, tmp_path, path)
    assert len(rows_of(feed)) == 6 and refused(feed) == {}


def test_a_feed_read_twice_gives_the_same_bytes_and_counts(tmp_path: Path) -> None:
    frames = [*session(), b"broken", print_of(7, "100.0", "0.3")]
    feed, again = (opened(capture(tmp_path / "a.zst", frames)) for _ in range(2))
    first = fingerprint(feed.blocks())
    tally = dict(feed.refusals)
    assert first == fingerprint(feed.blocks()) == fingerprint(again.blocks())
    assert dict(feed.refusals) == tally and feed.source == again.source
    assert 0 < feed.source < 2**62


def test_the_source_changes_with_content_symbols_and_options(tmp_path: Path) -> None:
    path = capture(tmp_path / "a.zst", [*session(), ticker(1, "5.0", "1", "5.1", "1", symbol="ETHUSDT")])
    other = capture(tmp_path / "b.zst", session())
    sources = {
        opened(path).source,
        opened(path, symbols=["BTC/USDT"]).source,
        opened(path, symbols=["ETH/USDT", "BTC/USDT"]).source,
        opened(path, scales={"BTC": 6}).source,
        opened(other).source,
    }
    assert len(sources) == 5
    renamed = tmp_path / "moved.bin"
    renamed.write_bytes(path.read_bytes())
    assert opened(renamed).source == opened(path).source


def test_skipping_resumes_where_a_reader_stopped(tmp_path: Path) -> None:
    feed = opened(capture(tmp_path / "a.zst", session()))
    rows = rows_of(feed)
    for skip in range(len(rows) + 2):
        rest = list(feed.blocks(skip))
        assert b"".join(block.tobytes() for block in rest) == rows[skip:].tobytes()


def test_folders_are_read_whole_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    capture(tmp_path / "deep" / "a.zst", session())
    (tmp_path / "README.md").write_text("notes")
    feed = opened(tmp_path)
    assert counts(rows_of(feed)) == {"BOOK": 3, "QUOTE": 1, "TRADE": 2}
    assert any(note.startswith("left out: README.md") for note in feed.notes)
