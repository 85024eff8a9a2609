// Positions, open orders, fills with their receipts, and past orders.
import { Fragment, memo, useCallback, useEffect, useState } from "react";
import { read } from "../command";
import { trimmed } from "../decimal";
import { API, loadFills, useView } from "../desk";
import { amount, sender, short, words } from "../format";
import type { FillRow } from "../model";
import type { Order, Orders, Position, Receipt } from "../wire";
import { Change, Panel, SideWord, Tabs, When } from "./bits";
import { useCommand } from "./useCommand";

type Tab = "positions" | "open" | "fills" | "past";

export function TablesPanel({ onStory }: { onStory: (order: string) => void }) {
  const [tab, setTab] = useState<Tab>("positions");
  const positions = useView((view) => view.state?.positions.length ?? 0);
  const live = useView((view) => view.state?.orders_live ?? 0);
  const fills = useView((view) => view.fills.length);
  const tabs = [
    { key: "positions", text: `Positions ${positions}` },
    { key: "open", text: `Open orders ${live}` },
    { key: "fills", text: `Fills ${fills === 500 ? "500+" : fills}` },
    { key: "past", text: "Past orders" },
  ] as const;
  return (
    <Panel name="tables" title="Positions, orders, fills" aside={<Tabs<Tab> label="tables" tabs={tabs} chosen={tab} onChoose={setTab} />}>
      <div className="scroll" role="tabpanel" tabIndex={0} aria-labelledby={`tab-tables-${tab}`}>
        {tab === "positions" && <Positions />}
        {tab === "open" && <OpenOrders onStory={onStory} />}
        {tab === "fills" && <FillsTable onStory={onStory} />}
        {tab === "past" && <PastOrders onStory={onStory} />}
      </div>
    </Panel>
  );
}

function Positions() {
  const positions = useView((view) => view.state?.positions);
  if (!positions || positions.length === 0) return <p className="empty">No positions yet: they appear with the first fill.</p>;
  return (
    <table className="wide-table">
      <thead><tr>{["Instrument", "Quantity", "Average cost", "Mark", "Value", "Unrealized", "Realized", "Fills"].map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
      <tbody>{positions.map((one) => <PositionRow key={one.instrument} one={one} />)}</tbody>
    </table>
  );
}

const PositionRow = memo(function PositionRow({ one }: { one: Position }) {
  return (
    <tr>
      <th scope="row">{one.symbol}</th>
      <td>{amount(one.quantity)} <span className="dim">{one.base}</span></td>
      <td>{amount(one.average_cost)}</td>
      <td title={one.mark ?? "no fresh price"}>{amount(one.mark)}</td>
      <td title={one.value ?? undefined}>{short(one.value)}</td>
      <td><Change value={one.unrealized_pnl} unit={one.quote} /></td>
      <td><Change value={one.realized_pnl} unit={one.quote} /></td>
      <td>{amount(String(one.fills), 0)}</td>
    </tr>
  );
});

function OpenOrders({ onStory }: { onStory: (order: string) => void }) {
  const orders = useView((view) => view.state?.orders);
  const live = useView((view) => view.state?.orders_live ?? 0);
  const { run, busy, said } = useCommand();
  if (!orders || orders.length === 0) return <p className="empty">No open orders.</p>;
  return (
    <>
      {said}
      <div className="row tools">
        <span className="dim">{live > orders.length ? `the oldest ${orders.length} of ${live}` : "oldest first"}</span>
        <button type="button" className="small" disabled={busy} onClick={() => void run({ method: "POST", path: "/orders/cancel-all", body: {} })}>Cancel all {live}</button>
      </div>
      <OrderTable orders={orders} onStory={onStory} cancelable />
    </>
  );
}

function PastOrders({ onStory }: { onStory: (order: string) => void }) {
  const [orders, setOrders] = useState<Order[]>([]);
  const [before, setBefore] = useState<number | null>(null);
  const [trouble, setTrouble] = useState("");
  const load = useCallback(async (from: number | null) => {
    try {
      const page = await read<Orders>(`${API}/orders?status=closed&limit=50${from === null ? "" : `&before=${from}`}`);
      setOrders((known) => (from === null ? page.orders : [...known, ...page.orders].slice(0, 500)));
      setBefore(page.before);
      setTrouble("");
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    }
  }, []);
  useEffect(() => void load(null), [load]);
  return (
    <>
      <div className="row tools">
        <span className="dim">newest first, as of when this was opened</span>
        <button type="button" className="small" onClick={() => void load(null)}>Read again</button>
      </div>
      {trouble && <p className="refusal" role="alert">{trouble}</p>}
      {orders.length === 0 && !trouble ? <p className="empty">No past orders.</p> : <OrderTable orders={orders} onStory={onStory} />}
      {before !== null && orders.length < 500 && <p className="row"><button type="button" className="small" onClick={() => void load(before)}>Older ones</button></p>}
    </>
  );
}

function OrderTable({ orders, onStory, cancelable = false }: { orders: readonly Order[]; onStory: (order: string) => void; cancelable?: boolean }) {
  return (
    <table className="wide-table">
      <thead><tr>{["Order", "Time", "Side", "Type", "Quantity", "Price", "Status", "Filled", "By"].map((name) => <th key={name} scope="col">{name}</th>)}{cancelable && <th scope="col"><span className="sr">Cancel</span></th>}</tr></thead>
      <tbody>{orders.map((order) => <OrderRow key={order.id} order={order} onStory={onStory} cancelable={cancelable} />)}</tbody>
    </table>
  );
}

const OrderRow = memo(function OrderRow({ order, onStory, cancelable }: { order: Order; onStory: (order: string) => void; cancelable: boolean }) {
  const price = [order.price && amount(order.price), order.trigger_price && `trigger ${amount(order.trigger_price)}`].filter(Boolean).join(", ");
  const why = order.refusal ? `${order.refusal.meaning}; ${order.refusal.remedy}` : undefined;
  return (
    <tr>
      <th scope="row"><button type="button" className="link" onClick={() => onStory(order.id)} title={`The life of ${order.id} in sentences`}>{order.id}</button></th>
      <td><When ns={order.ts_ns} /></td>
      <td><SideWord side={order.side} /></td>
      <td>{words(order.order_type)} <span className="dim">{order.time_in_force.toUpperCase()}{order.expire_ns ? <> till <When ns={order.expire_ns} full /></> : null}{order.post_only ? " post-only" : ""}{order.reduce_only ? " reduce-only" : ""}{order.trail ? ` trailing ${trimmed({ units: BigInt(order.trail.bips), scale: 2 })} %` : ""}{order.visible_quantity ? ` showing ${amount(order.visible_quantity)}` : ""}</span></td>
      <td>{order.quote_quantity ? `for ${amount(order.quote_quantity)} ${order.side === "buy" ? order.reserved_asset : order.fee_asset} of` : amount(order.quantity)} <span className="dim">{order.symbol}</span></td>
      <td>{price || "market"}</td>
      <td title={why}>{order.list?.pending ? `waits for ${order.list.id}` : words(order.status)}{order.list && !order.list.pending ? <span className="dim">, {order.list.kind.toUpperCase()} {order.list.id}</span> : null}{order.cancel_requested && cancelable ? <span className="dim">, cancel on its way</span> : null}{order.refusal && !cancelable ? <span className="dim">: {words(order.refusal.name)}</span> : null}</td>
      <td>{amount(order.filled)}{order.average_price && <span className="dim"> at {short(order.average_price)}</span>}</td>
      <td>{sender(order.bot, order.who)}</td>
      {cancelable && <td><Cancel order={order} /></td>}
    </tr>
  );
});

function Cancel({ order }: { order: Order }) {
  const { run, busy, refusal } = useCommand();
  const waiting = busy || order.cancel_requested;
  return (
    <button type="button" className="small" disabled={waiting} title={refusal ? `${refusal.detail} ${refusal.remedy}` : undefined}
      aria-label={`Cancel ${order.id}`} onClick={() => void run({ method: "DELETE", path: `/orders/${encodeURIComponent(order.id)}` })}>
      {refusal ? `✕ ${refusal.title}` : waiting ? "…" : "Cancel"}
    </button>
  );
}

function FillsTable({ onStory }: { onStory: (order: string) => void }) {
  const fills = useView((view) => view.fills);
  const [open, setOpen] = useState<number | null>(null);
  const toggle = useCallback((fill: number) => setOpen((known) => (known === fill ? null : fill)), []);
  if (fills.length === 0) return <p className="empty">No fills yet.</p>;
  return (
    <table className="wide-table fills">
      <thead><tr>{["", "Time", "Side", "Quantity", "Price", "Fee", "Realized", "Liquidity", "Order", "By"].map((name) => <th key={name} scope="col">{name || <span className="sr">Receipt</span>}</th>)}</tr></thead>
      <tbody>{fills.slice(0, 200).map((fill) => <FillLine key={fill.fill} fill={fill} open={open === fill.fill} onToggle={toggle} onStory={onStory} />)}</tbody>
    </table>
  );
}

const FillLine = memo(function FillLine({ fill, open, onToggle, onStory }: { fill: FillRow; open: boolean; onToggle: (fill: number) => void; onStory: (order: string) => void }) {
  return (
    <Fragment>
      <tr className={open ? "opened" : undefined}>
        <td><button type="button" className="quiet fold" aria-expanded={open} aria-label={`Receipt of fill ${fill.fill}`} onClick={() => onToggle(fill.fill)}>{open ? "▾" : "▸"}</button></td>
        <td><When ns={fill.ts_ns} /></td>
        <td><SideWord side={fill.side} /></td>
        <td>{amount(fill.quantity)} <span className="dim">{fill.symbol}</span></td>
        <td>{amount(fill.price)}</td>
        <td>{amount(fill.fee)} <span className="dim">{fill.fee_asset}</span></td>
        <td><Change value={fill.realized_pnl} unit={fill.quote_asset} /></td>
        <td>{fill.liquidity}</td>
        <td><button type="button" className="link" onClick={() => onStory(fill.order)}>{fill.order}</button></td>
        <td>{sender(fill.bot, fill.who)}</td>
      </tr>
      {open && <tr className="receipt"><td colSpan={10}><ReceiptBox fill={fill} onStory={onStory} /></td></tr>}
    </Fragment>
  );
});

function ReceiptBox({ fill, onStory }: { fill: FillRow; onStory: (order: string) => void }) {
  const [trouble, setTrouble] = useState("");
  const missing = fill.receipt === null;
  useEffect(() => {
    if (!missing) return;
    // The database may be a moment behind the stream: asked for a few times.
    let tries = 0;
    const timer = window.setInterval(() => {
      tries += 1;
      if (tries > 10) return window.clearInterval(timer);
      loadFills(200).catch((error: unknown) => setTrouble(String(error)));
    }, 400);
    return () => window.clearInterval(timer);
  }, [missing]);
  if (fill.receipt === null) return <p className="dim">{trouble || "The receipt is being read …"}</p>;
  return <ReceiptLines receipt={fill.receipt} fill={fill} onStory={onStory} />;
}

function ReceiptLines({ receipt, fill, onStory }: { receipt: Receipt; fill: FillRow; onStory: (order: string) => void }) {
  const lines: [string, string][] = [
    ["Rule", words(receipt.rule)],
    ["Evidence price", amount(receipt.evidence_price)],
    ["Shown", amount(receipt.shown)],
    ["Fill model", receipt.fill_model],
    ["Ahead before", amount(receipt.ahead_before)],
    ["Ahead after", amount(receipt.ahead_after)],
    ["Fee rate", receipt.fee_rate],
    ["Fee tier", receipt.fee_tier === null ? "the instrument's own" : String(receipt.fee_tier)],
    ["Latency", `${receipt.latency_ms} ms`],
    ["After submission", `${receipt.waited_ms} ms`],
    ["Value", `${amount(fill.quote_amount)} ${fill.quote_asset}`],
    ["Input", String(fill.seq)],
  ];
  return (
    <div className="receipt-box">
      <p>{receipt.sentence}</p>
      <dl className="figures many">{lines.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      <button type="button" className="link" onClick={() => onStory(fill.order)}>The life of {fill.order} in sentences</button>
    </div>
  );
}

