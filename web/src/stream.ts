// The one connection to the desk: a websocket that is opened again whenever it ends, with the place of the last event seen, so that nothing
// is missed and nothing is told twice. The first new try comes within 300 ms; later ones wait longer and longer, with jitter, so that two
// hundred pages do not come back in the same moment. Silence for ten seconds counts as an end: a half-open connection says nothing.

export interface SocketLike {
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: (() => void) | null;
  close(code?: number): void;
}

/** Everything outside of this file that it needs; tests give their own. */
export interface Ports {
  open(after: string | null): SocketLike;
  after(ms: number, then: () => void): number;
  cancel(timer: number): void;
  random(): number;
  now(): number;
}

export interface Connection {
  phase: "connecting" | "live" | "reconnecting";
  /** When the last message came (ms), 0 before the first. */
  heardAt: number;
  /** Tries since the connection was lost. */
  tries: number;
  /** Why the last connection ended, in words; empty while live. */
  why: string;
}

/** What of a message this file looks at: events have a place, a reset gives another one. */
export interface Message {
  type: string;
  event?: { id: string };
  after?: string;
}

export const SILENCE_MS = 10_000;
const FIRST_MS = 300;
const MOST_MS = 8_000;

const WHY: Record<number, string> = {
  1001: "the desk is going away",
  1006: "the connection broke",
  1012: "the desk restarts",
  1013: "the desk is busy",
  4008: "this page read too slowly and was cut off; it goes on where it was",
  4009: "too many pages are open; close some",
};

/** How long to wait before a try (0: the first). */
export function delay(tries: number, random: number): number {
  if (tries === 0) return FIRST_MS * random;
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** tries);
  return most / 2 + (most / 2) * random;
}

/** Whether event id `a` ("seq.number") comes after `b`. */
export function isAfter(a: string, b: string | null): boolean {
  if (b === null) return true;
  const [aSeq = "0", aNumber = "0"] = a.split(".");
  const [bSeq = "0", bNumber = "0"] = b.split(".");
  const seq = BigInt(aSeq) - BigInt(bSeq);
  return seq !== 0n ? seq > 0n : BigInt(aNumber) > BigInt(bNumber);
}

export class Stream<M extends Message> {
  /** The id of the last event seen; from there a new connection goes on. */
  place: string | null = null;
  /** Where to go on from while no event was seen yet: what the desk had reached when it greeted. Events at or before it are not dropped. */
  beginning: string | null = null;
  private socket: SocketLike | null = null;
  private timer: number | null = null;
  private silence: number | null = null;
  private tries = 0;
  private ended = false;
  private state: Connection = { phase: "connecting", heardAt: 0, tries: 0, why: "" };

  constructor(
    private readonly ports: Ports,
    private readonly onMessage: (message: M) => void,
    private readonly onConnection: (connection: Connection) => void,
  ) {}

  start(): void {
    this.ended = false;
    this.connect();
  }

  stop(): void {
    this.ended = true;
    this.clear();
    this.socket?.close(1000);
    this.socket = null;
  }

  /** Try now instead of waiting: the machine woke up, or the network came back. */
  nudge(): void {
    if (this.ended || this.timer === null) return;
    this.clear();
    this.connect();
  }

  private clear(): void {
    if (this.timer !== null) this.ports.cancel(this.timer);
    if (this.silence !== null) this.ports.cancel(this.silence);
    this.timer = this.silence = null;
  }

  private tell(change: Partial<Connection>): void {
    this.state = { ...this.state, ...change };
    this.onConnection(this.state);
  }

  private connect(): void {
    this.timer = null;
    const socket = this.ports.open(this.place ?? this.beginning);
    this.socket = socket;
    this.listen(socket);
    socket.onmessage = (event) => {
      if (socket === this.socket) this.hear(socket, event.data);
    };
    socket.onerror = () => undefined;
    socket.onclose = (event) => {
      if (socket === this.socket) this.lost(event.reason || WHY[event.code] || `the connection ended (${event.code})`);
    };
  }

  private listen(socket: SocketLike): void {
    if (this.silence !== null) this.ports.cancel(this.silence);
    this.silence = this.ports.after(SILENCE_MS, () => {
      this.silence = null;
      if (socket !== this.socket) return;
      socket.close();
      this.lost(`nothing was heard for ${SILENCE_MS / 1000} s`);
    });
  }

  private hear(socket: SocketLike, data: unknown): void {
    this.listen(socket);
    const message = JSON.parse(String(data)) as M;
    const heardAt = this.ports.now();
    if (this.state.phase !== "live") {
      this.tries = 0;
      this.tell({ phase: "live", heardAt, tries: 0, why: "" });
    } else this.tell({ heardAt });
    if (message.type === "reset") this.place = message.after ?? null;
    if (message.type === "event" && message.event) {
      if (!isAfter(message.event.id, this.place)) return;
      this.place = message.event.id;
    }
    this.onMessage(message);
  }

  private lost(why: string): void {
    this.socket = null;
    if (this.silence !== null) this.ports.cancel(this.silence);
    this.silence = null;
    if (this.ended) return;
    this.tell({ phase: this.state.heardAt === 0 ? "connecting" : "reconnecting", tries: this.tries, why });
    this.timer = this.ports.after(delay(this.tries, this.ports.random()), () => this.connect());
    this.tries += 1;
  }
}
