import type { LogRange, LogSource } from "../../log/source.ts";
import type { Connection } from "./connection.ts";
import type { Housekeeping } from "./housekeeping.ts";

/** A row of events holds about this many characters at most, unless one event is larger. */
export const ROW_CHARACTERS = 256 * 1024;

interface EventsRow {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly lines: string;
}

/** The events in the file. */
export class SqliteLog implements LogSource {
  readonly #connection: Connection;
  readonly #housekeeping: Housekeeping;
  /** The session sets it with each commit. */
  head: number;

  constructor(connection: Connection, housekeeping: Housekeeping, head: number) {
    this.#connection = connection;
    this.#housekeeping = housekeeping;
    this.head = head;
  }

  get oldest(): number {
    return this.#housekeeping.oldest(this.head);
  }

  read(seq: number, until: number): Promise<LogRange> {
    return this.#connection.read(() => this.#read(seq, until));
  }

  leftMemory(seq: number): void {
    this.#housekeeping.leftMemory(seq);
  }

  #read(seq: number, until: number): LogRange {
    const statement = this.#connection.prepare(
      "SELECT first_seq, last_seq, lines FROM events WHERE last_seq >= ? ORDER BY last_seq",
    );
    let first = 0;
    let last = 0;
    let characters = 0;
    const lines: string[] = [];
    for (const row of statement.iterate(seq) as Iterable<EventsRow>) {
      if (lines.length > 0 && (row.first_seq > until || characters + row.lines.length > ROW_CHARACTERS)) break;
      first ||= row.first_seq;
      last = row.last_seq;
      characters += row.lines.length;
      lines.push(row.lines);
    }
    return { first, last, lines: lines.join("\n") };
  }
}
