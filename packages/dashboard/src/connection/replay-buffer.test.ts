import type { FlockEvent } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogEntry } from "../timeline/log.ts";
import { ReplayBuffer } from "./replay-buffer.ts";

const event = (seq: number) => ({ type: "streaming_output", content: "x".repeat(seq % 7), seq }) as FlockEvent;

describe("ReplayBuffer", () => {
  const limits = [
    ["entries", 20, undefined],
    ["text", 1_000, 30],
  ] as const;
  it.each(limits)(
    "delivers every entry once and in order, or restarts the reader, with a limit on %s",
    async (_, kept, text) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(fc.constant("ask" as const), fc.nat({ max: 9 }))), async (steps) => {
          const buffer = new ReplayBuffer(kept, text);
          let added = 0;
          let place = 0;
          let seen: LogEntry[] = [];
          let begins = 1;
          const take = async () => {
            const chunk = await buffer.next(place, true);
            if (chunk.restart) seen = [];
            if (seen.length === 0) begins = (chunk.entries[0] as FlockEvent).seq;
            seen.push(...chunk.entries);
            place = chunk.next;
          };
          for (const step of steps) {
            if (step !== "ask") for (let count = 0; count < step; count++) buffer.add(event(++added));
            else if (place < added) await take();
          }
          if (place < added) await take();
          expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => event(begins + index)));
          if (added > 0) expect((seen.at(-1) as FlockEvent).seq).toBe(added);
        }),
      );
    },
  );

  it("answers a current reader when an entry arrives", async () => {
    const buffer = new ReplayBuffer(20);
    buffer.add(event(1));
    const asked = buffer.next(1, true);
    buffer.add(event(2));
    expect(await asked).toMatchObject({ entries: [event(2)], next: 2, restart: null });
  });

  it("reports once that a reader is current, also when the log is empty", async () => {
    const buffer = new ReplayBuffer(20);
    const asked = buffer.next(0, false);
    buffer.isCaughtUp = true;
    expect(await asked).toEqual({ entries: [], next: 0, restart: null, isCurrent: true });
  });

  const newLog = { type: "gap", reason: "epoch", from_seq: 1, to_seq: 0 } as LogEntry;

  it("restarts a reader that has everything when the epoch changes", async () => {
    const buffer = new ReplayBuffer(20);
    for (let seq = 1; seq <= 3; seq++) buffer.add(event(seq));
    const { next } = await buffer.next(0, true);
    const asked = buffer.next(next, true);
    buffer.add(newLog);
    const restarted = await asked;
    expect(restarted).toMatchObject({ entries: [], restart: "new-log" });
    buffer.add(event(1));
    expect(await buffer.next(restarted.next, true)).toMatchObject({ entries: [event(1)], restart: null });
  });

  it("restarts a reader that is behind at the new log, even after the start of it was evicted", async () => {
    const buffer = new ReplayBuffer(5);
    buffer.add(event(1));
    const { next } = await buffer.next(0, true);
    buffer.add(event(2));
    buffer.add(newLog);
    for (let seq = 1; seq <= 20; seq++) buffer.add(event(seq));
    const chunk = await buffer.next(next, true);
    expect(chunk.restart).toBe("new-log");
    expect(chunk.entries.at(-1)).toEqual(event(20));
  });

  it("does not restart a reader that has nothing yet", async () => {
    const buffer = new ReplayBuffer(5);
    buffer.add(event(1));
    buffer.add(newLog);
    buffer.add(event(1));
    expect(await buffer.next(0, false)).toMatchObject({ entries: [event(1)], restart: null });
  });

  it("restarts a reader whose old log was empty", async () => {
    const buffer = new ReplayBuffer(5);
    buffer.isCaughtUp = true;
    const { next } = await buffer.next(0, false);
    expect(next).toBe(0);
    const asked = buffer.next(next, true);
    buffer.add(newLog);
    expect((await asked).restart).toBe("new-log");
  });

  it("delivers gaps in their order among the events", async () => {
    const buffer = new ReplayBuffer(5);
    const gap = { type: "gap", reason: "expired", from_seq: 2, to_seq: 4 } as LogEntry;
    for (const entry of [event(1), gap, event(5)]) buffer.add(entry);
    expect((await buffer.next(0, false)).entries).toEqual([event(1), gap, event(5)]);
  });
});
