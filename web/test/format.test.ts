import { describe, expect, it } from "vitest";
import * as format from "../src/format";

const plain = (text: string) => text.replace(/\u202f/g, "_");

describe("numbers", () => {
  it("groups digits and changes none", () => {
    expect(plain(format.grouped("1234567.891234"))).toBe("1_234_567.891234");
    expect(plain(format.grouped("-999"))).toBe("−999");
    expect(format.grouped("n/a")).toBe("n/a");
  });

  it("shows every digit of an amount, trailing zeros aside", () => {
    expect(plain(format.amount("98092.62573397"))).toBe("98_092.62573397");
    expect(format.amount("1.50000000")).toBe("1.50");
    expect(format.amount("0.01000", 5)).toBe("0.01000");
    expect(format.amount("7", 0)).toBe("7");
    expect(format.amount(null)).toBe("–");
    expect(plain(format.amount("123456789012345678901.1"))).toBe("123_456_789_012_345_678_901.10");
  });

  it("gives changes a sign, and zero none", () => {
    expect(format.signed("12.345")).toBe("+12.35");
    expect(format.signed("-12.345")).toBe("−12.35");
    expect(format.signed("0.0001")).toBe("0.00");
    expect(format.signed(null)).toBe("–");
    expect([format.direction("-1"), format.direction("0.00"), format.direction("3"), format.direction(null)]).toEqual(["down", "flat", "up", "flat"]);
  });

  it("takes decimals from a step", () => {
    expect([format.decimals("0.01"), format.decimals("1"), format.decimals("0.00100"), format.decimals("5.0")]).toEqual([2, 0, 3, 0]);
  });
});

describe("times and words", () => {
  it("reads nanoseconds that do not fit a number", () => {
    expect(format.msOf("1795557600123456789")).toBe(1795557600123);
    expect(format.utc(1795557600123)).toBe(`${new Date(1795557600123).toISOString().slice(0, 10)} ${new Date(1795557600123).toISOString().slice(11, 23)} UTC`);
  });

  it("tells local time", () => {
    const date = new Date(2026, 2, 5, 7, 8, 9, 45);
    expect(format.clock(date.getTime(), true)).toBe("07:08:09.045");
    expect(format.dateTime(date.getTime())).toBe("2026-03-05 07:08:09");
  });

  it("tells how long", () => {
    expect([format.span(-5), format.span(412), format.span(59_900), format.span(185_000), format.span(7_800_000), format.span(90_000_000)]).toEqual(["0.0 s", "0.4 s", "59 s", "3 min 5 s", "2 h 10 min", "1 d 1 h"]);
  });

  it("makes words and sentences", () => {
    expect(format.words("PARTIALLY_FILLED")).toBe("partially filled");
    expect(format.sentence("wait; it resumes")).toBe("Wait; it resumes.");
    expect(format.sentence("")).toBe("");
    expect([format.count(1, "fill"), format.count(2, "fill")]).toEqual(["1 fill", "2 fills"]);
    expect([format.sender(0, "the account's owner"), format.sender(1, "quoter")]).toEqual(["owner", "quoter"]);
  });
});
