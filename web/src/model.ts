// All that the page knows, and how it changes: one pure function from what it knew and what was said to what it knows. Nothing grows without
// bound; what is shown first is kept first.
import type { Others } from "./beside";
import { othersOf } from "./beside";
import { msOf, sentence } from "./format";
import type { Connection } from "./stream";
import { isAfter } from "./stream";
import type { Bar, Book, Desk, DeskEvent, Fill, Instrument, Pulse, Receipt, State, StreamMessage, Trade } from "./wire";

export const MOST = { events: 500, trades: 50, bars: 1500, fills: 500, equity: 1500 } as const;

/** A fill as told by the stream has no receipt yet; GET /fills brings it. */
export type FillRow = Omit<Fill, "receipt"> & { receipt: Receipt | null };

export interface Market {
  book: Book | null;
  /** Newest first. */
  trades: readonly Trade[];
  /** Oldest first. */
  bars: readonly Bar[];
  /** Counts up when bars were replaced as a whole, so that a chart knows to draw anew. */
  barsLoaded: number;
}

export interface EquityAt {
  s: number;
  equity: string;
  /** What the accounts beside the desk's own were worth then. */
  others?: Others;
}

export interface View {
  connection: Connection;
  desk: Desk | null;
  state: State | null;
  pulse: Pulse | null;
  markets: Readonly<Record<number, Market>>;
  /** Newest first, as are fills. */
  events: readonly DeskEvent[];
  fills: readonly FillRow[];
  /** Oldest first. */
  equity: readonly EquityAt[];
  equityLoaded: number;
  instrument: number | null;
  /** Why the read models could not be loaded; empty when they could. */
  trouble: string;
}

export const NOTHING: View = {
  connection: { phase: "connecting", heardAt: 0, tries: 0, why: "" },
  desk: null,
  state: null,
  pulse: null,
  markets: {},
  events: [],
  fills: [],
  equity: [],
  equityLoaded: 0,
  instrument: null,
  trouble: "",
};

export type Said =
  | StreamMessage
  | { type: "connection"; connection: Connection }
  | { type: "state_read"; state: State }
  | { type: "fills_read"; fills: readonly Fill[] }
  | { type: "events_read"; events: readonly DeskEvent[] }
  | { type: "bars_read"; instrument: number; bars: readonly Bar[] }
  | { type: "book_read"; book: Book }
  | { type: "equity_read"; points: readonly EquityAt[] }
  | { type: "instrument"; instrument: number }
  | { type: "trouble"; text: string };

const NO_MARKET: Market = { book: null, trades: [], bars: [], barsLoaded: 0 };

export function marketOf(view: View, instrument: number | null): Market {
  return (instrument === null ? undefined : view.markets[instrument]) ?? NO_MARKET;
}

export function instrumentOf(view: View): Instrument | null {
  return view.desk?.instruments.find((one) => one.number === view.instrument) ?? null;
}

export function reduce(view: View, said: Said): View {
  switch (said.type) {
    case "connection":
      return { ...view, connection: said.connection };
    case "hello":
      return hello(view, said.desk);
    case "event":
      return event(view, said.event);
    case "reset":
      return view.desk !== null && view.desk.run !== said.run ? { ...view, events: [], fills: [], equity: [], markets: {} } : view;
    case "state":
      return { ...view, state: said.state };
    case "state_read":
      return view.state !== null && view.state.run === said.state.run && view.state.seq > said.state.seq ? view : { ...view, state: said.state };
    case "market":
      return { ...view, markets: said.markets.reduce(withBook, view.markets) };
    case "book_read": {
      const market = marketOf(view, said.book.instrument);
      const book = market.book && isLater(market.book.ts_ns, said.book.ts_ns) ? market.book : said.book;
      return { ...view, markets: { ...view.markets, [said.book.instrument]: { ...market, book, trades: mergedTrades(market.trades, said.book.trades) } } };
    }
    case "bars_read": {
      const market = marketOf(view, said.instrument);
      const first = said.bars.at(-1)?.open_s ?? 0;
      const later = market.bars.filter((bar) => bar.open_s > first);
      const bars = [...said.bars, ...later].slice(-MOST.bars);
      return { ...view, markets: { ...view.markets, [said.instrument]: { ...market, bars, barsLoaded: market.barsLoaded + 1 } } };
    }
    case "pulse":
      return pulse(view, said);
    case "fills_read":
      return { ...view, fills: mergedFills(view.fills, said.fills) };
    case "events_read":
      return { ...view, events: mergedEvents(view.events, said.events) };
    case "equity_read": {
      const last = said.points.at(-1)?.s ?? 0;
      const equity = thinned([...said.points, ...view.equity.filter((point) => point.s > last)]);
      return { ...view, equity, equityLoaded: view.equityLoaded + 1 };
    }
    case "instrument":
      return { ...view, instrument: said.instrument };
    case "trouble":
      return { ...view, trouble: said.text };
  }
}

/** Another run shares nothing with the one before: all of it goes. */
function hello(view: View, desk: Desk): View {
  const known = view.desk?.run === desk.run;
  const instrument = desk.instruments.some((one) => one.number === view.instrument) ? view.instrument : (desk.instruments[0]?.number ?? null);
  const base = known || view.desk === null ? view : { ...NOTHING, connection: view.connection, equityLoaded: view.equityLoaded + 1 };
  return { ...base, desk, instrument };
}

function event(view: View, told: DeskEvent): View {
  const newest = view.events[0];
  if (newest && !isAfter(told.id, newest.id)) return view;
  const next = { ...view, events: [told, ...view.events].slice(0, MOST.events) };
  const row = fillRow(told);
  return row === null ? next : { ...next, fills: mergedFills(next.fills, [row]) };
}

function fillRow(told: DeskEvent): FillRow | null {
  const { fill, order, instrument } = told;
  if (!fill || !order || instrument === null || instrument === undefined) return null;
  return {
    ...fill, order, instrument, receipt: null,
    seq: told.seq, number: told.number, time: told.time, ts_ns: told.ts_ns,
    bot: told.bot ?? 0, who: told.who ?? "", symbol: told.symbol ?? "",
  }; // prettier-ignore
}

function mergedFills(known: readonly FillRow[], told: readonly FillRow[]): FillRow[] {
  const rows = new Map(known.map((row) => [row.fill, row]));
  for (const row of told) {
    const before = rows.get(row.fill);
    rows.set(row.fill, before && row.receipt === null ? before : row);
  }
  return [...rows.values()].sort((a, b) => b.fill - a.fill).slice(0, MOST.fills);
}

function mergedEvents(known: readonly DeskEvent[], told: readonly DeskEvent[]): DeskEvent[] {
  const rows = new Map([...told, ...known].map((row) => [row.id, row]));
  return [...rows.values()].sort((a, b) => (isAfter(a.id, b.id) ? -1 : 1)).slice(0, MOST.events);
}

function withBook(markets: Readonly<Record<number, Market>>, book: Book): Record<number, Market> {
  const market = markets[book.instrument] ?? NO_MARKET;
  const trades = book.trades.length ? [...book.trades.toReversed(), ...market.trades].slice(0, MOST.trades) : market.trades;
  const older = (book.bars[0]?.open_s ?? Infinity) < (market.bars.at(-2)?.open_s ?? 0);
  const barsLoaded = market.barsLoaded + (older ? 1 : 0);
  return { ...markets, [book.instrument]: { book, trades, bars: withBars(market.bars, book.bars), barsLoaded } };
}

/** Whether a moment in nanoseconds (text) is after another. */
function isLater(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** What was read overlaps with what was told: each once, newest first. */
function mergedTrades(known: readonly Trade[], read: readonly Trade[]): Trade[] {
  const keys = new Set(known.map(tradeKey));
  const more = read.filter((trade) => !keys.has(tradeKey(trade))).toReversed();
  return [...known, ...more].sort((a, b) => (a.ts_ns === b.ts_ns ? 0 : isLater(a.ts_ns, b.ts_ns) ? -1 : 1)).slice(0, MOST.trades);
}

function tradeKey(trade: Trade): string {
  return `${trade.ts_ns}/${trade.price}/${trade.quantity}/${trade.side}`;
}

function withBars(known: readonly Bar[], changed: readonly Bar[]): readonly Bar[] {
  if (changed.length === 0) return known;
  const first = changed[0]?.open_s ?? 0;
  let end = known.length;
  while (end > 0 && (known[end - 1]?.open_s ?? 0) >= first) end -= 1;
  const between = known.slice(end).filter((bar) => !changed.some((other) => other.open_s === bar.open_s));
  const tail = [...between, ...changed].sort((a, b) => a.open_s - b.open_s);
  return [...known.slice(0, end), ...tail].slice(-MOST.bars);
}

function pulse(view: View, said: Pulse): View {
  const next = { ...view, pulse: said };
  if (said.equity === null) return next;
  const s = Number(BigInt(said.engine_ts_ns) / 1_000_000_000n);
  const last = view.equity.at(-1)?.s ?? 0;
  if (s <= last) return next;
  const others = othersOf(said.accounts);
  const point = Object.keys(others).length === 0 ? { s, equity: said.equity } : { s, equity: said.equity, others };
  const equity = [...view.equity, point];
  if (equity.length <= MOST.equity) return { ...next, equity };
  return { ...next, equity: thinned(equity), equityLoaded: view.equityLoaded + 1 };
}

/** Too many points: every other one of the older three quarters goes, until there are few enough; the curve keeps its beginning and its end. */
function thinned(points: EquityAt[]): EquityAt[] {
  let kept = points;
  while (kept.length > MOST.equity) {
    const old = Math.floor(kept.length * 0.75);
    kept = kept.filter((_, at) => at >= old || at % 2 === 0);
  }
  return kept;
}

// ── what the page says about what it knows

export type Trust = { ok: true } | { ok: false; title: string; text: string };

/** Whether orders for the chosen market can pass, and if not, why. */
export function trust(view: View): Trust {
  const market = marketOf(view, view.instrument);
  const status = market.book?.status ?? instrumentOf(view)?.status ?? null;
  if (status === null || status === "live") return { ok: true };
  const reason = market.book?.status_reason ?? instrumentOf(view)?.status_reason;
  const title = status === "gap" ? "Market data has a gap" : "Market data is stale";
  const why = reason ? ` ${sentence(`${reason.meaning}; ${reason.remedy}`)}` : "";
  return { ok: false, title, text: `Orders stop: ${reason?.name ?? "stale_data"}.${why}` };
}

export function killed(view: View): boolean {
  return view.pulse?.killed ?? view.state?.killed ?? view.desk?.killed ?? false;
}

/** The desk's own time in milliseconds, to which deadlines are held: in a replay it is not now. Null while no input had a time. */
export function engineMs(view: View): number | null {
  const ms = view.pulse === null ? 0 : msOf(view.pulse.engine_ts_ns);
  return ms > 0 ? ms : null;
}

/** What the account holds of the chosen instrument, signed; null while the account is not known. */
export function positionOf(view: View): string | null {
  if (view.state === null) return null;
  return view.state.positions.find((one) => one.instrument === view.instrument)?.quantity ?? "0";
}

/** The price that triggers are held to: the last trade, else what the order's side could have at once. */
export function lastOf(view: View, side: "buy" | "sell"): string | null {
  const { book, trades } = marketOf(view, view.instrument);
  const best = side === "buy" ? book?.asks[0] : book?.bids[0];
  return trades[0]?.price ?? best?.[0] ?? null;
}
