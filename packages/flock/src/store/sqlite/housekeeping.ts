import type { DatabaseSync } from "node:sqlite";
import type { FlockEvent } from "@flock-ts/protocol";
import { type Clock, systemClock } from "../../core/clock.ts";
import { compact } from "../../log/compaction.ts";

/**
 * What is dropped: events, artifacts, consumptions and ended runs, oldest first, a little at a time. What a queued run
 * or a gate still needs stays, questions and answers included, and what still waits to be seen.
 */
export interface Retention {
  /** Drops what is older than this, in ms. Default: nothing is too old. */
  readonly maxAgeMs?: number;
  /** Drops the oldest while the file holds more than this, in bytes. Default: nothing is too much. */
  readonly maxBytes?: number;
}

/** So long, in ms, between two looks at whether there is something to do, and between two steps when there is. */
const REST_MS = { idle: 1_000, busy: 25 };
/** How much one step does. */
export interface StepSizes {
  /** Compaction takes up to so many characters and rows, and is not worth it for fewer rows than `leastRows`. */
  readonly compaction: { readonly characters: number; readonly rows: number; readonly leastRows: number };
  /** A compacted row holds about this many characters at most. */
  readonly rowCharacters: number;
  /** Retention drops about so many artifacts. */
  readonly dropArtifacts: number;
  /** So many free pages are given back to the disk. */
  readonly vacuumPages: number;
}

/** A few milliseconds of work each. */
const STEP_SIZES: StepSizes = {
  compaction: { characters: 512 * 1024, rows: 1_000, leastRows: 64 },
  rowCharacters: 256 * 1024,
  dropArtifacts: 500,
  vacuumPages: 256,
};

/** The artifacts up to a seq that no queued run and no gate needs, and whose time has come. */
const DROPPABLE = `
  SELECT seq FROM artifacts WHERE seq <= ? AND seq NOT IN (
    SELECT value FROM activations, json_each(activations.artifacts) WHERE status IS NULL
    UNION SELECT artifact_seq FROM gathered
    UNION SELECT artifact_seq FROM hidden
    UNION SELECT artifact_seq FROM questions WHERE activation_id IN (SELECT id FROM activations WHERE status IS NULL)
    UNION SELECT answer_seq FROM questions WHERE answer_seq IS NOT NULL
      AND activation_id IN (SELECT id FROM activations WHERE status IS NULL))`;

/** A row of events; `lines` is empty when the row is merged. */
interface EventRow {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly newest_at: number;
  readonly merged: 0 | 1;
  readonly lines: string;
}

/** Compacts, drops and gives back, in steps of a few milliseconds between the commits. */
export class Housekeeping {
  readonly #db: DatabaseSync;
  readonly #retention: Required<Retention>;
  readonly #clock: Clock;
  readonly #sizes: StepSizes;
  #leftMemory: number;
  #oldest: number | undefined;
  /** Cancels the next step. */
  #cancel: () => void = () => {};

  /** @param clock decides what is too old. */
  constructor(db: DatabaseSync, retention: Required<Retention>, clock: Clock, sizes: StepSizes = STEP_SIZES) {
    this.#db = db;
    this.#retention = retention;
    this.#clock = clock;
    this.#sizes = sizes;
    // Nothing of what an earlier process has written is in this one's memory.
    this.#leftMemory = this.#number("SELECT coalesce(max(last_seq), 0) FROM events");
    this.#oldest = this.#oldestRow();
  }

  /** The oldest seq that is kept; `head + 1` when none is. */
  oldest(head: number): number {
    this.#oldest ??= this.#oldestRow();
    return this.#oldest ?? head + 1;
  }

  /** Events up to `seq` are read from the file only, and may be compacted. */
  leftMemory(seq: number): void {
    this.#leftMemory = Math.max(this.#leftMemory, seq);
  }

  /** Begins to work by itself. */
  start(): void {
    this.#schedule(REST_MS.idle);
  }

  stop(): void {
    this.#cancel();
  }

  /** Does a few milliseconds of work. Returns whether there may be more. */
  step(): boolean {
    return this.#compact() || this.#drop() || this.#giveBack();
  }

  /** How large the file is; what is free in it counts as well. */
  get bytes(): number {
    return this.#number("PRAGMA page_count") * this.#number("PRAGMA page_size");
  }

  #schedule(rest: number): void {
    // On the machine's timers: a test that passes a clock moves it by days, and would wait for every step in them.
    this.#cancel = systemClock.after(rest, () => {
      let more = false;
      try {
        more = this.step();
      } catch {
        // A full disk or a reader in the way: all that was begun is undone, and is tried again after a rest.
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      }
      this.#schedule(more ? REST_MS.busy : REST_MS.idle);
    });
  }

  #compact(): boolean {
    const { compaction, rowCharacters } = this.#sizes;
    const compacted = this.#number("SELECT compacted FROM log");
    const rows: EventRow[] = [];
    let size = 0;
    let done = compacted;
    let isWhole = false;
    const candidates = this.#db
      .prepare(
        `SELECT first_seq, last_seq, newest_at, merged, CASE merged WHEN 0 THEN lines ELSE '' END AS lines FROM events
         WHERE last_seq > ? AND last_seq <= ? ORDER BY last_seq LIMIT ${compaction.rows}`,
      )
      .iterate(compacted, this.#leftMemory) as Iterable<EventRow>;
    for (const row of candidates) {
      // A row that was large from the start stays as it is, and what precedes it cannot grow any further.
      isWhole = rows.length > 0 && (row.merged === 1 || size + row.lines.length > compaction.characters);
      if (isWhole) break;
      if (row.merged === 1) {
        done = row.last_seq;
        continue;
      }
      rows.push(row);
      size += row.lines.length;
    }
    if (isWhole || rows.length >= compaction.leastRows || size >= rowCharacters) {
      this.#transaction(() => this.#merge(rows));
      return true;
    }
    if (done > compacted) this.#db.prepare("UPDATE log SET compacted = ?").run(done);
    return false;
  }

  /** Puts few large rows in the place of these, and few large events in the place of what runs have streamed. */
  #merge(rows: readonly EventRow[]): void {
    const [first, last] = [rows[0] as EventRow, rows.at(-1) as EventRow];
    this.#db.prepare("DELETE FROM events WHERE last_seq > ? AND last_seq <= ?").run(first.first_seq - 1, last.last_seq);
    const insert = this.#db.prepare(
      "INSERT INTO events (last_seq, first_seq, newest_at, merged, lines) VALUES (?, ?, ?, 1, ?)",
    );
    let from = first.first_seq;
    let lines: string[] = [];
    let characters = 0;
    let newest = first.newest_at;
    const flush = (until: number) => {
      insert.run(until, from, newest, lines.join("\n"));
      from = until + 1;
      lines = [];
      characters = 0;
    };
    let before = first.first_seq;
    for (const part of partsOf(rows)) {
      if (lines.length > 0 && characters + part.lines.length > this.#sizes.rowCharacters) flush(before);
      lines.push(part.lines);
      characters += part.lines.length;
      newest = part.newest_at;
      before = part.last_seq;
    }
    flush(last.last_seq);
    this.#db.prepare("UPDATE log SET compacted = ?").run(last.last_seq);
  }

  #drop(): boolean {
    const horizon = this.#horizon() || this.#leftBehind();
    if (horizon === 0) return false;
    const { dropArtifacts } = this.#sizes;
    return this.#transaction(() => {
      // A row of events goes as a whole; the head is kept apart, so that seqs go on even when no event is left.
      this.#db.exec("UPDATE log SET head = max(head, (SELECT coalesce(max(last_seq), 0) FROM events))");
      const events = this.#change("DELETE FROM events WHERE last_seq <= ?", horizon);
      const artifacts = this.#db.prepare(`${DROPPABLE} ORDER BY seq LIMIT ${dropArtifacts}`).all(horizon) as {
        seq: number;
      }[];
      const seqs = JSON.stringify(artifacts.map(({ seq }) => seq));
      // By key each: to look for strays in all of a table would take the longer the more it holds.
      this.#change(
        `DELETE FROM artifact_tags WHERE (tag, artifact_seq) IN (
           SELECT tag.value, seq FROM artifacts, json_each(tags) AS tag WHERE seq IN (SELECT value FROM json_each(?)))`,
        seqs,
      );
      this.#change("DELETE FROM consumptions WHERE artifact_seq IN (SELECT value FROM json_each(?))", seqs);
      this.#change("DELETE FROM questions WHERE artifact_seq IN (SELECT value FROM json_each(?))", seqs);
      this.#change("DELETE FROM artifacts WHERE seq IN (SELECT value FROM json_each(?))", seqs);
      // Activations are in the order of time too: the first that is young enough ends the search.
      this.#change(
        `DELETE FROM activations WHERE status IS NOT NULL AND number < coalesce(
           (SELECT number FROM activations WHERE after_seq > ? ORDER BY number LIMIT 1), ${Number.MAX_SAFE_INTEGER})`,
        horizon,
      );
      this.#oldest = undefined;
      return events > 0 || artifacts.length === dropArtifacts;
    });
  }

  /** Everything up to this seq is to go. */
  #horizon(): number {
    const { maxAgeMs, maxBytes } = this.#retention;
    let horizon = 0;
    if (maxAgeMs !== Number.POSITIVE_INFINITY) {
      const cutoff = this.#clock.now() - maxAgeMs;
      // Rows are in the order of time, so the first that is young enough ends the search.
      const [row] = this.#db.prepare("SELECT last_seq, newest_at FROM events ORDER BY last_seq LIMIT 1").all() as {
        last_seq: number;
        newest_at: number;
      }[];
      if (row && row.newest_at < cutoff) horizon = row.last_seq;
    }
    if (horizon === 0 && maxBytes !== Number.POSITIVE_INFINITY && this.#bytesInUse() > maxBytes) {
      horizon = this.#number("SELECT coalesce(min(last_seq), 0) FROM events");
    }
    return horizon;
  }

  /**
   * Before the oldest event there may be artifacts still: more than one step drops, or such as were needed when their
   * events went. Gives the seq of the newest event that is gone, when there are any that need not stay; else 0.
   */
  #leftBehind(): number {
    const { maxAgeMs, maxBytes } = this.#retention;
    if (Math.min(maxAgeMs, maxBytes) === Number.POSITIVE_INFINITY) return 0;
    const dropped = (this.#oldestRow() ?? this.#number("SELECT head FROM log") + 1) - 1;
    return this.#db.prepare(`${DROPPABLE} LIMIT 1`).get(dropped) ? dropped : 0;
  }

  #bytesInUse(): number {
    return this.bytes - this.#number("PRAGMA freelist_count") * this.#number("PRAGMA page_size");
  }

  #giveBack(): boolean {
    const { vacuumPages } = this.#sizes;
    if (this.#number("PRAGMA freelist_count") < vacuumPages) return false;
    this.#db.exec(`PRAGMA incremental_vacuum(${vacuumPages})`);
    return true;
  }

  #oldestRow(): number | undefined {
    const [row] = this.#db.prepare("SELECT first_seq FROM events ORDER BY last_seq LIMIT 1").all() as {
      first_seq: number;
    }[];
    return row?.first_seq;
  }

  #number(sql: string): number {
    return Object.values(this.#db.prepare(sql).get() ?? {})[0] as number;
  }

  #change(sql: string, value: number | string): number {
    return Number(this.#db.prepare(sql).run(value).changes);
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Returns the content of some rows, in order, in parts that a new row may begin with. Only streams need be looked into. */
function partsOf(rows: readonly EventRow[]): Iterable<Pick<EventRow, "last_seq" | "newest_at" | "lines">> {
  if (!rows.some(({ lines }) => lines.includes('"type":"streaming_output"'))) return rows;
  const events = rows.flatMap(({ lines }) => lines.split("\n")).map((line) => JSON.parse(line) as FlockEvent);
  return compact(events).map((event) => ({
    last_seq: event.seq,
    newest_at: Date.parse(event.timestamp),
    lines: JSON.stringify(event),
  }));
}
