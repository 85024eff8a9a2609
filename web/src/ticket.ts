// What an order ticket knows without asking the desk: which terms go together, and whether numbers and deadline can be. The desk decides;
// this only saves a round trip and says things plainly.
import * as dec from "./decimal";
import { minute } from "./format";
import type { NewOrder } from "./wire";

export type Side = "buy" | "sell";
export type OrderType = NewOrder["order_type"];
export type TimeInForce = NonNullable<NewOrder["time_in_force"]>;

export interface Draft {
  side: Side;
  type: OrderType;
  /** Whether a market order's size is a quantity, or an amount of the quote asset to spend or receive. */
  sizing: "quantity" | "budget";
  quantity: string;
  budget: string;
  price: string;
  trigger: string;
  timeInForce: TimeInForce;
  /** Local date and time, as the browser's input has them: 2026-03-01T14:30. */
  deadline: string;
  postOnly: boolean;
  reduceOnly: boolean;
  /** Of a stop or take-profit that follows the price: per cent. The trigger then is where it begins to, and may be left out. */
  trail: string;
  /** Of an iceberg: the quantity that is shown of it at a time. */
  visible: string;
}

export interface Grid {
  symbol: string;
  base: string;
  quote: string;
  tick: string;
  lot: string;
  maker_fee: string;
  taker_fee: string;
}

export type Field = "quantity" | "budget" | "price" | "trigger" | "deadline" | "trail" | "visible";
export type Faults = Partial<Record<Field, string>>;

export const EMPTY: Draft = {
  side: "buy", type: "limit", sizing: "quantity", quantity: "", budget: "", price: "", trigger: "",
  timeInForce: "gtc", deadline: "", postOnly: false, reduceOnly: false, trail: "", visible: "",
}; // prettier-ignore

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** The year 2255: the engine counts nanoseconds no further. */
const LAST_MS = 8_999_999_999_999;
/** A hundredth of a percent: trails are counted in these. */
const BIP = dec.exact("0.01");

export const hasPrice = (type: OrderType): boolean => type === "limit" || type.endsWith("_limit");
export const hasTrigger = (type: OrderType): boolean => type.startsWith("stop_") || type.startsWith("take_profit_");
export const takesProfit = (type: OrderType): boolean => type.startsWith("take_profit_");
export const stays = ({ timeInForce }: Draft): boolean => timeInForce === "gtc" || timeInForce === "gtd";

/** Whether a trigger is reached from below: stop buys and take-profit sales. */
export const upwards = ({ side, type }: Draft): boolean => (side === "buy") !== takesProfit(type);

/** Whether a draft follows the price, and whether only a part of it is shown. */
export const trails = ({ type, trail }: Draft): boolean => hasTrigger(type) && trail.trim() !== "";
export const mayHide = (draft: Draft): boolean => hasPrice(draft.type) && stays(draft);
export const hides = (draft: Draft): boolean => mayHide(draft) && draft.visible.trim() !== "";
/** Whether a draft has a trigger price, or a trail the price from which on it follows. */
export const triggered = (draft: Draft): boolean => hasTrigger(draft.type) && (!trails(draft) || draft.trigger.trim() !== "");

/** Which times in force go with a type. */
export function timesInForce(type: OrderType): TimeInForce[] {
  return hasPrice(type) ? ["gtc", "gtd", "ioc", "fok"] : ["ioc", "fok"];
}

/** A draft of another type, with the time in force that is usual for it. */
export function retyped(draft: Draft, type: OrderType): Draft {
  const same = hasPrice(type) === hasPrice(draft.type);
  return settled({ ...draft, type, timeInForce: same ? draft.timeInForce : (timesInForce(type)[0] ?? "gtc") });
}

/** A draft with another time in force; one with a deadline has an hour of the desk's time from now, unless a later moment was chosen. */
export function retimed(draft: Draft, timeInForce: TimeInForce, engineMs: number | null): Draft {
  const chosen = deadlineMs(draft);
  const good = chosen !== null && (engineMs === null || chosen > engineMs);
  if (timeInForce !== "gtd" || good || engineMs === null) return settled({ ...draft, timeInForce });
  const inAnHour = Math.ceil((engineMs + HOUR_MS) / MINUTE_MS) * MINUTE_MS;
  return settled({ ...draft, timeInForce, deadline: minute(inAnHour).replace(" ", "T") });
}

/** A draft made possible: terms that do not go with the others are set back. */
export function settled(draft: Draft): Draft {
  const allowed = timesInForce(draft.type);
  const next = { ...draft, timeInForce: allowed.includes(draft.timeInForce) ? draft.timeInForce : (allowed[0] ?? "gtc") };
  return {
    ...next,
    sizing: next.type === "market" && !next.reduceOnly ? next.sizing : "quantity",
    postOnly: next.postOnly && next.type === "limit" && stays(next),
  };
}

/** The moment at which a draft's order is to end; null where none can be read. */
export function deadlineMs({ deadline }: Draft): number | null {
  const ms = /^\d{4,6}-\d\d-\d\dT\d\d:\d\d/.test(deadline) ? new Date(deadline).getTime() : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

function number(text: string, example: string, what: string, unit: string): string | null {
  if (text.trim() === "") return `Give ${what === "amount" ? "an" : "a"} ${what} in ${unit}.`;
  const value = dec.parse(text);
  if (value === null) return `Write the ${what} as a decimal number such as ${example}, with a point and without grouping.`;
  return dec.sign(value) <= 0 ? `The ${what} must be above zero.` : null;
}

function fault(text: string, step: string, what: string, unit: string): string | null {
  const unreadable = number(text, step, what, unit);
  if (unreadable !== null) return unreadable;
  const [value, grid] = [dec.exact(text), dec.exact(step)];
  if (dec.onGrid(value, grid)) return null;
  const [below, above] = dec.neighbours(value, grid);
  const near = dec.sign(below) > 0 ? `${dec.trimmed(below)} or ${dec.trimmed(above)}` : dec.trimmed(above);
  return `The ${what} goes in steps of ${dec.trimmed(grid)}: ${near}.`;
}

function deadlineFault(draft: Draft, engineMs: number | null): string | null {
  const ms = deadlineMs(draft);
  if (ms === null) return "Give the date and the time at which what is left of the order ends.";
  if (ms > LAST_MS) return "The deadline must lie before the year 2255.";
  return engineMs !== null && ms <= engineMs ? `The deadline must lie after the desk's time, which is ${minute(engineMs)}.` : null;
}

function trailFault(text: string): string | null {
  const percent = dec.parse(text);
  const bips = percent !== null && dec.onGrid(percent, BIP) ? dec.steps(percent, BIP) : 0n;
  return bips >= 1n && bips <= 9_999n ? null : "The distance is a percentage from 0.01 to 99.99, with two decimals at most.";
}

function visibleFault({ visible, quantity }: Draft, grid: Grid): string | null {
  const whole = dec.parse(quantity);
  const wrong = fault(visible, grid.lot, "shown part", grid.base);
  if (wrong !== null || whole === null) return wrong;
  return dec.compare(dec.exact(visible), whole) > 0 ? "The shown part must not be larger than the quantity." : null;
}

/** What is wrong with a draft, by field; empty when nothing is. `engineMs` is the desk's time, null where it is not known. */
export function faults(draft: Draft, grid: Grid, engineMs: number | null = null): Faults {
  const budget = draft.sizing === "budget";
  const found: Record<Field, string | null> = {
    quantity: budget ? null : fault(draft.quantity, grid.lot, "quantity", grid.base),
    budget: budget ? number(draft.budget, "100", "amount", grid.quote) : null,
    price: hasPrice(draft.type) ? fault(draft.price, grid.tick, "price", grid.quote) : null,
    trigger: triggered(draft) ? fault(draft.trigger, grid.tick, trails(draft) ? "activation price" : "trigger price", grid.quote) : null,
    deadline: draft.timeInForce === "gtd" ? deadlineFault(draft, engineMs) : null,
    trail: trails(draft) ? trailFault(draft.trail) : null,
    visible: hides(draft) ? visibleFault(draft, grid) : null,
  };
  return Object.fromEntries(Object.entries(found).filter(([, text]) => text !== null)) as Faults;
}

/** The command that a draft without faults is. */
export function orderOf(draft: Draft, instrument: number): NewOrder {
  const budget = draft.sizing === "budget";
  const ends = draft.timeInForce === "gtd" ? deadlineMs(draft) : null;
  return {
    instrument, side: draft.side, order_type: draft.type,
    quantity: budget ? null : draft.quantity.trim(), quote_quantity: budget ? draft.budget.trim() : null,
    price: hasPrice(draft.type) ? draft.price.trim() : null, trigger_price: triggered(draft) ? draft.trigger.trim() : null,
    time_in_force: draft.timeInForce, expire_ns: ends === null ? null : `${BigInt(ends) * 1_000_000n}`,
    post_only: draft.postOnly, reduce_only: draft.reduceOnly,
    trail_bips: trails(draft) ? Number(dec.steps(dec.exact(draft.trail), BIP)) : null, visible_quantity: hides(draft) ? draft.visible.trim() : null, self_trade: null,
  }; // prettier-ignore
}

/** How much of a position a side would reduce, in whole steps. */
export function reducible({ side }: Draft, grid: Grid, position: string): dec.Decimal {
  const [held, lot] = [dec.exact(position), dec.exact(grid.lot)];
  const against = side === "sell" ? held : dec.subtract(dec.exact("0"), held);
  return dec.times(lot, dec.sign(against) > 0 ? dec.steps(against, lot) : 0n);
}
