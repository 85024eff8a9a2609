// The bots: what each does and made, start and stop, and what one failed with.
import { useState } from "react";
import { useView } from "../desk";
import { count } from "../format";
import type { Bot, BotBook } from "../wire";
import { Change, Panel } from "./bits";
import { useCommand } from "./useCommand";

export function BotsPanel() {
  const told = useView((view) => view.pulse?.bots ?? view.desk?.bots);
  const books = useView((view) => view.state?.bots);
  const bots = told ?? [];
  return (
    <Panel name="bots" title="Bots">
      {bots.length === 0 && <p className="empty">No bots in this desk. Orders come from you alone; `paperdesk up --strategy NAME` adds a bot.</p>}
      <ul className="bot-list">{bots.map((bot) => <BotLine key={bot.bot} bot={bot} book={books?.find((one) => one.bot === bot.bot) ?? null} />)}</ul>
    </Panel>
  );
}

function BotLine({ bot, book }: { bot: Bot; book: BotBook | null }) {
  const { run, busy, said } = useCommand();
  const [open, setOpen] = useState(false);
  const state = bot.state ?? "starting";
  const running = bot.state === "running";
  const parameters = Object.entries(bot.parameters).map(([name, value]) => `${name} ${value}`).join(", ");
  return (
    <li>
      <div className="row">
        <strong>{bot.name}</strong>
        <span className={`state ${state}`}>{state}</span>
        <button type="button" className="small" disabled={busy} onClick={() => void run({ method: "POST", path: `/bots/${bot.bot}/${running ? "stop" : "start"}` })}
          aria-label={`${running ? "Stop" : "Start"} ${bot.name}`}>{busy ? "…" : running ? "Stop" : "Start"}</button>
      </div>
      <p className="dim">{bot.strategy}{parameters && `: ${parameters}`}{bot.isolated ? "; in a process of its own" : ""}</p>
      {book && <p className="row figures-line"><span>{count(book.open_orders, "open order")}</span><span>{count(book.fills, "fill")}</span><span>realized <Change value={book.realized_pnl} /></span><span>unrealized <Change value={book.unrealized_pnl} /></span></p>}
      {said}
      {bot.failure && (
        <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary className="down">Stopped after an error: {lastLine(bot.failure)}</summary>
          <pre tabIndex={0}>{bot.failure}</pre>
        </details>
      )}
    </li>
  );
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
