import { z } from "zod";
import { eventVisibilitySchema, visibilitySchema } from "../access/visibility.ts";
import { circuitStateSchema, graphEdgeSchema, graphNodeSchema } from "./graph.ts";
import { questionStatusSchema } from "./questions.ts";

/** Validates how a run ended. */
export const runStatusSchema = z.enum(["success", "error", "cancelled", "timeout", "interrupted"]);

/** How a dead letter was closed. */
const deadLetterStatusSchema = z
  .enum(["retried", "discarded"])
  .describe("retried: queued again, as the next attempt. discarded: it will not run again.");

const errorParts = { name: z.string(), message: z.string(), stack: z.string().optional() };

/** The causes of an error, at most four levels deep, so that no schema refers to itself. */
const causeSchema = z.object({
  ...errorParts,
  cause: z
    .object({
      ...errorParts,
      cause: z.object({ ...errorParts, cause: z.object(errorParts).optional() }).optional(),
    })
    .optional(),
});

/** Validates an error on the wire. */
export const wireErrorSchema = z
  .object({
    ...errorParts,
    stack: errorParts.stack.describe("Where it was thrown. Absent if the server reports only names and messages."),
    cause: causeSchema
      .optional()
      .describe("The error that caused it. Absent if the server reports only names and messages."),
  })
  .meta({ id: "WireError" });

/** Optional because earlier versions wrote events without it. */
const visibility = eventVisibilitySchema
  .optional()
  .describe("Who may see this event: principals that may see everything it refers to. Absent: public.");

const run = {
  agent_id: z.string().describe("The agent's name."),
  run_id: z.string(),
};

const agentExecutionStarted = z.object({
  type: z.literal("agent_execution_started"),
  ...run,
  correlation_id: z.string(),
  consumed_artifacts: z.array(z.string()).describe("Ids of the artifacts that this run reads."),
  activation_id: z.string().optional().describe("Shared by all attempts at the same work: the run_id of the first."),
  attempt: z
    .int()
    .min(1)
    .describe("1 for the first; higher when the work is repeated after an interruption or a failure."),
  visibility,
});

const agentExecutionCompleted = z.object({
  type: z.literal("agent_execution_completed"),
  ...run,
  correlation_id: z.string(),
  duration_ms: z.number(),
  status: runStatusSchema,
  produced_artifacts: z
    .array(z.string())
    .describe(
      "Ids of the artifacts that this run published, without those that some viewers of this event may not see.",
    ),
  error: wireErrorSchema.optional(),
  usage: z.record(z.string(), z.number()).optional().describe("What the run used, for example tokens, by name."),
  activation_id: z
    .string()
    .optional()
    .describe(
      "Present only if the run ended before it started, so that there is no agent_execution_started with this id.",
    ),
  retry_at: z.iso
    .datetime()
    .optional()
    .describe(
      "When the next attempt of the same activation is due. It can start later if it has to wait in a queue. Absent if none follows.",
    ),
  visibility,
});

const streamingOutput = z.object({
  type: z.literal("streaming_output"),
  ...run,
  correlation_id: z.string(),
  content: z.string(),
  is_complete: z.boolean().describe("True for the last chunk of this run's stream."),
  offset: z.int().min(0).describe("Number of UTF-16 code units of this run's stream before `content`."),
  output_type: z.string().describe("The kind of content. `text` unless the agent sets another."),
  artifact_type: z.string().optional().describe("The artifact type being written, if any."),
  merged: z
    .array(z.int().min(0))
    .optional()
    .describe(
      "The seqs of chunks that the log compacted into this one, as run lengths backwards from its seq: alternately numbers of other events and of compacted chunks.",
    ),
  visibility,
});

/** Validates what a run calls. */
export const stepKindSchema = z.enum(["model", "tool"]);

/** Validates how a step ended. */
export const stepStatusSchema = z.enum(["success", "error", "cancelled"]);

const step = {
  ...run,
  correlation_id: z.string(),
  step: z.int().min(0).describe("Index of the step within its run, from 0. Steps can overlap."),
  kind: stepKindSchema,
  name: z.string().describe("The model's id, or the tool's name."),
};

const runStepStarted = z.object({ type: z.literal("run_step_started"), ...step, visibility });

const runStepCompleted = z.object({
  type: z.literal("run_step_completed"),
  ...step,
  duration_ms: z.number(),
  status: stepStatusSchema,
  usage: z.record(z.string(), z.number()).optional().describe("What the step used, for example tokens, by name."),
  error: wireErrorSchema.optional(),
  visibility,
});

const artifactPublished = z.object({
  type: z.literal("artifact_published"),
  artifact_id: z.string(),
  artifact_type: z.string(),
  produced_by: z.string().describe("The agent's name, or `external`."),
  run_id: z.string().optional().describe("The run that published it. Absent for `external`."),
  correlation_id: z.string(),
  tags: z.array(z.string()),
  visibility: visibilitySchema,
  revealed: z
    .literal(true)
    .optional()
    .describe(
      "The artifact was published earlier with a time, visible only to the owner. From this event on, `visibility` applies.",
    ),
  payload: z.unknown().optional(),
  payload_bytes: z
    .int()
    .optional()
    .describe("Size of the payload as JSON, in place of a payload that is too large to inline."),
});

const graphUpdated = z.object({
  type: z.literal("graph_updated"),
  nodes: z.array(graphNodeSchema),
  edges: z.array(graphEdgeSchema),
  part: z
    .int()
    .min(0)
    .optional()
    .describe("Index of this part of a large graph. Part 0 replaces the graph, and later parts add to it."),
  parts: z.int().min(2).optional().describe("Number of parts. Absent if the event has the whole graph."),
  visibility,
});

const agentRegistered = z.object({
  type: z.literal("agent_registered"),
  agent_id: z.string(),
  description: z.string(),
  consumes: z.array(z.string()),
  publishes: z.array(z.string()),
  visibility,
});

const gateProgress = z.object({
  type: z.literal("gate_progress"),
  agent_id: z.string(),
  gate: z.string().describe("Index of the agent's gate: `0` for its first `consumes`."),
  correlation_id: z.string().describe("The workflow of the artifact that arrived or was dropped."),
  key: z.string().optional().describe("The join key, if the gate has one. Absent for a batch."),
  collected: z.record(z.string(), z.int()).describe("Number of artifacts that wait, by artifact type."),
  required: z.record(z.string(), z.int()).describe("Number of artifacts that the gate needs, by artifact type."),
  expires_at: z.iso
    .datetime()
    .optional()
    .describe("When the oldest of these artifacts is dropped, or the incomplete batch runs."),
  dropped: z.int().min(1).optional().describe("How many artifacts left the gate unused. `collected` excludes them."),
  reason: z
    .enum(["expired", "full", "refused"])
    .optional()
    .describe(
      "Why they were dropped. expired: their window passed. full: too many waited. refused: the group did not pass `whereGroup`.",
    ),
  visibility,
});

const questionClosed = z.object({
  type: z.literal("question_closed"),
  question_id: z.string().describe("Id of the artifact that contains the question."),
  agent_id: z.string().describe("The agent that asked."),
  run_id: z.string().describe("The run that asked."),
  correlation_id: z.string(),
  status: questionStatusSchema,
  answer_id: z.string().optional().describe("Id of the artifact that answers it. The default answer counts."),
  answered_by: z.string().optional().describe("Who answered: a name, or `owner`."),
  visibility,
});

const deadLetterClosed = z.object({
  type: z.literal("dead_letter_closed"),
  activation_id: z.string().describe("The id of the dead letter."),
  agent_id: run.agent_id,
  correlation_id: z.string(),
  status: deadLetterStatusSchema,
  run_id: z.string().optional().describe("The queued run, if the dead letter was `retried`."),
  visibility,
});

const agentPaused = z.object({ type: z.literal("agent_paused"), agent_id: run.agent_id, visibility });

const agentResumed = z.object({ type: z.literal("agent_resumed"), agent_id: run.agent_id, visibility });

const agentQueueChanged = z.object({
  type: z.literal("agent_queue_changed"),
  agent_id: z.string().describe("The name of a paused agent."),
  queued: z.int().min(0).describe("How many runs wait until the agent is resumed."),
  visibility,
});

const agentCircuitChanged = z.object({
  type: z.literal("agent_circuit_changed"),
  agent_id: z.string().describe("The name of an agent with a circuit breaker."),
  state: circuitStateSchema,
  failures: z.int().optional().describe("How many consecutive failures opened the circuit. Present when it opens."),
  retry_at: z.iso.datetime().optional().describe("When a trial run may start. Present when the circuit opens."),
  visibility,
});

/** Validates an event before it is committed to the log: without `seq` and `timestamp`. */
export const eventDraftSchema = z.discriminatedUnion("type", [
  agentExecutionStarted,
  agentExecutionCompleted,
  streamingOutput,
  runStepStarted,
  runStepCompleted,
  artifactPublished,
  graphUpdated,
  agentRegistered,
  gateProgress,
  questionClosed,
  deadLetterClosed,
  agentPaused,
  agentResumed,
  agentQueueChanged,
  agentCircuitChanged,
]);

const committed = {
  seq: z.int().describe("Strictly increasing within an epoch. A filtered stream skips numbers."),
  timestamp: z.iso.datetime().describe("ISO 8601, UTC."),
  truncated: z
    .array(z.string())
    .optional()
    .describe("Names of the fields that were shortened because the event exceeded the size limit."),
};

/** The largest event as JSON, in bytes. It is below 1 MiB, the default limit of Python's `websockets`. */
export const MAX_EVENT_BYTES = 1_000_000;

/** The schema of each event type, as committed to the log. */
export const eventSchemas = {
  agent_execution_started: agentExecutionStarted.extend(committed).meta({ id: "AgentExecutionStarted" }),
  agent_execution_completed: agentExecutionCompleted.extend(committed).meta({ id: "AgentExecutionCompleted" }),
  streaming_output: streamingOutput.extend(committed).meta({ id: "StreamingOutput" }),
  run_step_started: runStepStarted.extend(committed).meta({ id: "RunStepStarted" }),
  run_step_completed: runStepCompleted.extend(committed).meta({ id: "RunStepCompleted" }),
  artifact_published: artifactPublished.extend(committed).meta({ id: "ArtifactPublished" }),
  graph_updated: graphUpdated.extend(committed).meta({ id: "GraphUpdated" }),
  agent_registered: agentRegistered.extend(committed).meta({ id: "AgentRegistered" }),
  gate_progress: gateProgress.extend(committed).meta({ id: "GateProgress" }),
  question_closed: questionClosed.extend(committed).meta({ id: "QuestionClosed" }),
  dead_letter_closed: deadLetterClosed.extend(committed).meta({ id: "DeadLetterClosed" }),
  agent_paused: agentPaused.extend(committed).meta({ id: "AgentPaused" }),
  agent_resumed: agentResumed.extend(committed).meta({ id: "AgentResumed" }),
  agent_queue_changed: agentQueueChanged.extend(committed).meta({ id: "AgentQueueChanged" }),
  agent_circuit_changed: agentCircuitChanged.extend(committed).meta({ id: "AgentCircuitChanged" }),
} as const;

/** Validates any event of the log. */
export const eventSchema = z.discriminatedUnion("type", [
  eventSchemas.agent_execution_started,
  eventSchemas.agent_execution_completed,
  eventSchemas.streaming_output,
  eventSchemas.run_step_started,
  eventSchemas.run_step_completed,
  eventSchemas.artifact_published,
  eventSchemas.graph_updated,
  eventSchemas.agent_registered,
  eventSchemas.gate_progress,
  eventSchemas.question_closed,
  eventSchemas.dead_letter_closed,
  eventSchemas.agent_paused,
  eventSchemas.agent_resumed,
  eventSchemas.agent_queue_changed,
  eventSchemas.agent_circuit_changed,
]);

/** An event before it is committed to the log: without `seq` and `timestamp`. */
export type EventDraft = z.infer<typeof eventDraftSchema>;
/** An event of the log. */
export type FlockEvent = z.infer<typeof eventSchema>;
/** The name of an event type. */
export type EventType = FlockEvent["type"];
/** The event of one type. */
export type EventOf<T extends EventType> = Extract<FlockEvent, { type: T }>;
/** How a run ended. */
export type RunStatus = z.infer<typeof runStatusSchema>;
/** What a run calls: a model, or a tool, which is anything else that takes time. */
export type StepKind = z.infer<typeof stepKindSchema>;
/** How a step ended. */
export type StepStatus = z.infer<typeof stepStatusSchema>;
/** An error on the wire. */
export type WireError = z.infer<typeof wireErrorSchema>;

/** All event types. */
export const EVENT_TYPES = Object.keys(eventSchemas) as EventType[];
