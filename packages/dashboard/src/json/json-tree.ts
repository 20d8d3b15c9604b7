import { asCurl, asTypeScript, type Publication } from "./copy-as.ts";
import { gistOf, kindOf, leafText, type ValueKind } from "./node-text.ts";
import { type PathPart, pathText } from "./path-text.ts";
import { searchPattern } from "./search-pattern.ts";

/** The kind of a row. A `range` is a part of an object or list with too many entries to show one by one. */
export type NodeKind = ValueKind | "range";

/** A visible line of a tree, with all data to show it and to navigate from it. */
export interface TreeRow {
  /** The id of its node, independent of which nodes are expanded. */
  readonly node: number;
  /** Undefined for the root. */
  readonly key: PathPart | undefined;
  readonly kind: NodeKind;
  /** A leaf as text, possibly cut; the beginning of a branch's content. */
  readonly text: string;
  /** The number of entries of a branch, or of characters of a string; 0 for other leaves. */
  readonly size: number;
  /** 1 for the outermost rows. */
  readonly depth: number;
  /** Undefined for rows that cannot expand. */
  readonly isOpen: boolean | undefined;
  /** Its position among its siblings, from 1. */
  readonly position: number;
  readonly siblings: number;
  /** The row of its parent; -1 when that is not shown. */
  readonly parent: number;
  /** As JSONPath. */
  readonly path: string;
}

/** Objects and lists with more entries than this are shown in ranges of this size. */
export const ENTRIES_PER_RANGE = 1_000;
/** The number of rows that are expanded at first, and by expanding all. */
const ROWS_AT_FIRST = 400;
const ROWS_AT_MOST = 100_000;
/** Lengths in characters: of a string on one line, of an expanded one, and of one that is expanded at first. */
const LINE = 120;
export const OPEN_TEXT = 4_000;
const SHORT_TEXT = 800;
/** In a payload with more nodes than this, long strings are collapsed at first. */
const SMALL = 400;

/** A range of the entries of an object or list. */
class Range {
  readonly from: number;
  readonly to: number;

  constructor(from: number, to: number) {
    this.from = from;
    this.to = to;
  }
}

interface Branch {
  readonly node: number;
  readonly of: object;
  readonly names: readonly string[] | undefined;
  next: number;
  readonly end: number;
}

/**
 * JSON as collapsible rows. Each node has a number: its position when all is expanded. The nodes below a node are
 * between it and its `end`, so collapsing it means skipping them. Independent of the DOM, since a worker uses it too.
 */
export class JsonTree {
  readonly #values: unknown[] = [];
  readonly #keys: (PathPart | undefined)[] = [];
  readonly #parents: number[] = [];
  /** The first node that is not below this one. */
  readonly #ends: number[] = [];
  readonly #depths: number[] = [];
  readonly #positions: number[] = [];
  readonly #siblings: number[] = [];
  readonly #open: Uint8Array;
  #rows: Uint32Array<ArrayBuffer>;
  #rowCount = 0;
  #matches: number[] = [];

  constructor(value: unknown) {
    this.#add(undefined, value, -1, 0, 1);
    const branches: Branch[] = [];
    this.#enter(0, branches);
    for (let at = branches.at(-1); at; at = branches.at(-1)) {
      if (at.next >= at.end) {
        this.#ends[at.node] = this.#values.length;
        branches.pop();
        continue;
      }
      const child = this.#addNext(at);
      this.#enter(child, branches);
    }
    this.#open = new Uint8Array(this.#values.length);
    this.#rows = new Uint32Array(this.#values.length);
    this.#openAtFirst();
  }

  /** The number of values, visible or not. */
  get nodes(): number {
    return this.#values.length;
  }

  /** The number of visible rows. */
  rowCount(): number {
    return this.#rowCount;
  }

  /** Returns the visible rows from one index up to another. */
  rows(from: number, to: number): TreeRow[] {
    return Array.from(this.#rows.subarray(Math.max(0, from), Math.min(to, this.#rowCount)), (node) => this.#row(node));
  }

  /** Returns the node of a row; -1 for no row. */
  nodeAt(row: number): number {
    return row < this.#rowCount ? (this.#rows[row] as number) : -1;
  }

  /** Expands or collapses a row. Returns the number of rows. */
  toggle(node: number): number {
    if (this.#opens(node)) this.#open[node] = this.#open[node] ? 0 : 1;
    return this.#layOut();
  }

  /** Expands branches from the outside in, up to a number of rows. Returns the number of rows. */
  openAll(): number {
    this.#openLevels(ROWS_AT_MOST);
    if (this.nodes <= SMALL) for (let node = 0; node < this.nodes; node++) if (this.#opens(node)) this.#open[node] = 1;
    return this.#layOut();
  }

  /** Collapses everything but the outermost level. Returns the number of rows. */
  closeAll(): number {
    this.#open.fill(0);
    this.#open[0] = 1;
    return this.#layOut();
  }

  /** Searches names and values, including collapsed ones. Returns the number of matching rows. */
  find(query: string): number {
    this.#matches = [];
    const pattern = searchPattern(query, "i");
    if (!pattern) return 0;
    for (let node = 0; node < this.nodes; node++) if (this.#has(node, pattern)) this.#matches.push(node);
    return this.#matches.length;
  }

  /** Returns the first match from a row on; wraps around after the last. 0 without a match. */
  matchFrom(row: number): number {
    const node = this.#rows[row] ?? 0;
    const found = this.#matches.findIndex((match) => match >= node);
    return found === -1 ? 0 : found;
  }

  /** Returns the next visible row from one on whose name starts with a text; wraps around. -1 without a match. */
  named(text: string, from: number): number {
    const begin = text.toLowerCase();
    for (let count = 0; count < this.#rowCount; count++) {
      const row = (from + count) % this.#rowCount;
      const key = this.#keys[this.#rows[row] as number];
      if (key !== undefined && String(key).toLowerCase().startsWith(begin)) return row;
    }
    return -1;
  }

  /** Expands the branches that hide a match. Returns its row and the number of rows. */
  reveal(match: number): { readonly row: number; readonly rows: number } {
    const node = this.#matches[match] ?? 0;
    for (let at = this.#parents[node] as number; at >= 0; at = this.#parents[at] as number) this.#open[at] = 1;
    if (typeof this.#values[node] === "string" && this.#opens(node)) this.#open[node] = 1;
    const rows = this.#layOut();
    return { row: this.#rowOf(node), rows };
  }

  /** Returns the JSON of a node and its descendants. */
  json(node: number): string {
    return JSON.stringify(this.#valueOf(node), null, 2) ?? "null";
  }

  /** Returns a string unchanged, and any other value as JSON. */
  text(node: number): string {
    const value = this.#valueOf(node);
    return typeof value === "string" ? value : this.json(node);
  }

  /** Returns the whole payload as a command or a program that publishes it. */
  publication(as: "curl" | "typescript", what: Omit<Publication, "payload">): string {
    const publication = { ...what, payload: this.#values[0] };
    return as === "curl" ? asCurl(publication) : asTypeScript(publication);
  }

  #add(key: PathPart | undefined, value: unknown, parent: number, position: number, siblings: number): number {
    const node = this.#values.length;
    this.#values.push(value);
    this.#keys.push(key);
    this.#parents.push(parent);
    this.#ends.push(node + 1);
    this.#depths.push(parent < 0 ? 0 : (this.#depths[parent] as number) + 1);
    this.#positions.push(position);
    this.#siblings.push(siblings);
    return node;
  }

  /** Adds the next entry of a branch, or the next range of entries. */
  #addNext(branch: Branch): number {
    const { node, of, names, next, end } = branch;
    const begin = this.#values[node] instanceof Range ? (this.#values[node] as Range).from : 0;
    const isLong = end - begin > ENTRIES_PER_RANGE;
    const size = isLong ? ENTRIES_PER_RANGE : 1;
    branch.next += size;
    const position = (next - begin) / size;
    const siblings = Math.ceil((end - begin) / size);
    if (isLong) return this.#add(undefined, new Range(next, Math.min(next + size, end)), node, position, siblings);
    const key = names ? (names[next] as string) : next;
    return this.#add(key, (of as Record<PathPart, unknown>)[key], node, position, siblings);
  }

  #enter(node: number, branches: Branch[]): void {
    const value = this.#values[node];
    if (value instanceof Range) {
      const parent = branches.at(-1) as Branch;
      branches.push({ node, of: parent.of, names: parent.names, next: value.from, end: value.to });
    } else if (typeof value === "object" && value !== null) {
      const names = Array.isArray(value) ? undefined : Object.keys(value);
      const end = names ? names.length : (value as unknown[]).length;
      if (end > 0) branches.push({ node, of: value, names, next: 0, end });
    }
  }

  #openAtFirst(): void {
    this.#openLevels(ROWS_AT_FIRST);
    if (this.nodes <= SMALL) {
      this.#values.forEach((value, node) => {
        if (typeof value === "string" && value.length <= SHORT_TEXT && this.#opens(node)) this.#open[node] = 1;
      });
    }
    this.#layOut();
  }

  /** Expands branches level by level up to a number of rows. The outermost is always expanded. */
  #openLevels(limit: number): void {
    const perLevel: number[] = [];
    for (const depth of this.#depths) perLevel[depth] = (perLevel[depth] ?? 0) + 1;
    let rows = perLevel[1] ?? 0;
    let level = 1;
    while (level + 1 < perLevel.length && rows + (perLevel[level + 1] as number) <= limit) {
      level += 1;
      rows += perLevel[level] as number;
    }
    for (let node = 0; node < this.nodes; node++) {
      if (this.#isBranch(node)) this.#open[node] = (this.#depths[node] as number) < level ? 1 : 0;
    }
  }

  #layOut(): number {
    let count = 0;
    // A non-empty root has no row.
    for (let node = this.#isBranch(0) ? 1 : 0; node < this.nodes; ) {
      this.#rows[count++] = node;
      node = this.#isBranch(node) && !this.#open[node] ? (this.#ends[node] as number) : node + 1;
    }
    this.#rowCount = count;
    return count;
  }

  #isBranch(node: number): boolean {
    return (this.#ends[node] as number) > node + 1;
  }

  #opens(node: number): boolean {
    const value = this.#values[node];
    return this.#isBranch(node) || (typeof value === "string" && (value.length > LINE || value.includes("\n")));
  }

  /** Returns the row of a visible node; -1 for a hidden one. */
  #rowOf(node: number): number {
    let low = 0;
    let high = this.#rowCount - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#rows[middle] as number;
      if (found === node) return middle;
      if (found < node) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  #row(node: number): TreeRow {
    const value = this.#values[node];
    const parent = this.#parents[node] as number;
    const opens = this.#opens(node);
    const isOpen = opens ? this.#open[node] === 1 : undefined;
    return {
      node,
      key: this.#keys[node],
      kind: value instanceof Range ? "range" : kindOf(value),
      text: this.#textOf(node, isOpen === true),
      size: this.#sizeOf(value),
      depth: Math.max(1, this.#depths[node] as number),
      isOpen,
      position: (this.#positions[node] as number) + 1,
      siblings: this.#siblings[node] as number,
      parent: parent < 0 ? -1 : this.#rowOf(parent),
      path: pathText(this.#path(node)),
    };
  }

  #textOf(node: number, isOpen: boolean): string {
    const value = this.#values[node];
    if (typeof value === "string") {
      if (isOpen) return value.slice(0, OPEN_TEXT);
      return value.length > LINE ? value.slice(0, LINE) : value;
    }
    if (value instanceof Range) {
      const { from, to } = value;
      const owner = this.#valueOf(node);
      if (Array.isArray(owner)) return `${from} … ${to - 1}`;
      return `${this.#firstKey(node + 1)} … ${this.#keys[(this.#ends[node] as number) - 1] ?? ""}`;
    }
    if (this.#isBranch(node)) return isOpen ? "" : gistOf(value as object);
    return leafText(value);
  }

  #firstKey(node: number): PathPart {
    return this.#keys[node] ?? "";
  }

  #sizeOf(value: unknown): number {
    if (typeof value === "string") return value.length;
    if (value instanceof Range) return value.to - value.from;
    if (Array.isArray(value)) return value.length;
    return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
  }

  #path(node: number): PathPart[] {
    const path: PathPart[] = [];
    for (let at = node; at > 0; at = this.#parents[at] as number) {
      const key = this.#keys[at];
      if (key !== undefined) path.unshift(key);
    }
    return path;
  }

  /** Returns the value of a node. For a range, that of its branch. */
  #valueOf(node: number): unknown {
    let at = node;
    while (this.#values[at] instanceof Range) at = this.#parents[at] as number;
    return this.#values[at];
  }

  #has(node: number, pattern: RegExp): boolean {
    const key = this.#keys[node];
    if (typeof key === "string" && pattern.test(key)) return true;
    const value = this.#values[node];
    if (typeof value === "string") return pattern.test(value);
    return (typeof value !== "object" || value === null) && pattern.test(String(value));
  }
}
