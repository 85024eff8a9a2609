import { describe, expect, it } from "vitest";
import * as dec from "../src/decimal";

const d = dec.exact;

describe("decimals", () => {
  it("reads decimal texts and nothing else", () => {
    expect(dec.parse(" 12.340 ")).toEqual({ units: 12340n, scale: 3 });
    expect(dec.parse("-0.5")).toEqual({ units: -5n, scale: 1 });
    for (const text of ["", ".", "1e5", "1,000", "0x10", "1 000", "NaN", "--1", "1.2.3"]) expect(dec.parse(text)).toBeNull();
    expect(() => d("abc")).toThrow('"abc" is no decimal number');
  });

  it("is exact where floating point is not", () => {
    expect(dec.text(dec.add(d("0.1"), d("0.2")))).toBe("0.3");
    expect(dec.text(dec.subtract(d("64231.41"), d("64231.4")))).toBe("0.01");
    expect(dec.text(dec.multiply(d("123456789012.12345678"), d("3")))).toBe("370370367036.37037034");
    expect(dec.compare(d("0.10"), d("0.1"))).toBe(0);
    expect(dec.compare(d("-2"), d("-1.5"))).toBe(-1);
  });

  it("knows the grid and its neighbours", () => {
    expect(dec.onGrid(d("0.0123456"), d("0.00001"))).toBe(false);
    expect(dec.onGrid(d("0.3"), d("0.1"))).toBe(true);
    expect(dec.onGrid(d("5"), d("0.25"))).toBe(true);
    expect(dec.neighbours(d("0.0123456"), d("0.00001")).map(dec.trimmed)).toEqual(["0.01234", "0.01235"]);
    expect(dec.neighbours(d("-0.15"), d("0.1")).map(dec.trimmed)).toEqual(["-0.2", "-0.1"]);
  });

  it("rounds as it says", () => {
    expect(dec.text(dec.roundedUp(d("1.000000001"), 8))).toBe("1.00000001");
    expect(dec.text(dec.roundedUp(d("-1.000000001"), 8))).toBe("-1.00000001");
    expect(dec.text(dec.rounded(d("2.345"), 2))).toBe("2.35");
    expect(dec.text(dec.rounded(d("-2.345"), 2))).toBe("-2.35");
    expect(dec.text(dec.rounded(d("2"), 2))).toBe("2.00");
    expect(dec.text(dec.percent(d("-19.13"), d("100000")) ?? d("0"))).toBe("-0.02");
    expect(dec.percent(d("1"), d("0"))).toBeNull();
    expect(dec.text(d("-0.05"))).toBe("-0.05");
    expect(dec.trimmed(d("100"))).toBe("100");
  });
});
