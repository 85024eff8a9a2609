// Commands to the desk. Each has a key of its own; a try that got no answer is made again with the same key, so that it is done at most once.

import type { Problem } from "./wire";

export interface Refusal {
  /** HTTP status, 0 where no answer came. */
  status: number;
  title: string;
  detail: string;
  remedy: string;
  /** The same key may be sent again: what became of the command is not known. */
  again: boolean;
}

export type Outcome<T> = { done: true; value: T } | { done: false; refusal: Refusal };

export interface Sender {
  send(url: string, init: RequestInit): Promise<Response>;
  wait(ms: number): Promise<void>;
}

const browser: Sender = {
  send: (url, init) => fetch(url, init),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

const WAITS_MS = [250, 500, 1000, 2000, 4000];
const NO_ANSWER = new Set([502, 503, 504]);

export interface Command {
  method: "POST" | "DELETE";
  path: string;
  body?: unknown;
}

/** Sends a command until it is answered, at most six times with the same key. */
export async function command<T>(what: Command, key: string, told?: (tries: number) => void, sender = browser): Promise<Outcome<T>> {
  const headers: Record<string, string> = { "Idempotency-Key": key, Accept: "application/json" };
  if (what.body !== undefined) headers["Content-Type"] = "application/json";
  const body = what.body === undefined ? undefined : JSON.stringify(what.body);
  let last: Refusal | null = null;
  for (let tries = 0; tries <= WAITS_MS.length; tries++) {
    if (tries > 0) {
      told?.(tries);
      await sender.wait(WAITS_MS[tries - 1] ?? 0);
    }
    try {
      const response = await sender.send(what.path, { method: what.method, headers, body });
      const answer: unknown = await response.json().catch(() => null);
      if (response.ok) return { done: true, value: answer as T };
      last = refusalOf(response.status, answer);
      if (!NO_ANSWER.has(response.status)) return { done: false, refusal: last };
    } catch (error) {
      last = noAnswer(error instanceof Error ? error.message : String(error));
    }
  }
  return { done: false, refusal: { ...(last ?? noAnswer("")), again: true } };
}

function noAnswer(why: string): Refusal {
  return {
    status: 0,
    title: "The desk did not answer",
    detail: why ? `The request failed: ${why}.` : "The request failed.",
    remedy: "Send it again: it carries the same key and is done at most once.",
    again: true,
  };
}

/** What an error answer says: a command's refusal with its reason, or a problem of the request. */
export function refusalOf(status: number, answer: unknown): Refusal {
  const body = (typeof answer === "object" && answer !== null ? answer : {}) as Partial<Problem>;
  if (body.refusal) {
    const { name, meaning, remedy } = body.refusal;
    return { status, title: name, detail: meaning, remedy, again: false };
  }
  const title = (body.error ?? `refused (${status})`).replace(/_/g, " ");
  const where = body.field ? ` (${body.field})` : "";
  return { status, title, detail: `${body.message ?? "The desk gave no further words."}${where}`, remedy: body.remedy ?? "", again: false };
}

/** A read: the JSON, or an error that says what happened. */
export async function read<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    const refusal = refusalOf(response.status, answer);
    throw new Error(`${refusal.title}: ${refusal.detail} ${refusal.remedy}`.trim());
  }
  return answer as T;
}
