import { describe, expect, it } from "vitest";
import { utcMinute } from "../src/format";
import { deadlineMs, EMPTY, faults, orderOf, reducible, retimed, retyped, settled, timesInForce, upwards } from "../src/ticket";
import { draft, GRID } from "./drafts";

const NOON = new Date("2026-03-01T12:00").getTime();

describe("a draft", () => {
  it("on the grid has no faults", () => {
    expect(faults(draft({}), GRID)).toEqual({});
    expect(faults(draft({ type: "market", price: "" }), GRID)).toEqual({});
    expect(faults(draft({ type: "take_profit_market", price: "", trigger: "65000" }), GRID)).toEqual({});
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
    expect(faults(draft({ type: "take_profit_limit" }), GRID)).toEqual({ trigger: "Give a trigger price in USDT." });
  });

  it("keeps only what goes together", () => {
    expect(timesInForce("market")).toEqual(["ioc", "fok"]);
    expect(timesInForce("take_profit_market")).toEqual(["ioc", "fok"]);
    expect(timesInForce("take_profit_limit")).toEqual(["gtc", "gtd", "ioc", "fok"]);
    expect(settled({ ...EMPTY, type: "market", timeInForce: "gtc", postOnly: true })).toMatchObject({ timeInForce: "ioc", postOnly: false });
    expect(retyped(retyped(EMPTY, "market"), "limit")).toMatchObject({ type: "limit", timeInForce: "gtc" });
    expect(retyped({ ...EMPTY, timeInForce: "fok" }, "stop_limit")).toMatchObject({ timeInForce: "fok" });
    expect(settled({ ...EMPTY, postOnly: true })).toMatchObject({ postOnly: true });
    expect(settled({ ...EMPTY, postOnly: true, timeInForce: "gtd" })).toMatchObject({ postOnly: true });
    expect(settled({ ...EMPTY, postOnly: true, timeInForce: "fok" })).toMatchObject({ postOnly: false });
  });

  it("has an amount of the quote asset only at the market, and not with reduce-only, which every type may have", () => {
    expect(draft({ type: "market", sizing: "budget" })).toMatchObject({ sizing: "budget" });
    expect(draft({ type: "market", sizing: "budget", reduceOnly: true })).toMatchObject({ sizing: "quantity", reduceOnly: true });
    expect(retyped(draft({ type: "market", sizing: "budget" }), "stop_market")).toMatchObject({ sizing: "quantity" });
    expect(retyped(draft({ reduceOnly: true }), "take_profit_market")).toMatchObject({ reduceOnly: true });
    expect(faults(draft({ type: "market", sizing: "budget", quantity: "" }), GRID)).toEqual({ budget: "Give an amount in USDT." });
    expect(faults(draft({ type: "market", sizing: "budget", budget: "-1" }), GRID).budget).toBe("The amount must be above zero.");
    expect(faults(draft({ type: "market", sizing: "budget", budget: "0.123" }), GRID)).toEqual({});
  });

  it("knows which way a trigger is reached", () => {
    const up = (side: "buy" | "sell", type: "stop_limit" | "take_profit_limit") => upwards(draft({ side, type }));
    expect([up("buy", "stop_limit"), up("sell", "stop_limit"), up("buy", "take_profit_limit"), up("sell", "take_profit_limit")]).toEqual([true, false, false, true]);
  });

  it("reduces what is held against its side, in whole steps", () => {
    const text = (side: "buy" | "sell", position: string) => Number(reducible(draft({ side }), GRID, position).units);
    expect([text("sell", "0.0123456"), text("buy", "0.0123456"), text("buy", "-0.5"), text("sell", "0.000009")]).toEqual([1234, 0, 50000, 0]);
  });
});

describe("a deadline", () => {
  const gtd = retimed(draft({}), "gtd", NOON + 1);
  it("is an hour of the desk's time from now, to the minute above, unless a later one was chosen", () => {
    expect(gtd).toMatchObject({ timeInForce: "gtd", deadline: "2026-03-01T13:01" });
    expect(retimed({ ...gtd, deadline: "2026-03-01T18:00" }, "gtd", NOON)).toMatchObject({ deadline: "2026-03-01T18:00" });
    expect(retimed({ ...gtd, deadline: "2026-03-01T11:00" }, "gtd", NOON)).toMatchObject({ deadline: "2026-03-01T13:00" });
    expect(retimed(draft({}), "gtd", null)).toMatchObject({ timeInForce: "gtd", deadline: "" });
    expect(retimed(gtd, "gtc", NOON)).toMatchObject({ timeInForce: "gtc", deadline: "2026-03-01T13:01" });
  });

  it("lies after the desk's time, whatever the time is here", () => {
    expect(faults(gtd, GRID, NOON)).toEqual({});
    expect(faults(gtd, GRID)).toEqual({});
    expect(faults({ ...gtd, deadline: "2026-03-01T12:00" }, GRID, NOON)).toEqual({ deadline: "The deadline must lie after the desk's time, which is 2026-03-01 12:00." });
    expect(faults({ ...gtd, deadline: "2300-01-01T12:00" }, GRID, NOON).deadline).toContain("before the year 2255");
    expect(faults({ ...gtd, deadline: "" }, GRID, NOON).deadline).toContain("Give the date and the time");
    expect(faults({ ...gtd, deadline: "", timeInForce: "gtc" }, GRID, NOON)).toEqual({});
  });

  it("is a moment of the reader's own time, shown in UTC and sent in nanoseconds", () => {
    const utc = new Date(Date.UTC(2026, 6, 1, 10, 30));
    const local = new Date(utc.getTime() - utc.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    const late = draft({ timeInForce: "gtd", deadline: local });
    expect(deadlineMs(late)).toBe(utc.getTime());
    expect(utcMinute(utc.getTime())).toBe("2026-07-01 10:30 UTC");
    expect(orderOf(late, 0).expire_ns).toBe(`${utc.getTime()}000000`);
    expect(deadlineMs(draft({ deadline: "soon" }))).toBeNull();
  });
});

describe("a trail", () => {
  const stop = (more: object) => draft({ type: "stop_market", trail: "1.5", ...more });
  it("is a percentage of two decimals at most; the trigger may be left out with it", () => {
    expect(faults(stop({}), GRID)).toEqual({});
    expect(faults(stop({ trail: " 0.01 ", trigger: "65000" }), GRID)).toEqual({});
    expect(faults(stop({ trail: "99.990" }), GRID)).toEqual({});
    expect(faults(stop({ trigger: "1.005" }), GRID).trigger).toContain("The activation price goes in steps of 0.01");
    for (const trail of ["0", "-1", "0.001", "1.005", "100", "1,5", "x"]) expect(faults(stop({ trail }), GRID).trail).toContain("from 0.01 to 99.99");
    expect(faults(stop({ trail: "" }), GRID)).toEqual({ trigger: "Give a trigger price in USDT." });
  });

  it("is sent in hundredths of a percent, of what has a trigger", () => {
    expect(orderOf(stop({}), 0)).toMatchObject({ trail_bips: 150, trigger_price: null });
    expect(orderOf(stop({ trail: "0.07", trigger: "65000" }), 0)).toMatchObject({ trail_bips: 7, trigger_price: "65000" });
    expect(orderOf(stop({ type: "limit", trail: "x" }), 0)).toMatchObject({ trail_bips: null, trigger_price: null });
    expect(faults(stop({ type: "limit", trail: "x" }), GRID)).toEqual({});
  });
});

describe("an iceberg", () => {
  it("shows a part on the grid, no more than the whole, of a limit order that stays", () => {
    const ice = (visible: string, more: object = {}) => draft({ visible, ...more });
    expect(faults(ice("0.002"), GRID)).toEqual({});
    expect(faults(ice("0.01"), GRID)).toEqual({});
    expect(faults(ice("0.01001"), GRID).visible).toBe("The shown part must not be larger than the quantity.");
    expect(faults(ice("0.000001"), GRID).visible).toContain("The shown part goes in steps of 0.00001");
    expect(faults(ice("0.02", { quantity: "" }), GRID)).toEqual({ quantity: "Give a quantity in BTC." });
    expect(orderOf(ice(" 0.002 "), 0).visible_quantity).toBe("0.002");
    for (const more of [{ timeInForce: "ioc" }, { type: "market" }, { type: "stop_market", trigger: "1" }]) {
      expect(orderOf(ice("x", more), 0).visible_quantity).toBeNull();
      expect(faults(ice("x", more), GRID)).toEqual({});
    }
    expect(orderOf(ice("0.002", { timeInForce: "gtd", deadline: "2026-03-01T13:00" }), 0).visible_quantity).toBe("0.002");
  });
});

describe("the command", () => {
  it("holds what goes with the type, and nothing that was left behind", () => {
    const plain = { instrument: 3, side: "buy", quote_quantity: null, self_trade: null, trigger_price: null, expire_ns: null, post_only: false, reduce_only: false, trail_bips: null, visible_quantity: null };
    const left = { trigger: "65000", budget: "100", deadline: "2026-03-01T13:00" };
    expect(orderOf(draft({ ...left, quantity: " 0.01 " }), 3)).toEqual({ ...plain, order_type: "limit", quantity: "0.01", price: "64000", time_in_force: "gtc" });
    expect(orderOf(draft({ ...left, type: "market" }), 3)).toEqual({ ...plain, order_type: "market", quantity: "0.01", price: null, time_in_force: "ioc" });
    expect(orderOf(draft({ ...left, type: "market", sizing: "budget" }), 3)).toMatchObject({ quantity: null, quote_quantity: "100" });
    expect(orderOf(draft({ ...left, type: "take_profit_limit", reduceOnly: true, timeInForce: "gtd" }), 3)).toMatchObject({
      order_type: "take_profit_limit", trigger_price: "65000", price: "64000", time_in_force: "gtd", reduce_only: true, expire_ns: `${new Date("2026-03-01T13:00").getTime()}000000`,
    }); // prettier-ignore
  });
});
