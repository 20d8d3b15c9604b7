import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Principal, settleVisibility, type Visibility } from "@flock-ts/protocol";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { systemClock } from "../../core/clock.ts";
import { eventWrite } from "../event-write.ts";
import { memoryStore } from "../memory/store.ts";
import type { ArtifactQuery, EventWrite, StoreSession } from "../store.ts";
import { artifactQuery, cursorAfter } from "./artifact-rows.ts";
import { defineMaySee } from "./may-see.ts";
import { MIGRATIONS } from "./schema.ts";
import { sqliteStore } from "./store.ts";

const DAY = 24 * 3_600_000;
const EPOCH = Date.UTC(2026, 0, 1);
const day = (n: number) => new Date(EPOCH + n * DAY);

describe("the thousandth page of artifacts costs what the first one does", () => {
  const queries: Record<string, ArtifactQuery> = {
    everything: {},
    "one type": { types: ["A"] },
    "several types": { types: ["A", "B", "C", "B"] },
    "one producer": { producedBy: ["p"] },
    "several producers": { producedBy: ["p", "q"] },
    "several types and producers": { types: ["A", "B"], producedBy: ["p", "q"] },
    "a workflow": { correlationId: "c" },
    "a workflow's artifacts of several types": { correlationId: "c", types: ["A", "B"] },
    "a tag": { tags: ["t"] },
    "several tags": { tags: ["t", "u", "v"] },
    "a tag and a type": { tags: ["t"], types: ["A"] },
    "a time": { start: day(1), end: day(2) },
    "a time and several types": { start: day(1), types: ["A", "B"] },
    "a visibility": { visibility: ["public"] },
    "more types than are looked up one by one": { types: Array.from({ length: 101 }, (_, n) => `T${n}`) },
    "all of it": {
      types: ["A", "B"],
      producedBy: ["p", "q"],
      correlationId: "c",
      tags: ["t", "u"],
      visibility: ["public"],
      start: day(1),
      end: day(2),
    },
  };
  const db = new DatabaseSync(":memory:");
  for (const step of MIGRATIONS) db.exec(step);
  defineMaySee(db);
  const askers: Principal[] = [{ kind: "owner" }, { kind: "client", name: "c", labels: ["x"] }];
  const asked = Object.entries(queries).flatMap(([name, query]) => askers.map((as) => [name, as, query] as const));

  it.for(asked)("%s, for %o: read in the order of an index, and nothing is sorted", ([, as, query]) => {
    const found = { total: 9_000, oldest: 10, newest: 9_900 };
    const { page } = artifactQuery({ ...query, cursor: cursorAfter(5_000, found) }, as);
    const { sql, values } = page(found);
    expect(sql.includes("may_see")).toBe(as.kind !== "owner");
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[];
    const details = plan.map(({ detail }) => detail);
    expect(details.join("\n")).not.toMatch(/TEMP B-TREE|LIST SUBQUERY|SCAN artifacts|SCAN artifact_tags/);
    const artifacts = details.filter((detail) => /(SEARCH|SCAN) artifact/.test(detail));
    expect(artifacts.length).toBeGreaterThan(0);
    // A page starts at the seq where the previous one ended, in each index.
    expect(artifacts[0]).toMatch(/USING .*(rowid[<>]\?|artifact_seq[<>]\?)/);
  });
});

describe("artifacts are found in a file as they are in memory", () => {
  const some = <T>(...values: T[]) => fc.array(fc.constantFrom(...values), { maxLength: 3 });
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
  const written = fc.record({
    type: fc.constantFrom("A", "B", "C"),
    producedBy: fc.constantFrom("p", "q"),
    correlationId: fc.constantFrom("c", "d"),
    tags: fc.uniqueArray(fc.constantFrom("t", "u"), { maxLength: 2 }),
    visibility: fc.constantFrom<Visibility>(
      { kind: "public" },
      { kind: "private", agents: ["p"] },
      { kind: "labelled", required_labels: ["x"] },
      { kind: "tenant", tenant_id: "acme" },
      settleVisibility({ kind: "after", at: "2126-01-01T00:00:00.000Z" }, 0),
    ),
    // Clocks are put right now and then: time need not go with the seq.
    day: fc.integer({ min: 0, max: 5 }),
  });
  const asked = fc.record({
    types: optional(some("A", "B", "C", "D")),
    producedBy: optional(some("p", "q", "r")),
    correlationId: optional(fc.constantFrom("c", "d", "e")),
    tags: optional(some("t", "u")),
    visibility: optional(some("public" as const, "labelled" as const)),
    start: optional(fc.integer({ min: 0, max: 5 }).map(day)),
    end: optional(fc.integer({ min: 0, max: 5 }).map(day)),
    limit: fc.integer({ min: 1, max: 5 }),
    offset: optional(fc.nat({ max: 3 })),
    as: fc.constantFrom<Principal>(
      { kind: "owner" },
      { kind: "agent", name: "p", labels: ["x"] },
      { kind: "client", name: "c", tenant: "acme" },
    ),
  });

  const folder = mkdtempSync(join(tmpdir(), "flock-artifacts-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("page by page, for every filter", async () => {
    let files = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(written, { maxLength: 25 }),
        fc.array(asked, { maxLength: 12 }),
        async (all, queries) => {
          const options = { clock: systemClock };
          const memory = await memoryStore().open(options);
          const file = await sqliteStore(join(folder, `${++files}.db`)).open(options);
          for (const store of [memory, file]) await store.commit([all.map((fields, n) => publication(n, fields))]);
          for (const query of queries) expect(await pagesOf(file, query)).toEqual(await pagesOf(memory, query));
          await file.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** Every page's artifacts, and how many there are said to be. */
async function pagesOf(
  store: StoreSession,
  { offset, as, ...query }: ArtifactQuery & { as: Principal },
): Promise<{ ids: string[]; total: number }[]> {
  const pages = [];
  let { artifacts, total, nextCursor } = await store.blackboard.query({ ...query, offset }, as);
  pages.push({ ids: artifacts.map(({ id }) => id), total });
  while (nextCursor !== null) {
    ({ artifacts, total, nextCursor } = await store.blackboard.query({ ...query, cursor: nextCursor }, as));
    pages.push({ ids: artifacts.map(({ id }) => id), total });
  }
  return pages;
}

function publication(
  n: number,
  { day: written, ...fields }: Omit<StoredArtifact, "id" | "payload" | "createdAt" | "seq"> & { day: number },
): EventWrite {
  const artifact: StoredArtifact = {
    id: `a${n}`,
    payload: n,
    createdAt: new Date(EPOCH + written * DAY + n).toISOString(),
    seq: 0,
    ...fields,
  };
  const { type, producedBy, correlationId, tags, visibility } = artifact;
  return eventWrite(
    {
      type: "artifact_published",
      artifact_id: artifact.id,
      artifact_type: type,
      produced_by: producedBy,
      correlation_id: correlationId,
      tags: [...tags],
      visibility,
    },
    artifact.createdAt,
    { artifact, json: JSON.stringify(n), inline: true },
  );
}
