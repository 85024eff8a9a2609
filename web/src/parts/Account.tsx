// What the account is worth, how that went, and what it holds.
import { memo } from "react";
import * as dec from "../decimal";
import { useView } from "../desk";
import { amount, short } from "../format";
import { Beside } from "./Beside";
import { Change, Figure, Panel } from "./bits";
import { EquityCurve } from "./EquityCurve";
import type { State } from "../wire";

export function AccountPanel() {
  const state = useView((view) => view.state);
  const now = useView((view) => (view.pulse ? view.pulse.equity : (view.state?.equity ?? null)));
  if (state === null) return <Panel name="account" title="Account"><p className="empty">The account is being read …</p></Panel>;
  const opening = state.opening_equity;
  const change = now !== null && opening !== null ? dec.subtract(dec.exact(now), dec.exact(opening)) : null;
  const part = change && opening !== null ? dec.percent(change, dec.exact(opening)) : null;
  return (
    <Panel name="account" title="Account" aside={<span className="aside">paper · {state.fill_model} fills · epoch {state.epoch}</span>}>
      <div className="equity-line">
        <span className="equity" title={now ?? "A price is missing or stale"}>{now === null ? "not known now" : short(now)} <small>{state.reporting}</small></span>
        {change && <span className="since"><Change value={dec.text(change)} />{part && <> (<Change value={dec.text(part)} unit="%" /> %)</>} <span className="dim">since start</span></span>}
      </div>
      {now === null && <p className="hint">Equity is not known while a price is missing or stale; it is never shown as zero.</p>}
      <EquityCurve />
      <Beside reporting={state.reporting} />
      <Figures state={state} />
      <Balances state={state} />
    </Panel>
  );
}

const Figures = memo(function Figures({ state }: { state: State }) {
  const latency = useView((view) => view.desk?.latency ?? "");
  const fees = useView((view) => view.desk?.fees ?? "");
  return (
    <dl className="figures">
      <div><dt>Realized</dt><dd><Change value={state.realized_pnl} /></dd></div>
      <div><dt>Unrealized</dt><dd><Change value={state.unrealized_pnl} /></dd></div>
      <div><dt>Exposure</dt><dd><Figure value={state.exposure} /></dd></div>
      <div><dt>Peak</dt><dd><Figure value={state.peak_equity} /></dd></div>
      <div className="terms"><dt>Latency</dt><dd>{latency}</dd></div>
      <div className="terms"><dt>Fees</dt><dd>{fees}</dd></div>
    </dl>
  );
});

const Balances = memo(function Balances({ state }: { state: State }) {
  return (
    <table className="balances">
      <caption className="sr">Balances: total is free plus reserved</caption>
      <thead><tr><th scope="col">Asset</th><th scope="col">Free</th><th scope="col">Reserved</th><th scope="col">Total</th></tr></thead>
      <tbody>
        {state.balances.map((one) => (
          <tr key={one.asset} title={one.value === null ? "no fresh price" : `worth ${amount(one.value)} ${state.reporting}`}>
            <th scope="row">{one.asset}</th><td>{amount(one.free)}</td><td>{amount(one.reserved)}</td><td>{amount(one.total)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
});
