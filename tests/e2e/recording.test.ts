import { connect } from "@flock-ts/client";
import type { FlockEvent } from "@flock-ts/protocol";
import { emptyState, reduceAll } from "@flock-ts/protocol";
import { type Flock, visibility } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { fakeClock, readRecording, record, serveRecording } from "flock-ts/testing";
import { describe, expect, it, vi } from "vitest";
import { fileOf, opened } from "../../packages/dashboard/src/recordings/format.ts";
import { Timeline } from "../../packages/dashboard/src/timeline/timeline.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";

/** Creates a flock with some events, one second between two orders. */
async function evening(): Promise<Flock> {
  const clock = fakeClock();
  const flock = pizzeria({ clock });
  for (const description of ["truffle", "basil", "onion"]) {
    await flock.publish(Idea({ description }));
    await flock.runUntilIdle();
    await clock.advance(1_000);
  }
  return flock;
}

/** Returns what the official client receives, up to a number of events. */
async function heard(url: string, last: number, options: object = {}): Promise<FlockEvent[]> {
  const events: FlockEvent[] = [];
  const client = connect(url, { since: 0, ...options });
  client.on("event", (event) => void events.push(event));
  await vi.waitFor(() => expect(events.at(-1)?.seq).toBe(last), { timeout: 10_000 });
  client.close();
  return events;
}

describe("recording", () => {
  it("is unchanged after a round trip through a file", async () => {
    await using flock = await evening();
    const recording = await record(flock);
    const read = readRecording(String(recording));
    expect(read).toEqual(recording);
    expect(recording.head).toMatchObject({ from_seq: 1, to_seq: flock.log.head, epoch: flock.log.epoch });
    expect(reduceAll(emptyState(), [...read]).agents).toEqual(read.state().agents);
    await expect(record(flock, { from: flock.log.head + 1 })).rejects.toThrow(/no events in that range/);
    expect(() => readRecording("rubbish")).toThrow("line 1 is not JSON");
    expect(() => readRecording("null")).toThrow("line 1 is not an event");
  });

  it("opens in the dashboard, and opens files that the dashboard saved", async () => {
    await using flock = await evening();
    const whole = await record(flock);
    const half = await record(flock, { from: Math.floor(flock.log.head / 2) });
    for (const recording of [whole, half]) {
      const { timeline } = opened(String(recording));
      expect(timeline.last).toBe(flock.log.head);
      // Counted from before the first event of the file.
      expect(timeline.head.agents).toEqual(whole.state().agents);
    }
    const timeline = new Timeline();
    timeline.append(whole.events);
    const { from_seq, to_seq, epoch } = half.head;
    const saved = readRecording(fileOf(timeline, { from: from_seq, to: to_seq, epoch }));
    expect(saved.events).toEqual(half.events);
    expect(saved.head).toMatchObject({ from_seq, to_seq, epoch });
    expect(saved.head.graph.nodes).toEqual(half.head.graph.nodes);
  });
});

describe("served recording", () => {
  it("sends every event once and in order, also for a range, a file with gaps, and with a filter", async () => {
    await using flock = await evening();
    const { head } = flock.log;
    const half = await record(flock, { from: Math.floor(head / 2) });
    const holes = readRecording(
      half.events
        .filter(({ seq }) => seq === head || seq % 3 > 0)
        .map((event) => JSON.stringify(event))
        .join("\n"),
    );
    for (const recording of [await record(flock), half, holes]) {
      await using server = await serveRecording(recording);
      await server.finished;
      expect(await heard(server.url, head)).toEqual(recording.events);
    }
    await using server = await serveRecording(half);
    const wanted = half.events.filter(({ type }) => type === "agent_execution_completed");
    const filter = { types: ["agent_execution_completed"] };
    expect(await heard(server.url, wanted.at(-1)?.seq ?? 0, { filter })).toEqual(wanted);
  });

  it("keeps the original pace and rejects changes", async () => {
    await using flock = await evening();
    const recording = await record(flock);
    const clock = fakeClock();
    await using server = await serveRecording(recording, { speed: 2, clock });
    const events: FlockEvent[] = [];
    const client = connect(server.url, { since: 0 });
    client.on("event", (event) => void events.push(event));
    const begun = Date.parse(recording.events[0]?.timestamp ?? "");
    for (const passed of [0, 500, 1_000]) {
      const due = recording.events.filter(({ timestamp }) => Date.parse(timestamp) - begun <= passed * 2);
      await vi.waitFor(() => expect(events).toEqual(due), { timeout: 10_000 });
      await clock.advance(500);
    }
    await server.finished;
    await expect(client.publish({ artifact_type: "PizzaIdea", payload: {} })).rejects.toThrow(
      /the server replays a recording/,
    );
    expect((await client.graph()).nodes.length).toBeGreaterThan(1);
    client.close();
  });
});

describe("recording a running server", () => {
  it("gives the events so far, like its flock", async () => {
    await using flock = await evening();
    const { url } = await flock.serve({ port: 0, components: [new WebSocketServerComponent()] });
    const whole = await record(flock);
    for (const address of [url, new URL(url), `${url}/plugin/ws`, url.replace("http", "ws")]) {
      expect(await record(address)).toEqual(whole);
    }
    const range = { from: 5, to: 15, filter: { types: ["artifact_published" as const] } };
    const part = await record(url, range);
    expect(part).toEqual(await record(flock, range));
    expect(part.events.length).toBeGreaterThan(0);
    expect(new Set(part.events.map(({ type }) => type))).toEqual(new Set(["artifact_published"]));
    expect(readRecording(String(part))).toEqual(part);
    expect(part.head.graph.nodes).toEqual((await record(flock, { from: 5 })).head.graph.nodes);
    await expect(record(url, { from: flock.log.head + 1 })).rejects.toThrow(/no event matches/);
  });

  it("gives new events until the condition is met", async () => {
    await using flock = await evening();
    const { url } = await flock.serve({ port: 0, components: [new WebSocketServerComponent()] });
    const before = flock.log.head;
    let seen = 0;
    const until = ({ type }: FlockEvent) => type === "agent_execution_completed" && ++seen === 2;
    const stop = new AbortController();
    let last = 0;
    const recordings = [
      record(url, { from: before + 1, until }),
      record(url, { from: before + 1, to: before + 3 }),
      record(url, { from: before + 1, signal: stop.signal, until: ({ seq }) => (last = seq) < 0 }),
    ];
    for (const description of ["figs", "rocket", "olives"]) await flock.publish(Idea({ description }));
    await flock.runUntilIdle();
    const [untilTwo, three] = await Promise.all(recordings.slice(0, 2));
    const ends = untilTwo?.events.filter(({ type }) => type === "agent_execution_completed");
    expect(ends).toHaveLength(2);
    expect(untilTwo?.events.at(-1)).toEqual(ends?.at(-1));
    expect(untilTwo?.events.map(({ seq }) => seq)).toEqual(untilTwo?.events.map((_, n) => before + 1 + n));
    expect(three?.events.map(({ seq }) => seq)).toEqual([before + 1, before + 2, before + 3]);
    await vi.waitFor(() => expect(last).toBe(flock.log.head), { timeout: 20_000 });
    stop.abort();
    expect(await recordings[2]).toEqual(await record(flock, { from: before + 1 }));
    // Also when more events exist already and arrive in the same batch.
    seen = 0;
    expect(await record(url, { from: before + 1, until })).toEqual(untilTwo);
  });

  it("continues after a disconnect, but not in another log", async () => {
    const clock = fakeClock();
    await using flock = pizzeria({ clock });
    const components = () => [new WebSocketServerComponent()];
    const first = await flock.serve({ port: 0, components: components() });
    await flock.publish(Idea({ description: "truffle" }));
    await flock.runUntilIdle();
    const stop = new AbortController();
    const seen: number[] = [];
    const until = ({ seq }: FlockEvent) => seen.push(seq) < 0;
    const recording = record(first.url, { until, signal: stop.signal });
    await vi.waitFor(() => expect(seen.at(-1)).toBe(flock.log.head), { timeout: 20_000 });
    await first.close();
    await flock.publish(Idea({ description: "basil" }));
    await flock.runUntilIdle();
    const again = await flock.serve({ port: first.port, components: components() });
    await vi.waitFor(() => expect(seen.at(-1)).toBe(flock.log.head), { timeout: 30_000 });
    stop.abort();
    expect(await recording).toEqual(await record(flock));
    seen.length = 0;
    const broken = record(first.url, { until });
    broken.catch(() => {});
    await vi.waitFor(() => expect(seen.at(-1)).toBe(flock.log.head), { timeout: 20_000 });
    await again.close();
    await using other = await evening();
    await other.serve({ port: first.port, components: components() });
    await expect(broken).rejects.toMatchObject({
      code: "recording_broken",
      message: expect.stringMatching(/started a new log/),
    });
  });

  it("uses the given headers and contains only what that principal may see", async () => {
    await using flock = pizzeria();
    const { url } = await flock.serve({
      port: 0,
      components: [new WebSocketServerComponent()],
      principal: ({ headers }) => {
        if (headers.authorization === "owner") return { kind: "owner" };
        return headers.authorization === "guest" ? { kind: "client", name: "guest" } : undefined;
      },
    });
    await flock.publish(Idea({ description: "truffle" }));
    await flock.publish(Idea({ description: "hidden" }), { visibility: visibility.labelled("kitchen") });
    await flock.runUntilIdle();
    const as = async (authorization: string) => String(await record(url, { headers: { authorization } }));
    expect(await as("owner")).toBe(String(await record(flock)));
    expect(await as("guest")).toContain("truffle");
    expect(await as("guest")).not.toContain("hidden");
    await expect(record(url)).rejects.toMatchObject({ code: "recording_broken" });
  });

  it("rejects an address without a server and unknown options", async () => {
    await expect(record("http://127.0.0.1:1")).rejects.toThrow(/Failed to record `.*127\.0\.0\.1:1/);
    await expect(record("http://127.0.0.1:1", { since: 3 } as object)).rejects.toThrow(/since/);
  });
});
