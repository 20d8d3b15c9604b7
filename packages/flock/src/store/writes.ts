import type { FlockEvent, RunStatus } from "@flock-ts/protocol";
import type { Consumption, StoredArtifact } from "../blackboard/artifact.ts";
import type {
  ActivationRecord,
  DeadLetter,
  GatheredArtifact,
  QuestionClosure,
  QuestionRecord,
  ScheduleState,
} from "./work.ts";

/** An event to be added to the log, with the artifact that it announces. */
export interface EventWrite {
  readonly kind: "event";
  /**
   * The event. Its `seq` is 0 until it is committed. A payload is not part of it: see `payloadJson`.
   * The journal, which owns the write, sets `seq` after the commit.
   */
  readonly event: FlockEvent;
  /** The artifact's payload as JSON when the event carries it: encoded once, for the store and for the wire. */
  readonly payloadJson?: string | undefined;
  /** The artifact that this event announces. It is stored in the same commit and gets the same `seq`. */
  readonly artifact?: StoredArtifact;
  /** The key under which the artifact was published. */
  readonly idempotencyKey?: string | undefined;
  /** The artifact whose scheduled time has come: from this event on it has the event's visibility. */
  readonly reveals?: StoredArtifact | undefined;
  /** The artifacts that the run of this event consumes. */
  readonly consumes?: readonly StoredArtifact[];
  /** The artifact's payload as JSON, also when the event does not carry it. */
  readonly artifactJson?: string;
}

/** A run is queued: committed with the artifacts that caused it, so that no crash separates them. */
export interface ActivationWrite extends ActivationRecord {
  readonly kind: "activation";
  /** In milliseconds. */
  readonly queuedAt: number;
}

/** An activation was interrupted or has failed, and runs again as another run. */
export interface ActivationAgainWrite {
  readonly kind: "activation_again";
  readonly id: string;
  readonly runId: string;
  readonly attempt: number;
  /** See {@link ActivationRecord.failures}. */
  readonly failures: number;
  /** See {@link ActivationRecord.crashes}. */
  readonly crashes: number;
  /** Not before this time, in milliseconds; absent: as soon as there is room. */
  readonly retryAt?: number | undefined;
}

/** A dead letter runs again, as another run. Refused (`not_found`) when it is no dead letter. */
export interface DeadLetterAgainWrite {
  readonly kind: "dead_letter_again";
  readonly id: string;
  readonly runId: string;
  readonly attempt: number;
}

/** A dead letter is discarded. Refused (`not_found`) when it is no dead letter. */
export interface DeadLetterDiscardedWrite {
  readonly kind: "dead_letter_discarded";
  readonly id: string;
}

/** An activation has ended and does not run again. */
export interface ActivationDoneWrite {
  readonly kind: "activation_done";
  readonly id: string;
  readonly status: RunStatus;
  /** In milliseconds. */
  readonly endedAt: number;
  /** Kept when it has failed permanently. */
  readonly deadLetter?: DeadLetter | undefined;
}

/** A run has consumed artifacts. */
export interface ConsumptionWrite extends Consumption {
  readonly kind: "consumption";
  readonly artifacts: readonly StoredArtifact[];
}

/** A gate holds an artifact until more arrive, or has moved it to its batch. */
export interface GatheredWrite extends GatheredArtifact {
  readonly kind: "gathered";
}

/** A gate has used or dropped artifacts that it held. */
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

/** A schedule has begun, or one of its times has been dealt with. */
export interface ScheduledWrite extends ScheduleState {
  readonly kind: "scheduled";
  readonly agentId: string;
  /** Identifies the schedule among those of the agent. */
  readonly schedule: string;
}

/** A run asks a person: committed with the question's artifact. */
export interface QuestionWrite extends Omit<QuestionRecord, "closure"> {
  readonly kind: "question";
}

/** A question is closed: committed with its answer, if there is one. */
export interface QuestionClosedWrite {
  readonly kind: "question_closed";
  readonly artifact: StoredArtifact;
  readonly closure: QuestionClosure;
}

/** The state that was folded from the events up to `seq`, in place of the previous one. */
export interface SnapshotWrite {
  readonly kind: "snapshot";
  readonly seq: number;
  /** The state as JSON. */
  readonly state: string;
}

/** Anything that the runtime makes permanent. */
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
  | QuestionClosedWrite
  | SnapshotWrite;

/** Writes that are committed or refused together. */
export type WriteGroup = readonly Write[];
