// How the desk is, in one line.
import { useView } from "../desk";
import { amount, count, words } from "../format";
import type { Process } from "../wire";
import { When } from "./bits";

export function HealthLine() {
  const pulse = useView((view) => view.pulse);
  const desk = useView((view) => view.desk);
  const engine = pulse?.engine ?? desk?.engine;
  const processes = pulse?.processes ?? desk?.processes ?? [];
  if (!engine || !desk) return <footer className="health"><span>Paperdesk · paper only</span></footer>;
  const seq = pulse?.seq ?? desk.seq;
  return (
    <footer className="health" aria-label="Health of the desk">
      <span title="The last input that the engine committed">seq <b>{amount(String(seq), 0)}</b></span>
      {pulse && <span title="The engine's time">engine time <b><When ns={pulse.engine_ts_ns} full /></b></span>}
      <span className={engine.heard ? "" : "down"} title="How long ago the engine was heard">engine {engine.heard ? "heard" : "silent for"} <b>{engine.silence_s.toFixed(1)} s</b>{engine.heard && " ago"}</span>
      <span title="Inputs by which the database is behind the engine">database behind <b>{amount(String(engine.lag_inputs), 0)}</b></span>
      <span title="Part of the last second that the engine worked">busy <b>{(engine.busy * 100).toFixed(0)} %</b></span>
      <span title="Longest commit of the last second">commit <b>{engine.commit_ms.toFixed(1)} ms</b></span>
      {processes.map((process) => <ProcessWord key={process.name} process={process} />)}
      {pulse && <FeedWords feed={pulse.feed} />}
      {pulse && <span>{count(pulse.stream_clients, "page")} open</span>}
      {desk.walls.map((wall) => <span key={wall.process} title={wall.text} className="wall">wall: {wall.process}</span>)}
      <span className="charts-by">Paperdesk {desk.product}. Charts: TradingView Lightweight Charts™, Copyright © TradingView, Inc. <a href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">tradingview.com</a> <a href="/licenses.txt">licences</a></span>
    </footer>
  );
}

function ProcessWord({ process }: { process: Process }) {
  const title = `process ${process.pid}, since ${process.started}${process.last_end ? `; ended before: ${process.last_end}` : ""}`;
  return (
    <span title={title} className={process.state === "running" ? "" : "down"}>
      {process.name} <b>{process.state === "running" ? `${process.rss_mb.toFixed(0)} MB` : process.state}</b>{process.restarts > 0 && `, ${count(process.restarts, "restart")}`}
    </span>
  );
}

function FeedWords({ feed }: { feed: Readonly<Record<string, unknown>> }) {
  const counts = Object.entries(feed).filter((one): one is [string, number] => typeof one[1] === "number" && one[1] > 0);
  const { connected, wall } = feed;
  return (
    <>
      {typeof connected === "boolean" && <span className={connected ? "" : "down"}>feed <b>{connected ? "connected" : "not connected"}</b></span>}
      {counts.map(([name, value]) => <span key={name}>{words(name)} <b>{amount(String(value), 0)}</b></span>)}
      {typeof wall === "string" && wall !== "" && <span title={wall} className="wall">wall: door</span>}
    </>
  );
}
