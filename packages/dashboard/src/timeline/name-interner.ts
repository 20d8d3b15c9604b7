import type { FlockEvent } from "@flock-ts/protocol";

/** Strings kept in each of two generations. */
const GENERATION = 20_000;
/** Values that most events share. */
const NONE: readonly never[] = Object.freeze([]);
const PUBLIC = Object.freeze({ kind: "public" });
/** The longest name, in UTF-16 code units. Longer strings are texts, which rarely repeat. */
const NAME = 64;

/**
 * Makes equal names share one string. Each parsed event has separate strings for ids, types and times, and most of
 * them equal those of its neighbors. Names that have not occurred recently are evicted.
 *
 * Events are interned where they enter a thread: in the feeds, in pages read over REST, and in event files.
 */
export class NameInterner {
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  /** Replaces the names in an event by the strings that are known, in place. */
  intern(event: FlockEvent): void {
    const fields = event as unknown as Record<string, unknown>;
    for (const field in fields) {
      const value = fields[field];
      if (typeof value === "string") {
        if (value.length <= NAME) fields[field] = this.#same(value);
      } else if (Array.isArray(value) && value.length === 0) fields[field] = NONE;
      else if (Array.isArray(value)) {
        for (const [index, one] of value.entries()) {
          if (typeof one === "string" && one.length <= NAME) value[index] = this.#same(one);
        }
      }
    }
    if (event.type === "artifact_published" && event.visibility.kind === "public") fields.visibility = PUBLIC;
  }

  #same(name: string): string {
    const young = this.#young.get(name);
    if (young !== undefined) return young;
    const known = this.#old.get(name) ?? name;
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(known, known);
    return known;
  }
}
