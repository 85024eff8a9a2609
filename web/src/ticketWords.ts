// An order in words, before it is sent: all of its terms in one reading, and what stands against it as the market is now.
import * as dec from "./decimal";
import { amount, minute, utcMinute } from "./format";
import type { Draft, Grid } from "./ticket";
import { deadlineMs, hasPrice, hasTrigger, hides, reducible, takesProfit, trails, triggered, upwards } from "./ticket";

/** The order as a sentence, complete: "Buy 0.01 BTC at market, paper." */
export function sentence(draft: Draft, grid: Grid): string {
  const how = hasPrice(draft.type) ? `at ${amount(draft.price, 0)} ${grid.quote} or better` : "at market";
  return [`${size(draft, grid)} ${how}${when(draft, grid)}, paper.`, ending(draft), ...more(draft, grid)].join(" ");
}

function when(draft: Draft, grid: Grid): string {
  const price = `${amount(draft.trigger, 0)} ${grid.quote}`;
  if (!trails(draft)) return hasTrigger(draft.type) ? `, once the price ${upwards(draft) ? "rises" : "falls"} to ${price}` : "";
  const turned = draft.side === "buy" ? "risen" : "fallen";
  const peak = draft.side === "buy" ? "above its lowest" : "below its highest";
  const since = triggered(draft) ? `since it has ${upwards(draft) ? "risen" : "fallen"} to ${price}` : "since the order arrived";
  return `, once the price has ${turned} ${amount(draft.trail, 0)} % ${peak} ${since}`;
}

function size(draft: Draft, grid: Grid): string {
  const buys = draft.side === "buy";
  if (draft.sizing === "quantity") return `${buys ? "Buy" : "Sell"} ${amount(draft.quantity, 0)} ${grid.base}`;
  const most = `at most ${amount(draft.budget, 0)} ${grid.quote}`;
  return buys ? `Spend ${most} on ${grid.base} in whole steps of ${grid.lot}` : `Sell ${grid.base} in whole steps of ${grid.lot} for ${most}`;
}

function ending(draft: Draft): string {
  if (draft.timeInForce === "gtc") return "Good till canceled.";
  if (draft.timeInForce === "ioc") return `Immediate or cancel: what is not filled ${arrival(draft)} is canceled.`;
  if (draft.timeInForce === "fok") return `Fill or kill: whole ${arrival(draft)}, or not at all.`;
  const ms = deadlineMs(draft);
  return ms === null ? "Good till a date." : `Good till ${minute(ms)} (${utcMinute(ms)}) of the desk's time: what is left then ends.`;
}

const arrival = (draft: Draft): string => (hasTrigger(draft.type) ? "when it is triggered" : "on arrival");

function more(draft: Draft, grid: Grid): string[] {
  const told: string[] = [];
  if (hides(draft)) told.push(`Iceberg: the book shows ${amount(draft.visible, 0)} ${grid.base} of it at a time.`);
  if (draft.postOnly) told.push("Post-only: it is rejected rather than take from the book.");
  if (draft.reduceOnly) told.push("Reduce-only: it makes the position smaller, never larger, and never turns it.");
  return told;
}

/** The rarer terms that are set, in a word or two each. */
export function rarer(draft: Draft, grid: Grid): string[] {
  const told: string[] = [];
  if (draft.sizing === "budget") told.push(`${draft.side === "buy" ? "spend" : "receive"} ${grid.quote}`);
  if (draft.postOnly) told.push("post-only");
  if (draft.reduceOnly) told.push("reduce-only");
  if (trails(draft)) told.push(`trailing ${amount(draft.trail, 0)} %`);
  if (hides(draft)) told.push(`showing ${amount(draft.visible, 0)} ${grid.base}`);
  return told;
}

/** What an order meets: the account's position and the price that triggers are held to; null where not known. */
export interface Scene {
  position: string | null;
  last: string | null;
}

/** Why the desk would refuse an order if nothing changed. */
export function cautions(draft: Draft, grid: Grid, { position, last }: Scene): string[] {
  const told: string[] = [];
  if (draft.reduceOnly && position !== null && dec.sign(reducible(draft, grid, position)) === 0) {
    const held = dec.sign(dec.exact(position)) === 0 ? "there is none" : `the position is ${amount(position, 0)} ${grid.base}`;
    told.push(`Reduce-only needs a position that a ${draft.side} makes smaller; ${held}. The desk would deny this order.`);
  }
  const trigger = triggered(draft) ? dec.parse(draft.trigger) : null;
  if (trigger !== null && last !== null && dec.sign(trigger) > 0) {
    const above = dec.compare(dec.exact(last), trigger);
    if (upwards(draft) ? above >= 0 : above <= 0) {
      const kind = takesProfit(draft.type) ? "take-profit" : "stop";
      told.push(`The price, ${amount(last, 0)}, is there already: the ${trails(draft) ? "activation price" : "trigger"} of a ${kind} ${draft.side} lies ${upwards(draft) ? "above" : "below"} it. The venue would reject this order.`);
    }
  }
  return told;
}
