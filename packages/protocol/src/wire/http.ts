import { z } from "zod";
import { visibilitySchema } from "../access/visibility.ts";
import { queryInteger } from "../input/query-integer.ts";
import { controlSchemas } from "./control.ts";
import { wireErrorSchema } from "./events.ts";
import { filterSchema } from "./filter.ts";
import { agentCountersSchema, agentStatusSchema, circuitStateSchema } from "./graph.ts";

/** Validates the response of `GET /api/plugin/artifact_types`: each artifact type with the JSON Schema of its payload. */
export const artifactTypesSchema = z
  .object({
    artifact_types: z.array(z.object({ name: z.string(), schema: z.record(z.string(), z.unknown()) })),
  })
  .meta({ id: "ArtifactTypes" });

/** Validates a subscription of an agent: the artifacts that start a run. Several subscriptions are alternatives. */
export const subscriptionInfoSchema = z
  .object({
    gate: z.string(),
    requires: z.record(z.string(), z.int()).describe("How many artifacts of each type a run needs."),
    tags: z.array(z.string()).describe("Tags that an artifact must have."),
    join: z
      .enum(["correlation", "key"])
      .nullable()
      .describe("What the artifacts of a run must have in common. Null: nothing."),
    filtered: z.boolean().describe("Whether a `where` predicate excludes artifacts."),
    within_ms: z.number().optional().describe("The largest time between artifacts of a group, in milliseconds."),
    within_artifacts: z
      .int()
      .optional()
      .describe("A group lies within this many consecutive artifacts that the gate accepts."),
    batch: z
      .object({ size: z.int(), timeout_ms: z.number().optional() })
      .optional()
      .describe("How many artifacts, or groups of several types, start one run, and how long they wait."),
    schedule: z
      .object({
        every_ms: z.int().optional().describe("The interval between ticks, in milliseconds."),
        cron: z.string().optional().describe("The cron expression of the ticks, in place of an interval."),
        timezone: z.string().optional().describe("The time zone of the expression. Absent: the server's."),
        ticks: z.int().describe("Number of ticks so far."),
        next_at: z.iso.datetime().optional().describe("When the next tick is due. Absent if there is none."),
      })
      .optional()
      .describe("The schedule of a subscription that starts runs by time."),
    waiting: z
      .object({
        pools: z.int().describe("Number of join keys for which artifacts wait. At most 1 for a gate without a key."),
        artifacts: z.int().describe("Number of artifacts that wait for others."),
        batched: z.int().describe("Number of artifacts in the batch."),
        max: z.int().describe("How many artifacts can wait. Above that, the oldest is dropped."),
        dropped: z.int().describe("Number of artifacts that left the gate unused since the server started."),
        next_expires_at: z.iso.datetime().optional().describe("When the oldest artifact is dropped or the batch runs."),
      })
      .optional()
      .describe("The current contents of the gate. Absent for a gate that never waits."),
  })
  .meta({ id: "SubscriptionInfo" });

/** Validates an agent's circuit breaker. */
export const circuitInfoSchema = z
  .object({
    state: circuitStateSchema,
    failures: z.int().describe("Number of consecutive failures that count."),
    open_until: z.iso
      .datetime()
      .optional()
      .describe("When a trial run may start. Present only while the circuit is open."),
  })
  .meta({ id: "CircuitInfo" });

/** Validates an agent, as the agents component reports it. */
export const agentInfoSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    tags: z.array(z.string()),
    status: agentStatusSchema,
    subscriptions: z.array(subscriptionInfoSchema),
    consumes: z.array(z.string()),
    publishes: z.array(z.string()),
    concurrency: z.int(),
    circuit: circuitInfoSchema.optional().describe("Present for the owner, if the agent has a circuit breaker."),
    priority: z.number(),
    paused: z.boolean(),
    queued: z
      .int()
      .optional()
      .describe("Number of runs that wait for a slot or for the end of a pause. Present for the owner."),
    counters: agentCountersSchema,
  })
  .meta({ id: "AgentInfo" });

/** Validates the response of `GET /api/v1/plugin/agents`. */
export const agentsSchema = z.object({ agents: z.array(agentInfoSchema) }).meta({ id: "Agents" });

/** Validates the response of `GET /api/v1/plugin/agents/{id}/history-summary`. */
export const historySummarySchema = z
  .object({
    agent_id: z.string(),
    counters: agentCountersSchema,
    produced: z.record(z.string(), z.int()).describe("Number of artifacts it published, by type."),
    consumed: z.record(z.string(), z.int()).describe("Number of artifacts it consumed, by type."),
    first_published_at: z.iso.datetime().nullable(),
    last_published_at: z.iso.datetime().nullable(),
  })
  .meta({ id: "HistorySummary" });

/** Validates the response of `GET /api/v1/plugin/correlations/{id}/status`: the status of a workflow. */
export const correlationStatusSchema = z
  .object({
    correlation_id: z.string(),
    state: z
      .enum(["active", "completed", "failed"])
      .describe(
        "active: a run is queued or in progress. failed: none is, and the newest run of at least one agent failed.",
      ),
    has_pending_work: z.boolean(),
    artifact_count: z.int(),
    run_count: z.int(),
    error_count: z.int(),
    started_at: z.iso.datetime(),
    last_activity_at: z.iso.datetime(),
  })
  .meta({ id: "CorrelationStatus" });

/** Validates an artifact on the blackboard. */
export const artifactSchema = z
  .object({
    id: z.string(),
    type: z.string(),
    payload: z.unknown(),
    produced_by: z.string(),
    run_id: z.string().optional(),
    correlation_id: z.string(),
    tags: z.array(z.string()),
    visibility: visibilitySchema,
    created_at: z.iso.datetime(),
    seq: z.int().describe("The seq of its artifact_published event."),
    consumptions: z
      .array(z.object({ agent_id: z.string(), run_id: z.string(), consumed_at: z.iso.datetime() }))
      .optional()
      .describe("The runs that consumed it. Present only with embed_consumptions."),
  })
  .meta({ id: "Artifact" });

/** Validates the response of `GET /api/v1/plugin/artifacts`: one page, newest first. */
export const artifactPageSchema = z
  .object({
    artifacts: z.array(artifactSchema),
    total: z.int().describe("Number of matches on all pages."),
    limit: z.int(),
    offset: z.int(),
    next_cursor: z.string().nullable().describe("The `cursor` of the next page. Null on the last page."),
  })
  .meta({ id: "ArtifactPage" });

/** Validates a dead letter: work that failed permanently, after all retries. */
export const deadLetterSchema = z
  .object({
    id: z.string().describe("The `activation_id` of all its attempts."),
    run_id: z.string().describe("The id of the newest attempt."),
    agent_id: z.string(),
    correlation_id: z.string(),
    attempts: z.int(),
    status: z.enum(["error", "timeout"]),
    error: wireErrorSchema,
    artifacts: z.array(z.string()).describe("Ids of its input artifacts that are still retained."),
    missing: z.int().describe("Number of input artifacts that are no longer retained. A retry requires all of them."),
    failed_at: z.iso.datetime(),
  })
  .meta({ id: "DeadLetter" });

/** Validates the response of `GET /api/plugin/dead_letters`: one page, newest first. */
export const deadLettersSchema = z
  .object({
    dead_letters: z.array(deadLetterSchema),
    next_cursor: z.string().nullable().describe("The `cursor` of the next page. Null on the last page."),
  })
  .meta({ id: "DeadLetters" });

/** Validates the response of `POST /api/plugin/dead_letters/{id}/retry`: the queued attempt. */
export const deadLetterRetriedSchema = z
  .object({
    run_id: z.string(),
    correlation_id: z.string(),
    attempt: z.int(),
    seq: z.int().describe("The seq of the dead_letter_closed event."),
  })
  .meta({ id: "DeadLetterRetried" });

/** Validates a queued run whose agent is not declared any more. */
export const orphanedRunSchema = z
  .object({
    run_id: z.string(),
    agent_id: z.string(),
    correlation_id: z.string(),
    attempt: z.int(),
    artifacts: z.array(z.string()).describe("Ids of its input artifacts."),
  })
  .meta({ id: "OrphanedRun" });

/** Validates an artifact that waited in a gate which is gone or no longer accepts it. */
export const strandedArtifactSchema = z
  .object({
    artifact_id: z.string(),
    artifact_type: z.string(),
    agent_id: z.string().describe("The agent whose gate it waited in."),
    correlation_id: z.string(),
    gate: z.string().describe("What the gate collected, such as `Order + Payment, by key`."),
    reason: z
      .enum(["unknown_agent", "no_gate", "visibility", "condition", "invalid_payload"])
      .describe(
        "unknown_agent: its agent is not declared. no_gate: the agent does not consume its type. visibility: the agent may not see it. condition: no gate accepts it. invalid_payload: it does not fit its schema.",
      ),
    message: z.string().optional().describe("What the schema or a condition reported."),
  })
  .meta({ id: "StrandedArtifact" });

/** Validates the response of `GET /api/plugin/orphans`: the oldest of each. */
export const orphansSchema = z
  .object({
    runs: z.array(orphanedRunSchema),
    artifacts: z.array(strandedArtifactSchema),
    total: z.object({ runs: z.int(), artifacts: z.int() }).describe("Number of all orphaned runs and artifacts."),
  })
  .meta({ id: "Orphans" });

const orphanSelectorSchema = z.strictObject({
  agent_id: z.string().optional().describe("The agent that the work was for."),
  correlation_id: z.string().optional(),
  run_id: z.string().optional().describe("Selects no artifacts."),
  artifact_id: z.string().optional().describe("Selects no runs."),
});

/** Validates the body of `POST /api/plugin/orphans/drop`: at least one condition. */
export const dropOrphansSchema = orphanSelectorSchema.meta({ id: "DropOrphans" });

/** Validates the body of `POST /api/plugin/orphans/move`: at least one condition, and the agent that takes over. */
export const moveOrphansSchema = orphanSelectorSchema
  .extend({ to: z.string().describe("The agent that takes over the work.") })
  .meta({ id: "MoveOrphans" });

/** Validates the response of `POST /api/plugin/orphans/drop` and `…/move`. */
export const orphansHandledSchema = z
  .strictObject({ runs: z.int(), artifacts: z.int(), seq: z.int().describe("Events up to this seq report it.") })
  .meta({ id: "OrphansHandled" });

/** Validates a connected client. */
export const connectionInfoSchema = z
  .object({
    connection_id: z.string().describe("The id that its `hello` carried."),
    from: z.string().optional().describe("The remote address of the client, or of the proxy in front of it."),
    connected_at: z.iso.datetime(),
    encoding: z.enum(["plain", "deflated", "event-stream"]).describe("event-stream: Server-Sent Events."),
    filter: filterSchema.describe("The events that it requested. Empty: all."),
    principal: z.string().optional().describe("The name of its principal. Absent for the owner."),
    live: z.boolean().describe("False while it is behind: it is slow, or still receives missed events."),
    lag: z.int().describe("How many events it is behind the log."),
    unsent_bytes: z.int().describe("Bytes that wait in its socket."),
  })
  .meta({ id: "ConnectionInfo" });

/** Validates the response of `GET {prefix}/connections`: the largest lag first, then the oldest connection. */
export const connectionsSchema = z
  .object({ connections: z.array(connectionInfoSchema), total: z.int().describe("Number of all connections.") })
  .meta({ id: "Connections" });

/** Validates the query of `GET {prefix}/connections`. */
export const connectionsQuerySchema = z.object({
  limit: queryInteger({ min: 1, max: 1_000 }).default(100).describe("The largest number of connections to return."),
});

/** Validates the response of `DELETE /api/plugin/dead_letters/{id}`. */
export const deadLetterDiscardedSchema = z
  .object({ seq: z.int().describe("The seq of the dead_letter_closed event.") })
  .meta({ id: "DeadLetterDiscarded" });

/** Validates the response of `GET /health`. */
export const healthSchema = z.object({ status: z.literal("ok") }).meta({ id: "Health" });

/** A connected client. */
export type ConnectionInfo = z.infer<typeof connectionInfoSchema>;
/** The artifact types of a server. */
export type ArtifactTypes = z.infer<typeof artifactTypesSchema>;
/** A subscription of an agent. */
export type SubscriptionInfo = z.infer<typeof subscriptionInfoSchema>;
/** An agent's circuit breaker. */
export type CircuitInfo = z.infer<typeof circuitInfoSchema>;
/** An agent, as the agents component reports it. */
export type AgentInfo = z.infer<typeof agentInfoSchema>;
/** What an agent published and consumed so far. */
export type HistorySummary = z.infer<typeof historySummarySchema>;
/** The status of a workflow. */
export type CorrelationStatus = z.infer<typeof correlationStatusSchema>;
/** An artifact on the blackboard. */
export type ArtifactRecord = z.infer<typeof artifactSchema>;
/** A page of artifacts. */
export type ArtifactPage = z.infer<typeof artifactPageSchema>;
/** Work that failed permanently. */
export type DeadLetterRecord = z.infer<typeof deadLetterSchema>;
/** A page of dead letters. */
export type DeadLetterPage = z.infer<typeof deadLettersSchema>;
/** Work of earlier processes that no agent takes up. */
export type OrphansRecord = z.infer<typeof orphansSchema>;
/** The result of retrying a dead letter. */
export type DeadLetterRetried = z.infer<typeof deadLetterRetriedSchema>;
/** The result of discarding a dead letter. */
export type DeadLetterDiscarded = z.infer<typeof deadLetterDiscardedSchema>;

/** Validates the response of `GET {prefix}/events`: a page of the log. */
export const eventPageSchema = z
  .object({
    events: z.array(z.unknown()).describe("Events as on the WebSocket, oldest first."),
    next: z.int().describe("The `after` of the next page. Equal to `head` on the last page."),
    head: z.int(),
    oldest: z.int(),
    epoch: z.string(),
    gap: controlSchemas.gap.optional().describe("The missing range before the first event, if any."),
  })
  .meta({ id: "EventPage" });
