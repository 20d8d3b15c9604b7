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
import { systemClock } from "../core/clock.ts";
import { Flock } from "../flock.ts";
import { textsOf } from "../log/frame.ts";
import { type Publication, publicationOf } from "../runtime/publishing/publication.ts";
import { isRefusal } from "./refusal.ts";
import type { DeadLetter, SealedEvent, Store, StoreSession, Write } from "./store.ts";

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
  const stores: StoreSession[] = [];
  const flocks: Flock[] = [];
  let numbered = 0;

  async function openStore(path = newPath()): Promise<StoreSession> {
    const store = await open(path).open({ clock: systemClock });
    stores.push(store);
    return store;
  }

  function newPath(): string {
    return join(folder, `${++numbered}`, "blackboard");
  }

  async function flockAt(path: string): Promise<Flock> {
    const flock = await Flock.open({ store: open(path) });
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
      const store = await openStore();
      const first = publication(1);
      const second = publication(2);
      await commit(store, [first.write, consumption("run", [first.artifact]), second.write]);
      const third = publication(3);
      const [sealed] = (await commit(store, [third.write])) as [SealedEvent];
      expect([first, second, third].map(({ artifact, write }) => [artifact.seq, write.event.seq])).toEqual([
        [1, 1],
        [2, 2],
        [3, 3],
      ]);
      expect(JSON.parse(sealed.json)).toMatchObject({ seq: 3, artifact_id: third.artifact.id, payload: { n: 3 } });
    });
  });

  describe(`${name}: groups of a commit`, () => {
    it("change none of their writes", async () => {
      const store = await openStore();
      const { artifact, write } = publication(1);
      const frozen = deepFreeze([write, consumption("run", [artifact])]);
      const { events } = await store.commit([frozen]);
      expect(events).toMatchObject([{ seq: 1 }]);
      expect(JSON.parse(events[0]?.json ?? "")).toMatchObject({ seq: 1, artifact_id: artifact.id });
      expect(await store.blackboard.get(artifact.id, OWNER)).toEqual({ ...artifact, seq: 1 });
      expect((await store.blackboard.consumptionsOf([artifact.id], OWNER)).get(artifact.id)).toHaveLength(1);
    });

    it("are refused alone, and the others are committed", async () => {
      const store = await openStore();
      const [before, between, again, after] = [1, 2, 3, 4].map((n) => publication(n)) as unknown as Publications;
      await commit(store, [{ ...before.write, idempotencyKey: "k" }]);
      const { events, refused } = await store.commit([
        [between.write],
        [{ ...again.write, idempotencyKey: "k" }],
        [after.write],
      ]);
      expect(events.map(({ seq }) => seq)).toEqual([2, 3]);
      expect([...refused].map(([index, { code }]) => [index, code])).toEqual([[1, "conflict"]]);
      expect((await store.blackboard.query({}, OWNER)).artifacts.map(({ id, seq }) => [id, seq])).toEqual([
        [after.artifact.id, 3],
        [between.artifact.id, 2],
        [before.artifact.id, 1],
      ]);
    });

    it("reject the commit when all of them are refused", async () => {
      const store = await openStore();
      const unknown: Write = { kind: "activation_done", id: "nothing", status: "success", endedAt: 0 };
      await expect(store.commit([[unknown]])).rejects.toMatchObject({ code: "store_refused" });
      await expect(store.commit([[unknown], [unknown]])).rejects.toMatchObject({ code: "store_refused" });
      const discarded: Write = { kind: "dead_letter_discarded", id: "nothing" };
      await expect(store.commit([[discarded]])).rejects.toMatchObject({ code: "not_found" });
    });

    it("leave what gates hold as the last successful commit left it", async () => {
      const store = await openStore();
      const [first, second] = [1, 2].map((n) => publication(n)) as unknown as Publications;
      const gathered = (one: typeof first, position: number): Write => ({
        kind: "gathered",
        agentId: "chef",
        gate: "0",
        key: undefined,
        artifact: one.artifact,
        position,
        group: undefined,
      });
      await store.commit([
        [first.write, gathered(first, 1), { kind: "gate_taken", agentId: "chef", gate: "0", taken: 1 }],
      ]);
      const unknown: Write = { kind: "activation_done", id: "nothing", status: "success", endedAt: 0 };
      await expect(store.commit([[second.write, gathered(second, 2), unknown]])).rejects.toThrow();
      const contents = await store.work.gates();
      expect(contents.gathered.map(({ artifact, position }) => [artifact.id, artifact.seq, position])).toEqual([
        [first.artifact.id, 1, 1],
      ]);
      expect(contents.taken).toEqual([{ agentId: "chef", gate: "0", taken: 1 }]);
    });
  });

  describe(`${name}: a commit that fails`, () => {
    it("leaves nothing behind, and its seq goes to the next commit", async () => {
      const store = await openStore();
      const first = publication(1);
      const lost = publication(2);
      await commit(store, [first.write]);
      const unwritable = publication(3);
      (unwritable.write.event as { tags?: unknown }).tags = [1n];
      await expect(commit(store, [lost.write, unwritable.write])).rejects.toSatisfy(isRefusal);
      expect((await store.blackboard.query({}, OWNER)).artifacts.map(({ id }) => id)).toEqual([first.artifact.id]);
      await commit(store, [lost.write]);
      expect(lost.artifact.seq).toBe(2);
      expect((await store.blackboard.query({}, OWNER)).total).toBe(2);
    });
  });

  describe(`${name}: reads`, () => {
    it("give each principal the artifacts that it may see", async () => {
      const store = await openStore();
      const all = VISIBILITIES.map((visibility, n) => publication(n, visibility));
      await commit(
        store,
        all.map(({ write }) => write),
      );
      for (const principal of Object.values(PRINCIPALS)) {
        const seen = all.flatMap(({ artifact }) => (maySee(principal, artifact.visibility) ? [artifact] : []));
        const { artifacts, total } = await store.blackboard.query({}, principal);
        expect(artifacts).toEqual([...seen].reverse());
        expect(total).toBe(seen.length);
        expect(await store.blackboard.getByType("Idle", principal)).toMatchObject(
          seen.map(({ payload, visibility }) => ({ payload, visibility })),
        );
        for (const { artifact } of all)
          expect(await store.blackboard.get(artifact.id, principal)).toEqual(
            seen.includes(artifact) ? artifact : undefined,
          );
      }
    });

    it("give each principal the consumptions that it may see, each with its visibility", async () => {
      const store = await openStore();
      const all = VISIBILITIES.map((visibility, n) => publication(n, visibility));
      await commit(
        store,
        all.map(({ write }) => write),
      );
      const artifacts = all.map(({ artifact }) => artifact);
      const ids = artifacts.map(({ id }) => id);
      for (const [n, visibility] of EVENT_VISIBILITIES.entries())
        await commit(store, [consumption(`run ${n}`, artifacts, visibility)]);
      for (const principal of Object.values(PRINCIPALS)) {
        const found = await store.blackboard.consumptionsOf(ids, principal);
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
          const asked = await openStore();
          const silent = await openStore();
          for (const writes of commitsOf(steps, ids)) {
            for (const store of [asked, silent]) await commit(store, writes);
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
      const store = await openStore();
      const { artifact, write } = publication(1);
      const letters = EVENT_VISIBILITIES.map((visibility, n) => letterOf(`letter ${n}`, [artifact], visibility));
      await commit(store, [write]);
      for (const letter of letters) {
        const { id, runId, agentId, correlationId, gate, artifacts, visibility } = letter;
        const about = { id, runId, agentId, correlationId, gate, artifacts, visibility };
        await commit(store, [{ kind: "activation", attempt: 1, queuedAt: 0, ...about }]);
        await commit(store, [{ kind: "activation_done", id, status: "error", endedAt: 0, deadLetter: letter }]);
      }
      const idsFor = async (as: Principal) => (await store.deadLetters.list({}, as)).map(({ id }) => id);
      for (const principal of Object.values(PRINCIPALS)) {
        const seen = letters.filter(({ visibility }) => maySee(principal, visibility)).reverse();
        expect(await store.deadLetters.list({}, principal)).toEqual(seen);
        for (const letter of letters)
          expect(await store.deadLetters.get(letter.id, principal)).toEqual(seen.includes(letter) ? letter : undefined);
      }
      await commit(store, [{ kind: "dead_letter_discarded", id: "letter 0" }]);
      await commit(store, [{ kind: "dead_letter_again", id: "letter 1", runId: "again", attempt: 2 }]);
      expect(await idsFor(OWNER)).toEqual(["letter 4", "letter 3", "letter 2"]);
    });
  });

  describe(`${name}: workflows`, () => {
    const at = (ms: number) => new Date(ms).toISOString();
    const activation = (id: string, queuedAt: number, visibility?: EventVisibility): Write => {
      const about = { id, runId: id, agentId: "chef", correlationId: "c", gate: undefined, artifacts: [] };
      return { kind: "activation", attempt: 1, queuedAt, visibility, ...about };
    };
    const done = (id: string, endedAt: number, deadLetter?: DeadLetter): Write => {
      return { kind: "activation_done", id, status: deadLetter ? "error" : "success", endedAt, deadLetter };
    };

    it("are unknown without activity", async () => {
      const store = await openStore();
      expect(await store.work.workflow("c", OWNER)).toBeUndefined();
    });

    it("are active until all work has ended, and failed while an agent's latest work has failed", async () => {
      const store = await openStore();
      const { artifact, write } = publication(1);
      const status = () => store.work.workflow("c", OWNER);
      await commit(store, [write, activation("a", 1_000), activation("b", 2_000)]);
      const counts = { correlation_id: "c", artifact_count: 1, run_count: 2 };
      expect(await status()).toMatchObject({ ...counts, state: "active", has_pending_work: true, error_count: 0 });
      await commit(store, [done("a", 3_000)]);
      expect(await status()).toMatchObject({ ...counts, state: "active" });
      await commit(store, [done("b", 4_000, letterOf("b", [artifact], undefined))]);
      expect(await status()).toMatchObject({ ...counts, state: "failed", has_pending_work: false, error_count: 1 });
      await commit(store, [{ kind: "dead_letter_again", id: "b", runId: "again", attempt: 2 }]);
      expect(await status()).toMatchObject({ ...counts, state: "active", error_count: 0 });
      await commit(store, [done("b", 5_000)]);
      expect(await status()).toMatchObject({ ...counts, state: "completed", error_count: 0, started_at: at(1_000) });
    });

    it("count nothing of a refused group", async () => {
      const store = await openStore();
      const keyed = (): Write => ({ ...publication(1).write, idempotencyKey: "key" });
      await commit(store, [keyed(), activation("a", 1_000)]);
      const { refused } = await store.commit([[keyed(), activation("b", 1_000)], [activation("c", 1_000)]]);
      expect([...refused.keys()]).toEqual([0]);
      expect(await store.work.workflow("c", OWNER)).toMatchObject({ artifact_count: 1, run_count: 2 });
    });

    it("give each principal the counts of what it may see", async () => {
      const store = await openStore();
      const all = VISIBILITIES.map((visibility, n) => publication(n, visibility));
      await commit(store, [
        ...all.map(({ write }) => write),
        ...EVENT_VISIBILITIES.map((visibility, n) => activation(`run ${n}`, 1_000, visibility)),
      ]);
      for (const principal of Object.values(PRINCIPALS)) {
        const sees = (visibility: Visibility | EventVisibility | undefined) => maySee(principal, visibility);
        expect(await store.work.workflow("c", principal)).toMatchObject({
          artifact_count: VISIBILITIES.filter(sees).length,
          run_count: EVENT_VISIBILITIES.filter(sees).length,
        });
      }
    });
  });

  if (!isDurable) return;

  describe(`${name}: a restart`, () => {
    it("keeps artifacts, log, epoch and counters", async () => {
      const path = newPath();
      const first = await flockAt(path);
      first
        .agent("planner")
        .consumes(Idea)
        .publishes(Plan)
        .run(({ Idea: idea }) => Plan({ text: idea.text }));
      const { artifactId } = await first.publish(Idea({ text: "truffle" }), { tags: ["new"] });
      await first.runUntilIdle();
      const events = await eventsOf(first);
      const { epoch } = first.log;
      const counters = first.agents()[0]?.counters;
      await first.shutdown();

      const second = await flockAt(path);
      expect(second.log.epoch).toBe(epoch);
      expect(await eventsOf(second)).toEqual(events);
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
      const first = await flockAt(path);
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

      const second = await flockAt(path);
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
      const runs = (await eventsOf(second)).filter(({ type }) => type === "agent_execution_started");
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
      const first = await flockAt(path);
      declare(first);
      await first.publish(Idea({ text: "a" }), { correlationId: "one" });
      await first.publish(Idea({ text: "b" }), { correlationId: "two" });
      await first.shutdown();
      const second = await flockAt(path);
      const woken = declare(second);
      await second.publish(Check({ ok: true }), { correlationId: "two" });
      await second.runUntilIdle();
      await second.shutdown();
      expect(woken).toEqual([{ text: "b" }]);
      const third = await flockAt(path);
      const later = declare(third);
      await third.publish([Check({ ok: true }), Check({ ok: true })], { correlationId: "two" });
      await third.publish(Check({ ok: true }), { correlationId: "one" });
      await third.runUntilIdle();
      expect(later).toEqual([{ text: "a" }]);
    });

    it("keeps what was published under an idempotency key", async () => {
      const path = newPath();
      const first = await flockAt(path);
      first
        .agent("planner")
        .consumes(Idea)
        .run(() => {});
      const published = await first.publish(Idea({ text: "a" }), { idempotencyKey: "k" });
      await first.shutdown();
      const second = await flockAt(path);
      const again = await second.publish(Idea({ text: "a" }), { idempotencyKey: "k" });
      expect(again).toEqual(published);
      expect(await second.store.getByType(Idea)).toHaveLength(1);
    });
  });
}

/** Lets a test fail the commits of a store. `before` receives all writes of a commit and may throw. */
export function intercept(store: Store, before: (writes: readonly Write[]) => void): Store {
  return {
    async open(options) {
      const session = await store.open(options);
      const commit = session.commit.bind(session);
      session.commit = async (groups) => {
        before(groups.flat());
        return commit(groups);
      };
      return session;
    },
  };
}

/** Commits one group and stamps the seqs, as the journal does. */
export async function commit(store: StoreSession, writes: readonly Write[]): Promise<readonly SealedEvent[]> {
  const { events } = await store.commit([writes]);
  for (const { write, seq } of events) {
    write.event.seq = seq;
    if (write.artifact) (write.artifact as { seq: number }).seq = seq;
  }
  return events;
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

async function readAll(store: StoreSession, ids: readonly string[]) {
  const { red } = PRINCIPALS;
  const byRun = (consumptions: Awaited<ReturnType<StoreSession["blackboard"]["consumptionsOf"]>>) =>
    new Map([...consumptions].map(([id, list]) => [id, [...list].sort((a, b) => (a.runId < b.runId ? -1 : 1))]));
  return {
    found: await Promise.all(ids.map(async (id) => (await store.blackboard.get(id, OWNER))?.id)),
    consumptions: byRun(await store.blackboard.consumptionsOf(ids, OWNER)),
    seenByRed: byRun(await store.blackboard.consumptionsOf(ids, red)),
    byType: await Promise.all([Idle, Pizza].map((type) => store.blackboard.getByType(type.typeName, red))),
    query: await store.blackboard.query({ types: ["Pizza"] }, red),
    all: await store.blackboard.query({ limit: 100 }, OWNER),
  };
}

async function eventsOf(flock: Flock) {
  const events: { type: string; seq: number; [key: string]: unknown }[] = [];
  for (let at = flock.log.oldest - 1; at < flock.log.head; ) {
    const batch = await flock.log.read(at, flock.log.head, undefined, 65_536);
    at = batch.seq;
    for (const text of textsOf(batch.frames)) events.push(JSON.parse(text));
  }
  return events;
}

type One = ReturnType<typeof publication>;
type Publications = readonly [One, One, One, One];

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const one of Object.values(value)) deepFreeze(one);
  }
  return value;
}
