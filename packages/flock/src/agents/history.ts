import type { HistorySummary } from "@flock/protocol";
import type { StoredArtifact } from "../blackboard/stored-artifact.ts";

type Totals = Pick<HistorySummary, "produced" | "consumed" | "first_published_at" | "last_published_at">;

/** The totals of each agent. */
export type SavedHistory = readonly (readonly [agentId: string, totals: Totals])[];

/** What each agent has consumed and produced, by artifact type. */
export class History {
  readonly #byAgent = new Map<string, Totals>();

  consumed(agentId: string, artifacts: readonly Pick<StoredArtifact, "type">[]): void {
    const { consumed } = this.#totalsOf(agentId);
    for (const { type } of artifacts) consumed[type] = (consumed[type] ?? 0) + 1;
  }

  produced(agentId: string, { type, createdAt }: Pick<StoredArtifact, "type" | "createdAt">): void {
    const totals = this.#totalsOf(agentId);
    totals.produced[type] = (totals.produced[type] ?? 0) + 1;
    totals.first_published_at ??= createdAt;
    totals.last_published_at = createdAt;
  }

  /** The totals of an agent; all empty for one that has done nothing. */
  of(agentId: string): Totals {
    return structuredClone(this.#totalsOf(agentId));
  }

  /** All totals, as JSON can keep them. */
  save(): SavedHistory {
    return [...this.#byAgent];
  }

  /** Goes on from totals that were saved. */
  restore(saved: SavedHistory): void {
    for (const [agentId, totals] of saved) this.#byAgent.set(agentId, totals);
  }

  #totalsOf(agentId: string): Totals {
    let totals = this.#byAgent.get(agentId);
    if (!totals) {
      totals = { produced: {}, consumed: {}, first_published_at: null, last_published_at: null };
      this.#byAgent.set(agentId, totals);
    }
    return totals;
  }
}
