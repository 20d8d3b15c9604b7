import { PUBLIC, type Visibility } from "@flock-ts/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact } from "../../blackboard/artifact-type.ts";
import { publicationOf } from "../../runtime/publishing/publication.ts";
import type { Store, Write } from "../store.ts";
import { memoryStore } from "./memory.ts";

const TYPES = ["Idea", "Pizza"].map((name) => artifact(name, z.object({ n: z.number() })));
const READER = { kind: "client", name: "reader" } as const;

/** Artifacts, one after the other, and after each of them which of those before are consumed by a run. */
const history = fc.array(
  fc.record({
    type: fc.constantFrom(...TYPES),
    visibility: fc.constantFrom<Visibility>(PUBLIC, { kind: "tenant", tenant_id: "acme" }),
    consumed: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
  }),
  { maxLength: 20 },
);

describe("a blackboard in memory", () => {
  it("tells the same, whether it is asked all the time or only at the end", async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const ids: string[] = [];
        const asked = memoryStore();
        const silent = memoryStore();
        for (const writes of commitsOf(steps, ids)) {
          for (const store of [asked, silent]) store.commit(writes);
          await toldBy(asked, ids);
        }
        expect(await toldBy(silent, ids)).toEqual(await toldBy(asked, ids));
        const told = await toldBy(silent, ids);
        expect(told.found).toEqual(ids);
        expect([...told.consumptions.values()].flat().length).toBe(
          steps.reduce((sum, { consumed }, n) => sum + consumed.filter((one) => one <= n).length, 0),
        );
      }),
    );
  });
});

type Step = typeof history extends fc.Arbitrary<(infer T)[]> ? T : never;

/** Notes the ids of the artifacts in `ids`. */
function commitsOf(steps: readonly Step[], ids: string[]): Write[][] {
  const artifacts = steps.map(({ type, visibility }, n) =>
    publicationOf(
      type({ n }),
      { producedBy: "external", correlationId: "c", tags: [], visibility: visibility as never },
      n,
      1_000,
    ),
  );
  ids.push(...artifacts.map((publication) => publication.artifact.id));
  return steps.map(({ consumed }, n) => [
    (artifacts[n] as (typeof artifacts)[number]).write,
    ...consumed
      .filter((one) => one <= n)
      .map((one): Write => {
        const { artifact } = artifacts[one] as (typeof artifacts)[number];
        const about = { agentId: "chef", runId: `run ${n}`, consumedAt: artifact.createdAt, visibility: undefined };
        return { kind: "consumption", artifacts: [artifact], ...about };
      }),
  ]);
}

async function toldBy(store: Store, ids: readonly string[]) {
  const found = await Promise.all(ids.map(async (id) => (await store.get(id))?.id));
  return {
    found,
    consumptions: await store.consumptionsOf(ids),
    seenByReader: await store.consumptionsOf(ids, READER),
    byType: await Promise.all(TYPES.map((type) => store.getByType(type, READER))),
    query: await store.query({ types: ["Pizza"] }, READER),
    all: await store.query({ limit: 100 }),
  };
}
