// The accounts beside the desk's own: the same bots under the other fill models, and the ghost without limits. Pure; sums in whole numbers.
import * as dec from "./decimal";
import type { EquityAt } from "./model";
import type { Account, Equity } from "./wire";

/** Account → what it was worth, of the accounts beside the desk's own. */
export type Others = Readonly<Record<number, string>>;
const NONE: Others = {};

export interface Band {
  /** From the best fill model to the worst. */
  accounts: readonly Account[];
  /** From the lowest equity to the highest; null while one is not known. */
  spread: string | null;
}

const ORDER = ["optimistic", "expected", "pessimistic"];

/** The accounts under the three fill models; null without a band. */
export function bandOf(accounts: readonly Account[]): Band | null {
  const own = accounts.filter(({ role }) => role !== "ghost");
  if (own.length < 2) return null;
  const sorted = [...own].sort((a, b) => ORDER.indexOf(a.fill_model) - ORDER.indexOf(b.fill_model));
  const known = own.flatMap(({ equity }) => (equity === null ? [] : [dec.exact(equity)]));
  if (known.length < own.length) return { accounts: sorted, spread: null };
  const [low, high] = ends(known);
  return { accounts: sorted, spread: dec.text(dec.subtract(high, low)) };
}

function ends(values: readonly dec.Decimal[]): [dec.Decimal, dec.Decimal] {
  const rising = [...values].sort(dec.compare);
  return [rising[0] as dec.Decimal, rising.at(-1) as dec.Decimal];
}

export interface Ghost {
  account: Account;
  /** The account's equity less the ghost's: below zero is what the protections cost. */
  saved: string | null;
}

export function ghostOf(accounts: readonly Account[]): Ghost | null {
  const account = accounts.find(({ role }) => role === "ghost");
  const own = accounts.find(({ role }) => role === "main");
  if (account === undefined || own === undefined) return null;
  const known = own.equity !== null && account.equity !== null;
  return { account, saved: known ? dec.text(dec.subtract(dec.exact(own.equity as string), dec.exact(account.equity as string))) : null };
}

/** What the others were worth at a moment; those that are not known are left out. */
export function othersOf(accounts: readonly Account[]): Others {
  const rows = accounts.flatMap(({ role, account, equity }) => (role === "main" || equity === null ? [] : [[account, equity] as const]));
  return rows.length === 0 ? NONE : Object.fromEntries(rows);
}

/** Lowest and highest of the band at a point, for the chart; null where one of its accounts is not known there. */
export function endsAt(point: EquityAt, band: readonly number[]): { low: number; high: number } | null {
  const values = band.map((account) => point.others?.[account]);
  if (values.length === 0 || values.some((value) => value === undefined)) return null;
  const [low, high] = ends([point.equity, ...(values as string[])].map(dec.exact));
  return { low: dec.coordinate(dec.text(low)), high: dec.coordinate(dec.text(high)) };
}

type Points = Equity["points"];

/** Points of the desk's own account, a second each at most, with what the others were worth at the same moment. */
export function equityPoints(own: Points, others: Readonly<Record<number, Points>>): EquityAt[] {
  const seconds = new Map(bySecond(own));
  const found = Object.entries(others).map(([account, points]) => [Number(account), new Map(bySecond(points))] as const);
  return [...seconds]
    .map(([s, equity]) => {
      const there = found.flatMap(([account, at]) => (at.has(s) ? [[account, at.get(s) as string] as const] : []));
      return there.length === 0 ? { s, equity } : { s, equity, others: Object.fromEntries(there) };
    })
    .sort((a, b) => a.s - b.s);
}

function bySecond(points: Points): [number, string][] {
  return points.flatMap(({ ts_ns, equity }) => (equity === null ? [] : [[Math.floor(dec.coordinate(ts_ns) / 1e9), equity]]));
}
