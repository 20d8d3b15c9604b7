/** A map that can be read and changed, such as a `Map`. */
export interface WritableMap<V> extends ReadonlyMap<string, V> {
  set(key: string, value: V): unknown;
  /** Deletes a key. Returns whether it existed. */
  delete(key: string): boolean;
}

/** WritableMap in one chunk, as a power of two. */
const CHUNK_BITS = 5;
const CHUNK = 1 << CHUNK_BITS;

interface Entry<V> {
  readonly key: string;
  readonly value: V;
}

/** Consecutive entries in the order of insertion; undefined where one was deleted. Only its owner changes it. */
interface Chunk<V> {
  readonly owner: object | null;
  readonly entries: (Entry<V> | undefined)[];
  /** Number of entries that are not deleted. */
  count: number;
}

/**
 * The positions of keys, shared by all copies, so that copying a map does not copy its index. It contains each position
 * that a key had in any copy. A copy finds its own by comparing the key of the entry at each position.
 */
class KeyIndex {
  readonly #positions = new Map<string, number | number[]>();
  #count = 0;

  /** Number of positions of all keys. */
  get count(): number {
    return this.#count;
  }

  of(key: string): number | readonly number[] | undefined {
    return this.#positions.get(key);
  }

  add(key: string, at: number): void {
    const known = this.#positions.get(key);
    if (known === at || (typeof known === "object" && known.includes(at))) return;
    this.#count++;
    if (known === undefined) this.#positions.set(key, at);
    else if (typeof known === "number") this.#positions.set(key, [known, at]);
    else known.push(at);
  }
}

/** How far the index may exceed twice the number of entries before it is rebuilt. */
const SPARE = 32;

const EMPTY_CHUNK: Chunk<never> = { owner: null, entries: new Array(CHUNK).fill(undefined), count: 0 };

/**
 * A map in the order of insertion that is cheap to copy: copies share all chunks that neither has changed since. A viewer
 * folds 100,000 entries 60 times a second and keeps many of the states, which full copies could not sustain.
 *
 * After {@link PersistentMap.copyOf}, the original must not change again. Only the copy may.
 */
export class PersistentMap<V> implements WritableMap<V> {
  #owner: object = {};
  #chunks: Chunk<V>[] = [];
  /** The position of the first entry of the first chunk. */
  #begin = 0;
  /** The position of the next entry. */
  #end = 0;
  #size = 0;
  #index = new KeyIndex();

  /** Returns a map with the same entries that may be changed. */
  static copyOf<V>(map: ReadonlyMap<string, V>): PersistentMap<V> {
    const copy = new PersistentMap<V>();
    if (map instanceof PersistentMap) {
      const from = map as PersistentMap<V>;
      copy.#chunks = from.#chunks.slice();
      copy.#begin = from.#begin;
      copy.#end = from.#end;
      copy.#size = from.#size;
      copy.#index = from.#index;
    } else {
      for (const [key, value] of map) copy.set(key, value);
    }
    return copy;
  }

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Returns the value of a key. */
  get(key: string): V | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : this.#entryAt(at)?.value;
  }

  /** Returns whether there is an entry with this key. */
  has(key: string): boolean {
    return this.#find(key) >= 0;
  }

  /** Sets the value of a key. As in a `Map`, an existing key keeps its place in the order. */
  set(key: string, value: V): this {
    const at = this.#find(key);
    if (at >= 0) {
      this.#writableChunk(at).entries[at & (CHUNK - 1)] = { key, value };
      return this;
    }
    // Compacts a map whose entries are mostly deleted.
    if (this.#end - this.#begin > 4 * this.#size + 8 * CHUNK) this.#compact();
    const position = this.#end++;
    if ((position & (CHUNK - 1)) === 0) {
      this.#chunks.push({ owner: this.#owner, entries: new Array(CHUNK).fill(undefined), count: 0 });
    }
    const chunk = this.#writableChunk(position);
    chunk.entries[position & (CHUNK - 1)] = { key, value };
    chunk.count++;
    this.#size++;
    this.#index.add(key, position);
    // Other copies may need positions of keys that this one deleted, so they stay until they outnumber the entries.
    if (this.#index.count > 2 * this.#size + SPARE) this.#rebuildIndex();
    return this;
  }

  delete(key: string): boolean {
    const at = this.#find(key);
    if (at < 0) return false;
    const chunk = this.#writableChunk(at);
    chunk.entries[at & (CHUNK - 1)] = undefined;
    chunk.count--;
    this.#size--;
    // The last chunk stays, because the next entries go there.
    const index = (at - this.#begin) >> CHUNK_BITS;
    if (chunk.count === 0 && index < this.#chunks.length - 1) this.#chunks[index] = EMPTY_CHUNK;
    let gone = 0;
    while (this.#chunks[gone] === EMPTY_CHUNK) gone++;
    if (gone > 0) {
      this.#chunks.splice(0, gone);
      this.#begin += gone * CHUNK;
    }
    return true;
  }

  /** Iterates over a snapshot of the entries. Later changes do not affect it; the same holds for all iterators here. */
  entries(): MapIterator<[string, V]> {
    const pairs = new Array<[string, V]>(this.#size);
    let count = 0;
    for (const { key, value } of this.#inOrder()) pairs[count++] = [key, value];
    return pairs.values();
  }

  /** Iterates over a snapshot of the keys. */
  keys(): MapIterator<string> {
    const keys = new Array<string>(this.#size);
    let count = 0;
    for (const { key } of this.#inOrder()) keys[count++] = key;
    return keys.values();
  }

  /** Iterates over a snapshot of the values. */
  values(): MapIterator<V> {
    const values = new Array<V>(this.#size);
    let count = 0;
    for (const { value } of this.#inOrder()) values[count++] = value;
    return values.values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  /** Calls a function for each entry of a snapshot. */
  forEach(call: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) call(value, key, this);
  }

  /** Filling an array is much faster than a generator that yields one entry at a time. */
  #inOrder(): Entry<V>[] {
    const found = new Array<Entry<V>>(this.#size);
    let count = 0;
    for (const chunk of this.#chunks) {
      const { entries } = chunk;
      for (let index = 0; index < CHUNK; index++) {
        const entry = entries[index];
        if (entry !== undefined) found[count++] = entry;
      }
    }
    return found;
  }

  #entryAt(at: number): Entry<V> | undefined {
    return this.#chunks[(at - this.#begin) >> CHUNK_BITS]?.entries[at & (CHUNK - 1)];
  }

  #writableChunk(at: number): Chunk<V> {
    const index = (at - this.#begin) >> CHUNK_BITS;
    let chunk = this.#chunks[index] as Chunk<V>;
    if (chunk.owner !== this.#owner) {
      chunk = { owner: this.#owner, entries: chunk.entries.slice(), count: chunk.count };
      this.#chunks[index] = chunk;
    }
    return chunk;
  }

  #compact(): void {
    const entries = this.entries();
    this.#chunks = [];
    this.#begin = 0;
    this.#end = 0;
    this.#size = 0;
    this.#index = new KeyIndex();
    for (const [key, value] of entries) this.set(key, value);
  }

  #rebuildIndex(): void {
    this.#index = new KeyIndex();
    for (const [index, { entries }] of this.#chunks.entries()) {
      for (const [offset, entry] of entries.entries()) {
        if (entry) this.#index.add(entry.key, this.#begin + index * CHUNK + offset);
      }
    }
  }

  /** Returns the position of a key, or -1. */
  #find(key: string): number {
    const positions = this.#index.of(key);
    if (positions === undefined) return -1;
    if (typeof positions === "number") return this.#entryAt(positions)?.key === key ? positions : -1;
    return positions.findLast((at) => this.#entryAt(at)?.key === key) ?? -1;
  }
}
