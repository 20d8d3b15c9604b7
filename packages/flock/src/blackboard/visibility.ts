import {
  type AgentPrincipal,
  type EventVisibility,
  type LastingVisibility,
  OWNER_ONLY,
  PUBLIC,
  type VisibilityRequest,
} from "@flock-ts/protocol";
import { FlockError } from "../core/errors.ts";

/**
 * Sets who may see an artifact.
 *
 * @example
 * await flock.publish(Salary({ amount: 1 }), { visibility: visibility.labelled("payroll") });
 */
export const visibility = {
  /** Visible to everyone. The default. */
  public: PUBLIC as LastingVisibility,
  /** Visible to the named agents and to clients that act for one of them. Without names: to the owner only. */
  privateTo: (...agents: string[]): LastingVisibility => ({ kind: "private", agents }),
  /** Visible to principals that have all of these labels. */
  labelled: (label: string, ...labels: string[]): LastingVisibility => ({
    kind: "labelled",
    required_labels: [label, ...labels],
  }),
  /** Visible to principals of this tenant. */
  tenant: (id: string): LastingVisibility => ({ kind: "tenant", tenant_id: id }),
  /**
   * Visible to the owner until a time, or for a number of milliseconds after the publish, then to others. Default:
   * everyone.
   * @throws FlockError `invalid_options` when it is no time.
   */
  after: (when: Date | number, then: LastingVisibility = PUBLIC): VisibilityRequest => {
    if (typeof when === "number") return { kind: "after", ttl_ms: when, then };
    if (when instanceof Date && !Number.isNaN(when.getTime())) return { kind: "after", at: when.toISOString(), then };
    throw new FlockError(
      "invalid_options",
      `Invalid time for \`visibility.after\`: \`${String(when)}\`. Pass a \`Date\`, or a number of milliseconds.`,
    );
  },
} as const;

/**
 * Returns the visibility of an artifact about something of this visibility. Several conditions that all must hold are no
 * visibility of an artifact: only the owner may see it then.
 */
export function lastingOf(visibility: EventVisibility | undefined = PUBLIC): LastingVisibility {
  return visibility.kind === "all" ? OWNER_ONLY : visibility;
}

/** Returns the visibility of everything that an agent does, if it belongs to a tenant. */
export function tenantOf({ tenant }: AgentPrincipal): LastingVisibility | undefined {
  return tenant === undefined ? undefined : visibility.tenant(tenant);
}
