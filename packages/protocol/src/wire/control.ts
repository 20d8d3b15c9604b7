import { z } from "zod";
import { errorBodySchema } from "./errors.ts";

/** The wire contract's version, in `hello`. */
export const PROTOCOL_VERSION = 1;

/** Messages that the server sends beside the log. They have no `seq`. */
export const controlSchemas = {
  hello: z
    .object({
      type: z.literal("hello"),
      protocol: z.literal(PROTOCOL_VERSION),
      server_version: z.string(),
      epoch: z.string().describe("Which log the seqs belong to."),
      head: z.int().describe("The newest seq; 0 when the log is empty."),
      oldest: z.int().describe("The oldest seq that is kept; head + 1 when none is."),
      heartbeat_interval: z.number().nullable().describe("Seconds, or null when there is no heartbeat."),
      connection_id: z.string(),
      limited: z
        .literal(true)
        .optional()
        .describe("This client may not see everything: numbers that never come may be those of events hidden from it."),
    })
    .meta({ id: "Hello" }),
  caught_up: z.object({ type: z.literal("caught_up"), seq: z.int() }).meta({ id: "CaughtUp" }),
  ping: z.object({ type: z.literal("ping"), timestamp: z.iso.datetime(), head: z.int() }).meta({ id: "Ping" }),
  gap: z
    .object({
      type: z.literal("gap"),
      from_seq: z.int().describe("The first event that is missing."),
      to_seq: z.int().describe("The last event that is missing."),
      reason: z.enum(["expired", "epoch"]),
    })
    .meta({ id: "Gap" }),
  reply: z
    .object({
      type: z.literal("reply"),
      id: z.unknown().describe("The command's own id."),
      ok: z.boolean(),
      seq: z.int().describe("The effect is visible in events up to this seq."),
      result: z.unknown().optional(),
      error: errorBodySchema.optional(),
    })
    .meta({ id: "Reply" }),
  error: z
    .object({
      type: z.literal("error"),
      code: z.string(),
      message: z.string(),
      id: z.unknown().optional(),
    })
    .meta({ id: "ErrorMessage" }),
  goodbye: z
    .object({
      type: z.literal("goodbye"),
      reason: z.string(),
      retry_after_ms: z.int().describe("Jittered for each client, so that they do not all come back at once."),
    })
    .meta({ id: "Goodbye" }),
} as const;

/** A message that the server sends beside the log. */
export type ControlMessage = {
  [K in keyof typeof controlSchemas]: z.infer<(typeof controlSchemas)[K]>;
}[keyof typeof controlSchemas];
/** The control message of one type. */
export type ControlOf<T extends ControlMessage["type"]> = Extract<ControlMessage, { type: T }>;
