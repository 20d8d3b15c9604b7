/** Matches events against filters. Free of dependencies, so that a browser client can bundle it alone. */

import type { EventVisibility, Visibility } from "../access/visibility.ts";
import type { EventType, FlockEvent } from "../wire/events.ts";
import type { Filter } from "../wire/filter.ts";

/** The routing metadata of an event: what filters and access decisions depend on. */
export interface EventFacts {
  readonly type: EventType;
  readonly agent: string | undefined;
  readonly artifactType: string | undefined;
  readonly correlationId: string | undefined;
  readonly runId: string | undefined;
  /** Undefined: public. */
  readonly visibility?: Visibility | EventVisibility | undefined;
}

/** Returns the routing metadata of an event. */
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

/** Decides whether an event passes. */
export type Matcher = (facts: EventFacts) => boolean;

const compiled = new WeakMap<Filter, Matcher>();

/**
 * Compiles a filter into a matcher, once for each filter object: its lists become sets, so that the cost per event does
 * not grow with the number of names. The filter must not be changed afterwards.
 */
export function matcherOf(filter: Filter): Matcher {
  let matcher = compiled.get(filter);
  if (!matcher) compiled.set(filter, (matcher = compile(filter)));
  return matcher;
}

/** Returns whether an event passes a filter. In a loop, call {@link matcherOf} once instead. */
export function matches(filter: Filter, facts: EventFacts): boolean {
  return matcherOf(filter)(facts);
}

function compile({ run_id: runId, correlation_id: correlationId, ...lists }: Filter): Matcher {
  const setOf = (list: readonly string[] | undefined) => list && new Set<string | undefined>(list);
  const types = setOf(lists.types);
  const agents = setOf(lists.agents);
  const artifactTypes = setOf(lists.artifact_types);
  return (facts) =>
    (runId === undefined || runId === facts.runId) &&
    (correlationId === undefined || correlationId === facts.correlationId) &&
    (!types || types.has(facts.type)) &&
    (!agents || agents.has(facts.agent)) &&
    (!artifactTypes || artifactTypes.has(facts.artifactType));
}

/** Returns a key that is equal for filters with the same parts, in any order. */
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
