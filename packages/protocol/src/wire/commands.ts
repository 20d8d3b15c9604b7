import { z } from "zod";
import { visibilityRequestSchema } from "../access/visibility.ts";
import { limitedArray } from "../input/limited-array.ts";
import { nameSchema } from "../input/name.ts";
import { filterSchema } from "./filter.ts";
import { answerRequestSchema } from "./questions.ts";

const sinceSchema = z
  .int()
  .describe("Deliver events after this seq. 0: all retained events. -N: the newest N that match.");

/** How many tags an artifact that comes over the wire can have. */
const MAX_TAGS = 1_000;
/** How many artifacts an invoke can give its agent. */
const MAX_INPUTS = 1_000;

/** Validates a publish, by command or HTTP. */
export const publishRequestSchema = z
  .strictObject({
    artifact_type: nameSchema,
    payload: z.unknown(),
    tags: limitedArray(nameSchema, MAX_TAGS).optional(),
    correlation_id: nameSchema.optional().describe("The workflow it belongs to. Absent: a new one."),
    visibility: visibilityRequestSchema.optional().describe("Who may see it. Default: public."),
    idempotency_key: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("A repeated publish with the same key returns the result of the first."),
  })
  .meta({ id: "PublishRequest" });

/** The position of the effect. Optional because earlier servers do not send it. */
const seq = z.int().optional().describe("Events up to this seq contain the effect.");

/** Validates the result of a publish. */
export const publishResultSchema = z
  .object({
    artifact_id: z.string(),
    correlation_id: z.string(),
    triggered_agents: z
      .array(z.string())
      .describe("Agents whose gate this artifact completed, without those whose runs the publisher may not see."),
    seq,
  })
  .meta({ id: "PublishResult" });

/** Validates the result of a preview: what a publish would do now. A preview publishes nothing. */
export const previewResultSchema = z
  .object({
    triggered_agents: z.array(z.string()).describe("Agents that a publish would start, as its result would name them."),
    gates: z
      .array(
        z.object({
          agent_id: z.string(),
          gate: z.string(),
          wakes: z.boolean().describe("Whether the artifact would complete this gate."),
          key: z.string().optional().describe("The join key, for a gate that has one."),
          collected: z.record(z.string(), z.int()).describe("Number of artifacts by type, including this one."),
          required: z.record(z.string(), z.int()),
          missing: z
            .record(z.string(), z.int())
            .describe("Number of artifacts by type that the gate would still wait for. Empty if it wakes."),
          expires_at: z.iso
            .datetime()
            .optional()
            .describe("When the oldest artifact would be dropped or the batch would run."),
        }),
      )
      .describe("Gates that would accept the artifact."),
    excluded: z
      .array(z.object({ agent_id: z.string(), gate: z.string(), reason: z.string() }))
      .describe(
        "Subscriptions to this type that would not accept it, because of its `visibility`, their `tags`, a `condition` (`where`, `whereGroup`), " +
          "or an `error` in that.",
      ),
  })
  .meta({ id: "PreviewResult" });

/** Validates an invoke: one run of one agent on given inputs. */
export const invokeRequestSchema = z
  .strictObject({
    agent_id: nameSchema,
    inputs: limitedArray(z.strictObject({ artifact_type: nameSchema, payload: z.unknown() }), MAX_INPUTS).min(1),
    correlation_id: nameSchema.optional(),
    visibility: visibilityRequestSchema
      .optional()
      .describe("Who may see the inputs. The agent must be included. Default: public."),
  })
  .meta({ id: "InvokeRequest" });

/** Validates the result of an invoke. The server sends it when the run is queued. */
export const invokeResultSchema = z
  .object({ run_id: z.string(), correlation_id: z.string(), seq })
  .meta({ id: "InvokeResult" });

const NAMES_ONE_TARGET = "name either run_id or correlation_id";
function namesOneTarget(body: { readonly run_id?: string | undefined; readonly correlation_id?: string | undefined }) {
  return (body.run_id === undefined) !== (body.correlation_id === undefined);
}

/** Validates a cancel: one run, or all runs of a workflow. */
export const cancelRequestSchema = z
  .strictObject({ run_id: nameSchema.optional(), correlation_id: nameSchema.optional() })
  .refine(namesOneTarget, NAMES_ONE_TARGET)
  .meta({ id: "CancelRequest" });

/** Validates the result of a cancel. */
export const cancelResultSchema = z.object({ cancelled: z.int(), seq }).meta({ id: "CancelResult" });

/** Validates a pause or a resume: one agent, or all. */
export const pauseRequestSchema = z
  .strictObject({ agent_id: nameSchema.optional().describe("The agent's name. Default: all agents.") })
  .meta({ id: "PauseRequest" });

/** Validates the result of a pause or a resume. */
export const pauseResultSchema = z
  .object({
    agents: z.array(z.string()).describe("Names of the agents whose state changed."),
    seq: z.int().describe("Events up to this seq contain the effect."),
  })
  .meta({ id: "PauseResult" });

/** The id of a command, which its reply repeats. Limited, because the server holds and repeats it. */
export const commandIdSchema = z
  .union(
    [z.string().max(200), z.number().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)],
    "must be a string of at most 200 characters, or a number",
  )
  .nullable();

const id = { id: commandIdSchema.optional().describe("A string of at most 200 characters, or a number.") };

/**
 * The schema of each command type. A command that changes something has no unknown fields: without a misspelled
 * `agent_id`, `filter` or `visibility`, it would affect or show more than intended.
 */
export const commandSchemas = {
  subscribe: z
    .strictObject({
      ...id,
      type: z.literal("subscribe"),
      filter: filterSchema.default({}),
      since: sinceSchema.optional(),
      epoch: nameSchema.optional(),
    })
    .meta({ id: "SubscribeCommand" }),
  publish: z
    .strictObject({ ...id, type: z.literal("publish"), ...publishRequestSchema.shape })
    .meta({ id: "PublishCommand" }),
  invoke: z
    .strictObject({ ...id, type: z.literal("invoke"), ...invokeRequestSchema.shape })
    .meta({ id: "InvokeCommand" }),
  cancel: z
    .strictObject({ ...id, type: z.literal("cancel"), ...cancelRequestSchema.shape })
    .refine(namesOneTarget, NAMES_ONE_TARGET)
    .meta({ id: "CancelCommand" }),
  answer: z
    .strictObject({
      ...id,
      type: z.literal("answer"),
      question_id: nameSchema.describe("Id of the question's artifact."),
      ...answerRequestSchema.shape,
    })
    .meta({ id: "AnswerCommand" }),
  pause: z.strictObject({ ...id, type: z.literal("pause"), ...pauseRequestSchema.shape }).meta({ id: "PauseCommand" }),
  resume: z
    .strictObject({ ...id, type: z.literal("resume"), ...pauseRequestSchema.shape })
    .meta({ id: "ResumeCommand" }),
  graph: z.object({ ...id, type: z.literal("graph") }).meta({ id: "GraphCommand" }),
  ping: z.object({ ...id, type: z.literal("ping") }).meta({ id: "PingCommand" }),
} as const;

/** The id of a command. */
export type CommandId = z.infer<typeof commandIdSchema>;
/** A command that a client sends. */
export type Command = {
  [K in keyof typeof commandSchemas]: z.infer<(typeof commandSchemas)[K]>;
}[keyof typeof commandSchemas];
/** The name of a command type. */
export type CommandType = Command["type"];
/** The command of one type. */
export type CommandOf<T extends CommandType> = Extract<Command, { type: T }>;
/** An artifact to publish. */
/** An artifact to publish. */
export type PublishRequest = z.infer<typeof publishRequestSchema>;
/** The result of a publish. */
/** The result of a publish. */
export type PublishResult = z.infer<typeof publishResultSchema>;
/** What a publish would do now. */
/** What a publish would do now. */
export type PreviewResult = z.infer<typeof previewResultSchema>;
/** An agent to run, and its inputs. */
/** An agent to run, and its inputs. */
export type InvokeRequest = z.infer<typeof invokeRequestSchema>;
/** The queued run. */
/** The queued run. */
export type InvokeResult = z.infer<typeof invokeResultSchema>;
/** The run or workflow to cancel. */
/** The run or workflow to cancel. */
export type CancelRequest = z.infer<typeof cancelRequestSchema>;
/** The number of cancelled runs. */
/** The number of cancelled runs. */
export type CancelResult = z.infer<typeof cancelResultSchema>;
/** The agent to pause or resume, or all. */
/** The agent to pause or resume, or all. */
export type PauseRequest = z.infer<typeof pauseRequestSchema>;
/** The agents whose state changed. */
/** The agents whose state changed. */
export type PauseResult = z.infer<typeof pauseResultSchema>;
