import type { CorrelationStatus, Principal, QuestionStatus } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type {
  GateContents,
  GateCount,
  GatheredArtifact,
  Hidden,
  LeftWork,
  PublishedUnderKey,
  QuestionRecord,
  ScheduleRecord,
  Snapshot,
  UnfinishedActivation,
  WorkStore,
} from "../work.ts";
import { type ArtifactRow, artifactOf, COLUMNS } from "./artifact-rows.ts";
import type { Connection } from "./connection.ts";
import type { Housekeeping } from "./housekeeping.ts";
import { onlyFor } from "./may-see.ts";

interface ActivationRow {
  readonly id: string;
  readonly run_id: string;
  readonly agent_id: string;
  readonly correlation_id: string;
  readonly attempt: number;
  readonly failures: number;
  readonly crashes: number;
  readonly retry_at: number | null;
  readonly artifacts: string;
  readonly gate: string | null;
  readonly visibility: string | null;
}

interface GatheredRow {
  readonly artifact_seq: number;
  readonly agent_id: string;
  readonly gate: string;
  readonly key: string | null;
  readonly position: number | null;
  readonly group_number: number | null;
}

interface QuestionRow {
  readonly artifact_seq: number;
  readonly activation_id: string;
  readonly key: string;
  readonly status: QuestionStatus | null;
  readonly closed_at: number | null;
  readonly answered_by: string | null;
  readonly answer_seq: number | null;
}

const OPEN_QUESTIONS = "activation_id IN (SELECT id FROM activations WHERE status IS NULL)";

/** The runtime's state in the file. */
export class SqliteWork implements WorkStore {
  readonly #connection: Connection;
  readonly #housekeeping: Housekeeping;
  readonly #hasCrashed: boolean;

  /** @param hasCrashed whether the last process ended without closing the file. */
  constructor(connection: Connection, housekeeping: Housekeeping, hasCrashed: boolean) {
    this.#connection = connection;
    this.#housekeeping = housekeeping;
    this.#hasCrashed = hasCrashed;
  }

  get bytes(): number {
    return this.#housekeeping.bytes;
  }

  load(): Promise<LeftWork> {
    // One turn of the event loop, and so one state: there is no other writer.
    return this.#connection.read(() => ({
      ...this.#gates(),
      unfinished: this.#unfinished(),
      schedules: this.#schedules(),
      hidden: this.#hidden(),
      questions: this.#questionsWhere(OPEN_QUESTIONS),
      snapshot: this.#snapshot(),
      hasCrashed: this.#hasCrashed,
    }));
  }

  gates(): Promise<GateContents> {
    return this.#connection.read(() => this.#gates());
  }

  question(id: string): Promise<QuestionRecord | undefined> {
    return this.#connection.read(
      () => this.#questionsWhere("artifact_seq = (SELECT seq FROM artifacts WHERE id = ?)", id)[0],
    );
  }

  questionsOf(activationId: string): Promise<readonly QuestionRecord[]> {
    return this.#connection.read(() => this.#questionsWhere("activation_id = ?", activationId));
  }

  publishedUnder(key: string): Promise<PublishedUnderKey | undefined> {
    return this.#connection.read(() => {
      const sql = `SELECT ${COLUMNS} FROM artifacts WHERE idempotency_key = ?`;
      const [row] = this.#connection.all<ArtifactRow>(sql, key);
      if (!row) return undefined;
      const triggered = this.#connection
        .all<{ agent_id: string; visibility: string | null }>(
          `SELECT agent_id, visibility FROM activations WHERE correlation_id = ?
           AND (SELECT max(value) FROM json_each(artifacts)) = ? ORDER BY number`,
          row.correlation_id,
          row.seq,
        )
        .map(({ agent_id, visibility }) => ({
          agentId: agent_id,
          visibility: visibility === null ? undefined : JSON.parse(visibility),
        }));
      return { artifact: artifactOf(row), triggered };
    });
  }

  typesOf(artifactIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#connection.read(
      () =>
        new Map(
          this.#connection
            .all<{ id: string; type: string }>(
              "SELECT id, type FROM artifacts WHERE id IN (SELECT value FROM json_each(?))",
              JSON.stringify(artifactIds),
            )
            .map(({ id, type }) => [id, type]),
        ),
    );
  }

  workflow(correlationId: string, as: Principal): Promise<CorrelationStatus | undefined> {
    return this.#connection.read(() => this.#workflow(correlationId, as));
  }

  #workflow(correlationId: string, as: Principal): CorrelationStatus | undefined {
    const { and, values } = onlyFor(as);
    const [artifacts] = this.#connection.all<{ n: number; oldest: number | null; newest: number | null }>(
      "SELECT count(*) AS n, min(created_at) AS oldest, max(created_at) AS newest FROM artifacts WHERE correlation_id = ?" +
        and,
      correlationId,
      ...values,
    );
    const runs = this.#connection.all<{
      agent_id: string;
      status: string | null;
      queued_at: number;
      ended_at: number | null;
    }>(
      `SELECT agent_id, status, queued_at, ended_at FROM activations WHERE correlation_id = ?${and} ORDER BY ended_at`,
      correlationId,
      ...values,
    );
    const times = [
      artifacts?.oldest,
      artifacts?.newest,
      ...runs.flatMap((run) => [run.queued_at, run.ended_at]),
    ].filter((time) => typeof time === "number");
    if (times.length === 0) return undefined;
    const failed = new Map(runs.map((run) => [run.agent_id, isFailure(run.status)]));
    const pending = runs.some(({ status }) => status === null);
    return {
      correlation_id: correlationId,
      state: pending ? "active" : [...failed.values()].includes(true) ? "failed" : "completed",
      has_pending_work: pending,
      artifact_count: artifacts?.n ?? 0,
      run_count: runs.length,
      error_count: runs.filter(({ status }) => isFailure(status)).length,
      started_at: iso(times.reduce((a, b) => Math.min(a, b))),
      last_activity_at: iso(times.reduce((a, b) => Math.max(a, b))),
    };
  }

  #unfinished(): UnfinishedActivation[] {
    const rows = this.#connection.all<ActivationRow>(
      `SELECT id, run_id, agent_id, correlation_id, attempt, failures, crashes, retry_at, artifacts, gate, visibility
       FROM activations WHERE status IS NULL ORDER BY number`,
    );
    return rows.map((row) => {
      const seqs = JSON.parse(row.artifacts) as number[];
      const [begun] = this.#connection.all(
        "SELECT 1 FROM consumptions WHERE artifact_seq = ? AND run_id = ?",
        seqs[0] ?? 0,
        row.run_id,
      );
      return {
        id: row.id,
        gate: row.gate ?? undefined,
        runId: row.run_id,
        agentId: row.agent_id,
        correlationId: row.correlation_id,
        attempt: row.attempt,
        failures: row.failures,
        crashes: row.crashes,
        retryAt: row.retry_at ?? undefined,
        artifacts: seqs.flatMap((seq) => this.#bySeq(seq) ?? []),
        started: begun !== undefined,
        ...(row.visibility === null ? {} : { visibility: JSON.parse(row.visibility) }),
      };
    });
  }

  #gates(): GateContents {
    const rows = this.#connection.all<GatheredRow>(
      "SELECT artifact_seq, agent_id, gate, key, position, group_number FROM gathered ORDER BY artifact_seq",
    );
    const gathered = rows.flatMap((row): GatheredArtifact[] => {
      const artifact = this.#bySeq(row.artifact_seq);
      if (!artifact) return [];
      const { agent_id: agentId, gate, key, position, group_number } = row;
      return [
        {
          agentId,
          gate,
          key: key ?? undefined,
          artifact,
          // An earlier version did not count, but artifacts arrived in the order of their seqs.
          position: position ?? row.artifact_seq,
          group: group_number ?? undefined,
        },
      ];
    });
    const taken = this.#connection.all<GateCount>("SELECT agent_id AS agentId, gate, taken FROM gates");
    return { gathered, taken };
  }

  #schedules(): ScheduleRecord[] {
    return this.#connection.all("SELECT agent_id AS agentId, schedule, origin, seen, count, missed FROM schedules");
  }

  #hidden(): Hidden[] {
    return this.#connection
      .all<{ id: string; at: number }>(
        "SELECT id, at FROM hidden JOIN artifacts ON seq = artifact_seq ORDER BY at, seq",
      )
      .map(({ id, at }) => ({ id, at }));
  }

  #snapshot(): Snapshot | undefined {
    const [row] = this.#connection.all<{ seq: number; state: string }>("SELECT seq, state FROM snapshot");
    return row && { seq: row.seq, state: JSON.parse(row.state) };
  }

  #questionsWhere(condition: string, ...values: string[]): QuestionRecord[] {
    const sql = `SELECT * FROM questions WHERE ${condition} ORDER BY artifact_seq`;
    return this.#connection.all<QuestionRow>(sql, ...values).flatMap((row) => this.#questionOf(row) ?? []);
  }

  #questionOf(row: QuestionRow): QuestionRecord | undefined {
    const artifact = this.#bySeq(row.artifact_seq);
    if (!artifact) return undefined;
    const { activation_id: activationId, key, status, closed_at, answered_by, answer_seq } = row;
    if (status === null) return { artifact, activationId, key };
    const answer = answer_seq === null ? undefined : this.#bySeq(answer_seq);
    const closure = { status, at: iso(closed_at ?? 0), by: answered_by ?? undefined, answer };
    return { artifact, activationId, key, closure };
  }

  #bySeq(seq: number): StoredArtifact | undefined {
    const [row] = this.#connection.all<ArtifactRow>(`SELECT ${COLUMNS} FROM artifacts WHERE seq = ?`, seq);
    return row && artifactOf(row);
  }
}

function isFailure(status: string | null): boolean {
  return status === "error" || status === "timeout";
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
