// The page's one connection to its desk: what is said goes through the reducer into a view; components read parts of the view and are drawn
// at most once a frame (a hidden tab gets no frames and draws nothing). After a reset, or on another run, the read models are loaded anew.
import { useRef, useSyncExternalStore } from "react";
import { equityPoints } from "./beside";
import { read } from "./command";
import type { Said, View } from "./model";
import { marketOf, MOST, NOTHING, reduce } from "./model";
import type { Ports, SocketLike } from "./stream";
import { Stream } from "./stream";
import type { Bars, Book, Desk, DeskEvent, Equity, Events, Fills, State, StreamMessage } from "./wire";

const API = "/api/v1";
const RETRY_MS = 2_000;
/** A desk that has just begun reads older bars for its indicators; they are not told by the stream. */
const WARM_UP_MS = [4_000, 20_000];
/** How far back events are looked for, in inputs, until there are enough of them. */
const BACK = [1_000, 30_000, 1_000_000, Infinity];
const PAGE = 1_000;
const SHOWN = 200;

let view: View = NOTHING;
let shown: View = NOTHING;
let frame = 0;
const listeners = new Set<() => void>();

export function tell(said: Said): void {
  view = reduce(view, said);
  if (frame === 0) frame = requestAnimationFrame(show);
}

function show(): void {
  frame = 0;
  if (shown === view) return;
  shown = view;
  for (const listener of listeners) listener();
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const current = (): View => shown;

/** A part of the view, which must depend on the view alone; the component is drawn again only when that part says something else. */
export function useView<T>(part: (view: View) => T): T {
  const known = useRef<{ view: View; value: T } | null>(null);
  return useSyncExternalStore(subscribe, () => {
    if (known.current?.view === shown) return known.current.value;
    const value = part(shown);
    const kept = known.current !== null && same(known.current.value, value) ? known.current.value : value;
    known.current = { view: shown, value: kept };
    return kept;
  });
}

/** The same value, or small objects with the same fields. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) || Array.isArray(b)) return false;
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(x);
  return names.length === Object.keys(y).length && names.every((name) => Object.is(x[name], y[name]));
}

const ports: Ports = {
  open: (after) => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const query = after === null ? "" : `?${new URLSearchParams({ after, run: loadedRun })}`;
    return new WebSocket(`${scheme}://${location.host}${API}/stream${query}`) as unknown as SocketLike;
  },
  after: (ms, then) => window.setTimeout(then, ms),
  cancel: (timer) => window.clearTimeout(timer),
  random: Math.random,
  now: Date.now,
};

let loadedRun = "";
let loading = 0;

function hear(message: StreamMessage): void {
  tell(message);
  if (message.type === "hello" && message.desk.run !== loadedRun) {
    if (loadedRun !== "") stream.place = null;
    stream.beginning = `${Math.max(0, message.desk.seq - 1)}.0`;
    loadedRun = message.desk.run;
    void load();
  } else if (message.type === "hello") void loadMarkets().catch(() => undefined);
  else if (message.type === "reset") void load();
  else if (message.type === "market") for (const { instrument } of message.markets) loadTrades(instrument);
}

const stream = new Stream<StreamMessage>(ports, hear, (connection) => tell({ type: "connection", connection }));

/** Reads what the stream does not tell: the account, past fills, bars, equity, events. Tried again until it works. */
async function load(): Promise<void> {
  const mine = ++loading;
  const desk = view.desk;
  if (desk === null) return;
  try {
    const tasks = [
      read<State>(`${API}/state`).then((state) => tell({ type: "state_read", state })),
      loadFills(200),
      latestEvents(desk.seq).then((events) => {
        tell({ type: "events_read", events });
        // A note that comes later may stand behind an input long before the desk's last one: the last event is the place to go on from.
        if (mine === loading) stream.beginning = events.at(-1)?.id ?? stream.beginning;
      }),
      loadEquity(desk),
      loadMarkets(),
    ];
    await Promise.all(tasks);
    if (mine !== loading) return;
    tell({ type: "trouble", text: "" });
    for (const ms of WARM_UP_MS) window.setTimeout(() => mine === loading && void loadMoreBars(), ms);
  } catch (error) {
    if (mine !== loading) return;
    tell({ type: "trouble", text: error instanceof Error ? error.message : String(error) });
    window.setTimeout(() => mine === loading && void load(), RETRY_MS);
  }
}

/** Bars and latest trades of all markets; also after a reconnection, because the stream tells none of what came meanwhile. */
async function loadMarkets(): Promise<void> {
  const numbers = (view.desk?.instruments ?? []).map(({ number }) => number);
  for (const number of numbers) awaited.add(number);
  await Promise.all(numbers.map(loadBars));
}

/** Markets whose latest trades are to be read: once the stream tells of them, because a desk that begins has none before. */
const awaited = new Set<number>();

function loadTrades(instrument: number): void {
  if (!awaited.delete(instrument)) return;
  read<Book>(`${API}/book?instrument=${instrument}`).then((book) => tell({ type: "book_read", book }), () => awaited.add(instrument));
}

async function loadBars(instrument: number): Promise<void> {
  const { bars } = await read<Bars>(`${API}/bars?instrument=${instrument}&limit=${MOST.bars}`);
  if (bars.length > 0) tell({ type: "bars_read", instrument, bars });
}

async function loadMoreBars(): Promise<void> {
  const few = (view.desk?.instruments ?? []).filter(({ number }) => marketOf(view, number).bars.length < 200);
  await Promise.all(few.map(({ number }) => loadBars(number))).catch(() => undefined);
}

/** The last events: the api pages forward only, so they are looked for from further and further back. */
async function latestEvents(seq: number): Promise<DeskEvent[]> {
  let found: DeskEvent[] = [];
  for (const back of BACK) {
    const from = Math.max(0, seq - back);
    found = [];
    for (let after: string | null = `${from}.0`; after !== null; ) {
      const page: Events = await read<Events>(`${API}/events?after=${after}&limit=${PAGE}`);
      found = [...found, ...page.events].slice(-SHOWN);
      after = page.events.length === PAGE ? page.after : null;
    }
    if (from === 0 || found.length >= SHOWN / 4) break;
  }
  return found;
}

/** What the account was worth, and what the accounts beside it were worth at the same moments. */
async function loadEquity(desk: Desk): Promise<void> {
  const numbers = desk.accounts.filter(({ role }) => role !== "main").map(({ account }) => account);
  const one = (more: string) => read<Equity>(`${API}/equity?limit=1000${more}`).then(({ points }) => points);
  const [own, ...others] = await Promise.all([one(""), ...numbers.map((account) => one(`&account=${account}`))]);
  tell({ type: "equity_read", points: equityPoints(own ?? [], Object.fromEntries(numbers.map((account, at) => [account, others[at] ?? []]))) });
}

/** Fills with their receipts. */
export async function loadFills(limit: number): Promise<void> {
  const { fills } = await read<Fills>(`${API}/fills?limit=${limit}`);
  tell({ type: "fills_read", fills });
}

export function start(): void {
  stream.start();
  window.addEventListener("online", () => stream.nudge());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && stream.nudge());
}

export { API };
