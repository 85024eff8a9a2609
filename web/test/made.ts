// Small makers of what the api says, for tests.
import type { Bar, Book, Desk, DeskEvent, Pulse, State, Trade } from "../src/wire";

const refusal = { code: 21, name: "stale_data", meaning: "the market's data is stale or has a gap", remedy: "wait" };
export const REFUSAL = refusal;

export function bar(open_s: number, close = "1"): Bar {
  return { open_s, open: "1", high: "2", low: "1", close, volume: "3" };
}

export function trade(n: number): Trade {
  return { time: "", ts_ns: String(n), side: "buy", price: "1", quantity: "1" };
}

export function book(more: Partial<Book> = {}): Book {
  return { instrument: 0, symbol: "BTCUSDT", time: "", ts_ns: "1", status: "live", status_reason: null, bids: [], asks: [], trades: [], bars: [], ...more };
}

export function event(id: string, more: Partial<DeskEvent> = {}): DeskEvent {
  const [seq = "0", number = "0"] = id.split(".");
  return {
    id, seq: Number(seq), number: Number(number), time: "", ts_ns: "1000000000", kind: "order_accepted", severity: "info", text: "",
    bot: null, who: null, instrument: null, symbol: null, order: null, signal: null, terms: null, fill: null, refusal: null, scope: null, note: null, ...more,
  };
}

export function fillEvent(id: string, fill: number): DeskEvent {
  const told = { fill, side: "buy", liquidity: "maker", price: "10", quantity: "1", quote_amount: "10", quote_asset: "USDT", fee: "0.01", fee_asset: "USDT", realized_pnl: "0", rule: "queue" } as const;
  return event(id, { kind: "fill", severity: "good", order: `PAPER-0-${fill}`, instrument: 0, symbol: "BTCUSDT", bot: 1, who: "quoter", fill: told });
}

export function desk(run: string, instruments = [0]): Desk {
  const made = instruments.map((number) => ({ number, version: 1, symbol: `S${number}`, venue: "paper", base: "BTC", quote: "USDT", tick: "0.01", lot: "0.001", maker_fee: "0.001", taker_fee: "0.002", origin: "declared", status: null, status_reason: null }));
  return { run, killed: false, instruments: made, accounts: [] } as unknown as Desk;
}

export function state(seq: number, run = "r"): State {
  return { run, seq, killed: false } as unknown as State;
}

export function pulse(s: number, equity: string | null): Pulse {
  return { type: "pulse", engine_ts_ns: `${s}500000000`, equity, accounts: [], killed: false } as unknown as Pulse;
}
