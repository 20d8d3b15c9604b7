import type { StoredArtifact } from "../../blackboard/stored-artifact.ts";
import { FlockError } from "../../errors.ts";
import type { ArtifactQuery } from "../store.ts";

/** The columns of an artifact, in the order in which they are written. */
export const COLUMNS = "seq, id, type, produced_by, run_id, correlation_id, tags, visibility, created_at, payload";

/** How many artifacts a page has when nobody says so. */
const DEFAULT_LIMIT = 50;

/** An artifact as the file has it. */
export interface ArtifactRow {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly produced_by: string;
  readonly run_id: string | null;
  readonly correlation_id: string;
  readonly tags: string;
  readonly visibility: string;
  readonly created_at: number;
  readonly payload: string;
}

/** An artifact from its row. */
export function artifactOf(row: ArtifactRow): StoredArtifact {
  return {
    id: row.id,
    type: row.type,
    payload: JSON.parse(row.payload),
    producedBy: row.produced_by,
    ...(row.run_id === null ? {} : { runId: row.run_id }),
    correlationId: row.correlation_id,
    tags: JSON.parse(row.tags),
    visibility: JSON.parse(row.visibility),
    createdAt: new Date(row.created_at).toISOString(),
    seq: row.seq,
  };
}

interface Statement {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/**
 * A query as SQL: one statement that counts all matches, one for the page and one artifact more.
 * `known` is the count, when the cursor has brought it along.
 * @throws FlockError `invalid_request` when the cursor is not one of ours.
 */
export function artifactQuery(query: ArtifactQuery): {
  readonly count: Statement;
  readonly page: Statement;
  readonly limit: number;
  readonly known: number | undefined;
} {
  const { limit = DEFAULT_LIMIT, offset = 0, cursor } = query;
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const where = (condition: string, ...given: (string | number)[]) => {
    conditions.push(condition);
    values.push(...given);
  };
  const oneOf = (column: string, wanted: readonly string[] | undefined) => {
    if (wanted) where(`${column} IN (${wanted.map(() => "?").join()})`, ...wanted);
  };
  oneOf("type", query.types);
  oneOf("produced_by", query.producedBy);
  oneOf("visibility ->> 'kind'", query.visibility);
  if (query.correlationId !== undefined) where("correlation_id = ?", query.correlationId);
  if (query.start) where("created_at >= ?", query.start.getTime());
  if (query.end) where("created_at < ?", query.end.getTime());
  for (const tag of new Set(query.tags)) {
    where("seq IN (SELECT artifact_seq FROM artifact_tags WHERE tag = ?)", tag);
  }
  const count = { sql: `SELECT count(*) FROM artifacts${clause(conditions)}`, values: [...values] };
  const before = cursor === undefined ? undefined : parseCursor(cursor);
  if (before) where("seq < ?", before.seq);
  const sql = `SELECT ${COLUMNS} FROM artifacts${clause(conditions)} ORDER BY seq DESC LIMIT ? OFFSET ?`;
  return { count, page: { sql, values: [...values, limit + 1, offset] }, limit, known: before?.total };
}

function clause(conditions: readonly string[]): string {
  return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
}

function parseCursor(cursor: string): { seq: number; total: number } {
  const [, seq, total] = /^(\d{1,15})\.(\d{1,15})$/.exec(cursor) ?? [];
  if (seq !== undefined && total !== undefined) return { seq: Number(seq), total: Number(total) };
  throw new FlockError(
    "invalid_request",
    `cursor: ${JSON.stringify(cursor)} is not a cursor; give next_cursor of the page before`,
  );
}
