/** The action of a key in a tree, by the ARIA pattern for trees. */
export type TreeMove =
  | { readonly do: "go"; readonly row: number }
  | { readonly do: "seek"; readonly text: string }
  | { readonly do: "toggle" | "read" | "find" | "openAll" };

/** The properties of a row that decide which keys work on it. */
export interface KeyedRow {
  /** Undefined for rows that cannot expand. */
  readonly isOpen: boolean | undefined;
  readonly kind: string;
  /** The row of its parent; -1 when that is not shown. */
  readonly parent: number;
}

/** Returns the action of a key on a row; undefined for keys that the tree does not handle. */
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
      // Typing the start of a name moves to it, as in other trees.
      return /^[\p{L}\p{N}_$]$/u.test(key) ? { do: "seek", text: key } : undefined;
  }
}

/** The longest pause between two letters of one name, in ms. */
const SAME_NAME_MS = 800;

/** The text typed so far. Letters within the pause form one text, except repetitions of the same letter. */
export class TypedName {
  #text = "";
  #at = Number.NEGATIVE_INFINITY;

  /** Returns the text with one more letter, and whether the current row may match it. */
  add(letter: string, now: number): { readonly text: string; readonly isSame: boolean } {
    const continues = now - this.#at < SAME_NAME_MS && this.#text !== letter;
    this.#text = continues ? this.#text + letter : letter;
    this.#at = now;
    return { text: this.#text, isSame: continues };
  }
}
