"""Latencies by words or measured: the quantiles that they become, and where the files are wrong."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from paperdesk.app.errors import DeskError
from paperdesk.app.latency_model import POINTS, latency_model, quantiles
from paperdesk.domain.layout import LATENCY_POINTS

MS = 1_000_000


def test_there_are_as_many_quantiles_as_the_venue_takes() -> None:
    assert POINTS == LATENCY_POINTS


def test_uniform_latencies_lie_on_a_line() -> None:
    model = latency_model("uniform:20:84")
    assert model.text == "uniform:20:84"
    assert model.quantiles_ns == tuple((20 + 2 * place) * MS for place in range(POINTS))


def test_log_normal_latencies_have_their_median_and_a_long_end() -> None:
    made = latency_model("lognormal:50:0.5").quantiles_ns
    assert made[POINTS // 2] == 50 * MS and list(made) == sorted(made)
    # exp(0.5 z): z is 3.0902 at 99.9 %, 0.6745 at three quarters
    assert made[-1] == pytest.approx(50 * MS * 2.71828 ** (0.5 * 3.0902), rel=1e-3)
    assert made[24] == pytest.approx(50 * MS * 2.71828 ** (0.5 * 0.67449), rel=1e-4)
    assert made[0] * made[-1] == pytest.approx(made[16] ** 2, rel=1e-4), "as far below the median as above"
    assert all(one % 1_000 == 0 for one in made), "whole microseconds"
    assert set(latency_model("lognormal:7:0").quantiles_ns) == {7 * MS}


@pytest.mark.parametrize("count", [2, 7, 33, 100])
def test_quantiles_of_what_was_measured_are_those_of_the_textbook(count: int) -> None:
    values = [float((place * 37) % 101) for place in range(count)]
    expected = statistics.quantiles(values, n=POINTS - 1, method="inclusive")
    assert quantiles(values) == pytest.approx([min(values), *expected, max(values)])


def test_a_file_of_numbers_and_a_column_of_a_table_say_the_same(tmp_path: Path) -> None:
    plain, table = tmp_path / "plain.txt", tmp_path / "table.csv"
    plain.write_text("30\n10.5\n\n20\n", encoding="utf-8")
    table.write_text("when,latency_ms\n1,30\n2,10.5\n3,20\n", encoding="utf-8")
    one, other = latency_model(str(plain)), latency_model(str(table))
    assert one.quantiles_ns == other.quantiles_ns
    assert (one.quantiles_ns[0], one.quantiles_ns[16], one.quantiles_ns[-1]) == (10_500_000, 20 * MS, 30 * MS)
    assert one.text == "3 latencies of plain.txt", "a name, no path"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5\nsoon\n", "line 2 holds no number of milliseconds"),
        ("5\n-1\n", "line 2 says -1; latencies lie between 0 and 60000 ms"),
        ("5\nnan\n", "line 2 says nan"),
        ("5\n70000\n", "line 2 says 70000"),
        ("a,b\n1,2\n", "line 1 has several columns; name the one to take latency_ms in the first line"),
        ("latency_ms,b\n1,2\n,3\n", "line 3 holds no number"),
        ("5\n", "it holds 1 latencies; measure at least 2, or give --latency-ms"),
        ("", "it holds 0 latencies"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "measured.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeskError, match=words) as refused:
        latency_model(str(path))
    assert "measured.csv" in str(refused.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "measured.bin"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DeskError, match="the file is no text"):
        latency_model(str(path))
