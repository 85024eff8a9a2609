// What the order would come to, and what stands against it as things are; in the ticket and in its confirmation.
import { useMemo } from "react";
import { useView } from "../desk";
import { estimate } from "../estimate";
import { amount, sentence as says, short } from "../format";
import { instrumentOf, lastOf, marketOf, positionOf } from "../model";
import type { Draft } from "../ticket";
import { cautions } from "../ticketWords";

const NO_LEVELS: readonly (readonly [string, string])[] = [];
const buyLast = (view: Parameters<typeof lastOf>[0]) => lastOf(view, "buy");
const sellLast = (view: Parameters<typeof lastOf>[0]) => lastOf(view, "sell");

export function EstimateLine({ draft }: { draft: Draft }) {
  const instrument = useView(instrumentOf);
  const book = useView((view) => marketOf(view, view.instrument).book);
  const free = useView((view) => view.state?.balances);
  const position = useView(positionOf);
  const last = { buy: useView(buyLast), sell: useView(sellLast) }[draft.side];
  const buys = draft.side === "buy";
  const levels = (buys ? book?.asks : book?.bids) ?? NO_LEVELS;
  const told = useMemo(
    () => instrument && estimate(draft, instrument, levels.map(([price, quantity]) => ({ price, quantity })), position),
    [draft, instrument, levels, position],
  );
  if (!instrument) return null;
  const asset = buys ? instrument.quote : instrument.base;
  const balance = free?.find((one) => one.asset === asset)?.free ?? null;
  const against = cautions(draft, instrument, { position, last });
  return (
    <div className="estimate">
      <dl>
        <div><dt>Free</dt><dd title={balance ?? undefined}>{amount(balance)} {asset}</dd></div>
        {draft.reduceOnly && <div><dt>Position</dt><dd>{amount(position, 0)} {instrument.base}</dd></div>}
        {draft.sizing === "budget" && <div><dt>{buys ? "Buys" : "Sells"} about</dt><dd>{told ? `${amount(told.quantity, 0)} ${instrument.base}` : "–"}</dd></div>}
        <div><dt>Comes to about</dt><dd title={told?.notional}>{told ? `${short(told.notional)} ${instrument.quote}` : "–"}</dd></div>
        <div><dt>Fee about</dt><dd title={told?.fee}>{told ? `${amount(told.fee)} ${told.feeAsset}` : "–"}</dd></div>
      </dl>
      {told && <p className="hint">{says(told.basis).slice(0, -1)}{told.short ? "; the visible book holds less than this order wants" : ""}. The desk decides exactly.</p>}
      {against.map((text) => <p key={text} className="caution">{text}</p>)}
    </div>
  );
}
