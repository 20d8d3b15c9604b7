import { z } from "zod";
import { limitedArray } from "../input/limited-array.ts";
import { nameSchema } from "../input/name.ts";

const names = limitedArray(nameSchema, 1_000);
const publicKind = z.strictObject({ kind: z.literal("public") });
const privateKind = z.strictObject({
  kind: z.literal("private"),
  agents: names.describe("Names of the agents that may see it. Empty: only the owner."),
});
const labelledKind = z.strictObject({
  kind: z.literal("labelled"),
  required_labels: names.min(1).describe("Principals with all of these labels may see it."),
});
const tenantKind = z.strictObject({
  kind: z.literal("tenant"),
  tenant_id: nameSchema.describe("Principals of this tenant may see it."),
});

const LASTING = [publicKind, privateKind, labelledKind, tenantKind] as const;
const lasting = z.discriminatedUnion("kind", LASTING);
const then = lasting.describe("Who may see it from that time on. Until then, only the owner.");

/** Validates the visibility of an artifact on the blackboard. */
export const visibilitySchema = z
  .discriminatedUnion("kind", [...LASTING, z.strictObject({ kind: z.literal("after"), at: z.iso.datetime(), then })])
  .meta({ id: "Visibility", description: "Who may see an artifact." });

/** Validates the visibility that a publisher requests. A time can be absolute (`at`) or relative (`ttl_ms`). */
export const visibilityRequestSchema = z
  .discriminatedUnion("kind", [
    ...LASTING,
    z
      .strictObject({
        kind: z.literal("after"),
        at: z.iso.datetime({ offset: true }).optional(),
        ttl_ms: z.number().min(0).max(8.64e15).optional().describe("Milliseconds after it is published."),
        // biome-ignore lint/suspicious/noThenProperty: the wire name, shared with the Python edition; never a function
        then: then.default({ kind: "public" }),
      })
      .refine(({ at, ttl_ms }) => (at === undefined) !== (ttl_ms === undefined), "say either at or ttl_ms"),
  ])
  .meta({ id: "VisibilityRequest", description: "Who may see the artifact to publish." });

/** Validates the visibility of an event: principals that may see everything it refers to. */
export const eventVisibilitySchema = z
  .discriminatedUnion("kind", [
    ...LASTING,
    z.strictObject({ kind: z.literal("all"), of: z.array(lasting).describe("Principals that may see each of these.") }),
  ])
  .meta({ id: "EventVisibility", description: "Who may see an event that does not concern a single artifact." });

/** Who may see an artifact. */
export type Visibility = z.infer<typeof visibilitySchema>;
/** The visibility that a publisher requests. */
export type VisibilityRequest = z.input<typeof visibilityRequestSchema>;
/** The visibility of an event that does not concern a single artifact. */
export type EventVisibility = z.infer<typeof eventVisibilitySchema>;
/** A visibility that does not change with time. */
export type LastingVisibility = z.infer<typeof lasting>;

/** The default visibility of an artifact. */
export const PUBLIC = Object.freeze({ kind: "public" as const });

/**
 * Returns the stored form of a requested visibility. Times are absolute and in the future, and lists are sorted, so that
 * equal visibilities have equal JSON.
 *
 * @param now milliseconds since 1970.
 */
export function settleVisibility(wanted: VisibilityRequest, now: number): Visibility {
  if (wanted.kind !== "after") return inOrder(wanted);
  const then = inOrder(wanted.then ?? PUBLIC);
  const at = wanted.at === undefined ? now + (wanted.ttl_ms ?? 0) : Date.parse(wanted.at);
  return at <= now ? then : { kind: "after", at: new Date(Math.min(at, 8.64e15)).toISOString(), then };
}

function inOrder(visibility: LastingVisibility): LastingVisibility {
  switch (visibility.kind) {
    case "public":
      return PUBLIC;
    case "private":
      return { kind: "private", agents: sorted(visibility.agents) };
    case "labelled":
      return { kind: "labelled", required_labels: sorted(visibility.required_labels) };
    case "tenant":
      return { kind: "tenant", tenant_id: visibility.tenant_id };
  }
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
