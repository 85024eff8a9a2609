// What can never scroll away: that all of this is paper, where prices come from, how the connection is, and what is wrong right now.
import { useView } from "../desk";
import { count, sentence, span } from "../format";
import { killed, trust } from "../model";
import { useNow } from "./bits";

export function kindOf(label: string): "live" | "replay" | "simulated" {
  return label.startsWith("LIVE") ? "live" : label.startsWith("REPLAY") ? "replay" : "simulated";
}

export function Banner() {
  const label = useView((view) => view.desk?.label ?? null);
  const notice = useView((view) => view.desk?.notice ?? "");
  return (
    <div className="banner" role="region" aria-label="Paper trading">
      <strong className="paper">PAPER TRADING <span aria-hidden="true">·</span> virtual money</strong>
      {label !== null && <span className={`source ${kindOf(label)}`}><span className="sr">Source of prices: </span>{label}</span>}
      {notice !== "" && <span className="notice" title={notice}>{notice}</span>}
      <ConnectionBadge />
    </div>
  );
}

function ConnectionBadge() {
  const { phase, tries } = useView((view) => view.connection);
  const text = phase === "live" ? "Connected" : phase === "connecting" ? "Connecting …" : `Reconnecting${tries > 1 ? ` (try ${tries})` : ""} …`;
  return <span className={`connection ${phase}`} role="status"><span className="dot" aria-hidden="true" /><span className="text">{text}</span></span>;
}

interface Alert {
  key: string;
  level: "bad" | "warn";
  title: string;
  text: string;
  /** For how long; it changes each second and is not read out. */
  ageMs?: number;
}

export function Alerts() {
  const view = useView((all) => all);
  const { connection, pulse, desk } = view;
  const now = useNow(1000, connection.phase !== "live");
  const alerts: Alert[] = [];
  if (connection.phase === "reconnecting") {
    const ageMs = now - connection.heardAt;
    alerts.push({ key: "connection", level: "bad", title: "Not connected", text: `${sentence(connection.why)} What you see is greyed and old; orders you sent before stay in the desk.`, ageMs });
  }
  if (connection.phase === "connecting" && connection.why) {
    alerts.push({ key: "connection", level: "bad", title: "Not connected", text: `${sentence(connection.why)} Is the desk running?` });
  }
  const engine = pulse?.engine ?? desk?.engine;
  if (connection.phase === "live" && engine && !engine.heard) {
    alerts.push({ key: "engine", level: "bad", title: "The engine is silent", text: "Commands wait for it; the supervisor starts it again if it ended.", ageMs: engine.silence_s * 1000 });
  }
  for (const process of pulse?.processes ?? desk?.processes ?? []) {
    if (process.state !== "running") {
      alerts.push({ key: `process-${process.name}`, level: "warn", title: `Process ${process.name}: ${process.state}`, text: process.last_end ? `It ${process.last_end}; ${count(process.restarts, "restart")} so far.` : `${count(process.restarts, "restart")} so far.` });
    }
  }
  const trouble = pulse?.feed["trouble"];
  if (typeof trouble === "string" && trouble !== "") alerts.push({ key: "feed", level: "warn", title: "Market data", text: trouble });
  const fit = trust(view);
  if (!fit.ok) alerts.push({ key: "market", level: "bad", title: fit.title, text: fit.text });
  if (killed(view)) alerts.push({ key: "killed", level: "bad", title: "KILLED", text: "The desk takes no new orders and has canceled the live ones. Resume when you are ready." });
  if (view.trouble !== "") alerts.push({ key: "trouble", level: "warn", title: "Could not load everything", text: `${view.trouble} Trying again.` });
  return (
    <div className="alerts" role="status" aria-live="polite">
      {alerts.map((alert) => (
        <p key={alert.key} className={`alert ${alert.level}`}><strong>{alert.title}</strong>{alert.ageMs !== undefined && <span aria-hidden="true"> for {span(alert.ageMs)}</span>}{" "}<span className="alert-text">{alert.text}</span></p>
      ))}
    </div>
  );
}
