import { type LastingVisibility, PUBLIC, type VisibilityRequest } from "@flock-ts/protocol";

/**
 * Says who may see an artifact.
 *
 * @example
 * await flock.publish(Salary({ amount: 1 }), { visibility: visibility.labelled("payroll") });
 */
export const visibility = {
  /** Everybody: what an artifact is that says nothing. */
  public: PUBLIC as LastingVisibility,
  /** The named agents, and the clients that answer for one of them. Without a name: the owner alone. */
  privateTo: (...agents: string[]): LastingVisibility => ({ kind: "private", agents }),
  /** Whoever carries all of these labels. */
  labelled: (label: string, ...labels: string[]): LastingVisibility => ({
    kind: "labelled",
    required_labels: [label, ...labels],
  }),
  /** Whoever belongs to this tenant. */
  tenant: (id: string): LastingVisibility => ({ kind: "tenant", tenant_id: id }),
  /** The owner alone until a time, or for so many milliseconds after it is published; then others. Default: everybody. */
  after: (when: Date | number, then: LastingVisibility = PUBLIC): VisibilityRequest =>
    typeof when === "number" ? { kind: "after", ttl_ms: when, then } : { kind: "after", at: when.toISOString(), then },
} as const;
