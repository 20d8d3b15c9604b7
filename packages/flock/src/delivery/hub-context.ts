import type { Clock } from "../core/clock.ts";
import type { EventLog } from "../log/event-log.ts";
import type { AttendedTime } from "./attended-time.ts";
import type { Chunks } from "./chunks.ts";
import type { Member } from "./cohorts.ts";
import type { Commands } from "./commands.ts";
import type { RateLimits } from "./websocket/rate-limiter.ts";

/** A subscriber that reads the log through its own cursor, one time slice after another. */
export interface Replay {
  /** Sends the next chunk. */
  advance(): void;
  /** Closes the connection after an exception in `advance`. */
  fail(error: unknown): void;
}

/** The pending commands of one connection. */
export interface PendingCommands {
  /** Executes commands for one time slice. */
  work(): void;
  /** Closes the connection after an exception in `work`. */
  fail(error: unknown): void;
}

/** The hub as its subscribers use it. */
export interface HubContext {
  readonly log: EventLog;
  readonly chunks: Chunks;
  readonly commands: Commands;
  readonly limits: RateLimits;
  readonly clock: Clock;
  /** The time by which clients must answer heartbeats; undefined without heartbeats. */
  readonly attended: AttendedTime | undefined;
  /** Every live subscriber has been sent its events up to this seq. */
  readonly position: number;
  /** Moves `position` to the head of the log. */
  flush(): void;
  /** Adds a subscriber at `position` to those that are sent new events. */
  goLive(subscriber: Member): void;
  /** Removes a subscriber from the live ones: it continues with its own cursor. */
  fallBehind(subscriber: Member): void;
  /** Queues a time slice for a replay. */
  scheduleReplay(replay: Replay): void;
  /** Queues a time slice for commands. */
  scheduleCommands(commands: PendingCommands): void;
  /** Counts what was written to a socket. */
  countSent(events: number, bytes: number): void;
  /** Counts a command, or a refused message. */
  countCommand(): void;
  /** Removes a subscriber whose connection has ended. */
  closed(subscriber: Member): void;
  /** Reports a failure whose details the client does not receive. */
  failed(error: unknown, what: string): void;
}
