// One command at a time from a button: what it is doing, what came of it, and the same key again when no answer came.
import type { ReactNode } from "react";
import { useCallback, useRef, useState } from "react";
import type { Command, Refusal } from "../command";
import { command } from "../command";
import { API } from "../desk";
import { sentence } from "../format";
import type { CommandAnswer } from "../wire";

export interface Commanding {
  /** Sends a command; the same command again after no answer goes with the same key. Resolves to the answer, or null where it was refused. */
  run: (what: Command) => Promise<CommandAnswer | null>;
  busy: boolean;
  tries: number;
  refusal: Refusal | null;
  /** The refusal, ready to show. */
  said: ReactNode;
  clear: () => void;
}

export function useCommand(): Commanding {
  const [busy, setBusy] = useState(false);
  const [tries, setTries] = useState(0);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const open = useRef<{ what: string; key: string } | null>(null);
  const run = useCallback(async (what: Command) => {
    const text = JSON.stringify(what);
    const key = open.current?.what === text ? open.current.key : crypto.randomUUID();
    open.current = { what: text, key };
    setBusy(true);
    setTries(0);
    setRefusal(null);
    const outcome = await command<CommandAnswer>({ ...what, path: API + what.path }, key, setTries);
    setBusy(false);
    if (outcome.done) {
      open.current = null;
      return outcome.value;
    }
    if (!outcome.refusal.again) open.current = null;
    setRefusal(outcome.refusal);
    return null;
  }, []);
  const clear = useCallback(() => setRefusal(null), []);
  return { run, busy, tries, refusal, said: refusal && <RefusalBox refusal={refusal} />, clear };
}

export function RefusalBox({ refusal }: { refusal: Refusal }) {
  return (
    <div className="refusal" role="alert">
      <strong>{refusal.title}</strong>
      <p>{sentence(refusal.detail)}</p>
      {refusal.remedy && <p><b>What to do:</b> {sentence(refusal.remedy)}</p>}
    </div>
  );
}
