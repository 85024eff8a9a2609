// Small things that every panel uses.
import type { ReactNode, SyntheticEvent } from "react";
import { useEffect, useId, useRef, useState } from "react";
import { clock, dateTime, direction, msOf, short, signed, utc } from "../format";

export function Panel({ name, title, aside, children }: { name: string; title: string; aside?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section className={`panel ${name}`} aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** A moment in local time; UTC in the title. What was set up before the first input has no time. */
export function When({ ns, full = false, millis = false }: { ns: string | number; full?: boolean; millis?: boolean }) {
  const ms = msOf(ns);
  if (ms === 0) return <time title="Before the first input that has a time">at start</time>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={utc(ms)}>
      {full ? dateTime(ms, millis) : clock(ms, millis)}
    </time>
  );
}

/** Money with a sign and the colour of its direction; the exact figure in the title. */
export function Change({ value, places = 2, unit = "" }: { value: string | null; places?: number; unit?: string }) {
  if (value === null) return <span className="dim" title="A price is missing or stale">–</span>;
  return (
    <span className={`num ${direction(value)}`} title={`${value} ${unit}`.trim()}>
      {signed(value, places)}
    </span>
  );
}

export function Figure({ value, places = 2, unit = "" }: { value: string | null; places?: number; unit?: string }) {
  if (value === null) return <span className="dim" title="A price is missing or stale">–</span>;
  return <span className="num" title={`${value} ${unit}`.trim()}>{short(value, places)}</span>;
}

export function SideWord({ side }: { side: "buy" | "sell" }) {
  return <span className={side === "buy" ? "up" : "down"}>{side === "buy" ? "▲ Buy" : "▼ Sell"}</span>;
}

/** The time now, told again every `everyMs` while the tab is seen. */
export function useNow(everyMs: number, active = true): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!active) return;
    setNow(Date.now());
    const timer = window.setInterval(() => document.visibilityState === "visible" && setNow(Date.now()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs, active]);
  return now;
}

/** A modal dialog of the browser: focus stays inside and begins at [data-first], Escape closes. */
export function Modal({ open, title, onClose, children, wide = false }: { open: boolean; title: string; onClose: () => void; children: ReactNode; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (open && dialog && !dialog.open) {
      dialog.showModal();
      dialog.querySelector<HTMLElement>("[data-first]")?.focus();
    }
    if (!open && dialog?.open) dialog.close();
  }, [open]);
  // Escape goes the same way as a button; the event that the browser tells afterwards must not close what was opened again meanwhile.
  const cancel = (event: SyntheticEvent) => {
    event.preventDefault();
    onClose();
  };
  const closed = () => {
    if (!ref.current?.open) onClose();
  };
  return (
    <dialog ref={ref} className={wide ? "wide" : undefined} aria-labelledby={id} onCancel={cancel} onClose={closed}>
      {open && (
        <>
          <header className="dialog-head">
            <h2 id={id}>{title}</h2>
            <span className="paper-word">PAPER</span>
            <button type="button" className="quiet" onClick={onClose} aria-label="Close">✕</button>
          </header>
          {children}
        </>
      )}
    </dialog>
  );
}

/** A number, or a date and time, with its steps beside its name and what is wrong with it below. */
export function Entry({ field, label, hint, value, fault, onChange, kind = "text" }: { field: string; label: string; hint: string; value: string; fault: string | undefined; onChange: (value: string) => void; kind?: "text" | "datetime-local" }) {
  const id = useId();
  return (
    <div className="entry">
      <label htmlFor={id}>{label} <span className="dim">{hint}</span></label>
      <input id={id} name={field} type={kind} value={value} inputMode="decimal" autoComplete="off" spellCheck={false} aria-invalid={fault !== undefined} aria-describedby={`${id}-fault`} onChange={(event) => onChange(event.target.value)} />
      <p id={`${id}-fault`} className="fault" aria-live="polite">{fault ?? ""}</p>
    </div>
  );
}

export function Tabs<T extends string>({ label, tabs, chosen, onChoose }: { label: string; tabs: readonly { key: T; text: string }[]; chosen: T; onChoose: (key: T) => void }) {
  const move = (by: number) => {
    const at = tabs.findIndex((tab) => tab.key === chosen);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (!next) return;
    onChoose(next.key);
    document.getElementById(`tab-${label}-${next.key}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={label} onKeyDown={(event) => {
      if (event.key === "ArrowRight") move(1);
      if (event.key === "ArrowLeft") move(-1);
    }}>
      {tabs.map(({ key, text }) => (
        <button key={key} id={`tab-${label}-${key}`} type="button" role="tab" aria-selected={key === chosen}
          tabIndex={key === chosen ? 0 : -1} onClick={() => onChoose(key)}>{text}</button>
      ))}
    </div>
  );
}
