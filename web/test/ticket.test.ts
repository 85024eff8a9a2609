import { describe, expect, it } from "vitest";
import type { Draft } from "../src/ticket";
import { EMPTY, estimate, faults, retyped, sentence, settled, timesInForce } from "../src/ticket";

const GRID = { symbol: "BTCUSDT", base: "BTC", quote: "USDT", tick: "0.01", lot: "0.00001", maker_fee: "0.001", taker_fee: "0.002" };
const draft = (more: Partial<Draft>): Draft => settled({ ...EMPTY, quantity: "0.01", price: "64000", ...more });

describe("a draft", () => {
  it("on the grid has no faults", () => {
    expect(faults(draft({}), GRID)).toEqual({});
    expect(faults(draft({ type: "market", price: "" }), GRID)).toEqual({});
  });

  it("off the grid is told the nearest values", () => {
    expect(faults(draft({ quantity: "0.0123456" }), GRID).quantity).toBe("The quantity goes in steps of 0.00001: 0.01234 or 0.01235.");
    expect(faults(draft({ quantity: "0.000001" }), GRID).quantity).toBe("The quantity goes in steps of 0.00001: 0.00001.");
    expect(faults(draft({ price: "1.005" }), GRID).price).toContain("1 or 1.01");
  });

  it("is told what is missing or no number", () => {
    const wrong = faults(draft({ type: "stop_limit", quantity: "", price: "1,000", trigger: "0" }), GRID);
    expect(wrong.quantity).toBe("Give a quantity in BTC.");
    expect(wrong.price).toContain("as a decimal number");
    expect(wrong.trigger).toBe("The trigger price must be above zero.");
  });

  it("keeps only what goes together", () => {
    expect(timesInForce("market")).toEqual(["ioc", "fok"]);
    expect(settled({ ...EMPTY, type: "market", timeInForce: "gtc", postOnly: true })).toMatchObject({ timeInForce: "ioc", postOnly: false });
    expect(retyped(retyped(EMPTY, "market"), "limit")).toMatchObject({ type: "limit", timeInForce: "gtc" });
    expect(retyped({ ...EMPTY, timeInForce: "fok" }, "stop_limit")).toMatchObject({ timeInForce: "fok" });
    expect(settled({ ...EMPTY, postOnly: true })).toMatchObject({ postOnly: true });
    expect(settled({ ...EMPTY, postOnly: true, timeInForce: "fok" })).toMatchObject({ postOnly: false });
  });
});

describe("an estimate", () => {
  const asks = [{ price: "100.1", quantity: "0.5" }, { price: "100.2", quantity: "1" }];
  it("walks the book for a market order, and says when it is not enough", () => {
    expect(estimate(draft({ type: "market", quantity: "1" }), GRID, asks)).toMatchObject({ notional: "100.15", fee: "0.002", feeAsset: "BTC", short: false });
    expect(estimate(draft({ type: "market", quantity: "9" }), GRID, asks)).toMatchObject({ notional: "150.25", fee: "0.003", short: true });
    expect(estimate(draft({ type: "market", quantity: "1" }), GRID, [])).toBeNull();
  });

  it("takes an order's own price, and the maker's fee only for post-only", () => {
    expect(estimate(draft({}), GRID, asks)).toMatchObject({ notional: "640", fee: "0.00002" });
    expect(estimate(draft({ postOnly: true }), GRID, asks)).toMatchObject({ fee: "0.00001" });
    expect(estimate(draft({ type: "stop_market", trigger: "65000" }), GRID, asks)).toMatchObject({ notional: "650" });
    expect(estimate(draft({ side: "sell" }), GRID, asks)).toMatchObject({ fee: "1.28", feeAsset: "USDT" });
    expect(estimate(draft({ price: "" }), GRID, asks)).toBeNull();
    expect(estimate(draft({ quantity: "x" }), GRID, asks)).toBeNull();
  });
});

describe("the sentence", () => {
  const plain = (more: Partial<Draft>) => sentence(draft(more), GRID).replace(/\u202f/g, " ");
  it("says all of an order", () => {
    expect(plain({ type: "market" })).toBe("Buy 0.01 BTC at market, paper. Immediate or cancel: what is not filled on arrival is canceled.");
    expect(plain({ side: "sell", postOnly: true })).toBe("Sell 0.01 BTC at 64 000 USDT or better, paper. Good till canceled, post-only: it is rejected rather than take from the book.");
    expect(plain({ type: "stop_limit", trigger: "65000" })).toContain("at 64 000 USDT or better, once the price reaches 65 000 USDT, paper.");
    expect(plain({ type: "stop_market", trigger: "65000", timeInForce: "fok" })).toContain("Fill or kill: whole on arrival, or not at all.");
  });
});
