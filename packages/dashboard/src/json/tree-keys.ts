/** What a key does in a tree, by the ARIA practice for trees. */
export type TreeMove =
  | { readonly do: "go"; readonly row: number }
  | { readonly do: "seek"; readonly text: string }
  | { readonly do: "toggle" | "read" | "find" | "openAll" };

/** What of a row decides what keys do on it. */
export interface KeyedRow {
  /** Undefined for what does not open. */
  readonly isOpen: boolean | undefined;
  readonly kind: string;
  /** The row of its parent; -1 when that is not shown. */
  readonly parent: number;
}

/** What a key means on a row among so many; undefined for keys that are not the tree's. */
export function moveOf(
  { key, ctrlKey, metaKey, altKey }: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">,
  row: KeyedRow | undefined,
  at: number,
  count: number,
  page: number,
): TreeMove | undefined {
  const go = (to: number): TreeMove => ({ do: "go", row: Math.max(0, Math.min(to, count - 1)) });
  if ((ctrlKey || metaKey) && key.toLowerCase() === "f") return { do: "find" };
  if (ctrlKey || metaKey || altKey) return undefined;
  const isBranch = row?.isOpen !== undefined && row.kind !== "string";
  switch (key) {
    case "ArrowDown":
      return go(at + 1);
    case "ArrowUp":
      return go(at - 1);
    case "PageDown":
      return go(at + page);
    case "PageUp":
      return go(at - page);
    case "Home":
      return go(0);
    case "End":
      return go(count - 1);
    case "ArrowRight":
      if (row?.isOpen === false) return { do: "toggle" };
      return isBranch ? go(at + 1) : undefined;
    case "ArrowLeft":
      if (row?.isOpen === true) return { do: "toggle" };
      return row && row.parent >= 0 ? go(row.parent) : undefined;
    case "Enter":
    case " ":
      if (row?.isOpen === undefined) return undefined;
      return { do: key === "Enter" && row.kind === "string" ? "read" : "toggle" };
    case "*":
      return { do: "openAll" };
    case "/":
      return { do: "find" };
    default:
      // Names are sought by typing how they begin, as in other trees.
      return /^[\p{L}\p{N}_$]$/u.test(key) ? { do: "seek", text: key } : undefined;
  }
}

/** How long after a letter the next one goes on with the same name, in ms. */
const GOES_ON_MS = 800;

/** What has been typed of a name: letters that come soon after one another are one text, the same letter again is not. */
export class TypedName {
  #text = "";
  #at = Number.NEGATIVE_INFINITY;

  /** The text with one letter more, and whether the row that one is on may be the one that is sought. */
  add(letter: string, now: number): { readonly text: string; readonly isSame: boolean } {
    const goesOn = now - this.#at < GOES_ON_MS && this.#text !== letter;
    this.#text = goesOn ? this.#text + letter : letter;
    this.#at = now;
    return { text: this.#text, isSame: goesOn };
  }
}
