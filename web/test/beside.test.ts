// The accounts beside the desk's own: band, ghost, and the points of the curve.
import { describe, expect, it } from "vitest";
import { bandOf, endsAt, equityPoints, ghostOf, othersOf } from "../src/beside";
import { NOTHING, reduce } from "../src/model";
import type { Account } from "../src/wire";
import { desk, pulse } from "./made";

const account = (number: number, role: Account["role"], fill_model: Account["fill_model"], equity: string | null): Account => ({ account: number, role, label: role, fill_model, equity });
const OWN = account(0, "main", "expected", "100.00000001");
const BEST = account(1, "band", "optimistic", "103.5");
const WORST = account(2, "band", "pessimistic", "99");
const GHOST = account(3, "ghost", "expected", "120");
const ALL = [OWN, WORST, BEST, GHOST];

describe("the band", () => {
  it("goes from the best fill model to the worst, and its spread is exact", () => {
    const band = bandOf(ALL);
    expect(band?.accounts.map(({ fill_model }) => fill_model)).toEqual(["optimistic", "expected", "pessimistic"]);
    expect(band?.spread).toBe("4.5");
    expect(bandOf([OWN, account(1, "band", "optimistic", "99.99999999"), account(2, "band", "pessimistic", "100")])?.spread).toBe("0.00000002");
  });
  it("has no spread while one equity is not known, and is none for one account or a ghost alone", () => {
    expect(bandOf([OWN, BEST, account(2, "band", "pessimistic", null)])?.spread).toBeNull();
    expect(bandOf([OWN])).toBeNull();
    expect(bandOf([OWN, GHOST])).toBeNull();
  });
  it("reaches at each point from the lowest to the highest, whichever model that is, the account's own too", () => {
    expect(endsAt({ s: 1, equity: "5", others: { 1: "7", 2: "6" } }, [1, 2])).toEqual({ low: 5, high: 7 });
    expect(endsAt({ s: 1, equity: "5", others: { 1: "4", 2: "3", 3: "90" } }, [1, 2])).toEqual({ low: 3, high: 5 });
    expect(endsAt({ s: 1, equity: "5", others: { 1: "4" } }, [1, 2])).toBeNull();
    expect(endsAt({ s: 1, equity: "5" }, [1, 2])).toBeNull();
    expect(endsAt({ s: 1, equity: "5", others: { 3: "4" } }, [])).toBeNull();
  });
});

describe("the ghost", () => {
  it("says what the limits saved, or cost", () => {
    expect(ghostOf(ALL)?.saved).toBe("-19.99999999");
    expect(ghostOf([OWN, account(1, "ghost", "expected", "90")])?.saved).toBe("10.00000001");
    expect(ghostOf([OWN, account(1, "ghost", "expected", null)])?.saved).toBeNull();
    expect(ghostOf([OWN, BEST, WORST])).toBeNull();
  });
});

describe("the curve", () => {
  const at = (s: number, equity: string | null) => ({ seq: s, time: "", ts_ns: `${s}000000000`, equity, exposure: null, peak: "0", opening: "0", day_start: "0" });
  it("has what the others were worth at the same second", () => {
    const points = equityPoints([at(3, "30"), at(1, "10"), at(2, null)], { 1: [at(1, "11"), at(2, "22"), at(3, null)], 3: [at(3, "33")] });
    expect(points).toEqual([{ s: 1, equity: "10", others: { 1: "11" } }, { s: 3, equity: "30", others: { 3: "33" } }]);
  });
  it("goes on with the pulse, without those that are not known", () => {
    const told = { ...pulse(5, "100"), accounts: [OWN, BEST, account(2, "band", "pessimistic", null), GHOST] };
    const view = reduce(reduce(NOTHING, { type: "hello", desk: desk("r") }), told as never);
    expect(view.equity).toEqual([{ s: 5, equity: "100", others: { 1: "103.5", 3: "120" } }]);
    expect(othersOf([OWN])).toEqual({});
  });
});
