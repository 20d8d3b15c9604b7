import { z } from "zod";
import { limitedArray } from "../input/limited-array.ts";

const names = limitedArray(z.string().min(1), 1_000);
const publicKind = z.strictObject({ kind: z.literal("public") });
const privateKind = z.strictObject({
  kind: z.literal("private"),
  agents: names.describe("Names of the agents that may see it; with none of them, the owner alone."),
});
const labelledKind = z.strictObject({
  kind: z.literal("labelled"),
  required_labels: names.min(1).describe("Whoever carries all of these labels may see it."),
});
const tenantKind = z.strictObject({
  kind: z.literal("tenant"),
  tenant_id: z.string().min(1).describe("Whoever belongs to this tenant may see it."),
});

const LASTING = [publicKind, privateKind, labelledKind, tenantKind] as const;
const lasting = z.discriminatedUnion("kind", LASTING);
const then = lasting.describe("Who may see it from that time on. Until then, the owner alone.");

/** Who may see an artifact, as it stands on the blackboard. */
export const visibilitySchema = z
  .discriminatedUnion("kind", [...LASTING, z.strictObject({ kind: z.literal("after"), at: z.iso.datetime(), then })])
  .meta({ id: "Visibility", description: "Who may see an artifact." });

/** Who may see an artifact, as its publisher says it: a time may be one, or so long from now. */
export const visibilityRequestSchema = z
  .discriminatedUnion("kind", [
    ...LASTING,
    z
      .strictObject({
        kind: z.literal("after"),
        at: z.iso.datetime({ offset: true }).optional(),
        ttl_ms: z.number().min(0).max(8.64e15).optional().describe("So many milliseconds after it is published."),
        // biome-ignore lint/suspicious/noThenProperty: no function; the Python edition calls it so
        then: then.default({ kind: "public" }),
      })
      .refine(({ at, ttl_ms }) => (at === undefined) !== (ttl_ms === undefined), "say either at or ttl_ms"),
  ])
  .meta({ id: "VisibilityRequest", description: "Who may see an artifact that is to be published." });

/** Who may see an event: whoever may see all that it tells of. */
export const eventVisibilitySchema = z
  .discriminatedUnion("kind", [
    ...LASTING,
    z.strictObject({ kind: z.literal("all"), of: z.array(lasting).describe("Whoever may see every one of these.") }),
  ])
  .meta({ id: "EventVisibility", description: "Who may see an event that is not about a single artifact." });

/** Who may see an artifact. */
export type Visibility = z.infer<typeof visibilitySchema>;
/** Who may see an artifact, as its publisher says it. */
export type VisibilityRequest = z.input<typeof visibilityRequestSchema>;
/** Who may see an event that is not about a single artifact. */
export type EventVisibility = z.infer<typeof eventVisibilitySchema>;
/** A visibility that no time changes. */
export type LastingVisibility = z.infer<typeof lasting>;

/** The visibility of an artifact that names none. */
export const PUBLIC = Object.freeze({ kind: "public" as const });

/**
 * A visibility as it is kept, equal ones in the same words: a time that has passed or is still to be counted from `now`
 * (milliseconds since 1970) is settled, lists are in order.
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
