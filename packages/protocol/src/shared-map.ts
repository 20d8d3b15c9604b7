/** What can be read and changed as a `Map` can. */
export interface Entries<V> extends ReadonlyMap<string, V> {
  set(key: string, value: V): unknown;
  delete(key: string): boolean;
}

/** Entries in one chunk, as a power of two. */
const CHUNK_BITS = 5;
const CHUNK = 1 << CHUNK_BITS;
/** Bits of a hash that one level of the index looks at. */
const LEVEL_BITS = 4;
const BRANCHES = 1 << LEVEL_BITS;
const HASH_BITS = 32;

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

/** Where a key stands. Keys with the same hash are in a chain. */
class Leaf {
  readonly key: string;
  readonly hash: number;
  /** The place of its entry, counted from the first that there ever was. */
  readonly at: number;
  readonly next: Leaf | undefined;

  constructor(key: string, hash: number, at: number, next: Leaf | undefined) {
    this.key = key;
    this.hash = hash;
    this.at = at;
    this.next = next;
  }
}

/** A level of the index. Only its owner changes it. */
class Branch {
  readonly owner: object | null;
  readonly slots: (Branch | Leaf | undefined)[];

  constructor(owner: object | null, slots: (Branch | Leaf | undefined)[]) {
    this.owner = owner;
    this.slots = slots;
  }
}

const NO_CHUNK: Chunk<never> = { owner: null, entries: new Array(CHUNK).fill(undefined), count: 0 };

/**
 * A map in the order of insertion, of which a copy costs next to nothing, whatever is in it: copies share all that neither
 * of them has changed since. Whoever folds a hundred thousand entries sixty times a second, and keeps many moments of
 * them, can afford no other copy. Once it has been copied, a map must not be changed any more; its copy may be.
 */
export class SharedMap<V> implements Entries<V> {
  #owner: object = {};
  #chunks: Chunk<V>[] = [];
  /** The place of the first chunk's first entry. */
  #begin = 0;
  /** The place of the next entry. */
  #end = 0;
  #size = 0;
  #root = new Branch(null, []);

  /** A map with the same entries, to be changed. */
  static copyOf<V>(map: ReadonlyMap<string, V>): SharedMap<V> {
    const copy = new SharedMap<V>();
    if (map instanceof SharedMap) {
      const from = map as SharedMap<V>;
      copy.#chunks = from.#chunks.slice();
      copy.#begin = from.#begin;
      copy.#end = from.#end;
      copy.#size = from.#size;
      copy.#root = from.#root;
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
    this.#root = this.#inserted(this.#root, key, hashOf(key), place, 0);
    return this;
  }

  delete(key: string): boolean {
    const at = this.#find(key);
    if (at < 0) return false;
    const chunk = this.#chunkToChange(at);
    chunk.entries[at & (CHUNK - 1)] = undefined;
    chunk.count--;
    this.#size--;
    this.#root = this.#removed(this.#root, key, hashOf(key), 0);
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
    this.#root = new Branch(null, []);
    for (const [key, value] of entries) this.set(key, value);
  }

  /** The place of a key; -1 when it is not there. */
  #find(key: string): number {
    const hash = hashOf(key);
    let node: Branch | Leaf | undefined = this.#root;
    for (let shift = 0; node instanceof Branch; shift += LEVEL_BITS) node = node.slots[branchOf(hash, shift)];
    for (; node; node = node.next) if (node.hash === hash && node.key === key) return node.at;
    return -1;
  }

  #branchToChange(branch: Branch): Branch {
    return branch.owner === this.#owner ? branch : new Branch(this.#owner, branch.slots.slice());
  }

  #inserted(branch: Branch, key: string, hash: number, at: number, shift: number): Branch {
    const changed = this.#branchToChange(branch);
    const slot = branchOf(hash, shift);
    const child = changed.slots[slot];
    if (child instanceof Branch) {
      changed.slots[slot] = this.#inserted(child, key, hash, at, shift + LEVEL_BITS);
    } else if (child === undefined || child.hash === hash) {
      changed.slots[slot] = new Leaf(key, hash, at, child);
    } else {
      // Two that are the same up to here part further down.
      const below = new Branch(this.#owner, []);
      below.slots[branchOf(child.hash, shift + LEVEL_BITS)] = child;
      changed.slots[slot] = this.#inserted(below, key, hash, at, shift + LEVEL_BITS);
    }
    return changed;
  }

  #removed(branch: Branch, key: string, hash: number, shift: number): Branch {
    const changed = this.#branchToChange(branch);
    const slot = branchOf(hash, shift);
    const child = changed.slots[slot];
    if (child instanceof Branch) {
      const below = this.#removed(child, key, hash, shift + LEVEL_BITS);
      changed.slots[slot] = below.slots.some((each) => each !== undefined) ? below : undefined;
    } else {
      changed.slots[slot] = without(child, key);
    }
    return changed;
  }
}

function without(leaf: Leaf | undefined, key: string): Leaf | undefined {
  if (!leaf || leaf.key === key) return leaf?.next;
  return new Leaf(leaf.key, leaf.hash, leaf.at, without(leaf.next, key));
}

function branchOf(hash: number, shift: number): number {
  return (hash >>> (shift % HASH_BITS)) & (BRANCHES - 1);
}

/** The key that was hashed last: one is mostly looked up, changed and deleted in one go. */
let lastKey = "";
let lastHash = hashed("");

function hashOf(key: string): number {
  if (key !== lastKey) {
    lastHash = hashed(key);
    lastKey = key;
  }
  return lastHash;
}

function hashed(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  // The lowest bits decide first: they must depend on all the others.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
