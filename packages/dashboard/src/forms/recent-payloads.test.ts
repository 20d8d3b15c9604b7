import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecentPayloads } from "./recent-payloads.ts";

function storage(limit = Number.POSITIVE_INFINITY) {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (value.length > limit) throw new DOMException("full", "QuotaExceededError");
      kept.set(key, value);
    },
  };
}

const at = "2026-01-01T00:00:00.000Z";

describe("recent payloads", () => {
  it("keeps the newest eight of each type without duplicates, newest first", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("Idea", "Pizza"), fc.nat(12))), (list) => {
        const recent = new RecentPayloads(storage());
        for (const [type, payload] of list) recent.add(type, { payload, tags: [], at });
        for (const type of ["Idea", "Pizza"]) {
          const newest = list
            .filter((one) => one[0] === type)
            .map((one) => one[1])
            .reverse();
          expect(recent.of(type).map(({ payload }) => payload)).toEqual([...new Set(newest)].slice(0, 8));
        }
      }),
    );
  });

  it("evicts the oldest to limit the total size", () => {
    const kept = storage();
    const recent = new RecentPayloads(kept);
    for (let n = 0; n < 6; n++) recent.add("Idea", { payload: `${n}${"x".repeat(90_000)}`, tags: [], at });
    expect(recent.of("Idea").map(({ payload }) => (payload as string)[0])).toEqual(["5", "4", "3"]);
    expect(kept.kept.get("flock-recent-payloads")?.length).toBeLessThanOrEqual(300_000);
    recent.add("Idea", { payload: "x".repeat(400_000), tags: [], at });
    expect(recent.of("Idea")).toHaveLength(3);
  });

  it("ignores invalid data, a full storage and a missing storage", () => {
    const rubbish = storage();
    rubbish.setItem("flock-recent-payloads", '[1, null, {"type": 1}, "x"]');
    expect(new RecentPayloads(rubbish).of("Idea")).toEqual([]);
    rubbish.setItem("flock-recent-payloads", "{");
    expect(new RecentPayloads(rubbish).of("Idea")).toEqual([]);
    const full = new RecentPayloads(storage(10));
    full.add("Idea", { payload: 1, tags: [], at });
    expect(full.of("Idea")).toEqual([]);
    const none = {
      getItem: () => {
        throw new DOMException("denied", "SecurityError");
      },
      setItem: () => {},
    };
    expect(new RecentPayloads(none).of("Idea")).toEqual([]);
  });
});
