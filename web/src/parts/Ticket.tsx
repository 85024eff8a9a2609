// The order ticket: a draft, checked on the instrument's grid while it is written; a confirmation that says all of it in words; then the command.
import { useEffect, useId, useMemo, useState } from "react";
import { useView } from "../desk";
import { amount, sentence as says, short, words } from "../format";
import { instrumentOf, killed, marketOf, trust } from "../model";
import type { Draft, Field, OrderType, Side } from "../ticket";
import { EMPTY, estimate, faults, hasPrice, hasTrigger, retyped, sentence, settled, timesInForce } from "../ticket";
import type { CommandAnswer, NewOrder } from "../wire";
import { SameOrders } from "./Beside";
import { Modal, Panel } from "./bits";
import { useCommand } from "./useCommand";

const TYPES: { key: OrderType; text: string }[] = [
  { key: "limit", text: "Limit" },
  { key: "market", text: "Market" },
  { key: "stop_market", text: "Stop market" },
  { key: "stop_limit", text: "Stop limit" },
];
const NO_LEVELS: readonly (readonly [string, string])[] = [];

export function TicketPanel({ picked, onStory }: { picked: { price: string; at: number } | null; onStory: (order: string) => void }) {
  const instrument = useView(instrumentOf);
  const fit = useView(trust);
  const dead = useView(killed);
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [asked, setAsked] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const [answer, setAnswer] = useState<CommandAnswer | null>(null);
  const commanding = useCommand();
  const change = (part: Partial<Draft>) => {
    setDraft((known) => settled({ ...known, ...part }));
    setAnswer(null);
    commanding.clear();
  };
  useEffect(() => {
    if (picked === null) return;
    setDraft((known) => settled(hasPrice(known.type) ? { ...known, price: picked.price } : hasTrigger(known.type) ? { ...known, trigger: picked.price } : { ...retyped(known, "limit"), price: picked.price }));
  }, [picked]);
  useEffect(() => setDraft((known) => ({ ...known, quantity: "", price: "", trigger: "" })), [instrument?.number]);
  if (instrument === null) return <Panel name="ticket" title="Order ticket"><p className="empty">No instrument yet.</p></Panel>;
  const wrong = faults(draft, instrument);
  const review = () => {
    setAsked(true);
    if (Object.keys(wrong).length === 0) setConfirming(true);
  };
  const send = async () => {
    const body: NewOrder = {
      instrument: instrument.number, side: draft.side, order_type: draft.type, quantity: draft.quantity.trim(),
      price: hasPrice(draft.type) ? draft.price.trim() : null, trigger_price: hasTrigger(draft.type) ? draft.trigger.trim() : null,
      time_in_force: draft.timeInForce, post_only: draft.postOnly, reduce_only: false, quote_quantity: null, expire_ns: null, self_trade: null,
    }; // prettier-ignore
    const done = await commanding.run({ method: "POST", path: "/orders", body });
    if (done === null) return;
    setConfirming(false);
    setAnswer(done);
    setAsked(false);
  };
  const shown = asked ? wrong : onlyWritten(wrong, draft);
  return (
    <Panel name="ticket" title="Order ticket" aside={<span className="aside">{instrument.symbol} · paper</span>}>
      <form onSubmit={(event) => { event.preventDefault(); review(); }} noValidate>
        <Sides side={draft.side} onChange={(side) => change({ side })} />
        <div className="two">
          <label>Type
            <select value={draft.type} onChange={(event) => change(retyped(draft, event.target.value as OrderType))}>{TYPES.map(({ key, text }) => <option key={key} value={key}>{text}</option>)}</select>
          </label>
          <label>Time in force
            <select value={draft.timeInForce} onChange={(event) => change({ timeInForce: event.target.value as Draft["timeInForce"] })}>{timesInForce(draft.type).map((tif) => <option key={tif} value={tif}>{tif.toUpperCase()}</option>)}</select>
          </label>
        </div>
        <Entry field="quantity" label={`Quantity, ${instrument.base}`} hint={`steps of ${instrument.lot}`} value={draft.quantity} fault={shown.quantity} onChange={(quantity) => change({ quantity })} />
        {hasTrigger(draft.type) && <Entry field="trigger" label={`Trigger price, ${instrument.quote}`} hint={`steps of ${instrument.tick}`} value={draft.trigger} fault={shown.trigger} onChange={(trigger) => change({ trigger })} />}
        {hasPrice(draft.type) && <Entry field="price" label={`Limit price, ${instrument.quote}`} hint={`steps of ${instrument.tick}`} value={draft.price} fault={shown.price} onChange={(price) => change({ price })} />}
        {draft.type === "limit" && <label className="check"><input type="checkbox" checked={draft.postOnly} disabled={draft.timeInForce !== "gtc"} onChange={(event) => change({ postOnly: event.target.checked })} /> Post-only: never take from the book</label>}
        <EstimateLine draft={draft} />
        {!fit.ok && <p className="refusal"><strong>{fit.title}.</strong> {fit.text}</p>}
        {dead && <p className="refusal"><strong>The desk is killed.</strong> It denies every order until it is resumed.</p>}
        <SameOrders />
        <button type="submit" className={`send ${draft.side}`}>Review {draft.side} order</button>
      </form>
      {answer && <Answered answer={answer} onStory={onStory} />}
      <Modal open={confirming} title="Send this paper order?" onClose={() => { setConfirming(false); commanding.clear(); }}>
        <p className="confirm-sentence">{sentence(draft, instrument)}</p>
        <EstimateLine draft={draft} />
        <SameOrders />
        {!fit.ok && <p className="refusal"><strong>{fit.title}.</strong> {fit.text}</p>}
        {commanding.said}
        {commanding.busy && commanding.tries > 0 && <p role="status" className="hint">No answer yet; asking again with the same key (try {commanding.tries + 1}) …</p>}
        <div className="row end">
          <button type="button" onClick={() => setConfirming(false)}>Back</button>
          <button type="button" className={`send ${draft.side}`} disabled={commanding.busy} onClick={() => void send()} data-first>
            {commanding.busy ? "Sending …" : commanding.refusal?.again ? "Send again, same key" : `${draft.side === "buy" ? "Buy" : "Sell"}, paper`}
          </button>
        </div>
      </Modal>
    </Panel>
  );
}

/** While a draft is being written, empty fields are not called wrong. */
function onlyWritten(wrong: Partial<Record<Field, string>>, draft: Draft): Partial<Record<Field, string>> {
  return Object.fromEntries(Object.entries(wrong).filter(([field]) => draft[field as Field].trim() !== ""));
}

function Sides({ side, onChange }: { side: Side; onChange: (side: Side) => void }) {
  return (
    <fieldset className="sides-choice">
      <legend className="sr">Side</legend>
      {(["buy", "sell"] as const).map((one) => (
        <label key={one} className={`${one}${side === one ? " chosen" : ""}`}>
          <input type="radio" name="side" value={one} checked={side === one} onChange={() => onChange(one)} />{one === "buy" ? "▲ Buy" : "▼ Sell"}
        </label>
      ))}
    </fieldset>
  );
}

function Entry({ field, label, hint, value, fault, onChange }: { field: Field; label: string; hint: string; value: string; fault: string | undefined; onChange: (value: string) => void }) {
  const id = useId();
  return (
    <div className="entry">
      <label htmlFor={id}>{label} <span className="dim">{hint}</span></label>
      <input id={id} name={field} value={value} inputMode="decimal" autoComplete="off" spellCheck={false} aria-invalid={fault !== undefined} aria-describedby={`${id}-fault`} onChange={(event) => onChange(event.target.value)} />
      <p id={`${id}-fault`} className="fault" aria-live="polite">{fault ?? ""}</p>
    </div>
  );
}

function EstimateLine({ draft }: { draft: Draft }) {
  const instrument = useView(instrumentOf);
  const book = useView((view) => marketOf(view, view.instrument).book);
  const free = useView((view) => view.state?.balances);
  const levels = (draft.side === "buy" ? book?.asks : book?.bids) ?? NO_LEVELS;
  const told = useMemo(() => instrument && estimate(draft, instrument, levels.map(([price, quantity]) => ({ price, quantity }))), [draft, instrument, levels]);
  if (!instrument) return null;
  const asset = draft.side === "buy" ? instrument.quote : instrument.base;
  const balance = free?.find((one) => one.asset === asset)?.free ?? null;
  return (
    <dl className="estimate">
      <div><dt>Free</dt><dd title={balance ?? undefined}>{amount(balance)} {asset}</dd></div>
      <div><dt>Comes to about</dt><dd title={told?.notional}>{told ? `${short(told.notional)} ${instrument.quote}` : "–"}</dd></div>
      <div><dt>Fee about</dt><dd title={told?.fee}>{told ? `${amount(told.fee)} ${told.feeAsset}` : "–"}</dd></div>
      {told && <p className="hint">{says(told.basis).slice(0, -1)}{told.short ? "; the visible book holds less than this order wants" : ""}. The desk decides exactly.</p>}
    </dl>
  );
}

function Answered({ answer, onStory }: { answer: CommandAnswer; onStory: (order: string) => void }) {
  return (
    <div className={answer.refusal ? "refusal" : "done"} role="status">
      <strong>{answer.order ?? "Done"}{answer.status ? `: ${words(answer.status)}` : ""}</strong>{answer.repeated ? " (answered before)" : ""}
      <p>{answer.text}</p>
      {answer.refusal && <p><b>What to do:</b> {says(answer.refusal.remedy)}</p>}
      {answer.order && <button type="button" className="link" onClick={() => onStory(answer.order as string)}>Its life in sentences</button>}
    </div>
  );
}
