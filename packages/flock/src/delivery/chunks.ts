import type { EventLog } from "../log/event-log.ts";
import type { Batch } from "../log/log-buffer.ts";
import { type Scope, scopeKey } from "../log/scope.ts";
import type { Encoding } from "./encoding.ts";

/**
 * The most bytes of one read. Without a filter or encoding, a chunk is a range of shared memory. Everything else is a copy
 * that costs work, so it is smaller.
 */
const CHUNK_BYTES = { shared: 256 * 1024, copied: 64 * 1024 };
/** How many encoded chunks are cached for subscribers that read the same: some 4 MiB. */
const MAX_CACHED = 64;

/** Reads the log in chunks for subscribers that are behind. Clients that lost the same connection share encoded chunks. */
export class Chunks {
  readonly #log: EventLog;
  /** The encoded chunks used last, the newest last. */
  readonly #cached = new Map<string, Batch>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /**
   * Reads the chunk after `after`, up to `until`. An encoded chunk does not depend on earlier ones.
   * Returns a promise when the events are not in memory.
   */
  read(after: number, until: number, scope: Scope | undefined, encoding: Encoding): Batch | Promise<Batch> {
    const size = scope || !encoding.isPlain ? CHUNK_BYTES.copied : CHUNK_BYTES.shared;
    const reading = this.#log.read(after, until, scope, size);
    if (encoding.isPlain) return reading;
    if (reading instanceof Promise) return reading.then((batch) => this.#encoded(after, batch, scope, encoding));
    return this.#encoded(after, reading, scope, encoding);
  }

  #encoded(after: number, batch: Batch, scope: Scope | undefined, encoding: Encoding): Batch {
    if (batch.events === 0) return batch;
    const key = `${encoding.name} ${after} ${batch.seq} ${scope ? scopeKey(scope) : ""}`;
    const encoded = this.#cached.get(key) ?? encoding.begin().encode(batch);
    this.#cached.delete(key);
    this.#cached.set(key, encoded);
    if (this.#cached.size > MAX_CACHED) this.#cached.delete(this.#cached.keys().next().value as string);
    return encoded;
  }
}
