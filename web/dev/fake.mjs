// A desk that is not there: serves the built page and plays a seeded market and account in the api's shapes, for work on the page and for
// tests in a browser. Nothing in it decides anything; the real desk is `paperdesk up`.
//   node dev/fake.mjs [--port 8790] [--label SIMULATED] [--seed 7]
// POST /fake/NAME changes what it plays: stale, live, silent, heard, restart (ends all streams, as a restart of the api does), fail, reset.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "ws";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const PORT = Number(option("port", "8790"));
const LABEL = option("label", "SIMULATED");
const STATIC = fileURLToPath(new URL("../../src/paperdesk/api/static/", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

let dice = Number(option("seed", "7")) >>> 0;
function random() {
  dice = (dice + 0x6d2b79f5) >>> 0;
  let t = Math.imul(dice ^ (dice >>> 15), 1 | dice);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

// ── the market
const instruments = [
  { number: 0, version: 1, symbol: "BTCUSDT", venue: "paper", base: "BTC", quote: "USDT", tick: "0.01", lot: "0.00001", maker_fee: "0.001", taker_fee: "0.001", origin: "declared", status: "live", status_reason: null },
  { number: 1, version: 1, symbol: "ETHUSDT", venue: "paper", base: "ETH", quote: "USDT", tick: "0.01", lot: "0.0001", maker_fee: "0.001", taker_fee: "0.001", origin: "declared", status: "live", status_reason: null },
];
const places = (step) => (step.split(".")[1] ?? "").length;
const ns = (ms) => `${Math.floor(ms)}000000`;
const moment = (ms) => ({ time: new Date(ms).toISOString(), ts_ns: ns(ms) });
const markets = instruments.map((one, at) => makeMarket(one, at === 0 ? 64231.4 : 3312.7));

function makeMarket(one, price) {
  const market = { one, price, bars: [], trades: [], changed: [], status: "live" };
  const start = Math.floor(Date.now() / 60000) * 60 - 360 * 60;
  for (let s = start; s < Date.now() / 1000; s += 60) {
    const open = market.price;
    let [high, low] = [open, open];
    for (let i = 0; i < 12; i++) {
      market.price *= 1 + gauss() * 0.00018;
      [high, low] = [Math.max(high, market.price), Math.min(low, market.price)];
    }
    market.bars.push({ open_s: s, open, high, low, close: market.price, volume: 2 + random() * 9 });
  }
  return market;
}
const barOut = (one, bar) => {
  const p = places(one.tick);
  return { open_s: bar.open_s, open: bar.open.toFixed(p), high: bar.high.toFixed(p), low: bar.low.toFixed(p), close: bar.close.toFixed(p), volume: bar.volume.toFixed(places(one.lot)) };
};
function bookOf(market, whole = false) {
  const { one, price } = market;
  const step = one.number === 0 ? 0.9 : 0.05;
  const side = (sign) => {
    const levels = [];
    let at = price + sign * step * (0.4 + random() * 0.4);
    for (let i = 0; i < 20; i++) {
      levels.push([at.toFixed(places(one.tick)), (0.002 + random() ** 3 * 1.9).toFixed(places(one.lot))]);
      at += sign * step * (0.2 + random() * 1.4);
    }
    return levels;
  };
  const stopped = market.status === "live" ? null : { code: 21, name: "stale_data", meaning: "the market's data is stale or has a gap", remedy: "wait: orders resume by themselves when data does" };
  const out = { instrument: one.number, symbol: one.symbol, ...moment(Date.now()), status: market.status, status_reason: stopped, bids: side(-1), asks: side(1), trades: whole ? market.trades.slice(-30) : market.changed, bars: [barOut(one, market.bars.at(-1))] };
  if (!whole) market.changed = [];
  return out;
}
function trade(market) {
  market.price *= 1 + gauss() * 0.00006;
  const s = Math.floor(Date.now() / 60000) * 60;
  if (market.bars.at(-1).open_s < s) market.bars.push({ open_s: s, open: market.price, high: market.price, low: market.price, close: market.price, volume: 0 });
  const bar = market.bars.at(-1);
  const quantity = 0.0005 + random() ** 4 * 0.8;
  Object.assign(bar, { high: Math.max(bar.high, market.price), low: Math.min(bar.low, market.price), close: market.price, volume: bar.volume + quantity });
  const print = { ...moment(Date.now()), side: random() < 0.5 ? "buy" : "sell", price: market.price.toFixed(places(market.one.tick)), quantity: quantity.toFixed(places(market.one.lot)) };
  market.trades = [...market.trades, print].slice(-60);
  market.changed = [...market.changed, print].slice(-30);
}

// ── the account
let seq = 48211;
let boot = 1;
let killed = false;
let heard = true;
const bots = [
  { bot: 1, name: "quoter", strategy: "quoter", parameters: { spread_bps: "4", quantity: "0.002" }, isolated: false, state: "running", failure: "" },
  { bot: 2, name: "my_strategy", strategy: "my_strategy.py", parameters: {}, isolated: true, state: "running", failure: "" },
];
const cash = { USDT: 100000, BTC: 0, ETH: 0 };
const position = { quantity: 0, cost: 0, realized: 0, fills: 0 };
let orders = [];
let closed = [];
let fills = [];
let events = [];
const points = [];
const keys = new Map();
let orderNumber = 0;

const money = (x, p = 8) => x.toFixed(p).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
const equityNow = () => cash.USDT + cash.BTC * markets[0].price + cash.ETH * markets[1].price;
const REASONS = {
  killed: { code: 22, name: "killed", meaning: "the kill switch is on for the desk, the account or the bot", remedy: "resume it when you are ready" },
  stale_data: { code: 21, name: "stale_data", meaning: "the market's data is stale or has a gap", remedy: "wait: orders resume by themselves when data does" },
  insufficient_balance: { code: 31, name: "insufficient_balance", meaning: "the free balance does not cover the order", remedy: "send a smaller order or cancel one that holds funds" },
  user_canceled: { code: 60, name: "user_canceled", meaning: "canceled on request", remedy: "nothing to do" },
  kill_switch: { code: 61, name: "kill_switch", meaning: "canceled by the kill switch", remedy: "nothing to do" },
  bot_stopped: { code: 33, name: "bot_stopped", meaning: "the bot was stopped after an error or a timeout", remedy: "read the traceback in the log, mend the strategy, start it again" },
};

function event(kind, severity, text, more = {}, at = Date.now()) {
  seq += 1;
  const made = { id: `${seq}.0`, seq, number: 0, ...moment(at), kind, severity, text, bot: null, who: null, instrument: null, symbol: null, order: null, terms: null, fill: null, refusal: null, scope: null, note: null, ...more };
  events = [...events, made].slice(-2000);
  say({ type: "event", event: made });
  return made;
}
const about = (order) => ({ order: order.id, bot: order.bot, who: order.who, instrument: order.instrument, symbol: order.symbol });

function newOrder(who, bot, wanted, at = Date.now()) {
  orderNumber += 1;
  const one = instruments[wanted.instrument];
  const quantity = wanted.quantity ?? (Number(wanted.quote_quantity) / markets[wanted.instrument].price).toFixed(places(one.lot));
  const order = {
    id: `PAPER-0-${orderNumber}`, number: orderNumber, status: "accepted", bot, who, instrument: one.number, symbol: one.symbol, side: wanted.side,
    order_type: wanted.order_type, time_in_force: wanted.time_in_force ?? "gtc", post_only: Boolean(wanted.post_only), price: wanted.price ?? null, trigger_price: wanted.trigger_price ?? null,
    reduce_only: Boolean(wanted.reduce_only), expire_ns: wanted.expire_ns ?? null, quote_quantity: wanted.quote_quantity ?? null,
    quantity, filled: "0", average_price: null, quote_amount: "0", fee: "0", fee_asset: one.quote, fills: 0, reserved: wanted.price ? money(Number(wanted.price) * Number(wanted.quantity)) : "0",
    reserved_asset: wanted.side === "buy" ? one.quote : one.base, triggered: false, list: null, cancel_requested: false, refusal: null, seq, ...moment(at), arrive_ns: ns(at + 60), updated_seq: seq, updated_time: new Date(at).toISOString(), updated_ns: ns(at),
  };
  orders.push(order);
  const price = order.price ? ` at ${order.price}` : "";
  event("order_submitted", "info", `${order.id} of ${who}: ${order.side} ${order.quantity} ${order.symbol}, ${order.order_type.replaceAll("_", "-")}${price} (${order.time_in_force}), is on its way.`, { ...about(order), terms: { side: order.side, order_type: order.order_type, time_in_force: order.time_in_force, post_only: order.post_only, reduce_only: order.reduce_only, price: order.price, trigger_price: order.trigger_price, quantity: order.quantity, expire_ns: order.expire_ns } }, at);
  return order;
}
function finish(order, status, refusal = null) {
  Object.assign(order, { status, refusal, updated_ns: ns(Date.now()), updated_time: new Date().toISOString() });
  orders = orders.filter((one) => one !== order);
  closed = [order, ...closed].slice(0, 500);
}
function fill(order, price, at = Date.now(), liquidity = "maker") {
  const one = instruments[order.instrument];
  const quantity = Number(order.quantity);
  const sign = order.side === "buy" ? 1 : -1;
  const fee = price * quantity * 0.001;
  let realized = 0;
  cash.USDT -= sign * price * quantity + fee;
  cash[one.base] += sign * quantity;
  if (one.number === 0) {
    if (sign < 0 && position.quantity > 0) {
      const cost = (position.cost / position.quantity) * quantity;
      realized = price * quantity - fee - cost;
      position.cost -= cost;
      position.realized += realized;
    } else position.cost += price * quantity + fee;
    position.quantity += sign * quantity;
    position.fills += 1;
  }
  const text = price.toFixed(places(one.tick));
  Object.assign(order, { filled: order.quantity, fills: 1, average_price: text, quote_amount: money(price * quantity), fee: money(fee), reserved: "0" });
  finish(order, "filled");
  const number = (fills[0]?.fill ?? 0) + 1;
  const told = { fill: number, side: order.side, liquidity, price: text, quantity: order.quantity, quote_amount: money(price * quantity), quote_asset: one.quote, fee: money(fee), fee_asset: one.quote, realized_pnl: money(realized), rule: liquidity === "maker" ? "QUEUE" : "BOOK_WALK" };
  const { rule, ...figures } = told;
  const made = event("fill", "good", `${order.id} ${sign > 0 ? "bought" : "sold"} ${order.quantity} ${one.symbol} at ${text} as ${liquidity}, fee ${told.fee} ${one.quote}.`, { ...about(order), fill: told }, at);
  const sentence = liquidity === "maker" ? `1.204 traded at its price, more than the 0.873 ahead of it.` : `The book displayed 0.52 there.`;
  const receipt = { rule, sentence, evidence_price: text, shown: "1.204", fill_model: "expected", ahead_before: liquidity === "maker" ? "0.873" : null, ahead_after: liquidity === "maker" ? "0" : null, fee_rate: "0.001", fee_tier: null, latency_ms: 60, waited_ms: 4210.5 };
  fills = [{ ...figures, order: order.id, seq: made.seq, number: 0, ...moment(at), bot: order.bot, who: order.who, instrument: one.number, symbol: one.symbol, receipt }, ...fills].slice(0, 500);
}
function state() {
  const equity = equityNow();
  const reserved = orders.filter((one) => one.side === "buy" && one.price).reduce((sum, one) => sum + Number(one.price) * Number(one.quantity), 0);
  const held = orders.filter((one) => one.side === "sell" && one.instrument === 0).reduce((sum, one) => sum + Number(one.quantity), 0);
  const mark = markets[0].price;
  const limits = { max_order: null, max_position: null, max_exposure: "50000", max_daily_loss: null, max_drawdown: null, cooldown_s: 0 };
  const value = position.quantity * mark;
  const one = { instrument: 0, symbol: "BTCUSDT", base: "BTC", quote: "USDT", quantity: money(position.quantity), average_cost: position.quantity ? (position.cost / position.quantity).toFixed(2) : null, cost: money(position.cost), mark: mark.toFixed(2), value: money(value), unrealized_pnl: money(value - position.cost), realized_pnl: money(position.realized), fills: position.fills };
  return {
    paper: true, run: "0003-sim", account: 0, fill_model: "expected", epoch: 1, seq, marks_seq: seq, ...moment(Date.now()), reporting: "USDT", equity: money(equity), opening_equity: "100000", day_start_equity: "100000",
    peak_equity: money(Math.max(equity, 100021.4)), exposure: money(Math.abs(value)), realized_pnl: money(position.realized), unrealized_pnl: money(value - position.cost), killed, limits,
    balances: [
      { asset: "USDT", free: money(cash.USDT - reserved), reserved: money(reserved), total: money(cash.USDT), value: money(cash.USDT) },
      { asset: "BTC", free: money(cash.BTC - held), reserved: money(held), total: money(cash.BTC), value: money(cash.BTC * mark) },
      { asset: "ETH", free: money(cash.ETH), reserved: "0", total: money(cash.ETH), value: money(cash.ETH * markets[1].price) },
    ],
    positions: position.fills ? [one] : [], orders, orders_live: orders.length,
    bots: bots.map((bot) => ({ bot: bot.bot, name: bot.name, state: bot.state, failure: bot.failure, killed: bot.state === "paused", stopped: bot.state === "failed", open_orders: orders.filter((o) => o.bot === bot.bot).length, fills: fills.filter((f) => f.bot === bot.bot).length, positions: [], realized_pnl: bot.bot === 1 ? one.realized_pnl : "0", unrealized_pnl: bot.bot === 1 ? one.unrealized_pnl : "0", limits })),
  };
}
// With --band 1: the same bots under the other fill models, and a ghost.
const BAND = option("band", "") !== "";
const away = (account, s = Date.now() / 1000) => [0, 9 + 4 * Math.sin(s / 900), -14 - 5 * Math.cos(s / 700), 6 * Math.sin(s / 500) - 8][account];
const accounts = () => [["main", "account", "expected"], ["band", "optimistic", "optimistic"], ["band", "pessimistic", "pessimistic"], ["ghost", "GHOST", "expected"]]
  .slice(0, BAND ? 4 : 1).map(([role, label, fill_model], account) => ({ account, role, label, fill_model, equity: money(equityNow() + away(account)) }));
const engine = () => ({ heard, silence_s: heard ? 0.2 : 7.4, busy: 0.04 + random() * 0.03, commit_ms: 1.2 + random(), rss_mb: 212.4, market_inputs: seq * 3, outputs: seq, lag_inputs: Math.floor(random() * 40) });
const started = new Date(Date.now() - 3.6e6).toISOString();
const processes = () => ["door", "engine", "api"].map((name, at) => ({ name, pid: 4100 + at, state: name === "engine" && !heard ? "restarting" : "running", restarts: name === "api" ? boot - 1 : 0, started, rss_mb: [61.2, 212.4, 88.9][at], last_end: name === "api" && boot > 1 ? "ended by signal 15" : name === "engine" && !heard ? "ended by signal 9" : "" }));
const desk = () => ({
  paper: true, run: "0003-sim", label: LABEL, feed: "sim", notice: LABEL === "SIMULATED" ? "Binance Spot could not be reached from this machine (name not found), so this market is simulated with seed 7." : "",
  boot: String(boot), product: "0.1.0", created: started, seq, projected_seq: seq, engine: engine(), killed, account: 0, accounts: accounts(), latency: "50 ms", fees: "as each instrument says", reporting: "USDT",
  assets: [{ number: 0, name: "USDT", scale: 8 }, { number: 1, name: "BTC", scale: 8 }, { number: 2, name: "ETH", scale: 8 }], instruments, bots, processes: processes(),
  walls: [{ process: "engine", text: "network and other processes are closed by seccomp; files by Landlock" }, { process: "api", text: "no outgoing connections (seccomp), no writes (Landlock)" }],
});

// ── a past, so that there is something to see
function makePast() {
  const now = Date.now();
  for (const [at, bar] of markets[0].bars.entries()) {
    if (at > markets[0].bars.length - 150 && random() < 0.17) {
      const side = position.quantity > 0.02 || (position.quantity > 0 && random() < 0.5) ? "sell" : "buy";
      const price = (bar.high + bar.low) / 2;
      const when = Math.min(bar.open_s * 1000 + 30000, now - 1000);
      fill(newOrder("quoter", 1, { instrument: 0, side, order_type: "limit", quantity: "0.01", price: price.toFixed(2), time_in_force: "gtc", post_only: true }, when - 5000), price, when);
    }
    points.push({ s: bar.open_s, equity: cash.USDT + cash.BTC * bar.close });
  }
  event("order_denied", "warning", "PAPER-0-0 of my_strategy: buy 9 BTCUSDT, limit at 64000.00 (gtc), was denied: the free balance does not cover the order.", { bot: 2, who: "my_strategy", refusal: REASONS.insufficient_balance });
}
function quote() {
  const quoter = bots[0];
  for (const order of orders.filter((one) => one.bot === 1)) finish(order, "canceled", REASONS.user_canceled);
  if (quoter.state !== "running" || killed || markets[0].status !== "live") return;
  const { price } = markets[0];
  newOrder("quoter", 1, { instrument: 0, side: "buy", order_type: "limit", quantity: "0.01", price: (price - 9).toFixed(2), post_only: true });
  if (position.quantity >= 0.01) newOrder("quoter", 1, { instrument: 0, side: "sell", order_type: "limit", quantity: "0.01", price: (price + 9).toFixed(2), post_only: true });
}
function cross() {
  for (const order of [...orders]) {
    const { price } = markets[order.instrument];
    const limit = order.price ? Number(order.price) : null;
    if (order.order_type === "market") fill(order, price, Date.now(), "taker");
    else if (order.order_type === "limit" && (order.side === "buy" ? price <= limit : price >= limit)) fill(order, limit);
  }
}

// ── the stream
const sockets = new Set();
function say(message) {
  const text = JSON.stringify(message);
  for (const socket of sockets) socket.send(text);
}
const pulse = () => ({ type: "pulse", time: new Date().toISOString(), seq, projected_seq: seq, engine_time: new Date().toISOString(), engine_ts_ns: ns(Date.now()), equity: money(equityNow()), accounts: accounts(), killed, engine: engine(), marks: markets.map(({ one, price }) => ({ instrument: one.number, mark: price.toFixed(2) })), bots, feed: LABEL.startsWith("LIVE") ? { connected: true, wall: "only the venue's public addresses", trouble: "", calls: [["data-stream.binance.vision", "/stream", "allowed", 1]], messages: seq * 3, refused: 0, missed: 2 } : {}, processes: processes(), stream_clients: sockets.size });

// ── requests
function refused(refusal, order) {
  return [422, { code: "refused", repeated: false, seq, text: `It was refused: ${refusal.meaning}.`, order: order ?? null, status: order ? "denied" : null, refusal, events: [] }];
}
const done = (text, more = {}) => [200, { code: "done", repeated: false, seq, text, order: null, status: null, refusal: null, events: [], ...more }];
function command(method, path, body) {
  if (method === "POST" && path === "/orders") {
    if (killed) return refused(REASONS.killed);
    if (markets[body.instrument].status !== "live") return refused(REASONS.stale_data);
    if (body.side === "buy" && Number(body.quantity) * markets[body.instrument].price > cash.USDT) return refused(REASONS.insufficient_balance);
    const order = newOrder("the account's owner", 0, body);
    return done(`${order.id} is on its way.`, { order: order.id, status: "submitted" });
  }
  if (method === "DELETE") {
    const order = orders.find((one) => path.endsWith(`/${one.id}`));
    if (!order) return [404, { error: "not_found", message: "There is no such live order.", remedy: "Check the order id.", field: null, refusal: null, id: null }];
    finish(order, "canceled", REASONS.user_canceled);
    event("order_canceled", "info", `${order.id} was canceled: canceled on request.`, { ...about(order), refusal: REASONS.user_canceled });
    return done("The cancel is on its way.", { order: order.id });
  }
  if (path === "/orders/cancel-all" || path === "/kill") {
    const why = path === "/kill" ? REASONS.kill_switch : REASONS.user_canceled;
    if (path === "/kill") {
      killed = true;
      event("killed", "warning", "The kill switch of the desk is on.", { scope: "desk" });
    }
    for (const order of [...orders]) {
      finish(order, "canceled", why);
      event("order_canceled", "info", `${order.id} was canceled: ${why.meaning}.`, { ...about(order), refusal: why });
    }
    return done("Done.");
  }
  if (path === "/resume") {
    killed = false;
    event("resumed", "info", "The kill switch of the desk is off.", { scope: "desk" });
    return done("The desk takes orders again.");
  }
  const [, number, what] = /^\/bots\/(\d+)\/(stop|start)$/.exec(path) ?? [];
  const bot = bots.find((one) => one.bot === Number(number));
  if (!bot) return [404, { error: "not_found", message: `There is no ${path}.`, remedy: "docs/api.md lists what there is.", field: null, refusal: null, id: null }];
  Object.assign(bot, { state: what === "stop" ? "paused" : "running", failure: "" });
  event(what === "stop" ? "killed" : "resumed", what === "stop" ? "warning" : "info", `The kill switch of ${bot.name} is ${what === "stop" ? "on" : "off"}.`, { bot: bot.bot, who: bot.name, scope: "bot" });
  return done("Done.");
}
function answer(path, query) {
  const limit = Number(query.get("limit") ?? 100);
  if (path === "/desk") return desk();
  if (path === "/state") return state();
  if (path === "/fills") return { fills: fills.slice(0, limit), before: null };
  if (path === "/events") return { events: events.slice(-limit), lost: false, after: events.at(-1)?.id ?? "0.0" };
  if (path === "/equity") return { reporting: "USDT", points: points.slice(-limit).map(({ s, equity }) => ({ seq: 1, ...moment(s * 1000), equity: money(equity + away(Number(query.get("account") ?? 0), s)), exposure: "0", peak: "0", opening: "100000", day_start: "100000" })) };
  if (path === "/bars") return { instrument: Number(query.get("instrument")), symbol: "", interval_s: 60, bars: markets[Number(query.get("instrument"))].bars.slice(-limit).map((bar) => barOut(markets[Number(query.get("instrument"))].one, bar)) };
  if (path === "/book") return bookOf(markets[Number(query.get("instrument"))], true);
  if (path === "/orders") return { orders: (query.get("status") === "live" ? orders : closed).slice(0, limit), before: null };
  const order = [...orders, ...closed].find((one) => path === `/orders/${one.id}`);
  if (!order) return null;
  const own = fills.filter((one) => one.order === order.id);
  return { order, fills: own, story: [`${order.id} of run 0003-sim: at ${order.time.replace("T", " ").replace("Z", " UTC")} ${order.who} asked to ${order.side} ${order.quantity} ${order.symbol} with a ${order.order_type} order, in answer to input ${order.seq}.`, "It was due at the venue 60 ms later, to meet the market as it stood then.", ...own.map((one) => `At ${one.time} ${one.quantity} was filled at ${one.price} as ${one.liquidity}, because ${one.receipt.sentence} The fee was ${one.fee} ${one.fee_asset} (0.1 %).`), order.status === "filled" ? "With that it was filled whole." : `It is ${order.status}.`] };
}
const plays = {
  stale: () => Object.assign(markets[0], { status: "stale" }) && event("market", "warning", "Market data of BTCUSDT: stale.", { instrument: 0, symbol: "BTCUSDT", refusal: REASONS.stale_data }),
  live: () => Object.assign(markets[0], { status: "live" }) && event("market", "good", "Market data of BTCUSDT: live.", { instrument: 0, symbol: "BTCUSDT" }),
  silent: () => (heard = false),
  heard: () => (heard = true),
  restart: () => ((boot += 1), sockets.forEach((socket) => socket.close(1012, ""))),
  fail: () => Object.assign(bots[1], { state: "failed", failure: 'Traceback (most recent call last):\n  File "my_strategy.py", line 12, in decide\n    size = cash / 0\nZeroDivisionError: division by zero' }) && event("bot_stopped", "error", "my_strategy was stopped: ZeroDivisionError: division by zero", { bot: 2, who: "my_strategy", refusal: REASONS.bot_stopped }),
  reset: () => say({ type: "reset", text: "What came after the place asked for is no longer kept.", run: "0003-sim", after: events.at(-1)?.id ?? "0.0" }),
};

const send = (response, status, body) => response.writeHead(status, { "Content-Type": "application/json", "X-Paper-Trading": "true" }).end(JSON.stringify(body));
const server = createServer(async (request, response) => {
  const url = new URL(request.url, `http://localhost:${PORT}`);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  if (url.pathname.startsWith("/fake/")) return plays[url.pathname.slice(6)]?.(), send(response, 200, {});
  if (url.pathname.startsWith("/api/v1/")) {
    const path = decodeURIComponent(url.pathname.slice(7));
    if (request.method === "GET") {
      const told = answer(path, url.searchParams);
      return told === null ? send(response, 404, { error: "not_found", message: `There is no ${path}.`, remedy: "docs/api.md lists what there is.", field: null, refusal: null, id: null }) : send(response, 200, told);
    }
    const key = request.headers["idempotency-key"];
    if (!key) return send(response, 400, { error: "bad_request", message: "The header Idempotency-Key is missing.", remedy: "Send one.", field: null, refusal: null, id: null });
    if (!keys.has(key)) keys.set(key, command(request.method, path, chunks.length ? JSON.parse(Buffer.concat(chunks).toString() || "{}") : {}));
    const [status, body] = keys.get(key);
    return send(response, status, body);
  }
  const name = url.pathname === "/" ? "index.html" : normalize(url.pathname).replace(/^[/.]+/, "");
  const content = await readFile(join(STATIC, name)).catch(() => null);
  if (content === null) return response.writeHead(404).end("not found");
  response.writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream", "Content-Security-Policy": "default-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" }).end(content);
});
new WebSocketServer({ server, path: "/api/v1/stream" }).on("connection", (socket, request) => {
  const after = new URL(request.url, "http://localhost").searchParams.get("after");
  socket.send(JSON.stringify({ type: "hello", desk: desk() }));
  if (after) for (const one of events.filter((known) => known.seq > Number(after.split(".")[0]))) socket.send(JSON.stringify({ type: "event", event: one }));
  socket.send(JSON.stringify({ type: "market", markets: markets.map((market) => bookOf(market, true)) }));
  socket.send(JSON.stringify(pulse()));
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
});

makePast();
setInterval(() => markets.forEach((market) => market.status === "live" && random() < 0.7 && trade(market)), 160);
setInterval(() => say({ type: "market", markets: markets.map((market) => bookOf(market)) }), 200);
setInterval(cross, 250);
setInterval(quote, 6000);
setInterval(() => say({ type: "state", state: state() }), 500);
setInterval(() => say(pulse()), 1000);
server.listen(PORT, "127.0.0.1", () => console.log(`a desk that is not there: http://127.0.0.1:${PORT}`));
