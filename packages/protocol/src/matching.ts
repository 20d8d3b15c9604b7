/** Whether an event passes a filter. Kept free of dependencies so that the browser client can bundle it alone. */
import type { EventType, FlockEvent } from "./events.ts";
import type { Filter } from "./filter.ts";
import type { EventVisibility, Visibility } from "./visibility.ts";

/** What decides who gets an event. A part is undefined where the event has no such thing. */
export interface EventFacts {
  readonly type: EventType;
  readonly agent: string | undefined;
  readonly artifactType: string | undefined;
  readonly correlationId: string | undefined;
  readonly runId: string | undefined;
  /** Who may see it; undefined: everybody. */
  readonly visibility?: Visibility | EventVisibility | undefined;
}

/** The parts of an event that decide who gets it. */
export function factsOf(event: Pick<FlockEvent, "type"> & Record<string, unknown>): EventFacts {
  const e = event as Record<string, string | undefined>;
  const { visibility } = event as { readonly visibility?: Visibility | EventVisibility };
  return {
    type: event.type,
    agent: event.type === "artifact_published" ? e.produced_by : e.agent_id,
    artifactType: e.artifact_type,
    correlationId: e.correlation_id,
    runId: e.run_id,
    visibility: visibility?.kind === "public" ? undefined : visibility,
  };
}

/** Whether an event passes a filter. */
export function matches(filter: Filter, facts: EventFacts): boolean {
  if (filter.run_id !== undefined && filter.run_id !== facts.runId) return false;
  if (filter.correlation_id !== undefined && filter.correlation_id !== facts.correlationId) return false;
  if (filter.types && !filter.types.includes(facts.type)) return false;
  if (filter.agents && !(facts.agent !== undefined && filter.agents.includes(facts.agent))) return false;
  if (
    filter.artifact_types &&
    !(facts.artifactType !== undefined && filter.artifact_types.includes(facts.artifactType))
  ) {
    return false;
  }
  return true;
}

/** A string that is equal for filters that let the same events pass. */
export function filterKey(filter: Filter): string {
  const sorted = (list: readonly string[] | undefined) => (list ? [...new Set(list)].sort() : null);
  return JSON.stringify([
    sorted(filter.types),
    sorted(filter.agents),
    sorted(filter.artifact_types),
    filter.correlation_id ?? null,
    filter.run_id ?? null,
  ]);
}
