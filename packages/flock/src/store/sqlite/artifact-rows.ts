import type { Principal } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { FlockError } from "../../core/errors.ts";
import type { ArtifactQuery } from "../store.ts";
import { seenBy } from "./may-see.ts";

/** The columns of an artifact, in the order in which they are written. */
export const COLUMNS =
  "seq, id, type, produced_by, run_id, correlation_id, depth, tags, visibility, created_at, payload";

/** The default number of artifacts per page. */
const DEFAULT_LIMIT = 50;

/** An artifact as the file has it. */
export interface ArtifactRow {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly produced_by: string;
  readonly run_id: string | null;
  readonly correlation_id: string;
  readonly depth: number;
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
    depth: row.depth,
    seq: row.seq,
  };
}

/** SQL and what is put in it. */
interface Statement {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** Where the page before has ended, and what need not be found out again. */
interface Place {
  readonly seq: number;
  readonly found: Found;
}

/** What is counted once, for the first page. */
export interface Found {
  /** How many artifacts match. */
  readonly total: number;
  /** No match is older than this seq. */
  readonly oldest: number;
  /** No match is newer than this seq. */
  readonly newest: number;
}

/** A query as SQL. */
export interface ArtifactStatements {
  /** Finds out how many match, as `total`, and where, as `oldest` and `newest`. */
  readonly count: Statement;
  /** The page and one artifact more, which tells whether there is another page. */
  page(found: Found): Statement;
  readonly limit: number;
  /** What the cursor has brought along. */
  readonly known: Found | undefined;
}

/** Up to so many types or producers are looked up one by one; for more of them all artifacts are looked at. */
const MOST_LOOKUPS = 100;

/**
 * A query as SQL, for what a principal may see. Every page is read in the order of an index, from where the page before has ended: SQLite sorts
 * nothing, and the thousandth page costs what the first one does.
 * @throws FlockError `invalid_request` when the cursor is not one of ours.
 */
export function artifactQuery(query: ArtifactQuery, as: Principal): ArtifactStatements {
  const { limit = DEFAULT_LIMIT, offset = 0, cursor } = query;
  const place = cursor === undefined ? undefined : parseCursor(cursor);
  return {
    count: countOf(query, as),
    page: ({ oldest, newest }) => {
      const lookups = lookupsOf(query);
      const before = place ? Math.min(place.seq - 1, newest) : newest;
      const parts = lookups.map(({ from, seq, where }) => {
        const all = [...where, { sql: `${seq} BETWEEN ? AND ?`, values: [oldest, before] }, ...checksOf(query, as)];
        return { sql: `SELECT ${COLUMNS} FROM ${from}${clause(all)}`, values: all.flatMap(({ values }) => values) };
      });
      // Each part is in order already, so that SQLite only has to merge them.
      const order = parts.length > 1 ? "seq" : lookups[0]?.seq;
      const sql = `${parts.map((part) => part.sql).join(" UNION ALL ")} ORDER BY ${order} DESC LIMIT ? OFFSET ?`;
      return { sql, values: [...parts.flatMap(({ values }) => values), limit + 1, offset] };
    },
    limit,
    known: place?.found,
  };
}

/** The cursor of the page after the one that ends with `seq`. */
export function cursorAfter(seq: number, { total, oldest }: Found): string {
  return `${seq}.${total}.${oldest}`;
}

function countOf(query: ArtifactQuery, as: Principal): Statement {
  const conditions: Statement[] = [
    ...seenBy(as, "visibility"),
    ...oneOf("type", query.types),
    ...oneOf("produced_by", query.producedBy),
    ...(query.correlationId === undefined ? [] : [{ sql: "correlation_id = ?", values: [query.correlationId] }]),
    ...timesOf(query, "created_at"),
    ...oneOf("visibility ->> 'kind'", query.visibility),
    ...tagsOf(query).map((tag) => ({
      sql: "seq IN (SELECT artifact_seq FROM artifact_tags WHERE tag = ?)",
      values: [tag],
    })),
  ];
  // A time is a stretch of seqs, more or less. Anything else may be anywhere, and to look where would only take time.
  const where =
    query.start || query.end
      ? "coalesce(min(seq), 0) AS oldest, coalesce(max(seq), 0) AS newest"
      : `0 AS oldest, ${Number.MAX_SAFE_INTEGER} AS newest`;
  return {
    sql: `SELECT count(*) AS total, ${where} FROM artifacts${clause(conditions)}`,
    values: conditions.flatMap(({ values }) => values),
  };
}

/** How artifacts are found in the order of an index: in several parts when any of several will do. */
interface Lookup {
  readonly from: string;
  /** The column whose order that is. */
  readonly seq: string;
  readonly where: readonly Statement[];
}

/** By what selects best, as far as one can tell without looking. */
function lookupsOf(query: ArtifactQuery): Lookup[] {
  const by = (column: string, values: readonly string[]): Lookup[] =>
    values.map((value) => ({ from: "artifacts", seq: "seq", where: [{ sql: `${column} = ?`, values: [value] }] }));
  if (query.correlationId !== undefined) return by("correlation_id", [query.correlationId]);
  for (const [column, values] of [
    ["type", query.types],
    ["produced_by", query.producedBy],
  ] as const) {
    const wanted = [...new Set(values)];
    if (wanted.length > 0 && wanted.length <= MOST_LOOKUPS) return by(column, wanted);
  }
  const [tag] = tagsOf(query);
  if (tag === undefined) return [{ from: "artifacts", seq: "seq", where: [] }];
  const from = "artifact_tags CROSS JOIN artifacts ON seq = artifact_seq";
  return [{ from, seq: "artifact_seq", where: [{ sql: "tag = ?", values: [tag] }] }];
}

/** All that must hold, to be looked at in each row that was found: the plus keeps SQLite from another index. */
function checksOf(query: ArtifactQuery, as: Principal): Statement[] {
  return [
    ...seenBy(as, "visibility"),
    ...oneOf("+type", query.types),
    ...oneOf("+produced_by", query.producedBy),
    ...oneOf("visibility ->> 'kind'", query.visibility),
    ...timesOf(query, "+created_at"),
    ...tagsOf(query).map((tag) => ({
      sql: "EXISTS (SELECT 1 FROM artifact_tags AS tagged WHERE tagged.tag = ? AND tagged.artifact_seq = seq)",
      values: [tag],
    })),
  ];
}

function oneOf(column: string, wanted: readonly string[] | undefined): Statement[] {
  return wanted ? [{ sql: `${column} IN (${wanted.map(() => "?").join()})`, values: wanted }] : [];
}

function timesOf({ start, end }: ArtifactQuery, column: string): Statement[] {
  return [
    ...(start ? [{ sql: `${column} >= ?`, values: [start.getTime()] }] : []),
    ...(end ? [{ sql: `${column} < ?`, values: [end.getTime()] }] : []),
  ];
}

function tagsOf({ tags }: ArtifactQuery): string[] {
  return [...new Set(tags)];
}

function clause(conditions: readonly Statement[]): string {
  return conditions.length === 0 ? "" : ` WHERE ${conditions.map(({ sql }) => sql).join(" AND ")}`;
}

function parseCursor(cursor: string): Place {
  const [, seq, total, oldest] = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/.exec(cursor)?.map(Number) ?? [];
  if (seq !== undefined && total !== undefined && oldest !== undefined) {
    return { seq, found: { total, oldest, newest: seq } };
  }
  throw new FlockError(
    "invalid_request",
    `Invalid \`cursor\`: ${JSON.stringify(cursor)}. Pass \`next_cursor\` of the previous page.`,
  );
}
