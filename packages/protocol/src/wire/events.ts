import { z } from "zod";
import { eventVisibilitySchema, visibilitySchema } from "../access/visibility.ts";
import { circuitStateSchema, graphEdgeSchema, graphNodeSchema } from "./graph.ts";
import { questionStatusSchema } from "./questions.ts";

/** How a run ended. */
export const runStatusSchema = z.enum(["success", "error", "cancelled", "timeout", "interrupted"]);

/** What has become of a dead letter. */
const deadLetterStatusSchema = z
  .enum(["retried", "discarded"])
  .describe("retried: it is queued again, as another attempt. discarded: nobody will run it again.");

const errorParts = { name: z.string(), message: z.string(), stack: z.string().optional() };

/** What lay under an error, and what under that: four deep at most, so that no schema has to refer to itself. */
const causeSchema = z.object({
  ...errorParts,
  cause: z
    .object({
      ...errorParts,
      cause: z.object({ ...errorParts, cause: z.object(errorParts).optional() }).optional(),
    })
    .optional(),
});

/** An error as the wire tells it. */
export const wireErrorSchema = z
  .object({
    ...errorParts,
    stack: errorParts.stack.describe("Where it was thrown. Absent where servers tell only names and messages."),
    cause: causeSchema.optional().describe("What lay under it; absent where servers tell only names and messages."),
  })
  .meta({ id: "WireError" });

/** Absent, as in what earlier versions wrote: everybody. */
const visibility = eventVisibilitySchema
  .optional()
  .describe("Who may see this event: whoever may see all that it tells of. Absent: everybody.");

const run = {
  agent_id: z.string().describe("The agent's name."),
  run_id: z.string(),
};

const agentExecutionStarted = z.object({
  type: z.literal("agent_execution_started"),
  ...run,
  correlation_id: z.string(),
  consumed_artifacts: z.array(z.string()).describe("Ids of the artifacts this run reads."),
  activation_id: z
    .string()
    .optional()
    .describe("The same for every attempt at the same work: the run_id of the first."),
  attempt: z.int().min(1).describe("1 for the first; more when a run was interrupted or has failed, and begins again."),
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
    .describe("Ids of the artifacts this run published, as far as everybody may see them who may see this event."),
  error: wireErrorSchema.optional(),
  usage: z.record(z.string(), z.number()).optional().describe("What the run spent, such as tokens, by name."),
  activation_id: z
    .string()
    .optional()
    .describe("Only of a run that ended before it began, of which no agent_execution_started tells: what it was for."),
  retry_at: z.iso
    .datetime()
    .optional()
    .describe(
      "When another attempt of the same activation begins, if one follows, unless it has to wait for its turn.",
    ),
  visibility,
});

const streamingOutput = z.object({
  type: z.literal("streaming_output"),
  ...run,
  correlation_id: z.string(),
  content: z.string(),
  is_complete: z.boolean().describe("True for the last piece of this run's stream."),
  offset: z.int().min(0).describe("UTF-16 code units of this run's stream before `content`."),
  output_type: z.string().describe("What the piece is, `text` unless the agent says otherwise."),
  artifact_type: z.string().optional().describe("The artifact type being written, when there is one."),
  merged: z
    .array(z.int().min(0))
    .optional()
    .describe(
      "Where the pieces stood that the log has merged into this one, going back from its seq: so many numbers of others, so many of its own, and so on.",
    ),
  visibility,
});

/** What a run calls: a model, or anything else that takes time. */
export const stepKindSchema = z.enum(["model", "tool"]);

/** How a step ended. */
export const stepStatusSchema = z.enum(["success", "error", "cancelled"]);

const step = {
  ...run,
  correlation_id: z.string(),
  step: z.int().min(0).describe("Which of the run's steps: 0 for its first. Several may go on at the same time."),
  kind: stepKindSchema,
  name: z.string().describe("The model's id, or the tool's name."),
};

const runStepStarted = z.object({ type: z.literal("run_step_started"), ...step, visibility });

const runStepCompleted = z.object({
  type: z.literal("run_step_completed"),
  ...step,
  duration_ms: z.number(),
  status: stepStatusSchema,
  usage: z.record(z.string(), z.number()).optional().describe("What the step spent, such as tokens, by name."),
  error: wireErrorSchema.optional(),
  visibility,
});

const artifactPublished = z.object({
  type: z.literal("artifact_published"),
  artifact_id: z.string(),
  artifact_type: z.string(),
  produced_by: z.string().describe("The agent's name, or `external`."),
  run_id: z.string().optional().describe("The run that published it; absent for `external`."),
  correlation_id: z.string(),
  tags: z.array(z.string()),
  visibility: visibilitySchema,
  revealed: z
    .literal(true)
    .optional()
    .describe(
      "Its time has come: the artifact was published before, for the owner alone, and is for others from here on.",
    ),
  payload: z.unknown().optional(),
  payload_bytes: z.int().optional().describe("Size as JSON, instead of a payload too large to inline."),
});

const graphUpdated = z.object({
  type: z.literal("graph_updated"),
  nodes: z.array(graphNodeSchema),
  edges: z.array(graphEdgeSchema),
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
  gate: z.string().describe("Which of the agent's gates: `0` for its first `consumes`, and so on."),
  correlation_id: z.string().describe("Of the artifact that arrived, or was dropped."),
  key: z.string().optional().describe("The join key, when the gate has one. Absent for what a batch has."),
  collected: z.record(z.string(), z.int()).describe("By artifact type."),
  required: z.record(z.string(), z.int()).describe("By artifact type."),
  expires_at: z.iso
    .datetime()
    .optional()
    .describe("When the oldest of these is dropped, or the batch runs with what it has."),
  dropped: z.int().min(1).optional().describe("How many artifacts left the gate unused. `collected` is without them."),
  reason: z
    .enum(["expired", "full", "refused"])
    .optional()
    .describe("Why: their window had passed, too many waited, or the group did not pass `whereGroup`."),
  visibility,
});

const questionClosed = z.object({
  type: z.literal("question_closed"),
  question_id: z.string().describe("The artifact in which a run has asked a person."),
  agent_id: z.string().describe("The agent that asked."),
  run_id: z.string().describe("The run that asked."),
  correlation_id: z.string(),
  status: questionStatusSchema,
  answer_id: z.string().optional().describe("The artifact that answers it, a default included."),
  answered_by: z.string().optional().describe("Who has answered: a name, or `owner`."),
  visibility,
});

const deadLetterClosed = z.object({
  type: z.literal("dead_letter_closed"),
  activation_id: z.string().describe("Of what had failed for good: the dead letter's id."),
  agent_id: run.agent_id,
  correlation_id: z.string(),
  status: deadLetterStatusSchema,
  run_id: z.string().optional().describe("The run that is queued, when it is `retried`."),
  visibility,
});

const agentPaused = z.object({ type: z.literal("agent_paused"), agent_id: run.agent_id, visibility });

const agentResumed = z.object({ type: z.literal("agent_resumed"), agent_id: run.agent_id, visibility });

const agentQueueChanged = z.object({
  type: z.literal("agent_queue_changed"),
  agent_id: z.string().describe("The name of an agent that is paused."),
  queued: z.int().min(0).describe("How many runs wait until it goes on."),
  visibility,
});

const agentCircuitChanged = z.object({
  type: z.literal("agent_circuit_changed"),
  agent_id: z.string().describe("The name of an agent with a circuit breaker."),
  state: circuitStateSchema,
  failures: z.int().optional().describe("When it opens: how many failures in a row did that."),
  retry_at: z.iso.datetime().optional().describe("When it opens: from when on a run may try whether it works again."),
  visibility,
});

/** An event before the log has it: everything but `seq` and `timestamp`. */
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
  seq: z.int().describe("Strictly increasing within an epoch; a filter leaves gaps."),
  timestamp: z.iso.datetime().describe("ISO 8601, UTC."),
};

/** The schema of each event by its type, as it stands in the log. */
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

/** Any event as it stands in the log. */
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

/** An event before the log has it: everything but `seq` and `timestamp`. */
export type EventDraft = z.infer<typeof eventDraftSchema>;
/** An event of the log. */
export type FlockEvent = z.infer<typeof eventSchema>;
/** The name of an event type. */
export type EventType = FlockEvent["type"];
/** The event of one type. */
export type EventOf<T extends EventType> = Extract<FlockEvent, { type: T }>;
/** How a run ended. */
export type RunStatus = z.infer<typeof runStatusSchema>;
/** What a run calls: a model, or anything else that takes time. */
export type StepKind = z.infer<typeof stepKindSchema>;
/** How a step ended. */
export type StepStatus = z.infer<typeof stepStatusSchema>;
/** An error as the wire tells it. */
export type WireError = z.infer<typeof wireErrorSchema>;

/** All event types, in the order in which a reader meets them. */
export const EVENT_TYPES = Object.keys(eventSchemas) as EventType[];
