import { z } from "zod";
import { limitedArray } from "../input/limited-array.ts";
import { nameSchema } from "../input/name.ts";
import { queryInteger } from "../input/query-integer.ts";
import { EVENT_TYPES, type EventType } from "./events.ts";

const eventTypeSchema = z.enum(EVENT_TYPES as [EventType, ...EventType[]]);

/** The largest number of names in each list of a filter. */
export const MAX_FILTER_NAMES = 100;
const TOO_MANY = `has too many names: the limit is ${MAX_FILTER_NAMES} for each list of a filter`;
const names = limitedArray(nameSchema, MAX_FILTER_NAMES, TOO_MANY).min(1);

/** Validates a filter of events. An event passes if it matches every part that is present. */
export const filterSchema = z
  .strictObject({
    types: limitedArray(eventTypeSchema, MAX_FILTER_NAMES, TOO_MANY)
      .min(1)
      .optional()
      .describe("Only these event types."),
    agents: names.optional().describe("Only events of these agents, and artifacts that they published."),
    artifact_types: names.optional().describe("Only events that concern these artifact types."),
    correlation_id: nameSchema.optional(),
    run_id: nameSchema.optional(),
  })
  .meta({ id: "Filter" });

/** A filter of events. An event passes if it matches every part that is present. */
export type Filter = z.infer<typeof filterSchema>;

/** A parameter that is given twice is an array. */
const ONCE = "must be given once: separate several names by commas";
const nameInQuery = z.string("must be given once").pipe(nameSchema);

const list = z
  .string(ONCE)
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean),
  )
  .pipe(
    limitedArray(nameSchema, MAX_FILTER_NAMES, TOO_MANY).min(1, "names nothing: leave it out, or name at least one"),
  );

const filterInQuery = {
  types: list.pipe(limitedArray(eventTypeSchema, MAX_FILTER_NAMES, TOO_MANY)).optional(),
  agents: list.optional(),
  artifact_types: list.optional(),
  correlation_id: nameInQuery.optional(),
  run_id: nameInQuery.optional(),
};

const since = z
  .string("must be given once")
  .regex(/^-?\d{1,15}$/, "must be an integer: a seq, 0 for all retained events, or -N for the newest N")
  .transform(Number)
  .optional();

/**
 * Validates the query of `GET {prefix}/events`. A page starts after `after` and has up to `limit` events. A stream starts
 * after `since`, as on the WebSocket.
 */
export const eventsQuerySchema = z
  .object({
    after: queryInteger({ min: 0 })
      .default(0)
      .describe("A page starts after this seq. 0: with the oldest retained event."),
    limit: queryInteger({ min: 1, max: 1_000 }).default(100).describe("The largest number of events in a page."),
    since: since.describe("A stream starts after this seq. Absent: with new events."),
    epoch: nameInQuery.optional().describe("Id of the log that `after` or `since` refers to."),
    ...filterInQuery,
  })
  .transform(({ after, limit, since, epoch, ...filter }) => ({
    after,
    limit,
    since,
    epoch,
    filter: filter satisfies Filter as Filter,
  }));

/** Validates the query of the WebSocket URL: the position (`since`, `epoch`) and the filter. */
export const connectQuerySchema = z
  .object({ since, epoch: nameInQuery.optional(), ...filterInQuery })
  .transform(({ since, epoch, ...filter }) => ({ since, epoch, filter: filter satisfies Filter as Filter }));

/** The position and filter of a WebSocket URL. */
export type ConnectQuery = z.infer<typeof connectQuerySchema>;
