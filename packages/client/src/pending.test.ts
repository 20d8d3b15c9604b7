import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FlockClientError } from "./errors.ts";
import { PendingCommands } from "./pending.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Commands over a connection that is ready or not. */
function setUp({ ready = true } = {}) {
  const sent: Record<string, unknown>[] = [];
  const link = {
    isReady: ready,
    maxMessageBytes: 200,
    sent,
    send: (text: string) => void sent.push(JSON.parse(text)),
  };
  const pending = new PendingCommands(link, 1_000);
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
    link.isReady = true;
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
    link.isReady = false;
    void pending.request({ type: "invoke", agent_id: "unsent" });
    pending.disconnected();
    await expect(sent).rejects.toMatchObject({ code: "connection_lost" });
    link.isReady = true;
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

  it("rejects a message that is too big for the server before it is sent, with its size and the limit", async () => {
    const { link, pending, reply } = setUp({ ready: false });
    const message = { type: "publish", payload: "ä".repeat(100) };
    const bytes = Buffer.byteLength(JSON.stringify({ ...message, id: 1 }));
    const big = pending.request(message);
    const small = pending.request({ type: "ping" });
    link.isReady = true;
    pending.flush();
    await expect(big).rejects.toMatchObject({
      code: "message_too_big",
      message: `Command \`publish\` failed: the message has ${bytes} bytes, and the limit is 200 bytes. Send less.`,
    });
    await expect(pending.request({ type: "graph", x: "x".repeat(200) })).rejects.toMatchObject({
      code: "message_too_big",
    });
    reply(2);
    await small;
    expect(link.sent.map(({ type }) => type)).toEqual(["ping"]);
  });

  it("rejects the largest message if a connection was closed for a message's size, and repeats the others", async () => {
    const { link, pending } = setUp();
    void pending.request({ type: "publish", payload: "small" });
    const big = pending.request({ type: "publish", payload: "x".repeat(99) });
    void pending.request({ type: "ping" });
    pending.disconnected(true);
    await expect(big).rejects.toMatchObject({ code: "message_too_big" });
    link.sent.length = 0;
    pending.flush();
    expect(link.sent.map(({ id }) => id)).toEqual([1, 3]);
  });

  it("rejects only the command that JSON cannot express", async () => {
    const { link, pending } = setUp({ ready: false });
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const failures = await Promise.allSettled([
      pending.request({ type: "publish", payload: 1n }),
      pending.request({ type: "publish", payload: cycle }),
    ]);
    for (const failure of failures) {
      expect(failure).toMatchObject({
        reason: {
          code: "invalid_message",
          message: expect.stringMatching(/^Command `publish` failed: `payload/),
        },
      });
    }
    void pending.request({ type: "ping" });
    link.isReady = true;
    pending.flush();
    expect(link.sent.map(({ type }) => type)).toEqual(["ping"]);
  });

  it("repeats what was requested, even if the caller has changed it since", () => {
    const { link, pending } = setUp();
    const payload = { text: "before" };
    void pending.request({ type: "publish", payload });
    payload.text = "after";
    pending.disconnected();
    pending.flush();
    expect(link.sent.map((message) => message.payload)).toEqual([{ text: "before" }, { text: "before" }]);
  });

  it("calls onSuccess with a reply after the timeout, and does not repeat the command then", async () => {
    const { link, pending, reply } = setUp();
    const applied = vi.fn();
    const late = pending.request({ type: "subscribe" }, applied);
    const never = pending.request({ type: "subscribe" }, applied);
    vi.advanceTimersByTime(1_000);
    for (const one of [late, never]) await expect(one).rejects.toMatchObject({ code: "timeout" });
    reply(1);
    expect(applied).toHaveBeenCalledOnce();
    pending.disconnected();
    link.sent.length = 0;
    pending.flush();
    expect(link.sent).toEqual([]);
  });

  it("waits for a timeout that no timer can hold", async () => {
    const link = { isReady: false, maxMessageBytes: 200, send: () => {} };
    const settled = vi.fn();
    new PendingCommands(link, Number.POSITIVE_INFINITY).request({ type: "ping" }).then(settled, settled);
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(settled).not.toHaveBeenCalled();
  });

  it("rejects all commands with `closed`, also later ones, and leaves no timer", async () => {
    const { link, pending } = setUp();
    const before = pending.request({ type: "ping" });
    pending.close("not allowed");
    link.isReady = false;
    const after = pending.request({ type: "ping" });
    for (const one of [before, after]) {
      await expect(one).rejects.toMatchObject({ code: "closed", message: "not allowed" });
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});
