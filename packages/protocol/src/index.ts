/**
 * The wire contract between a Flock server and any client: every event, control message and command
 * as a Zod schema, the close codes and error codes, and the reducer that folds events into what a viewer sees.
 *
 * @packageDocumentation
 */
export * from "./asyncapi.ts";
export * from "./close-codes.ts";
export * from "./commands.ts";
export * from "./control.ts";
export * from "./errors.ts";
export * from "./event-file.ts";
export * from "./events.ts";
export * from "./filter.ts";
export * from "./graph.ts";
export * from "./http.ts";
export * from "./limited-array.ts";
export * from "./matching.ts";
export * from "./merged.ts";
export * from "./principal.ts";
export * from "./questions.ts";
export * from "./reducer.ts";
export * from "./untrusted-json.ts";
export * from "./validation.ts";
export * from "./visibility.ts";
