import { describe, expect, it } from "vitest";
import { estimate } from "../src/estimate";
import type { Draft } from "../src/ticket";
import { draft, GRID } from "./drafts";

const asks = [{ price: "100.1", quantity: "0.5" }, { price: "100.2", quantity: "1" }];
const market = (more: Partial<Draft>) => draft({ type: "market", ...more });

describe("an estimate", () => {
  it("walks the book for a market order, and says when it is not enough", () => {
    expect(estimate(market({ quantity: "1" }), GRID, asks)).toMatchObject({ notional: "100.15", fee: "0.002", feeAsset: "BTC", short: false });
    expect(estimate(market({ quantity: "9" }), GRID, asks)).toMatchObject({ quantity: "1.5", notional: "150.25", fee: "0.003", short: true });
    expect(estimate(market({ quantity: "1" }), GRID, [])).toBeNull();
  });

  it("takes an order's own price, and the maker's fee only for post-only", () => {
    expect(estimate(draft({}), GRID, asks)).toMatchObject({ notional: "640", fee: "0.00002" });
    expect(estimate(draft({ postOnly: true }), GRID, asks)).toMatchObject({ fee: "0.00001" });
    expect(estimate(draft({ type: "stop_market", trigger: "65000" }), GRID, asks)).toMatchObject({ notional: "650" });
    expect(estimate(draft({ type: "take_profit_market", trigger: "65000" }), GRID, asks)).toMatchObject({ notional: "650" });
    expect(estimate(draft({ type: "take_profit_limit", trigger: "65000" }), GRID, asks)).toMatchObject({ notional: "640" });
    expect(estimate(draft({ side: "sell" }), GRID, asks)).toMatchObject({ fee: "1.28", feeAsset: "USDT" });
    expect(estimate(draft({ price: "" }), GRID, asks)).toBeNull();
    expect(estimate(draft({ quantity: "x" }), GRID, asks)).toBeNull();
  });

  it("says about how much an amount buys or sells, in whole steps, level by level, never beyond it", () => {
    const spend = (budget: string, levels = asks) => estimate(market({ sizing: "budget", budget }), GRID, levels);
    expect(spend("50.05")).toMatchObject({ quantity: "0.5", notional: "50.05", short: false });
    expect(spend("100")).toMatchObject({ quantity: "0.9985", notional: "99.9997", fee: "0.001997", feeAsset: "BTC", short: false });
    expect(spend("1000")).toMatchObject({ quantity: "1.5", notional: "150.25", short: true });
    expect(spend("0.001")).toMatchObject({ quantity: "0", short: false, basis: "too little for one step of 0.00001 BTC at the best price shown" });
    expect(spend("100", [])).toBeNull();
    expect(spend("x")).toBeNull();
    const receive = estimate(market({ side: "sell", sizing: "budget", budget: "100" }), GRID, asks.toReversed());
    expect(receive).toMatchObject({ quantity: "0.998", notional: "99.9996", feeAsset: "USDT" });
  });

  it("holds a reduce-only order to the position there is", () => {
    const sell = (more: Partial<Draft>, position: string | null) => estimate(market({ side: "sell", quantity: "1", reduceOnly: true, ...more }), GRID, asks, position);
    expect(sell({}, "0.4")).toMatchObject({ quantity: "0.4", basis: "through the book as shown now, as taker; no more than the position, 0.4 BTC" });
    expect(sell({}, "4")).toMatchObject({ quantity: "1", basis: "through the book as shown now, as taker" });
    expect(sell({}, null)).toMatchObject({ quantity: "1" });
    expect(sell({}, "-1")).toBeNull();
    expect(sell({ type: "stop_market", trigger: "90" }, "0.4")).toMatchObject({ quantity: "1", basis: "at its trigger; the fill may be worse; no more than the position is by then" });
  });

  it("of an order that follows the price is of now, or of where it begins to", () => {
    const trailing = (more: Partial<Draft>) => estimate(draft({ type: "stop_market", quantity: "1", trail: "1", ...more }), GRID, asks);
    expect(trailing({})).toMatchObject({ notional: "100.15", basis: "through the book as shown now, as taker; where it fires is not known yet" });
    expect(trailing({ trigger: "110" })).toMatchObject({ notional: "110", basis: "at its activation price; where it fires is not known yet" });
    expect(trailing({ type: "stop_limit", price: "111" })).toMatchObject({ notional: "111", basis: "at its price, as taker" });
  });
});
