/** A seeded pseudo-random number generator (mulberry32). */
export class Random {
  #state: number;

  /** @param seed any text or number. */
  constructor(seed: string | number) {
    // FNV-1a: similar seeds give unrelated numbers.
    let hash = 0x811c9dc5;
    for (const unit of String(seed)) hash = Math.imul(hash ^ (unit.codePointAt(0) as number), 0x01000193);
    this.#state = hash >>> 0;
  }

  /** Returns a number from 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns an integer in an inclusive range. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** Returns one of the items. */
  pick<T>(from: readonly T[]): T {
    return from[this.between(0, from.length - 1)] as T;
  }

  /** Returns true with a probability from 0 to 1. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }
}
