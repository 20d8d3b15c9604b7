import type { CorrelationStatus, EventVisibility, Principal, QuestionStatus, WireError } from "@flock-ts/protocol";
import type { StoredArtifact } from "../blackboard/artifact.ts";

/** An activation: an agent is to run on these artifacts. It ends once, however many attempts that takes. */
export interface ActivationRecord {
  readonly id: string;
  /** What the agent's gate collects that was filled; undefined when an earlier version wrote the record. */
  readonly gate: string | undefined;
  /** The newest attempt. The first attempt has the activation's id. */
  readonly runId: string;
  readonly agentId: string;
  readonly correlationId: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** How many attempts have failed since it was queued or revived; absent: none. */
  readonly failures?: number | undefined;
  /** How many of its attempts ended because the process crashed, since it was queued or revived; absent: none. */
  readonly crashes?: number | undefined;
  /** In the order of arrival. */
  readonly artifacts: readonly StoredArtifact[];
  /** Who may see its runs; absent: public. */
  readonly visibility?: EventVisibility | undefined;
}

/** An activation that an earlier process has not ended. */
export interface UnfinishedActivation extends ActivationRecord {
  /** Whether its newest attempt had begun. */
  readonly started: boolean;
  /** It must not run before this time, in milliseconds; undefined: as soon as there is room. */
  readonly retryAt?: number | undefined;
}

/** An activation that has failed permanently, after all its retries. It can be run again. */
export interface DeadLetter {
  /** The activation's id: the same for all its attempts. */
  readonly id: string;
  /** The agent's gate that was filled; undefined when an earlier version wrote the record. */
  readonly gate: string | undefined;
  /** The newest attempt. */
  readonly runId: string;
  readonly agentId: string;
  readonly correlationId: string;
  /** How many attempts there were. */
  readonly attempts: number;
  /** The error of the newest attempt, as far as every viewer of the run may see it. */
  readonly error: WireError;
  readonly status: "error" | "timeout";
  /** Its inputs that are still kept, in the order of arrival. */
  readonly artifacts: readonly StoredArtifact[];
  /** How many of its inputs retention has dropped. Without them it cannot run again. */
  readonly missing: number;
  /** When the newest attempt ended. ISO 8601, UTC. */
  readonly failedAt: string;
  /** Who may see it; absent: public. */
  readonly visibility?: EventVisibility | undefined;
}

/** An artifact that a gate holds. */
export interface GatheredArtifact {
  readonly agentId: string;
  /** What the gate collects: see `Subscription.identity`. */
  readonly gate: string;
  /** The join key; undefined for a gate without one. */
  readonly key: string | undefined;
  readonly artifact: StoredArtifact;
  /** Its index among all artifacts that the gate has taken in. */
  readonly position: number;
  /** The group of the gate's batch that it belongs to; undefined while it waits for others. */
  readonly group: number | undefined;
}

/** How many artifacts a gate has taken in. */
export interface GateCount {
  readonly agentId: string;
  readonly gate: string;
  readonly taken: number;
}

/** What gates hold, and how many artifacts they have taken in. */
export interface GateContents {
  /** The oldest first. */
  readonly gathered: readonly GatheredArtifact[];
  readonly taken: readonly GateCount[];
}

/** The state of an agent's schedule. */
export interface ScheduleState {
  /** When it began, or where its grid begins, in milliseconds. */
  readonly origin: number;
  /** All times up to this one are dealt with, in milliseconds. */
  readonly seen: number;
  /** How many ticks it has published. */
  readonly count: number;
  /** How many times passed without a tick since the last one. */
  readonly missed: number;
}

/** The state of a schedule, with the schedule's name. */
export interface ScheduleRecord extends ScheduleState {
  readonly agentId: string;
  readonly schedule: string;
}

/** How a question to a person was closed. */
export interface QuestionClosure {
  readonly status: QuestionStatus;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Who answered. */
  readonly by?: string | undefined;
  /** The answer, or the default in its place. */
  readonly answer?: StoredArtifact | undefined;
}

/** A question that a run has asked a person. */
export interface QuestionRecord {
  /** The question's artifact. */
  readonly artifact: StoredArtifact;
  /** The activation that asks, whichever attempt. */
  readonly activationId: string;
  /** Identifies the question within its activation; the newest of a key counts. */
  readonly key: string;
  /** Undefined while it is open. */
  readonly closure?: QuestionClosure | undefined;
}

/** An agent that an artifact has triggered. */
export interface Triggered {
  readonly agentId: string;
  /** Who may see its run; absent: public. */
  readonly visibility?: EventVisibility | undefined;
}

/** What was published under an idempotency key. */
export interface PublishedUnderKey {
  readonly artifact: StoredArtifact;
  readonly triggered: readonly Triggered[];
}

/** An artifact that only the owner sees until its time. */
export interface Hidden {
  readonly id: string;
  /** When it is revealed, in milliseconds. */
  readonly at: number;
}

/** A state that was folded from the log. */
export interface Snapshot {
  /** Its newest event. */
  readonly seq: number;
  readonly state: unknown;
}

/** The work that earlier processes have left, in one consistent read. */
export interface LeftWork extends GateContents {
  /** Activations that have not ended, the oldest first. */
  readonly unfinished: readonly UnfinishedActivation[];
  readonly schedules: readonly ScheduleRecord[];
  /** Artifacts that are still to be revealed. */
  readonly hidden: readonly Hidden[];
  /** Questions of activations that have not ended, the oldest first. */
  readonly questions: readonly QuestionRecord[];
  readonly snapshot: Snapshot | undefined;
  /** Whether the last process ended without closing the store. */
  readonly hasCrashed: boolean;
}

/** The runtime's state in a store: what has to survive the process, and what is looked up by key. */
export interface WorkStore {
  /** Returns the work that earlier processes have left. */
  load(): Promise<LeftWork>;
  /** Returns what gates hold according to the store. Needed after a failed commit. */
  gates(): Promise<GateContents>;
  /** Returns a question while it is kept. */
  question(id: string): Promise<QuestionRecord | undefined>;
  /** Returns the questions of an activation, the oldest first. */
  questionsOf(activationId: string): Promise<readonly QuestionRecord[]>;
  /** Returns what was published under an idempotency key while the artifact is kept. */
  publishedUnder(key: string): Promise<PublishedUnderKey | undefined>;
  /**
   * Returns the status of a workflow, from what is kept of it and the principal may see. Undefined when nothing is, or
   * when the store does not keep activations that have ended.
   */
  workflow(correlationId: string, as: Principal): Promise<CorrelationStatus | undefined>;
  /** Returns the types of artifacts while they are kept, by artifact id. */
  typesOf(artifactIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** How much of the disk the blackboard takes, in bytes; undefined in memory. */
  readonly bytes: number | undefined;
}
