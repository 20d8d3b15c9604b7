import type { FlockEvent } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { fileOf, opened } from "../recordings/format.ts";
import { Timeline } from "../timeline/timeline.ts";
import { logOf, nextTask, runEvents, type SessionHarness, sessionHarness, timeOf } from "./fakes.ts";

/** Starts a session and connects it. Resolves when it has everything. */
async function live(events: readonly FlockEvent[] = logOf(5)): Promise<SessionHarness> {
  const harness = sessionHarness(events);
  void harness.session.start();
  await harness.when(({ config }) => config !== null);
  harness.server.connect();
  await harness.when(({ complete, state }) => complete && state.seq === (events.at(-1)?.seq ?? 0));
  return harness;
}

/** An artifact whose payload is large, without taking memory. */
const TEXT = "x".repeat(6_000);
function largeArtifact(seq: number): FlockEvent {
  return {
    seq,
    timestamp: timeOf(seq),
    type: "artifact_published",
    artifact_id: `artifact-${seq}`,
    artifact_type: "Chapter",
    produced_by: "external",
    correlation_id: "c",
    tags: [],
    visibility: { kind: "public" },
    payload: { title: `Chapter ${seq}`, text: TEXT },
  };
}

describe("following the log", () => {
  it("shows nothing as complete before everything has arrived", async () => {
    const { session, store, server, when } = sessionHarness(logOf(5));
    void session.start();
    await when(({ config }) => config !== null);
    expect(session.phase).toBe("loading");
    expect(store.getState().complete).toBe(false);
    server.connect();
    const view = await when(({ complete }) => complete);
    expect(session.phase).toBe("live");
    expect(view).toMatchObject({ first: 1, last: 5, from: 1, oldest: 1, at: null });
  });

  it("processes what arrives once per frame", async () => {
    const { store, server, frames } = await live();
    frames.isManual = true;
    server.publish(...runEvents(6));
    await frames.requested();
    server.publish(...runEvents(8));
    expect(store.getState().last).toBe(5);
    const states = new Set<unknown>();
    store.subscribe(({ state }) => states.add(state));
    frames.paint();
    await frames.requested();
    // The first event has answered the request, the others wait for the next one.
    expect(store.getState().last).toBe(6);
    frames.paint();
    await nextTask();
    expect(store.getState()).toMatchObject({ last: 9, state: { seq: 9 } });
    expect(states.size).toBe(3);
  });

  it("is live at once where the log is empty", async () => {
    const { session, store } = await live([]);
    expect(session.phase).toBe("live");
    expect(store.getState()).toMatchObject({ complete: true, last: 0 });
  });

  it("takes the server's counters where a run began before all known events", async () => {
    const harness = await live();
    harness.server.publishUnseen(runEvents(6)[0] as FlockEvent);
    harness.server.publish(runEvents(6)[1] as FlockEvent);
    const counted = () => harness.server.graph().nodes.find(({ id }) => id === "writer");
    const view = await harness.when(({ state }) => state.agents.get("writer")?.counters.started === 3);
    expect(view.state.agents.get("writer")?.counters).toEqual((counted() as { counters: unknown }).counters);
  });
});

describe("loading older events", () => {
  it("loads older events behind the newest, with the server's counters", async () => {
    const events = logOf(12_001);
    const harness = sessionHarness(events);
    void harness.session.start();
    await harness.when(({ config }) => config !== null);
    harness.server.connect(10_000);
    const early = await harness.when(({ complete }) => complete);
    expect(early.from).toBe(2_002);
    const counters = early.state.agents.get("writer")?.counters;
    expect(counters).toMatchObject({ succeeded: 6_000 });
    harness.server.publish(...runEvents(12_002));
    const view = await harness.when(({ from, log }) => from === 1 && log.length > 12_000);
    expect(view.log.length).toBe(12_003);
    expect(view.state.agents.get("writer")?.counters).toMatchObject({ succeeded: 6_001 });
    expect(harness.session.timeline.at(101).agents.get("writer")?.counters).toMatchObject({ succeeded: 50 });
  });

  it("keeps the newest events where older ones cannot be read", async () => {
    const harness = sessionHarness(logOf(12_001));
    void harness.session.start();
    await harness.when(({ config }) => config !== null);
    harness.server.isReadable = false;
    harness.server.connect(10_000);
    const view = await harness.when(({ complete }) => complete);
    expect(view).toMatchObject({ from: 2_002, last: 12_001 });
  });

  it("reports from where on it is complete when older events are hidden from the viewer", async () => {
    const { store } = await live(logOf(9).slice(4));
    expect(store.getState()).toMatchObject({ first: 5, from: 1, oldest: 1 });
  });
});

describe("time travel", () => {
  it("shows the state and the log at the seq in the address, and nothing that arrives meanwhile", async () => {
    const { store, server, route, when } = await live(logOf(9));
    route.setSeq(4);
    expect(store.getState()).toMatchObject({ at: 4, state: { seq: 4 }, past: null });
    expect(store.getState().log.length).toBe(4);
    server.publish(...runEvents(10));
    const shown = store.getState().state;
    const view = await when(({ last }) => last === 11);
    expect(view.state).toBe(shown);
    route.setSeq(null);
    expect(store.getState()).toMatchObject({ at: null, state: { seq: 11 } });
  });

  it("shows the oldest event that is kept where a link leads to an older one", async () => {
    const harness = sessionHarness(logOf(9).slice(4));
    harness.server.oldest = 5;
    harness.route.setSeq(2);
    void harness.session.start();
    await harness.when(({ config }) => config !== null);
    harness.server.connect();
    const view = await harness.when(({ state }) => state.seq === 5);
    expect(view.notice).toBe("Seq 2 is no longer retained. Showing the oldest seq, 5.");
    expect(view.at).toBe(5);
  });

  describe("to events that the tab does not keep", () => {
    async function long() {
      const events = Array.from({ length: 11_000 }, (_, index) => largeArtifact(index + 1));
      const harness = sessionHarness(events);
      void harness.session.start();
      await harness.when(({ config }) => config !== null);
      harness.server.connect(10_000);
      await harness.when(({ complete }) => complete);
      return harness;
    }

    it("loads a window around the seq, only while the viewer is there (invariant 1)", async () => {
      const { session, store, route, when } = await long();
      expect(store.getState().from).toBeGreaterThan(2_000);
      route.setSeq(500);
      expect(store.getState().isLoading).toBe(true);
      await session.settled();
      const view = store.getState();
      expect(view).toMatchObject({ state: { seq: 500 }, isLoading: false, past: { from: 1 } });
      expect(view.state.artifacts.size).toBe(500);
      expect(session.has(500)).toBe(true);
      expect(session.shownTimeline).not.toBe(session.timeline);
      route.setSeq(10_900);
      expect(session.shownTimeline).toBe(session.timeline);
      expect((await when(({ state }) => state.seq === 10_900)).past).toBeNull();
    });

    it("follows a viewer who navigates while it loads", async () => {
      const { session, store, route } = await long();
      route.setSeq(500);
      route.setSeq(900);
      await session.settled();
      expect(store.getState()).toMatchObject({ at: 900, state: { seq: 900 } });
      route.setSeq(300);
      route.setSeq(null);
      await session.settled();
      expect(store.getState()).toMatchObject({ at: null, state: { seq: 11_000 }, past: null, isLoading: false });
    });

    it("reports why a seq cannot be shown", async () => {
      const { session, store, server, route } = await long();
      server.isReadable = false;
      route.setSeq(500);
      await session.settled();
      expect(store.getState().notice).toBe("Seq 500 cannot be shown: no answer");
      expect(store.getState().isLoading).toBe(false);
    });
  });
});

describe("a lost connection", () => {
  it("catches up, marks the gap and takes the server's counters", async () => {
    const { session, store, server, clock, when } = await live();
    server.setConnection({ status: "waiting", reason: "the connection broke" });
    const brokenAt = clock.now();
    expect(store.getState()).toMatchObject({
      offlineSince: brokenAt,
      breaks: [{ at: brokenAt, reason: "the connection broke" }],
      complete: true,
    });
    clock.advance(60_000);
    server.publishUnseen(...runEvents(6), ...runEvents(8));
    server.setConnection({ status: "catching-up" });
    expect(store.getState().offlineSince).toBeNull();
    server.publish({ type: "gap", reason: "expired", from_seq: 6, to_seq: 9 }, ...runEvents(10, "error"));
    await nextTask();
    expect(session.phase).toBe("catching-up");
    server.setConnection({ status: "live" });
    const view = await when(({ away }) => away !== null);
    expect(session.phase).toBe("live");
    expect(view.gaps).toEqual([{ type: "gap", reason: "expired", from_seq: 6, to_seq: 9 }]);
    expect(view.away).toEqual({ since: 5, failed: 1, ended: 1, artifacts: 0, firstFailure: 11 });
    await when(({ state }) => state.agents.get("writer")?.counters.succeeded === 4);
    session.dismissMissed();
    expect(store.getState().away).toBeNull();
  });

  it("summarizes nothing after a short break", async () => {
    const { server, clock, store, when } = await live();
    server.setConnection({ status: "waiting" });
    clock.advance(1_000);
    server.setConnection({ status: "catching-up" });
    server.publish(...runEvents(6));
    server.setConnection({ status: "live" });
    await when(({ last }) => last === 7);
    expect(store.getState().away).toBeNull();
  });

  it("starts over when the server has a new log (invariants 2 and 3)", async () => {
    const { session, store, server, when } = await live(logOf(9));
    const phases: string[] = [];
    store.subscribe(({ complete }) => phases.push(`${session.phase} ${complete}`));
    const before = session.timeline;
    server.restart("two", ...logOf(3));
    const view = await when(({ complete, last }) => complete && last === 3);
    expect(view.notice).toBe("The server has started a new log. The previous log is no longer available.");
    expect(view).toMatchObject({ first: 1, state: { seq: 3 }, connection: { epoch: "two" }, gaps: [] });
    expect(session.timeline).not.toBe(before);
    expect(phases).toContain("loading false");
    for (const each of phases) expect(each).toMatch(/^(loading false|(live|catching-up) true)$/);
    session.dismissNotice();
    expect(store.getState().notice).toBeNull();
  });
});

describe("an absent viewer", () => {
  it("requests nothing while the tab is hidden, then shows all missed events at once", async () => {
    const { store, server, clock, setHidden, when } = await live();
    setHidden(true);
    clock.advance(1_000);
    server.publish(...runEvents(6));
    await nextTask();
    expect(store.getState().last).toBe(5);
    clock.advance(60_000);
    server.publish(...runEvents(8, "error"));
    const lasts = new Set<number>();
    store.subscribe(({ last }) => lasts.add(last));
    setHidden(false);
    const view = await when(({ away }) => away !== null);
    expect(view.away).toEqual({ since: 5, failed: 1, ended: 2, artifacts: 0, firstFailure: 9 });
    expect([...lasts].filter((last) => last > 5)).toEqual([9]);
  });

  it("receives a summary of what happened since the last visit", async () => {
    const harness = sessionHarness(logOf(9));
    harness.storage.setItem("flock-seen", JSON.stringify({ epoch: "one", seq: 5, at: harness.clock.now() - 60_000 }));
    void harness.session.start();
    await harness.when(({ config }) => config !== null);
    harness.server.connect();
    expect((await harness.when(({ away }) => away !== null)).away).toMatchObject({ since: 5, ended: 2 });
    harness.session.rememberPosition();
    expect(JSON.parse(harness.storage.getItem("flock-seen") as string)).toMatchObject({ epoch: "one", seq: 9 });
  });

  it("stores no position before there is a server", () => {
    const { session, storage } = sessionHarness();
    session.rememberPosition();
    expect(storage.getItem("flock-seen")).toBeNull();
  });
});

describe("an event file", () => {
  function recording() {
    const timeline = new Timeline();
    timeline.append(logOf(7));
    return opened(fileOf(timeline, { from: 1, to: 7, epoch: "recorded" }));
  }

  it("replaces the server's log, and ignores what the server sends", async () => {
    const { session, store, server } = await live(logOf(9));
    const { timeline, head } = recording();
    session.openRecording("evening.ndjson", timeline, head);
    expect(session.phase).toBe("recording");
    expect(store.getState()).toMatchObject({ file: "evening.ndjson", complete: true, first: 1, last: 7 });
    server.publish(...runEvents(10));
    await nextTask();
    expect(store.getState()).toMatchObject({ last: 7, state: { seq: 7 } });
    await expect(session.call("ping", undefined as never)).rejects.toThrow(/an event file is open/);
  });

  it("stays open when the server answers later", async () => {
    const { session, store, server, route } = sessionHarness(logOf(9));
    const started = session.start();
    const { timeline, head } = recording();
    session.openRecording("evening.ndjson", timeline, head);
    await started;
    server.connect();
    expect(store.getState()).toMatchObject({ config: null, file: "evening.ndjson", last: 7 });
    route.setSeq(3);
    expect(store.getState().state.seq).toBe(3);
    expect(server.pagesAfter).toEqual([]);
  });
});
