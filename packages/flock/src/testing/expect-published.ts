import { AssertionError } from "node:assert";
import type { EventOf, FlockEvent, RunStatus } from "@flock-ts/protocol";
import { z } from "zod";
import type { ArtifactOf } from "../agents/subscription-options.ts";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType } from "../blackboard/artifact-type.ts";
import { systemClock } from "../core/clock.ts";
import { checkOptions } from "../core/errors.ts";
import { booleanOf } from "../core/predicate.ts";
import type { Flock } from "../flock.ts";
import { readEvents } from "./read-events.ts";
import { reportOf } from "./report.ts";

/** Selects artifacts, and limits the waiting time. */
export interface ExpectOptions<T extends AnyArtifactType = AnyArtifactType> {
  /** Only artifacts for which this returns true. Default: all of the type. */
  readonly where?: (artifact: ArtifactOf<T>) => boolean;
  /** Only artifacts of this workflow. Default: any. */
  readonly correlationId?: string;
  /** Time limit in milliseconds of real time, independent of the flock's clock. Default: 1,000. */
  readonly within?: number;
}

/** Selects the expected end of a run. */
export interface ExpectRunOptions {
  /** Expected status. Default: `success`. */
  readonly status?: RunStatus;
  /** Only runs of this workflow. Default: any. */
  readonly correlationId?: string;
  /** Time limit in milliseconds of real time, independent of the flock's clock. Default: 1,000. */
  readonly within?: number;
}

const FUNCTION = z.custom<(artifact: never) => boolean>((value) => typeof value === "function", "must be a function");
const within = z.number().min(0).default(1_000);
const correlationId = z.string().optional();
const optionsSchema = z.strictObject({
  where: FUNCTION.optional(),
  count: z.int().min(1).optional(),
  correlationId,
  within,
});
const runOptionsSchema = z.strictObject({
  status: z.enum(["success", "error", "cancelled", "timeout", "interrupted"]).default("success"),
  correlationId,
  within,
});

/**
 * Waits for an artifact and returns the oldest match; with `count`, exactly that many, oldest first.
 * The error reports what was published instead, which runs failed and why, and what waits at which gate.
 * @throws AssertionError when the time limit passes or there are more than `count`.
 * @throws FlockError `invalid_options`.
 *
 * @example
 * const { payload } = await expectPublished(flock, Pizza, { where: ({ payload }) => payload.toppings.length > 2 });
 */
export function expectPublished<T extends AnyArtifactType>(
  flock: Flock,
  type: T,
  options: ExpectOptions<T> & { readonly count: number },
): Promise<ArtifactOf<T>[]>;
export function expectPublished<T extends AnyArtifactType>(
  flock: Flock,
  type: T,
  options?: ExpectOptions<T> & { readonly count?: undefined },
): Promise<ArtifactOf<T>>;
export async function expectPublished<T extends AnyArtifactType>(
  flock: Flock,
  type: T,
  options: ExpectOptions<T> & { readonly count?: number | undefined } = {},
): Promise<ArtifactOf<T> | ArtifactOf<T>[]> {
  const wanted = checkOptions("expectPublished", optionsSchema, options);
  const { count } = wanted;
  let found: ArtifactOf<T>[] = [];
  const isThere = async () => {
    found = await artifactsOf(flock, type, options);
    return found.length >= (count ?? 1);
  };
  if ((await becomes(flock, wanted.within, isThere)) && found.length === (count ?? found.length)) {
    return count === undefined ? (found[0] as ArtifactOf<T>) : found;
  }
  const amount = count === undefined ? "a" : `${count} ×`;
  const got = found.length > 0 ? `found ${found.length}` : `found none after ${wanted.within} ms`;
  throw await failure(
    flock,
    `expected ${amount} ${describe(type, wanted)} on the blackboard, ${got}`,
    wanted,
    expectPublished,
  );
}

/**
 * Waits until the flock is idle, at most `within`, then expects that no matching artifact is on the blackboard. A run
 * that waits for a fake clock delays this only up to `within`.
 * @throws AssertionError that lists the found artifacts.
 * @throws FlockError `invalid_options`.
 *
 * @example
 * await expectNothingPublished(flock, Pizza, { correlationId });
 */
export async function expectNothingPublished<T extends AnyArtifactType>(
  flock: Flock,
  type: T,
  options: ExpectOptions<T> = {},
): Promise<void> {
  const wanted = checkOptions("expectNothingPublished", optionsSchema.omit({ count: true }), options);
  await Promise.race([flock.runUntilIdle(), passed(wanted.within).promise]);
  const found = await artifactsOf(flock, type, options);
  if (found.length === 0) return;
  const what = `expected no ${describe(type, wanted)} on the blackboard, found ${found.length}`;
  throw await failure(flock, what, wanted, expectNothingPublished);
}

/**
 * Waits until a run of an agent has ended as expected and returns its event, the oldest if there are several.
 * @throws AssertionError that reports how the agent's runs ended and what waits.
 * @throws FlockError `invalid_options`.
 *
 * @example
 * const { error } = await expectRun(flock, "chef", { status: "error" });
 */
export async function expectRun(
  flock: Flock,
  agent: string,
  options: ExpectRunOptions = {},
): Promise<EventOf<"agent_execution_completed">> {
  const wanted = checkOptions("expectRun", runOptionsSchema, options);
  const isMeant = (event: FlockEvent): event is EventOf<"agent_execution_completed"> =>
    event.type === "agent_execution_completed" &&
    event.agent_id === agent &&
    event.status === wanted.status &&
    event.correlation_id === (wanted.correlationId ?? event.correlation_id);
  let found: EventOf<"agent_execution_completed"> | undefined;
  const isThere = async () => {
    found = (await readEvents(flock.log)).find(isMeant);
    return found !== undefined;
  };
  if ((await becomes(flock, wanted.within, isThere)) && found) return found;
  const names = flock.agents().map(({ name }) => name);
  const hint = names.includes(agent) ? "" : `; no agent has that name; declared agents: ${names.join(", ") || "none"}`;
  const what = `expected a run of ${agent} to end with ${wanted.status}, found none after ${wanted.within} ms${hint}`;
  throw await failure(flock, what, wanted, expectRun);
}

async function artifactsOf<T extends AnyArtifactType>(
  flock: Flock,
  type: T,
  { where = () => true, correlationId }: ExpectOptions<T>,
): Promise<ArtifactOf<T>[]> {
  const found: StoredArtifact[] = [];
  let cursor: string | undefined;
  do {
    const page = await flock.store.query({ types: [type.typeName], correlationId, limit: 500, cursor });
    found.unshift(...page.artifacts.toReversed());
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  const decoded = type.isEncoded ? found.map((one) => ({ ...one, payload: type.decode(one.payload) })) : found;
  return (decoded as ArtifactOf<T>[]).filter((one) => booleanOf("`where`", where(one)));
}

/** Returns whether a condition becomes true in time. Checked immediately and after each new event. */
async function becomes(flock: Flock, ms: number, isTrue: () => Promise<boolean>): Promise<boolean> {
  const { promise: tooLate, stop } = passed(ms);
  let late = false;
  void tooLate.then(() => (late = true));
  try {
    for (;;) {
      const { promise: grown, resolve } = Promise.withResolvers<void>();
      const stopListening = flock.log.onGrowth(resolve);
      try {
        if (await isTrue()) return true;
        if (late) return false;
        await Promise.race([grown, tooLate]);
      } finally {
        stopListening();
      }
    }
  } finally {
    stop();
  }
}

function passed(ms: number): { readonly promise: Promise<void>; readonly stop: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, stop: systemClock.after(ms, resolve, true) };
}

function describe(
  { typeName }: AnyArtifactType,
  { where, correlationId }: { readonly where?: unknown; readonly correlationId?: string | undefined },
): string {
  return `${typeName}${where ? " that passes `where`" : ""}${correlationId ? ` of workflow ${correlationId}` : ""}`;
}

async function failure(
  flock: Flock,
  what: string,
  about: { readonly correlationId?: string | undefined },
  stackStartFn: (...args: never[]) => unknown,
): Promise<AssertionError> {
  const report = reportOf(await readEvents(flock.log, about.correlationId));
  return new AssertionError({ message: `${what}.\n${report}`, stackStartFn, operator: stackStartFn.name });
}
