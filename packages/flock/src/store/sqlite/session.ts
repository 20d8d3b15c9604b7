import { randomUUID } from "node:crypto";
import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import type { EventOf, FlockEvent } from "@flock-ts/protocol";
import type { Clock } from "../../core/clock.ts";
import type { FlockError } from "../../core/errors.ts";
import { millisecondsOf } from "../../core/time.ts";
import { duplicateKey, unknownActivation, unknownDeadLetter } from "../refusal.ts";
import { seal } from "../seal.ts";
import type { CommitResult, Lease, SealedEvent, StoreSession } from "../store.ts";
import type { EventWrite, Write, WriteGroup } from "../writes.ts";
import { SqliteBlackboard } from "./artifacts.ts";
import { bootMark, isSameBoot } from "./boot.ts";
import { isBusy, retryWhileBusy } from "./busy.ts";
import { Checkpoints } from "./checkpoints.ts";
import { Connection } from "./connection.ts";
import { SqliteDeadLetters } from "./dead-letters.ts";
import { flushError, readError, takenError, writeError } from "./errors.ts";
import { Housekeeping, type Retention } from "./housekeeping.ts";
import { ROW_CHARACTERS, SqliteLog } from "./log.ts";
import { defineMaySee } from "./may-see.ts";
import { type Durability, openFile } from "./open.ts";
import { Rows } from "./rows.ts";
import { WalFile } from "./wal.ts";
import { SqliteWork } from "./work.ts";

/** What a session needs to open its file. */
export interface SqliteSessionOptions {
  readonly durability: Durability;
  readonly retention: Required<Retention>;
  readonly maxFileBytes?: number | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** A row of so many characters, without streamed pieces, stays as it is: another copy of it would gain nothing. */
const FINAL_CHARACTERS = 16 * 1024;

/** How long opening waits for a lock of another program, in ms. */
const OPEN_LIMIT_MS = 5_000;

/**
 * How a process has left the file, or holds it (`log.is_open`). The durability decides whether a loss of power can have
 * taken events, and the next process may have another one.
 */
const LEFT = { closed: 0, openNormal: 1, openFull: 2 } as const;

/** An open blackboard in a SQLite file. */
export class SqliteSession implements StoreSession {
  readonly epoch: string;
  readonly role = "leader";
  readonly lease: Lease;
  readonly blackboard: SqliteBlackboard;
  readonly deadLetters: SqliteDeadLetters;
  readonly log: SqliteLog;
  readonly work: SqliteWork;
  readonly #path: string;
  readonly #durability: Durability;
  readonly #closeFile: () => void;
  readonly #connection: Connection;
  readonly #wal: WalFile;
  readonly #checkpoints: Checkpoints;
  readonly #housekeeping: Housekeeping;
  readonly #rows: Rows;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #dataVersion: StatementSync;
  readonly #lost = new AbortController();
  /** The row of each activation that has not ended. */
  readonly #open = new Map<string, number>();
  #lastActivation: number;
  /** Changes when another connection has written to the file. */
  #version: number;
  #closing: Promise<void> | undefined;

  /** @throws FlockError `store_unusable`. */
  static async open(path: string, options: SqliteSessionOptions): Promise<SqliteSession> {
    try {
      options.signal?.throwIfAborted();
      return new SqliteSession(path, options);
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
    const { signal } = options;
    return retryWhileBusy(() => new SqliteSession(path, options), { limitMs: OPEN_LIMIT_MS, signal }).catch((error) => {
      throw readError(error, path);
    });
  }

  private constructor(path: string, { durability, retention, maxFileBytes, clock }: SqliteSessionOptions) {
    this.#path = path;
    this.#durability = durability;
    const { db, close } = openFile(path);
    this.#closeFile = close;
    try {
      if (maxFileBytes !== undefined) {
        const { page_size } = db.prepare("PRAGMA page_size").get() as { page_size: number };
        db.exec(`PRAGMA max_page_count = ${Math.floor(maxFileBytes / page_size)}`);
      }
      defineMaySee(db);
      const connection = new Connection(db, path);
      this.#connection = connection;
      const { epoch, head, hasCrashed } = this.#takeOver();
      this.epoch = epoch;
      this.#lastActivation = connection.number("SELECT coalesce(max(number), 0) FROM activations");
      for (const row of connection.all<{ number: number; id: string }>(
        "SELECT number, id FROM activations WHERE status IS NULL",
      )) {
        this.#open.set(row.id, row.number);
      }
      this.#housekeeping = new Housekeeping(db, retention, clock);
      this.log = new SqliteLog(connection, this.#housekeeping, head);
      this.#dataVersion = db.prepare("PRAGMA data_version");
      this.#version = this.#readVersion();
      this.#wal = new WalFile(path);
      this.work = new SqliteWork(connection, this.#housekeeping, hasCrashed);
    } catch (error) {
      close();
      throw isBusy(error) ? error : readError(error, path);
    }
    // The log was created by this process, and a later one has a higher number.
    this.lease = { fence: 1n, lost: this.#lost.signal };
    this.#checkpoints = new Checkpoints(path, this.#wal);
    this.blackboard = new SqliteBlackboard(this.#connection);
    this.deadLetters = new SqliteDeadLetters(this.#connection);
    this.#rows = new Rows(db);
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    this.#housekeeping.start();
  }

  async commit(groups: readonly WriteGroup[]): Promise<CommitResult> {
    this.#lost.signal.throwIfAborted();
    const result = await this.#commitTogether(groups);
    this.#checkpoints.committed();
    if (this.#durability === "full") await this.#flush();
    return result;
  }

  /** Commits all groups in one transaction, or, when one of them is refused, each in its own. */
  async #commitTogether(groups: readonly WriteGroup[]): Promise<CommitResult> {
    try {
      return { events: await this.#whenFree(() => this.#transaction(groups)), refused: NONE_REFUSED };
    } catch (error) {
      if (groups.length === 1 || this.#lost.signal.aborted) throw error;
    }
    const events: SealedEvent[] = [];
    const refused = new Map<number, FlockError>();
    for (const [index, group] of groups.entries()) {
      try {
        events.push(...(await this.#whenFree(() => this.#transaction([group]))));
      } catch (error) {
        refused.set(index, error as FlockError);
      }
    }
    const [first] = refused.values();
    if (first && refused.size === groups.length) throw first;
    return { events, refused };
  }

  /** Waits for another program's lock without blocking the event loop. The journal starts no other commit meanwhile. */
  async #whenFree<T>(transaction: () => T): Promise<T> {
    try {
      return transaction();
    } catch (error) {
      if (!isBusy(error)) throw writeError(error, this.#path);
    }
    try {
      return await retryWhileBusy(transaction, { signal: this.#lost.signal });
    } catch (error) {
      throw writeError(error, this.#path);
    }
  }

  #transaction(groups: readonly WriteGroup[]): SealedEvent[] {
    const before = { head: this.log.head, activation: this.#lastActivation };
    this.#begin.run();
    try {
      this.#assertOurs();
      const events = this.#writeAll(groups);
      this.#commit.run();
      for (const group of groups)
        for (const write of group) if (write.kind === "activation_done") this.#open.delete(write.id);
      return events;
    } catch (error) {
      const { db } = this.#connection;
      if (db.isTransaction) db.exec("ROLLBACK");
      this.log.head = before.head;
      this.#lastActivation = before.activation;
      for (const write of groups.flat()) {
        if (write.kind === "activation" || write.kind === "dead_letter_again") this.#open.delete(write.id);
      }
      throw error;
    }
  }

  /** The lock file keeps other processes away, unless it is deleted. Two writers would give out the same seqs. */
  #assertOurs(): void {
    const version = this.#readVersion();
    if (version === this.#version) return;
    this.#version = version;
    if (this.#connection.number("SELECT coalesce(max(last_seq), 0) FROM events") <= this.log.head) return;
    throw this.#lose(takenError(this.#path));
  }

  #lose(reason: FlockError): FlockError {
    this.#housekeeping.stop();
    this.#lost.abort(reason);
    return reason;
  }

  #readVersion(): number {
    return (this.#dataVersion.get() as { data_version: number }).data_version;
  }

  /**
   * Waits until what was committed is on disk. When that fails, the lease is lost: the system may have dropped the
   * pages, so that a later flush succeeds without them.
   */
  async #flush(): Promise<void> {
    const flushing = this.#wal.flush().catch((error) => {
      throw this.#lose(flushError(error, this.#path));
    });
    this.#connection.flushing = flushing;
    try {
      await flushing;
    } finally {
      this.#connection.flushing = undefined;
    }
  }

  #writeAll(groups: readonly WriteGroup[]): SealedEvent[] {
    const events: SealedEvent[] = [];
    let lines: string[] = [];
    let newest: FlockEvent | undefined;
    let characters = 0;
    let pieces = 0;
    const flush = () => {
      if (!newest) return;
      const isFinal = pieces === 0 && characters >= FINAL_CHARACTERS;
      const last = this.log.head;
      this.#rows.events(last - lines.length + 1, last, millisecondsOf(newest.timestamp), lines.join("\n"), isFinal);
      lines = [];
      characters = 0;
      pieces = 0;
    };
    this.#rows.begin();
    for (const group of groups) {
      for (const write of group) {
        if (write.kind !== "event") {
          this.#write(write);
          continue;
        }
        const sealed = seal(write, this.log.head + 1);
        if (lines.length > 0 && characters + sealed.json.length > ROW_CHARACTERS) flush();
        this.log.head = sealed.seq;
        events.push(sealed);
        newest = write.event;
        lines.push(sealed.json);
        characters += sealed.json.length;
        if (newest.type === "streaming_output") pieces += 1;
        this.#writeArtifact(sealed);
      }
    }
    flush();
    return events;
  }

  #writeArtifact({ write, seq }: SealedEvent): void {
    const { artifact, reveals, idempotencyKey, event } = write;
    if (reveals) this.#rows.reveal(reveals, event as EventOf<"artifact_published">);
    if (!artifact) return;
    try {
      this.#rows.artifact(write, artifact, seq);
    } catch (error) {
      if (idempotencyKey !== undefined && (error as Error).message.includes("artifacts.idempotency_key"))
        throw duplicateKey(idempotencyKey, error);
      throw error;
    }
  }

  #write(write: Exclude<Write, EventWrite>): void {
    switch (write.kind) {
      case "activation":
        this.#rows.activation(++this.#lastActivation, write, this.log.head);
        this.#open.set(write.id, this.#lastActivation);
        return;
      case "activation_again":
        return this.#rows.activationAgain(this.#numberOf(write.id), write);
      case "activation_done":
        return this.#rows.activationDone(this.#numberOf(write.id), write);
      case "dead_letter_again": {
        const number = this.#rows.deadLetterAgain(write);
        if (number === undefined) throw unknownDeadLetter(write.id);
        this.#open.set(write.id, number);
        return;
      }
      case "dead_letter_discarded":
        if (!this.#rows.deadLetterDiscarded(write)) throw unknownDeadLetter(write.id);
        return;
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
      case "snapshot":
        return this.#rows.snapshot(write);
    }
  }

  #numberOf(activationId: string): number {
    const number = this.#open.get(activationId);
    if (number === undefined) throw unknownActivation(activationId);
    return number;
  }

  /** See `SqliteStore.backup`. */
  async backup(path: string): Promise<void> {
    await backup(this.#connection.db, path);
    // The original has gone on: the copy will give its numbers to other events.
    const copy = new DatabaseSync(path);
    copy.prepare("UPDATE log SET epoch = ?, is_open = 0").run(randomUUID());
    copy.close();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#housekeeping.stop();
    await this.#checkpoints.close();
    try {
      if (!this.#lost.signal.aborted)
        this.#connection.run("UPDATE log SET head = ?, is_open = ?", this.log.head, LEFT.closed);
    } catch {
      // On a full disk the file stays marked as open, as after a crash. The next start finds all that was committed.
    }
    this.#closeFile();
    this.#wal.close();
  }

  /** Finds out which log this is and how the last process left it. */
  #takeOver(): { epoch: string; head: number; hasCrashed: boolean } {
    const bootedAt = bootMark();
    const isOpen = this.#durability === "normal" ? LEFT.openNormal : LEFT.openFull;
    const { db } = this.#connection;
    const newest = this.#connection.number("SELECT coalesce(max(last_seq), 0) FROM events");
    const [log] = this.#connection.all<{ epoch: string; head: number; is_open: number; booted_at: number }>(
      "SELECT epoch, head, is_open, booted_at FROM log",
    );
    // The machine went down under a running process: the newest events that clients received may not have reached the
    // disk, and their seqs would be given out again. Another epoch reports that to clients.
    const lostSome = log?.is_open === LEFT.openNormal && !isSameBoot(log.booted_at, bootedAt);
    const epoch = log && !lostSome ? log.epoch : randomUUID();
    const head = Math.max(log?.head ?? 0, newest);
    // That the file is open has to be on disk before the first event is, or the loss of an event would go unnoticed.
    db.exec("PRAGMA synchronous = FULL");
    const values = [epoch, head, isOpen, bootedAt];
    if (log) this.#connection.run("UPDATE log SET epoch = ?, head = ?, is_open = ?, booted_at = ?", ...values);
    else this.#connection.run("INSERT INTO log VALUES (?, 0, 0, ?, ?)", epoch, isOpen, bootedAt);
    // With durability "full" the session flushes after each commit, without blocking the event loop.
    db.exec("PRAGMA synchronous = NORMAL");
    return { epoch, head, hasCrashed: log !== undefined && log.is_open !== LEFT.closed };
  }
}

const NONE_REFUSED: ReadonlyMap<number, FlockError> = new Map();
