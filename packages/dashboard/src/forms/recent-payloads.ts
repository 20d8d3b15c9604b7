/** A payload that was published from this browser. */
export interface RecentPayload {
  readonly payload: unknown;
  readonly tags: readonly string[];
  /** ISO 8601. */
  readonly at: string;
}

const KEY = "flock-recent-payloads";
const PER_TYPE = 8;
/** The limit of all entries together, as JSON. Browsers allow a page about five million characters. */
const MAX_CHARACTERS = 300_000;

type Remembered = RecentPayload & { readonly type: string };

/** Recently published payloads by type, newest first. Storage failures are ignored because nothing depends on it. */
export class RecentPayloads {
  readonly #storage: Pick<Storage, "getItem" | "setItem">;

  constructor(storage: Pick<Storage, "getItem" | "setItem">) {
    this.#storage = storage;
  }

  of(type: string): RecentPayload[] {
    return this.#all().filter((one) => one.type === type);
  }

  /** Stores a payload as the newest. Equal payloads are stored once. */
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
      // The storage is full or forbidden.
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
