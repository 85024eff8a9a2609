// How numbers, times and words look. Numbers are grouped with thin spaces on screen (commas would read as decimals to half of the world);
// digits are never changed, only trailing zeros beyond a wished width may be cut.
import { coordinate, parse, rounded, text as plain } from "./decimal";

const GROUP = "\u202f";
const MINUS = "−";

/** Digits of a decimal text in groups of three; everything else as it was. */
export function grouped(value: string): string {
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(value);
  if (match === null) return value;
  const whole = (match[2] ?? "").replace(/\B(?=(\d{3})+$)/g, GROUP);
  return (match[1] ? MINUS : "") + whole + (match[3] ?? "");
}

/** A decimal text with at least `least` decimals: trailing zeros beyond are cut, no other digit is. */
export function amount(value: string | null | undefined, least = 2): string {
  if (value === null || value === undefined || value === "") return "–";
  const [whole = "", fraction = ""] = value.split(".");
  const kept = fraction.replace(/0+$/, "").padEnd(least, "0");
  return grouped(kept ? `${whole}.${kept}` : whole);
}

/** Rounded to `places` decimals for narrow places; the exact text belongs into the title. */
export function short(value: string | null | undefined, places = 2): string {
  const decimal = value ? parse(value) : null;
  return decimal === null ? "–" : grouped(plain(rounded(decimal, places)));
}

/** As `short`, with a sign before it unless it is zero. */
export function signed(value: string | null | undefined, places = 2): string {
  const shown = short(value, places);
  return /[1-9]/.test(shown) && !shown.startsWith(MINUS) ? `+${shown}` : shown;
}

/** up, down or flat: for colour, which never stands alone (a sign goes with it). */
export function direction(value: string | null | undefined): "up" | "down" | "flat" {
  if (!value || !/[1-9]/.test(value)) return "flat";
  return value.startsWith("-") ? "down" : "up";
}

export function decimals(step: string): number {
  const fraction = step.split(".")[1] ?? "";
  return fraction.replace(/0+$/, "").length;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** Milliseconds since 1970 from nanoseconds as text. */
export function msOf(ns: string | number): number {
  return typeof ns === "number" ? ns / 1e6 : Number(BigInt(ns) / 1_000_000n);
}

/** Local time of day, with milliseconds where asked for. */
export function clock(ms: number, millis = false): string {
  const date = new Date(ms);
  const body = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return millis ? `${body}.${String(date.getMilliseconds()).padStart(3, "0")}` : body;
}

/** Local date and time of day. */
export function dateTime(ms: number, millis = false): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(ms, millis)}`;
}

/** The same moment in UTC, for titles. */
export function utc(ms: number): string {
  return `${new Date(ms).toISOString().replace("T", " ").replace("Z", "")} UTC`;
}

/** Local date and time to the minute, as an input of a date and a time has it. */
export function minute(ms: number): string {
  return dateTime(ms).slice(0, 16);
}

/** The same moment in UTC, to the minute. */
export function utcMinute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** How long, in words that fit into a badge: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min. */
export function span(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** Codes as words: partially_filled → partially filled. */
export function words(code: string | null | undefined): string {
  return (code ?? "").replace(/_/g, " ").toLowerCase();
}

/** Parts of a sentence as a sentence: a capital first, a full stop last. */
export function sentence(text: string): string {
  const begun = text.trim().replace(/^[a-z]/, (letter) => letter.toUpperCase());
  return begun === "" || /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** Who sent an order: a bot by its name, or the account's owner. */
export function sender(bot: number, who: string): string {
  return bot === 0 ? "owner" : who;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${grouped(String(n))} ${n === 1 ? one : many}`;
}

/** Part of the largest, 0 to 100, for bars behind numbers. */
export function share(value: string, most: number): number {
  return most > 0 ? Math.min(100, (100 * coordinate(value)) / most) : 0;
}
