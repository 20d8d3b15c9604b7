import { z } from "zod";
import type { AnyArtifactType } from "../blackboard/artifact-type.ts";
import { checkOptions } from "../core/errors.ts";
import type { ArtifactQuery } from "../store/store.ts";
import type { ContextProvider } from "./context-provider.ts";
import type { RunContext } from "./run-context.ts";
import type { ArtifactOf } from "./subscription-options.ts";

/** Which part of the past a run is given. Every part that is named must hold. */
export interface HistoryOptions<T extends AnyArtifactType = AnyArtifactType> {
  /** Only artifacts of these types. Default: of any. */
  readonly types?: readonly T[];
  /** Only what belongs to the run's own workflow. Default true; false: the whole blackboard. */
  readonly correlation?: boolean;
  /** Only artifacts that carry all of these tags. */
  readonly tags?: readonly string[];
  /** Only artifacts of these agents, or `external`. */
  readonly producedBy?: readonly string[];
  /** So many at most, the newest. Default 20. */
  readonly newest?: number;
  /** So many characters of JSON at most: what does not fit is left out, the oldest first. Default 20,000. */
  readonly maxCharacters?: number;
}

/** An artifact of the past, as far as it tells a run something. */
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
 * Gives a run what was published before, oldest first, without what it consumes: for `.context` of an agent.
 *
 * @throws FlockError `invalid_options`, naming each wrong option.
 *
 * @example
 * flock.agent("critic").consumes(Draft).publishes(Review).context({ earlier: history({ types: [Review], newest: 5 }) });
 */
export function history<const T extends AnyArtifactType = AnyArtifactType>(
  options: HistoryOptions<T> = {},
): ContextProvider<readonly Earlier<T>[]> {
  const { types, correlation, newest, maxCharacters, ...rest } = checkOptions("history", optionsSchema, options);
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
        // One that could never fit must not hide the others.
        if (size > maxCharacters) continue;
        break;
      }
      left -= size;
      earlier.unshift(entry);
    }
    return earlier as unknown as readonly Earlier<T>[];
  };
}

/** What an agent's run may read of the blackboard, newest first: the one place where history is read. */
async function readFor({ store }: RunContext, query: ArtifactQuery) {
  return (await store.query(query)).artifacts;
}
