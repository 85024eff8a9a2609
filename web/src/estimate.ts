// What an order would come to, by the visible book or its own price. An estimate that says what it rests on; the desk decides exactly.
import * as dec from "./decimal";
import { amount } from "./format";
import type { Draft, Grid } from "./ticket";
import { hasPrice, hasTrigger, reducible, trails, triggered } from "./ticket";

export interface Level {
  price: string;
  quantity: string;
}

export interface Estimate {
  /** In the base asset. */
  quantity: string;
  notional: string;
  /** In the asset that is received: base for a buy, quote for a sell. */
  fee: string;
  feeAsset: string;
  /** What the numbers rest on. */
  basis: string;
  /** The visible book holds less than the order wants. */
  short: boolean;
}

interface Walk {
  quantity: dec.Decimal;
  notional: dec.Decimal;
  short: boolean;
}

const ZERO = dec.exact("0");

/** From the order's own price or from the other side of the book; null while it cannot be said. `position` is the account's, where known. */
export function estimate(draft: Draft, grid: Grid, otherSide: readonly Level[], position: string | null = null): Estimate | null {
  const budget = draft.sizing === "budget";
  const wanted = dec.parse(budget ? draft.budget : draft.quantity);
  if (wanted === null || dec.sign(wanted) <= 0) return null;
  if (budget) {
    const walk = walked(otherSide, (price, spent) => affordable(dec.subtract(wanted, spent), price, grid));
    const little = otherSide.length > 0 && dec.sign(walk.quantity) === 0;
    const basis = little ? `too little for one step of ${grid.lot} ${grid.base} at the best price shown` : "through the book as shown now, as taker, in whole steps";
    return otherSide.length === 0 ? null : told(draft, grid, walk, grid.taker_fee, basis);
  }
  const room = draft.reduceOnly && position !== null ? reducible(draft, grid, position) : wanted;
  const cut = dec.compare(room, wanted) < 0;
  const quantity = cut && !hasTrigger(draft.type) ? room : wanted;
  if (dec.sign(quantity) === 0) return null;
  const limits = !draft.reduceOnly ? "" : hasTrigger(draft.type) ? "; no more than the position is by then" : cut ? `; no more than the position, ${amount(position, 0)} ${grid.base}` : "";
  const follows = trails(draft) && !hasPrice(draft.type) ? "; where it fires is not known yet" : "";
  if (draft.type === "market" || (follows && !triggered(draft))) {
    const walk = walked(otherSide, (_, __, got) => dec.subtract(quantity, got));
    return dec.sign(walk.notional) === 0 ? null : told(draft, grid, walk, grid.taker_fee, `through the book as shown now, as taker${follows}${limits}`);
  }
  const price = dec.parse(hasPrice(draft.type) ? draft.price : draft.trigger);
  if (price === null || dec.sign(price) <= 0) return null;
  const basis = hasPrice(draft.type) ? `at its price, as ${draft.postOnly ? "maker" : "taker"}` : follows ? `at its activation price${follows}` : "at its trigger; the fill may be worse";
  const whole = { quantity, notional: dec.multiply(quantity, price), short: false };
  return told(draft, grid, whole, draft.postOnly ? grid.maker_fee : grid.taker_fee, basis + limits);
}

/** The whole steps that an amount pays for, or brings, at a price. */
function affordable(rest: dec.Decimal, price: dec.Decimal, grid: Grid): dec.Decimal {
  const lot = dec.exact(grid.lot);
  return dec.times(lot, dec.steps(rest, dec.multiply(price, lot)));
}

/** Level by level from the best, as much as is wanted of each. */
function walked(levels: readonly Level[], wants: (price: dec.Decimal, spent: dec.Decimal, got: dec.Decimal) => dec.Decimal): Walk {
  let [quantity, notional] = [ZERO, ZERO];
  for (const level of levels) {
    const [price, shown] = [dec.exact(level.price), dec.exact(level.quantity)];
    const wanted = wants(price, notional, quantity);
    const enough = dec.compare(wanted, shown) <= 0;
    const taken = enough ? wanted : shown;
    quantity = dec.add(quantity, taken);
    notional = dec.add(notional, dec.multiply(taken, price));
    if (enough) return { quantity, notional, short: false };
  }
  return { quantity, notional, short: true };
}

function told(draft: Draft, grid: Grid, { quantity, notional, short }: Walk, rate: string, basis: string): Estimate {
  const buys = draft.side === "buy";
  const fee = dec.roundedUp(dec.multiply(buys ? quantity : notional, dec.exact(rate)), 8);
  return { quantity: dec.trimmed(quantity), notional: dec.trimmed(notional), fee: dec.trimmed(fee), feeAsset: buys ? grid.base : grid.quote, basis, short };
}
