import { beforeEach, describe, expect, it } from "vitest";
import type { Connection, Message, SocketLike } from "../src/stream";
import { delay, isAfter, SILENCE_MS, Stream } from "../src/stream";

class FakeSocket implements SocketLike {
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  onerror: SocketLike["onerror"] = null;
  closed = false;
  constructor(readonly after: string | null) {}
  close(): void {
    this.closed = true;
  }
  say(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  end(code: number, reason = ""): void {
    this.onclose?.({ code, reason });
  }
}

/** A world whose time stands still until it is moved. */
class World {
  time = 1_000;
  sockets: FakeSocket[] = [];
  timers = new Map<number, { at: number; then: () => void }>();
  private next = 1;
  open = (after: string | null): SocketLike => {
    this.sockets.push(new FakeSocket(after));
    return this.socket;
  };
  after = (ms: number, then: () => void): number => {
    this.timers.set(this.next, { at: this.time + ms, then });
    return this.next++;
  };
  cancel = (timer: number): void => void this.timers.delete(timer);
  random = (): number => 0.5;
  now = (): number => this.time;
  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (!last) throw new Error("nothing was opened");
    return last;
  }
  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.time = due[1].at;
      this.timers.delete(due[0]);
      due[1].then();
    }
    this.time = end;
  }
}

let world: World;
let heard: Message[];
let connections: Connection[];
let stream: Stream<Message>;
const event = (id: string) => ({ type: "event", event: { id } });

beforeEach(() => {
  world = new World();
  heard = [];
  connections = [];
  stream = new Stream(world, (message) => heard.push(message), (connection) => connections.push(connection));
  stream.start();
});

describe("places", () => {
  it("are compared as numbers, seq first", () => {
    expect(isAfter("10.0", "9.5")).toBe(true);
    expect(isAfter("9.10", "9.9")).toBe(true);
    expect(isAfter("9.9", "9.9")).toBe(false);
    expect(isAfter("9007199254740993.0", "9007199254740992.0")).toBe(true);
    expect(isAfter("0.0", null)).toBe(true);
  });
});

describe("delays", () => {
  it("begin within 300 ms, grow, and end at 8 s", () => {
    expect(delay(0, 0.999)).toBeLessThanOrEqual(300);
    expect(delay(1, 0)).toBe(300);
    expect(delay(1, 1)).toBe(600);
    expect(delay(30, 1)).toBe(8000);
    expect(delay(30, 0)).toBe(4000);
  });
});

describe("a stream", () => {
  it("begins without a place and comes back with that of the last event", () => {
    expect(world.socket.after).toBeNull();
    world.socket.say({ type: "hello" });
    world.socket.say(event("7.0"));
    world.socket.say(event("7.1"));
    world.socket.end(1012);
    expect(connections.at(-1)).toMatchObject({ phase: "reconnecting", why: "the desk restarts" });
    world.pass(300);
    expect(world.sockets).toHaveLength(2);
    expect(world.socket.after).toBe("7.1");
    world.socket.say({ type: "hello" });
    expect(connections.at(-1)).toMatchObject({ phase: "live", why: "" });
  });

  it("goes on from the beginning where no event was seen yet, and drops nothing for it", () => {
    world.socket.say({ type: "hello" });
    stream.beginning = "6.0";
    world.socket.end(1012);
    world.pass(300);
    expect(world.socket.after).toBe("6.0");
    world.socket.say(event("5.0"));
    expect(heard).toHaveLength(2);
    world.socket.end(1006);
    world.pass(300);
    expect(world.socket.after).toBe("5.0");
  });

  it("tells no event twice", () => {
    for (const id of ["7.0", "7.1", "7.0", "7.1", "8.0"]) world.socket.say(event(id));
    expect(heard).toEqual([event("7.0"), event("7.1"), event("8.0")]);
  });

  it("takes a new place from a reset, even an earlier one", () => {
    world.socket.say(event("900.0"));
    world.socket.say({ type: "reset", after: "12.0" });
    world.socket.say(event("13.0"));
    expect(heard).toHaveLength(3);
    expect(stream.place).toBe("13.0");
  });

  it("waits longer with every try that fails, and forgets that once it is live", () => {
    for (let tries = 0; tries < 5; tries++) {
      world.socket.end(1006);
      world.pass(8_000);
    }
    expect(world.sockets).toHaveLength(6);
    world.socket.say({ type: "hello" });
    world.socket.end(1006);
    world.pass(150);
    expect(world.sockets).toHaveLength(7);
  });

  it("takes long silence for an end", () => {
    world.socket.say({ type: "hello" });
    const first = world.socket;
    world.pass(SILENCE_MS - 1);
    expect(first.closed).toBe(false);
    world.pass(1);
    expect(first.closed).toBe(true);
    expect(connections.at(-1)?.why).toBe("nothing was heard for 10 s");
    world.pass(300);
    expect(world.sockets).toHaveLength(2);
  });

  it("does not listen to a connection that it gave up", () => {
    world.socket.say({ type: "hello" });
    const first = world.socket;
    world.pass(SILENCE_MS);
    first.say(event("5.0"));
    first.end(1006);
    expect(heard).toHaveLength(1);
    expect(world.timers.size).toBeLessThanOrEqual(2);
  });

  it("can be nudged while it waits, and only then", () => {
    stream.nudge();
    expect(world.sockets).toHaveLength(1);
    world.socket.end(1006);
    stream.nudge();
    expect(world.sockets).toHaveLength(2);
  });

  it("tells why it was cut off, the server's own words first", () => {
    world.socket.end(4008);
    expect(connections.at(-1)?.why).toContain("read too slowly");
    world.pass(8_000);
    world.socket.end(4009, "1,000 pages are open");
    expect(connections.at(-1)?.why).toBe("1,000 pages are open");
  });

  it("ends for good", () => {
    world.socket.say({ type: "hello" });
    stream.stop();
    expect(world.socket.closed).toBe(true);
    world.socket.end(1000);
    world.pass(60_000);
    expect(world.sockets).toHaveLength(1);
    expect(world.timers.size).toBe(0);
  });
});
