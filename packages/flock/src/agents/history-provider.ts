import { z } from "zod";
import type { AnyArtifactType } from "../blackboard/artifact-type.ts";
import { checkOptions } from "../core/errors.ts";
import type { ArtifactQuery } from "../store/store.ts";
import type { ContextProvider } from "./context-provider.ts";
import type { RunContext } from "./run-context.ts";
import type { ArtifactOf } from "./subscription-options.ts";

/** Selects earlier artifacts for a run. All given conditions must match. */
export interface HistoryOptions<T extends AnyArtifactType = AnyArtifactType> {
  /**
   * Only artifacts of these types, whose payloads are validated and decoded; what does not fit is left out. Default: all
   * types, with payloads as JSON represents them.
   */
  readonly types?: readonly T[];
  /** Only artifacts of the run's workflow; false reads the whole blackboard. Default: true. */
  readonly correlation?: boolean;
  /** Only artifacts that have all of these tags. Default: no condition. */
  readonly tags?: readonly string[];
  /** Only artifacts of these agents, or `external`. Default: no condition. */
  readonly producedBy?: readonly string[];
  /** Maximum number of artifacts; the newest are kept. Default: 20. */
  readonly newest?: number;
  /** Maximum number of JSON characters; the oldest artifacts are left out first. Default: 20,000. */
  readonly maxCharacters?: number;
}

/** An earlier artifact, reduced to the fields that a run needs. */
export type Earlier<T extends AnyArtifactType = AnyArtifactType> =
  ArtifactOf<T> extends infer A
    ? A extends { readonly type: string }
      ? Pick<A, Extract<keyof A, "type" | "payload" | "producedBy" | "tags" | "createdAt">>
      : never
    : never;

const optionsSchema = z.strictObject({
  types: z
    .array(
      z.custom<AnyArtifactType>(
        (type) => typeof (type as Partial<AnyArtifactType> | null)?.typeName === "string",
        "must be an artifact type",
      ),
    )
    .min(1)
    .optional(),
  correlation: z.boolean().default(true),
  tags: z.array(z.string().min(1)).optional(),
  producedBy: z.array(z.string().min(1)).min(1).optional(),
  newest: z.int().min(1).max(1_000).default(20),
  maxCharacters: z.int().min(1).default(20_000),
});

/**
 * Creates a context provider that returns earlier artifacts, oldest first, without those that the run consumes.
 *
 * @example
 * flock.agent("critic").consumes(Draft).publishes(Review).context({ earlier: history({ types: [Review], newest: 5 }) });
 *
 * @throws FlockError `invalid_options`, naming each invalid option.
 */
export function history<const T extends AnyArtifactType = AnyArtifactType>(
  options: HistoryOptions<T> = {},
): ContextProvider<readonly Earlier<T>[]> {
  const { types, correlation, newest, maxCharacters, ...rest } = checkOptions("history", optionsSchema, options);
  const byName = new Map(types?.map((type) => [type.typeName, type]));
  return async (context) => {
    const consumed = new Set(context.artifacts.map(({ id }) => id));
    const artifacts = await readFor(context, {
      ...rest,
      types: types?.map(({ typeName }) => typeName),
      correlationId: correlation ? context.correlationId : undefined,
      limit: newest + consumed.size,
    });
    const earlier: Earlier[] = [];
    let left = maxCharacters;
    for (const { id, type, payload, producedBy, tags, createdAt } of artifacts) {
      if (consumed.has(id) || earlier.length === newest) continue;
      const entry = { type, payload, producedBy, tags, createdAt };
      const size = JSON.stringify(entry).length;
      if (size > left) {
        // An artifact that can never fit must not hide older ones.
        if (size > maxCharacters) continue;
        break;
      }
      left -= size;
      const declared = byName.get(type);
      if (!declared) earlier.unshift(entry);
      else {
        try {
          earlier.unshift({ ...entry, payload: declared.decode(payload) });
        } catch (err) {
          // One artifact of an earlier schema must not fail every run that reads it.
          context.log.warn({ err, artifact: id }, "earlier artifact does not fit its type any more; left out");
        }
      }
    }
    return earlier as unknown as readonly Earlier<T>[];
  };
}

/** Reads artifacts that the agent may see, newest first. All history is read here. */
async function readFor({ store }: RunContext, query: ArtifactQuery) {
  return (await store.query(query)).artifacts;
}
