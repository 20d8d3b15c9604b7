import { z } from "zod";
import { EVENT_TYPES, type EventType, type FlockEvent } from "./events.ts";

const eventTypeSchema = z.enum(EVENT_TYPES as [EventType, ...EventType[]]);

/** Which events a connection wants. Every part that is given must hold; a part that is absent holds always. */
export const filterSchema = z
  .strictObject({
    types: z.array(eventTypeSchema).min(1).optional().describe("Only these event types."),
    agents: z.array(z.string().min(1)).min(1).optional().describe("Only events of, or artifacts by, these agents."),
    artifact_types: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe("Only events that concern these artifact types."),
    correlation_id: z.string().min(1).optional(),
    run_id: z.string().min(1).optional(),
  })
  .meta({ id: "Filter" });

/** Which events a connection wants. */
export type Filter = z.infer<typeof filterSchema>;

/** What a filter looks at in an event. A part is undefined where the event has no such thing. */
export interface EventFacts {
  readonly type: EventType;
  readonly agent: string | undefined;
  readonly artifactType: string | undefined;
  readonly correlationId: string | undefined;
  readonly runId: string | undefined;
}

/** The parts of an event that filters look at. */
export function factsOf(event: Pick<FlockEvent, "type"> & Record<string, unknown>): EventFacts {
  const e = event as Record<string, string | undefined>;
  return {
    type: event.type,
    agent: event.type === "artifact_published" ? e.produced_by : e.agent_id,
    artifactType: e.artifact_type,
    correlationId: e.correlation_id,
    runId: e.run_id,
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

const list = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean),
  )
  .pipe(z.array(z.string()).min(1, "names nothing: leave it out, or name at least one"));

/** The query of the WebSocket URL. `since` and `epoch` say where to start; the rest is the filter. */
export const connectQuerySchema = z
  .object({
    since: z
      .string()
      .regex(/^-?\d{1,15}$/, "must be a whole number: a seq, 0 for all that is kept, or -N for the newest N")
      .transform(Number)
      .optional(),
    epoch: z.string().min(1).optional(),
    types: list.pipe(z.array(eventTypeSchema)).optional(),
    agents: list.optional(),
    artifact_types: list.optional(),
    correlation_id: z.string().min(1).optional(),
    run_id: z.string().min(1).optional(),
  })
  .transform(({ since, epoch, ...filter }) => ({ since, epoch, filter: filter satisfies Filter as Filter }));

/** What the WebSocket URL's query says. */
export type ConnectQuery = z.infer<typeof connectQuerySchema>;
