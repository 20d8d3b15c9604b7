import { randomUUID } from "node:crypto";
import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import {
  type CorrelationStatus,
  type EventOf,
  type FlockEvent,
  OWNER,
  type Principal,
  type QuestionStatus,
} from "@flock-ts/protocol";
import { z } from "zod";
import type { Consumption, StoredArtifact } from "../../blackboard/artifact.ts";
import type { AnyArtifactType, PayloadOf } from "../../blackboard/artifact-type.ts";
import { systemClock } from "../../core/clock.ts";
import { checkOptions, type FlockError } from "../../core/errors.ts";
import { millisecondsOf } from "../../core/time.ts";
import type { LogStretch, StoredLog } from "../../log/stored-log.ts";
import { seal } from "../event-write.ts";
import type {
  ArtifactQuery,
  ArtifactQueryResult,
  DeadLetterStore,
  DurablePart,
  EventWrite,
  GatheredWrite,
  Hidden,
  PublishedUnderKey,
  QuestionRecord,
  ScheduleState,
  Store,
  UnfinishedActivation,
  Write,
} from "../store.ts";
import { type ArtifactRow, artifactOf, artifactQuery, COLUMNS, cursorAfter, type Found } from "./artifact-rows.ts";
import { bootMark, isSameBoot } from "./boot.ts";
import { isBusy, retryWhileBusy } from "./busy.ts";
import { Checkpoints } from "./checkpoints.ts";
import { DeadLetterRows } from "./dead-letter-rows.ts";
import { flushError, readError, writeError } from "./errors.ts";
import { Housekeeping, type Retention } from "./housekeeping.ts";
import { defineMaySee, seenBy } from "./may-see.ts";
import { type Durability, openFile } from "./open.ts";
import { Rows } from "./rows.ts";
import { WalFile } from "./wal.ts";

/** What {@link sqliteStore} can be told. */
export interface SqliteStoreOptions {
  /**
   * What survives. `normal` (default): everything, when the process dies in whatever way; when the machine loses power
   * the newest moments may be gone, and the file is whole. `full`: everything also then, for one wait for the disk in
   * each group commit.
   */
  readonly durability?: Durability;
  /** What is dropped, oldest first: see {@link Retention}. Default: nothing. */
  readonly retention?: Retention;
  /** The file never grows beyond this, in bytes; what does not fit is refused. Default: as far as the disk goes. */
  readonly maxFileBytes?: number;
}

/** A blackboard in a file. */
export interface SqliteStore extends Store {
  readonly durable: DurablePart;
  /** Where the file is. */
  readonly path: string;
  /**
   * Copies the blackboard into another file, while work goes on. Resolves when the copy is whole. The copy is a log of its
   * own, with another epoch: clients of the original that meet it are told of a `gap`.
   */
  backup(path: string): Promise<void>;
}

const optionsSchema = z.strictObject({
  durability: z.enum(["normal", "full"]).default("normal"),
  retention: z
    .strictObject({
      maxAgeMs: z.number().positive().default(Number.POSITIVE_INFINITY),
      maxBytes: z.number().positive().default(Number.POSITIVE_INFINITY),
    })
    .prefault({}),
  maxFileBytes: z.int().positive().optional(),
});

/** A row of events holds about this many characters at most, unless one event is larger. */
const ROW_CHARACTERS = 256 * 1024;
/** A row of so many characters, none of them a stream's, stays as it is: to copy it once more would gain nothing. */
const FINAL_CHARACTERS = 16 * 1024;

/**
 * The blackboard in one SQLite file, made when it is not there, with its folder. One process has it at a time.
 *
 * @example
 * const flock = new Flock({ store: sqliteStore("flock.db", { retention: { maxAgeMs: 7 * 24 * 3_600_000 } }) });
 *
 * @throws FlockError `store_unusable` when the file is newer than this version, damaged, read-only, in use or not
 * ours, with what to do; the file stays as it is. `invalid_options` for wrong options.
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): SqliteStore {
  const { durability, retention, maxFileBytes } = checkOptions("sqliteStore", optionsSchema, options);
  return new SqliteFile(path, durability, retention, maxFileBytes);
}

class SqliteFile implements SqliteStore, DurablePart, StoredLog {
  readonly path: string;
  readonly epoch: string;
  readonly durable: DurablePart = this;
  readonly log: StoredLog = this;
  readonly #db: DatabaseSync;
  readonly #closeFile: () => void;
  readonly #statements = new Map<string, StatementSync>();
  readonly #rows: Rows;
  readonly deadLetters: DeadLetterStore;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #housekeeping: Housekeeping;
  readonly #durability: Durability;
  readonly #wal: WalFile;
  readonly #checkpoints: Checkpoints;
  /** Why nothing can be written any more. */
  #broken: FlockError | undefined;
  /** The row of each activation that has not ended. */
  readonly #open = new Map<string, number>();
  #head: number;
  #lastActivation: number;
  /** A snapshot that waits for another program's lock. */
  #saving: Promise<void> | undefined;
  #closed = false;

  constructor(path: string, durability: Durability, retention: Required<Retention>, maxFileBytes?: number) {
    this.path = path;
    this.#durability = durability;
    const { db, close } = openFile(path);
    if (maxFileBytes !== undefined) {
      const { page_size } = db.prepare("PRAGMA page_size").get() as { page_size: number };
      db.exec(`PRAGMA max_page_count = ${Math.floor(maxFileBytes / page_size)}`);
    }
    this.#db = db;
    defineMaySee(db);
    this.#closeFile = close;
    try {
      const { epoch, head } = this.#takeOver(durability);
      this.epoch = epoch;
      this.#head = head;
      this.#lastActivation = this.#number("SELECT coalesce(max(number), 0) FROM activations");
      for (const row of this.#all<{ number: number; id: string }>(
        "SELECT number, id FROM activations WHERE status IS NULL",
      )) {
        this.#open.set(row.id, row.number);
      }
      this.#housekeeping = new Housekeeping(db, retention, systemClock);
      this.#wal = new WalFile(path);
    } catch (error) {
      close();
      throw readError(error, path);
    }
    this.#checkpoints = new Checkpoints(path, this.#wal);
    this.#rows = new Rows(db, systemClock);
    this.deadLetters = new DeadLetterRows(db);
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    // From here on a lock of another program makes a statement fail at once: waiting in it would block the event loop.
    db.exec("PRAGMA busy_timeout = 0");
    this.#housekeeping.start();
  }

  get head(): number {
    return this.#head;
  }

  get bytes(): number {
    return this.#housekeeping.bytes;
  }

  get oldest(): number {
    return this.#housekeeping.oldest(this.#head);
  }

  commit(writes: readonly Write[]): void | Promise<void> {
    if (this.#broken) throw this.#broken;
    try {
      this.#tryCommit(writes);
    } catch (error) {
      if (!isBusy(error)) throw writeError(error, this.path);
      return this.#commitWhenFree(writes);
    }
    return this.#committed();
  }

  /** Waits for another program's lock without blocking the event loop. The journal starts no other commit meanwhile. */
  async #commitWhenFree(writes: readonly Write[]): Promise<void> {
    try {
      await retryWhileBusy(() => this.#tryCommit(writes));
    } catch (error) {
      throw writeError(error, this.path);
    }
    await this.#committed();
  }

  /** After this, all of `writes` is in the log of the file, or nothing is. */
  #tryCommit(writes: readonly Write[]): void {
    const before = { head: this.#head, activation: this.#lastActivation };
    this.#begin.run();
    try {
      this.#writeAll(writes);
      this.#commit.run();
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      this.#head = before.head;
      this.#lastActivation = before.activation;
      for (const write of writes) {
        if (write.kind === "activation" || write.kind === "dead_letter_again") this.#open.delete(write.id);
      }
      throw error;
    }
    for (const write of writes) if (write.kind === "activation_done") this.#open.delete(write.id);
  }

  #committed(): undefined | Promise<void> {
    this.#checkpoints.committed();
    return this.#durability === "full" ? this.#flush() : undefined;
  }

  /**
   * Waits until what was committed is on disk. When that fails, nothing more is written: the system may have dropped
   * the pages, so that a later flush succeeds without them.
   */
  async #flush(): Promise<void> {
    try {
      await this.#wal.flush();
    } catch (error) {
      this.#broken = flushError(error, this.path);
      throw this.#broken;
    }
  }

  #writeAll(writes: readonly Write[]): void {
    let lines: string[] = [];
    let newest: FlockEvent | undefined;
    let characters = 0;
    let pieces = 0;
    const flush = () => {
      if (!newest) return;
      const isFinal = pieces === 0 && characters >= FINAL_CHARACTERS;
      const first = newest.seq - lines.length + 1;
      this.#rows.events(first, newest.seq, millisecondsOf(newest.timestamp), lines.join("\n"), isFinal);
      lines = [];
      characters = 0;
      pieces = 0;
    };
    for (const write of writes) {
      if (write.kind !== "event") {
        this.#write(write);
        continue;
      }
      seal(write, ++this.#head);
      if (lines.length > 0 && characters + write.json.length > ROW_CHARACTERS) flush();
      newest = write.event;
      lines.push(write.json);
      characters += write.json.length;
      if (newest.type === "streaming_output") pieces += 1;
      if (write.artifact) this.#rows.artifact(write, write.artifact);
      if (write.reveals) this.#rows.reveal(write.reveals, write.event as EventOf<"artifact_published">);
    }
    flush();
  }

  #write(write: Exclude<Write, EventWrite>): void {
    switch (write.kind) {
      case "activation":
        this.#rows.activation(++this.#lastActivation, write, this.#head);
        this.#open.set(write.id, this.#lastActivation);
        return;
      case "activation_again":
        return this.#rows.activationAgain(this.#open.get(write.id) ?? 0, write);
      case "activation_done":
        return this.#rows.activationDone(this.#open.get(write.id) ?? 0, write);
      case "dead_letter_again": {
        const number = this.#rows.deadLetterAgain(write);
        if (number !== undefined) this.#open.set(write.id, number);
        return;
      }
      case "dead_letter_discarded":
        return this.#rows.deadLetterDiscarded(write);
      case "consumption":
        return this.#rows.consumption(write);
      case "gathered":
        return this.#rows.gathered(write);
      case "gathered_used":
        return this.#rows.gatheredUsed(write);
      case "gate_taken":
        return this.#rows.gateTaken(write);
      case "scheduled":
        return this.#rows.scheduled(write);
      case "question":
        return this.#rows.question(write);
      case "question_closed":
        return this.#rows.questionClosed(write);
    }
  }

  async getByType<T extends AnyArtifactType>(type: T, as: Principal = OWNER): Promise<PayloadOf<T>[]> {
    return this.readType(type.typeName, as).map(({ payload }) => payload as PayloadOf<T>);
  }

  readType(typeName: string, as: Principal): Pick<StoredArtifact, "payload" | "visibility">[] {
    const { and, values } = onlyFor(as);
    return this.#all<{ payload: string; visibility: string }>(
      `SELECT payload, visibility FROM artifacts WHERE type = ?${and} ORDER BY seq`,
      typeName,
      ...values,
    ).map(({ payload, visibility }) => ({ payload: JSON.parse(payload), visibility: JSON.parse(visibility) }));
  }

  async get(id: string, as: Principal = OWNER): Promise<StoredArtifact | undefined> {
    const { and, values } = onlyFor(as);
    const [row] = this.#all<ArtifactRow>(`SELECT ${COLUMNS} FROM artifacts WHERE id = ?${and}`, id, ...values);
    return row && artifactOf(row);
  }

  async query(query: ArtifactQuery = {}, as: Principal = OWNER): Promise<ArtifactQueryResult> {
    const { count, page, limit, known } = artifactQuery(query, as);
    // Not kept, as other statements are: there are as many of them as there are ways to ask.
    const ask = ({ sql, values }: typeof count) => this.#db.prepare(sql).all(...values) as unknown[];
    // How many there are in all goes along with the cursor: counting them anew would make every page as dear as the whole.
    const found = known ?? (ask(count)[0] as Found);
    const rows = ask(page(found)) as ArtifactRow[];
    const artifacts = rows.slice(0, limit).map(artifactOf);
    const last = artifacts.at(-1);
    return {
      artifacts,
      total: found.total,
      nextCursor: last && rows.length > limit ? cursorAfter(last.seq, found) : null,
    };
  }

  async consumptionsOf(artifactIds: readonly string[], as: Principal = OWNER): Promise<Map<string, Consumption[]>> {
    const { and, values } = onlyFor(as);
    return new Map(
      artifactIds.map((id) => {
        const rows = this.#all<ConsumptionRow>(
          `SELECT agent_id, run_id, consumed_at, visibility FROM consumptions
           WHERE artifact_seq = (SELECT seq FROM artifacts WHERE id = ?${and})${and} ORDER BY consumed_at, run_id`,
          id,
          ...values,
          ...values,
        );
        return [id, rows.map(consumptionOf)];
      }),
    );
  }

  read(seq: number, until: number): LogStretch {
    const sql = "SELECT first_seq, last_seq, lines FROM events WHERE last_seq >= ? ORDER BY last_seq";
    const statement = this.#prepare(sql);
    let first = 0;
    let last = 0;
    let characters = 0;
    const lines: string[] = [];
    try {
      for (const row of statement.iterate(seq) as Iterable<{ first_seq: number; last_seq: number; lines: string }>) {
        if (lines.length > 0 && (row.first_seq > until || characters + row.lines.length > ROW_CHARACTERS)) break;
        first ||= row.first_seq;
        last = row.last_seq;
        characters += row.lines.length;
        lines.push(row.lines);
      }
    } catch (error) {
      // A statement that has failed in the middle tells so again when it is next used, wherever that reads.
      this.#statements.delete(sql);
      throw readError(error, this.path);
    }
    return { first, last, lines: lines.join("\n") };
  }

  leftMemory(seq: number): void {
    this.#housekeeping.leftMemory(seq);
  }

  unfinished(): UnfinishedActivation[] {
    const rows = this.#all<{
      id: string;
      run_id: string;
      agent_id: string;
      correlation_id: string;
      attempt: number;
      failures: number;
      retry_at: number | null;
      artifacts: string;
      gate: string | null;
      visibility: string | null;
    }>(
      `SELECT id, run_id, agent_id, correlation_id, attempt, failures, retry_at, artifacts, gate, visibility
       FROM activations WHERE status IS NULL ORDER BY number`,
    );
    return rows.map((row) => {
      const seqs = JSON.parse(row.artifacts) as number[];
      const [begun] = this.#all(
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
        retryAt: row.retry_at ?? undefined,
        artifacts: seqs.flatMap((seq) => this.#bySeq(seq) ?? []),
        started: begun !== undefined,
        ...(row.visibility === null ? {} : { visibility: JSON.parse(row.visibility) }),
      };
    });
  }

  gathered(): Omit<GatheredWrite, "kind">[] {
    const rows = this.#all<{
      artifact_seq: number;
      agent_id: string;
      gate: string;
      key: string | null;
      position: number | null;
      group_number: number | null;
    }>("SELECT artifact_seq, agent_id, gate, key, position, group_number FROM gathered ORDER BY artifact_seq");
    return rows.flatMap((row) => {
      const artifact = this.#bySeq(row.artifact_seq);
      if (!artifact) return [];
      return {
        agentId: row.agent_id,
        gate: row.gate,
        key: row.key ?? undefined,
        artifact,
        // An earlier version did not count, but artifacts came in the order of their seqs.
        position: row.position ?? row.artifact_seq,
        group: row.group_number ?? undefined,
      };
    });
  }

  takenBy(agentId: string, gate: string): number {
    return this.#number("SELECT coalesce(max(taken), 0) FROM gates WHERE agent_id = ? AND gate = ?", agentId, gate);
  }

  scheduleOf(agentId: string, schedule: string): ScheduleState | undefined {
    const sql = "SELECT origin, seen, count, missed FROM schedules WHERE agent_id = ? AND schedule = ?";
    return this.#all<{ origin: number; seen: number; count: number; missed: number }>(sql, agentId, schedule)[0];
  }

  publishedUnder(key: string): PublishedUnderKey | undefined {
    const [row] = this.#all<ArtifactRow>(`SELECT ${COLUMNS} FROM artifacts WHERE idempotency_key = ?`, key);
    if (!row) return undefined;
    const woken = this.#all<{ agent_id: string; visibility: string | null }>(
      `SELECT agent_id, visibility FROM activations WHERE correlation_id = ?
       AND (SELECT max(value) FROM json_each(artifacts)) = ? ORDER BY number`,
      row.correlation_id,
      row.seq,
    );
    const triggered = woken.map(({ agent_id, visibility }) => ({
      agentId: agent_id,
      visibility: visibility === null ? undefined : JSON.parse(visibility),
    }));
    return { artifact: artifactOf(row), triggered };
  }

  typeOf(artifactId: string): string | undefined {
    return this.#all<{ type: string }>("SELECT type FROM artifacts WHERE id = ?", artifactId)[0]?.type;
  }

  hidden(): Hidden[] {
    return this.#all<{ id: string; at: number }>(
      "SELECT id, at FROM hidden JOIN artifacts ON seq = artifact_seq ORDER BY at, seq",
    ).map(({ id, at }) => ({ id, at }));
  }

  questions(): QuestionRecord[] {
    return this.#all<QuestionRow>(
      `SELECT * FROM questions WHERE activation_id IN (SELECT id FROM activations WHERE status IS NULL)
       ORDER BY artifact_seq`,
    ).flatMap((row) => this.#questionOf(row) ?? []);
  }

  question(id: string): QuestionRecord | undefined {
    const [row] = this.#all<QuestionRow>(
      "SELECT * FROM questions WHERE artifact_seq = (SELECT seq FROM artifacts WHERE id = ?)",
      id,
    );
    return row && this.#questionOf(row);
  }

  #questionOf(row: QuestionRow): QuestionRecord | undefined {
    const artifact = this.#bySeq(row.artifact_seq);
    if (!artifact) return undefined;
    const { activation_id: activationId, key, status, closed_at, answered_by, answer_seq } = row;
    if (status === null) return { artifact, activationId, key };
    const answer = answer_seq === null ? undefined : this.#bySeq(answer_seq);
    return {
      artifact,
      activationId,
      key,
      closure: { status, at: iso(closed_at ?? 0), by: answered_by ?? undefined, answer },
    };
  }

  workflow(correlationId: string, as: Principal): CorrelationStatus | undefined {
    const { and, values } = onlyFor(as);
    const [artifacts] = this.#all<{ n: number; oldest: number | null; newest: number | null }>(
      "SELECT count(*) AS n, min(created_at) AS oldest, max(created_at) AS newest FROM artifacts WHERE correlation_id = ?" +
        and,
      correlationId,
      ...values,
    );
    const runs = this.#all<{ agent_id: string; status: string | null; queued_at: number; ended_at: number | null }>(
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

  snapshot(): { seq: number; state: unknown } | undefined {
    const [row] = this.#all<{ seq: number; state: string }>("SELECT seq, state FROM snapshot");
    return row && { seq: row.seq, state: JSON.parse(row.state) };
  }

  saveSnapshot(seq: number, state: unknown): void {
    const json = JSON.stringify(state);
    try {
      this.#trySaveSnapshot(seq, json);
    } catch (error) {
      if (!isBusy(error)) throw writeError(error, this.path);
      // Without it the next start only reads more of the log.
      this.#saving = retryWhileBusy(() => this.#trySaveSnapshot(seq, json)).catch(() => {});
    }
  }

  #trySaveSnapshot(seq: number, json: string): void {
    this.#begin.run();
    try {
      this.#run("DELETE FROM snapshot");
      this.#run("INSERT INTO snapshot (seq, state) VALUES (?, ?)", seq, json);
      this.#commit.run();
    } catch (error) {
      // A transaction that stayed open would take the next commit down with it.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  async backup(path: string): Promise<void> {
    await backup(this.#db, path);
    // What the copy is put in the place of has gone on since: its numbers will be given out again, for other events.
    const copy = new DatabaseSync(path);
    copy.prepare("UPDATE log SET epoch = ?, is_open = 0").run(randomUUID());
    copy.close();
  }

  close(): void | Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#housekeeping.stop();
    const ended = this.#checkpoints.close();
    if (!ended && !this.#saving) return this.#closeAll();
    return Promise.all([ended, this.#saving]).then(() => this.#closeAll());
  }

  #closeAll(): void {
    try {
      if (!this.#broken) this.#run("UPDATE log SET head = ?, is_open = ?", this.#head, LEFT.closed);
    } catch {
      // On a full disk it stays marked as open, as after a crash: the next start finds all that was committed.
    }
    this.#closeFile();
    this.#wal.close();
  }

  /** Finds out which log this is and how the last process left it. */
  #takeOver(durability: Durability): { epoch: string; head: number } {
    const bootedAt = bootMark();
    const isOpen = durability === "normal" ? LEFT.openNormal : LEFT.openFull;
    const newest = this.#number("SELECT coalesce(max(last_seq), 0) FROM events");
    const [log] = this.#all<{ epoch: string; head: number; is_open: number; booted_at: number }>(
      "SELECT epoch, head, is_open, booted_at FROM log",
    );
    // The machine went down under a running process: the newest events that clients saw may not have reached the disk,
    // and their seqs would be given out again. That is another log, and clients must hear of it.
    const lostSome = log?.is_open === LEFT.openNormal && !isSameBoot(log.booted_at, bootedAt);
    const epoch = log && !lostSome ? log.epoch : randomUUID();
    const head = Math.max(log?.head ?? 0, newest);
    // That the file is open must be on the disk before the first event is, or its loss would go unnoticed.
    this.#db.exec("PRAGMA synchronous = FULL");
    if (log) this.#run("UPDATE log SET epoch = ?, head = ?, is_open = ?, booted_at = ?", epoch, head, isOpen, bootedAt);
    else this.#run("INSERT INTO log VALUES (?, 0, 0, ?, ?)", epoch, isOpen, bootedAt);
    // With durability "full" each commit is flushed by us, after it, without blocking the event loop.
    this.#db.exec("PRAGMA synchronous = NORMAL");
    return { epoch, head };
  }

  #bySeq(seq: number): StoredArtifact | undefined {
    const [row] = this.#all<ArtifactRow>(`SELECT ${COLUMNS} FROM artifacts WHERE seq = ?`, seq);
    return row && artifactOf(row);
  }

  #number(sql: string, ...values: (string | number | null)[]): number {
    return Object.values(this.#prepare(sql).get(...values) ?? {})[0] as number;
  }

  #all<Row>(sql: string, ...values: (string | number | null)[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  #run(sql: string, ...values: (string | number | null)[]): void {
    this.#prepare(sql).run(...values);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

/**
 * How a process has left the file, or holds it (`log.is_open`). Under which durability says whether a loss of power can
 * have taken something with it; the next process may be told another one.
 */
const LEFT = { closed: 0, openNormal: 1, openFull: 2 } as const;

interface ConsumptionRow {
  readonly agent_id: string;
  readonly run_id: string;
  readonly consumed_at: number;
  readonly visibility: string | null;
}

function consumptionOf(row: ConsumptionRow): Consumption {
  const visibility = row.visibility === null ? undefined : JSON.parse(row.visibility);
  return { agentId: row.agent_id, runId: row.run_id, consumedAt: iso(row.consumed_at), visibility };
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

/** The end of a WHERE that leaves a principal what it may see. */
function onlyFor(as: Principal): { readonly and: string; readonly values: readonly string[] } {
  const [condition] = seenBy(as, "visibility");
  return condition ? { and: ` AND ${condition.sql}`, values: condition.values } : { and: "", values: [] };
}

function isFailure(status: string | null): boolean {
  return status === "error" || status === "timeout";
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
