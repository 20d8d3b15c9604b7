/** Logarithm of the growth between buckets: values are off by at most half a percent. */
const STEP = Math.log(1.01);
/** Upper limit of the first bucket, in ms. */
const LEAST_MS = 0.001;
/** Number of buckets, enough for an hour. */
const BUCKETS = Math.ceil(Math.log(3_600_000 / LEAST_MS) / STEP);

/** A histogram of delivery times: millions of them in a few kilobytes. */
export class Latencies {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  add(ms: number): void {
    const bucket = Math.floor(Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) / STEP);
    const at = Math.min(bucket, BUCKETS - 1);
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#total += 1;
  }

  /** Returns the time within which a fraction (0 to 1) of them arrived, in ms; null without any. */
  percentile(part: number): number | null {
    if (this.#total === 0) return null;
    let left = Math.floor((this.#total - 1) * part);
    let bucket = 0;
    while (left >= (this.#counts[bucket] as number)) left -= this.#counts[bucket++] as number;
    return LEAST_MS * Math.exp((bucket + 0.5) * STEP);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }
}
