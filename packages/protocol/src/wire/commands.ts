import { z } from "zod";
import { visibilityRequestSchema } from "../access/visibility.ts";
import { limitedArray } from "../input/limited-array.ts";
import { filterSchema } from "./filter.ts";
import { answerRequestSchema } from "./questions.ts";

const sinceSchema = z
  .int()
  .describe("Deliver what comes after this seq; 0: all that is kept; -N: the newest N that match.");

/** How many tags an artifact that comes over the wire can have. */
const MAX_TAGS = 1_000;
/** How many artifacts an invoke can give its agent. */
const MAX_INPUTS = 1_000;

/** The body of a publish, by command or HTTP. */
export const publishRequestSchema = z
  .object({
    artifact_type: z.string().min(1),
    payload: z.unknown(),
    tags: limitedArray(z.string().min(1), MAX_TAGS).optional(),
    correlation_id: z.string().min(1).optional().describe("The workflow it belongs to; a new one when absent."),
    visibility: visibilityRequestSchema.optional().describe("Who may see it. Default: everybody."),
    idempotency_key: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("A second publish with the same key answers with the first one's result."),
  })
  .meta({ id: "PublishRequest" });

/** Where the effect of what was asked for shows. Absent in what servers of before tell. */
const seq = z.int().optional().describe("Events up to this one tell of it.");

/** The answer to a publish. */
export const publishResultSchema = z
  .object({
    artifact_id: z.string(),
    correlation_id: z.string(),
    triggered_agents: z
      .array(z.string())
      .describe("Agents whose gate this artifact completed, as far as the publisher may see their runs."),
    seq,
  })
  .meta({ id: "PublishResult" });

/** The answer to a preview: what a publish would do now. Nothing has been published. */
export const previewResultSchema = z
  .object({
    triggered_agents: z.array(z.string()).describe("Agents that it would wake, as a publish would answer."),
    gates: z
      .array(
        z.object({
          agent_id: z.string(),
          gate: z.string(),
          wakes: z.boolean().describe("Whether the artifact would complete this gate."),
          key: z.string().optional().describe("What its artifacts have in common, for a gate that joins by a key."),
          collected: z.record(z.string(), z.int()).describe("Artifacts by type, this one included."),
          required: z.record(z.string(), z.int()),
          missing: z.record(z.string(), z.int()).describe("What the gate would still wait for; empty when it wakes."),
          expires_at: z.iso.datetime().optional().describe("When the oldest would be dropped, or the batch run."),
        }),
      )
      .describe("Gates that would take the artifact."),
    excluded: z
      .array(z.object({ agent_id: z.string(), gate: z.string(), reason: z.string() }))
      .describe(
        "Subscriptions to this type that would not take it, because of its `visibility`, their `tags`, a `condition` (`where`, `whereGroup`), " +
          "or an `error` in that.",
      ),
  })
  .meta({ id: "PreviewResult" });

/** The body of an invoke: run one agent on given inputs. */
export const invokeRequestSchema = z
  .object({
    agent_id: z.string().min(1),
    inputs: limitedArray(z.object({ artifact_type: z.string().min(1), payload: z.unknown() }), MAX_INPUTS).min(1),
    correlation_id: z.string().min(1).optional(),
    visibility: visibilityRequestSchema
      .optional()
      .describe("Who may see the inputs; the agent must. Default: everybody."),
  })
  .meta({ id: "InvokeRequest" });

/** The answer to an invoke, given when the run is queued. */
export const invokeResultSchema = z
  .object({ run_id: z.string(), correlation_id: z.string(), seq })
  .meta({ id: "InvokeResult" });

/** The body of a cancel: one run, or every run of a workflow. */
export const cancelRequestSchema = z
  .object({ run_id: z.string().min(1).optional(), correlation_id: z.string().min(1).optional() })
  .refine((body) => (body.run_id === undefined) !== (body.correlation_id === undefined), {
    message: "say either run_id or correlation_id",
  })
  .meta({ id: "CancelRequest" });

/** The answer to a cancel. */
export const cancelResultSchema = z.object({ cancelled: z.int(), seq }).meta({ id: "CancelResult" });

/** The body of a pause or a resume: one agent, or all. */
export const pauseRequestSchema = z
  .object({ agent_id: z.string().min(1).optional().describe("The agent's name. Default: every agent that there is.") })
  .meta({ id: "PauseRequest" });

/** The answer to a pause or a resume. */
export const pauseResultSchema = z
  .object({
    agents: z.array(z.string()).describe("Names of those for which this has changed something."),
    seq: z.int().describe("Events up to this one tell of it."),
  })
  .meta({ id: "PauseResult" });

/** The id of a command, which its reply repeats. Limited, because the server holds and repeats it. */
export const commandIdSchema = z
  .union([z.string().max(200), z.number()], "must be a string of at most 200 characters, or a number")
  .nullable();

const id = { id: commandIdSchema.optional().describe("A string of at most 200 characters, or a number.") };

/** The schema of each command by its type. */
export const commandSchemas = {
  subscribe: z
    .object({
      ...id,
      type: z.literal("subscribe"),
      filter: filterSchema.default({}),
      since: sinceSchema.optional(),
      epoch: z.string().min(1).optional(),
    })
    .meta({ id: "SubscribeCommand" }),
  publish: z
    .object({ ...id, type: z.literal("publish"), ...publishRequestSchema.shape })
    .meta({ id: "PublishCommand" }),
  invoke: z.object({ ...id, type: z.literal("invoke"), ...invokeRequestSchema.shape }).meta({ id: "InvokeCommand" }),
  cancel: z.object({ ...id, type: z.literal("cancel"), ...cancelRequestSchema.shape }).meta({ id: "CancelCommand" }),
  answer: z
    .object({
      ...id,
      type: z.literal("answer"),
      question_id: z.string().min(1).describe("Of the question's artifact."),
      ...answerRequestSchema.shape,
    })
    .meta({ id: "AnswerCommand" }),
  pause: z.object({ ...id, type: z.literal("pause"), ...pauseRequestSchema.shape }).meta({ id: "PauseCommand" }),
  resume: z.object({ ...id, type: z.literal("resume"), ...pauseRequestSchema.shape }).meta({ id: "ResumeCommand" }),
  graph: z.object({ ...id, type: z.literal("graph") }).meta({ id: "GraphCommand" }),
  ping: z.object({ ...id, type: z.literal("ping") }).meta({ id: "PingCommand" }),
} as const;

/** The id of a command. */
export type CommandId = z.infer<typeof commandIdSchema>;
/** A command of a client. */
export type Command = {
  [K in keyof typeof commandSchemas]: z.infer<(typeof commandSchemas)[K]>;
}[keyof typeof commandSchemas];
/** The name of a command. */
export type CommandType = Command["type"];
/** The command of one type. */
export type CommandOf<T extends CommandType> = Extract<Command, { type: T }>;
export type PublishRequest = z.infer<typeof publishRequestSchema>;
export type PublishResult = z.infer<typeof publishResultSchema>;
export type PreviewResult = z.infer<typeof previewResultSchema>;
export type InvokeRequest = z.infer<typeof invokeRequestSchema>;
export type InvokeResult = z.infer<typeof invokeResultSchema>;
export type CancelRequest = z.infer<typeof cancelRequestSchema>;
export type CancelResult = z.infer<typeof cancelResultSchema>;
export type PauseRequest = z.infer<typeof pauseRequestSchema>;
export type PauseResult = z.infer<typeof pauseResultSchema>;
