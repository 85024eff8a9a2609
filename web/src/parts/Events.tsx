// What happened, newest first, with the reason and the remedy of every no.
import type { ReactNode } from "react";
import { memo, useState } from "react";
import { useView } from "../desk";
import { sentence, words } from "../format";
import type { DeskEvent } from "../wire";
import { Panel, When } from "./bits";

type Severity = DeskEvent["severity"];
type Filter = "all" | "fills" | Exclude<Severity, "good">;
const FILTERS: { key: Filter; text: string }[] = [
  { key: "all", text: "All" },
  { key: "fills", text: "Fills" },
  { key: "info", text: "Info" },
  { key: "warning", text: "Warnings" },
  { key: "error", text: "Errors" },
];
const SIGN: Record<Severity, string> = { info: "·", good: "●", warning: "▲", error: "■" };

export function EventsPanel({ onStory }: { onStory: (order: string) => void }) {
  const events = useView((view) => view.events);
  const [filter, setFilter] = useState<Filter>("all");
  const shown = filter === "all" ? events : events.filter((event) => (filter === "fills" ? Boolean(event.fill) : filter === "info" ? event.severity === "info" || event.severity === "good" : event.severity === filter));
  return (
    <Panel name="events" title="Events" aside={
      <div className="chips" role="group" aria-label="Show events of severity">
        {FILTERS.map(({ key, text }) => <button key={key} type="button" aria-pressed={filter === key} onClick={() => setFilter(key)}>{text}</button>)}
      </div>}>
      <div className="scroll" tabIndex={0} role="log" aria-live="off" aria-label="Events, newest first">
        {shown.length === 0 && <p className="empty">{filter === "all" ? "Nothing has happened yet." : "None of these among the last 500 events."}</p>}
        <ol className="feed">{shown.slice(0, 200).map((event) => <EventLine key={event.id} event={event} onStory={onStory} />)}</ol>
      </div>
    </Panel>
  );
}

const EventLine = memo(function EventLine({ event, onStory }: { event: DeskEvent; onStory: (order: string) => void }) {
  const { severity, refusal } = event;
  const named = event.order ?? event.signal;
  return (
    <li className={severity} data-id={event.id}>
      <When ns={event.ts_ns} millis />
      <span className="sign" aria-hidden="true">{SIGN[severity]}</span>
      <span className="sr">{severity}: </span>
      <div>
        <span title={`${words(event.kind)}, input ${event.seq}`}>{named ? linked(event.text, named, onStory) : event.text}</span>
        {refusal && <p className="remedy">{!event.text.includes(`(${refusal.name})`) && <code>{refusal.name} </code>}{!event.text.includes(refusal.meaning) && sentence(refusal.meaning)} {refusal.remedy !== "nothing to do" && <b>{sentence(refusal.remedy)}</b>}</p>}
      </div>
    </li>
  );
});

/** The sentence with the name of its order or signal as a button that tells its life. */
function linked(text: string, order: string, onStory: (order: string) => void): ReactNode {
  const at = text.indexOf(order);
  const button = <button type="button" className="link" onClick={() => onStory(order)}>{order}</button>;
  return at < 0 ? <>{text} {button}</> : <>{text.slice(0, at)}{button}{text.slice(at + order.length)}</>;
}
