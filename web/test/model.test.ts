import { describe, expect, it } from "vitest";
import type { Said, View } from "../src/model";
import { engineMs, killed, lastOf, marketOf, MOST, NOTHING, positionOf, reduce, trust } from "../src/model";
import type { Fill, State } from "../src/wire";
import { bar, book, desk, event, fillEvent, pulse, REFUSAL, state, trade } from "./made";

const after = (view: View, ...said: Said[]): View => said.reduce(reduce, view);
const begun = after(NOTHING, { type: "hello", desk: desk("r", [0, 1]) });

describe("events and fills", () => {
  it("are newest first, told once, and bounded", () => {
    let view = begun;
    for (let n = 1; n <= MOST.events + 50; n++) view = reduce(view, { type: "event", event: event(`${n}.0`) });
    expect(view.events).toHaveLength(MOST.events);
    expect(view.events[0]?.id).toBe(`${MOST.events + 50}.0`);
    expect(reduce(view, { type: "event", event: event("3.0") })).toBe(view);
  });

  it("merge with what was read, in order", () => {
    const view = after(begun, { type: "event", event: event("9.0") }, { type: "events_read", events: [event("2.0"), event("2.1"), event("9.0")] });
    expect(view.events.map((one) => one.id)).toEqual(["9.0", "2.1", "2.0"]);
  });

  it("make a row of a fill, without receipt until it is read, and keep the receipt then", () => {
    const told = after(begun, { type: "event", event: fillEvent("5.2", 1) });
    expect(told.fills[0]).toMatchObject({ fill: 1, order: "PAPER-0-1", who: "quoter", receipt: null });
    const read = { ...told.fills[0], receipt: { rule: "queue" } } as unknown as Fill;
    const known = after(told, { type: "fills_read", fills: [read] });
    expect(known.fills[0]?.receipt).toMatchObject({ rule: "queue" });
    const again = after(known, { type: "event", event: fillEvent("6.0", 2) }, { type: "event", event: fillEvent("7.0", 1) });
    expect(again.fills.map((row) => [row.fill, row.receipt === null])).toEqual([[2, true], [1, false]]);
  });
});

describe("markets", () => {
  it("keep trades newest first, each once, at most fifty", () => {
    const first = book({ trades: [trade(1), trade(2)] });
    const view = after(begun, { type: "market", markets: [first] }, { type: "book_read", book: book({ ts_ns: "2", trades: [trade(2), trade(3)] }) });
    expect(marketOf(view, 0).trades.map((one) => one.ts_ns)).toEqual(["3", "2", "1"]);
    const many = Array.from({ length: 80 }, (_, n) => trade(100 + n));
    expect(marketOf(after(view, { type: "market", markets: [book({ trades: many })] }), 0).trades).toHaveLength(MOST.trades);
  });

  it("do not take an older book over a newer one", () => {
    const view = after(begun, { type: "market", markets: [book({ ts_ns: "20" })] }, { type: "book_read", book: book({ ts_ns: "10", trades: [trade(3)] }) });
    expect(marketOf(view, 0)).toMatchObject({ book: { ts_ns: "20" }, trades: [trade(3)] });
  });

  it("change the last bar, add a new one, and keep the rest as it is", () => {
    const read: Said = { type: "bars_read", instrument: 0, bars: [bar(60), bar(120), bar(180)] };
    const view = after(begun, read, { type: "market", markets: [book({ bars: [bar(180, "1.5"), bar(240)] })] });
    expect(marketOf(view, 0).bars.map((one) => [one.open_s, one.close])).toEqual([[60, "1"], [120, "1"], [180, "1.5"], [240, "1"]]);
    expect(marketOf(view, 0).barsLoaded).toBe(1);
    const late = after(view, { type: "market", markets: [book({ bars: [bar(180, "1.7")] })] });
    expect(marketOf(late, 0).bars.map((one) => one.close)).toEqual(["1", "1", "1.7", "1"]);
    const older = after(late, { type: "market", markets: [book({ bars: [bar(30)] })] });
    expect(marketOf(older, 0)).toMatchObject({ barsLoaded: 2 });
    expect(marketOf(older, 0).bars.map((one) => one.open_s)).toEqual([30, 60, 120, 180, 240]);
  });

  it("hold bars within bounds, and what came meanwhile stays behind what was read", () => {
    const live = after(begun, { type: "market", markets: [book({ bars: [bar(60 * 2000)] })] });
    const many = Array.from({ length: 2000 }, (_, n) => bar(60 * n));
    const view = after(live, { type: "bars_read", instrument: 0, bars: many });
    expect(marketOf(view, 0).bars).toHaveLength(MOST.bars);
    expect(marketOf(view, 0).bars.at(-1)?.open_s).toBe(60 * 2000);
  });
});

describe("the account", () => {
  it("does not go back to an older state that was read late", () => {
    const view = after(begun, { type: "state", state: state(9) });
    expect(reduce(view, { type: "state_read", state: state(5) })).toBe(view);
    expect(after(view, { type: "state_read", state: state(12) }).state?.seq).toBe(12);
  });

  it("has an equity point a second, none where equity is not known, and never too many", () => {
    let view = after(begun, { type: "equity_read", points: [{ s: 5, equity: "1" }] }, pulse(5, "2"), pulse(6, "3"), pulse(7, null));
    expect(view.equity).toEqual([{ s: 5, equity: "1" }, { s: 6, equity: "3" }]);
    const most = 8 + MOST.equity * 20;
    for (let s = 8; s < most; s++) {
      view = reduce(view, pulse(s, "4"));
      if (view.equity.length > MOST.equity) throw new Error(`${view.equity.length} points`);
    }
    expect([view.equity[0], view.equity.at(-1)?.s]).toEqual([{ s: 5, equity: "1" }, most - 1]);
    expect(view.equity.every((point, at) => at === 0 || point.s > (view.equity[at - 1]?.s ?? 0))).toBe(true);
    expect(view.equityLoaded).toBeGreaterThan(1);
  });
});

describe("runs and resets", () => {
  it("forget everything of another run, and nothing of the same", () => {
    const full = after(begun, { type: "event", event: fillEvent("5.0", 1) }, { type: "state", state: state(5) }, { type: "instrument", instrument: 1 });
    expect(after(full, { type: "hello", desk: desk("r", [0, 1]) })).toMatchObject({ instrument: 1, events: full.events, fills: full.fills });
    expect(after(full, { type: "hello", desk: desk("next") })).toMatchObject({ instrument: 0, events: [], fills: [], state: null });
    expect(after(full, { type: "reset", text: "", run: "r", after: "9.0" })).toBe(full);
    expect(after(full, { type: "reset", text: "", run: "next", after: "9.0" })).toMatchObject({ events: [], fills: [] });
  });
});

describe("trust", () => {
  it("is lost with the market's data, and says why", () => {
    expect(trust(begun)).toEqual({ ok: true });
    const stale = after(begun, { type: "market", markets: [book({ status: "stale", status_reason: REFUSAL })] });
    expect(trust(stale)).toMatchObject({ ok: false, title: "Market data is stale", text: "Orders stop: stale_data. The market's data is stale or has a gap; wait." });
    expect(trust(after(stale, { type: "instrument", instrument: 1 }))).toEqual({ ok: true });
    expect(trust(after(begun, { type: "market", markets: [book({ status: "gap" })] }))).toMatchObject({ title: "Market data has a gap", text: "Orders stop: stale_data." });
  });

  it("takes the latest word on the kill switch", () => {
    const view = after(begun, { type: "state", state: { ...state(3), killed: true } });
    expect(killed(view)).toBe(true);
    expect(killed(after(view, pulse(9, null)))).toBe(false);
  });
});

describe("what an order ticket looks at", () => {
  it("is the desk's own time, which is none before the first input", () => {
    expect(engineMs(begun)).toBeNull();
    expect(engineMs(after(begun, pulse(0, null)))).toBe(500);
    expect(engineMs(after(begun, { ...pulse(0, null), engine_ts_ns: "0" }))).toBeNull();
  });

  it("is the position of the chosen instrument, once the account is known", () => {
    const held = { ...state(3), positions: [{ instrument: 1, quantity: "-0.5" }] } as unknown as State;
    const view = after(after(NOTHING, { type: "hello", desk: desk("r", [0, 1]) }), { type: "state", state: held });
    expect([positionOf(begun), positionOf(view), positionOf(after(view, { type: "instrument", instrument: 1 }))]).toEqual([null, "0", "-0.5"]);
  });

  it("is the last trade, and before one the price that a side could have", () => {
    const quoted = after(begun, { type: "market", markets: [book({ bids: [["9", "1"]], asks: [["11", "1"]] })] });
    expect([lastOf(begun, "buy"), lastOf(quoted, "buy"), lastOf(quoted, "sell")]).toEqual([null, "11", "9"]);
    expect(lastOf(after(quoted, { type: "market", markets: [book({ trades: [{ ...trade(5), price: "10" }] })] }), "buy")).toBe("10");
  });
});
