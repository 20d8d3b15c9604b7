import type {
  CorrelationStatus,
  EventVisibility,
  FlockEvent,
  Principal,
  QuestionStatus,
  RunStatus,
  Visibility,
  WireError,
} from "@flock-ts/protocol";
import type { Consumption, StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";
import type { StoredLog } from "../log/stored-log.ts";

/** An event on its way into the log. */
export interface EventWrite {
  readonly kind: "event";
  /** The event; its `seq` is 0 until the commit gives it one. A payload is not in here but in `payloadJson`. */
  readonly event: FlockEvent;
  /** JSON of the artifact's payload, when the event carries one: encoded once, for the store and for the wire. */
  readonly payloadJson?: string | undefined;
  /** The artifact that this event announces. It is stored in the same commit and gets the same `seq`. */
  readonly artifact?: StoredArtifact;
  /** The key under which the artifact was published, if there is one. */
  readonly idempotencyKey?: string | undefined;
  /** The artifact whose time has come: from this event on it has the visibility that the event tells. */
  readonly reveals?: StoredArtifact | undefined;
  /** The artifacts that the run consumes which this event announces. */
  readonly consumes?: readonly StoredArtifact[];
  /** JSON of the artifact's payload, also when the event carries it not. */
  readonly artifactJson?: string;
  /** The event as it goes over the wire; empty until the commit. */
  json: string;
}

/** An activation: an agent is to run on these artifacts. It ends once, however many attempts that takes. */
export interface ActivationRecord {
  readonly id: string;
  /** Which of the agent's gates was filled; undefined when an earlier version wrote it, which did not say. */
  readonly gate: string | undefined;
  /** Of the newest attempt; the first one's is the activation's own id. */
  readonly runId: string;
  readonly agentId: string;
  readonly correlationId: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** How many attempts have failed, since it was queued or taken up as a dead letter; absent: none. */
  readonly failures?: number | undefined;
  /** In the order of arrival. */
  readonly artifacts: readonly StoredArtifact[];
  /** Who may see its runs; absent: everybody. */
  readonly visibility?: EventVisibility | undefined;
}

/** A run is queued: written with the artifacts that caused it, so that no crash can come between. */
export interface ActivationWrite extends ActivationRecord {
  readonly kind: "activation";
}

/** An activation was interrupted, or has failed, and is to be run again, as another run. */
export interface ActivationAgainWrite {
  readonly kind: "activation_again";
  readonly id: string;
  readonly runId: string;
  readonly attempt: number;
  /** See {@link ActivationRecord.failures}. */
  readonly failures: number;
  /** Not before this time, in milliseconds; absent: as soon as there is room. */
  readonly retryAt?: number | undefined;
}

/** An activation that has failed for good is run again after all, as another run. */
export interface DeadLetterAgainWrite {
  readonly kind: "dead_letter_again";
  readonly id: string;
  readonly runId: string;
  readonly attempt: number;
}

/** Nobody will run an activation again that has failed for good. */
export interface DeadLetterDiscardedWrite {
  readonly kind: "dead_letter_discarded";
  readonly id: string;
}

/** An activation has ended: it need not run again. */
export interface ActivationDoneWrite {
  readonly kind: "activation_done";
  readonly id: string;
  readonly status: RunStatus;
  /** What is kept of it, when it has failed for good. */
  readonly deadLetter?: DeadLetter | undefined;
}

/** An activation that has failed for good, after all its retries. It can be run again. */
export interface DeadLetter {
  /** Of the activation: the same for all its attempts. */
  readonly id: string;
  /** Which of the agent's gates was filled; undefined when an earlier version wrote it, which did not say. */
  readonly gate: string | undefined;
  /** Of the newest attempt. */
  readonly runId: string;
  readonly agentId: string;
  readonly correlationId: string;
  /** How many attempts there were. */
  readonly attempts: number;
  /** What the newest attempt has failed of, as far as all may know who may see the run. */
  readonly error: WireError;
  readonly status: "error" | "timeout";
  /** What it is to work on, in the order of arrival, as far as it is kept. */
  readonly artifacts: readonly StoredArtifact[];
  /** How many of its artifacts retention has dropped: without them it cannot be run again. */
  readonly missing: number;
  /** When the newest attempt ended. ISO 8601, UTC. */
  readonly failedAt: string;
  /** Who may see it; absent: everybody. */
  readonly visibility?: EventVisibility | undefined;
}

/** Which dead letters are wanted. Every part that is given must hold. */
export interface DeadLetterQuery {
  readonly agentId?: string | undefined;
  readonly correlationId?: string | undefined;
  /** How many at most; default 50. */
  readonly limit?: number | undefined;
  /** Only those after this one: the `id` of the last one of the page before. */
  readonly after?: string | undefined;
}

/** The dead letters of a store. */
export interface DeadLetterStore {
  /** Newest first, by when they were queued. `as`: only those that this principal may see; default: all. */
  list(query?: DeadLetterQuery, as?: Principal): readonly DeadLetter[];
  /** One of them; undefined when it is not there, or not for this principal. */
  get(id: string, as?: Principal): DeadLetter | undefined;
}

/** A run has consumed artifacts. */
export interface ConsumptionWrite extends Consumption {
  readonly kind: "consumption";
  readonly artifacts: readonly StoredArtifact[];
}

/** A gate has taken an artifact in and waits for more, or has put one that waited into its batch. */
export interface GatheredWrite {
  readonly kind: "gathered";
  readonly agentId: string;
  readonly gate: string;
  /** The join key; undefined for a gate without one. */
  readonly key: string | undefined;
  readonly artifact: StoredArtifact;
  /** The how many-th artifact that the gate took in. */
  readonly position: number;
  /** Which group of the gate's batch it belongs to; undefined while it waits for others. */
  readonly group: number | undefined;
}

/** A gate has used artifacts that it had gathered, or has dropped them. */
export interface GatheredUsedWrite {
  readonly kind: "gathered_used";
  readonly agentId: string;
  readonly gate: string;
  readonly artifacts: readonly StoredArtifact[];
}

/** How many artifacts a gate has taken in. Written by gates for which the number matters. */
export interface GateTakenWrite {
  readonly kind: "gate_taken";
  readonly agentId: string;
  readonly gate: string;
  readonly taken: number;
}

/** How a schedule of an agent stands. */
export interface ScheduleState {
  /** When it began, or where its grid does, in milliseconds. */
  readonly origin: number;
  /** All times until this one are dealt with, in milliseconds. */
  readonly seen: number;
  /** How many ticks it has told. */
  readonly count: number;
  /** How many times passed without a tick since the last one. */
  readonly missed: number;
}

/** A time of a schedule has been dealt with, or the schedule has begun. */
export interface ScheduledWrite extends ScheduleState {
  readonly kind: "scheduled";
  readonly agentId: string;
  /** Which of the agent's schedules. */
  readonly schedule: string;
}

/** How a question to a person was closed. */
export interface QuestionClosure {
  readonly status: QuestionStatus;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Who has answered. */
  readonly by?: string | undefined;
  /** The answer, or the default that counts as one. */
  readonly answer?: StoredArtifact | undefined;
}

/** What a run has asked a person. */
export interface QuestionRecord {
  /** The question as it stands on the blackboard. */
  readonly artifact: StoredArtifact;
  /** The work for which it is asked, whichever attempt. */
  readonly activationId: string;
  /** Which of the questions of that work it is; the newest of a key counts. */
  readonly key: string;
  /** Undefined while it is open. */
  readonly closure?: QuestionClosure | undefined;
}

/** A run asks a person: written with the question's artifact. */
export interface QuestionWrite extends Omit<QuestionRecord, "closure"> {
  readonly kind: "question";
}

/** A question is closed: written with its answer, if it has one. */
export interface QuestionClosedWrite {
  readonly kind: "question_closed";
  readonly artifact: StoredArtifact;
  readonly closure: QuestionClosure;
}

/** Anything that the runtime does to the world. */
export type Write =
  | EventWrite
  | ActivationWrite
  | ActivationAgainWrite
  | ActivationDoneWrite
  | DeadLetterAgainWrite
  | DeadLetterDiscardedWrite
  | ConsumptionWrite
  | GatheredWrite
  | GatheredUsedWrite
  | GateTakenWrite
  | ScheduledWrite
  | QuestionWrite
  | QuestionClosedWrite;

/** Which artifacts a query wants. Every part that is given must hold. */
export interface ArtifactQuery {
  /** Names of artifact types, any of them. */
  readonly types?: readonly string[] | undefined;
  /** Names of producers, any of them. */
  readonly producedBy?: readonly string[] | undefined;
  readonly correlationId?: string | undefined;
  /** Tags, all of them. */
  readonly tags?: readonly string[] | undefined;
  /** Kinds of visibility, any of them. */
  readonly visibility?: readonly Visibility["kind"][] | undefined;
  /** Created at this time or later. */
  readonly start?: Date | undefined;
  /** Created before this time. */
  readonly end?: Date | undefined;
  /** How many at most; default 50. */
  readonly limit?: number | undefined;
  /** How many to pass over; default 0. */
  readonly offset?: number | undefined;
  /** `nextCursor` of the page before; instead of `offset`. */
  readonly cursor?: string | undefined;
}

/** One page of artifacts, newest first. */
export interface ArtifactQueryResult {
  readonly artifacts: readonly StoredArtifact[];
  /** How many match, over all pages. */
  readonly total: number;
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** What may be asked of the blackboard by anyone. `as`: only what this principal may see; default: the owner, everything. */
export interface ReadableStore {
  /** Payloads of all artifacts of a type, oldest first. */
  getByType<T extends AnyArtifactType>(type: T, as?: Principal): Promise<PayloadOf<T>[]>;
  /** One artifact, or undefined. */
  get(id: string, as?: Principal): Promise<StoredArtifact | undefined>;
  /**
   * Artifacts by type, producer, correlation, tags and time, newest first.
   * @throws FlockError `invalid_request` when the cursor is not one of ours.
   */
  query(query?: ArtifactQuery, as?: Principal): Promise<ArtifactQueryResult>;
  /** Who consumed these artifacts, by artifact id. */
  consumptionsOf(artifactIds: readonly string[], as?: Principal): Promise<Map<string, Consumption[]>>;
}

/** Where the blackboard lives. */
export interface Store extends ReadableStore {
  /** Which log this is: another epoch is another log. */
  readonly epoch: string;
  /** All artifacts of a type that a principal may see, oldest first, by what a run has to know of them. */
  readType(typeName: string, as: Principal): Pick<StoredArtifact, "payload" | "visibility">[];
  /** What has failed for good. */
  readonly deadLetters: DeadLetterStore;
  /** What outlives the process; undefined for a store that does not. */
  readonly durable?: DurablePart;
  /**
   * Makes writes permanent, all or none, in order; gives each event its `seq` and its `json` (see `seal`).
   * Throws when it cannot; then nothing of it has happened.
   * Called by the journal alone, never while another commit runs.
   */
  commit(writes: readonly Write[]): void | Promise<void>;
  /** Lets go of files and connections. */
  close(): void | Promise<void>;
}

/** An activation that an earlier process has not ended. */
export interface UnfinishedActivation extends ActivationRecord {
  /** Whether its newest attempt had begun. */
  readonly started: boolean;
  /** It is not to run before this time, in milliseconds; undefined: as soon as there is room. */
  readonly retryAt?: number | undefined;
}

/** What was published under an idempotency key. */
export interface PublishedUnderKey {
  readonly artifact: StoredArtifact;
  readonly triggered: readonly Triggered[];
}

/** An agent that an artifact has woken. */
export interface Triggered {
  readonly agentId: string;
  /** Who may see its run; absent: everybody. */
  readonly visibility?: EventVisibility | undefined;
}

/** An artifact that waits for its time. */
export interface Hidden {
  readonly id: string;
  /** When others than the owner may see it, in milliseconds. */
  readonly at: number;
}

/** What a store remembers for the next process. */
export interface DurablePart {
  readonly log: StoredLog;
  /** How much of the disk the blackboard takes, in bytes. */
  readonly bytes: number;
  /** The activations to go on with, oldest first. */
  unfinished(): UnfinishedActivation[];
  /** What gates have gathered and not used, oldest first. */
  gathered(): Omit<GatheredWrite, "kind">[];
  /** How many artifacts a gate has taken in, as far as it was written. */
  takenBy(agentId: string, gate: string): number;
  /** How a schedule of an agent stood last; undefined for one that has not begun. */
  scheduleOf(agentId: string, schedule: string): ScheduleState | undefined;
  /** What was published under an idempotency key, while the artifact is kept. */
  publishedUnder(key: string): PublishedUnderKey | undefined;
  /** The type of an artifact, while it is kept. */
  typeOf(artifactId: string): string | undefined;
  /** The artifacts that wait for their time. */
  hidden(): Hidden[];
  /** What was asked for work that has not ended, oldest first. */
  questions(): QuestionRecord[];
  /** A question, while it is kept. */
  question(id: string): QuestionRecord | undefined;
  /** How a workflow stands, from what is kept of it and a principal may see; undefined when nothing is. */
  workflow(correlationId: string, as: Principal): CorrelationStatus | undefined;
  /** The newest state that was saved, and the seq it stands at. */
  snapshot(): { readonly seq: number; readonly state: unknown } | undefined;
  /** Saves a state, as JSON, instead of the one before. */
  saveSnapshot(seq: number, state: unknown): void;
}
