import type { Clock } from "../core/clock.ts";
import type { FlockError } from "../core/errors.ts";
import type { LogSource } from "../log/source.ts";
import type { BlackboardReader, DeadLetterReader } from "./queries.ts";
import type { WorkStore } from "./work.ts";
import type { EventWrite, WriteGroup } from "./writes.ts";

export type * from "./queries.ts";
export type * from "./work.ts";
export type * from "./writes.ts";

/** What a store receives when it is opened. */
export interface OpenOptions {
  /** Decides what retention drops. */
  readonly clock: Clock;
  /** Stops an opening that waits. */
  readonly signal?: AbortSignal | undefined;
}

/** Where a blackboard lives. A store does no I/O before a flock opens it. */
export interface Store {
  /**
   * Opens the blackboard.
   * @throws FlockError `store_unusable` when it cannot be used.
   */
  open(options: OpenOptions): Promise<StoreSession>;
}

/** The right to write to a blackboard. One process has it at a time. */
export interface Lease {
  /** Grows with each process that has the lease. Every commit of a shared store checks it. */
  readonly fence: bigint;
  /** Aborts when this process must write nothing more. Its `reason` is a FlockError `lease_lost`. */
  readonly lost: AbortSignal;
}

/** An open blackboard. */
export interface StoreSession {
  /** Identifies the log: a seq of another epoch belongs to another log. */
  readonly epoch: string;
  readonly role: "leader";
  readonly lease: Lease;
  readonly blackboard: BlackboardReader;
  readonly deadLetters: DeadLetterReader;
  /** Events for longer than memory holds them; undefined when the store does not keep them. */
  readonly log: LogSource | undefined;
  readonly work: WorkStore;
  /**
   * Makes writes permanent, in order. The writes of a group succeed or are refused together. Changes none of its
   * arguments. The journal calls it, one commit after another.
   * @throws FlockError when nothing was written.
   */
  commit(groups: readonly WriteGroup[]): Promise<CommitResult>;
  /** Releases files and connections. */
  close(): Promise<void>;
}

/** An event that is committed. */
export interface SealedEvent {
  readonly write: EventWrite;
  readonly seq: number;
  /** The event as it goes over the wire. */
  readonly json: string;
}

/** The outcome of a commit. */
export interface CommitResult {
  /** The events of all groups that were committed, in order. */
  readonly events: readonly SealedEvent[];
  /** Why a group was refused, by its index. The other groups are committed. */
  readonly refused: ReadonlyMap<number, FlockError>;
}
