"""The live feed against a venue on this machine: whatever goes wrong, the book is right in the end, every hole is told,
and no trade comes twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.feeds.build import assert_keeps_the_rules, book_of, opened, rows_of
from tests.feeds.venue import DEFINITION, NAME, Venue, made_up, open_for
from tests.shared import shared_data

from paperdesk.domain.events import InputKind, MarketStatus
from paperdesk.domain.reasons import Reason
from paperdesk.feeds.live.binance import BinanceLive, open_binance
from paperdesk.feeds.live.link import Pace
from paperdesk.feeds.merging import joined
from paperdesk.feeds.port import RecordingRefused
from paperdesk.feeds.recording import lines
from paperdesk.safety.door import Door
from paperdesk.safety.outside import NoAnswer

PACE = Pace(
    first_pause_s=0.01, longest_pause_s=0.05, refused_pause_s=0.05, good_after_s=60.0, change_after_s=3600.0,
    overlap_s=0.02, quiet_s=0.1, depth_silent_s=0.2, trades_silent_s=30.0, suspect_s=0.1, tick_s=0.02,
)  # fmt: skip
STATUS, TRADE, BOOK = int(InputKind.MARKET_STATUS), int(InputKind.TRADE), int(InputKind.BOOK)
LIVE, STALE, GAP = (int(status) for status in MarketStatus)
PATIENCE_S = 20.0
"""When a test gives up; none waits for it."""


class Told(NamedTuple):
    """What a run gave: its inputs, the feed, the door's counters by verdict."""

    rows: np.ndarray
    feed: BinanceLive
    counted: dict[str, int]

    @property
    def statuses(self) -> list[int]:
        """The market's status rows, in order."""
        return [int(row["status"]) for row in self.rows[self.rows["kind"] == STATUS]]

    @property
    def trade_ids(self) -> list[int]:
        """Ids of trades, in order."""
        return [int(number) for number in self.rows[self.rows["kind"] == TRADE]["trade_id"]]

    @property
    def last_book(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """The book as it was shown last."""
        return book_of(self.rows[self.rows["kind"] == BOOK][-1])


def is_through(venue: Venue, feed: BinanceLive) -> bool:
    """Whether the feed has reached the venue's end."""
    track = feed.tracks[NAME]
    whole = track.book_whole and track.trades_whole and not feed.writer.causes(0)
    return venue.done.is_set() and whole and track.market.last >= venue.last and track._last_trade == venue.last_trade


async def follow(venue: Venue, door: Door, pace: Pace = PACE) -> Told:
    """Follows the venue to its end."""
    feed = await open_binance(door, [NAME], pace=pace, seed=1)
    blocks = []
    stream = feed.blocks()
    async with asyncio.timeout(PATIENCE_S):
        async for block in stream:
            blocks.append(block)
            if is_through(venue, feed):
                break
    await stream.aclose()
    rows = joined(list(assert_keeps_the_rules(blocks, 1)))
    counted: dict[str, int] = {}
    for row in door.counters.rows():
        counted[row.verdict] = counted.get(row.verdict, 0) + row.calls
    return Told(rows, feed, counted)


def play(
    frames: Sequence[Mapping[str, Any]],
    picture: Mapping[str, Any],
    faults: Mapping[int, str] | None = None,
    answers: Iterable[str] = (),
    handshakes: Iterable[int] = (),
    pace: Pace = PACE,
) -> tuple[Told, Venue]:
    """A run from the venue's start to its end; what must always hold is asserted."""

    async def run() -> tuple[Told, Venue]:
        venue = Venue(frames, picture, faults, answers, handshakes)
        async with open_for(venue) as door:
            return await follow(venue, door, pace), venue

    told, venue = asyncio.run(run())
    assert told.last_book == tuple(map(list, venue.picture())), "the book is the venue's"
    ids = told.trade_ids
    assert ids == sorted(set(ids)), "trades come in order, none twice"
    assert told.statuses[0] == STALE and told.statuses[-1] == LIVE
    rows = told.rows[told.rows["kind"] == STATUS]
    said = list(zip(rows["status"].tolist(), rows["status_reason"].tolist(), strict=True))
    assert all(first != second for first, second in pairwise(said)), "nothing is told twice"
    return told, venue


def all_ids(venue: Venue) -> list[int]:
    """Every trade of the venue."""
    return [int(trade["id"]) for trade in venue.trades]


def assert_pictures_are_the_venues(told: Told, venue: Venue) -> None:
    """For a stream without best prices: each book that was shown while LIVE is one that the venue had, in its order."""
    at, live = 0, False
    for row in told.rows:
        if row["kind"] == STATUS:
            live = int(row["status"]) == LIVE
        elif row["kind"] == BOOK and live:
            shown = tuple(map(tuple, book_of(row)))
            at = venue.pictures.index(shown, at)


# Nothing wrong


def test_a_good_stream_gives_every_trade_and_the_book() -> None:
    frames, picture = made_up(1, 300)
    told, venue = play(frames, picture)
    assert told.trade_ids == all_ids(venue) and told.statuses == [STALE, LIVE]
    assert venue.streams == 1 and told.feed.label == "LIVE MAINNET DATA"
    assert told.feed.tracks[NAME].missed == told.feed.tracks[NAME].backfilled == 0
    assert {key: count for key, count in told.feed.refusals.items() if key[1] is not Reason.DUPLICATE} == {}
    (instrument,) = told.feed.instruments
    assert (instrument.symbol, str(instrument.tick), instrument.venue) == ("BTC/USDT", "0.01", "binance")
    assert told.feed.source.bit_length() <= 62


def test_every_book_that_is_shown_is_one_of_the_venues() -> None:
    frames, picture = made_up(2, 400, quotes=False)
    faults = {60: "lost", 150: "cut", 300: "lost", 301: "lost", 420: "twice", 500: "close", 600: "torn"}
    told, venue = play(frames, picture, faults)
    assert_pictures_are_the_venues(told, venue)
    assert told.trade_ids == all_ids(venue)


def test_the_time_is_ours_and_the_venues_is_kept_beside_it() -> None:
    told, _ = play(*made_up(3, 60))
    trades = told.rows[told.rows["kind"] == TRADE]
    assert (trades["ts_event_ns"] < 1_800_000_000_000_000_000).all()
    assert (trades["ts_seq_ns"] > trades["ts_event_ns"]).all() and (np.diff(told.rows["ts_seq_ns"]) >= 0).all()


def test_a_replay_of_the_same_frames_gives_the_same_trades_and_book(tmp_path: Any) -> None:
    frames, picture = made_up(4, 200)
    told, _ = play(frames, picture)
    path = tmp_path / "capture.jsonl"
    start = 1_723_161_254_000_000_000
    text = [json.dumps(picture), *map(json.dumps, frames)]
    path.write_text("".join(f"{start + place * 1_000_000} {line}\n" for place, line in enumerate(text)))
    (tmp_path / "definitions.json").write_text(json.dumps({"symbols": [DEFINITION]}))
    rows = rows_of(opened(path, instruments_file=tmp_path / "definitions.json"))
    replayed, seen = rows[rows["kind"] == TRADE], told.rows[told.rows["kind"] == TRADE]
    for name in ("trade_id", "trade_price_ticks", "trade_qty_lots", "side", "ts_event_ns", "instrument"):
        assert replayed[name].tolist() == seen[name].tolist()
    assert book_of(rows[rows["kind"] == BOOK][-1]) == told.last_book


# Frames that are lost, doubled or damaged


@pytest.mark.parametrize("kind", ["depthUpdate", "trade"])
def test_a_lost_frame_is_a_gap_until_it_is_made_good(kind: str) -> None:
    frames, picture = made_up(5, 200)
    place = next(at for at in range(200, len(frames)) if frames[at]["data"].get("e") == kind)
    told, venue = play(frames, picture, {place: "lost"})
    assert told.statuses == [STALE, LIVE, GAP, LIVE]
    assert told.trade_ids == all_ids(venue)
    assert (told.feed.tracks[NAME].backfilled > 0) == (kind == "trade")
    assert venue.streams == 1, "a gap needs no new connection"
    assert venue.asked.count("depth") == (2 if kind == "depthUpdate" else 1)


def test_lost_best_prices_are_no_gap() -> None:
    frames, picture = made_up(6, 100)
    places = [at for at, frame in enumerate(frames) if "e" not in frame["data"]][10:40]
    told, _ = play(frames, picture, dict.fromkeys(places, "lost"))
    assert told.statuses == [STALE, LIVE]


@pytest.mark.parametrize("fault", ["garbage", "html", "torn", "nonsense", "unknown"])
def test_frames_that_make_no_sense_are_counted_and_passed_over(fault: str) -> None:
    frames, picture = made_up(7, 120)
    told, venue = play(frames, picture, {100: fault, 150: fault})
    assert told.statuses == [STALE, LIVE] and told.trade_ids == all_ids(venue) and venue.streams == 1
    counted = 0 if fault == "unknown" else 2
    assert told.feed.refusals["", Reason.CORRUPT_LINE] == counted


def test_a_stream_that_sends_nothing_else_is_given_up() -> None:
    frames, picture = made_up(8, 120)
    frames[100:100] = [{"e": 7}] * 25
    told, venue = play(frames, picture)
    assert told.feed.refusals["", Reason.CORRUPT_LINE] >= 20
    assert venue.streams == 2 and told.trade_ids == all_ids(venue)


def test_copies_change_nothing() -> None:
    frames, picture = made_up(9, 150)
    told, venue = play(frames, picture, dict.fromkeys(range(100, 200), "twice"))
    assert told.statuses == [STALE, LIVE] and told.trade_ids == all_ids(venue)
    assert told.feed.refusals["BTC/USDT", Reason.DUPLICATE] >= 100


# Connections that end


@pytest.mark.parametrize("fault", ["cut", "close", "deaf", "huge"])
def test_a_lost_connection_is_told_and_what_was_missed_comes_later(fault: str) -> None:
    frames, picture = made_up(10, 250)
    told, venue = play(frames, picture, {200: fault})
    assert told.statuses[:3] == [STALE, LIVE, STALE] and venue.streams == 2
    assert told.trade_ids == all_ids(venue)
    assert told.feed.tracks[NAME].backfilled > 0 and told.feed.tracks[NAME].missed == 0
    if fault == "huge":
        assert told.counted["answer_too_large"] == 1


@pytest.mark.parametrize("seed", range(4))
def test_disconnects_and_faults_at_random_places(seed: int) -> None:
    random = Random(seed)
    frames, picture = made_up(100 + seed, 500, quotes=seed % 2 == 0)
    kinds = ("lost", "twice", "garbage", "html", "torn", "nonsense", "cut", "close", "shutdown")
    faults = {random.randrange(50, len(frames) - 150): random.choice(kinds) for _ in range(25)}
    told, venue = play(frames, picture, faults)
    assert told.trade_ids == all_ids(venue), f"seed {seed}"
    if seed % 2:
        assert_pictures_are_the_venues(told, venue)


def test_an_announced_end_is_met_without_a_hole() -> None:
    frames, picture = made_up(11, 400)
    pauses = dict.fromkeys(range(201, 800), "linger")
    told, venue = play(frames, picture, {200: "shutdown", **pauses}, pace=PACE._replace(overlap_s=0.0))
    assert told.trade_ids == all_ids(venue) and told.statuses == [STALE, LIVE] and venue.streams == 2


def test_trades_beyond_what_the_venue_keeps_are_counted_as_missed() -> None:
    frames, picture = made_up(12, 200)
    trade = next(frame for frame in frames[300:] if frame["data"].get("e") == "trade")
    at = frames.index(trade)
    for frame in frames[at:]:
        if frame["data"].get("e") == "trade":
            frame["data"]["t"] += 5_000  # ids that no answer has
    told, venue = play(frames, picture)
    assert told.statuses == [STALE, LIVE, GAP, LIVE] and told.trade_ids == all_ids(venue)
    assert told.feed.tracks[NAME].missed == 5_000
    assert told.feed.refusals["BTC/USDT", Reason.SEQUENCE_GAP] == 5_000


def test_a_book_stream_that_falls_silent_is_noticed_and_opened_anew() -> None:
    frames, picture = made_up(13, 300)
    told, venue = play(frames, picture, {150: "mute"})
    assert venue.streams == 2 and told.counted["allowed"] > 4
    assert Reason.STALE_DATA in told.rows[told.rows["kind"] == STATUS]["status_reason"] and told.trade_ids == all_ids(
        venue
    )


def test_a_stream_of_trades_that_falls_silent_is_noticed_and_opened_anew() -> None:
    frames, picture = made_up(19, 300)
    pauses = dict.fromkeys(range(151, 700), "linger")
    told, venue = play(frames, picture, {150: "mute trades", **pauses}, pace=PACE._replace(trades_silent_s=0.1))
    assert venue.streams >= 2 and told.trade_ids == all_ids(venue)
    assert told.feed.tracks[NAME].backfilled > 0


def test_a_connection_is_changed_before_the_venue_ends_it() -> None:
    frames, picture = made_up(20, 300)
    pauses = dict.fromkeys(range(100, 700), "linger")
    pace = PACE._replace(change_after_s=0.3, overlap_s=0.0)
    told, venue = play(frames, picture, pauses, pace=pace)
    assert venue.streams >= 2 and told.statuses == [STALE, LIVE] and told.trade_ids == all_ids(venue)


def test_a_market_in_which_nothing_happens_stays_live() -> None:
    frames, picture = made_up(21, 60)

    async def run() -> None:
        venue = Venue(frames, picture)
        async with open_for(venue) as door:
            feed = await open_binance(door, [NAME], pace=PACE._replace(depth_silent_s=0.05, trades_silent_s=0.05))
            blocks: list[np.ndarray] = []

            async def read() -> None:
                async for block in feed.blocks():
                    blocks.append(block)  # noqa: PERF401  it never ends

            reading = asyncio.create_task(read())
            async with asyncio.timeout(PATIENCE_S):
                while not (is_through(venue, feed) and venue.asked.count("depth") > 4 < venue.asked.count("trades")):
                    await asyncio.sleep(0.01)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            rows = joined(blocks)
            assert rows[rows["kind"] == STATUS]["status"].tolist() == [STALE, LIVE] and venue.streams == 1

    asyncio.run(run())


# Answers


@pytest.mark.parametrize(
    "fault", ["429", "418", "451", "403", "500", "302", "html", "slow", "length", "empty", "null", "old"]
)
def test_a_snapshot_that_does_not_come_is_asked_for_again(fault: str) -> None:
    frames, picture = made_up(14, 120)
    told, venue = play(frames, picture, answers=[fault])
    assert venue.asked.count("depth") >= 2 and told.trade_ids == all_ids(venue)
    assert told.statuses[-1] == LIVE


@pytest.mark.parametrize("fault", ["429", "html", "length", "empty"])
def test_missed_trades_are_asked_for_again(fault: str) -> None:
    frames, picture = made_up(15, 250)
    told, venue = play(frames, picture, {200: "cut"}, answers=["", fault, fault])
    assert told.trade_ids == all_ids(venue) and told.feed.tracks[NAME].missed == 0


@pytest.mark.parametrize("status", [451, 403, 429, 418, 500, 200, 301])
def test_a_stream_that_does_not_open_is_tried_again(status: int) -> None:
    frames, picture = made_up(16, 60)
    told, venue = play(frames, picture, handshakes=[status, status])
    assert told.counted["allowed"] >= 5 and told.trade_ids == all_ids(venue)
    assert told.feed.link.failures >= 2


def test_bars_to_warm_up_are_closed_ones() -> None:
    async def run() -> np.ndarray:
        async with open_for(Venue(*made_up(17, 1))) as door:
            feed = await open_binance(door, ["BTC/USDT"], pace=PACE)
            return await feed.bars("BTC/USDT", "1m", 500)

    rows = asyncio.run(run())
    assert rows["kind"].tolist() == [int(InputKind.BAR)] * 2
    assert rows["ts_seq_ns"].tolist() == [1_723_161_240_000_000_000, 1_723_161_300_000_000_000]
    assert (int(rows[0]["open_ticks"]), int(rows[0]["volume_lots"])) == (10_000, 1_250_000)


def test_markets_that_the_venue_does_not_have_are_refused() -> None:
    async def run(symbols: list[str]) -> None:
        async with open_for(Venue(*made_up(18, 1))) as door:
            await open_binance(door, symbols)

    for symbols in (["BTCUSDT", "NOPEUSDT"], []):
        with pytest.raises(RecordingRefused):
            asyncio.run(run(symbols))
    with pytest.raises(NoAnswer) as told:
        asyncio.run(run(["../../order"]))
    assert told.value.reason in (Reason.BAD_ADDRESS, Reason.NOT_ON_THE_LIST)


# Recorded frames


def recorded(count: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The first frames of a recorded capture and its snapshot, up to a change of the book newer than all best prices."""
    frames: list[dict[str, Any]] = []
    picture: dict[str, Any] = {}
    quoted = 0
    for batch in lines(shared_data("l2/binance_BTCUSDT_20240808.jsonl.zst")):
        for line in batch:
            frame = json.loads(line.partition(b" ")[2])
            if "lastUpdateId" in frame:
                picture = frame
                continue
            frames.append(frame)
            body = frame["data"]
            if "e" not in body:
                quoted = body["u"]
            elif len(frames) >= count and body["e"] == "depthUpdate" and body["u"] >= quoted:
                return frames, picture
    raise AssertionError("the capture is shorter")


@pytest.mark.parametrize("seed", range(3))
def test_a_recorded_capture_through_the_live_path_with_faults(seed: int) -> None:
    """Seed 0: without faults."""
    frames, picture = recorded(4_000)
    random = Random(seed)
    kinds = ("lost", "lost", "twice", "garbage", "html", "cut", "close", "shutdown")
    faults = {random.randrange(100, len(frames) - 500): random.choice(kinds) for _ in range(20)} if seed else {}
    told, venue = play(frames, picture, faults)
    assert told.trade_ids == all_ids(venue), f"seed {seed}"
    assert told.feed.tracks[NAME].missed == 0
    ends = sum(fault in ("cut", "close") for fault in faults.values())
    assert told.statuses.count(STALE) + told.statuses.count(GAP) > (1 if ends else 0)
