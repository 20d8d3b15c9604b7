// @vitest-environment happy-dom
import { INITIAL_STATE } from "@flock-ts/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NameInterner } from "../timeline/name-interner.ts";
import type { Feed, ToWorker } from "./feed.ts";
import { openFeed } from "./shared-feed.ts";

/** What the tab has sent to its worker. */
let sent: ToWorker[] = [];
let answer: (message: object) => void = () => {};

/** A worker that the test plays. It answers `join` only. */
class PlayedWorker {
  readonly port = {
    onmessage: (_: { data: unknown }) => {},
    postMessage: (message: ToWorker) => {
      sent.push(structuredClone(message));
      if (message.type === "join") answer({ type: "connection", state: INITIAL_STATE });
    },
  };
  onerror = () => {};

  constructor() {
    answer = (data) => this.port.onmessage({ data });
  }
}

beforeEach(() => {
  sent = [];
  vi.stubGlobal("SharedWorker", PlayedWorker);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a feed that tabs share", () => {
  const join = (): Promise<Feed> => openFeed("ws://h/ws", new NameInterner());

  it.for(["pageshow", "online", "visibilitychange"])("lets the worker retry at once on %s", async (type) => {
    await join();
    const retries = () => sent.filter((message) => message.type === "retry").length;
    const before = retries();
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    const emit = () => (type === "visibilitychange" ? document : window).dispatchEvent(new Event(type));
    emit();
    expect(retries()).toBe(before);
    hidden.mockReturnValue(false);
    emit();
    expect(retries()).toBeGreaterThan(before);
  });

  it("rejects a command that the worker never answers", async () => {
    const feed = await join();
    const settled = vi.fn();
    feed.call("ping", undefined as never).then(settled, settled);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(settled).toHaveBeenCalledWith(expect.objectContaining({ code: "timeout" }));
  });

  it("rejects a command that cannot be sent to the worker, and leaves no timer", async () => {
    const feed = await join();
    const before = vi.getTimerCount();
    const call = feed.call("publish", { artifact_type: "A", payload: () => {} });
    await expect(call).rejects.toThrow();
    expect(vi.getTimerCount()).toBe(before);
  });

  it("settles commands with the worker's answers", async () => {
    const feed = await join();
    const ok = feed.call("ping", undefined as never);
    const failed = feed.call("publish", { artifact_type: "A", payload: 1 });
    answer({ type: "answer", id: 1, result: { seq: 4 } });
    answer({ type: "refusal", id: 2, error: { code: "unknown_artifact_type", message: "no", issues: [] } });
    expect(await ok).toEqual({ seq: 4 });
    await expect(failed).rejects.toMatchObject({ code: "unknown_artifact_type", message: "no" });
    expect(vi.getTimerCount()).toBe(0);
  });
});
