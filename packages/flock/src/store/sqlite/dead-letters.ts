import type { Principal } from "@flock-ts/protocol";
import { isoTime } from "../../core/time.ts";
import { DEFAULT_LIMIT } from "../memory/dead-letters.ts";
import type { DeadLetterQuery, DeadLetterReader } from "../queries.ts";
import type { DeadLetter } from "../work.ts";
import { type ArtifactRow, artifactOf, COLUMNS } from "./artifact-rows.ts";
import type { Connection } from "./connection.ts";
import { seenBy } from "./may-see.ts";

interface DeadLetterRow {
  readonly id: string;
  readonly gate: string | null;
  readonly run_id: string;
  readonly agent_id: string;
  readonly correlation_id: string;
  readonly attempt: number;
  readonly artifacts: string;
  readonly ended_at: number;
  readonly status: "error" | "timeout";
  readonly error: string;
  readonly visibility: string | null;
}

/** The dead letters in the file: activations with an error. Retention drops them with the activations of their age. */
export class SqliteDeadLetters implements DeadLetterReader {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  list(query: DeadLetterQuery, as: Principal): Promise<readonly DeadLetter[]> {
    const { agentId, correlationId, after, limit = DEFAULT_LIMIT } = query;
    const conditions = [
      ...(agentId === undefined ? [] : [{ sql: "agent_id = ?", values: [agentId] }]),
      ...(correlationId === undefined ? [] : [{ sql: "correlation_id = ?", values: [correlationId] }]),
      ...(after === undefined ? [] : [{ sql: "id < ?", values: [after] }]),
      ...seenBy(as, "visibility"),
    ];
    return this.#connection.read(() => this.#read(conditions, limit));
  }

  get(id: string, as: Principal): Promise<DeadLetter | undefined> {
    const conditions = [{ sql: "id = ?", values: [id] }, ...seenBy(as, "visibility")];
    return this.#connection.read(() => this.#read(conditions, 1)[0]);
  }

  #read(conditions: readonly { readonly sql: string; readonly values: string[] }[], limit: number): DeadLetter[] {
    const where = ["error IS NOT NULL", ...conditions.map(({ sql }) => sql)].join(" AND ");
    const rows = this.#connection.db
      .prepare(
        `SELECT id, gate, run_id, agent_id, correlation_id, attempt, artifacts, ended_at, status, error, visibility
         FROM activations INDEXED BY activations_by_failure WHERE ${where} ORDER BY id DESC LIMIT ?`,
      )
      .all(...conditions.flatMap(({ values }) => values), limit) as unknown as DeadLetterRow[];
    return rows.map((row) => this.#letterOf(row));
  }

  #letterOf(row: DeadLetterRow): DeadLetter {
    const seqs = JSON.parse(row.artifacts) as number[];
    const kept = this.#connection.db
      .prepare(`SELECT ${COLUMNS} FROM artifacts WHERE seq IN (SELECT value FROM json_each(?))`)
      .all(row.artifacts) as unknown as ArtifactRow[];
    const bySeq = new Map(kept.map((one) => [one.seq, one]));
    const artifacts = seqs.flatMap((seq) => bySeq.get(seq) ?? []);
    return {
      id: row.id,
      gate: row.gate ?? undefined,
      runId: row.run_id,
      agentId: row.agent_id,
      correlationId: row.correlation_id,
      attempts: row.attempt,
      error: JSON.parse(row.error),
      status: row.status,
      artifacts: artifacts.map(artifactOf),
      missing: seqs.length - artifacts.length,
      failedAt: isoTime(row.ended_at),
      ...(row.visibility === null ? {} : { visibility: JSON.parse(row.visibility) }),
    };
  }
}
