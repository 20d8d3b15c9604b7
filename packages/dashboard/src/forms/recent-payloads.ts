/** Something that was published from this browser. */
export interface RecentPayload {
  readonly payload: unknown;
  readonly tags: readonly string[];
  /** ISO 8601. */
  readonly at: string;
}

const KEY = "flock-recent-payloads";
const PER_TYPE = 8;
/** Of all that is remembered, as JSON: browsers give a page some five million, and others want some too. */
const MAX_CHARACTERS = 300_000;

type Remembered = RecentPayload & { readonly type: string };

/** What was published lately, by type, newest first. What cannot be remembered is forgotten: nothing depends on it. */
export class RecentPayloads {
  readonly #storage: Pick<Storage, "getItem" | "setItem">;

  constructor(storage: Pick<Storage, "getItem" | "setItem">) {
    this.#storage = storage;
  }

  of(type: string): RecentPayload[] {
    return this.#all().filter((one) => one.type === type);
  }

  /** Remembers a payload as the newest. The same one is remembered once. */
  add(type: string, one: RecentPayload): void {
    const said = keyOf({ ...one, type });
    const kept: Remembered[] = [{ ...one, type }];
    let characters = JSON.stringify(kept).length;
    let ofType = 1;
    for (const other of this.#all()) {
      if (keyOf(other) === said || (other.type === type && ++ofType > PER_TYPE)) continue;
      const more = JSON.stringify(other).length + 1;
      if (characters + more > MAX_CHARACTERS) break;
      characters += more;
      kept.push(other);
    }
    try {
      if (characters <= MAX_CHARACTERS) this.#storage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // Full, or forbidden.
    }
  }

  #all(): Remembered[] {
    try {
      const all: unknown = JSON.parse(this.#storage.getItem(KEY) ?? "[]");
      return Array.isArray(all) ? all.filter(isRemembered) : [];
    } catch {
      return [];
    }
  }
}

function keyOf({ type, payload, tags }: Remembered): string {
  return JSON.stringify([type, payload, tags]);
}

function isRemembered(value: unknown): value is Remembered {
  const { type, tags, at } = (value ?? {}) as Partial<Remembered>;
  return typeof type === "string" && typeof at === "string" && Array.isArray(tags);
}
