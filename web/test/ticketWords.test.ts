import { describe, expect, it } from "vitest";
import { minute, utcMinute } from "../src/format";
import type { Draft } from "../src/ticket";
import { cautions, rarer, sentence } from "../src/ticketWords";
import { draft, GRID } from "./drafts";

const plain = (more: Partial<Draft>) => sentence(draft(more), GRID).replace(/\u202f/g, " ");

describe("the sentence", () => {
  it("says all of an order", () => {
    expect(plain({ type: "market" })).toBe("Buy 0.01 BTC at market, paper. Immediate or cancel: what is not filled on arrival is canceled.");
    expect(plain({ side: "sell", postOnly: true })).toBe("Sell 0.01 BTC at 64 000 USDT or better, paper. Good till canceled. Post-only: it is rejected rather than take from the book.");
    expect(plain({ type: "stop_market", trigger: "65000", timeInForce: "fok" })).toContain("Fill or kill: whole when it is triggered, or not at all.");
  });

  it("says which way the price goes to a trigger", () => {
    expect(plain({ type: "stop_limit", trigger: "65000" })).toContain("at 64 000 USDT or better, once the price rises to 65 000 USDT, paper.");
    expect(plain({ type: "stop_market", side: "sell", trigger: "60000" })).toContain("at market, once the price falls to 60 000 USDT, paper.");
    expect(plain({ type: "take_profit_limit", side: "sell", trigger: "65000" })).toContain("once the price rises to 65 000 USDT");
    expect(plain({ type: "take_profit_market", trigger: "60000" })).toContain("once the price falls to 60 000 USDT");
  });

  it("says a deadline in the reader's time and in UTC, and reduce-only", () => {
    const ms = new Date("2026-03-01T13:00").getTime();
    expect(plain({ timeInForce: "gtd", deadline: "2026-03-01T13:00", reduceOnly: true })).toBe(
      `Buy 0.01 BTC at 64 000 USDT or better, paper. Good till ${minute(ms)} (${utcMinute(ms)}) of the desk's time: what is left then ends. Reduce-only: it makes the position smaller, never larger, and never turns it.`,
    );
  });

  it("says an amount of the quote asset", () => {
    expect(plain({ type: "market", sizing: "budget", budget: "1000" })).toContain("Spend at most 1 000 USDT on BTC in whole steps of 0.00001 at market, paper.");
    expect(plain({ type: "market", side: "sell", sizing: "budget", budget: "100" })).toContain("Sell BTC in whole steps of 0.00001 for at most 100 USDT at market, paper.");
  });
});

describe("a trail in words", () => {
  const trailing = (more: Partial<Draft>) => plain({ type: "stop_market", trail: "1.5", ...more });
  it("says what it follows, and from when on", () => {
    expect(trailing({ side: "sell" })).toContain("Sell 0.01 BTC at market, once the price has fallen 1.5 % below its highest since the order arrived, paper.");
    expect(trailing({})).toContain("once the price has risen 1.5 % above its lowest since the order arrived");
    expect(trailing({ side: "sell", type: "take_profit_market", trigger: "65000" })).toContain("fallen 1.5 % below its highest since it has risen to 65 000 USDT, paper.");
    expect(trailing({ type: "take_profit_limit", trigger: "60000" })).toContain("risen 1.5 % above its lowest since it has fallen to 60 000 USDT");
    expect(cautions(draft({ type: "stop_market", trail: "1", trigger: "64000" }), GRID, { position: null, last: "64000" })[0]).toContain("the activation price of a stop buy lies above it");
    expect(cautions(draft({ type: "stop_market", trail: "1" }), GRID, { position: null, last: "64000" })).toEqual([]);
  });

  it("goes with what is shown of an iceberg", () => {
    expect(plain({ visible: "0.002" })).toContain("Good till canceled. Iceberg: the book shows 0.002 BTC of it at a time.");
    expect(rarer(draft({ type: "stop_limit", trail: "1.50", visible: "0.002" }), GRID)).toEqual(["trailing 1.5 %", "showing 0.002 BTC"]);
    expect(rarer(draft({ trail: "1.5", visible: "0.002", timeInForce: "ioc" }), GRID)).toEqual([]);
  });
});

describe("the rarer terms", () => {
  it("are named where they are set", () => {
    expect(rarer(draft({}), GRID)).toEqual([]);
    expect(rarer(draft({ postOnly: true, reduceOnly: true }), GRID)).toEqual(["post-only", "reduce-only"]);
    expect(rarer(draft({ type: "market", sizing: "budget" }), GRID)).toEqual(["spend USDT"]);
    expect(rarer(draft({ type: "market", side: "sell", sizing: "budget" }), GRID)).toEqual(["receive USDT"]);
  });
});

describe("a caution", () => {
  const told = (more: Partial<Draft>, position: string | null = "0.5", last: string | null = "64000") => cautions(draft(more), GRID, { position, last }).join(" ");
  it("is given for a reduce-only order without a position to reduce", () => {
    expect(told({ reduceOnly: true, side: "sell" })).toBe("");
    expect(told({ reduceOnly: true })).toContain("a position that a buy makes smaller; the position is 0.5 BTC.");
    expect(told({ reduceOnly: true }, "0")).toContain("there is none");
    expect(told({ reduceOnly: true }, null)).toBe("");
    expect(told({})).toBe("");
  });

  it("is given for a trigger that the price has reached", () => {
    expect(told({ type: "stop_limit", trigger: "64000" })).toContain("the trigger of a stop buy lies above it");
    expect(told({ type: "stop_limit", trigger: "64000.01" })).toBe("");
    expect(told({ type: "take_profit_market", trigger: "65000" })).toContain("the trigger of a take-profit buy lies below it");
    expect(told({ type: "take_profit_market", side: "sell", trigger: "65000" })).toBe("");
    expect(told({ type: "stop_market", side: "sell", trigger: "65000" })).toContain("stop sell lies below it");
    expect(told({ type: "stop_limit", trigger: "64000" }, "0", null)).toBe("");
    expect(told({ type: "stop_limit", trigger: "" })).toBe("");
  });
});
