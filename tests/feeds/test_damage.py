"""Binance captures, damaged in every way: what is lost is counted, what is left keeps the rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.feeds.build import (
    ASKS,
    BIDS,
    MS,
    SECOND,
    T0,
    assert_keeps_the_rules,
    book_of,
    capture,
    depth,
    kinds,
    lines_of,
    opened,
    picture,
    print_of,
    refused,
    rows_of,
    session,
    ticker,
    write,
)  # fmt: skip

from paperdesk.domain.events import MarketStatus
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.port import RecordingRefused
from paperdesk.feeds.recording import lines as read_lines


def test_corrupt_lines_are_counted_and_skipped(tmp_path: Path) -> None:
    broken = [
        b"not a line",
        b"1700000000000000001 {",
        b'1700000000000000001 {"e":"trade"',
        b"\xff\xfe\x00",
        b"17x {}",
        b"\x00" * 40,
    ]
    broken += [b"9" * 30 + b' {"u":1,"s":"BTCUSDT"}', lines_of([{**print_of(30, "100.0", "1"), "T": 10**30}])[0]]
    broken += [lines_of([{**depth(200, 201), "E": 9 * 10**16}])[0], lines_of([{**depth(200, 201), "E": -5}])[0]]
    frames = session()
    feed = opened(capture(tmp_path / "c.zst", [*frames[:4], *broken, *frames[4:]]))
    rows = list(assert_keeps_the_rules(feed.blocks(), 1))
    assert sum(map(len, rows)) == 6
    assert refused(feed) == {("", Reason.CORRUPT_LINE): len(broken)}


def test_flipped_bits_never_get_past_the_rules(tmp_path: Path) -> None:
    """A bit in every third byte of every line: the rules are kept; what is lost is counted or is the flipped value."""
    lines = lines_of(session())
    clean = rows_of(opened(write(tmp_path / "clean", lines)))
    for index in range(len(lines)):
        for place in range(0, len(lines[index]), 3):
            bent = bytearray(lines[index])
            bent[place] ^= 1 << (place % 8)
            path = write(tmp_path / "bent", [*lines[:index], *bytes(bent).split(b"\n"), *lines[index + 1 :]])
            try:
                feed = opened(path, symbols=["BTC/USDT"])
            except RecordingRefused as refusal:
                assert "BTC/USDT" in str(refusal)
                continue
            total = sum(len(block) for block in assert_keeps_the_rules(feed.blocks(), 1))
            assert total >= len(clean) - 4, (index, place)
            if total < len(clean) and not refused(feed):
                # A damaged name makes it a message of another, unknown kind; nothing else goes missing without a word.
                names = (b'"e":"depthUpdate"', b'"e":"trade"', b'"lastUpdateId"', b'"b":', b'"a":')
                assert sum(name in bent for name in names) < sum(name in lines[index] for name in names), bytes(bent)


def test_a_damaged_local_time_does_not_carry_later_lines_along(tmp_path: Path) -> None:
    lines = lines_of(session())
    lines[3] = b"9" + lines[3][1:]
    feed = opened(write(tmp_path / "c", lines))
    rows = rows_of(feed)
    assert kinds(rows) == ["BOOK", "TRADE", "BOOK", "TRADE", "BOOK"]
    assert refused(feed) == {("", Reason.CORRUPT_LINE): 1}
    assert int(rows["ts_seq_ns"][-1]) == T0 + 7 * MS


def test_a_damaged_local_time_is_seen_at_the_end_of_what_is_read_at_once_too(tmp_path: Path) -> None:
    frames = [picture(102, BIDS, ASKS), *[print_of(number, "100.1", "0.3") for number in range(1, 2_000)]]
    path = capture(tmp_path / "x.jsonl", frames)
    batches = list(read_lines(path))
    assert len(batches) > 3, "more than is read at once"
    for batch in batches[:-1]:
        batch[-1] = b"27" + batch[-1][2:]
    rows = rows_of(feed := opened(write(path, [line for batch in batches for line in batch])))
    assert int(rows["ts_seq_ns"].max()) < T0 + 10 * SECOND and len(rows) == len(frames) - len(batches) + 1
    assert refused(feed) == {("", Reason.CORRUPT_LINE): len(batches) - 1}


def test_a_missing_diff_is_a_gap_and_the_book_stays_out_of_service(tmp_path: Path) -> None:
    frames = session()
    del frames[5]
    feed = opened(capture(tmp_path / "c.zst", frames))
    rows = rows_of(feed)
    assert kinds(rows) == ["BOOK", "QUOTE", "TRADE", "TRADE", "MARKET_STATUS"]
    assert (rows[-1]["status"], rows[-1]["status_reason"]) == (MarketStatus.GAP, Reason.SEQUENCE_GAP)
    assert refused(feed) == {("BTC/USDT", Reason.SEQUENCE_GAP): 1}


def test_a_new_snapshot_ends_a_gap_with_a_full_picture(tmp_path: Path) -> None:
    frames = session()
    del frames[5]
    frames += [picture(110, [["98.0", "1.0"]], [["98.2", "4.0"]]), depth(111, 112, [["98.1", "1.0"]])]
    rows = rows_of(opened(capture(tmp_path / "c.zst", frames)))
    assert kinds(rows)[-4:] == ["MARKET_STATUS", "MARKET_STATUS", "BOOK", "BOOK"]
    assert (rows[-3]["status"], rows[-3]["status_reason"]) == (MarketStatus.LIVE, Reason.NONE)
    assert book_of(rows[-1]) == ([(981, 10), (980, 10)], [(982, 40)])


def test_diffs_out_of_order_heal_the_gap_that_they_made(tmp_path: Path) -> None:
    frames = session()
    frames[5], frames[7] = frames[7], frames[5]
    rows = rows_of(opened(capture(tmp_path / "c.zst", frames)))
    assert kinds(rows) == ["BOOK", "QUOTE", "TRADE", "MARKET_STATUS", "TRADE", "MARKET_STATUS", "BOOK"]
    assert book_of(rows[-1]) == ([(1000, 7), (999, 20)], [(1001, 10)])


def test_a_snapshot_older_than_the_diffs_at_hand_is_a_gap(tmp_path: Path) -> None:
    frames = [depth(104, 105, [["100.0", "0.7"]]), picture(90, BIDS, ASKS), ticker(106, "100.0", "0.7", "100.1", "1.5")]
    feed = opened(capture(tmp_path / "c.zst", frames))
    assert kinds(rows_of(feed)) == ["MARKET_STATUS", "QUOTE"]
    assert refused(feed) == {("BTC/USDT", Reason.SEQUENCE_GAP): 1}


def test_duplicates_are_counted_and_change_nothing(tmp_path: Path) -> None:
    frames = [frame for frame in session() for _ in range(2)]
    feed = opened(capture(tmp_path / "c.zst", frames))
    assert kinds(rows_of(feed)) == ["BOOK", "QUOTE", "TRADE", "BOOK", "TRADE", "BOOK"]
    assert refused(feed) == {("BTC/USDT", Reason.DUPLICATE): 5}


def test_time_that_goes_back_is_lifted_and_counted(tmp_path: Path) -> None:
    lines = lines_of(session())
    lines[6] = lines_of([session()[6]], start_ns=T0 - SECOND)[0]
    feed = opened(write(tmp_path / "c", lines))
    rows = rows_of(feed)
    assert len(rows) == 6 and int(rows[4]["ts_seq_ns"]) == T0 + 5 * MS
    assert refused(feed) == {("BTC/USDT", Reason.TIME_BACKWARDS): 1}


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (print_of(20, "-100.0", "1.0"), Reason.BAD_EVENT),
        (print_of(20, "NaN", "1.0"), Reason.BAD_EVENT),
        (print_of(20, "Infinity", "1.0"), Reason.BAD_EVENT),
        (print_of(20, "0.0", "1.0"), Reason.BAD_EVENT),
        (print_of(2**63, "100.0", "1.0"), Reason.BAD_EVENT),
        (print_of(20, "100.0", "0"), Reason.BAD_EVENT),
        (print_of(20, "1_00.0", "1"), Reason.BAD_EVENT),
        (print_of(20, "１00.0", "1"), Reason.BAD_EVENT),
        (print_of(20, "9" * 30, "1.0"), Reason.BAD_EVENT),
        (ticker(120, "100.2", "1.0", "100.1", "1.0"), Reason.BAD_EVENT),
        (ticker(120, "100.1", "1.0", "100.1", "1.0"), Reason.BAD_EVENT),
        (ticker(120, "0", "1.0", "100.1", "1.0"), Reason.BAD_EVENT),
        (ticker(120, "-1", "1.0", "100.1", "1.0"), Reason.BAD_EVENT),
    ],
)  # fmt: skip
def test_senseless_numbers_are_counted_and_not_used(tmp_path: Path, frame: dict[str, Any], reason: Reason) -> None:
    feed = opened(capture(tmp_path / "c.zst", [*session(), frame]))
    assert len(rows_of(feed)) == 6
    assert refused(feed) == {("BTC/USDT", reason): 1}


def test_off_grid_numbers_are_counted_never_rounded(tmp_path: Path) -> None:
    path = capture(
        tmp_path / "c.zst",
        [
            *session(),
            print_of(20, "100.05", "1.0"),
            print_of(21, "100.0", "0.15"),
            ticker(120, "100.05", "1.0", "100.1", "1.0"),
            depth(107, 108, [["99.95", "1.0"], ["99.8", "0.15"], ["99.7", "5.0"]]),
        ],
    )
    definition = {
        "symbol": "BTCUSDT",
        "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.1"}, {"filterType": "LOT_SIZE", "stepSize": "0.1"}],
    }
    beside = path.with_name("c.zst.instruments.json")
    beside.write_text(json.dumps({"symbols": [definition]}))
    feed = opened(path)
    rows = rows_of(feed)
    assert feed.instruments[0].origin == "exchange"
    assert refused(feed) == {("BTC/USDT", Reason.OFF_GRID): 5}
    assert kinds(rows)[6:] == ["BOOK"]
    assert book_of(rows[-1])[0] == [(1000, 7), (999, 20), (997, 50)]


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_used_as_far_as_it_goes_and_that_is_said(tmp_path: Path, keep: float) -> None:
    frames = [*session(), *(print_of(100 + index, "100.0", str(index % 97 + 1)) for index in range(20_000))]
    whole = capture(tmp_path / "whole.zst", frames).read_bytes()
    (tmp_path / "cut.zst").write_bytes(whole[: int(len(whole) * keep)])
    try:
        feed = opened(tmp_path / "cut.zst")
    except RecordingRefused as refusal:
        assert "breaks off. Copy the file again" in str(refusal)
        return
    rows = rows_of(feed)
    assert 0 < len(rows) < len(frames)
    assert refused(feed)["", Reason.CORRUPT_LINE] >= 1
    assert any("breaks off" in note and "what came before is used" in note for note in feed.notes)


def test_damage_inside_the_compression_ends_the_file_there(tmp_path: Path) -> None:
    frames = [*session(), *(print_of(100 + index, "100.0", str(index % 97 + 1)) for index in range(20_000))]
    whole = bytearray(capture(tmp_path / "whole.zst", frames).read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    (tmp_path / "bent.zst").write_bytes(bytes(whole))
    try:
        feed = opened(tmp_path / "bent.zst")
    except RecordingRefused as refusal:
        assert "Copy the file again" in str(refusal)
        return
    total = sum(len(block) for block in assert_keeps_the_rules(feed.blocks(), 1))
    assert total <= len(frames)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.zst", b"", "is empty"),
        ("readme.md", b"# Notes\nnothing here\n", "no recording of a known kind"),
        ("binance_BTCUSDT.jsonl.zst", b"a,b\n1,2\n", "no recording of a known kind"),
        ("x.parquet", b"PAR1 and then nothing", "cannot be read as Parquet"),
        ("y.json", b"{}\n", "no recording of a known kind"),
        ("z.bin", bytes(range(256)) * 40, "no recording of a known kind"),
    ],
)  # fmt: skip
def test_wrong_files_are_refused_with_what_would_do(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordingRefused, match=message):
        opened(tmp_path / name)
    with pytest.raises(RecordingRefused, match="nothing to replay"):
        opened(tmp_path)


def test_missing_paths_and_no_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingRefused, match=r"there is no file or folder .*nowhere"):
        opened(tmp_path / "nowhere")
    with pytest.raises(RecordingRefused, match="--data PATH"):
        opened()
