"""Indicators: right by a naive computation, streamed as in a batch, blind to the future, honest about the past."""

import math
import random
import statistics
from itertools import pairwise

import numpy as np
import pytest

from paperdesk.features.basic import (
    Feature,
    FeatureError,
    FeatureSet,
    advance_all,
    atr,
    batch,
    change,
    deviation,
    ema,
    highest,
    lowest,
    program_of,
    rsi,
    sma,
)

ALL_KINDS = {
    "sma": sma(7),
    "highest": highest(5),
    "lowest": lowest(5),
    "change": change(3),
    "deviation": deviation(6),
    "ema": ema(8),
    "rsi": rsi(6),
    "atr": atr(5),
    "volume": sma(4, of="volume"),
}


def random_bars(seed: int, count: int = 120) -> np.ndarray:
    """Plausible bars, float64 (count, 5)."""
    chance = random.Random(seed)
    rows, close = [], 100.0
    for _ in range(count):
        open_ = close
        close = max(1.0, open_ + chance.gauss(0, 2))
        high, low = max(open_, close) + chance.random(), min(open_, close) - chance.random() * 0.5
        rows.append((open_, high, low, close, float(chance.randrange(1, 100))))
    return np.array(rows)


def same(left: np.ndarray, right: np.ndarray) -> bool:
    """Bit for bit, NaN included."""
    return left.tobytes() == right.tobytes()


def test_a_stream_and_a_batch_agree_bit_for_bit() -> None:
    for seed in range(5):
        bars, stream = random_bars(seed), FeatureSet(ALL_KINDS)
        values = []
        for row in bars.tolist():
            stream.add(*row)
            values.append(stream.values)
        assert same(np.array(values), batch(list(ALL_KINDS.values()), bars)), f"seed {seed}"


def test_the_future_changes_nothing() -> None:
    features = list(ALL_KINDS.values())
    for seed in range(3):
        bars = random_bars(seed)
        whole = batch(features, bars)
        for end in range(1, len(bars)):
            assert same(batch(features, bars[:end]), whole[:end]), f"seed {seed}, truncated after {end} bars"


def test_windowed_features_depend_on_their_look_back_alone() -> None:
    bars = random_bars(3)
    for name, feature in ALL_KINDS.items():
        if feature.windowed:
            whole = batch([feature], bars)
            for end in range(feature.look_back, len(bars) + 1):
                part = batch([feature], bars[end - feature.look_back : end])
                assert same(part[-1], whole[end - 1]), f"{name} at {end}"


@pytest.mark.parametrize("feature", [ema(4), rsi(3), atr(3)])
def test_what_a_recursive_feature_keeps_of_older_bars_fades_within_its_look_back(feature: Feature) -> None:
    bars = random_bars(4, 400)
    whole, part = batch([feature], bars)[-1, 0], batch([feature], bars[-feature.look_back :])[-1, 0]
    assert whole == pytest.approx(part, rel=1e-7)
    assert not feature.windowed


def test_warm_up_is_exactly_as_declared() -> None:
    found = batch(list(ALL_KINDS.values()), random_bars(1))
    for place, (name, feature) in enumerate(ALL_KINDS.items()):
        assert np.isnan(found[: feature.warm_up - 1, place]).all(), name
        assert not np.isnan(found[feature.warm_up - 1 :, place]).any(), name


def test_windowed_values_against_the_standard_library() -> None:
    bars = random_bars(2)
    close, high, low, volume = bars[:, 3].tolist(), bars[:, 1].tolist(), bars[:, 2].tolist(), bars[:, 4].tolist()
    found = {name: batch([feature], bars)[:, 0] for name, feature in ALL_KINDS.items()}
    for at in range(10, len(bars)):
        end = at + 1
        assert found["sma"][at] == pytest.approx(statistics.fmean(close[end - 7 : end]))
        assert found["volume"][at] == pytest.approx(statistics.fmean(volume[end - 4 : end]))
        assert found["highest"][at] == max(high[end - 5 : end])
        assert found["lowest"][at] == min(low[end - 5 : end])
        assert found["change"][at] == pytest.approx(close[at] / close[at - 3] - 1)
        assert found["deviation"][at] == pytest.approx(statistics.stdev(close[end - 6 : end]))


def test_recursive_values_against_a_naive_computation() -> None:
    bars = random_bars(6)
    close = bars[:, 3].tolist()
    found = {name: batch([feature], bars)[:, 0] for name, feature in ALL_KINDS.items()}
    mean = statistics.fmean(close[:8])
    for at in range(8, len(bars)):
        mean += (close[at] - mean) * 2 / 9
        assert found["ema"][at] == pytest.approx(mean)
    moves = [after - before for before, after in pairwise(close)]
    gain, loss = statistics.fmean(max(m, 0) for m in moves[:6]), statistics.fmean(max(-m, 0) for m in moves[:6])
    assert found["rsi"][6] == pytest.approx(100 * gain / (gain + loss))
    for at in range(7, len(bars)):
        move = moves[at - 1]
        gain, loss = (gain * 5 + max(move, 0)) / 6, (loss * 5 + max(-move, 0)) / 6
        assert found["rsi"][at] == pytest.approx(100 - 100 / (1 + gain / loss))
    reach = [bars[0, 1] - bars[0, 2]]
    for at in range(1, len(bars)):
        high, low, before = bars[at, 1], bars[at, 2], close[at - 1]
        reach.append(max(high - low, abs(high - before), abs(low - before)))
    span = statistics.fmean(reach[:5])
    for at in range(5, len(bars)):
        span = (span * 4 + reach[at]) / 5
        assert found["atr"][at] == pytest.approx(span)


def test_still_markets_have_no_surprises() -> None:
    flat = np.full((30, 5), 10.0)
    values = dict(zip(ALL_KINDS, batch(list(ALL_KINDS.values()), flat)[-1].tolist(), strict=True))
    assert values["rsi"] == 50.0
    assert values["deviation"] == values["change"] == values["atr"] == 0.0
    assert values["sma"] == values["ema"] == values["highest"] == values["lowest"] == 10.0
    assert batch([change(1, of="volume")], np.zeros((3, 5)))[-1, 0] == 0.0


def test_a_snapshot_continues_the_values() -> None:
    bars = random_bars(9).tolist()
    one, two = FeatureSet(ALL_KINDS), FeatureSet(ALL_KINDS)
    for row in bars[:50]:
        one.add(*row)
    parts = one.snapshot()
    assert all(type(item) is float for part in parts for item in part)
    two.restore(parts)
    assert two.values == one.values
    for row in bars[50:]:
        one.add(*row)
        two.add(*row)
    assert one.snapshot() == two.snapshot()


def test_the_state_of_other_features_is_refused() -> None:
    with pytest.raises(FeatureError, match="does not belong"):
        FeatureSet({"fast": sma(3)}).restore(FeatureSet({"fast": sma(4)}).snapshot())


def test_periods_may_name_parameters() -> None:
    feature = ema("fast").resolved({"fast": 12})
    assert (feature.bars, feature.warm_up, feature.look_back) == (12, 12, 130)
    assert sma(3).resolved({}) == sma(3)
    for value in (0, -1, 2.5, True, None, "9", 1_000_000):
        with pytest.raises(
            FeatureError, match=r"ema: parameter 'fast' must be a whole number of bars from 1 to 100000"
        ):
            ema("fast").resolved({"fast": value})
    with pytest.raises(FeatureError, match="sma: period must be"):
        sma(0).resolved({})
    with pytest.raises(FeatureError, match="one bar has no deviation"):
        deviation(1).resolved({})


def test_unknown_columns_are_refused() -> None:
    with pytest.raises(FeatureError, match="a bar has no 'price'; choose one of open, high, low, close, volume"):
        sma(3, of="price")


def test_no_features_are_fine() -> None:
    nothing = FeatureSet({})
    nothing.add(1.0, 1.0, 1.0, 1.0, 1.0)
    assert nothing.values == [] and nothing.warm_up == 0


@pytest.mark.jit_only
def test_compiled_and_interpreted_steps_agree_bit_for_bit() -> None:
    bars = random_bars(11)
    program, size = program_of(list(ALL_KINDS.values()))
    compiled = batch(list(ALL_KINDS.values()), bars)
    assert not math.isnan(compiled[-1, 0])
    plain = advance_all.py_func(program, np.zeros(size), bars)  # type: ignore[attr-defined]
    assert same(plain, compiled)
