// The ticket's rarer terms: a deadline where the time in force has one, and a closed part that tells what in it is set.
import { utcMinute } from "../format";
import type { Draft, Faults, Grid } from "../ticket";
import { deadlineMs, hasTrigger, mayHide, stays } from "../ticket";
import { rarer } from "../ticketWords";
import { Entry } from "./bits";

type Change = (part: Partial<Draft>) => void;

export function Deadline({ draft, fault, change }: { draft: Draft; fault: string | undefined; change: Change }) {
  const ms = deadlineMs(draft);
  return <Entry field="deadline" kind="datetime-local" label="Ends, your time" hint={ms === null ? "" : `= ${utcMinute(ms)}`} value={draft.deadline} fault={fault} onChange={(deadline) => change({ deadline })} />;
}

export function MoreTerms({ draft, grid, faults, open, onOpen, change }: { draft: Draft; grid: Grid; faults: Faults; open: boolean; onOpen: (open: boolean) => void; change: Change }) {
  const told = rarer(draft, grid);
  const budget = draft.sizing === "budget";
  return (
    <details className="more-terms" open={open} onToggle={(event) => onOpen(event.currentTarget.open)}>
      <summary>More terms{told.length > 0 && <>: <b>{told.join(", ")}</b></>}</summary>
      <div className="terms">
        {draft.type === "market" && (
          <fieldset>
            <legend>Size as</legend>
            <label className="check"><input type="radio" name="sizing" checked={!budget} onChange={() => change({ sizing: "quantity" })} /> {grid.base} quantity</label>
            <label className="check"><input type="radio" name="sizing" checked={budget} disabled={draft.reduceOnly} onChange={() => change({ sizing: "budget" })} /> {grid.quote} to {draft.side === "buy" ? "spend" : "receive"}</label>
          </fieldset>
        )}
        {draft.type === "limit" && stays(draft) && <label className="check"><input type="checkbox" name="postOnly" checked={draft.postOnly} onChange={(event) => change({ postOnly: event.target.checked })} /> Post-only: never take from the book</label>}
        <label className="check"><input type="checkbox" name="reduceOnly" checked={draft.reduceOnly} disabled={budget} onChange={(event) => change({ reduceOnly: event.target.checked })} /> Reduce-only: only make the position smaller</label>
        {hasTrigger(draft.type) && <Entry field="trail" label="Trail the price by, %" hint="two decimals at most" value={draft.trail} fault={faults.trail} onChange={(trail) => change({ trail })} />}
        {mayHide(draft) && <Entry field="visible" label={`Show at a time, ${grid.base}`} hint={`steps of ${grid.lot}`} value={draft.visible} fault={faults.visible} onChange={(visible) => change({ visible })} />}
        {draft.type === "market" && (budget || draft.reduceOnly) && <p className="hint">Reduce-only goes with a quantity, not with an amount of {grid.quote}.</p>}
      </div>
    </details>
  );
}
