import type { FlockEvent } from "@flock-ts/protocol";

/** Strings that are known, in each of two generations. */
const GENERATION = 20_000;
/** What most events have in common. */
const NONE: readonly never[] = Object.freeze([]);
const PUBLIC = Object.freeze({ kind: "public" });
/** What is longer is a text, not a name, and comes once; UTF-16 code units. */
const NAME = 64;

/**
 * The same string for the same name: each event that arrives brings ids, types and times of its own, which are mostly those
 * of its neighbours. Names that have not come for long are forgotten.
 */
export class NameInterner {
  #young = new Map<string, string>();
  #old = new Map<string, string>();

  /** Replaces the names in an event that has just arrived by those that are known. */
  in(event: FlockEvent): void {
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
