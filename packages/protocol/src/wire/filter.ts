import { z } from "zod";
import { limitedArray } from "../input/limited-array.ts";
import { EVENT_TYPES, type EventType } from "./events.ts";

const eventTypeSchema = z.enum(EVENT_TYPES as [EventType, ...EventType[]]);

/** How many names each list of a filter can have. */
export const MAX_FILTER_NAMES = 100;
const TOO_MANY = `has too many names: the limit is ${MAX_FILTER_NAMES} for each list of a filter`;
const names = limitedArray(z.string().min(1), MAX_FILTER_NAMES, TOO_MANY).min(1);

/** Which events a connection wants. Every part that is given must hold; a part that is absent holds always. */
export const filterSchema = z
  .strictObject({
    types: limitedArray(eventTypeSchema, MAX_FILTER_NAMES, TOO_MANY)
      .min(1)
      .optional()
      .describe("Only these event types."),
    agents: names.optional().describe("Only events of, or artifacts by, these agents."),
    artifact_types: names.optional().describe("Only events that concern these artifact types."),
    correlation_id: z.string().min(1).optional(),
    run_id: z.string().min(1).optional(),
  })
  .meta({ id: "Filter" });

/** Which events a connection wants. */
export type Filter = z.infer<typeof filterSchema>;

const list = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean),
  )
  .pipe(
    limitedArray(z.string(), MAX_FILTER_NAMES, TOO_MANY).min(1, "names nothing: leave it out, or name at least one"),
  );

const filterInQuery = {
  types: list.pipe(limitedArray(eventTypeSchema, MAX_FILTER_NAMES, TOO_MANY)).optional(),
  agents: list.optional(),
  artifact_types: list.optional(),
  correlation_id: z.string().min(1).optional(),
  run_id: z.string().min(1).optional(),
};

const since = z
  .string()
  .regex(/^-?\d{1,15}$/, "must be a whole number: a seq, 0 for all that is kept, or -N for the newest N")
  .transform(Number)
  .optional();

/**
 * The query of `GET {prefix}/events`. A page begins with `after` and has `limit` events; a stream begins with `since`,
 * as on the WebSocket.
 */
export const eventsQuerySchema = z
  .object({
    after: z.coerce
      .number()
      .int()
      .min(0)
      .default(0)
      .describe("A page begins after this seq; 0: with all that is kept."),
    limit: z.coerce.number().int().min(1).max(1_000).default(100).describe("How many events a page has at most."),
    since: since.describe("A stream begins after this seq; absent: with what happens from now on."),
    epoch: z.string().min(1).optional().describe("Which log `after` or `since` belongs to."),
    ...filterInQuery,
  })
  .transform(({ after, limit, since, epoch, ...filter }) => ({
    after,
    limit,
    since,
    epoch,
    filter: filter satisfies Filter as Filter,
  }));

/** The query of the WebSocket URL. `since` and `epoch` say where to start; the rest is the filter. */
export const connectQuerySchema = z
  .object({ since, epoch: z.string().min(1).optional(), ...filterInQuery })
  .transform(({ since, epoch, ...filter }) => ({ since, epoch, filter: filter satisfies Filter as Filter }));

/** What the WebSocket URL's query says. */
export type ConnectQuery = z.infer<typeof connectQuerySchema>;
