/**
 * The wire contract between a Flock server and any client: every event, control message and command
 * as a Zod schema, the close codes and error codes, and the reducer that folds events into what a viewer sees.
 *
 * Each folder imports only folders named before it: `input`, `access`, `wire`, `log`, `state`.
 *
 * @packageDocumentation
 */
export * from "./access/principal.ts";
export * from "./access/visibility.ts";
export * from "./input/limited-array.ts";
export * from "./input/name.ts";
export * from "./input/query-integer.ts";
export * from "./input/untrusted-json.ts";
export * from "./log/compaction.ts";
export * from "./log/matching.ts";
export * from "./log/recording.ts";
export * from "./log/stream-cutter.ts";
export * from "./state/graph-snapshot.ts";
export * from "./state/reduce.ts";
export * from "./state/state.ts";
export * from "./wire/asyncapi.ts";
export * from "./wire/close-codes.ts";
export * from "./wire/commands.ts";
export * from "./wire/control.ts";
export * from "./wire/errors.ts";
export * from "./wire/events.ts";
export * from "./wire/filter.ts";
export * from "./wire/graph.ts";
export * from "./wire/http.ts";
export * from "./wire/questions.ts";
export * from "./wire/validation.ts";
