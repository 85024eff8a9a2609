// Drafts of orders for tests.
import type { Draft } from "../src/ticket";
import { EMPTY, settled } from "../src/ticket";

export const GRID = { symbol: "BTCUSDT", base: "BTC", quote: "USDT", tick: "0.01", lot: "0.00001", maker_fee: "0.001", taker_fee: "0.002" };

export function draft(more: Partial<Draft>): Draft {
  return settled({ ...EMPTY, quantity: "0.01", price: "64000", ...more });
}
