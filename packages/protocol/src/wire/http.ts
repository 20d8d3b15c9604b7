import { z } from "zod";
import { visibilitySchema } from "../access/visibility.ts";
import { controlSchemas } from "./control.ts";
import { wireErrorSchema } from "./events.ts";
import { filterSchema } from "./filter.ts";
import { agentCountersSchema, agentStatusSchema, circuitStateSchema } from "./graph.ts";

/** `GET /api/plugin/artifact_types`: every artifact type with the JSON Schema of its payload. */
export const artifactTypesSchema = z
  .object({
    artifact_types: z.array(z.object({ name: z.string(), schema: z.record(z.string(), z.unknown()) })),
  })
  .meta({ id: "ArtifactTypes" });

/** What an agent waits for before it runs. All of `requires` belongs together; several subscriptions are alternatives. */
export const subscriptionInfoSchema = z
  .object({
    gate: z.string(),
    requires: z.record(z.string(), z.int()).describe("How many artifacts of each type."),
    tags: z.array(z.string()).describe("Tags that an artifact must carry."),
    join: z.enum(["correlation", "key"]).nullable().describe("Whether artifacts must belong together, and by what."),
    filtered: z.boolean().describe("Whether a `where` predicate decides as well."),
    within_ms: z.number().optional().describe("Artifacts of a group come less than so many milliseconds apart."),
    within_artifacts: z.int().optional().describe("Artifacts of a group are among so many that the gate takes in."),
    batch: z
      .object({ size: z.int(), timeout_ms: z.number().optional() })
      .optional()
      .describe("How many artifacts, or groups of several types, wake the agent at once, and how long they wait."),
    schedule: z
      .object({
        every_ms: z.int().optional().describe("A tick each so many milliseconds."),
        cron: z.string().optional().describe("Or a tick at the times of this cron expression."),
        timezone: z.string().optional().describe("Where the expression is read; absent: where the server is."),
        ticks: z.int().describe("How many ticks there were."),
        next_at: z.iso.datetime().optional().describe("When the next time comes; absent when none does."),
      })
      .optional()
      .describe("For a subscription that is woken by time: when."),
    waiting: z
      .object({
        pools: z.int().describe("Join keys for which artifacts wait; at most 1 for a gate without a key."),
        artifacts: z.int().describe("Artifacts that wait for others."),
        batched: z.int().describe("Artifacts in the batch."),
        max: z.int().describe("How many artifacts may wait: one more, and the oldest is dropped."),
        dropped: z.int().describe("Artifacts that left the gate unused, since the server began."),
        next_expires_at: z.iso.datetime().optional().describe("When the oldest is dropped or the batch runs."),
      })
      .optional()
      .describe("What the gate holds now; absent for one that never waits."),
  })
  .meta({ id: "SubscriptionInfo" });

/** How an agent's circuit breaker stands. */
export const circuitInfoSchema = z
  .object({
    state: circuitStateSchema,
    failures: z.int().describe("Failures in a row, as far as they count."),
    open_until: z.iso.datetime().optional().describe("When a run may try again; only while it is open."),
  })
  .meta({ id: "CircuitInfo" });

/** An agent as the agents component tells it. */
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
    circuit: circuitInfoSchema.optional().describe("For the owner, of an agent with a circuit breaker."),
    priority: z.number(),
    paused: z.boolean(),
    queued: z.int().optional().describe("How many runs wait for room, or until it goes on; for the owner alone."),
    counters: agentCountersSchema,
  })
  .meta({ id: "AgentInfo" });

/** `GET /api/v1/plugin/agents`. */
export const agentsSchema = z.object({ agents: z.array(agentInfoSchema) }).meta({ id: "Agents" });

/** `GET /api/v1/plugin/agents/{id}/history-summary`: what an agent has done. */
export const historySummarySchema = z
  .object({
    agent_id: z.string(),
    counters: agentCountersSchema,
    produced: z.record(z.string(), z.int()).describe("Artifacts it published, by type."),
    consumed: z.record(z.string(), z.int()).describe("Artifacts it consumed, by type."),
    first_published_at: z.iso.datetime().nullable(),
    last_published_at: z.iso.datetime().nullable(),
  })
  .meta({ id: "HistorySummary" });

/** `GET /api/v1/plugin/correlations/{id}/status`: how a workflow stands. */
export const correlationStatusSchema = z
  .object({
    correlation_id: z.string(),
    state: z
      .enum(["active", "completed", "failed"])
      .describe("active: something is queued or running. failed: nothing is, and the newest run of some agent failed."),
    has_pending_work: z.boolean(),
    artifact_count: z.int(),
    run_count: z.int(),
    error_count: z.int(),
    started_at: z.iso.datetime(),
    last_activity_at: z.iso.datetime(),
  })
  .meta({ id: "CorrelationStatus" });

/** An artifact as it stands on the blackboard. */
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
    seq: z.int().describe("Of its artifact_published event."),
    consumptions: z
      .array(z.object({ agent_id: z.string(), run_id: z.string(), consumed_at: z.iso.datetime() }))
      .optional()
      .describe("Who consumed it; only with embed_consumptions."),
  })
  .meta({ id: "Artifact" });

/** `GET /api/v1/plugin/artifacts`: one page, newest first. */
export const artifactPageSchema = z
  .object({
    artifacts: z.array(artifactSchema),
    total: z.int().describe("How many match, over all pages."),
    limit: z.int(),
    offset: z.int(),
    next_cursor: z.string().nullable().describe("Give it as `cursor` for the next page; null on the last one."),
  })
  .meta({ id: "ArtifactPage" });

/** What has failed for good, after all its retries. */
export const deadLetterSchema = z
  .object({
    id: z.string().describe("Of the activation: the `activation_id` of all its attempts."),
    run_id: z.string().describe("Of the newest attempt."),
    agent_id: z.string(),
    correlation_id: z.string(),
    attempts: z.int(),
    status: z.enum(["error", "timeout"]),
    error: wireErrorSchema,
    artifacts: z.array(z.string()).describe("Ids of what it is to work on, as far as it is kept."),
    missing: z.int().describe("How many of its artifacts are gone: without them it cannot be run again."),
    failed_at: z.iso.datetime(),
  })
  .meta({ id: "DeadLetter" });

/** `GET /api/plugin/dead_letters`: one page, newest first. */
export const deadLettersSchema = z
  .object({
    dead_letters: z.array(deadLetterSchema),
    next_cursor: z.string().nullable().describe("Give it as `cursor` for the next page; null on the last one."),
  })
  .meta({ id: "DeadLetters" });

/** `POST /api/plugin/dead_letters/{id}/retry`: the attempt that is queued. */
export const deadLetterRetriedSchema = z
  .object({
    run_id: z.string(),
    correlation_id: z.string(),
    attempt: z.int(),
    seq: z.int().describe("Of the event that tells of it."),
  })
  .meta({ id: "DeadLetterRetried" });

/** A client that is connected. */
export const connectionInfoSchema = z
  .object({
    connection_id: z.string().describe("As its `hello` said."),
    from: z.string().optional().describe("The address that it, or the proxy before it, connected from."),
    connected_at: z.iso.datetime(),
    encoding: z.enum(["plain", "deflated", "event-stream"]).describe("event-stream: Server-Sent Events."),
    filter: filterSchema.describe("What it wants; empty: everything."),
    principal: z.string().optional().describe("Who it is, where that is not the owner."),
    live: z.boolean().describe("False: it is slow, or still being sent what it missed."),
    lag: z.int().describe("How many events of the log it is behind."),
    unsent_bytes: z.int().describe("What waits in its socket."),
  })
  .meta({ id: "ConnectionInfo" });

/** `GET {prefix}/connections`: who is furthest behind first, then who has been there longest. */
export const connectionsSchema = z
  .object({ connections: z.array(connectionInfoSchema), total: z.int().describe("How many there are.") })
  .meta({ id: "Connections" });

/** The query of `GET {prefix}/connections`. */
export const connectionsQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe("How many are told at most."),
});
/** `DELETE /api/plugin/dead_letters/{id}`. */
export const deadLetterDiscardedSchema = z
  .object({ seq: z.int().describe("Of the event that tells of it.") })
  .meta({ id: "DeadLetterDiscarded" });

/** `GET /health`. */
export const healthSchema = z.object({ status: z.literal("ok") }).meta({ id: "Health" });

export type ConnectionInfo = z.infer<typeof connectionInfoSchema>;
export type ArtifactTypes = z.infer<typeof artifactTypesSchema>;
export type SubscriptionInfo = z.infer<typeof subscriptionInfoSchema>;
export type CircuitInfo = z.infer<typeof circuitInfoSchema>;
export type AgentInfo = z.infer<typeof agentInfoSchema>;
export type HistorySummary = z.infer<typeof historySummarySchema>;
export type CorrelationStatus = z.infer<typeof correlationStatusSchema>;
export type ArtifactRecord = z.infer<typeof artifactSchema>;
export type ArtifactPage = z.infer<typeof artifactPageSchema>;
export type DeadLetterRecord = z.infer<typeof deadLetterSchema>;
export type DeadLetterPage = z.infer<typeof deadLettersSchema>;
export type DeadLetterRetried = z.infer<typeof deadLetterRetriedSchema>;
export type DeadLetterDiscarded = z.infer<typeof deadLetterDiscardedSchema>;

/** A page of the log. */
export const eventPageSchema = z
  .object({
    events: z.array(z.unknown()).describe("As they go over the WebSocket, oldest first."),
    next: z.int().describe("`after` of the next page; `head` when this was the last one."),
    head: z.int(),
    oldest: z.int(),
    epoch: z.string(),
    gap: controlSchemas.gap.optional().describe("What is missing before the first event."),
  })
  .meta({ id: "EventPage" });
