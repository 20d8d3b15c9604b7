import {
  type EventVisibility,
  EXTERNAL,
  type HistorySummary,
  OWNER,
  type Principal,
  type Visibility,
} from "@flock-ts/protocol";
import type { StoredArtifact } from "../blackboard/artifact.ts";
import { ByVisibility, type Class, isRestricted } from "../blackboard/by-visibility.ts";
import type { EventWrite } from "../store/store.ts";

type Totals = Pick<HistorySummary, "produced" | "consumed" | "first_published_at" | "last_published_at">;
type ByAgent = Map<string, Totals>;
type SavedTotals = readonly (readonly [agentId: string, totals: Totals])[];

/** The totals of each agent: those of everything, and those by visibility where not everything is public. */
export interface SavedHistory {
  readonly all: SavedTotals;
  readonly classes?: readonly { readonly visibility?: EventVisibility | undefined; readonly totals: SavedTotals }[];
}

/** What each agent has consumed and produced, by artifact type. */
export class History {
  readonly #all: ByAgent = new Map();
  #classes: ByVisibility<ByAgent> | undefined;

  /** Applies an event that has been committed. */
  apply({ event, artifact, reveals, consumes }: EventWrite): void {
    if (artifact && artifact.producedBy !== EXTERNAL) this.produced(artifact.producedBy, artifact);
    else if (consumes && event.type === "agent_execution_started")
      this.consumed(event.agent_id, consumes, event.visibility);
    else if (reveals && reveals.producedBy !== EXTERNAL && event.type === "artifact_published")
      this.revealed(reveals.producedBy, { type: reveals.type, visibility: event.visibility }, event.timestamp);
  }

  /** `visibility`: who may see the run. */
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

  /** An artifact's time has come: those who may see it now have not been told of it before. */
  revealed(agentId: string, { type, visibility }: Pick<StoredArtifact, "type" | "visibility">, at: string): void {
    const totals = this.#classes?.of(visibility);
    if (totals) countProduced(totalsOf(totals, agentId), { type, createdAt: at });
  }

  /** What a principal may know of the totals of an agent; all empty for one that has done nothing. */
  of(agentId: string, as: Principal = OWNER): Totals {
    if (as.kind === "owner" || !this.#classes) return structuredClone(this.#all.get(agentId) ?? noTotals());
    const seen = this.#classes.seenBy(as).flatMap((byAgent) => byAgent.get(agentId) ?? []);
    const times = (pick: (totals: Totals) => string | null) => seen.flatMap((totals) => pick(totals) ?? []).sort();
    return {
      produced: sumOf(seen.map(({ produced }) => produced)),
      consumed: sumOf(seen.map(({ consumed }) => consumed)),
      first_published_at: times((totals) => totals.first_published_at)[0] ?? null,
      last_published_at: times((totals) => totals.last_published_at).at(-1) ?? null,
    };
  }

  /** All totals, as JSON can keep them. */
  save(): SavedHistory {
    const classes = this.#classes?.all.map(({ visibility, value }) => ({ visibility, totals: [...value] }));
    return { all: [...this.#all], ...(classes ? { classes } : {}) };
  }

  /** Goes on from totals that were saved; earlier versions saved those of everything alone. */
  restore(saved: SavedHistory | SavedTotals): void {
    const { all, classes } = "all" in saved ? saved : { all: saved, classes: undefined };
    for (const [agentId, totals] of all) this.#all.set(agentId, totals);
    const restored = classes?.map(({ visibility, totals }): Class<ByAgent> => ({ visibility, value: new Map(totals) }));
    if (restored) this.#apart().restore(restored);
  }

  #count(
    visibility: Visibility | EventVisibility | undefined,
    agentId: string,
    change: (totals: Totals) => void,
  ): void {
    if (isRestricted(visibility)) this.#apart();
    change(totalsOf(this.#all, agentId));
    const totals = this.#classes?.of(visibility);
    if (totals) change(totalsOf(totals, agentId));
  }

  #apart(): ByVisibility<ByAgent> {
    this.#classes ??= new ByVisibility<ByAgent>(structuredClone(this.#all), () => new Map());
    return this.#classes;
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
