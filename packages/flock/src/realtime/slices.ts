import type { EventLog } from "../events/event-log.ts";
import type { Batch } from "../events/tail.ts";
import { type View, viewKey } from "../events/view.ts";
import type { Encoding } from "./encoding.ts";

/**
 * How much one read takes. Plain and unfiltered it is a view of shared memory; everything else is a copy that costs
 * work, so less of it.
 */
const SLICE_BYTES = { shared: 256 * 1024, made: 64 * 1024 };
/** How many encoded slices are kept for those who read the same: some 4 MiB. */
const MAX_KEPT = 64;

/** The log piece by piece, for those who are behind. Clients that lost the same connection at once read the same pieces. */
export class Slices {
  readonly #log: EventLog;
  /** Encoded lately, the newest last. */
  readonly #kept = new Map<string, Batch>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Reads on after `after`, up to `until`; what comes stands for itself. A promise when the log is not at hand. */
  read(after: number, until: number, view: View | undefined, encoding: Encoding): Batch | Promise<Batch> {
    const size = view || !encoding.isPlain ? SLICE_BYTES.made : SLICE_BYTES.shared;
    const reading = this.#log.read(after, until, view, size);
    if (encoding.isPlain) return reading;
    if (reading instanceof Promise) return reading.then((batch) => this.#encoded(after, batch, view, encoding));
    return this.#encoded(after, reading, view, encoding);
  }

  #encoded(after: number, batch: Batch, view: View | undefined, encoding: Encoding): Batch {
    if (batch.events === 0) return batch;
    const key = `${encoding.name} ${after} ${batch.seq} ${view ? viewKey(view) : ""}`;
    const kept = this.#kept.get(key) ?? encoding.begin().encode(batch);
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
    return kept;
  }
}
