import { align } from "./align.ts";
import { Sameness } from "./node-kind.ts";
import { gistOf, isBranch, kindOf, leafText, type ValueKind } from "./node-text.ts";
import { type PathPart, pathText } from "./path-text.ts";

/** The change of a value. A branch with changes below it is `inside`. */
export type Change = "same" | "inside" | "changed" | "added" | "removed";

/** One side of a row. */
export interface DiffSide {
  readonly kind: ValueKind;
  /** A string, possibly cut; other leaves as JSON; the beginning of a branch's content. */
  readonly text: string;
  readonly size: number;
}

/** A visible line of a comparison. */
export interface DiffRow {
  readonly node: number;
  readonly key: PathPart | undefined;
  readonly change: Change;
  readonly depth: number;
  /** Undefined for rows that cannot expand. */
  readonly isOpen: boolean | undefined;
  /** The number of equal neighbors that this row represents; undefined for other rows. */
  readonly folded: number | undefined;
  /** Undefined when the value is on the other side only. */
  readonly left: DiffSide | undefined;
  readonly right: DiffSide | undefined;
  readonly path: string;
  /** The row of its parent; -1 when that is not shown. */
  readonly parent: number;
}

/** From this number on, equal neighbors fold into one row. */
const FOLDED_FROM = 3;
/** An addition or removal with more entries than this is collapsed at first. */
const OPEN_ENTRIES = 50;
const MAX_TEXT = 2_000;

interface Node {
  readonly key: PathPart | undefined;
  readonly path: readonly PathPart[];
  readonly depth: number;
  readonly change: Change;
  readonly left: unknown;
  readonly right: unknown;
  readonly parent: Node | undefined;
  /** Its index in `#nodes`. */
  readonly number: number;
  /** Whether it represents equal neighbors, which are its children. */
  readonly isFold: boolean;
  children: readonly Node[] | undefined;
  isOpen: boolean;
  /** The row that shows it, while visible. */
  row: number;
}

/** A comparison of two payloads as collapsible rows. Equal values are folded. */
export class JsonDiff {
  readonly #same = new Sameness();
  readonly #nodes: Node[] = [];
  readonly #changes: Node[] = [];
  readonly #root: Node;
  #rows: Node[] = [];

  /** Undefined on one side means that there is nothing to compare with. */
  constructor(left: unknown, right: unknown) {
    this.#root = this.#compare(undefined, left, right, undefined);
    this.#layOut();
  }

  /** The number of values that were added, removed or changed. An added or removed branch counts once. */
  get changes(): number {
    return this.#changes.length;
  }

  rowCount(): number {
    return this.#rows.length;
  }

  /** Returns the visible rows from one index up to another. */
  rows(from: number, to: number): DiffRow[] {
    return this.#rows.slice(from, to).map(rowOf);
  }

  /** Expands or collapses a row. Returns the number of rows. */
  toggle(node: number): number {
    const one = this.#nodes[node];
    if (one) one.isOpen = !one.isOpen;
    return this.#layOut();
  }

  /** Expands the branches that hide a change. Returns its row and the number of rows. */
  reveal(change: number): { readonly row: number; readonly rows: number } {
    const node = this.#changes[change];
    for (let at = node?.parent; at; at = at.parent) at.isOpen = true;
    const rows = this.#layOut();
    return { row: node?.row ?? -1, rows };
  }

  /** Returns the first change from a row on; wraps around after the last. */
  changeFrom(row: number): number {
    let at = this.#rows[row];
    // Nodes that were expanded later have higher ids than their position suggests.
    while (at?.parent && at.parent.change !== "inside") at = at.parent;
    const node = at?.number ?? 0;
    const found = this.#changes.findIndex(({ number }) => number >= node);
    return found === -1 ? 0 : found;
  }

  #compare(key: PathPart | undefined, left: unknown, right: unknown, parent: Node | undefined): Node {
    if (left === undefined && right !== undefined) return this.#whole(key, "added", left, right, parent);
    if (right === undefined && left !== undefined) return this.#whole(key, "removed", left, right, parent);
    if (this.#same.of(left) === this.#same.of(right)) return this.#whole(key, "same", left, right, parent);
    const isInside = isBranch(left) && isBranch(right) && Array.isArray(left) === Array.isArray(right);
    if (!isInside) return this.#whole(key, "changed", left, right, parent);
    const node = this.#add(key, "inside", left, right, parent, true);
    node.children = this.#folded(
      node,
      pairsOf(left, right, (value) => this.#same.of(value)),
    );
    return node;
  }

  /** Groups runs of equal neighbors into one node each. */
  #folded(parent: Node, entries: readonly Entry[]): Node[] {
    const isSame = ([, left, right]: Entry) =>
      left !== undefined && right !== undefined && this.#same.of(left) === this.#same.of(right);
    const children: Node[] = [];
    for (let at = 0; at < entries.length; ) {
      const next = entries.findIndex((entry, index) => index >= at && !isSame(entry));
      const end = next === -1 ? entries.length : next;
      const isRun = end - at >= FOLDED_FROM;
      if (isRun) {
        const fold = this.#add(undefined, "same", undefined, undefined, parent, false, true);
        fold.children = entries.slice(at, end).map(([key, a, b]) => this.#compare(key, a, b, fold));
        children.push(fold);
        at = end;
      } else {
        const [key, a, b] = entries[at] as Entry;
        children.push(this.#compare(key, a, b, parent));
        at += 1;
      }
    }
    return children;
  }

  /** A value without children: equal, added, removed or changed. */
  #whole(key: PathPart | undefined, change: Change, left: unknown, right: unknown, parent: Node | undefined): Node {
    const node = this.#add(key, change, left, right, parent, false);
    const isTop = parent === undefined || parent.change === "inside";
    if (change === "same" || !isTop) return node;
    this.#changes.push(node);
    const value = change === "added" ? right : left;
    node.isOpen = change !== "changed" && isBranch(value) && Object.keys(value).length <= OPEN_ENTRIES;
    return node;
  }

  #add(
    key: PathPart | undefined,
    change: Change,
    left: unknown,
    right: unknown,
    parent: Node | undefined,
    isOpen: boolean,
    isFold = false,
  ): Node {
    const number = this.#nodes.length;
    const node: Node = {
      key,
      change,
      left,
      right,
      parent,
      isFold,
      isOpen,
      path: key === undefined ? (parent?.path ?? []) : [...(parent?.path ?? []), key],
      depth: parent ? parent.depth + (parent.isFold ? 0 : 1) : 0,
      number,
      children: undefined,
      row: -1,
    };
    this.#nodes.push(node);
    return node;
  }

  #layOut(): number {
    this.#rows = [];
    if (this.#root.change === "inside") for (const child of this.#childrenOf(this.#root)) this.#show(child);
    else this.#show(this.#root);
    return this.#rows.length;
  }

  #show(node: Node): void {
    node.row = this.#rows.push(node) - 1;
    if (node.isOpen) for (const child of this.#childrenOf(node)) this.#show(child);
  }

  /** Branches that are entirely equal, added or removed get children only when expanded. */
  #childrenOf(node: Node): readonly Node[] {
    if (node.children) return node.children;
    const { left, right, change } = node;
    const value = change === "added" ? right : left;
    if (!isBranch(value) || change === "changed") return [];
    const entries: [PathPart, unknown][] = Array.isArray(value)
      ? value.map((one, at) => [at, one])
      : Object.entries(value);
    node.children = entries.map(([key, one]) =>
      this.#add(key, change, change === "added" ? undefined : one, change === "removed" ? undefined : one, node, false),
    );
    return node.children;
  }
}

/** A field or index with the values of both sides; undefined for a missing one. */
type Entry = readonly [PathPart, unknown, unknown];

/** The entries of two branches of one kind, aligned and in order. */
function pairsOf(left: object, right: object, same: (value: unknown) => number): Entry[] {
  if (Array.isArray(left) && Array.isArray(right)) {
    return align(left, right, same).map((pair) => [
      "right" in pair ? pair.right : pair.left,
      "left" in pair ? left[pair.left] : undefined,
      "right" in pair ? right[pair.right] : undefined,
    ]);
  }
  const old = left as Record<string, unknown>;
  const now = right as Record<string, unknown>;
  const names = Object.keys(now);
  // A removed field is shown after the field that preceded it.
  let before = -1;
  for (const name of Object.keys(old)) {
    const at = names.indexOf(name);
    if (at === -1) names.splice(++before, 0, name);
    else before = at;
  }
  return names.map((name) => [
    name,
    Object.hasOwn(old, name) ? old[name] : undefined,
    Object.hasOwn(now, name) ? now[name] : undefined,
  ]);
}

function rowOf({ number, key, change, depth, isOpen, isFold, children, left, right, path, parent }: Node): DiffRow {
  const opens = isFold || (change !== "changed" && (isBranch(left) || isBranch(right)));
  return {
    node: number,
    key,
    change,
    depth: Math.max(1, depth),
    isOpen: opens ? isOpen : undefined,
    folded: isFold ? children?.length : undefined,
    left: left === undefined ? undefined : sideOf(left),
    right: right === undefined ? undefined : sideOf(right),
    path: pathText(path),
    parent: parent?.row ?? -1,
  };
}

function sideOf(value: unknown): DiffSide {
  if (typeof value === "string") return { kind: "string", text: value.slice(0, MAX_TEXT), size: value.length };
  const kind = kindOf(value);
  if (!isBranch(value)) return { kind, text: leafText(value), size: 0 };
  return { kind, text: gistOf(value), size: Object.keys(value).length };
}
