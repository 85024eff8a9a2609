// The top line: which market, its quote, the theme, and the kill switch.
import { useEffect, useRef, useState } from "react";
import * as dec from "../decimal";
import { tell, useView } from "../desk";
import { amount, decimals } from "../format";
import { instrumentOf, killed, marketOf } from "../model";
import { Modal } from "./bits";
import { useCommand } from "./useCommand";

export function Top() {
  const run = useView((view) => view.desk?.run ?? "");
  return (
    <header className="top">
      <h1>Paperdesk</h1>
      {run !== "" && <span className="run" title="The run: one life of this desk">run {run}</span>}
      <Instruments />
      <Quote />
      <div className="top-end">
        <ThemeSwitch />
        <KillSwitch />
      </div>
    </header>
  );
}

function Instruments() {
  const instruments = useView((view) => view.desk?.instruments);
  const chosen = useView((view) => view.instrument);
  if (!instruments || instruments.length === 0) return null;
  if (instruments.length === 1) return <strong className="symbol">{instruments[0]?.symbol}</strong>;
  return (
    <label className="symbol">
      <span className="sr">Instrument</span>
      <select value={chosen ?? ""} onChange={(event) => tell({ type: "instrument", instrument: Number(event.target.value) })}>
        {instruments.map((one) => <option key={one.number} value={one.number}>{one.symbol}</option>)}
      </select>
    </label>
  );
}

function Quote() {
  const book = useView((view) => marketOf(view, view.instrument).book);
  const last = useView((view) => marketOf(view, view.instrument).trades[0] ?? null);
  const tick = useView((view) => instrumentOf(view)?.tick ?? "0.01");
  const places = decimals(tick);
  const bid = book?.bids[0];
  const ask = book?.asks[0];
  const spread = bid && ask ? dec.text(dec.subtract(dec.exact(ask[0]), dec.exact(bid[0]))) : null;
  return (
    <dl className="quote">
      <div className="last"><dt>Last</dt><dd className={last?.side === "sell" ? "down" : "up"}>{last ? `${last.side === "sell" ? "▼" : "▲"} ${amount(last.price, places)}` : "–"}</dd></div>
      <div><dt>Bid</dt><dd>{amount(bid?.[0], places)}</dd></div>
      <div><dt>Ask</dt><dd>{amount(ask?.[0], places)}</dd></div>
      <div><dt>Spread</dt><dd>{amount(spread, places)}</dd></div>
    </dl>
  );
}

type Theme = "system" | "dark" | "light";
const THEMES: Theme[] = ["system", "dark", "light"];
const SIGN: Record<Theme, string> = { system: "◐", dark: "☾", light: "☀" };

function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(() => (document.documentElement.dataset.theme as Theme | undefined) ?? "system");
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  const choose = () => {
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("paperdesk.theme", next);
    } catch {
      // Storage may be forbidden: the choice holds for this page then.
    }
    window.dispatchEvent(new Event("paperdesk-theme"));
    setTheme(next);
  };
  return (
    <button type="button" className="quiet" onClick={choose} aria-label={`Theme: ${theme}. Change to ${next}.`} title={`Theme: ${theme}`}>
      <span aria-hidden="true">{SIGN[theme]}</span> <span className="wide-only">{theme}</span>
    </button>
  );
}

function KillSwitch() {
  const dead = useView(killed);
  const live = useView((view) => view.state?.orders_live ?? 0);
  const [open, setOpen] = useState(false);
  const { run, busy, said, clear } = useCommand();
  const asked = useRef(dead);
  useEffect(() => {
    if (!open) asked.current = dead;
  }, [open, dead]);
  const resuming = open ? asked.current : dead;
  const close = () => {
    setOpen(false);
    clear();
  };
  const act = async () => {
    const done = await run({ method: "POST", path: resuming ? "/resume" : "/kill" });
    if (done) close();
  };
  return (
    <>
      {dead && <span className="killed-word">KILLED</span>}
      <button type="button" className={dead ? "resume" : "kill"} onClick={() => setOpen(true)}>{dead ? "Resume desk" : "Kill switch"}</button>
      <Modal open={open} title={resuming ? "Resume the desk?" : "Stop the whole desk?"} onClose={close}>
        <p>{resuming
          ? "Orders are taken again, from you and from the bots. Canceled orders do not come back."
          : `No new orders are taken, from you or from any bot, and ${live === 0 ? "no order is live to cancel" : live === 1 ? "the 1 live order is canceled" : `all ${live} live orders are canceled`}. Positions stay as they are. You can resume later.`}</p>
        {said}
        <div className="row end">
          <button type="button" onClick={close}>Back</button>
          <button type="button" className={resuming ? "resume" : "kill"} disabled={busy} onClick={() => void act()} data-first>{busy ? "Asking …" : resuming ? "Resume" : "Kill: stop and cancel all"}</button>
        </div>
      </Modal>
    </>
  );
}
