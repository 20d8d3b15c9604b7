import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Subscription } from "../../agents/subscription.ts";
import type { BatchOptions, JoinOptions } from "../../agents/subscription-options.ts";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { artifact } from "../../blackboard/artifact-type.ts";
import { Gate, type GateOutcome, type GateProgress, type Waiting } from "./gate.ts";

const TYPES = { A: artifact("A", z.unknown()), B: artifact("B", z.unknown()), C: artifact("C", z.unknown()) };
type TypeName = keyof typeof TYPES;

/** Start time, in milliseconds. */
const BEGIN = 1_700_000_000_000;

/** A kind of gate. */
interface Kind {
  readonly types: readonly TypeName[];
  readonly byKey: boolean;
  readonly within: JoinOptions["within"];
  readonly batch: BatchOptions | undefined;
  readonly maxWaiting: number;
  readonly isPicky: boolean;
}

const kinds: fc.Arbitrary<Kind> = fc.record({
  types: fc.constantFrom<readonly TypeName[]>(["A"], ["A", "A"], ["A", "B"], ["A", "A", "B"], ["C", "B", "A"]),
  byKey: fc.boolean(),
  within: fc.constantFrom(undefined, 7, 20, { artifacts: 4 }, { artifacts: 9 }),
  batch: fc.constantFrom(undefined, { size: 3 }, { timeout: 9 }, { size: 2, timeout: 15 }),
  maxWaiting: fc.constantFrom(3, 5, 1_000),
  isPicky: fc.boolean(),
});

type Step =
  | {
      readonly what: "offer";
      readonly type: TypeName;
      readonly key: string;
      readonly n: number;
      readonly later: number;
    }
  | { readonly what: "wait"; readonly later: number; readonly woken: boolean }
  | { readonly what: "restart" };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        what: fc.constant("offer" as const),
        type: fc.constantFrom<TypeName>("A", "B", "C"),
        key: fc.constantFrom("x", "y", "z"),
        n: fc.nat(9),
        later: fc.nat(4),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ what: fc.constant("wait" as const), later: fc.nat(20), woken: fc.boolean() }),
    },
    { weight: 3, arbitrary: fc.record({ what: fc.constant("restart" as const) }) },
  ),
  // Long lists: a gate needs some steps before it has state that it could lose.
  { maxLength: 60, size: "max" },
);

const isAccepted = (group: readonly StoredArtifact[]) =>
  group.reduce((sum, { payload }) => sum + (payload as number), 0) % 3 !== 0;

/** A naive gate model: it keeps nothing sorted and scans everything at each step. */
class Model {
  readonly fired: string[][] = [];
  waiting: { artifact: StoredArtifact; at: number; position: number }[] = [];
  batch: { group: StoredArtifact[]; at: number }[] = [];
  #taken = 0;
  readonly #kind: Kind;

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  passTime(now: number): void {
    const { within, batch } = this.#kind;
    if (typeof within === "number") this.waiting = this.waiting.filter(({ at }) => now - at < within);
    const [first] = this.batch;
    if (first && batch?.timeout !== undefined && now - first.at >= batch.timeout) this.#fire();
  }

  offer(artifact: StoredArtifact, now: number): void {
    const { types, byKey, within, batch, maxWaiting, isPicky } = this.#kind;
    this.passTime(now);
    this.#taken += 1;
    this.waiting.push({ artifact, at: now, position: this.#taken });
    if (typeof within === "object")
      this.waiting = this.waiting.filter(({ position }) => this.#taken - position < within.artifacts);
    const group: StoredArtifact[] = [];
    const lacking = [...types];
    for (const { artifact: candidate } of this.waiting) {
      if (byKey && candidate.correlationId !== artifact.correlationId) continue;
      const index = lacking.indexOf(candidate.type as TypeName);
      if (index === -1) continue;
      lacking.splice(index, 1);
      group.push(candidate);
    }
    if (lacking.length > 0) {
      if (this.waiting.length > maxWaiting) this.waiting.shift();
      return;
    }
    this.waiting = this.waiting.filter(({ artifact: one }) => !group.includes(one));
    if (isPicky && !isAccepted(group)) return;
    this.batch.push({ group, at: now });
    if (this.batch.length === (batch ? (batch.size ?? maxWaiting) : 1)) this.#fire();
  }

  get deadline(): number {
    const { within, batch } = this.#kind;
    const expiries = typeof within === "number" ? this.waiting.map(({ at }) => at + within) : [];
    const due = batch?.timeout === undefined ? [] : this.batch.map(({ at }) => at + (batch.timeout as number));
    return Math.min(...expiries, ...due);
  }

  #fire(): void {
    this.fired.push(this.batch.flatMap(({ group }) => group.map(({ id }) => id)));
    this.batch = [];
  }
}

/** A gate with a store that applies its writes. */
class Stored {
  readonly fired: string[][] = [];
  readonly rows = new Map<string, Waiting>();
  /** Progress by key as derived from events; complete and empty keys are absent. */
  readonly reported = new Map<string | undefined, GateProgress["collected"]>();
  readonly #subscription: Subscription;
  #gate: Gate;
  #taken = 0;

  constructor({ types, byKey, within, batch, maxWaiting, isPicky }: Kind) {
    const hasJoin = byKey || within !== undefined;
    this.#subscription = new Subscription(
      { kind: "agent", name: "agent" },
      "0",
      types.join(" + "),
      types.map((type) => TYPES[type]),
      {
        ...(hasJoin
          ? { join: { ...(byKey ? { by: "correlation" } : {}), ...(within === undefined ? {} : { within }) } }
          : {}),
        ...(batch ? { batch } : {}),
        ...(isPicky ? { whereGroup: (_: unknown, group: readonly StoredArtifact[]) => isAccepted(group) } : {}),
        maxWaiting,
      },
      true,
    );
    this.#gate = new Gate(this.#subscription);
  }

  wake(now: number): void {
    if (this.#gate.deadline <= now) this.#keep(this.#gate.wake(now));
  }

  offer(artifact: StoredArtifact, now: number): void {
    if (this.#gate.batchDeadline <= now) this.#keep(this.#gate.wake(now));
    const before = { state: this.#gate.state, taken: this.#gate.taken };
    const dryRuns = this.#gate.dryRun(artifact);
    expect({ state: this.#gate.state, taken: this.#gate.taken }).toEqual(before);
    const outcome = this.#gate.offer(artifact);
    expect(dryRuns.artifacts).toEqual(outcome.artifacts);
    expect(dryRuns.progress.at(-1)).toEqual(outcome.progress.at(-1));
    this.#keep(outcome);
  }

  restart(): void {
    this.#gate = new Gate(this.#subscription);
    const rows = [...this.rows.values()].sort((a, b) => a.position - b.position);
    // A persistent store records the number of accepted artifacts only where it matters.
    this.#gate.restore(rows, this.#subscription.withinArtifacts < Number.POSITIVE_INFINITY ? this.#taken : 0);
  }

  /** The progress to report, derived from the rows. */
  get expectedReports() {
    const reports = new Map<string | undefined, Record<string, number>>();
    for (const { artifact, key: poolKey, group } of this.rows.values()) {
      const key = group === undefined ? poolKey : undefined;
      const counts =
        reports.get(key) ?? Object.fromEntries([...this.#subscription.requires.keys()].map((type) => [type, 0]));
      counts[artifact.type] = (counts[artifact.type] ?? 0) + 1;
      reports.set(key, counts);
    }
    return reports;
  }

  get deadline(): number {
    return this.#gate.deadline;
  }

  get state() {
    return this.#gate.state;
  }

  #keep({ waiting, left, artifacts, progress, error }: GateOutcome): void {
    expect(error).toBeUndefined();
    for (const { id } of left) expect(this.rows.delete(id)).toBe(true);
    for (const row of waiting) this.rows.set(row.artifact.id, row);
    if (artifacts) {
      expect(this.#subscription.isFilledBy(artifacts)).toBe(true);
      this.fired.push(artifacts.map(({ id }) => id));
    }
    for (const { key, collected, required, expiresAt } of progress) {
      const counts = Object.entries(collected);
      this.reported.delete(key);
      const isOpen = counts.some(([type, count]) => count < (required[type] as number));
      if (isOpen && counts.some(([, count]) => count > 0)) this.reported.set(key, collected);
      else expect(expiresAt).toBeUndefined();
      if (expiresAt !== undefined) expect(expiresAt).toBeGreaterThan(BEGIN);
    }
    expect(this.reported).toEqual(this.expectedReports);
    this.#taken = this.#gate.taken;
  }
}

describe("any kind of gate", () => {
  it("matches the model for any artifacts, times, late timers and restarts", () => {
    fc.assert(
      fc.property(kinds, steps, (kind, list) => {
        const model = new Model(kind);
        const stored = new Stored(kind);
        let now = BEGIN;
        list.forEach((step, index) => {
          if (step.what === "restart") stored.restart();
          else now += step.later;
          if (step.what === "wait") {
            model.passTime(now);
            if (step.woken) stored.wake(now);
          } else if (step.what === "offer" && kind.types.includes(step.type)) {
            const offered = artifactOf(index, step, now);
            model.offer(offered, now);
            stored.offer(offered, now);
          }
          const isLate = stored.deadline <= now;
          if (isLate) return;
          expect(stored.fired).toEqual(model.fired);
          expect([...stored.rows.keys()].sort()).toEqual(
            [
              ...model.waiting.map(({ artifact: { id } }) => id),
              ...model.batch.flatMap(({ group }) => group.map(({ id }) => id)),
            ].sort(),
          );
          expect(stored.deadline).toBe(model.deadline);
          const groupSize = kind.types.length;
          expect(stored.state).toMatchObject({
            artifacts: model.waiting.length,
            batched: model.batch.length * groupSize,
            pools: new Set(model.waiting.map(({ artifact: { correlationId } }) => kind.byKey && correlationId)).size,
          });
        });
        model.passTime(now);
        stored.wake(now);
        expect(stored.fired).toEqual(model.fired);
      }),
      { numRuns: 1_500 },
    );
  });
});

function artifactOf(index: number, { type, key, n }: Extract<Step, { what: "offer" }>, now: number): StoredArtifact {
  return {
    id: `a${String(index).padStart(3, "0")}`,
    type,
    payload: n,
    producedBy: "external",
    correlationId: key,
    tags: [],
    visibility: { kind: "public" },
    createdAt: new Date(now).toISOString(),
    seq: index,
  };
}
