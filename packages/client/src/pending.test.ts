import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FlockClientError } from "./errors.ts";
import { PendingCommands } from "./pending.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Commands over a connection that is ready or not. */
function setUp({ ready = true } = {}) {
  const link = { ready, sent: [] as Record<string, unknown>[] };
  const pending = new PendingCommands((message) => {
    if (link.ready) link.sent.push(message as Record<string, unknown>);
    return link.ready;
  }, 1_000);
  const reply = (id: number, more: object = { ok: true }) =>
    pending.settle({ type: "reply", id, seq: 5, ok: true, ...more });
  return { link, pending, reply };
}

describe("PendingCommands", () => {
  it("sends a command with an id, and resolves to the result with the seq of its reply", async () => {
    const { link, pending, reply } = setUp();
    const first = pending.request({ type: "ping" });
    const second = pending.request({ type: "graph" });
    expect(link.sent).toEqual([
      { id: 1, type: "ping" },
      { id: 2, type: "graph" },
    ]);
    reply(2, { ok: true, result: { nodes: [] } });
    reply(1);
    expect(await second).toEqual({ nodes: [], seq: 5 });
    expect(await first).toEqual({ seq: 5 });
  });

  it("rejects with the server's error, or `internal` without one", async () => {
    const { pending, reply } = setUp();
    const failures = [pending.request({ type: "a" }), pending.request({ type: "b" })];
    const issues = [{ path: ["x"], message: "no" }];
    reply(1, { ok: false, error: { code: "invalid_payload", message: "x: no", issues } });
    reply(2, { ok: false });
    const [first, second] = await Promise.allSettled(failures);
    expect(first).toMatchObject({ reason: { code: "invalid_payload", message: "x: no", issues } });
    expect(second).toMatchObject({ reason: { code: "internal", issues: [] } });
    expect((first as PromiseRejectedResult).reason).toBeInstanceOf(FlockClientError);
  });

  it("holds commands until a connection is ready, and sends each once per connection", () => {
    const { link, pending } = setUp({ ready: false });
    void pending.request({ type: "a" });
    void pending.request({ type: "b" });
    expect(link.sent).toEqual([]);
    link.ready = true;
    pending.flush();
    pending.flush();
    expect(link.sent.map(({ type }) => type)).toEqual(["a", "b"]);
  });

  it("sends a command again after a lost connection, under the same id", async () => {
    const { link, pending, reply } = setUp();
    const publish = pending.request({ type: "publish", idempotency_key: "k" });
    pending.disconnected();
    pending.flush();
    expect(link.sent).toEqual(Array(2).fill({ id: 1, type: "publish", idempotency_key: "k" }));
    reply(1);
    await publish;
  });

  it("rejects an invoke that was sent with `connection_lost`, and keeps one that was not", async () => {
    const { link, pending } = setUp();
    const sent = pending.request({ type: "invoke" });
    link.ready = false;
    void pending.request({ type: "invoke", agent_id: "unsent" });
    pending.disconnected();
    await expect(sent).rejects.toMatchObject({ code: "connection_lost" });
    link.ready = true;
    pending.flush();
    expect(link.sent.at(-1)).toMatchObject({ agent_id: "unsent" });
  });

  it("rejects with `timeout` exactly at the limit, and ignores a later reply", async () => {
    const { pending, reply } = setUp({ ready: false });
    let failure: unknown;
    pending.request({ type: "ping" }).catch((error: unknown) => (failure = error));
    await vi.advanceTimersByTimeAsync(999);
    expect(failure).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(failure).toMatchObject({
      code: "timeout",
      message: "Command `ping` failed: no reply within 1000 ms.",
    });
    reply(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("rejects all commands with `closed`, also later ones, and leaves no timer", async () => {
    const { link, pending } = setUp();
    const before = pending.request({ type: "ping" });
    pending.close("not allowed");
    link.ready = false;
    const after = pending.request({ type: "ping" });
    for (const one of [before, after]) {
      await expect(one).rejects.toMatchObject({ code: "closed", message: "not allowed" });
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});
