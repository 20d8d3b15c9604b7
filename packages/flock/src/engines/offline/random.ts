/** Numbers that look random and follow from the seed: the same seed, the same numbers (mulberry32). */
export class Random {
  #state: number;

  /** Any text or number can be a seed. */
  constructor(seed: string | number) {
    // FNV-1a: texts that differ in one letter give different numbers.
    let hash = 0x811c9dc5;
    for (const unit of String(seed)) hash = Math.imul(hash ^ (unit.codePointAt(0) as number), 0x01000193);
    this.#state = hash >>> 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** One of several. */
  pick<T>(from: readonly T[]): T {
    return from[this.between(0, from.length - 1)] as T;
  }

  /** True so often, from 0 to 1. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }
}
