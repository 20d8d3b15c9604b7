import type { EventLog } from "../log/event-log.ts";
import type { Batch } from "../log/log-buffer.ts";
import { type Scope, viewKey } from "../log/scope.ts";
import type { Encoding } from "./encoding.ts";

/**
 * How much one read takes. Plain and unfiltered it is a scope of shared memory; everything else is a copy that costs
 * work, so less of it.
 */
const SLICE_BYTES = { shared: 256 * 1024, made: 64 * 1024 };
/** How many encoded chunks are kept for those who read the same: some 4 MiB. */
const MAX_KEPT = 64;

/** The log piece by piece, for those who are behind. Clients that lost the same connection at once read the same pieces. */
export class Chunks {
  readonly #log: EventLog;
  /** Encoded lately, the newest last. */
  readonly #kept = new Map<string, Batch>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Reads on after `after`, up to `until`; what comes stands for itself. A promise when the log is not at hand. */
  read(after: number, until: number, scope: Scope | undefined, encoding: Encoding): Batch | Promise<Batch> {
    const size = scope || !encoding.isPlain ? SLICE_BYTES.made : SLICE_BYTES.shared;
    const reading = this.#log.read(after, until, scope, size);
    if (encoding.isPlain) return reading;
    if (reading instanceof Promise) return reading.then((batch) => this.#encoded(after, batch, scope, encoding));
    return this.#encoded(after, reading, scope, encoding);
  }

  #encoded(after: number, batch: Batch, scope: Scope | undefined, encoding: Encoding): Batch {
    if (batch.events === 0) return batch;
    const key = `${encoding.name} ${after} ${batch.seq} ${scope ? viewKey(scope) : ""}`;
    const kept = this.#kept.get(key) ?? encoding.begin().encode(batch);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
    return kept;
  }
}
