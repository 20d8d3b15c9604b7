import { z } from "zod";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType, ArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";
import { checkOptions, FlockError } from "../core/errors.ts";
import type { InputsOf } from "./inputs.ts";

/** An artifact of one of these types, as a predicate sees it. */
export type ArtifactOf<T extends AnyArtifactType> =
  T extends ArtifactType<infer Name, infer _> ? StoredArtifact<Name, PayloadOf<T>> : never;

/** How artifacts of one AND gate must belong together: by what they have in common, by when they come, or both. */
export interface JoinOptions<T extends AnyArtifactType = AnyArtifactType> {
  /** `correlation`: all from the same workflow. A function: all with the same key. Default: any artifacts. */
  readonly by?: "correlation" | ((artifact: ArtifactOf<T>) => string);
  /**
   * How near to each other they must come. A number: all within less than so many milliseconds, by their `createdAt`.
   * `{ artifacts: n }`: all among n artifacts that the gate takes in one after the other, whatever their key.
   * What gets too old is dropped from the gate, and stays on the blackboard. Default: they may take any time.
   */
  readonly within?: number | { readonly artifacts: number };
}

/** How much a batch holds, and how long it waits; whichever comes first. One of the two at least. */
export interface BatchOptions {
  /** So many artifacts, or for several types so many groups. Default: as many as `maxWaiting`. */
  readonly size?: number;
  /** So many milliseconds after the first came into the batch, the agent runs with what is there. Default: never. */
  readonly timeout?: number;
}

/** What else decides whether an artifact counts, and when it is enough. */
export interface SubscriptionOptions<T extends readonly AnyArtifactType[] = readonly AnyArtifactType[]> {
  /** Only artifacts for which this holds. One that throws is logged, and does not hold. */
  readonly where?: (artifact: ArtifactOf<T[number]>) => boolean;
  /**
   * Only groups for which this holds: asked when there is one artifact of each type, with the payloads as the agent's
   * function receives them; with a `batch` for each of its groups. The artifacts of a group that is refused are dropped from the gate. One that throws is logged,
   * and does not hold.
   */
  readonly whereGroup?: (inputs: InputsOf<T>, artifacts: readonly ArtifactOf<T[number]>[]) => boolean;
  /** Only artifacts that carry all of these tags. */
  readonly tags?: readonly string[];
  /** For several types: which artifacts belong together. Without it artifacts of any workflow and time fill the gate. */
  readonly join?: JoinOptions<T[number]>;
  /** Wakes the agent for many artifacts at once, or for many groups. */
  readonly batch?: BatchOptions;
  /** How many artifacts the gate lets wait for others; one more, and the oldest is dropped from it. Default 100,000. */
  readonly maxWaiting?: number;
}

const FUNCTION = z.custom<() => never>((value) => typeof value === "function", "must be a function");

const optionsSchema = z.strictObject({
  where: FUNCTION.optional(),
  whereGroup: FUNCTION.optional(),
  tags: z.array(z.string().min(1)).optional(),
  join: z
    .strictObject({
      by: z.union([z.literal("correlation"), FUNCTION], { error: 'must be "correlation" or a function' }).optional(),
      within: z
        .union([z.number().positive(), z.strictObject({ artifacts: z.int().min(1) })], {
          error: "must be milliseconds, or { artifacts: how many }",
        })
        .optional(),
    })
    .refine(({ by, within }) => by !== undefined || within !== undefined, "must say by, within, or both")
    .optional(),
  batch: z
    .strictObject({ size: z.int().min(1).optional(), timeout: z.number().positive().optional() })
    .refine(({ size, timeout }) => size !== undefined || timeout !== undefined, "must say size, timeout, or both")
    .optional(),
  maxWaiting: z.int().min(1).optional(),
});

/**
 * Checks the options of a `consumes` of so many artifacts.
 * @throws FlockError `invalid_options`, naming each wrong option, also those that could never let the agent run.
 */
export function checkSubscriptionOptions(what: string, options: unknown, groupSize: number): SubscriptionOptions {
  const { join, maxWaiting } = checkOptions(what, optionsSchema, options);
  const within = typeof join?.within === "object" ? join.within.artifacts : undefined;
  const mistake =
    join && groupSize === 1
      ? "join: there is nothing to join with a single artifact; name several types, or leave it out"
      : within !== undefined && within < groupSize
        ? `join.within.artifacts: must be at least ${groupSize}, as many as the gate wants`
        : maxWaiting !== undefined && maxWaiting < groupSize - 1
          ? `maxWaiting: must be at least ${groupSize - 1}, or the gate could never be filled`
          : undefined;
  if (mistake) throw new FlockError("invalid_options", `${what}: ${mistake}`);
  return options as SubscriptionOptions;
}
