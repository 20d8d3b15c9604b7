import type { FlockEvent } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Entry, ReplayBuffer } from "./replay-buffer.ts";

const event = (seq: number) => ({ type: "streaming_output", content: "x".repeat(seq % 7), seq }) as FlockEvent;

describe("each tab is a place in the same log", () => {
  const limits = [
    ["many", 20, undefined],
    ["large", 1_000, 30],
  ] as const;
  it.each(limits)(
    "is given everything once and in order, or told to begin anew, if there are %s",
    async (_, kept, text) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(fc.constant("ask" as const), fc.nat({ max: 9 }))), async (steps) => {
          const retained = new ReplayBuffer(kept, text);
          let added = 0;
          let place = 0;
          let seen: Entry[] = [];
          let begins = 1;
          const take = async () => {
            const stretch = await retained.next(place, true);
            if (stretch.restarts) seen = [];
            if (seen.length === 0) begins = (stretch.entries[0] as FlockEvent).seq;
            seen.push(...stretch.entries);
            place = stretch.next;
          };
          for (const step of steps) {
            if (step !== "ask") for (let count = 0; count < step; count++) retained.add(event(++added));
            else if (place < added) await take();
          }
          if (place < added) await take();
          expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => event(begins + index)));
          if (added > 0) expect((seen.at(-1) as FlockEvent).seq).toBe(added);
        }),
      );
    },
  );

  it("a tab that has everything is answered when something comes", async () => {
    const retained = new ReplayBuffer(20);
    retained.add(event(1));
    const asked = retained.next(1, true);
    retained.add(event(2));
    expect(await asked).toMatchObject({ entries: [event(2)], next: 2, restarts: false });
  });

  it("a tab is told once that it is current, also when there is nothing to tell", async () => {
    const retained = new ReplayBuffer(20);
    const asked = retained.next(0, false);
    retained.isCaughtUp = true;
    expect(await asked).toEqual({ entries: [], next: 0, restarts: false, isCurrent: true });
  });
});
