import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type EventVisibility,
  type LastingVisibility,
  maySee,
  OWNER,
  type Principal,
  PUBLIC,
  type Visibility,
} from "@flock-ts/protocol";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact } from "../blackboard/artifact-type.ts";
import { Flock } from "../flock.ts";
import { textsOf } from "../log/frame.ts";
import { type Publication, publicationOf } from "../runtime/publishing/publication.ts";
import { isRefusal } from "./refusal.ts";
import type { DeadLetter, Store, Write } from "./store.ts";

/** What the contract has to know of a store. */
export interface StoreTraits {
  /** Whether a blackboard that was closed can be opened again. */
  readonly isDurable: boolean;
}

const Idea = artifact("Idea", z.object({ text: z.string() }));
const Plan = artifact("Plan", z.object({ text: z.string() }));
const Check = artifact("Check", z.object({ ok: z.boolean() }));
const Idle = artifact("Idle", z.object({ n: z.number() }));
const Pizza = artifact("Pizza", z.object({ n: z.number() }));

const PRINCIPALS = {
  owner: OWNER,
  stranger: { kind: "client", name: "stranger" },
  red: { kind: "client", name: "red", labels: ["red"] },
  acme: { kind: "client", name: "acme", tenant: "acme", labels: ["red"] },
  keeper: { kind: "client", name: "keeper", agents: ["chef"] },
} as const satisfies Record<string, Principal>;

const RED: LastingVisibility = { kind: "labelled", required_labels: ["red"] };
const ACME: LastingVisibility = { kind: "tenant", tenant_id: "acme" };
const CHEF: LastingVisibility = { kind: "private", agents: ["chef"] };
// biome-ignore lint/suspicious/noThenProperty: the wire contract names it so
const LATER: Visibility = { kind: "after", at: "2100-01-01T00:00:00.000Z", then: PUBLIC };
const VISIBILITIES: readonly Visibility[] = [PUBLIC, RED, ACME, CHEF, LATER];
const EVENT_VISIBILITIES: readonly (EventVisibility | undefined)[] = [
  undefined,
  RED,
  ACME,
  CHEF,
  { kind: "all", of: [RED, ACME] },
];

/**
 * Declares the tests that every store must pass.
 *
 * @param open Opens the blackboard at a path, a new one where there is none yet. A store without files ignores the path.
 */
export function describeStore(name: string, open: (path: string) => Store, { isDurable }: StoreTraits): void {
  const folder = mkdtempSync(join(tmpdir(), "flock-contract-"));
  const stores: Store[] = [];
  const flocks: Flock[] = [];
  let numbered = 0;

  function openStore(path = newPath()): Store {
    const store = open(path);
    stores.push(store);
    return store;
  }

  function newPath(): string {
    return join(folder, `${++numbered}`, "blackboard");
  }

  function flockAt(path: string): Flock {
    const flock = new Flock({ store: open(path) });
    flock.register(Idea, Plan, Check);
    flocks.push(flock);
    return flock;
  }

  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const flock of flocks.splice(0)) await flock.shutdown();
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe(`${name}: commits`, () => {
    it("number events and artifacts in the order of the writes", async () => {
      const store = openStore();
      const first = publication(1);
      const second = publication(2);
      await store.commit([first.write, consumption("run", [first.artifact]), second.write]);
      const third = publication(3);
      await store.commit([third.write]);
      expect([first, second, third].map(({ artifact, write }) => [artifact.seq, write.event.seq])).toEqual([
        [1, 1],
        [2, 2],
        [3, 3],
      ]);
      expect(JSON.parse(third.write.json)).toMatchObject({ seq: 3, artifact_id: third.artifact.id, payload: { n: 3 } });
    });
  });

  describe(`${name}: a commit that fails`, () => {
    it("leaves nothing behind, and its seq goes to the next commit", async () => {
      const store = openStore();
      const first = publication(1);
      const lost = publication(2);
      await store.commit([first.write]);
      const unwritable = publication(3);
      (unwritable.write.event as { tags?: unknown }).tags = [1n];
      await expect(async () => store.commit([lost.write, unwritable.write])).rejects.toSatisfy(isRefusal);
      expect((await store.query()).artifacts.map(({ id }) => id)).toEqual([first.artifact.id]);
      await store.commit([lost.write]);
      expect(lost.artifact.seq).toBe(2);
      expect((await store.query()).total).toBe(2);
    });
  });

  describe(`${name}: reads`, () => {
    it("give each principal the artifacts that it may see", async () => {
      const store = openStore();
      const all = VISIBILITIES.map((visibility, n) => publication(n, visibility));
      await store.commit(all.map(({ write }) => write));
      for (const principal of Object.values(PRINCIPALS)) {
        const seen = all.flatMap(({ artifact }) => (maySee(principal, artifact.visibility) ? [artifact] : []));
        const { artifacts, total } = await store.query({}, principal);
        expect(artifacts).toEqual([...seen].reverse());
        expect(total).toBe(seen.length);
        expect(await store.getByType(Idle, principal)).toEqual(seen.map(({ payload }) => payload));
        expect(store.readType("Idle", principal)).toMatchObject(
          seen.map(({ payload, visibility }) => ({ payload, visibility })),
        );
        for (const { artifact } of all)
          expect(await store.get(artifact.id, principal)).toEqual(seen.includes(artifact) ? artifact : undefined);
      }
    });

    it("give each principal the consumptions that it may see, each with its visibility", async () => {
      const store = openStore();
      const all = VISIBILITIES.map((visibility, n) => publication(n, visibility));
      await store.commit(all.map(({ write }) => write));
      const artifacts = all.map(({ artifact }) => artifact);
      const ids = artifacts.map(({ id }) => id);
      for (const [n, visibility] of EVENT_VISIBILITIES.entries())
        await store.commit([consumption(`run ${n}`, artifacts, visibility)]);
      for (const principal of Object.values(PRINCIPALS)) {
        const found = await store.consumptionsOf(ids, principal);
        const expected = EVENT_VISIBILITIES.flatMap((visibility, n) =>
          maySee(principal, visibility) ? [{ agentId: "chef", runId: `run ${n}`, consumedAt: AT, visibility }] : [],
        );
        for (const { id, visibility } of artifacts)
          expect(found.get(id)).toEqual(maySee(principal, visibility) ? expected : []);
      }
    });

    it("give the same results whether the store is read after every commit or only at the end", async () => {
      await fc.assert(
        fc.asyncProperty(history, async (steps) => {
          const ids: string[] = [];
          const asked = openStore();
          const silent = openStore();
          for (const writes of commitsOf(steps, ids)) {
            for (const store of [asked, silent]) await store.commit(writes);
            await readAll(asked, ids);
          }
          const read = await readAll(silent, ids);
          expect(read).toEqual(await readAll(asked, ids));
          expect(read.found).toEqual(ids);
          expect([...read.consumptions.values()].flat().length).toBe(
            steps.reduce((sum, { consumed }, n) => sum + new Set(consumed.filter((one) => one <= n)).size, 0),
          );
        }),
        { numRuns: 30 },
      );
    });
  });

  describe(`${name}: dead letters`, () => {
    it("are listed for the principals that may see them until they run again or are discarded", async () => {
      const store = openStore();
      const { artifact, write } = publication(1);
      const letters = EVENT_VISIBILITIES.map((visibility, n) => letterOf(`letter ${n}`, [artifact], visibility));
      await store.commit([write]);
      for (const letter of letters) {
        const { id, runId, agentId, correlationId, gate, artifacts, visibility } = letter;
        const about = { id, runId, agentId, correlationId, gate, artifacts, visibility };
        await store.commit([{ kind: "activation", attempt: 1, ...about }]);
        await store.commit([{ kind: "activation_done", id, status: "error", deadLetter: letter }]);
      }
      const idsFor = (as: Principal) => store.deadLetters.list({}, as).map(({ id }) => id);
      for (const principal of Object.values(PRINCIPALS)) {
        const seen = letters.filter(({ visibility }) => maySee(principal, visibility)).reverse();
        expect(store.deadLetters.list({}, principal)).toEqual(seen);
        for (const letter of letters)
          expect(store.deadLetters.get(letter.id, principal)).toEqual(seen.includes(letter) ? letter : undefined);
      }
      await store.commit([{ kind: "dead_letter_discarded", id: "letter 0" }]);
      await store.commit([{ kind: "dead_letter_again", id: "letter 1", runId: "again", attempt: 2 }]);
      expect(idsFor(OWNER)).toEqual(["letter 4", "letter 3", "letter 2"]);
    });
  });

  if (!isDurable) return;

  describe(`${name}: a restart`, () => {
    it("keeps artifacts, log, epoch and counters", async () => {
      const path = newPath();
      const first = flockAt(path);
      first
        .agent("planner")
        .consumes(Idea)
        .publishes(Plan)
        .run(({ Idea: idea }) => Plan({ text: idea.text }));
      const { artifactId } = await first.publish(Idea({ text: "truffle" }), { tags: ["new"] });
      await first.runUntilIdle();
      const events = eventsOf(first);
      const { epoch } = first.log;
      const counters = first.agents()[0]?.counters;
      await first.shutdown();

      const second = flockAt(path);
      expect(second.log.epoch).toBe(epoch);
      expect(eventsOf(second)).toEqual(events);
      expect(await second.store.get(artifactId)).toMatchObject({ payload: { text: "truffle" }, tags: ["new"] });
      expect(await second.store.getByType(Plan)).toEqual([{ text: "truffle" }]);
      second
        .agent("planner")
        .consumes(Idea)
        .publishes(Plan)
        .run(() => []);
      await second.runUntilIdle();
      expect(second.agents()[0]?.counters).toEqual(counters);
      expect((await second.historyOf("planner"))?.produced).toEqual({ Plan: 1 });
    });

    it("runs interrupted and queued activations again under the same id", async () => {
      const path = newPath();
      const first = flockAt(path);
      const begun = Promise.withResolvers<void>();
      first
        .agent("planner")
        .consumes(Idea)
        .publishes(Plan)
        .concurrency(1)
        .run(() => {
          begun.resolve();
          return new Promise(() => {});
        });
      await first.publish([Idea({ text: "a" }), Idea({ text: "b" })]);
      await begun.promise;
      await first.shutdown();

      const second = flockAt(path);
      const attempts: [string, number][] = [];
      second
        .agent("planner")
        .consumes(Idea)
        .publishes(Plan)
        .concurrency(1)
        .run(({ Idea: { text } }, { attempt }) => {
          attempts.push([text, attempt]);
          return Plan({ text });
        });
      await second.runUntilIdle();
      expect(attempts).toEqual([
        ["a", 2],
        ["b", 1],
      ]);
      const runs = eventsOf(second).filter(({ type }) => type === "agent_execution_started");
      expect(runs).toHaveLength(3);
      expect(runs[1]).toMatchObject({ activation_id: runs[0]?.run_id, attempt: 2 });
      expect(new Set(runs.map(({ run_id }) => run_id)).size).toBe(3);
    });

    it("keeps what gates have gathered", async () => {
      const path = newPath();
      const declare = (flock: Flock) => {
        const woken: unknown[] = [];
        flock
          .agent("judge")
          .consumes(Idea, Check, { join: { by: "correlation" } })
          .run(({ Idea: idea }) => {
            woken.push(idea);
          });
        return woken;
      };
      const first = flockAt(path);
      declare(first);
      await first.publish(Idea({ text: "a" }), { correlationId: "one" });
      await first.publish(Idea({ text: "b" }), { correlationId: "two" });
      await first.shutdown();
      const second = flockAt(path);
      const woken = declare(second);
      await second.publish(Check({ ok: true }), { correlationId: "two" });
      await second.runUntilIdle();
      await second.shutdown();
      expect(woken).toEqual([{ text: "b" }]);
      const third = flockAt(path);
      const later = declare(third);
      await third.publish([Check({ ok: true }), Check({ ok: true })], { correlationId: "two" });
      await third.publish(Check({ ok: true }), { correlationId: "one" });
      await third.runUntilIdle();
      expect(later).toEqual([{ text: "a" }]);
    });

    it("keeps what was published under an idempotency key", async () => {
      const path = newPath();
      const first = flockAt(path);
      first
        .agent("planner")
        .consumes(Idea)
        .run(() => {});
      const published = await first.publish(Idea({ text: "a" }), { idempotencyKey: "k" });
      await first.shutdown();
      const second = flockAt(path);
      const again = await second.publish(Idea({ text: "a" }), { idempotencyKey: "k" });
      expect(again).toEqual(published);
      expect(await second.store.getByType(Idea)).toHaveLength(1);
    });
  });
}

const AT = "2026-01-01T00:00:00.000Z";

function publication(n: number, visibility: Visibility = PUBLIC, type: typeof Idle | typeof Pizza = Idle): Publication {
  const origin = { producedBy: "external", correlationId: "c", tags: [], visibility };
  return publicationOf(type({ n }), origin, Date.parse(AT) + n, 1_000);
}

function consumption(runId: string, artifacts: Publication["artifact"][], visibility?: EventVisibility): Write {
  return { kind: "consumption", artifacts, agentId: "chef", runId, consumedAt: AT, visibility };
}

function letterOf(id: string, artifacts: Publication["artifact"][], visibility?: EventVisibility): DeadLetter {
  return {
    id,
    gate: "Idle",
    runId: id,
    agentId: "chef",
    correlationId: "c",
    attempts: 1,
    error: { name: "Error", message: "burnt" },
    status: "error",
    artifacts,
    missing: 0,
    failedAt: AT,
    ...(visibility ? { visibility } : {}),
  };
}

/** Artifacts in order, each followed by runs that consume some of the artifacts so far. */
const history = fc.array(
  fc.record({
    type: fc.constantFrom(Idle, Pizza),
    visibility: fc.constantFrom(...VISIBILITIES),
    consumed: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
    consumedFor: fc.constantFrom(...EVENT_VISIBILITIES),
  }),
  { maxLength: 20 },
);

type Step = typeof history extends fc.Arbitrary<(infer T)[]> ? T : never;

/** Adds the ids of the artifacts to `ids`. */
function commitsOf(steps: readonly Step[], ids: string[]): Write[][] {
  const publications = steps.map(({ type, visibility }, n) => publication(n, visibility, type));
  ids.push(...publications.map(({ artifact }) => artifact.id));
  return steps.map(({ consumed, consumedFor }, n) => [
    (publications[n] as Publication).write,
    ...[...new Set(consumed)]
      .filter((one) => one <= n)
      .map((one) => consumption(`run ${n}`, [(publications[one] as Publication).artifact], consumedFor)),
  ]);
}

async function readAll(store: Store, ids: readonly string[]) {
  const { red } = PRINCIPALS;
  const byRun = (consumptions: Awaited<ReturnType<Store["consumptionsOf"]>>) =>
    new Map([...consumptions].map(([id, list]) => [id, [...list].sort((a, b) => (a.runId < b.runId ? -1 : 1))]));
  return {
    found: await Promise.all(ids.map(async (id) => (await store.get(id))?.id)),
    consumptions: byRun(await store.consumptionsOf(ids)),
    seenByRed: byRun(await store.consumptionsOf(ids, red)),
    byType: await Promise.all([Idle, Pizza].map((type) => store.getByType(type, red))),
    query: await store.query({ types: ["Pizza"] }, red),
    all: await store.query({ limit: 100 }),
  };
}

function eventsOf(flock: Flock) {
  const events: { type: string; seq: number; [key: string]: unknown }[] = [];
  for (let at = flock.log.oldest - 1; at < flock.log.head; ) {
    const batch = flock.log.read(at, flock.log.head, undefined, 65_536);
    if (batch instanceof Promise) throw new Error("the log of this store is not read at once");
    at = batch.seq;
    for (const text of textsOf(batch.frames)) events.push(JSON.parse(text));
  }
  return events;
}
