import type { AgentInfo, CorrelationStatus, GraphSnapshot, HistorySummary, Principal } from "@flock-ts/protocol";
import type { Logger } from "pino";
import type { AnyArtifactType } from "../blackboard/artifact-type.ts";
import type { Commands, ScopedCommands } from "../delivery/commands.ts";
import type { EventLog } from "../log/event-log.ts";
import type { OrphanSelector, Orphans, OrphansHandled } from "../runtime/orphans.ts";
import type { Revived } from "../runtime/runs/dead-letters.ts";
import type { FlockStats } from "../runtime/stats.ts";
import type { DeadLetter, DeadLetterQuery, ReadableStore } from "../store/store.ts";

/** The flock as its server uses it. Everything that depends on the caller goes through {@link FlockHost.as}. */
export interface FlockHost {
  readonly logger: Logger;
  /** The log without access control. Readers of it apply a principal: see `scopeOf`. */
  readonly log: EventLog;
  /** The commands of all transports. Each call names its principal. */
  readonly wire: Commands;
  /** Returns the flock as a principal sees it. */
  as(principal: Principal): ScopedHost;
  stats(): FlockStats;
  /** Returns the work of earlier processes that no agent takes up. For the owner only. */
  orphans(): Promise<Orphans>;
  /** Drops orphaned work. For the owner only. @throws FlockError `invalid_request`. */
  dropOrphans(selector: OrphanSelector): Promise<OrphansHandled>;
  /** Gives orphaned work to an agent. For the owner only. @throws FlockError `invalid_request` or `unknown_agent`. */
  moveOrphans(selector: OrphanSelector, to: string): Promise<OrphansHandled>;
  shutdown(): Promise<void>;
}

/** The flock as one principal sees it: reads return only what the principal may see, commands run on its behalf. */
export interface ScopedHost {
  readonly principal: Principal;
  readonly store: ReadableStore;
  readonly commands: ScopedCommands;
  /** Returns the agents with their subscriptions and counters. */
  agents(): AgentInfo[];
  /** Returns the flow graph, and the seq it belongs to. */
  graph(): GraphSnapshot;
  /** Returns the artifact types that the principal may use. */
  types(): readonly AnyArtifactType[];
  /** Returns what an agent has done; undefined when the principal sees no such agent. */
  historyOf(agent: string): Promise<HistorySummary | undefined>;
  /** Returns the status of a workflow; undefined when the principal sees nothing of it. */
  correlation(id: string): Promise<CorrelationStatus | undefined>;
  /** Returns activations that failed after all retries, newest first. */
  deadLetters(query: DeadLetterQuery): Promise<readonly DeadLetter[]>;
  /**
   * Queues another attempt of a dead letter, with all its retries.
   * @throws FlockError `not_found`, `unknown_agent` or `shutting_down`.
   */
  retryDeadLetter(id: string): Promise<Revived>;
  /**
   * Removes a dead letter. Resolves to the seq of the event that reports it.
   * @throws FlockError `not_found` or `shutting_down`.
   */
  discardDeadLetter(id: string): Promise<{ readonly seq: number }>;
}
