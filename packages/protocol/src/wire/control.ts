import { z } from "zod";
import { errorBodySchema } from "./errors.ts";

/** The version of the wire contract. `hello` carries it. */
export const PROTOCOL_VERSION = 1;

/** The schema of each control message. Control messages are not part of the log. */
export const controlSchemas = {
  hello: z
    .object({
      type: z.literal("hello"),
      protocol: z.literal(PROTOCOL_VERSION),
      server_version: z.string(),
      epoch: z.string().describe("Id of the log that each seq refers to."),
      head: z.int().describe("The newest seq. 0 if the log is empty."),
      oldest: z.int().describe("The oldest retained seq. head + 1 if there is none."),
      heartbeat_interval: z.number().nullable().describe("Seconds between heartbeats. Null if there are none."),
      connection_id: z.string(),
      max_message_bytes: z
        .int()
        .optional()
        .describe("The largest message that the server accepts, in bytes. Earlier servers do not send it."),
      limited: z
        .literal(true)
        .optional()
        .describe("This client may not see all events. A seq that never arrives can be that of a hidden event."),
    })
    .meta({ id: "Hello" }),
  caught_up: z.object({ type: z.literal("caught_up"), seq: z.int() }).meta({ id: "CaughtUp" }),
  ping: z.object({ type: z.literal("ping"), timestamp: z.iso.datetime(), head: z.int() }).meta({ id: "Ping" }),
  gap: z
    .object({
      type: z.literal("gap"),
      from_seq: z.int().describe("The seq of the first missing event."),
      to_seq: z.int().describe("The seq of the last missing event."),
      reason: z.enum(["expired", "epoch"]),
    })
    .meta({ id: "Gap" }),
  reply: z
    .object({
      type: z.literal("reply"),
      id: z.unknown().describe("The `id` of the command."),
      ok: z.boolean(),
      seq: z.int().describe("Events up to this seq contain the effect of the command."),
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
      retry_after_ms: z
        .int()
        .describe(
          "Milliseconds to wait before reconnecting. Different for each client, so that they do not all reconnect at once.",
        ),
    })
    .meta({ id: "Goodbye" }),
} as const;

/** A message of the server that is not an event of the log. */
export type ControlMessage = {
  [K in keyof typeof controlSchemas]: z.infer<(typeof controlSchemas)[K]>;
}[keyof typeof controlSchemas];
/** The control message of one type. */
export type ControlOf<T extends ControlMessage["type"]> = Extract<ControlMessage, { type: T }>;
