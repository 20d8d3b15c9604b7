import { connect } from "@flock/client";
import type { FlockEvent } from "@flock/protocol";
import { emptyState, reduceAll } from "@flock/protocol";
import type { Flock } from "flock";
import { fakeClock, readRecording, record, serveRecording } from "flock/testing";
import { describe, expect, it, vi } from "vitest";
import { fileOf, opened } from "../../packages/dashboard/src/live/file.ts";
import { Timeline } from "../../packages/dashboard/src/live/timeline.ts";
import { Idea, pizzeria } from "../support/pizzeria.ts";

/** A flock that has done something, with a second between two orders. */
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

/** What the official client is given, until it has so much. */
async function heard(url: string, last: number, options: object = {}): Promise<FlockEvent[]> {
  const events: FlockEvent[] = [];
  const client = connect(url, { since: 0, ...options });
  client.on("event", (event) => void events.push(event));
  await vi.waitFor(() => expect(events.at(-1)?.seq).toBe(last), { timeout: 10_000 });
  client.close();
  return events;
}

describe("a recording is the same events again", () => {
  it("after a way through a file", async () => {
    await using flock = await evening();
    const recording = await record(flock);
    const read = readRecording(String(recording));
    expect(read).toEqual(recording);
    expect(recording.head).toMatchObject({ from_seq: 1, to_seq: flock.log.head, epoch: flock.log.epoch });
    expect(reduceAll(emptyState(), [...read]).agents).toEqual(read.state().agents);
    await expect(record(flock, { from: flock.log.head + 1 })).rejects.toThrow(/no event is kept in that range/);
    expect(() => readRecording("rubbish")).toThrow("line 1 is not JSON");
    expect(() => readRecording("null")).toThrow("line 1 is not an event");
  });

  it("the dashboard opens it, and what the dashboard saves is read here", async () => {
    await using flock = await evening();
    const whole = await record(flock);
    const half = await record(flock, { from: Math.floor(flock.log.head / 2) });
    for (const recording of [whole, half]) {
      const { timeline } = opened(String(recording));
      expect(timeline.last).toBe(flock.log.head);
      // Counted from before the first event of the file on.
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

describe("a served recording is to the official client what the flock was", () => {
  it("every event once and in order, also of a range, of a file with holes, and with a filter", async () => {
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

  it("in its own time, and refuses what would change something", async () => {
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
    await expect(client.publish({ artifact_type: "PizzaIdea", payload: {} })).rejects.toThrow(/this is a recording/);
    expect((await client.graph()).nodes.length).toBeGreaterThan(1);
    client.close();
  });
});
