import type { AgentInfo, CorrelationStatus, GraphSnapshot, HistorySummary, Principal } from "@flock-ts/protocol";
import type { Logger } from "pino";
import type { AnyArtifactType } from "../blackboard/artifact-type.ts";
import type { Commands } from "../delivery/commands.ts";
import type { EventLog } from "../log/event-log.ts";
import type { Revived } from "../runtime/runs/dead-letters.ts";
import type { FlockStats } from "../runtime/stats.ts";
import type { DeadLetter, DeadLetterQuery, OwnersStore } from "../store/store.ts";

/** The flock as its server sees it: everything that server components may read or do. */
export interface FlockHost {
  readonly logger: Logger;
  readonly log: EventLog;
  readonly store: OwnersStore;
  readonly wire: Commands;
  agents(as: Principal): AgentInfo[];
  graph(as: Principal): GraphSnapshot;
  historyOf(agent: string, as: Principal): Promise<HistorySummary | undefined>;
  correlation(id: string, as: Principal): Promise<CorrelationStatus | undefined>;
  typesSeenBy(as: Principal): readonly AnyArtifactType[];
  deadLetters(query: DeadLetterQuery, as: Principal): Promise<readonly DeadLetter[]>;
  retryDeadLetter(id: string, as: Principal): Promise<Revived>;
  discardDeadLetter(id: string, as: Principal): Promise<{ readonly seq: number }>;
  stats(): FlockStats;
  shutdown(): Promise<void>;
}
