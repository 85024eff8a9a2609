// What an order ticket knows without asking the desk: whether the numbers lie on the instrument's grid, what the order would come to, and how
// it reads in words. The desk decides; this only saves a round trip and says things plainly.
import * as dec from "./decimal";
import { amount } from "./format";

export type Side = "buy" | "sell";
export type OrderType = "market" | "limit" | "stop_market" | "stop_limit";
export type TimeInForce = "gtc" | "ioc" | "fok";

export interface Draft {
  side: Side;
  type: OrderType;
  quantity: string;
  price: string;
  trigger: string;
  timeInForce: TimeInForce;
  postOnly: boolean;
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

export interface Level {
  price: string;
  quantity: string;
}

export type Field = "quantity" | "price" | "trigger";
export type Faults = Partial<Record<Field, string>>;

export const EMPTY: Draft = { side: "buy", type: "limit", quantity: "", price: "", trigger: "", timeInForce: "gtc", postOnly: false };

export const hasPrice = (type: OrderType): boolean => type === "limit" || type === "stop_limit";
export const hasTrigger = (type: OrderType): boolean => type === "stop_market" || type === "stop_limit";

/** Which times in force go with a type. */
export function timesInForce(type: OrderType): TimeInForce[] {
  return hasPrice(type) ? ["gtc", "ioc", "fok"] : ["ioc", "fok"];
}

/** A draft of another type, with the time in force that is usual for it. */
export function retyped(draft: Draft, type: OrderType): Draft {
  const same = hasPrice(type) === hasPrice(draft.type);
  return settled({ ...draft, type, timeInForce: same ? draft.timeInForce : (timesInForce(type)[0] ?? "gtc") });
}

/** A draft made possible: fields that do not go with its type are set back. */
export function settled(draft: Draft): Draft {
  const allowed = timesInForce(draft.type);
  const timeInForce = allowed.includes(draft.timeInForce) ? draft.timeInForce : (allowed[0] ?? "gtc");
  return { ...draft, timeInForce, postOnly: draft.postOnly && draft.type === "limit" && timeInForce === "gtc" };
}

function fault(text: string, step: string, what: string, unit: string): string | null {
  if (text.trim() === "") return `Give a ${what} in ${unit}.`;
  const value = dec.parse(text);
  if (value === null) return `Write the ${what} as a decimal number such as ${step}, with a point and without grouping.`;
  if (dec.sign(value) <= 0) return `The ${what} must be above zero.`;
  const grid = dec.exact(step);
  if (dec.onGrid(value, grid)) return null;
  const [below, above] = dec.neighbours(value, grid);
  const near = dec.sign(below) > 0 ? `${dec.trimmed(below)} or ${dec.trimmed(above)}` : dec.trimmed(above);
  return `The ${what} goes in steps of ${dec.trimmed(grid)}: ${near}.`;
}

/** What is wrong with a draft, by field; empty when nothing is. */
export function faults(draft: Draft, grid: Grid): Faults {
  const found: Faults = {};
  const quantity = fault(draft.quantity, grid.lot, "quantity", grid.base);
  if (quantity) found.quantity = quantity;
  const price = hasPrice(draft.type) ? fault(draft.price, grid.tick, "price", grid.quote) : null;
  if (price) found.price = price;
  const trigger = hasTrigger(draft.type) ? fault(draft.trigger, grid.tick, "trigger price", grid.quote) : null;
  if (trigger) found.trigger = trigger;
  return found;
}

export interface Estimate {
  notional: string;
  /** In the asset that is received: base for a buy, quote for a sell. */
  fee: string;
  feeAsset: string;
  /** What the numbers rest on. */
  basis: string;
  /** The visible book holds less than the order wants. */
  short: boolean;
}

/** What an order would come to, from its own price or from the other side of the book; null while it cannot be said. */
export function estimate(draft: Draft, grid: Grid, otherSide: readonly Level[]): Estimate | null {
  const quantity = dec.parse(draft.quantity);
  if (quantity === null || dec.sign(quantity) <= 0) return null;
  const buys = draft.side === "buy";
  const feeAsset = buys ? grid.base : grid.quote;
  const feeOf = (filled: dec.Decimal, notional: dec.Decimal, rate: string): string =>
    dec.trimmed(dec.roundedUp(dec.multiply(buys ? filled : notional, dec.exact(rate)), 8));
  const own = hasPrice(draft.type) ? draft.price : draft.type === "stop_market" ? draft.trigger : null;
  if (own !== null) {
    const price = dec.parse(own);
    if (price === null || dec.sign(price) <= 0) return null;
    const notional = dec.multiply(quantity, price);
    const maker = draft.type === "limit" && draft.postOnly;
    const basis = draft.type === "stop_market" ? "at its trigger; the fill may be worse" : `at its price, as ${maker ? "maker" : "taker"}`;
    return { notional: dec.trimmed(notional), fee: feeOf(quantity, notional, maker ? grid.maker_fee : grid.taker_fee), feeAsset, basis, short: false };
  }
  let left = quantity;
  let notional: dec.Decimal = { units: 0n, scale: 0 };
  for (const level of otherSide) {
    const shown = dec.exact(level.quantity);
    const taken = dec.compare(left, shown) < 0 ? left : shown;
    notional = dec.add(notional, dec.multiply(taken, dec.exact(level.price)));
    left = dec.subtract(left, taken);
    if (dec.sign(left) === 0) break;
  }
  if (dec.sign(notional) === 0) return null;
  const short = dec.sign(left) > 0;
  const fee = feeOf(dec.subtract(quantity, left), notional, grid.taker_fee);
  return { notional: dec.trimmed(notional), fee, feeAsset, basis: "through the book as shown now, as taker", short };
}

const TIF: Record<TimeInForce, string> = {
  gtc: "good till canceled",
  ioc: "immediate or cancel: what is not filled on arrival is canceled",
  fok: "fill or kill: whole on arrival, or not at all",
};

/** The order as a sentence, complete: "Buy 0.01 BTC at market, paper". */
export function sentence(draft: Draft, grid: Grid): string {
  const verb = draft.side === "buy" ? "Buy" : "Sell";
  const what = `${verb} ${amount(draft.quantity, 0)} ${grid.base}`;
  const limit = `at ${amount(draft.price, 0)} ${grid.quote} or better`;
  const when = `once the price reaches ${amount(draft.trigger, 0)} ${grid.quote}`;
  const how = {
    market: "at market",
    limit,
    stop_market: `at market ${when}`,
    stop_limit: `${limit}, ${when}`,
  }[draft.type];
  const post = draft.postOnly ? ", post-only: it is rejected rather than take from the book" : "";
  return `${what} ${how}, paper. ${TIF[draft.timeInForce].replace(/^./, (c) => c.toUpperCase())}${post}.`;
}
