import {
  type EventVisibility,
  EXTERNAL,
  type HistorySummary,
  type Principal,
  type Visibility,
} from "@flock-ts/protocol";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import { ByVisibility, isRestricted, type Partition } from "../blackboard/by-visibility.ts";
import type { EventWrite } from "../store/store.ts";

type Totals = Pick<HistorySummary, "produced" | "consumed" | "first_published_at" | "last_published_at">;
type ByAgent = Map<string, Totals>;
type SavedTotals = readonly (readonly [agentId: string, totals: Totals])[];

/** Totals per agent: of everything, and per visibility once something is restricted. */
export interface SavedHistory {
  readonly all: SavedTotals;
  readonly classes?: readonly { readonly visibility?: EventVisibility | undefined; readonly totals: SavedTotals }[];
}

/** Counts what each agent has consumed and produced, by artifact type. */
export class History {
  readonly #all: ByAgent = new Map();
  #partitions: ByVisibility<ByAgent> | undefined;

  /** Applies a committed event. */
  apply({ event, artifact, reveals, consumes }: EventWrite): void {
    if (artifact && artifact.producedBy !== EXTERNAL) this.produced(artifact.producedBy, artifact);
    else if (consumes && event.type === "agent_execution_started")
      this.consumed(event.agent_id, consumes, event.visibility);
    else if (reveals && reveals.producedBy !== EXTERNAL && event.type === "artifact_published")
      this.revealed(reveals.producedBy, { type: reveals.type, visibility: event.visibility }, event.timestamp);
  }

  /** @param visibility of the run. */
  consumed(
    agentId: string,
    artifacts: readonly Pick<StoredArtifact, "type">[],
    visibility: EventVisibility | undefined,
  ): void {
    this.#count(visibility, agentId, ({ consumed }) => {
      for (const { type } of artifacts) consumed[type] = (consumed[type] ?? 0) + 1;
    });
  }

  produced(agentId: string, artifact: Pick<StoredArtifact, "type" | "createdAt" | "visibility">): void {
    this.#count(artifact.visibility, agentId, (totals) => countProduced(totals, artifact));
  }

  /** Counts an artifact after a scheduled publish, for the principals that may see it now. */
  revealed(agentId: string, { type, visibility }: Pick<StoredArtifact, "type" | "visibility">, at: string): void {
    const totals = this.#partitions?.of(visibility);
    if (totals) countProduced(totalsOf(totals, agentId), { type, createdAt: at });
  }

  /** Returns an agent's totals that a principal may see; empty for an agent without activity. */
  of(agentId: string, as: Principal): Totals {
    if (as.kind === "owner" || !this.#partitions) return structuredClone(this.#all.get(agentId) ?? noTotals());
    const seen = this.#partitions.seenBy(as).flatMap((byAgent) => byAgent.get(agentId) ?? []);
    const times = (pick: (totals: Totals) => string | null) => seen.flatMap((totals) => pick(totals) ?? []).sort();
    return {
      produced: sumOf(seen.map(({ produced }) => produced)),
      consumed: sumOf(seen.map(({ consumed }) => consumed)),
      first_published_at: times((totals) => totals.first_published_at)[0] ?? null,
      last_published_at: times((totals) => totals.last_published_at).at(-1) ?? null,
    };
  }

  /** Returns the totals in JSON form. */
  save(): SavedHistory {
    const classes = this.#partitions?.all.map(({ visibility, value }) => ({ visibility, totals: [...value] }));
    return { all: [...this.#all], ...(classes ? { classes } : {}) };
  }

  /** Restores saved totals. Earlier versions saved only the overall totals. */
  restore(saved: SavedHistory | SavedTotals): void {
    const { all, classes } = "all" in saved ? saved : { all: saved, classes: undefined };
    for (const [agentId, totals] of all) this.#all.set(agentId, totals);
    const restored = classes?.map(
      ({ visibility, totals }): Partition<ByAgent> => ({ visibility, value: new Map(totals) }),
    );
    if (restored) this.#partitioned().restore(restored);
  }

  #count(
    visibility: Visibility | EventVisibility | undefined,
    agentId: string,
    change: (totals: Totals) => void,
  ): void {
    if (isRestricted(visibility)) this.#partitioned();
    change(totalsOf(this.#all, agentId));
    const totals = this.#partitions?.of(visibility);
    if (totals) change(totalsOf(totals, agentId));
  }

  #partitioned(): ByVisibility<ByAgent> {
    this.#partitions ??= new ByVisibility<ByAgent>(structuredClone(this.#all), () => new Map());
    return this.#partitions;
  }
}

function countProduced(totals: Totals, { type, createdAt }: Pick<StoredArtifact, "type" | "createdAt">): void {
  totals.produced[type] = (totals.produced[type] ?? 0) + 1;
  totals.first_published_at ??= createdAt;
  totals.last_published_at = createdAt;
}

function totalsOf(byAgent: ByAgent, agentId: string): Totals {
  let totals = byAgent.get(agentId);
  if (!totals) byAgent.set(agentId, (totals = noTotals()));
  return totals;
}

function noTotals(): Totals {
  return { produced: {}, consumed: {}, first_published_at: null, last_published_at: null };
}

function sumOf(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const count of counts) for (const [type, n] of Object.entries(count)) sum[type] = (sum[type] ?? 0) + n;
  return sum;
}
