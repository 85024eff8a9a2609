"""Runs in hftbacktest's own environment (see peers.py), and knows nothing of the product: python peer_hftbacktest.py IN OUT.

IN is an .npz of thinned streams: `start`, and by row `trade` (0 a picture, 1 a print at the price, 2 through it), `shown`, `reach`, `lots`
(of a print), `judge` (1 while the look is not over); by order `own`, `ticks`, `size`. OUT: `names`, and `answers` of shape
(models, orders, 4): lots when judged, row of the first and of the whole fill (−1 never), lots in the end.
"""

import sys

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    EXCH_EVENT,
    GTC,
    LIMIT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
)
from hftbacktest.types import event_dtype
from numba import njit

STEP = 1_000
TICK, LOT = 0.01, 1e-8
FAR = 5_000
BOTH = EXCH_EVENT | LOCAL_EVENT


def events(data, k):
    """The stream of one order, from an empty book."""
    start, own, price = data["start"], data["own"], int(data["ticks"][k])
    trade, shown, reach, lots = data["trade"], data["shown"], data["reach"], data["lots"]
    mine, other = (BUY_EVENT, SELL_EVENT) if own[k] == 0 else (SELL_EVENT, BUY_EVENT)
    away = 1 if own[k] == 0 else -1
    out = []

    def put(flag, ts, ticks, qty):
        out.append((flag | BOTH, ts, ts, ticks * TICK, qty * LOT, 0, 0, 0.0))

    put(DEPTH_EVENT | other, STEP, price + away * FAR, 10**9)
    before, reached = -1, 0
    for j, i in enumerate(range(start[k], start[k + 1])):
        t = (j + 1) * STEP
        if j and trade[i]:
            put(TRADE_EVENT | other, t, price if trade[i] == 1 else price - away, lots[i])
            continue
        if shown[i] >= 0 and shown[i] != before:
            put(DEPTH_EVENT | mine, t, price, shown[i])
            before = shown[i]
        if reach[i] != reached:
            put(DEPTH_EVENT | other, t, price, reach[i])
            reached = reach[i]
    put(DEPTH_EVENT | other, (start[k + 1] - start[k] + 2) * STEP, price + away * FAR, 10**9)
    return np.array(out, event_dtype)


@njit
def ask(hbt, own, ticks, size, judge, out):
    """One order in its stream, looked at after every row until it is filled whole; 0, or the error that ended it."""
    hbt.elapse(0)
    code = hbt.elapse(STEP // 2)
    if code != 0:
        return code
    if own == 0:
        code = hbt.submit_buy_order(0, 1, ticks * TICK, size * LOT, GTC, LIMIT, False)
    else:
        code = hbt.submit_sell_order(0, 1, ticks * TICK, size * LOT, GTC, LIMIT, False)
    for j in range(1, len(judge)):
        if code == 0:
            code = hbt.elapse(STEP)
        if code != 0:
            return code
        filled = size - int(round(hbt.orders(0).get(1).leaves_qty / LOT))  # noqa: RUF046  a float in compiled code
        if filled > out[3] and out[3] == 0:
            out[1] = j
        if filled == size:
            out[2] = j
        out[3] = filled
        if judge[j]:
            out[0] = filled
        if filled == size:
            break
    return 0


def models():
    """The queue models of the package, by name."""
    found = {
        "RiskAdverse": lambda asset: asset.risk_adverse_queue_model(),
        "LogProb": lambda asset: asset.log_prob_queue_model(),
        "LogProb2": lambda asset: asset.log_prob_queue_model2(),
    }
    for n in (1, 2, 3):
        found[f"PowerProb n={n}"] = lambda asset, n=n: asset.power_prob_queue_model(float(n))
        found[f"PowerProb3 n={n}"] = lambda asset, n=n: asset.power_prob_queue_model3(float(n))
    return found


def main(source, target):
    """Runs all models and writes what they say."""
    data = dict(np.load(source))
    start, orders = data["start"], len(data["own"])
    streams = [events(data, k) for k in range(orders)]
    names, answers = [], []
    for name, choose in models().items():
        out = np.zeros((orders, 4), np.int64)
        out[:, 1:3] = -1
        for k in range(orders):
            asset = BacktestAsset().data(streams[k]).linear_asset(1.0).constant_order_latency(0, 0)
            asset = choose(asset).partial_fill_exchange().trading_value_fee_model(0.0, 0.0)
            hbt = HashMapMarketDepthBacktest([asset.tick_size(TICK).lot_size(LOT)])
            judge = data["judge"][start[k] : start[k + 1]]
            code = ask(hbt, data["own"][k], data["ticks"][k], data["size"][k], judge, out[k])
            hbt.close()
            if code != 0:
                sys.exit(f"{name}: order {k}: the library answered {code}")
        names.append(name)
        answers.append(out)
    np.savez(target, names=np.array(names), answers=np.array(answers))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
