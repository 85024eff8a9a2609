import { describe, expect, it } from "vitest";
import { command, refusalOf } from "../src/command";
import { REFUSAL } from "./made";

/** Answers in turn; an Error is a broken network. */
function sender(...answers: (Response | Error)[]) {
  const seen: { url: string; init: RequestInit }[] = [];
  const waits: number[] = [];
  return {
    seen,
    waits,
    send: async (url: string, init: RequestInit): Promise<Response> => {
      seen.push({ url, init });
      const answer = answers.shift() ?? new Error("no answer was prepared");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    wait: async (ms: number): Promise<void> => void waits.push(ms),
  };
}

const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const what = { method: "POST", path: "/api/v1/orders", body: { side: "buy" } } as const;

describe("a command", () => {
  it("is sent once where it is answered", async () => {
    const wire = sender(json(200, { code: "done" }));
    expect(await command(what, "key-1", undefined, wire)).toEqual({ done: true, value: { code: "done" } });
    expect(wire.seen).toHaveLength(1);
    expect(wire.seen[0]?.init.headers).toMatchObject({ "Idempotency-Key": "key-1", "Content-Type": "application/json" });
  });

  it("is asked again with the same key after a broken network and after no answer", async () => {
    const wire = sender(new TypeError("Failed to fetch"), json(504, { error: "no_answer" }), json(503, { error: "busy" }), json(200, { repeated: true }));
    expect((await command(what, "key-2", undefined, wire)).done).toBe(true);
    expect(wire.seen.map(({ init }) => (init.headers as Record<string, string>)["Idempotency-Key"])).toEqual(["key-2", "key-2", "key-2", "key-2"]);
    expect(wire.waits).toEqual([250, 500, 1000]);
  });

  it("is not asked again where it was refused", async () => {
    const wire = sender(json(422, { code: "refused", refusal: REFUSAL }));
    const outcome = await command(what, "key-3", undefined, wire);
    expect(outcome).toMatchObject({ done: false, refusal: { title: "stale_data", detail: REFUSAL.meaning, remedy: "wait", again: false } });
    expect(wire.seen).toHaveLength(1);
  });

  it("gives up after six tries and says that the same key may be sent again", async () => {
    const tries: number[] = [];
    const wire = sender();
    const outcome = await command(what, "key-4", (n) => tries.push(n), wire);
    expect(outcome).toMatchObject({ done: false, refusal: { again: true, title: "The desk did not answer" } });
    expect(wire.seen).toHaveLength(6);
    expect(tries).toEqual([1, 2, 3, 4, 5]);
  });

  it("without a body has none", async () => {
    const wire = sender(json(200, {}));
    await command({ method: "DELETE", path: "/x" }, "key-5", undefined, wire);
    expect(wire.seen[0]?.init.body).toBeUndefined();
    expect(wire.seen[0]?.init.headers).not.toHaveProperty("Content-Type");
  });
});

describe("refusals", () => {
  it("are told from problems, with the field, and from nonsense", () => {
    expect(refusalOf(400, { error: "bad_request", message: "No number", remedy: "Write one", field: "quantity" })).toMatchObject({ title: "bad request", detail: "No number (quantity)", remedy: "Write one" });
    expect(refusalOf(500, null)).toMatchObject({ title: "refused (500)", detail: "The desk gave no further words." });
    expect(refusalOf(502, "<html>")).toMatchObject({ title: "refused (502)" });
  });
});
