/**
 * Typed live events from a Flock server, for browsers and Node, with exact resume.
 *
 * @packageDocumentation
 */
export type { ControlOf, EventOf, EventType, Filter, FlockEvent } from "@flock-ts/protocol";
export {
  type ConnectionState,
  type ConnectOptions,
  connect,
  FlockClient,
  type Heard,
  type Listenable,
} from "./client.ts";
export { type ClientErrorCode, FlockClientError } from "./errors.ts";
