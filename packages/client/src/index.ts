/**
 * Typed live events from a Flock server, for browsers and Node, with exact resume.
 *
 * @packageDocumentation
 */
export type { ControlOf, EventOf, EventType, Filter, FlockEvent } from "@flock-ts/protocol";
export { type ConnectOptions, connect, FlockClient, type MessageOf, type MessageType } from "./client.ts";
export { type ConnectionOptions, type ConnectionState, INITIAL_STATE } from "./connection.ts";
export { type ClientErrorCode, FlockClientError } from "./errors.ts";
export type { Address } from "./url.ts";
