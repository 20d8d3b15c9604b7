import {
  allOf,
  describeIssues,
  type EventVisibility,
  issuesOf,
  type LastingVisibility,
  OWNER_ONLY,
  settleVisibility,
  type VisibilityRequest,
  visibilityRequestSchema,
} from "@flock-ts/protocol";
import { z } from "zod";
import type { AnyArtifactType, Draft, PayloadOf } from "../blackboard/artifact-type.ts";
import { checkOptions, FlockError } from "../core/errors.ts";

/** What an agent promises of the artifacts of a type that it publishes. Asked in this order. */
export interface OutputOptions<T extends AnyArtifactType = AnyArtifactType> {
  /**
   * How many artifacts of the type one run returns: exactly so many, or at least `min` (default 0) and at most `max`
   * (default: any number). Another number ends the run with an error, and nothing is published. Default: any number.
   */
  readonly fanOut?: number | { readonly min?: number; readonly max?: number };
  /** Only artifacts for which this holds are published; the others are passed over in silence. */
  readonly where?: (payload: PayloadOf<T>) => boolean;
  /** `true`, or what is wrong: that ends the run with an error of this message, and nothing is published. */
  readonly validate?: (payload: PayloadOf<T>) => true | string;
  /**
   * Who may see the artifact. What the agent streams meanwhile is for those who may see all that it may publish; when
   * a function decides, for the owner alone. Default: everybody; of an agent of a tenant, that tenant.
   */
  readonly visibility?: VisibilityRequest | ((payload: PayloadOf<T>) => VisibilityRequest);
}

const FUNCTION = z.custom<() => never>((value) => typeof value === "function", "must be a function");

const optionsSchema = z.strictObject({
  fanOut: z
    .union(
      [
        z.int().min(1),
        z
          .strictObject({ min: z.int().min(0).optional(), max: z.int().min(1).optional() })
          .refine(({ min = 0, max = Number.POSITIVE_INFINITY }) => min <= max, "min must not be more than max"),
      ],
      { error: "must be how many, from 1, or { min, max }" },
    )
    .optional(),
  where: FUNCTION.optional(),
  validate: FUNCTION.optional(),
  visibility: z.union([visibilityRequestSchema, FUNCTION], { error: "must be a visibility or a function" }).optional(),
});

/**
 * Checks the options of a `publishes`.
 * @throws FlockError `invalid_options`, naming each wrong option.
 */
export function checkOutputOptions(what: string, options: unknown): OutputOptions {
  checkOptions(what, optionsSchema, options);
  return options as OutputOptions;
}

type FanOut = OutputOptions["fanOut"];

/** How many, both included. */
export interface Range {
  readonly min: number;
  /** Infinity when any number will do. */
  readonly max: number;
}

function rangeOf(fanOut: FanOut): Range {
  if (typeof fanOut === "number") return { min: fanOut, max: fanOut };
  return { min: fanOut?.min ?? 0, max: fanOut?.max ?? Number.POSITIVE_INFINITY };
}

/** Holds an agent to what it has promised of its output. */
export class Outputs {
  readonly #agentId: string;
  readonly #options: ReadonlyMap<string, OutputOptions>;
  /** Who may see everything that the agent may publish; undefined: everybody. */
  readonly visibility: EventVisibility | undefined;
  /** By type, how many one run returns of it, where that is said and is not just one. */
  readonly lists: ReadonlyMap<string, Range>;

  readonly #otherwise: LastingVisibility;

  /** `options` by the name of the artifact type. `otherwise`: who may see what says nothing about that. */
  constructor(agentId: string, options: ReadonlyMap<string, OutputOptions>, otherwise: LastingVisibility) {
    this.#agentId = agentId;
    this.#options = options;
    this.lists = new Map(
      [...options].flatMap(([type, { fanOut }]) =>
        fanOut === undefined || fanOut === 1 ? [] : [[type, rangeOf(fanOut)] as const],
      ),
    );
    this.#otherwise = otherwise;
    this.visibility = allOf(
      [...options.values()].map(({ visibility = otherwise }) =>
        // What waits for its time is for the owner alone, whatever that time is.
        typeof visibility === "function" || visibility.kind === "after" ? OWNER_ONLY : settleVisibility(visibility, 0),
      ),
    );
  }

  /**
   * What is published of the drafts that a run has returned.
   * @throws FlockError `wrong_output`, or what the agent's own functions throw.
   */
  check(drafts: readonly Draft[]): readonly Draft[] {
    for (const [type, { fanOut }] of this.#options) {
      if (fanOut !== undefined) this.#count(type, fanOut, drafts.filter((draft) => draft.type === type).length);
    }
    const wanted = drafts.filter(({ type, payload }) => {
      const { where } = this.#options.get(type) ?? {};
      return !where || where(payload as never) === true;
    });
    for (const { type, payload } of wanted) {
      const { validate } = this.#options.get(type) ?? {};
      const verdict: unknown = validate ? validate(payload as never) : true;
      if (verdict === true) continue;
      const isMessage = typeof verdict === "string" && verdict !== "";
      const message = `agent ${this.#agentId}: validate of a ${type} gives true or what is wrong, not ${String(verdict)}`;
      throw new FlockError("wrong_output", isMessage ? verdict : message);
    }
    return wanted;
  }

  /** @throws FlockError `wrong_output` when it is none, or what the agent's function throws. */
  visibilityOf({ type, payload }: Draft): VisibilityRequest {
    const { visibility = this.#otherwise } = this.#options.get(type) ?? {};
    if (typeof visibility !== "function") return visibility;
    const checked = visibilityRequestSchema.safeParse(visibility(payload as never));
    if (checked.success) return checked.data;
    throw new FlockError(
      "wrong_output",
      `agent ${this.#agentId}: the visibility of a ${type} is none: ${describeIssues(issuesOf(checked.error))}`,
    );
  }

  #count(type: string, fanOut: FanOut, count: number): void {
    const { min, max } = rangeOf(fanOut);
    if (count >= min && count <= max) return;
    const promised = min === max ? min : max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`;
    throw new FlockError(
      "wrong_output",
      `agent ${this.#agentId} returned ${count} × ${type}, but declares a fanOut of ${promised}`,
    );
  }
}
