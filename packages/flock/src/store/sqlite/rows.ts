import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type EventOf, type EventVisibility, PUBLIC } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { millisecondsOf } from "../../core/time.ts";
import type {
  ActivationAgainWrite,
  ActivationDoneWrite,
  ActivationWrite,
  ConsumptionWrite,
  DeadLetterAgainWrite,
  DeadLetterDiscardedWrite,
  EventWrite,
  GateTakenWrite,
  GatheredUsedWrite,
  GatheredWrite,
  QuestionClosedWrite,
  QuestionWrite,
  ScheduledWrite,
  SnapshotWrite,
} from "../writes.ts";
import { COLUMNS } from "./artifact-rows.ts";

/** Turns writes into rows. Its statements are prepared once: every artifact and every run goes through them. */
export class Rows {
  /** The seqs of the artifacts of this transaction, by id. */
  readonly #seqs = new Map<string, number>();
  readonly #events: StatementSync;
  readonly #artifact: StatementSync;
  readonly #plainArtifact: StatementSync;
  readonly #tag: StatementSync;
  readonly #hidden: StatementSync;
  readonly #reveal: StatementSync;
  readonly #revealed: StatementSync;
  readonly #restrictedConsumption: StatementSync;
  readonly #consumption: StatementSync;
  readonly #activation: StatementSync;
  readonly #activationAgain: StatementSync;
  readonly #activationDone: StatementSync;
  readonly #activationFailed: StatementSync;
  readonly #deadLetterAgain: StatementSync;
  readonly #deadLetterDiscarded: StatementSync;
  readonly #gathered: StatementSync;
  readonly #gatheredUsed: StatementSync;
  readonly #gateTaken: StatementSync;
  readonly #scheduled: StatementSync;
  readonly #question: StatementSync;
  readonly #questionClosed: StatementSync;
  readonly #snapshotDropped: StatementSync;
  readonly #snapshot: StatementSync;

  constructor(db: DatabaseSync) {
    this.#events = db.prepare(
      "INSERT INTO events (last_seq, first_seq, newest_at, merged, lines) VALUES (?, ?, ?, ?, ?)",
    );
    this.#artifact = db.prepare(
      `INSERT INTO artifacts (${COLUMNS}, idempotency_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    // What most artifacts have in common is part of the statement: each bound value costs as much as a column.
    this.#plainArtifact = db.prepare(
      `INSERT INTO artifacts (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, '[]', '${JSON.stringify(PUBLIC)}', ?, ?)`,
    );
    this.#tag = db.prepare("INSERT INTO artifact_tags (tag, artifact_seq) VALUES (?, ?)");
    this.#hidden = db.prepare("INSERT INTO hidden (artifact_seq, at) VALUES (?, ?)");
    this.#reveal = db.prepare("UPDATE artifacts SET visibility = ? WHERE seq = ?");
    this.#revealed = db.prepare("DELETE FROM hidden WHERE artifact_seq = ?");
    this.#restrictedConsumption = db.prepare(
      "INSERT INTO consumptions (artifact_seq, run_id, agent_id, consumed_at, visibility) VALUES (?, ?, ?, ?, ?)",
    );
    this.#consumption = db.prepare(
      "INSERT INTO consumptions (artifact_seq, run_id, agent_id, consumed_at) VALUES (?, ?, ?, ?)",
    );
    this.#activation = db.prepare(
      `INSERT INTO activations (number, id, run_id, agent_id, correlation_id, attempt, artifacts, after_seq, queued_at, gate, visibility)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#activationAgain = db.prepare(
      "UPDATE activations SET run_id = ?, attempt = ?, failures = ?, crashes = ?, retry_at = ? WHERE number = ?",
    );
    this.#activationDone = db.prepare("UPDATE activations SET status = ?, ended_at = ? WHERE number = ?");
    this.#activationFailed = db.prepare("UPDATE activations SET status = ?, ended_at = ?, error = ? WHERE number = ?");
    this.#deadLetterAgain = db.prepare(
      `UPDATE activations SET run_id = ?, attempt = ?, failures = 0, crashes = 0, retry_at = NULL, status = NULL, ended_at = NULL, error = NULL
       WHERE id = ? AND error IS NOT NULL RETURNING number`,
    );
    this.#deadLetterDiscarded = db.prepare("UPDATE activations SET error = NULL WHERE id = ? AND error IS NOT NULL");
    this.#gathered = db.prepare(
      "INSERT OR REPLACE INTO gathered (artifact_seq, agent_id, gate, key, position, group_number) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#gatheredUsed = db.prepare("DELETE FROM gathered WHERE agent_id = ? AND gate = ? AND artifact_seq = ?");
    this.#scheduled = db.prepare(
      "INSERT OR REPLACE INTO schedules (agent_id, schedule, origin, seen, count, missed) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#gateTaken = db.prepare("INSERT OR REPLACE INTO gates (agent_id, gate, taken) VALUES (?, ?, ?)");
    this.#snapshotDropped = db.prepare("DELETE FROM snapshot");
    this.#snapshot = db.prepare("INSERT INTO snapshot (seq, state) VALUES (?, ?)");
    this.#question = db.prepare("INSERT INTO questions (artifact_seq, activation_id, key) VALUES (?, ?, ?)");
    this.#questionClosed = db.prepare(
      "UPDATE questions SET status = ?, closed_at = ?, answered_by = ?, answer_seq = ? WHERE artifact_seq = ?",
    );
  }

  /** Writes a row of consecutive events. `isFinal`: compaction would not improve it. */
  events(first: number, last: number, newestAt: number, lines: string, isFinal: boolean): void {
    this.#events.run(last, first, newestAt, isFinal ? 1 : 0, lines);
  }

  /** Forgets the previous transaction. */
  begin(): void {
    this.#seqs.clear();
  }

  artifact({ artifactJson, idempotencyKey }: EventWrite, artifact: StoredArtifact, seq: number): void {
    const { id, type, producedBy, runId = null, correlationId, depth = 0, tags, visibility, createdAt } = artifact;
    const at = millisecondsOf(createdAt);
    const payload = artifactJson ?? JSON.stringify(artifact.payload);
    this.#seqs.set(id, seq);
    if (tags.length === 0 && visibility === PUBLIC && idempotencyKey === undefined) {
      this.#plainArtifact.run(seq, id, type, producedBy, runId, correlationId, depth, at, payload);
      return;
    }
    this.#artifact.run(
      seq,
      id,
      type,
      producedBy,
      runId,
      correlationId,
      depth,
      JSON.stringify(tags),
      JSON.stringify(visibility),
      at,
      payload,
      idempotencyKey ?? null,
    );
    for (const tag of tags) this.#tag.run(tag, seq);
    if (visibility.kind === "after") this.#hidden.run(seq, Date.parse(visibility.at));
  }

  /** Gives an artifact the visibility of its scheduled publish. */
  reveal({ seq }: StoredArtifact, { visibility }: EventOf<"artifact_published">): void {
    this.#reveal.run(JSON.stringify(visibility), seq);
    this.#revealed.run(seq);
  }

  consumption({ artifacts, runId, agentId, consumedAt, visibility }: ConsumptionWrite): void {
    const at = millisecondsOf(consumedAt);
    const restricted = jsonOf(visibility);
    if (restricted !== null) {
      for (const one of artifacts) this.#restrictedConsumption.run(this.#seqOf(one), runId, agentId, at, restricted);
      return;
    }
    for (const one of artifacts) this.#consumption.run(this.#seqOf(one), runId, agentId, at);
  }

  activation(number: number, write: ActivationWrite, afterSeq: number): void {
    const { id, runId, agentId, correlationId, attempt, artifacts, gate, visibility, queuedAt } = write;
    const seqs = `[${artifacts.map((one) => this.#seqOf(one)).join()}]`;
    this.#activation.run(
      number,
      id,
      runId,
      agentId,
      correlationId,
      attempt,
      seqs,
      afterSeq,
      Math.round(queuedAt),
      gate ?? null,
      jsonOf(visibility),
    );
  }

  activationAgain(number: number, { runId, attempt, failures, crashes, retryAt }: ActivationAgainWrite): void {
    this.#activationAgain.run(runId, attempt, failures, crashes, retryAt ?? null, number);
  }

  activationDone(number: number, { status, endedAt, deadLetter }: ActivationDoneWrite): void {
    if (!deadLetter) this.#activationDone.run(status, Math.round(endedAt), number);
    else {
      const { failedAt, error } = deadLetter;
      this.#activationFailed.run(status, millisecondsOf(failedAt), JSON.stringify(error), number);
    }
  }

  /** Returns the number of the activation that is open again; undefined when there is no such dead letter. */
  deadLetterAgain({ id, runId, attempt }: DeadLetterAgainWrite): number | undefined {
    return (this.#deadLetterAgain.get(runId, attempt, id) as { number: number } | undefined)?.number;
  }

  /** Returns whether there was such a dead letter. */
  deadLetterDiscarded({ id }: DeadLetterDiscardedWrite): boolean {
    return this.#deadLetterDiscarded.run(id).changes > 0;
  }

  gathered({ artifact, agentId, gate, key, position, group }: GatheredWrite): void {
    this.#gathered.run(this.#seqOf(artifact), agentId, gate, key ?? null, position, group ?? null);
  }

  gatheredUsed({ artifacts, agentId, gate }: GatheredUsedWrite): void {
    for (const one of artifacts) this.#gatheredUsed.run(agentId, gate, this.#seqOf(one));
  }

  scheduled({ agentId, schedule, origin, seen, count, missed }: ScheduledWrite): void {
    this.#scheduled.run(agentId, schedule, origin, seen, count, missed);
  }

  gateTaken({ agentId, gate, taken }: GateTakenWrite): void {
    this.#gateTaken.run(agentId, gate, taken);
  }

  question({ artifact, activationId, key }: QuestionWrite): void {
    this.#question.run(this.#seqOf(artifact), activationId, key);
  }

  questionClosed({ artifact, closure: { status, at, by, answer } }: QuestionClosedWrite): void {
    const answerSeq = answer ? this.#seqOf(answer) : null;
    this.#questionClosed.run(status, millisecondsOf(at), by ?? null, answerSeq, this.#seqOf(artifact));
  }

  snapshot({ seq, state }: SnapshotWrite): void {
    this.#snapshotDropped.run();
    this.#snapshot.run(seq, state);
  }

  /** An artifact of this transaction has no seq yet. */
  #seqOf({ id, seq }: StoredArtifact): number {
    return seq > 0 ? seq : (this.#seqs.get(id) ?? 0);
  }
}

function jsonOf(visibility: EventVisibility | undefined): string | null {
  return visibility === undefined ? null : JSON.stringify(visibility);
}
