// The order ticket: a draft, checked on the instrument's grid while it is written; a confirmation that says all of it in words; then the command.
import { useEffect, useState } from "react";
import { useView } from "../desk";
import { sentence as says, words } from "../format";
import { engineMs, instrumentOf, killed, trust } from "../model";
import type { Draft, Faults, Field, OrderType, Side, TimeInForce } from "../ticket";
import { EMPTY, faults, hasPrice, hasTrigger, orderOf, retimed, retyped, settled, timesInForce, trails } from "../ticket";
import { sentence } from "../ticketWords";
import type { CommandAnswer } from "../wire";
import { SameOrders } from "./Beside";
import { Entry, Modal, Panel } from "./bits";
import { EstimateLine } from "./Estimate";
import { Deadline, MoreTerms } from "./TicketTerms";
import { useCommand } from "./useCommand";

const TYPES: { key: OrderType; text: string }[] = [
  { key: "limit", text: "Limit" },
  { key: "market", text: "Market" },
  { key: "stop_market", text: "Stop market" },
  { key: "stop_limit", text: "Stop limit" },
  { key: "take_profit_market", text: "Take-profit market" },
  { key: "take_profit_limit", text: "Take-profit limit" },
];

export function TicketPanel({ picked, onStory }: { picked: { price: string; at: number } | null; onStory: (order: string) => void }) {
  const instrument = useView(instrumentOf);
  const fit = useView(trust);
  const dead = useView(killed);
  const now = useView(engineMs);
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [asked, setAsked] = useState(false);
  const [more, setMore] = useState(false);
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
  useEffect(() => setDraft((known) => ({ ...known, quantity: "", budget: "", price: "", trigger: "", visible: "" })), [instrument?.number]);
  if (instrument === null) return <Panel name="ticket" title="Order ticket"><p className="empty">No instrument yet.</p></Panel>;
  const wrong = faults(draft, instrument, now);
  const review = () => {
    setAsked(true);
    if (wrong.trail ?? wrong.visible) setMore(true);
    if (Object.keys(wrong).length === 0) setConfirming(true);
  };
  const send = async () => {
    const done = await commanding.run({ method: "POST", path: "/orders", body: orderOf(draft, instrument.number) });
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
            <select value={draft.timeInForce} onChange={(event) => change(retimed(draft, event.target.value as TimeInForce, now))}>{timesInForce(draft.type).map((tif) => <option key={tif} value={tif}>{tif.toUpperCase()}</option>)}</select>
          </label>
        </div>
        {draft.timeInForce === "gtd" && <Deadline draft={draft} fault={shown.deadline} change={change} />}
        {draft.sizing === "budget" ? (
          <Entry field="budget" label={`${draft.side === "buy" ? "Spend" : "Receive"}, ${instrument.quote}`} hint="at most" value={draft.budget} fault={shown.budget} onChange={(budget) => change({ budget })} />
        ) : (
          <Entry field="quantity" label={`Quantity, ${instrument.base}`} hint={`steps of ${instrument.lot}`} value={draft.quantity} fault={shown.quantity} onChange={(quantity) => change({ quantity })} />
        )}
        {hasTrigger(draft.type) && <Entry field="trigger" label={`${trails(draft) ? "Activation" : "Trigger"} price, ${instrument.quote}`} hint={trails(draft) ? "may be left out" : `steps of ${instrument.tick}`} value={draft.trigger} fault={shown.trigger} onChange={(trigger) => change({ trigger })} />}
        {hasPrice(draft.type) && <Entry field="price" label={`Limit price, ${instrument.quote}`} hint={`steps of ${instrument.tick}`} value={draft.price} fault={shown.price} onChange={(price) => change({ price })} />}
        <MoreTerms draft={draft} grid={instrument} faults={shown} open={more} onOpen={setMore} change={change} />
        <EstimateLine draft={draft} />
        {!fit.ok && <p className="refusal"><strong>{fit.title}.</strong> {fit.text}</p>}
        {dead && <p className="refusal"><strong>The desk is killed.</strong> It denies every order until it is resumed.</p>}
        <SameOrders />
        <button type="submit" className={`send ${draft.side}`}>Review {draft.side} order</button>
      </form>
      {answer && <Answered answer={answer} onStory={onStory} />}
      <Modal open={confirming} title="Send this paper order?" onClose={() => { setConfirming(false); commanding.clear(); }}>
        <p className="confirm-sentence">{sentence(draft, instrument)}</p>
        {Object.values(wrong).map((text) => <p key={text} className="refusal" role="alert">{text}</p>)}
        <EstimateLine draft={draft} />
        <SameOrders />
        {!fit.ok && <p className="refusal"><strong>{fit.title}.</strong> {fit.text}</p>}
        {commanding.said}
        {commanding.busy && commanding.tries > 0 && <p role="status" className="hint">No answer yet; asking again with the same key (try {commanding.tries + 1}) …</p>}
        <div className="row end">
          <button type="button" onClick={() => setConfirming(false)}>Back</button>
          <button type="button" className={`send ${draft.side}`} disabled={commanding.busy || Object.keys(wrong).length > 0} onClick={() => void send()} data-first>
            {commanding.busy ? "Sending …" : commanding.refusal?.again ? "Send again, same key" : `${draft.side === "buy" ? "Buy" : "Sell"}, paper`}
          </button>
        </div>
      </Modal>
    </Panel>
  );
}

/** While a draft is being written, empty fields are not called wrong. */
function onlyWritten(wrong: Faults, draft: Draft): Faults {
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
