/** What can be read and changed as a `Map` can. */
export interface WritableMap<V> extends ReadonlyMap<string, V> {
  set(key: string, value: V): unknown;
  delete(key: string): boolean;
}

/** WritableMap in one chunk, as a power of two. */
const CHUNK_BITS = 5;
const CHUNK = 1 << CHUNK_BITS;

interface Entry<V> {
  readonly key: string;
  readonly value: V;
}

/** Neighbours in the order of insertion; undefined where one has been deleted. Only its owner changes it. */
interface Chunk<V> {
  readonly owner: object | null;
  readonly entries: (Entry<V> | undefined)[];
  /** How many are there. */
  count: number;
}

/**
 * Where keys stand, for all copies together, so that a copy needs none of its own: each place that a key has had in any of
 * them. Which of them is its own a copy sees by what stands there.
 */
class Places {
  readonly #of = new Map<string, number | number[]>();
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  of(key: string): number | readonly number[] | undefined {
    return this.#of.get(key);
  }

  add(key: string, at: number): void {
    const known = this.#of.get(key);
    if (known === at || (typeof known === "object" && known.includes(at))) return;
    this.#count++;
    if (known === undefined) this.#of.set(key, at);
    else if (typeof known === "number") this.#of.set(key, [known, at]);
    else known.push(at);
  }
}

/** So many more places than entries are let be. */
const SPARE = 32;

const NO_CHUNK: Chunk<never> = { owner: null, entries: new Array(CHUNK).fill(undefined), count: 0 };

/**
 * A map in the order of insertion, of which a copy costs next to nothing, whatever is in it: copies share all that neither
 * of them has changed since. Whoever folds a hundred thousand entries sixty times a second, and keeps many moments of
 * them, can afford no other copy. Once it has been copied, a map must not be changed any more; its copy may be.
 */
export class PersistentMap<V> implements WritableMap<V> {
  #owner: object = {};
  #chunks: Chunk<V>[] = [];
  /** The place of the first chunk's first entry. */
  #begin = 0;
  /** The place of the next entry. */
  #end = 0;
  #size = 0;
  #places = new Places();

  /** A map with the same entries, to be changed. */
  static copyOf<V>(map: ReadonlyMap<string, V>): PersistentMap<V> {
    const copy = new PersistentMap<V>();
    if (map instanceof PersistentMap) {
      const from = map as PersistentMap<V>;
      copy.#chunks = from.#chunks.slice();
      copy.#begin = from.#begin;
      copy.#end = from.#end;
      copy.#size = from.#size;
      copy.#places = from.#places;
    } else {
      for (const [key, value] of map) copy.set(key, value);
    }
    return copy;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const at = this.#find(key);
    return at < 0 ? undefined : this.#entryAt(at)?.value;
  }

  has(key: string): boolean {
    return this.#find(key) >= 0;
  }

  /** As that of a `Map`: a key that is there keeps its place. */
  set(key: string, value: V): this {
    const at = this.#find(key);
    if (at >= 0) {
      this.#chunkToChange(at).entries[at & (CHUNK - 1)] = { key, value };
      return this;
    }
    // Where most of what was inserted is gone, what is left moves together.
    if (this.#end - this.#begin > 4 * this.#size + 8 * CHUNK) this.#tidy();
    const place = this.#end++;
    if ((place & (CHUNK - 1)) === 0) {
      this.#chunks.push({ owner: this.#owner, entries: new Array(CHUNK).fill(undefined), count: 0 });
    }
    const chunk = this.#chunkToChange(place);
    chunk.entries[place & (CHUNK - 1)] = { key, value };
    chunk.count++;
    this.#size++;
    this.#places.add(key, place);
    // Others may still need where keys were that are gone here.
    if (this.#places.count > 2 * this.#size + SPARE) this.#placeAnew();
    return this;
  }

  delete(key: string): boolean {
    const at = this.#find(key);
    if (at < 0) return false;
    const chunk = this.#chunkToChange(at);
    chunk.entries[at & (CHUNK - 1)] = undefined;
    chunk.count--;
    this.#size--;
    // The last one may still be filled.
    const index = (at - this.#begin) >> CHUNK_BITS;
    if (chunk.count === 0 && index < this.#chunks.length - 1) this.#chunks[index] = NO_CHUNK;
    let gone = 0;
    while (this.#chunks[gone] === NO_CHUNK) gone++;
    if (gone > 0) {
      this.#chunks.splice(0, gone);
      this.#begin += gone * CHUNK;
    }
    return true;
  }

  /** As those of all iterators here, these are what there was when it was asked for; what changes then is not seen. */
  entries(): MapIterator<[string, V]> {
    const pairs = new Array<[string, V]>(this.#size);
    let count = 0;
    for (const { key, value } of this.#inOrder()) pairs[count++] = [key, value];
    return pairs.values();
  }

  keys(): MapIterator<string> {
    const keys = new Array<string>(this.#size);
    let count = 0;
    for (const { key } of this.#inOrder()) keys[count++] = key;
    return keys.values();
  }

  values(): MapIterator<V> {
    const values = new Array<V>(this.#size);
    let count = 0;
    for (const { value } of this.#inOrder()) values[count++] = value;
    return values.values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(call: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) call(value, key, this);
  }

  /** To fill an array is far quicker than to be asked for one entry after the other. */
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

  #chunkToChange(at: number): Chunk<V> {
    const index = (at - this.#begin) >> CHUNK_BITS;
    let chunk = this.#chunks[index] as Chunk<V>;
    if (chunk.owner !== this.#owner) {
      chunk = { owner: this.#owner, entries: chunk.entries.slice(), count: chunk.count };
      this.#chunks[index] = chunk;
    }
    return chunk;
  }

  #tidy(): void {
    const entries = this.entries();
    this.#chunks = [];
    this.#begin = 0;
    this.#end = 0;
    this.#size = 0;
    this.#places = new Places();
    for (const [key, value] of entries) this.set(key, value);
  }

  #placeAnew(): void {
    this.#places = new Places();
    for (const [index, { entries }] of this.#chunks.entries()) {
      for (const [offset, entry] of entries.entries()) {
        if (entry) this.#places.add(entry.key, this.#begin + index * CHUNK + offset);
      }
    }
  }

  /** The place of a key; -1 when it is not there. */
  #find(key: string): number {
    const places = this.#places.of(key);
    if (places === undefined) return -1;
    if (typeof places === "number") return this.#entryAt(places)?.key === key ? places : -1;
    return places.findLast((at) => this.#entryAt(at)?.key === key) ?? -1;
  }
}
