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
import { booleanOf, isPromise, syncFunction, wrongResult } from "../core/predicate.ts";

/** Conditions for the artifacts of a type that an agent publishes, in order of evaluation. */
export interface OutputOptions<T extends AnyArtifactType = AnyArtifactType> {
  /**
   * Number of artifacts of the type per run: an exact number, or `min` (default 0) to `max` (default: unlimited). Any
   * other number ends the run with an error, and nothing is published. Default: any number.
   */
  readonly fanOut?: number | { readonly min?: number; readonly max?: number };
  /** Publishes only artifacts for which it returns true; others are dropped silently. Default: all. */
  readonly where?: (payload: PayloadOf<T>) => boolean;
  /** Returns `true`, or an error message that ends the run; then nothing is published. Default: no validation. */
  readonly validate?: (payload: PayloadOf<T>) => true | string;
  /**
   * Visibility of the artifacts. Streamed output is visible to principals that may see everything the agent may
   * publish; with a function, to the owner only. Default: public, or the agent's tenant.
   */
  readonly visibility?: VisibilityRequest | ((payload: PayloadOf<T>) => VisibilityRequest);
}

const optionsSchema = z.strictObject({
  fanOut: z
    .union(
      [
        z.int().min(1),
        z
          .strictObject({ min: z.int().min(0).optional(), max: z.int().min(1).optional() })
          .refine(({ min = 0, max = Number.POSITIVE_INFINITY }) => min <= max, "min must not be more than max"),
      ],
      { error: "must be an integer ≥ 1 or `{ min, max }`" },
    )
    .optional(),
  where: syncFunction.optional(),
  validate: syncFunction.optional(),
  visibility: z
    .union([visibilityRequestSchema, syncFunction], { error: "must be a visibility or a function" })
    .optional(),
});

/**
 * Validates the options of a `publishes`.
 * @throws FlockError `invalid_options`, naming each invalid option.
 */
export function checkOutputOptions(what: string, options: unknown): OutputOptions {
  checkOptions(what, optionsSchema, options);
  return options as OutputOptions;
}

type FanOut = OutputOptions["fanOut"];

/** An inclusive range. */
export interface Range {
  readonly min: number;
  /** `Infinity` means unlimited. */
  readonly max: number;
}

function rangeOf(fanOut: FanOut): Range {
  if (typeof fanOut === "number") return { min: fanOut, max: fanOut };
  return { min: fanOut?.min ?? 0, max: fanOut?.max ?? Number.POSITIVE_INFINITY };
}

/** Checks an agent's output against its declared conditions. */
export class Outputs {
  readonly #agentId: string;
  readonly #options: ReadonlyMap<string, OutputOptions>;
  /** Visibility of everything the agent may publish; undefined means public. */
  readonly visibility: EventVisibility | undefined;
  /** Number of artifacts per run, by type, where it is declared and not exactly one. */
  readonly lists: ReadonlyMap<string, Range>;

  readonly #default: LastingVisibility;

  /**
   * @param options by artifact type name.
   * @param defaultVisibility for artifacts without their own.
   */
  constructor(agentId: string, options: ReadonlyMap<string, OutputOptions>, defaultVisibility: LastingVisibility) {
    this.#agentId = agentId;
    this.#options = options;
    this.lists = new Map(
      [...options].flatMap(([type, { fanOut }]) =>
        fanOut === undefined || fanOut === 1 ? [] : [[type, rangeOf(fanOut)] as const],
      ),
    );
    this.#default = defaultVisibility;
    this.visibility = allOf(
      [...options.values()].map(({ visibility = defaultVisibility }) =>
        // Until a scheduled publish, only the owner may see the artifact.
        typeof visibility === "function" || visibility.kind === "after" ? OWNER_ONLY : settleVisibility(visibility, 0),
      ),
    );
  }

  /**
   * Returns the drafts to publish out of those that a run returned.
   * @param published number of drafts of a type that the run has published before.
   * @throws FlockError `wrong_output`, or an error that the agent's own functions throw.
   */
  check(drafts: readonly Draft[], published: (type: string) => number = () => 0): readonly Draft[] {
    for (const [type, { fanOut }] of this.#options) {
      if (fanOut === undefined) continue;
      this.#count(type, fanOut, published(type) + drafts.filter((draft) => draft.type === type).length);
    }
    const accepted = drafts.filter((draft) => this.#isWanted(draft));
    for (const draft of accepted) this.#validate(draft);
    return accepted;
  }

  /**
   * Returns whether a draft is to be published before the end of its run.
   * @param published number of drafts of its type that the run has published before.
   * @throws FlockError `wrong_output`, or an error that the agent's own functions throw.
   */
  admits(draft: Draft, published: number): boolean {
    const { fanOut } = this.#options.get(draft.type) ?? {};
    const { max } = rangeOf(fanOut);
    if (published >= max) {
      throw new FlockError(
        "wrong_output",
        `Failed to publish \`${draft.type}\` from agent \`${this.#agentId}\`: its run has published ${published}, and declares a \`fanOut\` of at most ${max}. Raise \`fanOut\`, or publish less.`,
      );
    }
    if (!this.#isWanted(draft)) return false;
    this.#validate(draft);
    return true;
  }

  /**
   * Returns the visibility of a draft.
   * @throws FlockError `wrong_output` when it is invalid, or an error that the agent's function throws.
   */
  visibilityOf({ type, payload }: Draft): VisibilityRequest {
    const { visibility = this.#default } = this.#options.get(type) ?? {};
    if (typeof visibility !== "function") return visibility;
    const request: unknown = visibility(payload as never);
    if (isPromise(request))
      throw wrongResult(this.#option("visibility", type), request, "a visibility", "wrong_output");
    const checked = visibilityRequestSchema.safeParse(request);
    if (checked.success) return checked.data;
    throw new FlockError(
      "wrong_output",
      `Invalid visibility of \`${type}\` from agent \`${this.#agentId}\`: ${describeIssues(issuesOf(checked.error))}`,
    );
  }

  #isWanted({ type, payload }: Draft): boolean {
    const { where } = this.#options.get(type) ?? {};
    return !where || booleanOf(this.#option("where", type), where(payload as never), "wrong_output");
  }

  #validate({ type, payload }: Draft): void {
    const { validate } = this.#options.get(type) ?? {};
    const verdict: unknown = validate ? validate(payload as never) : true;
    if (verdict === true) return;
    if (typeof verdict === "string" && verdict !== "") throw new FlockError("wrong_output", verdict);
    throw wrongResult(this.#option("validate", type), verdict, "`true` or an error message", "wrong_output");
  }

  #option(name: string, type: string): string {
    return `\`${name}\` for \`${type}\` in agent \`${this.#agentId}\``;
  }

  #count(type: string, fanOut: FanOut, count: number): void {
    const { min, max } = rangeOf(fanOut);
    if (count >= min && count <= max) return;
    const expected = min === max ? min : max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`;
    throw new FlockError(
      "wrong_output",
      `Invalid output of agent \`${this.#agentId}\`: it returned ${count} × \`${type}\`, but declares a \`fanOut\` of ${expected}`,
    );
  }
}
