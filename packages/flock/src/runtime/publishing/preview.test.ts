import { OWNER } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { eventsOf } from "../../../../../tests/support/events.ts";
import { artifact } from "../../blackboard/artifact-type.ts";
import { Flock } from "../../flock.ts";

const payload = z.object({ n: z.int() });
const A = artifact("A", payload);
const B = artifact("B", payload);
const nothing = () => undefined;
const throws = () => {
  throw new Error("no");
};

/** Creates one agent of each kind of gate. */
function kitchen(): Flock {
  const flock = new Flock();
  flock.agent("single").consumes(A).run(nothing);
  flock
    .agent("tagged")
    .consumes(A, { tags: ["hot"] })
    .run(nothing);
  flock
    .agent("picky")
    .consumes(A, { where: ({ payload }) => payload.n > 2 })
    .run(nothing);
  flock.agent("either").consumes(A).consumes(B).run(nothing);
  flock.agent("both").consumes(A, B).run(nothing);
  flock
    .agent("joined")
    .consumes(A, B, B, { join: { by: "correlation" } })
    .run(nothing);
  flock
    .agent("near")
    .consumes(A, B, { join: { by: ({ payload }) => String(payload.n), within: { artifacts: 4 } } })
    .run(nothing);
  flock
    .agent("batched")
    .consumes(A, { batch: { size: 3 } })
    .run(nothing);
  flock
    .agent("agreed")
    .consumes(A, B, { whereGroup: ({ A, B }) => A.n === B.n })
    .run(nothing);
  flock.agent("broken").consumes(B, { where: throws }).run(nothing);
  flock.agent("narrow").consumes(A, B, { maxWaiting: 2 }).run(nothing);
  return flock;
}

const request = fc.record({
  artifact_type: fc.constantFrom("A", "B"),
  payload: fc.record({ n: fc.nat(4) }),
  tags: fc.constantFrom<string[]>([], ["hot"]),
  correlation_id: fc.constantFrom("x", "y"),
});

describe("preview", () => {
  it("predicts triggered agents and gate progress of a publish, and changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 12 }), async (requests) => {
        await using flock = kitchen();
        for (const one of requests) {
          await flock.runUntilIdle();
          const before = { agents: flock.agents(), stats: flock.stats() };
          const preview = await flock.wire.preview(one, OWNER);
          expect(await flock.wire.preview(one, OWNER)).toEqual(preview);
          await flock.runUntilIdle();
          expect({ agents: flock.agents(), stats: flock.stats() }).toEqual(before);
          const { head } = flock.log;
          const { result } = await flock.wire.publish(one, OWNER);
          expect(new Set(preview.triggered_agents)).toEqual(new Set(result.triggered_agents));
          for (const { agent_id, wakes, collected, required, missing } of preview.gates) {
            const progress = eventsOf(flock, "gate_progress")
              .filter((event) => event.seq > head && event.agent_id === agent_id)
              .map(({ collected, required }) => ({ collected, required }));
            if (progress.length > 0) expect(progress).toContainEqual({ collected, required });
            expect(Object.keys(missing).length === 0).toBe(wakes);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("explains why a subscription rejects the artifact", async () => {
    await using flock = kitchen();
    const reasons = async (type: string) => {
      const { excluded } = await flock.wire.preview({ artifact_type: type, payload: { n: 1 } }, OWNER);
      return Object.fromEntries(excluded.map(({ agent_id, reason }) => [agent_id, reason]));
    };
    expect(await reasons("A")).toEqual({ tagged: "tags", picky: "condition" });
    expect(await reasons("B")).toEqual({ broken: "error" });
  });

  it("reports what a gate would wait for, in the workflow of the artifact", async () => {
    await using flock = kitchen();
    await flock.publish(B({ n: 1 }), { correlationId: "x" });
    const joined = async (correlation_id: string) => {
      const { gates } = await flock.wire.preview({ artifact_type: "A", payload: { n: 1 }, correlation_id }, OWNER);
      return gates.find(({ agent_id }) => agent_id === "joined");
    };
    expect(await joined("x")).toMatchObject({ wakes: false, key: "x", missing: { B: 1 } });
    expect(await joined("y")).toMatchObject({ wakes: false, key: "y", missing: { B: 2 } });
  });

  it("rejects what a publish would reject", async () => {
    await using flock = kitchen();
    await expect(flock.wire.preview({ artifact_type: "A", payload: { n: "many" } }, OWNER)).rejects.toMatchObject({
      code: "invalid_payload",
      issues: [{ path: ["n"] }],
    });
    await expect(flock.wire.preview({ artifact_type: "C", payload: {} }, OWNER)).rejects.toMatchObject({
      code: "unknown_artifact_type",
    });
  });
});
