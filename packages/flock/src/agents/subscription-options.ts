import { z } from "zod";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType, ArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";
import { checkOptions, FlockError } from "../core/errors.ts";
import { syncFunction } from "../core/predicate.ts";
import type { InputsOf } from "./inputs.ts";

/** An artifact of one of these types, as predicates receive it. */
export type ArtifactOf<T extends AnyArtifactType> =
  T extends ArtifactType<infer Name, infer _> ? StoredArtifact<Name, PayloadOf<T>> : never;

/** Conditions for the artifacts of one group in an AND gate: a common key, a maximum distance, or both. */
export interface JoinOptions<T extends AnyArtifactType = AnyArtifactType> {
  /**
   * `correlation` groups artifacts of the same workflow; a function groups artifacts with the same key. Default: no
   * condition.
   */
  readonly by?: "correlation" | ((artifact: ArtifactOf<T>) => string);
  /**
   * Maximum distance of the artifacts in a group. A number requires that their `createdAt` are less than this many
   * milliseconds apart. `{ artifacts: n }` requires that they are among n consecutive artifacts of the gate, regardless
   * of key. Expired artifacts leave the gate but stay on the blackboard. Default: no limit.
   */
  readonly within?: number | { readonly artifacts: number };
}

/** Size and timeout of a batch; the first one reached completes it. At least one is required. */
export interface BatchOptions {
  /** Number of artifacts, or of groups for several types. Default: `maxWaiting`. */
  readonly size?: number;
  /**
   * Time after the batch's first artifact, in ms, after which the agent runs with an incomplete batch. Default: never.
   */
  readonly timeout?: number;
}

/** Conditions of a subscription. */
export interface SubscriptionOptions<T extends readonly AnyArtifactType[] = readonly AnyArtifactType[]> {
  /** Accepts only artifacts for which it returns true. An error is logged and counts as false. Default: all. */
  readonly where?: (artifact: ArtifactOf<T[number]>) => boolean;
  /**
   * Accepts only groups for which it returns true. Called with complete groups: the payloads as the agent's function
   * receives them, and the artifacts. In a `batch`, each group is checked. Artifacts of rejected groups leave the gate.
   * An error is logged and counts as false. Default: all.
   */
  readonly whereGroup?: (inputs: InputsOf<T>, artifacts: readonly ArtifactOf<T[number]>[]) => boolean;
  /** Accepts only artifacts that have all of these tags. Default: no condition. */
  readonly tags?: readonly string[];
  /** For several types: which artifacts belong together. Default: artifacts of any workflow and time. */
  readonly join?: JoinOptions<T[number]>;
  /** Triggers the agent for many artifacts or groups at once. Default: one group per run. */
  readonly batch?: BatchOptions;
  /** Maximum number of artifacts that wait in the gate; beyond it, the oldest is dropped. Default: 100,000. */
  readonly maxWaiting?: number;
}

const optionsSchema = z.strictObject({
  where: syncFunction.optional(),
  whereGroup: syncFunction.optional(),
  tags: z.array(z.string().min(1)).optional(),
  join: z
    .strictObject({
      by: z
        .union([z.literal("correlation"), syncFunction], { error: 'must be "correlation" or a function' })
        .optional(),
      within: z
        .union([z.number().positive(), z.strictObject({ artifacts: z.int().min(1) })], {
          error: "must be milliseconds or `{ artifacts: number }`",
        })
        .optional(),
    })
    .refine(({ by, within }) => by !== undefined || within !== undefined, "must contain `by`, `within` or both")
    .optional(),
  batch: z
    .strictObject({ size: z.int().min(1).optional(), timeout: z.number().positive().optional() })
    .refine(
      ({ size, timeout }) => size !== undefined || timeout !== undefined,
      "must contain `size`, `timeout` or both",
    )
    .optional(),
  maxWaiting: z.int().min(1).optional(),
});

/**
 * Validates the options of a `consumes` whose groups contain `groupSize` artifacts.
 * @throws FlockError `invalid_options`, naming each invalid option, including those that could never trigger the agent.
 */
export function checkSubscriptionOptions(what: string, options: unknown, groupSize: number): SubscriptionOptions {
  const { join, maxWaiting } = checkOptions(what, optionsSchema, options);
  const within = typeof join?.within === "object" ? join.within.artifacts : undefined;
  const mistake =
    join && groupSize === 1
      ? "join: a single artifact cannot be joined. Name several types or remove it."
      : within !== undefined && within < groupSize
        ? `join.within.artifacts: must be at least ${groupSize}, the number of artifacts that the gate requires`
        : maxWaiting !== undefined && maxWaiting < groupSize - 1
          ? `maxWaiting: must be at least ${groupSize - 1}, otherwise no group could be completed`
          : undefined;
  if (mistake) throw new FlockError("invalid_options", `Invalid options for ${what}: ${mistake}`);
  return options as SubscriptionOptions;
}
